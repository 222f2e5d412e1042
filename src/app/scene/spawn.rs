//! Lays out the network when another takes its place: the only spawning of
//! neurons and labels.

use super::super::state::{NetworkBounds, NetworkView};
use super::super::training::{NetworkReplaced, Training};
use super::drawn::{self, DrawnConnections, arch_top};
use super::layout::{Column, lay_out_with, plans};
use super::paint::Scales;
use super::parts::{NetworkPart, Neuron, Shape, Slot};
use super::weight_maps::Folding;
use super::{captions, chain, map_places, numbers, pulses, ways};
use bevy::ecs::system::SystemParam;
use bevy::prelude::*;

/// Where the columns of the network on screen stand, the inputs first.
#[derive(Resource, Debug, Clone, Default)]
pub struct NetworkLayout {
    /// One column for the inputs and one for each layer.
    pub columns: Vec<Column>,
    /// Whether columns stand apart, with maps of weights between them.
    pub(super) spread: bool,
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

/// What laying out needs and writes.
#[derive(SystemParam)]
pub(super) struct LayingOut<'w, 's> {
    commands: Commands<'w, 's>,
    training: Res<'w, Training>,
    view: Res<'w, NetworkView>,
    old: Query<'w, 's, Entity, With<NetworkPart>>,
    layout: ResMut<'w, NetworkLayout>,
    bounds: ResMut<'w, NetworkBounds>,
    drawn: ResMut<'w, DrawnConnections>,
    scales: ResMut<'w, Scales>,
}

/// Despawns the network that was shown and spawns the one that `Training` holds.
pub(super) fn lay_out_network(_: On<NetworkReplaced>, mut parts: LayingOut) {
    let spread = parts.view.maps;
    parts.lay_out(spread);
}

/// Moves the columns apart before maps of weights are folded out between them, and
/// together again once they are folded in.
pub(super) fn make_room(mut parts: LayingOut, folding: Res<Folding>) {
    let wanted = parts.view.maps || folding.is_out();
    if parts.layout.spread != wanted && !parts.layout.columns.is_empty() {
        parts.lay_out(wanted);
    }
}

impl LayingOut<'_, '_> {
    fn lay_out(&mut self, spread: bool) {
        let (commands, training) = (&mut self.commands, &self.training);
        let (layout, drawn) = (&mut *self.layout, &mut *self.drawn);
        self.old
            .iter()
            .for_each(|entity| commands.entity(entity).despawn());
        let problem = &training.problem;
        let pixels = problem.data.image.filter(|_| !problem.is_channels_first());
        let room = if spread {
            map_places::room(problem)
        } else {
            Vec::new()
        };
        layout.columns = lay_out_with(&plans(problem), pixels, &room);
        layout.spread = spread;
        *self.scales = Scales::for_problem(problem, layout.shows_image());

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
        *drawn =
            DrawnConnections::choose(training, layout, self.view.connection_budget, None, None);
        let bounds = &mut *self.bounds;
        *bounds = bounds_of(layout, drawn);
        if spread && let Some([low, high]) = map_places::reach(problem, layout) {
            bounds.min.y = bounds.min.y.min(low);
            bounds.max.y = bounds.max.y.max(high);
        }
        drawn::spawn_connections(commands, drawn, layout);
        captions::spawn_captions(commands, layout, drawn, problem);
        pulses::spawn(commands);
        numbers::spawn(commands, layout, drawn);
        chain::spawn(commands, layout);
        ways::spawn(commands, layout);
    }
}

/// The box around a network and what is written beside it.
pub(super) fn bounds_of(layout: &NetworkLayout, drawn: &DrawnConnections) -> NetworkBounds {
    let (min, max) = layout.columns.iter().fold(
        (Vec3::INFINITY, Vec3::NEG_INFINITY),
        |(min, max), column| (min.min(column.min), max.max(column.max)),
    );
    if min.x > max.x {
        return NetworkBounds::default();
    }
    let mut bounds = NetworkBounds {
        min: min - MARGIN,
        max: max + MARGIN * Vec3::new(1.0, 0.2, 1.0),
    };
    for pair in drawn.pairs.iter().filter(|pair| pair.is_arched()) {
        let begin = layout.columns.get(pair.column);
        let begin = begin.map_or(0.0, |column| column.max.y);
        let top = arch_top(layout, pair.column, pair.layer + 1, begin) + 0.2 * MARGIN.y;
        bounds.max.y = bounds.max.y.max(top);
    }
    bounds
}
