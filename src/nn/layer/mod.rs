//! Layer kinds, one file each. A kind states its shapes, its parameters, and
//! its two passes; [`Network`](super::Network) strings layers together.

mod dense;

pub use dense::Dense;

use super::{Activation, LayerState, Layout, Real};
use ndarray::{ArrayView2, ArrayViewMut2};

/// One layer of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// Every unit sees every input.
    Dense(Dense),
}

impl Layer {
    /// The number of values that go in, per sample.
    pub fn inputs(&self) -> usize {
        match self {
            Layer::Dense(dense) => dense.inputs,
        }
    }

    /// The number of values that come out, per sample.
    pub fn outputs(&self) -> usize {
        match self {
            Layer::Dense(dense) => dense.units,
        }
    }

    /// What is applied to the pre-activation.
    pub fn activation(&self) -> Activation {
        match self {
            Layer::Dense(dense) => dense.activation,
        }
    }

    /// Appends this layer's parameter blocks to `layout`.
    pub(super) fn lay_out(&self, index: usize, layout: &mut Layout) {
        match self {
            Layer::Dense(dense) => dense.lay_out(index, layout),
        }
    }

    /// Forward pass of `x` `[n, inputs]` into the first `n` rows of `state`.
    /// `params` is this layer's part of the parameter vector.
    pub(super) fn forward<R: Real>(
        &self,
        params: &[R],
        x: ArrayView2<'_, R>,
        state: &mut LayerState<R>,
    ) {
        match self {
            Layer::Dense(dense) => dense.forward(params, x, state),
        }
    }

    /// Backward pass. `state.delta` holds `dL/dz`; writes the gradient of
    /// this layer's parameters over `gradient` and, if wanted, `dL/dx` over
    /// `below` `[n, inputs]`.
    pub(super) fn backward<R: Real>(
        &self,
        params: &[R],
        x: ArrayView2<'_, R>,
        state: &LayerState<R>,
        gradient: &mut [R],
        below: Option<ArrayViewMut2<'_, R>>,
    ) {
        match self {
            Layer::Dense(dense) => dense.backward(params, x, state, gradient, below),
        }
    }
}
