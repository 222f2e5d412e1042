//! What a lecturer needs in front of an audience: the screen for the scene alone, a
//! pointer that is seen from the last row, and pictures that keep still.

use bevy::prelude::*;
use bevy_panorbit_camera::PanOrbitCamera;
use serde::{Deserialize, Serialize};

pub(super) fn plugin(app: &mut App) {
    app.init_resource::<Presenter>()
        .init_resource::<Motion>()
        .add_systems(Update, still_cameras);
}

/// What the pointer looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PointerAs {
    /// As everywhere.
    #[default]
    Usual,
    /// A bright dot, as of a laser.
    Laser,
    /// Everything but a circle around it is dark.
    Spotlight,
}

/// Whether something is presented, and the pointer.
#[derive(Resource, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Presenter {
    /// Whether the scene has the whole screen, and letters grow with it.
    pub on: bool,
    /// The pointer.
    pub pointer: PointerAs,
}

impl Presenter {
    /// Another pointer, or from that back to the usual one.
    pub fn toggle(&mut self, pointer: PointerAs) {
        self.pointer = if self.pointer == pointer {
            PointerAs::Usual
        } else {
            pointer
        };
    }
}

/// Whether things move on the screen that need not.
#[derive(Resource, Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Motion {
    /// Cameras, surfaces and events jump to where they end, and nothing runs by itself
    /// that shows no training.
    pub reduced: bool,
}

/// How cameras glide, as they were made.
#[derive(Component, Debug, Clone, Copy)]
struct Glides([f32; 3]);

fn still_cameras(
    motion: Res<Motion>,
    mut commands: Commands,
    mut cameras: Query<(Entity, &mut PanOrbitCamera, Option<&Glides>)>,
) {
    if !motion.is_changed() {
        return;
    }
    for (entity, mut camera, glides) in &mut cameras {
        let usual = glides.copied().unwrap_or(Glides([
            camera.orbit_smoothness,
            camera.pan_smoothness,
            camera.zoom_smoothness,
        ]));
        if glides.is_none() {
            commands.entity(entity).insert(usual);
        }
        let [orbit, pan, zoom] = usual.0.map(|v| if motion.reduced { 0.0 } else { v });
        camera.orbit_smoothness = orbit;
        camera.pan_smoothness = pan;
        camera.zoom_smoothness = zoom;
    }
}
