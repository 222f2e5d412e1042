//! What the operators of ONNX and the layers of Keras have in common.

use super::translate::What;
use crate::nn::{Activation, LayerKind, ParamRole, Shape};

/// The padding that makes `ceil(input / stride)` outputs, if it is the same on both sides.
pub(super) fn same(
    input: Shape,
    reach: [usize; 2],
    stride: [usize; 2],
) -> Result<[usize; 2], String> {
    let sides = [input.height, input.width];
    let mut padding = [0; 2];
    for axis in 0..2 {
        let outputs = sides[axis].div_ceil(stride[axis].max(1));
        let total = ((outputs - 1) * stride[axis] + reach[axis]).saturating_sub(sides[axis]);
        if total % 2 == 1 {
            return Err(format!(
                "padding that differs from side to side, {total} in all"
            ));
        }
        padding[axis] = total / 2;
    }
    Ok(padding)
}

/// From the first to behind the last tap of a window.
pub(super) fn reach(kernel: [usize; 2], dilation: [usize; 2]) -> [usize; 2] {
    [0, 1].map(|axis| kernel[axis].saturating_sub(1) * dilation[axis] + 1)
}

/// A dense layer of weights `[out, in]`.
pub(super) fn dense(
    units: usize,
    weights: Vec<f32>,
    bias: Option<Vec<f32>>,
    input: Shape,
) -> Result<What, String> {
    if !input.is_flat() || units.checked_mul(input.size()) != Some(weights.len()) {
        return Err(format!(
            "{} weights for {units} units and samples of {input}",
            weights.len()
        ));
    }
    let mut params = vec![(ParamRole::Weight, weights)];
    params.extend(bias.map(|bias| (ParamRole::Bias, bias)));
    Ok(What::Layer {
        kind: LayerKind::Dense { units },
        activation: Activation::Linear,
        params,
    })
}

/// `[a, b]` as `[b, a]`.
pub(super) fn transposed(values: &[f32], [rows, columns]: [usize; 2]) -> Vec<f32> {
    (0..columns)
        .flat_map(|c| (0..rows).map(move |r| values[r * columns + c]))
        .collect()
}
