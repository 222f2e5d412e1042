//! Writes a network's components into two buffers, one for all neurons and
//! one for all connections, in frames in which some of them changed; those of each
//! network beside it into two of their own.

use super::super::plugins::GradscapeSystems;
use super::super::scene::{
    BlockLink, Connection, Ends, Neuron, Outline, Pulses, RivalConnection, RivalNeuron, Shape,
    Sign, Slot, Standing, Thickness, Tint, row_direction,
};
use super::super::state::SceneView;
use super::super::theme::{Theme, linear};
use super::network_material::{
    self, CONNECTION_FLOATS, ConnectionKey, ConnectionMaterial, NEURON_FLOATS, NeuronLook,
    NeuronMaterial, lines, quads,
};
use crate::figure::Tone;
use bevy::asset::RenderAssetUsages;
use bevy::camera::visibility::{NoFrustumCulling, RenderLayers};
use bevy::platform::collections::HashMap;
use bevy::prelude::*;
use bevy::render::storage::ShaderBuffer;

pub(super) fn plugin(app: &mut App) {
    app.add_plugins(network_material::plugin).add_systems(
        Update,
        (
            follow_theme,
            write_neurons::<Neuron>,
            write_connections::<Connection>,
            write_neurons::<RivalNeuron>,
            write_connections::<RivalConnection>,
            write_connections::<BlockLink>,
            write_pulses,
        )
            .chain()
            .in_set(GradscapeSystems::Render),
    );
}

/// What is drawn with the others of its kind and network from one buffer.
trait Part: Component {
    /// In which view its network is seen.
    fn view(&self) -> SceneView;
}

impl Part for Neuron {
    fn view(&self) -> SceneView {
        SceneView::Network
    }
}

impl Part for Connection {
    fn view(&self) -> SceneView {
        SceneView::Network
    }
}

impl Part for BlockLink {
    fn view(&self) -> SceneView {
        SceneView::Network
    }
}

impl Part for RivalNeuron {
    fn view(&self) -> SceneView {
        SceneView::Beside(self.rival)
    }
}

impl Part for RivalConnection {
    fn view(&self) -> SceneView {
        SceneView::Beside(self.rival)
    }
}

impl Part for Pulses {
    fn view(&self) -> SceneView {
        SceneView::Network
    }
}

/// How many slots the parts of each view's network take, by its layer.
type Slots = [usize; SceneView::COUNT];

/// Counts them, each part with its view and its slots.
fn slots_of(parts: impl Iterator<Item = (SceneView, usize)>) -> Slots {
    let mut slots = [0; SceneView::COUNT];
    parts.for_each(|(view, taken)| slots[view.layer()] += taken);
    slots
}

/// What draws all neurons, or all connections, of one network.
#[derive(Debug, Clone)]
struct Drawing {
    entities: Vec<Entity>,
    buffer: Handle<ShaderBuffer>,
    slots: usize,
}

/// What draws all parts of this kind: one drawing for each network.
#[derive(Resource, Debug, Clone)]
struct Drawings<T> {
    all: HashMap<SceneView, Drawing>,
    _of: std::marker::PhantomData<T>,
}

impl<T> Default for Drawings<T> {
    fn default() -> Self {
        Drawings {
            all: HashMap::default(),
            _of: std::marker::PhantomData,
        }
    }
}

impl<T> Drawings<T> {
    /// The views whose networks have no such part any more.
    fn vacant(&self, slots: &Slots) -> Vec<SceneView> {
        let views = self.all.keys().copied();
        views.filter(|view| slots[view.layer()] == 0).collect()
    }
}

/// From so many connections on, the thinnest are drawn as lines.
const CROWD: usize = 1000;

/// Whether a drawing of `have` slots serves `need`: its buffer keeps its size,
/// as another size would leave the material with a stale binding.
fn serves(have: usize, need: usize) -> bool {
    need <= have && have <= 2 * need + 64
}

fn look(theme: Theme) -> NeuronLook {
    let palette = theme.palette();
    let (rim, strength, shade, gloss) = match theme.tone {
        Tone::Dark => (palette.text, 0.32, 0.55, 0.22),
        Tone::Light => (palette.text, 0.42, 0.3, 0.35),
    };
    NeuronLook {
        rim: linear(rim).to_vec3().extend(strength),
        row: row_direction().extend(0.0),
        shade,
        gloss,
    }
}

fn follow_theme(
    theme: Res<Theme>,
    mut neurons: ResMut<Assets<NeuronMaterial>>,
    mut connections: ResMut<Assets<ConnectionMaterial>>,
) {
    if !theme.is_changed() {
        return;
    }
    for (_, material) in neurons.iter_mut() {
        material.look = look(*theme);
    }
    for (_, material) in connections.iter_mut() {
        material.background = background(*theme);
    }
}

fn background(theme: Theme) -> Vec4 {
    linear(theme.palette().background).to_vec4()
}

fn write_neurons<T: Part>(
    mut commands: Commands,
    theme: Res<Theme>,
    neurons: Query<(&T, &Slot, &Transform, &Tint, &Shape, &Standing, &Outline)>,
    changed: Query<
        (),
        (
            With<T>,
            Or<(
                Changed<Transform>,
                Changed<Tint>,
                Changed<Standing>,
                Changed<Outline>,
                Changed<Slot>,
            )>,
        ),
    >,
    mut removed: RemovedComponents<T>,
    drawings: Option<Res<Drawings<T>>>,
    mut meshes: ResMut<Assets<Mesh>>,
    mut buffers: ResMut<Assets<ShaderBuffer>>,
    mut materials: ResMut<Assets<NeuronMaterial>>,
) {
    if changed.is_empty() && removed.read().count() == 0 {
        return;
    }
    let counts = slots_of(neurons.iter().map(|(part, ..)| (part.view(), 1)));
    for view in drawings
        .iter()
        .flat_map(|drawings| drawings.vacant(&counts))
    {
        commands.queue(Remove::<T>::of(view));
    }
    for (view, count) in SceneView::all().zip(counts).filter(|(_, n)| *n > 0) {
        let old = drawings
            .as_ref()
            .and_then(|drawings| drawings.all.get(&view));
        let old = old.filter(|drawing| serves(drawing.slots, count));
        let slots = old.map_or(count, |drawing| drawing.slots).max(1);
        let mut floats = vec![0.0; slots * NEURON_FLOATS];
        for (part, slot, transform, tint, shape, standing, outline) in &neurons {
            let start = slot.0 as usize * NEURON_FLOATS;
            let Some(row) = floats.get_mut(start..start + NEURON_FLOATS) else {
                continue;
            };
            if part.view() != view {
                continue;
            }
            let (place, tint, ring) = (transform.translation, tint.0, outline.0);
            let kind = f32::from(u8::from(*shape == Shape::Cell))
                + 2.0 * f32::from(u8::from(*standing == Standing::Receded));
            row.copy_from_slice(&[
                place.x,
                place.y,
                place.z,
                transform.scale.x,
                tint.red,
                tint.green,
                tint.blue,
                kind,
                ring.red,
                ring.green,
                ring.blue,
                ring.alpha,
            ]);
        }
        let old = old.map(|drawing| drawing.buffer.clone());
        draw_balls::<T>(
            &mut commands,
            (view, old),
            (floats, slots),
            look(*theme),
            &mut meshes,
            &mut buffers,
            &mut materials,
        );
    }
}

fn write_connections<T: Part>(
    mut commands: Commands,
    theme: Res<Theme>,
    connections: Query<(&T, &Slot, &Ends, &Thickness, &Tint, &Sign, &Standing)>,
    changed: Query<
        (),
        (
            With<T>,
            Or<(
                Changed<Ends>,
                Changed<Thickness>,
                Changed<Tint>,
                Changed<Sign>,
                Changed<Standing>,
            )>,
        ),
    >,
    mut removed: RemovedComponents<T>,
    drawings: Option<Res<Drawings<T>>>,
    mut meshes: ResMut<Assets<Mesh>>,
    mut buffers: ResMut<Assets<ShaderBuffer>>,
    mut materials: ResMut<Assets<ConnectionMaterial>>,
) {
    if changed.is_empty() && removed.read().count() == 0 {
        return;
    }
    let parts = connections.iter();
    let counts = slots_of(parts.map(|(part, _, ends, ..)| (part.view(), ends.pieces())));
    for view in drawings
        .iter()
        .flat_map(|drawings| drawings.vacant(&counts))
    {
        commands.queue(Remove::<T>::of(view));
    }
    for (view, count) in SceneView::all().zip(counts).filter(|(_, n)| *n > 0) {
        let old = drawings
            .as_ref()
            .and_then(|drawings| drawings.all.get(&view));
        let old = old.filter(|drawing| serves(drawing.slots, count));
        let slots = old.map_or(count, |drawing| drawing.slots).max(1);
        let mut floats = vec![0.0; slots * CONNECTION_FLOATS];
        for (part, slot, ends, thickness, tint, sign, standing) in &connections {
            if part.view() != view {
                continue;
            }
            let tint = tint.0;
            let kind = f32::from(u8::from(*sign == Sign::Negative))
                + match standing {
                    Standing::Plain => 0.0,
                    Standing::Receded => 2.0,
                    Standing::Raised => 4.0,
                };
            let start = slot.0 as usize * CONNECTION_FLOATS;
            let rows = floats.get_mut(start..).unwrap_or_default();
            for (row, (a, b)) in rows.chunks_exact_mut(CONNECTION_FLOATS).zip(ends.lines()) {
                row.copy_from_slice(&[
                    a.x,
                    a.y,
                    a.z,
                    thickness.0,
                    b.x,
                    b.y,
                    b.z,
                    kind,
                    tint.red,
                    tint.green,
                    tint.blue,
                    0.0,
                ]);
            }
        }
        if let Some(drawing) = old {
            put(&mut buffers, &drawing.buffer, &floats);
            continue;
        }
        let buffer = buffers.add(buffer_of(&floats));
        let mut draw = |mesh: Mesh, key: ConnectionKey| {
            let material = ConnectionMaterial {
                connections: buffer.clone(),
                background: background(*theme),
                key,
            };
            (meshes.add(mesh), materials.add(material))
        };
        let drawn = if slots <= CROWD {
            vec![draw(quads(slots), ConnectionKey::Ribbons)]
        } else {
            vec![
                draw(quads(slots), ConnectionKey::ThickRibbons),
                draw(lines(slots), ConnectionKey::Lines),
            ]
        };
        commands.queue(Replace::<T, ConnectionMaterial> {
            view,
            drawn,
            buffer,
            slots,
            _of: std::marker::PhantomData,
        });
    }
}

/// Pulses are balls like neurons, in a buffer of their own.
fn write_pulses(
    mut commands: Commands,
    theme: Res<Theme>,
    pulses: Query<&Pulses, Changed<Pulses>>,
    drawings: Option<Res<Drawings<Pulses>>>,
    mut meshes: ResMut<Assets<Mesh>>,
    mut buffers: ResMut<Assets<ShaderBuffer>>,
    mut materials: ResMut<Assets<NeuronMaterial>>,
) {
    let Ok(Pulses(pulses)) = pulses.single() else {
        return;
    };
    let view = SceneView::Network;
    let drawing = drawings
        .as_ref()
        .and_then(|drawings| drawings.all.get(&view));
    if pulses.is_empty() && drawing.is_none() {
        return;
    }
    let old = drawing.filter(|drawing| pulses.len() <= drawing.slots);
    let slots = match old {
        Some(drawing) => drawing.slots,
        None => pulses.len().max(64).next_power_of_two(),
    };
    let mut floats = vec![0.0; slots * NEURON_FLOATS];
    for (row, pulse) in floats.chunks_exact_mut(NEURON_FLOATS).zip(pulses) {
        let (place, tint) = (pulse.place, pulse.tint);
        row[..7].copy_from_slice(&[
            place.x,
            place.y,
            place.z,
            pulse.radius,
            tint.red,
            tint.green,
            tint.blue,
        ]);
    }
    let old = old.map(|drawing| drawing.buffer.clone());
    let look = look(*theme);
    draw_balls::<Pulses>(
        &mut commands,
        (view, old),
        (floats, slots),
        look,
        &mut meshes,
        &mut buffers,
        &mut materials,
    );
}

/// Writes balls into the buffer that they have, or draws them with a new one.
fn draw_balls<T: Component>(
    commands: &mut Commands,
    (view, old): (SceneView, Option<Handle<ShaderBuffer>>),
    (floats, slots): (Vec<f32>, usize),
    look: NeuronLook,
    meshes: &mut Assets<Mesh>,
    buffers: &mut Assets<ShaderBuffer>,
    materials: &mut Assets<NeuronMaterial>,
) {
    if let Some(old) = old {
        put(buffers, &old, &floats);
        return;
    }
    let buffer = buffers.add(buffer_of(&floats));
    let neurons = buffer.clone();
    let material = materials.add(NeuronMaterial { neurons, look });
    commands.queue(Replace::<T, NeuronMaterial> {
        view,
        drawn: vec![(meshes.add(quads(slots)), material)],
        buffer,
        slots,
        _of: std::marker::PhantomData,
    });
}

fn bytes(floats: &[f32]) -> Vec<u8> {
    let mut bytes = vec![0; 4 * floats.len()];
    for (to, from) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(floats) {
        *to = from.to_le_bytes();
    }
    bytes
}

pub(super) fn buffer_of(floats: &[f32]) -> ShaderBuffer {
    ShaderBuffer::new(&bytes(floats), RenderAssetUsages::RENDER_WORLD)
}

pub(super) fn put(
    buffers: &mut Assets<ShaderBuffer>,
    handle: &Handle<ShaderBuffer>,
    floats: &[f32],
) {
    if let Some(mut buffer) = buffers.get_mut(handle) {
        buffer.data = Some(bytes(floats));
    }
}

/// Puts a drawing with another number of slots in the place of the old one.
struct Replace<T, M: Material> {
    view: SceneView,
    drawn: Vec<(Handle<Mesh>, Handle<M>)>,
    buffer: Handle<ShaderBuffer>,
    slots: usize,
    _of: std::marker::PhantomData<T>,
}

impl<T: Component, M: Material> Command for Replace<T, M> {
    type Out = ();

    fn apply(self, world: &mut World) {
        Remove::<T>::of(self.view).apply(world);
        let parts = self.drawn.into_iter().map(|(mesh, material)| {
            (
                Mesh3d(mesh),
                MeshMaterial3d(material),
                // The mesh holds slots and corners, no places: it has no
                // meaningful bounds.
                NoFrustumCulling,
                RenderLayers::layer(self.view.layer()),
            )
        });
        let entities = world.spawn_batch(parts.collect::<Vec<_>>()).collect();
        let drawing = Drawing {
            entities,
            buffer: self.buffer,
            slots: self.slots,
        };
        let mut drawings = world.get_resource_or_init::<Drawings<T>>();
        drawings.all.insert(self.view, drawing);
    }
}

/// Takes away the drawing of a network that has no such part any more.
struct Remove<T> {
    view: SceneView,
    _of: std::marker::PhantomData<T>,
}

impl<T> Remove<T> {
    fn of(view: SceneView) -> Self {
        Remove {
            view,
            _of: std::marker::PhantomData,
        }
    }
}

impl<T: Component> Command for Remove<T> {
    type Out = ();

    fn apply(self, world: &mut World) {
        let drawings = world.get_resource_mut::<Drawings<T>>();
        let old = drawings.and_then(|mut drawings| drawings.all.remove(&self.view));
        for entity in old.into_iter().flat_map(|old| old.entities) {
            world.despawn(entity);
        }
    }
}
