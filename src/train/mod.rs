//! Training as a pure state machine, and the thread that runs it off the frame.
//!
//! [`Problem`] is what is learnt: a network with its data, encoded. [`Trainer`]
//! makes one step at a time. [`Session`] adds commands, history and the path
//! through parameter space. [`Worker`] runs a session on a thread of its own.
//! All but the worker are deterministic functions of the experiment.

mod batch;
mod checkpoint;
mod divergence;
mod evaluate;
mod foreign;
mod full_gradient;
mod full_hessian;
mod history;
mod jumps;
mod memory;
pub mod micro;
mod monitor;
mod mover;
mod objective;
mod observer;
mod probe;
mod problem;
mod session;
mod smoothing;
mod snapshot;
mod stop;
mod trainer;
mod trajectory;
mod worker;

pub use checkpoint::SavedTraining;
pub use divergence::{Divergence, NonFinite};
pub use evaluate::{Evaluator, Score};
pub use foreign::{ForeignHistory, ForeignRow};
pub use full_gradient::full_gradient;
pub use full_hessian::FullHessian;
pub use history::{History, HistoryRow};
pub use jumps::Jumps;
pub use memory::SavedMemory;
pub use mover::{check_optimizer, check_training};
pub use objective::NetworkObjective;
pub use observer::Observer;
pub use probe::probe;
pub use problem::{Encoding, Problem, Samples};
pub use session::{ForeignStep, Resumption, Session};
pub use snapshot::{Outbox, Probe, RunState, Snapshot, TrainCommand, Watched, WatchedPart};
pub use stop::StopReason;
pub use trainer::{StepOutcome, Trainer, batch_of};
pub use trajectory::{PathPoint, Trajectory};
pub use worker::{News, Worker};
