//! What is written beside the network: captions under the columns, names of
//! inputs and classes, and how many connections of how many are drawn.

use super::super::labels::Label;
use super::super::state::{NeuronValue, SceneView};
use super::super::text::Texts;
use super::super::training::Training;
use super::drawn::DrawnConnections;
use super::layout::Arrangement;
use super::paint::neuron_value;
use super::parts::{NetworkPart, Neuron};
use super::spawn::NetworkLayout;
use crate::data::Task;
use crate::train::{Encoding, Problem};
use bevy::prelude::*;
use bevy_egui::egui::Align2;

/// Inputs have their names beside them up to so many.
const NAMED_INPUTS: usize = 10;
/// Outputs, up to so many.
const NAMED_OUTPUTS: usize = 12;
/// How far below its column a caption stands, in world units.
const BELOW: f32 = 0.35;

/// What a label of the network says.
#[derive(Component, Debug, Clone, Copy, PartialEq, Eq)]
#[require(NetworkPart)]
pub(super) enum Caption {
    /// What a column is.
    Column(usize),
    /// How many connections of a layer's are drawn.
    Shown(usize),
    /// The name of an input.
    Input(usize),
    /// The name of an output, and its value.
    Output(usize),
}

/// Spawns the labels, still without text.
pub(super) fn spawn_captions(commands: &mut Commands, layout: &NetworkLayout, problem: &Problem) {
    let columns = &layout.columns;
    let mut spawn = |caption: Caption, at: Vec3, size: f32, anchor: Align2, faint: bool| {
        let label = Label {
            text: String::new(),
            view: SceneView::Network,
            size,
            anchor,
            faint,
        };
        commands.spawn((caption, label, Transform::from_translation(at)));
    };
    for (index, column) in columns.iter().enumerate() {
        let center = column.center();
        let at = Vec3::new(center.x, column.min.y - BELOW, center.z);
        spawn(Caption::Column(index), at, 14.0, Align2::CENTER_TOP, false);
    }
    for (layer, pair) in columns.windows(2).enumerate() {
        let (a, b) = (pair[0].center(), pair[1].center());
        let high = pair[0].max.y.max(pair[1].max.y) + 0.5 * BELOW;
        let at = Vec3::new(
            0.5 * (pair[0].max.x + pair[1].min.x),
            high,
            0.5 * (a.z + b.z),
        );
        spawn(Caption::Shown(layer), at, 12.0, Align2::CENTER_BOTTOM, true);
    }
    if let Some(inputs) = columns.first()
        && inputs.places.len() <= NAMED_INPUTS
    {
        for (unit, &place) in inputs.places.iter().enumerate() {
            let at = place - Vec3::X * (1.6 * inputs.radius);
            spawn(Caption::Input(unit), at, 13.0, Align2::RIGHT_CENTER, false);
        }
    }
    if let Some(outputs) = columns.last()
        && outputs.places.len() <= NAMED_OUTPUTS
        && !output_names(problem).is_empty()
    {
        for (unit, &place) in outputs.places.iter().enumerate() {
            let at = place + Vec3::X * (2.2 * outputs.radius);
            spawn(Caption::Output(unit), at, 13.0, Align2::LEFT_CENTER, true);
        }
    }
}

/// Writes the labels where language, network, values or drawn set changed.
pub(super) fn write_captions(
    training: Res<Training>,
    texts: Res<Texts>,
    layout: Res<NetworkLayout>,
    drawn: Res<DrawnConnections>,
    mut captions: Query<(&Caption, &mut Label)>,
) {
    let fixed = texts.is_changed() || layout.is_changed();
    for (caption, mut label) in &mut captions {
        let (text, faint) = match *caption {
            Caption::Column(column) if fixed => {
                (column_text(&training, &layout, &texts, column), false)
            }
            Caption::Shown(layer) if fixed || drawn.is_changed() => {
                (shown_text(&drawn, &texts, layer), true)
            }
            Caption::Input(unit) if fixed => {
                let name = training.problem.data.feature_names.get(unit);
                (name.cloned().unwrap_or_default(), false)
            }
            Caption::Output(unit) if fixed || training.is_changed() => output_text(&training, unit),
            _ => continue,
        };
        if label.text != text || label.faint != faint {
            label.text = text;
            label.faint = faint;
        }
    }
}

fn column_text(
    training: &Training,
    layout: &NetworkLayout,
    texts: &Texts,
    column: usize,
) -> String {
    let problem = &training.problem;
    let Some(layer) = column.checked_sub(1) else {
        let inputs = problem.network.inputs();
        let Some(Arrangement::Image(shape)) = layout.columns.first().map(|c| c.arrangement) else {
            return texts.with("scene.input", &[("n", &inputs)]);
        };
        let size = match shape.channels {
            0 | 1 => format!("{} × {}", shape.width, shape.height),
            channels => format!("{} × {} × {channels}", shape.width, shape.height),
        };
        return texts.with("scene.input", &[("n", &size)]);
    };
    let layers = problem.network.layers();
    let Some(this) = layers.get(layer) else {
        return String::new();
    };
    let (n, activation) = (this.outputs(), this.activation());
    if column == layers.len() {
        texts.with("scene.output", &[("n", &n), ("activation", &activation)])
    } else {
        let values: [(&str, &dyn std::fmt::Display); 3] =
            [("k", &column), ("n", &n), ("activation", &activation)];
        texts.with("scene.hidden", &values)
    }
}

/// Nothing where all are drawn.
fn shown_text(drawn: &DrawnConnections, texts: &Texts, layer: usize) -> String {
    match drawn.pairs.get(layer) {
        Some(pair) if pair.shown.len() < pair.total() => {
            let (n, m) = (grouped(pair.shown.len()), grouped(pair.total()));
            texts.with("scene.shown", &[("n", &n), ("m", &m)])
        }
        _ => String::new(),
    }
}

/// What each output stands for; empty where one output tells two classes apart.
fn output_names(problem: &Problem) -> &[String] {
    match (&problem.encoding, &problem.data.task) {
        (Encoding::Binary { .. }, _) => &[],
        (_, Task::Classification { names } | Task::Regression { names }) => names,
    }
}

/// Name and value; a class that is not the most likely one is faint.
fn output_text(training: &Training, unit: usize) -> (String, bool) {
    let column = training.problem.network.layers().len();
    let value_of = |unit| {
        let neuron = Neuron { column, unit };
        neuron_value(training, NeuronValue::Activation, neuron)
    };
    let Some(name) = output_names(&training.problem).get(unit) else {
        return (String::new(), true);
    };
    let Some(value) = value_of(unit) else {
        return (name.clone(), true);
    };
    let best = (0..training.problem.network.outputs())
        .filter_map(value_of)
        .fold(f32::NEG_INFINITY, f32::max);
    let faint = training.problem.data.task.is_classification() && value < best;
    (format!("{name}  {value:.2}"), faint)
}

/// `12345` as `12 345`, with thin spaces, which every language reads.
pub(super) fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push('\u{2009}');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn large_numbers_are_grouped_in_threes() {
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(640), "640");
        assert_eq!(grouped(100_352), "100\u{2009}352");
        assert_eq!(grouped(1_000_000), "1\u{2009}000\u{2009}000");
    }
}
