//! From plain components to meshes, materials and shader buffers: the only
//! files that touch those assets.

mod block_material;
mod blocks;
mod network;
mod network_material;
mod picture_material;
mod pictures;
mod pipeline;
mod surface;
mod surface_material;

use bevy::prelude::*;

pub(super) fn plugin(app: &mut App) {
    app.add_plugins((
        network::plugin,
        blocks::plugin,
        pictures::plugin,
        surface::plugin,
    ));
}
