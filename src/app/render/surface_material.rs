//! The three materials of the error surface: the relief, the strokes, the balls.

use super::pipeline::{add_material, drawn_by};
use bevy::asset::uuid_handle;
use bevy::mesh::MeshVertexBufferLayoutRef;
use bevy::pbr::{MaterialPipeline, MaterialPipelineKey};
use bevy::prelude::*;
use bevy::render::render_resource::{
    AsBindGroup, CompareFunction, RenderPipelineDescriptor, ShaderType,
    SpecializedMeshPipelineError,
};

const RELIEF_SHADER: Handle<Shader> = uuid_handle!("0b8a1f52-6d0e-4a55-8a43-2f9d7c3b1e01");
const STROKE_SHADER: Handle<Shader> = uuid_handle!("0b8a1f52-6d0e-4a55-8a43-2f9d7c3b1e02");
const BALL_SHADER: Handle<Shader> = uuid_handle!("0b8a1f52-6d0e-4a55-8a43-2f9d7c3b1e03");

pub(super) fn plugin(app: &mut App) {
    add_material!(app, ReliefMaterial, RELIEF_SHADER, "surface");
    add_material!(app, StrokeMaterial, STROKE_SHADER, "surface_stroke");
    add_material!(app, BallMaterial, BALL_SHADER, "surface_ball");
}

/// Colours from floor to top.
pub(super) const COLORS: usize = 64;

/// How the relief looks.
#[derive(ShaderType, Debug, Clone, Copy, PartialEq)]
pub(super) struct ReliefLook {
    /// From the floor to the top, linear light.
    pub(super) colors: [Vec4; COLORS],
    /// Strength of contour lines, of the plane's grid lines, the darkest shade,
    /// the highlight.
    pub(super) strength: Vec4,
    /// Width of a contour line in pixels.
    pub(super) pixel: Vec4,
}

/// The error surface itself.
#[derive(Asset, TypePath, AsBindGroup, Debug, Clone)]
pub(super) struct ReliefMaterial {
    #[uniform(0)]
    pub(super) look: ReliefLook,
}

/// How strokes look.
#[derive(ShaderType, Debug, Clone, Copy, PartialEq)]
pub(super) struct StrokeLook {
    /// Pixels per point.
    pub(super) scale: f32,
    /// From 0 to 1.
    pub(super) opacity: f32,
    /// The share of the distance to the eye by which strokes are drawn nearer
    /// than they are, so that what they lie on does not swallow them.
    pub(super) lift: f32,
    pub(super) spare: f32,
}

/// Lines of constant width on the screen.
#[derive(Asset, TypePath, AsBindGroup, Debug, Clone)]
#[bind_group_data(StrokeKey)]
pub(super) struct StrokeMaterial {
    #[uniform(0)]
    pub(super) look: StrokeLook,
    /// Whether only what something else hides is drawn, instead of the rest.
    pub(super) hidden: bool,
    /// Larger ones are drawn later.
    pub(super) order: f32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(C)]
pub(super) struct StrokeKey {
    hidden: bool,
}

impl From<&StrokeMaterial> for StrokeKey {
    fn from(material: &StrokeMaterial) -> Self {
        StrokeKey {
            hidden: material.hidden,
        }
    }
}

/// How a ball looks: its colour, and its outline's with the strength as alpha.
#[derive(ShaderType, Debug, Clone, Copy, PartialEq)]
pub(super) struct BallLook {
    pub(super) color: Vec4,
    pub(super) outline: Vec4,
}

/// A shiny ball.
#[derive(Asset, TypePath, AsBindGroup, Debug, Clone)]
pub(super) struct BallMaterial {
    #[uniform(0)]
    pub(super) look: BallLook,
}

impl Material for ReliefMaterial {
    drawn_by!(RELIEF_SHADER);

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

impl Material for StrokeMaterial {
    drawn_by!(STROKE_SHADER);

    fn alpha_mode(&self) -> AlphaMode {
        AlphaMode::Blend
    }

    fn depth_bias(&self) -> f32 {
        self.order
    }

    fn specialize(
        _: &MaterialPipeline,
        descriptor: &mut RenderPipelineDescriptor,
        _: &MeshVertexBufferLayoutRef,
        key: MaterialPipelineKey<Self>,
    ) -> Result<(), SpecializedMeshPipelineError> {
        descriptor.primitive.cull_mode = None;
        if key.bind_group_data.hidden
            && let Some(depth) = &mut descriptor.depth_stencil
        {
            // Depth is reversed: less is farther.
            depth.depth_compare = Some(CompareFunction::Less);
        }
        Ok(())
    }
}

impl Material for BallMaterial {
    drawn_by!(BALL_SHADER);
}
