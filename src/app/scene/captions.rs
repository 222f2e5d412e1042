//! What is written beside the network: captions under the columns, names of
//! inputs and classes, and how many connections of how many are drawn.

use super::super::format::{kind_name, number, shape};
use super::super::labels::{Crowded, Label};
use super::super::state::{NeuronValue, SceneView};
use super::super::text::Texts;
use super::super::training::Training;
use super::drawn::{DrawnConnections, arch_top};
use super::paint::neuron_value;
use super::parts::{NetworkPart, Neuron};
use super::spawn::NetworkLayout;
use super::weight_maps::Folding;
use crate::data::Task;
use crate::nn::{Layer, LayerKind};
use crate::train::micro::Event;
use crate::train::{Encoding, Problem, WatchedPart};
use bevy::prelude::*;
use bevy_egui::egui::Align2;

/// Inputs have their names beside them up to so many.
const NAMED_INPUTS: usize = 10;
/// Outputs, up to so many.
const NAMED_OUTPUTS: usize = 12;
/// How far below its column a caption stands, in world units.
pub(super) const BELOW: f32 = 0.35;

/// What a label of the network says.
#[derive(Component, Debug, Clone, Copy, PartialEq, Eq)]
#[require(NetworkPart)]
pub(super) enum Caption {
    /// What a column is.
    Column(usize),
    /// How many connections of a pair's are drawn.
    Shown(usize),
    /// The name of an input.
    Input(usize),
    /// The name of an output, and its value.
    Output(usize),
}

/// Spawns the labels, still without text.
pub(super) fn spawn_captions(
    commands: &mut Commands,
    layout: &NetworkLayout,
    drawn: &DrawnConnections,
    problem: &Problem,
) {
    let columns = &layout.columns;
    let mut spawn = |caption: Caption, at: Vec3, size: f32, anchor: Align2, faint: bool| {
        let label = Label {
            text: String::new(),
            view: SceneView::Network,
            size,
            anchor,
            faint,
        };
        // Where there is no room for all, the ends of the network come first.
        let rank = match caption {
            Caption::Column(0) => 0,
            Caption::Column(column) if column + 1 == columns.len() => 0,
            Caption::Output(_) | Caption::Input(_) => 1,
            Caption::Column(_) => 2,
            Caption::Shown(_) => 3,
        };
        let crowded = Crowded {
            rank,
            ..Crowded::default()
        };
        commands.spawn((caption, label, crowded, Transform::from_translation(at)));
    };
    for (index, column) in columns.iter().enumerate() {
        let center = column.center();
        let at = Vec3::new(center.x, column.min.y - BELOW, center.z);
        spawn(Caption::Column(index), at, 14.0, Align2::CENTER_TOP, false);
    }
    for (index, pair) in drawn.pairs.iter().enumerate() {
        let (Some(from), Some(to)) = (columns.get(pair.column), columns.get(pair.layer + 1)) else {
            continue;
        };
        let (a, b) = (from.center(), to.center());
        let high = if pair.is_arched() {
            arch_top(layout, pair.column, pair.layer + 1, from.max.y)
        } else {
            from.max.y.max(to.max.y)
        };
        let x = if pair.is_arched() {
            a.x + b.x
        } else {
            from.max.x + to.min.x
        };
        let at = Vec3::new(0.5 * x, high + 0.5 * BELOW, 0.5 * (a.z + b.z));
        spawn(Caption::Shown(index), at, 12.0, Align2::CENTER_BOTTOM, true);
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
    (drawn, folding): (Res<DrawnConnections>, Res<Folding>),
    mut captions: Query<(&Caption, &mut Label, &mut Crowded)>,
) {
    let fixed = texts.is_changed() || layout.is_changed();
    for (caption, mut label, mut crowded) in &mut captions {
        let (text, short, faint) = match *caption {
            Caption::Column(column) if fixed || (column == 0 && training.is_changed()) => {
                let [text, short] = column_text(&training, &layout, &texts, column);
                (text, short, false)
            }
            Caption::Shown(pair) if fixed || drawn.is_changed() || folding.is_changed() => {
                let layer = drawn.pairs.get(pair).map_or(0, |pair| pair.layer);
                let [text, short] = if folding.over(layer) > 0.0 {
                    Default::default()
                } else {
                    shown_text(&drawn, &texts, pair)
                };
                (text, short, true)
            }
            Caption::Input(unit) if fixed => {
                let feature = training.problem.feature_of(unit);
                let name = training.problem.data.feature_names.get(feature);
                let name = name.cloned().unwrap_or_default();
                (name.clone(), name, false)
            }
            Caption::Output(unit) if fixed || training.is_changed() => output_text(&training, unit),
            _ => continue,
        };
        if label.text != text || label.faint != faint {
            label.text = text;
            label.faint = faint;
        }
        if crowded.short != short {
            crowded.short = short;
        }
    }
}

/// What a column is, at length and in short.
pub(super) fn column_text(
    training: &Training,
    layout: &NetworkLayout,
    texts: &Texts,
    column: usize,
) -> [String; 2] {
    let network = &training.problem.network;
    let shown = layout.columns.get(column).map_or(0, |c| c.places.len());
    let Some(layer) = column.checked_sub(1) else {
        let shape = network.input_shape();
        let size = match (shape.is_flat(), shape.channels) {
            (true, values) => grouped(values),
            (_, 0 | 1) => format!("{} × {}", shape.width, shape.height),
            (_, channels) => format!("{} × {} × {channels}", shape.width, shape.height),
        };
        let text = texts.with("scene.input", &[("n", &size)]);
        let text = with_hidden(text, texts, shown, shape.size());
        // Nobody shall take it for one of the data.
        if training.snapshot.probe.watched.part == WatchedPart::Maximised {
            let maximised = texts.get("scene.maximised");
            return [format!("{text}\n{maximised}"), maximised.to_owned()];
        }
        return [text, size];
    };
    let layers = network.layers();
    let Some(this) = layers.get(layer) else {
        return Default::default();
    };
    let (n, activation) = (grouped(this.outputs()), this.activation());
    let text = if column == layers.len() {
        texts.with("scene.output", &[("n", &n), ("activation", &activation)])
    } else if network.is_dense_chain() {
        let values: [(&str, &dyn std::fmt::Display); 3] =
            [("k", &column), ("n", &n), ("activation", &activation)];
        texts.with("scene.hidden", &values)
    } else {
        format!("{}\n{}", kind_text(texts, this), size_text(this))
    };
    let short = if column == layers.len() {
        n
    } else if matches!(this.kind(), LayerKind::Dense { .. }) {
        texts.with("scene.hidden_short", &[("k", &column)])
    } else {
        kind_text(texts, this)
    };
    [with_hidden(text, texts, shown, this.outputs()), short]
}

/// A layer's kind with the number that matters: `conv 5×5`.
fn kind_text(texts: &Texts, layer: &Layer) -> String {
    let name = kind_name(texts, layer.kind().name());
    let pair = |[a, b]: [usize; 2]| format!("{name} {a}×{b}");
    match layer.kind() {
        LayerKind::Conv(conv) => pair(conv.kernel),
        LayerKind::MaxPool(pool) | LayerKind::AvgPool(pool) => pair(pool.size),
        LayerKind::Dropout { rate } => format!("{name} {rate}"),
        _ => name,
    }
}

/// Units, or feature maps and their size, and the activation where there is
/// one: `6@28×28 relu`.
fn size_text(layer: &Layer) -> String {
    let size = shape(layer.output_shape());
    match layer.activation() {
        crate::nn::Activation::Linear => size,
        activation => format!("{size} {activation}"),
    }
}

/// Says where not every unit is shown.
fn with_hidden(text: String, texts: &Texts, shown: usize, all: usize) -> String {
    if shown >= all {
        return text;
    }
    let (n, m) = (grouped(shown), grouped(all));
    format!(
        "{text}\n{}",
        texts.with("scene.shown", &[("n", &n), ("m", &m)])
    )
}

/// Nothing where all are drawn.
fn shown_text(drawn: &DrawnConnections, texts: &Texts, pair: usize) -> [String; 2] {
    match drawn.pairs.get(pair) {
        Some(pair) if pair.shown.len() < pair.total() => {
            let (n, m) = (grouped(pair.shown.len()), grouped(pair.total()));
            [
                texts.with("scene.shown", &[("n", &n), ("m", &m)]),
                format!("{n} / {m}"),
            ]
        }
        _ => Default::default(),
    }
}

/// What each output stands for; empty where one output tells two classes apart.
fn output_names(problem: &Problem) -> &[String] {
    match (&problem.encoding, &problem.data.task) {
        (Encoding::Binary { .. }, _) => &[],
        (_, Task::Classification { names } | Task::Regression { names }) => names,
    }
}

/// Name and value, in short the name; a class that is not the most likely one is
/// faint.
fn output_text(training: &Training, unit: usize) -> (String, String, bool) {
    let column = training.problem.network.layers().len();
    let value_of = |unit| {
        let neuron = Neuron { column, unit };
        neuron_value(training, NeuronValue::Activation, neuron)
    };
    let Some(name) = output_names(&training.problem).get(unit) else {
        return (String::new(), String::new(), true);
    };
    // Event by event the answer is not known before it has been computed.
    let events = training.snapshot.micro.as_ref();
    let is_known = events.is_none_or(|micro| micro.has(Event::Loss));
    let Some(value) = value_of(unit).filter(|_| is_known) else {
        return (name.clone(), name.clone(), true);
    };
    let best = (0..training.problem.network.outputs())
        .filter_map(value_of)
        .fold(f32::NEG_INFINITY, f32::max);
    let faint = training.problem.data.task.is_classification() && value < best;
    (
        format!("{name}  {}", value_text(value)),
        name.clone(),
        faint,
    )
}

/// Two decimals, and no more than five digits in front of them.
fn value_text(value: f32) -> String {
    if value.abs() < 1e5 {
        format!("{value:.2}")
    } else {
        number(value.into(), 3)
    }
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
    use super::{grouped, value_text};

    #[test]
    fn values_that_ran_away_stay_short() {
        assert_eq!(value_text(0.123), "0.12");
        assert_eq!(value_text(-3.0), "-3.00");
        assert_eq!(value_text(1.234e30), "1.23e30");
        assert_eq!(value_text(f32::NAN), "–");
        assert_eq!(value_text(f32::NEG_INFINITY), "−∞");
    }

    #[test]
    fn large_numbers_are_grouped_in_threes() {
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(640), "640");
        assert_eq!(grouped(100_352), "100\u{2009}352");
        assert_eq!(grouped(1_000_000), "1\u{2009}000\u{2009}000");
    }
}
