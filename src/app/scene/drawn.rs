//! Which connections are on screen: all of them, or under a budget those of each
//! layer that stand for the rest.

use super::super::state::{Item, NetworkView, Selection};
use super::super::training::Training;
use super::super::ways::{LitWays, WaysShown};
use super::choose::{changes, share};
use super::focus::focus_of;
use super::layout::Column;
use super::parts::{ARCH_PIECES, Connection, Ends, Learnt, Slot};
use super::spawn::NetworkLayout;
use crate::insight::salient::{self, Criterion};
use crate::nn::{Connections, Network};
use crate::train::RunState;
use bevy::prelude::*;

/// The shortest time between two choices while training runs, in seconds.
const PATIENCE: f32 = 0.5;
/// Where a ribbon ends, as a share of the neuron's radius from its centre.
const REACH: f32 = 0.85;
/// How far over the highest column that it passes an arch rises.
const CLEARANCE: f32 = 0.7;
/// Each feature map shows one unit's window for each so many of the budget: all
/// windows at once are a wall, even of a small image.
const BUDGET_PER_WINDOW: usize = 4000;
/// Beside feature maps, where one sees what happens, a crowd of connections only
/// distracts: no layer has more than this part of the budget.
const CROWD: usize = 10;
/// Arches from higher up rise higher, by this share of the difference.
const FAN: f32 = 0.06;

/// What of each layer is drawn.
#[derive(Resource, Debug, Clone, Default)]
pub struct DrawnConnections {
    /// One for each source of each layer, in their order.
    pub pairs: Vec<DrawnPair>,
    /// For each layer the first of its pairs.
    first: Vec<usize>,
    budget: usize,
    /// Numbers have changed since the last choice.
    stale: bool,
    /// Seconds since the last choice.
    waited: f32,
    /// What had been in focus at the last choice.
    focus: Option<Item>,
}

/// What of the connections between one source of a layer and the layer is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrawnPair {
    /// The layer, from 0.
    pub layer: usize,
    /// Which of its sources.
    pub source: usize,
    /// The column of that source.
    pub column: usize,
    /// All connections between the two.
    pub connections: Connections,
    /// For each connection entity of this pair, in the order of their slots, the
    /// number of the connection that it stands for.
    pub shown: Vec<u32>,
    /// The slot of the first of them.
    pub first_slot: usize,
    /// Units of the source and of the layer that are shown.
    visible: [usize; 2],
    maps: usize,
}

impl DrawnPair {
    /// The number of connections that there are.
    pub fn total(&self) -> usize {
        self.connections.len()
    }

    /// Whether it passes by other columns.
    pub fn is_arched(&self) -> bool {
        self.column < self.layer
    }

    /// Slots that one connection takes.
    fn pieces(&self) -> usize {
        if self.is_arched() { ARCH_PIECES } else { 1 }
    }

    /// Whether windows stand for the rest and not the largest weights.
    pub fn shows_windows(&self) -> bool {
        !salient::ranks_weights(&self.connections, self.maps)
    }

    /// How many can be drawn: those between units that are shown.
    fn drawable(&self) -> usize {
        let [inputs, units] = self.visible;
        if inputs == 0 || units == 0 {
            return 0;
        }
        let connections = &self.connections;
        if inputs >= connections.inputs() && units >= connections.units() {
            return connections.len();
        }
        if connections.is_full() {
            return inputs * units;
        }
        let all = (0..units).flat_map(|unit| connections.into_unit(unit));
        all.filter(|&i| connections.get(i).is_some_and(|l| l.from < inputs))
            .count()
    }

    /// How many are wanted under `budget`; `among_maps` is whether the network has
    /// feature maps.
    fn wanted(&self, budget: usize, among_maps: bool) -> usize {
        let drawable = self.drawable();
        if drawable == 0 {
            return 0;
        }
        if self.shows_windows() {
            let windows = (budget / BUDGET_PER_WINDOW).max(1);
            return drawable.min(salient::in_windows(&self.connections, self.maps, windows));
        }
        if among_maps {
            drawable.min(budget / CROWD)
        } else {
            drawable
        }
    }

    fn connection(&self, index: u32) -> (Connection, Learnt) {
        let link = self.connections.get(index as usize);
        let (from, to) = link.map_or((0, 0), |link| (link.from, link.to));
        let connection = Connection {
            layer: self.layer,
            source: self.source,
            from,
            to,
        };
        (connection, Learnt(link.and_then(|link| link.parameter)))
    }

    /// The numbers of the connections of `focus` and of the ways that are lit, ascending.
    fn of_focus(&self, focus: Option<Item>, ways: Option<&LitWays>) -> Vec<usize> {
        let mut own: Vec<usize> = match focus {
            Some(Item::Neuron { column, unit }) if column == self.layer + 1 => {
                self.connections.into_unit(unit).collect()
            }
            Some(Item::Neuron { column, unit }) if column == self.column => {
                self.connections.out_of(unit).collect()
            }
            Some(Item::Connection {
                layer,
                source,
                from,
                to,
            }) if (layer, source) == (self.layer, self.source) => {
                self.connections.number(from, to).into_iter().collect()
            }
            _ => Vec::new(),
        };
        let lit = ways.into_iter().flat_map(LitWays::links);
        let lit = lit.filter(|&(layer, source, ..)| (layer, source) == (self.layer, self.source));
        own.extend(lit.filter_map(|(_, _, from, to)| self.connections.number(from, to)));
        own.sort_unstable();
        own.dedup();
        own
    }

    fn choose(
        &self,
        training: &Training,
        count: usize,
        focus: Option<Item>,
        ways: Option<&LitWays>,
    ) -> Vec<u32> {
        let activations = training.snapshot.probe.a.get(self.layer);
        let criterion = Criterion {
            values: &training.snapshot.params,
            activations: activations.map_or(&[], Vec::as_slice),
            maps: self.maps,
            visible: self.visible,
        };
        salient::choose(
            &self.connections,
            &criterion,
            count,
            &self.of_focus(focus, ways),
        )
    }
}

impl DrawnConnections {
    /// Chooses under `budget`; the connections of `focus` and of the lit ways come first.
    pub(super) fn choose(
        training: &Training,
        layout: &NetworkLayout,
        budget: usize,
        focus: Option<Item>,
        ways: Option<&LitWays>,
    ) -> Self {
        let network = &training.problem.network;
        let mut first = Vec::new();
        let mut pairs = Vec::new();
        for layer in 0..network.layers().len() {
            first.push(pairs.len());
            pairs.extend(pairs_of(network, layout, layer));
        }
        let among_maps = network.layers().iter().any(|l| !l.output_shape().is_flat());
        let wanted: Vec<usize> = pairs
            .iter()
            .map(|pair| pair.wanted(budget, among_maps))
            .collect();
        let shares = share(&wanted, budget);
        let mut slot = 0;
        for (pair, count) in pairs.iter_mut().zip(shares) {
            pair.shown = pair.choose(training, count, focus, ways);
            pair.first_slot = slot;
            slot += pair.shown.len() * pair.pieces();
        }
        DrawnConnections {
            pairs,
            first,
            budget,
            focus,
            ..default()
        }
    }

    /// The pair that a connection belongs to.
    pub fn pair_of(&self, connection: &Connection) -> Option<usize> {
        Some(self.first.get(connection.layer)? + connection.source)
    }

    /// How many connections are drawn in all.
    pub fn count(&self) -> usize {
        self.pairs.iter().map(|pair| pair.shown.len()).sum()
    }

    /// Whether some are not drawn.
    pub fn is_partial(&self) -> bool {
        let mut seen = self.pairs.iter().filter(|pair| !pair.shown.is_empty());
        seen.any(|pair| pair.shown.len() < pair.total())
    }
}

fn pairs_of<'a>(
    network: &'a Network,
    layout: &'a NetworkLayout,
    layer: usize,
) -> impl Iterator<Item = DrawnPair> + 'a {
    let shown = |column: usize| layout.columns.get(column).map_or(0, |c| c.places.len());
    let connections = network.connections(layer).into_iter().enumerate();
    connections.map(move |(source, connections)| {
        let this = &network.layers()[layer];
        let column = this.sources()[source].column();
        DrawnPair {
            layer,
            source,
            column,
            connections,
            shown: Vec::new(),
            first_slot: 0,
            visible: [shown(column), shown(layer + 1)],
            maps: this.output_shape().channels,
        }
    })
}

/// Spawns an entity for every drawn connection.
pub(super) fn spawn_connections(
    commands: &mut Commands,
    drawn: &DrawnConnections,
    layout: &NetworkLayout,
) {
    let all = ends_of(drawn, layout);
    let all = all.map(|(slot, ends, connection, learnt)| (connection, learnt, slot, ends));
    commands.spawn_batch(all.collect::<Vec<_>>());
}

/// Every drawn connection with its slot, its place and its parameter.
pub(super) fn ends_of(
    drawn: &DrawnConnections,
    layout: &NetworkLayout,
) -> impl Iterator<Item = (Slot, Ends, Connection, Learnt)> {
    drawn.pairs.iter().flat_map(move |pair| {
        pair.shown.iter().enumerate().map(move |(place, &index)| {
            let (connection, learnt) = pair.connection(index);
            let slot = Slot((pair.first_slot + place * pair.pieces()) as u32);
            (slot, ends(layout, pair, &connection), connection, learnt)
        })
    })
}

/// From surface to surface. A cell of an image is flat: there a connection starts
/// a little behind it, so that it does not shine through.
fn ends(layout: &NetworkLayout, pair: &DrawnPair, connection: &Connection) -> Ends {
    let (column, next) = (pair.column, pair.layer + 1);
    let (Some(a), Some(b)) = (
        layout.place(column, connection.from),
        layout.place(next, connection.to),
    ) else {
        return Ends::default();
    };
    let reach = |column: &Column| {
        if column.arrangement.has_cells() {
            0.5 * column.radius
        } else {
            REACH * column.radius
        }
    };
    let along = (b - a).normalize_or_zero();
    let lift = if pair.is_arched() {
        (arch_top(layout, column, next, a.y) - 0.5 * (a.y + b.y)).max(CLEARANCE)
    } else {
        0.0
    };
    Ends {
        from: a + along * reach(&layout.columns[column]),
        to: b - along * reach(&layout.columns[next]),
        lift,
    }
}

/// How high an arch from one column to another rises that begins at height `y`.
pub(super) fn arch_top(layout: &NetworkLayout, from: usize, to: usize, y: f32) -> f32 {
    let passed = layout.columns.get(from + 1..to).unwrap_or_default();
    let top = passed
        .iter()
        .map(|c| c.max.y)
        .fold(f32::NEG_INFINITY, f32::max);
    // Longer arches over shorter ones.
    let longer = CLEARANCE * (0.6 + 0.4 * passed.len() as f32);
    if top.is_finite() {
        top + longer + FAN * y
    } else {
        0.0
    }
}

/// When the user changed the budget, spawns as many connections as it allows.
pub(super) fn follow_budget(
    mut commands: Commands,
    training: Res<Training>,
    view: Res<NetworkView>,
    layout: Res<NetworkLayout>,
    ways: Res<WaysShown>,
    old: Query<Entity, With<Connection>>,
    mut drawn: ResMut<DrawnConnections>,
) {
    if drawn.budget == view.connection_budget || layout.columns.is_empty() {
        return;
    }
    old.iter()
        .for_each(|entity| commands.entity(entity).despawn());
    let (budget, ways) = (view.connection_budget, ways.0.as_deref());
    *drawn = DrawnConnections::choose(&training, &layout, budget, drawn.focus, ways);
    spawn_connections(&mut commands, &drawn, &layout);
}

/// Where not all are drawn, gives the entities of connections that no longer
/// stand for the rest others to stand for: twice a second while training runs,
/// at once when it rests or when something else is in focus.
pub(super) fn choose_again(
    time: Res<Time>,
    training: Res<Training>,
    selection: Res<Selection>,
    layout: Res<NetworkLayout>,
    ways: Res<WaysShown>,
    mut drawn: ResMut<DrawnConnections>,
    mut connections: Query<(&mut Connection, &mut Learnt, &mut Ends, &Slot)>,
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
    let focus = focus_of(&selection);
    let refocused = drawn.focus != focus || ways.is_changed();
    let running = training.snapshot.state == RunState::Running;
    let due = drawn.stale && (!running || drawn.waited >= PATIENCE);
    if !(refocused || due) {
        return;
    }
    {
        let drawn = drawn.bypass_change_detection();
        drawn.stale = false;
        drawn.waited = 0.0;
        drawn.focus = focus;
    }
    moved.clear();
    let slots = drawn
        .pairs
        .iter()
        .map(|p| p.first_slot + p.shown.len() * p.pieces())
        .max();
    moved.resize(slots.unwrap_or(0), None);
    let mut any = false;
    for at in 0..drawn.pairs.len() {
        let pair = &drawn.pairs[at];
        if pair.shown.is_empty() || pair.shown.len() == pair.total() {
            continue;
        }
        let wanted = pair.choose(&training, pair.shown.len(), focus, ways.0.as_deref());
        let changes = changes(&pair.shown, &wanted);
        if changes.is_empty() {
            continue;
        }
        any = true;
        let pair = &mut drawn.pairs[at];
        for (place, index) in changes {
            pair.shown[place] = index;
            moved[pair.first_slot + place * pair.pieces()] = Some(index);
        }
    }
    if !any {
        return;
    }
    for (mut connection, mut learnt, mut at, slot) in &mut connections {
        let Some(Some(index)) = moved.get(slot.0 as usize) else {
            continue;
        };
        let Some(pair) = drawn
            .pair_of(&connection)
            .and_then(|pair| drawn.pairs.get(pair))
        else {
            continue;
        };
        (*connection, *learnt) = pair.connection(*index);
        *at = ends(&layout, pair, &connection);
    }
}
