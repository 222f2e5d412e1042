//! The plane in which a run's path shows best: random directions are almost
//! orthogonal to any path in a space of many parameters, and so show nothing of
//! it (Li et al. 2018, section 7).

use super::plane::{Plane, PlaneError};
use crate::train::PathPoint;

/// At most so many points of the path are looked at.
const MOST: usize = 128;
/// Steps of the power iteration; the picture does not need more digits.
const ITERATIONS: usize = 200;

/// The plane through `center` whose first direction leads from there to the
/// path's first point, (1, 0), and whose second is the principal direction of
/// what the first leaves of the path, orthogonal to it and scaled so that the
/// points' second coordinates lie within -1 and 1.
///
/// # Errors
/// When the points differ from `center` in length, or the path spans no plane:
/// it never left the centre, or is straight.
pub fn path_plane(points: &[PathPoint], center: &[f32]) -> Result<Plane, PlaneError> {
    let Some(first) = points.first() else {
        return Err(PlaneError::Parallel);
    };
    if let Some(other) = points.iter().find(|p| p.params.len() != center.len()) {
        return Err(PlaneError::Lengths(
            center.len(),
            other.params.len(),
            other.params.len(),
        ));
    }
    let u = difference(&first.params, center);
    let uu = dot(&u, &u);
    if uu.is_nan() || uu <= 0.0 {
        return Err(PlaneError::Parallel);
    }
    let stride = points.len().div_ceil(MOST);
    let rest: Vec<Vec<f64>> = points
        .iter()
        .step_by(stride)
        .map(|p| orthogonal_to(difference(&p.params, center), &u, uu))
        .collect();
    let n = rest.len();
    let mut gram = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let product = dot(&rest[i], &rest[j]);
            gram[i * n + j] = product;
            gram[j * n + i] = product;
        }
    }
    // The principal direction is a combination of the points, whose factors are
    // the Gram matrix's leading eigenvector. Begin with the farthest point.
    let farthest = (0..n).max_by(|&a, &b| gram[a * n + a].total_cmp(&gram[b * n + b]));
    let Some(farthest) = farthest.filter(|&k| gram[k * n + k] > 1e-12 * uu) else {
        return Err(PlaneError::Parallel);
    };
    let mut factors: Vec<f64> = gram[farthest * n..(farthest + 1) * n].to_vec();
    for _ in 0..ITERATIONS {
        let next: Vec<f64> = gram.chunks(n).map(|row| dot(row, &factors)).collect();
        let norm = dot(&next, &next).sqrt();
        factors = next.into_iter().map(|f| f / norm).collect();
    }
    let mut v = vec![0.0; center.len()];
    for (factor, r) in factors.iter().zip(&rest) {
        v.iter_mut().zip(r).for_each(|(v, r)| *v += factor * r);
    }
    let v = orthogonal_to(v, &u, uu);
    let vv = dot(&v, &v);
    let reach = rest.iter().map(|r| (dot(r, &v) / vv).abs());
    let reach = reach.fold(0.0, f64::max);
    Plane::new(
        center.to_vec(),
        u.iter().map(|&c| c as f32).collect(),
        v.iter().map(|&c| (reach * c) as f32).collect(),
    )
}

fn difference(a: &[f32], b: &[f32]) -> Vec<f64> {
    a.iter()
        .zip(b)
        .map(|(&a, &b)| f64::from(a) - f64::from(b))
        .collect()
}

fn orthogonal_to(mut d: Vec<f64>, u: &[f64], uu: f64) -> Vec<f64> {
    let share = dot(&d, u) / uu;
    d.iter_mut().zip(u).for_each(|(d, u)| *d -= share * u);
    d
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn path(points: &[[f32; 4]]) -> Vec<PathPoint> {
        let point = |(step, params): (usize, &[f32; 4])| PathPoint {
            step: step as u64,
            epoch: 0,
            params: Arc::from(&params[..]),
            loss: 0.0,
        };
        points.iter().enumerate().map(point).collect()
    }

    #[test]
    fn a_plane_path_lies_in_its_plane_from_one_to_zero() {
        // In the plane of the first and third axis.
        let points = path(&[
            [4.0, 1.0, 0.0, 5.0],
            [3.0, 1.0, 2.0, 5.0],
            [2.0, 1.0, -1.0, 5.0],
            [0.0, 1.0, 0.0, 5.0],
        ]);
        let plane = path_plane(&points, &[0.0, 1.0, 0.0, 5.0]).unwrap();
        let seen: Vec<_> = points.iter().map(|p| plane.project(&p.params)).collect();
        for p in &seen {
            assert!(p.residual_squared < 1e-9 && p.y.abs() <= 1.0 + 1e-6);
        }
        assert!((seen[0].x - 1.0).abs() < 1e-6 && seen[0].y.abs() < 1e-6);
        assert!((seen[1].y.abs() - 1.0).abs() < 1e-6);
    }

    #[test]
    fn of_two_ways_aside_the_larger_is_shown() {
        let points = path(&[
            [4.0, 0.0, 0.0, 0.0],
            [3.0, 0.1, 2.0, 0.0],
            [2.0, -0.2, 3.0, 0.0],
            [0.0; 4],
        ]);
        let plane = path_plane(&points, &[0.0; 4]).unwrap();
        let v = plane.direction_y();
        assert!(v[2].abs() > 10.0 * v[1].abs() && v[0].abs() < 1e-6);
    }

    #[test]
    fn a_straight_path_and_one_that_never_moved_span_no_plane() {
        let straight = path(&[[2.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0], [0.0; 4]]);
        assert!(path_plane(&straight, &[0.0; 4]).is_err());
        assert!(path_plane(&path(&[[0.0; 4]]), &[0.0; 4]).is_err());
        assert!(path_plane(&[], &[0.0; 4]).is_err());
        assert!(path_plane(&straight, &[0.0; 3]).is_err());
    }
}
