//! What a run's recorder is told, in the order in which it happened.

use super::event::RunEvent;
use super::info::SavedState;
use super::thinning::Kept;
use crate::train::{HistoryRow, SavedMemory, Snapshot};
use serde::Serialize;
use std::sync::Arc;

/// What one step came to. A number that is not known, or not finite, is none.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct StepMetrics {
    /// Steps completed.
    pub step: u64,
    /// The mean data loss over the step's batch, at the weights before it.
    pub loss: Option<f64>,
    /// The learning rate that it was made with.
    pub learning_rate: Option<f64>,
    /// The Euclidean norm of its gradient, penalties included.
    pub gradient_norm: Option<f64>,
}

/// The weights after so many steps.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedWeights {
    /// Steps completed.
    pub step: u64,
    /// Epochs completed.
    pub epoch: usize,
    /// The mean data loss over the whole training part, where it was computed.
    pub loss: Option<f64>,
    /// The weights.
    pub params: Arc<[f32]>,
}

/// A number that another program told of its run.
#[derive(Debug, Clone, PartialEq)]
pub struct ToldNumber {
    /// What that program calls the run.
    pub run: Arc<str>,
    /// What it calls the number.
    pub tag: Arc<str>,
    /// Steps completed.
    pub step: i64,
    /// When it was told, in milliseconds since 1970.
    pub time_ms: i64,
    /// The number; none for one that is not finite.
    pub value: Option<f64>,
}

/// The numbers of one name that another program told.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ToldSeries {
    /// What that program calls the run.
    pub run: String,
    /// What it calls the number.
    pub tag: String,
    /// Steps and values; none for a value that was not finite.
    pub values: Vec<(i64, Option<f64>)>,
}

/// Something for a run's file.
#[derive(Debug, Clone)]
pub enum Item {
    /// A run begins anew, with the initial weights and batches of a seed. What follows
    /// belongs to another file.
    Begin {
        /// The seed.
        seed: u64,
    },
    /// Metrics of steps, rising.
    Steps(Vec<StepMetrics>),
    /// What was told of a step of a run elsewhere; it adds to what is known of the step.
    Merge(StepMetrics),
    /// Numbers that another program told.
    Told(Vec<ToldNumber>),
    /// Epochs from this one on are told again, as others may have come between them.
    EpochsAnew {
        /// The first.
        from: usize,
    },
    /// All steps go: they were of another run.
    StepsAnew,
    /// Of steps or metrics that were kept, every second one goes, each curve by itself.
    Halve {
        /// Of what.
        what: Kept,
        /// One in so many is kept now.
        every: u64,
    },
    /// An epoch, at a time in milliseconds since 1970.
    Epoch(i64, Box<HistoryRow>),
    /// Weights.
    Snapshot(SavedWeights),
    /// Something happened.
    Event(RunEvent),
    /// What was recorded of later steps is not true any more.
    ForgetAfter {
        /// Steps completed.
        step: u64,
    },
    /// From now on one in `every` of these is kept, and the others go.
    Thin {
        /// Of what.
        what: Kept,
        /// One in so many.
        every: u64,
    },
    /// What the optimiser has gathered after so many steps, and the steps of which that goes
    /// instead.
    Memory(u64, SavedMemory, Vec<u64>),
    /// The weights of these steps go, and what belongs to them.
    DropSnapshots(Vec<u64>),
    /// From now on weights are kept every so many steps.
    SnapshotEvery(u64),
    /// What a diagnosis looks at after an epoch.
    Look(Box<Look>),
    /// The run came to rest for good, or goes on (`Open`).
    State {
        /// What it is now.
        state: SavedState,
        /// When, in milliseconds since 1970.
        time_ms: i64,
        /// The run as it is then, for the diagnosis.
        snapshot: Box<Snapshot>,
    },
}

/// Weights, and what the last step added to them.
#[derive(Debug, Clone)]
pub struct Look {
    /// Epochs completed.
    pub epoch: usize,
    /// Steps completed.
    pub step: u64,
    /// The weights.
    pub params: Arc<[f32]>,
    /// What the last step added.
    pub update: Vec<f32>,
}
