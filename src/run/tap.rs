//! Looks at a run as it is made, and says what of it goes into its file.

use super::event::{EventKind, RunEvent};
use super::info::SavedState;
use super::item::{Item, Look, SavedWeights, StepMetrics};
use super::thinning::{
    Doubling, Kept, MOST_EPOCHS, MOST_STEPS, MemoryPlan, SNAPSHOT_BYTES, SnapshotPlan,
};
use super::write::finite;
use crate::train::{
    Divergence, Jumps, NonFinite, Observer, Problem, RunState, Session, TrainCommand,
};
use serde_json::{Value, json};
use std::sync::Arc;

/// Steps that are gathered before they are passed on.
const STEPS: usize = 512;
/// Weights, in bytes, that are gathered.
const BYTES: usize = 4 << 20;
/// The most steps between two looks at the clock.
const MOST_UNLOOKED: u32 = 64;
/// For how long anything is gathered, in milliseconds.
const WAIT: i64 = 100;
/// The epochs after which the health is looked at are as far apart as in a
/// [`HealthLog`](crate::insight::health::HealthLog) of so many.
const LOOKS: u64 = 64;

/// The time, in milliseconds since 1970.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;
/// Takes what is to be recorded; `false` when nobody does any more.
pub type Sink = Box<dyn Fn(Vec<Item>) -> bool + Send + Sync>;

/// What of a run is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TapOptions {
    /// Steps between two snapshots of the weights; none is as many as between two points
    /// of the path: eight an epoch, or one where a loss over all samples takes long.
    pub snapshot_every: Option<u64>,
    /// The bytes that all of them may take. What the optimiser has gathered may take half as
    /// many in addition.
    pub snapshot_bytes: u64,
}

impl Default for TapOptions {
    fn default() -> Self {
        TapOptions {
            snapshot_every: None,
            snapshot_bytes: SNAPSHOT_BYTES,
        }
    }
}

impl TapOptions {
    /// Which weights of a run of `problem` are kept.
    pub fn plan(&self, problem: &Problem) -> SnapshotPlan {
        let every = self.snapshot_every;
        let every = every.unwrap_or_else(|| Session::path_stride(problem));
        let params = problem.network.layout().len();
        SnapshotPlan::new(every, params, self.snapshot_bytes)
    }
}

/// Observes a run for its file. Per step it takes the gradient's norm and 40 bytes.
pub struct Tap {
    options: TapOptions,
    clock: Clock,
    sink: Sink,
    lost: bool,
    // What the run was when it was last looked at.
    generation: u64,
    step: u64,
    rate: f64,
    state: RunState,
    jumps: Jumps,
    row: Option<(usize, u64, u64)>,
    // What is kept of it.
    plan: SnapshotPlan,
    memory: MemoryPlan,
    steps: Doubling,
    epochs: Doubling,
    looks: Doubling,
    // What waits to be passed on.
    items: Vec<Item>,
    waiting_steps: usize,
    waiting_bytes: usize,
    since: i64,
    // When the clock was looked at, after how many steps, and how many there may be.
    looked: i64,
    unlooked: u32,
    patience: u32,
}

impl Tap {
    /// A tap for `session`, to be given to it with [`Session::observe`]; what it sees
    /// goes to `sink`.
    pub fn new(session: &Session, options: TapOptions, clock: Clock, sink: Sink) -> Self {
        Tap {
            lost: false,
            generation: session.generation(),
            step: session.trainer().steps(),
            rate: session.trainer().base_rate(),
            state: session.state(),
            jumps: session.jumps().clone(),
            row: None,
            plan: options.plan(session.trainer().problem()),
            memory: MemoryPlan::new(options.snapshot_bytes / 2),
            steps: Doubling::new(MOST_STEPS),
            epochs: Doubling::new(MOST_EPOCHS),
            looks: Doubling::new(LOOKS),
            items: vec![Item::Begin {
                seed: session.trainer().seed(),
            }],
            waiting_steps: 0,
            waiting_bytes: 0,
            since: clock(),
            looked: clock(),
            unlooked: 0,
            patience: 1,
            options,
            clock,
            sink,
        }
    }

    fn flush(&mut self, now: i64) {
        self.since = now;
        (self.waiting_steps, self.waiting_bytes) = (0, 0);
        if !self.items.is_empty() {
            let items = std::mem::take(&mut self.items);
            self.lost = self.lost || !(self.sink)(items);
        }
    }

    fn flush_if_due(&mut self) {
        // Where steps are quick, most of them do not look at the clock.
        let is_full = self.waiting_steps >= STEPS || self.waiting_bytes >= BYTES;
        self.unlooked += 1;
        if self.unlooked < self.patience && !is_full {
            return;
        }
        self.unlooked = 0;
        let now = (self.clock)();
        let is_quick = now - self.looked <= 1;
        self.looked = now;
        self.patience = match is_quick {
            true => (2 * self.patience).min(MOST_UNLOOKED),
            false => 1,
        };
        if is_full || now - self.since >= WAIT {
            self.flush(now);
        }
    }

    fn event(&mut self, session: &Session, kind: EventKind, detail: Value) {
        let trainer = session.trainer();
        self.items.push(Item::Event(RunEvent {
            time_ms: (self.clock)(),
            step: trainer.steps(),
            epoch: trainer.epoch(),
            kind,
            detail,
        }));
    }

    /// The run started over: what comes is another run.
    fn begin_anew(&mut self, session: &Session) {
        let now = (self.clock)();
        self.flush(now);
        let options = self.options;
        let (clock, sink) = (
            Arc::clone(&self.clock),
            std::mem::replace(&mut self.sink, Box::new(|_| false)),
        );
        let lost = self.lost;
        *self = Tap::new(session, options, clock, sink);
        self.lost = lost;
    }

    fn forget(&mut self, session: &Session, rewound: bool) {
        let step = session.trainer().steps();
        let from = std::mem::replace(&mut self.step, step);
        self.items.push(Item::ForgetAfter { step });
        self.plan.forget_after(step);
        self.memory.forget_after(step);
        self.row = None;
        if rewound {
            self.event(session, EventKind::Rewound, json!({ "from": from }));
        }
    }

    fn take_metrics(&mut self, session: &Session) {
        let trainer = session.trainer();
        let step = trainer.steps();
        if self.steps.wants(step) {
            let metrics = StepMetrics {
                step,
                loss: finite(trainer.batch_loss()),
                learning_rate: finite(trainer.last_rate()),
                gradient_norm: trainer.gradient_norm().and_then(finite),
            };
            match self.items.last_mut() {
                Some(Item::Steps(steps)) => steps.push(metrics),
                _ => self.items.push(Item::Steps(vec![metrics])),
            }
            self.waiting_steps += 1;
            if let Some(every) = self.steps.keep() {
                self.items.push(Item::Thin {
                    what: Kept::Steps,
                    every,
                });
            }
        }
    }

    /// The newest row of the history, unless it was seen.
    fn take_row(&mut self, session: &Session) {
        let Some(row) = session.newest_row() else {
            return;
        };
        let mark = (row.epoch, row.step, row.train_loss.to_bits());
        if row.step != session.trainer().steps() || self.row == Some(mark) {
            return;
        }
        let is_again = self.row.is_some_and(|(epoch, ..)| epoch == row.epoch);
        self.row = Some(mark);
        let epoch = row.epoch as u64;
        if self.epochs.wants(epoch) {
            self.waiting_steps += 1;
            self.items.push(Item::Epoch((self.clock)(), Box::new(*row)));
            if !is_again && let Some(every) = self.epochs.keep() {
                self.items.push(Item::Thin {
                    what: Kept::Epochs,
                    every,
                });
            }
        }
        if self.looks.wants(epoch) {
            self.look(session);
            if !is_again {
                self.looks.keep();
            }
        }
    }

    fn look(&mut self, session: &Session) {
        let trainer = session.trainer();
        self.waiting_bytes += 8 * trainer.params().len();
        self.items.push(Item::Look(Box::new(Look {
            epoch: trainer.epoch(),
            step: trainer.steps(),
            params: params(session),
            update: trainer.last_update(),
        })));
    }

    fn take_weights(&mut self, session: &Session) {
        let trainer = session.trainer();
        let step = trainer.steps();
        let point = session.trajectory().points().last();
        let point = point.filter(|point| point.step == step);
        self.waiting_bytes += 4 * trainer.params().len();
        let every = self.plan.every();
        let gone = self.plan.keep(step);
        if !gone.is_empty() {
            self.memory.forget(&gone);
            self.items.push(Item::DropSnapshots(gone));
        }
        self.items.push(Item::Snapshot(SavedWeights {
            step,
            epoch: trainer.epoch(),
            loss: point.and_then(|point| finite(point.loss)),
            params: params(session),
        }));
        if self.plan.every() != every {
            self.items.push(Item::SnapshotEvery(self.plan.every()));
        }
        // At the start nothing is gathered yet.
        if step > 0 {
            let memory = trainer.memory();
            self.waiting_bytes += memory.bytes.len();
            let gone = self.memory.keep(step, memory.bytes.len() as u64);
            self.items.push(Item::Memory(step, memory, gone));
        }
    }

    /// What became of the run since it was last looked at.
    fn take_state(&mut self, session: &Session, by_command: bool) {
        let state = session.state();
        let before = std::mem::replace(&mut self.state, state);
        if state == before {
            return;
        }
        let was_done = matches!(before, RunState::Finished | RunState::Diverged);
        let saved = match state {
            RunState::Finished => SavedState::Finished,
            RunState::Diverged => SavedState::Diverged,
            _ => SavedState::Open,
        };
        let event = match state {
            RunState::Running if before == RunState::Idle => Some((EventKind::Started, json!({}))),
            RunState::Running => Some((EventKind::Resumed, json!({}))),
            RunState::Paused if by_command && before == RunState::Running => {
                Some((EventKind::Paused, json!({})))
            }
            RunState::Finished => {
                let reason = session.stop().map(ToString::to_string);
                let best = session.best_epoch();
                let detail = json!({ "reason": reason, "best_epoch": best });
                Some((EventKind::Finished, detail))
            }
            RunState::Diverged => {
                let detail = session.divergence().map_or(json!({}), divergence);
                Some((EventKind::Diverged, detail))
            }
            _ => None,
        };
        if let Some((kind, detail)) = event {
            self.event(session, kind, detail);
        }
        if saved != SavedState::Open || was_done {
            if saved != SavedState::Open {
                self.look(session);
            }
            self.items.push(Item::State {
                state: saved,
                time_ms: (self.clock)(),
                snapshot: Box::new(session.bare_snapshot()),
            });
        }
    }
}

/// The weights of a run, shared with its path where that has them.
fn params(session: &Session) -> Arc<[f32]> {
    let step = session.trainer().steps();
    let point = session.trajectory().points().last();
    match point {
        Some(point) if point.step == step && *point.params == *session.trainer().params() => {
            Arc::clone(&point.params)
        }
        _ => Arc::from(session.trainer().params()),
    }
}

fn divergence(divergence: &Divergence) -> Value {
    let place = divergence.parameter;
    let what = match divergence.what {
        NonFinite::Forward => "loss",
        NonFinite::Gradient => "gradient",
        NonFinite::Update => "parameter",
    };
    json!({
        "step": divergence.step,
        "what": what,
        "layer": divergence.layer,
        "parameter": place.map(|p| json!({
            "role": p.role.name(), "unit": p.unit, "input": p.input,
        })),
    })
}

impl Observer for Tap {
    fn stepped(&mut self, session: &Session) {
        if self.lost {
            return;
        }
        let step = session.trainer().steps();
        if step < self.step {
            self.forget(session, false);
        } else if step > self.step {
            self.step = step;
            self.take_metrics(session);
        }
        self.take_row(session);
        if self.plan.wants(step) && self.plan.last() != Some(step) {
            self.take_weights(session);
        }
        self.flush_if_due();
    }

    fn settled(&mut self, session: &Session, command: Option<&TrainCommand>) {
        if self.lost {
            return;
        }
        if session.generation() != self.generation {
            self.begin_anew(session);
        }
        let step = session.trainer().steps();
        if step != self.step {
            // Back, or a step of an iteration made again.
            let rewound = matches!(command, Some(TrainCommand::Rewind));
            self.forget(session, rewound);
        }
        let rate = session.trainer().base_rate();
        let from = std::mem::replace(&mut self.rate, rate);
        if from != rate {
            let detail = json!({ "from": from, "to": rate });
            self.event(session, EventKind::RateChanged, detail);
        }
        let mut is_new = self.plan.last() != Some(step);
        if *session.jumps() != self.jumps {
            let is_set = !session.jumps().is_empty();
            self.jumps = session.jumps().clone();
            if is_set && !matches!(command, Some(TrainCommand::Rewind)) {
                self.event(session, EventKind::WeightsSet, json!({}));
                is_new = true;
            }
        }
        self.take_row(session);
        let rests = session.state() != RunState::Running;
        if is_new && (rests || self.plan.wants(step)) {
            self.take_weights(session);
        }
        self.take_state(session, command.is_some());
        match rests {
            true => self.flush((self.clock)()),
            false => self.flush_if_due(),
        }
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        if !self.lost {
            self.flush((self.clock)());
        }
    }
}
