//! The material of plates: boxes with sharp edges, of which all are drawn in one call from
//! one buffer.

use super::pipeline::{add_material, drawn_by};
use bevy::asset::{RenderAssetUsages, uuid_handle};
use bevy::mesh::{Indices, MeshVertexBufferLayoutRef, PrimitiveTopology};
use bevy::pbr::{MaterialPipeline, MaterialPipelineKey};
use bevy::prelude::*;
use bevy::render::render_resource::{
    AsBindGroup, RenderPipelineDescriptor, SpecializedMeshPipelineError,
};
use bevy::render::storage::ShaderBuffer;

const SHADER: Handle<Shader> = uuid_handle!("5f0c6e1e-5c8f-4c0c-9d0a-6f1d4d5b7a04");

pub(super) fn plugin(app: &mut App) {
    add_material!(app, BlockMaterial, SHADER, "block");
}

/// All plates.
#[derive(Asset, TypePath, AsBindGroup, Debug, Clone)]
pub(super) struct BlockMaterial {
    /// [`BLOCK_FLOATS`] numbers a plate.
    #[storage(0, read_only)]
    pub(super) blocks: Handle<ShaderBuffer>,
    /// The directions of the plates' sides: along their rows, and across them.
    #[uniform(1)]
    pub(super) axes: [Vec4; 2],
}

/// Centre (3), kind, half its sides (3), spare, colour (3), spare, edge colour (3), spare.
pub(super) const BLOCK_FLOATS: usize = 16;

impl Material for BlockMaterial {
    drawn_by!(SHADER);

    fn specialize(
        _: &MaterialPipeline,
        descriptor: &mut RenderPipelineDescriptor,
        _: &MeshVertexBufferLayoutRef,
        _: MaterialPipelineKey<Self>,
    ) -> Result<(), SpecializedMeshPipelineError> {
        // Where neurons are shown in a plate, its far edges are seen, too.
        descriptor.primitive.cull_mode = None;
        Ok(())
    }
}

/// Six faces for each of `slots`: x is the slot, y the face, z the corner.
pub(super) fn cubes(slots: usize) -> Mesh {
    let mut positions: Vec<[f32; 3]> = Vec::with_capacity(24 * slots);
    let mut indices: Vec<u32> = Vec::with_capacity(36 * slots);
    for slot in 0..slots {
        for face in 0..6_u8 {
            let first = positions.len() as u32;
            let corner = |k: u8| [slot as f32, f32::from(face), f32::from(k)];
            positions.extend([0, 1, 2, 3].map(corner));
            indices.extend([0, 1, 2, 0, 2, 3].map(|corner| first + corner));
        }
    }
    Mesh::new(
        PrimitiveTopology::TriangleList,
        RenderAssetUsages::RENDER_WORLD,
    )
    .with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, positions)
    .with_inserted_indices(Indices::U32(indices))
}
