//! What else training can do, folded away: schedule of the rate, penalties,
//! clipping, label smoothing, early stopping.

use super::constants::{Constant, Limits, drag, edit, real, whole};
use super::stage::Stage;
use super::widgets::{choose, fold, remark, row};
use crate::experiment::{
    EarlyStopping, Experiment, LossConfig, OptimizerName as Name, ScheduleConfig, ScheduleName,
    TrainingConfig,
};
use crate::optim::{Method, SolverKind};
use bevy_egui::egui::{DragValue, Ui};

/// What a bound, or patience, is when it is switched on.
const CLIP: f64 = 1.0;
const PATIENCE: usize = 20;

pub(super) fn show(ui: &mut Ui, stage: &Stage<'_>, experiment: &mut Experiment) {
    let used = in_use(&experiment.training);
    let title = match used {
        0 => stage.t("training_panel.more").to_owned(),
        n => stage.texts.with("training_panel.more_used", &[("n", &n)]),
    };
    fold(ui, "training/more", &title, |ui| {
        let loss = experiment.network.loss;
        let training = &mut experiment.training;
        schedule(ui, stage, training);
        penalties(ui, stage, training);
        clipping(ui, stage, training);
        if loss == LossConfig::CrossEntropy || training.label_smoothing > 0.0 {
            row(ui, stage.t("training_panel.label_smoothing"), |ui| {
                ui.add(drag(&mut training.label_smoothing, Limits::BelowOne));
            });
        }
        early_stopping(ui, stage, &mut training.early_stopping);
    });
}

/// How many of these things the experiment makes use of.
fn in_use(training: &TrainingConfig) -> usize {
    [
        training.schedule != ScheduleConfig::default(),
        training.l1 > 0.0,
        training.l2 > 0.0,
        training.optimizer.weight_decay.is_some_and(|w| w > 0.0),
        training.clip_norm.is_some(),
        training.clip_value.is_some(),
        training.label_smoothing > 0.0,
        training.early_stopping.is_some(),
    ]
    .iter()
    .filter(|used| **used)
    .count()
}

fn schedule(ui: &mut Ui, stage: &Stage<'_>, training: &mut TrainingConfig) {
    if !training.optimizer.kind().heeds_rate() {
        remark(ui, stage.t("training_panel.no_schedule"));
        return;
    }
    let rate = training.optimizer.learning_rate;
    let config = &mut training.schedule;
    row(ui, stage.t("training_panel.schedule"), |ui| {
        let title = |name: ScheduleName| {
            let name = ScheduleConfig::new(name).schedule().rule.name();
            stage.texts.get(&format!("schedule.{name}")).to_owned()
        };
        let mut name = config.name;
        if choose(
            ui,
            "training/schedule",
            &mut name,
            &ScheduleName::ALL,
            title,
        ) {
            *config = ScheduleConfig::new(name);
        }
    });
    edit(ui, stage, schedule_constants(config));
    if config.name != ScheduleName::OneCycle {
        row(ui, stage.t("training_panel.warmup"), |ui| {
            // None at all is no key.
            let mut steps = config.warmup_steps.unwrap_or(0);
            let drag = DragValue::new(&mut steps).range(0..=1_000_000).speed(0.5);
            if ui.add(drag).changed() {
                config.warmup_steps = (steps > 0).then_some(steps);
            }
        });
    }
    // The rate that it sinks to cannot be above the one it begins with.
    if let Some(minimum) = &mut config.minimum {
        *minimum = minimum.min(rate);
    }
}

fn schedule_constants(c: &mut ScheduleConfig) -> Vec<Constant<'_>> {
    const EPOCHS: [usize; 2] = [1, 1_000_000];
    const COUNT: [usize; 2] = [0, 1_000_000];
    match c.name {
        ScheduleName::Constant => Vec::new(),
        ScheduleName::Step => vec![
            whole(
                "training_panel.every",
                c.every.unwrap_or(30),
                &mut c.every,
                EPOCHS,
            ),
            real(
                "training_panel.factor",
                c.factor.unwrap_or(0.1),
                &mut c.factor,
                Limits::Inside,
            ),
        ],
        ScheduleName::Exponential => vec![real(
            "training_panel.factor",
            c.factor.unwrap_or(0.95),
            &mut c.factor,
            Limits::Inside,
        )],
        ScheduleName::Cosine => vec![real(
            "training_panel.minimum",
            c.minimum.unwrap_or(0.0),
            &mut c.minimum,
            Limits::Small,
        )],
        ScheduleName::OneCycle => vec![
            real(
                "training_panel.warm_share",
                c.warm_share.unwrap_or(0.3),
                &mut c.warm_share,
                Limits::Inside,
            ),
            real(
                "training_panel.divide_first",
                c.divide_first.unwrap_or(25.0),
                &mut c.divide_first,
                Limits::FromOne,
            ),
            real(
                "training_panel.divide_last",
                c.divide_last.unwrap_or(1e4),
                &mut c.divide_last,
                Limits::FromOne,
            ),
        ],
        ScheduleName::Plateau => vec![
            whole(
                "training_panel.patience",
                c.patience.unwrap_or(10),
                &mut c.patience,
                COUNT,
            ),
            real(
                "training_panel.factor",
                c.factor.unwrap_or(0.1),
                &mut c.factor,
                Limits::Inside,
            ),
            real(
                "training_panel.threshold",
                c.threshold.unwrap_or(1e-4),
                &mut c.threshold,
                Limits::BelowOne,
            ),
            whole(
                "training_panel.cooldown",
                c.cooldown.unwrap_or(0),
                &mut c.cooldown,
                COUNT,
            ),
            real(
                "training_panel.minimum",
                c.minimum.unwrap_or(0.0),
                &mut c.minimum,
                Limits::Small,
            ),
        ],
    }
}

fn penalties(ui: &mut Ui, stage: &Stage<'_>, training: &mut TrainingConfig) {
    let method = training.optimizer.kind();
    let damped = matches!(
        method,
        Method::FullBatch(SolverKind::LevenbergMarquardt { .. })
    );
    let lines = [
        ("training_panel.l1", &mut training.l1, !damped),
        ("training_panel.l2", &mut training.l2, true),
    ];
    for (key, value, possible) in lines {
        if possible || *value > 0.0 {
            row(ui, stage.texts.get(key), |ui| {
                ui.add(drag(value, Limits::Small));
            });
        }
    }
    if let Some(decay) = weight_decay(&training.optimizer.name) {
        let value = training.optimizer.weight_decay.unwrap_or(decay);
        row(ui, stage.t("training_panel.weight_decay"), |ui| {
            let mut now = value;
            let tip = stage.t("training_panel.weight_decay_tip");
            let response = ui.add(drag(&mut now, Limits::Small));
            if response.on_hover_text(tip).changed() {
                training.optimizer.weight_decay = Some(now);
            }
        });
    }
}

/// The decoupled weight decay that an optimiser has unless it is set.
fn weight_decay(name: &Name) -> Option<f64> {
    match name {
        Name::AdamW => Some(0.01),
        Name::Sgd | Name::Momentum | Name::Nesterov | Name::Qhm | Name::Lion => Some(0.0),
        _ => None,
    }
}

fn clipping(ui: &mut Ui, stage: &Stage<'_>, training: &mut TrainingConfig) {
    if let Method::FullBatch(_) = training.optimizer.kind() {
        return;
    }
    for (key, slot) in [
        ("training_panel.clip_norm", &mut training.clip_norm),
        ("training_panel.clip_value", &mut training.clip_value),
    ] {
        row(ui, stage.texts.get(key), |ui| {
            let mut on = slot.is_some();
            if ui.checkbox(&mut on, "").changed() {
                *slot = on.then_some(CLIP);
            }
            match slot {
                Some(value) => {
                    ui.add(drag(value, Limits::Positive));
                }
                None => {
                    ui.weak(stage.t("training_panel.off"));
                }
            }
        });
    }
}

fn early_stopping(ui: &mut Ui, stage: &Stage<'_>, slot: &mut Option<EarlyStopping>) {
    row(ui, stage.t("training_panel.early_stopping"), |ui| {
        let mut on = slot.is_some();
        if ui.checkbox(&mut on, "").changed() {
            *slot = on.then_some(EarlyStopping {
                patience: PATIENCE,
                min_delta: 0.0,
            });
        }
        if slot.is_none() {
            ui.weak(stage.t("training_panel.off"));
        }
    });
    let Some(stopping) = slot else { return };
    row(ui, stage.t("training_panel.stop_patience"), |ui| {
        let patience = DragValue::new(&mut stopping.patience);
        ui.add(patience.range(1..=1_000_000).speed(0.2));
    });
    row(ui, stage.t("training_panel.min_delta"), |ui| {
        ui.add(drag(&mut stopping.min_delta, Limits::Small));
    });
    if stage.training.problem.validation.is_empty() {
        remark(ui, stage.t("training_panel.no_validation"));
    }
}

#[cfg(test)]
mod tests {
    use super::super::constants::Slot;
    use super::super::optimizer;
    use super::*;
    use crate::experiment::OptimizerConfig;
    use crate::optim::OptimizerKind;

    #[test]
    fn weight_decay_is_offered_where_it_is_allowed_and_at_its_default() {
        let text = "[data]\nsource = \"xor\"\n[network]\nloss = \"half-squared-error\"\n\
                    [training]\nbatch = \"full\"\n";
        let mut experiment = Experiment::parse(text, "test").unwrap();
        for name in Name::ALL {
            optimizer::choose(&mut experiment.training, name);
            experiment.training.optimizer.weight_decay = Some(0.5);
            let allowed = experiment.validate().is_ok();
            assert_eq!(weight_decay(&name).is_some(), allowed, "{name:?}");
            let default = match OptimizerConfig::new(name, 0.1).kind() {
                Method::FirstOrder(
                    OptimizerKind::AdamW { weight_decay, .. }
                    | OptimizerKind::Lion { weight_decay, .. },
                ) => weight_decay,
                _ => 0.0,
            };
            if allowed {
                assert_eq!(weight_decay(&name), Some(default), "{name:?}");
            }
        }
    }

    #[test]
    fn constants_of_a_schedule_show_their_defaults() {
        for name in ScheduleName::ALL {
            let mut config = ScheduleConfig::new(name);
            let before = config.schedule();
            for constant in schedule_constants(&mut config) {
                match constant.slot {
                    Slot::Real(slot) => *slot = Some(constant.value),
                    Slot::Whole(slot) => {
                        *slot = Some(constant.value as usize);
                    }
                }
            }
            assert_eq!(config.schedule(), before, "{name:?}");
        }
    }
}
