//! A surface as points and four-sided faces, for formats of three dimensions.

use crate::landscape::{PlanePoint, Surface};

/// The cells of a surface whose four corners are finite.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SurfaceMesh {
    /// The corners of such cells: x, y and loss; row by row, x running fastest.
    pub points: Vec<[f64; 3]>,
    /// Slopes along x and y at each corner, of what `height` made of the loss.
    pub slopes: Vec<[f64; 2]>,
    /// The corners of each cell, counter-clockwise seen from where the loss is high.
    pub faces: Vec<[u32; 4]>,
}

impl SurfaceMesh {
    /// The mesh of a surface, its slopes those of `height(loss)`: by central
    /// differences, or to one side where the other has no finite neighbour.
    pub fn new(surface: &Surface, height: impl Fn(f64) -> f64) -> Self {
        let (rows, columns) = surface.loss.dim();
        let finite = |j: usize, i: usize| surface.loss[[j, i]].is_finite();
        let corners = |j: usize, i: usize| [(j, i), (j, i + 1), (j + 1, i + 1), (j + 1, i)];
        let cells: Vec<[(usize, usize); 4]> = (0..rows.saturating_sub(1))
            .flat_map(|j| (0..columns.saturating_sub(1)).map(move |i| corners(j, i)))
            .filter(|cell| cell.iter().all(|&(j, i)| finite(j, i)))
            .collect();
        let mut number = vec![u32::MAX; rows * columns];
        for (j, i) in cells.iter().flatten() {
            number[j * columns + i] = 0;
        }
        let slope = |a: (usize, usize), b: (usize, usize), along: f64| {
            (height(surface.loss[[b.0, b.1]]) - height(surface.loss[[a.0, a.1]])) / along
        };
        let (mut points, mut slopes) = (Vec::new(), Vec::new());
        for j in 0..rows {
            for i in 0..columns {
                if number[j * columns + i] == u32::MAX {
                    continue;
                }
                number[j * columns + i] = points.len() as u32;
                points.push([surface.x[i], surface.y[j], surface.loss[[j, i]]]);
                let (left, right) = neighbours(i, columns, |i| finite(j, i));
                let (down, up) = neighbours(j, rows, |j| finite(j, i));
                slopes.push([
                    slope((j, left), (j, right), surface.x[right] - surface.x[left]),
                    slope((down, i), (up, i), surface.y[up] - surface.y[down]),
                ]);
            }
        }
        let faces = cells
            .into_iter()
            .map(|cell| cell.map(|(j, i)| number[j * columns + i]))
            .collect();
        SurfaceMesh {
            points,
            slopes,
            faces,
        }
    }
}

/// The places beside `i` of `n` that are `there`; `i` itself in place of one that
/// is not.
fn neighbours(i: usize, n: usize, there: impl Fn(usize) -> bool) -> (usize, usize) {
    let before = if i > 0 && there(i - 1) { i - 1 } else { i };
    let after = if i + 1 < n && there(i + 1) { i + 1 } else { i };
    (before, after)
}

/// The parts of a path whose points lie over the surface's rectangle and have
/// finite losses, each of two points or more.
pub(super) fn stretches(surface: &Surface, points: &[PlanePoint]) -> Vec<Vec<PlanePoint>> {
    let over = |values: &[f64], v: f64| match (values.first(), values.last()) {
        (Some(&lo), Some(&hi)) => (lo..=hi).contains(&v),
        _ => false,
    };
    points
        .split(|p| !(over(&surface.x, p.x) && over(&surface.y, p.y) && p.true_loss.is_finite()))
        .filter(|part| part.len() > 1)
        .map(<[PlanePoint]>::to_vec)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    fn surface() -> Surface {
        let x = vec![0.0, 0.5, 1.0, 1.5];
        let y = vec![-1.0, 1.0, 3.0];
        let loss = Array2::from_shape_fn((3, 4), |(j, i)| 3.0 * x[i] - 2.0 * y[j]);
        Surface { x, y, loss }
    }

    #[test]
    fn a_whole_surface_has_all_its_points_cells_and_slopes() {
        let mesh = SurfaceMesh::new(&surface(), |l| 2.0 * l);
        assert_eq!((mesh.points.len(), mesh.faces.len()), (12, 6));
        assert_eq!(mesh.faces[0], [0, 1, 5, 4]);
        assert!(mesh.slopes.iter().all(|s| *s == [6.0, -4.0]));
        assert_eq!(mesh.points[6], [1.0, 1.0, 1.0]);
    }

    #[test]
    fn cells_with_a_corner_that_is_not_finite_are_left_out() {
        let mut surface = surface();
        surface.loss[[0, 0]] = f64::NAN;
        surface.loss[[2, 3]] = f64::INFINITY;
        let mesh = SurfaceMesh::new(&surface, |l| l);
        assert_eq!((mesh.points.len(), mesh.faces.len()), (10, 4));
        assert!(mesh.points.iter().flatten().all(|v| v.is_finite()));
        assert!(mesh.slopes.iter().all(|s| *s == [3.0, -2.0]));
    }

    #[test]
    fn a_path_is_cut_where_it_leaves_the_surface() {
        let point = |x: f64| PlanePoint {
            step: 0,
            x,
            y: 0.0,
            recorded_loss: 1.0,
            true_loss: 1.0,
            slice_loss: 1.0,
            residual_squared: 0.0,
            distance_squared: 0.0,
        };
        let points: Vec<_> = [0.1, 0.2, 9.0, 0.3, 9.0, 0.4, 0.5, 0.6].map(point).into();
        let lengths: Vec<usize> = stretches(&surface(), &points)
            .iter()
            .map(Vec::len)
            .collect();
        assert_eq!(lengths, [2, 3]);
    }
}
