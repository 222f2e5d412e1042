//! From a choice of directions to the plane: cheap where the layout and the path
//! say all, with products of the Hessian where the loss has a say.

use super::curvature::{LossHessian, Symmetric};
use super::curved::{gradient_plane, hessian_plane};
use super::directions::{Directions, DirectionsError};
use super::filter::filter_normalised;
use super::measure::Gauge;
use super::plane::Plane;
use super::principal::principal_plane_within;
use super::scope::Scope;
use crate::nn::Layout;
use crate::rng::{Stream, stream};
use crate::train::PathPoint;
use std::sync::atomic::AtomicBool;

/// What a plane is to go through, and along what.
#[derive(Debug, Clone, Copy)]
pub struct PlaneContext<'a> {
    /// What the surface shows: [`Directions::Hessian`] and
    /// [`Directions::Gradient`] follow from its loss.
    pub gauge: Gauge<'a>,
    /// The weights that it goes through ([`Directions::Checkpoints`] has a centre
    /// of its own).
    pub center: &'a [f32],
    /// The run's recorded path, oldest first; empty where there is none.
    pub path: &'a [PathPoint],
    /// The directions.
    pub directions: Directions,
    /// Which parameters they move.
    pub scope: &'a Scope,
    /// Calls it off.
    pub cancel: &'a AtomicBool,
}

/// A plane, and what came to light when it was made.
#[derive(Debug, Clone, PartialEq)]
pub struct Spanned {
    /// The plane.
    pub plane: Plane,
    /// [`Directions::Path`]: the share of the path's squared length that each
    /// component explains, of what the scope moves.
    pub shares: Option<[f64; 2]>,
    /// [`Directions::Hessian`]: the eigenvalue that belongs to each direction
    /// (the second derivative along it for a step of length 1, not for a step of
    /// the direction's length).
    pub eigenvalues: Option<[f64; 2]>,
    /// `|H v - lambda v|` of these.
    pub residuals: Option<[f64; 2]>,
    /// [`Directions::Gradient`]: the length of the gradient, of what the scope
    /// moves.
    pub gradient_norm: Option<f64>,
    /// [`Directions::Checkpoints`]: the steps of the recorded places that were
    /// taken.
    pub steps: Option<[u64; 3]>,
    /// The coordinates between which there is something to see.
    pub range: (f64, f64),
}

impl Spanned {
    pub(super) fn new(plane: Plane) -> Self {
        Spanned {
            plane,
            shares: None,
            eigenvalues: None,
            residuals: None,
            gradient_norm: None,
            steps: None,
            range: (-1.0, 1.0),
        }
    }
}

/// The plane that `context` asks for.
///
/// How long each direction is: one unit for a parameter; the weights' own norm
/// for random ones; as it takes for the path to reach to 0.7 for its components;
/// for checkpoints, from one to the other. The directions of the Hessian and of
/// the gradient are both of the same length, so that the picture keeps angles and
/// proportions: the length at which, by slope and curvature at the centre, the
/// loss along the steepest direction of the plane would have changed by the loss
/// of the network with all parameters zero, which says the same of every sample;
/// but no longer than the weights themselves.
///
/// # Errors
/// When there is no such plane, or it was called off.
pub fn span(context: &PlaneContext<'_>) -> Result<Spanned, DirectionsError> {
    let layout = context.gauge.network().layout();
    let (center, scope) = (context.center, context.scope);
    if let Some(spanned) = cheap(context.directions, layout, center, context.path, scope)? {
        return Ok(spanned);
    }
    let mut hessian = LossHessian::new(context.gauge, center, scope, context.cancel)?;
    if hessian.size() < 2 {
        return Err(DirectionsError::SmallScope(scope.to_string()));
    }
    match context.directions {
        Directions::Gradient => gradient_plane(context, &mut hessian),
        directions => {
            let at_ends = directions == Directions::HessianEnds;
            hessian_plane(context, &mut hessian, at_ends)
        }
    }
}

/// The plane through three parameter vectors: the first at (0, 0), the second at
/// (1, 0), the third at (0, 1), of what `scope` moves.
///
/// # Errors
/// When the three span no plane, or the scope does not fit.
pub fn through_checkpoints(
    layout: &Layout,
    points: [&[f32]; 3],
    scope: &Scope,
) -> Result<Spanned, DirectionsError> {
    let mask = scope.mask(layout)?;
    let [a, b, c] = points;
    let towards = |to: &[f32]| -> Vec<f32> {
        let pairs = to.iter().zip(a).zip(&mask);
        pairs
            .map(|((&to, &from), &moves)| if moves { to - from } else { 0.0 })
            .collect()
    };
    Ok(Spanned {
        range: (-0.5, 1.5),
        ..Spanned::new(Plane::new(a.to_vec(), towards(b), towards(c))?)
    })
}

/// The plane where it takes no derivative of the loss; `None` where it does.
pub(super) fn cheap(
    directions: Directions,
    layout: &Layout,
    center: &[f32],
    path: &[PathPoint],
    scope: &Scope,
) -> Result<Option<Spanned>, DirectionsError> {
    let len = layout.len();
    let mask = scope.mask(layout)?;
    let small = || DirectionsError::SmallScope(scope.to_string());
    if mask.iter().filter(|&&moves| moves).count() < 2 {
        return Err(small());
    }
    let (x, y) = match directions {
        Directions::Hessian | Directions::HessianEnds | Directions::Gradient => return Ok(None),
        Directions::Path => {
            let points: Vec<&[f32]> = path.iter().map(|p| &*p.params).collect();
            let found = principal_plane_within(center, &points, |i| mask[i])?;
            let (plane, shares) = found.ok_or(DirectionsError::NoPath)?;
            return Ok(Some(Spanned {
                shares: Some(shares),
                ..Spanned::new(plane)
            }));
        }
        Directions::Checkpoints(wanted) => {
            let [a, b, c] = nearest(path, wanted).ok_or(DirectionsError::NoCheckpoints)?;
            let steps = [a.step, b.step, c.step];
            let points = [&*a.params, &*b.params, &*c.params];
            let spanned = through_checkpoints(layout, points, scope);
            return match spanned {
                Err(DirectionsError::Plane(_)) => {
                    Err(DirectionsError::SameCheckpoints(wanted, steps))
                }
                spanned => Ok(Some(Spanned {
                    steps: Some(steps),
                    ..spanned?
                })),
            };
        }
        Directions::Weights(i, j) => {
            if let Some(&index) = [i, j].iter().find(|&&k| k >= len) {
                return Err(DirectionsError::NoParameter { index, len });
            }
            if i == j {
                return Err(DirectionsError::SameParameter(i));
            }
            if let Some(&index) = [i, j].iter().find(|&&k| !mask[k]) {
                return Err(DirectionsError::OutsideScope {
                    index,
                    scope: scope.to_string(),
                });
            }
            let unit = |k: usize| {
                let mut direction = vec![0.0; len];
                direction[k] = 1.0;
                direction
            };
            (unit(i), unit(j))
        }
        Directions::Random { seed } => {
            let mut rng = stream(seed, Stream::Directions);
            let mut draw = || {
                let mut direction = filter_normalised(layout, center, &mut rng);
                for (d, _) in direction
                    .iter_mut()
                    .zip(&mask)
                    .filter(|(_, moves)| !**moves)
                {
                    *d = 0.0;
                }
                direction
            };
            (draw(), draw())
        }
    };
    let plane = Plane::new(center.to_vec(), x, y);
    // Random directions within a single weight, or none, are parallel.
    let plane = plane.map_err(|error| match scope {
        Scope::Whole => DirectionsError::Plane(error),
        _ => small(),
    });
    Ok(Some(Spanned::new(plane?)))
}

/// The recorded places nearest to three steps.
fn nearest(path: &[PathPoint], steps: [u64; 3]) -> Option<[&PathPoint; 3]> {
    let near = |step: u64| path.iter().min_by_key(|p| p.step.abs_diff(step));
    let [a, b, c] = steps.map(near);
    Some([a?, b?, c?])
}
