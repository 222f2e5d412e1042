//! A run that can be commanded: what a worker thread, a capture and the
//! command line all drive.

mod beside;
mod follow;
mod micro;
mod resume;

pub use resume::Resumption;

pub use follow::ForeignStep;

use super::divergence::Divergence;
use super::foreign::ForeignHistory;
use super::history::HistoryRow;
use super::jumps::Jumps;
use super::observer::Observer;
use super::probe::probe;
use super::problem::Problem;
use super::snapshot::{Outbox, Probe, RunState, Snapshot, TrainCommand, Watched, WatchedPart};
use super::stop::StopReason;
use super::trainer::{StepOutcome, Trainer};
use super::trajectory::{PathPoint, Trajectory};
use crate::nn::Workspace;
use std::sync::Arc;

/// A run and the commands that it obeys.
pub struct Session {
    trainer: Trainer,
    state: RunState,
    target_epoch: usize,
    // Where a run of a single epoch pauses.
    epoch_goal: Option<usize>,
    revision: u64,
    generation: u64,
    watched: Watched,
    made: Arc<[f32]>,
    // Whether the watched sample was chosen for the iteration to come.
    wanted: bool,
    speed: Option<f64>,
    divergence: Option<Divergence>,
    stop: Option<StopReason>,
    // The epoch whose weights were taken back at the end.
    best_epoch: Option<usize>,
    trajectory: Trajectory,
    jumps: Arc<Jumps>,
    // The step of the newest history row.
    row_step: u64,
    outbox: Outbox,
    probe_workspace: Workspace<f32>,
    // The iteration that is gone through event by event.
    iteration: Option<micro::Iteration>,
    observer: Option<Box<dyn Observer>>,
    // Whether the optimiser goes on with what it gathered in another run.
    recalls: bool,
    // What it keeps where it follows a run elsewhere.
    following: Option<ForeignHistory>,
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
        let stride = Self::path_stride(&problem);
        Self::with_stride(Trainer::new(problem), stride)
    }

    /// How many steps lie between two points of the path of a run of `problem`, at first.
    pub fn path_stride(problem: &Problem) -> u64 {
        let params = problem.network.layout().len();
        let steps = problem.steps_per_epoch();
        let cheap = problem.train.len().saturating_mul(params) < CHEAP_LOSS;
        let stride = if cheap {
            steps.div_ceil(POINTS_PER_EPOCH)
        } else {
            steps
        };
        stride.max(1) as u64
    }

    /// The same without a path: of that only the first point is kept, and the
    /// loss over the whole training part is computed once an epoch.
    pub fn without_path(problem: Arc<Problem>) -> Self {
        Self::with_stride(Trainer::new(problem), u64::MAX)
    }

    fn with_stride(trainer: Trainer, stride: u64) -> Self {
        let problem = trainer.problem();
        let params = trainer.params().len();
        let mut session = Session {
            state: RunState::Idle,
            target_epoch: problem.experiment.training.epochs,
            epoch_goal: None,
            revision: 0,
            generation: 0,
            watched: Watched::default(),
            made: Arc::default(),
            wanted: false,
            speed: None,
            divergence: None,
            stop: None,
            best_epoch: None,
            trajectory: Trajectory::new(params, stride),
            jumps: Arc::default(),
            row_step: 0,
            outbox: Outbox::default(),
            probe_workspace: Workspace::new(&problem.network, 1),
            iteration: None,
            observer: None,
            recalls: false,
            following: None,
            trainer,
        };
        session.record_start();
        session
    }

    /// From now on `observer` is told of everything that happens, in the place of another
    /// one. Of what happened before, the history's first row and the path's first point,
    /// it is told at once, as of a run that came to rest.
    pub fn observe(&mut self, observer: Box<dyn Observer>) {
        self.observer = Some(observer);
        self.tell(|observer, session| observer.settled(session, None));
    }

    /// Takes the observer away, if there is one.
    pub fn unobserve(&mut self) -> Option<Box<dyn Observer>> {
        self.observer.take()
    }

    /// Tells the observer, who sees the run as it is.
    fn tell(&mut self, what: impl FnOnce(&mut dyn Observer, &Session)) {
        if let Some(mut observer) = self.observer.take() {
            what(observer.as_mut(), self);
            self.observer = Some(observer);
        }
    }

    /// Obeys a command. `Step` and `Epoch` are carried out at once.
    pub fn command(&mut self, command: TrainCommand) {
        if !self.heeds(&command) {
            return;
        }
        self.revision += 1;
        if command.leaves_iteration() {
            self.iteration = None;
        }
        if command == TrainCommand::Epoch {
            self.begin_epoch();
            while self.epoch_goal.is_some() && self.advance() {}
            self.tell(|observer, session| observer.settled(session, Some(&TrainCommand::Epoch)));
        } else if self.observer.is_some() {
            self.obey(command.clone());
            self.tell(|observer, session| observer.settled(session, Some(&command)));
        } else {
            self.obey(command);
        }
    }

    /// Begins what the command `Epoch` carries out: runs until the end of this
    /// epoch, a step at each [`advance`](Self::advance), and pauses there.
    pub fn begin_epoch(&mut self) {
        if self.state != RunState::Diverged && !self.is_following() {
            self.stop = None;
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
            TrainCommand::Epochs(epochs) => {
                for _ in 0..epochs {
                    self.begin_epoch();
                    while self.epoch_goal.is_some() && self.advance() {}
                    if matches!(self.state, RunState::Diverged) || self.stop.is_some() {
                        break;
                    }
                }
            }
            TrainCommand::Reset => {
                self.trainer.reset();
                self.restart();
            }
            TrainCommand::Reseed(seed) => {
                self.trainer.reseed(seed);
                self.restart();
            }
            TrainCommand::SetLearningRate(rate) => {
                let training = &self.trainer.problem().experiment.training;
                if rate.is_finite() && rate > 0.0 && training.optimizer.kind().has_rate() {
                    self.trainer.set_learning_rate(rate);
                    self.look_again();
                }
            }
            TrainCommand::SetSpeed(speed) => self.speed = speed.filter(|s| *s > 0.0),
            TrainCommand::Watch(watched) => {
                self.watched = watched;
                self.wanted = watched.part == WatchedPart::Train;
                self.look_again();
            }
            TrainCommand::Draw(input) => self.watch_made(WatchedPart::Drawn, input),
            TrainCommand::Maximised(input) => self.watch_made(WatchedPart::Maximised, input),
            TrainCommand::Micro(command) => self.lead(command),
            TrainCommand::SetParams(params) => {
                if params.len() == self.trainer.params().len() {
                    self.trainer.set_params(&params);
                    self.divergence = None;
                    let stopped = self.stop.take().is_some();
                    if stopped || self.state == RunState::Diverged {
                        self.state = RunState::Paused;
                    }
                    self.record_jump();
                    self.begin_again();
                }
            }
            TrainCommand::Rewind => {
                self.trainer.rewind();
                self.epoch_goal = None;
                self.divergence = None;
                self.stop = None;
                self.best_epoch = None;
                self.state = RunState::Paused;
                self.trajectory.truncate_after(self.trainer.steps());
                Arc::make_mut(&mut self.jumps).truncate_after(self.trainer.steps());
                // It went back to the end of an epoch, of which there is a row.
                self.row_step = self.trainer.steps();
                self.forget_after(self.trainer.steps());
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
        self.stop = None;
        self.state = RunState::Running;
    }

    /// Watches an input that is not of the data.
    fn watch_made(&mut self, part: WatchedPart, input: Arc<[f32]>) {
        if input.len() == self.trainer.problem().network.inputs() {
            self.made = input;
            self.watched = Watched { part, index: 0 };
            self.look_again();
        }
    }

    fn rest(&mut self) {
        self.epoch_goal = None;
        if self.state != RunState::Diverged {
            let done = self.stop.is_some() || self.trainer.epoch() >= self.target_epoch;
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
        self.stop = None;
        self.best_epoch = None;
        self.target_epoch = self.trainer.problem().experiment.training.epochs;
        self.trajectory.clear();
        self.jumps = Arc::default();
        self.outbox = Outbox::default();
        self.record_start();
    }

    /// While running, makes one step. Returns whether it did.
    pub fn advance(&mut self) -> bool {
        if self.state != RunState::Running {
            return false;
        }
        self.revision += 1;
        if self.trainer.epoch() >= self.goal() {
            self.rest();
            self.tell(|observer, session| observer.settled(session, None));
            return false;
        }
        self.make_step();
        if self.state == RunState::Running && self.trainer.epoch() >= self.goal() {
            self.rest();
        }
        if self.state != RunState::Running {
            self.tell(|observer, session| observer.settled(session, None));
        }
        true
    }

    /// The epoch at which a run stops by itself.
    fn goal(&self) -> usize {
        self.epoch_goal.unwrap_or(self.target_epoch)
    }

    /// Forgets what waits to be taken of later than `step` steps.
    fn forget_after(&mut self, step: u64) {
        self.outbox.rows.retain(|r| r.step <= step);
        self.outbox.points.retain(|p| p.step <= step);
    }

    fn make_step(&mut self) {
        if self.state == RunState::Diverged {
            return;
        }
        self.stop = None;
        self.best_epoch = None;
        let outcome = self.trainer.step();
        self.record(outcome);
    }

    /// Takes in what the step that the trainer has just made came to.
    fn record(&mut self, outcome: StepOutcome) {
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
    fn record_jump(&mut self) {
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

    fn record_start(&mut self) {
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

    fn evaluated_row(&mut self) -> HistoryRow {
        let (train, validation) = self.trainer.evaluate();
        HistoryRow::new(
            (self.trainer.epoch(), self.trainer.steps()),
            (self.trainer.last_rate(), self.trainer.gradient_norm()),
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

    /// The rows and points that wait to be taken.
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// The newest row of the history, until it is taken.
    pub fn newest_row(&self) -> Option<&HistoryRow> {
        self.outbox.rows.last()
    }

    /// Where the weights were put rather than stepped.
    pub fn jumps(&self) -> &Jumps {
        &self.jumps
    }

    /// What went wrong, if something did.
    pub fn divergence(&self) -> Option<&Divergence> {
        self.divergence.as_ref()
    }

    /// The epoch at which it will stop by itself.
    pub fn target_epoch(&self) -> usize {
        self.target_epoch
    }

    /// Counts the starts over.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The state now.
    pub fn snapshot(&mut self) -> Snapshot {
        let probe = self.probe();
        self.snapshot_with(probe)
    }

    /// The state now, with no sample on its way through the network.
    pub fn bare_snapshot(&self) -> Snapshot {
        self.snapshot_with(Probe::default())
    }

    fn snapshot_with(&self, probe: Probe) -> Snapshot {
        let trainer = &self.trainer;
        Snapshot {
            revision: self.revision,
            generation: self.generation,
            state: self.state,
            epoch: trainer.epoch(),
            step: trainer.steps(),
            target_epoch: self.target_epoch,
            seed: trainer.seed(),
            learning_rate: trainer.learning_rate(),
            base_learning_rate: trainer.base_rate(),
            params: Arc::from(trainer.params()),
            gradient: Arc::from(trainer.gradient()),
            update: Arc::from(trainer.last_update()),
            // A row has 32 bits: so many samples of 4 bytes would not fit anywhere.
            batch: trainer.last_batch().iter().map(|&r| r as u32).collect(),
            batch_loss: trainer.batch_loss(),
            jumps: Arc::clone(&self.jumps),
            probe,
            micro: self.iteration.as_ref().map(micro::Iteration::view),
            divergence: self.divergence.clone(),
            stop: self.stop.clone(),
        }
    }

    fn probe(&mut self) -> Probe {
        // In an iteration the sample that its events are of.
        let shown = self.iteration.as_ref().map(micro::Iteration::sample);
        probe(
            self.trainer.problem(),
            self.trainer.params(),
            shown.unwrap_or(self.watched),
            &self.made,
            &mut self.probe_workspace,
        )
    }

    /// Counts everything that happened to the run.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// What the run is doing.
    pub fn state(&self) -> RunState {
        self.state
    }

    /// Why the run ended before its last epoch, if it did.
    pub fn stop(&self) -> Option<&StopReason> {
        self.stop.as_ref()
    }

    /// The epoch whose weights early stopping took back at the end, if it did.
    pub fn best_epoch(&self) -> Option<usize> {
        self.best_epoch
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
