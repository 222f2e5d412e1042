//! Taking the distributions of a network at one moment.

use super::{Moment, Quantity, Spread};
use crate::nn::{Mode, ParamRole, Workspace};
use crate::train::Problem;
use std::ops::Range;

/// Samples that are looked at unless the caller says otherwise.
pub const SAMPLES: usize = 256;
/// Samples that pass through the network at once.
const CHUNK: usize = 128;
/// Activations that are held at once, over all layers.
const HELD: usize = 1 << 21;

/// Takes moments of one problem's network again and again.
pub struct DistributionMeter {
    rows: Vec<usize>,
    /// Activations are of every so many of the rows.
    every: usize,
    workspace: Workspace<f32>,
    part: Vec<f32>,
    gradient: Vec<f64>,
    mode: Mode,
}

impl DistributionMeter {
    /// For at most `samples` samples of the training part of `problem`, evenly spread over
    /// it. Memory is that of a pass of 128 samples, of three gradients and of two million
    /// activations, or one sample's if those are more.
    pub fn new(problem: &Problem, samples: usize) -> Self {
        let network = &problem.network;
        let n = problem.train.len();
        let wanted = samples.min(n);
        // Statistics over a batch need the batch whole.
        let (chunk, mode) = match network.mixes_samples() {
            true => (wanted, Mode::Training { seed: 0 }),
            false => (CHUNK.min(wanted), Mode::Inference),
        };
        let units: usize = network.layers().iter().map(|layer| layer.outputs()).sum();
        DistributionMeter {
            rows: (0..wanted).map(|i| i * n / wanted).collect(),
            every: (wanted * units).div_ceil(HELD).max(1),
            workspace: Workspace::new(network, chunk.max(1)),
            part: vec![0.0; network.layout().len()],
            gradient: vec![0.0; network.layout().len()],
            mode,
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
        let network = &problem.network;
        let layers = network.layers().len();
        let mut activations: Vec<Vec<f32>> = vec![Vec::new(); layers];
        self.gradient.fill(0.0);
        let (n, mut seen) = (self.rows.len().max(1) as f64, 0);
        let chunk = self.workspace.capacity();
        for (index, rows) in self.rows.chunks(chunk).enumerate() {
            let workspace = &mut self.workspace;
            workspace.set_mode(self.mode);
            workspace.load(problem.train.x.view(), rows);
            workspace.load_targets(problem.train.y.view(), rows);
            network.forward_loaded(params, workspace);
            let start = index * chunk;
            let due: Vec<usize> = (0..rows.len())
                .filter(|row| (start + row).is_multiple_of(self.every))
                .collect();
            seen += due.len();
            for (layer, values) in activations.iter_mut().enumerate() {
                let a = workspace.a(layer);
                due.iter().for_each(|&row| values.extend(a.row(row)));
            }
            network.loss_sum_loaded(workspace);
            network.backward_loaded(params, workspace, &mut self.part);
            let share = rows.len() as f64 / n;
            for (sum, &g) in self.gradient.iter_mut().zip(&self.part) {
                *sum += share * f64::from(g);
            }
        }
        let gradient: Vec<f32> = self.gradient.iter().map(|&g| g as f32).collect();
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
            samples: self.rows.len(),
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
