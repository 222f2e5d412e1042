//! The numbers of what was clicked in the scene.

use super::format::{item, number, parameter_of, signed};
use super::stage::Stage;
use super::widgets::{fact, remark};
use crate::app::Item;
use crate::nn::Source;
use bevy_egui::egui::Ui;

pub(super) fn show(ui: &mut Ui, stage: &mut Stage<'_>) {
    let problem = &stage.training.problem;
    let Some(chosen) = stage.selection.selected.or(stage.selection.hovered) else {
        remark(ui, stage.t("selected.nothing"));
        return;
    };
    ui.label(item(stage.texts, problem, chosen));
    let probe = &stage.training.snapshot.probe;
    let line = |ui: &mut Ui, key: &str, value: Option<f32>| {
        if let Some(value) = value {
            fact(ui, stage.texts.get(key), &signed(f64::from(value), 5));
        }
    };
    match chosen {
        Item::Neuron { column: 0, unit } => {
            line(ui, "selected.value", probe.input.get(unit).copied());
        }
        Item::Neuron { column, unit } => {
            let of = |values: &[Vec<f32>]| values.get(column - 1)?.get(unit).copied();
            line(ui, "selected.z", of(&probe.z));
            line(ui, "selected.a", of(&probe.a));
            line(ui, "selected.delta", of(&probe.delta));
            parameter(ui, stage, chosen, "selected.bias");
        }
        Item::Connection {
            layer,
            source,
            from,
            ..
        } => {
            parameter(ui, stage, chosen, "selected.weight");
            let layer = problem.network.layers().get(layer);
            let signal = match layer.and_then(|l| l.sources().get(source)) {
                Some(Source::Layer(k)) => probe.a.get(*k).and_then(|a| a.get(from)),
                _ => probe.input.get(from),
            };
            line(ui, "selected.signal", signal.copied());
        }
    }
    let sample = probe.watched.index + 1;
    remark(
        ui,
        &stage.texts.with(
            "selected.sample",
            &[("n", &sample), ("loss", &number(probe.loss, 4))],
        ),
    );
}

/// Value, gradient and last change of the parameter that an item stands for.
fn parameter(ui: &mut Ui, stage: &Stage<'_>, chosen: Item, name: &str) {
    let snapshot = &stage.training.snapshot;
    let Some(index) = parameter_of(&stage.training.problem.network, chosen) else {
        return;
    };
    for (key, values) in [
        (name, Some(&snapshot.params[..])),
        ("selected.gradient", snapshot.of_step(&snapshot.gradient)),
        ("selected.change", snapshot.of_step(&snapshot.update)),
    ] {
        let value = values.and_then(|values| values.get(index));
        let text = value.map_or_else(|| "–".to_owned(), |&value| signed(f64::from(value), 5));
        fact(ui, stage.texts.get(key), &text);
    }
}
