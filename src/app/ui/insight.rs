//! The panel on the right: what training does, and how it is shown.

use super::panels::Panels;
use super::stage::Stage;
use super::widgets::section;
use super::{
    charts, curvature, function, line, model, samples, selected, surface_choice, surface_export,
    surface_facts, view_options,
};
use crate::app::Ground;
use bevy_egui::egui::Ui;

pub(super) fn show(ui: &mut Ui, stage: &mut Stage<'_>, panels: &mut Panels) {
    // In a lesson what the network makes of its data comes first.
    if stage.choices.presents() {
        data_and_answer(ui, stage, panels);
        curves(ui, stage, panels);
    } else {
        curves(ui, stage, panels);
        data_and_answer(ui, stage, panels);
    }
    model::sections(ui, stage, &panels.forward);
    section(
        ui,
        "section/selected",
        stage.t("insight.selected"),
        true,
        |ui| {
            selected::show(ui, stage);
        },
    );
    section(
        ui,
        "section/surface_numbers",
        stage.t("insight.surface"),
        true,
        |ui| {
            function::show(ui, stage, &mut panels.function);
            if stage.choices.arena.ground == Ground::Network {
                surface_choice::show(ui, stage);
                view_options::surface(ui, stage);
            }
            function::pin(ui, stage);
            surface_export::show(ui, stage, panels);
        },
    );
    if stage.choices.arena.ground == Ground::Network {
        of_the_network(ui, stage, panels);
    }
    section(
        ui,
        "section/network_view",
        stage.t("insight.network"),
        true,
        |ui| {
            view_options::network(ui, stage);
        },
    );
}

fn curves(ui: &mut Ui, stage: &mut Stage<'_>, panels: &mut Panels) {
    let title = stage.t("insight.curves");
    section(ui, "section/curves", title, true, |ui| {
        charts::show(ui, stage, &mut panels.curves);
    });
}

fn data_and_answer(ui: &mut Ui, stage: &mut Stage<'_>, panels: &mut Panels) {
    let title = stage.t("insight.samples");
    section(ui, "section/samples", title, true, |ui| {
        samples::show(ui, stage, &mut panels.pictures, &mut panels.drawer);
    });
}

/// What there is to know about the network's own surface.
fn of_the_network(ui: &mut Ui, stage: &mut Stage<'_>, panels: &mut Panels) {
    section(
        ui,
        "section/honesty",
        stage.t("insight.honesty"),
        true,
        |ui| surface_facts::show(ui, stage),
    );
    section(
        ui,
        "section/curvature",
        stage.t("insight.curvature"),
        true,
        |ui| curvature::show(ui, stage),
    );
    section(ui, "section/line", stage.t("insight.line"), false, |ui| {
        line::show(ui, stage, panels);
    });
}
