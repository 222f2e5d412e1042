//! The cameras: one for each view and one for the panels over them.

use bevy::prelude::*;

pub(super) fn plugin(_app: &mut App) {}
