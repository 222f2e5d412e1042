//! Runs as files: everything that a training run was, in one SQLite file that survives
//! the end of the process at any moment. `docs/runs.md` describes its tables.
//!
//! A [`Tap`] observes a [`Session`](crate::train::Session) and says what of each step is
//! to be kept; a [`Recorder`] writes it, a state machine; [`Recording`] is the thread that
//! drives one beside training. [`RunFile`] reads a run, also while it grows, [`RunNotes`]
//! writes what people say about one, [`Replay`] makes of one what the window shows. A
//! [`Catalogue`] is a folder of runs.
//!
//! Times come from the caller, in milliseconds since 1970 (UTC).

pub mod catalogue;
mod comparison;
mod error;
mod event;
mod file;
mod finding;
mod info;
mod item;
mod notes;
mod open;
mod record;
mod recorder;
mod recording;
mod replay;
mod schema;
mod tables;
mod tap;
mod thinning;
mod write;

pub use catalogue::{Catalogue, Found, Listed, Listing, Unreadable};
pub use comparison::{ComparedRun, CurveOf, RunFigures, axes, differing_keys};
pub use error::RunError;
pub use event::{EventKind, RunEvent};
pub use file::{EXTENSION, NO_NETWORK, RunFile, is_run_file};
pub use info::{Parent, RunInfo, RunStart, SavedState, environment};
pub use item::{Item, Look, SavedWeights, StepMetrics, ToldNumber, ToldSeries};
pub use notes::RunNotes;
pub use recorder::{Committed, Recorder};
pub use recording::{MakeRecorder, Recording, RecordingStatus};
pub use replay::Replay;
pub use tap::{Clock, Sink, Tap, TapOptions};
pub use thinning::{
    Kept, MOST_EPOCHS, MOST_METRICS, MOST_STEPS, MemoryPlan, SNAPSHOT_BYTES, SnapshotPlan, Thinning,
};

#[cfg(test)]
mod tests;
