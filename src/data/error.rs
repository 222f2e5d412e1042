//! What can be wrong with data: what, where, and what to do.

use std::path::{Path, PathBuf};

use super::config::ConfigError;

/// Why a data set could not be prepared.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// A key of the experiment does not fit, alone or with the data.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A file cannot be read.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The files of a data set that ships beside the program are not there.
    #[error(
        "the files of {name} were not found; looked in {tried}. \
         Set GRADSCAPE_ASSETS to the folder that holds data/{name}",
        tried = list_paths(tried)
    )]
    AssetsMissing {
        /// The data set.
        name: String,
        /// The folders that were looked into, in order.
        tried: Vec<PathBuf>,
    },
    /// Something at a line of a text file.
    #[error("{path}, line {line}{}: {message}", column.as_ref().map(|c| format!(", column {c}")).unwrap_or_default(), path = path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// The column's name, where one column is to blame.
        column: Option<String>,
        /// What is wrong and what to do.
        message: String,
    },
    /// The file as a whole is not what it should be.
    #[error("{path}: {message}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        message: String,
    },
}

impl DataError {
    pub(super) fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            source,
        }
    }

    pub(super) fn file(path: &Path, message: impl Into<String>) -> Self {
        Self::File {
            path: path.to_owned(),
            message: message.into(),
        }
    }

    pub(super) fn line(
        path: &Path,
        line: u64,
        column: Option<&str>,
        message: impl Into<String>,
    ) -> Self {
        Self::Line {
            path: path.to_owned(),
            line,
            column: column.map(str::to_owned),
            message: message.into(),
        }
    }
}

fn list_paths(paths: &[PathBuf]) -> String {
    let paths: Vec<String> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    paths.join(", ")
}
