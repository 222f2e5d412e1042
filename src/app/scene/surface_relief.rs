//! The error surface as triangles: heights between the grid's points, normals,
//! and the coordinates by which the shader colours and draws contour lines.

use super::surface_frame::{SurfaceFrame, height_of};
use crate::landscape::Surface;
use bevy::prelude::*;
use ndarray::Array2;

/// Vertices a side to which a coarser grid is refined, so that contour lines
/// are smooth curves. Between the computed points lies a cubic through them.
const SIDE: usize = 128;
/// Heights beyond this are cut far above anything that is seen; a vertex at
/// 1e30 would spoil its neighbours.
const HIGHEST: f64 = 3.0;

/// The error surface's triangles, in the coordinates of its root.
#[derive(Component, Debug, Clone, PartialEq, Default)]
pub struct Relief {
    /// Places of the vertices, row by row.
    pub positions: Vec<[f32; 3]>,
    /// Unit normals.
    pub normals: Vec<[f32; 3]>,
    /// Where in the range of the colours, from the lowest point of the surface
    /// (0) to the top of the scale (1), and the contour coordinate
    /// ([`HeightScale::contours`](super::surface_frame::HeightScale::contours)).
    pub levels: Vec<[f32; 2]>,
    /// Three vertices a triangle; where the loss is no finite number there is a
    /// hole, whose triangles are a single point. Always as many for as many vertices.
    pub indices: Vec<u32>,
    /// Vertices a row.
    pub columns: usize,
}

impl Relief {
    /// The triangles of `surface` in `frame`.
    pub fn new(surface: &Surface, frame: &SurfaceFrame) -> Self {
        let fractions = surface
            .loss
            .mapv(|l| frame.scale.fraction(l).clamp(-1.0, HIGHEST));
        let (rows, columns) = fractions.dim();
        if rows < 2 || columns < 2 {
            return Relief::default();
        }
        let refinement = |n: usize| SIDE.div_ceil(n - 1).max(1);
        let (fine_x, fine_y) = (refinement(columns), refinement(rows));
        let heights = refined(&refined(&fractions, fine_x).reversed_axes(), fine_y);
        let heights = heights.reversed_axes();
        let xs: Vec<f32> = between(&surface.x, fine_x)
            .into_iter()
            .map(|x| frame.across(x))
            .collect();
        let zs: Vec<f32> = between(&surface.y, fine_y)
            .into_iter()
            .map(|y| frame.along(y))
            .collect();
        let contour = frame.scale.contours();
        let lowest = fractions.iter().copied().filter(|f| !f.is_nan());
        let lowest = lowest.fold(1.0, f64::min).min(0.95);
        let tone = |fraction: f64| (fraction - lowest) / (1.0 - lowest);
        let (rows, columns) = heights.dim();
        let mut relief = Relief {
            positions: Vec::with_capacity(rows * columns),
            normals: Vec::with_capacity(rows * columns),
            levels: Vec::with_capacity(rows * columns),
            indices: Vec::with_capacity(6 * (rows - 1) * (columns - 1)),
            columns,
        };
        let height = |j: usize, i: usize| height_of(heights[[j, i]]);
        for j in 0..rows {
            for i in 0..columns {
                let fraction = heights[[j, i]];
                if fraction.is_nan() {
                    relief.positions.push([xs[i], 0.0, zs[j]]);
                    relief.normals.push([0.0, 1.0, 0.0]);
                    relief.levels.push([0.0, 0.5]);
                    continue;
                }
                let (i0, i1) = (i.saturating_sub(1), (i + 1).min(columns - 1));
                let (j0, j1) = (j.saturating_sub(1), (j + 1).min(rows - 1));
                let slope = |a: f32, b: f32, length: f32| {
                    let s = (b - a) / length;
                    if s.is_finite() { s } else { 0.0 }
                };
                let dx = slope(height(j, i0), height(j, i1), xs[i1] - xs[i0]);
                let dz = slope(height(j0, i), height(j1, i), zs[j1] - zs[j0]);
                let normal = Vec3::new(-dx, 1.0, -dz).normalize();
                relief.positions.push([xs[i], height(j, i), zs[j]]);
                relief.normals.push(normal.to_array());
                let pair = [tone(fraction) as f32, contour(fraction) as f32];
                relief.levels.push(pair);
            }
        }
        for j in 0..rows - 1 {
            for i in 0..columns - 1 {
                let corners = [(j, i), (j, i + 1), (j + 1, i + 1), (j + 1, i)];
                if corners.iter().any(|&c| heights[c].is_nan()) {
                    relief.indices.extend([0; 6]);
                    continue;
                }
                // Rows go away from the reader: counter-clockwise seen from above.
                let [a, b, c, d] = corners.map(|(j, i)| (j * columns + i) as u32);
                relief.indices.extend([a, b, c, a, c, d]);
            }
        }
        relief
    }

    /// Becomes what lies at `t`, of 0 to 1, on the way from one surface to another
    /// of as many vertices.
    pub(super) fn put_between(&mut self, from: &Relief, to: &Relief, t: f32) {
        fn mix<const N: usize>(a: &[[f32; N]], b: &[[f32; N]], t: f32) -> Vec<[f32; N]> {
            let pair = |(a, b): (&[f32; N], &[f32; N])| {
                std::array::from_fn(|k| (1.0 - t) * a[k] + t * b[k])
            };
            a.iter().zip(b).map(pair).collect()
        }
        self.positions = mix(&from.positions, &to.positions, t);
        self.normals = mix(&from.normals, &to.normals, t);
        self.levels = mix(&from.levels, &to.levels, t);
    }

    /// The four edges of the surface as lines of vertices.
    pub fn edges(&self) -> [Vec<Vec3>; 4] {
        let (n, columns) = (self.positions.len(), self.columns.max(1));
        let rows = n / columns;
        let at = |k: usize| Vec3::from(self.positions[k]);
        [
            (0..columns.min(n)).map(at).collect(),
            (0..columns.min(n)).map(|i| at(n - columns + i)).collect(),
            (0..rows).map(|j| at(j * columns)).collect(),
            (0..rows).map(|j| at(j * columns + columns - 1)).collect(),
        ]
    }
}

/// `values` with `fine - 1` equally spaced ones between each two.
fn between(values: &[f64], fine: usize) -> Vec<f64> {
    let mut all = Vec::with_capacity(values.len() * fine);
    for pair in values.windows(2) {
        all.extend((0..fine).map(|k| {
            let t = k as f64 / fine as f64;
            pair[0] * (1.0 - t) + pair[1] * t
        }));
    }
    all.extend(values.last());
    all
}

/// Each row of `values` with `fine - 1` more between each two, on the cubic
/// through four neighbours (Catmull and Rom 1974); where an outer neighbour is
/// missing, its place is taken by the straight continuation.
fn refined(values: &Array2<f64>, fine: usize) -> Array2<f64> {
    let (rows, n) = values.dim();
    Array2::from_shape_fn((rows, (n - 1) * fine + 1), |(j, k)| {
        let (i, t) = (k / fine, (k % fine) as f64 / fine as f64);
        let b = values[[j, i]];
        if k % fine == 0 {
            return b;
        }
        let c = values[[j, i + 1]];
        let outer = |at: Option<usize>, otherwise: f64| {
            let value = at.and_then(|i| values.get([j, i])).copied();
            value.filter(|v| !v.is_nan()).unwrap_or(otherwise)
        };
        let a = outer(i.checked_sub(1), 2.0 * b - c);
        let d = outer(Some(i + 2), 2.0 * c - b);
        b + 0.5
            * t
            * ((c - a) + t * ((2.0 * a - 5.0 * b + 4.0 * c - d) + t * (3.0 * (b - c) + d - a)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::landscape::PathOnPlane;

    fn surface(n: usize, loss: impl Fn(f64, f64) -> f64) -> Surface {
        let axis: Vec<f64> = (0..n)
            .map(|i| -1.0 + 2.0 * i as f64 / (n - 1) as f64)
            .collect();
        let loss = Array2::from_shape_fn((n, n), |(j, i)| loss(axis[i], axis[j]));
        Surface {
            x: axis.clone(),
            y: axis,
            loss,
        }
    }

    fn relief(surface: &Surface) -> (Relief, SurfaceFrame) {
        let path = PathOnPlane::default();
        let frame = SurfaceFrame::new(surface, &path, (0.0, 0.0), false).unwrap();
        (Relief::new(surface, &frame), frame)
    }

    #[test]
    fn the_computed_points_are_vertices_and_between_them_lies_the_cubic() {
        let f = |x: f64, y: f64| 1.0 + x * x + 0.5 * y + 0.2 * x * y;
        let surface = surface(17, f);
        let (relief, frame) = relief(&surface);
        assert_eq!(relief.positions.len(), 129 * 129);
        let at = |j: usize, i: usize| Vec3::from(relief.positions[j * 129 + i]);
        for (j, i) in [(0, 0), (16, 3), (5, 11)] {
            let place = frame.place(surface.x[i], surface.y[j], surface.loss[[j, i]]);
            assert!(at(8 * j, 8 * i).abs_diff_eq(place, 1e-5));
        }
        // A quadratic is its own cubic away from the rim.
        let (x, y) = (-1.0 + 2.0 * 50.0 / 128.0, -1.0 + 2.0 * 77.0 / 128.0);
        assert!(at(77, 50).abs_diff_eq(frame.place(x, y, f(x, y)), 1e-4));
    }

    #[test]
    fn triangles_face_up_and_normals_follow_the_slope() {
        let (relief, _) = relief(&surface(9, |x, _| 1.0 + x));
        let at = |k: u32| Vec3::from(relief.positions[k as usize]);
        for t in relief.indices.chunks(3) {
            assert!((at(t[1]) - at(t[0])).cross(at(t[2]) - at(t[0])).y > 0.0);
        }
        let n = Vec3::from(relief.normals[129 * 64 + 64]);
        assert!(n.x < -0.2 && n.y > 0.0 && n.z.abs() < 1e-6, "{n}");
    }

    #[test]
    fn what_is_not_finite_is_a_hole_and_the_counts_stay() {
        let whole = relief(&surface(9, |x, y| x * x + y * y)).0;
        let holes = relief(&surface(9, |x, y| {
            if x == 0.0 && y == 0.0 { f64::NAN } else { 1.0 }
        }))
        .0;
        assert_eq!(whole.indices.len(), holes.indices.len());
        assert!(holes.positions.iter().flatten().all(|v| v.is_finite()));
        let missing = holes.indices.chunks(6).filter(|c| *c == [0; 6]).count();
        // The four cells around the point, 16 refined cells a side each.
        assert_eq!(missing, 4 * 16 * 16);
    }
}
