//! Saving the experiment and opening another, or data of one's own.

use super::panels::Panels;
use super::stage::{Intent, Stage};
use super::widgets::remark;
use bevy_egui::egui::{self, Ui};
use std::path::PathBuf;

pub(super) fn show(ui: &mut Ui, stage: &mut Stage<'_>, panels: &mut Panels) {
    let edit = egui::TextEdit::singleline(&mut panels.path)
        .hint_text(stage.t("file.path"))
        .desired_width(f32::INFINITY);
    ui.add(edit);
    let path = PathBuf::from(panels.path.trim());
    let named = !panels.path.trim().is_empty();
    ui.horizontal(|ui| {
        let save = ui.add_enabled(
            named && panels.draft.error().is_none(),
            egui::Button::new(stage.t("file.save")),
        );
        if save.on_hover_text(stage.t("file.save_tip")).clicked() {
            let mut experiment = panels.draft.experiment.clone();
            let rate = stage.training.snapshot.base_learning_rate;
            experiment.training.optimizer.learning_rate = rate;
            stage.intents.push(Intent::Save {
                experiment: Box::new(experiment),
                path: path.clone(),
            });
        }
        let open = ui.add_enabled(named, egui::Button::new(stage.t("file.open")));
        if open.on_hover_text(stage.t("file.open_tip")).clicked() {
            stage.intents.push(Intent::Open(path.clone()));
        }
    });
    remark(ui, stage.t("file.drop"));
}
