//! The height at every point of a grid, coarse to fine.

use super::field::HeightField;
use super::grid::Axis;
use ndarray::Array2;
use rayon::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};

/// The loss over a grid of points of a plane.
#[derive(Debug, Clone, PartialEq)]
pub struct Surface {
    /// Coordinates along the first direction.
    pub x: Vec<f64>,
    /// Coordinates along the second direction.
    pub y: Vec<f64>,
    /// The height over each point, `[y, x]`: the mean data loss, unless another
    /// measure was asked for.
    pub loss: Array2<f64>,
}

impl Surface {
    /// The smallest and largest finite loss, or `None` if there is none.
    pub fn range(&self) -> Option<(f64, f64)> {
        let finite = self.loss.iter().copied().filter(|v| v.is_finite());
        finite.fold(None, |range, v| match range {
            None => Some((v, v)),
            Some((lo, hi)) => Some((v.min(lo), v.max(hi))),
        })
    }

    /// The loss at `(x, y)` between the grid's points, by bilinear
    /// interpolation; `None` outside.
    pub fn interpolate(&self, x: f64, y: f64) -> Option<f64> {
        let (i, fx) = cell(&self.x, x)?;
        let (j, fy) = cell(&self.y, y)?;
        let at = |dj: usize, di: usize| self.loss[[j + dj, i + di]];
        let low = at(0, 0) * (1.0 - fx) + at(0, 1) * fx;
        let high = at(1, 0) * (1.0 - fx) + at(1, 1) * fx;
        Some(low * (1.0 - fy) + high * fy)
    }
}

/// The cell of sorted `values` that holds `v`, and where in it, from 0 to 1.
fn cell(values: &[f64], v: f64) -> Option<(usize, f64)> {
    let (first, last) = (*values.first()?, *values.last()?);
    if values.len() < 2 || !(first..=last).contains(&v) {
        return None;
    }
    let i = values
        .partition_point(|&x| x <= v)
        .clamp(1, values.len() - 1)
        - 1;
    Some((i, (v - values[i]) / (values[i + 1] - values[i])))
}

/// Distances between the grid points of one level and the next, coarse to fine.
const STRIDES: [usize; 5] = [16, 8, 4, 2, 1];

/// Computes the height of `field` at every point of the grid, on the current
/// rayon pool. After each level of refinement `level` gets a complete, coarser
/// surface; the last one is the whole grid. Each point is computed once. `done`
/// counts points as they are finished. Returns `None` if `cancel` was set
/// meanwhile.
pub fn evaluate<F: HeightField>(
    field: &F,
    x: Axis,
    y: Axis,
    cancel: &AtomicBool,
    done: impl Fn(usize) + Sync,
    mut level: impl FnMut(Surface),
) -> Option<Surface> {
    let mut loss = Array2::from_elem((y.n, x.n), f64::NAN);
    let (xs, ys) = (x.values(), y.values());
    let on = |i: usize, n: usize, stride: usize| i.is_multiple_of(stride) || i + 1 == n;
    let mut known_stride = usize::MAX;
    let block = field.block().max(1);
    field.prepare(cancel);
    for stride in STRIDES {
        if stride > 1 && (x.n / stride < 4 || y.n / stride < 4) {
            continue;
        }
        let columns: Vec<usize> = (0..x.n).filter(|&i| on(i, x.n, stride)).collect();
        let rows: Vec<usize> = (0..y.n).filter(|&j| on(j, y.n, stride)).collect();
        let is_known = |j: usize, i: usize| {
            known_stride != usize::MAX && on(i, x.n, known_stride) && on(j, y.n, known_stride)
        };
        let missing: Vec<(usize, usize)> = rows
            .iter()
            .flat_map(|&j| columns.iter().map(move |&i| (j, i)))
            .filter(|&(j, i)| !is_known(j, i))
            .collect();
        let points: Vec<[f64; 2]> = missing.iter().map(|&(j, i)| [xs[i], ys[j]]).collect();
        let mut values = vec![f64::NAN; points.len()];
        points
            .par_chunks(block)
            .zip(values.par_chunks_mut(block))
            .for_each_init(
                || field.buffers(),
                |buffers, (points, values)| {
                    if !cancel.load(Ordering::Relaxed) {
                        field.heights(points, buffers, values);
                        done(points.len());
                    }
                },
            );
        if cancel.load(Ordering::Relaxed) {
            return None;
        }
        for (&(j, i), value) in missing.iter().zip(values) {
            loss[[j, i]] = value;
        }
        known_stride = stride;
        if stride > 1 {
            level(Surface {
                x: columns.iter().map(|&i| xs[i]).collect(),
                y: rows.iter().map(|&j| ys[j]).collect(),
                loss: Array2::from_shape_fn((rows.len(), columns.len()), |(j, i)| {
                    loss[[rows[j], columns[i]]]
                }),
            });
        }
    }
    let surface = Surface { x: xs, y: ys, loss };
    level(surface.clone());
    Some(surface)
}
