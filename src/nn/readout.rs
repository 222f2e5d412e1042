//! What is looked at inside a network: one unit, the mean of a feature map, or any
//! weighted sum of the values of one layer.

use super::{Layer, Network, Real, Workspace};

/// Before or behind a layer's activation function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// The pre-activation `z`; of an output layer with softmax, the logit.
    Sum,
    /// The activation `a = f(z)`.
    Activation,
}

/// A number that a network computes on its way: a weighted sum of the values of one
/// layer. It fits the network that it was made for, and any other of the same shapes.
#[derive(Debug, Clone, PartialEq)]
pub struct Readout {
    layer: usize,
    stage: Stage,
    terms: Vec<(usize, f64)>,
}

/// Why there is no such number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadoutError {
    /// The network has fewer layers.
    #[error("layer {layer} is asked for, and the network has {layers}; count them from 1")]
    Layer {
        /// Which, from 1.
        layer: usize,
        /// How many there are.
        layers: usize,
    },
    /// The layer has fewer units.
    #[error("unit {unit} of layer {layer} is asked for, and it has {units}; count them from 0")]
    Unit {
        /// The layer, from 1.
        layer: usize,
        /// Which unit, from 0.
        unit: usize,
        /// How many there are.
        units: usize,
    },
    /// The layer has fewer channels.
    #[error(
        "channel {channel} of layer {layer} is asked for, and it has {channels}; count them from 0"
    )]
    Channel {
        /// The layer, from 1.
        layer: usize,
        /// Which channel, from 0.
        channel: usize,
        /// How many there are.
        channels: usize,
    },
}

impl Readout {
    /// The value of one unit.
    ///
    /// # Errors
    /// When there is no such layer or unit.
    pub fn unit(
        network: &Network,
        layer: usize,
        unit: usize,
        stage: Stage,
    ) -> Result<Self, ReadoutError> {
        Self::weighted(network, layer, stage, vec![(unit, 1.0)])
    }

    /// The mean over a feature map; of a plain vector, whose values are its channels,
    /// one unit.
    ///
    /// # Errors
    /// When there is no such layer or channel.
    pub fn channel(
        network: &Network,
        layer: usize,
        channel: usize,
        stage: Stage,
    ) -> Result<Self, ReadoutError> {
        let shape = find(network, layer)?.output_shape();
        if channel >= shape.channels {
            return Err(ReadoutError::Channel {
                layer: layer + 1,
                channel,
                channels: shape.channels,
            });
        }
        let pixels = shape.pixels();
        let share = 1.0 / pixels as f64;
        let own = channel * pixels..(channel + 1) * pixels;
        let terms = own.map(|unit| (unit, share)).collect();
        Self::weighted(network, layer, stage, terms)
    }

    /// The pre-activation of an output: for classes the logit, which unlike a
    /// probability says something about its own class alone.
    ///
    /// # Errors
    /// When there is no such output.
    pub fn logit(network: &Network, output: usize) -> Result<Self, ReadoutError> {
        Self::unit(network, network.layers().len() - 1, output, Stage::Sum)
    }

    /// A weighted sum: units of `layer`, each with its weight.
    ///
    /// # Errors
    /// When there is no such layer or unit.
    pub fn weighted(
        network: &Network,
        layer: usize,
        stage: Stage,
        terms: Vec<(usize, f64)>,
    ) -> Result<Self, ReadoutError> {
        let units = find(network, layer)?.outputs();
        if let Some(&(unit, _)) = terms.iter().find(|&&(unit, _)| unit >= units) {
            return Err(ReadoutError::Unit {
                layer: layer + 1,
                unit,
                units,
            });
        }
        Ok(Readout {
            layer,
            stage,
            terms,
        })
    }

    /// The same number with the other sign.
    #[must_use]
    pub fn negated(mut self) -> Self {
        self.terms
            .iter_mut()
            .for_each(|(_, weight)| *weight = -*weight);
        self
    }

    /// The layer, from 0.
    pub fn layer(&self) -> usize {
        self.layer
    }

    /// Before or behind its activation function.
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// Its units with their weights.
    pub fn terms(&self) -> &[(usize, f64)] {
        &self.terms
    }

    /// Its value for sample `row` of the last forward pass.
    pub fn value<R: Real>(&self, workspace: &Workspace<R>, row: usize) -> f64 {
        let values = match self.stage {
            Stage::Sum => workspace.z(self.layer),
            Stage::Activation => workspace.a(self.layer),
        };
        let terms = self.terms.iter();
        terms
            .map(|&(unit, weight)| weight * values[[row, unit]].wide())
            .sum()
    }
}

fn find(network: &Network, layer: usize) -> Result<&Layer, ReadoutError> {
    network.layers().get(layer).ok_or(ReadoutError::Layer {
        layer: layer + 1,
        layers: network.layers().len(),
    })
}
