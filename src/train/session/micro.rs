//! A run led through its iterations event by event.

use super::super::checkpoint::SavedTraining;
use super::super::jumps::Jumps;
use super::super::micro::{Event, Micro, MicroCommand, Trace};
use super::super::snapshot::{RunState, Watched, WatchedPart};
use super::super::stop::StopReason;
use super::super::trainer::StepOutcome;
use super::super::trajectory::Trajectory;
use super::Session;
use std::collections::VecDeque;
use std::sync::Arc;

/// Bytes that the iterations to which one can go back may take.
const BYTES: usize = 256 << 20;
/// The fewest of them, however large the network.
const FEWEST: usize = 2;

/// The iteration that a run is in.
pub(super) struct Iteration {
    trace: Arc<Trace>,
    done: usize,
    /// Before its first event.
    start: Mark,
    /// Behind the step, before anything was recorded of it.
    end: SavedTraining,
    outcome: StepOutcome,
    /// The starts of the iterations before it, oldest first.
    past: VecDeque<Mark>,
}

/// Everything that an iteration changes.
#[derive(Clone)]
struct Mark {
    saved: SavedTraining,
    trajectory: Trajectory,
    jumps: Arc<Jumps>,
    row_step: u64,
    state: RunState,
    stop: Option<StopReason>,
    best_epoch: Option<usize>,
}

impl Iteration {
    /// What is shown of it.
    pub(super) fn view(&self) -> Micro {
        Micro {
            trace: Arc::clone(&self.trace),
            done: self.done,
            can_go_back: self.done > 0,
        }
    }

    /// The sample that its events are of.
    pub(super) fn sample(&self) -> Watched {
        Watched {
            part: WatchedPart::Train,
            index: self.trace.sample.row,
        }
    }

    fn is_over(&self) -> bool {
        self.done == self.trace.events.len()
    }
}

impl Session {
    pub(super) fn lead(&mut self, command: MicroCommand) {
        match command {
            MicroCommand::Enter if self.iteration.is_none() => {
                self.pause();
                self.iteration = self.begin_iteration(VecDeque::new());
            }
            MicroCommand::Enter => {}
            MicroCommand::Forward => self.go_forward(),
            MicroCommand::Back => self.go_back(),
            MicroCommand::Leave => self.iteration = None,
        }
    }

    fn go_forward(&mut self) {
        self.pause();
        let iteration = match self.iteration.take() {
            Some(iteration) if !iteration.is_over() => Some(iteration),
            Some(Iteration { start, past, .. }) => self.begin_iteration(kept(past, start)),
            None => self.begin_iteration(VecDeque::new()),
        };
        let Some(mut iteration) = iteration else {
            return;
        };
        let event = iteration.trace.events[iteration.done];
        iteration.done += 1;
        if event == Event::Update {
            self.trainer.restore(&iteration.end);
            self.record(iteration.outcome.clone());
            self.rest();
        }
        if self.state != RunState::Diverged {
            self.iteration = Some(iteration);
        }
    }

    fn go_back(&mut self) {
        let Some(mut iteration) = self.iteration.take() else {
            return;
        };
        if let Some(done) = iteration.done.checked_sub(1) {
            iteration.done = done;
            if iteration.trace.events[done] == Event::Update {
                self.return_to(iteration.start.clone());
            }
            if done == 0 {
                iteration = self.iteration_before(iteration);
            }
        }
        self.iteration = Some(iteration);
    }

    /// What was shown before the first event of `iteration`: the one before it, all
    /// of it done, where there was one.
    fn iteration_before(&mut self, mut iteration: Iteration) -> Iteration {
        let Some(start) = iteration.past.pop_back() else {
            return iteration;
        };
        self.trainer.restore(&start.saved);
        let outcome = self.trainer.step();
        let end = self.trainer.save();
        let trace = self.trainer.trace(&start.saved, self.watched_row());
        self.return_to(iteration.start);
        Iteration {
            done: trace.events.len(),
            trace: Arc::new(trace),
            start,
            end,
            outcome,
            past: iteration.past,
        }
    }

    /// Makes a step, looks at it, and takes it back. Where there is none to be
    /// made, the run is left where that leads.
    fn begin_iteration(&mut self, past: VecDeque<Mark>) -> Option<Iteration> {
        if self.state == RunState::Diverged {
            return None;
        }
        self.stop = None;
        self.best_epoch = None;
        if std::mem::take(&mut self.wanted) {
            self.trainer.bring(self.watched_row());
        }
        let start = self.mark();
        let outcome = self.trainer.step();
        if !matches!(outcome, StepOutcome::Stepped { .. }) {
            self.record(outcome);
            self.rest();
            return None;
        }
        let end = self.trainer.save();
        let trace = self.trainer.trace(&start.saved, self.watched_row());
        self.trainer.restore(&start.saved);
        Some(Iteration {
            trace: Arc::new(trace),
            done: 0,
            start,
            end,
            outcome,
            past,
        })
    }

    /// Looks at the iteration once more: for another sample, or with another rate.
    pub(super) fn look_again(&mut self) {
        let Some(mut iteration) = self.iteration.take() else {
            return;
        };
        let is_over = iteration.is_over();
        if is_over && iteration.trace.rows.contains(&self.watched_row()) {
            self.wanted = false;
        }
        let now = is_over.then(|| self.trainer.save());
        if is_over {
            self.trainer.restore(&iteration.end);
        } else {
            if std::mem::take(&mut self.wanted) {
                self.trainer.bring(self.watched_row());
                iteration.start.saved = self.trainer.save();
            }
            iteration.outcome = self.trainer.step();
            iteration.end = self.trainer.save();
        }
        let trace = self
            .trainer
            .trace(&iteration.start.saved, self.watched_row());
        self.trainer
            .restore(now.as_ref().unwrap_or(&iteration.start.saved));
        iteration.trace = Arc::new(trace);
        self.iteration = Some(iteration);
    }

    /// The weights were put elsewhere: the same event of the step from there, or if the
    /// step had been made, the beginning of the next. One cannot go back behind that.
    pub(super) fn begin_again(&mut self) {
        let Some(before) = self.iteration.take() else {
            return;
        };
        let done = if before.is_over() { 0 } else { before.done };
        self.iteration = self.begin_iteration(VecDeque::new());
        if let Some(iteration) = &mut self.iteration {
            iteration.done = done.min(iteration.trace.events.len() - 1);
        }
    }

    fn pause(&mut self) {
        if self.state == RunState::Running {
            self.epoch_goal = None;
            self.state = RunState::Paused;
        }
    }

    /// The sample that is shown where it is in the batch.
    fn watched_row(&self) -> usize {
        match self.watched.part {
            WatchedPart::Train => self.watched.index,
            WatchedPart::Validation | WatchedPart::Drawn | WatchedPart::Maximised => usize::MAX,
        }
    }

    fn mark(&self) -> Mark {
        Mark {
            saved: self.trainer.save(),
            trajectory: self.trajectory.clone(),
            jumps: Arc::clone(&self.jumps),
            row_step: self.row_step,
            state: self.state,
            stop: self.stop.clone(),
            best_epoch: self.best_epoch,
        }
    }

    fn return_to(&mut self, mark: Mark) {
        self.trainer.restore(&mark.saved);
        self.trajectory = mark.trajectory;
        self.jumps = mark.jumps;
        self.row_step = mark.row_step;
        self.state = mark.state;
        self.stop = mark.stop;
        self.best_epoch = mark.best_epoch;
        self.forget_after(self.trainer.steps());
    }
}

/// `past` with one more; the oldest go where all take too much memory.
fn kept(mut past: VecDeque<Mark>, mark: Mark) -> VecDeque<Mark> {
    let bytes = mark.saved.bytes();
    past.push_back(mark);
    while past.len() > FEWEST && past.len().saturating_mul(bytes) > BYTES {
        past.pop_front();
    }
    past
}
