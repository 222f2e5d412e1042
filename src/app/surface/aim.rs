//! The plane of a surface in the making: one that is in hand, or one that has to
//! be found first, which takes a while where derivatives of the loss or the
//! components of a long path are needed.

use crate::landscape::{
    Directions, DirectionsError, Gauge, Measure, MeasureError, Over, Plane, PlaneContext, Quantity,
    Scope, Spanned, span,
};
use crate::train::{PathPoint, Problem};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A plane and what came to light when it was made.
#[derive(Debug, Clone)]
pub struct Found {
    /// The plane.
    pub plane: Arc<Plane>,
    /// What is known about it.
    pub facts: PlaneFacts,
    /// The weights that its directions belong to.
    pub weights: Arc<[f32]>,
}

/// What is known about a plane.
#[derive(Debug, Clone, PartialEq)]
pub struct PlaneFacts {
    /// Which directions were asked for.
    pub directions: Directions,
    /// Which parameters they move.
    pub scope: Scope,
    /// Whether random directions stand in, for want of a path so far.
    pub stands_in: bool,
    /// The coordinates between which there is something to see.
    pub range: (f64, f64),
    /// Principal components: the share of the path's squared length that each
    /// explains.
    pub shares: Option<[f64; 2]>,
    /// Directions of the Hessian: the eigenvalue of each.
    pub eigenvalues: Option<[f64; 2]>,
    /// Directions of the gradient: its length.
    pub gradient_norm: Option<f64>,
    /// Checkpoints: the steps that were taken.
    pub steps: Option<[u64; 3]>,
    /// The step at which the directions were found.
    pub found_at: u64,
}

/// Which plane to find.
#[derive(Debug, Clone)]
pub struct Search {
    /// The directions.
    pub directions: Directions,
    /// Which parameters they move.
    pub scope: Scope,
    /// The weights that it goes through, and their step.
    pub weights: Arc<[f32]>,
    /// See `weights`.
    pub step: u64,
    /// The plane shown before, so that the new one points the same way.
    pub before: Option<Arc<Plane>>,
}

/// The plane of a request.
#[derive(Debug, Clone)]
pub enum Aim {
    /// It is here. The same plane again keeps what is known about its surface.
    Have(Found),
    /// It has to be found first.
    Find(Search),
}

impl Search {
    /// Finds the plane. Without a path that spans one, random directions stand in
    /// for its components and its checkpoints.
    ///
    /// # Errors
    /// When there is no such plane, or it was called off.
    pub fn find(
        &self,
        gauge: Gauge<'_>,
        path: &[PathPoint],
        cancel: &AtomicBool,
    ) -> Result<Found, DirectionsError> {
        let along = |directions, path| {
            span(&PlaneContext {
                gauge,
                center: &self.weights,
                path,
                directions,
                scope: &self.scope,
                cancel,
            })
        };
        // The present weights are the last place of the path.
        let mut whole;
        let path = match path.last() {
            Some(last) if last.step == self.step || !self.directions.need_path() => path,
            _ => {
                whole = path.to_vec();
                whole.retain(|p| p.step < self.step);
                whole.push(PathPoint {
                    step: self.step,
                    epoch: 0,
                    params: Arc::clone(&self.weights),
                    loss: f64::NAN,
                });
                &whole
            }
        };
        let (spanned, stands_in) = match along(self.directions, path) {
            Err(
                DirectionsError::NoPath
                | DirectionsError::NoCheckpoints
                | DirectionsError::SameCheckpoints(..),
            ) => (along(Directions::Random { seed: 0 }, &[])?, true),
            spanned => (spanned?, false),
        };
        let Spanned { plane, .. } = spanned;
        let turns = !stands_in && !matches!(self.directions, Directions::Checkpoints(_));
        let plane = match &self.before {
            Some(before) if turns => plane.aligned_with(before),
            _ => plane,
        };
        Ok(Found {
            plane: Arc::new(plane),
            weights: Arc::clone(&self.weights),
            facts: PlaneFacts {
                directions: self.directions,
                scope: self.scope.clone(),
                stands_in,
                range: spanned.range,
                shares: spanned.shares,
                eigenvalues: spanned.eigenvalues,
                gradient_norm: spanned.gradient_norm,
                steps: spanned.steps,
                found_at: self.step,
            },
        })
    }
}

/// Multiply-adds for the components of a path that a frame has room for.
const FRAME_WORK: usize = 4_000_000;

/// Whether finding these directions takes longer than a frame has room for.
pub fn takes_long(directions: Directions, parameters: usize, points: usize) -> bool {
    let points = points.min(96);
    directions.need_loss()
        || directions == Directions::Path && points * points / 2 * parameters > FRAME_WORK
}

/// About how many evaluations of the loss it takes to find these directions.
pub fn evaluations(directions: Directions) -> f64 {
    match directions {
        // Some dozens of products with the Hessian, each as dear as four
        // evaluations in single precision and twice that in double.
        Directions::Hessian | Directions::HessianEnds => 400.0,
        Directions::Gradient => 20.0,
        _ => 1.0,
    }
}

/// What of `wish` can be measured now, and why not all of it: without a batch or
/// validation part it is the training part, without classes the loss.
pub fn possible(
    problem: &Problem,
    wish: Measure,
    has_batch: bool,
) -> (Measure, Option<MeasureError>) {
    let mut measure = wish;
    let mut reason = None;
    if wish.over == Over::Batch && !has_batch {
        measure.over = Over::Train;
        reason = Some(MeasureError::NoBatch);
    }
    if wish.over == Over::Validation && problem.validation.is_empty() {
        measure.over = Over::Train;
        reason = Some(MeasureError::NoValidation);
    }
    if wish.quantity == Quantity::Accuracy && !problem.data.task.is_classification() {
        measure.quantity = Quantity::Loss;
        reason = Some(MeasureError::NoClasses);
    }
    (measure, reason)
}
