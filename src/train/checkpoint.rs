//! Earlier states of a run that can be returned to.

use super::monitor::Monitor;
use super::mover::Mover;
use super::problem::Problem;
use crate::experiment::OptimizerConfig;
use crate::rng::{Rng, Stream, stream};
use std::collections::VecDeque;
use std::ops::Range;

/// How many are kept, and how many at least where each takes much memory.
const CHECKPOINTS: usize = 12;
const FEWEST: usize = 2;
/// Bytes that those of a run may take.
const BYTES: usize = 512 << 20;

/// Everything that the next step depends on, but for the base rate, which is
/// the user's to set.
#[derive(Clone)]
pub(super) struct Checkpoint {
    pub params: Vec<f32>,
    pub mover: Mover,
    pub monitor: Monitor,
    pub order: Vec<usize>,
    pub cursor: usize,
    pub rng: Rng,
    pub epoch: usize,
    pub step: u64,
}

impl Checkpoint {
    /// The start of a run of `optimizer` from `params` with the batch order of
    /// `seed`.
    pub(super) fn start(
        problem: &Problem,
        optimizer: OptimizerConfig,
        params: &[f32],
        seed: u64,
    ) -> Self {
        let n = problem.train.len();
        Checkpoint {
            params: params.to_vec(),
            mover: Mover::new(problem, optimizer),
            monitor: Monitor::new(&problem.experiment.training),
            order: (0..n).collect(),
            cursor: n,
            rng: stream(seed, Stream::Shuffle),
            epoch: 0,
            step: 0,
        }
    }
}

impl Checkpoint {
    /// About how much memory it takes.
    fn bytes(&self) -> usize {
        // The parameters, and the best of early stopping.
        4 * (2 + self.mover.vectors()) * self.params.len() + 8 * self.order.len()
    }
}

/// A state of a run to which it can return; see
/// [`Trainer::save`](super::Trainer::save).
#[derive(Clone)]
pub struct SavedTraining {
    pub(super) now: Checkpoint,
    pub(super) before: Vec<f32>,
    pub(super) moved: bool,
    pub(super) gradient: Vec<f32>,
    pub(super) batch_rows: Range<usize>,
    pub(super) batch_loss: f64,
    pub(super) last_rate: f64,
}

impl SavedTraining {
    /// About how much memory it takes.
    pub(super) fn bytes(&self) -> usize {
        // The parameters, those before, the gradient, the best of early stopping.
        let vectors = self.now.mover.vectors();
        4 * (4 + vectors) * self.now.params.len() + 8 * self.now.order.len()
    }
}

/// States at the beginning of epochs, the farther apart the longer the run.
pub(super) struct Past {
    kept: VecDeque<Checkpoint>,
    stride: usize,
}

impl Default for Past {
    fn default() -> Self {
        Past {
            kept: VecDeque::new(),
            stride: 1,
        }
    }
}

impl Past {
    /// Keeps the state at the beginning of an epoch, where that is due.
    pub(super) fn keep(&mut self, now: &Checkpoint) {
        // An epoch that begins once more: a step was taken back.
        while self.kept.back().is_some_and(|c| c.epoch >= now.epoch) {
            self.kept.pop_back();
        }
        if now.epoch.is_multiple_of(self.stride) {
            self.kept.push_back(now.clone());
            let fitting = (BYTES / now.bytes().max(1)).clamp(FEWEST, CHECKPOINTS);
            if self.kept.len() > fitting {
                self.stride *= 2;
                let stride = self.stride;
                self.kept.retain(|c| c.epoch.is_multiple_of(stride));
            }
        }
    }

    /// Forgets newer states until the newest is no later than epoch `goal` and
    /// `healthy`, or only the oldest is left, and gives that.
    pub(super) fn rewind(
        &mut self,
        goal: usize,
        mut healthy: impl FnMut(&[f32]) -> bool,
    ) -> Option<&Checkpoint> {
        while self.kept.len() > 1
            && self
                .kept
                .back()
                .is_some_and(|c| c.epoch > goal || !healthy(&c.params))
        {
            self.kept.pop_back();
        }
        self.kept.back()
    }
}
