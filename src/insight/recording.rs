//! A run that is recorded for a picture: its curves, the health of its layers and the
//! distributions of its numbers, all in bounded memory.

use super::distributions::{self, DistributionLog, DistributionMeter};
use super::health::{self, HealthLog, HealthMeter};
use crate::train::{Divergence, History, Problem, RunState, Session, TrainCommand};
use std::sync::Arc;

/// The most steps of which figures are kept; of longer runs they are farther apart.
const STEPS: usize = 4096;

/// What to record beside the curves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wanted {
    /// The health of the layers, after epochs.
    pub health: bool,
    /// Distributions, some tens of moments.
    pub distributions: bool,
    /// The path through parameter space, in bounded memory.
    pub path: bool,
}

/// One step's figures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepRow {
    /// Steps completed.
    pub step: u64,
    /// Epochs completed, with the part of the one that has begun.
    pub epoch: f64,
    /// The learning rate of the step.
    pub learning_rate: f64,
    /// The Euclidean norm of the gradient that the step was made from, penalties included.
    pub gradient_norm: f64,
    /// The mean data loss of the step's batch, before the step.
    pub batch_loss: f64,
}

/// A run with what is recorded of it. A state machine: whoever drives it brings the clock.
pub struct Recording {
    problem: Arc<Problem>,
    session: Session,
    until: usize,
    history: History,
    steps: Vec<StepRow>,
    stride: u64,
    health: Option<(HealthLog, HealthMeter)>,
    distributions: Option<(DistributionLog, DistributionMeter)>,
    moments_every: u64,
}

impl Recording {
    /// A run of `epochs` epochs from `start`, or from the initial weights.
    pub fn new(
        problem: Arc<Problem>,
        start: Option<&[f32]>,
        epochs: usize,
        wanted: Wanted,
    ) -> Self {
        let mut session = match wanted.path {
            true => Session::new(Arc::clone(&problem)),
            false => Session::without_path(Arc::clone(&problem)),
        };
        if let Some(params) = start {
            session.command(TrainCommand::SetParams(params.into()));
        }
        let steps = epochs * session.trainer().steps_per_epoch();
        let mut recording = Recording {
            session,
            until: epochs,
            history: History::default(),
            steps: Vec::new(),
            stride: 1,
            health: wanted.health.then(|| {
                let meter = HealthMeter::new(&problem, health::SAMPLES);
                (HealthLog::default(), meter)
            }),
            distributions: wanted.distributions.then(|| {
                let meter = DistributionMeter::new(&problem, distributions::SAMPLES);
                (DistributionLog::default(), meter)
            }),
            moments_every: (steps / (distributions::CAPACITY - 2)).max(1) as u64,
            problem,
        };
        recording.look();
        recording
    }

    /// Makes one step. Returns whether the run may go on: not after its last epoch, nor
    /// where it stopped or diverged.
    pub fn advance(&mut self) -> bool {
        if self.has_ended() {
            return false;
        }
        if self.session.state() != RunState::Running {
            self.session.begin_epoch();
        }
        self.session.advance();
        self.note_step();
        self.look();
        !self.has_ended()
    }

    fn has_ended(&self) -> bool {
        self.session.state() == RunState::Diverged
            || self.session.stop().is_some()
            || self.session.trainer().epoch() >= self.until
    }

    fn note_step(&mut self) {
        let trainer = self.session.trainer();
        let step = trainer.steps();
        if self.session.state() == RunState::Diverged || !step.is_multiple_of(self.stride) {
            return;
        }
        let Some(gradient_norm) = trainer.gradient_norm() else {
            return;
        };
        self.steps.push(StepRow {
            step,
            epoch: step as f64 / trainer.steps_per_epoch().max(1) as f64,
            learning_rate: trainer.last_rate(),
            gradient_norm,
            batch_loss: trainer.batch_loss(),
        });
        if self.steps.len() > STEPS {
            self.stride *= 2;
            let stride = self.stride;
            self.steps.retain(|row| row.step.is_multiple_of(stride));
        }
    }

    fn look(&mut self) {
        let rows = self.session.take_outbox().rows;
        let epoch_done = !rows.is_empty();
        rows.into_iter().for_each(|row| self.history.push(row));
        let ended = self.has_ended();
        let trainer = self.session.trainer();
        let (params, at) = (trainer.params(), (trainer.epoch(), trainer.steps()));
        if let Some((log, meter)) = &mut self.health
            && epoch_done
            && (log.wants(at.0) || ended)
        {
            log.push(meter.measure(&self.problem, at, params, &trainer.last_update()));
        }
        if let Some((log, meter)) = &mut self.distributions
            && (at.1.is_multiple_of(self.moments_every) || ended)
        {
            log.push(meter.measure(&self.problem, at, params, &trainer.last_update()));
        }
    }

    /// What is learnt.
    pub fn problem(&self) -> &Arc<Problem> {
        &self.problem
    }

    /// Steps that the whole run has.
    pub fn total_steps(&self) -> usize {
        self.until * self.session.trainer().steps_per_epoch()
    }

    /// What the epochs came to.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Figures of the steps, oldest first.
    pub fn steps(&self) -> &[StepRow] {
        &self.steps
    }

    /// The health on the way; none unless it was wanted.
    pub fn health(&self) -> Option<&HealthLog> {
        self.health.as_ref().map(|(log, _)| log)
    }

    /// The distributions on the way; none unless they were wanted.
    pub fn distributions(&self) -> Option<&DistributionLog> {
        self.distributions.as_ref().map(|(log, _)| log)
    }

    /// What was not finite, where the run broke off.
    pub fn divergence(&mut self) -> Option<Divergence> {
        self.session.snapshot().divergence
    }

    /// Epochs completed.
    pub fn epoch(&self) -> usize {
        self.session.trainer().epoch()
    }

    /// The run itself, where it is now.
    pub fn session(&mut self) -> &mut Session {
        &mut self.session
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Experiment;

    fn problem() -> Arc<Problem> {
        let text = "[data]\nsource = \"circle\"\nsamples = 100\nvalidation = 0.2\n[network]\n\
            layers = [{ dense = 4 }]\nloss = \"cross-entropy\"\n[training]\nbatch = 10\n";
        Arc::new(Problem::new(&Experiment::parse(text, "test").unwrap()).unwrap())
    }

    #[test]
    fn a_recorded_run_is_the_run_itself() {
        let all = Wanted {
            health: true,
            distributions: true,
            path: false,
        };
        let mut recording = Recording::new(problem(), None, 20, all);
        while recording.advance() {}
        let mut session = Session::without_path(problem());
        session.command(TrainCommand::Epochs(20));
        let rows = session.take_outbox().rows;
        assert_eq!(recording.history().rows(), rows);
        assert_eq!(recording.steps().len(), 160);
        let norm = recording.steps().last().unwrap().gradient_norm;
        let own = session.trainer().gradient();
        let own: f64 = own.iter().map(|&g| f64::from(g).powi(2)).sum();
        // Summed in another order.
        assert!((norm / own.sqrt() - 1.0).abs() < 1e-14);
        let moments = recording.distributions().unwrap().moments();
        assert!((40..=distributions::CAPACITY).contains(&moments.len()));
        assert_eq!((moments[0].step, moments.last().unwrap().step), (0, 160));
        let epochs: Vec<usize> = recording
            .health()
            .unwrap()
            .records()
            .iter()
            .map(|h| h.epoch)
            .collect();
        assert_eq!(epochs, (0..=20).collect::<Vec<_>>());
    }

    #[test]
    fn a_run_goes_on_from_given_weights() {
        let start = vec![0.25; problem().initial_params().len()];
        let recording = Recording::new(problem(), Some(&start), 3, Wanted::default());
        let mut evaluator = crate::train::Evaluator::new(&problem().network);
        let loss = evaluator.loss(&problem().network, &start, &problem().train);
        let first = recording.history().rows().last().unwrap().train_loss;
        assert!((first - loss).abs() < 1e-12);
    }
}
