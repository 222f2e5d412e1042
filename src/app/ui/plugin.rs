//! The panels in the app: gives them the resources and carries out their wishes.

use super::files;
use super::inside::Tab;
use super::panels::{self, Panels};
use super::stage::{Intent, Stage};
use crate::app::picture::not_picturing;
use crate::app::runs::{Origin, place_shown};
use crate::app::settings::Choices;
use crate::app::training::Loading;
use crate::app::{
    Arena, ArenaView, Blocks, CameraRequest, ChainShown, Command, ErrorSurface, Lecture,
    LoadExperiment, Motion, NetworkReplaced, NetworkView, Notice, Notices, OpenFile, OpeningFile,
    PictureWish, PinCommand, Pinned, Presenter, RaceCommand, ReplayWish, RivalWish, Rivals,
    RunKeeper, Selection, StudyWish, SurfaceView, Texts, Theme, Training, ViewMode, ViewRect, Wake,
    Walk, WatchWish, Watching, WaysShown, WeightsWish,
};
use crate::run::{Parent, RunFile, is_run_file};
use crate::train::TrainCommand;
use bevy::ecs::system::SystemParam;
use bevy::prelude::*;
use bevy::window::FileDragAndDrop;
use bevy::winit::{EventLoopProxyWrapper, WinitUserEvent};
use bevy_egui::{EguiContexts, EguiPrimaryContextPass, egui};
use std::path::PathBuf;
use std::sync::Arc;

/// The panels over the scene. Add it beside
/// [`GradscapePlugins`](crate::app::GradscapePlugins), after it.
pub struct UiPlugin;

impl Plugin for UiPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<Choices>()
            .init_resource::<PanelsResource>()
            .init_resource::<FirstTab>()
            .add_message::<CameraRequest>()
            .add_message::<RaceCommand>()
            .add_message::<PinCommand>()
            .add_message::<StudyWish>()
            .add_message::<WeightsWish>()
            .add_message::<ReplayWish>()
            .add_observer(keep_speed)
            .add_systems(EguiPrimaryContextPass, draw_panels.run_if(not_picturing))
            .add_systems(Update, take_dropped_files)
            .add_plugins(super::typing::plugin);
    }
}

#[derive(Resource, Default)]
struct PanelsResource(Option<Panels>);

/// The tab of the inside that is open in the first frame; insert it after [`UiPlugin`] to
/// choose one.
#[derive(Resource, Debug, Clone, Copy, Default)]
pub struct FirstTab(pub Option<Tab>);

/// Whether something that the inside shows is being worked out on a thread.
pub(in crate::app) fn inside_is_busy(world: &World) -> bool {
    let panels = world.get_resource::<PanelsResource>();
    let panels = panels.and_then(|panels| panels.0.as_ref());
    panels.is_some_and(|panels| panels.inside.is_busy())
}

/// The resources that a choice in a panel changes.
#[derive(SystemParam)]
struct Chosen<'w> {
    choices: ResMut<'w, Choices>,
    theme: ResMut<'w, Theme>,
    texts: ResMut<'w, Texts>,
    network: ResMut<'w, NetworkView>,
    surface: ResMut<'w, SurfaceView>,
    arena: ResMut<'w, ArenaView>,
    walk: ResMut<'w, Walk>,
    lecture: ResMut<'w, Lecture>,
    presenter: ResMut<'w, Presenter>,
    motion: ResMut<'w, Motion>,
    selection: ResMut<'w, Selection>,
    mode: Res<'w, State<ViewMode>>,
    next_mode: ResMut<'w, NextState<ViewMode>>,
}

impl Chosen<'_> {
    /// The choices as the other resources have them now.
    fn gather(&self) -> Choices {
        let mode = match &*self.next_mode {
            NextState::Pending(mode) | NextState::PendingIfNeq(mode) => *mode,
            NextState::Unchanged => *self.mode.get(),
        };
        Choices {
            theme: *self.theme,
            language: self.texts.language(),
            mode,
            network: self.network.clone(),
            surface: self.surface.clone(),
            arena: self.arena.clone(),
            walk: self.walk.clone(),
            lecture: self.lecture.clone(),
            presenter: *self.presenter,
            motion: *self.motion,
            ..self.choices.clone()
        }
    }

    /// Writes back what is different, and nothing else, so that change
    /// detection tells the truth.
    fn scatter(&mut self, choices: Choices, selection: Selection) {
        self.theme.set_if_neq(choices.theme);
        if self.texts.language() != choices.language {
            *self.texts = Texts::new(choices.language);
        }
        self.network.set_if_neq(choices.network.clone());
        self.surface.set_if_neq(choices.surface.clone());
        self.arena.set_if_neq(choices.arena.clone());
        self.walk.set_if_neq(choices.walk.clone());
        self.lecture.set_if_neq(choices.lecture.clone());
        self.presenter.set_if_neq(choices.presenter);
        self.motion.set_if_neq(choices.motion);
        self.selection.set_if_neq(selection);
        if choices.mode != *self.mode.get() {
            self.next_mode.set(choices.mode);
        }
        self.choices.set_if_neq(choices);
    }
}

/// Where wishes go.
#[derive(SystemParam)]
struct Wishes<'w> {
    commands: MessageWriter<'w, Command>,
    loads: MessageWriter<'w, LoadExperiment>,
    cameras: MessageWriter<'w, CameraRequest>,
    races: MessageWriter<'w, RaceCommand>,
    pins: MessageWriter<'w, PinCommand>,
    studies: MessageWriter<'w, StudyWish>,
    rivals: MessageWriter<'w, RivalWish>,
    watch: MessageWriter<'w, WatchWish>,
    files: MessageWriter<'w, OpenFile>,
    opening: ResMut<'w, OpeningFile>,
    weights: MessageWriter<'w, WeightsWish>,
    replay: MessageWriter<'w, ReplayWish>,
    pictures: MessageWriter<'w, PictureWish>,
    ways: ResMut<'w, WaysShown>,
    wake: Option<Res<'w, EventLoopProxyWrapper>>,
}

impl Wishes<'_> {
    /// What a search's thread calls when there is something to take.
    fn wake(&self) -> Wake {
        let proxy = self.wake.as_ref().map(|proxy| (***proxy).clone());
        Arc::new(move || {
            if let Some(proxy) = &proxy {
                // Fails only when the window is already gone.
                let _ = proxy.send_event(WinitUserEvent::WakeUp);
            }
        })
    }
}

/// The height in points for which a lesson's panels are made; in a higher window they
/// grow with it.
const LESSON_HEIGHT: f32 = 760.0;

fn draw_panels(
    mut contexts: EguiContexts,
    mut own: ResMut<PanelsResource>,
    mut chosen: Chosen,
    mut wishes: Wishes,
    mut notices: ResMut<Notices>,
    mut view_rect: ResMut<ViewRect>,
    training: Res<Training>,
    surface: Res<ErrorSurface>,
    arena: Res<Arena>,
    (pinned, chain, rivals, watching): (Res<Pinned>, Res<ChainShown>, Res<Rivals>, Res<Watching>),
    (first_tab, loading): (Res<FirstTab>, Res<Loading>),
    (mut keeper, mut blocks): (ResMut<RunKeeper>, ResMut<Blocks>),
) -> Result {
    let ctx = contexts.ctx_mut()?.clone();
    let panels = own.0.get_or_insert_with(|| {
        let mut panels = Panels::new(&training.problem);
        if let Some(tab) = first_tab.0 {
            (panels.inside.open, panels.inside.tab) = (true, tab);
        }
        panels
    });
    panels.runs.see(&keeper);
    let now = ctx.input(|i| i.time);
    if !notices.0.is_empty() {
        for notice in notices.0.drain(..) {
            panels.notify(notice, now);
        }
    }
    let mut choices = chosen.gather();
    let speed = choices.speed;
    let mut zoom = choices.scale;
    if choices.presents() {
        // Everything is as large a share of a projector's picture as of a small window.
        let height = ctx.viewport_rect().height() * ctx.zoom_factor();
        let larger = (height / LESSON_HEIGHT * 20.0).round() / 20.0;
        zoom = (zoom * larger).clamp(zoom, Choices::SCALES[1]);
    }
    if ctx.zoom_factor() != zoom {
        ctx.set_zoom_factor(zoom);
    }
    let mut selection = *chosen.selection;
    let mut intents = Vec::new();
    let mut root = egui::Ui::new(
        ctx.clone(),
        egui::Id::new("gradscape root"),
        egui::UiBuilder::new()
            .layer_id(egui::LayerId::background())
            .max_rect(ctx.viewport_rect()),
    );
    let texts = chosen.texts.clone();
    let opening = wishes.opening.now().map(|(path, step)| {
        let name = path.file_name().unwrap_or(path.as_os_str());
        let name = name.to_string_lossy().into_owned();
        (name, step.key(), wishes.opening.share())
    });
    // What panels do with it counts its own changes.
    let before = (blocks.revision(), blocks.selected(), blocks.hovered());
    let mut stage = Stage {
        texts: &texts,
        palette: choices.theme.palette(),
        theme: choices.theme,
        training: &training,
        surface: &surface,
        arena: &arena,
        chain: chain.0.clone(),
        rivals: &rivals,
        watching: &watching,
        pinned: pinned.kept.is_some(),
        loading: loading.is_busy(),
        opening,
        blocks: blocks.bypass_change_detection(),
        choices: &mut choices,
        selection: &mut selection,
        intents: &mut intents,
    };
    let free = panels::show(&mut root, panels, &mut stage);
    if before != (blocks.revision(), blocks.selected(), blocks.hovered()) {
        blocks.set_changed();
        ctx.request_repaint();
    }
    let ppp = ctx.pixels_per_point();
    view_rect.set_if_neq(ViewRect(Some(Rect {
        min: Vec2::new(free.min.x, free.min.y) * ppp,
        max: Vec2::new(free.max.x, free.max.y) * ppp,
    })));
    if choices.speed != speed {
        intents.push(Intent::Train(speed_command(choices.speed)));
    }
    if keeper.catalogue().is_some() && keeper.is_on() != choices.record {
        keeper.switch(choices.record);
    }
    chosen.scatter(choices, selection);
    if !intents.is_empty() {
        // Wishes are heard in the next frame.
        ctx.request_repaint();
    }
    for intent in intents {
        if matches!(intent, Intent::LeaveModel) {
            blocks.leave_foreign();
        }
        carry_out(intent, panels, &texts, &training, &mut wishes, now);
    }
    Ok(())
}

fn speed_command(speed: f64) -> TrainCommand {
    TrainCommand::SetSpeed(speed.is_finite().then_some(speed))
}

/// A new run knows nothing of the speed that was chosen.
fn keep_speed(_: On<NetworkReplaced>, choices: Res<Choices>, mut out: MessageWriter<Command>) {
    out.write(Command(speed_command(choices.speed)));
}

fn carry_out(
    intent: Intent,
    panels: &mut Panels,
    texts: &Texts,
    training: &Training,
    wishes: &mut Wishes<'_>,
    now: f64,
) {
    match intent {
        Intent::Train(command) => {
            if training.elsewhere.is_some() && command.trains() {
                let message = texts.get("watch.trained_elsewhere").to_owned();
                let error = false;
                panels.notify(Notice { message, error }, now);
            }
            wishes.commands.write(Command(command));
        }
        Intent::Load { experiment, start } => {
            wishes.loads.write(LoadExperiment {
                experiment: *experiment,
                start,
                from: None,
            });
        }
        Intent::OpenRun(path) => open_run(path, panels, wishes, now),
        Intent::Branch(experiment) => {
            let place = Box::new(place_shown(training));
            let parent = panels.runs.id.clone().map(|id| Parent {
                id,
                step: place.step,
            });
            wishes.loads.write(LoadExperiment {
                experiment: *experiment,
                start: true,
                from: Some(Origin::Place { place, parent }),
            });
        }
        Intent::Camera(request) => {
            wishes.cameras.write(request);
        }
        Intent::Race(command) => {
            wishes.races.write(command);
        }
        Intent::Pin(command) => {
            wishes.pins.write(command);
        }
        Intent::Weights(wish) => {
            wishes.weights.write(wish);
        }
        Intent::Replay(wish) => {
            wishes.replay.write(wish);
        }
        Intent::Picture(wish) => {
            wishes.pictures.write(wish);
        }
        Intent::Notify(notice) => panels.notify(notice, now),
        Intent::Rival(wish) => {
            wishes.rivals.write(wish);
        }
        Intent::Watch(wish) => {
            wishes.watch.write(wish);
        }
        Intent::Ways(ways) => {
            wishes.ways.set_if_neq(WaysShown(ways));
        }
        Intent::Study(wish) => {
            wishes.studies.write(wish);
        }
        Intent::Search(command) => panels.searches.obey(command, wishes.wake()),
        Intent::Save { experiment, path } => {
            panels.notify(files::save(&experiment, training, &path, texts), now);
        }
        Intent::Open(path) if is_run_file(&path) => open_run(path, panels, wishes, now),
        Intent::Open(path) => {
            wishes.files.write(OpenFile { path, start: None });
        }
        Intent::CancelOpening => {
            wishes.opening.cancel();
            let message = texts.get("model.cancelled").to_owned();
            let notice = Notice {
                message,
                error: false,
            };
            panels.notify(notice, now);
        }
        // Carried out where what is shown in blocks is at hand.
        Intent::LeaveModel => {}
    }
}

/// Opens a recorded run at its end, with its past; what is wrong with it is told.
fn open_run(path: PathBuf, panels: &mut Panels, wishes: &mut Wishes<'_>, now: f64) {
    match recorded(path) {
        Ok(load) => {
            wishes.loads.write(load);
        }
        Err(message) => panels.notify(
            Notice {
                message,
                error: true,
            },
            now,
        ),
    }
}

/// The wish for a recorded run.
pub(in crate::app) fn recorded(path: PathBuf) -> Result<LoadExperiment, String> {
    let run = RunFile::open(&path).and_then(|run| run.experiment());
    Ok(LoadExperiment {
        experiment: run.map_err(|error| error.to_string())?,
        start: false,
        from: Some(Origin::Run(path)),
    })
}

fn take_dropped_files(
    mut drops: MessageReader<FileDragAndDrop>,
    mut own: ResMut<PanelsResource>,
    mut files: MessageWriter<OpenFile>,
    mut loads: MessageWriter<LoadExperiment>,
    mut notices: ResMut<Notices>,
) {
    for drop in drops.read() {
        let Some(panels) = own.0.as_mut() else {
            continue;
        };
        panels.file_over = matches!(drop, FileDragAndDrop::HoveredFile { .. });
        let FileDragAndDrop::DroppedFile { path_buf, .. } = drop else {
            continue;
        };
        panels.path = path_buf.display().to_string();
        if is_run_file(path_buf) {
            match recorded(path_buf.clone()) {
                Ok(load) => {
                    loads.write(load);
                }
                Err(message) => notices.0.push(Notice {
                    message,
                    error: true,
                }),
            }
            continue;
        }
        files.write(OpenFile {
            path: path_buf.clone(),
            start: Some(true),
        });
    }
}
