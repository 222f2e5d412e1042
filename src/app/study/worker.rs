//! Curvatures and lines off the frame: one thread, which does what was asked for
//! last of each kind, and drops it when it is called off.

use super::{CurvatureHere, LineHere};
use crate::app::background::step_back;
use crate::landscape::curvature::{Curvature, CurvatureError, CurvatureOptions};
use crate::landscape::{Axis, Gauge, Line, Measure, Scope};
use crate::train::Problem;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// Places along a line, from before its beginning to beyond its end.
const LINE: Axis = Axis {
    lo: -0.5,
    hi: 1.5,
    n: 121,
};

/// What to compute.
pub enum Task {
    /// The curvature at some weights.
    Curvature {
        /// The network and its data.
        problem: Arc<Problem>,
        /// The weights, and their step.
        weights: Arc<[f32]>,
        /// See `weights`.
        step: u64,
        /// The rows of the batch, where it is measured over that.
        batch: Arc<[u32]>,
        /// Whose loss.
        measure: Measure,
        /// Which parameters move.
        scope: Scope,
        /// How much of it.
        options: CurvatureOptions,
    },
    /// Scores along a line.
    Line {
        /// The network and its data.
        problem: Arc<Problem>,
        /// Step and weights at 0.
        from: (u64, Arc<[f32]>),
        /// Step and weights at 1.
        to: (u64, Arc<[f32]>),
    },
}

/// What has come of it.
pub enum Outcome {
    /// A curvature.
    Curvature(Box<CurvatureHere>),
    /// A line.
    Line(LineHere),
    /// Neither, and why.
    Failed(String),
}

#[derive(Default)]
struct Desk {
    /// The newest wish of each kind: a curvature and a line.
    tasks: [Option<Task>; 2],
    /// At most the newest of each kind and one failure are kept.
    outcomes: Vec<Outcome>,
    /// Which kind is being worked on.
    busy: Option<usize>,
    stop: bool,
    ended: bool,
}

#[derive(Default)]
struct Shared {
    desk: Mutex<Desk>,
    change: Condvar,
    cancel: AtomicBool,
    done: AtomicUsize,
    total: AtomicUsize,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread. Dropping it calls off what it does and ends it.
pub struct StudyWorker {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl StudyWorker {
    /// Starts the thread with a pool of `threads`. `wake` is called on it when
    /// something is there to take.
    pub fn spawn(threads: usize, wake: impl Fn() + Send + Sync + 'static) -> std::io::Result<Self> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads.max(1))
            .start_handler(|_| step_back())
            .thread_name(|i| format!("study {i}"))
            .build()
            .map_err(std::io::Error::other)?;
        let shared = Arc::new(Shared::default());
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("study".into())
            .spawn(move || run(&of_thread, &pool, &wake))?;
        Ok(StudyWorker {
            shared,
            thread: Some(thread),
        })
    }

    /// Asks for something, in place of what was asked for before of its kind.
    pub fn submit(&self, task: Task) {
        let kind = usize::from(matches!(task, Task::Line { .. }));
        let mut desk = self.shared.lock();
        desk.tasks[kind] = Some(task);
        if desk.busy == Some(kind) {
            self.shared.cancel.store(true, Ordering::Relaxed);
        }
        drop(desk);
        self.shared.change.notify_all();
    }

    /// Calls everything off.
    pub fn cancel(&self) {
        let mut desk = self.shared.lock();
        desk.tasks = [None, None];
        if desk.busy.is_some() {
            self.shared.cancel.store(true, Ordering::Relaxed);
        }
    }

    /// What has come since the last call.
    pub fn take(&self) -> Vec<Outcome> {
        std::mem::take(&mut self.shared.lock().outcomes)
    }

    /// Waits until nothing is left to do, and takes what has come.
    pub fn wait(&self) -> Vec<Outcome> {
        let mut desk = self.shared.lock();
        while !desk.ended && (desk.busy.is_some() || desk.tasks.iter().any(Option::is_some)) {
            let woken = self.shared.change.wait(desk);
            desk = woken.unwrap_or_else(PoisonError::into_inner);
        }
        std::mem::take(&mut desk.outcomes)
    }

    /// Whether something asked for is not finished.
    pub fn is_busy(&self) -> bool {
        let desk = self.shared.lock();
        !desk.ended && (desk.busy.is_some() || desk.tasks.iter().any(Option::is_some))
    }

    /// Parts done and about how many there are, of a curvature and of a line.
    pub fn progress(&self) -> [Option<(usize, usize)>; 2] {
        let desk = self.shared.lock();
        [0, 1].map(|kind| {
            if desk.ended {
                return None;
            }
            let total = self.shared.total.load(Ordering::Relaxed).max(1);
            let done = self.shared.done.load(Ordering::Relaxed).min(total);
            match desk.busy {
                Some(busy) if busy == kind => Some((done, total)),
                _ => desk.tasks[kind].as_ref().map(|_| (0, 1)),
            }
        })
    }
}

impl Drop for StudyWorker {
    fn drop(&mut self) {
        let mut desk = self.shared.lock();
        desk.stop = true;
        self.shared.cancel.store(true, Ordering::Relaxed);
        drop(desk);
        self.shared.change.notify_all();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was already printed by its own hook.
            let _ = thread.join();
        }
    }
}

/// Says that the thread has ended, however it ends, so that nobody waits for it.
struct Farewell<'a>(&'a Shared);

impl Drop for Farewell<'_> {
    fn drop(&mut self) {
        self.0.lock().ended = true;
        self.0.change.notify_all();
    }
}

fn run(shared: &Shared, pool: &rayon::ThreadPool, wake: &(impl Fn() + Sync)) {
    let _farewell = Farewell(shared);
    loop {
        let task = {
            let mut desk = shared.lock();
            desk.busy = None;
            shared.change.notify_all();
            loop {
                if desk.stop {
                    return;
                }
                // A line is there at once, a curvature is not.
                let next = [1, 0].into_iter().find(|&kind| desk.tasks[kind].is_some());
                if let Some(kind) = next
                    && let Some(task) = desk.tasks[kind].take()
                {
                    shared.cancel.store(false, Ordering::Relaxed);
                    shared.done.store(0, Ordering::Relaxed);
                    shared.total.store(1, Ordering::Relaxed);
                    desk.busy = Some(kind);
                    break task;
                }
                desk = shared
                    .change
                    .wait(desk)
                    .unwrap_or_else(PoisonError::into_inner);
            }
        };
        let outcome = pool.install(|| carry_out(&task, shared));
        let mut desk = shared.lock();
        if let Some(outcome) = outcome.filter(|_| !shared.cancel.load(Ordering::Relaxed)) {
            let same = std::mem::discriminant(&outcome);
            desk.outcomes.retain(|o| std::mem::discriminant(o) != same);
            desk.outcomes.push(outcome);
        }
        desk.busy = None;
        drop(desk);
        shared.change.notify_all();
        wake();
    }
}

/// `None` where it was called off.
fn carry_out(task: &Task, shared: &Shared) -> Option<Outcome> {
    match task {
        Task::Curvature {
            problem,
            weights,
            step,
            batch,
            measure,
            scope,
            options,
        } => {
            let rows = problem.train.select_rows(batch);
            let gauge = match Gauge::new(problem, *measure, Some(&rows)) {
                Ok(gauge) => gauge,
                Err(error) => return Some(Outcome::Failed(error.to_string())),
            };
            let parameters = problem.network.layout().trainable();
            let total = options.products(parameters);
            shared.total.store(total, Ordering::Relaxed);
            let progress = |n: usize| shared.done.store(n, Ordering::Relaxed);
            let found = Curvature::new(gauge, weights, scope, *options, &shared.cancel, &progress);
            match found {
                Ok(curvature) => Some(Outcome::Curvature(Box::new(CurvatureHere {
                    step: *step,
                    weights: Arc::clone(weights),
                    measure: *measure,
                    samples: gauge.samples().len(),
                    scope: scope.clone(),
                    curvature,
                }))),
                Err(CurvatureError::Cancelled) => None,
                Err(error) => Some(Outcome::Failed(error.to_string())),
            }
        }
        Task::Line { problem, from, to } => {
            shared.total.store(LINE.n, Ordering::Relaxed);
            let line = match Line::new(from.1.to_vec(), to.1.to_vec()) {
                Ok(line) => line,
                Err(error) => return Some(Outcome::Failed(error.to_string())),
            };
            let points = line.scores(problem, LINE, &shared.cancel, |n| {
                shared.done.fetch_add(n, Ordering::Relaxed);
            })?;
            Some(Outcome::Line(LineHere {
                from: from.0,
                to: to.0,
                length: line.length(),
                points,
            }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Experiment;
    use crate::train::{Evaluator, Session, TrainCommand};
    use std::time::Duration;

    fn problem(samples: usize) -> Arc<Problem> {
        let text = format!(
            "seed = 3\n[data]\nsource = \"spiral\"\nsamples = {samples}\nvalidation = 0.3\n\
             [network]\nlayers = [{{ dense = 6 }}]\nloss = \"cross-entropy\"\n"
        );
        Arc::new(Problem::new(&Experiment::parse(&text, "test").unwrap()).unwrap())
    }

    fn curvature(problem: &Arc<Problem>, weights: Arc<[f32]>, options: CurvatureOptions) -> Task {
        Task::Curvature {
            problem: Arc::clone(problem),
            weights,
            step: 0,
            batch: Arc::default(),
            measure: Measure::default(),
            scope: Scope::Whole,
            options,
        }
    }

    #[test]
    fn the_curvature_is_that_of_the_core_and_the_line_meets_both_ends() {
        let problem = problem(80);
        let mut session = Session::new(Arc::clone(&problem));
        let start = session.snapshot().params;
        session.command(TrainCommand::Epoch);
        let end = session.snapshot().params;
        let worker = StudyWorker::spawn(2, || {}).unwrap();
        worker.submit(curvature(
            &problem,
            Arc::clone(&end),
            CurvatureOptions::quick(),
        ));
        worker.submit(Task::Line {
            problem: Arc::clone(&problem),
            from: (0, Arc::clone(&start)),
            to: (session.snapshot().step, Arc::clone(&end)),
        });
        let outcomes = worker.wait();
        assert_eq!(outcomes.len(), 2);
        let mut evaluator = Evaluator::new(&problem.network);
        for outcome in outcomes {
            match outcome {
                Outcome::Curvature(here) => {
                    let gauge = Gauge::training_loss(&problem);
                    let (go, quick) = (AtomicBool::new(false), CurvatureOptions::quick());
                    let direct =
                        Curvature::new(gauge, &end, &Scope::Whole, quick, &go, &|_| {}).unwrap();
                    assert_eq!(here.curvature.ends, direct.ends);
                    assert_eq!(here.samples, problem.train.len());
                }
                Outcome::Line(line) => {
                    for (at, weights) in [(0.0, &start), (1.0, &end)] {
                        let point = line.points.iter().find(|p| p.at == at).unwrap();
                        let loss = evaluator.loss(&problem.network, weights, &problem.train);
                        assert_eq!(point.train.loss, loss);
                        assert!(point.validation.is_some());
                    }
                }
                Outcome::Failed(message) => panic!("{message}"),
            }
        }
    }

    #[test]
    fn what_is_called_off_comes_to_nothing_and_the_next_wish_is_heard() {
        let problem = problem(1500);
        let start = Session::new(Arc::clone(&problem)).snapshot().params;
        let worker = StudyWorker::spawn(1, || {}).unwrap();
        let long = CurvatureOptions {
            probes: 100_000,
            ..CurvatureOptions::default()
        };
        worker.submit(curvature(&problem, Arc::clone(&start), long));
        while worker.progress()[0].is_none_or(|(done, _)| done == 0) {
            std::thread::sleep(Duration::from_millis(1));
        }
        worker.cancel();
        assert!(worker.wait().is_empty());
        assert_eq!(worker.progress(), [None, None]);
        worker.submit(Task::Line {
            problem: Arc::clone(&problem),
            from: (0, Arc::clone(&start)),
            to: (0, start),
        });
        assert!(matches!(worker.wait()[..], [Outcome::Failed(_)]));
    }
}
