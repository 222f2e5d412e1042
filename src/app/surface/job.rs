//! Error surfaces off the frame: one thread that computes the surface asked for
//! last, coarse to fine, and drops what it is doing when another is asked for.
//!
//! Requests and results wait in slots of one, where the newest wins, so memory
//! is bounded by one surface in the making, one in the slot and one kept to be
//! refined. Within a surface, rayon spreads the points over a pool of the
//! thread's own; each point's loss is a sum in a fixed order, so the numbers do
//! not depend on how many threads there are.

use super::aim::{Aim, Found};
use crate::app::background::step_back;
use crate::landscape::{
    Axis, DirectionsError, Gauge, Measure, Over, PathOnPlane, Slice, Surface, evaluate,
};
use crate::train::{Evaluator, Jumps, PathPoint, Problem, Samples};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

/// A surface to compute, with the path to project onto its plane.
#[derive(Debug, Clone)]
pub struct Request {
    /// Given back with the result.
    pub tag: u64,
    /// The network and the samples that are meant.
    pub problem: Arc<Problem>,
    /// The plane. The same `Arc` again keeps what is known about the surface
    /// (if the axes are the same too) and about the path.
    pub aim: Aim,
    /// What is shown over it.
    pub measure: Measure,
    /// The rows of the last step's batch.
    pub batch: Arc<[u32]>,
    /// At most so many samples, evenly from those that are meant.
    pub samples: usize,
    /// How far it reaches, in the plane's own range.
    pub reach: f64,
    /// Points a side.
    pub side: usize,
    /// The path so far, oldest first.
    pub path: Vec<PathPoint>,
    /// Where the weights are now: the step, the epoch and the parameters. It
    /// becomes the last point of the path.
    pub newest: (u64, usize, Arc<[f32]>),
    /// Where on the path the weights were put rather than stepped.
    pub jumps: Arc<Jumps>,
}

impl Request {
    /// The coordinates along both directions of a plane with something to see
    /// within `range`.
    fn axis(&self, (lo, hi): (f64, f64)) -> Axis {
        let (middle, half) = (0.5 * (lo + hi), 0.5 * (hi - lo));
        let reach = if self.reach.is_finite() && self.reach > 0.0 {
            self.reach
        } else {
            1.0
        };
        Axis {
            lo: middle - reach * half,
            hi: middle + reach * half,
            n: self.side,
        }
    }
}

/// Why there is no surface.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Of the request.
    pub tag: u64,
    /// The reason.
    pub error: DirectionsError,
}

/// What is known of a surface.
#[derive(Debug, Clone)]
pub struct News {
    /// Of the request.
    pub tag: u64,
    /// Of the request.
    pub problem: Arc<Problem>,
    /// The plane, as asked for or as found.
    pub found: Found,
    /// Of the request.
    pub measure: Measure,
    /// How many samples the measure was taken over.
    pub samples: usize,
    /// The whole surface, or a coarser one that is being refined.
    pub surface: Arc<Surface>,
    /// The path with the newest point at its end.
    pub path: PathOnPlane,
    /// Of the request.
    pub jumps: Arc<Jumps>,
    /// What is shown, at the plane's centre.
    pub center_loss: f64,
    /// Whether all that was asked for is here.
    pub finished: bool,
    /// What one point of the grid took, in seconds, if any was computed.
    pub seconds_per_point: Option<f64>,
    /// How long finding the plane took, in seconds, if it had to be found.
    pub seconds_to_find: Option<f64>,
}

#[derive(Default)]
struct Desk {
    request: Option<Request>,
    news: Option<Result<News, Failure>>,
    /// The tag that was finished last.
    finished: Option<u64>,
    busy: bool,
    stop: bool,
    ended: bool,
}

#[derive(Default)]
struct Shared {
    desk: Mutex<Desk>,
    change: Condvar,
    cancel: AtomicBool,
    finding: AtomicBool,
    done: AtomicUsize,
    total: AtomicUsize,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A thread that computes surfaces. Dropping it cancels and ends the thread.
pub struct SurfaceWorker {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// How many threads compute a surface while others train and draw: all cores
/// but one, so that neither has to wait for a core.
pub fn threads_beside_others() -> usize {
    std::thread::available_parallelism().map_or(1, |n| (n.get() - 1).max(1))
}

impl SurfaceWorker {
    /// Starts the thread with a pool of `threads`. `wake` is called on it
    /// whenever there is something new to take.
    pub fn spawn(threads: usize, wake: impl Fn() + Send + Sync + 'static) -> std::io::Result<Self> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads.max(1))
            .start_handler(|_| step_back())
            .thread_name(|i| format!("surface {i}"))
            .build()
            .map_err(std::io::Error::other)?;
        let shared = Arc::new(Shared::default());
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("surface".into())
            .spawn(move || run(&of_thread, &pool, &wake))?;
        Ok(SurfaceWorker {
            shared,
            thread: Some(thread),
        })
    }

    /// Asks for a surface in place of any that was asked for before.
    pub fn submit(&self, request: Request) {
        let mut desk = self.shared.lock();
        desk.request = Some(request);
        desk.news = None;
        // Under the lock: the thread takes a request and lowers the flag under it too.
        self.shared.cancel.store(true, Ordering::Relaxed);
        drop(desk);
        self.shared.change.notify_all();
    }

    /// What has become known since the last call.
    pub fn take(&self) -> Option<Result<News, Failure>> {
        self.shared.lock().news.take()
    }

    /// Waits for the request `tag` to be finished and returns all of it, or why
    /// there is nothing; `None` if another was asked for since, or the thread has
    /// ended.
    pub fn wait(&self, tag: u64) -> Option<Result<News, Failure>> {
        let mut desk = self.shared.lock();
        while desk.finished != Some(tag) && !desk.ended {
            let waiting = desk.busy || desk.request.is_some();
            if !waiting {
                return None;
            }
            let woken = self.shared.change.wait(desk);
            desk = woken.unwrap_or_else(PoisonError::into_inner);
        }
        desk.news.take().filter(|news| match news {
            Ok(news) => news.tag == tag && news.finished,
            Err(failure) => failure.tag == tag,
        })
    }

    /// Whether something asked for is not finished.
    pub fn is_busy(&self) -> bool {
        let desk = self.shared.lock();
        !desk.ended && (desk.busy || desk.request.is_some())
    }

    /// Whether directions are being found.
    pub fn is_finding(&self) -> bool {
        self.is_busy() && self.shared.finding.load(Ordering::Relaxed)
    }

    /// Grid points done and in all, while a surface is being computed.
    pub fn progress(&self) -> Option<(usize, usize)> {
        let total = self.shared.total.load(Ordering::Relaxed);
        let done = self.shared.done.load(Ordering::Relaxed);
        (self.is_busy() && total > 0).then_some((done.min(total), total))
    }
}

impl Drop for SurfaceWorker {
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

/// What was computed for the last request.
struct Known {
    found: Found,
    measure: Measure,
    batch: Arc<[u32]>,
    samples: usize,
    axis: Axis,
    /// Only whole surfaces are kept.
    surface: Option<Arc<Surface>>,
    path: PathOnPlane,
    center_loss: f64,
}

impl Known {
    /// Whether it is about the plane and the measure of a request.
    fn serves(&self, request: &Request, found: &Found) -> bool {
        Arc::ptr_eq(&self.found.plane, &found.plane)
            && self.measure == request.measure
            && self.samples == request.samples
            && (request.measure.over != Over::Batch || self.batch == request.batch)
    }
}

/// Some of a part's samples, kept while they serve.
struct Few {
    problem: Arc<Problem>,
    over: Over,
    samples: Samples,
}

/// `count` samples at even distances from those that `request` means, where it asks
/// for fewer than there are.
fn fewer<'a>(request: &Request, all: &Samples, few: &'a mut Option<Few>) -> Option<&'a Samples> {
    if all.len() <= request.samples {
        return None;
    }
    let serves = few.as_ref().is_some_and(|few| {
        Arc::ptr_eq(&few.problem, &request.problem)
            && few.over == request.measure.over
            && few.over != Over::Batch
            && few.samples.len() == request.samples
    });
    if !serves {
        let count = request.samples;
        let rows: Vec<usize> = (0..count).map(|i| i * all.len() / count).collect();
        *few = Some(Few {
            problem: Arc::clone(&request.problem),
            over: request.measure.over,
            samples: all.select(&rows),
        });
    }
    few.as_ref().map(|few| &few.samples)
}

fn run(shared: &Shared, pool: &rayon::ThreadPool, wake: &(impl Fn() + Sync)) {
    let _farewell = Farewell(shared);
    let mut known = None;
    let mut few = None;
    loop {
        let request = {
            let mut desk = shared.lock();
            desk.busy = false;
            shared.change.notify_all();
            loop {
                if desk.stop {
                    return;
                }
                if let Some(request) = desk.request.take() {
                    shared.cancel.store(false, Ordering::Relaxed);
                    desk.busy = true;
                    break request;
                }
                desk = shared
                    .change
                    .wait(desk)
                    .unwrap_or_else(PoisonError::into_inner);
            }
        };
        pool.install(|| compute(&request, &mut known, &mut few, shared, wake));
    }
}

fn compute(
    request: &Request,
    known: &mut Option<Known>,
    few: &mut Option<Few>,
    shared: &Shared,
    wake: &impl Fn(),
) {
    let problem = &request.problem;
    shared.done.store(0, Ordering::Relaxed);
    shared.total.store(0, Ordering::Relaxed);
    let rows = match request.measure.over {
        Over::Batch => &request.batch[..],
        Over::Train | Over::Validation => &[],
    };
    let batch = problem.train.select_rows(rows);
    // The planner asks for what can be measured.
    let gauge = Gauge::new(problem, request.measure, Some(&batch))
        .unwrap_or_else(|_| Gauge::training_loss(problem));
    let (found, seconds_to_find) = match &request.aim {
        Aim::Have(found) => (found.clone(), None),
        Aim::Find(search) => {
            let begun = Instant::now();
            shared.finding.store(true, Ordering::Relaxed);
            let found = search.find(gauge, &request.path, &shared.cancel);
            shared.finding.store(false, Ordering::Relaxed);
            match found {
                Ok(found) => (found, Some(begun.elapsed().as_secs_f64())),
                Err(error) => return fail(request, error, shared, wake),
            }
        }
    };
    let (gauge, is_part) = match fewer(request, gauge.samples(), few) {
        Some(samples) => (gauge.over(samples), true),
        None => (gauge, false),
    };
    let axis = request.axis(found.facts.range);
    shared.total.store(axis.n * axis.n, Ordering::Relaxed);
    let kept = known.take().filter(|k| k.serves(request, &found));
    let mut kept = kept.unwrap_or_else(|| Known {
        measure: request.measure,
        batch: Arc::clone(&request.batch),
        samples: request.samples,
        axis,
        surface: None,
        path: PathOnPlane::default(),
        center_loss: gauge.at(found.plane.center(), &mut Evaluator::new(&problem.network)),
        found,
    });
    if kept.axis != axis {
        kept.axis = axis;
        kept.surface = None;
    }
    let plane = Arc::clone(&kept.found.plane);
    let mut path_done = false;
    let mut seconds_per_point = None;
    let publish =
        |kept: &mut Known, surface: Arc<Surface>, finished: bool, path_done: &mut bool, seconds| {
            if !*path_done {
                let known = (gauge.is_recorded() || is_part).then_some(kept.center_loss);
                let points = whole_path(request, plane.center(), known);
                let (cancel, path) = (&shared.cancel, &mut kept.path);
                *path_done = path.update(gauge, &plane, &points, cancel);
            }
            let mut desk = shared.lock();
            if !*path_done || shared.cancel.load(Ordering::Relaxed) {
                return;
            }
            if finished {
                desk.finished = Some(request.tag);
            }
            desk.news = Some(Ok(News {
                tag: request.tag,
                problem: Arc::clone(problem),
                found: kept.found.clone(),
                measure: request.measure,
                samples: gauge.samples().len(),
                surface,
                path: kept.path.clone(),
                jumps: Arc::clone(&request.jumps),
                center_loss: kept.center_loss,
                finished,
                seconds_per_point: seconds,
                seconds_to_find,
            }));
            drop(desk);
            shared.change.notify_all();
            wake();
        };
    if kept.surface.is_none() {
        let begun = Instant::now();
        let whole = evaluate(
            &Slice::new(gauge, &plane),
            axis,
            axis,
            &shared.cancel,
            |n| {
                shared.done.fetch_add(n, Ordering::Relaxed);
            },
            |level| {
                if level.loss.len() < axis.n * axis.n {
                    publish(&mut kept, Arc::new(level), false, &mut path_done, None);
                }
            },
        );
        let points = shared.done.load(Ordering::Relaxed).max(1);
        seconds_per_point = Some(begun.elapsed().as_secs_f64() / points as f64);
        kept.surface = whole.map(Arc::new);
    }
    if let Some(surface) = kept.surface.clone() {
        publish(&mut kept, surface, true, &mut path_done, seconds_per_point);
    }
    *known = Some(kept);
}

/// Says that there is no plane, unless it was called off.
fn fail(request: &Request, error: DirectionsError, shared: &Shared, wake: &impl Fn()) {
    let mut desk = shared.lock();
    if shared.cancel.load(Ordering::Relaxed) {
        return;
    }
    let tag = request.tag;
    desk.finished = Some(tag);
    desk.news = Some(Err(Failure { tag, error }));
    drop(desk);
    shared.change.notify_all();
    wake();
}

/// The path with the newest point at its end. `center_loss` is the training loss
/// at `center`, where it is known.
fn whole_path(request: &Request, center: &[f32], center_loss: Option<f64>) -> Vec<PathPoint> {
    let mut points = request.path.clone();
    let (step, epoch, params) = &request.newest;
    points.retain(|p| p.step <= *step);
    if points
        .last()
        .is_some_and(|p| p.step == *step && p.params == *params)
    {
        return points;
    }
    points.retain(|p| p.step < *step);
    let (network, samples) = (&request.problem.network, &request.problem.train);
    let loss = match center_loss {
        Some(loss) if params[..] == *center => loss,
        _ => Evaluator::new(network).loss(network, params, samples),
    };
    points.push(PathPoint {
        step: *step,
        epoch: *epoch,
        params: Arc::clone(params),
        loss,
    });
    points
}

#[cfg(test)]
mod tests;
