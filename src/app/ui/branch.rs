//! A branch of the run: another way of training from the weights that are shown.

use super::constants::{Limits, drag};
use super::format::count;
use super::panels::Panels;
use super::stage::{Intent, Stage};
use super::widgets::{complaint, control_id, remark, row};
use super::{optimizer, overlays, regularise};
use crate::experiment::{Batch, Experiment};
use crate::optim::Method;
use bevy_egui::egui::{self, Align2, DragValue, Rect, RichText, ScrollArea, Sense, Ui, vec2};

/// What a branch is asked for, while it is on the screen.
#[derive(Debug, Clone, Default)]
pub struct BranchForm {
    experiment: Option<Box<Experiment>>,
}

impl BranchForm {
    /// Shows it, with the settings that the run has.
    pub(super) fn open(&mut self, stage: &Stage<'_>) {
        let mut experiment = stage.training.problem.experiment.clone();
        let rate = stage.training.now_snapshot().base_learning_rate;
        if experiment.training.optimizer.kind().has_rate() && rate.is_finite() {
            experiment.training.optimizer.learning_rate = rate;
        }
        // As many epochs again as there were to be, from here.
        let planned = experiment.training.epochs;
        experiment.training.epochs = planned.max(stage.training.snapshot.epoch + 1);
        self.experiment = Some(Box::new(experiment));
    }

    /// Whether it is on the screen.
    pub fn is_open(&self) -> bool {
        self.experiment.is_some()
    }
}

pub(super) fn show(ui: &mut Ui, panels: &mut Panels, stage: &mut Stage<'_>, free: Rect) {
    let Some(mut experiment) = panels.branch.experiment.take() else {
        return;
    };
    if !stage.training.shows_past() {
        // The moment that it was of is not shown any more.
        return;
    }
    let width = (free.width() - 60.0).clamp(240.0, 380.0);
    let at = free.center_top() + vec2(0.0, 48.0);
    let mut done = false;
    overlays::card(ui, "branch", Align2::CENTER_TOP, at, width, |ui| {
        let snapshot = &stage.training.snapshot;
        let (step, epoch) = (count(snapshot.step), count(snapshot.epoch as u64));
        let values: [(&str, &dyn std::fmt::Display); 2] = [("step", &step), ("epoch", &epoch)];
        let title = stage.texts.with("branch.title", &values);
        ui.label(RichText::new(title).heading());
        remark(ui, stage.t("branch.note"));
        let height = (free.height() - 240.0).max(120.0);
        ScrollArea::vertical()
            .id_salt("branch")
            .max_height(height)
            .show(ui, |ui| settings(ui, stage, &mut experiment));
        let fault = experiment.validate().err();
        if let Some(fault) = &fault {
            complaint(ui, &stage.palette, &fault.to_string());
        }
        ui.add_space(4.0);
        ui.horizontal(|ui| {
            let start = egui::Button::new(stage.t("branch.start"));
            let start = start.fill(ui.visuals().selection.bg_fill);
            let start = ui.add_enabled(fault.is_none(), start);
            ui.interact(start.rect, control_id("branch/start"), Sense::hover());
            if start.clicked() {
                stage.intents.push(Intent::Branch(experiment.clone()));
                done = true;
            }
            let cancel = ui.button(stage.t("branch.cancel"));
            ui.interact(cancel.rect, control_id("branch/cancel"), Sense::hover());
            done |= cancel.clicked();
        });
    });
    if !done {
        panels.branch.experiment = Some(experiment);
    }
}

fn settings(ui: &mut Ui, stage: &Stage<'_>, experiment: &mut Experiment) {
    optimizer::show(ui, stage, experiment);
    let training = &mut experiment.training;
    if training.optimizer.kind().has_rate() {
        row(ui, stage.t("run.learning_rate"), |ui| {
            ui.add(drag(
                &mut training.optimizer.learning_rate,
                Limits::Positive,
            ));
        });
    }
    let samples = stage.training.problem.train.len().max(1);
    let is_free = !matches!(training.optimizer.kind(), Method::FullBatch(_));
    if let (Batch::Size(size), true) = (&mut training.batch, is_free) {
        row(ui, stage.t("training_panel.batch"), |ui| {
            ui.add(DragValue::new(size).range(1..=samples).speed(0.2));
        });
    }
    let least = stage.training.snapshot.epoch + 1;
    row(ui, stage.t("training_panel.epochs"), |ui| {
        let epochs = &mut training.epochs;
        ui.add(DragValue::new(epochs).range(least..=1_000_000).speed(1.0));
    });
    regularise::show(ui, stage, experiment);
}
