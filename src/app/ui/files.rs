//! Saving the experiment and opening another, or data of one's own.

use super::panels::Panels;
use super::stage::{Intent, Stage};
use super::widgets::remark;
use crate::app::{Notice, Texts, Training};
use crate::experiment::Experiment;
use crate::interop::{ModelFile, ModelOut, model_notes, write_model};
use bevy_egui::egui::{self, Ui};
use std::path::{Path, PathBuf};

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

/// Writes an experiment file, or the network where the name asks for a format of other programs,
/// and says where it went.
pub(super) fn save(
    experiment: &Experiment,
    training: &Training,
    path: &Path,
    texts: &Texts,
) -> Notice {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.into());
    let shown = path.display();
    let folder = match path.parent() {
        Some(folder) => std::fs::create_dir_all(folder).map_err(|error| error.to_string()),
        None => Ok(()),
    };
    let written = folder.and_then(|()| match ModelOut::of_path(&path) {
        Some(_) => {
            let problem = &training.problem;
            let model = ModelFile {
                network: &problem.network,
                params: &training.snapshot.params,
                title: problem.experiment.title(),
                notes: &model_notes(problem),
            };
            write_model(&path, &model).map_err(|error| error.to_string())
        }
        None => experiment
            .to_toml()
            .map_err(|error| error.to_string())
            .and_then(|text| std::fs::write(&path, text).map_err(|error| error.to_string())),
    });
    match written {
        Ok(()) => Notice {
            message: texts.with("file.saved", &[("path", &shown)]),
            error: false,
        },
        Err(reason) => Notice {
            message: texts.with("file.not_saved", &[("path", &shown), ("reason", &reason)]),
            error: true,
        },
    }
}
