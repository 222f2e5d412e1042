//! Normalisation layers: `z = gain x^ + shift` with
//! `x^ = (x - mean) / deviation`, `deviation = sqrt(variance + epsilon)`.

mod batch;
mod sample;

pub use batch::BatchNorm;
pub use sample::LayerNorm;

use crate::nn::{Layout, ParamRole};

pub(super) fn lay_out(index: usize, size: usize, layout: &mut Layout) {
    layout.push(index, ParamRole::Gain, vec![size]);
    layout.push(index, ParamRole::Shift, vec![size]);
}

pub(super) fn lay_out_statistics(index: usize, channels: usize, layout: &mut Layout) {
    layout.push_statistic(index, ParamRole::RunningMean, vec![channels]);
    layout.push_statistic(index, ParamRole::RunningVariance, vec![channels]);
}
