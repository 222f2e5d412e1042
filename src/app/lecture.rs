//! A lesson on the screen: brings each scene about, the same way every time.

use super::arena::{ArenaView, Ground, RaceCommand};
use super::micro::Walk;
use super::plugins::GradscapeSystems;
use super::state::{
    CameraRequest, ConnectionValue, Item, NetworkView, NeuronValue, Selection, SurfaceView,
    ViewMode,
};
use super::training::{
    Command, LoadExperiment, NetworkReplaced, Notice, Notices, Training, send_commands,
};
use crate::lesson::{ConnectionsOf, Lesson, NeuronsOf, Play, Scene, Select, ViewName};
use crate::train::TrainCommand;
use bevy::prelude::*;
use bevy_panorbit_camera::PanOrbitCamera;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

pub(super) fn plugin(app: &mut App) {
    app.init_resource::<Lecture>()
        .init_resource::<Conducted>()
        .add_observer(note_replaced)
        .add_systems(
            Update,
            (reload, conduct)
                .chain()
                .in_set(GradscapeSystems::Receive)
                .before(super::micro::walk)
                .before(send_commands),
        )
        .add_systems(
            PostUpdate,
            pose.before(bevy_panorbit_camera::PanOrbitCameraSystemSet),
        );
}

/// The lesson that is given, and where it is.
#[derive(Resource, Debug, Clone, PartialEq, Default)]
pub struct Lecture {
    /// The lesson; without one the rest means nothing.
    pub lesson: Option<Arc<Lesson>>,
    /// The file that it is read from again when that changes.
    pub file: Option<PathBuf>,
    /// Which scene, from 0.
    pub scene: usize,
    /// Counts wishes to see the scene from its beginning.
    pub again: u32,
    /// Whether the lecturer's notes are shown.
    pub notes: bool,
    /// Whether the screen is black.
    pub black: bool,
    /// Which answer was given to the question of each scene.
    pub answers: BTreeMap<usize, usize>,
}

impl Lecture {
    /// A lesson from its first scene on.
    pub fn of(lesson: Lesson, file: Option<PathBuf>) -> Self {
        Lecture {
            lesson: Some(Arc::new(lesson)),
            file,
            ..Lecture::default()
        }
    }

    /// The scene that is shown.
    pub fn current(&self) -> Option<&Scene> {
        self.lesson.as_ref()?.scenes.get(self.scene)
    }

    /// To another scene, counted from 0, if there is one.
    pub fn go_to(&mut self, scene: usize) {
        let scenes = self.lesson.as_ref().map_or(0, |lesson| lesson.scenes.len());
        if scene < scenes {
            self.scene = scene;
            self.black = false;
        }
    }

    /// So many scenes on, or back.
    pub fn go(&mut self, by: i32) {
        if let Some(scene) = self.scene.checked_add_signed(by as isize) {
            self.go_to(scene);
        }
    }
}

/// How far a scene has been brought about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Phase {
    /// All of it.
    #[default]
    Done,
    /// Its experiment is being loaded.
    Loading,
    /// What is to be shown has been said; the events come next.
    Set,
    /// The events have been asked for; what plays comes next.
    Events,
}

#[derive(Resource, Debug, Default)]
pub(super) struct Conducted {
    shown: Option<(Arc<Lesson>, usize, u32)>,
    phase: Phase,
    replaced: bool,
    pose: bool,
}

/// Whether all of the scene is there.
pub(super) fn is_settled(conducted: &Conducted) -> bool {
    conducted.phase == Phase::Done && !conducted.pose
}

fn note_replaced(_: On<NetworkReplaced>, mut conducted: ResMut<Conducted>) {
    conducted.replaced = true;
}

/// How often a file is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// Takes in a lesson's file when it was changed.
fn reload(
    mut lecture: ResMut<Lecture>,
    mut notices: ResMut<Notices>,
    mut looked: Local<Option<(Instant, Option<SystemTime>)>>,
) {
    let Some(path) = lecture.file.clone() else {
        return;
    };
    if looked.is_some_and(|(at, _)| at.elapsed() < LOOK) {
        return;
    }
    let modified = std::fs::metadata(&path).and_then(|m| m.modified()).ok();
    let before = looked.replace((Instant::now(), modified));
    if before.is_none_or(|(_, before)| before == modified) {
        return;
    }
    match Lesson::read(&path) {
        Ok(lesson) => {
            lecture.scene = lecture.scene.min(lesson.scenes.len() - 1);
            lecture.lesson = Some(Arc::new(lesson));
        }
        // The lesson that was right before stays.
        Err(error) => notices.0.push(Notice {
            message: error.to_string(),
            error: true,
        }),
    }
}

/// Brings the scene about that is wanted.
fn conduct(
    lecture: Res<Lecture>,
    mut conducted: ResMut<Conducted>,
    mut loads: MessageWriter<LoadExperiment>,
    mut commands: MessageWriter<Command>,
    mut races: MessageWriter<RaceCommand>,
    mut cameras: MessageWriter<CameraRequest>,
    (mut walk, mut network, mut surface, mut arena, mut selection): (
        ResMut<Walk>,
        ResMut<NetworkView>,
        ResMut<SurfaceView>,
        ResMut<ArenaView>,
        ResMut<Selection>,
    ),
    mut mode: ResMut<NextState<ViewMode>>,
    training: Res<Training>,
) {
    let Some(lesson) = &lecture.lesson else {
        return;
    };
    let Some(scene) = lesson.scenes.get(lecture.scene) else {
        return;
    };
    let wanted = (Arc::clone(lesson), lecture.scene, lecture.again);
    let is_new = conducted.shown.as_ref().is_none_or(|(of, scene, again)| {
        !Arc::ptr_eq(of, &wanted.0) || (*scene, *again) != (wanted.1, wanted.2)
    });
    if is_new && let Some(experiment) = lesson.experiment_of(lecture.scene) {
        conducted.shown = Some(wanted);
        conducted.phase = Phase::Loading;
        conducted.replaced = false;
        walk.leave();
        loads.write(LoadExperiment {
            experiment,
            start: false,
            from: None,
        });
        return;
    }
    match conducted.phase {
        Phase::Done => {}
        Phase::Loading if !conducted.replaced => {}
        Phase::Loading => {
            if scene.epochs > 0 {
                commands.write(Command(TrainCommand::Epochs(scene.epochs)));
            }
            mode.set(scene.view.into());
            *network = network_view(scene, &network);
            *surface = surface_view(scene);
            *arena = arena_view(scene);
            selection.set_if_neq(Selection {
                selected: scene.select.map(Item::from),
                hovered: None,
            });
            conducted.phase = Phase::Set;
        }
        Phase::Set if training.snapshot.epoch < scene.epochs && !ended(&training) => {}
        Phase::Set => {
            if let Some(events) = scene.events {
                (walk.on, walk.walking) = (true, false);
                walk.steps = events as i32;
                walk.chain = scene.chain;
            }
            if let Some(race) = scene.race.as_ref().filter(|race| !race.racers.is_empty()) {
                races.write(RaceCommand::Seek(race.at));
            }
            cameras.write(CameraRequest::Reset);
            conducted.pose = scene.camera.is_some();
            conducted.phase = Phase::Events;
        }
        Phase::Events => {
            if walk.steps != 0 {
                return;
            }
            match scene.play {
                Play::Nothing => {}
                Play::Events => (walk.on, walk.walking) = (true, true),
                Play::Training => {
                    commands.write(Command(TrainCommand::Start));
                }
                Play::Race => {
                    races.write(RaceCommand::Toggle);
                }
            }
            conducted.phase = Phase::Done;
        }
    }
}

/// Whether a run goes no further.
fn ended(training: &Training) -> bool {
    training.snapshot.divergence.is_some() || training.snapshot.stop.is_some()
}

/// Turns the camera to where the scene wants it, once everything is in view.
fn pose(
    lecture: Res<Lecture>,
    mut conducted: ResMut<Conducted>,
    mut cameras: Query<&mut PanOrbitCamera>,
) {
    let camera = lecture.current().and_then(|scene| scene.camera);
    let (Phase::Done, true, Some(pose)) = (conducted.phase, conducted.pose, camera) else {
        return;
    };
    conducted.pose = false;
    for mut orbit in &mut cameras {
        orbit.target_yaw = pose.yaw.to_radians();
        orbit.target_pitch = pose.pitch.to_radians();
        orbit.target_radius /= pose.zoom.max(0.05);
        orbit.force_update = true;
    }
}

impl From<ViewName> for ViewMode {
    fn from(view: ViewName) -> Self {
        match view {
            ViewName::Network => ViewMode::Network,
            ViewName::Surface => ViewMode::Surface,
            ViewName::Both => ViewMode::Both,
            ViewName::Together => ViewMode::Together,
        }
    }
}

/// What a scene says of the network's view; the rest stays as it is in `now`.
fn network_view(scene: &Scene, now: &NetworkView) -> NetworkView {
    NetworkView {
        neurons: match scene.neurons {
            NeuronsOf::Activation => NeuronValue::Activation,
            NeuronsOf::Bias => NeuronValue::Bias,
            NeuronsOf::ErrorSignal => NeuronValue::ErrorSignal,
        },
        connections: match scene.connections {
            ConnectionsOf::Weight => ConnectionValue::Weight,
            ConnectionsOf::Gradient => ConnectionValue::Gradient,
            ConnectionsOf::LastChange => ConnectionValue::LastChange,
        },
        maps: scene.maps,
        fields: scene.fields,
        connection_budget: now.connection_budget,
        heat: now.heat,
    }
}

fn surface_view(scene: &Scene) -> SurfaceView {
    let usual = SurfaceView::default();
    let plan = &scene.surface;
    // The lesson has checked that they can be read.
    let directions = plan.directions.as_deref().and_then(|d| d.parse().ok());
    SurfaceView {
        directions: directions.unwrap_or(usual.directions),
        range: plan.range.unwrap_or(usual.range),
        log_height: plan.log,
        follow: !plan.still,
        path: usual.path && !plan.no_path,
        ..usual
    }
}

fn arena_view(scene: &Scene) -> ArenaView {
    let usual = ArenaView::default();
    let Some(race) = &scene.race else {
        return usual;
    };
    let mut arena = ArenaView {
        domain: race.domain,
        start: race.start,
        log_height: race.log,
        racing: !race.racers.is_empty(),
        steps: race.steps.unwrap_or(usual.steps).max(race.at),
        ..usual
    };
    if let Some(function) = &race.function {
        arena.ground = Ground::Function;
        arena.function.clone_from(function);
    }
    if arena.racing {
        arena.racers.clone_from(&race.racers);
    }
    arena
}

impl From<Select> for Item {
    fn from(select: Select) -> Self {
        match select {
            Select::Neuron([column, unit]) => Item::Neuron { column, unit },
            Select::Weight([layer, to, from]) => Item::Connection {
                layer,
                source: 0,
                from,
                to,
            },
        }
    }
}
