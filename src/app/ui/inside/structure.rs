//! The table of layers.

use super::super::format::count;
use super::super::stage::Stage;
use crate::app::Item;
use crate::insight::structure::{Structure, bytes, shape};
use bevy_egui::egui::{self, RichText, ScrollArea, Sense, Ui};

/// The table of layers; a click lights the layer's first neuron.
pub(super) fn show(ui: &mut Ui, stage: &mut Stage<'_>) {
    let structure = Structure::of(&stage.training.problem.network);
    let count64 = |n: usize| count(n as u64);
    let headings = [
        "inside.layer",
        "inside.kind",
        "inside.in",
        "inside.out",
        "inside.parameters",
        "inside.multiply_adds",
        "inside.memory",
    ];
    let mut chosen = None;
    ScrollArea::both()
        .id_salt("structure")
        .auto_shrink([false, false])
        .show(ui, |ui| {
            egui::Grid::new("structure")
                .num_columns(headings.len())
                .spacing([22.0, 5.0])
                .striped(true)
                .show(ui, |ui| {
                    for heading in headings {
                        ui.label(RichText::new(stage.t(heading)).weak());
                    }
                    ui.end_row();
                    for (column, row) in structure.rows.iter().enumerate() {
                        let name = egui::Label::new(&row.name).sense(Sense::click());
                        if ui.add(name).clicked() {
                            chosen = Some(Item::Neuron { column, unit: 0 });
                        }
                        let what = [row.kind, &row.detail, row.activation].into_iter();
                        let what: Vec<&str> = what.filter(|t| !t.is_empty()).collect();
                        ui.label(what.join(", ").replace('_', " "));
                        ui.label(shape(&row.input));
                        ui.label(shape(&row.output));
                        ui.label(count64(row.parameters + row.statistics));
                        ui.label(count64(row.multiply_adds));
                        let memory = row.parameter_bytes + row.activation_bytes;
                        ui.label(bytes(memory));
                        ui.end_row();
                    }
                    ui.label(RichText::new(stage.t("inside.total")).strong());
                    ui.label(structure.loss);
                    ui.label("");
                    ui.label("");
                    let all = structure.parameters + structure.statistics;
                    ui.label(RichText::new(count64(all)).strong());
                    ui.label(RichText::new(count64(structure.multiply_adds)).strong());
                    let memory = structure.parameter_bytes + structure.activation_bytes;
                    ui.label(RichText::new(bytes(memory)).strong());
                    ui.end_row();
                });
        });
    if chosen.is_some() {
        stage.selection.selected = chosen;
    }
}
