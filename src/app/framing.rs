//! How far back a camera has to stand to see a whole box.

use bevy::prelude::*;

/// The share of the view that is left free around the box.
const MARGIN: f32 = 1.08;

/// Focus and distance from which a camera looking along `yaw` and `pitch`
/// (radians, as an orbit camera counts them) with vertical angle of view `fov`
/// sees all corners of the box from `low` to `high`, and no farther than needed.
pub(super) fn fit(
    low: Vec3,
    high: Vec3,
    yaw: f32,
    pitch: f32,
    fov: f32,
    aspect: f32,
) -> (Vec3, f32) {
    let rotation = Quat::from_euler(EulerRot::YXZ, yaw, -pitch, 0.0);
    let inverse = rotation.inverse();
    let tan_y = (0.5 * fov).tan() / MARGIN;
    let tan_x = tan_y * aspect;
    let corners: [Vec3; 8] = std::array::from_fn(|i| {
        let pick = |bit: usize, a: f32, b: f32| if i >> bit & 1 == 0 { a } else { b };
        inverse
            * Vec3::new(
                pick(0, low.x, high.x),
                pick(1, low.y, high.y),
                pick(2, low.z, high.z),
            )
    });
    // In the camera's axes a corner c is inside while |c.x - e.x| <= (e.z - c.z) tan_x:
    // four half-planes, whose tightest members place the eye.
    let mut right = f32::NEG_INFINITY; // max of  c.x + c.z tan_x
    let mut left = f32::NEG_INFINITY; //  max of -c.x + c.z tan_x
    let mut top = f32::NEG_INFINITY;
    let mut bottom = f32::NEG_INFINITY;
    let mut nearest = f32::NEG_INFINITY;
    for c in corners {
        right = right.max(c.x + c.z * tan_x);
        left = left.max(-c.x + c.z * tan_x);
        top = top.max(c.y + c.z * tan_y);
        bottom = bottom.max(-c.y + c.z * tan_y);
        nearest = nearest.max(c.z);
    }
    let depth_x = (right + left) / (2.0 * tan_x);
    let depth_y = (top + bottom) / (2.0 * tan_y);
    let depth = depth_x.max(depth_y).max(nearest + 0.1);
    // Along the axis that has room to spare the box stands in the middle, as it is seen.
    let eye = Vec3::new(
        middle_of(corners.map(|c| (c.x, depth - c.z))),
        middle_of(corners.map(|c| (c.y, depth - c.z))),
        depth,
    );
    let middle = inverse * (0.5 * (low + high));
    let radius = (eye.z - middle.z).max(0.5);
    (rotation * Vec3::new(eye.x, eye.y, eye.z - radius), radius)
}

/// Where an eye has to be along an axis to see the outermost of `points`, each a place
/// along it and a distance in front of the eye, equally far to both sides.
fn middle_of(points: [(f32, f32); 8]) -> f32 {
    let places = || points.iter().map(|(place, _)| *place);
    let mut low = places().fold(f32::INFINITY, f32::min);
    let mut high = places().fold(f32::NEG_INFINITY, f32::max);
    // Halved so often that what is left is less than a pixel.
    for _ in 0..40 {
        let eye = 0.5 * (low + high);
        let seen = points.iter().map(|(place, depth)| (place - eye) / depth);
        let (least, most) = seen.fold((f32::INFINITY, f32::NEG_INFINITY), |(a, b), v| {
            (a.min(v), b.max(v))
        });
        if most > -least {
            low = eye;
        } else {
            high = eye;
        }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every corner is in view, and some corner is near an edge.
    #[test]
    fn the_box_fills_the_view() {
        for (yaw, pitch) in [(0.0, 0.0), (0.6, 0.5), (-1.2, 1.5), (3.0, -0.7)] {
            for aspect in [0.5_f32, 1.0, 2.4] {
                let (low, high) = (Vec3::new(-4.0, -1.0, -2.0), Vec3::new(6.0, 5.0, 2.5));
                let fov = 0.62_f32;
                let (focus, radius) = fit(low, high, yaw, pitch, fov, aspect);
                let rotation = Quat::from_euler(EulerRot::YXZ, yaw, -pitch, 0.0);
                let eye = focus + rotation * Vec3::Z * radius;
                let tan = (0.5 * fov).tan();
                let mut widest = 0.0_f32;
                let mut ends = [[f32::INFINITY, f32::NEG_INFINITY]; 2];
                for i in 0..8 {
                    let corner = Vec3::new(
                        if i & 1 == 0 { low.x } else { high.x },
                        if i & 2 == 0 { low.y } else { high.y },
                        if i & 4 == 0 { low.z } else { high.z },
                    );
                    let c = rotation.inverse() * (corner - eye);
                    assert!(c.z < 0.0);
                    for (end, at) in ends.iter_mut().zip([c.x, c.y]) {
                        let seen = at / -c.z;
                        *end = [end[0].min(seen), end[1].max(seen)];
                    }
                    let x = (c.x / (-c.z * tan * aspect)).abs();
                    let y = (c.y / (-c.z * tan)).abs();
                    assert!(x <= 1.0 && y <= 1.0, "{yaw} {pitch} {aspect}: {x} {y}");
                    widest = widest.max(x).max(y);
                }
                assert!(widest > 0.9, "{yaw} {pitch} {aspect}: only {widest}");
                for [least, most] in ends {
                    assert!((least + most).abs() < 1e-3, "in the middle: {least} {most}");
                }
            }
        }
    }
}
