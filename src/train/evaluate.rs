//! Loss and accuracy over a part of the data. The error surface and the
//! history use this same code, so that a surface's value at the current
//! weights is the training loss to the last bit.

use super::problem::{Encoding, Samples};
use crate::nn::{Network, Workspace};
use ndarray::s;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Samples that pass through the network at once, at most ([`Evaluator::chunk`]). The sums are
/// formed chunk by chunk in order, so the result does not depend on anything else.
const CHUNK: usize = 128;

/// Multiply-adds from which on an evaluation is worth several threads.
const THREAD_WORK: usize = 100_000_000;

/// How well a network does on some samples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The mean data loss, without penalties on weights.
    pub loss: f64,
    /// The share of right answers, from 0 to 1; `None` for regression.
    pub accuracy: Option<f64>,
}

/// Buffers for evaluating one network again and again.
#[derive(Debug, Clone)]
pub struct Evaluator {
    workspace: Workspace<f32>,
    chunk: usize,
}

impl Evaluator {
    /// The samples that an evaluation passes through `network` at once; it adds
    /// up the sums of such chunks in order.
    pub fn chunk(network: &Network) -> usize {
        network.samples_at_once(CHUNK)
    }

    /// Buffers for `network`.
    pub fn new(network: &Network) -> Self {
        let chunk = Evaluator::chunk(network);
        Evaluator {
            workspace: Workspace::new(network, chunk),
            chunk,
        }
    }

    /// The mean data loss over `samples`; NaN when there are none.
    pub fn loss(&mut self, network: &Network, params: &[f32], samples: &Samples) -> f64 {
        let mut sum = 0.0;
        let at_once = self.chunk;
        for start in (0..samples.len()).step_by(at_once) {
            sum += pass(
                &mut self.workspace,
                network,
                params,
                samples,
                [start, at_once],
            );
        }
        sum / samples.len() as f64
    }

    /// Loss and accuracy over `samples`, or `None` when there are none. Large
    /// work is shared among threads; the sums are formed in order all the same.
    pub fn score(
        &mut self,
        network: &Network,
        params: &[f32],
        samples: &Samples,
        encoding: Encoding,
    ) -> Option<Score> {
        if samples.is_empty() {
            return None;
        }
        let at_once = self.chunk;
        let chunk = |workspace: &mut Workspace<f32>, start: usize| {
            let loss = pass(workspace, network, params, samples, [start, at_once]);
            let mut right = 0;
            for (i, output) in workspace.output().rows().into_iter().enumerate() {
                let target = encoding.class(samples.y.row(start + i));
                right += usize::from(target.is_some() && target == encoding.class(output));
            }
            (loss, right)
        };
        let starts = (0..samples.len()).step_by(at_once);
        let work = network.multiply_adds().saturating_mul(samples.len());
        let add = |(sum, all): (f64, usize), (loss, right)| (sum + loss, all + right);
        let (sum, right) = if work < THREAD_WORK {
            let chunks = starts.map(|start| chunk(&mut self.workspace, start));
            chunks.fold((0.0, 0), add)
        } else {
            let starts: Vec<usize> = starts.collect();
            let workspace = || Workspace::new(network, at_once);
            let chunks: Vec<(f64, usize)> = starts
                .par_iter()
                .map_init(workspace, |workspace, &start| chunk(workspace, start))
                .collect();
            chunks.into_iter().fold((0.0, 0), add)
        };
        let n = samples.len() as f64;
        let accuracy = (encoding != Encoding::Values).then_some(right as f64 / n);
        Some(Score {
            loss: sum / n,
            accuracy,
        })
    }
}

/// Passes so many samples from `start` on forward; gives the sum of its losses.
fn pass(
    workspace: &mut Workspace<f32>,
    network: &Network,
    params: &[f32],
    samples: &Samples,
    [start, at_once]: [usize; 2],
) -> f64 {
    let end = (start + at_once).min(samples.len());
    network.forward(params, samples.x.slice(s![start..end, ..]), workspace);
    network.loss_sum(workspace, samples.y.slice(s![start..end, ..]))
}
