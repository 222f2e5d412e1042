//! Which way of the chain rule is shown while an iteration is gone through.

use super::format;
use super::micro::Walk;
use super::plugins::GradscapeSystems;
use super::state::{Item, Selection};
use super::training::{Training, receive_training};
use crate::nn::Network;
use crate::train::micro::{Chain, Event, Micro, Trace};
use bevy::prelude::*;
use std::sync::Arc;

pub(super) fn plugin(app: &mut App) {
    app.init_resource::<ChainShown>().add_systems(
        Update,
        follow_chain
            .in_set(GradscapeSystems::Receive)
            .after(receive_training),
    );
}

/// The way of the chain rule that is shown, if one is.
#[derive(Resource, Debug, Clone, PartialEq, Default)]
pub struct ChainShown(pub Option<Arc<Chain>>);

/// Finds the way to what is selected, once the loss is known.
fn follow_chain(
    training: Res<Training>,
    walk: Res<Walk>,
    selection: Res<Selection>,
    mut shown: ResMut<ChainShown>,
    mut known: Local<Option<(Arc<Trace>, Option<usize>)>>,
) {
    let micro = training.snapshot.micro.as_ref();
    let Some(micro) = micro.filter(|m| walk.chain && m.has(Event::Loss)) else {
        *known = None;
        shown.set_if_neq(ChainShown::default());
        return;
    };
    let network = &training.problem.network;
    // Of nothing chosen, the longest way: to the first layer that learns.
    let chosen = selection.selected;
    let chosen = chosen.and_then(|item| format::parameter_of(network, item));
    let first = (0..network.layers().len()).find(|&l| !network.layer_range(l).is_empty());
    let parameter = chosen.or_else(|| parameter_of(network, micro, None, first));
    let is_known = |(trace, of): &(Arc<Trace>, Option<usize>)| {
        Arc::ptr_eq(trace, &micro.trace) && *of == parameter
    };
    if !known.as_ref().is_some_and(is_known) {
        *known = Some((Arc::clone(&micro.trace), parameter));
        let chain = parameter.and_then(|parameter| micro.trace.chain(network, parameter));
        shown.set_if_neq(ChainShown(chain.map(Arc::new)));
    }
}

/// The parameter that is explained: the selected connection's weight or the selected
/// neuron's bias, where it is of `layer`, else the one with the largest gradient.
pub(super) fn parameter_of(
    network: &Network,
    micro: &Micro,
    selected: Option<Item>,
    layer: Option<usize>,
) -> Option<usize> {
    let chosen = selected.filter(|item| {
        let of = match *item {
            Item::Connection { layer, .. } => Some(layer),
            Item::Neuron { column, .. } => column.checked_sub(1),
        };
        layer.is_none() || of == layer
    });
    let chosen = chosen.and_then(|item| format::parameter_of(network, item));
    let range = match layer {
        Some(layer) => network.layer_range(layer),
        None => 0..network.layout().trainable(),
    };
    let gradient = &micro.trace.gradient;
    chosen.or_else(|| range.max_by(|&a, &b| gradient[a].abs().total_cmp(&gradient[b].abs())))
}
