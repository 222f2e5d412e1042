//! The cameras of networks side by side: each sees its network on the same scale, and does
//! what the one does that is moved.

use super::super::labels::ViewCamera;
use super::super::scene::RivalScene;
use super::super::state::{NetworkBounds, SceneView};
use bevy::prelude::*;
use bevy_panorbit_camera::PanOrbitCamera;

/// The boxes of the networks that stand side by side, each as large as the largest around
/// its own middle, so that all are drawn on one scale.
pub(super) fn boxes(bounds: &NetworkBounds, scene: &RivalScene) -> Vec<NetworkBounds> {
    let beside = scene.0.iter().map(|standing| standing.bounds);
    let all: Vec<NetworkBounds> = std::iter::once(*bounds).chain(beside).collect();
    let halves = all.iter().map(|b| 0.5 * (b.max - b.min));
    let half = halves.fold(Vec3::ZERO, Vec3::max);
    let middles = all.iter().map(|b| 0.5 * (b.min + b.max));
    let boxes = middles.map(|middle| NetworkBounds {
        min: middle - half,
        max: middle + half,
    });
    boxes.collect()
}

/// What links the cameras of networks side by side: angles, distance, and what they look
/// at, seen from the middle of each one's box.
type Pose = (f32, f32, f32, Vec3);

/// Whether two poses are the same but for rounding.
fn same(a: &Pose, b: &Pose) -> bool {
    let near = |a: f32, b: f32| (a - b).abs() < 1e-4;
    near(a.0, b.0) && near(a.1, b.1) && near(a.2, b.2) && a.3.abs_diff_eq(b.3, 1e-4)
}

/// Lets the cameras of all networks do what the one does that is moved.
pub(super) fn link_networks(
    scene: Res<RivalScene>,
    bounds: Res<NetworkBounds>,
    mut cameras: Query<(&ViewCamera, &Camera, &mut PanOrbitCamera)>,
    mut last: Local<Option<Pose>>,
) {
    if scene.0.is_empty() {
        *last = None;
        return;
    }
    let boxes = boxes(&bounds, &scene);
    let middle = |view: SceneView| {
        let network = match view {
            SceneView::Network => 0,
            SceneView::Beside(rival) => rival + 1,
            SceneView::Surface => return None,
        };
        boxes.get(network).map(|b| 0.5 * (b.min + b.max))
    };
    let pose = |orbit: &PanOrbitCamera, middle: Vec3| {
        let focus = orbit.target_focus - middle;
        (
            orbit.target_yaw,
            orbit.target_pitch,
            orbit.target_radius,
            focus,
        )
    };
    let poses = cameras.iter().filter(|(_, camera, _)| camera.is_active);
    let poses: Vec<Pose> = poses
        .filter_map(|(view, _, orbit)| Some(pose(orbit, middle(view.0)?)))
        .collect();
    let Some(&first) = poses.first() else { return };
    let wanted = last.and_then(|last| poses.iter().copied().find(|pose| !same(pose, &last)));
    let wanted = wanted.or(*last).unwrap_or(first);
    *last = Some(wanted);
    for (ViewCamera(view), camera, mut orbit) in &mut cameras {
        let Some(middle) = middle(*view).filter(|_| camera.is_active) else {
            continue;
        };
        if !same(&pose(&orbit, middle), &wanted) {
            (orbit.target_yaw, orbit.target_pitch, orbit.target_radius) =
                (wanted.0, wanted.1, wanted.2);
            orbit.target_focus = wanted.3 + middle;
            orbit.force_update = true;
        }
    }
}
