//! The numbers of an event at the neurons and connections that they belong to, where
//! the network is small enough to be read.

use super::super::chain::ChainShown;
use super::super::format::exact;
use super::super::labels::{Crowded, Label, Plate};
use super::super::state::SceneView;
use super::super::training::Training;
use super::drawn::DrawnConnections;
use super::event::{OfWeight, Quantity, Touched, of_weights, values};
use super::paint::connection_parameter;
use super::parts::{Connection, NetworkPart};
use super::spawn::NetworkLayout;
use crate::train::micro::Micro;
use bevy::prelude::*;
use bevy_egui::egui::Align2;

/// Columns of up to so many units have numbers.
const MOST_UNITS: usize = 10;
/// In networks of more units than this, the event's own columns alone have them.
const MOST_IN_ALL: usize = 24;
/// Layer pairs of up to so many connections have them.
const MOST_CONNECTIONS: usize = 16;
/// Significant digits.
const DIGITS: usize = 4;
/// Where along a connection its number stands: not in the middle, where they cross.
const ALONG: f32 = 0.3;

/// What a number belongs to.
#[derive(Component, Debug, Clone, Copy, PartialEq, Eq)]
#[require(NetworkPart)]
pub(super) enum NumberOf {
    /// A unit of a column.
    Neuron { column: usize, unit: usize },
    /// A connection, from a column.
    Connection {
        connection: Connection,
        column: usize,
    },
}

/// Spawns the labels, without text.
pub(super) fn spawn(commands: &mut Commands, layout: &NetworkLayout, drawn: &DrawnConnections) {
    let mut spawn = |of: NumberOf, at: Vec3, size: f32, rank: u8| {
        let label = Label {
            text: String::new(),
            view: SceneView::Network,
            size,
            anchor: Align2::CENTER_BOTTOM,
            faint: false,
        };
        let crowded = Crowded {
            rank,
            ..Crowded::default()
        };
        let mut spawned = commands.spawn((of, label, crowded, Transform::from_translation(at)));
        if matches!(of, NumberOf::Connection { .. }) {
            spawned.insert(Plate);
        }
    };
    for (column, places) in layout.columns.iter().enumerate() {
        if places.places.len() > MOST_UNITS {
            continue;
        }
        for (unit, &place) in places.places.iter().enumerate() {
            let at = place + 1.3 * places.radius * Vec3::Y;
            spawn(NumberOf::Neuron { column, unit }, at, 15.0, 1);
        }
    }
    for pair in &drawn.pairs {
        if pair.total() > MOST_CONNECTIONS || pair.shown.len() < pair.total() {
            continue;
        }
        for link in (0..pair.total()).filter_map(|index| pair.connections.get(index)) {
            let ends = (
                layout.place(pair.column, link.from),
                layout.place(pair.layer + 1, link.to),
            );
            let (Some(from), Some(to), true) = (ends.0, ends.1, link.parameter.is_some()) else {
                continue;
            };
            let connection = Connection {
                layer: pair.layer,
                source: pair.source,
                from: link.from,
                to: link.to,
            };
            let column = pair.column;
            let of = NumberOf::Connection { connection, column };
            spawn(of, from.lerp(to, ALONG), 13.0, 2);
        }
    }
}

/// Writes them while an iteration is gone through, and nothing else.
pub(super) fn write(
    training: Res<Training>,
    layout: Res<NetworkLayout>,
    mut labels: Query<(&NumberOf, &mut Label, &mut Crowded)>,
    chain: Res<ChainShown>,
    mut was_on: Local<bool>,
) {
    // A path has numbers of its own.
    let micro = training.snapshot.micro.as_ref();
    let micro = micro.filter(|_| chain.0.is_none());
    let changed = training.is_changed() || layout.is_changed() || chain.is_changed();
    if !changed || (micro.is_none() && !*was_on) {
        return;
    }
    *was_on = micro.is_some();
    let network = &training.problem.network;
    let crowd = network.widths().iter().sum::<usize>() > MOST_IN_ALL;
    let touched = micro.map(|micro| Touched::by(network, micro.last()));
    let changes = micro.map(Micro::changes).unwrap_or_default();
    for (of, mut label, mut crowded) in &mut labels {
        let said = micro
            .zip(touched.as_ref())
            .and_then(|(micro, touched)| match *of {
                NumberOf::Neuron { column, unit } => {
                    let (quantity, values) = values(micro, micro.done, column)?;
                    let value = exact(*values.get(unit)?, DIGITS);
                    let is_touched = touched.columns.get(column) == Some(&true);
                    if crowd && !is_touched {
                        return None;
                    }
                    let symbol = symbol(quantity);
                    let long = if symbol.is_empty() {
                        value.clone()
                    } else {
                        format!("{symbol} = {value}")
                    };
                    Some((long, value, !is_touched))
                }
                NumberOf::Connection { connection, column } => {
                    // The bias of a unit belongs to no connection; the update is of all.
                    let is_touched = touched.has(connection.layer, column);
                    let weight = connection_parameter(network, connection)?;
                    let value = |v: f32| exact(v, DIGITS);
                    let text = match of_weights(micro, connection.layer) {
                        OfWeight::Weight => value(micro.trace.before[weight]),
                        OfWeight::Gradient => value(micro.trace.data_gradient[weight]),
                        OfWeight::Change => {
                            let sign = if changes[weight] > 0.0 { "+" } else { "" };
                            format!("{sign}{}", value(changes[weight]))
                        }
                    };
                    is_touched.then(|| (text.clone(), text, false))
                }
            });
        let (long, short, faint) = said.unwrap_or_default();
        if label.text != long || label.faint != faint {
            (label.text, label.faint) = (long, faint);
        }
        if crowded.short != short {
            crowded.short = short;
        }
    }
}

/// How a quantity is written.
fn symbol(quantity: Quantity) -> &'static str {
    match quantity {
        Quantity::Input => "",
        Quantity::Sum => "z",
        Quantity::Activation => "a",
        Quantity::Passed => "∂E/∂a",
        Quantity::Signal => "δ",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_quantity_has_its_own_sign() {
        let all = [
            Quantity::Input,
            Quantity::Sum,
            Quantity::Activation,
            Quantity::Passed,
            Quantity::Signal,
        ];
        let signs: std::collections::HashSet<_> = all.map(symbol).into_iter().collect();
        assert_eq!(signs.len(), all.len());
    }
}
