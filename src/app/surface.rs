//! Between the surface thread and the [`ErrorSurface`] resource.

pub(super) mod aim;
mod job;
mod planner;

use super::arena::{ArenaView, Ground};
use super::plugins::GradscapeSystems;
use super::state::{SurfaceView, ViewMode};
use super::study::Study;
use super::surface_hand::Drag;
use super::training::{
    Drive, DriveChoice, NetworkReplaced, Notice, Notices, Training, receive_training,
};
use crate::landscape::{
    Analytic, Directions, Measure, PathOnPlane, Plane, PlanePoint, Quantity, Scope, Surface,
};
use crate::train::{Jumps, Problem};
pub use aim::PlaneFacts;
use bevy::prelude::*;
use bevy::window::RequestRedraw;
use bevy::winit::{EventLoopProxyWrapper, WinitUserEvent};
pub(super) use job::SurfaceWorker;
pub(super) use job::threads_beside_others;
use job::{Failure, News};
pub(super) use planner::{Budget, Planner};
use std::ops::DerefMut;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The newest error surface and the path as its plane sees it. All of it
/// belongs together: one plane, one moment.
#[derive(Resource, Debug, Default)]
pub struct ErrorSurface {
    /// Counts what was shown: another number, another picture.
    pub revision: u64,
    /// The network and the data that it is the surface of.
    pub problem: Option<Arc<Problem>>,
    /// The plane that `surface` and `path` lie in.
    pub plane: Option<Arc<Plane>>,
    /// The function of x and y that it is the surface of, where it is not a
    /// network's: then there is neither problem nor plane, and no path.
    pub function: Option<Arc<Analytic>>,
    /// The newest surface, perhaps still a coarse one.
    pub surface: Option<Arc<Surface>>,
    /// What is known about the plane.
    pub facts: Option<PlaneFacts>,
    /// What the heights are.
    pub measure: Measure,
    /// How many samples they were taken over.
    pub samples: usize,
    /// Which parameters the axes are, for a plane of two parameters.
    pub parameters: Option<(usize, usize)>,
    /// The path seen from the plane; its last point is where the weights were
    /// when the surface was asked for.
    pub path: PathOnPlane,
    /// Where on the path the weights were put rather than stepped.
    pub jumps: Arc<Jumps>,
    /// What is shown, at the plane's centre.
    pub center_loss: f64,
    /// Whether directions are being found for the next one.
    pub finding: bool,
    /// What else is known about the weights.
    pub study: Study,
    /// Points done and points in all while a surface is being computed.
    pub progress: Option<(usize, usize)>,
}

impl ErrorSurface {
    /// Whether heights are shares of right answers.
    pub fn is_accuracy(&self) -> bool {
        self.measure.quantity == Quantity::Accuracy
    }

    /// Where the weights are, as the plane sees it: current loss, the slice's
    /// loss below and the gap between both.
    pub fn newest(&self) -> Option<&PlanePoint> {
        self.path.points.last()
    }

    /// The name of axis 0 (x) or 1 (y), `w[1][3,2]` or `b[1][3]` with layer, unit
    /// and input counted from 0, where the axis is a parameter.
    pub fn parameter_name(&self, axis: usize) -> Option<String> {
        let (i, j) = self.parameters?;
        let index = if axis == 0 { i } else { j };
        let place = self.problem.as_ref()?.network.layout().place(index)?;
        Some(match place.input {
            Some(input) => format!("w[{}][{},{input}]", place.layer, place.unit),
            None => format!("b[{}][{}]", place.layer, place.unit),
        })
    }

    /// What has to be added to a coordinate of axis 0 (x) or 1 (y) to get what
    /// its numbers say: the parameter at the centre, or 0 for a direction.
    pub fn axis_origin(&self, axis: usize) -> f64 {
        let (Some((i, j)), Some(plane)) = (self.parameters, &self.plane) else {
            return 0.0;
        };
        let index = if axis == 0 { i } else { j };
        plane.center().get(index).map_or(0.0, |&v| f64::from(v))
    }
}

/// How often a surface that follows is computed where frames, not seconds, are
/// the clock ([`Drive::Frame`]).
#[derive(Resource, Debug, Clone, Copy, PartialEq, Eq)]
pub struct SurfacePace {
    /// At most once in so many frames while training runs.
    pub frames: u32,
}

impl Default for SurfacePace {
    fn default() -> Self {
        SurfacePace { frames: 1 }
    }
}

/// In real time: seconds for one surface while training runs, and between two.
const SECONDS: f64 = 0.15;
const INTERVAL: Duration = Duration::from_millis(100);
/// Frame by frame: multiply-adds for one surface while training runs (a tenth
/// of a second or so), and at rest (seconds).
pub(super) const WORK: Budget = Budget::Work {
    moving: 1.5e8,
    still: 2e10,
};

/// The thread, the planner, and when the last surface was asked for.
#[derive(Resource)]
pub(super) struct Drawing {
    worker: Option<SurfaceWorker>,
    planner: Planner,
    asked_at: Option<Instant>,
    /// Something changed that may make a surface due.
    pending: bool,
    frame: u32,
}

pub(super) fn plugin(app: &mut App) {
    app.init_resource::<ErrorSurface>()
        .init_resource::<SurfacePace>()
        .add_systems(Startup, start_worker)
        .add_observer(fit_network)
        .add_systems(
            Update,
            draw_surface
                .in_set(GradscapeSystems::Receive)
                .after(receive_training),
        );
}

/// What was chosen for another network, and is not there in this one, is given up.
fn fit_network(_: On<NetworkReplaced>, training: Res<Training>, view: Option<ResMut<SurfaceView>>) {
    let Some(mut view) = view else { return };
    let layout = training.problem.network.layout();
    if view.scope.mask(layout).is_err() {
        view.scope = Scope::Whole;
    }
    if let Directions::Weights(i, j) = view.directions
        && i.max(j) >= layout.len()
    {
        view.directions = SurfaceView::default().directions;
    }
}

fn start_worker(
    mut commands: Commands,
    drive: Res<DriveChoice>,
    proxy: Option<Res<EventLoopProxyWrapper>>,
    mut notices: ResMut<Notices>,
) {
    let proxy = proxy.map(|p| (**p).clone());
    let wake = move || {
        if let Some(proxy) = &proxy {
            // Fails only when the window is already gone.
            let _ = proxy.send_event(WinitUserEvent::WakeUp);
        }
    };
    let threads = match drive.0 {
        Drive::Thread => threads_beside_others(),
        // The frame waits for the surface: nothing else needs a core meanwhile.
        Drive::Frame { .. } => threads_beside_others() + 1,
    };
    let worker = SurfaceWorker::spawn(threads, wake)
        .inspect_err(|error| {
            let message = format!("the surface thread could not be started: {error}");
            notices.0.push(Notice {
                message,
                error: true,
            });
        })
        .ok();
    commands.insert_resource(Drawing {
        worker,
        planner: Planner::default(),
        asked_at: None,
        pending: true,
        frame: 0,
    });
}

/// Asks for surfaces when they are due and takes in what is there.
pub(super) fn draw_surface(
    mut drawing: ResMut<Drawing>,
    mut shown: ResMut<ErrorSurface>,
    training: Res<Training>,
    view: Res<SurfaceView>,
    mode: Option<Res<State<ViewMode>>>,
    drive: Res<DriveChoice>,
    pace: Res<SurfacePace>,
    arena: Option<Res<ArenaView>>,
    drag: Option<Res<Drag>>,
    mut notices: ResMut<Notices>,
    redraw: Option<ResMut<Messages<RequestRedraw>>>,
) {
    if shown.function.is_some() || arena.as_ref().is_some_and(|a| a.ground == Ground::Function) {
        // What the thread has finished waits until the network is shown again.
        drawing.pending = true;
        return;
    }
    let Drawing {
        worker,
        planner,
        asked_at,
        pending,
        frame,
    } = &mut *drawing;
    let Some(worker) = worker else { return };
    let waits = matches!(drive.0, Drive::Frame { .. });
    let hidden = mode.is_some_and(|m| *m.get() == ViewMode::Network);
    *frame = frame.wrapping_add(1);
    let held = drag.as_ref().is_some_and(|d| d.is_changed());
    *pending |= training.is_changed() || view.is_changed() || held;
    let running = training.is_moving();
    let rested = if waits {
        !running || frame.is_multiple_of(pace.frames.max(1)) || shown.surface.is_none()
    } else {
        view.is_changed() || asked_at.is_none_or(|at| at.elapsed() >= INTERVAL)
    };
    // Before anything new is asked for: a request makes what waits here stale.
    // Asked first, so that what is finished meanwhile counts as busy and stays.
    let busy = worker.is_busy();
    show(worker.take(), planner, &mut shown, &training, &mut notices);
    let mut asked = None;
    if *pending && rested && !hidden {
        let budget = if waits {
            WORK
        } else {
            Budget::Seconds(SECONDS)
        };
        // Where the frame waits, what was asked for before is always finished.
        let busy = !waits && busy;
        // The plane stays under a hand that drags the ball over it, and in a replay
        // unless its surface is wanted too.
        let held = drag.is_some_and(|d| d.is_held());
        let stays = held || (training.shows_past() && !view.replay_surface);
        // A race lies on the plane where it began.
        let stays = stays || arena.is_some_and(|a| a.holds_plane());
        // Where there are two parameters, those are the plane.
        let few = training.problem.network.layout().trainable() == 2;
        let other = few && !matches!(view.directions, Directions::Weights(..));
        let still = (stays || other).then(|| SurfaceView {
            follow: view.follow && !stays,
            directions: if other {
                Directions::Weights(0, 1)
            } else {
                view.directions
            },
            ..view.clone()
        });
        match planner.due(&training, still.as_ref().unwrap_or(&view), busy, budget) {
            Ok(Some(request)) => {
                *asked_at = Some(Instant::now());
                asked = Some(request.tag);
                worker.submit(request);
            }
            // While it is busy, the answer may be another when it is not.
            Ok(None) => *pending = busy,
            Err(error) => {
                // Said once; asked again when something changes.
                *pending = false;
                notices.0.push(Notice {
                    message: error.to_string(),
                    error: true,
                });
                let revision = shown.revision + 1;
                *shown = ErrorSurface {
                    revision,
                    study: std::mem::take(&mut shown.study),
                    ..default()
                };
            }
        }
    }
    if let Some(mut redraw) = redraw
        && *pending
        && !hidden
        && !waits
        && !worker.is_busy()
    {
        // Due as soon as the interval is over; a busy worker wakes the loop itself.
        redraw.write(RequestRedraw);
    }
    if let (Some(tag), true) = (asked, waits) {
        let news = worker.wait(tag);
        show(news, planner, &mut shown, &training, &mut notices);
    }
    let (progress, finding) = (worker.progress(), worker.is_finding());
    if shown.progress != progress || shown.finding != finding {
        shown.progress = progress;
        shown.finding = finding;
    }
}

/// Takes in what the worker has finished, where it is still wanted.
pub(super) fn show(
    news: Option<Result<News, Failure>>,
    planner: &mut Planner,
    shown: &mut impl DerefMut<Target = ErrorSurface>,
    training: &Training,
    notices: &mut Notices,
) {
    let news = match news {
        None => return,
        Some(Ok(news)) => news,
        Some(Err(Failure { tag, error })) => {
            // The earlier picture stays, and says what it is.
            if planner.failed(tag, &training.snapshot.params) {
                notices.0.push(Notice {
                    message: error.to_string(),
                    error: true,
                });
            }
            return;
        }
    };
    planner.found(news.tag, &news.found, news.seconds_to_find);
    let side = news.surface.x.len();
    let comparable = shown.surface.as_ref().map(|s| s.x.len());
    let accepted = planner.accepts(
        news.tag,
        side,
        comparable,
        news.finished,
        news.seconds_per_point,
    );
    if accepted {
        take_in(shown, news);
    }
}

fn take_in(shown: &mut ErrorSurface, news: News) {
    shown.revision += 1;
    shown.problem = Some(news.problem);
    shown.parameters = match news.found.facts.directions {
        Directions::Weights(i, j) => Some((i, j)),
        _ => None,
    };
    shown.plane = Some(news.found.plane);
    shown.facts = Some(news.found.facts);
    shown.measure = news.measure;
    shown.samples = news.samples;
    shown.surface = Some(news.surface);
    shown.path = news.path;
    shown.jumps = news.jumps;
    shown.center_loss = news.center_loss;
}

#[cfg(test)]
mod tests {
    use super::super::training::{Command, FrameGate, TrainingPlugin};
    use super::super::{plugins, state};
    use super::*;
    use crate::experiment::Experiment;
    use crate::train::TrainCommand;
    use bevy::state::app::StatesPlugin;

    fn app(drive: Drive) -> App {
        let text = "[data]\nsource = \"xor\"\nsamples = 40\n[network]\n\
                    layers = [{ dense = 3 }]\nloss = \"cross-entropy\"\n";
        let experiment = Experiment::parse(text, "test").unwrap();
        let problem = Arc::new(Problem::new(&experiment).unwrap());
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, StatesPlugin, state::plugin));
        app.configure_sets(Update, plugins::GradscapeSystems::Receive);
        app.init_resource::<super::super::state::Selection>();
        app.add_plugins((TrainingPlugin { problem, drive }, plugin));
        app.insert_resource(SurfaceView {
            grid: 17,
            ..default()
        });
        app
    }

    const FRAME: Drive = Drive::Frame { steps: 1 };

    fn origin(shown: &ErrorSurface) -> f64 {
        let surface = shown.surface.as_ref().unwrap();
        surface.loss[[surface.y.len() / 2, surface.x.len() / 2]]
    }

    #[test]
    fn frame_by_frame_each_frame_has_the_whole_surface_of_its_weights() {
        let run = || {
            let mut app = app(FRAME);
            app.insert_resource(FrameGate(true));
            app.world_mut().write_message(Command(TrainCommand::Start));
            let mut seen = Vec::new();
            for _ in 0..5 {
                app.update();
                let shown = app.world().resource::<ErrorSurface>();
                let training = app.world().resource::<Training>();
                let center = shown.plane.as_ref().unwrap().center();
                assert_eq!(center, &training.snapshot.params[..]);
                assert_eq!(shown.surface.as_ref().unwrap().loss.len(), 289);
                assert_eq!(origin(shown), shown.center_loss);
                assert_eq!(shown.newest().unwrap().true_loss, shown.center_loss);
                seen.push(shown.surface.as_ref().unwrap().loss.clone());
            }
            seen
        };
        let (first, second) = (run(), run());
        assert_eq!(first, second);
        assert_ne!(first[1], first[4]);
    }

    #[test]
    fn on_a_thread_the_surface_comes_by_itself_and_goes_where_the_weights_go() {
        let mut app = app(Drive::Thread);
        let until = |app: &mut App, what: &dyn Fn(&World) -> bool| {
            for _ in 0..2000 {
                app.update();
                if what(app.world()) {
                    return;
                }
                std::thread::sleep(Duration::from_millis(5));
            }
            panic!("it did not come");
        };
        until(&mut app, &|w| {
            w.resource::<ErrorSurface>().surface.is_some()
        });
        app.world_mut().write_message(Command(TrainCommand::Epoch));
        until(&mut app, &|w| {
            let center = w
                .resource::<ErrorSurface>()
                .plane
                .as_ref()
                .map(|p| p.center().to_vec());
            let training = w.resource::<Training>();
            training.snapshot.step > 0 && center.as_deref() == Some(&training.snapshot.params[..])
        });
    }

    #[test]
    fn parameters_that_are_not_there_are_a_notice_and_no_surface() {
        let mut app = app(FRAME);
        app.update();
        app.world_mut().resource_mut::<SurfaceView>().directions = Directions::Weights(0, 999);
        app.update();
        app.update();
        let notices = &app.world().resource::<Notices>().0;
        assert_eq!(notices.len(), 1);
        assert!(notices[0].error && notices[0].message.contains("999"));
        assert!(app.world().resource::<ErrorSurface>().surface.is_none());
        app.world_mut().resource_mut::<SurfaceView>().directions = Directions::Weights(0, 6);
        app.update();
        let shown = app.world().resource::<ErrorSurface>();
        assert_eq!(shown.parameter_name(1).unwrap(), "b[0][0]");
        let parameter = f64::from(app.world().resource::<Training>().snapshot.params[6]);
        assert_eq!(shown.axis_origin(1), parameter);
    }
}
