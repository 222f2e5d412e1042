//! The two materials of the network. Each draws all neurons, or all
//! connections, in one draw call from one storage buffer: the mesh only says
//! which corner of which slot a vertex is, and the vertex shader fetches the rest.

use super::pipeline::{add_material, drawn_by};
use bevy::asset::{RenderAssetUsages, uuid_handle};
use bevy::mesh::{Indices, MeshVertexBufferLayoutRef, PrimitiveTopology};
use bevy::pbr::{MaterialPipeline, MaterialPipelineKey};
use bevy::prelude::*;
use bevy::render::render_resource::{
    AsBindGroup, BlendState, RenderPipelineDescriptor, ShaderType, SpecializedMeshPipelineError,
};
use bevy::render::storage::ShaderBuffer;

const NEURON_SHADER: Handle<Shader> = uuid_handle!("5f0c6e1e-5c8f-4c0c-9d0a-6f1d4d5b7a01");
const CONNECTION_SHADER: Handle<Shader> = uuid_handle!("5f0c6e1e-5c8f-4c0c-9d0a-6f1d4d5b7a02");

pub(super) fn plugin(app: &mut App) {
    add_material!(app, NeuronMaterial, NEURON_SHADER, "neuron");
    add_material!(app, ConnectionMaterial, CONNECTION_SHADER, "connection");
}

/// What of a theme the neurons' shading needs.
#[derive(ShaderType, Debug, Clone, Copy, PartialEq)]
pub(super) struct NeuronLook {
    /// The colour of a ball's rim in linear light; alpha is its strength.
    pub(super) rim: Vec4,
    /// The unit direction in which rows of image cells run, in world space.
    pub(super) row: Vec4,
    /// How dark the side is that is turned away from the light, 0 to 1.
    pub(super) shade: f32,
    /// The strength of the highlight.
    pub(super) gloss: f32,
}

/// All neurons.
#[derive(Asset, TypePath, AsBindGroup, Debug, Clone)]
pub(super) struct NeuronMaterial {
    /// [`NEURON_FLOATS`] numbers per slot.
    #[storage(0, read_only)]
    pub(super) neurons: Handle<ShaderBuffer>,
    #[uniform(1)]
    pub(super) look: NeuronLook,
}

/// All connections, as ribbons or, of a crowd, the thinnest as lines.
#[derive(Asset, TypePath, AsBindGroup, Debug, Clone)]
#[bind_group_data(ConnectionKey)]
pub(super) struct ConnectionMaterial {
    /// [`CONNECTION_FLOATS`] numbers per slot.
    #[storage(0, read_only)]
    pub(super) connections: Handle<ShaderBuffer>,
    /// The background in linear light: lines fade into it, as they are not blended.
    #[uniform(1)]
    pub(super) background: Vec4,
    /// How this part of the connections is drawn.
    pub(super) key: ConnectionKey,
}

/// A rasteriser in software walks along both triangles of a ribbon, and along a
/// line once. Blending and discarding, which make edges smooth and dashes
/// transparent, cost it as much again. So where there are thousands, those about
/// a pixel wide are lines without either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(C)]
pub(super) enum ConnectionKey {
    /// All, as ribbons.
    Ribbons,
    /// Of a crowd, those that are thicker than a line.
    ThickRibbons,
    /// Of a crowd, the others.
    Lines,
}

impl From<&ConnectionMaterial> for ConnectionKey {
    fn from(material: &ConnectionMaterial) -> Self {
        material.key
    }
}

/// Place (3), radius, colour (3), kind, outline colour (3), outline alpha.
pub(super) const NEURON_FLOATS: usize = 12;
/// Start (3), thickness, end (3), kind, colour (3), spare.
pub(super) const CONNECTION_FLOATS: usize = 12;

impl Material for NeuronMaterial {
    drawn_by!(NEURON_SHADER);

    fn specialize(
        _: &MaterialPipeline,
        descriptor: &mut RenderPipelineDescriptor,
        _: &MeshVertexBufferLayoutRef,
        _: MaterialPipelineKey<Self>,
    ) -> Result<(), SpecializedMeshPipelineError> {
        soften_edges(descriptor);
        Ok(())
    }
}

impl Material for ConnectionMaterial {
    drawn_by!(CONNECTION_SHADER);

    /// Ribbons are drawn after the neurons, so that their soft edges are blended
    /// into what is behind them; lines have none.
    fn alpha_mode(&self) -> AlphaMode {
        match self.key {
            ConnectionKey::Lines => AlphaMode::Opaque,
            _ => AlphaMode::Blend,
        }
    }

    fn specialize(
        _: &MaterialPipeline,
        descriptor: &mut RenderPipelineDescriptor,
        _: &MeshVertexBufferLayoutRef,
        key: MaterialPipelineKey<Self>,
    ) -> Result<(), SpecializedMeshPipelineError> {
        let (soft, define) = match key.bind_group_data {
            ConnectionKey::Ribbons => (true, None),
            ConnectionKey::ThickRibbons => (true, Some("THICK")),
            ConnectionKey::Lines => (false, Some("LINES")),
        };
        if soft {
            soften_edges(descriptor);
        }
        if let Some(define) = define {
            descriptor.vertex.shader_defs.push(define.into());
            if let Some(fragment) = &mut descriptor.fragment {
                fragment.shader_defs.push(define.into());
            }
        }
        Ok(())
    }
}

/// Depth is written as for opaque things, but edges are blended into what is
/// already there: smooth outlines without multisampling, which a software
/// renderer cannot afford, and without sorting.
fn soften_edges(descriptor: &mut RenderPipelineDescriptor) {
    descriptor.primitive.cull_mode = None;
    if let Some(depth) = &mut descriptor.depth_stencil {
        depth.depth_write_enabled = Some(true);
    }
    if let Some(fragment) = &mut descriptor.fragment {
        for target in fragment.targets.iter_mut().flatten() {
            target.blend = Some(BlendState::ALPHA_BLENDING);
        }
    }
}

/// A quad for each of `slots`: x is the slot, y and z the corner, -1 or 1.
pub(super) fn quads(slots: usize) -> Mesh {
    let mut positions: Vec<[f32; 3]> = Vec::with_capacity(4 * slots);
    let mut indices: Vec<u32> = Vec::with_capacity(6 * slots);
    for slot in 0..slots {
        let first = positions.len() as u32;
        // Whole numbers below 2^24 are exact in f32.
        let x = slot as f32;
        positions.extend([
            [x, -1.0, -1.0],
            [x, 1.0, -1.0],
            [x, 1.0, 1.0],
            [x, -1.0, 1.0],
        ]);
        indices.extend([0, 1, 2, 0, 2, 3].map(|corner| first + corner));
    }
    Mesh::new(
        PrimitiveTopology::TriangleList,
        RenderAssetUsages::RENDER_WORLD,
    )
    .with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, positions)
    .with_inserted_indices(Indices::U32(indices))
}

/// A line for each of `slots`: x is the slot, y the end, -1 or 1.
pub(super) fn lines(slots: usize) -> Mesh {
    let ends = (0..slots).flat_map(|slot| [[slot as f32, -1.0, 0.0], [slot as f32, 1.0, 0.0]]);
    Mesh::new(PrimitiveTopology::LineList, RenderAssetUsages::RENDER_WORLD)
        .with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, ends.collect::<Vec<_>>())
}
