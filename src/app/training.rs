//! Between the training thread and the [`Training`] resource: the only file
//! that talks to the worker. Everything else reads `Training` and writes
//! [`Command`]s.

use super::plugins::GradscapeSystems;
use super::replay::{self, Now};
use super::runs::{Origin, RunKeeper};
use super::state::Selection;
use crate::experiment::{Experiment, ExperimentError};
use crate::run::{Parent, Replay, RunFile};
use crate::train::{
    ForeignStep, History, HistoryRow, News, Outbox, Problem, RunState, Session, Snapshot,
    TrainCommand, Trajectory, Worker,
};
use bevy::prelude::*;
use bevy::winit::{EventLoopProxyWrapper, WinitUserEvent};
use crossbeam_channel::{Receiver, bounded};
use std::sync::Arc;

/// The state of training that everything on screen follows.
#[derive(Resource, Debug, Clone)]
pub struct Training {
    /// Network, data and experiment.
    pub problem: Arc<Problem>,
    /// The newest state of the run.
    pub snapshot: Snapshot,
    /// What each epoch came to.
    pub history: History,
    /// The path through parameter space.
    pub path: Trajectory,
    /// The name of the run, where the network is trained elsewhere and only shown here. The
    /// rows of its history are then numbered, and their steps are what counts.
    pub elsewhere: Option<Arc<str>>,
    /// While the snapshot is of an earlier step, the run's own.
    pub(super) now: Option<Box<Now>>,
}

/// So many multiply-adds are done before anyone notices: some hundredths of a second.
const QUICK: usize = 2_000_000_000;

impl Training {
    /// A run at its start, as it is before the first snapshot comes. Where a loss takes long
    /// there is none before that.
    pub fn at_start(problem: Arc<Problem>) -> Self {
        let samples = problem.train.len() + problem.validation.len();
        let work = problem.network.multiply_adds().saturating_mul(samples);
        Self::of(&mut match work > QUICK {
            true => Session::unmeasured(problem),
            false => Session::new(problem),
        })
    }

    /// A run elsewhere of which nothing is known yet but its network.
    pub fn elsewhere(problem: Arc<Problem>, run: Arc<str>) -> Self {
        let mut training = Self::of(&mut Session::following(problem));
        training.elsewhere = Some(run);
        training
    }

    /// What a session that nobody has read from tells; it can be read once more.
    pub(super) fn of(session: &mut Session) -> Self {
        let problem = Arc::clone(session.trainer().problem());
        let mut training = Training {
            snapshot: session.snapshot(),
            history: History::default(),
            path: session.trajectory().emptied(),
            problem,
            elsewhere: None,
            now: None,
        };
        training.take_in(None, session.outbox().clone());
        training
    }

    /// Where a row stands on the axis of its curves: its epoch, or its step where epochs are
    /// not told.
    pub fn place_of(&self, row: &HistoryRow) -> usize {
        match self.elsewhere {
            Some(_) => usize::try_from(row.step).unwrap_or(usize::MAX),
            None => row.epoch,
        }
    }

    pub(super) fn take_in(&mut self, snapshot: Option<Snapshot>, news: Outbox) {
        if let Some(snapshot) = snapshot {
            let before = self.now_snapshot();
            if snapshot.generation != before.generation {
                self.history.clear();
                self.path.clear();
                self.now = None;
            } else if snapshot.step < before.step {
                self.history.truncate_after(snapshot.epoch);
                self.path.truncate_after(snapshot.step);
            }
            match &mut self.now {
                None => self.snapshot = snapshot,
                Some(now) => {
                    now.snapshot = snapshot;
                    self.watch_past();
                }
            }
        }
        news.rows.into_iter().for_each(|row| self.history.push(row));
        news.points
            .into_iter()
            .for_each(|point| self.path.push(point));
    }
}

/// A wish of the user's for the run.
#[derive(Message, Debug, Clone)]
pub struct Command(pub TrainCommand);

/// A wish for another experiment; its data is loaded off the frame.
#[derive(Message, Debug, Clone)]
pub struct LoadExperiment {
    /// The experiment.
    pub experiment: Experiment,
    /// Whether to start at once.
    pub start: bool,
    /// Where it goes on from, if not from its start.
    pub from: Option<Origin>,
}

/// A run that is ready to be shown.
struct Loaded {
    problem: Arc<Problem>,
    start: bool,
    /// The run where it was left, and its past.
    resumed: Option<Box<(Session, Training)>>,
    /// What it goes on from, for its record.
    parent: Option<Parent>,
}

impl Loaded {
    /// Loads the data of `request`, and its past where it has one.
    fn of(request: LoadExperiment) -> Result<Self, String> {
        let experiment = request.experiment;
        experiment
            .validate()
            .map_err(|error| ExperimentError::Value {
                origin: experiment.title().to_owned(),
                line: None,
                error,
            })
            .map_err(|error| error.to_string())?;
        let problem = Problem::new(&experiment).map_err(|error| error.to_string())?;
        let problem = Arc::new(problem);
        let (place, parent) = match request.from {
            None => (None, None),
            Some(Origin::Place { place, parent }) => (Some(*place), parent),
            Some(Origin::Run(path)) => {
                let run = RunFile::open(&path).map_err(|error| error.to_string())?;
                let replay = Replay::load(&run, &problem).map_err(|error| error.to_string())?;
                let parent = Parent {
                    id: run.info().id.clone(),
                    step: replay.last.step,
                };
                (Some(replay.at_end()), Some(parent))
            }
        };
        let resumed = match place {
            None => None,
            Some(place) => {
                let count = place.params.len();
                let session = Session::resume(Arc::clone(&problem), place);
                let mut session = session.ok_or_else(|| {
                    format!(
                        "the run has {count} parameters and this network {}: a branch may change \
                         how a network is trained, not its structure",
                        problem.network.layout().len()
                    )
                })?;
                let training = Training::of(&mut session);
                Some(Box::new((session, training)))
            }
        };
        Ok(Loaded {
            problem,
            start: request.start,
            resumed,
            parent,
        })
    }
}

/// The network on screen was replaced by another: entities have to be laid out
/// anew. Triggered after [`Training`] holds the new one.
#[derive(Event, Debug, Clone, Copy)]
pub struct NetworkReplaced;

/// Something the user should be told once.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// What happened and what to do.
    pub message: String,
    /// Whether something failed.
    pub error: bool,
}

/// What the user was not yet told.
#[derive(Resource, Debug, Default)]
pub struct Notices(pub Vec<Notice>);

/// How training is driven.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Drive {
    /// On a thread, in real time.
    Thread,
    /// In the frame, so many steps each: what is shown in frame k is always the same.
    Frame {
        /// Steps a frame while running.
        steps: usize,
    },
}

/// With [`Drive::Frame`], whether training goes on in this frame.
#[derive(Resource, Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameGate(pub bool);

#[derive(Resource)]
pub(super) enum Driver {
    Thread(Worker),
    Frame {
        session: Box<Session>,
        steps: usize,
        /// Those beside it, with the number of the set that they are.
        beside: (u64, Vec<Session>),
    },
    /// The thread could not be started.
    None,
}

impl Driver {
    /// What follows a run elsewhere, as the run itself would be driven.
    pub(super) fn following(
        problem: &Arc<Problem>,
        drive: Drive,
        proxy: Option<&EventLoopProxyWrapper>,
        notices: &mut Notices,
    ) -> Self {
        match drive {
            Drive::Frame { steps, .. } => Driver::Frame {
                session: Box::new(Session::following(Arc::clone(problem))),
                steps,
                beside: (0, Vec::new()),
            },
            Drive::Thread => {
                let session = Session::following(Arc::clone(problem));
                on_a_thread(move || session, proxy, notices)
            }
        }
    }

    /// Takes in what came of the run elsewhere, or gives it back where there is no room.
    pub(super) fn follow(&mut self, step: ForeignStep) -> Result<(), ForeignStep> {
        match self {
            Driver::Thread(worker) => worker.follow(step),
            Driver::Frame { session, .. } => {
                session.follow(step);
                Ok(())
            }
            Driver::None => Ok(()),
        }
    }

    /// Trains these beside the run; `false` if that is not to be had.
    pub(super) fn put_beside(&mut self, set: u64, problems: Vec<Arc<Problem>>) -> bool {
        match self {
            Driver::Thread(worker) => worker.put_beside(set, problems),
            Driver::Frame { beside, .. } => {
                *beside = (set, problems.into_iter().map(Session::new).collect());
                true
            }
            Driver::None => false,
        }
    }

    /// What is new of those beside the run, and the number of their set.
    pub(super) fn take_beside(&mut self) -> (u64, Vec<News>) {
        match self {
            Driver::Thread(worker) => worker.take_beside(),
            Driver::Frame {
                session,
                beside: (set, others),
                ..
            } => {
                let news = others.iter_mut().map(|other| {
                    let before = other.revision();
                    other.keep_level(session, usize::MAX);
                    let fresh = other.revision() != before;
                    let snapshot = fresh.then(|| other.snapshot());
                    (snapshot, other.take_outbox())
                });
                (*set, news.collect())
            }
            Driver::None => (0, Vec::new()),
        }
    }
}

/// An experiment whose data is being loaded.
#[derive(Resource, Default)]
pub struct Loading(Option<Receiver<Result<Loaded, String>>>);

impl Loading {
    /// Whether data is being loaded.
    pub fn is_busy(&self) -> bool {
        self.0.is_some()
    }
}

/// Owns the run.
pub(super) struct TrainingPlugin {
    pub(super) problem: Arc<Problem>,
    pub(super) drive: Drive,
}

/// How training is driven in this app.
#[derive(Resource, Debug, Clone, Copy)]
pub struct DriveChoice(pub Drive);

impl Plugin for TrainingPlugin {
    fn build(&self, app: &mut App) {
        app.insert_resource(Training::at_start(Arc::clone(&self.problem)))
            .insert_resource(DriveChoice(self.drive))
            .insert_resource(FrameGate(true))
            .init_resource::<Notices>()
            .init_resource::<Loading>()
            .init_resource::<RunKeeper>()
            .add_message::<Command>()
            .add_message::<LoadExperiment>()
            .add_systems(PreStartup, start_driver)
            .add_systems(Last, close_records)
            .add_systems(
                Update,
                (load_experiment, send_commands, receive_training)
                    .chain()
                    .in_set(GradscapeSystems::Receive),
            );
    }
}

/// A run that is there before the first frame; without one it begins at its start.
#[derive(Resource)]
pub(super) struct FirstSession(pub(super) Option<Session>);

fn start_driver(
    mut commands: Commands,
    mut training: ResMut<Training>,
    first: Option<ResMut<FirstSession>>,
    drive: Res<DriveChoice>,
    proxy: Option<Res<EventLoopProxyWrapper>>,
    mut notices: ResMut<Notices>,
    mut keeper: ResMut<RunKeeper>,
) {
    let mut first = first.and_then(|mut first| first.0.take());
    if let Some(session) = &mut first {
        *training = Training::of(session);
    }
    commands.insert_resource(new_driver(
        &training.problem,
        first,
        drive.0,
        proxy.as_deref(),
        &mut notices,
        (&mut keeper, None),
    ));
    commands.trigger(NetworkReplaced);
}

/// When the window closes, lets the run go and waits until all that is recorded of it is
/// written.
fn close_records(
    mut exits: MessageReader<AppExit>,
    mut driver: ResMut<Driver>,
    mut keeper: ResMut<RunKeeper>,
) {
    if exits.read().count() > 0 {
        keeper.hurry();
        *driver = Driver::None;
        keeper.finish();
    }
}

/// Drives a run of `problem`, from its start or from where it was left.
fn new_driver(
    problem: &Arc<Problem>,
    resumed: Option<Session>,
    drive: Drive,
    proxy: Option<&EventLoopProxyWrapper>,
    notices: &mut Notices,
    (keeper, parent): (&mut RunKeeper, Option<Parent>),
) -> Driver {
    match drive {
        Drive::Frame { steps } => {
            let session = resumed.unwrap_or_else(|| Session::new(Arc::clone(problem)));
            Driver::Frame {
                session: Box::new(session),
                steps,
                beside: (0, Vec::new()),
            }
        }
        Drive::Thread => {
            let observed = keeper.begin(problem, parent).unwrap_or_else(|error| {
                notices.0.push(Notice {
                    message: error,
                    error: true,
                });
                None
            });
            let problem = Arc::clone(problem);
            let make = move || {
                let mut session = resumed.unwrap_or_else(|| Session::new(problem));
                if let Some(observe) = observed {
                    observe(&mut session);
                }
                session
            };
            on_a_thread(make, proxy, notices)
        }
    }
}

fn on_a_thread(
    make: impl FnOnce() -> Session + Send + 'static,
    proxy: Option<&EventLoopProxyWrapper>,
    notices: &mut Notices,
) -> Driver {
    let proxy = proxy.map(|p| (**p).clone());
    let wake = move || {
        if let Some(proxy) = &proxy {
            // Fails only when the window is already gone.
            let _ = proxy.send_event(WinitUserEvent::WakeUp);
        }
    };
    match Worker::run(make, wake) {
        Ok(worker) => Driver::Thread(worker),
        Err(error) => {
            let message = format!("the training thread could not be started: {error}");
            notices.0.push(Notice {
                message,
                error: true,
            });
            Driver::None
        }
    }
}

/// Starts loading what was asked for last, and installs what has been loaded.
pub(super) fn load_experiment(
    mut requests: MessageReader<LoadExperiment>,
    mut loading: ResMut<Loading>,
    mut training: ResMut<Training>,
    mut driver: ResMut<Driver>,
    mut selection: ResMut<Selection>,
    mut notices: ResMut<Notices>,
    mut commands: Commands,
    mut own_commands: MessageWriter<Command>,
    drive: Res<DriveChoice>,
    (proxy, mut keeper): (Option<Res<EventLoopProxyWrapper>>, ResMut<RunKeeper>),
) {
    if let Some(request) = requests.read().last().cloned() {
        let (sender, receiver) = bounded(1);
        let proxy = proxy.as_ref().map(|p| (***p).clone());
        let spawned = std::thread::Builder::new()
            .name("loading".into())
            .spawn(move || {
                // The receiver is gone when another experiment was asked for meanwhile.
                let _ = sender.send(Loaded::of(request));
                if let Some(proxy) = proxy {
                    let _ = proxy.send_event(WinitUserEvent::WakeUp);
                }
            });
        match spawned {
            Ok(_) => loading.0 = Some(receiver),
            Err(error) => notices.0.push(Notice {
                message: error.to_string(),
                error: true,
            }),
        }
    }
    let Some(receiver) = &loading.0 else { return };
    let wait = matches!(drive.0, Drive::Frame { .. });
    let loaded = if wait {
        receiver.recv().ok()
    } else {
        receiver.try_recv().ok()
    };
    let Some(loaded) = loaded else {
        return;
    };
    loading.0 = None;
    match loaded {
        Err(message) => notices.0.push(Notice {
            message,
            error: true,
        }),
        Ok(Loaded {
            problem,
            start,
            resumed,
            parent,
        }) => {
            let (session, past) = resumed.map_or((None, None), |resumed| {
                let (session, past) = *resumed;
                (Some(session), Some(past))
            });
            *training = past.unwrap_or_else(|| Training::at_start(Arc::clone(&problem)));
            // The run before ends first: what is recorded of it closes.
            *driver = Driver::None;
            *driver = new_driver(
                &problem,
                session,
                drive.0,
                proxy.as_deref(),
                &mut notices,
                (&mut keeper, parent),
            );
            *selection = Selection::default();
            commands.trigger(NetworkReplaced);
            if start {
                own_commands.write(Command(TrainCommand::Start));
            }
        }
    }
}

pub(super) fn send_commands(
    mut messages: MessageReader<Command>,
    mut driver: ResMut<Driver>,
    mut training: ResMut<Training>,
    mut notices: ResMut<Notices>,
) {
    for Command(command) in messages.read() {
        if training.shows_past() && replay::leaves_past(command) {
            training.return_to_now();
        }
        match &mut *driver {
            Driver::Thread(worker) => {
                if !worker.send(command.clone()) {
                    let message = "training does not take commands any more".to_owned();
                    notices.0.push(Notice {
                        message,
                        error: true,
                    });
                }
            }
            Driver::Frame { session, .. } => session.command(command.clone()),
            Driver::None => {}
        }
    }
}

pub(super) fn receive_training(
    mut training: ResMut<Training>,
    mut driver: ResMut<Driver>,
    gate: Res<FrameGate>,
    mut shown: Local<Option<u64>>,
) {
    let (snapshot, news) = match &mut *driver {
        Driver::None => return,
        Driver::Thread(worker) => worker.take(),
        Driver::Frame { session, steps, .. } => {
            if session.state() == RunState::Running && gate.0 {
                for _ in 0..*steps {
                    if !session.advance() {
                        break;
                    }
                }
            }
            let fresh = shown.replace(session.revision()) != Some(session.revision());
            (fresh.then(|| session.snapshot()), session.take_outbox())
        }
    };
    if snapshot.is_some() || !news.rows.is_empty() || !news.points.is_empty() {
        training.take_in(snapshot, news);
    }
}
