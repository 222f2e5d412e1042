//! Lays out the network when another takes its place: the only spawning of
//! neurons and labels.

use super::super::state::{NetworkBounds, NetworkView};
use super::super::training::{NetworkReplaced, Training};
use super::drawn::{self, DrawnConnections, arch_top};
use super::layout::{Column, lay_out, plans};
use super::paint::Scales;
use super::parts::{NetworkPart, Neuron, Shape, Slot};
use super::{captions, chain, numbers, pulses, ways};
use bevy::prelude::*;

/// Where the columns of the network on screen stand, the inputs first.
#[derive(Resource, Debug, Clone, Default)]
pub struct NetworkLayout {
    /// One column for the inputs and one for each layer.
    pub columns: Vec<Column>,
}

impl NetworkLayout {
    /// The place of a neuron, where there is one.
    pub fn place(&self, column: usize, unit: usize) -> Option<Vec3> {
        self.columns.get(column)?.places.get(unit).copied()
    }

    /// Whether the inputs are shown as the pixels of an image.
    pub fn shows_image(&self) -> bool {
        let first = self.columns.first();
        first.is_some_and(|column| column.arrangement.has_cells())
    }
}

/// Room for what is written beside and below the columns, in world units.
const MARGIN: Vec3 = Vec3::new(1.2, 1.1, 0.2);

/// Despawns the network that was shown and spawns the one that `Training` holds.
pub(super) fn lay_out_network(
    _: On<NetworkReplaced>,
    mut commands: Commands,
    training: Res<Training>,
    view: Res<NetworkView>,
    old: Query<Entity, With<NetworkPart>>,
    mut layout: ResMut<NetworkLayout>,
    mut bounds: ResMut<NetworkBounds>,
    mut drawn: ResMut<DrawnConnections>,
    mut scales: ResMut<Scales>,
) {
    old.iter()
        .for_each(|entity| commands.entity(entity).despawn());
    let problem = &training.problem;
    let pixels = problem.data.image.filter(|_| !problem.is_channels_first());
    layout.columns = lay_out(&plans(problem), pixels);
    *scales = Scales::for_problem(problem, layout.shows_image());

    let mut slot = 0;
    for (column, places) in layout.columns.iter().enumerate() {
        let shape = if places.arrangement.has_cells() {
            Shape::Cell
        } else {
            Shape::Ball
        };
        for (unit, &place) in places.places.iter().enumerate() {
            commands.spawn((
                Neuron { column, unit },
                Slot(slot),
                shape,
                Transform::from_translation(place).with_scale(Vec3::splat(places.radius)),
            ));
            slot += 1;
        }
    }
    *drawn = DrawnConnections::choose(&training, &layout, view.connection_budget, None, None);
    *bounds = bounds_of(&layout.columns);
    for pair in drawn.pairs.iter().filter(|pair| pair.is_arched()) {
        let begin = layout
            .columns
            .get(pair.column)
            .map_or(0.0, |column| column.max.y);
        let top = arch_top(&layout, pair.column, pair.layer + 1, begin) + 0.2 * MARGIN.y;
        bounds.max.y = bounds.max.y.max(top);
    }
    drawn::spawn_connections(&mut commands, &drawn, &layout);
    captions::spawn_captions(&mut commands, &layout, &drawn, problem);
    pulses::spawn(&mut commands);
    numbers::spawn(&mut commands, &layout, &drawn);
    chain::spawn(&mut commands, &layout);
    ways::spawn(&mut commands, &layout);
}

fn bounds_of(columns: &[Column]) -> NetworkBounds {
    let (min, max) = columns.iter().fold(
        (Vec3::INFINITY, Vec3::NEG_INFINITY),
        |(min, max), column| (min.min(column.min), max.max(column.max)),
    );
    if min.x > max.x {
        return NetworkBounds::default();
    }
    NetworkBounds {
        min: min - MARGIN,
        max: max + MARGIN * Vec3::new(1.0, 0.2, 1.0),
    }
}
