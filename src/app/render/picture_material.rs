//! The material of pictures in the scene: all sheets and all their cells are in two
//! buffers, and one draw call draws them.

use super::pipeline::{add_material, drawn_by};
use bevy::asset::uuid_handle;
use bevy::mesh::MeshVertexBufferLayoutRef;
use bevy::pbr::{MaterialPipeline, MaterialPipelineKey};
use bevy::prelude::*;
use bevy::render::render_resource::{
    AsBindGroup, RenderPipelineDescriptor, ShaderType, SpecializedMeshPipelineError,
};
use bevy::render::storage::ShaderBuffer;

const SHADER: Handle<Shader> = uuid_handle!("5f0c6e1e-5c8f-4c0c-9d0a-6f1d4d5b7a03");

pub(super) fn plugin(app: &mut App) {
    add_material!(app, PictureMaterial, SHADER, "picture");
}

/// Colours in linear light.
#[derive(ShaderType, Debug, Clone, Copy, PartialEq)]
pub(super) struct PictureLook {
    /// Around marked cells.
    pub(super) mark: Vec4,
    /// The background.
    pub(super) ground: Vec4,
    /// The watched sample's dot.
    pub(super) text: Vec4,
}

/// All pictures.
#[derive(Asset, TypePath, AsBindGroup, Debug, Clone)]
pub(super) struct PictureMaterial {
    /// [`SHEET_FLOATS`] numbers a sheet.
    #[storage(0, read_only)]
    pub(super) sheets: Handle<ShaderBuffer>,
    /// Four bytes a cell: sRGB and whether it is there.
    #[storage(1, read_only)]
    pub(super) cells: Handle<ShaderBuffer>,
    #[uniform(2)]
    pub(super) look: PictureLook,
}

/// Centre (3), first cell, right (3), columns, up (3), rows, frame (3), kind, mark (4),
/// rim, lift, fade, spare.
pub(super) const SHEET_FLOATS: usize = 24;

impl Material for PictureMaterial {
    drawn_by!(SHADER);

    fn specialize(
        _: &MaterialPipeline,
        descriptor: &mut RenderPipelineDescriptor,
        _: &MeshVertexBufferLayoutRef,
        _: MaterialPipelineKey<Self>,
    ) -> Result<(), SpecializedMeshPipelineError> {
        descriptor.primitive.cull_mode = None;
        Ok(())
    }
}
