//! Operators of ONNX (onnx/docs/Operators.md) as layers of ours.

use super::graph::{Attribute, Node, Tensor};
use super::onnx::{OPSET, decimal};
use super::shared::{dense, reach, same, transposed};
use super::translate::{What, shape_of};
use crate::nn::layer::{BatchNorm, Conv, LayerNorm, Pool};
use crate::nn::{Activation, LayerKind, ParamRole, Shape};

/// What `node` is for samples of these shapes.
pub(super) fn lower(node: &Node, inputs: &[Shape]) -> What {
    let input = inputs[0];
    let lowered = match node.op.as_str() {
        "Conv" => conv(node, input),
        "Gemm" => gemm(node, input),
        "MatMul" => mat_mul(node, input),
        "MaxPool" | "AveragePool" => pool(node, input),
        "GlobalAveragePool" => Ok(What::plain(LayerKind::GlobalAvgPool)),
        "ReduceMean" => mean(node, input),
        "Flatten" => flatten(node, input),
        "Reshape" => reshape(node, input),
        "Squeeze" if input.is_flat() => Ok(What::View(input)),
        "Identity" => Ok(What::Pass),
        "BatchNormalization" => batch_norm(node, input),
        "LayerNormalization" => layer_norm(node, input),
        "Dropout" => dropout(node),
        "PRelu" => prelu(node, input),
        "Add" | "Sum" if inputs.len() >= 2 && node.weights.is_empty() => {
            Ok(What::plain(LayerKind::Add))
        }
        "Add" => bias(node, input),
        _ => activation(node),
    };
    lowered.unwrap_or_else(What::Opaque)
}

/// Operators that are layers of ours if their settings are.
pub(super) fn knows(op: &str) -> bool {
    const KNOWN: [&str; 24] = [
        "Conv",
        "Gemm",
        "MatMul",
        "MaxPool",
        "AveragePool",
        "GlobalAveragePool",
        "ReduceMean",
        "Flatten",
        "Reshape",
        "Squeeze",
        "Identity",
        "BatchNormalization",
        "LayerNormalization",
        "Dropout",
        "PRelu",
        "Add",
        "Sum",
        "Relu",
        "Sigmoid",
        "Tanh",
        "Softplus",
        "Gelu",
        "LeakyRelu",
        "Softmax",
    ];
    KNOWN.contains(&op)
}

fn activation(node: &Node) -> Result<What, String> {
    let activation = match node.op.as_str() {
        "Relu" => Activation::Relu,
        "Sigmoid" => Activation::Sigmoid,
        "Tanh" => Activation::Tanh,
        "Softplus" => Activation::Softplus,
        "Gelu" => match node.text("approximate") {
            None | Some("none") => Activation::Gelu,
            Some(other) => {
                return Err(format!(
                    "the engine's GELU is exact, and this is approximated ({other})"
                ));
            }
        },
        "LeakyRelu" => match node.number("alpha").unwrap_or(0.01) {
            alpha if (alpha - 0.01).abs() < 1e-6 => Activation::LeakyRelu,
            alpha => {
                return Err(format!(
                    "the engine's leaky ReLU has the slope 0.01, and this {alpha}"
                ));
            }
        },
        "Softmax" => {
            // Before version 13 the axis is where the sides become one, 1 unless given.
            let old = node.whole(OPSET).is_some_and(|version| version < 13);
            match node.whole("axis").unwrap_or(if old { 1 } else { -1 }) {
                1 | -1 => Activation::Softmax,
                axis => {
                    return Err(format!(
                        "softmax along axis {axis}; the engine has it over a sample's values"
                    ));
                }
            }
        }
        other => return Err(format!("the engine has no {other}")),
    };
    Ok(What::Activation(activation))
}

/// The tensor at `slot` with floats and so many sides.
fn floats<'a>(node: &'a Node, slot: usize, what: &str) -> Result<(&'a Tensor, &'a [f32]), String> {
    let tensor = node.weight(slot);
    let found =
        tensor.and_then(|tensor| Some((tensor, tensor.floats().filter(|v| !v.is_empty())?)));
    found.ok_or_else(|| {
        format!("its {what} is not a constant of the file but computed or given from outside")
    })
}

/// Two numbers, or `default` where there are none.
fn pair(node: &Node, key: &str, default: [usize; 2]) -> Result<[usize; 2], String> {
    match node.wholes(key) {
        None => Ok(default),
        Some(&[a, b]) => match (usize::try_from(a), usize::try_from(b)) {
            (Ok(a), Ok(b)) if a <= 100_000 && b <= 100_000 => Ok([a, b]),
            _ => Err(format!("{key} is [{a}, {b}]")),
        },
        Some(other) => Err(format!(
            "{key} has {} numbers; the engine has two dimensions",
            other.len()
        )),
    }
}

/// The padding of rows and columns, which has to be the same on both sides.
fn padding(
    node: &Node,
    input: Shape,
    reach: [usize; 2],
    stride: [usize; 2],
) -> Result<[usize; 2], String> {
    let uneven =
        |pads: &dyn std::fmt::Debug| format!("padding that differs from side to side, {pads:?}");
    match node.text("auto_pad").unwrap_or("NOTSET") {
        "NOTSET" => match node.wholes("pads") {
            None => Ok([0, 0]),
            Some(&[top, left, bottom, right]) if top == bottom && left == right => {
                let sides = (usize::try_from(top), usize::try_from(left));
                match sides {
                    (Ok(rows), Ok(columns)) if rows <= 100_000 && columns <= 100_000 => {
                        Ok([rows, columns])
                    }
                    _ => Err(format!("padding of {top} and {left}")),
                }
            }
            Some(other) => Err(uneven(&other)),
        },
        "VALID" => Ok([0, 0]),
        "SAME_UPPER" | "SAME_LOWER" => same(input, reach, stride),
        other => Err(format!("padding by the unknown rule {other}")),
    }
}

fn conv(node: &Node, input: Shape) -> Result<What, String> {
    let (kernel, weights) = floats(node, 1, "kernel")?;
    let &[filters, channels, rows, columns] = &kernel.shape[..] else {
        let sides = kernel.shape.len().saturating_sub(2);
        return Err(format!(
            "a convolution in {sides} dimensions; the engine has two"
        ));
    };
    let groups = usize::try_from(node.whole("group").unwrap_or(1)).unwrap_or(0);
    if channels.checked_mul(groups) != Some(input.channels) {
        return Err(format!(
            "a kernel of {channels} channels and {groups} groups for {input}"
        ));
    }
    let stride = pair(node, "strides", [1, 1])?;
    let dilation = pair(node, "dilations", [1, 1])?;
    let kernel = [rows, columns];
    let bias = match node.weight(2) {
        Some(_) => Some(floats(node, 2, "bias")?.1),
        None if node.inputs.len() > 2 && !node.inputs[2].is_empty() => {
            return Err("its bias is not a constant of the file".to_owned());
        }
        None => None,
    };
    let mut params = vec![(ParamRole::Weight, weights.to_vec())];
    params.extend(bias.map(|bias| (ParamRole::Bias, bias.to_vec())));
    Ok(What::Layer {
        kind: LayerKind::Conv(Conv {
            filters,
            kernel,
            stride,
            padding: padding(node, input, reach(kernel, dilation), stride)?,
            dilation,
            groups,
            bias: bias.is_some(),
        }),
        activation: Activation::Linear,
        params,
    })
}

fn gemm(node: &Node, input: Shape) -> Result<What, String> {
    if node.whole("transA").unwrap_or(0) != 0 {
        return Err("it transposes the samples".to_owned());
    }
    let (matrix, weights) = floats(node, 1, "matrix")?;
    let &[rows, columns] = &matrix.shape[..] else {
        return Err(format!("its matrix has the shape {:?}", matrix.shape));
    };
    let (units, mut weights) = match node.whole("transB").unwrap_or(0) {
        0 => (columns, transposed(weights, [rows, columns])),
        _ => (rows, weights.to_vec()),
    };
    let alpha = node.number("alpha").unwrap_or(1.0) as f32;
    weights.iter_mut().for_each(|w| *w *= alpha);
    let beta = node.number("beta").unwrap_or(1.0) as f32;
    let bias = match node.inputs.get(2).filter(|name| !name.is_empty()) {
        None => None,
        Some(_) => {
            let (tensor, bias) = floats(node, 2, "bias")?;
            Some(match bias {
                [one] => vec![beta * one; units],
                all if all.len() == units => all.iter().map(|b| beta * b).collect(),
                _ => {
                    return Err(format!(
                        "a bias of the shape {:?} for {units} units",
                        tensor.shape
                    ));
                }
            })
        }
    };
    dense(units, weights, bias, input)
}

fn mat_mul(node: &Node, input: Shape) -> Result<What, String> {
    let (matrix, weights) = floats(node, 1, "second factor")?;
    match matrix.shape[..] {
        [rows, columns] => dense(columns, transposed(weights, [rows, columns]), None, input),
        _ => Err(format!(
            "a matrix of the shape {:?} for each sample",
            matrix.shape
        )),
    }
}

/// A constant that is added to each channel.
fn bias(node: &Node, input: Shape) -> Result<What, String> {
    let weight = node.weights.first().map(|w| &w.tensor);
    let values = weight.and_then(|tensor| Some((tensor, tensor.floats()?)));
    let (tensor, values) = values.ok_or("it adds something that is no number")?;
    // Broadcasting lines sides up from the last: a channel's stand before rows and columns.
    let long: Vec<usize> = tensor
        .shape
        .iter()
        .copied()
        .skip_while(|&n| n == 1)
        .collect();
    let of_channels = if input.is_flat() {
        long.len() <= 1 || long[1..].iter().all(|&n| n == 1)
    } else {
        long.len() == 3 && long[1..] == [1, 1]
    };
    if !of_channels || values.len() != input.channels {
        return Err(format!(
            "it adds a constant of the shape {:?} to {input}",
            tensor.shape
        ));
    }
    Ok(What::Bias(values.to_vec()))
}

fn pool(node: &Node, input: Shape) -> Result<What, String> {
    let size = pair(node, "kernel_shape", [0, 0])?;
    let stride = pair(node, "strides", [1, 1])?;
    if pair(node, "dilations", [1, 1])? != [1, 1] {
        return Err("a pooling window with gaps (dilations)".to_owned());
    }
    let padding = padding(node, input, size, stride)?;
    let sides = [input.height, input.width];
    let cut =
        (0..2).any(|a| (sides[a] + 2 * padding[a]).saturating_sub(size[a]) % stride[a].max(1) != 0);
    if node.whole("ceil_mode").unwrap_or(0) != 0 && cut {
        return Err("windows that are cut off at the edge (ceil_mode)".to_owned());
    }
    let pool = Pool {
        size,
        stride,
        padding,
        // A maximum counts nothing; for it this is our default.
        count_padding: node.op == "MaxPool" || node.whole("count_include_pad").unwrap_or(0) != 0,
    };
    Ok(What::plain(match node.op.as_str() {
        "MaxPool" => LayerKind::MaxPool(pool),
        _ => LayerKind::AvgPool(pool),
    }))
}

/// The mean over rows and columns is that of each channel; over anything else it is no layer.
fn mean(node: &Node, input: Shape) -> Result<What, String> {
    let axes = match node.wholes("axes") {
        Some(axes) => Some(axes),
        None => node.weight(1).and_then(Tensor::whole),
    };
    let axes = axes.ok_or("a mean over all values, or over sides that are computed")?;
    let mut axes: Vec<i64> = axes
        .iter()
        .map(|n| if *n < 0 { n + 4 } else { *n })
        .collect();
    axes.sort_unstable();
    if axes == [2, 3] && !input.is_flat() {
        Ok(What::plain(LayerKind::GlobalAvgPool))
    } else {
        Err(format!(
            "a mean over the sides {axes:?}; the engine has that over rows and columns of images"
        ))
    }
}

fn flatten(node: &Node, input: Shape) -> Result<What, String> {
    match node.whole("axis").unwrap_or(1) {
        1 => Ok(What::View(Shape::flat(input.size()))),
        axis => Err(format!(
            "it flattens from axis {axis}, samples and values together"
        )),
    }
}

fn reshape(node: &Node, input: Shape) -> Result<What, String> {
    let sides = match node.attributes.get("shape") {
        Some(Attribute::Wholes(sides)) => &sides[..],
        _ => node
            .weight(1)
            .and_then(Tensor::whole)
            .ok_or("its shape is computed")?,
    };
    let Some((_, sample)) = sides.split_first() else {
        return Err("it makes a single number of the samples".to_owned());
    };
    let known: usize = sample
        .iter()
        .filter(|&&n| n > 0)
        .try_fold(1_usize, |n, &side| {
            n.checked_mul(usize::try_from(side).ok()?)
        })
        .unwrap_or(0);
    let sample: Vec<usize> = sample
        .iter()
        .map(|&n| match n {
            -1 if known > 0 => input.size() / known,
            n => usize::try_from(n).unwrap_or(0),
        })
        .collect();
    match shape_of(&sample, false) {
        Some(shape) if shape.size() == input.size() => Ok(What::View(shape)),
        _ => Err(format!("it makes {sides:?} of {input}")),
    }
}

fn batch_norm(node: &Node, input: Shape) -> Result<What, String> {
    if node.whole("training_mode").unwrap_or(0) != 0 {
        return Err("batch normalisation that goes on gathering (training_mode)".to_owned());
    }
    let roles = [
        ParamRole::Gain,
        ParamRole::Shift,
        ParamRole::RunningMean,
        ParamRole::RunningVariance,
    ];
    let mut params = Vec::with_capacity(roles.len());
    for (role, slot) in roles.into_iter().zip(1..) {
        let (_, values) = floats(node, slot, role.name())?;
        if values.len() != input.channels {
            return Err(format!(
                "{} numbers for the channels of {input}",
                values.len()
            ));
        }
        params.push((role, values.to_vec()));
    }
    let kept = node.number("momentum").unwrap_or(0.9);
    Ok(What::Layer {
        kind: LayerKind::BatchNorm(BatchNorm {
            // 1 - 0.9 is a little less than 0.1; what was meant is 0.1.
            momentum: decimal((1.0 - kept) as f32),
            epsilon: node.number("epsilon").unwrap_or(1e-5),
        }),
        activation: Activation::Linear,
        params,
    })
}

fn layer_norm(node: &Node, input: Shape) -> Result<What, String> {
    let (_, gain) = floats(node, 1, "gain")?;
    if gain.len() != input.size() {
        return Err(format!(
            "it normalises {} values of {input}; the engine normalises all of a sample's",
            gain.len()
        ));
    }
    let mut params = vec![(ParamRole::Gain, gain.to_vec())];
    if node.weight(2).is_some() {
        params.push((ParamRole::Shift, floats(node, 2, "shift")?.1.to_vec()));
    }
    let epsilon = node.number("epsilon").unwrap_or(1e-5);
    Ok(What::Layer {
        kind: LayerKind::LayerNorm(LayerNorm { epsilon }),
        activation: Activation::Linear,
        params,
    })
}

fn dropout(node: &Node) -> Result<What, String> {
    let given = node.weight(1).and_then(|t| t.floats()?.first().copied());
    let rate = given
        .map(decimal)
        .or_else(|| node.number("ratio"))
        .unwrap_or(0.5);
    if (0.0..1.0).contains(&rate) {
        Ok(What::plain(LayerKind::Dropout { rate }))
    } else {
        Err(format!("a dropout of {rate}"))
    }
}

fn prelu(node: &Node, input: Shape) -> Result<What, String> {
    let (tensor, slopes) = floats(node, 1, "slope")?;
    let slopes = match slopes {
        [one] => vec![*one; input.channels],
        all if all.len() == input.channels => all.to_vec(),
        _ => {
            return Err(format!(
                "slopes of the shape {:?} for {input}; the engine has one a channel",
                tensor.shape
            ));
        }
    };
    Ok(What::Layer {
        kind: LayerKind::PRelu { slope: 0.25 },
        activation: Activation::Linear,
        params: vec![(ParamRole::Slope, slopes)],
    })
}
