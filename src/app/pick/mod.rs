//! What is under the pointer in the network, and what a click does.
//!
//! Connections are drawn without a mesh of their own, so the general picking
//! of meshes cannot see them: here a ray through the pointer is tested against
//! every neuron and every drawn connection, in frames in which the pointer, the
//! camera or the network moved.

mod geometry;
mod kernel;
mod kernel_parts;
mod tooltip;

use super::labels::ViewCamera;
use super::picture::not_picturing;
use super::plugins::GradscapeSystems;
use super::scene::{
    Connection, Ends, Neuron, Picture, Shape, Thickness, WeightPanel, row_direction,
};
use super::state::{CameraRequest, Item, SceneView, Selection};
use super::training::Training;
use crate::insight::weight_map::WeightMap;
use crate::nn::{Connections, Network};
use bevy::prelude::*;
use bevy::window::PrimaryWindow;
use bevy_egui::{EguiContexts, EguiPrimaryContextPass};
pub(super) use geometry::ray_ball;
use geometry::{ray_cell, ray_segment};

pub(super) fn plugin(app: &mut App) {
    app.init_resource::<Pointer>()
        .init_resource::<OverMap>()
        .add_systems(
            Update,
            (point, click)
                .chain()
                .run_if(not_picturing)
                .in_set(NetworkPicking)
                .in_set(GradscapeSystems::Input),
        )
        .add_systems(
            EguiPrimaryContextPass,
            tooltip::show_numbers.run_if(not_picturing),
        )
        .add_plugins(kernel::plugin);
}

/// Finding what is under the pointer in the network, and clicks there.
#[derive(SystemSet, Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct NetworkPicking;

/// A press and release farther apart than this, in points, is a drag.
const STILL: f32 = 4.0;
/// Two clicks within so many seconds are a double click.
const DOUBLE: f32 = 0.4;
/// How near the pointer has to come to a thin connection, in points.
const REACH: f32 = 4.0;

/// Where the pointer is over the network's view.
#[derive(Resource, Debug, Clone, Copy, PartialEq, Default)]
struct Pointer {
    /// In points of the window; `None` where it is not over the view.
    at: Option<Vec2>,
}

/// The row and the column of the weights' map under the pointer, from 0.
#[derive(Resource, Debug, Clone, Copy, PartialEq, Eq, Default)]
struct OverMap(Option<[usize; 2]>);

/// Finds what is under the pointer.
fn point(
    mut contexts: EguiContexts,
    window: Option<Single<&Window, With<PrimaryWindow>>>,
    cameras: Query<(&ViewCamera, &Camera, Ref<GlobalTransform>)>,
    neurons: Query<(&Neuron, &Shape, &Transform)>,
    connections: Query<(&Connection, &Ends, &Thickness)>,
    maps: Query<(&WeightPanel, &Picture)>,
    moved: Query<(), Or<(Changed<Ends>, Changed<WeightPanel>)>>,
    buttons: Res<ButtonInput<MouseButton>>,
    training: Res<Training>,
    (mut pointer, mut over_map): (ResMut<Pointer>, ResMut<OverMap>),
    mut selection: ResMut<Selection>,
) {
    let taken = contexts
        .ctx_mut()
        .is_ok_and(|ctx| ctx.egui_wants_pointer_input() || ctx.egui_is_using_pointer());
    let cursor = window
        .and_then(|window| window.cursor_position())
        .filter(|_| !taken);
    let camera = cameras
        .iter()
        .find(|(view, camera, _)| view.0 == SceneView::Network && camera.is_active);
    let over = cursor.zip(camera).filter(|(cursor, (_, camera, _))| {
        camera
            .logical_viewport_rect()
            .is_some_and(|rect| rect.contains(*cursor))
    });
    let at = over.as_ref().map(|(cursor, _)| *cursor);
    let dragging = buttons.pressed(MouseButton::Left) && !buttons.just_pressed(MouseButton::Left);
    let turned = over
        .as_ref()
        .is_some_and(|(_, (_, _, place))| place.is_changed());
    if pointer.at == at && !turned && moved.is_empty() {
        return;
    }
    if pointer.at != at {
        pointer.at = at;
    }
    if dragging && at.is_some() {
        return;
    }
    let hovered = over.and_then(|(cursor, (_, camera, place))| {
        let ray = camera.viewport_to_world(&place, cursor).ok()?;
        let beside = camera.viewport_to_world(&place, cursor + Vec2::X).ok()?;
        // The width of a point at distance 1 along the ray.
        let point = ray.direction.distance(*beside.direction);
        let neuron = neuron_under(&ray, &neurons);
        // A map hides what is behind it.
        let map = map_under(&ray, &maps)
            .filter(|(along, ..)| neuron.is_none_or(|(nearer, _)| *along < nearer));
        if let Some((_, map, cell)) = map {
            let item = map
                .parameter(cell[0], cell[1])
                .and_then(|index| through(&training.problem.network, &map, index));
            return Some((item, Some(cell)));
        }
        let item = neuron
            .map(|(_, item)| item)
            .or_else(|| connection_under(&ray, point, &connections));
        Some((item, None))
    });
    let (hovered, cell) = hovered.unwrap_or_default();
    over_map.set_if_neq(OverMap(cell.filter(|_| hovered.is_some())));
    if selection.hovered != hovered {
        selection.hovered = hovered;
    }
}

/// How far away it is, the map, and the row and the column of its cell.
fn map_under(
    ray: &Ray3d,
    maps: &Query<(&WeightPanel, &Picture)>,
) -> Option<(f32, WeightMap, [usize; 2])> {
    let hits = maps.iter().filter_map(|(panel, picture)| {
        let (along, cell) = picture.meet(ray)?;
        Some((along, panel.map, cell))
    });
    hits.min_by(|a, b| a.0.total_cmp(&b.0))
}

/// A connection through the weight with index `parameter` of a map: of a kernel's, which
/// many share, that of the window in the middle of the feature map or, where that lies
/// over an edge there, of the first that has it.
fn through(network: &Network, map: &WeightMap, parameter: usize) -> Option<Item> {
    let connections = Connections::of(network, map.layer, 0)?;
    let place = network.layout().place(parameter)?;
    let pixels = network.layers().get(map.layer)?.output_shape().pixels();
    let first = place.unit * pixels;
    let units = std::iter::once(first + pixels / 2).chain(first..first + pixels);
    let mut links = units
        .flat_map(|unit| connections.into_unit(unit))
        .filter_map(|index| connections.get(index));
    let link = links.find(|link| link.parameter == Some(parameter))?;
    Some(Item::Connection {
        layer: map.layer,
        source: 0,
        from: link.from,
        to: link.to,
    })
}

/// The neuron under the pointer, and how far away it is.
fn neuron_under(
    ray: &Ray3d,
    neurons: &Query<(&Neuron, &Shape, &Transform)>,
) -> Option<(f32, Item)> {
    let hits = neurons.iter().filter_map(|(neuron, shape, place)| {
        let (center, radius) = (place.translation, place.scale.x);
        let along = match shape {
            Shape::Ball => ray_ball(ray, center, radius),
            Shape::Cell => ray_cell(ray, center, radius, row_direction()),
        };
        along.map(|along| (along, neuron))
    });
    let (along, neuron) = hits.min_by(|a, b| a.0.total_cmp(&b.0))?;
    let item = Item::Neuron {
        column: neuron.column,
        unit: neuron.unit,
    };
    Some((along, item))
}

/// The connection that the pointer touches, the nearest of several; otherwise
/// the one that it misses by the least, within reach. `point` is the width of a
/// point at distance 1.
fn connection_under(
    ray: &Ray3d,
    point: f32,
    connections: &Query<(&Connection, &Ends, &Thickness)>,
) -> Option<Item> {
    let hits = connections
        .iter()
        .filter_map(|(connection, ends, thickness)| {
            let lines = ends.lines().filter_map(|(a, b)| ray_segment(ray, a, b));
            let missed = lines.map(|passing| {
                let beside = (passing.distance - 0.5 * thickness.0).max(0.0);
                (beside / (passing.along * point), passing.along)
            });
            let (missed, along) = missed.min_by(|a, b| a.0.total_cmp(&b.0))?;
            (missed <= REACH && thickness.0 > 0.0).then_some((missed, along, connection))
        });
    let nearer = |a: &(f32, f32, &Connection), b: &(f32, f32, &Connection)| {
        a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1))
    };
    let (_, _, connection) = hits.min_by(nearer)?;
    Some(connection.item())
}

/// A press that waits for its release, and the click before it.
#[derive(Default)]
struct Presses {
    down: Option<Vec2>,
    last: Option<(f32, Option<Item>)>,
}

/// A click selects what is under the pointer, or nothing; a double click on a
/// neuron or a connection brings it into the middle.
fn click(
    mut contexts: EguiContexts,
    time: Res<Time<Real>>,
    buttons: Res<ButtonInput<MouseButton>>,
    pointer: Res<Pointer>,
    neurons: Query<(&Neuron, &Transform)>,
    connections: Query<(&Connection, &Ends)>,
    mut presses: Local<Presses>,
    mut selection: ResMut<Selection>,
    mut cameras: MessageWriter<CameraRequest>,
) {
    let taken = contexts
        .ctx_mut()
        .is_ok_and(|ctx| ctx.egui_wants_pointer_input() || ctx.egui_is_using_pointer());
    if buttons.just_pressed(MouseButton::Left) {
        presses.down = pointer.at.filter(|_| !taken);
    }
    if !buttons.just_released(MouseButton::Left) {
        return;
    }
    let Some((down, up)) = presses.down.take().zip(pointer.at) else {
        return;
    };
    if down.distance(up) > STILL {
        presses.last = None;
        return;
    }
    let item = selection.hovered;
    if selection.selected != item {
        selection.selected = item;
    }
    let now = time.elapsed_secs();
    let again = presses
        .last
        .is_some_and(|(before, what)| now - before <= DOUBLE && what == item);
    presses.last = if again { None } else { Some((now, item)) };
    let place = item.filter(|_| again).and_then(|item| match item {
        Item::Neuron { column, unit } => neurons
            .iter()
            .find(|(neuron, _)| neuron.column == column && neuron.unit == unit)
            .map(|(_, place)| place.translation),
        Item::Connection { .. } => connections
            .iter()
            .find(|(this, _)| this.item() == item)
            .map(|(_, ends)| ends.at(0.5)),
    });
    if let Some(point) = place {
        cameras.write(CameraRequest::Focus {
            view: SceneView::Network,
            point,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Experiment;
    use crate::train::Problem;

    #[test]
    fn every_cell_of_a_map_is_a_connection_with_its_weight() {
        let text = "[data]\nsource = \"digits\"\nlimit = 50\n[network]\nlayers = [\
            { conv = 3, kernel = 5, padding = 3 }, { conv = 2, kernel = 3 }, \"flatten\", { dense = 4 }]\n\
            loss = \"cross-entropy\"\n";
        let problem = Problem::new(&Experiment::parse(text, "test").unwrap()).unwrap();
        let network = &problem.network;
        let maps = WeightMap::all(&problem);
        assert_eq!(maps.len(), 4);
        for map in maps {
            for parameter in network.layout().weight(map.layer) {
                let item = through(network, &map, parameter).unwrap();
                let found = super::super::format::parameter_of(network, item);
                assert_eq!(found, Some(parameter), "{item:?}");
            }
        }
    }
}
