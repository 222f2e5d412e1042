//! What can go wrong with a run's file.

use crate::experiment::ExperimentError;
use std::path::{Path, PathBuf};

/// Why a run cannot be read, written or found.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The file system refuses.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is no SQLite file, or not one that holds a run.
    #[error("{}: this is no recorded run of gradscape", path.display())]
    NotARun {
        /// The file.
        path: PathBuf,
    },
    /// A newer version wrote it.
    #[error(
        "{}: written by a newer version (schema {found}, this version knows up to {known}); \
         open it with a newer gradscape", path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The newest that is known here.
        known: i64,
    },
    /// SQLite refuses.
    #[error("{}: {source}", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// What it said.
        source: rusqlite::Error,
    },
    /// Something in it is not what it should be.
    #[error("{}: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What, and where.
        what: String,
    },
    /// It was watched, and only its numbers are there.
    #[error(
        "{}: this run was watched ({source_name}) and has numbers alone: {why}. `gradscape runs \
         show` lists them; what needs the network or its weights cannot be done", path.display()
    )]
    NoNetwork {
        /// The file.
        path: PathBuf,
        /// What was watched.
        source_name: String,
        /// Why there is no network.
        why: String,
    },
    /// Its experiment cannot be read.
    #[error("{}: its experiment: {source}", path.display())]
    Experiment {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ExperimentError,
    },
    /// There is no run of that name.
    #[error("{0}")]
    Unknown(String),
    /// There are several that could be meant.
    #[error("{0}")]
    Ambiguous(String),
}

impl RunError {
    pub(super) fn io(path: &Path, source: std::io::Error) -> Self {
        RunError::Io {
            path: path.to_owned(),
            source,
        }
    }

    /// SQLite's complaint; that something is no database is said as what it means.
    pub(super) fn database(path: &Path, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(rusqlite::ErrorCode::NotADatabase) => RunError::NotARun { path },
            _ => RunError::Database { path, source },
        }
    }

    pub(super) fn damaged(path: &Path, what: impl Into<String>) -> Self {
        RunError::Damaged {
            path: path.to_owned(),
            what: what.into(),
        }
    }
}
