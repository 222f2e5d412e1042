//! Loss and accuracy over a part of the data. The error surface and the
//! history use this same code, so that a surface's value at the current
//! weights is the training loss to the last bit.

use super::problem::{Encoding, Samples};
use crate::nn::{Network, Workspace};
use ndarray::s;
use serde::{Deserialize, Serialize};

/// Samples that pass through the network at once. The sums are formed chunk by
/// chunk in order, so the result does not depend on anything else.
const CHUNK: usize = 128;

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
}

impl Evaluator {
    /// Buffers for `network`.
    pub fn new(network: &Network) -> Self {
        Evaluator {
            workspace: Workspace::new(network, CHUNK),
        }
    }

    /// The mean data loss over `samples`; NaN when there are none.
    pub fn loss(&mut self, network: &Network, params: &[f32], samples: &Samples) -> f64 {
        let mut sum = 0.0;
        self.pass(network, params, samples, |_, chunk_loss, _| {
            sum += chunk_loss
        });
        sum / samples.len() as f64
    }

    /// Loss and accuracy over `samples`, or `None` when there are none.
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
        let (mut sum, mut right) = (0.0, 0usize);
        self.pass(network, params, samples, |workspace, chunk_loss, start| {
            sum += chunk_loss;
            for (i, output) in workspace.output().rows().into_iter().enumerate() {
                let target = encoding.class(samples.y.row(start + i));
                right += usize::from(target.is_some() && target == encoding.class(output));
            }
        });
        let n = samples.len() as f64;
        let accuracy = (encoding != Encoding::Values).then_some(right as f64 / n);
        Some(Score {
            loss: sum / n,
            accuracy,
        })
    }

    fn pass(
        &mut self,
        network: &Network,
        params: &[f32],
        samples: &Samples,
        mut each: impl FnMut(&Workspace<f32>, f64, usize),
    ) {
        let mut start = 0;
        while start < samples.len() {
            let end = (start + CHUNK).min(samples.len());
            network.forward(
                params,
                samples.x.slice(s![start..end, ..]),
                &mut self.workspace,
            );
            let loss = network.loss_sum(&mut self.workspace, samples.y.slice(s![start..end, ..]));
            each(&self.workspace, loss, start);
            start = end;
        }
    }
}
