//! The error surface of a run with the optimiser's path, as the page turns it.

use super::pack::Packed;
use crate::insight::run_record::{RunRecord, evenly};
use crate::landscape::{
    Axis, Directions, DirectionsError, Gauge, Misleads, PathOnPlane, PlaneContext, Scope, Slice,
    Spanned, Surface, evaluate, misleads, path_on_plane, span,
};
use crate::train::{Evaluator, PathPoint};
use serde::Serialize;
use std::sync::atomic::AtomicBool;

/// Points of the path that are projected and drawn, at most.
const PATH: usize = 600;
/// Multiply-adds that a surface may take: of larger networks it is over fewer samples.
const WORK: f64 = 3e11;
/// Fewer samples than this say little about a loss.
const FEWEST: usize = 128;

/// A surface that was computed for a run.
#[derive(Debug, Clone)]
pub struct Relief {
    /// Heights over the plane.
    pub surface: Surface,
    /// The path, projected.
    pub path: PathOnPlane,
    /// The plane.
    pub spanned: Spanned,
    /// By components of the path, else by random directions of this seed.
    pub random: Option<u64>,
    /// The loss at the last weights.
    pub center_loss: f64,
    /// Samples that it is over, of all of the training part.
    pub samples: [usize; 2],
}

/// Why there is no surface.
#[derive(Debug, thiserror::Error)]
pub enum ReliefError {
    /// It was called off.
    #[error("interrupted")]
    Cancelled,
    /// There is no such plane, or no grid of so many points.
    #[error("{0}")]
    None(String),
}

impl Relief {
    /// Computes the surface of `record` over `n` x `n` points of the plane that holds most
    /// of its path, or of random directions where the path spans none. `done` counts
    /// points.
    ///
    /// # Errors
    /// When it was called off, or the network has no plane.
    pub fn compute(
        record: &RunRecord,
        n: usize,
        cancel: &AtomicBool,
        done: impl Fn(usize) + Sync,
    ) -> Result<Self, ReliefError> {
        let none = |error: &dyn std::fmt::Display| ReliefError::None(error.to_string());
        let problem = &record.problem;
        let all = problem.train.len();
        let work = problem.network.layers().iter();
        let work: usize = work.map(|layer| layer.multiply_adds()).sum();
        let most = WORK / ((n * n) as f64 * work.max(1) as f64);
        let most = (most as usize).max(FEWEST).min(all);
        let few = (most < all).then(|| problem.train.select(&evenly(all, most)));
        let gauge = Gauge::training_loss(problem);
        // Where a loss was not recorded, all along the path are computed.
        let recorded = record.path.iter().all(|point| !point.loss.is_nan());
        let gauge = match &few {
            Some(few) => gauge.over(few),
            None if recorded => gauge,
            None => gauge.over(&problem.train),
        };
        let path: Vec<PathPoint> = evenly(record.path.len(), PATH)
            .into_iter()
            .map(|k| record.path[k].clone())
            .filter(|point| point.params.iter().all(|v| v.is_finite()))
            .collect();
        let plane = |directions| {
            span(&PlaneContext {
                gauge,
                center: record.params(),
                path: &path,
                directions,
                scope: &Scope::Whole,
                cancel,
            })
        };
        let (spanned, random) = match plane(Directions::Path) {
            Ok(spanned) => (spanned, None),
            Err(DirectionsError::NoPath) => {
                let seed = problem.experiment.seed;
                let spanned = plane(Directions::Random { seed });
                (spanned.map_err(|error| none(&error))?, Some(seed))
            }
            Err(error) => return Err(none(&error)),
        };
        let (lo, hi) = spanned.range;
        let axis = Axis::new(lo, hi, n).map_err(|error| none(&error))?;
        let slice = Slice::new(gauge, &spanned.plane);
        let surface = evaluate(&slice, axis, axis, cancel, done, |_| {});
        let path = path_on_plane(gauge, &spanned.plane, &path, cancel);
        let (Some(surface), Some(path)) = (surface, path) else {
            return Err(ReliefError::Cancelled);
        };
        let center = spanned.plane.center();
        let center_loss = gauge.at(center, &mut Evaluator::new(gauge.network()));
        Ok(Relief {
            surface,
            path,
            random,
            center_loss,
            samples: [gauge.samples().len(), all],
            spanned,
        })
    }

    /// What the page's script reads; none where nothing is finite.
    pub(super) fn data(&self) -> Option<ReliefData> {
        let surface = &self.surface;
        let (lo, hi) = surface.range()?;
        let points = &self.path.points;
        let column = |of: fn(&crate::landscape::PlanePoint) -> f64| {
            Packed::f32(points.iter().map(|point| of(point) as f32))
        };
        Some(ReliefData {
            n: [surface.x.len(), surface.y.len()],
            range: [surface.x[0], surface.x[surface.x.len() - 1]],
            z: Packed::f32(surface.loss.iter().map(|&v| v as f32)),
            lo,
            hi,
            random: self.random,
            shares: self.spanned.shares,
            center_loss: self.center_loss,
            samples: self.samples,
            step: Packed::u32(points.iter().map(|point| point.step)),
            x: column(|point| point.x),
            y: column(|point| point.y),
            loss: column(|point| point.true_loss),
            slice: column(|point| point.slice_loss),
            share: self.path.share_in_plane().filter(|_| points.len() > 1),
            misleads: misleads(surface, &self.path).map(|why| match why {
                Misleads::Share(share) => ("share", share, 0),
                Misleads::Gap { share, step, .. } => ("gap", share, step),
            }),
        })
    }
}

/// A surface in the page.
#[derive(Debug, Clone, Serialize)]
pub(super) struct ReliefData {
    n: [usize; 2],
    range: [f64; 2],
    z: Packed,
    lo: f64,
    hi: f64,
    random: Option<u64>,
    shares: Option<[f64; 2]>,
    center_loss: f64,
    samples: [usize; 2],
    step: Packed,
    x: Packed,
    y: Packed,
    loss: Packed,
    slice: Packed,
    share: Option<f64>,
    misleads: Option<(&'static str, f64, u64)>,
}
