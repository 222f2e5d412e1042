//! Which connections are on screen: all of them, or under a budget the
//! strongest of each layer pair.

use super::super::state::{Item, NetworkView, Selection};
use super::super::training::Training;
use super::choose::{changes, share, strongest};
use super::layout::{Arrangement, Column};
use super::parts::{Connection, Ends, Slot};
use super::spawn::NetworkLayout;
use crate::train::RunState;
use bevy::prelude::*;

/// The shortest time between two choices while training runs, in seconds.
const PATIENCE: f32 = 0.5;
/// Where a ribbon ends, as a share of the neuron's radius from its centre.
const REACH: f32 = 0.85;

/// What of each layer pair is drawn.
#[derive(Resource, Debug, Clone, Default)]
pub struct DrawnConnections {
    /// One for each layer, the one that owns the weights.
    pub pairs: Vec<DrawnPair>,
    /// Weights have changed since the last choice.
    stale: bool,
    /// Seconds since the last choice.
    waited: f32,
    /// What had been selected at the last choice.
    selected: Option<Item>,
}

/// What of one layer pair is drawn.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DrawnPair {
    /// Units of the column before.
    pub inputs: usize,
    /// Units of the layer.
    pub units: usize,
    /// For each connection entity of this pair, in the order of their slots,
    /// which weight it stands for: `to * inputs + from`.
    pub shown: Vec<u32>,
    /// The slot of the first of them.
    pub first_slot: usize,
}

impl DrawnPair {
    /// The number of connections that the pair has.
    pub fn total(&self) -> usize {
        self.inputs * self.units
    }
}

impl DrawnConnections {
    /// Chooses under `budget`; the connections of `selected` come first.
    pub(super) fn choose(training: &Training, budget: usize, selected: Option<Item>) -> Self {
        let widths = training.problem.network.widths();
        let sizes: Vec<usize> = widths.windows(2).map(|pair| pair[0] * pair[1]).collect();
        let shares = share(&sizes, budget);
        let mut first_slot = 0;
        let pairs = widths
            .windows(2)
            .zip(shares)
            .enumerate()
            .map(|(layer, (widths, count))| {
                let (inputs, units) = (widths[0], widths[1]);
                let shown = strongest_of(training, layer, inputs, count, selected);
                let pair = DrawnPair {
                    inputs,
                    units,
                    first_slot,
                    shown,
                };
                first_slot += count;
                pair
            })
            .collect();
        DrawnConnections {
            pairs,
            selected,
            ..default()
        }
    }

    /// How many connections are drawn in all.
    pub fn count(&self) -> usize {
        self.pairs.iter().map(|pair| pair.shown.len()).sum()
    }

    /// Whether some are not drawn.
    pub fn is_partial(&self) -> bool {
        self.pairs
            .iter()
            .any(|pair| pair.shown.len() < pair.total())
    }
}

fn strongest_of(
    training: &Training,
    layer: usize,
    inputs: usize,
    count: usize,
    selected: Option<Item>,
) -> Vec<u32> {
    let weights = training.problem.network.layout().weight(layer);
    let weights = training.snapshot.params.get(weights).unwrap_or_default();
    strongest(weights, count, |index| {
        let (to, from) = (index / inputs, index % inputs);
        match selected {
            Some(Item::Neuron { column, unit }) => {
                (column == layer + 1 && unit == to) || (column == layer && unit == from)
            }
            Some(item) => item == Item::Connection { layer, from, to },
            None => false,
        }
    })
}

/// Spawns an entity for every drawn connection.
pub(super) fn spawn_connections(
    commands: &mut Commands,
    drawn: &DrawnConnections,
    layout: &NetworkLayout,
) {
    for (layer, pair) in drawn.pairs.iter().enumerate() {
        let entities: Vec<(Connection, Slot, Ends)> = pair
            .shown
            .iter()
            .enumerate()
            .map(|(place, &index)| {
                let connection = connection_at(layer, pair, index);
                let slot = Slot((pair.first_slot + place) as u32);
                (connection, slot, ends(layout, connection))
            })
            .collect();
        commands.spawn_batch(entities);
    }
}

fn connection_at(layer: usize, pair: &DrawnPair, index: u32) -> Connection {
    let index = index as usize;
    Connection {
        layer,
        from: index % pair.inputs,
        to: index / pair.inputs,
    }
}

/// From surface to surface. A cell of an image is flat: there a connection starts
/// a little behind it, so that it does not shine through.
fn ends(layout: &NetworkLayout, connection: Connection) -> Ends {
    let Connection { layer, from, to } = connection;
    let (Some(a), Some(b)) = (layout.place(layer, from), layout.place(layer + 1, to)) else {
        return Ends::default();
    };
    let reach = |column: &Column| match column.arrangement {
        Arrangement::Image(_) => 0.5 * column.radius,
        _ => REACH * column.radius,
    };
    let along = (b - a).normalize_or_zero();
    Ends {
        from: a + along * reach(&layout.columns[layer]),
        to: b - along * reach(&layout.columns[layer + 1]),
    }
}

/// When the user changed the budget, spawns as many connections as it allows.
pub(super) fn follow_budget(
    mut commands: Commands,
    training: Res<Training>,
    view: Res<NetworkView>,
    layout: Res<NetworkLayout>,
    old: Query<Entity, With<Connection>>,
    mut drawn: ResMut<DrawnConnections>,
) {
    if !view.is_changed() || layout.columns.is_empty() {
        return;
    }
    let sizes: Vec<usize> = drawn.pairs.iter().map(DrawnPair::total).collect();
    let shown = drawn.pairs.iter().map(|pair| pair.shown.len());
    if shown.eq(share(&sizes, view.connection_budget)) {
        return;
    }
    old.iter()
        .for_each(|entity| commands.entity(entity).despawn());
    *drawn = DrawnConnections::choose(&training, view.connection_budget, drawn.selected);
    spawn_connections(&mut commands, &drawn, &layout);
}

/// Where not all are drawn, gives the entities of weights that are no longer
/// among the strongest others to stand for: twice a second while training runs,
/// at once when it rests or when something else is selected.
pub(super) fn choose_again(
    time: Res<Time>,
    training: Res<Training>,
    selection: Res<Selection>,
    layout: Res<NetworkLayout>,
    mut drawn: ResMut<DrawnConnections>,
    mut connections: Query<(&mut Connection, &mut Ends, &Slot)>,
    mut moved: Local<Vec<Option<u32>>>,
) {
    if !drawn.is_partial() {
        return;
    }
    {
        // Waiting is no change that anyone has to follow.
        let drawn = drawn.bypass_change_detection();
        drawn.stale |= training.is_changed();
        drawn.waited += time.delta_secs();
    }
    let reselected = drawn.selected != selection.selected;
    let running = training.snapshot.state == RunState::Running;
    let due = drawn.stale && (!running || drawn.waited >= PATIENCE);
    if !(reselected || due) {
        return;
    }
    {
        let drawn = drawn.bypass_change_detection();
        drawn.stale = false;
        drawn.waited = 0.0;
        drawn.selected = selection.selected;
    }
    moved.clear();
    moved.resize(drawn.count(), None);
    let mut any = false;
    for layer in 0..drawn.pairs.len() {
        let pair = &drawn.pairs[layer];
        if pair.shown.len() == pair.total() {
            continue;
        }
        let count = pair.shown.len();
        let wanted = strongest_of(&training, layer, pair.inputs, count, selection.selected);
        let changes = changes(&pair.shown, &wanted);
        if changes.is_empty() {
            continue;
        }
        any = true;
        let pair = &mut drawn.pairs[layer];
        for (place, index) in changes {
            pair.shown[place] = index;
            moved[pair.first_slot + place] = Some(index);
        }
    }
    if !any {
        return;
    }
    for (mut connection, mut at, slot) in &mut connections {
        let Some(Some(index)) = moved.get(slot.0 as usize) else {
            continue;
        };
        let layer = connection.layer;
        *connection = connection_at(layer, &drawn.pairs[layer], *index);
        *at = ends(&layout, *connection);
    }
}
