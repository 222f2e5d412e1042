//! A run that can be commanded: what a worker thread, a capture and the
//! command line all drive.

use super::history::HistoryRow;
use super::problem::Problem;
use super::trainer::{Divergence, StepOutcome, Trainer};
use super::trajectory::{PathPoint, Trajectory};
use crate::nn::Workspace;
use ndarray::s;
use std::sync::Arc;

/// What a run is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum RunState {
    /// At the start, not yet begun.
    #[default]
    Idle,
    /// Making steps.
    Running,
    /// Stopped somewhere on the way.
    Paused,
    /// All epochs are done.
    Finished,
    /// Stopped because numbers were no longer finite.
    Diverged,
}

/// What a run can be told.
#[derive(Debug, Clone, PartialEq)]
pub enum TrainCommand {
    /// Run, or go on; after the last epoch, for as many again.
    Start,
    /// Stop where it is.
    Pause,
    /// One step, then pause.
    Step,
    /// To the end of the epoch, then pause.
    Epoch,
    /// Back to the same initial weights.
    Reset,
    /// Back to the start with the initial weights of another seed.
    Reseed(u64),
    /// Another step size from the next step on.
    SetLearningRate(f64),
    /// At most so many epochs a second; `None` is as fast as it goes.
    SetSpeed(Option<f64>),
    /// Which sample's activations and error signals to report.
    Watch(Watched),
    /// Take these weights (refused unless there are as many as parameters).
    SetParams(Arc<[f32]>),
    /// Return to an earlier, healthy state.
    Rewind,
}

/// A sample by part and row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Watched {
    /// Which part of the data.
    pub part: WatchedPart,
    /// The row within that part.
    pub index: usize,
}

/// A part of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum WatchedPart {
    /// What the weights are fitted to.
    #[default]
    Train,
    /// What is held back.
    Validation,
}

/// One sample's way through the network at a snapshot's weights.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Probe {
    /// Which sample.
    pub watched: Watched,
    /// Its inputs, scaled.
    pub input: Vec<f32>,
    /// Its encoded target.
    pub target: Vec<f32>,
    /// Pre-activations, per layer.
    pub z: Vec<Vec<f32>>,
    /// Activations, per layer.
    pub a: Vec<Vec<f32>>,
    /// Error signals `dL/dz` for this sample's loss, per layer.
    pub delta: Vec<Vec<f32>>,
    /// Its loss.
    pub loss: f64,
}

/// The state of a run at one moment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Counts resets, so that a reader knows when history begins anew.
    pub generation: u64,
    /// What the run is doing.
    pub state: RunState,
    /// Epochs completed.
    pub epoch: usize,
    /// Steps completed.
    pub step: u64,
    /// The epoch at which it will stop by itself.
    pub target_epoch: usize,
    /// The seed of the current run.
    pub seed: u64,
    /// The step size in force.
    pub learning_rate: f64,
    /// The parameters.
    pub params: Arc<[f32]>,
    /// The gradient of the last step.
    pub gradient: Arc<[f32]>,
    /// What the last step added to each parameter.
    pub update: Arc<[f32]>,
    /// The batch's mean loss in the last step; NaN before the first.
    pub batch_loss: f64,
    /// The watched sample.
    pub probe: Probe,
    /// What went wrong, if something did.
    pub divergence: Option<Divergence>,
}

/// Rows and path points that came since they were last taken, oldest first.
#[derive(Debug, Clone, Default)]
pub struct Outbox {
    /// One row an epoch, and row 0 before training.
    pub rows: Vec<HistoryRow>,
    /// The path through parameter space.
    pub points: Vec<PathPoint>,
}

/// A run and the commands that it obeys.
pub struct Session {
    trainer: Trainer,
    state: RunState,
    target_epoch: usize,
    // Where a run of a single epoch pauses.
    epoch_goal: Option<usize>,
    generation: u64,
    watched: Watched,
    speed: Option<f64>,
    divergence: Option<Divergence>,
    trajectory: Trajectory,
    outbox: Outbox,
    probe_workspace: Workspace<f32>,
}

/// Below this many multiply-adds for one loss over the training part, the path
/// takes several points an epoch; above, one.
const CHEAP_LOSS: usize = 100_000_000;
/// Path points an epoch where the loss is cheap.
const POINTS_PER_EPOCH: usize = 8;

impl Session {
    /// A run at its start. Row 0 of the history and the first path point are
    /// ready to be taken.
    pub fn new(problem: Arc<Problem>) -> Self {
        let trainer = Trainer::new(problem);
        let problem = trainer.problem();
        let params = trainer.params().len();
        let steps = trainer.steps_per_epoch();
        let cheap = problem.train.len().saturating_mul(params) < CHEAP_LOSS;
        let stride = if cheap {
            steps.div_ceil(POINTS_PER_EPOCH)
        } else {
            steps
        };
        let mut session = Session {
            state: RunState::Idle,
            target_epoch: problem.experiment.training.epochs,
            epoch_goal: None,
            generation: 0,
            watched: Watched::default(),
            speed: None,
            divergence: None,
            trajectory: Trajectory::new(params, stride as u64),
            outbox: Outbox::default(),
            probe_workspace: Workspace::new(&problem.network, 1),
            trainer,
        };
        session.record_start();
        session
    }

    /// Obeys a command. `Step` and `Epoch` are carried out at once.
    pub fn command(&mut self, command: TrainCommand) {
        if command == TrainCommand::Epoch {
            self.begin_epoch();
            while self.epoch_goal.is_some() && self.advance() {}
        } else {
            self.obey(command);
        }
    }

    /// Begins what the command `Epoch` carries out: runs until the end of this
    /// epoch, a step at each [`advance`](Self::advance), and pauses there.
    pub fn begin_epoch(&mut self) {
        if self.state != RunState::Diverged {
            self.epoch_goal = Some(self.trainer.epoch() + 1);
            self.state = RunState::Running;
        }
    }

    fn obey(&mut self, command: TrainCommand) {
        match command {
            TrainCommand::Start => self.start(),
            TrainCommand::Pause => {
                if self.state == RunState::Running {
                    self.epoch_goal = None;
                    self.state = RunState::Paused;
                }
            }
            TrainCommand::Step => {
                self.make_step();
                self.rest();
            }
            TrainCommand::Epoch => self.begin_epoch(),
            TrainCommand::Reset => {
                self.trainer.reset();
                self.restart();
            }
            TrainCommand::Reseed(seed) => {
                self.trainer.reseed(seed);
                self.restart();
            }
            TrainCommand::SetLearningRate(rate) => {
                if rate.is_finite() && rate > 0.0 {
                    self.trainer.set_learning_rate(rate);
                }
            }
            TrainCommand::SetSpeed(speed) => self.speed = speed.filter(|s| *s > 0.0),
            TrainCommand::Watch(watched) => self.watched = watched,
            TrainCommand::SetParams(params) => {
                if params.len() == self.trainer.params().len() {
                    self.trainer.set_params(&params);
                    self.divergence = None;
                    if self.state == RunState::Diverged {
                        self.state = RunState::Paused;
                    }
                }
            }
            TrainCommand::Rewind => {
                self.trainer.rewind();
                self.epoch_goal = None;
                self.divergence = None;
                self.state = RunState::Paused;
                self.trajectory.truncate_after(self.trainer.steps());
                self.outbox.rows.retain(|r| r.epoch <= self.trainer.epoch());
                self.outbox
                    .points
                    .retain(|p| p.step <= self.trainer.steps());
            }
        }
    }

    fn start(&mut self) {
        if self.state == RunState::Diverged {
            return;
        }
        let epochs = self.trainer.problem().experiment.training.epochs;
        if self.trainer.epoch() >= self.target_epoch {
            self.target_epoch = self.trainer.epoch() + epochs.max(1);
        }
        self.epoch_goal = None;
        self.state = RunState::Running;
    }

    fn rest(&mut self) {
        self.epoch_goal = None;
        if self.state != RunState::Diverged {
            let done = self.trainer.epoch() >= self.target_epoch;
            self.state = if done {
                RunState::Finished
            } else {
                RunState::Paused
            };
        }
    }

    fn restart(&mut self) {
        self.generation += 1;
        self.epoch_goal = None;
        self.state = RunState::Idle;
        self.divergence = None;
        self.target_epoch = self.trainer.problem().experiment.training.epochs;
        self.trajectory.clear();
        self.outbox = Outbox::default();
        self.record_start();
    }

    /// While running, makes one step. Returns whether it did.
    pub fn advance(&mut self) -> bool {
        if self.state != RunState::Running {
            return false;
        }
        if self.trainer.epoch() >= self.goal() {
            self.rest();
            return false;
        }
        self.make_step();
        if self.state == RunState::Running && self.trainer.epoch() >= self.goal() {
            self.rest();
        }
        true
    }

    /// The epoch at which a run stops by itself.
    fn goal(&self) -> usize {
        self.epoch_goal.unwrap_or(self.target_epoch)
    }

    fn make_step(&mut self) {
        if self.state == RunState::Diverged {
            return;
        }
        let divergence = match self.trainer.step() {
            StepOutcome::Diverged(divergence) => Some(divergence),
            StepOutcome::Stepped { epoch_done, .. } => self.record_step(epoch_done),
        };
        if divergence.is_some() {
            self.divergence = divergence;
            self.epoch_goal = None;
            self.state = RunState::Diverged;
        }
    }

    fn record_start(&mut self) {
        let row = self.evaluated_row();
        self.outbox.rows.push(row);
        self.record_point(row.train_loss);
    }

    /// Records what is due after a step. Where the loss turns out not to be
    /// finite, records nothing and takes the step back.
    fn record_step(&mut self, epoch_done: bool) -> Option<Divergence> {
        let point_due = self.trajectory.wants(self.trainer.steps());
        let row = epoch_done.then(|| self.evaluated_row());
        let loss = match row {
            Some(row) => row.train_loss,
            None if point_due => self.trainer.train_loss(),
            None => return None,
        };
        if !loss.is_finite() {
            return Some(self.trainer.diverged_in_evaluation());
        }
        self.outbox.rows.extend(row);
        if point_due {
            self.record_point(loss);
        }
        None
    }

    fn evaluated_row(&mut self) -> HistoryRow {
        let (train, validation) = self.trainer.evaluate();
        HistoryRow::new(
            self.trainer.epoch(),
            self.trainer.steps(),
            train,
            validation,
        )
    }

    fn record_point(&mut self, loss: f64) {
        let point = PathPoint {
            step: self.trainer.steps(),
            epoch: self.trainer.epoch(),
            params: Arc::from(self.trainer.params()),
            loss,
        };
        self.trajectory.push(point.clone());
        self.outbox.points.push(point);
    }

    /// Takes the rows and points that came since the last call.
    pub fn take_outbox(&mut self) -> Outbox {
        std::mem::take(&mut self.outbox)
    }

    /// How much waits to be taken.
    pub fn outbox_len(&self) -> usize {
        self.outbox.rows.len() + self.outbox.points.len()
    }

    /// The state now.
    pub fn snapshot(&mut self) -> Snapshot {
        let probe = self.probe();
        let trainer = &self.trainer;
        Snapshot {
            generation: self.generation,
            state: self.state,
            epoch: trainer.epoch(),
            step: trainer.steps(),
            target_epoch: self.target_epoch,
            seed: trainer.seed(),
            learning_rate: trainer.learning_rate(),
            params: Arc::from(trainer.params()),
            gradient: Arc::from(trainer.gradient()),
            update: Arc::from(trainer.last_update()),
            batch_loss: trainer.batch_loss(),
            probe,
            divergence: self.divergence.clone(),
        }
    }

    fn probe(&mut self) -> Probe {
        let problem = self.trainer.problem();
        let samples = match self.watched.part {
            WatchedPart::Validation if !problem.validation.is_empty() => &problem.validation,
            _ => &problem.train,
        };
        if samples.is_empty() {
            return Probe::default();
        }
        let index = self.watched.index.min(samples.len() - 1);
        let (x, y) = (
            samples.x.slice(s![index..=index, ..]),
            samples.y.slice(s![index..=index, ..]),
        );
        let mut gradient = vec![0.0; self.trainer.params().len()];
        let workspace = &mut self.probe_workspace;
        let loss = problem
            .network
            .gradient(self.trainer.params(), x, y, workspace, &mut gradient);
        let layers = 0..problem.network.layers().len();
        Probe {
            watched: Watched {
                part: self.watched.part,
                index,
            },
            input: x.iter().copied().collect(),
            target: y.iter().copied().collect(),
            z: layers
                .clone()
                .map(|l| workspace.z(l).iter().copied().collect())
                .collect(),
            a: layers
                .clone()
                .map(|l| workspace.a(l).iter().copied().collect())
                .collect(),
            delta: layers
                .map(|l| workspace.delta(l).iter().copied().collect())
                .collect(),
            loss,
        }
    }

    /// What the run is doing.
    pub fn state(&self) -> RunState {
        self.state
    }

    /// The wished-for epochs a second, if bounded; a single epoch is made at once.
    pub fn speed(&self) -> Option<f64> {
        self.speed.filter(|_| self.epoch_goal.is_none())
    }

    /// The path so far.
    pub fn trajectory(&self) -> &Trajectory {
        &self.trajectory
    }

    /// The trainer below.
    pub fn trainer(&self) -> &Trainer {
        &self.trainer
    }
}
