//! Lays out the network when another takes its place: the only spawning of
//! neurons and labels.

use super::super::blocks::{Blocks, Plate, of_model, of_part};
use super::super::state::{HoldView, NetworkBounds, NetworkView};
use super::super::training::{NetworkReplaced, Training};
use super::drawn::{self, DrawnConnections, arch_top};
use super::layout::{Column, half_extent, lay_out_with, plans, stand_at, unfolded};
use super::paint::Scales;
use super::parts::{NetworkPart, Neuron, Shape, Slot};
use super::weight_maps::Folding;
use super::{captions, chain, map_places, numbers, pulses, ways};
use crate::insight::outline::{Outline, Part};
use bevy::ecs::system::SystemParam;
use bevy::prelude::*;

/// Where the columns of the network on screen stand, the inputs first.
#[derive(Resource, Debug, Clone, Default)]
pub struct NetworkLayout {
    /// One column for the inputs and one for each layer.
    pub columns: Vec<Column>,
    /// Whether columns stand apart, with maps of weights between them.
    pub(super) spread: bool,
    /// Whether plates stand for most of them.
    pub(super) in_blocks: bool,
    /// Which standing of the plates it follows, and where that began.
    pub(super) followed: [u64; 2],
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
    blocks: ResMut<'w, Blocks>,
    hold: ResMut<'w, HoldView>,
}

/// Despawns the network that was shown and spawns the one that `Training` holds.
pub(super) fn lay_out_network(_: On<NetworkReplaced>, mut parts: LayingOut) {
    let spread = parts.view.maps;
    parts.blocks.leave_foreign();
    parts.lay_out(spread);
}

/// Moves the columns apart before maps of weights are folded out between them, and
/// together again once they are folded in.
pub(super) fn make_room(mut parts: LayingOut, folding: Res<Folding>) {
    let wanted = parts.view.maps || folding.is_out();
    let turned = parts.layout.spread != wanted && !parts.layout.columns.is_empty();
    let is_apart = turned && !parts.layout.in_blocks;
    if is_apart || parts.layout.followed[0] != parts.blocks.revision() {
        parts.lay_out(wanted);
    }
}

/// How thick the plate of a layer is, half of it.
const THIN: f32 = 0.12;
/// Room around plates, for their names below.
const PLATE_MARGIN: Vec3 = Vec3::new(0.6, 1.3, 0.2);

impl LayingOut<'_, '_> {
    fn lay_out(&mut self, spread: bool) {
        for entity in &self.old {
            self.commands.entity(entity).despawn();
        }
        if self.blocks.foreign().is_none() {
            self.blocks.show_network(&self.training.problem);
        }
        let outline = self.blocks.outline().cloned();
        if let Some(outline) = &outline {
            self.stand_in_blocks(outline);
            if self.blocks.foreign().is_some() {
                return;
            }
        }
        let (commands, training) = (&mut self.commands, &self.training);
        let (layout, drawn) = (&mut *self.layout, &mut *self.drawn);
        let problem = &training.problem;
        let pixels = problem.data.image.filter(|_| !problem.is_channels_first());
        if outline.is_none() {
            layout.followed = [self.blocks.revision(), self.blocks.begun()];
            layout.in_blocks = false;
        }
        let spread = spread && outline.is_none();
        let room = if spread {
            map_places::room(problem)
        } else {
            Vec::new()
        };
        if outline.is_none() {
            layout.columns = lay_out_with(&plans(problem), pixels, &room);
        }
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
        if outline.is_none() {
            *bounds = bounds_of(layout, drawn);
        }
        if spread && let Some([low, high]) = map_places::reach(problem, layout) {
            bounds.min.y = bounds.min.y.min(low);
            bounds.max.y = bounds.max.y.max(high);
        }
        drawn::spawn_connections(commands, drawn, layout);
        if outline.is_none() {
            captions::spawn_captions(commands, layout, drawn, problem);
        }
        pulses::spawn(commands);
        numbers::spawn(commands, layout, drawn);
        chain::spawn(commands, layout);
        ways::spawn(commands, layout);
    }

    /// Places plates, and of a network of ours its columns in them: those that are unfolded
    /// with their units, the others without.
    fn stand_in_blocks(&mut self, outline: &Outline) {
        let (blocks, layout) = (&mut *self.blocks, &mut *self.layout);
        let again = layout.followed[1] == blocks.begun();
        layout.followed = [blocks.revision(), blocks.begun()];
        layout.in_blocks = true;
        layout.spread = false;
        if blocks.foreign().is_some() {
            blocks.stand(|part| of_model(outline, part));
            layout.columns.clear();
            *self.drawn = DrawnConnections::default();
        } else {
            let problem = &self.training.problem;
            let pixels = problem.data.image.filter(|_| !problem.is_channels_first());
            let plans = plans(problem);
            let arranged = plans.iter().enumerate();
            let arranged: Vec<_> = arranged
                .map(|(column, plan)| unfolded(plan, pixels, column == 0))
                .collect();
            let halves = arranged.iter().map(|&(arrangement, shown)| {
                let [along, up] = half_extent(arrangement, shown);
                Vec3::new(along, up, THIN)
            });
            let halves: Vec<Vec3> = halves.collect();
            blocks.stand(|part| of_part(outline, part, |node| halves[node]));
            let open = blocks.unfolded();
            let columns = arranged
                .iter()
                .enumerate()
                .map(|(column, &(arrangement, shown))| {
                    let stands_for = blocks.stands_for(Part::Node(column));
                    let plate = blocks.plates().iter().find(|p| Some(p.part) == stands_for);
                    let center = plate.map_or(Vec3::ZERO, |plate| plate.center);
                    if open.contains(&column) {
                        return stand_at(arrangement, shown, center);
                    }
                    let (min, max) = plate.map_or((center, center), Plate::reach);
                    Column {
                        arrangement,
                        places: Vec::new(),
                        radius: 0.0,
                        min,
                        max,
                    }
                });
            layout.columns = columns.collect();
        }
        let reach = blocks.plates().iter().map(Plate::reach);
        let reach = reach.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
        let (min, max) = reach.unwrap_or_default();
        let bounds = NetworkBounds {
            min: min - PLATE_MARGIN,
            max: max + PLATE_MARGIN * Vec3::new(1.0, 0.3, 1.0),
        };
        // What opens and closes leaves the point of view alone.
        self.hold.0 = again && *self.bounds != bounds;
        *self.bounds = bounds;
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
