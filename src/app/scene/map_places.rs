//! Where heat maps of weights stand between the columns, how large they are, and how much
//! room they need.

use super::layout::{ACROSS, edge_across, row_direction};
use super::spawn::NetworkLayout;
use super::weight_maps::{BELOW, WeightPanel};
use crate::insight::weight_map::WeightMap;
use crate::train::Problem;
use bevy::prelude::*;

/// How wide and high a map is at most, and how wide in a network with feature maps, which
/// has many columns.
const WIDE: f32 = 5.0;
const HIGH: f32 = 5.6;
const NARROW: f32 = 3.6;
/// The largest cell.
const CELL: f32 = 0.64;
/// A map that is narrower or lower than this is stretched.
const LEAST: f32 = 1.5;
/// What is free on both sides of a map, as it is seen from afar; from nearby the end that
/// is turned to the eye looks larger.
const APART: f32 = 1.2;

/// How far a map stands to the left of the middle, as a share of half its width.
const NEARER: f32 = 0.1;

/// Half the width and height of a map: cells are square but where that would leave too
/// little to see.
fn half_size(problem: &Problem, map: &WeightMap) -> [f32; 2] {
    let wide = if problem.network.sees_images() {
        NARROW
    } else {
        WIDE
    };
    let (rows, columns) = (map.rows() as f32, map.columns() as f32);
    let cell = (wide / columns).min(HIGH / rows).min(CELL);
    [columns, rows].map(|cells| 0.5 * (cell * cells).max(LEAST))
}

/// How much room there has to be before each column for the maps of its layer, as it is
/// seen from the standard direction.
pub(super) fn room(problem: &Problem) -> Vec<f32> {
    let slant = row_direction().dot(ACROSS);
    let mut room = vec![0.0; problem.network.layers().len() + 1];
    for map in WeightMap::all(problem) {
        let [half, _] = half_size(problem, &map);
        room[map.layer + 1] = 2.0 * (slant * half + APART);
    }
    room
}

/// The lowest and the highest place of all maps with what is written at them.
pub(super) fn reach(problem: &Problem, layout: &NetworkLayout) -> Option<[f32; 2]> {
    let maps = WeightMap::all(problem);
    let panels = maps
        .into_iter()
        .filter_map(|map| stand(problem, layout, map));
    panels
        .map(|panel| {
            let (y, half) = (panel.center.y, panel.half[1]);
            [y - half - BELOW - 0.7, y + half + 0.6]
        })
        .reduce(|a, b| [a[0].min(b[0]), a[1].max(b[1])])
}

/// Where a map stands: in the middle of what is free between its layer's column and the
/// one before, turned as grids are.
pub(super) fn stand(
    problem: &Problem,
    layout: &NetworkLayout,
    map: WeightMap,
) -> Option<WeightPanel> {
    let from = layout.columns.get(map.layer)?;
    let to = layout.columns.get(map.layer + 1)?;
    let (left, right) = (edge_across(from, 1.0), edge_across(to, -1.0));
    let y = 0.25 * (from.min.y + from.max.y + to.min.y + to.max.y);
    let half = half_size(problem, &map);
    // Its right end is nearer to the eye and looks larger.
    let x = 0.5 * (left + right) / ACROSS.x - NEARER * half[0];
    Some(WeightPanel {
        map,
        center: Vec3::new(x, y + 0.5 * BELOW, 0.0),
        half,
    })
}
