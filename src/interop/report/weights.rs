//! Weights through time in the page: heat maps at some moments and histograms at more of
//! them, all in bounded size.

use super::pack::Packed;
use crate::insight::distributions::{Spread, on_one_axis};
use crate::insight::run_record::{RunRecord, evenly};
use crate::insight::weight_map::{MapKind, WeightMap};
use crate::nn::{ParamRole, ParamTensor};
use crate::train::PathPoint;
use serde::Serialize;

/// Weights in the page, over all layers and moments: they take 800 kB of it.
const CELLS: usize = 150_000;
/// Moments of which the weights are there, at most.
const MOMENTS: usize = 24;
/// Moments of which the histograms are there.
const SPREADS: usize = 36;
/// Bins of a histogram, at most.
const BINS: usize = 48;
/// Layers whose histograms are there, the first ones.
const LAYERS: usize = 40;

/// Weights at some moments, and their histograms at more.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Weights {
    /// Steps and epochs of the moments of the maps.
    step: Packed,
    epoch: Packed,
    maps: Vec<Map>,
    /// The same of the histograms.
    spread_step: Packed,
    spread_epoch: Packed,
    spreads: Vec<Ridge>,
    /// Layers with weights, and those among them that have a map, and histograms.
    layers: [usize; 3],
}

/// One layer's weights. `values` has those of the first moment, then those of the next.
#[derive(Debug, Clone, Serialize)]
struct Map {
    layer: usize,
    kind: &'static str,
    /// Blocks, blocks in a row, rows and columns of cells of a block, blocks of one unit.
    shape: [usize; 5],
    /// Rows and columns of a block before it was reduced.
    block: [usize; 2],
    /// The first weight's place in the parameter vector, and how many there are.
    range: [usize; 2],
    /// Rows and columns of weights whose mean is one cell; 1 and 1 where all are there.
    reduced: [usize; 2],
    values: Packed,
}

/// One layer's histograms, a row of counts a moment.
#[derive(Debug, Clone, Serialize)]
struct Ridge {
    layer: usize,
    role: &'static str,
    range: [f64; 2],
    bins: usize,
    counts: Packed,
}

/// Which moments of the path the maps are of.
pub(super) fn moments(record: &RunRecord) -> Vec<usize> {
    let weights: usize = shown(record).iter().map(|m| cells(m, [1, 1])).sum();
    let most = (CELLS / weights.max(1)).clamp(2, MOMENTS);
    evenly(record.path.len(), most)
}

fn shown(record: &RunRecord) -> Vec<WeightMap> {
    WeightMap::all(&record.problem)
}

/// Cells of a map of which `reduced` rows and columns are one.
fn cells(map: &WeightMap, [down, across]: [usize; 2]) -> usize {
    let [height, width] = map.block;
    map.blocks * height.div_ceil(down) * width.div_ceil(across)
}

impl Weights {
    /// Those of a record at the moments of its path with these places.
    pub fn of(record: &RunRecord, moments: &[usize]) -> Self {
        let points: Vec<&PathPoint> = moments.iter().map(|&k| &record.path[k]).collect();
        let maps = shown(record);
        let reduced = reduced(&maps, points.len());
        let layout = record.problem.network.layout();
        let has_weights = |tensor: &&ParamTensor| tensor.role == ParamRole::Weight;
        let weighted = layout.tensors().iter().filter(has_weights).count();
        let spread_points = evenly(record.path.len(), SPREADS);
        let spread_points: Vec<&PathPoint> =
            spread_points.iter().map(|&k| &record.path[k]).collect();
        let tensors: Vec<&ParamTensor> = layout
            .tensors()
            .iter()
            .filter(|tensor| matches!(tensor.role, ParamRole::Weight | ParamRole::Bias))
            .filter(|tensor| !tensor.range.is_empty())
            .collect();
        let spreads: Vec<Ridge> = tensors
            .iter()
            .filter(|tensor| tensor.layer < LAYERS)
            .filter_map(|tensor| ridge(tensor, &spread_points))
            .collect();
        let with_weights = spreads.iter().filter(|r| r.role == "weight").count();
        Weights {
            step: Packed::u32(points.iter().map(|point| point.step)),
            epoch: Packed::u32(points.iter().map(|point| point.epoch as u64)),
            layers: [weighted, maps.len(), with_weights],
            maps: maps
                .iter()
                .zip(reduced)
                .map(|(map, reduced)| data(map, reduced, &points))
                .collect(),
            spread_step: Packed::u32(spread_points.iter().map(|point| point.step)),
            spread_epoch: Packed::u32(spread_points.iter().map(|point| point.epoch as u64)),
            spreads,
        }
    }
}

/// By how much each map is reduced so that all of them at `moments` moments fit.
fn reduced(maps: &[WeightMap], moments: usize) -> Vec<[usize; 2]> {
    let mut by: Vec<[usize; 2]> = vec![[1, 1]; maps.len()];
    loop {
        let sizes = maps.iter().zip(&by).map(|(map, by)| cells(map, *by));
        let sizes: Vec<usize> = sizes.collect();
        if moments * sizes.iter().sum::<usize>() <= CELLS {
            return by;
        }
        // The largest of those that can still be reduced.
        let largest = (0..maps.len())
            .filter(|&k| by[k][0] < maps[k].block[0] || by[k][1] < maps[k].block[1])
            .max_by_key(|&k| sizes[k]);
        let Some(k) = largest else {
            return by;
        };
        // The longer side first, so that cells stay as square as the picture.
        let [down, across] = by[k];
        let [height, width] = [maps[k].block[0] / down, maps[k].block[1] / across];
        if height >= width {
            by[k][0] = 2 * down;
        } else {
            by[k][1] = 2 * across;
        }
    }
}

fn data(map: &WeightMap, reduced: [usize; 2], points: &[&PathPoint]) -> Map {
    let [height, width] = map.block;
    let [down, across] = reduced;
    let (rows, columns) = (height.div_ceil(down), width.div_ceil(across));
    let len = map.blocks * height * width;
    let values = points.iter().flat_map(|point| {
        let weights = &point.params[map.start..map.start + len];
        weights.chunks(height * width).flat_map(move |block| {
            (0..rows * columns).map(move |cell| {
                let (top, left) = (cell / columns * down, cell % columns * across);
                let (bottom, right) = ((top + down).min(height), (left + across).min(width));
                let part =
                    (top..bottom).flat_map(|row| &block[row * width + left..row * width + right]);
                let n = ((bottom - top) * (right - left)) as f32;
                part.sum::<f32>() / n
            })
        })
    });
    Map {
        layer: map.layer,
        kind: match map.kind {
            MapKind::Matrix => "matrix",
            MapKind::Kernels => "kernels",
            MapKind::Pictures => "pictures",
        },
        shape: [map.blocks, map.across, rows, columns, map.per_unit],
        block: map.block,
        range: [map.start, len],
        reduced,
        values: Packed::f32(values),
    }
}

fn ridge(tensor: &ParamTensor, points: &[&PathPoint]) -> Option<Ridge> {
    let spreads: Option<Vec<Spread>> = points
        .iter()
        .map(|point| Spread::of(&point.params[tensor.range.clone()]))
        .collect();
    let spreads = spreads?;
    let histograms = on_one_axis(&spreads.iter().collect::<Vec<_>>(), BINS);
    let first = histograms.first()?;
    Some(Ridge {
        layer: tensor.layer,
        role: match tensor.role {
            ParamRole::Weight => "weight",
            _ => "bias",
        },
        range: first.range,
        bins: first.counts.len(),
        counts: Packed::u32(histograms.iter().flat_map(|h| h.counts.iter().copied())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Experiment;
    use crate::train::Problem;
    use std::sync::Arc;

    fn problem(layers: &str) -> Problem {
        let text = format!(
            "[data]\nsource = \"digits\"\nlimit = 50\n[network]\nlayers = [{layers}]\n\
             loss = \"cross-entropy\"\n"
        );
        Problem::new(&Experiment::parse(&text, "test").unwrap()).unwrap()
    }

    #[test]
    fn maps_that_are_too_large_are_reduced_until_they_fit_and_the_largest_first() {
        let problem = problem("{ dense = 400 }, { dense = 400 }");
        let maps = WeightMap::all(&problem);
        let by = reduced(&maps, 2);
        let all: usize = maps.iter().zip(&by).map(|(m, by)| cells(m, *by)).sum();
        assert!(2 * all <= CELLS, "{all}");
        assert!(by[1] != [1, 1] && by[2] == [1, 1], "{by:?}");
        assert_eq!(reduced(&maps[2..], 2), [[1, 1]]);
    }

    #[test]
    fn a_reduced_cell_is_the_mean_of_its_weights() {
        let problem = problem("{ dense = 3 }");
        let map = WeightMap::all(&problem)[1];
        assert_eq!(map.block, [10, 3]);
        let params: Vec<f32> = (0..problem.network.layout().len())
            .map(|k| k as f32)
            .collect();
        let point = PathPoint {
            step: 0,
            epoch: 0,
            params: Arc::from(params),
            loss: 0.0,
        };
        let map = data(&map, [4, 2], &[&point]);
        // Rows 0-3, 4-7 and 8-9 of columns 0-1 and 2; a row is 3 numbers after the last.
        let s = map.range[0] as f32;
        let wanted = [s + 5.0, s + 6.5, s + 17.0, s + 18.5, s + 26.0, s + 27.5];
        assert_eq!(map.values, Packed::f32(wanted));
        assert_eq!(map.shape, [1, 1, 3, 2, 1]);
    }
}
