//! Writes the error surface's components into meshes and materials, in frames
//! in which they changed.

use super::super::arena::MOST_RACERS;
use super::super::labels::ViewCamera;
use super::super::plugins::GradscapeSystems;
use super::super::scene::{Ball, PinnedRelief, RacerBall, Relief, Stroke, StrokeKind, Strokes};
use super::super::state::{SceneView, SurfaceView};
use super::super::theme::{Theme, linear};
use super::surface_material::{
    self, BallLook, BallMaterial, COLORS, ReliefLook, ReliefMaterial, StrokeLook, StrokeMaterial,
};
use crate::colormap::{Rgb, viridis};
use crate::figure::Tone;
use bevy::asset::RenderAssetUsages;
use bevy::camera::visibility::{NoFrustumCulling, RenderLayers};
use bevy::mesh::{Indices, PrimitiveTopology, VertexAttributeValues};
use bevy::prelude::*;

pub(super) fn plugin(app: &mut App) {
    app.add_plugins(surface_material::plugin)
        .add_systems(PostStartup, dress)
        .add_systems(
            Update,
            (follow_look, write_relief, write_strokes)
                .chain()
                .in_set(GradscapeSystems::Render),
        );
}

/// Opacity of those parts of the path that lie behind the surface.
const BEHIND: f32 = 0.35;

/// The materials, one of each kind for all of the surface.
#[derive(Resource)]
struct Materials {
    relief: Handle<ReliefMaterial>,
    axes: Handle<StrokeMaterial>,
    path: Handle<StrokeMaterial>,
    behind: Handle<StrokeMaterial>,
    newest: Handle<BallMaterial>,
    start: Handle<BallMaterial>,
    racers: [Handle<BallMaterial>; MOST_RACERS],
    /// Pixels per point.
    scale: f32,
}

fn relief_look(theme: Theme, contours: bool, scale: f32) -> ReliefLook {
    let colors = std::array::from_fn(|k| linear(viridis(k as f32 / (COLORS - 1) as f32)).to_vec4());
    let contours = if contours { 0.62 } else { 0.0 };
    let strength = match theme.tone {
        Tone::Dark => Vec4::new(contours, 0.10, 0.42, 0.10),
        Tone::Light => Vec4::new(contours, 0.12, 0.62, 0.10),
    };
    let pixel = Vec4::new(1.2 * scale, 0.0, 0.0, 0.0);
    ReliefLook {
        colors,
        strength,
        pixel,
    }
}

fn stroke_look(scale: f32, opacity: f32, lift: f32) -> StrokeLook {
    StrokeLook {
        scale,
        opacity,
        lift,
        spare: 0.0,
    }
}

fn ball_look(theme: Theme, ball: Ball) -> BallLook {
    let palette = theme.palette();
    let color = match ball {
        Ball::Newest => palette.accent,
        Ball::Start => palette.path,
    };
    outlined(theme, color)
}

fn outlined(theme: Theme, color: Rgb) -> BallLook {
    BallLook {
        color: linear(color).to_vec4(),
        outline: linear(theme.palette().background).to_vec3().extend(0.9),
    }
}

fn racer_look(theme: Theme, index: usize) -> BallLook {
    outlined(theme, theme.palette().racer(index))
}

/// Gives the entities meshes and materials.
fn dress(
    mut commands: Commands,
    theme: Res<Theme>,
    view: Res<SurfaceView>,
    reliefs: Query<Entity, With<Relief>>,
    strokes: Query<(Entity, &StrokeKind)>,
    balls: Query<(Entity, &Ball)>,
    racers: Query<(Entity, &RacerBall)>,
    pinned: Query<Entity, With<PinnedRelief>>,
    mut meshes: ResMut<Assets<Mesh>>,
    mut relief_materials: ResMut<Assets<ReliefMaterial>>,
    mut stroke_materials: ResMut<Assets<StrokeMaterial>>,
    mut ball_materials: ResMut<Assets<BallMaterial>>,
) {
    let mut stroke = |opacity, lift, hidden, order| {
        let look = stroke_look(1.0, opacity, lift);
        stroke_materials.add(StrokeMaterial {
            look,
            hidden,
            order,
        })
    };
    let materials = Materials {
        relief: relief_materials.add(ReliefMaterial {
            look: relief_look(*theme, view.contours, 1.0),
        }),
        axes: stroke(1.0, 0.002, false, 0.0),
        // Lifted beyond the ball, which shall not count as something that hides it.
        behind: stroke(BEHIND, 0.02, true, 1.0),
        path: stroke(1.0, 0.006, false, 2.0),
        newest: ball_materials.add(BallMaterial {
            look: ball_look(*theme, Ball::Newest),
        }),
        start: ball_materials.add(BallMaterial {
            look: ball_look(*theme, Ball::Start),
        }),
        racers: std::array::from_fn(|k| {
            let look = racer_look(*theme, k);
            ball_materials.add(BallMaterial { look })
        }),
        scale: 1.0,
    };
    for entity in reliefs.iter().chain(&pinned) {
        commands.entity(entity).insert((
            Mesh3d(meshes.add(relief_mesh(&Relief::default()))),
            MeshMaterial3d(materials.relief.clone()),
            NoFrustumCulling,
        ));
    }
    for (entity, kind) in &strokes {
        let mesh = Mesh3d(meshes.add(strokes_mesh(&[])));
        let material = match kind {
            StrokeKind::Axes | StrokeKind::Levels | StrokeKind::Pinned => &materials.axes,
            StrokeKind::Path | StrokeKind::Hover | StrokeKind::Racers => &materials.path,
            StrokeKind::Behind | StrokeKind::RacersBehind => &materials.behind,
        };
        commands.entity(entity).insert((
            mesh.clone(),
            MeshMaterial3d(material.clone()),
            NoFrustumCulling,
        ));
    }
    let sphere = meshes.add(Sphere::new(1.0).mesh().uv(40, 24));
    for (entity, ball) in &balls {
        let material = match ball {
            Ball::Newest => &materials.newest,
            Ball::Start => &materials.start,
        };
        commands
            .entity(entity)
            .insert((Mesh3d(sphere.clone()), MeshMaterial3d(material.clone())));
    }
    for (entity, RacerBall(index)) in &racers {
        let material = materials.racers[index % MOST_RACERS].clone();
        commands
            .entity(entity)
            .insert((Mesh3d(sphere.clone()), MeshMaterial3d(material)));
    }
    commands.insert_resource(materials);
}

/// Materials are touched only when theme, settings or resolution change.
fn follow_look(
    theme: Res<Theme>,
    view: Res<SurfaceView>,
    cameras: Query<(&Camera, &RenderLayers), With<ViewCamera>>,
    materials: Option<ResMut<Materials>>,
    mut reliefs: ResMut<Assets<ReliefMaterial>>,
    mut strokes: ResMut<Assets<StrokeMaterial>>,
    mut balls: ResMut<Assets<BallMaterial>>,
) {
    let Some(mut materials) = materials else {
        return;
    };
    let layer = RenderLayers::layer(SceneView::Surface.layer());
    let scale = cameras
        .iter()
        .filter(|(camera, layers)| camera.is_active && layers.intersects(&layer))
        .find_map(|(camera, _)| camera.target_scaling_factor())
        .unwrap_or(materials.scale);
    let rescaled = scale != materials.scale;
    if !(theme.is_changed() || view.is_changed() || rescaled) {
        return;
    }
    materials.scale = scale;
    if let Some(mut material) = reliefs.get_mut(&materials.relief) {
        material.look = relief_look(*theme, view.contours, scale);
    }
    if rescaled {
        for handle in [&materials.axes, &materials.path, &materials.behind] {
            if let Some(mut material) = strokes.get_mut(handle) {
                material.look.scale = scale;
            }
        }
    }
    if theme.is_changed() {
        for (handle, ball) in [
            (&materials.newest, Ball::Newest),
            (&materials.start, Ball::Start),
        ] {
            if let Some(mut material) = balls.get_mut(handle) {
                material.look = ball_look(*theme, ball);
            }
        }
        for (index, handle) in materials.racers.iter().enumerate() {
            if let Some(mut material) = balls.get_mut(handle) {
                material.look = racer_look(*theme, index);
            }
        }
    }
}

fn write_relief(
    reliefs: Query<(&Relief, &Mesh3d), Changed<Relief>>,
    pinned: Query<(&PinnedRelief, &Mesh3d), Changed<PinnedRelief>>,
    mut meshes: ResMut<Assets<Mesh>>,
) {
    let pinned = pinned
        .iter()
        .map(|(PinnedRelief(relief), mesh)| (relief, mesh));
    for (relief, handle) in reliefs.iter().chain(pinned) {
        let Some(mut mesh) = meshes.get_mut(&handle.0) else {
            continue;
        };
        if mesh.count_vertices() != relief.positions.len() {
            *mesh = relief_mesh(relief);
            continue;
        }
        set3(&mut mesh, Mesh::ATTRIBUTE_POSITION, &relief.positions);
        set3(&mut mesh, Mesh::ATTRIBUTE_NORMAL, &relief.normals);
        if let Some(VertexAttributeValues::Float32x2(values)) =
            mesh.attribute_mut(Mesh::ATTRIBUTE_UV_0)
        {
            values.clone_from(&relief.levels);
        }
        if let Some(Indices::U32(indices)) = mesh.indices_mut() {
            indices.clone_from(&relief.indices);
        }
    }
}

fn set3(mesh: &mut Mesh, attribute: bevy::mesh::MeshVertexAttribute, from: &Vec<[f32; 3]>) {
    if let Some(VertexAttributeValues::Float32x3(values)) = mesh.attribute_mut(attribute) {
        values.clone_from(from);
    }
}

fn relief_mesh(relief: &Relief) -> Mesh {
    let single = relief.positions.is_empty();
    let some = |from: &Vec<[f32; 3]>| if single { vec![[0.0; 3]] } else { from.clone() };
    let levels = if single {
        vec![[0.0; 2]]
    } else {
        relief.levels.clone()
    };
    let indices = if single {
        vec![0; 3]
    } else {
        relief.indices.clone()
    };
    Mesh::new(
        PrimitiveTopology::TriangleList,
        RenderAssetUsages::default(),
    )
    .with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, some(&relief.positions))
    .with_inserted_attribute(Mesh::ATTRIBUTE_NORMAL, some(&relief.normals))
    .with_inserted_attribute(Mesh::ATTRIBUTE_UV_0, levels)
    .with_inserted_indices(Indices::U32(indices))
}

fn write_strokes(
    strokes: Query<(&Strokes, &Mesh3d), Changed<Strokes>>,
    mut meshes: ResMut<Assets<Mesh>>,
) {
    for (strokes, handle) in &strokes {
        if let Some(mut mesh) = meshes.get_mut(&handle.0) {
            *mesh = strokes_mesh(&strokes.0);
        }
    }
}

/// Four corners a stroke. The number of strokes is rounded up with ones of no
/// width, so that a growing path seldom changes the size of the buffers.
fn strokes_mesh(strokes: &[Stroke]) -> Mesh {
    let slots = strokes.len().max(16).next_power_of_two();
    let mut near = Vec::with_capacity(4 * slots);
    let mut far = Vec::with_capacity(4 * slots);
    let mut shapes: Vec<[f32; 2]> = Vec::with_capacity(4 * slots);
    let mut colors: Vec<[f32; 4]> = Vec::with_capacity(4 * slots);
    let mut indices: Vec<u32> = Vec::with_capacity(6 * slots);
    for slot in 0..slots {
        let first = 4 * slot as u32;
        let (from, to, width, color) =
            strokes
                .get(slot)
                .map_or(([0.0; 3], [0.0; 3], 0.0, [0.0; 4]), |s| {
                    (
                        s.from.to_array(),
                        s.to.to_array(),
                        s.width,
                        linear(s.color).to_f32_array(),
                    )
                });
        for corner in 0..4 {
            near.push(from);
            far.push(to);
            shapes.push([corner as f32, width]);
            colors.push(color);
        }
        indices.extend([0, 1, 2, 0, 2, 3].map(|corner| first + corner));
    }
    Mesh::new(
        PrimitiveTopology::TriangleList,
        RenderAssetUsages::default(),
    )
    .with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, near)
    .with_inserted_attribute(Mesh::ATTRIBUTE_NORMAL, far)
    .with_inserted_attribute(Mesh::ATTRIBUTE_UV_0, shapes)
    .with_inserted_attribute(Mesh::ATTRIBUTE_COLOR, colors)
    .with_inserted_indices(Indices::U32(indices))
}
