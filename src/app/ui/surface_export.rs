//! Writing the surface on screen to a file, in the format that its name asks for.

use super::learning::named;
use super::panels::Panels;
use super::stage::{Intent, Stage};
use super::top::source_name;
use super::widgets::{fold, remark};
use crate::app::surface_words as words;
use crate::app::{ErrorSurface, Notice};
use crate::figure::{ContourFigure, Heights};
use crate::interop::{SurfaceFile, SurfaceFormat, write_surface_file};
use bevy_egui::egui::{self, Ui};
use std::path::{Path, PathBuf};

pub(super) fn show(ui: &mut Ui, stage: &mut Stage<'_>, panels: &mut Panels) {
    fold(ui, "surface/export", stage.t("export.title"), |ui| {
        let edit = egui::TextEdit::singleline(&mut panels.surface_path)
            .hint_text(stage.t("file.path"))
            .desired_width(f32::INFINITY);
        ui.add(edit);
        let there = stage.surface.surface.is_some() && !panels.surface_path.trim().is_empty();
        let button = egui::Button::new(stage.t("export.write"));
        let response = ui.add_enabled_ui(there, |ui| named(ui, "surface/write", button));
        if response.inner.clicked() && there {
            write(stage, panels);
        }
        let endings = SurfaceFormat::endings();
        remark(
            ui,
            &stage.texts.with("export.endings", &[("endings", &endings)]),
        );
    });
}

/// Writes the surface and says where it went, or why it did not.
pub(super) fn write(stage: &mut Stage<'_>, panels: &Panels) {
    let path = PathBuf::from(panels.surface_path.trim());
    let path = std::path::absolute(&path).unwrap_or(path);
    let shown = path.display();
    let notice = match export(stage, &path) {
        None => Notice {
            message: stage.t("facts.none").to_owned(),
            error: true,
        },
        Some(Ok(())) => Notice {
            message: stage.texts.with("export.written", &[("path", &shown)]),
            error: false,
        },
        Some(Err(reason)) => Notice {
            message: stage
                .texts
                .with("file.not_saved", &[("path", &shown), ("reason", &reason)]),
            error: true,
        },
    };
    stage.intents.push(Intent::Notify(notice));
}

/// `None` where there is no surface.
fn export(stage: &Stage<'_>, path: &Path) -> Option<Result<(), String>> {
    let shown: &ErrorSurface = stage.surface;
    let surface = shown.surface.as_deref()?;
    let function = shown.function.as_deref();
    let is_log = match function {
        Some(_) => stage.choices.arena.log_height,
        None => stage.choices.surface.log_height && !shown.is_accuracy(),
    };
    let figure = ContourFigure {
        surface,
        path: stage.choices.surface.path.then_some(&shown.path),
        title: function.map_or_else(|| title(stage), |f| f.name().to_owned()),
        subtitle: function.map_or_else(|| subtitle(stage), |f| f.formula().to_owned()),
        x_label: function.map_or_else(|| words::axis(stage.texts, shown, 0), |_| "x".to_owned()),
        y_label: function.map_or_else(|| words::axis(stage.texts, shown, 1), |_| "y".to_owned()),
        height: match function {
            Some(_) => stage.t("surface.value").to_owned(),
            None => words::measure(stage.texts, shown.measure),
        },
        heights: if is_log {
            Heights::Log
        } else {
            Heights::Linear
        },
        tone: stage.theme.tone,
    };
    let file = SurfaceFile {
        figure,
        plane: shown.plane.as_deref(),
        measure: shown.measure,
    };
    if let Some(folder) = path.parent()
        && let Err(error) = std::fs::create_dir_all(folder)
    {
        return Some(Err(error.to_string()));
    }
    Some(write_surface_file(path, &file).map_err(|error| error.to_string()))
}

fn title(stage: &Stage<'_>) -> String {
    let problem = &stage.training.problem;
    let widths: Vec<String> = problem
        .network
        .widths()
        .iter()
        .map(usize::to_string)
        .collect();
    let source = source_name(stage, &problem.experiment.data.source);
    format!("{source}, {}", widths.join("-"))
}

/// What it is, over how many samples, along which plane, and what it leaves out.
fn subtitle(stage: &Stage<'_>) -> String {
    let (texts, shown) = (stage.texts, stage.surface);
    let kind = shown
        .facts
        .as_ref()
        .map_or("path", |f| words::plane_kind(f.directions));
    let plane = texts.get(&format!("plane.{kind}")).to_owned();
    let (measure, n) = (words::measure(texts, shown.measure), shown.samples);
    let step = shown.newest().map_or(0, |p| p.step);
    let values: [(&str, &dyn std::fmt::Display); 4] = [
        ("measure", &measure),
        ("n", &n),
        ("plane", &plane),
        ("step", &step),
    ];
    let mut text = texts.with("export.subtitle", &values);
    if let Some(share) = shown.path.share_in_plane() {
        let share = super::format::percent(share);
        text += "\n";
        text += &texts.with("export.share", &[("share", &share)]);
    }
    text
}
