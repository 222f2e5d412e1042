//! The thread that writes a run's file while training goes on.
//!
//! A [`Tap`](super::Tap) passes on what it sees through a channel that holds few parcels:
//! where the disk cannot keep up, training waits rather than memory grows. Whoever starts
//! the thread brings the clock.

use super::RunError;
use super::info::SavedState;
use super::item::{Item, Look};
use super::recorder::{Committed, Recorder};
use super::tap::{Clock, Sink};
use crate::insight::diagnosis::{Facts, Observed, Thresholds, diagnose};
use crate::insight::health::{HealthLog, HealthMeter, SAMPLES};
use crate::train::{History, Problem, Snapshot};
use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Parcels that can wait to be written.
const PARCELS: usize = 3;
/// Milliseconds after which what was taken is committed.
const COMMIT_MS: i64 = 500;
/// Rows and bytes of weights after which it is at once.
const COMMIT_ROWS: usize = 4096;
const COMMIT_BYTES: usize = 16 << 20;

/// Makes the file of a run with a seed.
pub type MakeRecorder = Box<dyn FnMut(u64) -> Result<Recorder, RunError> + Send>;

/// How recording stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordingStatus {
    /// The file of the run that is being recorded, once there is one.
    pub path: Option<PathBuf>,
    /// What is safe in it.
    pub committed: Committed,
    /// Why nothing is recorded any more, if so.
    pub error: Option<String>,
}

/// A thread that records the runs of one problem.
#[derive(Debug)]
pub struct Recording {
    status: Arc<Mutex<RecordingStatus>>,
    hurry: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Recording {
    /// Starts a thread that records runs of `problem`, each in the file that `make` makes
    /// for its seed when its first step is made, or at once where `at_once`. At a run's
    /// end a diagnosis looks at it. It ends when nobody has the sink any more.
    ///
    /// A run that made fewer than `least` steps, and did not come to an end, is not kept.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn spawn(
        problem: Arc<Problem>,
        make: MakeRecorder,
        at_once: bool,
        least: u64,
        clock: Clock,
    ) -> std::io::Result<(Self, Sink)> {
        let (sender, receiver) = bounded::<Vec<Item>>(PARCELS);
        let status = Arc::new(Mutex::new(RecordingStatus::default()));
        let hurry = Arc::new(AtomicBool::new(false));
        let clerk = Clerk {
            physician: Physician::new(problem),
            status: Arc::clone(&status),
            hurry: Arc::clone(&hurry),
            make,
            at_once,
            least,
            clock,
            recorder: None,
            seed: None,
            early: Vec::new(),
            steps: 0,
            ended: false,
            rows: 0,
            bytes: 0,
            since: None,
        };
        let thread = std::thread::Builder::new()
            .name("recording".into())
            .spawn(move || clerk.work(&receiver))?;
        let recording = Recording {
            status,
            hurry,
            thread: Some(thread),
        };
        Ok((recording, Box::new(move |items| sender.send(items).is_ok())))
    }

    /// How it stands.
    pub fn status(&self) -> RecordingStatus {
        self.status
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// From now on a diagnosis is left out: somebody waits for the end.
    pub fn hurry(&self) {
        self.hurry.store(true, Ordering::Relaxed);
    }

    /// Whether everything is written and the thread has ended.
    pub fn is_done(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Waits until everything is written. Whoever has the sink must have let it go.
    pub fn join(mut self) -> RecordingStatus {
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was already printed by its own hook.
            let _ = thread.join();
        }
        self.status()
    }
}

/// Whoever writes.
struct Clerk {
    physician: Physician,
    status: Arc<Mutex<RecordingStatus>>,
    hurry: Arc<AtomicBool>,
    make: MakeRecorder,
    at_once: bool,
    least: u64,
    clock: Clock,
    recorder: Option<Recorder>,
    // Of a run whose file is not made yet.
    seed: Option<u64>,
    early: Vec<Item>,
    // Made in the run that is recorded.
    steps: u64,
    ended: bool,
    // Since the last commit.
    rows: usize,
    bytes: usize,
    since: Option<i64>,
}

impl Clerk {
    fn work(mut self, parcels: &Receiver<Vec<Item>>) {
        let done = self.serve(parcels).and_then(|()| self.close());
        if let Err(error) = done {
            self.tell(|status| status.error = Some(error.to_string()));
        }
    }

    fn tell(&self, change: impl FnOnce(&mut RecordingStatus)) {
        change(&mut self.status.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn serve(&mut self, parcels: &Receiver<Vec<Item>>) -> Result<(), RunError> {
        loop {
            let now = (self.clock)();
            let wait = match self.since {
                Some(since) => (since + COMMIT_MS - now).max(0),
                None => i64::from(u16::MAX),
            };
            match parcels.recv_timeout(Duration::from_millis(wait as u64)) {
                Ok(items) => {
                    for item in items {
                        self.take(item)?;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            let now = (self.clock)();
            let is_due = self.since.is_some_and(|since| now - since >= COMMIT_MS);
            if is_due || self.rows >= COMMIT_ROWS || self.bytes >= COMMIT_BYTES {
                self.commit()?;
            }
        }
    }

    fn take(&mut self, item: Item) -> Result<(), RunError> {
        match item {
            Item::Begin { seed } => {
                self.close()?;
                self.physician.begin();
                self.seed = Some(seed);
                if self.at_once {
                    self.open()?;
                    // The next one begins when somebody makes a step.
                    self.at_once = false;
                }
                Ok(())
            }
            Item::Look(look) => {
                // Where nobody will diagnose, nobody has to look.
                if !self.hurry.load(Ordering::Relaxed) {
                    self.physician.look(&look);
                }
                Ok(())
            }
            item => {
                if let Item::Epoch(_, row) = &item {
                    self.physician.history.push(**row);
                }
                if let Item::ForgetAfter { step } = item {
                    self.physician.history.forget_after(step);
                }
                if self.seed.is_some() {
                    if matches!(item, Item::Steps(_)) {
                        self.open()?;
                    } else {
                        self.early.push(item);
                        return Ok(());
                    }
                }
                self.write(&item)
            }
        }
    }

    fn open(&mut self) -> Result<(), RunError> {
        if let Some(seed) = self.seed.take() {
            let recorder = (self.make)(seed)?;
            let path = recorder.path().to_owned();
            self.tell(|status| {
                status.path = Some(path);
                status.committed = Committed::default();
            });
            self.recorder = Some(recorder);
            for item in std::mem::take(&mut self.early) {
                self.write(&item)?;
            }
        }
        Ok(())
    }

    fn write(&mut self, item: &Item) -> Result<(), RunError> {
        let Some(recorder) = &mut self.recorder else {
            return Ok(());
        };
        recorder.take(item)?;
        self.since.get_or_insert_with(|| (self.clock)());
        match item {
            Item::Steps(steps) => {
                self.rows += steps.len();
                self.steps += steps.len() as u64;
            }
            Item::Snapshot(weights) => self.bytes += 4 * weights.params.len(),
            Item::Memory(_, memory, _) => self.bytes += memory.bytes.len(),
            Item::State {
                state, snapshot, ..
            } => {
                self.commit()?;
                self.ended = *state != SavedState::Open;
                if self.ended && self.hurry.load(Ordering::Relaxed) {
                    if let Some(recorder) = &mut self.recorder {
                        recorder.undiagnosed()?;
                    }
                } else if self.ended {
                    let findings = self.physician.diagnose(snapshot);
                    if let Some(recorder) = &mut self.recorder {
                        recorder.findings(snapshot.step, &findings)?;
                    }
                    self.commit()?;
                }
            }
            _ => self.rows += 1,
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<(), RunError> {
        (self.rows, self.bytes, self.since) = (0, 0, None);
        if let Some(recorder) = &mut self.recorder {
            let committed = recorder.commit((self.clock)())?;
            self.tell(|status| status.committed = committed);
        }
        Ok(())
    }

    /// Ends the run that was recorded last.
    fn close(&mut self) -> Result<(), RunError> {
        self.commit()?;
        self.early.clear();
        self.seed = None;
        let (steps, ended) = (std::mem::take(&mut self.steps), self.ended);
        self.ended = false;
        let Some(recorder) = self.recorder.take() else {
            return Ok(());
        };
        let path = recorder.path().to_owned();
        recorder.close((self.clock)())?;
        if steps < self.least && !ended {
            super::catalogue::remove(&path)?;
            self.tell(|status| status.path = None);
        }
        Ok(())
    }
}

/// Looks at a run on the way, for the diagnosis at its end.
struct Physician {
    problem: Arc<Problem>,
    meter: Option<HealthMeter>,
    facts: Option<Facts>,
    log: HealthLog,
    history: Rows,
}

/// The history of a run.
#[derive(Default)]
struct Rows(History);

impl Rows {
    fn push(&mut self, row: crate::train::HistoryRow) {
        self.0.push(row);
    }

    fn forget_after(&mut self, step: u64) {
        let rows = self.0.rows();
        let last = rows.iter().rev().find(|row| row.step <= step);
        match last.map(|row| row.epoch) {
            Some(epoch) => self.0.truncate_after(epoch),
            None => self.0.clear(),
        }
    }
}

impl Physician {
    fn new(problem: Arc<Problem>) -> Self {
        Physician {
            problem,
            meter: None,
            facts: None,
            log: HealthLog::default(),
            history: Rows::default(),
        }
    }

    fn begin(&mut self) {
        self.log.clear();
        self.history.0.clear();
    }

    fn look(&mut self, look: &Look) {
        let meter = self
            .meter
            .get_or_insert_with(|| HealthMeter::new(&self.problem, SAMPLES));
        let at = (look.epoch, look.step);
        let health = meter.measure(&self.problem, at, &look.params, &look.update);
        self.log.push(health);
    }

    fn diagnose(&mut self, snapshot: &Snapshot) -> Vec<crate::insight::diagnosis::Finding> {
        let facts = self.facts.get_or_insert_with(|| Facts::of(&self.problem));
        diagnose(&Observed {
            problem: &self.problem,
            facts,
            rows: self.history.0.rows(),
            snapshot,
            health: self.log.records(),
            thresholds: &Thresholds::default(),
        })
    }
}
