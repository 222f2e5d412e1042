//! The numbers of what is under the pointer, beside it.

use super::super::format::{item as item_text, parameter_of};
use super::super::presenter::{PointerAs, Presenter};
use super::super::state::{Item, Selection};
use super::super::text::Texts;
use super::super::training::Training;
use super::{OverMap, Pointer};
use bevy::prelude::*;
use bevy_egui::{EguiContexts, egui};

/// From the pointer to the tooltip's corner, in points.
const OFFSET: f32 = 16.0;

pub(super) fn show_numbers(
    mut contexts: EguiContexts,
    pointer: Res<Pointer>,
    (selection, over_map): (Res<Selection>, Res<OverMap>),
    training: Res<Training>,
    texts: Res<Texts>,
    presenter: Option<Res<Presenter>>,
) -> Result {
    // Whoever points something out wants nothing over it.
    if presenter.is_some_and(|p| p.pointer != PointerAs::Usual) {
        return Ok(());
    }
    let (Some(at), Some(item)) = (pointer.at, selection.hovered) else {
        return Ok(());
    };
    let ctx = contexts.ctx_mut()?;
    let at = at / ctx.zoom_factor();
    let (title, mut rows) = numbers(&training, &texts, item);
    if let Some([row, column]) = over_map.0 {
        let place = [("scene.row", row), ("scene.column", column)];
        rows.splice(0..0, place.map(|(key, at)| (key, (at + 1).to_string())));
    }
    egui::Area::new(egui::Id::new("what is under the pointer"))
        .order(egui::Order::Tooltip)
        .fixed_pos(egui::pos2(at.x + OFFSET, at.y + OFFSET))
        .constrain(true)
        .interactable(false)
        .show(ctx, |ui| {
            egui::Frame::popup(ui.style()).show(ui, |ui| {
                ui.label(egui::RichText::new(title).strong());
                egui::Grid::new("numbers").num_columns(2).show(ui, |ui| {
                    for (key, value) in rows {
                        ui.label(texts.get(key));
                        ui.monospace(value);
                        ui.end_row();
                    }
                });
            });
        });
    Ok(())
}

/// A title, and the key of a caption with a number for each row.
fn numbers(
    training: &Training,
    texts: &Texts,
    item: Item,
) -> (String, Vec<(&'static str, String)>) {
    let problem = &training.problem;
    let snapshot = &training.snapshot;
    let probe = &snapshot.probe;
    let of = |values: &[Vec<f32>], layer: usize, unit: usize| {
        values.get(layer).and_then(|v| v.get(unit)).copied()
    };
    match item {
        Item::Neuron { column: 0, unit } => {
            let feature = problem.feature_of(unit);
            let value = probe.input.get(unit).copied();
            let raw = value.map(|value| problem.data.scaler.unscaled(feature, value));
            let rows = vec![
                ("scene.value", number(value)),
                ("scene.raw_value", number(raw)),
            ];
            (item_text(texts, problem, item), rows)
        }
        Item::Neuron { column, unit } => {
            let layer = column - 1;
            let bias = problem.network.bias_of(layer, unit);
            let mut rows = vec![
                ("scene.z", number(of(&probe.z, layer, unit))),
                ("scene.a", number(of(&probe.a, layer, unit))),
                ("scene.delta", number(of(&probe.delta, layer, unit))),
            ];
            if let Some(bias) = bias {
                rows.push(("scene.bias", number(snapshot.params.get(bias).copied())));
            }
            (item_text(texts, problem, item), rows)
        }
        Item::Connection { .. } => {
            let title = item_text(texts, problem, item);
            let Some(index) = parameter_of(&problem.network, item) else {
                return (title, Vec::new());
            };
            let at = |values: &[f32]| number(values.get(index).copied());
            let of_step = |values| {
                let value = snapshot
                    .of_step(values)
                    .and_then(|values| values.get(index));
                number(value.copied())
            };
            let rows = vec![
                ("scene.weight", at(&snapshot.params)),
                ("scene.gradient", of_step(&snapshot.gradient)),
                ("scene.change", of_step(&snapshot.update)),
            ];
            (title, rows)
        }
    }
}

/// Six digits at most, in powers of ten where a number is very small or large.
fn number(value: Option<f32>) -> String {
    match value {
        None => "–".to_owned(),
        Some(0.0) => "0".to_owned(),
        Some(value) if !value.is_finite() => value.to_string(),
        Some(value) if (1e-3..1e5).contains(&value.abs()) => format!("{value:.5}"),
        Some(value) => format!("{value:.4e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Experiment;
    use crate::train::Problem;
    use std::sync::Arc;

    #[test]
    fn numbers_keep_their_digits_whatever_their_size() {
        assert_eq!(number(Some(0.25)), "0.25000");
        assert_eq!(number(Some(-3.5e-7)), "-3.5000e-7");
        assert_eq!(number(Some(0.0)), "0");
        assert_eq!(number(None), "–");
    }

    #[test]
    fn a_neuron_and_a_connection_say_what_the_snapshot_holds() {
        let text = r#"
            [data]
            source = "spiral"
            [network]
            layers = [{ dense = 3, activation = "tanh" }]
            loss = "cross-entropy"
            [training]
            optimizer = { name = "sgd", learning_rate = 0.1 }
            batch = 10
            epochs = 1
        "#;
        let experiment = Experiment::parse(text, "test").expect("valid");
        let problem = Arc::new(Problem::new(&experiment).expect("valid"));
        let training = Training::at_start(problem);
        let texts = Texts::default();
        let item = Item::Connection {
            layer: 0,
            source: 0,
            from: 1,
            to: 2,
        };
        let (title, rows) = numbers(&training, &texts, item);
        assert!(title.contains('1') && title.contains('2'), "{title}");
        assert_eq!(rows[0].1, number(Some(training.snapshot.params[5])));
        let (_, rows) = numbers(&training, &texts, Item::Neuron { column: 1, unit: 2 });
        assert_eq!(rows[1].1, number(Some(training.snapshot.probe.a[0][2])));
        assert_eq!(rows[3].1, number(Some(training.snapshot.params[8])));
    }
}
