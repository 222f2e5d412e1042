//! What is looked into about the weights beside their surface: the curvature of
//! the loss there and the name of the place, and the line between two places of
//! the run. Computed on a thread of its own and kept in [`ErrorSurface`].
//!
//! When training rests, the curvature is computed by itself where it takes
//! seconds; where it takes longer, when it is asked for.

mod worker;

use super::plugins::GradscapeSystems;
use super::state::{SurfaceView, ViewMode};
use super::surface::aim::possible;
use super::surface::{ErrorSurface, draw_surface, threads_beside_others};
use super::training::{Drive, DriveChoice, Notice, Notices, Training};
use crate::landscape::curvature::{CriticalPoint, Curvature, CurvatureOptions};
use crate::landscape::{LAST_STEP, LinePoint, Measure, Over, Scope};
use crate::train::{PathPoint, RunState};
use bevy::prelude::*;
use bevy::winit::{EventLoopProxyWrapper, WinitUserEvent};
use std::sync::Arc;
use worker::{Outcome, StudyWorker, Task};

/// The curvature at some weights.
#[derive(Debug)]
pub struct CurvatureHere {
    /// The step of the run.
    pub step: u64,
    /// The weights.
    pub weights: Arc<[f32]>,
    /// Whose loss it is of.
    pub measure: Measure,
    /// Over so many samples.
    pub samples: usize,
    /// Which parameters move.
    pub scope: Scope,
    /// The numbers.
    pub curvature: Curvature,
}

/// Loss and accuracy along a line between two places of the run.
#[derive(Debug)]
pub struct LineHere {
    /// The step at 0.
    pub from: u64,
    /// The step at 1.
    pub to: u64,
    /// How far they are apart.
    pub length: f64,
    /// The places in between and beyond.
    pub points: Vec<LinePoint>,
}

/// What is known, and how far what is being computed has come.
#[derive(Debug, Clone, Default)]
pub struct Study {
    /// The curvature that was computed last.
    pub curvature: Option<Arc<CurvatureHere>>,
    /// Whether it is that at the present weights.
    pub is_now: bool,
    /// The line that was computed last.
    pub line: Option<Arc<LineHere>>,
    /// Parts done, and about how many there are, of a curvature.
    pub curvature_progress: Option<(usize, usize)>,
    /// The same of a line.
    pub line_progress: Option<(usize, usize)>,
}

impl Study {
    /// What kind of place the present weights are, if that is known.
    pub fn point(&self) -> Option<CriticalPoint> {
        let here = self.curvature.as_ref().filter(|_| self.is_now)?;
        Some(here.curvature.point())
    }
}

/// A wish for a study.
#[derive(Message, Debug, Clone, Copy, PartialEq, Eq)]
pub enum StudyWish {
    /// The curvature at the present weights, all of it.
    Curvature,
    /// The line between two steps of the run ([`LAST_STEP`] is now).
    Line {
        /// At 0.
        from: u64,
        /// At 1.
        to: u64,
    },
    /// Nothing any more.
    Cancel,
}

/// About so many multiply-adds are done unasked: a few seconds.
const UNASKED: f64 = 1.5e10;
/// The same where the frame waits for it.
const WAITED: f64 = 1.5e9;

#[derive(Resource)]
struct Students {
    worker: Option<StudyWorker>,
    /// What was computed or is being, unasked.
    last: Option<(Arc<[f32]>, Measure, Scope)>,
    /// Whether nobody asked for what is being computed.
    unasked: bool,
    /// The run that all of it belongs to.
    run: Option<(usize, u64)>,
}

pub(super) fn plugin(app: &mut App) {
    app.add_message::<StudyWish>()
        .add_systems(Startup, start_worker)
        .add_systems(
            Update,
            study.in_set(GradscapeSystems::Receive).after(draw_surface),
        );
}

fn start_worker(
    mut commands: Commands,
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
    let worker = StudyWorker::spawn(threads_beside_others(), wake)
        .inspect_err(|error| {
            notices.0.push(Notice {
                message: format!("the thread for curvature could not be started: {error}"),
                error: true,
            });
        })
        .ok();
    commands.insert_resource(Students {
        worker,
        last: None,
        unasked: false,
        run: None,
    });
}

fn study(
    mut students: ResMut<Students>,
    mut shown: ResMut<ErrorSurface>,
    mut wishes: MessageReader<StudyWish>,
    training: Res<Training>,
    view: Res<SurfaceView>,
    mode: Option<Res<State<ViewMode>>>,
    drive: Res<DriveChoice>,
    mut notices: ResMut<Notices>,
) {
    let Students {
        worker,
        last,
        unasked,
        run,
    } = &mut *students;
    let Some(worker) = worker else { return };
    let this_run = (
        Arc::as_ptr(&training.problem) as usize,
        training.snapshot.generation,
    );
    if *run != Some(this_run) {
        *run = Some(this_run);
        *last = None;
        worker.cancel();
        // What was on the way is of another run.
        worker.take();
        if shown.study.curvature.is_some() || shown.study.line.is_some() {
            shown.study = Study::default();
        }
    }
    if shown.function.is_some() {
        // Not a network's: what is known of the weights comes back with it.
        *last = None;
        wishes.clear();
        return;
    }
    for outcome in worker.take() {
        take_in(outcome, &mut shown, &mut notices);
    }
    for wish in wishes.read() {
        *unasked = false;
        match wish {
            StudyWish::Cancel => worker.cancel(),
            StudyWish::Curvature => {
                worker.submit(curvature_task(
                    &training,
                    &view,
                    CurvatureOptions::default(),
                ));
            }
            StudyWish::Line { from, to } => {
                if let Some(task) = line_task(&training, *from, *to) {
                    worker.submit(task);
                }
            }
        }
    }
    let waits = matches!(drive.0, Drive::Frame { .. });
    let rests = training.snapshot.state != RunState::Running;
    let hidden = mode.is_some_and(|m| *m.get() == ViewMode::Network);
    let surface_done = shown.progress.is_none() && !shown.finding && shown.surface.is_some();
    let busy = worker.is_busy();
    if !rests && busy && *unasked {
        // Training has the cores first.
        worker.cancel();
        *last = None;
    }
    if rests && !hidden && surface_done && (!busy || *unasked) {
        let (measure, _) = measured(&training, &view);
        let wanted = (
            Arc::clone(&training.snapshot.params),
            measure,
            view.scope.clone(),
        );
        let known = last.as_ref() == Some(&wanted)
            || shown.study.curvature.as_ref().is_some_and(|c| {
                c.weights == wanted.0 && c.measure == wanted.1 && c.scope == wanted.2
            });
        if !known {
            let most = if waits { WAITED } else { UNASKED };
            let options = [CurvatureOptions::default(), CurvatureOptions::quick()];
            let fits = options
                .into_iter()
                .find(|options| effort(&training, measure, options) <= most);
            *last = Some(wanted);
            if fits.is_none() && busy {
                worker.cancel();
            }
            if let Some(options) = fits {
                *unasked = true;
                worker.submit(curvature_task(&training, &view, options));
                if waits {
                    for outcome in worker.wait() {
                        take_in(outcome, &mut shown, &mut notices);
                    }
                }
            }
        }
    }
    let here = shown.study.curvature.as_ref();
    let is_now = here.is_some_and(|c| c.weights[..] == training.snapshot.params[..]);
    if shown.study.is_now != is_now {
        shown.study.is_now = is_now;
        // The name of the place stands beside the ball.
        shown.revision += 1;
    }
    let [curvature, line] = worker.progress();
    if shown.study.curvature_progress != curvature || shown.study.line_progress != line {
        shown.study.curvature_progress = curvature;
        shown.study.line_progress = line;
    }
}

fn take_in(outcome: Outcome, shown: &mut ErrorSurface, notices: &mut Notices) {
    match outcome {
        Outcome::Curvature(here) => {
            shown.study.curvature = Some(Arc::new(*here));
            shown.revision += 1;
        }
        Outcome::Line(line) => shown.study.line = Some(Arc::new(line)),
        Outcome::Failed(message) => notices.0.push(Notice {
            message,
            error: true,
        }),
    }
}

fn measured(training: &Training, view: &SurfaceView) -> (Measure, bool) {
    let has_batch = !training.snapshot.batch.is_empty();
    let (measure, reason) = possible(&training.problem, view.measure, has_batch);
    (measure, reason.is_some())
}

/// About how many multiply-adds a curvature takes: each product with the Hessian
/// is about as dear as eight evaluations of the loss in single precision.
fn effort(training: &Training, measure: Measure, options: &CurvatureOptions) -> f64 {
    let network = &training.problem.network;
    let parameters = network.layout().trainable();
    let units: usize = network.widths().iter().sum();
    let samples = match measure.over {
        Over::Train => training.problem.train.len(),
        Over::Validation => training.problem.validation.len(),
        Over::Batch => training.snapshot.batch.len(),
    };
    let loss = (samples * (parameters + 10 * units)) as f64;
    8.0 * loss * options.products(parameters) as f64
}

fn curvature_task(training: &Training, view: &SurfaceView, options: CurvatureOptions) -> Task {
    let (measure, _) = measured(training, view);
    Task::Curvature {
        problem: Arc::clone(&training.problem),
        weights: Arc::clone(&training.snapshot.params),
        step: training.snapshot.step,
        batch: match measure.over {
            Over::Batch => Arc::clone(&training.snapshot.batch),
            Over::Train | Over::Validation => Arc::default(),
        },
        measure,
        scope: view.scope.clone(),
        options,
    }
}

/// The line between the recorded places nearest to two steps.
fn line_task(training: &Training, from: u64, to: u64) -> Option<Task> {
    let points = training.path.points();
    let place = |step: u64| -> Option<(u64, Arc<[f32]>)> {
        let snapshot = &training.snapshot;
        let near = points
            .iter()
            .min_by_key(|p: &&PathPoint| p.step.abs_diff(step));
        if step == LAST_STEP || near.is_none() {
            return Some((snapshot.step, Arc::clone(&snapshot.params)));
        }
        near.map(|p| (p.step, Arc::clone(&p.params)))
    };
    Some(Task::Line {
        problem: Arc::clone(&training.problem),
        from: place(from)?,
        to: place(to)?,
    })
}
