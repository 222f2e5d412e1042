//! What travels through the network in an event: along each connection a pulse, in
//! the direction of the data or of the error, as large as what it carries and in
//! the colour of its sign.

use super::super::chain::ChainShown;
use super::super::micro::Playing;
use super::super::presenter::Motion;
use super::super::training::Training;
use super::super::ways::WaysShown;
use super::chain;
use super::drawn::DrawnConnections;
use super::event::Touched;
use super::paint::Colors;
use super::parts::{Connection, Ends, Learnt, NetworkPart};
use super::spawn::NetworkLayout;
use super::ways;
use crate::train::Snapshot;
use crate::train::micro::{Event, Micro};
use bevy::prelude::*;

/// A pulse on its way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pulse {
    /// Where it is.
    pub place: Vec3,
    /// Its radius, in world units.
    pub radius: f32,
    /// Its colour, in linear light.
    pub tint: LinearRgba,
}

/// All pulses on their way.
#[derive(Component, Debug, Clone, PartialEq, Default)]
#[require(NetworkPart)]
pub struct Pulses(pub Vec<Pulse>);

/// At most so many, the strongest.
const MOST: usize = 1500;
/// The largest as a share of the smaller radius of the columns at both ends, and the
/// smallest as a share of the largest.
const LARGEST: f32 = 0.62;
const SMALLEST: f32 = 0.22;
/// The share of the time at both ends in which a pulse grows and shrinks.
const EDGE: f32 = 0.12;

pub(super) fn spawn(commands: &mut Commands) {
    commands.spawn(Pulses::default());
}

/// How an event's pulses go: where along the connection at a time, from its beginning
/// (0) to its end (1).
fn along(event: Event, t: f32) -> Option<f32> {
    match event {
        Event::Sum { .. } => Some((t / 0.8).min(1.0)),
        Event::PassBack { .. } => Some(1.0 - (t / 0.8).min(1.0)),
        // What meets in a weight.
        Event::Gradient { .. } | Event::Update => Some(0.5),
        _ => None,
    }
}

/// How large a pulse is at a time, as a share.
fn swell(event: Event, t: f32) -> f32 {
    let ends = match event {
        Event::Sum { .. } | Event::PassBack { .. } => {
            let t = (t / 0.8).min(1.0);
            (t / EDGE).min((1.0 - t) / EDGE)
        }
        _ => (std::f32::consts::PI * t).sin(),
    };
    ends.clamp(0.0, 1.0)
}

/// A sample's way through the network, in an iteration or outside of one.
struct Passing<'a> {
    params: &'a [f32],
    input: &'a [f32],
    a: &'a [Vec<f32>],
    delta: &'a [Vec<f32>],
    gradient: &'a [f32],
}

impl<'a> Passing<'a> {
    fn of(snapshot: &'a Snapshot) -> Self {
        match &snapshot.micro {
            Some(micro) => {
                let trace = &micro.trace;
                Passing {
                    params: &trace.before,
                    input: &trace.sample.input,
                    a: &trace.sample.a,
                    delta: &trace.sample.delta,
                    gradient: &trace.data_gradient,
                }
            }
            None => Passing {
                params: &snapshot.params,
                input: &snapshot.probe.input,
                a: &snapshot.probe.a,
                delta: &snapshot.probe.delta,
                gradient: &snapshot.gradient,
            },
        }
    }
}

/// What the event carries along a connection of `layer` from a unit of `column` to
/// one of its own.
fn carried(
    of: &Passing<'_>,
    event: Event,
    changes: &[f32],
    (layer, column): (usize, usize),
    (from, to): (usize, usize),
    weight: Option<usize>,
) -> f32 {
    // Without a weight the value goes on as it is.
    let factor = weight.map_or(1.0, |weight| of.params[weight]);
    let at = |values: &[f32], unit: usize| values.get(unit).copied().unwrap_or(0.0);
    let below = || match column.checked_sub(1) {
        None => at(of.input, from),
        Some(below) => at(&of.a[below], from),
    };
    match event {
        Event::Sum { .. } => factor * below(),
        Event::PassBack { .. } => factor * at(&of.delta[layer], to),
        Event::Gradient { .. } => weight.map_or(0.0, |weight| at(of.gradient, weight)),
        Event::Update => weight.map_or(0.0, |weight| at(changes, weight)),
        _ => 0.0,
    }
}

pub(super) fn place(
    training: Res<Training>,
    playing: Res<Playing>,
    layout: Res<NetworkLayout>,
    drawn: Res<DrawnConnections>,
    colors: Res<Colors>,
    connections: Query<(&Connection, &Learnt, &Ends)>,
    mut pulses: Query<&mut Pulses>,
    (chain, lit, motion, time): (
        Res<ChainShown>,
        Res<WaysShown>,
        Res<Motion>,
        Option<Res<Time>>,
    ),
) {
    let Ok(mut pulses) = pulses.single_mut() else {
        return;
    };
    if let Some(chain) = &chain.0 {
        let time = time.filter(|_| !motion.reduced).map(|t| t.elapsed_secs());
        let drawn = connections.iter().map(|(this, _, ends)| (*this, *ends));
        let ways = chain::ways(chain, &layout, drawn);
        let dots = chain::dots(chain, &layout, &ways, &colors, time);
        if pulses.0 != dots {
            pulses.0 = dots;
        }
        return;
    }
    let micro = training.snapshot.micro.as_ref();
    let now = playing.event.filter(|_| playing.t < 1.0);
    let moving = now.and_then(|event| Some((event, along(event, playing.t)?)));
    let Some((event, along)) = moving else {
        if let Some(lit) = lit.0.as_ref().filter(|_| micro.is_none()) {
            let time = time.filter(|_| !motion.reduced).map(|t| t.elapsed_secs());
            let drawn = connections.iter().map(|(this, _, ends)| (*this, *ends));
            let dots = ways::dots(lit, &layout, drawn, &colors, time);
            if pulses.0 != dots {
                pulses.0 = dots;
            }
            return;
        }
        if !pulses.0.is_empty() {
            pulses.0.clear();
        }
        return;
    };
    let network = &training.problem.network;
    let touched = Touched::by(network, Some(event));
    let changes = match event {
        Event::Update => micro.map(Micro::changes).unwrap_or_default(),
        _ => Vec::new(),
    };
    let passing = Passing::of(&training.snapshot);
    let radius = |column: usize| layout.columns.get(column).map_or(0.0, |c| c.radius);
    let mut all: Vec<(f32, Vec3, f32)> = Vec::new();
    for (connection, learnt, ends) in &connections {
        let layer = connection.layer;
        let pair = drawn.pair_of(connection).and_then(|at| drawn.pairs.get(at));
        let Some(column) = pair.map(|pair| pair.column) else {
            continue;
        };
        if !touched.has(layer, column) {
            continue;
        }
        let units = (connection.from, connection.to);
        let value = carried(&passing, event, &changes, (layer, column), units, learnt.0);
        if value != 0.0 && value.is_finite() {
            let least = radius(column).min(radius(layer + 1)).max(0.06);
            all.push((value, ends.at(along), least));
        }
    }
    all.sort_by(|a, b| b.0.abs().total_cmp(&a.0.abs()));
    all.truncate(MOST);
    let most = all.first().map_or(1.0, |(value, ..)| value.abs());
    let swell = swell(event, playing.t);
    let pulse = |&(value, place, least): &(f32, Vec3, f32)| {
        let share = value / most;
        let size = SMALLEST + (1.0 - SMALLEST) * share.abs().sqrt();
        Pulse {
            place,
            radius: LARGEST * least * size * swell,
            tint: colors.pulse(share),
        }
    };
    pulses.0 = all.iter().map(pulse).collect();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pulses_go_with_the_data_and_come_back_with_the_error() {
        let sum = Event::Sum { layer: 0 };
        let back = Event::PassBack { layer: 0 };
        assert_eq!(along(sum, 0.0), Some(0.0));
        assert_eq!(along(sum, 0.4), Some(0.5));
        assert_eq!(along(sum, 0.9), Some(1.0));
        assert_eq!(along(back, 0.0), Some(1.0));
        assert_eq!(along(back, 0.9), Some(0.0));
        assert_eq!(along(Event::Loss, 0.5), None);
        assert_eq!(
            (swell(sum, 0.0), swell(sum, 0.4), swell(sum, 0.8)),
            (0.0, 1.0, 0.0)
        );
    }
}
