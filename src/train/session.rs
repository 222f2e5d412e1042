//! A run that can be commanded: what a worker thread, a capture and the
//! command line all drive.

mod beside;
mod command;
mod follow;
mod micro;
mod record;
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
use super::snapshot::{Outbox, Probe, RunState, Snapshot, Watched};
use super::stop::StopReason;
use super::trainer::Trainer;
use super::trajectory::Trajectory;
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

    /// A run at its start of which nothing has been measured: it has no rows and no path, but
    /// weights to be looked at, at once even where one loss takes long.
    pub fn unmeasured(problem: Arc<Problem>) -> Self {
        let stride = Self::path_stride(&problem);
        Self::bare(Trainer::new(problem), stride)
    }

    fn with_stride(trainer: Trainer, stride: u64) -> Self {
        let mut session = Self::bare(trainer, stride);
        session.record_start();
        session
    }

    fn bare(trainer: Trainer, stride: u64) -> Self {
        let problem = trainer.problem();
        let params = trainer.params().len();
        Session {
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
        }
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
