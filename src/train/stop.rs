//! Why a run ends before its last epoch, other than by numbers that run away.

use crate::data::ConfigError;
use crate::optim::SolverStop;

/// The reason, in words by its `Display`.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StopReason {
    /// Early stopping.
    #[error(
        "the validation loss did not get better for {epochs} epochs; \
         it was best, {best:.6}, after epoch {best_epoch}"
    )]
    NoProgress {
        /// Epochs since the best one.
        epochs: usize,
        /// The best validation loss.
        best: f64,
        /// The epoch after which it was.
        best_epoch: usize,
    },
    /// A full-batch method has nothing left to try.
    #[error("{method}: {stop}")]
    Solver {
        /// The method's name.
        method: &'static str,
        /// What it has run into.
        stop: SolverStop,
    },
    /// What the experiment asks for does not go together with its data.
    #[error("{0}")]
    Refused(ConfigError),
}
