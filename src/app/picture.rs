//! A picture of the scene as the window shows it, in any size up to 8K.
//!
//! For a few frames the cameras draw into an image instead of the window, without the
//! panels; so whatever is on the screen, an event that is walked through or a pinned
//! surface, is in the picture. The window shows its last frame for so long.

use super::camera::CameraSettings;
use super::capture::{Frame, target_image};
use super::labels::ViewCamera;
use super::plugins::GradscapeSystems;
use super::state::{SceneView, ViewRect};
use super::text::Texts;
use super::training::{Notice, Notices};
use crate::figure::Pixels;
use bevy::camera::{ImageRenderTarget, RenderTarget};
use bevy::prelude::*;
use bevy::render::renderer::{RenderAdapterInfo, RenderDevice};
use bevy::render::view::screenshot::{Screenshot, ScreenshotCaptured};
use bevy::window::RequestRedraw;
use bevy_panorbit_camera::PanOrbitCamera;
use crossbeam_channel::{Receiver, TryRecvError, bounded};
use std::path::{Path, PathBuf};

pub(super) fn plugin(app: &mut App) {
    app.init_resource::<Picturing>()
        .add_message::<PictureWish>()
        .add_systems(Update, take_picture.in_set(GradscapeSystems::Receive));
}

/// A wish for a picture.
#[derive(Message, Debug, Clone, PartialEq, Eq)]
pub struct PictureWish {
    /// The file, a `.png`.
    pub path: PathBuf,
    /// The scene alone in so many pixels; `None` is the window with its panels.
    pub size: Option<(u32, u32)>,
}

/// The longest side of a picture, in pixels.
pub const LONGEST: u32 = 8192;
/// Frames in which labels and viewports find their places before the picture.
const SETTLE: usize = 4;
/// Frames after which the window's views have their shapes again.
const RETURN: usize = 3;
/// Frames in which it has to come back.
const PATIENCE: usize = 120;
/// Points that a picture of the scene is high: its labels are as large a share of it
/// as of a small window.
const HEIGHT: f32 = 720.0;
/// Up to this side a picture that no hardware smooths is drawn twice as wide and high.
const SMOOTHED: u32 = 4096;

/// The picture that is being taken.
#[derive(Resource, Default)]
pub struct Picturing {
    work: Option<Work>,
    /// Frames until the cameras know their old target again.
    returning: usize,
    /// Files that threads are writing.
    writing: Vec<Receiver<Result<PathBuf, String>>>,
}

impl Picturing {
    /// Whether the scene is drawn into an image now, and not into the window.
    pub(super) fn is_drawing(&self) -> bool {
        self.work.as_ref().is_some_and(|work| work.away.is_some())
    }

    /// Whether there is none to wait for.
    pub fn is_done(&self) -> bool {
        self.work.is_none() && self.writing.is_empty()
    }
}

/// A condition of what frames the scene anew when a view's shape changes: that of a
/// picture is for a moment.
pub(super) fn shapes_last(picturing: Res<Picturing>) -> bool {
    !picturing.is_drawing() && picturing.returning == 0
}

/// A condition of systems that are of the window alone.
pub(in crate::app) fn not_picturing(picturing: Res<Picturing>) -> bool {
    !picturing.is_drawing()
}

struct Work {
    path: PathBuf,
    frames: usize,
    /// Whether the picture comes twice as wide and high as it shall be.
    twice: bool,
    picture: Option<Receiver<Image>>,
    /// Where the cameras were, while they draw into an image.
    away: Option<Away>,
}

/// What has to be put back.
struct Away {
    target: ImageRenderTarget,
    before: RenderTarget,
    radii: Vec<(SceneView, f32)>,
    free: ViewRect,
}

type Cameras<'w, 's> = Query<
    'w,
    's,
    (
        &'static mut RenderTarget,
        &'static mut Projection,
        Option<&'static ViewCamera>,
        Option<&'static mut PanOrbitCamera>,
    ),
>;

fn take_picture(
    mut wishes: MessageReader<PictureWish>,
    mut picturing: ResMut<Picturing>,
    mut cameras: Cameras,
    mut commands: Commands,
    mut images: ResMut<Assets<Image>>,
    mut view_rect: ResMut<ViewRect>,
    mut notices: ResMut<Notices>,
    mut redraw: MessageWriter<RequestRedraw>,
    settings: Res<CameraSettings>,
    device: Option<Res<RenderDevice>>,
    adapter: Option<Res<RenderAdapterInfo>>,
    texts: Res<Texts>,
) {
    let Picturing {
        work,
        returning,
        writing,
    } = &mut *picturing;
    *returning = returning.saturating_sub(1);
    report(writing, &mut notices, &texts);
    for wish in wishes.read() {
        // A picture is taken in a few frames: one at a time is enough.
        if work.is_some() {
            continue;
        }
        let software = adapter
            .as_ref()
            .is_some_and(|a| a.device_type == wgpu::DeviceType::Cpu);
        let most = device
            .as_ref()
            .map_or(LONGEST, |d| d.limits().max_texture_dimension_2d);
        match begin(wish, software, most) {
            Err(most) => notices.0.push(Notice {
                message: texts.with("picture.too_large", &[("most", &most)]),
                error: true,
            }),
            Ok(mut begun) => {
                if let Some((width, height)) = wish.size {
                    let factor = if begun.twice { 2 } else { 1 };
                    let target = ImageRenderTarget {
                        handle: images.add(target_image(width * factor, height * factor)),
                        scale_factor: factor as f32 * (height as f32 / HEIGHT).max(0.5),
                    };
                    let before = match &settings.image {
                        Some(image) => RenderTarget::Image(image.clone()),
                        None => RenderTarget::Window(bevy::window::WindowRef::Primary),
                    };
                    let aspect = width as f32 / height as f32;
                    let radii = send_away(&mut cameras, &target, aspect, view_rect.0);
                    begun.away = Some(Away {
                        target,
                        before,
                        radii,
                        free: std::mem::take(&mut *view_rect),
                    });
                }
                *work = Some(begun);
            }
        }
    }
    if writing.is_empty() && work.is_none() && *returning == 0 {
        return;
    }
    redraw.write(RequestRedraw);
    let Some(begun) = work else {
        return;
    };
    begun.frames += 1;
    if begun.frames == SETTLE {
        let target = match &begun.away {
            Some(away) => RenderTarget::Image(away.target.clone()),
            None => match &settings.image {
                Some(image) => RenderTarget::Image(image.clone()),
                None => RenderTarget::Window(bevy::window::WindowRef::Primary),
            },
        };
        let (sender, receiver) = bounded(1);
        begun.picture = Some(receiver);
        commands
            .spawn(Screenshot(target))
            .observe(move |captured: On<ScreenshotCaptured>| {
                // Nobody waits for it any more when it came too late.
                let _ = sender.try_send(captured.image.clone());
            });
    }
    let image = begun.picture.as_ref().and_then(|p| p.try_recv().ok());
    let late = begun.frames > PATIENCE;
    if image.is_none() && !late {
        return;
    }
    if let Some(done) = work.take() {
        if let Some(away) = done.away {
            put_back(&mut cameras, &away);
            *view_rect = away.free;
            *returning = RETURN;
        }
        match image {
            Some(image) => writing.push(write(image, done.twice, done.path)),
            None => notices.0.push(Notice {
                message: texts.get("picture.none").to_owned(),
                error: true,
            }),
        }
    }
}

/// The work that a wish asks for, or the longest side that there can be.
fn begin(wish: &PictureWish, software: bool, most: u32) -> Result<Work, u32> {
    let most = most.min(LONGEST);
    let longest = wish.size.map_or(0, |(w, h)| w.max(h));
    if longest > most {
        return Err(most);
    }
    Ok(Work {
        path: wish.path.clone(),
        frames: 0,
        twice: software && wish.size.is_some() && longest <= SMOOTHED && 2 * longest <= most,
        picture: None,
        away: None,
    })
}

/// Has all cameras draw into the image; how far each stood from what it looks at.
fn send_away(
    cameras: &mut Cameras,
    target: &ImageRenderTarget,
    aspect: f32,
    free: Option<Rect>,
) -> Vec<(SceneView, f32)> {
    let mut radii = Vec::new();
    for (mut its, mut projection, view, orbit) in cameras {
        *its = RenderTarget::Image(target.clone());
        // The engine looks at a camera's target again when its projection changes.
        projection.set_changed();
        if let (Some(view), Some(mut orbit)) = (view, orbit) {
            radii.push((view.0, orbit.target_radius));
            // As much has to fit from side to side as did.
            let before = free.map_or(aspect, |free| free.width() / free.height().max(1.0));
            if before > aspect {
                orbit.target_radius *= before / aspect;
                orbit.force_update = true;
            }
        }
    }
    radii
}

fn put_back(cameras: &mut Cameras, away: &Away) {
    for (mut its, mut projection, view, orbit) in cameras {
        *its = away.before.clone();
        projection.set_changed();
        let stood = view.and_then(|view| away.radii.iter().find(|(of, _)| *of == view.0));
        if let (Some((_, radius)), Some(mut orbit)) = (stood, orbit) {
            orbit.target_radius = *radius;
            orbit.force_update = true;
        }
    }
}

/// Writes a picture on a thread of its own: the largest take seconds.
fn write(image: Image, twice: bool, path: PathBuf) -> Receiver<Result<PathBuf, String>> {
    let (sender, receiver) = bounded(1);
    let job = move || {
        let written = encode(image, twice, &path);
        // The window may be gone.
        let _ = sender.send(written.map(|()| path));
    };
    let spawned = std::thread::Builder::new()
        .name("picture".into())
        .spawn(job);
    match spawned {
        Ok(_) => receiver,
        Err(error) => {
            let (sender, receiver) = bounded(1);
            let _ = sender.send(Err(error.to_string()));
            receiver
        }
    }
}

fn encode(image: Image, twice: bool, path: &Path) -> Result<(), String> {
    let dynamic = image
        .try_into_dynamic()
        .map_err(|error| error.to_string())?;
    let rgba = dynamic.to_rgba8();
    let frame = Frame {
        width: rgba.width(),
        height: rgba.height(),
        rgba: rgba.into_raw(),
    };
    let frame = if twice { frame.halved() } else { frame };
    let pixels = Pixels {
        width: frame.width,
        height: frame.height,
        rgba: frame.rgba,
    };
    let bytes = pixels.png().map_err(|error| error.to_string())?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    }
    crate::files::replace(path, &bytes).map_err(|error| error.to_string())
}

/// Says what has been written.
fn report(
    writing: &mut Vec<Receiver<Result<PathBuf, String>>>,
    notices: &mut Notices,
    texts: &Texts,
) {
    writing.retain(|one| {
        let (message, error) = match one.try_recv() {
            Err(TryRecvError::Empty) => return true,
            Ok(Ok(path)) => {
                let shown = path.display();
                (texts.with("picture.written", &[("path", &shown)]), false)
            }
            Ok(Err(reason)) => (texts.with("picture.failed", &[("reason", &reason)]), true),
            Err(TryRecvError::Disconnected) => (texts.get("picture.none").to_owned(), true),
        };
        notices.0.push(Notice { message, error });
        false
    });
}
