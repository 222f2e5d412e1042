//! When a new error surface is due, and of what: decisions only, no thread and
//! no clock.
//!
//! A plane's directions are chosen when the plane is made, that is for another
//! network, after a reset, or when the user chooses others; random ones are
//! filter-normalised by the weights at that moment. From then on the vectors
//! stay the same. While the surface follows, the plane's centre is the current
//! weights; while it stays, the centre is where it was when following ended.

use super::job::Request;
use crate::app::state::SurfaceView;
use crate::app::training::Training;
use crate::landscape::{Axis, Directions, DirectionsError, Plane};
use crate::train::{PathPoint, Problem, RunState, Snapshot};
use std::sync::Arc;

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
/// A surface that takes longer than this, in seconds, shows its coarse levels.
const SLOW: f64 = 0.5;
/// The fewest path points that a moving plane shows, where there are as many.
const FEWEST_POINTS: usize = 32;

/// What is being or was last computed.
#[derive(Debug, Clone)]
struct Asked {
    tag: u64,
    side: usize,
    range: f64,
    newest: (u64, usize),
    /// Nothing on screen is comparable: show every level.
    fresh: bool,
    levels_shown: usize,
    slow: bool,
}

/// What the plane's directions were made for.
#[derive(Debug, Clone)]
struct Basis {
    problem: Arc<Problem>,
    generation: u64,
    directions: Directions,
    plane: Option<Arc<Plane>>,
    /// How many points the path had when its components were last found.
    path_len: usize,
}

/// The components of a growing path are found anew when it is longer by this.
const GROWTH: f64 = 1.15;

/// Decides what to compute.
#[derive(Debug, Default)]
pub struct Planner {
    basis: Option<Basis>,
    asked: Option<Asked>,
    cost: Option<f64>,
    tag: u64,
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
        let running = snapshot.state == RunState::Running;
        let new_basis = self.basis.as_ref().is_none_or(|b| {
            !Arc::ptr_eq(&b.problem, &training.problem)
                || b.generation != snapshot.generation
                || b.directions != view.directions
        });
        if new_basis {
            let layout = training.problem.network.layout();
            let points = training.path.points();
            // A path of too few points spans no plane yet: until it does, random
            // directions stand in for its components.
            let plane = match view
                .directions
                .plane_along(layout, &snapshot.params, points)
            {
                Err(DirectionsError::NoPath) => {
                    Directions::Random { seed: 0 }.plane(layout, &snapshot.params)
                }
                plane => plane,
            };
            if !self
                .basis
                .as_ref()
                .is_some_and(|b| Arc::ptr_eq(&b.problem, &training.problem))
            {
                self.cost = None;
            }
            self.asked = None;
            self.basis = Some(Basis {
                problem: Arc::clone(&training.problem),
                generation: snapshot.generation,
                directions: view.directions,
                plane: plane.as_ref().ok().map(|p| Arc::new(p.clone())),
                path_len: points.len(),
            });
            plane?;
        }
        self.follow_path(training, view);
        let Some(plane) = self.basis.as_ref().and_then(|b| b.plane.clone()) else {
            return Ok(None);
        };
        let side = self.side(&training.problem, view.grid, running, budget);
        let Some(asked) = &self.asked else {
            return Ok(Some(self.ask(training, view, plane, side, true)));
        };
        if asked.range != view.range {
            return Ok(Some(self.ask(training, view, plane, side, true)));
        }
        let moved = view.follow && plane.center() != &snapshot.params[..];
        let due = if busy {
            // Let it finish, unless that takes long and something was seen of it.
            let supersede = asked.slow && asked.levels_shown > 0 && (moved || side > asked.side);
            supersede || (running && moved && asked.side > side)
        } else {
            moved
                || side > asked.side
                || (side < asked.side && !running)
                || asked.newest != newest(snapshot, training.path.points())
        };
        if !due {
            return Ok(None);
        }
        let side = if moved || !running {
            side
        } else {
            side.max(asked.side)
        };
        let plane = if moved {
            Arc::new(plane.recentred(&snapshot.params)?)
        } else {
            plane
        };
        Ok(Some(self.ask(training, view, plane, side, false)))
    }

    /// Finds the principal components of a path that has grown, turned so that
    /// the picture does not flip. While the surface stays, so do they.
    fn follow_path(&mut self, training: &Training, view: &SurfaceView) {
        let points = training.path.points();
        let Some(basis) = &mut self.basis else { return };
        let grown = points.len() as f64 >= (GROWTH * basis.path_len as f64).max(3.0);
        if view.directions != Directions::Path || !view.follow || !grown {
            return;
        }
        basis.path_len = points.len();
        let layout = training.problem.network.layout();
        let center = &training.snapshot.params;
        // A path that spans no plane leaves the plane as it is.
        let Ok(plane) = view.directions.plane_along(layout, center, points) else {
            return;
        };
        basis.plane = Some(Arc::new(match &basis.plane {
            Some(before) => plane.aligned_with(before),
            None => plane,
        }));
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
        if let Some(cost) = seconds_per_point {
            self.cost = Some(self.cost.map_or(cost, |c| 0.7 * c + 0.3 * cost));
        }
        let Some(asked) = self.asked.as_mut().filter(|a| a.tag == tag) else {
            return false;
        };
        let shows = asked.fresh || finished || asked.slow || shown.is_none_or(|s| side >= s);
        asked.levels_shown += usize::from(shows);
        shows
    }

    /// Which directions the plane in hand has.
    pub fn directions(&self) -> Option<Directions> {
        self.basis.as_ref().map(|b| b.directions)
    }

    fn ask(
        &mut self,
        training: &Training,
        view: &SurfaceView,
        plane: Arc<Plane>,
        side: usize,
        fresh: bool,
    ) -> Request {
        self.tag += 1;
        let snapshot = &training.snapshot;
        let points = training.path.points();
        let cost = self.cost.unwrap_or_else(|| 1e-9 * work(&training.problem));
        self.asked = Some(Asked {
            tag: self.tag,
            side,
            range: view.range,
            newest: newest(snapshot, points),
            fresh,
            levels_shown: 0,
            slow: cost * (side * side) as f64 > SLOW,
        });
        if let Some(basis) = &mut self.basis {
            basis.plane = Some(Arc::clone(&plane));
        }
        let most = if view.follow && snapshot.state == RunState::Running {
            (side * side / 4).max(FEWEST_POINTS)
        } else {
            usize::MAX
        };
        let range = if view.range.is_finite() && view.range > 0.0 {
            view.range
        } else {
            1.0
        };
        // Symmetric, finite and not empty: what `Axis::new` asks for.
        let axis = Axis {
            lo: -range,
            hi: range,
            n: side,
        };
        Request {
            tag: self.tag,
            problem: Arc::clone(&training.problem),
            plane,
            x: axis,
            y: axis,
            path: thinned(points, most),
            newest: (snapshot.step, snapshot.epoch, Arc::clone(&snapshot.params)),
        }
    }

    /// Points a side.
    fn side(&self, problem: &Problem, finest: usize, running: bool, budget: Budget) -> usize {
        let finest = finest.clamp(5, 1025) | 1;
        let points = match budget {
            Budget::Seconds(_) if !running => return finest,
            Budget::Seconds(seconds) => {
                seconds / self.cost.unwrap_or_else(|| 1e-9 * work(problem)).max(1e-9)
            }
            Budget::Work { moving, still } => {
                (if running { moving } else { still }) / work(problem)
            }
        };
        let affordable = (points.sqrt() as usize).min(finest);
        if affordable == finest {
            return finest;
        }
        let fits = SIDES.iter().copied().filter(|&s| s <= affordable);
        fits.max().unwrap_or(SIDES[0]).min(finest)
    }
}

/// About how many multiply-adds one loss over the training part takes; an
/// activation counts as ten.
fn work(problem: &Problem) -> f64 {
    let units: usize = problem.network.widths().iter().sum();
    (problem.train.len() * (problem.network.layout().len() + 10 * units)) as f64
}

fn newest(snapshot: &Snapshot, points: &[PathPoint]) -> (u64, usize) {
    (snapshot.step, points.len())
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
mod tests {
    use super::*;
    use crate::experiment::Experiment;
    use crate::train::{Session, TrainCommand};

    const BUDGET: Budget = Budget::Seconds(0.1);

    struct Case {
        session: Session,
        training: Training,
        view: SurfaceView,
        planner: Planner,
    }

    impl Case {
        fn new() -> Self {
            let text = "[data]\nsource = \"xor\"\nsamples = 40\n[network]\n\
                        layers = [{ dense = 3 }]\nloss = \"cross-entropy\"\n";
            let experiment = Experiment::parse(text, "test").unwrap();
            let problem = Arc::new(Problem::new(&experiment).unwrap());
            Case {
                session: Session::new(Arc::clone(&problem)),
                training: Training::at_start(problem),
                view: SurfaceView {
                    grid: 33,
                    ..Default::default()
                },
                planner: Planner::default(),
            }
        }

        fn command(&mut self, command: TrainCommand) {
            self.session.command(command);
            self.training.snapshot = self.session.snapshot();
        }

        fn due(&mut self, busy: bool) -> Option<Request> {
            self.planner
                .due(&self.training, &self.view, busy, BUDGET)
                .unwrap()
        }
    }

    #[test]
    fn nothing_is_due_while_nothing_changes() {
        let mut case = Case::new();
        let first = case.due(false).unwrap();
        assert_eq!(first.x.n, 33);
        assert!(case.due(true).is_none());
        assert!(case.due(false).is_none());
    }

    #[test]
    fn a_surface_that_follows_moves_its_centre_and_keeps_its_directions() {
        let mut case = Case::new();
        let first = case.due(false).unwrap();
        case.command(TrainCommand::Step);
        assert!(case.due(true).is_none(), "the first one may finish");
        let second = case.due(false).unwrap();
        assert_eq!(second.plane.center(), &case.training.snapshot.params[..]);
        assert_eq!(second.plane.direction_x(), first.plane.direction_x());
        assert_ne!(second.plane.center(), first.plane.center());
    }

    #[test]
    fn a_surface_that_stays_keeps_its_plane_while_the_path_grows() {
        let mut case = Case::new();
        let first = case.due(false).unwrap();
        case.view.follow = false;
        case.command(TrainCommand::Step);
        let second = case.due(false).unwrap();
        assert!(Arc::ptr_eq(&first.plane, &second.plane));
        assert_eq!(second.newest.0, 1);
        case.view.follow = true;
        let third = case.due(false).unwrap();
        assert_eq!(third.plane.center(), &case.training.snapshot.params[..]);
    }

    #[test]
    fn other_directions_range_or_a_reset_are_due_at_once() {
        let mut case = Case::new();
        let first = case.due(false).unwrap();
        case.view.directions = Directions::Weights(0, 3);
        let second = case.due(true).unwrap();
        assert_ne!(second.plane.direction_x(), first.plane.direction_x());
        case.view.range = 3.0;
        assert_eq!(case.due(true).unwrap().x.hi, 3.0);
        case.command(TrainCommand::Reseed(9));
        let fourth = case.due(true).unwrap();
        assert_eq!(fourth.plane.center(), &case.training.snapshot.params[..]);
    }

    #[test]
    fn directions_that_are_not_there_are_told_once_and_nothing_is_computed() {
        let mut case = Case::new();
        case.view.directions = Directions::Weights(0, 10_000);
        let told = case.planner.due(&case.training, &case.view, false, BUDGET);
        assert!(matches!(
            told,
            Err(DirectionsError::NoParameter { index: 10_000, .. })
        ));
        assert!(case.due(false).is_none());
        case.view.directions = Directions::Weights(0, 1);
        assert!(case.due(false).is_some());
    }

    #[test]
    fn a_dear_surface_is_coarser_while_weights_move_and_refined_at_rest() {
        let mut case = Case::new();
        let first = case.due(false).unwrap();
        assert!(case.planner.accepts(first.tag, 33, None, true, Some(1e-3)));
        case.command(TrainCommand::Start);
        case.session.advance();
        case.training.snapshot = case.session.snapshot();
        assert_eq!(case.due(false).unwrap().x.n, 9);
        case.command(TrainCommand::Pause);
        assert_eq!(case.due(false).unwrap().x.n, 33);
    }

    #[test]
    fn coarse_levels_are_shown_only_where_they_are_news() {
        let mut case = Case::new();
        let first = case.due(false).unwrap();
        assert!(case.planner.accepts(first.tag, 5, None, false, None));
        assert!(case.planner.accepts(first.tag, 33, Some(5), true, None));
        case.command(TrainCommand::Step);
        let second = case.due(false).unwrap();
        assert!(
            !case.planner.accepts(first.tag, 33, Some(33), true, None),
            "out of date"
        );
        assert!(!case.planner.accepts(second.tag, 9, Some(33), false, None));
        assert!(case.planner.accepts(second.tag, 33, Some(33), true, None));
    }

    #[test]
    fn a_thinned_path_keeps_its_points_while_it_grows() {
        let point = |step| PathPoint {
            step,
            epoch: 0,
            params: Arc::from([]),
            loss: 0.0,
        };
        let points: Vec<_> = (0..100).map(point).collect();
        let steps = |n: usize| {
            thinned(&points[..n], 20)
                .iter()
                .map(|p| p.step)
                .collect::<Vec<_>>()
        };
        assert!(steps(100).len() <= 20);
        assert!(steps(90).iter().all(|s| steps(100).contains(s)));
        assert_eq!(thinned(&points, usize::MAX).len(), 100);
    }
}
