//! How a network is, layer by layer: how large its gradients, error signals and
//! activations are, how far the last step moved its weights, and how many of its units
//! are dead, saturated or the same as another. What a picture of the flow of gradients is
//! drawn from, and what [`diagnosis`](super::diagnosis) looks at.
//!
//! A measurement is one pass forward and one back over a few hundred samples: cheap enough
//! for every few epochs. Not for comparing with a step's gradient: that is of one batch,
//! with penalties and clipping.

mod log;
mod units;

pub use log::HealthLog;

use super::sample_pass::SamplePass;
use crate::nn::{Activation, ParamRole};
use crate::train::Problem;
use serde::Serialize;
use units::{Tally, identical_share};

/// Samples that are looked at unless the caller says otherwise.
pub const SAMPLES: usize = 256;

/// How a network is at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Health {
    /// Epochs completed.
    pub epoch: usize,
    /// Steps completed.
    pub step: u64,
    /// How many samples of the training part were looked at.
    pub samples: usize,
    /// Their mean data loss.
    pub loss: f64,
    /// One entry for each layer of the network, in its order.
    pub layers: Vec<LayerHealth>,
}

/// How one layer is. RMS is the root of the mean of the squares.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LayerHealth {
    /// RMS of the gradient of the mean data loss with respect to the weights; none of a
    /// layer without weights.
    pub gradient: Option<f64>,
    /// RMS of the weights.
    pub weight: Option<f64>,
    /// The RMS of weights that keep signals as large as they are on their way forward and
    /// back, `sqrt(2 / (fan-in + fan-out))`: Glorot and Bengio 2010, equation 12.
    pub natural: Option<f64>,
    /// RMS of what the last step added to the weights; none before the first.
    pub update: Option<f64>,
    /// RMS of the activations over samples and units.
    pub activation: f64,
    /// RMS of the error signals `dL/dz` over samples and units, L being the loss of the one
    /// sample.
    pub delta: f64,
    /// The share of units (of a convolution, filters) that are 0 for every sample; none but
    /// for ReLU.
    pub dead: Option<f64>,
    /// The share of activations at which the slope is below a tenth of the steepest; none
    /// but for sigmoid and tanh.
    pub saturated: Option<f64>,
    /// The share of units (filters) with the same weights and bias as another; none where
    /// there are fewer than two.
    pub identical: Option<f64>,
}

impl LayerHealth {
    /// How far the last step moved the weights, as a share of their size.
    pub fn update_ratio(&self) -> Option<f64> {
        let (update, weight) = (self.update?, self.weight?);
        (weight > 0.0).then(|| update / weight)
    }

    /// How far the last step moved the weights, as a share of their natural size: unlike
    /// that of their size it tells a long step when weights are huge already.
    pub fn step_ratio(&self) -> Option<f64> {
        Some(self.update? / self.natural?)
    }
}

impl Health {
    /// The layers that have weights, first to last, by their number.
    pub fn weighted(&self) -> impl DoubleEndedIterator<Item = (usize, &LayerHealth)> {
        let layers = self.layers.iter().enumerate();
        layers.filter(|(_, layer)| layer.weight.is_some())
    }
}

/// Takes measurements of one problem's network again and again.
pub struct HealthMeter {
    pass: SamplePass,
}

impl HealthMeter {
    /// For at most `samples` samples of the training part of `problem`, evenly spread over
    /// it. Memory is that of a pass of 128 samples and twice the gradient.
    pub fn new(problem: &Problem, samples: usize) -> Self {
        HealthMeter {
            pass: SamplePass::new(problem, samples),
        }
    }

    /// How the network of `problem` is at `params` after `epoch` epochs and `step` steps, of
    /// which the last added `update` (as long as the parameters).
    pub fn measure(
        &mut self,
        problem: &Problem,
        (epoch, step): (usize, u64),
        params: &[f32],
        update: &[f32],
    ) -> Health {
        let network = &problem.network;
        let layers = network.layers();
        let mut tallies: Vec<Tally> = layers.iter().map(Tally::new).collect();
        let loss = self.pass.run(problem, params, |_, _, workspace| {
            for (index, tally) in tallies.iter_mut().enumerate() {
                tally.add(workspace.a(index), workspace.delta(index));
            }
        });
        let gradient = self.pass.gradient();
        let layers = layers.iter().enumerate().zip(&tallies);
        let layers = layers.map(|((index, layer), tally)| {
            let weights = network.layout().weight(index);
            let has = !weights.is_empty();
            let moved = has && step > 0 && update.len() == params.len();
            LayerHealth {
                gradient: has.then(|| rms(gradient[weights.clone()].iter().copied())),
                weight: has.then(|| rms(wide(&params[weights.clone()]))),
                natural: natural(problem, index),
                update: moved.then(|| rms(wide(&update[weights.clone()]))),
                activation: tally.activation(),
                delta: tally.delta(),
                dead: (layer.activation() == Activation::Relu).then(|| tally.dead()),
                saturated: tally.saturated(layer.activation()),
                identical: identical(problem, index, params),
            }
        });
        Health {
            epoch,
            step,
            samples: self.pass.samples(),
            loss,
            layers: layers.collect(),
        }
    }
}

fn natural(problem: &Problem, index: usize) -> Option<f64> {
    let layout = problem.network.layout();
    let shape = &layout.tensor(index, ParamRole::Weight)?.shape;
    let units = *shape.first()?;
    let (inputs, pixels): (usize, usize) = (
        shape.iter().skip(1).product(),
        shape.iter().skip(2).product(),
    );
    Some((2.0 / (inputs + units * pixels) as f64).sqrt())
}

fn identical(problem: &Problem, index: usize, params: &[f32]) -> Option<f64> {
    let layout = problem.network.layout();
    let tensor = layout.tensor(index, ParamRole::Weight)?;
    let units = *tensor.shape.first()?;
    let (weights, biases) = (tensor.range.clone(), layout.bias(index));
    (units > 1).then(|| identical_share(&params[weights], &params[biases], units))
}

fn wide(values: &[f32]) -> impl Iterator<Item = f64> + '_ {
    values.iter().map(|&v| f64::from(v))
}

fn rms(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, n) = values.fold((0.0, 0usize), |(sum, n), v| (sum + v * v, n + 1));
    (sum / n.max(1) as f64).sqrt()
}

#[cfg(test)]
mod tests;
