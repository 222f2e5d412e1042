//! What is to answer, from which seed, in how many steps, and what keeps it natural.

use super::super::super::stage::Stage;
use super::super::super::widgets::control_id;
use super::super::why::targets;
use super::{Climb, Goal};
use crate::app::format::kind_name;
use crate::insight::regularisers::Regularisers;
use crate::train::{Encoding, Problem};
use bevy_egui::egui::containers::menu::{MenuButton, MenuConfig};
use bevy_egui::egui::{self, ComboBox, DragValue, PopupCloseBehavior, Slider, Ui};

/// The fewest and the most steps.
const STEPS: [usize; 2] = [16, 4096];

/// The kind of what is to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Class,
    Unit,
    Channel,
}

pub(in super::super) fn options(ui: &mut Ui, climb: &mut Climb, stage: &mut Stage<'_>) {
    goal(ui, climb, stage);
    ui.separator();
    let ctx = ui.ctx().clone();
    let button = |ui: &mut Ui, name: &str, key: &str| {
        let button = ui.push_id(control_id(name), |ui| ui.button(stage.texts.get(key)));
        button.inner.clicked()
    };
    if climb.is_climbing() {
        if button(ui, "climb/stop", "climb.stop") {
            climb.stop();
        }
    } else if button(ui, "climb/start", "climb.start") {
        climb.start(stage, &ctx);
    }
    let again = ui.button(stage.t("climb.other_seed"));
    if again.clicked() {
        climb.seed = climb.seed.wrapping_add(1);
        climb.start(stage, &ctx);
    }
    if climb.climbed.is_some() && ui.button(stage.t("climb.end")).clicked() {
        climb.end(stage);
    }
    // What is turned in it does not close it.
    let stays = MenuConfig::new().close_behavior(PopupCloseBehavior::CloseOnClickOutside);
    MenuButton::new(stage.t("climb.settings"))
        .config(stays)
        .ui(ui, |ui| settings(ui, climb, stage));
}

/// Where it begins, how long it takes, and what keeps a picture natural.
fn settings(ui: &mut Ui, climb: &mut Climb, stage: &Stage<'_>) {
    ui.set_min_width(300.0);
    ui.horizontal(|ui| {
        ui.label(stage.t("climb.seed"));
        ui.add(DragValue::new(&mut climb.seed).speed(0.1));
        ui.label(stage.t("climb.steps"));
        let steps = DragValue::new(&mut climb.steps).range(STEPS[0]..=STEPS[1]);
        ui.add(steps.speed(8.0));
    });
    let Some(rules) = climb.rules(&stage.training.problem) else {
        return;
    };
    ui.separator();
    ui.label(stage.t("climb.rules"));
    let mut changed = rules;
    sliders(ui, stage, &mut changed);
    if changed != rules {
        climb.rules = Some(changed);
    }
    let usual = egui::Button::new(stage.t("climb.usual"));
    if ui.add_enabled(climb.rules.is_some(), usual).clicked() {
        climb.rules = None;
    }
}

/// The strengths of what keeps a picture natural; 0 turns each off.
fn sliders(ui: &mut Ui, stage: &Stage<'_>, rules: &mut Regularisers) {
    ui.spacing_mut().slider_width = 130.0;
    let sliders = [
        ("climb.total_variation", &mut rules.total_variation, 4.0),
        ("climb.norm", &mut rules.norm, 4.0),
        ("climb.blur", &mut rules.blur, 3.0),
        ("climb.jitter", &mut rules.jitter, 8.0),
        ("climb.turn", &mut rules.turn, 45.0),
        ("climb.stretch", &mut rules.stretch, 0.5),
    ];
    for (key, value, most) in sliders {
        let slider = Slider::new(value, 0.0..=most).text(stage.texts.get(key));
        ui.add(slider.max_decimals(2));
    }
}

fn goal(ui: &mut Ui, climb: &mut Climb, stage: &Stage<'_>) {
    let problem = &stage.training.problem;
    let layers = problem.network.layers();
    let shape = |layer: usize| layers[layer].output_shape();
    let kind = match climb.goal {
        Goal::Class(_) => Kind::Class,
        Goal::Unit(..) => Kind::Unit,
        Goal::Channel(..) => Kind::Channel,
    };
    let class = match problem.encoding {
        Encoding::Values => "climb.output",
        _ => "climb.class",
    };
    let title = |kind: Kind| match kind {
        Kind::Class => stage.t(class),
        Kind::Unit => stage.t("climb.unit"),
        Kind::Channel => stage.t("climb.channel"),
    };
    let mut wanted = kind;
    let has_maps = layers.iter().any(|l| !l.output_shape().is_flat());
    ComboBox::from_id_salt(control_id("climb/kind"))
        .width(70.0)
        .selected_text(title(kind))
        .show_ui(ui, |ui| {
            for kind in [Kind::Class, Kind::Unit, Kind::Channel] {
                if kind != Kind::Channel || has_maps {
                    ui.selectable_value(&mut wanted, kind, title(kind));
                }
            }
        });
    if wanted != kind {
        // As near to what it was as can be.
        let (layer, unit) = match climb.goal {
            Goal::Class(_) => (0, 0),
            Goal::Unit(layer, unit) => (layer, unit / shape(layer).pixels()),
            Goal::Channel(layer, channel) => (layer, channel * shape(layer).pixels()),
        };
        climb.goal = match wanted {
            Kind::Class => Goal::Class(0),
            Kind::Unit => Goal::Unit(layer, unit),
            Kind::Channel => Goal::Channel(layer, unit),
        };
    }
    match &mut climb.goal {
        Goal::Class(class) => classes(ui, problem, class),
        Goal::Unit(layer, unit) => {
            place(ui, stage, layer);
            let most = layers[*layer].outputs();
            number(ui, unit, most);
        }
        Goal::Channel(layer, channel) => {
            place(ui, stage, layer);
            let most = shape(*layer).channels;
            number(ui, channel, most);
        }
    }
}

fn classes(ui: &mut Ui, problem: &Problem, class: &mut usize) {
    let names = problem.data.task.names();
    let name = |k: usize| names.get(k).cloned().unwrap_or_else(|| k.to_string());
    ComboBox::from_id_salt(control_id("climb/class"))
        .width(70.0)
        .selected_text(name(*class))
        .show_ui(ui, |ui| {
            for k in 0..targets(problem) {
                ui.selectable_value(class, k, name(k));
            }
        });
}

fn place(ui: &mut Ui, stage: &Stage<'_>, layer: &mut usize) {
    let layers = stage.training.problem.network.layers();
    let title = |k: usize| {
        let kind = kind_name(stage.texts, layers[k].kind().name());
        format!("{} {kind}", k + 1)
    };
    ComboBox::from_id_salt(control_id("climb/layer"))
        .width(90.0)
        .selected_text(title(*layer))
        .show_ui(ui, |ui| {
            for k in 0..layers.len() {
                ui.selectable_value(layer, k, title(k));
            }
        });
}

/// A number that counts from 1 on the screen.
fn number(ui: &mut Ui, k: &mut usize, most: usize) {
    *k = (*k).min(most.saturating_sub(1));
    let mut shown = *k + 1;
    let drag = DragValue::new(&mut shown).range(1..=most.max(1)).speed(0.1);
    if ui.add(drag).changed() {
        *k = shown - 1;
    }
}
