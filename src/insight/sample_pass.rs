//! A pass forward and back over some of a problem's training samples, in bounded memory: what
//! measurements of a network are taken from.

use crate::nn::{Mode, Workspace};
use crate::train::Problem;

/// Samples that pass through the network at once, at most.
const CHUNK: usize = 128;
/// Of large networks that mix samples, how many times as many are taken as would pass at once.
const MIXED: usize = 4;

/// The samples, and what a pass needs.
pub(super) struct SamplePass {
    rows: Vec<usize>,
    workspace: Workspace<f32>,
    part: Vec<f32>,
    gradient: Vec<f64>,
    mode: Mode,
}

impl SamplePass {
    /// Over at most `samples` samples of the training part of `problem`, evenly spread over
    /// it. Memory is that of a pass of 128 samples, of a large network of fewer
    /// ([`Network::samples_at_once`](crate::nn::Network::samples_at_once)), and of two
    /// gradients.
    pub(super) fn new(problem: &Problem, samples: usize) -> Self {
        let network = &problem.network;
        let n = problem.train.len();
        // Statistics over a batch need the batch whole.
        let (wanted, chunk, mode) = if network.mixes_samples() {
            let wanted = samples.min(n).min(network.samples_at_once(samples) * MIXED);
            (wanted, wanted, Mode::Training { seed: 0 })
        } else {
            let wanted = samples.min(n);
            let chunk = network.samples_at_once(CHUNK).min(wanted);
            (wanted, chunk, Mode::Inference)
        };
        SamplePass {
            rows: (0..wanted).map(|i| i * n / wanted).collect(),
            workspace: Workspace::new(network, chunk.max(1)),
            part: vec![0.0; network.layout().len()],
            gradient: vec![0.0; network.layout().len()],
            mode,
        }
    }

    /// How many samples there are.
    pub(super) fn samples(&self) -> usize {
        self.rows.len()
    }

    /// The gradient of the mean data loss at the last [`run`](Self::run), one number a
    /// parameter.
    pub(super) fn gradient(&self) -> &[f64] {
        &self.gradient
    }

    /// Goes through all samples at `params`, telling `each` of a part of them the number of
    /// the first, how many they are, and the pass with its activations and error signals.
    /// Gives the mean data loss.
    pub(super) fn run(
        &mut self,
        problem: &Problem,
        params: &[f32],
        mut each: impl FnMut(usize, usize, &Workspace<f32>),
    ) -> f64 {
        let network = &problem.network;
        self.gradient.fill(0.0);
        let (mut loss, mut first) = (0.0, 0);
        let n = self.rows.len().max(1) as f64;
        for rows in self.rows.chunks(self.workspace.capacity()) {
            let workspace = &mut self.workspace;
            workspace.set_mode(self.mode);
            workspace.load(problem.train.x.view(), rows);
            workspace.load_targets(problem.train.y.view(), rows);
            network.forward_loaded(params, workspace);
            loss += network.loss_sum_loaded(workspace) / n;
            network.backward_loaded(params, workspace, &mut self.part);
            let share = rows.len() as f64 / n;
            for (sum, &g) in self.gradient.iter_mut().zip(&self.part) {
                *sum += share * f64::from(g);
            }
            each(first, rows.len(), workspace);
            first += rows.len();
        }
        loss
    }
}
