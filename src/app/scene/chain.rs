//! The chain rule as a path through the network: from the loss to one parameter,
//! with each factor where it belongs.

use super::super::chain::ChainShown;
use super::super::format::exact;
use super::super::labels::{Crowded, Label, Plate};
use super::super::presenter::Motion;
use super::super::state::SceneView;
use super::paint::Colors;
use super::parts::{Connection, Ends, NetworkPart, Neuron, Standing};
use super::pulses::Pulse;
use super::spawn::NetworkLayout;
use crate::train::micro::{Chain, ChainFactor, Derivative};
use bevy::prelude::*;
use bevy::window::RequestRedraw;
use bevy_egui::egui::Align2;

/// Significant digits.
const DIGITS: usize = 4;
/// Dots along each connection, and their radius as a share of the units' at its ends.
const DOTS: usize = 16;
const DOT: f32 = 0.16;
/// The one that runs, how long it takes from the loss to the parameter, in seconds,
/// and how much of the way it lights.
const RUNNER: f32 = 0.42;
const LASTS: f32 = 2.6;
const TAIL: f32 = 0.12;

/// The number of a station of the path: of a unit or of a connection, whichever is
/// the k-th on the way.
#[derive(Component, Debug, Clone, Copy, PartialEq, Eq)]
#[require(NetworkPart)]
pub(super) struct Station(usize);

/// How what is on the path stands out.
pub(super) struct OnPath<'a>(pub(super) &'a Chain);

impl OnPath<'_> {
    pub(super) fn neuron(&self, neuron: &Neuron) -> Standing {
        let this = (neuron.column, neuron.unit);
        let mut others = self.0.others.iter();
        if self.0.units.contains(&this) {
            Standing::Raised
        } else if others.any(|(units, _)| units.contains(&this)) {
            Standing::Plain
        } else {
            Standing::Receded
        }
    }

    pub(super) fn connection(&self, this: &Connection) -> Standing {
        let mut on_path = self.0.connections();
        if on_path.any(|at| at == (this.layer, this.source, this.from, this.to)) {
            Standing::Raised
        } else {
            Standing::Receded
        }
    }
}

/// Spawns labels, without text, for the longest way that there can be.
pub(super) fn spawn(commands: &mut Commands, layout: &NetworkLayout) {
    for station in 0..3 * layout.columns.len() {
        let label = Label {
            text: String::new(),
            view: SceneView::Network,
            size: 17.0,
            anchor: Align2::CENTER_BOTTOM,
            faint: false,
        };
        let crowded = Crowded {
            rank: 0,
            ..Crowded::default()
        };
        commands.spawn((
            Station(station),
            label,
            crowded,
            Plate,
            Transform::default(),
        ));
    }
}

/// What a factor is called in the scene, and its number.
fn said(factor: &ChainFactor) -> String {
    let name = match factor.of {
        Derivative::LossByActivation { .. } => "∂E/∂a",
        Derivative::LossBySum { .. } => "∂E/∂z",
        Derivative::Slope { .. } => "∂a/∂z",
        Derivative::Connection { .. } => "∂z/∂a",
        Derivative::Value { .. } => "∂z/∂w",
        Derivative::One => "∂z/∂b",
    };
    format!("{name} = {}", exact(factor.value as f32, DIGITS))
}

/// The stations of a path: where, and the factors there.
fn stations(chain: &Chain, layout: &NetworkLayout, ways: &[Option<Ends>]) -> Vec<(Vec3, String)> {
    let mut passed = 0;
    let mut all: Vec<(Vec3, String)> = Vec::new();
    let mut last_unit = None;
    for factor in &chain.factors {
        let (at, unit) = match factor.of {
            Derivative::LossByActivation { column, unit }
            | Derivative::LossBySum { column, unit }
            | Derivative::Slope { column, unit }
            | Derivative::Value { column, unit } => {
                let radius = layout.columns.get(column).map_or(0.0, |c| c.radius);
                let place = layout.place(column, unit);
                (
                    place.map(|p| p + 1.35 * radius * Vec3::Y),
                    Some((column, unit)),
                )
            }
            Derivative::Connection { .. } => {
                let way = ways.get(passed).copied().flatten();
                passed += 1;
                (way.map(|ends| ends.at(0.5)), None)
            }
            Derivative::One => {
                let unit = chain.units.last().copied();
                let place = unit.and_then(|(column, unit)| layout.place(column, unit));
                (place, unit)
            }
        };
        let Some(at) = at else { continue };
        match all.last_mut() {
            // Factors of one unit stand one above the other.
            Some((_, text)) if unit.is_some() && unit == last_unit => {
                text.push('\n');
                text.push_str(&said(factor));
            }
            _ => all.push((at, said(factor))),
        }
        last_unit = unit;
    }
    all
}

/// Writes the numbers of the path that is shown.
pub(super) fn write(
    chain: Res<ChainShown>,
    layout: Res<NetworkLayout>,
    connections: Query<(&Connection, &Ends)>,
    mut labels: Query<(&Station, &mut Label, &mut Crowded, &mut Transform)>,
) {
    if !(chain.is_changed() || layout.is_changed()) {
        return;
    }
    let stations = chain.0.as_ref().map(|chain| {
        let drawn = connections.iter().map(|(this, ends)| (*this, *ends));
        stations(chain, &layout, &ways(chain, &layout, drawn))
    });
    let stations = stations.unwrap_or_default();
    for (station, mut label, mut crowded, mut place) in &mut labels {
        let (at, text) = stations.get(station.0).cloned().unwrap_or_default();
        let numbers = text.lines().filter_map(|line| line.rsplit(" = ").next());
        let numbers = numbers.collect::<Vec<_>>().join("\n");
        if crowded.short != numbers {
            crowded.short = numbers;
        }
        if label.text != text {
            label.text = text;
        }
        if place.translation != at {
            place.translation = at;
        }
    }
}

/// Where the connections of a path lie, from the loss to the parameter; those that are
/// not drawn go straight.
pub(super) fn ways(
    chain: &Chain,
    layout: &NetworkLayout,
    drawn: impl Iterator<Item = (Connection, Ends)>,
) -> Vec<Option<Ends>> {
    let all: Vec<_> = chain.connections().collect();
    let mut ways: Vec<Option<Ends>> = chain
        .units
        .windows(2)
        .map(|pair| {
            let place = |(column, unit): (usize, usize)| layout.place(column, unit);
            Some(Ends {
                from: place(pair[1])?,
                to: place(pair[0])?,
                lift: 0.0,
            })
        })
        .collect();
    for (this, ends) in drawn {
        let of = (this.layer, this.source, this.from, this.to);
        let way = all.iter().position(|at| *at == of);
        if let Some(way) = way.and_then(|at| ways.get_mut(at)) {
            *way = Some(ends);
        }
    }
    ways
}

/// The path as dots, and one that runs along it from the loss to the parameter; at
/// `time` in seconds, or without a runner.
pub(super) fn dots(
    chain: &Chain,
    layout: &NetworkLayout,
    ways: &[Option<Ends>],
    colors: &Colors,
    time: Option<f32>,
) -> Vec<Pulse> {
    let radius = |column: usize| layout.columns.get(column).map_or(0.0, |c| c.radius);
    let n = ways.len() as f32;
    let runs = time.map(|time| (time / LASTS).fract() * (1.0 + TAIL));
    let mut all = Vec::new();
    for (k, (pair, ends)) in chain.units.windows(2).zip(ways).enumerate() {
        let Some(ends) = ends else { continue };
        let least = radius(pair[0].0).min(radius(pair[1].0)).max(0.06);
        for dot in 0..DOTS {
            let t = (dot as f32 + 0.5) / DOTS as f32;
            let behind = runs.map(|runs| runs - (k as f32 + t) / n);
            let lit = behind.map_or(0.0, |behind| match behind < 0.0 {
                true => 0.0,
                false => (1.0 - behind / TAIL).max(0.0),
            });
            all.push(Pulse {
                place: ends.at(1.0 - t),
                radius: least * (DOT + (RUNNER - DOT) * lit * lit),
                tint: colors.accent,
            });
        }
    }
    // The other ways, where they are few, in smaller dots.
    for (units, _) in &chain.others {
        for pair in units.windows(2) {
            let place = |(column, unit): (usize, usize)| layout.place(column, unit);
            let (Some(from), Some(to)) = (place(pair[0]), place(pair[1])) else {
                continue;
            };
            let least = radius(pair[0].0).min(radius(pair[1].0)).max(0.06);
            all.extend((0..DOTS).map(|dot| Pulse {
                place: from.lerp(to, (dot as f32 + 0.5) / DOTS as f32),
                radius: 0.6 * DOT * least,
                tint: colors.other_way(),
            }));
        }
    }
    all
}

/// While a dot runs, frames have to come.
pub(super) fn keep_running(
    chain: Res<ChainShown>,
    motion: Res<Motion>,
    redraw: Option<ResMut<Messages<RequestRedraw>>>,
) {
    if let Some(mut redraw) = redraw.filter(|_| chain.0.is_some() && !motion.reduced) {
        redraw.write(RequestRedraw);
    }
}
