//! The data as the network answers it: the plane with its decision field, the
//! curve through points on a line, or one picture.

use super::answers;
use super::draw::{self, Drawer};
use super::field_pixels::{pixels_of_answer, pixels_of_neuron, shown_neuron};
use super::format::{item as item_text, number};
use super::icons::Icon;
use super::stage::Stage;
use super::widgets::{fact, remark, segmented, small_icon};
use crate::app::Item;
use crate::app::theme::color32;
use crate::data::ImageShape;
use crate::insight::field::{largest_target, line_fit};
use crate::train::{Samples, TrainCommand, Watched, WatchedPart};
use bevy_egui::egui::{
    self, Align, Color32, ColorImage, DragValue, Layout, Pos2, Rect, Sense, Stroke, TextureHandle,
    TextureOptions, Ui, pos2, vec2,
};

/// Cells a side of the decision field.
const RESOLUTION: usize = 64;
/// Multiply-adds that a frame may spend on the field.
const BUDGET: usize = 24_000_000;
/// Pictures on the GPU, kept while what they show is the same.
#[derive(Default)]
pub(super) struct Pictures {
    field: Option<(FieldKey, TextureHandle)>,
    sample: Option<(Vec<f32>, TextureHandle)>,
}

#[derive(PartialEq, Clone)]
struct FieldKey {
    params: std::sync::Arc<[f32]>,
    problem: usize,
    theme: crate::app::Theme,
    /// The neuron whose field is shown in place of the answer: column and unit.
    neuron: Option<[usize; 2]>,
}

pub(super) fn show(
    ui: &mut Ui,
    stage: &mut Stage<'_>,
    pictures: &mut Pictures,
    drawer: &mut Drawer,
) {
    stepper(ui, stage, drawer);
    let data = &stage.training.problem.data;
    if data.is_plane() {
        plane(ui, stage, pictures);
    } else if data.line.is_some() {
        line(ui, stage);
    } else if data.image.is_some() {
        picture(ui, stage, pictures);
    } else {
        inputs(ui, stage);
    }
    answers::show(ui, stage);
}

/// Chooses which sample is watched.
fn stepper(ui: &mut Ui, stage: &mut Stage<'_>, drawer: &mut Drawer) {
    let problem = &stage.training.problem;
    let now = stage.training.snapshot.probe.watched;
    let mut wanted = now;
    let below = ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        let draws = draw::is_possible(problem);
        let maximised = now.part == WatchedPart::Maximised;
        if !problem.validation.is_empty() || draws || maximised {
            let mut parts = vec![(WatchedPart::Train, None, stage.t("samples.train"))];
            if !problem.validation.is_empty() {
                let name = stage.t("samples.validation");
                parts.push((WatchedPart::Validation, None, name));
            }
            if draws {
                parts.push((WatchedPart::Drawn, Some(Icon::Pen), stage.t("draw.short")));
            }
            if segmented(ui, "watched/part", &mut wanted.part, &parts) {
                wanted.index = 0;
            }
        }
        let room = ui.available_width() >= STEPPER;
        if room {
            step(ui, stage, &mut wanted);
        }
        !room
    });
    // The parts of pictures that can be drawn leave no room beside them.
    if below.inner && !wanted.part.is_made() {
        ui.horizontal(|ui| step(ui, stage, &mut wanted));
    }
    if now.part == WatchedPart::Maximised {
        let text =
            egui::RichText::new(stage.t("scene.maximised")).color(color32(stage.palette.accent));
        ui.label(text);
    }
    if wanted != now && wanted.part == WatchedPart::Drawn {
        drawer.open(now);
    } else if wanted != now {
        drawer.close();
        stage.train(TrainCommand::Watch(wanted));
    }
}

/// How wide the number of a sample with its two buttons is.
const STEPPER: f32 = 100.0;

/// The number of the sample of a part, to be changed; nothing of what was made.
fn step(ui: &mut Ui, stage: &Stage<'_>, wanted: &mut Watched) {
    if wanted.part.is_made() {
        return;
    }
    ui.spacing_mut().item_spacing.x = 4.0;
    let n = part(stage, wanted.part).len().max(1);
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        let tip = stage.t("samples.next");
        if small_icon(ui, "watched/next", Icon::Next, tip, true).clicked() {
            wanted.index = (wanted.index + 1) % n;
        }
        let mut shown = wanted.index + 1;
        ui.spacing_mut().interact_size.x = 46.0;
        let drag = DragValue::new(&mut shown).range(1..=n).speed(0.3);
        if ui
            .add(drag)
            .on_hover_text(stage.t("samples.watched"))
            .changed()
        {
            wanted.index = shown - 1;
        }
        let tip = stage.t("samples.previous");
        if small_icon(ui, "watched/previous", Icon::Previous, tip, true).clicked() {
            wanted.index = (wanted.index + n - 1) % n;
        }
    });
}

fn part<'a>(stage: &Stage<'a>, part: WatchedPart) -> &'a Samples {
    let problem = &stage.training.problem;
    match part {
        WatchedPart::Train | WatchedPart::Drawn | WatchedPart::Maximised => &problem.train,
        WatchedPart::Validation => &problem.validation,
    }
}

fn plane(ui: &mut Ui, stage: &mut Stage<'_>, pictures: &mut Pictures) {
    let training = stage.training;
    let problem = &training.problem;
    let (Some([xs, ys]), Some(points)) = (problem.data.domain(), &problem.data.points) else {
        return;
    };
    let side = ui.available_width().min(280.0);
    let (rect, response) = ui.allocate_exact_size(vec2(side, side), Sense::click());
    let texture = field_texture(ui, stage, pictures);
    let painter = ui.painter_at(rect);
    if let Some(texture) = texture {
        // Row 0 of the field is the lowest x2, and pictures begin at the top.
        let uv = Rect::from_min_max(pos2(0.0, 1.0), pos2(1.0, 0.0));
        painter.image(texture, rect, uv, Color32::WHITE);
    }
    let at = |row: usize| {
        let t = |v: f32, [least, greatest]: [f32; 2]| (v - least) / (greatest - least);
        pos2(
            rect.left() + side * t(points[[row, 0]], xs),
            rect.bottom() - side * t(points[[row, 1]], ys),
        )
    };
    let radius = if points.nrows() > 800 { 2.0 } else { 2.7 };
    let watched = training.snapshot.probe.watched;
    let ring = color32(stage.palette.text);
    let rim = color32(stage.palette.background);
    let mut nearest: Option<(f32, Watched)> = None;
    let mut mark: Option<Pos2> = None;
    let pointer = response.interact_pointer_pos().or(response.hover_pos());
    for (which, rows, target) in [
        (
            WatchedPart::Validation,
            &problem.data.validation.rows,
            &problem.data.validation.target,
        ),
        (
            WatchedPart::Train,
            &problem.data.train.rows,
            &problem.data.train.target,
        ),
    ] {
        let names = problem.data.task.names().len();
        let largest = problem
            .data
            .train
            .target
            .values()
            .map(|_| largest_target(problem));
        for (index, &row) in rows.iter().enumerate() {
            let place = at(row);
            let color = match (target.labels(), target.values()) {
                (Some(labels), _) => stage.palette.class(labels[index], names),
                (_, Some(values)) => stage
                    .palette
                    .diverging
                    .at(values[[index, 0]] / largest.unwrap_or(1.0)),
                _ => stage.palette.text,
            };
            let color = color32(color);
            if which == WatchedPart::Train {
                painter.circle(place, radius, color, Stroke::new(0.8, rim));
            } else {
                painter.circle(
                    place,
                    radius,
                    rim.gamma_multiply(0.55),
                    Stroke::new(1.4, color),
                );
            }
            let this = Watched { part: which, index };
            if this == watched {
                mark = Some(place);
            }
            if let Some(pointer) = pointer {
                let distance = pointer.distance(place);
                if nearest.is_none_or(|(d, _)| distance < d) {
                    nearest = Some((distance, this));
                }
            }
        }
    }
    if let Some(place) = mark {
        painter.circle_stroke(place, radius + 4.0, Stroke::new(2.0, ring));
    }
    let frame = ui.visuals().widgets.noninteractive.bg_stroke;
    painter.rect_stroke(rect, 4.0, frame, egui::StrokeKind::Inside);
    if response.clicked()
        && let Some((_, chosen)) = nearest.filter(|(distance, _)| *distance < 14.0)
    {
        stage.train(TrainCommand::Watch(chosen));
    }
    response.on_hover_text(stage.t("samples.plane_tip"));
    if let Some([column, unit]) = shown_neuron(stage) {
        let name = item_text(stage.texts, problem, Item::Neuron { column, unit });
        remark(
            ui,
            &stage.texts.with("samples.field_of", &[("neuron", &name)]),
        );
    }
    let axis = |range: [f32; 2]| {
        format!(
            "{} … {}",
            number(range[0].into(), 2),
            number(range[1].into(), 2)
        )
    };
    let names = &problem.data.feature_names;
    let own = |k: usize, name: &str| {
        // A table's own names; features of generated data are functions of these.
        let plain = names.len() == 2 && !names[k].starts_with('x');
        if plain {
            names[k].clone()
        } else {
            name.to_owned()
        }
    };
    ui.horizontal(|ui| {
        let text = format!("{}: {}", own(0, "x1"), axis(xs));
        ui.add(egui::Label::new(egui::RichText::new(text).small().weak()).truncate());
        let text = format!("{}: {}", own(1, "x2"), axis(ys));
        ui.add(egui::Label::new(egui::RichText::new(text).small().weak()).truncate());
    });
}

/// Puts `image` into a texture that is there. In place where the size is the
/// same: bevy_egui makes a new texture of a whole one, which is blank for a frame.
pub(super) fn refill(texture: &mut TextureHandle, image: ColorImage, options: TextureOptions) {
    if texture.size() == image.size {
        texture.set_partial([0, 0], image, options);
    } else {
        texture.set(image, options);
    }
}

fn field_texture(ui: &Ui, stage: &Stage<'_>, pictures: &mut Pictures) -> Option<egui::TextureId> {
    let training = stage.training;
    let key = FieldKey {
        params: training.snapshot.params.clone(),
        problem: std::sync::Arc::as_ptr(&training.problem) as usize,
        theme: stage.theme,
        neuron: shown_neuron(stage),
    };
    if let Some((known, texture)) = &pictures.field
        && (std::sync::Arc::ptr_eq(&known.params, &key.params) || known.params == key.params)
        && (known.problem, known.theme, known.neuron) == (key.problem, key.theme, key.neuron)
    {
        return Some(texture.id());
    }
    let cost = training.problem.network.layout().len().max(1);
    let cells = ((BUDGET / cost) as f64).sqrt() as usize;
    let resolution = cells.clamp(12, RESOLUTION);
    let pixels = match key.neuron {
        Some(neuron) => pixels_of_neuron(stage, &key.params, resolution, neuron)?,
        None => pixels_of_answer(stage, &key.params, resolution)?,
    };
    let image = ColorImage::new([resolution, resolution], pixels);
    let options = TextureOptions::LINEAR;
    let texture = match pictures.field.take() {
        Some((_, mut texture)) => {
            refill(&mut texture, image, options);
            texture
        }
        None => ui.ctx().load_texture("decision field", image, options),
    };
    let id = texture.id();
    pictures.field = Some((key, texture));
    Some(id)
}

fn line(ui: &mut Ui, stage: &Stage<'_>) {
    use egui_plot::{Line, MarkerShape, Plot, PlotPoints, Points};
    let problem = &stage.training.problem;
    let Some(xs) = &problem.data.line else { return };
    let pixels = ui.available_width() as usize;
    let Some(fit) = line_fit(
        problem,
        &stage.training.snapshot.params,
        pixels.clamp(32, 512),
    ) else {
        return;
    };
    let points = |rows: &[usize], samples: &Samples| -> PlotPoints<'static> {
        rows.iter()
            .enumerate()
            .map(|(i, &row)| [f64::from(xs[row]), f64::from(samples.y[[i, 0]])])
            .collect()
    };
    let train = points(&problem.data.train.rows, &problem.train);
    let held = points(&problem.data.validation.rows, &problem.validation);
    let fit: PlotPoints<'_> = fit
        .iter()
        .map(|&[x, y]| [f64::from(x), f64::from(y)])
        .collect();
    let names =
        ["samples.train", "samples.validation", "samples.answer"].map(|k| stage.texts.get(k));
    Plot::new("fit")
        .height(200.0)
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .allow_axis_zoom_drag(false)
        .show_background(false)
        .auto_bounds(true)
        .y_axis_min_width(34.0)
        .show(ui, |plot| {
            let (a, b) = (
                color32(stage.palette.training),
                color32(stage.palette.validation),
            );
            plot.points(Points::new(names[0], train).color(a).radius(2.2));
            let hollow = Points::new(names[1], held)
                .color(b)
                .radius(2.6)
                .filled(false);
            plot.points(hollow.shape(MarkerShape::Circle));
            let ink = color32(stage.palette.accent);
            plot.line(Line::new(names[2], fit).color(ink).width(2.5));
        });
}

fn picture(ui: &mut Ui, stage: &Stage<'_>, pictures: &mut Pictures) {
    let problem = &stage.training.problem;
    let input = &stage.training.snapshot.probe.input;
    let Some(shape) = problem.data.image.filter(|s| s.size() == input.len()) else {
        return;
    };
    if pictures
        .sample
        .as_ref()
        .is_none_or(|(known, _)| known != input)
    {
        let (image, options) = (grey(input, shape), TextureOptions::NEAREST);
        let texture = match pictures.sample.take() {
            Some((_, mut texture)) => {
                refill(&mut texture, image, options);
                texture
            }
            None => ui.ctx().load_texture("watched sample", image, options),
        };
        pictures.sample = Some((input.clone(), texture));
    }
    if let Some((_, texture)) = &pictures.sample {
        let side = 120.0;
        let size = vec2(side * shape.width as f32 / shape.height.max(1) as f32, side);
        ui.vertical_centered(|ui| {
            let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
            let uv = Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0));
            ui.painter().image(texture.id(), rect, uv, Color32::WHITE);
            let frame = ui.visuals().widgets.noninteractive.bg_stroke;
            ui.painter()
                .rect_stroke(rect, 2.0, frame, egui::StrokeKind::Outside);
        });
    }
}

/// A sample as a picture, from its smallest value to its largest.
pub(super) fn grey(input: &[f32], shape: ImageShape) -> ColorImage {
    let (least, greatest) = input
        .iter()
        .fold((f32::INFINITY, f32::NEG_INFINITY), |(a, b), &v| {
            (a.min(v), b.max(v))
        });
    let span = (greatest - least).max(f32::MIN_POSITIVE);
    let level = |v: f32| (255.0 * (v - least) / span) as u8;
    let pixels = input
        .chunks(shape.channels)
        .map(|c| match c {
            [r, g, b] => Color32::from_rgb(level(*r), level(*g), level(*b)),
            _ => Color32::from_gray(level(c[0])),
        })
        .collect();
    ColorImage::new([shape.width, shape.height], pixels)
}

/// The watched row of a table, as the network sees it.
fn inputs(ui: &mut Ui, stage: &Stage<'_>) {
    let names = &stage.training.problem.data.feature_names;
    let values = &stage.training.snapshot.probe.input;
    let id = ui.id().with("inputs");
    let height = 22.0 * names.len().min(5) as f32 + 6.0;
    egui::ScrollArea::vertical()
        .id_salt(id)
        .max_height(height)
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            for (name, &value) in names.iter().zip(values) {
                fact(ui, name, &number(value.into(), 3));
            }
        });
}
