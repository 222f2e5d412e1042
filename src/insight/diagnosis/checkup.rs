//! A run that is observed: trained an epoch at a time, with its health on the way.

use super::{Facts, Finding, Observed, Thresholds, diagnose};
use crate::experiment::{Experiment, ExperimentError};
use crate::insight::health::{HealthLog, HealthMeter, SAMPLES};
use crate::train::{History, HistoryRow, Problem, RunState, Session, Snapshot, TrainCommand};
use std::sync::Arc;

/// A run with all that a diagnosis looks at. A state machine: whoever drives it brings the
/// clock.
pub struct Checkup {
    problem: Arc<Problem>,
    facts: Facts,
    session: Session,
    history: History,
    log: HealthLog,
    meter: HealthMeter,
}

impl Checkup {
    /// A run of `experiment` at its start.
    ///
    /// # Errors
    /// When its data cannot be had or its network cannot be built.
    pub fn new(experiment: &Experiment) -> Result<Self, ExperimentError> {
        let problem = Arc::new(Problem::new(experiment)?);
        let mut checkup = Checkup {
            facts: Facts::of(&problem),
            session: Session::without_path(Arc::clone(&problem)),
            history: History::default(),
            log: HealthLog::default(),
            meter: HealthMeter::new(&problem, SAMPLES),
            problem,
        };
        checkup.look();
        Ok(checkup)
    }

    /// Trains for one epoch. Returns whether the run may go on: not after its last epoch,
    /// nor where it stopped or diverged.
    pub fn advance(&mut self) -> bool {
        if self.has_ended() {
            return false;
        }
        self.session.command(TrainCommand::Epoch);
        self.look();
        !self.has_ended()
    }

    fn has_ended(&self) -> bool {
        let epochs = self.problem.experiment.training.epochs;
        self.session.state() == RunState::Diverged
            || self.session.stop().is_some()
            || self.session.trainer().epoch() >= epochs
    }

    fn look(&mut self) {
        let rows = self.session.take_outbox().rows;
        rows.into_iter().for_each(|row| self.history.push(row));
        let trainer = self.session.trainer();
        let epoch = trainer.epoch();
        let has = self
            .log
            .records()
            .last()
            .is_some_and(|last| last.epoch == epoch);
        if !has && (self.log.wants(epoch) || self.has_ended()) {
            let (at, update) = ((epoch, trainer.steps()), trainer.last_update());
            let params = trainer.params();
            self.log
                .push(self.meter.measure(&self.problem, at, params, &update));
        }
    }

    /// What is wrong with the run so far.
    pub fn diagnose(&mut self, thresholds: &Thresholds) -> Vec<Finding> {
        let snapshot = self.session.snapshot();
        diagnose(&Observed {
            problem: &self.problem,
            facts: &self.facts,
            rows: self.history.rows(),
            snapshot: &snapshot,
            health: self.log.records(),
            thresholds,
        })
    }

    /// What is learnt.
    pub fn problem(&self) -> &Arc<Problem> {
        &self.problem
    }

    /// What the data say.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// What the epochs came to.
    pub fn rows(&self) -> &[HistoryRow] {
        self.history.rows()
    }

    /// The health on the way.
    pub fn log(&self) -> &HealthLog {
        &self.log
    }

    /// The state now.
    pub fn snapshot(&mut self) -> Snapshot {
        self.session.snapshot()
    }
}
