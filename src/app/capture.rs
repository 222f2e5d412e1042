//! Frames without a window: the same scene, drawn into an image, a fixed
//! number of training steps a frame, so that a capture is the same every time.

use super::arena::{ArenaView, PinCommand, RaceCommand};
use super::blocks::Blocks;
use super::camera::CameraSettings;
use super::graphics::{self, GraphicsError};
use super::lecture::{self, Lecture};
use super::micro::{Playing, Walk};
use super::plugins::GradscapePlugins;
use super::replay::ReplayWish;
use super::rivals::RivalWish;
use super::state::{CameraRequest, Item, NetworkView, Selection, SurfaceView, ViewMode};
use super::text::{Language, Texts};
use super::theme::Theme;
use super::training::{Command, Drive, FirstSession, FrameGate, Training};
use super::ui::{FirstTab, Tab, UiPlugin, inside_is_busy};
use crate::experiment::Experiment;
use crate::insight::outline::Foreign;
use crate::lesson::Lesson;
use crate::train::{Problem, Resumption, RunState, Session, TrainCommand};
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

/// What to draw.
#[derive(Debug, Clone)]
pub struct Shot {
    /// Network and data.
    pub problem: Arc<Problem>,
    /// Weights to begin with; `None` is the experiment's own start.
    pub params: Option<Arc<[f32]>>,
    /// Network, surface, or both.
    pub view: ViewMode,
    /// Width and height of a frame, in pixels.
    pub size: (u32, u32),
    /// How many frames.
    pub frames: usize,
    /// What passes for the scene from one frame to the next.
    pub frame_time: Duration,
    /// A run that has been made, with its path: it is at its end before those epochs.
    pub past: Option<Arc<Resumption>>,
    /// Frames go through the path from its first point to its last, evenly by steps,
    /// instead of training on.
    pub replay: bool,
    /// Epochs trained before the first frame.
    pub epochs: usize,
    /// Training steps from one frame to the next.
    pub steps: usize,
    /// Degrees that the cameras turn from the first frame to the last.
    pub orbit: f32,
    /// Colours.
    pub theme: Theme,
    /// Language.
    pub language: Language,
    /// Size of text and panels, from 1 to 8.
    pub scale: f32,
    /// Whether the panels are drawn.
    pub panels: bool,
    /// Whether each pixel is the mean of four.
    pub smooth: bool,
    /// How the network is shown.
    pub network: NetworkView,
    /// How the surface is shown.
    pub surface: SurfaceView,
    /// Which surface, and who races on it.
    pub arena: ArenaView,
    /// Steps of the race before the first frame.
    pub race_at: u64,
    /// Pin the surface after so many epochs beside the one after all.
    pub beside: Option<usize>,
    /// Put these networks beside it.
    pub rivals: Vec<Experiment>,
    /// With this tab of the panel of the inside; the panels are then drawn, too.
    pub inside: Option<Tab>,
    /// How far into the next step's events, half of one being half-way through it;
    /// several frames go on in slow motion.
    pub events: Option<f32>,
}

/// A frame, sRGB, four bytes a pixel, row by row from the top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Pixels from left to right.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
    /// `width * height * 4` bytes.
    pub rgba: Vec<u8>,
}

/// Why no frames came.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// There is nothing to draw with.
    #[error(transparent)]
    Graphics(#[from] GraphicsError),
    /// More than the adapter can draw.
    #[error("{0} x {1} pixels cannot be drawn; give 16 to 8192 a side")]
    Size(u32, u32),
    /// There is nothing to look for.
    #[error(
        "{0}: only a large network and another program's model are shown in blocks that are looked through by name"
    )]
    NotInBlocks(String),
    /// Nothing is called so.
    #[error("{0}: no layer, node, block or tensor is called so or is of this kind")]
    NotFound(String),
    /// The renderer gave nothing back.
    #[error("the renderer gave no frame back after {0} updates; update the Vulkan driver")]
    NoFrame(usize),
    /// Whoever wanted the frames gave up.
    #[error("{0}")]
    Sink(String),
}

/// Updates to wait for pipelines and panels to settle before the first frame.
const SETTLE: usize = 8;
/// How long at most what the inside shows is waited for.
const LOOKING: Duration = Duration::from_secs(60);
/// Updates to wait for a frame that was drawn.
const PATIENCE: usize = 60;

/// Draws the frames in order, giving each to `sink` as it is done; an error
/// from the sink stops the work.
pub fn capture(
    shot: &Shot,
    sink: impl FnMut(usize, Frame) -> Result<(), String>,
) -> Result<(), CaptureError> {
    capture_selected(shot, None, sink)
}

/// The same with something selected, as by a click.
pub fn capture_selected(
    shot: &Shot,
    selected: Option<Item>,
    sink: impl FnMut(usize, Frame) -> Result<(), String>,
) -> Result<(), CaptureError> {
    let sight = Sight {
        selected,
        ..Sight::default()
    };
    capture_sight(shot, &sight, sink)
}

/// What is looked at of what is shown.
#[derive(Debug, Clone, Default)]
pub struct Sight {
    /// This is selected, as by a click.
    pub selected: Option<Item>,
    /// Another program's model stands in place of the network.
    pub model: Option<Arc<Foreign>>,
    /// Of what is shown in blocks all that there is room for is open.
    pub open_all: bool,
    /// The first thing that is found under this name or kind is shown.
    pub find: Option<String>,
}

/// The same with more than that.
pub fn capture_sight(
    shot: &Shot,
    sight: &Sight,
    mut sink: impl FnMut(usize, Frame) -> Result<(), String>,
) -> Result<(), CaptureError> {
    let mut studio = Studio::new(shot)?;
    studio.look_at(sight)?;
    let (mut taken, mut waited) = (0, 0);
    for index in 0..shot.frames {
        studio.advance(index > 0 && !shot.replay);
        if shot.replay {
            studio.show_moment(index, shot.frames);
        }
        if index > 0 {
            studio.turn(shot.orbit / (shot.frames - 1).max(1) as f32);
        }
        studio.shoot();
        studio.update();
        while let Some(frame) = studio.take() {
            sink(taken, frame?).map_err(CaptureError::Sink)?;
            taken += 1;
        }
    }
    studio.advance(false);
    while taken < shot.frames {
        studio.update();
        while let Some(frame) = studio.take() {
            sink(taken, frame?).map_err(CaptureError::Sink)?;
            taken += 1;
        }
        waited += 1;
        if waited > PATIENCE {
            return Err(CaptureError::NoFrame(waited));
        }
    }
    Ok(())
}

/// Draws each scene of a lesson as it is when it has been brought about, giving it
/// to `sink` with its number from 0. `shot` says how large, in which theme and
/// language.
pub fn capture_lesson(
    shot: &Shot,
    lesson: &Arc<Lesson>,
    mut sink: impl FnMut(usize, Frame) -> Result<(), String>,
) -> Result<(), CaptureError> {
    let mut studio = Studio::new(shot)?;
    studio.app.insert_resource(Lecture {
        lesson: Some(Arc::clone(lesson)),
        ..Lecture::default()
    });
    studio.advance(false);
    for scene in 0..lesson.scenes.len() {
        studio.app.world_mut().resource_mut::<Lecture>().scene = scene;
        // Loading takes one update, each group of events another.
        for _ in 0..PATIENCE {
            studio.update();
            if lecture::is_settled(studio.app.world().resource()) {
                break;
            }
        }
        for _ in 0..SETTLE {
            studio.update();
        }
        let frame = studio.picture()?;
        sink(scene, frame).map_err(CaptureError::Sink)?;
    }
    Ok(())
}

/// How long frames took, in seconds, without reading them back, with something selected
/// where that is wanted: for `cargo bench --bench frames`.
pub fn bench(shot: &Shot, frames: usize, selected: Option<Item>) -> Result<Vec<f64>, CaptureError> {
    let mut studio = Studio::new(shot)?;
    studio.app.world_mut().resource_mut::<Selection>().selected = selected;
    studio.settle();
    studio.advance(true);
    let mut seconds = Vec::with_capacity(frames);
    for _ in 0..frames {
        let begun = Instant::now();
        studio.update();
        seconds.push(begun.elapsed().as_secs_f64());
    }
    Ok(seconds)
}

/// How long the first frame took, and each of the following while the camera turns, in
/// seconds, of a network or a model that is looked at so: for `cargo bench --bench frames`.
pub fn bench_orbit(
    shot: &Shot,
    sight: &Sight,
    frames: usize,
) -> Result<(f64, Vec<f64>), CaptureError> {
    let begun = Instant::now();
    let mut studio = Studio::new(shot)?;
    studio.update();
    let first = begun.elapsed().as_secs_f64();
    studio.look_at(sight)?;
    let mut seconds = Vec::with_capacity(frames);
    for _ in 0..frames {
        studio.turn(360.0 / frames as f32);
        let begun = Instant::now();
        studio.update();
        seconds.push(begun.elapsed().as_secs_f64());
    }
    Ok((first, seconds))
}

/// Whether an app of this process has set the log up.
static LOGS: AtomicBool = AtomicBool::new(false);

/// A running app without a window.
pub struct Studio {
    app: App,
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
        let drive = Drive::Frame {
            steps: shot.steps,
            epochs_before: shot.beside.unwrap_or(shot.epochs).min(shot.epochs),
        };
        Studio::driven(shot, drive)
    }

    /// The same with another way to train: on a thread, in real time, as in a window.
    pub fn driven(shot: &Shot, drive: Drive) -> Result<Self, CaptureError> {
        let (width, height) = shot.size;
        let fits = |side: u32| (16..=8192).contains(&side);
        if !(fits(width) && fits(height)) {
            return Err(CaptureError::Size(width, height));
        }
        graphics::find_adapter()?;
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
        if let Some(place) = &shot.past {
            let session = Session::resume(Arc::clone(&shot.problem), (**place).clone());
            app.insert_resource(FirstSession(session));
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
        if let Some(params) = &shot.params {
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
    fn show_moment(&mut self, index: usize, frames: usize) {
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
pub(super) const LOG_FILTER: &str = "error,gradscape=warn";

pub(super) fn target_image(width: u32, height: u32) -> BevyImage {
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

impl Frame {
    /// Half as wide and high: each pixel the mean of four, in linear light.
    pub(super) fn halved(&self) -> Frame {
        let (width, height) = (self.width / 2, self.height / 2);
        let to_linear: Vec<f32> = (0..256)
            .map(|v| Color::srgb_u8(v as u8, 0, 0).to_linear().red)
            .collect();
        let row = self.width as usize * 4;
        let mut rgba = Vec::with_capacity((width * height * 4) as usize);
        for y in 0..height as usize {
            for x in 0..width as usize {
                let first = 2 * y * row + 8 * x;
                for channel in 0..3 {
                    let sum: f32 = [0, 4, row, row + 4]
                        .iter()
                        .map(|offset| to_linear[self.rgba[first + offset + channel] as usize])
                        .sum();
                    let srgb = Srgba::from(LinearRgba::rgb(0.25 * sum, 0.0, 0.0)).red;
                    rgba.push((srgb * 255.0).round() as u8);
                }
                rgba.push(255);
            }
        }
        Frame {
            width,
            height,
            rgba,
        }
    }

    /// The colour at a place, from the left and the top.
    pub fn pixel(&self, x: u32, y: u32) -> [u8; 3] {
        let at = ((y * self.width + x) * 4) as usize;
        [self.rgba[at], self.rgba[at + 1], self.rgba[at + 2]]
    }
}

#[cfg(test)]
mod tests {
    use super::Frame;

    #[test]
    fn halving_keeps_flat_colours_and_mixes_light() {
        let flat = Frame {
            width: 2,
            height: 2,
            rgba: [10, 128, 250, 255].repeat(4),
        };
        assert_eq!(flat.halved().rgba, vec![10, 128, 250, 255]);
        let mut rgba = [0, 0, 0, 255].repeat(2);
        rgba.extend([255, 255, 255, 255].repeat(2));
        let mixed = Frame {
            width: 2,
            height: 2,
            rgba,
        }
        .halved();
        // Half the light is sRGB 188, not 128.
        assert_eq!(mixed.pixel(0, 0), [188, 188, 188]);
    }
}
