//! ReLU with a learnt slope below zero, one for each channel (He et al. 2015,
//! "Delving deep into rectifiers").

use super::{Below, LayerState, Pass, TangentState};
use crate::nn::{Layout, ParamRole, Real};

pub(super) fn lay_out(index: usize, channels: usize, layout: &mut Layout) {
    layout.push(index, ParamRole::Slope, vec![channels]);
}

/// The values of a channel.
fn run<R>(values: &[R], channels: usize) -> usize {
    values.len() / channels
}

pub(super) fn forward<R: Real>(_: Pass, own: &[R], x: &[R], state: &mut LayerState<R>) {
    let run = run(x, own.len());
    let rows = x.chunks_exact(run).zip(state.z.chunks_exact_mut(run));
    for ((x, z), &slope) in rows.zip(own) {
        for (z, &x) in z.iter_mut().zip(x) {
            *z = if x > R::zero() { x } else { slope * x };
        }
    }
}

pub(super) fn backward<R: Real>(
    _: Pass,
    own: &[R],
    x: &[R],
    delta: &[R],
    gradient: &mut [R],
    below: Option<Below<'_, R>>,
) {
    let run = run(x, own.len());
    let rows = x.chunks_exact(run).zip(delta.chunks_exact(run));
    for ((x, d), g) in rows.zip(gradient) {
        *g = negative(x.iter().zip(d).map(|(&x, &d)| (x, d * x)));
    }
    if let Some(mut below) = below {
        below.put(|i| slope_at(own, run, x, i) * delta[i]);
    }
}

/// The sum of the second values where the first is not above 0.
fn negative<R: Real>(values: impl Iterator<Item = (R, R)>) -> R {
    values
        .filter(|(x, _)| *x <= R::zero())
        .map(|(_, v)| v)
        .sum()
}

fn slope_at<R: Real>(own: &[R], run: usize, x: &[R], i: usize) -> R {
    if x[i] > R::zero() {
        R::one()
    } else {
        own[i / run]
    }
}

/// `R{z} = R{x}` above 0, `s R{x} + R{s} x` below
pub(super) fn forward_tangent<R: Real>(
    _: Pass,
    own: &[R],
    v: &[R],
    x: &[R],
    rx: Option<&[R]>,
    rz: &mut [R],
) {
    let run = run(x, own.len());
    for (i, rz) in rz.iter_mut().enumerate() {
        let rx = rx.map_or(R::zero(), |rx| rx[i]);
        let moved = if x[i] > R::zero() {
            R::zero()
        } else {
            v[i / run] * x[i]
        };
        *rz = slope_at(own, run, x, i) * rx + moved;
    }
}

#[allow(clippy::too_many_arguments)]
pub(super) fn backward_tangent<R: Real>(
    _: Pass,
    own: &[R],
    v: &[R],
    x: &[R],
    rx: Option<&[R]>,
    state: &LayerState<R>,
    tangent: &TangentState<R>,
    out: &mut [R],
    below: Option<Below<'_, R>>,
) {
    let run = run(x, own.len());
    let (delta, rdelta) = (&state.delta, &tangent.delta);
    for (c, g) in out.iter_mut().enumerate() {
        *g = negative((c * run..(c + 1) * run).map(|i| {
            let rx = rx.map_or(R::zero(), |rx| rx[i]);
            (x[i], rdelta[i] * x[i] + delta[i] * rx)
        }));
    }
    if let Some(mut below) = below {
        below.put(|i| {
            let moved = if x[i] > R::zero() {
                R::zero()
            } else {
                v[i / run] * delta[i]
            };
            slope_at(own, run, x, i) * rdelta[i] + moved
        });
    }
}
