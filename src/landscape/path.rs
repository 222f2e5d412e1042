//! The optimiser's path as a plane sees it: projected, with the slice's loss
//! beside the true one.

use super::measure::Gauge;
use super::plane::Plane;
use crate::train::{Evaluator, PathPoint};
use rayon::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};

/// A path point as a plane sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlanePoint {
    /// Steps completed.
    pub step: u64,
    /// Coordinate of the projection along the first direction.
    pub x: f64,
    /// Coordinate along the second direction.
    pub y: f64,
    /// The training loss that the run recorded there.
    pub recorded_loss: f64,
    /// The loss (or whatever the surface shows) at the weights themselves.
    pub true_loss: f64,
    /// The loss at the projection, which is what the surface shows there.
    pub slice_loss: f64,
    /// Distance from the plane, squared.
    pub residual_squared: f64,
    /// Distance from the plane's centre, squared.
    pub distance_squared: f64,
}

impl PlanePoint {
    /// True loss minus the slice's: how far the picture misses reality here.
    pub fn gap(&self) -> f64 {
        self.true_loss - self.slice_loss
    }
}

/// A whole path as a plane sees it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PathOnPlane {
    /// The points, oldest first.
    pub points: Vec<PlanePoint>,
}

impl PathOnPlane {
    /// The share of the path that lies in the plane: in-plane over total squared
    /// distance from the centre, summed over the points; `None` where the path
    /// never left the centre.
    pub fn share_in_plane(&self) -> Option<f64> {
        let total: f64 = self.points.iter().map(|p| p.distance_squared).sum();
        let outside: f64 = self.points.iter().map(|p| p.residual_squared).sum();
        (total > 0.0).then(|| (1.0 - outside / total).clamp(0.0, 1.0))
    }

    /// The point with the largest gap.
    pub fn largest_gap(&self) -> Option<&PlanePoint> {
        self.points
            .iter()
            .max_by(|a, b| a.gap().abs().total_cmp(&b.gap().abs()))
    }

    /// Brings the path up to date with `points`, oldest first: points that are
    /// known keep what was computed for them, those that are gone go, and only
    /// new ones cost a loss. A point is known by its step and its recorded loss.
    /// Returns whether that was done; when `cancel` was set meanwhile it was
    /// not, and nothing has changed.
    pub fn update(
        &mut self,
        gauge: Gauge<'_>,
        plane: &Plane,
        points: &[PathPoint],
        cancel: &AtomicBool,
    ) -> bool {
        let known = |point: &PathPoint| {
            let at = self.points.binary_search_by_key(&point.step, |p| p.step);
            let found = self.points[at.ok()?];
            (found.recorded_loss.to_bits() == point.loss.to_bits()).then_some(found)
        };
        let mut merged: Vec<Option<PlanePoint>> = points.iter().map(known).collect();
        let missing: Vec<PathPoint> = points
            .iter()
            .zip(&merged)
            .filter(|(_, known)| known.is_none())
            .map(|(point, _)| point.clone())
            .collect();
        let Some(new) = path_on_plane(gauge, plane, &missing, cancel) else {
            return false;
        };
        let gaps = merged.iter_mut().filter(|slot| slot.is_none());
        for (slot, point) in gaps.zip(new.points) {
            *slot = Some(point);
        }
        self.points = merged.into_iter().flatten().collect();
        true
    }
}

/// Projects `points` onto `plane` and computes what `gauge` measures at each and
/// at its projection, the slice's loss. Where it measures what a run records,
/// the recorded loss is taken. Returns `None` if `cancel` was set meanwhile.
pub fn path_on_plane(
    gauge: Gauge<'_>,
    plane: &Plane,
    points: &[PathPoint],
    cancel: &AtomicBool,
) -> Option<PathOnPlane> {
    let points = points
        .par_iter()
        .map_init(
            || {
                let params = vec![0.0_f32; plane.center().len()];
                (Evaluator::new(gauge.network()), params)
            },
            |(evaluator, params), point| {
                let projection = plane.project(&point.params);
                let (mut true_loss, mut slice_loss) = (point.loss, f64::NAN);
                if !cancel.load(Ordering::Relaxed) {
                    plane.write_point(projection.x, projection.y, params);
                    slice_loss = gauge.at(params, evaluator);
                    if !gauge.is_recorded() {
                        true_loss = gauge.at(&point.params, evaluator);
                    }
                }
                PlanePoint {
                    step: point.step,
                    x: projection.x,
                    y: projection.y,
                    recorded_loss: point.loss,
                    true_loss,
                    slice_loss,
                    residual_squared: projection.residual_squared,
                    distance_squared: projection.distance_squared,
                }
            },
        )
        .collect();
    (!cancel.load(Ordering::Relaxed)).then_some(PathOnPlane { points })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::landscape::Directions;
    use crate::nn::{Activation, Init, Loss, Network};
    use crate::rng::{Stream, stream};
    use crate::train::Samples;
    use ndarray::array;
    use std::sync::Arc;

    fn case() -> (Network, Samples, Plane, Vec<PathPoint>) {
        let layers = [(3, Activation::Tanh), (1, Activation::Linear)];
        let network = Network::dense(2, &layers, Loss::HalfSquaredError).unwrap();
        let mut rng = stream(1, Stream::Init);
        let params = network.initialise(Init::Xavier, 1.0, 0.0, &mut rng);
        let samples = Samples {
            x: array![[0.0, 1.0], [1.0, 0.5], [-1.0, 2.0]],
            y: array![[1.0], [0.0], [-1.0]],
        };
        let plane = Directions::Random { seed: 3 }
            .plane(network.layout(), &params)
            .unwrap();
        let mut evaluator = Evaluator::new(&network);
        let points = (0..9)
            .map(|k| {
                let params: Arc<[f32]> = params.iter().map(|p| p + 0.1 * k as f32).collect();
                PathPoint {
                    step: 5 * k,
                    epoch: 0,
                    loss: evaluator.loss(&network, &params, &samples),
                    params,
                }
            })
            .collect();
        (network, samples, plane, points)
    }

    #[test]
    fn a_path_that_grew_and_was_thinned_is_the_path_computed_at_once() {
        let (network, samples, plane, points) = case();
        let gauge = Gauge::loss(&network, &samples);
        let go = AtomicBool::new(false);
        let mut path = PathOnPlane::default();
        assert!(path.update(gauge, &plane, &points[..4], &go));
        let thinned: Vec<_> = points.iter().step_by(2).cloned().collect();
        assert!(path.update(gauge, &plane, &thinned, &go));
        let at_once = path_on_plane(gauge, &plane, &thinned, &go).unwrap();
        assert_eq!(path, at_once);
        // A second run that passes other places at the same steps is another path.
        let mut other = thinned.clone();
        other[2].params = Arc::clone(&points[1].params);
        other[2].loss = points[1].loss;
        assert!(path.update(gauge, &plane, &other, &go));
        assert_ne!(path.points[2], at_once.points[2]);
        assert_eq!(path.points[3], at_once.points[3]);
    }

    #[test]
    fn cancelling_changes_nothing() {
        let (network, samples, plane, points) = case();
        let gauge = Gauge::loss(&network, &samples);
        let mut path = PathOnPlane::default();
        assert!(!path.update(gauge, &plane, &points, &AtomicBool::new(true)));
        assert!(path.points.is_empty());
    }
}
