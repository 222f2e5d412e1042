//! The experiments that a command line can name.

pub use crate::experiment::samples::{SAMPLES, Sample, sample};
