//! Training as a pure state machine, and the thread that runs it off the frame.
//!
//! [`Problem`] is what is learnt: a network with its data, encoded. [`Trainer`]
//! makes one step at a time. [`Session`] adds commands, history and the path
//! through parameter space. [`Worker`] runs a session on a thread of its own.
//! All but the worker are deterministic functions of the experiment.

mod evaluate;
mod history;
mod problem;
mod session;
mod trainer;
mod trajectory;
mod worker;

pub use evaluate::{Evaluator, Score};
pub use history::{History, HistoryRow};
pub use problem::{Encoding, Problem, Samples};
pub use session::{Outbox, Probe, RunState, Session, Snapshot, TrainCommand, Watched, WatchedPart};
pub use trainer::{Divergence, NonFinite, StepOutcome, Trainer};
pub use trajectory::{PathPoint, Trajectory};
pub use worker::Worker;
