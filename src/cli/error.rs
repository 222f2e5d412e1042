//! What can go wrong on the command line, and the exit status that follows.

use crate::experiment::ExperimentError;
use crate::figure::FigureError;
use crate::interop::InteropError;
use crate::landscape::curvature::CurvatureError;
use crate::landscape::{DirectionsError, GridError, LineError};
use crate::run::RunError;
use crate::search::SearchError;
use std::path::{Path, PathBuf};

/// Why a command did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The command line itself makes no sense.
    #[error("{0}\n\nFor more information, try '--help'.")]
    Usage(String),
    /// Nobody reads standard output any more; not a failure.
    #[error("standard output is closed")]
    OutputClosed,
    /// Standard output refuses.
    #[error("cannot write to standard output: {0}")]
    Output(std::io::Error),
    /// A file or folder refuses.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The experiment cannot be read or run.
    #[error(transparent)]
    Experiment(#[from] ExperimentError),
    /// A file of weights, a surface or a path cannot be read or written.
    #[error(transparent)]
    Interop(#[from] InteropError),
    /// A picture cannot be made.
    #[error(transparent)]
    Figure(#[from] FigureError),
    /// The directions do not fit the network.
    #[error(transparent)]
    Directions(#[from] DirectionsError),
    /// The grid makes no sense.
    #[error(transparent)]
    Grid(#[from] GridError),
    /// There is no line between two weight vectors.
    #[error(transparent)]
    Line(#[from] LineError),
    /// There is no curvature to speak of.
    #[error(transparent)]
    Curvature(#[from] CurvatureError),
    /// A search cannot begin.
    #[error(transparent)]
    Search(#[from] SearchError),
    /// A recorded run cannot be read, written or found.
    #[error(transparent)]
    Run(#[from] RunError),
    /// It was told to stop, and what was done is kept for the next start.
    #[error("{0}")]
    Interrupted(String),
    /// Another process of the same command has said why.
    #[error("another process has said why")]
    SaidElsewhere(u8),
    /// Anything else, said in full.
    #[error("{0}")]
    Failed(String),
}

impl CliError {
    /// An error of the file system at `path`.
    pub fn io(path: &Path, source: std::io::Error) -> Self {
        CliError::Io {
            path: path.to_owned(),
            source,
        }
    }

    /// 0 where nothing went wrong, 2 for wrong usage, 3 where the same command
    /// goes on from what is kept, 1 for everything else.
    pub fn status(&self) -> u8 {
        match self {
            CliError::OutputClosed => 0,
            CliError::Usage(_) => 2,
            CliError::Interrupted(_) => 3,
            CliError::SaidElsewhere(status) => *status,
            _ => 1,
        }
    }
}
