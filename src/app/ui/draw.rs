//! Paper to draw on: what is drawn goes through the network at once, layer by layer.

use super::answers;
use super::format::percent;
use super::icons::Icon;
use super::panels::Panels;
use super::samples;
use super::stage::Stage;
use super::widgets::small_icon;
use crate::app::theme::color32;
use crate::data::Drawing;
use crate::train::{Problem, TrainCommand, Watched, WatchedPart};
use bevy_egui::egui::{
    Align, Color32, CursorIcon, Frame, Label, Layout, Margin, Panel, Pos2, Rect, RichText, Sense,
    Stroke, StrokeKind, TextureHandle, TextureOptions, Ui, pos2, vec2,
};
use std::sync::Arc;

/// The paper's side and that of the picture that the network sees, in points.
const PAPER: f32 = 232.0;
const SEEN: f32 = 64.0;
/// The width of a drawn line as a share of the paper's side.
const PEN: f32 = 0.075;
/// Points of a line nearer to each other than this are one.
const STEP: f32 = 0.004;
/// At most so many points, whoever holds the pen.
const MOST_POINTS: usize = 20_000;

/// The paper, and what is on it.
#[derive(Default)]
pub struct Drawer {
    /// Whether it lies on the table.
    pub is_open: bool,
    /// What is drawn.
    pub drawing: Drawing,
    /// What was watched before.
    back: Option<Watched>,
    /// Of which network the drawing was given to.
    given_to: Option<(usize, usize)>,
    seen: Option<(Vec<f32>, TextureHandle)>,
}

impl Drawer {
    /// Puts it on the table; `now` is what is watched until something is drawn.
    pub fn open(&mut self, now: Watched) {
        self.is_open = true;
        if !now.part.is_made() {
            self.back = Some(now);
        }
        self.given_to = None;
    }

    /// Takes it away.
    pub fn close(&mut self) {
        self.is_open = false;
        self.given_to = None;
    }

    /// A fresh sheet with these lines on it.
    pub fn put(&mut self, strokes: Vec<Vec<[f32; 2]>>) {
        self.drawing = Drawing { strokes };
        self.given_to = None;
    }
}

/// Whether the network of `problem` reads pictures in grey.
pub fn is_possible(problem: &Problem) -> bool {
    let image = problem.data.image;
    image.is_some_and(|image| image.channels == 1 && image.size() == problem.network.inputs())
}

/// Opens or closes it by key.
pub(super) fn toggle(stage: &mut Stage<'_>, drawer: &mut Drawer) {
    if drawer.is_open {
        leave(stage, drawer);
    } else if is_possible(&stage.training.problem) {
        drawer.open(stage.training.snapshot.probe.watched);
    }
}

fn leave(stage: &mut Stage<'_>, drawer: &mut Drawer) {
    drawer.close();
    let back = drawer.back.take().unwrap_or_default();
    stage.train(TrainCommand::Watch(back));
}

/// The paper beside the scene, and what the network makes of it.
pub(super) fn show(root: &mut Ui, panels: &mut Panels, stage: &mut Stage<'_>) {
    let problem = Arc::clone(&stage.training.problem);
    if !panels.drawer.is_open || !is_possible(&problem) || root.available_width() < 2.0 * PAPER {
        return;
    }
    let drawer = &mut panels.drawer;
    let mut closed = false;
    let frame = Frame::side_top_panel(root.style()).inner_margin(Margin::symmetric(12, 10));
    Panel::right("gradscape paper")
        .resizable(false)
        .exact_size(PAPER + 24.0)
        .frame(frame)
        .show(root, |ui| {
            ui.spacing_mut().item_spacing.y = 6.0;
            ui.horizontal(|ui| {
                ui.label(RichText::new(stage.texts.get("draw.title")).strong());
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    let tip = stage.texts.get("draw.close");
                    closed = small_icon(ui, "draw/close", Icon::Cross, tip, true).clicked();
                    let tip = stage.texts.get("draw.clear");
                    if small_icon(ui, "draw/clear", Icon::Reset, tip, true).clicked() {
                        drawer.put(Vec::new());
                    }
                    let tip = stage.texts.get("draw.flow");
                    if small_icon(ui, "draw/flow", Icon::Play, tip, true).clicked() {
                        stage.choices.walk.flow += 1;
                    }
                });
            });
            paper(ui, stage, drawer, &problem);
            if stage.training.snapshot.probe.watched.part == WatchedPart::Drawn {
                answers::show(ui, stage);
            } else {
                ui.label(RichText::new(stage.texts.get("draw.hint")).weak());
            }
        });
    if closed {
        leave(stage, drawer);
    }
}

fn paper(ui: &mut Ui, stage: &mut Stage<'_>, drawer: &mut Drawer, problem: &Arc<Problem>) {
    let (rect, response) = ui.allocate_exact_size(vec2(PAPER, PAPER), Sense::click_and_drag());
    let response = response.on_hover_cursor(CursorIcon::Crosshair);
    let strokes = &mut drawer.drawing.strokes;
    let mut changed = false;
    if let Some(at) = response.interact_pointer_pos()
        && response.is_pointer_button_down_on()
    {
        let point = (at - rect.min) / PAPER;
        let point = [point.x.clamp(0.0, 1.0), point.y.clamp(0.0, 1.0)];
        let points: usize = strokes.iter().map(Vec::len).sum();
        let begins = ui.input(|i| i.pointer.primary_pressed());
        if begins && points < MOST_POINTS {
            strokes.push(Vec::new());
        }
        if let Some(stroke) = strokes.last_mut() {
            let far = |last: &[f32; 2]| {
                let off = [point[0] - last[0], point[1] - last[1]];
                off[0].abs().max(off[1].abs()) >= STEP
            };
            if stroke.last().is_none_or(far) && points < MOST_POINTS {
                stroke.push(point);
                changed = true;
            }
        }
    }
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, 6.0, Color32::BLACK);
    let pen = Stroke::new(PEN * PAPER, Color32::WHITE);
    let place = |p: &[f32; 2]| rect.min + PAPER * vec2(p[0], p[1]);
    for stroke in &drawer.drawing.strokes {
        let points: Vec<Pos2> = stroke.iter().map(place).collect();
        for pair in points.windows(2) {
            painter.line_segment([pair[0], pair[1]], pen);
        }
        for point in points {
            painter.circle_filled(point, 0.5 * pen.width, pen.color);
        }
    }
    let frame = color32(stage.palette.faint);
    painter.rect_stroke(rect, 6.0, Stroke::new(1.0, frame), StrokeKind::Inside);
    let now = (
        Arc::as_ptr(problem) as usize,
        stage.training.snapshot.generation as usize,
    );
    let is_new = drawer.given_to != Some(now);
    if (changed || is_new)
        && let Some(input) = drawer.drawing.input(&problem.data, problem.train.x.view())
    {
        drawer.given_to = Some(now);
        let units = 0..problem.network.inputs();
        let input: Vec<f32> = units.map(|unit| input[problem.feature_of(unit)]).collect();
        stage.train(TrainCommand::Draw(input.into()));
        if is_new {
            stage.choices.walk.flow += 1;
        }
    }
    if response.drag_stopped() || response.clicked() {
        stage.choices.walk.flow += 1;
    }
    if !drawer.drawing.is_empty() {
        seen(ui, stage, drawer, problem);
    }
}

/// The picture that the network sees, and what it says it is.
fn seen(ui: &mut Ui, stage: &Stage<'_>, drawer: &mut Drawer, problem: &Problem) {
    let probe = &stage.training.snapshot.probe;
    let Some(shape) = problem.data.image else {
        return;
    };
    if probe.watched.part != WatchedPart::Drawn || probe.input.len() != shape.size() {
        return;
    }
    if drawer
        .seen
        .as_ref()
        .is_none_or(|(of, _)| *of != probe.input)
    {
        let image = samples::grey(&probe.input, shape);
        let options = TextureOptions::NEAREST;
        let texture = match drawer.seen.take() {
            Some((_, mut texture)) => {
                samples::refill(&mut texture, image, options);
                texture
            }
            None => ui.ctx().load_texture("drawn sample", image, options),
        };
        drawer.seen = Some((probe.input.clone(), texture));
    }
    let Some((_, texture)) = &drawer.seen else {
        return;
    };
    ui.horizontal(|ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(SEEN, SEEN), Sense::hover());
        let uv = Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0));
        ui.painter().image(texture.id(), rect, uv, Color32::WHITE);
        let frame = Stroke::new(1.0, color32(stage.palette.accent));
        let kind = StrokeKind::Outside;
        ui.painter().rect_stroke(rect, 0.0, frame, kind);
        ui.add_space(14.0);
        let shares = probe.a.last().map(Vec::as_slice).unwrap_or_default();
        let best = (0..shares.len()).max_by(|&a, &b| shares[a].total_cmp(&shares[b]));
        let names = problem.data.task.names();
        if let Some((best, name)) = best.and_then(|best| Some((best, names.get(best)?))) {
            // A digit for the last row; a longer name has to fit.
            let size = if name.chars().count() < 3 { 58.0 } else { 20.0 };
            let color = color32(stage.palette.accent);
            let name = RichText::new(name).size(size).strong().color(color);
            ui.add(Label::new(name).truncate());
            ui.label(RichText::new(percent(shares[best].into())).size(18.0));
        }
    });
}
