//! Taking the distributions of a network at one moment.

use super::{Moment, Quantity, Spread};
use crate::insight::sample_pass::SamplePass;
use crate::nn::ParamRole;
use crate::train::Problem;
use std::ops::Range;

/// Samples that are looked at unless the caller says otherwise.
pub const SAMPLES: usize = 256;
/// Activations that are held at once, over all layers.
const HELD: usize = 1 << 21;

/// Takes moments of one problem's network again and again.
pub struct DistributionMeter {
    pass: SamplePass,
    /// Activations are of every so many of the samples.
    every: usize,
}

impl DistributionMeter {
    /// For at most `samples` samples of the training part of `problem`, evenly spread over
    /// it. Memory is that of a pass of 128 samples, of three gradients and of two million
    /// activations, or one sample's if those are more.
    pub fn new(problem: &Problem, samples: usize) -> Self {
        let pass = SamplePass::new(problem, samples);
        let layers = problem.network.layers().iter();
        let units: usize = layers.map(|layer| layer.outputs()).sum();
        DistributionMeter {
            every: (pass.samples() * units).div_ceil(HELD).max(1),
            pass,
        }
    }

    /// How all is spread in the network of `problem` at `params` after `epoch` epochs and
    /// `step` steps, of which the last added `update` (as long as the parameters).
    pub fn measure(
        &mut self,
        problem: &Problem,
        (epoch, step): (usize, u64),
        params: &[f32],
        update: &[f32],
    ) -> Moment {
        let layers = problem.network.layers().len();
        let mut activations: Vec<Vec<f32>> = vec![Vec::new(); layers];
        let (every, mut seen) = (self.every, 0);
        self.pass.run(problem, params, |first, rows, workspace| {
            let due = (0..rows).filter(|row| (first + row).is_multiple_of(every));
            let due: Vec<usize> = due.collect();
            seen += due.len();
            for (layer, values) in activations.iter_mut().enumerate() {
                let a = workspace.a(layer);
                due.iter().for_each(|&row| values.extend(a.row(row)));
            }
        });
        let gradient = self.pass.gradient().iter();
        let gradient: Vec<f32> = gradient.map(|&g| g as f32).collect();
        let moved = step > 0 && update.len() == params.len();
        let spreads = Quantity::ALL.map(|quantity| {
            let of = |layer| match quantity {
                Quantity::Weights => spread(params, &weights(problem, layer)),
                Quantity::Biases => spread(params, &biases(problem, layer)),
                Quantity::Gradients => spread(&gradient, &weights(problem, layer)),
                Quantity::Updates if moved => spread(update, &weights(problem, layer)),
                Quantity::Updates => None,
                Quantity::Activations => Spread::of(&activations[layer]),
            };
            (0..layers).map(of).collect()
        });
        Moment {
            epoch,
            step,
            samples: self.pass.samples(),
            seen,
            spreads,
        }
    }
}

fn spread(values: &[f32], ranges: &[Range<usize>]) -> Option<Spread> {
    match ranges {
        [range] => Spread::of(&values[range.clone()]),
        _ => {
            let all = ranges.iter().flat_map(|range| &values[range.clone()]);
            Spread::of(&all.copied().collect::<Vec<f32>>())
        }
    }
}

fn weights(problem: &Problem, layer: usize) -> Vec<Range<usize>> {
    use ParamRole::{Gain, Slope, Weight};
    ranges(problem, layer, &[Weight, Gain, Slope])
}

fn biases(problem: &Problem, layer: usize) -> Vec<Range<usize>> {
    ranges(problem, layer, &[ParamRole::Bias, ParamRole::Shift])
}

fn ranges(problem: &Problem, layer: usize, roles: &[ParamRole]) -> Vec<Range<usize>> {
    let tensors = problem.network.layout().tensors().iter();
    tensors
        .filter(|tensor| tensor.layer == layer && roles.contains(&tensor.role))
        .map(|tensor| tensor.range.clone())
        .collect()
}
