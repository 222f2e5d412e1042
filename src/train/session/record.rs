//! What of a run becomes rows of its history and points of its path.

use super::Session;
use crate::train::divergence::Divergence;
use crate::train::history::HistoryRow;
use crate::train::snapshot::RunState;
use crate::train::stop::StopReason;
use crate::train::trainer::StepOutcome;
use crate::train::trajectory::PathPoint;
use std::sync::Arc;

impl Session {
    /// Takes in what the step that the trainer has just made came to.
    pub(super) fn record(&mut self, outcome: StepOutcome) {
        let ended_epoch = matches!(
            outcome,
            StepOutcome::Stepped {
                epoch_done: true,
                ..
            }
        );
        let epoch_before = self.trainer.epoch() - usize::from(ended_epoch);
        let to_go = epoch_before < self.target_epoch;
        let recorded = match outcome {
            StepOutcome::Diverged(divergence) => Err(divergence),
            StepOutcome::Stepped { epoch_done, .. } => self.record_step(epoch_done),
            StepOutcome::Stopped(reason) => Ok(Some(reason)),
        };
        match recorded {
            Err(divergence) => {
                self.divergence = Some(divergence);
                self.epoch_goal = None;
                self.state = RunState::Diverged;
            }
            Ok(stop) => {
                let ended = to_go && self.trainer.epoch() >= self.target_epoch;
                if ended || stop.is_some() {
                    self.take_back_best();
                }
                if stop.is_some() {
                    self.stop = stop;
                    self.rest();
                }
            }
        }
        self.tell(|observer, session| observer.stepped(session));
    }

    /// At the end, with early stopping: the best weights are the last.
    fn take_back_best(&mut self) {
        self.best_epoch = self.trainer.take_back_best();
        if self.best_epoch.is_some() {
            Arc::make_mut(&mut self.jumps).add(self.trainer.steps());
            let loss = self.trainer.train_loss();
            self.record_point(loss);
        }
    }

    /// The weights were set: the path goes on from there, and the figures of this
    /// moment, if there are any, are those of the new weights.
    pub(super) fn record_jump(&mut self) {
        let step = self.trainer.steps();
        Arc::make_mut(&mut self.jumps).add(step);
        let loss = if self.row_step == step {
            let row = self.evaluated_row();
            if row.train_loss.is_finite() {
                self.outbox.rows.push(row);
            }
            row.train_loss
        } else {
            self.trainer.train_loss()
        };
        if loss.is_finite() {
            self.record_point(loss);
        }
    }

    pub(super) fn record_start(&mut self) {
        let row = self.evaluated_row();
        self.row_step = self.trainer.steps();
        self.outbox.rows.push(row);
        self.record_point(row.train_loss);
    }

    /// Records what is due after a step, and says whether the run should end.
    /// Where the loss turns out not to be finite, records nothing and takes the
    /// step back.
    fn record_step(&mut self, epoch_done: bool) -> Result<Option<StopReason>, Divergence> {
        let point_due = self.trajectory.wants(self.trainer.steps());
        let row = epoch_done.then(|| self.evaluated_row());
        let loss = match row {
            Some(row) => row.train_loss,
            None if point_due => self.trainer.train_loss(),
            None => return Ok(None),
        };
        if !loss.is_finite() {
            return Err(self.trainer.diverged_in_evaluation());
        }
        if row.is_some() {
            self.row_step = self.trainer.steps();
        }
        self.outbox.rows.extend(row);
        if point_due {
            self.record_point(loss);
        }
        Ok(row.and_then(|row| self.trainer.observe(&row)))
    }

    pub(super) fn evaluated_row(&mut self) -> HistoryRow {
        let (train, validation) = self.trainer.evaluate();
        HistoryRow::new(
            (self.trainer.epoch(), self.trainer.steps()),
            (self.trainer.last_rate(), self.trainer.gradient_norm()),
            train,
            validation,
        )
    }

    pub(super) fn record_point(&mut self, loss: f64) {
        let point = PathPoint {
            step: self.trainer.steps(),
            epoch: self.trainer.epoch(),
            params: Arc::from(self.trainer.params()),
            loss,
        };
        self.trajectory.push(point.clone());
        self.outbox.points.push(point);
    }
}
