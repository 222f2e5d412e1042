//! One iteration of back-propagation, an event at a time: forwards layer by layer,
//! the loss, backwards layer by layer, the update.
//!
//! An iteration is made by the code that makes every other step of training; what
//! it computes on its way is kept in a [`Trace`], in which one can go forward and
//! back. The weights are those before the step until its last event, the update.
//! [`TrainCommand::Micro`](super::TrainCommand::Micro) leads a run through it.

mod chain;
mod check;
mod event;
mod explain;
mod trace;

pub use chain::{Chain, ChainFactor, Derivative};
pub use check::{AGREES, Check, Of, check};
pub use event::{Event, events_of};
pub use explain::{Factor, Origin, Sum, Term};
pub use trace::{Moment, Passes, Trace};

use std::sync::Arc;

/// Where a run is in an iteration.
#[derive(Debug, Clone, PartialEq)]
pub struct Micro {
    /// The iteration.
    pub trace: Arc<Trace>,
    /// How many of its events have happened.
    pub done: usize,
    /// Whether an event can be taken back.
    pub can_go_back: bool,
}

impl Micro {
    /// The event that happened last in this iteration.
    pub fn last(&self) -> Option<Event> {
        let last = self.done.checked_sub(1)?;
        self.trace.events.get(last).copied()
    }

    /// The event to come; none behind the update, where the next iteration begins.
    pub fn next(&self) -> Option<Event> {
        self.trace.events.get(self.done).copied()
    }

    /// What the update adds to each parameter.
    pub fn changes(&self) -> Vec<f32> {
        let pairs = self.trace.after.iter().zip(self.trace.before.iter());
        pairs.map(|(after, before)| after - before).collect()
    }

    /// Whether `event` has happened in this iteration.
    pub fn has(&self, event: Event) -> bool {
        self.trace.events[..self.done].contains(&event)
    }
}

/// Where to go in an iteration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MicroCommand {
    /// Before the first event of the next step.
    Enter,
    /// One event on; after the update, into the next iteration.
    Forward,
    /// One event back, the state bit for bit as it was, into the iterations before as
    /// far as one was led through them.
    Back,
    /// Out of it: back to before the step, unless it has been made.
    Leave,
}
