//! The cameras: one for each view, and one for the panels over them; where on
//! the target each draws, and what it frames.
//!
//! The mouse moves a view's camera only while the pointer is over that view and
//! no panel wants it; a drag keeps the camera with which it began.

mod linked;

use super::arena::Pinned;
use super::framing;
use super::labels::ViewCamera;
use super::picture::shapes_last;
use super::plugins::GradscapeSystems;
use super::scene::RivalScene;
use super::state::{
    CameraRequest, HoldView, NetworkBounds, PINNED_OFFSET, SURFACE_MAX, SURFACE_MIN, SceneView,
    SurfaceRoot, ViewMode, ViewRect,
};
use super::surface_hand::Drag;
use super::theme::{Theme, color};
use super::viewport::view_part;
use bevy::camera::visibility::RenderLayers;
use bevy::camera::{CameraOutputMode, ImageRenderTarget, RenderTarget, Viewport};
use bevy::core_pipeline::tonemapping::Tonemapping;
use bevy::prelude::*;
use bevy::render::render_resource::BlendState;
use bevy::render::renderer::RenderAdapterInfo;
use bevy::render::view::NoIndirectDrawing;
use bevy::window::{PrimaryWindow, RequestRedraw, WindowRef};
use bevy_egui::{EguiContexts, EguiGlobalSettings, PrimaryEguiContext};
use bevy_panorbit_camera::{PanOrbitCamera, PanOrbitCameraPlugin, PanOrbitCameraSystemSet};
use linked::{boxes, link_networks};

pub(super) fn plugin(app: &mut App) {
    app.add_plugins(PanOrbitCameraPlugin)
        .init_resource::<CameraSettings>()
        .add_systems(PreStartup, own_the_egui_context)
        .add_systems(Startup, spawn_cameras)
        .add_systems(
            Update,
            (
                divide_target,
                place_surface,
                frame_what_changed.run_if(shapes_last),
                obey_requests,
                clear_once,
            )
                .chain()
                .in_set(GradscapeSystems::Render),
        )
        .add_systems(
            PostUpdate,
            (
                (guard_pointer, redraw_while_moving)
                    .chain()
                    .before(PanOrbitCameraSystemSet),
                link_networks.after(PanOrbitCameraSystemSet),
            ),
        );
}

/// How the cameras are made; insert it before the plugins to choose otherwise.
#[derive(Resource, Debug, Clone, Default)]
pub struct CameraSettings {
    /// Draw into this image; `None` is the primary window.
    pub image: Option<ImageRenderTarget>,
    /// Move at once instead of gliding, so that frames are reproducible.
    pub still: bool,
}

/// The standard direction, in radians.
const NETWORK_POSE: (f32, f32) = (-0.42, 0.16);
const SURFACE_POSE: (f32, f32) = (-0.5, 0.5);
/// The same for two surfaces side by side, which shall look equally large.
const PAIR_POSE: (f32, f32) = (-0.16, 0.46);
/// Vertical angle of view, in radians.
pub(super) const FIELD_OF_VIEW: f32 = 0.62;

fn own_the_egui_context(mut settings: ResMut<EguiGlobalSettings>) {
    settings.auto_create_primary_context = false;
}

fn spawn_cameras(
    mut commands: Commands,
    settings: Res<CameraSettings>,
    adapter: Option<Res<RenderAdapterInfo>>,
    theme: Res<Theme>,
) {
    let target = match &settings.image {
        Some(image) => RenderTarget::Image(image.clone()),
        None => RenderTarget::Window(WindowRef::Primary),
    };
    // On a software renderer every sample costs as much as a pixel.
    let software = adapter.is_some_and(|a| a.device_type == wgpu::DeviceType::Cpu);
    let msaa = if software { Msaa::Off } else { Msaa::Sample4 };
    for (order, view) in SceneView::all().enumerate() {
        let (yaw, pitch) = pose(view);
        let smoothness = |value: f32| if settings.still { 0.0 } else { value };
        commands.spawn((
            ViewCamera(view),
            Camera3d::default(),
            Camera {
                order: order as isize,
                clear_color: if order == 0 {
                    ClearColorConfig::Custom(color(theme.palette().background))
                } else {
                    ClearColorConfig::None
                },
                ..default()
            },
            Projection::Perspective(PerspectiveProjection {
                fov: FIELD_OF_VIEW,
                ..default()
            }),
            target.clone(),
            (RenderLayers::layer(view.layer()), NoIndirectDrawing),
            Tonemapping::None,
            msaa,
            PanOrbitCamera {
                yaw: Some(yaw),
                pitch: Some(pitch),
                radius: Some(20.0),
                orbit_smoothness: smoothness(0.1),
                pan_smoothness: smoothness(0.05),
                zoom_smoothness: smoothness(0.1),
                pitch_upper_limit: Some(1.55),
                pitch_lower_limit: Some(-1.55),
                zoom_lower_limit: 0.3,
                trackpad_pinch_to_zoom_enabled: true,
                ..default()
            },
            Unframed,
        ));
    }
    commands.spawn((
        PrimaryEguiContext,
        Camera2d,
        // Laid over the views: its own texture starts transparent, and egui's
        // colours in it are multiplied by their alpha already.
        Camera {
            order: 10,
            output_mode: CameraOutputMode::Write {
                blend_state: Some(BlendState::PREMULTIPLIED_ALPHA_BLENDING),
                clear_color: ClearColorConfig::None,
            },
            clear_color: ClearColorConfig::Custom(Color::NONE),
            ..default()
        },
        target,
        RenderLayers::none(),
        Tonemapping::None,
        msaa,
    ));
}

fn pose(view: SceneView) -> (f32, f32) {
    match view {
        SceneView::Network | SceneView::Beside(_) => NETWORK_POSE,
        SceneView::Surface => SURFACE_POSE,
    }
}

/// This camera has to look at everything from its standard direction.
#[derive(Component)]
struct Unframed;

/// Gives each view's camera its part of what the panels leave.
fn divide_target(
    mode: Res<State<ViewMode>>,
    rect: Res<ViewRect>,
    scene: Res<RivalScene>,
    mut cameras: Query<(&ViewCamera, &mut Camera, &mut RenderLayers)>,
) {
    for (ViewCamera(view), mut camera, mut layers) in &mut cameras {
        let Some(size) = camera.physical_target_size() else {
            continue;
        };
        let part = view_part(*mode.get(), *view, rect.0, scene.0.len(), size);
        let active = part.is_some();
        if camera.is_active != active {
            camera.is_active = active;
        }
        // Of a camera that is not active the orbiting asks only whether the pointer is in
        // its viewport: there must be no room for one.
        let (position, extent) = part.unwrap_or((UVec2::ZERO, UVec2::ONE));
        let same = camera
            .viewport
            .as_ref()
            .is_some_and(|v| v.physical_position == position && v.physical_size == extent);
        if !same {
            camera.viewport = Some(Viewport {
                physical_position: position,
                physical_size: extent,
                ..default()
            });
        }
        let both = *mode.get() == ViewMode::Together;
        let wanted = if both && *view == SceneView::Network {
            RenderLayers::from_layers(&[SceneView::Network.layer(), SceneView::Surface.layer()])
        } else {
            RenderLayers::layer(view.layer())
        };
        if *layers != wanted {
            *layers = wanted;
        }
    }
}

/// Alone, the surface stands at the origin; sharing a scene, before the network
/// and below it.
fn place_surface(
    mode: Res<State<ViewMode>>,
    bounds: Res<NetworkBounds>,
    mut roots: Query<&mut Transform, With<SurfaceRoot>>,
) {
    let wanted = if *mode.get() == ViewMode::Together {
        together_place(&bounds)
    } else {
        Transform::IDENTITY
    };
    for mut transform in &mut roots {
        if *transform != wanted {
            *transform = wanted;
        }
    }
}

fn together_place(bounds: &NetworkBounds) -> Transform {
    let size = bounds.max - bounds.min;
    let scale = (size.x.max(size.z) / (SURFACE_MAX.x - SURFACE_MIN.x)).clamp(0.4, 3.0);
    let middle = 0.5 * (bounds.min + bounds.max);
    let below = bounds.min.y - scale * (SURFACE_MAX.y + 0.8);
    Transform::from_xyz(middle.x, below, middle.z).with_scale(Vec3::splat(scale))
}

/// The corners of what a camera shows in `mode`.
fn shown_box(
    mode: ViewMode,
    view: SceneView,
    networks: &[NetworkBounds],
    two: bool,
) -> Option<(Vec3, Vec3)> {
    let bounds = networks.first()?;
    // A pinned surface stands to the left, its title above.
    let beside = if two { PINNED_OFFSET } else { Vec3::ZERO };
    let above = if two { Vec3::Y } else { Vec3::ZERO };
    let shown = match (mode, view) {
        (_, SceneView::Beside(rival)) => {
            let bounds = networks.get(rival + 1)?;
            (bounds.min, bounds.max)
        }
        (ViewMode::Together, _) => {
            let place = together_place(bounds);
            let low = place.transform_point(SURFACE_MIN + beside);
            let high = place.transform_point(SURFACE_MAX);
            (bounds.min.min(low), bounds.max.max(high))
        }
        (_, SceneView::Network) => (bounds.min, bounds.max),
        // Room for the numbers along the edges.
        (_, SceneView::Surface) => (
            SURFACE_MIN + beside - Vec3::new(0.3, 0.0, 0.3),
            SURFACE_MAX + above + Vec3::new(0.3, 0.0, 0.3),
        ),
    };
    Some(shown)
}

/// Frames everything anew when the network's extent, the mode or a viewport's
/// shape changes; a user's own point of view is otherwise left alone.
fn frame_what_changed(
    mode: Res<State<ViewMode>>,
    (bounds, scene): (Res<NetworkBounds>, Res<RivalScene>),
    mut hold: ResMut<HoldView>,
    pinned: Res<Pinned>,
    mut commands: Commands,
    mut had_two: Local<bool>,
    mut cameras: Query<(
        Entity,
        &ViewCamera,
        &Camera,
        &mut PanOrbitCamera,
        Option<&Unframed>,
    )>,
    mut aspects: Local<[f32; SceneView::COUNT]>,
    mut stood: Local<Vec<NetworkBounds>>,
) {
    let two = pinned.kept.is_some();
    let paired = two != *had_two;
    let networks = boxes(&bounds, &scene);
    let moved = *stood != networks;
    let held = moved && std::mem::take(&mut hold.bypass_change_detection().0);
    let changed = mode.is_changed() || (moved && !held) || paired;
    *had_two = two;
    for (entity, ViewCamera(view), camera, mut orbit, unframed) in &mut cameras {
        let Some(aspect) = aspect(camera).filter(|_| camera.is_active) else {
            continue;
        };
        let last = &mut aspects[view.layer()];
        let reshaped = (aspect / *last - 1.0).abs() > 0.15;
        if !(changed || reshaped || unframed.is_some()) {
            continue;
        }
        *last = aspect;
        if unframed.is_some() {
            (orbit.target_yaw, orbit.target_pitch) = pose(*view);
            commands.entity(entity).remove::<Unframed>();
        }
        if paired && *view == SceneView::Surface {
            let angles = if two { PAIR_POSE } else { pose(*view) };
            (orbit.target_yaw, orbit.target_pitch) = angles;
        }
        if let Some(shown) = shown_box(*mode.get(), *view, &networks, two) {
            frame(&mut orbit, shown, aspect);
        }
    }
    *stood = networks;
}

pub(super) fn aspect(camera: &Camera) -> Option<f32> {
    let size = camera.physical_viewport_size()?.as_vec2();
    (size.x > 0.0 && size.y > 0.0).then(|| size.x / size.y)
}

fn frame(orbit: &mut PanOrbitCamera, (low, high): (Vec3, Vec3), aspect: f32) {
    let (focus, radius) = framing::fit(
        low,
        high,
        orbit.target_yaw,
        orbit.target_pitch,
        FIELD_OF_VIEW,
        aspect,
    );
    orbit.target_focus = focus;
    orbit.target_radius = radius;
    orbit.force_update = true;
}

fn obey_requests(
    mut requests: MessageReader<CameraRequest>,
    mode: Res<State<ViewMode>>,
    (bounds, scene): (Res<NetworkBounds>, Res<RivalScene>),
    pinned: Res<Pinned>,
    mut cameras: Query<(&ViewCamera, &Camera, &mut PanOrbitCamera)>,
) {
    let two = pinned.kept.is_some();
    let networks = boxes(&bounds, &scene);
    for request in requests.read() {
        for (ViewCamera(view), camera, mut orbit) in &mut cameras {
            let Some(aspect) = aspect(camera).filter(|_| camera.is_active) else {
                continue;
            };
            let standard = match view {
                SceneView::Surface if two => PAIR_POSE,
                view => pose(*view),
            };
            let angles = match *request {
                CameraRequest::Focus {
                    view: wanted,
                    point,
                } => {
                    if wanted == *view || *mode.get() == ViewMode::Together {
                        orbit.target_focus = point;
                        orbit.target_radius = (0.45 * orbit.target_radius).max(1.0);
                        orbit.force_update = true;
                    }
                    continue;
                }
                CameraRequest::Frame {
                    view: wanted,
                    low,
                    high,
                } => {
                    if wanted == *view || *mode.get() == ViewMode::Together {
                        frame(&mut orbit, (low, high), aspect);
                    }
                    continue;
                }
                CameraRequest::FrameAll => (orbit.target_yaw, orbit.target_pitch),
                CameraRequest::Reset => standard,
                CameraRequest::Front => (0.0, 0.0),
                CameraRequest::Top => (0.0, 1.55),
                CameraRequest::Side => (std::f32::consts::FRAC_PI_2, 0.0),
            };
            (orbit.target_yaw, orbit.target_pitch) = angles;
            if let Some(shown) = shown_box(*mode.get(), *view, &networks, two) {
                frame(&mut orbit, shown, aspect);
            }
        }
    }
}

/// The first camera that draws clears the whole target; the others draw on. Where none
/// draws, the ground is the theme's, too.
fn clear_once(
    theme: Res<Theme>,
    ground: Option<ResMut<ClearColor>>,
    mut cameras: Query<&mut Camera, With<ViewCamera>>,
) {
    let background = color(theme.palette().background);
    if let Some(mut ground) = ground
        && ground.0 != background
    {
        ground.0 = background;
    }
    let active = cameras.iter().filter(|camera| camera.is_active);
    let first = active.map(|camera| camera.order).min();
    for mut camera in &mut cameras {
        let clears = first.is_none_or(|first| camera.order == first);
        let is_right = match &camera.clear_color {
            ClearColorConfig::Custom(color) => clears && *color == background,
            _ => !clears,
        };
        if !is_right {
            camera.clear_color = if clears {
                ClearColorConfig::Custom(background)
            } else {
                ClearColorConfig::None
            };
        }
    }
}

/// The camera never moves under a panel: a drag that begins on a panel stays
/// the panel's, and one that begins in the scene stays the scene's.
fn guard_pointer(
    mut contexts: EguiContexts,
    buttons: Res<ButtonInput<MouseButton>>,
    window: Option<Single<&Window, With<PrimaryWindow>>>,
    rect: Res<ViewRect>,
    drag: Option<Res<Drag>>,
    mut cameras: Query<&mut PanOrbitCamera>,
    mut scene_owns_drag: Local<bool>,
) {
    let held = [MouseButton::Left, MouseButton::Right, MouseButton::Middle];
    let over_panel = contexts.ctx_mut().is_ok_and(|ctx| {
        ctx.egui_wants_pointer_input() || ctx.egui_is_using_pointer() || ctx.any_popup_open()
    });
    let outside = window.zip(rect.0).is_some_and(|(window, rect)| {
        window
            .physical_cursor_position()
            .is_some_and(|cursor| !rect.contains(cursor))
    });
    if held.iter().any(|&b| buttons.just_pressed(b)) {
        *scene_owns_drag = !(over_panel || outside);
    }
    let dragging = held.iter().any(|&b| buttons.pressed(b));
    let enabled = if dragging {
        *scene_owns_drag
    } else {
        !(over_panel || outside)
    };
    // A hand that holds the ball does not turn the view.
    let enabled = enabled && !drag.is_some_and(|drag| drag.is_held());
    for mut orbit in &mut cameras {
        if orbit.enabled != enabled {
            orbit.enabled = enabled;
        }
    }
}

/// While a camera glides, every frame asks for the next.
fn redraw_while_moving(cameras: Query<&PanOrbitCamera>, mut redraw: MessageWriter<RequestRedraw>) {
    let moving = cameras.iter().any(|c| {
        let far = |a: Option<f32>, b: f32| a.is_some_and(|a| (a - b).abs() > 1e-3);
        far(c.yaw, c.target_yaw)
            || far(c.pitch, c.target_pitch)
            || far(c.radius, c.target_radius)
            || c.focus.distance(c.target_focus) > 1e-3
    });
    if moving {
        redraw.write(RequestRedraw);
    }
}
