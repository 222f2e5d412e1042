//! When the picture of a surface misleads about the path over it.

use super::path::PathOnPlane;
use super::surface::Surface;

/// Below this share of the path's squared length within the plane most of what the
/// path does is not in the picture.
pub const LITTLE_SHARE: f64 = 0.5;

/// A gap larger than this share of the surface's relief is a path that visibly
/// floats over the surface or runs below it.
pub const LARGE_GAP: f64 = 0.25;

/// Why a picture misleads.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Misleads {
    /// So little of the path lies in the plane.
    Share(f64),
    /// So large a gap, as a share of the relief, at this step.
    Gap {
        /// True height minus the slice's.
        gap: f64,
        /// Its size as a share of the relief.
        share: f64,
        /// Where.
        step: u64,
    },
}

/// Whether the picture of `surface` misleads about `path`, and the stronger
/// reason. A path of fewer than three points is none yet.
pub fn misleads(surface: &Surface, path: &PathOnPlane) -> Option<Misleads> {
    if path.points.len() < 3 {
        return None;
    }
    if let Some(share) = path.share_in_plane().filter(|s| *s < LITTLE_SHARE) {
        return Some(Misleads::Share(share));
    }
    let (low, high) = surface.range()?;
    let (relief, worst) = (high - low, path.largest_gap()?);
    let share = worst.gap().abs() / relief;
    (relief > 0.0 && share > LARGE_GAP).then_some(Misleads::Gap {
        gap: worst.gap(),
        share,
        step: worst.step,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::landscape::PlanePoint;
    use ndarray::array;

    /// Over a relief of 2, with a gap at step 1.
    fn of(gap: f64, outside: f64, points: usize) -> Option<Misleads> {
        let surface = Surface {
            x: vec![-1.0, 1.0],
            y: vec![-1.0, 1.0],
            loss: array![[0.0, 1.0], [2.0, f64::NAN]],
        };
        let point = |step: u64| PlanePoint {
            step,
            x: 0.0,
            y: 0.0,
            recorded_loss: 1.0,
            true_loss: 1.0,
            slice_loss: if step == 1 { 1.0 - gap } else { 1.0 },
            residual_squared: outside,
            distance_squared: 1.0,
        };
        let points = (0..points as u64).map(point).collect();
        misleads(&surface, &PathOnPlane { points })
    }

    #[test]
    fn a_path_outside_the_plane_or_far_from_the_surface_misleads() {
        assert_eq!(of(0.1, 0.1, 5), None);
        assert_eq!(of(0.1, 0.75, 5), Some(Misleads::Share(0.25)));
        let Some(Misleads::Gap { gap, share, step }) = of(-0.6, 0.1, 5) else {
            panic!("0.6 of a relief of 2 is too much")
        };
        assert_eq!(step, 1);
        assert!((gap + 0.6).abs() < 1e-12 && (share - 0.3).abs() < 1e-12);
        assert_eq!(of(-0.6, 0.75, 2), None, "two points are no path");
    }
}
