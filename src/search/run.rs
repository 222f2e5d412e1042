//! One experiment of a search, a step at a time.

use crate::train::{HistoryRow, Problem, RunState, Session, TrainCommand};
use std::sync::Arc;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// As it was meant to.
    Finished,
    /// Numbers stopped being finite.
    Diverged {
        /// In this step, from 1.
        step: u64,
    },
}

/// What a run came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// How it ended.
    pub status: Status,
    /// The number of parameters.
    pub parameters: usize,
    /// The last epoch whose loss was finite; epoch 0 is before training.
    pub last: HistoryRow,
    /// The first epoch with the smallest validation loss, or training loss
    /// where there is no validation part.
    pub best: HistoryRow,
}

/// A run that trains exactly as `gradscape train` does, but keeps no path.
pub struct Run {
    session: Session,
    last: HistoryRow,
    best: HistoryRow,
}

impl Run {
    /// A run at its start.
    pub fn new(problem: Arc<Problem>) -> Self {
        Self::observed(problem, |_| {})
    }

    /// The same, after `prepare` has seen its session, such as to have it recorded.
    pub fn observed(problem: Arc<Problem>, prepare: impl FnOnce(&mut Session)) -> Self {
        let mut session = Session::without_path(problem);
        prepare(&mut session);
        let nothing = HistoryRow {
            epoch: 0,
            step: 0,
            train_loss: f64::NAN,
            train_accuracy: None,
            validation_loss: None,
            validation_accuracy: None,
            learning_rate: f64::NAN,
            gradient_norm: None,
        };
        let start = session.take_outbox().rows.first().copied();
        let start = start.unwrap_or(nothing);
        session.command(TrainCommand::Start);
        Run {
            session,
            last: start,
            best: start,
        }
    }

    /// Makes one step. Returns whether another may follow.
    pub fn advance(&mut self) -> bool {
        let more = self.session.advance();
        for row in self.session.take_outbox().rows {
            if score(&row) < score(&self.best) || score(&self.best).is_nan() {
                self.best = row;
            }
            self.last = row;
        }
        more
    }

    /// The last whole epoch.
    pub fn last(&self) -> &HistoryRow {
        &self.last
    }

    /// The first epoch with the smallest validation loss so far, or training
    /// loss where there is no validation part.
    pub fn best(&self) -> &HistoryRow {
        &self.best
    }

    /// What it came to; so far, while it runs.
    pub fn outcome(&mut self) -> Outcome {
        let status = match (self.session.state(), self.session.snapshot().divergence) {
            (RunState::Diverged, Some(divergence)) => Status::Diverged {
                step: divergence.step,
            },
            _ => Status::Finished,
        };
        Outcome {
            status,
            parameters: self.session.trainer().params().len(),
            last: self.last,
            best: self.best,
        }
    }
}

/// What runs and epochs are compared by.
pub(super) fn score(row: &HistoryRow) -> f64 {
    row.validation_loss.unwrap_or(row.train_loss)
}
