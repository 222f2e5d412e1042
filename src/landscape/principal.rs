//! The plane that holds most of a path: its first two principal components.
//!
//! Following Li et al. 2018 (arXiv:1712.09913, section 7) the components are
//! those of the displacements from the path's last point, not from its mean, so
//! that the plane goes through the weights that training has arrived at.

use super::plane::{Plane, PlaneError};

/// At most so many points enter; more are thinned evenly.
const MOST_POINTS: usize = 96;
/// How far from the origin the path's farthest point comes to lie.
const REACH: f64 = 0.7;

/// The plane through `center` along the first two principal components of the
/// displacements `points - center`. Each direction is as long as it takes for
/// the path to reach to 0.7 along it, so that a grid over -1 to 1 holds the path
/// with room to spare. `None` with fewer than three distinct points. The share
/// of the path's squared length that each component explains comes along.
pub fn principal_plane(
    center: &[f32],
    points: &[&[f32]],
) -> Result<Option<(Plane, [f64; 2])>, PlaneError> {
    principal_plane_within(center, points, |_| true)
}

/// The same of what some parameters do, those of which `moves` says so by their
/// index: the displacements' other components are taken to be zero.
pub(super) fn principal_plane_within(
    center: &[f32],
    points: &[&[f32]],
    moves: impl Fn(usize) -> bool,
) -> Result<Option<(Plane, [f64; 2])>, PlaneError> {
    let stride = points.len().div_ceil(MOST_POINTS).max(1);
    let displacement = |(index, (&p, &c)): (usize, (&f32, &f32))| {
        if moves(index) {
            f64::from(p) - f64::from(c)
        } else {
            0.0
        }
    };
    let moves: Vec<Vec<f64>> = points
        .iter()
        .step_by(stride)
        .map(|p| p.iter().zip(center).enumerate().map(displacement).collect())
        .collect();
    // With few points and many parameters the small side of the problem is the
    // Gram matrix of the displacements: its eigenvectors give the components.
    let n = moves.len();
    let mut gram = vec![vec![0.0; n]; n];
    for i in 0..n {
        for j in 0..=i {
            let dot: f64 = moves[i].iter().zip(&moves[j]).map(|(a, b)| a * b).sum();
            (gram[i][j], gram[j][i]) = (dot, dot);
        }
    }
    let total: f64 = (0..n).map(|i| gram[i][i]).sum();
    let mut found = Vec::new();
    for _ in 0..2 {
        let Some((value, vector)) = top_eigenpair(&gram) else {
            return Ok(None);
        };
        if value <= 1e-9 * total {
            return Ok(None);
        }
        for i in 0..n {
            for j in 0..n {
                gram[i][j] -= value * vector[i] * vector[j];
            }
        }
        found.push((value, vector));
    }
    let mut directions = found.iter().map(|(value, vector)| {
        // Component = sum of v_i d_i / sqrt(lambda); coordinates of the points
        // along it are sqrt(lambda) v_i.
        let root = value.sqrt();
        let reach = vector.iter().fold(0.0_f64, |m, v| m.max(v.abs())) * root;
        // The path lies towards the positive side of its own component.
        let sign = if vector.iter().sum::<f64>() < 0.0 {
            -1.0
        } else {
            1.0
        };
        let scale = sign * reach / (REACH * root);
        let mut direction = vec![0.0; center.len()];
        for (v, d) in vector.iter().zip(&moves) {
            direction
                .iter_mut()
                .zip(d)
                .for_each(|(u, d)| *u += scale * v * d);
        }
        direction
            .into_iter()
            .map(|u| u as f32)
            .collect::<Vec<f32>>()
    });
    let (Some(x), Some(y)) = (directions.next(), directions.next()) else {
        return Ok(None);
    };
    let plane = Plane::new(center.to_vec(), x, y)?;
    Ok(Some((plane, [found[0].0 / total, found[1].0 / total])))
}

/// The largest eigenvalue of a symmetric positive semi-definite matrix and its
/// unit eigenvector, by power iteration; `None` for a zero matrix.
fn top_eigenpair(matrix: &[Vec<f64>]) -> Option<(f64, Vec<f64>)> {
    let n = matrix.len();
    // The column of the largest diagonal entry is no worse than any start and
    // never orthogonal to all that matters.
    let start = (0..n).max_by(|&a, &b| matrix[a][a].total_cmp(&matrix[b][b]))?;
    let mut v: Vec<f64> = matrix[start].clone();
    let mut value = 0.0;
    for _ in 0..500 {
        let norm = v.iter().map(|x| x * x).sum::<f64>().sqrt();
        if norm.is_nan() || norm <= f64::MIN_POSITIVE {
            return None;
        }
        v.iter_mut().for_each(|x| *x /= norm);
        let next: Vec<f64> = matrix
            .iter()
            .map(|row| row.iter().zip(&v).map(|(a, b)| a * b).sum())
            .collect();
        let estimate: f64 = next.iter().zip(&v).map(|(a, b)| a * b).sum();
        let settled = (estimate - value).abs() <= 1e-13 * estimate.abs();
        value = estimate;
        if settled {
            break;
        }
        v = next;
    }
    let norm = v.iter().map(|x| x * x).sum::<f64>().sqrt();
    v.iter_mut().for_each(|x| *x /= norm);
    Some((value, v))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points in a known plane: the components span it and explain everything.
    #[test]
    fn a_path_in_a_plane_is_found_whole() {
        let center = [1.0_f32, 2.0, 3.0, 4.0, 5.0];
        let (u, v) = ([0.6_f32, 0.8, 0.0, 0.0, 0.0], [0.0_f32, 0.0, 1.0, 0.0, 0.0]);
        let points: Vec<Vec<f32>> = (0..30)
            .map(|i| {
                let t = i as f32 / 5.0;
                let (a, b) = (3.0 * t, (2.0 * t).sin());
                (0..5).map(|k| center[k] + a * u[k] + b * v[k]).collect()
            })
            .collect();
        let views: Vec<&[f32]> = points.iter().map(Vec::as_slice).collect();
        let (plane, shares) = principal_plane(&center, &views).unwrap().unwrap();
        assert!((shares[0] + shares[1] - 1.0).abs() < 1e-6, "{shares:?}");
        assert!(shares[0] > shares[1]);
        let mut reach = [0.0_f64; 2];
        for p in &points {
            let q = plane.project(p);
            assert!(q.residual_squared < 1e-6 * (1.0 + q.distance_squared));
            reach = [reach[0].max(q.x.abs()), reach[1].max(q.y.abs())];
        }
        assert!(
            (reach[0] - 0.7).abs() < 1e-3 && (reach[1] - 0.7).abs() < 1e-3,
            "{reach:?}"
        );
        let dot: f32 = plane
            .direction_x()
            .iter()
            .zip(plane.direction_y())
            .map(|(a, b)| a * b)
            .sum();
        assert!(dot.abs() < 1e-4, "components are orthogonal: {dot}");
    }

    #[test]
    fn a_straight_or_empty_path_has_no_plane() {
        let center = [0.0_f32; 4];
        let line: Vec<Vec<f32>> = (0..5).map(|i| vec![i as f32; 4]).collect();
        let views: Vec<&[f32]> = line.iter().map(Vec::as_slice).collect();
        assert!(principal_plane(&center, &views).unwrap().is_none());
        assert!(principal_plane(&center, &[]).unwrap().is_none());
        assert!(principal_plane(&center, &[&center]).unwrap().is_none());
    }
}
