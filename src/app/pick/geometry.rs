//! Rays against balls, cells and ribbons.

use bevy::prelude::*;

/// How far along `ray` it first meets the ball around `center`; `None` where it
/// misses it or the ball lies behind.
pub(in crate::app) fn ray_ball(ray: &Ray3d, center: Vec3, radius: f32) -> Option<f32> {
    let to_center = center - ray.origin;
    let nearest = to_center.dot(*ray.direction);
    let off = (to_center - nearest * ray.direction).length_squared();
    let half = radius * radius - off;
    (half >= 0.0 && nearest > 0.0).then(|| (nearest - half.sqrt()).max(0.0))
}

/// How far along `ray` it meets the upright square around `center` with half
/// side `half` whose rows run in the direction `row` (a unit vector).
pub(super) fn ray_cell(ray: &Ray3d, center: Vec3, half: f32, row: Vec3) -> Option<f32> {
    let normal = row.cross(Vec3::Y);
    let slope = normal.dot(*ray.direction);
    if slope.abs() < 1e-6 {
        return None;
    }
    let along = normal.dot(center - ray.origin) / slope;
    let off = ray.origin + along * ray.direction - center;
    (along > 0.0 && off.dot(row).abs() <= half && off.y.abs() <= half).then_some(along)
}

/// Where a ray passes a line segment most closely.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Passing {
    /// How far along the ray.
    pub(super) along: f32,
    /// The distance between the two there.
    pub(super) distance: f32,
}

/// Where `ray` passes the segment from `a` to `b` most closely; `None` where
/// that is behind it. (Ericson, *Real-Time Collision Detection*, 2005, 5.1.9,
/// with one of the two segments a half-line.)
pub(super) fn ray_segment(ray: &Ray3d, a: Vec3, b: Vec3) -> Option<Passing> {
    let d = b - a;
    let r = ray.origin - a;
    let (c, e, f) = (ray.direction.dot(d), d.length_squared(), d.dot(r));
    let g = ray.direction.dot(r);
    let denominator = e - c * c;
    let mut along = if denominator > 1e-9 {
        ((c * f - g * e) / denominator).max(0.0)
    } else {
        0.0
    };
    let share = if e > 0.0 { (c * along + f) / e } else { 0.0 };
    let clamped = share.clamp(0.0, 1.0);
    if clamped != share {
        along = (a + clamped * d - ray.origin).dot(*ray.direction).max(0.0);
    }
    let distance = (ray.origin + along * ray.direction).distance(a + clamped * d);
    (along > 0.0).then_some(Passing { along, distance })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forward() -> Ray3d {
        Ray3d::new(Vec3::ZERO, Dir3::NEG_Z)
    }

    #[test]
    fn a_ball_is_met_at_its_near_side_and_not_behind() {
        let at = |center| ray_ball(&forward(), center, 1.0);
        assert_eq!(at(Vec3::new(0.0, 0.0, -5.0)), Some(4.0));
        assert_eq!(at(Vec3::new(0.0, 1.1, -5.0)), None);
        assert_eq!(at(Vec3::new(0.0, 0.0, 5.0)), None);
    }

    #[test]
    fn a_cell_is_met_inside_its_square_alone() {
        let at = |center| ray_cell(&forward(), center, 0.5, Vec3::X);
        assert_eq!(at(Vec3::new(0.4, -0.4, -3.0)), Some(3.0));
        assert_eq!(at(Vec3::new(0.6, 0.0, -3.0)), None);
        assert_eq!(at(Vec3::new(0.0, 0.0, 3.0)), None);
        assert_eq!(ray_cell(&forward(), Vec3::NEG_Z, 0.5, Vec3::Z), None);
    }

    #[test]
    fn the_distance_to_a_segment_is_that_of_its_nearest_point() {
        let across = ray_segment(
            &forward(),
            Vec3::new(-1.0, 0.5, -4.0),
            Vec3::new(1.0, 0.5, -4.0),
        );
        assert_eq!(
            across,
            Some(Passing {
                along: 4.0,
                distance: 0.5
            })
        );
        let beside = ray_segment(
            &forward(),
            Vec3::new(2.0, 0.0, -4.0),
            Vec3::new(5.0, 0.0, -4.0),
        );
        assert_eq!(
            beside,
            Some(Passing {
                along: 4.0,
                distance: 2.0
            })
        );
        let behind = ray_segment(&forward(), Vec3::Z, Vec3::new(1.0, 0.0, 3.0));
        assert_eq!(behind, None);
    }
}
