//! The training part of the experiment: optimiser, learning rate, batch, epochs.

use super::format::number;
use super::panels::Panels;
use super::stage::Stage;
use super::widgets::{control_id, remark, row};
use super::{optimizer, regularise};
use crate::experiment::{Batch, TrainingConfig};
use crate::optim::Method;
use bevy_egui::egui::{self, DragValue, RichText, Ui, vec2};

pub(super) fn show(ui: &mut Ui, stage: &mut Stage<'_>, panels: &mut Panels) {
    optimizer::show(ui, stage, &mut panels.draft.experiment);
    rate(ui, stage, panels);
    let experiment = &mut panels.draft.experiment;
    batch(ui, stage, &mut experiment.training);
    row(ui, stage.t("training_panel.epochs"), |ui| {
        let epochs = &mut experiment.training.epochs;
        ui.add(DragValue::new(epochs).range(1..=1_000_000).speed(1.0));
    });
    row(ui, stage.t("training_panel.seed"), |ui| {
        ui.add(DragValue::new(&mut experiment.seed).speed(0.1));
    });
    let seed = stage.training.snapshot.seed;
    if seed != stage.training.problem.experiment.seed {
        let text = stage
            .texts
            .with("training_panel.own_seed", &[("seed", &seed)]);
        remark(ui, &text);
    }
    regularise::show(ui, stage, experiment);
    let wide = vec2(ui.available_width(), 0.0);
    let button = egui::Button::new(stage.t("sweep.open")).min_size(wide);
    let response = named(ui, "training/sweep", button);
    if response.on_hover_text(stage.t("sweep.open_tip")).clicked() {
        panels.sweep.open = true;
    }
}

/// A button that tests and tours find by its name.
pub(super) fn named(ui: &mut Ui, name: &str, button: egui::Button<'_>) -> egui::Response {
    let drawn = ui.add(button);
    ui.interact(drawn.rect, control_id(name), egui::Sense::hover());
    drawn
}

/// The rate in force, as it is now; and the way to a good one.
fn rate(ui: &mut Ui, stage: &Stage<'_>, panels: &mut Panels) {
    let snapshot = &stage.training.snapshot;
    let method = stage.training.problem.experiment.training.optimizer.kind();
    let (key, tip) = if method.heeds_rate() {
        ("training_panel.rate_now", "training_panel.rate_now_tip")
    } else {
        ("training_panel.step_now", "training_panel.step_now_tip")
    };
    row(ui, stage.texts.get(key), |ui| {
        let now = if snapshot.learning_rate > 0.0 {
            number(snapshot.learning_rate, 3)
        } else {
            "–".to_owned()
        };
        ui.add(egui::Label::new(RichText::new(now).size(14.0)).sense(egui::Sense::hover()))
            .on_hover_text(stage.texts.get(tip));
        if method.heeds_rate() {
            let button = egui::Button::new(RichText::new(stage.t("range_test.find")).size(13.0));
            let response = named(ui, "training/range_test", button);
            if response.on_hover_text(stage.t("range_test.tip")).clicked() {
                panels.range.open();
            }
        }
    });
}

fn batch(ui: &mut Ui, stage: &Stage<'_>, training: &mut TrainingConfig) {
    let forced = matches!(training.optimizer.kind(), Method::FullBatch(_));
    row(ui, stage.t("training_panel.batch"), |ui| {
        let samples = stage.training.problem.train.len().max(1);
        let mut full = training.batch == Batch::Full;
        if let Batch::Size(size) = &mut training.batch {
            ui.add(DragValue::new(size).range(1..=samples).speed(0.2));
        }
        let free = !(forced && full);
        let check = egui::Checkbox::new(&mut full, stage.t("training_panel.full"));
        if ui.add_enabled(free, check).changed() {
            training.batch = if full {
                Batch::Full
            } else {
                Batch::Size(samples.min(10))
            };
        }
    });
    if forced {
        remark(ui, stage.t("training_panel.full_note"));
    }
}
