//! Entities and plain components: what is where, in which colour, how thick.

use bevy::prelude::*;

pub(super) fn plugin(_app: &mut App) {}
