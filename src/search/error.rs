//! What can be wrong with a search before it begins.

use crate::experiment::ExperimentError;

/// Why there is nothing to search.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// A setting to vary is not written as it should be.
    #[error("{text}: {message}")]
    Syntax {
        /// What was given.
        text: String,
        /// What is wrong, and what is expected.
        message: String,
    },
    /// The experiment has no place for this key.
    #[error("{key}: {message}")]
    Key {
        /// The key.
        key: String,
        /// What is in the way.
        message: String,
    },
    /// More combinations than anybody wants.
    #[error(
        "{product} = {count} runs; at most {most} are allowed: vary fewer settings, or give them fewer values"
    )]
    TooMany {
        /// The factors, as in `12 x 8`.
        product: String,
        /// Their product.
        count: String,
        /// What is allowed.
        most: usize,
    },
    /// One of the combinations is no valid experiment.
    #[error("with {with}: {source}")]
    Case {
        /// What was set, as in `training.batch=0`.
        with: String,
        /// What is wrong with it.
        source: ExperimentError,
    },
    /// The table of an earlier search cannot be gone on with.
    #[error("{0}")]
    Table(String),
    /// The learning rates to try make no sense.
    #[error("{0}")]
    Range(String),
}
