//! Writes plates into their buffer, in frames in which one changed.

use super::super::blocks::deep_direction;
use super::super::plugins::GradscapeSystems;
use super::super::scene::{Slab, row_direction};
use super::super::state::SceneView;
use super::block_material::{self, BLOCK_FLOATS, BlockMaterial, cubes};
use super::network::{buffer_of, put};
use bevy::camera::visibility::{NoFrustumCulling, RenderLayers};
use bevy::prelude::*;
use bevy::render::storage::ShaderBuffer;

pub(super) fn plugin(app: &mut App) {
    app.init_resource::<Drawing>()
        .add_plugins(block_material::plugin)
        .add_systems(Update, write.in_set(GradscapeSystems::Render));
}

/// What draws all plates.
#[derive(Resource, Debug, Default)]
struct Drawing(Option<(Entity, Handle<ShaderBuffer>, usize)>);

fn write(
    mut commands: Commands,
    slabs: Query<&Slab>,
    changed: Query<(), Changed<Slab>>,
    mut removed: RemovedComponents<Slab>,
    mut drawing: ResMut<Drawing>,
    mut meshes: ResMut<Assets<Mesh>>,
    mut buffers: ResMut<Assets<ShaderBuffer>>,
    mut materials: ResMut<Assets<BlockMaterial>>,
) {
    if changed.is_empty() && removed.read().count() == 0 {
        return;
    }
    let count = slabs.iter().count();
    if count == 0 {
        if let Some((entity, ..)) = drawing.0.take() {
            commands.entity(entity).despawn();
        }
        return;
    }
    // Another size would leave the material with a stale binding, so a buffer keeps its own.
    let fitting = drawing.0.as_ref().filter(|(.., room)| count <= *room);
    let room = fitting.map_or(count.next_power_of_two().max(64), |(.., room)| *room);
    let mut floats = vec![0.0; room * BLOCK_FLOATS];
    for (row, slab) in floats.chunks_exact_mut(BLOCK_FLOATS).zip(&slabs) {
        row.copy_from_slice(&written(slab));
    }
    if let Some((_, buffer, _)) = fitting {
        put(&mut buffers, buffer, &floats);
        return;
    }
    if let Some((entity, ..)) = drawing.0.take() {
        commands.entity(entity).despawn();
    }
    let buffer = buffers.add(buffer_of(&floats));
    let material = materials.add(BlockMaterial {
        blocks: buffer.clone(),
        axes: [row_direction(), deep_direction()].map(|axis| axis.extend(0.0)),
    });
    let entity = commands
        .spawn((
            Mesh3d(meshes.add(cubes(room))),
            MeshMaterial3d(material),
            // The mesh holds slots and corners, no places.
            NoFrustumCulling,
            RenderLayers::layer(SceneView::Network.layer()),
        ))
        .id();
    drawing.0 = Some((entity, buffer, room));
}

fn written(slab: &Slab) -> [f32; BLOCK_FLOATS] {
    let bit = |on: bool, value: f32| if on { value } else { 0.0 };
    let kind = bit(slab.opaque, 1.0)
        + bit(slab.unfolded, 2.0)
        + bit(slab.block, 4.0)
        + bit(slab.raised, 8.0)
        + bit(slab.uncertain, 16.0);
    let (center, half, color, edge) = (slab.center, slab.half, slab.color, slab.edge);
    [
        center.x,
        center.y,
        center.z,
        kind,
        half.x,
        half.y,
        half.z,
        0.0,
        color.red,
        color.green,
        color.blue,
        0.0,
        edge.red,
        edge.green,
        edge.blue,
        0.0,
    ]
}
