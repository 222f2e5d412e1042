//! Level sets of the error surface: the lines of one height on its triangles.

use super::surface_relief::Relief;
use bevy::prelude::*;

/// The segments in which the horizontal plane at `height` cuts the triangles that
/// are drawn.
pub fn level_set(relief: &Relief, height: f32) -> Vec<[Vec3; 2]> {
    let mut segments = Vec::new();
    for t in relief.indices.chunks_exact(3) {
        let [a, b, c] = [t[0], t[1], t[2]].map(|k| Vec3::from(relief.positions[k as usize]));
        if let Some(segment) = cut(a, b, c, height) {
            segments.push(segment);
        }
    }
    segments
}

fn cut(a: Vec3, b: Vec3, c: Vec3, height: f32) -> Option<[Vec3; 2]> {
    let above = [a, b, c].map(|p| p.y >= height);
    // The corner that lies alone on its side, and the other two.
    let (lone, others) = match above {
        [x, y, z] if x != y && x != z => (a, [b, c]),
        [x, y, z] if y != x && y != z => (b, [a, c]),
        [x, y, z] if z != x && z != y => (c, [a, b]),
        _ => return None,
    };
    Some(others.map(|other| {
        let t = (height - lone.y) / (other.y - lone.y);
        (lone + t * (other - lone)).with_y(height)
    }))
}

#[cfg(test)]
mod tests {
    use super::super::surface_frame::SurfaceFrame;
    use super::*;
    use crate::landscape::{PathOnPlane, Surface};
    use ndarray::Array2;

    #[test]
    fn the_level_set_of_a_bowl_is_one_closed_circle() {
        let axis: Vec<f64> = (0..33).map(|i| -1.0 + f64::from(i) / 16.0).collect();
        let loss = Array2::from_shape_fn((33, 33), |(j, i)| axis[i].powi(2) + axis[j].powi(2));
        let surface = Surface {
            x: axis.clone(),
            y: axis,
            loss,
        };
        let frame =
            SurfaceFrame::new(&surface, &PathOnPlane::default(), (0.0, 0.0), false).unwrap();
        let relief = Relief::new(&surface, &frame);
        let segments = level_set(&relief, frame.height(0.49));
        let length: f32 = segments.iter().map(|[a, b]| a.distance(*b)).sum();
        // Radius 0.7, and a unit of the plane is 5 long in the scene.
        let expected = std::f32::consts::TAU * 0.7 * 5.0;
        assert!(
            (length / expected - 1.0).abs() < 1e-3,
            "{length} {expected}"
        );
        for place in segments.iter().flatten() {
            assert!((place.xz().length() - 3.5).abs() < 2e-3, "{place}");
        }
        assert!(level_set(&relief, 10.0).is_empty());
    }
}
