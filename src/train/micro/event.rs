//! What happens in one iteration, in its order.

use crate::nn::{Activation, Network};
use crate::optim::{Clip, Regulariser};
use crate::train::Problem;

/// One thing that happens in an iteration of back-propagation. Layers are counted
/// from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// Forwards: a layer's `z` from what it reads; of a fully connected one the
    /// weighted sums and the biases. Where the layer has no activation function,
    /// that is its output already.
    Sum {
        /// Which layer.
        layer: usize,
    },
    /// Forwards: `a = f(z)`.
    Activation {
        /// Which layer.
        layer: usize,
    },
    /// The loss of what came out.
    Loss,
    /// Backwards: `dL/da` of a hidden layer, the error signals of the layers that
    /// read it, passed back through their weights.
    PassBack {
        /// Which layer.
        layer: usize,
    },
    /// Backwards: the error signals `dL/dz` of a layer, at the output from the
    /// loss, before that `dL/da f'(z)`.
    Signal {
        /// Which layer.
        layer: usize,
    },
    /// The gradient of a layer's parameters: each weight's is the error signal
    /// where it ends times the activation where it begins, the mean over the batch.
    Gradient {
        /// Which layer.
        layer: usize,
    },
    /// What penalties add to the gradient, and what clipping leaves of it.
    Adjust,
    /// The optimiser moves the weights.
    Update,
}

impl Event {
    /// The layer where it happens; none for what concerns the whole network.
    pub fn layer(self) -> Option<usize> {
        match self {
            Event::Sum { layer }
            | Event::Activation { layer }
            | Event::PassBack { layer }
            | Event::Signal { layer }
            | Event::Gradient { layer } => Some(layer),
            Event::Loss | Event::Adjust | Event::Update => None,
        }
    }

    /// Whether what it computes travels from the output to the input.
    pub fn is_backward(self) -> bool {
        matches!(
            self,
            Event::PassBack { .. } | Event::Signal { .. } | Event::Gradient { .. }
        )
    }
}

/// The events of an iteration of `problem`, first to last. The last one is the
/// update.
pub fn events_of(problem: &Problem) -> Vec<Event> {
    let mut events = passes_of(&problem.network);
    let training = &problem.experiment.training;
    if training.regulariser() != Regulariser::default() || training.clip() != Clip::default() {
        events.push(Event::Adjust);
    }
    events.push(Event::Update);
    events
}

/// The events of both passes.
fn passes_of(network: &Network) -> Vec<Event> {
    let layers = network.layers();
    let mut events = Vec::new();
    for (layer, this) in layers.iter().enumerate() {
        events.push(Event::Sum { layer });
        if this.activation() != Activation::Linear {
            events.push(Event::Activation { layer });
        }
    }
    events.push(Event::Loss);
    // A layer before which nothing is learnt needs no error signal.
    let first = (0..layers.len()).find(|&l| !network.layer_range(l).is_empty());
    for (layer, this) in layers.iter().enumerate().rev() {
        if first.is_none_or(|first| layer < first) {
            break;
        }
        let is_output = layer + 1 == layers.len();
        if !is_output {
            events.push(Event::PassBack { layer });
        }
        if is_output || this.activation() != Activation::Linear {
            events.push(Event::Signal { layer });
        }
        if !network.layer_range(layer).is_empty() {
            events.push(Event::Gradient { layer });
        }
    }
    events
}
