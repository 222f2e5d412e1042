//! Training that happens elsewhere, watched: what other programs log, save or send becomes
//! [`News`], whatever it comes by.
//!
//! Three sources give the same news: a folder of TensorBoard event files ([`LogFolder`]), a
//! folder of safetensors checkpoints ([`CheckpointTree`]), and connections over TCP
//! ([`Server`]) in the protocol of `docs/watch.md` ([`frame`]). Each is a state machine that
//! is asked for what is new ([`Source::poll`]); whoever asks brings thread and clock. A
//! [`Follower`] makes a network of ours of what is told about the foreign one, and a
//! [`Board`] keeps curves and histograms in bounded memory, and [`RunOfNews`] makes a recorded
//! run of all that.

mod below;
mod board;
mod checkpoint_tree;
mod checkpoints;
mod follow;
pub mod frame;
mod header;
mod kin;
mod log_folder;
mod news;
mod record;
mod roles;
mod run_file;
mod server;
mod source;
mod spreads;

pub use below::MOST_DEPTH;
pub use board::{Board, HistogramSeries, Series};
pub use checkpoint_tree::CheckpointTree;
pub use checkpoints::CheckpointFolder;
pub use follow::{Followed, Follower};
pub use header::{Header, PROTOCOL};
pub use log_folder::LogFolder;
pub use news::{Begun, Group, Logged, Metric, News, Poll, TensorFrame};
pub use record::Recorder;
pub use roles::{Role, Roles};
pub use run_file::RunOfNews;
pub use server::{PORT, Server};
pub use source::{Source, SourceKind};
pub use spreads::spreads;

use std::path::PathBuf;

/// Why something cannot be watched.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// There is no such folder, or nothing of what it would have to hold.
    #[error("{}: {message}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What is wrong, and what was expected.
        message: String,
    },
    /// Nobody can be listened to at this address.
    #[error("cannot listen at {address}: {message}")]
    Listen {
        /// The address.
        address: String,
        /// What the system said, and what to do.
        message: String,
    },
    /// What was received cannot be kept.
    #[error("{}: {source}", path.display())]
    Keep {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// An event file cannot be written.
    #[error(transparent)]
    Interop(#[from] crate::interop::InteropError),
}
