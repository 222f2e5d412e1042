//! What is under the pointer among the plates, and what clicks do: one selects, two open
//! and close.

use super::stand::deep_direction;
use super::{Blocks, Plate};
use crate::app::labels::ViewCamera;
use crate::app::pick::NetworkPicking;
use crate::app::plugins::GradscapeSystems;
use crate::app::scene::row_direction;
use crate::app::state::{SceneView, Selection};
use crate::insight::outline::Part;
use bevy::input::ButtonState;
use bevy::input::mouse::MouseButtonInput;
use bevy::prelude::*;
use bevy::window::PrimaryWindow;
use bevy_egui::EguiContexts;

/// A press and release farther apart than this, in points, is a drag.
const STILL: f32 = 4.0;
/// Two clicks within so many seconds are a double click; or within so many frames, where
/// frames take long.
const DOUBLE: f32 = 0.4;
const FRAMES: f32 = 2.5;

pub(super) fn plugin(app: &mut App) {
    app.add_systems(
        Update,
        point_at_plates
            .after(NetworkPicking)
            .in_set(GradscapeSystems::Input),
    );
}

/// A press that waits for its release, and the click before it.
#[derive(Default)]
struct Presses {
    down: Option<Vec2>,
    last: Option<(f32, Part)>,
}

fn point_at_plates(
    mut contexts: EguiContexts,
    window: Option<Single<&Window, With<PrimaryWindow>>>,
    cameras: Query<(&ViewCamera, &Camera, &GlobalTransform)>,
    (buttons, mut clicks): (
        Res<ButtonInput<MouseButton>>,
        MessageReader<MouseButtonInput>,
    ),
    time: Res<Time<Real>>,
    mut selection: ResMut<Selection>,
    mut blocks: ResMut<Blocks>,
    mut presses: Local<Presses>,
) {
    // In one frame that took long there may be several.
    let releases = clicks
        .read()
        .filter(|click| (click.button, click.state) == (MouseButton::Left, ButtonState::Released));
    let releases = releases.count();
    if blocks.outline.is_none() {
        return;
    }
    let taken = contexts
        .ctx_mut()
        .is_ok_and(|ctx| ctx.egui_wants_pointer_input() || ctx.egui_is_using_pointer());
    let cursor = window
        .and_then(|window| window.cursor_position())
        .filter(|_| !taken);
    let camera = cameras
        .iter()
        .find(|(view, camera, _)| view.0 == SceneView::Network && camera.is_active);
    let over = cursor.zip(camera).filter(|(cursor, (_, camera, _))| {
        let rect = camera.logical_viewport_rect();
        rect.is_some_and(|rect| rect.contains(*cursor))
    });
    let dragging = buttons.pressed(MouseButton::Left) && !buttons.just_pressed(MouseButton::Left);
    if !dragging {
        let hovered = over.as_ref().and_then(|(cursor, (_, camera, place))| {
            let ray = camera.viewport_to_world(place, *cursor).ok()?;
            // Neurons and connections lie in plates that are open.
            let unfolded = blocks.unfolded();
            let closed = |part: Part| !matches!(part, Part::Node(n) if unfolded.contains(&n));
            let wanted = |part: Part| selection.hovered.is_none() || closed(part);
            under(&ray, &blocks.plates, wanted)
        });
        if blocks.hovered != hovered {
            blocks.hover(hovered);
        }
    }
    if buttons.just_pressed(MouseButton::Left) {
        presses.down = over.map(|(cursor, _)| cursor);
    }
    if !buttons.just_released(MouseButton::Left) {
        return;
    }
    let Some((down, up)) = presses.down.take().zip(cursor) else {
        return;
    };
    if down.distance(up) > STILL {
        presses.last = None;
        return;
    }
    let part = blocks.hovered.filter(|_| selection.hovered.is_none());
    if blocks.selected != part {
        blocks.select(part);
    }
    let Some(part) = part else { return };
    selection.selected = None;
    let now = time.elapsed_secs();
    let double = DOUBLE.max(FRAMES * time.delta_secs());
    let again = presses
        .last
        .is_some_and(|(before, what)| now - before <= double && what == part)
        || releases > 1;
    presses.last = (!again).then_some((now, part));
    if again {
        blocks.toggle(part);
        blocks.fly_to(part);
    }
}

/// The nearest plate that the ray meets.
fn under(ray: &Ray3d, plates: &[Plate], wanted: impl Fn(Part) -> bool) -> Option<Part> {
    let hits = plates.iter().filter(|plate| wanted(plate.part));
    let hits = hits.filter_map(|plate| Some((ray_plate(ray, plate)?, plate.part)));
    let nearest = hits.min_by(|a, b| a.0.total_cmp(&b.0))?;
    Some(nearest.1)
}

/// How far along `ray` it enters a plate: between each pair of opposite sides it is in one
/// stretch, and inside where the three overlap (Kay and Kajiya 1986).
fn ray_plate(ray: &Ray3d, plate: &Plate) -> Option<f32> {
    let axes = [row_direction(), Vec3::Y, deep_direction()];
    let (mut enters, mut leaves) = (0.0_f32, f32::INFINITY);
    for (axis, half) in axes.into_iter().zip(plate.half.to_array()) {
        let off = axis.dot(plate.center - ray.origin);
        let slope = axis.dot(*ray.direction);
        if slope.abs() < 1e-9 {
            if off.abs() > half {
                return None;
            }
            continue;
        }
        let (a, b) = ((off - half) / slope, (off + half) / slope);
        enters = enters.max(a.min(b));
        leaves = leaves.min(a.max(b));
    }
    (enters <= leaves && leaves > 0.0).then_some(enters)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plate(part: usize, z: f32) -> Plate {
        Plate {
            part: Part::Node(part),
            center: Vec3::new(0.0, 0.0, z),
            half: Vec3::new(1.0, 2.0, 0.1),
        }
    }

    #[test]
    fn the_nearest_plate_is_met_and_none_beside_or_behind() {
        let plates = [plate(0, -9.0), plate(1, -5.0), plate(2, 5.0)];
        let toward = |at: Vec3| Ray3d::new(Vec3::ZERO, Dir3::new(at).unwrap());
        let all = |_| true;
        let ahead = toward(Vec3::NEG_Z);
        assert_eq!(under(&ahead, &plates, all), Some(Part::Node(1)));
        let other = |part| part != Part::Node(1);
        assert_eq!(under(&ahead, &plates, other), Some(Part::Node(0)));
        let above = toward(Vec3::new(0.0, 2.3, -5.0));
        assert_eq!(under(&above, &plates, all), None);
        // It is turned: what reaches along its rows is farther off on one side.
        let [right, left] =
            [1.0, -1.0].map(|side| Vec3::NEG_Z * 5.0 + side * 0.9 * row_direction());
        for at in [left, right] {
            assert!(ray_plate(&toward(at), &plates[1]).is_some());
        }
        assert!(ray_plate(&toward(Vec3::new(0.9, 0.0, -5.0)), &plates[1]).is_none());
    }
}
