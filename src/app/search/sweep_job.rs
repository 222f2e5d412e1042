//! A grid of experiments, trained on threads beside the frame's.

use super::Wake;
use crate::app::surface::threads_beside_others;
use crate::experiment::Experiment;
use crate::search::{Case, Plan, Row, Run, Table, Vary};
use crate::train::Problem;
use crossbeam_channel::{Receiver, Sender, TryRecvError, bounded};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Between two calls for a frame that shows the progress.
const PAUSE: Duration = Duration::from_millis(120);
/// Rows that wait to be taken.
const PLACES: usize = 256;

/// What to sweep.
#[derive(Debug, Clone)]
pub struct SweepPlan {
    /// The experiment that settings are varied around.
    pub base: Experiment,
    /// The settings.
    pub vary: Vec<Vary>,
    /// How many runs at a time; at most [`SweepPlan::most_jobs`].
    pub jobs: usize,
}

impl SweepPlan {
    /// All cores but one, which is the frame's.
    pub fn most_jobs() -> usize {
        threads_beside_others()
    }
}

enum News {
    Planned(Arc<Plan>),
    Failed(String),
    Row(Box<Row>),
}

/// A sweep, in progress or done.
pub struct SweepTrial {
    plan: Option<Arc<Plan>>,
    table: Table,
    error: Option<String>,
    news: Option<Receiver<News>>,
    cancel: Arc<AtomicBool>,
    cancelled: bool,
    epochs: Arc<AtomicU64>,
}

impl SweepTrial {
    /// Begins.
    pub(super) fn start(plan: SweepPlan, wake: Wake) -> Self {
        let (sender, receiver) = bounded(PLACES);
        let cancel = Arc::new(AtomicBool::new(false));
        let epochs = Arc::new(AtomicU64::new(0));
        let office = Office {
            sender,
            cancel: Arc::clone(&cancel),
            epochs: Arc::clone(&epochs),
            wake,
        };
        let spawned = std::thread::Builder::new()
            .name("sweep".into())
            .spawn(move || {
                if let Err(error) = office.sweep(&plan) {
                    // Nobody is there when another sweep was asked for meanwhile.
                    let _ = office.sender.send(News::Failed(error));
                }
                let wake = Arc::clone(&office.wake);
                drop(office);
                wake();
            });
        SweepTrial {
            plan: None,
            table: Table::default(),
            error: spawned.as_ref().err().map(ToString::to_string),
            news: spawned.is_ok().then_some(receiver),
            cancel,
            cancelled: false,
            epochs,
        }
    }

    /// Stops it within a step; finished runs stay.
    pub(super) fn cancel(&mut self) {
        self.receive();
        if self.news.take().is_some() {
            self.cancelled = true;
        }
        self.cancel.store(true, Ordering::Relaxed);
    }

    pub(super) fn receive(&mut self) {
        loop {
            let Some(receiver) = &self.news else { return };
            match receiver.try_recv() {
                Ok(News::Planned(plan)) => self.plan = Some(plan),
                Ok(News::Failed(error)) => self.error = Some(error),
                Ok(News::Row(row)) => self.table.insert(*row),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => self.news = None,
            }
        }
    }

    /// All runs, once they are checked and their data are loaded.
    pub fn plan(&self) -> Option<&Arc<Plan>> {
        self.plan.as_ref()
    }

    /// What the finished runs came to.
    pub fn rows(&self) -> &[Row] {
        self.table.rows()
    }

    /// What is wrong with it.
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// Whether more is to come.
    pub fn is_running(&self) -> bool {
        self.news.is_some()
    }

    /// Whether it was stopped before its end.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled
    }

    /// The share of all epochs that are done, a run that ended early counting whole.
    pub fn progress(&self) -> f32 {
        let Some(plan) = &self.plan else { return 0.0 };
        let all: u64 = plan.cases().iter().map(epochs_of).sum();
        (self.epochs.load(Ordering::Relaxed) as f64 / all.max(1) as f64).min(1.0) as f32
    }
}

impl Drop for SweepTrial {
    fn drop(&mut self) {
        self.cancel.store(true, Ordering::Relaxed);
    }
}

fn epochs_of(case: &Case) -> u64 {
    case.experiment.training.epochs as u64
}

/// Where the threads report to.
struct Office {
    sender: Sender<News>,
    cancel: Arc<AtomicBool>,
    epochs: Arc<AtomicU64>,
    wake: Wake,
}

impl Office {
    fn sweep(&self, asked: &SweepPlan) -> Result<(), String> {
        let jobs = asked.jobs.clamp(1, SweepPlan::most_jobs());
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(jobs)
            .thread_name(|i| format!("sweep {i}"))
            .build()
            .map_err(|error| error.to_string())?;
        let plan = pool.install(|| Plan::new(&asked.base, &asked.vary));
        let plan = Arc::new(plan.map_err(|error| error.to_string())?);
        if self.sender.send(News::Planned(Arc::clone(&plan))).is_err() {
            return Ok(());
        }
        (self.wake)();
        let runs = Table::default().missing(&plan);
        let done = pool.install(|| {
            plan.for_each(&runs, &self.cancel, |case, problem| self.run(case, problem))
        });
        done.map_err(|error| error.to_string())
    }

    /// One run, unless it is to stop: then there is no row of it.
    fn run(&self, case: &Case, problem: Arc<Problem>) {
        let begun = Instant::now();
        let (mut last, mut shown) = (begun, 0);
        let mut run = Run::new(problem);
        while run.advance() {
            if self.cancel.load(Ordering::Relaxed) {
                return;
            }
            let epoch = run.last().epoch as u64;
            self.epochs
                .fetch_add(epoch.saturating_sub(shown), Ordering::Relaxed);
            shown = epoch.max(shown);
            if last.elapsed() > PAUSE {
                last = Instant::now();
                (self.wake)();
            }
        }
        let rest = epochs_of(case).saturating_sub(shown);
        self.epochs.fetch_add(rest, Ordering::Relaxed);
        let seconds = begun.elapsed().as_secs_f64();
        let row = Row::new(case.run, case.texts(), &run.outcome(), seconds);
        // Fails only when nobody wants rows any more.
        let _ = self.sender.send(News::Row(Box::new(row)));
        (self.wake)();
    }
}
