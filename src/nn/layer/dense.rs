//! The fully connected layer: `z = W x + b`, `a = f(z)`.

use crate::nn::{Activation, LayerState, Layout, ParamRole, Real};
use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView1, ArrayView2, ArrayViewMut2, Axis, s};

/// A fully connected layer with a bias.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dense {
    /// Values in, per sample.
    pub inputs: usize,
    /// Units, which are also the values out.
    pub units: usize,
    /// Applied to each unit's pre-activation.
    pub activation: Activation,
}

impl Dense {
    pub(super) fn lay_out(&self, index: usize, layout: &mut Layout) {
        layout.push(index, ParamRole::Weight, vec![self.units, self.inputs]);
        layout.push(index, ParamRole::Bias, vec![self.units]);
    }

    fn weight<'a, R: Real>(&self, params: &'a [R]) -> ArrayView2<'a, R> {
        ArrayView2::from_shape(
            (self.units, self.inputs),
            &params[..self.units * self.inputs],
        )
        .expect("the slice is exactly units * inputs long")
    }

    pub(super) fn forward<R: Real>(
        &self,
        params: &[R],
        x: ArrayView2<'_, R>,
        state: &mut LayerState<R>,
    ) {
        let n = x.nrows();
        let bias = ArrayView1::from(&params[self.units * self.inputs..]);
        let mut z = state.z.slice_mut(s![..n, ..]);
        z.assign(&bias);
        general_mat_mul(R::one(), &x, &self.weight(params).t(), R::one(), &mut z);
        let mut a = state.a.slice_mut(s![..n, ..]);
        a.assign(&z);
        if let Some(values) = a.as_slice_mut() {
            self.activation.apply_rows(values, self.units);
        }
    }

    pub(super) fn backward<R: Real>(
        &self,
        params: &[R],
        x: ArrayView2<'_, R>,
        state: &LayerState<R>,
        gradient: &mut [R],
        below: Option<ArrayViewMut2<'_, R>>,
    ) {
        let delta = state.delta.slice(s![..x.nrows(), ..]);
        let (weight, bias) = gradient.split_at_mut(self.units * self.inputs);
        let mut weight = ArrayViewMut2::from_shape((self.units, self.inputs), weight)
            .expect("the slice is exactly units * inputs long");
        // dL/dW = delta^T x, dL/db = sum over samples of delta, dL/dx = delta W
        general_mat_mul(R::one(), &delta.t(), &x, R::zero(), &mut weight);
        bias.fill(R::zero());
        for row in delta.axis_iter(Axis(0)) {
            for (b, &d) in bias.iter_mut().zip(row) {
                *b += d;
            }
        }
        if let Some(mut below) = below {
            general_mat_mul(
                R::one(),
                &delta,
                &self.weight(params),
                R::zero(),
                &mut below,
            );
        }
    }
}
