//! Writes the scene's pictures into their two buffers, in frames in which one changed.

use super::super::plugins::GradscapeSystems;
use super::super::scene::Picture;
use super::super::state::SceneView;
use super::super::theme::{Theme, linear};
use super::network::{buffer_of, put};
use super::network_material::quads;
use super::picture_material::{self, PictureLook, PictureMaterial, SHEET_FLOATS};
use bevy::asset::RenderAssetUsages;
use bevy::camera::visibility::{NoFrustumCulling, RenderLayers};
use bevy::platform::collections::HashMap;
use bevy::prelude::*;
use bevy::render::storage::ShaderBuffer;

pub(super) fn plugin(app: &mut App) {
    app.init_resource::<Drawings>()
        .add_plugins(picture_material::plugin)
        .add_systems(
            Update,
            (follow_theme, write_pictures)
                .chain()
                .in_set(GradscapeSystems::Render),
        );
}

/// What draws all pictures of a view.
#[derive(Debug)]
struct Drawing {
    entity: Entity,
    sheets: Handle<ShaderBuffer>,
    cells: Handle<ShaderBuffer>,
    /// How many sheets and cells the buffers hold.
    room: [usize; 2],
}

/// What draws all pictures.
#[derive(Resource, Debug, Default)]
struct Drawings(HashMap<SceneView, Drawing>);

fn look(theme: Theme) -> PictureLook {
    let palette = theme.palette();
    let [mark, ground, text] =
        [palette.accent, palette.background, palette.text].map(|c| linear(c).to_vec4());
    PictureLook { mark, ground, text }
}

fn follow_theme(theme: Res<Theme>, mut materials: ResMut<Assets<PictureMaterial>>) {
    if !theme.is_changed() {
        return;
    }
    for (_, material) in materials.iter_mut() {
        material.look = look(*theme);
    }
}

/// Whether buffers with room for so much serve: another size would leave the material with
/// a stale binding, so they keep theirs.
fn serves(room: [usize; 2], need: [usize; 2]) -> bool {
    let fits = |room: usize, need: usize, spare: usize| need <= room && room <= 4 * need + spare;
    fits(room[0], need[0], 256) && fits(room[1], need[1], 65_536)
}

fn write_pictures(
    mut commands: Commands,
    theme: Res<Theme>,
    pictures: Query<&Picture>,
    changed: Query<(), Changed<Picture>>,
    mut removed: RemovedComponents<Picture>,
    mut drawings: ResMut<Drawings>,
    mut meshes: ResMut<Assets<Mesh>>,
    mut buffers: ResMut<Assets<ShaderBuffer>>,
    mut materials: ResMut<Assets<PictureMaterial>>,
) {
    if changed.is_empty() && removed.read().count() == 0 {
        return;
    }
    let mut views: HashMap<SceneView, Vec<&Picture>> = HashMap::default();
    for picture in &pictures {
        views.entry(picture.view).or_default().push(picture);
    }
    drawings.0.retain(|view, drawing| {
        let has = views.contains_key(view);
        if !has {
            commands.entity(drawing.entity).despawn();
        }
        has
    });
    for (view, pictures) in views {
        let all: usize = pictures.iter().map(|picture| picture.cells.len()).sum();
        let need = [pictures.len().max(1), all.max(1)];
        let old = drawings.0.get(&view);
        let fitting = old.filter(|drawing| serves(drawing.room, need));
        let room = fitting.map_or(need.map(usize::next_power_of_two), |old| old.room);
        let (floats, cells) = written(&pictures, room);
        if let Some(old) = fitting {
            put(&mut buffers, &old.sheets, &floats);
            if let Some(mut buffer) = buffers.get_mut(&old.cells) {
                buffer.data = Some(cells);
            }
            continue;
        }
        if let Some(old) = old {
            commands.entity(old.entity).despawn();
        }
        let sheets = buffers.add(buffer_of(&floats));
        let cells = buffers.add(ShaderBuffer::new(&cells, RenderAssetUsages::RENDER_WORLD));
        let material = materials.add(PictureMaterial {
            sheets: sheets.clone(),
            cells: cells.clone(),
            look: look(*theme),
        });
        let entity = commands
            .spawn((
                Mesh3d(meshes.add(quads(room[0]))),
                MeshMaterial3d(material),
                // The mesh holds slots and corners, no places.
                NoFrustumCulling,
                RenderLayers::layer(view.layer()),
            ))
            .id();
        let drawing = Drawing {
            entity,
            sheets,
            cells,
            room,
        };
        drawings.0.insert(view, drawing);
    }
}

/// The contents of both buffers.
fn written(pictures: &[&Picture], room: [usize; 2]) -> (Vec<f32>, Vec<u8>) {
    let mut floats = vec![0.0; room[0] * SHEET_FLOATS];
    let mut cells = Vec::with_capacity(4 * room[1]);
    for (row, picture) in floats.chunks_exact_mut(SHEET_FLOATS).zip(pictures) {
        row.copy_from_slice(&sheet(picture, cells.len() / 4));
        cells.extend(picture.cells.as_flattened());
    }
    cells.resize(4 * room[1], 0);
    (floats, cells)
}

fn sheet(picture: &Picture, first: usize) -> [f32; SHEET_FLOATS] {
    let (center, right, up, frame) = (picture.center, picture.right, picture.up, picture.frame);
    let bit = |on: bool, value: f32| if on { value } else { 0.0 };
    let kind =
        bit(picture.faces_eye, 1.0) + bit(picture.smooth, 2.0) + bit(picture.fade > 0.0, 4.0);
    let mark = if picture.faces_eye {
        picture.dot.map_or([0.0; 4], |[x, y]| [x, y, 1.0, 0.0])
    } else {
        picture.mark.map_or([0.0; 4], |mark| mark.map(|n| n as f32))
    };
    [
        center.x,
        center.y,
        center.z,
        // Whole numbers below 2^24 are exact in f32.
        first as f32,
        right.x,
        right.y,
        right.z,
        picture.columns as f32,
        up.x,
        up.y,
        up.z,
        picture.rows() as f32,
        frame.red,
        frame.green,
        frame.blue,
        kind,
        mark[0],
        mark[1],
        mark[2],
        mark[3],
        picture.rim,
        picture.lift,
        picture.fade,
        0.0,
    ]
}
