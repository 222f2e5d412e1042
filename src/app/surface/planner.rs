//! When a new error surface is due, and of what: decisions only, no thread and
//! no clock.
//!
//! A plane's directions are chosen when the plane is made, that is for another
//! network, after a reset, or when the user chooses others; random ones are
//! filter-normalised by the weights at that moment. From then on the vectors
//! stay the same, but for those that follow from the path or from the loss:
//! while the surface follows, they are found anew as the budget allows. While
//! the surface follows, the plane's centre is the current weights; while it
//! stays, the centre is where it was when following ended. A plane through
//! checkpoints has a centre of its own.
//!
//! Directions that take long to find are found by who computes the surface; what
//! was found comes back through [`Planner::found`].

mod compared;

use super::aim::{Aim, Found, Search, evaluations, possible, takes_long};
use super::job::Request;
use crate::app::state::SurfaceView;
use crate::app::training::Training;
use crate::landscape::{Directions, DirectionsError, Gauge, Measure, Over, Scope};
use crate::train::{PathPoint, Problem, RunState, Snapshot};
use compared::{Compared, same};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// How much may be spent on one surface.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Budget {
    /// Seconds while weights move, by what a point was measured to cost.
    Seconds(f64),
    /// The same by arithmetic alone, so that it does not depend on the machine:
    /// multiply-adds while weights move, and at rest.
    Work {
        /// While training runs.
        moving: f64,
        /// While it does not.
        still: f64,
    },
}

/// Sides of grids while weights move; odd, so that the origin is a grid point.
const SIDES: [usize; 6] = [9, 17, 25, 33, 49, 65];
/// While weights move, samples are left out where there is not time for a grid of so
/// many points a side with all of them.
const COARSE: usize = 17;
/// The fewest samples that a surface is taken over where there are as many.
const FEWEST_SAMPLES: usize = 500;
/// By how much what can be afforded has to differ from a grid before another is
/// taken: what a point costs is measured, and a surface that changed its grid with
/// every measurement would flicker.
const MARGIN: f64 = 1.15;
/// A surface that takes longer than this, in seconds, shows its coarse levels.
const SLOW: f64 = 0.5;
/// The fewest path points that a moving plane shows, where there are as many.
const FEWEST_POINTS: usize = 32;

/// What is being or was last computed.
#[derive(Debug, Clone)]
struct Asked {
    tag: u64,
    side: usize,
    /// At most so many samples.
    samples: usize,
    range: f64,
    measure: Measure,
    /// Its plane has to be found first.
    finds: bool,
    newest: (u64, u64, usize),
    /// Nothing on screen is comparable: show every level.
    fresh: bool,
    levels_shown: usize,
    slow: bool,
}

/// How fine a surface is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Grain {
    /// Points a side.
    side: usize,
    /// Samples at each.
    samples: usize,
}

impl Grain {
    fn is_finer_than(self, asked: &Asked) -> bool {
        self.side > asked.side || self.samples > asked.samples
    }
}

/// What the plane's directions were made for.
#[derive(Debug, Clone)]
struct Basis {
    problem: Arc<Problem>,
    generation: u64,
    directions: Directions,
    scope: Scope,
    /// Of directions that follow from the loss: which loss.
    measure: Option<Measure>,
    found: Option<Found>,
    /// Whether the plane that is not there yet is to be found by the thread.
    searches: bool,
    /// The weights at which there was no such plane.
    failed_at: Option<Arc<[f32]>>,
    /// How many points the path had when its components were last found.
    path_len: usize,
    /// Requests since directions that follow from the loss were found.
    since: usize,
}

/// The components of a growing path are found anew when it is longer by this.
const GROWTH: f64 = 1.15;

/// Decides what to compute.
#[derive(Debug, Default)]
pub struct Planner {
    basis: Option<Basis>,
    asked: Option<Asked>,
    /// Seconds for a point of the grid and a sample.
    cost: Option<f64>,
    /// Seconds to find directions that follow from the loss.
    search_cost: Option<f64>,
    tag: u64,
    /// Whether a plane's origin was elsewhere than some weights, as it was last found out.
    compared: Option<Compared>,
}

impl Planner {
    /// The request that is due, if one is. `busy` says whether the last one is
    /// still being computed; asking again then cancels it.
    pub fn due(
        &mut self,
        training: &Training,
        view: &SurfaceView,
        busy: bool,
        budget: Budget,
    ) -> Result<Option<Request>, DirectionsError> {
        let snapshot = &training.snapshot;
        let running = training.is_moving();
        let has_batch = !snapshot.batch.is_empty();
        let (measure, _) = possible(&training.problem, view.measure, has_batch);
        if self.is_other_basis(training, view, measure) {
            self.begin(training, view, measure)?;
        }
        self.follow_path(training, view);
        let Some(basis) = &self.basis else {
            return Ok(None);
        };
        let grain = self.grain(training, measure, view.grid, budget);
        let Some(found) = basis.found.clone() else {
            // Once, and again from other weights if it was in vain.
            let tried = match (&self.asked, &basis.failed_at) {
                (None, _) => false,
                (Some(_), Some(at)) => busy || running || same(at, &snapshot.params),
                (Some(_), None) => true,
            };
            if !basis.searches || tried {
                return Ok(None);
            }
            let aim = Aim::Find(search(training, view, None));
            return Ok(Some(self.ask(training, view, measure, aim, grain, true)));
        };
        let plane = &found.plane;
        let Some(asked) = &self.asked else {
            let aim = Aim::Have(found);
            return Ok(Some(self.ask(training, view, measure, aim, grain, true)));
        };
        if asked.range != view.range || asked.measure != measure {
            let aim = Aim::Have(found);
            return Ok(Some(self.ask(training, view, measure, aim, grain, true)));
        }
        let centred =
            !matches!(basis.directions, Directions::Checkpoints(_)) || found.facts.stands_in;
        let moved =
            view.follow && centred && Compared::moved(&mut self.compared, plane, &snapshot.params);
        let stale = view.follow
            && basis.searches
            && !same(&found.weights, &snapshot.params)
            && !basis
                .failed_at
                .as_ref()
                .is_some_and(|at| same(at, &snapshot.params))
            && (!running || basis.since >= self.patience(training, measure, budget));
        let due = if busy {
            // Let it finish, unless that takes long and something was seen of it.
            // At rest the newest point moves only with a hand that drags it or
            // through time, and shall not wait for the last refinement.
            let led = !view.follow
                && snapshot.state != RunState::Running
                && asked.newest != newest(snapshot, training.path.points());
            let supersede = asked.slow
                && asked.levels_shown > 0
                && (moved || grain.is_finer_than(asked) || led);
            supersede || (running && moved && asked.side > grain.side)
        } else {
            moved
                || stale
                || grain.is_finer_than(asked)
                || (grain.side < asked.side && !running)
                || asked.newest != newest(snapshot, training.path.points())
        };
        if !due {
            return Ok(None);
        }
        let grain = if moved || !running {
            grain
        } else {
            Grain {
                side: grain.side.max(asked.side),
                samples: grain.samples.max(asked.samples),
            }
        };
        let aim = if stale {
            Aim::Find(search(training, view, Some(&found)))
        } else if moved {
            Aim::Have(Found {
                plane: Arc::new(plane.recentred(&snapshot.params)?),
                ..found
            })
        } else {
            Aim::Have(found)
        };
        Ok(Some(self.ask(training, view, measure, aim, grain, false)))
    }

    /// Whether directions have to be chosen anew.
    fn is_other_basis(&self, training: &Training, view: &SurfaceView, measure: Measure) -> bool {
        self.basis.as_ref().is_none_or(|b| {
            !Arc::ptr_eq(&b.problem, &training.problem)
                || b.generation != training.snapshot.generation
                || b.directions != view.directions
                || b.scope != view.scope
                || b.measure.is_some_and(|m| m != measure)
        })
    }

    /// Chooses directions, or leaves them to be found.
    fn begin(
        &mut self,
        training: &Training,
        view: &SurfaceView,
        measure: Measure,
    ) -> Result<(), DirectionsError> {
        let known = self.basis.as_ref();
        if !known.is_some_and(|b| Arc::ptr_eq(&b.problem, &training.problem)) {
            (self.cost, self.search_cost) = (None, None);
        }
        self.asked = None;
        let points = training.path.points();
        let parameters = training.problem.network.layout().len();
        let searches = takes_long(view.directions, parameters, points.len());
        let mut basis = Basis {
            problem: Arc::clone(&training.problem),
            generation: training.snapshot.generation,
            directions: view.directions,
            scope: view.scope.clone(),
            measure: view.directions.need_loss().then_some(measure),
            found: None,
            searches,
            failed_at: None,
            path_len: points.len(),
            since: 0,
        };
        let found = if searches {
            // What the network has not got is told at once.
            let layout = training.problem.network.layout();
            view.scope.mask(layout).map(|_| None).map_err(Into::into)
        } else {
            at_once(training, view, None).map(Some)
        };
        if let Ok(found) = &found {
            basis.found.clone_from(found);
        } else {
            basis.searches = false;
        }
        self.basis = Some(basis);
        found.map(|_| ())
    }

    /// Finds the principal components of a path that has grown, turned so that
    /// the picture does not flip, and the checkpoints that moved with its end.
    /// While the surface stays, so do they.
    fn follow_path(&mut self, training: &Training, view: &SurfaceView) {
        let points = training.path.points();
        let Some(basis) = &mut self.basis else { return };
        let Some(found) = &basis.found else { return };
        if !view.follow || !basis.directions.need_path() {
            return;
        }
        let grown = points.len() as f64 >= (GROWTH * basis.path_len as f64).max(3.0);
        let changed = match basis.directions {
            Directions::Path => grown,
            _ => found.weights[..] != training.snapshot.params[..],
        };
        if !changed {
            return;
        }
        basis.path_len = points.len();
        let parameters = training.problem.network.layout().len();
        basis.searches = takes_long(basis.directions, parameters, points.len());
        if basis.searches {
            return;
        }
        // A path that spans no plane leaves the plane as it is.
        let Ok(mut next) = at_once(training, view, Some(found)) else {
            return;
        };
        if next.facts.stands_in {
            return;
        }
        if next.plane == found.plane {
            next.plane = Arc::clone(&found.plane);
        }
        basis.found = Some(next);
    }

    /// After how many requests directions that take long are found anew, while
    /// training runs: so many that it takes no more than the surfaces do.
    fn patience(&self, training: &Training, measure: Measure, budget: Budget) -> usize {
        let directions = self
            .basis
            .as_ref()
            .map_or(Directions::Path, |b| b.directions);
        let loss = work(&training.problem, samples(training, measure));
        let share = match budget {
            Budget::Seconds(seconds) => {
                let guess = 1e-9 * loss * evaluations(directions);
                self.search_cost.unwrap_or(guess) / seconds
            }
            Budget::Work { moving, .. } => loss * evaluations(directions) / moving,
        };
        share.ceil().clamp(1.0, 1e6) as usize
    }

    /// Takes in the plane of the request `tag`, and how many seconds finding it
    /// took if it had to be found.
    pub fn found(&mut self, tag: u64, found: &Found, seconds: Option<f64>) {
        let is_this = self.asked.as_ref().is_some_and(|a| a.tag == tag && a.finds);
        let (Some(basis), true) = (&mut self.basis, is_this) else {
            return;
        };
        if let Some(asked) = &mut self.asked {
            asked.finds = false;
        }
        basis.found = Some(found.clone());
        basis.failed_at = None;
        basis.since = 0;
        // The components of a path are due again when it has grown.
        basis.searches = basis.directions.need_loss();
        self.search_cost = seconds.or(self.search_cost);
    }

    /// Notes that there is no plane for the request `tag`. Whether the user has to
    /// be told: not of what has been superseded, nor twice.
    pub fn failed(&mut self, tag: u64, weights: &Arc<[f32]>) -> bool {
        let is_this = self.asked.as_ref().is_some_and(|a| a.tag == tag);
        let (Some(basis), true) = (&mut self.basis, is_this) else {
            return false;
        };
        basis.failed_at.replace(Arc::clone(weights)).is_none()
    }

    /// Whether a level with `side` points a side of the request `tag` should be
    /// shown in place of one with `shown`, and notes what it cost.
    pub fn accepts(
        &mut self,
        tag: u64,
        side: usize,
        shown: Option<usize>,
        finished: bool,
        seconds_per_point: Option<f64>,
    ) -> bool {
        let Some(asked) = self.asked.as_mut().filter(|a| a.tag == tag) else {
            return false;
        };
        if let Some(seconds) = seconds_per_point {
            let cost = seconds / asked.samples.max(1) as f64;
            self.cost = Some(self.cost.map_or(cost, |c| 0.7 * c + 0.3 * cost));
        }
        let shows = asked.fresh || finished || asked.slow || shown.is_none_or(|s| side >= s);
        asked.levels_shown += usize::from(shows);
        shows
    }

    fn ask(
        &mut self,
        training: &Training,
        view: &SurfaceView,
        measure: Measure,
        aim: Aim,
        Grain { side, samples }: Grain,
        fresh: bool,
    ) -> Request {
        self.tag += 1;
        let snapshot = &training.snapshot;
        let points = training.path.points();
        if self
            .asked
            .as_ref()
            .is_some_and(|a| a.measure.over != measure.over)
        {
            self.cost = None;
        }
        let cost = self.cost.unwrap_or(1e-9 * work(&training.problem, 1));
        self.asked = Some(Asked {
            tag: self.tag,
            side,
            samples,
            range: view.range,
            measure,
            finds: matches!(aim, Aim::Find(_)),
            newest: newest(snapshot, points),
            fresh,
            levels_shown: 0,
            slow: cost * (side * side * samples) as f64 > SLOW,
        });
        if let Some(basis) = &mut self.basis {
            basis.since += 1;
            if let Aim::Have(found) = &aim {
                basis.found = Some(found.clone());
            }
        }
        let most = if view.follow && training.is_moving() {
            (side * side / 4).max(FEWEST_POINTS)
        } else {
            usize::MAX
        };
        Request {
            tag: self.tag,
            problem: Arc::clone(&training.problem),
            aim,
            measure,
            batch: match measure.over {
                Over::Batch => Arc::clone(&snapshot.batch),
                Over::Train | Over::Validation => Arc::default(),
            },
            samples,
            reach: view.range,
            side,
            path: thinned(points, most),
            newest: (snapshot.step, snapshot.epoch, Arc::clone(&snapshot.params)),
            jumps: Arc::clone(&snapshot.jumps),
        }
    }

    /// What a surface may cost now.
    fn grain(&self, training: &Training, measure: Measure, finest: usize, budget: Budget) -> Grain {
        let finest = finest.clamp(5, 1025) | 1;
        let all = samples(training, measure);
        let whole = Grain {
            side: finest,
            samples: all,
        };
        let running = training.is_moving();
        let work = work(&training.problem, 1);
        // Points of the grid times samples.
        let room = match budget {
            Budget::Seconds(_) if !running => return whole,
            Budget::Seconds(seconds) => seconds / self.cost.unwrap_or(1e-9 * work).max(1e-12),
            Budget::Work { moving, still } => (if running { moving } else { still }) / work,
        };
        let sides = |room: f64| {
            let most = room.sqrt();
            if most >= finest as f64 {
                return finest;
            }
            let fits = SIDES.iter().copied().filter(|&s| s as f64 <= most);
            fits.max().unwrap_or(SIDES[0]).min(finest)
        };
        if let Budget::Work { .. } = budget {
            // Its pictures are of all samples.
            let side = sides(room / all.max(1) as f64);
            return Grain { side, ..whole };
        }
        let coarse = (COARSE.min(finest) * COARSE.min(finest)) as f64;
        let before = self.asked.as_ref().map(|a| (a.side, a.samples));
        let (side, count) = before.unwrap_or_else(|| {
            let count = fewer(all, room / coarse);
            (sides(room / count as f64), count)
        });
        let area = MARGIN * MARGIN;
        let count = count.clamp(
            fewer(all, room / area / coarse),
            fewer(all, room * area / coarse),
        );
        let room = room / count.max(1) as f64;
        Grain {
            side: side.clamp(sides(room / area), sides(room * area)),
            samples: count,
        }
    }
}

/// `all` halved until it is no more than `most`, or few.
fn fewer(all: usize, most: f64) -> usize {
    let mut count = all.max(1);
    while count as f64 > most && count / 2 >= FEWEST_SAMPLES {
        count /= 2;
    }
    count
}

/// About how many multiply-adds one loss over so many samples takes; an
/// activation counts as ten.
fn work(problem: &Problem, samples: usize) -> f64 {
    let units: usize = problem.network.widths().iter().sum();
    (samples.max(1) * (problem.network.layout().len() + 10 * units)) as f64
}

/// How many samples a measure is taken over.
fn samples(training: &Training, measure: Measure) -> usize {
    match measure.over {
        Over::Train => training.problem.train.len(),
        Over::Validation => training.problem.validation.len(),
        Over::Batch => training.snapshot.batch.len(),
    }
}

/// The plane that the view asks for, through the present weights.
fn search(training: &Training, view: &SurfaceView, before: Option<&Found>) -> Search {
    let scope = match view.directions {
        // Its two parameters say by themselves what moves.
        Directions::Weights(..) => Scope::Whole,
        _ => view.scope.clone(),
    };
    Search {
        directions: view.directions,
        scope,
        weights: Arc::clone(&training.snapshot.params),
        step: training.snapshot.step,
        before: before.map(|f| Arc::clone(&f.plane)),
    }
}

/// The same, found here and now.
fn at_once(
    training: &Training,
    view: &SurfaceView,
    before: Option<&Found>,
) -> Result<Found, DirectionsError> {
    let gauge = Gauge::training_loss(&training.problem);
    let never = AtomicBool::new(false);
    search(training, view, before).find(gauge, training.path.points(), &never)
}

fn newest(snapshot: &Snapshot, points: &[PathPoint]) -> (u64, u64, usize) {
    // The weights may be set without a step.
    (snapshot.revision, snapshot.step, points.len())
}

/// At most about `most` points: every 2^k-th, so that the ones shown stay the
/// same while the path grows.
fn thinned(points: &[PathPoint], most: usize) -> Vec<PathPoint> {
    let mut stride = 1;
    while points.len() / stride > most {
        stride *= 2;
    }
    points.iter().step_by(stride).cloned().collect()
}

#[cfg(test)]
mod tests;
