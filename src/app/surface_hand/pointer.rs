//! From the mouse to a ray in the coordinates of the surface.

use crate::app::labels::ViewCamera;
use crate::app::state::{SceneView, Selection, SurfaceRoot};
use bevy::camera::visibility::RenderLayers;
use bevy::prelude::*;
use bevy::window::PrimaryWindow;
use bevy_egui::EguiContexts;

/// Where the pointer is over the view of the surface.
#[derive(Resource, Debug, Clone, Copy, PartialEq, Default)]
pub struct SurfacePointer {
    /// From the eye through the pointer, in the coordinates of the surface's root;
    /// `None` where the pointer is elsewhere or belongs to a panel.
    pub ray: Option<Ray3d>,
    /// Where it is in the window, in points.
    pub at: Vec2,
    /// Whether a button is held that turns or moves the camera, or something else
    /// lies under the pointer.
    pub occupied: bool,
    /// Whether the left button went down in this frame.
    pub pressed: bool,
    /// Whether it went up in this frame.
    pub released: bool,
}

pub(super) fn point(
    mut contexts: EguiContexts,
    window: Option<Single<&Window, With<PrimaryWindow>>>,
    cameras: Query<(&Camera, &RenderLayers, &GlobalTransform), With<ViewCamera>>,
    roots: Query<&GlobalTransform, With<SurfaceRoot>>,
    buttons: Res<ButtonInput<MouseButton>>,
    selection: Res<Selection>,
    mut pointer: ResMut<SurfacePointer>,
) {
    let taken = contexts
        .ctx_mut()
        .is_ok_and(|ctx| ctx.egui_wants_pointer_input() || ctx.egui_is_using_pointer());
    let cursor = window.and_then(|window| window.cursor_position());
    let layer = RenderLayers::layer(SceneView::Surface.layer());
    let seen_by = cameras
        .iter()
        .find(|(camera, layers, _)| camera.is_active && layers.intersects(&layer));
    let ray = cursor
        .zip(seen_by)
        .filter(|_| !taken)
        .and_then(|(cursor, (camera, _, place))| {
            let rect = camera.logical_viewport_rect()?;
            let ray = camera.viewport_to_world(place, cursor).ok()?;
            let to_root = roots.single().ok()?.affine().inverse();
            let direction = to_root.transform_vector3(*ray.direction);
            let ray = Ray3d::new(
                to_root.transform_point3(ray.origin),
                Dir3::new(direction).ok()?,
            );
            rect.contains(cursor).then_some(ray)
        });
    let others = [MouseButton::Right, MouseButton::Middle];
    let turning = buttons.pressed(MouseButton::Left) && !buttons.just_pressed(MouseButton::Left);
    pointer.set_if_neq(SurfacePointer {
        ray,
        at: cursor.unwrap_or_default(),
        occupied: turning
            || others.iter().any(|&b| buttons.pressed(b))
            || selection.hovered.is_some(),
        pressed: buttons.just_pressed(MouseButton::Left),
        released: buttons.just_released(MouseButton::Left),
    });
}
