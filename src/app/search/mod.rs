//! Searches off the frame: the learning-rate range test and the sweep, each on
//! threads of its own, with what has come of them so far.
//!
//! Threads report through channels with a bounded number of places, and no frame
//! waits for them. A search that is cancelled,
//! or replaced by another, ends within a step of training; nobody waits for it.

mod range_job;
mod sweep_job;

pub use range_job::{RangePlan, RangeTrial};
pub use sweep_job::{SweepPlan, SweepTrial};

use std::sync::Arc;

/// Called on a search's thread when there is something new to take.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// A wish for a search.
#[derive(Debug, Clone)]
pub enum SearchCommand {
    /// Begin a range test in place of any other.
    TestRange(RangePlan),
    /// Stop the range test; its curve so far stays.
    CancelRange,
    /// Begin a sweep in place of any other.
    Sweep(Box<SweepPlan>),
    /// Stop the sweep; its finished runs stay.
    CancelSweep,
}

/// The searches there are.
#[derive(Default)]
pub struct Searches {
    /// The last range test.
    pub range: Option<RangeTrial>,
    /// The last sweep.
    pub sweep: Option<SweepTrial>,
}

impl Searches {
    /// Carries out a wish. `wake` is called whenever [`receive`](Self::receive)
    /// will have something.
    pub fn obey(&mut self, command: SearchCommand, wake: Wake) {
        match command {
            SearchCommand::TestRange(plan) => self.range = Some(RangeTrial::start(plan, wake)),
            SearchCommand::CancelRange => {
                if let Some(range) = &mut self.range {
                    range.cancel();
                }
            }
            SearchCommand::Sweep(plan) => self.sweep = Some(SweepTrial::start(*plan, wake)),
            SearchCommand::CancelSweep => {
                if let Some(sweep) = &mut self.sweep {
                    sweep.cancel();
                }
            }
        }
    }

    /// Takes in what has come, without waiting.
    pub fn receive(&mut self) {
        if let Some(range) = &mut self.range {
            range.receive();
        }
        if let Some(sweep) = &mut self.sweep {
            sweep.receive();
        }
    }
}
