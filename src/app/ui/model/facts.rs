//! Another program's model in words: what it is, and why it is neither trained nor has a
//! surface.

use super::forward;
use crate::app::theme::color32;
use crate::app::ui::files;
use crate::app::ui::format::count;
use crate::app::ui::panels::Panels;
use crate::app::ui::stage::{Intent, Stage};
use crate::app::ui::widgets::{control_id, fact, remark, section};
use crate::app::{Notice, ViewMode};
use crate::insight::outline::Foreign;
use crate::insight::structure::bytes;
use bevy_egui::egui::{self, Frame, Margin, Panel, RichText, Ui};
use std::sync::Arc;

/// In place of the experiment.
pub fn left(ui: &mut Ui, stage: &mut Stage<'_>, panels: &mut Panels) {
    let Some(foreign) = stage.blocks.foreign().cloned() else {
        return;
    };
    let title = stage.t("model.title");
    section(ui, "section/model", title, true, |ui| {
        what_it_is(ui, stage, &foreign);
        if ui.button(stage.t("model.back")).clicked() {
            stage.intents.push(Intent::LeaveModel);
        }
    });
    let title = stage.t("model.forward");
    section(ui, "section/model_forward", title, true, |ui| {
        forward::show(ui, stage, &mut panels.forward, &foreign);
    });
    let title = stage.t("model.not_possible");
    section(ui, "section/model_not", title, true, |ui| {
        let warning = color32(stage.palette.warning);
        let why = stage.texts.with("model.because", &[("why", &foreign.why)]);
        ui.add(egui::Label::new(RichText::new(why).color(warning)).wrap());
        for key in [
            "model.no_training",
            "model.no_surface",
            "model.no_inside",
            "model.no_data",
        ] {
            ui.add(egui::Label::new(stage.texts.get(key)).wrap());
        }
    });
    if !foreign.model.notes.is_empty() {
        let title = stage.t("model.notes");
        section(ui, "section/model_notes", title, true, |ui| {
            for note in &foreign.model.notes {
                remark(ui, note);
            }
        });
    }
    let title = stage.t("experiment.file");
    section(ui, "section/file", title, true, |ui| {
        files::show(ui, stage, panels);
    });
}

fn what_it_is(ui: &mut Ui, stage: &Stage<'_>, foreign: &Arc<Foreign>) {
    ui.add(egui::Label::new(RichText::new(foreign.name()).strong()).wrap());
    let model = &foreign.model;
    fact(ui, stage.t("model.format"), model.format.name());
    if !model.producer.is_empty() {
        fact(ui, stage.t("model.producer"), &model.producer);
    }
    fact(ui, stage.t("model.nodes"), &count(model.nodes.len() as u64));
    let opaque = foreign.opaque;
    fact(ui, stage.t("model.opaque"), &count(opaque as u64));
    fact(
        ui,
        stage.t("model.parameters"),
        &count(foreign.parameters as u64),
    );
    let memory = bytes(size_of::<f32>() * foreign.parameters);
    fact(ui, stage.t("model.memory"), &memory);
    if !model.format.has_graph() {
        remark(ui, stage.t("model.guessed"));
    }
}

/// In the bar, in place of the run's controls.
pub fn bar(ui: &mut Ui, stage: &mut Stage<'_>) {
    let Some(foreign) = stage.blocks.foreign().cloned() else {
        return;
    };
    if ui.button(stage.t("model.back")).clicked() {
        stage.intents.push(Intent::LeaveModel);
    }
    let why = stage.texts.with("model.bar", &[("why", &foreign.why)]);
    let text = RichText::new(&why).weak();
    ui.add(egui::Label::new(text).truncate()).on_hover_text(why);
}

/// In place of the panel of the inside.
pub fn no_inside(root: &mut Ui, stage: &Stage<'_>) {
    let Some(foreign) = stage.blocks.foreign() else {
        return;
    };
    let style = root.style().clone();
    Panel::bottom("gradscape inside")
        .resizable(false)
        .frame(Frame::side_top_panel(&style).inner_margin(Margin::symmetric(10, 8)))
        .show(root, |ui| {
            ui.add(egui::Label::new(stage.t("model.no_inside")).wrap());
            let why = stage.texts.with("model.because", &[("why", &foreign.why)]);
            remark(ui, &why);
        });
}

/// Says why what was asked for is not possible, and leaves everything as it is.
pub fn refuse(stage: &mut Stage<'_>, key: &str) {
    let Some(foreign) = stage.blocks.foreign() else {
        return;
    };
    let because = stage.texts.with("model.because", &[("why", &foreign.why)]);
    let message = format!("{} {because}", stage.texts.get(key));
    stage.intents.push(Intent::Notify(Notice {
        message,
        error: false,
    }));
}

/// A model has one view. Whoever asks for another is told why.
pub fn hold_view(stage: &mut Stage<'_>) {
    if stage.blocks.foreign().is_some() && stage.choices.mode != ViewMode::Network {
        stage.choices.mode = ViewMode::Network;
        refuse(stage, "model.no_surface");
    }
}

/// How far opening a file has come, and giving up.
pub fn progress(ui: &Ui, stage: &mut Stage<'_>, free: egui::Rect) {
    let Some((name, key, share)) = stage.opening.clone() else {
        return;
    };
    // Few files take so long that anyone could read it.
    ui.ctx()
        .request_repaint_after(std::time::Duration::from_millis(100));
    let width = (free.width() - 60.0).clamp(200.0, 420.0);
    let at = free.center_top() + egui::vec2(0.0, 16.0);
    let texts = stage.texts;
    let mut given_up = false;
    crate::app::ui::overlays::card(ui, "opening", egui::Align2::CENTER_TOP, at, width, |ui| {
        ui.add(egui::Label::new(texts.with("model.opening", &[("name", &name)])).truncate());
        let bar = egui::ProgressBar::new(share)
            .text(texts.get(key))
            .animate(true);
        ui.add(bar);
        let button = ui.button(texts.get("model.cancel"));
        given_up = button.clicked();
        ui.interact(
            button.rect,
            control_id("opening/cancel"),
            egui::Sense::hover(),
        );
    });
    if given_up {
        stage.intents.push(Intent::CancelOpening);
    }
}
