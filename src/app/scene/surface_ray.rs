//! A ray against the error surface's triangles, and back from a place in the
//! scene to coordinates of the plane and a loss.

use super::surface_frame::SurfaceFrame;
use super::surface_relief::Relief;
use crate::app::state::{SURFACE_MAX, SURFACE_MIN};
use bevy::prelude::*;

/// Of a triangle's size: rays between two triangles meet one of them.
const SLACK: f32 = 1e-4;
/// Higher than the top by more than this, and the surface is cut away.
const CUT: f32 = 2e-3;

/// Where `ray`, in the coordinates of the surface's root, first meets a triangle
/// that is drawn; what is cut off above the top is not. The cells of the grid are
/// visited along the ray (Amanatides and Woo 1987), and in each its two triangles.
pub fn meet(ray: &Ray3d, relief: &Relief) -> Option<Vec3> {
    let columns = relief.columns;
    let rows = relief.positions.len().checked_div(columns)?;
    if rows < 2 || columns < 2 {
        return None;
    }
    let x = |i: usize| relief.positions[i][0];
    // Rows go away from the reader: z falls. Counted by -z, both axes rise.
    let depth = |j: usize| -relief.positions[j * columns][2];
    let (ox, dx) = (ray.origin.x, ray.direction.x);
    let (oz, dz) = (-ray.origin.z, -ray.direction.z);
    let (mut from, mut to) = (0.0_f32, f32::INFINITY);
    for (o, d, low, high) in [
        (ox, dx, x(0), x(columns - 1)),
        (oz, dz, depth(0), depth(rows - 1)),
    ] {
        if d.abs() < 1e-9 {
            if !(low..=high).contains(&o) {
                return None;
            }
            continue;
        }
        let (a, b) = ((low - o) / d, (high - o) / d);
        from = from.max(a.min(b));
        to = to.min(a.max(b));
    }
    if from > to {
        return None;
    }
    let mut i = cell(&x, columns, ox + from * dx);
    let mut j = cell(&depth, rows, oz + from * dz);
    loop {
        let first = 6 * (j * (columns - 1) + i);
        let corners = relief.indices.get(first..first + 6)?;
        let hits = corners.chunks_exact(3).filter_map(|t| {
            let [a, b, c] = [t[0], t[1], t[2]].map(|k| Vec3::from(relief.positions[k as usize]));
            triangle(ray, a, b, c)
        });
        let drawn = hits.map(|along| (along, ray.origin + along * ray.direction));
        let drawn = drawn.filter(|(_, place)| place.y <= SURFACE_MAX.y + CUT);
        if let Some((_, place)) = drawn.min_by(|a, b| a.0.total_cmp(&b.0)) {
            return Some(place);
        }
        // The line of the grid that the ray crosses next.
        let next = |d: f32, o: f32, low: f32, high: f32| match d {
            d if d > 1e-9 => (high - o) / d,
            d if d < -1e-9 => (low - o) / d,
            _ => f32::INFINITY,
        };
        let at_x = next(dx, ox, x(i), x(i + 1));
        let at_z = next(dz, oz, depth(j), depth(j + 1));
        if at_x.min(at_z).is_infinite() {
            return None;
        }
        if at_x <= at_z {
            i = step(i, dx, columns)?;
        } else {
            j = step(j, dz, rows)?;
        }
    }
}

/// The cell that holds `v` among `n` rising lines.
fn cell(lines: &impl Fn(usize) -> f32, n: usize, v: f32) -> usize {
    let (mut low, mut high) = (0, n - 1);
    while high - low > 1 {
        let middle = (low + high) / 2;
        if lines(middle) <= v {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

/// The next cell of `n - 1` in the direction of `d`.
fn step(cell: usize, d: f32, n: usize) -> Option<usize> {
    if d > 0.0 {
        (cell + 2 < n).then_some(cell + 1)
    } else {
        cell.checked_sub(1)
    }
}

/// How far along `ray` it meets a triangle, from either side (Möller and Trumbore 1997).
fn triangle(ray: &Ray3d, a: Vec3, b: Vec3, c: Vec3) -> Option<f32> {
    let (ab, ac) = (b - a, c - a);
    let p = ray.direction.cross(ac);
    let determinant = ab.dot(p);
    if determinant.abs() < 1e-12 {
        return None;
    }
    let s = ray.origin - a;
    let u = s.dot(p) / determinant;
    let q = s.cross(ab);
    let v = ray.direction.dot(q) / determinant;
    let inside = u >= -SLACK && v >= -SLACK && u + v <= 1.0 + SLACK;
    let along = ac.dot(q) / determinant;
    (inside && along > 0.0).then_some(along)
}

/// The height of the surface, as it is drawn, over a place of the floor.
pub fn height_over(relief: &Relief, x: f32, z: f32) -> Option<f32> {
    let from = Vec3::new(x, SURFACE_MAX.y + 1.0, z);
    meet(&Ray3d::new(from, Dir3::NEG_Y), relief).map(|place| place.y)
}

/// The coordinates of the plane below a place of the scene.
pub fn coordinates(frame: &SurfaceFrame, place: Vec3) -> (f64, f64) {
    let size = SURFACE_MAX - SURFACE_MIN;
    let across = f64::from((place.x - SURFACE_MIN.x) / size.x);
    let along = f64::from((SURFACE_MAX.z - place.z) / size.z);
    let between = |(low, high): (f64, f64), t: f64| low + t * (high - low);
    (between(frame.x, across), between(frame.y, along))
}

/// The loss that a height stands for.
pub fn loss_at(frame: &SurfaceFrame, height: f32) -> f64 {
    let share = (height - SURFACE_MIN.y) / (SURFACE_MAX.y - SURFACE_MIN.y);
    frame.scale.loss_at(f64::from(share))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::landscape::{PathOnPlane, Surface};
    use ndarray::Array2;

    fn shown(loss: impl Fn(f64, f64) -> f64) -> (Relief, SurfaceFrame) {
        let axis: Vec<f64> = (0..9).map(|i| -2.0 + 0.5 * f64::from(i)).collect();
        let loss = Array2::from_shape_fn((9, 9), |(j, i)| loss(axis[i], axis[j]));
        let surface = Surface {
            x: axis.clone(),
            y: axis,
            loss,
        };
        let path = PathOnPlane::default();
        let frame = SurfaceFrame::new(&surface, &path, (0.0, 0.0), false).unwrap();
        (Relief::new(&surface, &frame), frame)
    }

    fn rays() -> impl Iterator<Item = Ray3d> {
        (0..400).map(|k| {
            let t = f32::from(k as u16);
            let eye = Vec3::new(
                12.0 * (0.7 * t).sin(),
                1.0 + (t % 17.0),
                12.0 * (0.7 * t).cos(),
            );
            let aim = Vec3::new(
                6.0 * (1.3 * t).sin(),
                (t % 5.0) - 0.5,
                6.0 * (2.1 * t).cos(),
            );
            Ray3d::new(eye, Dir3::new(aim - eye).unwrap())
        })
    }

    /// Every triangle, none left out.
    fn slowly(ray: &Ray3d, relief: &Relief) -> Option<Vec3> {
        let at = |k: u32| Vec3::from(relief.positions[k as usize]);
        let all = relief.indices.chunks(3);
        let hits = all.filter_map(|t| triangle(ray, at(t[0]), at(t[1]), at(t[2])));
        let hits = hits.map(|along| ray.origin + along * ray.direction);
        hits.filter(|p| p.y <= SURFACE_MAX.y + CUT)
            .min_by(|a, b| a.distance(ray.origin).total_cmp(&b.distance(ray.origin)))
    }

    #[test]
    fn a_ray_meets_the_first_of_all_triangles_that_are_drawn() {
        let wavy = |x: f64, y: f64| 1.0 + (2.0 * x).sin() * y.cos() + 0.1 * x;
        let hole = |x: f64, y: f64| {
            if x > 0.4 && y > 0.4 {
                f64::NAN
            } else {
                1.0 + x * y
            }
        };
        let tower = |x: f64, y: f64| {
            if x == 0.0 && y == 0.0 {
                1e9
            } else {
                x * x + y * y
            }
        };
        for relief in [shown(wavy).0, shown(hole).0, shown(tower).0] {
            let mut met = 0;
            for ray in rays() {
                let (found, expected) = (meet(&ray, &relief), slowly(&ray, &relief));
                assert_eq!(found.is_some(), expected.is_some(), "{ray:?}");
                if let (Some(found), Some(expected)) = (found, expected) {
                    met += 1;
                    assert!(found.distance(expected) < 1e-3, "{found} {expected}");
                }
            }
            assert!(met > 100, "{met}");
        }
    }

    #[test]
    fn what_is_cut_off_above_the_top_is_looked_through() {
        let (relief, _) = shown(|x, y| {
            if x == 0.0 && y == 0.0 {
                1e9
            } else {
                x * x + y * y
            }
        });
        let ray = Ray3d::new(
            Vec3::new(0.0, 6.0, 12.0),
            Dir3::new(Vec3::new(0.0, -0.1, -1.0)).unwrap(),
        );
        let place = meet(&ray, &relief);
        assert!(place.is_none_or(|p| p.y <= SURFACE_MAX.y + CUT));
        assert_eq!(height_over(&relief, 0.0, 0.0), None);
        assert!(height_over(&relief, 3.0, 3.0).is_some());
    }

    #[test]
    fn a_place_on_the_surface_gives_back_its_coordinates_and_its_loss() {
        let f = |x: f64, y: f64| 0.5 + x * x + 0.25 * y;
        let (relief, frame) = shown(f);
        for (x, y) in [(0.5, -1.0), (-1.5, 1.5), (0.0, 0.0)] {
            let (across, along) = (frame.across(x), frame.along(y));
            let height = height_over(&relief, across, along).unwrap();
            let place = Vec3::new(across, height, along);
            let (px, py) = coordinates(&frame, place);
            assert!((px - x).abs() < 1e-5 && (py - y).abs() < 1e-5, "{px} {py}");
            assert!((loss_at(&frame, height) - f(x, y)).abs() < 1e-4);
        }
    }
}
