//! The fully connected layer: `z = W x + b`.

use super::{Below, LayerState, Pass, TangentState};
use crate::nn::kernel::{Start, dense, dense_back, dense_weights};
use crate::nn::{Layout, ParamRole, Real, Shape};

pub(super) fn lay_out(index: usize, units: usize, input: Shape, layout: &mut Layout) {
    layout.push(index, ParamRole::Weight, vec![units, input.size()]);
    layout.push(index, ParamRole::Bias, vec![units]);
}

/// Weights and biases in one layer's parameters.
fn split<R>(own: &[R], units: usize) -> (&[R], &[R]) {
    own.split_at(own.len() - units)
}

pub(super) fn forward<R: Real>(pass: Pass, own: &[R], x: &[R], state: &mut LayerState<R>) {
    let (w, b) = split(own, state.z.len() / pass.padded);
    dense(pass.arch, w, Start::Rows(b), x, &mut state.z, pass.padded);
}

pub(super) fn backward<R: Real>(
    pass: Pass,
    own: &[R],
    x: &[R],
    delta: &[R],
    gradient: &mut [R],
    below: Option<Below<'_, R>>,
) {
    let units = delta.len() / pass.padded;
    let (w, _) = split(own, units);
    let (dw, db) = gradient.split_at_mut(own.len() - units);
    dense_weights(pass.arch, delta, x, dw, Some(db), false, pass.padded);
    if let Some(below) = below {
        dense_back(pass.arch, w, delta, below.values, below.add, pass.padded);
    }
}

/// `R{z} = W R{x} + V x + v_b`
pub(super) fn forward_tangent<R: Real>(
    pass: Pass,
    own: &[R],
    v: &[R],
    x: &[R],
    rx: Option<&[R]>,
    rz: &mut [R],
) {
    let units = rz.len() / pass.padded;
    let (w, _) = split(own, units);
    let (vw, vb) = split(v, units);
    dense(pass.arch, vw, Start::Rows(vb), x, rz, pass.padded);
    if let Some(rx) = rx {
        dense(pass.arch, w, Start::Out, rx, rz, pass.padded);
    }
}

/// `R{dL/dW} = R{delta} x^T + delta R{x}^T`, `R{dL/dx} = W^T R{delta} + V^T delta`
#[allow(clippy::too_many_arguments)]
pub(super) fn backward_tangent<R: Real>(
    pass: Pass,
    own: &[R],
    v: &[R],
    x: &[R],
    rx: Option<&[R]>,
    state: &LayerState<R>,
    tangent: &TangentState<R>,
    out: &mut [R],
    below: Option<Below<'_, R>>,
) {
    let (arch, padded) = (pass.arch, pass.padded);
    let units = state.delta.len() / padded;
    let (w, _) = split(own, units);
    let (vw, _) = split(v, units);
    let (dw, db) = out.split_at_mut(own.len() - units);
    dense_weights(arch, &tangent.delta, x, dw, Some(db), false, padded);
    if let Some(rx) = rx {
        dense_weights(arch, &state.delta, rx, dw, None, true, padded);
    }
    if let Some(below) = below {
        dense_back(arch, w, &tangent.delta, below.values, below.add, padded);
        dense_back(arch, vw, &state.delta, below.values, true, padded);
    }
}
