//! Planes that follow from the slope and the curvature of the loss at their centre.

use super::curvature::{Effort, Eigenpair, LossHessian, Symmetric, ends};
use super::directions::DirectionsError;
use super::measure::Gauge;
use super::plane::Plane;
use super::span::{PlaneContext, Spanned};
use crate::rng::{Stream, stream};
use crate::train::Evaluator;
use std::sync::atomic::Ordering;

/// Good enough for a direction: what is left of other eigenvectors in it cannot be
/// seen, and eigenvalues are good to the square of it.
const EFFORT: Effort = Effort {
    tolerance: 1e-4,
    vectors: 200,
};

/// Along two eigenvectors of the Hessian: of the two eigenvalues largest in
/// absolute value, or of the largest and the smallest.
pub(super) fn hessian_plane(
    context: &PlaneContext<'_>,
    hessian: &mut LossHessian<'_>,
    at_ends: bool,
) -> Result<Spanned, DirectionsError> {
    let mut rng = stream(0, Stream::Curvature);
    let found = ends(hessian, 2, EFFORT, &mut rng, &|_| {});
    let found = found.ok_or_else(|| stopped(context))?;
    let pair: Option<[Eigenpair; 2]> = if at_ends {
        found.largest.zip(found.smallest).map(|(a, b)| [a, b])
    } else {
        found.top.try_into().ok()
    };
    let pair = pair.filter(|[a, b]| a.value != 0.0 && a.vector != b.vector);
    let [a, b] = pair.ok_or(DirectionsError::NoCurvature)?;
    let (_, gradient) = hessian.gradient().ok_or_else(|| stopped(context))?;
    let slope = dot(&gradient, &a.vector).hypot(dot(&gradient, &b.vector));
    let curvature = a.value.abs().max(b.value.abs());
    let length = reach(context, hessian, slope, curvature)?;
    let plane = plane_of(context, hessian, length, &a.vector, &b.vector)?;
    Ok(Spanned {
        eigenvalues: Some([a.value, b.value]),
        residuals: Some([a.residual, b.residual]),
        ..Spanned::new(plane)
    })
}

/// Down the gradient, and to where the Hessian turns it.
pub(super) fn gradient_plane(
    context: &PlaneContext<'_>,
    hessian: &mut LossHessian<'_>,
) -> Result<Spanned, DirectionsError> {
    let (loss, gradient) = hessian.gradient().ok_or_else(|| stopped(context))?;
    let slope = dot(&gradient, &gradient).sqrt();
    if !(loss.is_finite() && slope.is_finite()) {
        return Err(DirectionsError::NotFinite);
    }
    if slope == 0.0 {
        return Err(DirectionsError::NoGradient);
    }
    let down: Vec<f64> = gradient.iter().map(|g| -g / slope).collect();
    let mut turn = vec![0.0; down.len()];
    if !hessian.product(&down, &mut turn) {
        return Err(DirectionsError::Cancelled);
    }
    let bend = dot(&turn, &down);
    let size = dot(&turn, &turn).sqrt();
    for _ in 0..2 {
        let along = dot(&turn, &down);
        turn.iter_mut()
            .zip(&down)
            .for_each(|(t, d)| *t -= along * d);
    }
    let beside = dot(&turn, &turn).sqrt();
    if !size.is_finite() {
        return Err(DirectionsError::NotFinite);
    }
    if beside <= 1e-9 * size {
        return Err(DirectionsError::NoTurn);
    }
    turn.iter_mut().for_each(|t| *t /= beside);
    let mut image = vec![0.0; turn.len()];
    if !hessian.product(&turn, &mut image) {
        return Err(DirectionsError::Cancelled);
    }
    // The larger eigenvalue in size of [[bend, beside], [beside, across]].
    let across = dot(&image, &turn);
    let (middle, half) = (0.5 * (bend + across), (0.5 * (bend - across)).hypot(beside));
    let length = reach(context, hessian, slope, middle.abs() + half)?;
    let plane = plane_of(context, hessian, length, &down, &turn)?;
    Ok(Spanned {
        gradient_norm: Some(slope),
        ..Spanned::new(plane)
    })
}

/// How far to go until `slope s + curvature s^2 / 2` is as much as the loss of a
/// network that says the same of every sample; at most as far as the weights are
/// long.
fn reach(
    context: &PlaneContext<'_>,
    hessian: &LossHessian<'_>,
    slope: f64,
    curvature: f64,
) -> Result<f64, DirectionsError> {
    if !(slope.is_finite() && curvature.is_finite()) {
        return Err(DirectionsError::NotFinite);
    }
    let rise = silent_loss(context.gauge, context.center);
    let weights = hessian.weights_norm();
    let most = if weights > 0.0 { weights } else { 1.0 };
    // The root, written so that nothing cancels.
    let length = 2.0 * rise / (slope + (slope * slope + 2.0 * curvature * rise).sqrt());
    Ok(if length.is_finite() && length > 0.0 {
        length.min(most)
    } else {
        most
    })
}

/// The mean data loss, over the samples of `gauge`, with all parameters zero: of
/// a network that says the same of every sample. What batch normalisation has
/// gathered stays as in `params`. Where it is zero itself, 1.
pub(super) fn silent_loss(gauge: Gauge<'_>, params: &[f32]) -> f64 {
    let network = gauge.network();
    let mut params = params.to_vec();
    params[..network.layout().trainable()].fill(0.0);
    let loss = Evaluator::new(network).loss(network, &params, gauge.samples());
    if loss.is_finite() && loss > 0.0 {
        loss
    } else {
        1.0
    }
}

fn plane_of(
    context: &PlaneContext<'_>,
    hessian: &LossHessian<'_>,
    length: f64,
    x: &[f64],
    y: &[f64],
) -> Result<Plane, DirectionsError> {
    let spread = |v: &[f64]| {
        let mut direction = vec![0.0_f32; context.center.len()];
        for (&i, v) in hessian.moving().iter().zip(v) {
            direction[i] = (length * v) as f32;
        }
        direction
    };
    Ok(Plane::new(context.center.to_vec(), spread(x), spread(y))?)
}

/// Why there are no numbers: it was called off, or they are not finite.
fn stopped(context: &PlaneContext<'_>) -> DirectionsError {
    if context.cancel.load(Ordering::Relaxed) {
        DirectionsError::Cancelled
    } else {
        DirectionsError::NotFinite
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
