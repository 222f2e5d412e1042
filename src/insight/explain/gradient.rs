//! Gradient saliency, and the gradient times the input.

use crate::insight::model::Model;
use crate::nn::{Readout, Real};
use ndarray::ArrayView1;

/// How fast the readout changes with each value of the sample: `d readout / dx_i`
/// (Simonyan, Vedaldi and Zisserman 2014, arXiv:1312.6034, section 3, with its sign).
pub fn saliency<R: Real>(
    model: &mut Model<'_, R>,
    readout: &Readout,
    x: ArrayView1<'_, R>,
) -> Vec<f64> {
    model.gradient(readout, x).1
}

/// `x_i d readout / dx_i` (Shrikumar et al. 2016, arXiv:1605.01713): for a network
/// that is linear where the sample lies, what each value contributes.
pub fn gradient_times_input<R: Real>(
    model: &mut Model<'_, R>,
    readout: &Readout,
    x: ArrayView1<'_, R>,
) -> Vec<f64> {
    let gradient = saliency(model, readout, x);
    gradient.iter().zip(x).map(|(g, x)| g * x.wide()).collect()
}
