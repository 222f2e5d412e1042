//! Which layers are looked at from so near that their neurons are shown.

use super::{Blocks, MOST_UNFOLDED};
use crate::app::camera::{FIELD_OF_VIEW, aspect};
use crate::app::framing;
use crate::app::labels::ViewCamera;
use crate::app::plugins::GradscapeSystems;
use crate::app::state::{NetworkBounds, SceneView};
use crate::insight::outline::Part;
use bevy::prelude::*;
use bevy_panorbit_camera::PanOrbitCamera;

/// How much of the view's height a layer's plate takes when its neurons come, and when they
/// go again.
const COME: f32 = 0.7;
const GO: f32 = 0.5;
/// Nobody looks at one layer who sees everything: how far the camera has to have come, as a
/// share of the distance from which it does.
const NEARER: f32 = 0.75;

pub(super) fn plugin(app: &mut App) {
    app.add_systems(Update, look_nearer.in_set(GradscapeSystems::Input));
}

fn look_nearer(
    bounds: Res<NetworkBounds>,
    cameras: Query<(&ViewCamera, &Camera, &GlobalTransform, &PanOrbitCamera)>,
    mut blocks: ResMut<Blocks>,
    mut seen: Local<Option<(GlobalTransform, u64)>>,
) {
    if blocks.outline.is_none() || blocks.foreign.is_some() || blocks.plates.is_empty() {
        return;
    }
    let camera = cameras
        .iter()
        .find(|(view, camera, ..)| view.0 == SceneView::Network && camera.is_active);
    let Some((_, camera, place, orbit)) = camera else {
        return;
    };
    let Some(aspect) = aspect(camera) else { return };
    if *seen == Some((*place, blocks.revision)) {
        return;
    }
    *seen = Some((*place, blocks.revision));
    let (yaw, pitch) = (orbit.target_yaw, orbit.target_pitch);
    let (_, all) = framing::fit(bounds.min, bounds.max, yaw, pitch, FIELD_OF_VIEW, aspect);
    let near = if orbit.target_radius < NEARER * all {
        near(&blocks, camera, place)
    } else {
        Vec::new()
    };
    if near != blocks.near {
        let blocks = &mut *blocks;
        blocks.near = near;
        blocks.revision += 1;
        *seen = Some((*place, blocks.revision));
    }
}

/// The columns whose plates fill the view, the largest first.
fn near(blocks: &Blocks, camera: &Camera, place: &GlobalTransform) -> Vec<usize> {
    let tan = (0.5 * FIELD_OF_VIEW).tan();
    let eye = place.translation();
    let mut found: Vec<(f32, usize)> = blocks
        .plates
        .iter()
        .filter_map(|plate| {
            let Part::Node(column) = plate.part else {
                return None;
            };
            let middle = camera.world_to_ndc(place, plate.center)?;
            let in_view = middle.z > 0.0 && middle.x.abs() < 1.0 && middle.y.abs() < 1.0;
            let share = plate.half.y / (tan * eye.distance(plate.center)).max(1e-3);
            let least = if blocks.near.contains(&column) {
                GO
            } else {
                COME
            };
            (in_view && share >= least).then_some((share, column))
        })
        .collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    found.truncate(MOST_UNFOLDED);
    let mut columns: Vec<usize> = found.into_iter().map(|(_, column)| column).collect();
    columns.sort_unstable();
    columns
}
