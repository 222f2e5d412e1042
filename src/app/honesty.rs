//! When the picture of an error surface misleads about the path over it.

use super::surface::ErrorSurface;

/// Below this share of the path's squared length within the plane, most of what
/// the path does is not in the picture. Half and half is where the shadow of the
/// path is no longer the larger part of it.
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
        /// As a share of the relief, positive.
        share: f64,
        /// Where.
        step: u64,
    },
}

/// Whether the picture misleads, and the stronger reason.
pub fn misleads(shown: &ErrorSurface) -> Option<Misleads> {
    // The path's start alone is no path.
    if shown.path.points.len() < 3 {
        return None;
    }
    let share = shown.path.share_in_plane();
    if let Some(share) = share.filter(|s| *s < LITTLE_SHARE) {
        return Some(Misleads::Share(share));
    }
    let (low, high) = shown.surface.as_ref()?.range()?;
    let relief = high - low;
    let worst = shown.path.largest_gap()?;
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
    use crate::landscape::{PathOnPlane, PlanePoint, Surface};
    use ndarray::array;
    use std::sync::Arc;

    fn shown(gap: f64, outside: f64) -> ErrorSurface {
        let point = |step: u64, gap: f64| PlanePoint {
            step,
            x: 0.0,
            y: 0.0,
            recorded_loss: 1.0,
            true_loss: 1.0,
            slice_loss: 1.0 - gap,
            residual_squared: outside,
            distance_squared: 1.0,
        };
        ErrorSurface {
            surface: Some(Arc::new(Surface {
                x: vec![-1.0, 1.0],
                y: vec![-1.0, 1.0],
                loss: array![[0.0, 1.0], [2.0, 0.5]],
            })),
            path: PathOnPlane {
                points: vec![point(0, 0.0), point(1, gap), point(2, 0.01)],
            },
            ..ErrorSurface::default()
        }
    }

    #[test]
    fn a_path_in_its_plane_does_not_mislead_and_one_outside_does() {
        assert_eq!(misleads(&shown(0.1, 0.1)), None);
        assert_eq!(misleads(&shown(0.1, 0.75)), Some(Misleads::Share(0.25)));
        let Some(Misleads::Gap { gap, share, step }) = misleads(&shown(-0.6, 0.1)) else {
            panic!("0.6 of a relief of 2 is too much")
        };
        assert_eq!(step, 1);
        assert!((gap + 0.6).abs() < 1e-12 && (share - 0.3).abs() < 1e-12);
    }
}
