//! Diagnosis in words: what is wrong with a run, by what it is told, what to try, and the
//! change of the experiment that tries it.
//!
//! [`Facts`] are what the data alone say, once for a problem. [`Observed`] is a run so far.
//! [`diagnose`] makes [`Finding`]s of both: rules of one kind each raise what
//! meets its [`Thresholds`], and what follows from something else that was found stands
//! with it rather than beside it. A [`Cure`] makes an experiment of an experiment.
//! [`Checkup`] runs an experiment and observes it.
//!
//! The words are in the language files, under the keys that [`words`] gives. Nothing here
//! is certain: a finding says which numbers it comes from.

mod checkup;
mod course;
mod cure;
mod facts;
mod finding;
mod kind;
mod neighbours;
mod rules;
mod thresholds;
pub mod words;

pub use checkup::Checkup;
pub use cure::Cure;
pub use facts::{Facts, Leak};
pub use finding::{Comparison, Evidence, Finding, Severity};
pub use kind::Kind;
pub use rules::{Observed, diagnose};
pub use thresholds::{ThresholdError, Thresholds};

#[cfg(test)]
mod tests;
