//! Looking for good settings: a grid of experiments, and the range of learning
//! rates that train at all.
//!
//! [`Vary`] is one setting with the values it is to take, [`Plan`] all
//! combinations of several, checked before the first one runs. [`Run`] is one of
//! them, a step at a time; [`Plan::for_each`] spreads them over the threads of
//! the caller's rayon pool. [`Row`] is what one came to, [`RangeTest`] raises
//! the rate step by step until training breaks. Nothing here reads a clock,
//! writes a file or prints.

mod datasets;
mod error;
mod grid;
mod range_test;
mod run;
mod table;
mod vary;

pub use error::SearchError;
pub use grid::{Case, MOST_RUNS, Plan, with_settings};
pub use range_test::{DIVERGED_AT, RangeEnd, RangePoint, RangeTest, Suggestion};
pub use run::{Outcome, Run, Status};
pub use table::{Row, Table, rank};
pub use vary::{Vary, value_text};
