//! The training part of the experiment: optimiser, batch, penalties, seed.

use super::panels::Panels;
use super::stage::Stage;
use super::widgets::{choose, remark, row};
use crate::experiment::{Batch, OptimizerConfig, OptimizerName as Name, TrainingConfig};
use crate::optim::{Method, OptimizerKind, SolverKind};
use bevy_egui::egui::{self, DragValue, Ui};

pub(super) fn show(ui: &mut Ui, stage: &mut Stage<'_>, panels: &mut Panels) {
    let experiment = &mut panels.draft.experiment;
    let training = &mut experiment.training;
    row(ui, stage.t("training_panel.optimizer"), |ui| {
        let mut name = training.optimizer.name;
        let title = |n: Name| {
            let name = OptimizerConfig::new(n, 1.0).kind().name();
            stage.texts.get(&format!("optimizer.{name}")).to_owned()
        };
        if choose(ui, "training/optimizer", &mut name, &Name::ALL, title) {
            // Constants of one optimiser mean nothing to another.
            let rate = match training.optimizer.learning_rate {
                0.0 => OptimizerConfig::default().learning_rate,
                rate => rate,
            };
            training.optimizer = OptimizerConfig::new(name, rate);
            if let Method::FullBatch(_) = training.optimizer.kind() {
                training.batch = Batch::Full;
            }
        }
    });
    constants(ui, stage, &mut training.optimizer);
    batch(ui, stage, training);
    row(ui, stage.t("training_panel.epochs"), |ui| {
        ui.add(
            DragValue::new(&mut training.epochs)
                .range(1..=1_000_000)
                .speed(1.0),
        );
    });
    for (key, value) in [
        ("training_panel.l1", &mut training.l1),
        ("training_panel.l2", &mut training.l2),
    ] {
        row(ui, stage.texts.get(key), |ui| {
            ui.add(
                DragValue::new(value)
                    .range(0.0..=10.0)
                    .speed(0.0005)
                    .max_decimals(6),
            );
        });
    }
    row(ui, stage.t("training_panel.seed"), |ui| {
        ui.add(DragValue::new(&mut experiment.seed).speed(0.1));
    });
    let seed = stage.training.snapshot.seed;
    if seed != stage.training.problem.experiment.seed {
        remark(
            ui,
            &stage
                .texts
                .with("training_panel.own_seed", &[("seed", &seed)]),
        );
    }
}

fn batch(ui: &mut Ui, stage: &Stage<'_>, training: &mut TrainingConfig) {
    row(ui, stage.t("training_panel.batch"), |ui| {
        let samples = stage.training.problem.train.len().max(1);
        let mut full = training.batch == Batch::Full;
        if let Batch::Size(size) = &mut training.batch {
            ui.add(DragValue::new(size).range(1..=samples).speed(0.2));
        }
        if ui
            .checkbox(&mut full, stage.t("training_panel.full"))
            .changed()
        {
            training.batch = if full {
                Batch::Full
            } else {
                Batch::Size(samples.min(10))
            };
        }
    });
}

/// The constants that the chosen optimiser has, at their defaults unless set.
fn constants(ui: &mut Ui, stage: &Stage<'_>, optimizer: &mut OptimizerConfig) {
    let edit = |ui: &mut Ui, key: &'static str, value: f64, slot: &mut Option<f64>, speed: f64| {
        let mut now = value;
        row(ui, stage.texts.get(key), |ui| {
            let below_one = speed > 0.0;
            let drag = DragValue::new(&mut now).max_decimals(12);
            let drag = if below_one {
                drag.speed(speed).range(0.0..=0.99999)
            } else {
                drag.speed(1e-9)
                    .range(0.0..=1.0)
                    .custom_formatter(|v, _| format!("{v:e}"))
            };
            if ui.add(drag).changed() {
                *slot = Some(now);
            }
        });
    };
    let o = optimizer;
    let kind = match o.kind() {
        Method::FirstOrder(kind) => kind,
        Method::FullBatch(SolverKind::Gdx { momentum, .. }) => {
            edit(
                ui,
                "training_panel.momentum",
                momentum,
                &mut o.momentum,
                0.002,
            );
            return;
        }
        Method::FullBatch(_) => return,
    };
    match kind {
        OptimizerKind::Sgd | OptimizerKind::Rprop { .. } => {}
        OptimizerKind::Momentum { momentum } | OptimizerKind::Nesterov { momentum } => {
            edit(
                ui,
                "training_panel.momentum",
                momentum,
                &mut o.momentum,
                0.002,
            );
        }
        OptimizerKind::Qhm { momentum, nu } => {
            edit(
                ui,
                "training_panel.momentum",
                momentum,
                &mut o.momentum,
                0.002,
            );
            edit(ui, "training_panel.nu", nu, &mut o.nu, 0.002);
        }
        OptimizerKind::AdaGrad { epsilon } => {
            edit(ui, "training_panel.epsilon", epsilon, &mut o.epsilon, 0.0);
        }
        OptimizerKind::RmsProp { rho, epsilon } | OptimizerKind::AdaDelta { rho, epsilon } => {
            edit(ui, "training_panel.rho", rho, &mut o.rho, 0.002);
            edit(ui, "training_panel.epsilon", epsilon, &mut o.epsilon, 0.0);
        }
        OptimizerKind::Adam {
            beta1,
            beta2,
            epsilon,
        }
        | OptimizerKind::Adamax {
            beta1,
            beta2,
            epsilon,
        }
        | OptimizerKind::NAdam {
            beta1,
            beta2,
            epsilon,
            ..
        } => {
            edit(ui, "training_panel.beta1", beta1, &mut o.beta1, 0.002);
            edit(ui, "training_panel.beta2", beta2, &mut o.beta2, 0.0005);
            edit(ui, "training_panel.epsilon", epsilon, &mut o.epsilon, 0.0);
        }
        OptimizerKind::AdamW {
            beta1,
            beta2,
            epsilon,
            weight_decay,
        } => {
            edit(ui, "training_panel.beta1", beta1, &mut o.beta1, 0.002);
            edit(ui, "training_panel.beta2", beta2, &mut o.beta2, 0.0005);
            edit(ui, "training_panel.epsilon", epsilon, &mut o.epsilon, 0.0);
            decay(ui, stage, weight_decay, &mut o.weight_decay);
        }
        OptimizerKind::Lion {
            beta1,
            beta2,
            weight_decay,
        } => {
            edit(ui, "training_panel.beta1", beta1, &mut o.beta1, 0.002);
            edit(ui, "training_panel.beta2", beta2, &mut o.beta2, 0.0005);
            decay(ui, stage, weight_decay, &mut o.weight_decay);
        }
    }
}

fn decay(ui: &mut Ui, stage: &Stage<'_>, value: f64, slot: &mut Option<f64>) {
    row(ui, stage.t("training_panel.weight_decay"), |ui| {
        let mut now = value;
        let drag = egui::DragValue::new(&mut now)
            .range(0.0..=10.0)
            .speed(0.001);
        if ui.add(drag).changed() {
            *slot = Some(now);
        }
    });
}
