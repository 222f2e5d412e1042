//! The panel on the right: what training does, and how it is shown.

use super::panels::Panels;
use super::stage::Stage;
use super::widgets::section;
use super::{charts, function, samples, selected, view_options};
use crate::app::Ground;
use bevy_egui::egui::Ui;

pub(super) fn show(ui: &mut Ui, stage: &mut Stage<'_>, panels: &mut Panels) {
    section(
        ui,
        "section/curves",
        stage.t("insight.curves"),
        true,
        |ui| {
            charts::show(ui, stage, &mut panels.curves);
        },
    );
    section(
        ui,
        "section/samples",
        stage.t("insight.samples"),
        true,
        |ui| {
            samples::show(ui, stage, &mut panels.pictures);
        },
    );
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
                view_options::surface_numbers(ui, stage);
                view_options::surface(ui, stage);
            }
            function::pin(ui, stage);
        },
    );
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
