//! Panels.

use bevy::prelude::*;

/// The panels over the scene.
pub struct UiPlugin;

impl Plugin for UiPlugin {
    fn build(&self, _app: &mut App) {}
}
