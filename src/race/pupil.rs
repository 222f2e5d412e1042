//! An optimiser that trains a network: a trainer, its full training loss where
//! that is due, and what the experiment wants after each epoch.

use super::entry::Entry;
use super::racer::End;
use crate::train::{HistoryRow, Problem, SavedTraining, StepOutcome, Trainer};
use std::sync::Arc;

/// Below this many multiply-adds for one loss over the training part, it is
/// computed several times an epoch; above, once.
const CHEAP_LOSS: usize = 100_000_000;
/// So many times, where it is cheap.
const LOSSES_PER_EPOCH: usize = 8;

/// A network that is being trained.
pub(super) struct Pupil {
    trainer: Trainer,
}

impl Pupil {
    pub(super) fn new(problem: Arc<Problem>, start: &[f32], seed: u64, entry: &Entry) -> Self {
        Pupil {
            trainer: Trainer::with_optimizer(problem, entry.optimizer, start.to_vec(), seed)
                .without_past(),
        }
    }

    /// Every how many steps the loss over the training part is computed.
    pub(super) fn stride(&self) -> u64 {
        let problem = self.trainer.problem();
        let work = problem
            .train
            .len()
            .saturating_mul(problem.network.multiply_adds());
        let steps = self.trainer.steps_per_epoch();
        (if work < CHEAP_LOSS {
            steps.div_ceil(LOSSES_PER_EPOCH)
        } else {
            steps
        }) as u64
    }

    pub(super) fn trainer(&self) -> &Trainer {
        &self.trainer
    }

    /// One step, and what schedules and early stopping make of an epoch's end.
    /// Gives whether the run ends behind it.
    pub(super) fn step(&mut self) -> Result<Option<End>, End> {
        match self.trainer.step() {
            StepOutcome::Diverged(divergence) => Err(End::Diverged(divergence)),
            StepOutcome::Stopped(reason) => Err(End::Stopped(reason)),
            StepOutcome::Stepped { epoch_done, .. } => {
                if !(epoch_done && self.trainer.heeds_epochs()) {
                    return Ok(None);
                }
                let (train, validation) = self.trainer.evaluate();
                if !train.loss.is_finite() {
                    return Err(End::Diverged(self.trainer.diverged_in_evaluation()));
                }
                let row = HistoryRow {
                    epoch: self.trainer.epoch(),
                    step: self.trainer.steps(),
                    train_loss: train.loss,
                    train_accuracy: train.accuracy,
                    validation_loss: validation.map(|v| v.loss),
                    validation_accuracy: validation.and_then(|v| v.accuracy),
                    learning_rate: self.trainer.last_rate(),
                    gradient_norm: None,
                };
                let Some(reason) = self.trainer.observe(&row) else {
                    return Ok(None);
                };
                self.trainer.take_back_best();
                Ok(Some(End::Stopped(reason)))
            }
        }
    }

    /// The loss over the whole training part; where it is not finite, the last
    /// step is taken back.
    pub(super) fn measure(&mut self) -> Result<f64, End> {
        let loss = self.trainer.train_loss();
        if loss.is_finite() {
            Ok(loss)
        } else {
            Err(End::Diverged(self.trainer.diverged_in_evaluation()))
        }
    }

    pub(super) fn save(&self) -> SavedTraining {
        self.trainer.save()
    }

    pub(super) fn restore(&mut self, saved: &SavedTraining) {
        self.trainer.restore(saved);
    }

    /// About how many bytes a saved state takes.
    pub(super) fn saved_bytes(&self) -> usize {
        // Parameters, those before, gradient, two moments; and the order.
        let problem = self.trainer.problem();
        20 * problem.network.layout().len() + 8 * problem.train.len()
    }
}
