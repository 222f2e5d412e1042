//! A running app without a window.

use super::PATIENCE;
use super::shot::{CaptureError, Frame, Shot, Sight};
use crate::app::arena::{ArenaView, PinCommand, RaceCommand};
use crate::app::blocks::Blocks;
use crate::app::camera::CameraSettings;
use crate::app::graphics;
use crate::app::micro::{Playing, Walk};
use crate::app::plugins::GradscapePlugins;
use crate::app::replay::ReplayWish;
use crate::app::rivals::RivalWish;
use crate::app::state::{CameraRequest, Selection};
use crate::app::text::Texts;
use crate::app::training::{Command, Drive, FirstSession, FrameGate, Training};
use crate::app::ui::{FirstTab, UiPlugin, inside_is_busy};
use crate::train::{RunState, Session, TrainCommand};
use bevy::asset::RenderAssetUsages;
use bevy::camera::{ImageRenderTarget, RenderTarget};
use bevy::image::Image as BevyImage;
use bevy::log::LogPlugin;
use bevy::prelude::*;
use bevy::render::RenderPlugin;
use bevy::render::pipelined_rendering::PipelinedRenderingPlugin;
use bevy::render::render_resource::{Extent3d, TextureDimension, TextureFormat, TextureUsages};
use bevy::render::renderer::RenderDevice;
use bevy::render::view::screenshot::{Screenshot, ScreenshotCaptured};
use bevy::time::TimeUpdateStrategy;
use bevy::window::ExitCondition;
use bevy::winit::WinitPlugin;
use bevy_egui::EguiPlugin;
use bevy_panorbit_camera::PanOrbitCamera;
use crossbeam_channel::{Receiver, Sender, bounded};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Updates to wait for pipelines and panels to settle before the first frame.
pub(super) const SETTLE: usize = 8;
/// How long at most what the inside shows is waited for.
const LOOKING: Duration = Duration::from_secs(60);

/// The run as it is at the first frame, where it does not begin at its start: with a past,
/// from weights, or after epochs. In real time none are trained before.
fn first_session(
    shot: &Shot,
    drive: Drive,
    told: &mut dyn FnMut(usize) -> bool,
) -> Result<Option<Session>, CaptureError> {
    let problem = || Arc::clone(&shot.problem);
    let past = shot.past.as_ref();
    let resumed = past.and_then(|place| Session::resume(problem(), (**place).clone()));
    let epochs = shot.beside.unwrap_or(shot.epochs).min(shot.epochs);
    if drive == Drive::Thread || epochs == 0 {
        return Ok(resumed);
    }
    let mut session = resumed.unwrap_or_else(|| Session::new(problem()));
    if let Some(params) = shot.params.as_ref().filter(|_| past.is_none()) {
        session.command(TrainCommand::SetParams(Arc::clone(params)));
    }
    for epoch in 0..epochs {
        if !told(epoch) {
            return Err(CaptureError::Cancelled);
        }
        session.command(TrainCommand::Epoch);
    }
    Ok(Some(session))
}

/// Whether an app of this process has set the log up.
static LOGS: AtomicBool = AtomicBool::new(false);

/// A running app without a window.
pub struct Studio {
    pub(super) app: App,
    target: ImageRenderTarget,
    race_at: u64,
    /// Epochs to train once a surface is pinned.
    after_pin: Option<usize>,
    events: Option<f32>,
    frames: (Sender<BevyImage>, Receiver<BevyImage>),
    factor: u32,
}

impl Studio {
    /// Builds the app; nothing is drawn yet.
    pub fn new(shot: &Shot) -> Result<Self, CaptureError> {
        Studio::driven(shot, Drive::Frame { steps: shot.steps })
    }

    /// The same with another way to train: on a thread, in real time, as in a window.
    pub fn driven(shot: &Shot, drive: Drive) -> Result<Self, CaptureError> {
        Studio::told(shot, drive, |_| true)
    }

    pub(super) fn told(
        shot: &Shot,
        drive: Drive,
        mut told: impl FnMut(usize) -> bool,
    ) -> Result<Self, CaptureError> {
        let (width, height) = shot.size;
        let fits = |side: u32| (16..=8192).contains(&side);
        if !(fits(width) && fits(height)) {
            return Err(CaptureError::Size(width, height));
        }
        graphics::find_adapter()?;
        let first = first_session(shot, drive, &mut told)?;
        let factor = if shot.smooth && width.max(height) <= 4096 {
            2
        } else {
            1
        };
        let mut app = App::new();
        let mut plugins = DefaultPlugins
            .set(WindowPlugin {
                primary_window: None,
                exit_condition: ExitCondition::DontExit,
                ..default()
            })
            .set(RenderPlugin {
                synchronous_pipeline_compilation: true,
                ..default()
            })
            .set(LogPlugin {
                filter: LOG_FILTER.into(),
                ..default()
            })
            .disable::<WinitPlugin>()
            .disable::<PipelinedRenderingPlugin>();
        // The process has one log, and a second app would complain of it.
        if LOGS.swap(true, Ordering::Relaxed) {
            plugins = plugins.disable::<LogPlugin>();
        }
        app.add_plugins(plugins);
        app.add_plugins(EguiPlugin::default());
        let image = app
            .world_mut()
            .resource_mut::<Assets<BevyImage>>()
            .add(target_image(width * factor, height * factor));
        let target = ImageRenderTarget {
            handle: image,
            scale_factor: factor as f32 * shot.scale,
        };
        app.insert_resource(CameraSettings {
            image: Some(target.clone()),
            still: true,
        })
        .insert_resource(TimeUpdateStrategy::ManualDuration(shot.frame_time))
        .insert_resource(shot.theme)
        .insert_resource(Texts::new(shot.language))
        .insert_resource(shot.network.clone())
        .insert_resource(shot.surface.clone())
        .insert_resource(shot.arena.clone())
        .insert_resource(graphics::error_handler());
        let is_set = first.is_some() && shot.past.is_none();
        if let Some(session) = first {
            app.insert_resource(FirstSession(Some(session)));
        }
        app.add_plugins(GradscapePlugins {
            problem: Arc::clone(&shot.problem),
            drive,
        });
        if shot.panels || shot.inside.is_some() {
            app.add_plugins(UiPlugin)
                .insert_resource(FirstTab(shot.inside));
        }
        app.insert_state(shot.view);
        for experiment in &shot.rivals {
            let wish = RivalWish::Add(Box::new(experiment.clone()));
            app.world_mut().write_message(wish);
        }
        if let Some(params) = shot.params.as_ref().filter(|_| !is_set) {
            app.world_mut()
                .write_message(Command(TrainCommand::SetParams(Arc::clone(params))));
        }
        app.finish();
        app.cleanup();
        Ok(Studio {
            app,
            target,
            race_at: shot.race_at,
            after_pin: shot.beside.map(|b| shot.epochs.saturating_sub(b)),
            events: shot.events,
            frames: bounded(64),
            factor,
        })
    }

    /// The app, for tests that want to look inside.
    pub fn app(&mut self) -> &mut App {
        &mut self.app
    }

    /// Shows what is to be looked at, and lets everything come to rest.
    pub fn look_at(&mut self, sight: &Sight) -> Result<(), CaptureError> {
        if let Some(model) = &sight.model {
            // The network that it takes the place of is laid out first.
            self.update();
            let mut blocks = self.app.world_mut().resource_mut::<Blocks>();
            blocks.show_foreign(Arc::clone(model));
        }
        self.app.world_mut().resource_mut::<Selection>().selected = sight.selected;
        self.settle();
        let mut blocks = self.app.world_mut().resource_mut::<Blocks>();
        if sight.open_all {
            blocks.open_all();
        }
        if let Some(name) = &sight.find {
            let found = blocks.outline().map(|outline| outline.find(name, 1));
            let Some(found) = found else {
                return Err(CaptureError::NotInBlocks(name.clone()));
            };
            let Some(hit) = found.into_iter().next() else {
                return Err(CaptureError::NotFound(name.clone()));
            };
            blocks.reveal(hit.part);
            if blocks.has_neurons(hit.part) {
                blocks.toggle(hit.part);
            }
        }
        if sight.open_all || sight.find.is_some() {
            for _ in 0..SETTLE {
                self.update();
            }
        }
        if sight.open_all && sight.find.is_none() {
            self.app.world_mut().write_message(CameraRequest::Reset);
            self.update();
            self.update();
        }
        Ok(())
    }

    /// Lets pipelines, panels and cameras come to rest.
    pub fn settle(&mut self) {
        self.advance(false);
        for _ in 0..SETTLE {
            self.update();
        }
        if let Some(epochs) = self.after_pin.take() {
            self.app.world_mut().write_message(PinCommand::Pin);
            self.update();
            for _ in 0..epochs {
                let epoch = Command(TrainCommand::Epoch);
                self.app.world_mut().write_message(epoch);
            }
            self.update();
        }
        if self.race_at > 0 {
            let seek = RaceCommand::Seek(self.race_at);
            self.app.world_mut().write_message(seek);
            self.update();
        }
        // What is worked out on a thread is in the picture, unless it takes too long.
        let until = Instant::now() + LOOKING;
        while inside_is_busy(self.app.world()) && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(10));
            self.update();
        }
        self.app.world_mut().write_message(CameraRequest::Reset);
        self.update();
        if let Some(events) = self.events {
            self.go_through(events);
        }
        self.update();
    }

    /// Leads the run so far into its next step, and leaves it ready to go on.
    fn go_through(&mut self, events: f32) {
        let whole = events.max(0.0).ceil() as i32;
        for steps in [0].into_iter().chain((0..whole).map(|_| 1)) {
            let mut walk = self.app.world_mut().resource_mut::<Walk>();
            (walk.on, walk.walking, walk.steps) = (true, true, steps);
            self.update();
        }
        // Where the last event has not been played to its end.
        let rest = events.max(0.0).fract();
        self.app.world_mut().resource_mut::<Playing>().t = if rest > 0.0 { rest } else { 1.0 };
        self.update();
    }

    /// Whether training goes on with each update from now on.
    pub fn advance(&mut self, on: bool) {
        let world = self.app.world_mut();
        world.resource_mut::<FrameGate>().0 = on;
        let state = world.resource::<Training>().snapshot.state;
        // In a race the run on the screen takes no part, and event by event it goes
        // at a pace of its own.
        let busy = world.resource::<ArenaView>().racing || world.resource::<Walk>().on;
        if on && !busy && matches!(state, RunState::Idle | RunState::Paused) {
            world.write_message(Command(TrainCommand::Start));
        }
    }

    /// Shows the recorded point that frame `index` of `frames` has to show.
    pub(super) fn show_moment(&mut self, index: usize, frames: usize) {
        let world = self.app.world_mut();
        let points = world.resource::<Training>().path.points();
        let (Some(first), Some(last)) = (points.first(), points.last()) else {
            return;
        };
        let share = index as f64 / frames.saturating_sub(1).max(1) as f64;
        let step = first.step + (share * (last.step - first.step) as f64).round() as u64;
        world.write_message(ReplayWish::Show {
            step,
            playing: index + 1 < frames,
        });
    }

    /// Turns all cameras about the vertical.
    pub fn turn(&mut self, degrees: f32) {
        let world = self.app.world_mut();
        let mut cameras = world.query::<&mut PanOrbitCamera>();
        for mut orbit in cameras.iter_mut(world) {
            orbit.target_yaw += degrees.to_radians();
            orbit.force_update = true;
        }
    }

    /// One frame.
    pub fn update(&mut self) {
        self.app.update();
        if let Some(device) = self.app.world().get_resource::<RenderDevice>() {
            // A lost device is reported by the error handler on the next update.
            let _ = device
                .wgpu_device()
                .poll(wgpu::PollType::wait_indefinitely());
        }
    }

    /// Asks for a picture of the next update.
    pub fn shoot(&mut self) {
        let sender = self.frames.0.clone();
        self.app
            .world_mut()
            .spawn(Screenshot(RenderTarget::Image(self.target.clone())))
            .observe(move |captured: On<ScreenshotCaptured>| {
                // Full only if nobody takes frames, and then they are not wanted.
                let _ = sender.try_send(captured.image.clone());
            });
    }

    /// The next picture that has come back.
    pub fn take(&mut self) -> Option<Result<Frame, CaptureError>> {
        let image = self.frames.1.try_recv().ok()?;
        let size = image.size();
        let rgba = image.data.unwrap_or_default();
        let frame = Frame {
            width: size.x,
            height: size.y,
            rgba,
        };
        if frame.rgba.len() != (size.x * size.y * 4) as usize {
            return Some(Err(CaptureError::NoFrame(0)));
        }
        Some(Ok(if self.factor == 2 {
            frame.halved()
        } else {
            frame
        }))
    }

    /// A picture of the scene as it is, training at rest.
    pub fn picture(&mut self) -> Result<Frame, CaptureError> {
        self.advance(false);
        self.shoot();
        for _ in 0..PATIENCE {
            self.update();
            if let Some(frame) = self.take() {
                return frame;
            }
        }
        Err(CaptureError::NoFrame(PATIENCE))
    }
}

/// Errors and warnings of ours; of the graphics stack only errors.
pub(in crate::app) const LOG_FILTER: &str = "error,gradscape=warn";

pub(in crate::app) fn target_image(width: u32, height: u32) -> BevyImage {
    let mut image = BevyImage::new_fill(
        Extent3d {
            width,
            height,
            depth_or_array_layers: 1,
        },
        TextureDimension::D2,
        &[0, 0, 0, 255],
        TextureFormat::Rgba8UnormSrgb,
        RenderAssetUsages::default(),
    );
    image.texture_descriptor.usage |= TextureUsages::RENDER_ATTACHMENT;
    image
}
