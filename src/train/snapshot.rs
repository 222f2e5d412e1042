//! What a run can be told, and what it tells about itself.

use super::divergence::Divergence;
use super::history::HistoryRow;
use super::jumps::Jumps;
use super::micro::{Micro, MicroCommand};
use super::stop::StopReason;
use super::trajectory::PathPoint;
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
    /// All epochs are done, or there is a reason not to go on
    /// ([`Snapshot::stop`]).
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
    /// So many whole epochs without a pause between them; nothing else is heard
    /// meanwhile.
    Epochs(usize),
    /// Back to the same initial weights.
    Reset,
    /// Back to the start with the initial weights of another seed.
    Reseed(u64),
    /// Another step size from the next step on: with a schedule, another base
    /// rate, from which it goes on where it is. Nothing changes where the
    /// method finds the length of its steps itself.
    SetLearningRate(f64),
    /// At most so many epochs a second; `None` is as fast as it goes.
    SetSpeed(Option<f64>),
    /// Which sample's activations and error signals to report. One of the training
    /// part comes into the batch of the iteration that is gone through event by event,
    /// or of the next one.
    Watch(Watched),
    /// Watch what a user has drawn: as many inputs as the network has, scaled as its
    /// data are (refused otherwise).
    Draw(Arc<[f32]>),
    /// Watch an input that was computed so that a unit answers to it as much as can be:
    /// as many inputs as the network has, scaled as its data are (refused otherwise).
    Maximised(Arc<[f32]>),
    /// Take these weights (refused unless there are as many as parameters). The
    /// optimiser begins anew from them; the path goes on there without a line that
    /// leads to them. An iteration that is gone through event by event goes on where
    /// it is, with these weights.
    SetParams(Arc<[f32]>),
    /// Return to an earlier, healthy state.
    Rewind,
    /// Through an iteration event by event.
    Micro(MicroCommand),
}

impl TrainCommand {
    /// Whether it changes weights or how they are trained, and not what is looked at alone.
    pub fn trains(&self) -> bool {
        !matches!(
            self,
            TrainCommand::Watch(_)
                | TrainCommand::Draw(_)
                | TrainCommand::Maximised(_)
                | TrainCommand::SetSpeed(_)
        )
    }

    /// Whether the iteration that is gone through event by event is given up.
    pub(super) fn leaves_iteration(&self) -> bool {
        match self {
            TrainCommand::SetLearningRate(_)
            | TrainCommand::SetSpeed(_)
            | TrainCommand::Watch(_)
            | TrainCommand::Draw(_)
            | TrainCommand::Maximised(_)
            | TrainCommand::SetParams(_)
            | TrainCommand::Micro(_)
            | TrainCommand::Pause => false,
            TrainCommand::Start
            | TrainCommand::Step
            | TrainCommand::Epoch
            | TrainCommand::Epochs(_)
            | TrainCommand::Reset
            | TrainCommand::Reseed(_)
            | TrainCommand::Rewind => true,
        }
    }
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
    /// None of the data: what the user has drawn.
    Drawn,
    /// None of the data: an input that was computed so that a unit answers to it.
    Maximised,
}

impl WatchedPart {
    /// Whether it is not of the data, so that there is no target.
    pub fn is_made(self) -> bool {
        matches!(self, WatchedPart::Drawn | WatchedPart::Maximised)
    }
}

/// One sample's way through the network at a snapshot's weights.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Probe {
    /// Which sample.
    pub watched: Watched,
    /// Its inputs, scaled.
    pub input: Vec<f32>,
    /// Its encoded target; empty for what is not of the data.
    pub target: Vec<f32>,
    /// Pre-activations, per layer.
    pub z: Vec<Vec<f32>>,
    /// Activations, per layer.
    pub a: Vec<Vec<f32>>,
    /// Error signals `dL/dz` for this sample's loss, per layer; empty for what is not
    /// of the data.
    pub delta: Vec<Vec<f32>>,
    /// Its loss; NaN for what is not of the data.
    pub loss: f64,
}

/// The state of a run at one moment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Counts everything that happened to the run: two snapshots with the same
    /// count are equal.
    pub revision: u64,
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
    /// The step size in force: of the next step, or for a method that finds its
    /// own, of the last.
    pub learning_rate: f64,
    /// The rate that the schedule starts from, which is what
    /// [`TrainCommand::SetLearningRate`] sets; equal to `learning_rate` where
    /// there is no schedule.
    pub base_learning_rate: f64,
    /// The parameters.
    pub params: Arc<[f32]>,
    /// The gradient of the last step; zeros where none was made ([`of_step`](Self::of_step)).
    pub gradient: Arc<[f32]>,
    /// What the last step added to each parameter; zeros where none was made.
    pub update: Arc<[f32]>,
    /// The rows of the training part that the last step saw; none before the
    /// first, and after a rewind until the next. `problem.train.select_rows(..)`
    /// has the samples.
    pub batch: Arc<[u32]>,
    /// The batch's mean loss in the last step; NaN before the first.
    pub batch_loss: f64,
    /// Where the weights were put rather than stepped.
    pub jumps: Arc<Jumps>,
    /// The watched sample; in an iteration the one that its events are of.
    pub probe: Probe,
    /// Where the run is in an iteration, while it goes through one event by event.
    pub micro: Option<Micro>,
    /// What went wrong, if something did.
    pub divergence: Option<Divergence>,
    /// Why the run ended before its last epoch, if it did.
    pub stop: Option<StopReason>,
}

impl Snapshot {
    /// `values`, the gradient or the update, where they are of a step: zeros stand for them
    /// before the first step, and where a run was opened whose gradients were not recorded.
    pub fn of_step<'a>(&self, values: &'a [f32]) -> Option<&'a [f32]> {
        let told = !self.batch.is_empty() || values.iter().any(|&value| value != 0.0);
        told.then_some(values)
    }

    /// Whether the run went on from somewhere and has made no step since.
    pub fn is_resumed(&self) -> bool {
        self.step > 0 && self.batch.is_empty() && self.state != RunState::Running
    }
}

/// Rows and path points that came since they were last taken, oldest first.
#[derive(Debug, Clone, Default)]
pub struct Outbox {
    /// One row an epoch, and row 0 before training.
    pub rows: Vec<HistoryRow>,
    /// The path through parameter space.
    pub points: Vec<PathPoint>,
}
