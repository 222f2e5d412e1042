//! The weights between two layers as heat maps that are folded out in the place of the
//! connections.

use super::super::camera::CameraSettings;
use super::super::format::number;
use super::super::labels::{Crowded, Label};
use super::super::presenter::Motion;
use super::super::state::{ConnectionValue, HeatView, Item, NetworkView, SceneView, Selection};
use super::super::text::Texts;
use super::super::theme::{Theme, linear};
use super::super::training::Training;
use super::layout::row_direction;
use super::map_places::stand;
use super::paint::connection_values;
use super::parts::NetworkPart;
use super::picture::Picture;
use super::spawn::NetworkLayout;
use crate::figure::HeatTable;
use crate::insight::weight_map::{MapKind, WeightMap};
use crate::nn::{LayerKind, Network};
use bevy::ecs::message::Messages;
use bevy::prelude::*;
use bevy::window::RequestRedraw;
use bevy_egui::egui::Align2;
use std::sync::Arc;

/// Seconds that folding takes.
const SECONDS: f32 = 0.6;
/// Half the height of the colour bar, and how far it stands below its map.
const BAR: f32 = 0.08;
pub(super) const BELOW: f32 = 0.34;
/// Colours of the bar.
const BAR_CELLS: usize = 64;

/// How far the maps are folded out, and of which layers there are some.
#[derive(Resource, Debug, Clone, PartialEq, Default)]
pub struct Folding {
    /// From 0, folded, to 1.
    t: f32,
    layers: Vec<bool>,
}

impl Folding {
    /// How far a map has come in the place of a layer's connections, 0 to 1.
    pub fn over(&self, layer: usize) -> f32 {
        if self.layers.get(layer) == Some(&true) {
            self.t
        } else {
            0.0
        }
    }

    /// Whether they are out, at least in part.
    pub fn is_out(&self) -> bool {
        self.t > 0.0
    }

    /// The same with a soft start and end.
    fn eased(&self) -> f32 {
        self.t * self.t * (3.0 - 2.0 * self.t)
    }
}

/// The map of a layer's weights; it has a [`Picture`].
#[derive(Component, Debug, Clone, Copy, PartialEq)]
#[require(Picture)]
pub struct WeightPanel {
    /// How its cells lie.
    pub map: WeightMap,
    /// Its middle, and half its width and height.
    pub(super) center: Vec3,
    pub(super) half: [f32; 2],
}

/// The colours below a map.
#[derive(Component, Debug, Clone, Copy)]
#[require(Picture)]
pub(super) struct ColorBar {
    layer: usize,
}

/// What is written at a layer's map.
#[derive(Component, Debug, Clone, Copy, PartialEq, Eq)]
#[require(NetworkPart)]
pub enum MapText {
    /// What it is.
    Title(WeightMap),
    /// The numbers at the ends of its colours.
    Low(usize),
    /// See `Low`.
    High(usize),
}

/// Folds the maps out and in as the user wants it.
pub(super) fn fold(
    mut commands: Commands,
    time: Res<Time>,
    (motion, settings): (Res<Motion>, Option<Res<CameraSettings>>),
    view: Res<NetworkView>,
    training: Res<Training>,
    layout: Res<NetworkLayout>,
    parts: Query<Entity, Or<(With<WeightPanel>, With<ColorBar>, With<MapText>)>>,
    mut folding: ResMut<Folding>,
    redraw: Option<ResMut<Messages<RequestRedraw>>>,
) {
    let still = motion.reduced || settings.is_some_and(|settings| settings.still);
    let step = if still {
        1.0
    } else {
        // A frame that took long does not skip the whole way.
        time.delta_secs().min(0.1) / SECONDS
    };
    let t = if view.maps && !layout.in_blocks {
        (folding.t + step).min(1.0)
    } else {
        (folding.t - step).max(0.0)
    };
    if folding.t != t {
        folding.t = t;
        if let Some(mut redraw) = redraw {
            redraw.write(RequestRedraw);
        }
    }
    if t == 0.0 && !parts.is_empty() {
        parts
            .iter()
            .for_each(|part| commands.entity(part).despawn());
    }
    if t == 0.0 || !parts.is_empty() || !layout.spread {
        return;
    }
    let maps = WeightMap::all(&training.problem);
    let mut layers = vec![false; training.problem.network.layers().len()];
    for map in maps {
        if let Some(panel) = stand(&training.problem, &layout, map) {
            layers[map.layer] = true;
            spawn(&mut commands, panel);
        }
    }
    if folding.layers != layers {
        folding.layers = layers;
    }
}

fn spawn(commands: &mut Commands, panel: WeightPanel) {
    let layer = panel.map.layer;
    let [_, half] = panel.half;
    let top = panel.center + (half + 0.12) * Vec3::Y;
    let foot = panel.center - (half + BELOW + 2.0 * BAR) * Vec3::Y;
    let end = bar_half(&panel) * row_direction();
    commands.spawn(panel);
    commands.spawn(ColorBar { layer });
    let title = MapText::Title(panel.map);
    for (text, at, anchor, size) in [
        (title, top, Align2::CENTER_BOTTOM, 14.0),
        (MapText::Low(layer), foot - end, Align2::CENTER_TOP, 12.0),
        (MapText::High(layer), foot + end, Align2::CENTER_TOP, 12.0),
    ] {
        let label = Label {
            text: String::new(),
            view: SceneView::Network,
            size,
            anchor,
            faint: text != title,
        };
        let rank = if text == title { 1 } else { 2 };
        let crowded = Crowded {
            rank,
            ..Crowded::default()
        };
        commands.spawn((text, label, crowded, Transform::from_translation(at)));
    }
}

fn bar_half(panel: &WeightPanel) -> f32 {
    panel.half[0].max(0.45)
}

/// What the colours were made from.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Painted {
    params: Arc<[f32]>,
    revision: u64,
    value: ConnectionValue,
    heat: HeatView,
    theme: Theme,
}

/// Colours the maps anew where what they show has changed.
pub(super) fn paint(
    training: Res<Training>,
    view: Res<NetworkView>,
    theme: Res<Theme>,
    added: Query<(), Added<WeightPanel>>,
    mut panels: Query<(&WeightPanel, &mut Picture), Without<ColorBar>>,
    mut bars: Query<(&ColorBar, &mut Picture), Without<WeightPanel>>,
    mut texts: Query<(&MapText, &mut Label, &mut Crowded)>,
    mut painted: Local<Option<Painted>>,
) {
    if panels.is_empty() {
        return;
    }
    let snapshot = &training.snapshot;
    let same = |painted: &Painted| {
        Arc::ptr_eq(&painted.params, &snapshot.params)
            && painted.revision == snapshot.revision
            && (painted.value, painted.heat, painted.theme) == (view.connections, view.heat, *theme)
    };
    if added.is_empty() && painted.as_ref().is_some_and(same) {
        return;
    }
    *painted = Some(Painted {
        params: Arc::clone(&snapshot.params),
        revision: snapshot.revision,
        value: view.connections,
        heat: view.heat,
        theme: *theme,
    });
    let heat = view.heat;
    let palette = theme.palette();
    let mut style = theme.tone.style();
    style.diverging = palette.diverging;
    let table = HeatTable::new(heat.colors, &style);
    let (values, _) = connection_values(&training, view.connections);
    let network = &training.problem.network;
    let of_layer = |layer: usize| {
        values
            .get(network.layout().weight(layer))
            .unwrap_or_default()
    };
    let all = panels.iter().map(|(panel, _)| of_layer(panel.map.layer));
    let shared = heat.colors.range(all.flatten());
    let range = |layer: usize| match heat.own_scale {
        true => heat.colors.range(of_layer(layer).iter()),
        false => shared,
    };
    let frame = linear(palette.background.blend(palette.faint, 0.5));
    for (panel, mut picture) in &mut panels {
        let map = &panel.map;
        let range = range(map.layer);
        picture.columns = map.columns();
        picture.frame = frame;
        picture.cells.clear();
        for row in 0..map.rows() {
            let cells = (0..map.columns()).map(|column| {
                let Some(&value) = map.parameter(row, column).and_then(|i| values.get(i)) else {
                    return [0; 4];
                };
                let [r, g, b] = table.at(value, range);
                [r, g, b, 255]
            });
            picture.cells.extend(cells);
        }
    }
    for (bar, mut picture) in &mut bars {
        let [low, high] = range(bar.layer);
        picture.columns = BAR_CELLS;
        picture.smooth = true;
        picture.frame = frame;
        picture.cells = (0..BAR_CELLS)
            .map(|k| {
                let share = k as f32 / (BAR_CELLS - 1) as f32;
                let [r, g, b] = table.at(low + (high - low) * share, [low, high]);
                [r, g, b, 255]
            })
            .collect();
    }
    for (text, mut label, mut crowded) in &mut texts {
        let value = match *text {
            MapText::Title(_) => continue,
            MapText::Low(layer) => range(layer)[0],
            MapText::High(layer) => range(layer)[1],
        };
        let value = number(value.into(), 2);
        if label.text != value {
            crowded.short.clone_from(&value);
            label.text = value;
        }
    }
}

/// Stands the maps where they are while they are folded, and marks what is in focus.
pub(super) fn place(
    folding: Res<Folding>,
    selection: Res<Selection>,
    training: Res<Training>,
    added: Query<(), Added<WeightPanel>>,
    mut panels: Query<(&WeightPanel, &mut Picture), Without<ColorBar>>,
    mut bars: Query<(&ColorBar, &mut Picture), Without<WeightPanel>>,
) {
    if panels.is_empty() || !(folding.is_changed() || selection.is_changed() || !added.is_empty()) {
        return;
    }
    // As a door opens: from edge on.
    let t = folding.eased();
    let turn = Quat::from_rotation_y((1.0 - t) * std::f32::consts::FRAC_PI_2);
    let along = turn * row_direction();
    for (panel, mut picture) in &mut panels {
        picture.center = panel.center;
        picture.right = panel.half[0] * along;
        picture.up = panel.half[1] * Vec3::Y;
        picture.rim = 0.03;
        let mark = marked(&training.problem.network, &panel.map, &selection);
        if picture.mark != mark {
            picture.mark = mark;
        }
        for (bar, mut picture) in &mut bars {
            if bar.layer == panel.map.layer {
                picture.center = panel.center - (panel.half[1] + BELOW) * Vec3::Y;
                picture.right = bar_half(panel) * along;
                picture.up = BAR * Vec3::Y;
                picture.rim = 0.015;
            }
        }
    }
}

/// The cells of what is pointed at or selected: a weight's, or all that a unit or filter
/// reads by, or in a matrix those that read it.
fn marked(network: &Network, map: &WeightMap, selection: &Selection) -> Option<[usize; 4]> {
    let of = |item: Item| match item {
        Item::Connection { .. } => {
            let index = super::super::format::parameter_of(network, item)?;
            let [row, column] = map.cell(index)?;
            Some([row, column, row + 1, column + 1])
        }
        Item::Neuron { column, unit } if column == map.layer + 1 => {
            let layer = &network.layers()[map.layer];
            let unit = match layer.kind() {
                LayerKind::Conv(_) => unit / layer.output_shape().pixels(),
                _ => unit,
            };
            map.of_unit(unit)
        }
        Item::Neuron { column, unit } if map.kind == MapKind::Matrix => {
            let reads = network.layers()[map.layer].sources();
            let reads = reads.iter().any(|source| source.column() == column);
            (reads && unit < map.columns()).then(|| [0, unit, map.rows(), unit + 1])
        }
        Item::Neuron { .. } => None,
    };
    let (hovered, selected) = (selection.hovered, selection.selected);
    hovered.and_then(of).or_else(|| selected.and_then(of))
}

/// Writes the titles where the language or what is shown has changed.
pub(super) fn write(
    view: Res<NetworkView>,
    texts: Res<Texts>,
    added: Query<(), Added<MapText>>,
    mut labels: Query<(&MapText, &mut Label, &mut Crowded)>,
) {
    if !(view.is_changed() || texts.is_changed() || !added.is_empty()) {
        return;
    }
    let what = texts.get(match view.connections {
        ConnectionValue::Weight => "network_view.weight",
        ConnectionValue::Gradient => "network_view.gradient",
        ConnectionValue::LastChange => "network_view.change",
    });
    for (text, mut label, mut crowded) in &mut labels {
        let MapText::Title(map) = text else {
            continue;
        };
        let key = match map.kind {
            MapKind::Matrix => "scene.map_matrix",
            MapKind::Kernels => "scene.map_kernels",
            MapKind::Pictures => "scene.map_pictures",
        };
        let (k, n, [rows, columns]) = (map.layer + 1, map.blocks, map.block);
        let values: [(&str, &dyn std::fmt::Display); 5] = [
            ("what", &what),
            ("k", &k),
            ("n", &n),
            ("rows", &rows),
            ("columns", &columns),
        ];
        label.text = texts.with(key, &values);
        crowded.short = texts.with("scene.map_short", &[("k", &k)]);
    }
}
