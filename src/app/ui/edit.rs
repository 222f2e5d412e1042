//! A weight or a bias in the hand: drag it and see what follows, or say where the next
//! step takes it before it does.

use super::events;
use super::format::{item, number, parameter_of};
use super::formula::weight_item;
use super::overlays::card;
use super::panels::Panels;
use super::stage::{Intent, Stage};
use crate::app::theme::color32;
use crate::app::{Item, WeightsWish};
use crate::train::TrainCommand;
use bevy_egui::egui::{self, Align2, Button, DragValue, Key, Rect, RichText, Slider, Ui, vec2};
use std::sync::Arc;

/// What a key moves a weight by.
const NUDGE: f32 = 0.05;
/// How far the slider reaches at least, on either side.
const REACH: f32 = 2.0;

/// Where a weight is expected to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Up.
    Grows,
    /// Down.
    Shrinks,
    /// Nowhere.
    Stays,
}

impl Way {
    fn of(change: f32) -> Self {
        match change {
            c if c > 0.0 => Way::Grows,
            c if c < 0.0 => Way::Shrinks,
            _ => Way::Stays,
        }
    }

    fn key(self) -> &'static str {
        match self {
            Way::Grows => "edit.grows",
            Way::Shrinks => "edit.shrinks",
            Way::Stays => "edit.stays",
        }
    }
}

/// What was asked, and what has been answered.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Guess {
    /// Nobody has answered yet.
    Open,
    /// So it was answered, and the step is under way: from the value and the step
    /// count before it.
    Said { way: Way, before: f32, step: u64 },
    /// The step was made: from, to, and the gradient.
    Shown {
        way: Way,
        before: f32,
        after: f32,
        gradient: f32,
    },
}

/// What is edited.
#[derive(Debug, Clone, Default)]
pub struct Edit {
    /// Of which parameter the rest is.
    of: Option<usize>,
    /// A value that the run has not confirmed yet.
    wanted: Option<f32>,
    /// Whether a drag has begun, so that all of it is one move to undo.
    dragging: bool,
    /// Loss and outputs before the weight was moved.
    before: Option<(f64, Vec<f32>)>,
    guess: Option<Guess>,
    /// Right answers, and all.
    score: (u32, u32),
}

impl Edit {
    /// Whether nothing was done or asked yet.
    fn is_untouched(&self) -> bool {
        self.wanted.is_none() && self.before.is_none() && self.guess.is_none()
    }

    /// Another parameter is another question.
    fn follow(&mut self, of: Option<usize>) {
        if self.of != of {
            *self = Edit {
                of,
                score: self.score,
                ..Edit::default()
            };
        }
    }
}

/// Keys: the open question's, and those that move the weight in the hand.
pub(super) fn key(stage: &mut Stage<'_>, panels: &mut Panels, key: Key) -> bool {
    let Some(parameter) = in_hand(stage) else {
        return match key {
            Key::Semicolon => select(stage, None, -1),
            Key::Quote => select(stage, None, 1),
            _ => false,
        };
    };
    panels.edit.follow(Some(parameter));
    if panels.edit.guess == Some(Guess::Open) {
        let way = match key {
            Key::ArrowUp => Way::Grows,
            Key::ArrowDown => Way::Shrinks,
            Key::Enter => Way::Stays,
            Key::Escape => {
                panels.edit.guess = None;
                return true;
            }
            _ => return false,
        };
        answer(stage, &mut panels.edit, parameter, way);
        return true;
    }
    match key {
        Key::Enter => panels.edit.guess = Some(Guess::Open),
        Key::OpenBracket | Key::CloseBracket => {
            let by = if key == Key::OpenBracket {
                -NUDGE
            } else {
                NUDGE
            };
            let now = stage.training.snapshot.params.get(parameter).copied();
            let now = panels.edit.wanted.or(now).unwrap_or(0.0);
            // To a round number, so that keys and fingers agree.
            let value = ((now + by) / NUDGE).round() * NUDGE;
            take(stage, &mut panels.edit, parameter, value, true);
        }
        Key::Semicolon => return select(stage, Some(parameter), -1),
        Key::Quote => return select(stage, Some(parameter), 1),
        _ => return false,
    }
    true
}

/// The parameter of what is selected.
fn in_hand(stage: &Stage<'_>) -> Option<usize> {
    parameter_of(&stage.training.problem.network, stage.selection.selected?)
}

/// Selects the parameter so many behind this one that something in the scene stands
/// for.
fn select(stage: &mut Stage<'_>, from: Option<usize>, by: i32) -> bool {
    let network = &stage.training.problem.network;
    let n = network.layout().trainable() as i32;
    if n == 0 {
        return false;
    }
    let start = from.map_or(if by > 0 { -1 } else { n }, |at| at as i32);
    let found = (1..=n).find_map(|k| {
        let parameter = (start + by * k).rem_euclid(n) as usize;
        weight_item(network, parameter)
    });
    if let Some(found) = found {
        stage.selection.selected = Some(found);
    }
    true
}

/// Puts the weight to `value`.
fn take(stage: &mut Stage<'_>, edit: &mut Edit, parameter: usize, value: f32, keep: bool) {
    let mut params = stage.training.snapshot.params.to_vec();
    let Some(now) = params.get_mut(parameter).filter(|_| value.is_finite()) else {
        return;
    };
    *now = value;
    edit.wanted = Some(value);
    edit.guess = None;
    if keep {
        let probe = &stage.training.snapshot.probe;
        let output = probe.a.last().cloned().unwrap_or_default();
        edit.before = Some((probe.loss, output));
    }
    let params = Arc::from(params);
    stage
        .intents
        .push(Intent::Weights(WeightsWish::Take { params, keep }));
}

/// Takes the answer and makes the step that shows it.
fn answer(stage: &mut Stage<'_>, edit: &mut Edit, parameter: usize, way: Way) {
    let snapshot = &stage.training.snapshot;
    let output = snapshot.probe.a.last().cloned().unwrap_or_default();
    edit.before = Some((snapshot.probe.loss, output));
    edit.guess = Some(Guess::Said {
        way,
        before: snapshot.params.get(parameter).copied().unwrap_or(0.0),
        step: snapshot.step,
    });
    let walk = &mut stage.choices.walk;
    match snapshot.micro.as_ref().filter(|_| walk.on) {
        Some(micro) => {
            let events = micro.trace.events.len();
            let to_go = events - micro.done;
            walk.walking = false;
            walk.chain = false;
            walk.steps += if to_go > 0 { to_go } else { events } as i32;
        }
        None => stage.train(TrainCommand::Step),
    }
}

/// The card at the edge of the scene.
pub(super) fn show(ui: &Ui, panels: &mut Panels, stage: &mut Stage<'_>, free: Rect) {
    let (Some(parameter), Some(selected)) = (in_hand(stage), stage.selection.selected) else {
        panels.edit.follow(None);
        return;
    };
    if stage.choices.arena.racing || free.width() < 320.0 || free.height() < 220.0 {
        return;
    }
    panels.edit.follow(Some(parameter));
    // What a scene of a lesson lights is not in the hand until a key takes it.
    let lit = stage
        .choices
        .lecture
        .current()
        .and_then(|scene| scene.select);
    if lit.map(Item::from) == Some(selected) && panels.edit.is_untouched() {
        return;
    }
    reveal(stage, &mut panels.edit, parameter);
    let at = free.left_bottom() + vec2(10.0, -10.0);
    let edit = &mut panels.edit;
    card(ui, "edit", Align2::LEFT_BOTTOM, at, 288.0, |ui| {
        ui.spacing_mut().item_spacing.y = 5.0;
        heading(ui, stage, selected);
        value(ui, stage, edit, parameter);
        outcome(ui, stage, edit);
        guess(ui, stage, edit, parameter);
    });
}

fn heading(ui: &mut Ui, stage: &mut Stage<'_>, selected: Item) {
    let name = item(stage.texts, &stage.training.problem, selected);
    let symbol = match selected {
        Item::Neuron { .. } => "b",
        Item::Connection { .. } => "w",
    };
    ui.horizontal(|ui| {
        let accent = color32(stage.palette.accent);
        ui.label(
            RichText::new(symbol)
                .italics()
                .strong()
                .size(17.0)
                .color(accent),
        );
        ui.add(egui::Label::new(RichText::new(name).strong()).truncate());
    });
}

/// The slider.
fn value(ui: &mut Ui, stage: &mut Stage<'_>, edit: &mut Edit, parameter: usize) {
    let Some(&now) = stage.training.snapshot.params.get(parameter) else {
        return;
    };
    if edit.wanted == Some(now) {
        edit.wanted = None;
    }
    let mut shown = edit.wanted.unwrap_or(now);
    let reach = REACH.max(2.0 * 2.0_f32.powf(shown.abs().max(1e-6).log2().ceil()));
    let mut moved = false;
    let mut held = false;
    ui.horizontal(|ui| {
        ui.spacing_mut().slider_width = 180.0;
        let slider = Slider::new(&mut shown, -reach..=reach).show_value(false);
        let slider = ui.add(slider).on_hover_text(stage.texts.get("edit.drag"));
        let speed = 0.005 * f64::from(reach);
        let drag = DragValue::new(&mut shown).speed(speed).max_decimals(4);
        let drag = ui.add(drag);
        moved = slider.changed() || drag.changed();
        held = slider.dragged() || drag.dragged();
    });
    if moved {
        let first = !edit.dragging;
        take(stage, edit, parameter, shown, first);
    }
    edit.dragging = held;
}

/// What has come of it: output and loss of the sample that is shown.
fn outcome(ui: &mut Ui, stage: &mut Stage<'_>, edit: &Edit) {
    let probe = &stage.training.snapshot.probe;
    let faint = color32(stage.palette.faint);
    let shift = |name: &str, before: Option<f64>, now: f64| {
        let now = number(now, 4);
        match before.map(|b| number(b, 4)).filter(|b| *b != now) {
            Some(before) => format!("{name}  {before} → {now}"),
            None => format!("{name}  {now}"),
        }
    };
    ui.horizontal_wrapped(|ui| {
        if probe.loss.is_finite() {
            let before = edit.before.as_ref().map(|(loss, _)| *loss);
            ui.label(shift(stage.texts.get("edit.loss"), before, probe.loss));
        }
        let outputs = probe.a.last().map(Vec::as_slice).unwrap_or_default();
        for (k, &output) in outputs.iter().enumerate().take(2) {
            let before = edit.before.as_ref().and_then(|(_, all)| all.get(k));
            let name = if outputs.len() == 1 {
                stage.texts.get("edit.output").to_owned()
            } else {
                format!("{} {}", stage.texts.get("edit.output"), k + 1)
            };
            let text = shift(&name, before.map(|b| f64::from(*b)), output.into());
            ui.label(RichText::new(text).color(faint));
        }
        if edit.before.is_some() {
            let undo = Button::new(stage.texts.get("edit.undo")).small();
            if ui.add(undo).clicked() {
                stage.intents.push(Intent::Weights(WeightsWish::Undo));
            }
        }
    });
}

/// The question, or how it came out.
fn guess(ui: &mut Ui, stage: &mut Stage<'_>, edit: &mut Edit, parameter: usize) {
    let texts = stage.texts;
    match edit.guess {
        None => {
            if ui.button(texts.get("edit.ask")).clicked() {
                edit.guess = Some(Guess::Open);
            }
        }
        Some(Guess::Open) => {
            ui.label(RichText::new(texts.get("edit.question")).strong());
            let mut chosen = None;
            ui.horizontal(|ui| {
                for (way, key) in [
                    (Way::Grows, "↑"),
                    (Way::Shrinks, "↓"),
                    (Way::Stays, "Enter"),
                ] {
                    if ui
                        .button(format!("{key}  {}", texts.get(way.key())))
                        .clicked()
                    {
                        chosen = Some(way);
                    }
                }
            });
            if let Some(way) = chosen {
                answer(stage, edit, parameter, way);
            }
        }
        Some(Guess::Said { .. }) => {
            ui.label(texts.get("edit.wait"));
        }
        Some(Guess::Shown {
            way,
            before,
            after,
            gradient,
        }) => {
            let really = Way::of(after - before);
            let (mark, color) = if way == really {
                ("✔", stage.palette.accent)
            } else {
                ("×", stage.palette.warning)
            };
            let [b, a] = [before, after].map(|v| number(v.into(), 4));
            let moved = format!("{mark}  {b} → {a}: {}", texts.get(really.key()));
            ui.label(RichText::new(moved).strong().color(color32(color)));
            let gradient = (f64::from(gradient), number(gradient.into(), 3));
            let why = match really {
                Way::Stays => "edit.why_stays",
                Way::Grows if gradient.0 < 0.0 => "edit.why_grows",
                Way::Shrinks if gradient.0 > 0.0 => "edit.why_shrinks",
                _ => "edit.why_memory",
            };
            ui.label(texts.with(why, &[("g", &gradient.1)]));
            let (right, all) = edit.score;
            ui.horizontal(|ui| {
                if ui.button(texts.get("edit.again")).clicked() {
                    edit.guess = Some(Guess::Open);
                }
                let score = texts.with("edit.score", &[("right", &right), ("all", &all)]);
                ui.label(RichText::new(score).color(color32(stage.palette.faint)));
            });
        }
    }
}

/// Once the step is made, shows how it came out.
fn reveal(stage: &Stage<'_>, edit: &mut Edit, parameter: usize) {
    let snapshot = &stage.training.snapshot;
    let Some(Guess::Said { way, before, step }) = edit.guess else {
        return;
    };
    if snapshot.step == step {
        return;
    }
    let at = |values: &[f32]| values.get(parameter).copied().unwrap_or(0.0);
    let after = at(&snapshot.params);
    edit.score.1 += 1;
    edit.score.0 += u32::from(way == Way::of(after - before));
    edit.guess = Some(Guess::Shown {
        way,
        before,
        after,
        gradient: at(&snapshot.gradient),
    });
}

/// How many events the loss is away, where an iteration is gone through.
pub(super) fn toggle_chain(stage: &mut Stage<'_>) {
    let micro = stage.training.snapshot.micro.as_ref();
    let walk = &mut stage.choices.walk;
    if walk.on {
        walk.toggle_chain(micro.map_or(0, events::events_to_loss));
    }
}
