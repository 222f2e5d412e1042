//! What a sweep varies: settings from a list, each with the values it takes.

use super::icons::Icon;
use super::stage::Stage;
use super::widgets::{control_id, small_icon};
use super::{optimizer, range_test};
use crate::app::theme::color32;
use crate::experiment::{
    Batch, Experiment, LossConfig, OptimizerConfig, OptimizerName, ScheduleConfig, ScheduleName,
};
use crate::nn::{Activation, Init};
use crate::optim::{Method, OptimizerKind};
use crate::search::{SearchError, Vary};
use bevy_egui::egui::{self, DragValue, RichText, TextEdit, Ui, vec2};

/// The most settings at once: more make a picture that nobody can read.
pub const MOST_DIALS: usize = 3;

/// A setting that can be varied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the names say it
pub enum Setting {
    LearningRate,
    Batch,
    Optimizer,
    Momentum,
    /// Of the hidden layer with this index.
    Units(usize),
    /// Of the hidden layer with this index.
    Activation(usize),
    Init,
    Schedule,
    L1,
    L2,
    LabelSmoothing,
    Seed,
}

/// The values that it takes.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// So many from the first to the second, evenly spaced by their logarithm.
    Log(f64, f64, usize),
    /// As they are written, with commas between them.
    List(String),
    /// Names, each with whether it is one.
    Names(Vec<(&'static str, bool)>),
}

/// A setting with its values.
#[derive(Debug, Clone, PartialEq)]
pub struct Dial {
    /// Which.
    pub setting: Setting,
    /// Its values.
    pub values: Values,
}

impl Setting {
    /// Those that an experiment has, in the order of the menu.
    pub fn all(experiment: &Experiment) -> Vec<Self> {
        let training = &experiment.training;
        let method = training.optimizer.kind();
        let first_order = matches!(method, Method::FirstOrder(_));
        let mut all = Vec::new();
        let mut add = |setting, there: bool| {
            if there {
                all.push(setting);
            }
        };
        add(Setting::LearningRate, method.has_rate());
        add(Setting::Batch, first_order);
        add(Setting::Optimizer, optimizers(experiment).len() > 1);
        let momentum = matches!(
            method,
            Method::FirstOrder(
                OptimizerKind::Momentum { .. }
                    | OptimizerKind::Nesterov { .. }
                    | OptimizerKind::Qhm { .. }
            )
        );
        add(Setting::Momentum, momentum);
        for (i, layer) in experiment.network.layers.iter().enumerate() {
            add(Setting::Units(i), layer.dense.is_some());
            let active = layer.dense.is_some() || layer.conv.is_some();
            add(Setting::Activation(i), active);
        }
        add(Setting::Init, true);
        let plain = training.schedule == ScheduleConfig::new(training.schedule.name);
        add(Setting::Schedule, method.heeds_rate() && plain);
        let damped = training.optimizer.name == OptimizerName::LevenbergMarquardt;
        add(Setting::L1, !damped);
        add(Setting::L2, true);
        let classes = experiment.network.loss == LossConfig::CrossEntropy;
        add(Setting::LabelSmoothing, classes);
        add(Setting::Seed, true);
        all
    }

    /// Its key in an experiment file.
    pub fn key(self) -> String {
        match self {
            Setting::LearningRate => "training.optimizer.learning_rate".to_owned(),
            Setting::Batch => "training.batch".to_owned(),
            Setting::Optimizer => "training.optimizer.name".to_owned(),
            Setting::Momentum => "training.optimizer.momentum".to_owned(),
            Setting::Units(i) => format!("network.layers[{i}].dense"),
            Setting::Activation(i) => format!("network.layers[{i}].activation"),
            Setting::Init => "network.init".to_owned(),
            Setting::Schedule => "training.schedule.name".to_owned(),
            Setting::L1 => "training.l1".to_owned(),
            Setting::L2 => "training.l2".to_owned(),
            Setting::LabelSmoothing => "training.label_smoothing".to_owned(),
            Setting::Seed => "seed".to_owned(),
        }
    }

    /// The one with this key, if there is one.
    pub fn of_key(key: &str, experiment: &Experiment) -> Option<Self> {
        let mut all = Setting::all(experiment);
        all.push(Setting::Optimizer);
        all.into_iter().find(|setting| setting.key() == key)
    }

    /// Its name.
    pub(super) fn title(self, stage: &Stage<'_>) -> String {
        let key = match self {
            Setting::LearningRate => "run.learning_rate",
            Setting::Batch => "training_panel.batch",
            Setting::Optimizer => "training_panel.optimizer",
            Setting::Momentum => "training_panel.momentum",
            Setting::Units(i) => return stage.texts.with("sweep.units", &[("n", &(i + 1))]),
            Setting::Activation(i) => {
                return stage.texts.with("sweep.activation", &[("n", &(i + 1))]);
            }
            Setting::Init => "network.init",
            Setting::Schedule => "training_panel.schedule",
            Setting::L1 => "training_panel.l1",
            Setting::L2 => "training_panel.l2",
            Setting::LabelSmoothing => "training_panel.label_smoothing",
            Setting::Seed => "training_panel.seed",
        };
        stage.texts.get(key).to_owned()
    }

    /// One of its values in the language in use.
    pub(super) fn value_title(self, stage: &Stage<'_>, value: &str) -> String {
        let key = match self {
            Setting::Optimizer => format!("optimizer.{value}"),
            Setting::Activation(_) => format!("activation.{value}"),
            Setting::Init => format!("init.{value}"),
            Setting::Schedule => format!("schedule.{value}"),
            Setting::Batch if value == "full" => "training_panel.full".to_owned(),
            _ => return value.to_owned(),
        };
        match stage.texts.get(&key) {
            text if text == key => value.to_owned(),
            text => text.to_owned(),
        }
    }

    /// Values to begin with, around what the experiment has.
    pub fn dial(self, experiment: &Experiment) -> Dial {
        let training = &experiment.training;
        let names = |all: Vec<&'static str>, chosen: &[&str]| {
            let names = all.into_iter().map(|n| (n, chosen.contains(&n)));
            Values::Names(names.collect())
        };
        let list = |text: &str| Values::List(text.to_owned());
        let values = match self {
            Setting::LearningRate => {
                let rate = training.optimizer.learning_rate;
                let round = |v: f64| format!("{v:.0e}").parse().unwrap_or(v);
                Values::Log(round(rate / 10.0), round(rate * 10.0), 5)
            }
            Setting::Batch => list("8, 32, 128"),
            Setting::Optimizer => {
                let now = training.optimizer.kind().name();
                names(
                    optimizers(experiment),
                    &[now, "momentum", "rmsprop", "adam"],
                )
            }
            Setting::Momentum => list("0, 0.5, 0.9, 0.99"),
            Setting::Units(i) => {
                let layer = experiment.network.layers.get(i);
                let n = layer.and_then(|l| l.dense).unwrap_or(4).max(2);
                Values::List(format!("{}, {n}, {}", n / 2, 2 * n))
            }
            Setting::Activation(_) => {
                let all = Activation::ALL.into_iter();
                let all = all.filter(|a| *a != Activation::Softmax);
                names(
                    all.map(Activation::name).collect(),
                    &["sigmoid", "tanh", "relu"],
                )
            }
            Setting::Init => {
                let all = Init::ALL.into_iter().map(Init::name).collect();
                names(all, &["uniform", "xavier", "he"])
            }
            Setting::Schedule => {
                let all = ScheduleName::ALL.into_iter();
                let all = all.map(|n| ScheduleConfig::new(n).schedule().rule.name());
                names(all.collect(), &["constant", "cosine", "one-cycle"])
            }
            Setting::L1 | Setting::L2 => list("0, 1e-4, 1e-3, 1e-2"),
            Setting::LabelSmoothing => list("0, 0.05, 0.1, 0.2"),
            Setting::Seed => list("1, 2, 3, 4, 5"),
        };
        Dial {
            setting: self,
            values,
        }
    }
}

/// The optimisers that can take the place of the experiment's without anything
/// else being changed.
fn optimizers(experiment: &Experiment) -> Vec<&'static str> {
    let training = &experiment.training;
    let now = training.optimizer.kind();
    let full = training.batch == Batch::Full
        && training.clip_norm.is_none()
        && training.clip_value.is_none();
    let scheduled = training.schedule != ScheduleConfig::default();
    let loss = experiment.network.loss;
    OptimizerName::ALL
        .into_iter()
        .filter(|&name| optimizer::suits(name, loss))
        .filter(|&name| name != OptimizerName::LevenbergMarquardt || training.l1 == 0.0)
        .map(|name| OptimizerConfig::new(name, 0.1).kind())
        .filter(|method| method.has_rate() == now.has_rate())
        .filter(|method| matches!(method, Method::FirstOrder(_)) || full)
        .filter(|method| method.heeds_rate() || !scheduled)
        .map(Method::name)
        .collect()
}

impl Dial {
    /// The setting as the core varies it.
    pub fn vary(&self) -> Result<Vary, SearchError> {
        let key = self.setting.key();
        let values = match &self.values {
            Values::Log(from, to, n) => format!("{from}..{to}:log:{n}"),
            Values::List(text) => text.clone(),
            Values::Names(names) => {
                let chosen = names.iter().filter(|(_, chosen)| *chosen);
                let chosen: Vec<&str> = chosen.map(|(name, _)| *name).collect();
                chosen.join(",")
            }
        };
        format!("{key}={values}").parse()
    }

    /// How many values it has, if they can be read.
    pub fn count(&self) -> Option<usize> {
        self.vary().ok().map(|vary| vary.values().len())
    }
}

/// The settings, a line each.
pub(super) fn dials(
    ui: &mut Ui,
    stage: &Stage<'_>,
    experiment: &Experiment,
    dials: &mut Vec<Dial>,
) {
    let all = Setting::all(experiment);
    dials.retain(|dial| all.contains(&dial.setting));
    let taken: Vec<Setting> = dials.iter().map(|dial| dial.setting).collect();
    let several = dials.len() > 1;
    let mut removed = None;
    for (k, dial) in dials.iter_mut().enumerate() {
        ui.horizontal(|ui| {
            let before = dial.setting;
            let mut setting = before;
            egui::ComboBox::from_id_salt(control_id(&format!("sweep/setting/{k}")))
                .width(190.0)
                .truncate()
                .height(420.0)
                .selected_text(RichText::new(before.title(stage)).size(13.5))
                .show_ui(ui, |ui| {
                    for &option in &all {
                        if option == before || !taken.contains(&option) {
                            ui.selectable_value(&mut setting, option, option.title(stage));
                        }
                    }
                });
            if setting != before {
                *dial = setting.dial(experiment);
            }
            let room = ui.available_width() - 34.0;
            ui.allocate_ui(vec2(room, 26.0), |ui| {
                ui.set_width(room);
                values(ui, stage, k, dial);
            });
            let tip = stage.t("sweep.remove");
            let name = format!("sweep/remove/{k}");
            if small_icon(ui, &name, Icon::Cross, tip, several).clicked() {
                removed = Some(k);
            }
        });
    }
    if let Some(k) = removed {
        dials.remove(k);
    }
}

/// A further setting, where there is room for one.
pub(super) fn add_button(
    ui: &mut Ui,
    stage: &Stage<'_>,
    experiment: &Experiment,
    dials: &mut Vec<Dial>,
) {
    let free = |setting: &Setting| dials.iter().all(|dial| dial.setting != *setting);
    let next = Setting::all(experiment).into_iter().find(free);
    let Some(next) = next.filter(|_| dials.len() < MOST_DIALS) else {
        return;
    };
    let button = egui::Button::new(stage.t("sweep.add"));
    if super::learning::named(ui, "sweep/add", button).clicked() {
        dials.push(next.dial(experiment));
    }
}

fn values(ui: &mut Ui, stage: &Stage<'_>, k: usize, dial: &mut Dial) {
    let wrong = dial.count().is_none();
    let setting = dial.setting;
    match &mut dial.values {
        Values::Log(from, to, n) => {
            ui.horizontal(|ui| {
                ui.add(range_test::rate_drag(from, 1e-12, *to / 1.001));
                ui.weak("–");
                ui.add(range_test::rate_drag(to, *from * 1.001, 1e6));
                ui.weak(stage.t("sweep.in_steps"));
                ui.add(DragValue::new(n).range(2..=100).speed(0.1));
            });
        }
        Values::List(text) => {
            let mut edit = TextEdit::singleline(text)
                .id(control_id(&format!("sweep/values/{k}")))
                .desired_width(f32::INFINITY)
                .hint_text("8, 32, 128");
            if wrong {
                edit = edit.text_color(color32(stage.palette.warning));
            }
            ui.add(edit).on_hover_text(stage.t("sweep.list_tip"));
        }
        Values::Names(names) => {
            let chosen: Vec<String> = names
                .iter()
                .filter(|(_, chosen)| *chosen)
                .map(|(name, _)| setting.value_title(stage, name))
                .collect();
            egui::ComboBox::from_id_salt(control_id(&format!("sweep/names/{k}")))
                .width(ui.available_width())
                .height(460.0)
                .truncate()
                .close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside)
                .selected_text(RichText::new(chosen.join(", ")).size(13.5))
                .show_ui(ui, |ui| {
                    for (name, chosen) in names {
                        ui.checkbox(chosen, setting.value_title(stage, name));
                    }
                });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::Plan;

    #[test]
    fn every_setting_that_is_offered_makes_a_valid_plan() {
        let base = "[data]\nsource = \"xor\"\nsamples = 40\nvalidation = 0.3\n[network]\n\
                    layers = [{ dense = 4 }, { dense = 3 }]\n";
        for rest in [
            "loss = \"cross-entropy\"\n[training]\nepochs = 1\n",
            "loss = \"half-squared-error\"\n[training]\nl1 = 0.1\nclip_norm = 1.0\n\
             optimizer = { name = \"qhm\", learning_rate = 0.1 }\n",
            "loss = \"cross-entropy\"\n[training]\nschedule = { name = \"cosine\" }\n",
            "loss = \"half-squared-error\"\n[training]\nbatch = \"full\"\n\
             optimizer = { name = \"lbfgs\" }\n",
            "loss = \"mean-squared-error\"\n[training]\nbatch = \"full\"\n\
             optimizer = { name = \"levenberg-marquardt\" }\n",
            "loss = \"cross-entropy\"\n[training]\nbatch = \"full\"\n\
             optimizer = { name = \"gdx\", learning_rate = 0.1 }\n",
        ] {
            let experiment = Experiment::parse(&format!("{base}{rest}"), "test").unwrap();
            let all = Setting::all(&experiment);
            assert!(all.len() >= 8, "{all:?}");
            for setting in all {
                let mut dial = setting.dial(&experiment);
                if let Values::Names(names) = &mut dial.values {
                    names.iter_mut().for_each(|(_, chosen)| *chosen = true);
                }
                let vary = dial.vary().unwrap();
                assert_eq!(Setting::of_key(vary.key(), &experiment), Some(setting));
                let count = dial.count().unwrap();
                let base = super::super::sweep::base(&experiment, &[dial]);
                let plan = Plan::new(&base, &[vary]).unwrap_or_else(|e| panic!("{setting:?}: {e}"));
                assert_eq!(plan.cases().len(), count);
                assert!(count >= 2, "{setting:?}");
            }
        }
    }
}
