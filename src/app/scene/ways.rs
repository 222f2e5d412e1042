//! The strongest ways of an answer through the network: what lies on them stands out,
//! ribbons as thick and as bright as what comes by them, with numbers at the stations of
//! the strongest.

use super::super::format::signed;
use super::super::labels::{Crowded, Label, Plate};
use super::super::presenter::Motion;
use super::super::state::SceneView;
use super::super::theme::{Theme, linear};
use super::super::ways::{LitWays, WaysShown};
use super::paint::Colors;
use super::parts::{Connection, Ends, NetworkPart, Neuron, Outline, Shape, Standing};
use super::pulses::Pulse;
use super::spawn::NetworkLayout;
use bevy::prelude::*;
use bevy::window::RequestRedraw;
use bevy_egui::egui::Align2;
use std::collections::HashMap;

/// Significant digits.
const DIGITS: usize = 3;
/// How long the dot takes from the sample to the answer, in seconds.
const LASTS: f32 = 2.4;
/// The radius of that dot, and of those that stand for a connection that is not drawn, as
/// shares of the units' radius.
const RUNNER: f32 = 0.42;
const DOT: f32 = 0.14;
/// Dots along a connection that is not drawn.
const DOTS: usize = 16;

/// The number at the k-th unit of the strongest way.
#[derive(Component, Debug, Clone, Copy, PartialEq, Eq)]
#[require(NetworkPart)]
pub(super) struct WayStation(usize);

/// How what is on the ways stands out.
pub(super) struct OnWays<'a>(pub(super) &'a LitWays);

impl OnWays<'_> {
    /// The cells of an image stay as they are, or the sample could not be seen any more.
    pub(super) fn neuron(&self, neuron: &Neuron, shape: Shape) -> Standing {
        match self.0.unit(neuron.column, neuron.unit) {
            Some(_) => Standing::Raised,
            None if neuron.column == 0 && shape == Shape::Cell => Standing::Plain,
            None => Standing::Receded,
        }
    }

    /// A ring around what the strongest way passes.
    pub(super) fn outline(&self, neuron: &Neuron, theme: Theme) -> Option<Outline> {
        let strongest = &self.0.ways.first()?.units;
        let passed = strongest.contains(&(neuron.column, neuron.unit));
        passed.then(|| Outline(linear(theme.palette().accent)))
    }

    pub(super) fn connection(&self, this: &Connection) -> Standing {
        match self.0.link(link(this)) {
            Some(_) => Standing::Raised,
            None => Standing::Receded,
        }
    }
}

pub(super) fn link(this: &Connection) -> (usize, usize, usize, usize) {
    (this.layer, this.source, this.from, this.to)
}

/// Spawns labels, without text, for the longest way that there can be.
pub(super) fn spawn(commands: &mut Commands, layout: &NetworkLayout) {
    for station in 0..layout.columns.len() {
        let label = Label {
            text: String::new(),
            view: SceneView::Network,
            size: 17.0,
            anchor: Align2::CENTER_BOTTOM,
            faint: false,
        };
        let crowded = Crowded::default();
        commands.spawn((
            WayStation(station),
            label,
            crowded,
            Plate,
            Transform::default(),
        ));
    }
}

/// Writes the numbers at the stations of the strongest way.
pub(super) fn write(
    ways: Res<WaysShown>,
    layout: Res<NetworkLayout>,
    mut labels: Query<(&WayStation, &mut Label, &mut Crowded, &mut Transform)>,
) {
    if !(ways.is_changed() || layout.is_changed()) {
        return;
    }
    for (station, mut label, mut crowded, mut place) in &mut labels {
        let stations = ways.0.as_ref().map_or(&[][..], |ways| &ways.stations);
        let this = stations.get(station.0).and_then(|&(column, unit, value)| {
            let radius = layout.columns.get(column)?.radius;
            let at = layout.place(column, unit)? + 1.4 * radius * Vec3::Y;
            Some((at, signed(value, DIGITS)))
        });
        let (at, text) = this.unwrap_or_default();
        if label.text != text {
            crowded.short.clone_from(&text);
            label.text = text;
        }
        if place.translation != at {
            place.translation = at;
        }
    }
}

/// Dots where a connection of a way is not drawn, and one that runs along the strongest
/// from the sample to the answer; at `time` in seconds, or without a runner.
pub(super) fn dots(
    ways: &LitWays,
    layout: &NetworkLayout,
    drawn: impl Iterator<Item = (Connection, Ends)>,
    colors: &Colors,
    time: Option<f32>,
) -> Vec<Pulse> {
    let drawn: HashMap<_, Ends> = drawn
        .filter(|(this, _)| ways.link(link(this)).is_some())
        .map(|(this, ends)| (link(&this), ends))
        .collect();
    let radius = |column: usize| layout.columns.get(column).map_or(0.0, |c| c.radius);
    let mut all = Vec::new();
    for (rank, way) in ways.ways.iter().enumerate() {
        let runs = time.filter(|_| rank == 0);
        let runs = runs.map(|time| (time / LASTS).fract() * way.links.len() as f32);
        for (k, (of, pair)) in way.links.iter().zip(way.units.windows(2)).enumerate() {
            let this = (of.layer, of.source, of.from, of.to);
            let place = |(column, unit): (usize, usize)| layout.place(column, unit);
            let (Some(from), Some(to)) = (place(pair[0]), place(pair[1])) else {
                continue;
            };
            let lift = 0.0;
            let straight = Ends { from, to, lift };
            let ends = drawn.get(&this).copied();
            let least = radius(pair[0].0).min(radius(pair[1].0)).max(0.06);
            let share = ways.link(this).unwrap_or(0.0) as f32;
            if ends.is_none() {
                all.extend((0..DOTS).map(|dot| Pulse {
                    place: straight.at((dot as f32 + 0.5) / DOTS as f32),
                    radius: least * DOT * (0.5 + share.abs()),
                    tint: colors.pulse(share),
                }));
            }
            let along = runs.map(|runs| runs - k as f32);
            if let Some(t) = along.filter(|t| (0.0..1.0).contains(t)) {
                all.push(Pulse {
                    place: ends.unwrap_or(straight).at(t),
                    radius: least * RUNNER,
                    tint: colors.accent,
                });
            }
        }
    }
    all
}

/// While a dot runs, frames have to come.
pub(super) fn keep_running(
    ways: Res<WaysShown>,
    motion: Res<Motion>,
    redraw: Option<ResMut<Messages<RequestRedraw>>>,
) {
    if let Some(mut redraw) = redraw.filter(|_| ways.0.is_some() && !motion.reduced) {
        redraw.write(RequestRedraw);
    }
}
