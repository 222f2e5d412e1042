//! Contour lines by marching squares (Lorensen and Cline 1987, in two
//! dimensions), joined into lines as long as they go.

use ndarray::ArrayView2;
use std::collections::HashMap;

/// An edge of the grid, by its lower point and whether it runs along x.
type Edge = (usize, usize, bool);

/// The lines along which `values` `[y, x]`, taken as linear between neighbours,
/// are `level`. Points are in grid units: (1.5, 0) lies between columns 1 and 2
/// of row 0. A closed line ends where it begins. Cells with a value that is not
/// finite have no line. In a saddle's cell the mean of the four decides which
/// corners belong together.
pub fn contour_lines(values: ArrayView2<'_, f64>, level: f64) -> Vec<Vec<(f64, f64)>> {
    let (rows, columns) = values.dim();
    let mut links: HashMap<Edge, Vec<Edge>> = HashMap::new();
    let mut order: Vec<Edge> = Vec::new();
    for j in 0..rows.saturating_sub(1) {
        for i in 0..columns.saturating_sub(1) {
            let corners = [
                values[[j, i]],
                values[[j, i + 1]],
                values[[j + 1, i + 1]],
                values[[j + 1, i]],
            ];
            if corners.iter().any(|v| !v.is_finite()) {
                continue;
            }
            // Edge k joins corner k and corner k + 1.
            let edges: [Edge; 4] = [
                (j, i, true),
                (j, i + 1, false),
                (j + 1, i, true),
                (j, i, false),
            ];
            let above = corners.map(|v| v >= level);
            let crossed: Vec<usize> = (0..4).filter(|&k| above[k] != above[(k + 1) % 4]).collect();
            let pairs: &[(usize, usize)] = match crossed.len() {
                2 => &[(0, 1)],
                4 => {
                    // All four edges are crossed. The corners that are unlike
                    // the middle are each cut off by the edges beside them:
                    // 0 by edges 3 and 0, 1 by 0 and 1, and so on.
                    let middle = corners.iter().sum::<f64>() / 4.0 >= level;
                    if above[0] == middle {
                        &[(0, 1), (2, 3)]
                    } else {
                        &[(3, 0), (1, 2)]
                    }
                }
                _ => &[],
            };
            for &(a, b) in pairs {
                let (a, b) = (edges[crossed[a]], edges[crossed[b]]);
                for (from, to) in [(a, b), (b, a)] {
                    links.entry(from).or_default().push(to);
                }
                order.push(a);
                order.push(b);
            }
        }
    }
    let point = |(j, i, along_x): Edge| {
        let start = values[[j, i]];
        let end = if along_x {
            values[[j, i + 1]]
        } else {
            values[[j + 1, i]]
        };
        let t = if end == start {
            0.5
        } else {
            ((level - start) / (end - start)).clamp(0.0, 1.0)
        };
        if along_x {
            (i as f64 + t, j as f64)
        } else {
            (i as f64, j as f64 + t)
        }
    };
    let mut lines = Vec::new();
    // Open lines first, from an end that has one neighbour; then the rings.
    for ends in [true, false] {
        for &start in &order {
            let free = links.get(&start).map_or(0, Vec::len);
            if free == 0 || (ends && free != 1) {
                continue;
            }
            let mut line = vec![point(start)];
            let mut at = start;
            while let Some(next) = links.get_mut(&at).and_then(Vec::pop) {
                if let Some(back) = links.get_mut(&next)
                    && let Some(place) = back.iter().position(|e| *e == at)
                {
                    back.swap_remove(place);
                }
                line.push(point(next));
                at = next;
            }
            lines.push(line);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};

    #[test]
    fn a_ramp_has_one_straight_line() {
        let ramp = Array2::from_shape_fn((4, 5), |(_, i)| i as f64);
        let lines = contour_lines(ramp.view(), 1.25);
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].len(), 4);
        assert!(lines[0].iter().all(|p| p.0 == 1.25));
        assert!(contour_lines(ramp.view(), 9.0).is_empty());
    }

    #[test]
    fn a_bowl_has_one_closed_circle() {
        let n = 41;
        let bowl = Array2::from_shape_fn((n, n), |(j, i)| (i as f64 - 20.0).hypot(j as f64 - 20.0));
        let lines = contour_lines(bowl.view(), 12.3);
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].first(), lines[0].last());
        for (x, y) in &lines[0] {
            assert!(((x - 20.0).hypot(y - 20.0) - 12.3).abs() < 0.02);
        }
    }

    #[test]
    fn two_hills_have_two_rings() {
        let hills = Array2::from_shape_fn((21, 41), |(j, i)| {
            let bump =
                |x: f64| (-((i as f64 - x).powi(2) + (j as f64 - 10.0).powi(2)) / 20.0).exp();
            bump(10.0) + bump(30.0)
        });
        let lines = contour_lines(hills.view(), 0.5);
        assert_eq!(lines.len(), 2);
        assert!(lines.iter().all(|l| l.first() == l.last()));
    }

    #[test]
    fn a_saddle_is_parted_by_its_mean() {
        let high = contour_lines(array![[1.0, 0.0], [0.0, 1.0]].view(), 0.4);
        let low = contour_lines(array![[1.0, 0.0], [0.0, 1.0]].view(), 0.6);
        assert_eq!((high.len(), low.len()), (2, 2));
        // Above the level in the middle: the low corners (1, 0) and (0, 1) are cut off.
        for line in &high {
            let sum = |p: &(f64, f64)| (p.0 - p.1).abs();
            assert!(line.iter().all(|p| sum(p) > 0.5), "{line:?}");
        }
        for line in &low {
            let sum = |p: &(f64, f64)| (p.0 + p.1 - 1.0).abs();
            assert!(line.iter().all(|p| sum(p) > 0.5), "{line:?}");
        }
    }

    #[test]
    fn values_that_are_not_finite_leave_a_hole() {
        let mut ramp = Array2::from_shape_fn((5, 5), |(_, i)| i as f64);
        ramp[[2, 2]] = f64::NAN;
        let lines = contour_lines(ramp.view(), 1.5);
        assert_eq!(lines.len(), 2);
    }
}
