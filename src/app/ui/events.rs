//! An iteration event by event: what happens, its formula with the numbers, and how
//! fast it goes.

use super::format::{count, kind_name, number};
use super::formula::{self, Formula};
use super::icons::Icon;
use super::lecture;
use super::math::{Laid, Setter, relation};
use super::panels::Panels;
use super::stage::Stage;
use super::widgets::{control_id, icon_button, icon_button_sized};
use crate::app::theme::color32;
use crate::app::{Gait, Item, Language, Palette, Theme};
use crate::nn::LayerKind;
use crate::train::micro::{Check, Event, Micro, Of, Trace, check};
use bevy_egui::egui::{
    self, Align, Frame, Label, Layout, Margin, Panel, Rect, RichText, ScrollArea, Sense, Slider,
    Stroke, Ui, UiBuilder, pos2, vec2,
};
use std::sync::Arc;

/// The letters of formulas, in points; in a lesson they are larger.
const SIZE: f32 = 21.0;
/// The height of the formula with its numbers and its check.
fn height(size: f32) -> f32 {
    LINES * line(size) + 26.0
}

/// Lines of fractions that a formula has room for; of two that are higher, both are set
/// smaller.
const LINES: f32 = 1.6;
/// Between lines of a formula, in its size.
const APART: f32 = 0.4;

/// The height of a line of it.
fn line(size: f32) -> f32 {
    2.6 * size
}

/// How much smaller than usual the letters of a long formula may be.
const SMALLEST: f32 = 0.55;

/// The height of the strip of events.
const STRIP: f32 = 12.0;

/// What a formula is written from, besides the iteration: the events done, what is
/// selected, the room for it, language and theme.
type Written = (usize, Option<Item>, u32, (Language, Theme));

/// A formula and its finite difference are computed once, not in every frame: those
/// of a large convolution take all of its connections.
#[derive(Default)]
pub struct Checks {
    formula: Option<(Arc<Trace>, Written, Formula)>,
    check: Option<(Arc<Trace>, Of, Option<Check>)>,
}

impl Checks {
    fn of(&mut self, stage: &Stage<'_>, micro: &Micro, of: Of) -> Option<Check> {
        let known = self
            .check
            .as_ref()
            .filter(|(trace, by, _)| Arc::ptr_eq(trace, &micro.trace) && *by == of);
        if let Some((.., check)) = known {
            return *check;
        }
        let found = check(&stage.training.problem, &micro.trace, of);
        self.check = Some((Arc::clone(&micro.trace), of, found));
        found
    }
}

/// The bar at the foot of the scene.
pub(super) fn show(root: &mut Ui, panels: &mut Panels, stage: &mut Stage<'_>) {
    let size = if stage.choices.presents() {
        SIZE.max(1.15 * lecture::size_in(root.max_rect().height()))
    } else {
        // A low window has little room for the scene as it is.
        (root.max_rect().height() / 34.0).clamp(13.0, SIZE)
    };
    let frame = Frame::side_top_panel(root.style()).inner_margin(Margin::symmetric(12, 8));
    Panel::bottom("gradscape events")
        .resizable(false)
        .frame(frame)
        .show(root, |ui| {
            ui.horizontal(|ui| controls(ui, stage));
            let Some(micro) = stage.training.snapshot.micro.clone() else {
                ui.label(stage.texts.get("micro.running"));
                return;
            };
            strip(ui, stage, &micro);
            ui.add_space(2.0);
            // As high for each event, or the scene would jump.
            let (rect, _) =
                ui.allocate_exact_size(vec2(ui.available_width(), height(size)), Sense::hover());
            let mut inside = ui.new_child(UiBuilder::new().max_rect(rect));
            ScrollArea::horizontal()
                .id_salt("formula")
                .auto_shrink([false, false])
                .show(&mut inside, |ui| body(ui, panels, stage, &micro, size));
        });
}

/// Keys as buttons, what happens, and the pace.
fn controls(ui: &mut Ui, stage: &mut Stage<'_>) {
    let texts = stage.texts;
    let micro = stage.training.snapshot.micro.as_ref();
    let can_go_back = micro.is_some_and(|m| m.can_go_back);
    let events = micro.map_or(12, |m| m.trace.events.len());
    let title = title(stage, micro);
    let walk = &mut stage.choices.walk;
    let back = texts.get("micro.back");
    if icon_button(ui, "event/back", Icon::Previous, back, can_go_back).clicked() {
        walk.back();
    }
    let (icon, tip) = if walk.walking {
        (Icon::Pause, "micro.pause")
    } else {
        (Icon::Play, "micro.play")
    };
    if icon_button(ui, "event/play", icon, texts.get(tip), true).clicked() {
        walk.toggle();
    }
    let forward = texts.get("micro.forward");
    if icon_button(ui, "event/forward", Icon::Next, forward, true).clicked() {
        walk.forward();
    }
    let to_loss = micro.map_or(0, events_to_loss);
    let chain = texts.get("micro.chain");
    let size = vec2(30.0, 28.0);
    let lit = walk.chain;
    if icon_button_sized(ui, "event/chain", Icon::Chain, chain, true, lit, size).clicked() {
        walk.toggle_chain(to_loss);
    }
    ui.add_space(6.0);
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        let leave = texts.get("micro.leave");
        if icon_button(ui, "event/leave", Icon::Cross, leave, true).clicked() {
            walk.leave();
        }
        let said = match walk.gait(events) {
            Gait::ByKey => texts.get("micro.by_key").to_owned(),
            Gait::Events(rate) => texts.with("micro.events", &[("n", &number(rate, 2))]),
            Gait::Steps(rate) => texts.with("micro.steps", &[("n", &number(rate, 2))]),
            Gait::Full => texts.get("micro.full").to_owned(),
        };
        ui.allocate_ui_with_layout(
            vec2(92.0, 24.0),
            Layout::left_to_right(Align::Center),
            |ui| ui.label(said),
        );
        ui.spacing_mut().slider_width = 130.0;
        let slider = Slider::new(&mut walk.pace, 0.0..=1.0).show_value(false);
        let response = ui.push_id(control_id("event/pace"), |ui| ui.add(slider));
        response.inner.on_hover_text(texts.get("micro.pace"));
        // What is left is the title's.
        let title = Label::new(RichText::new(title).strong().size(18.0)).truncate();
        let size = ui.available_size();
        ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
            ui.add(title);
        });
    });
}

/// How many events an iteration is away from its loss; 0 behind it.
pub(super) fn events_to_loss(micro: &Micro) -> i32 {
    let events = micro.trace.events.iter();
    let loss = events.take_while(|e| **e != Event::Loss).count() + 1;
    loss.saturating_sub(micro.done) as i32
}

/// What happens, in words.
fn title(stage: &Stage<'_>, micro: Option<&Micro>) -> String {
    let texts = stage.texts;
    let Some(micro) = micro else {
        return texts.get("micro.running").to_owned();
    };
    let layers = stage.training.problem.network.layers();
    let layer_name = |layer: usize| {
        if layer + 1 == layers.len() {
            return texts.get("micro.output").to_owned();
        }
        match layers[layer].kind() {
            LayerKind::Dense { .. } => texts.with("micro.hidden", &[("k", &(layer + 1))]),
            kind => format!("{} {}", kind_name(texts, kind.name()), layer + 1),
        }
    };
    let of = |key: &'static str, layer: usize| texts.with(key, &[("layer", &layer_name(layer))]);
    if stage.choices.walk.chain {
        return texts.get("micro.chain_title").to_owned();
    }
    match micro.last() {
        None => texts.with("micro.start", &[("step", &count(micro.trace.step))]),
        Some(Event::Sum { layer }) => {
            let what = match layers[layer].kind() {
                LayerKind::Dense { .. } | LayerKind::Conv(_) => texts.get("micro.sums").to_owned(),
                kind => kind_name(texts, kind.name()),
            };
            let values: [(&str, &dyn std::fmt::Display); 2] =
                [("layer", &layer_name(layer)), ("what", &what)];
            texts.with("micro.sum", &values)
        }
        Some(Event::Activation { layer }) => of("micro.activation", layer),
        Some(Event::Loss) => texts.get("micro.loss").to_owned(),
        Some(Event::PassBack { layer }) => of("micro.pass_back", layer),
        Some(Event::Signal { layer }) => of("micro.signal", layer),
        Some(Event::Gradient { layer }) => of("micro.gradient", layer),
        Some(Event::Adjust) => texts.get("micro.adjust").to_owned(),
        Some(Event::Update) => texts.get("micro.update").to_owned(),
    }
}

/// The colour of an event in the strip: with the data, against it, or neither.
fn tint(palette: &Palette, event: Event) -> egui::Color32 {
    color32(match event {
        Event::Sum { .. } | Event::Activation { .. } => palette.diverging.positive,
        Event::PassBack { .. } | Event::Signal { .. } | Event::Gradient { .. } => {
            palette.diverging.negative
        }
        Event::Loss | Event::Adjust | Event::Update => palette.accent,
    })
}

/// All events of the iteration as cells; a click goes there.
fn strip(ui: &mut Ui, stage: &mut Stage<'_>, micro: &Micro) {
    let events = &micro.trace.events;
    let (step, done) = (count(micro.trace.step), micro.done);
    let values: [(&str, &dyn std::fmt::Display); 3] =
        [("step", &step), ("done", &done), ("all", &events.len())];
    let place = stage.texts.with("micro.place", &values);
    let row = count(micro.trace.sample.row as u64 + 1);
    let sample = stage.texts.with("micro.sample", &[("row", &row)]);
    let batch = count(micro.trace.rows.len() as u64);
    let batch = stage.texts.with("micro.batch", &[("n", &batch)]);
    ui.horizontal(|ui| {
        let said = format!("{place}  ·  {batch}, {sample}");
        let width = (ui.available_width() - 330.0).max(80.0);
        let (rect, response) = ui.allocate_exact_size(vec2(width, STRIP + 6.0), Sense::click());
        let cell = rect.width() / events.len() as f32;
        let painter = ui.painter();
        for (k, &event) in events.iter().enumerate() {
            let left = rect.left() + k as f32 * cell;
            let cell = Rect::from_min_max(
                pos2(left + 1.0, rect.center().y - 0.5 * STRIP),
                pos2(left + cell - 1.0, rect.center().y + 0.5 * STRIP),
            );
            let color = tint(&stage.palette, event);
            if k < done {
                painter.rect_filled(cell, 2.0, color);
            } else {
                let stroke = Stroke::new(1.0, color.gamma_multiply(0.7));
                painter.rect_stroke(cell, 2.0, stroke, egui::StrokeKind::Inside);
            }
            if k + 1 == done {
                let text = Stroke::new(2.0, color32(stage.palette.text));
                painter.rect_stroke(cell.expand(2.0), 3.0, text, egui::StrokeKind::Inside);
            }
        }
        if response.clicked()
            && let Some(at) = response.interact_pointer_pos()
        {
            let to = ((at.x - rect.left()) / cell) as i32 + 1;
            let walk = &mut stage.choices.walk;
            walk.walking = false;
            walk.steps = to.clamp(0, events.len() as i32) - done as i32;
        }
        ui.label(
            RichText::new(said)
                .size(13.0)
                .color(color32(stage.palette.faint)),
        );
    });
}

/// The formula, or how to begin.
fn body(ui: &mut Ui, panels: &mut Panels, stage: &mut Stage<'_>, micro: &Micro, size: f32) {
    let Some(event) = micro.last() else {
        ui.label(stage.texts.get("micro.hint"));
        return;
    };
    let setter = Setter::new(ui.painter(), color32(stage.palette.text));
    if stage.choices.walk.chain {
        return chain(ui, stage, &setter, size);
    }
    let room = ui.available_width();
    let fits = |formula: &Formula| {
        let numbers = formula.numbers.as_ref();
        numbers.is_none_or(|math| setter.lay(math, size).size().x <= room)
    };
    let look = (stage.choices.language, stage.theme);
    let of = (micro.done, stage.selection.selected, room.to_bits(), look);
    let known = panels.checks.formula.take();
    let known = known.filter(|(trace, by, _)| Arc::ptr_eq(trace, &micro.trace) && *by == of);
    let formula = known.map(|(.., formula)| formula).or_else(|| {
        let mut formula = None;
        for most in formula::TERMS {
            formula = formula::of_event(stage, micro, event, most);
            if formula.as_ref().is_none_or(fits) {
                break;
            }
        }
        formula
    });
    let Some(formula) = formula else { return };
    let clicked = lines(ui, stage, &setter, &formula, size);
    if let Some(item) = clicked.and_then(|link| formula.links.get(link)) {
        stage.selection.selected = Some(*item);
    }
    ui.horizontal(|ui| {
        for (name, before, after) in &formula.moments {
            let [before, after] = [before, after].map(|v| number(f64::from(*v), 4));
            ui.label(RichText::new(format!("{name}: {before} → {after}")).monospace());
        }
        if let Some(of) = formula.derivative {
            said_of_check(ui, stage, panels.checks.of(stage, micro, of));
        }
    });
    panels.checks.formula = Some((Arc::clone(&micro.trace), of, formula));
}

/// The chain rule along the way that is shown in the scene.
fn chain(ui: &mut Ui, stage: &mut Stage<'_>, setter: &Setter, size: f32) {
    let Some(chain) = stage.chain.clone() else {
        let micro = stage.training.snapshot.micro.as_ref();
        let is_early = micro.is_some_and(|micro| !micro.has(Event::Loss));
        ui.label(stage.texts.get(if is_early {
            "micro.chain_before"
        } else {
            "micro.no_chain"
        }));
        return;
    };
    let formula = formula::of_chain(stage, &chain);
    // A long way is set smaller before it is cut.
    let laid = [Some(&formula.symbols), formula.numbers.as_ref()].into_iter();
    let widths = laid.flatten().map(|math| setter.lay(math, size).size().x);
    let widest = widths.fold(1.0, f32::max);
    let size = size * (ui.available_width() / widest).clamp(SMALLEST, 1.0);
    let clicked = lines(ui, stage, setter, &formula, size);
    if let Some(item) = clicked.and_then(|link| formula.links.get(link)) {
        stage.selection.hovered = Some(*item);
    }
}

/// The formula's symbols and numbers: on one baseline where there is room beside each
/// other, else under each other. Gives the link that was clicked.
fn lines(
    ui: &mut Ui,
    stage: &Stage<'_>,
    setter: &Setter,
    formula: &Formula,
    size: f32,
) -> Option<usize> {
    let lay = |size: f32| -> Vec<_> {
        let both = [Some(&formula.symbols), formula.numbers.as_ref()].into_iter();
        both.flatten().map(|math| setter.lay(math, size)).collect()
    };
    let (mut laid, mut size) = (lay(size), size);
    let mut clicked = None;
    // Beside each other an equality goes on; a rule and its numbers stand apart.
    let equals = (formula.is_equality && laid.len() > 1).then(|| setter.lay(&relation("="), size));
    let gap = equals.as_ref().map_or(1.2 * size, |sign| sign.size().x);
    let width: f32 = laid.iter().map(|l| l.size().x + gap).sum();
    let beside = width - gap <= ui.available_width();
    let high = |laid: &[Laid], size: f32| -> f32 {
        let each = laid.iter().map(|l| l.ascent() + l.descent() + APART * size);
        each.sum()
    };
    let room = LINES * line(size) / high(&laid, size);
    if !beside && room < 1.0 {
        size *= room;
        laid = lay(size);
    }
    let ascent = laid.iter().fold(0.0_f32, |most, l| most.max(l.ascent()));
    let descent = laid.iter().fold(0.0_f32, |most, l| most.max(l.descent()));
    let line = line(size).max(ascent + descent);
    let widest = laid.iter().fold(0.0_f32, |most, l| most.max(l.size().x));
    let all = if beside {
        vec2(width - gap, line)
    } else {
        vec2(widest, high(&laid, size))
    };
    let (whole, _) = ui.allocate_exact_size(all, Sense::hover());
    let mut at = whole.min;
    for (index, laid) in laid.iter().enumerate() {
        let own = laid.ascent() + laid.descent() + APART * size;
        let line = if beside { line } else { own };
        let rect = Rect::from_min_size(at, vec2(laid.size().x, line));
        // How far its baseline is below the middle of the line.
        let baseline = if beside {
            0.5 * (ascent - descent)
        } else {
            0.5 * (laid.ascent() - laid.descent())
        };
        let top = |ascent: f32| rect.center().y + baseline - ascent;
        let corner = pos2(rect.left(), top(laid.ascent()));
        if beside {
            if let Some(sign) = equals.as_ref().filter(|_| index == 0) {
                sign.paint(ui.painter(), pos2(rect.right(), top(sign.ascent())));
            }
            at.x += laid.size().x + gap;
        } else {
            at.y += line;
        }
        for (link, place) in laid.links(corner) {
            let id = ui.id().with(("formula link", index, link));
            let response = ui.interact(place.expand2(vec2(2.0, 3.0)), id, Sense::click());
            if response.hovered() {
                ui.ctx().set_cursor_icon(egui::CursorIcon::PointingHand);
                let under = [place.left_bottom(), place.right_bottom()];
                let stroke = Stroke::new(1.5, color32(stage.palette.accent));
                ui.painter().line_segment(under, stroke);
            }
            if response.clicked() {
                clicked = Some(link);
            }
        }
        laid.paint(ui.painter(), corner);
    }
    clicked
}

fn said_of_check(ui: &mut Ui, stage: &Stage<'_>, check: Option<Check>) {
    let texts = stage.texts;
    let name = texts.get("micro.check");
    let Some(check) = check else {
        let said = format!("{name}: {}", texts.get("micro.no_check"));
        ui.label(RichText::new(said).color(color32(stage.palette.faint)));
        return;
    };
    let difference = number(check.difference, 9);
    let (verdict, color) = if let Some([left, right]) = check.corner {
        let [left, right] = [left, right].map(|v| number(v, 4));
        let values: [(&str, &dyn std::fmt::Display); 2] = [("left", &left), ("right", &right)];
        (texts.with("micro.corner", &values), stage.palette.text)
    } else if check.agrees() {
        let digits = (-check.error().max(1e-15).log10()).floor() as i64;
        let said = texts.with("micro.agrees", &[("digits", &digits)]);
        (said, stage.palette.text)
    } else {
        let error = number(check.error(), 2);
        let said = texts.with("micro.differs", &[("error", &error)]);
        (said, stage.palette.warning)
    };
    ui.label(RichText::new(format!("{name}: {difference}")).monospace());
    ui.label(RichText::new(verdict).color(color32(color)));
}
