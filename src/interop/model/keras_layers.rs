//! Layers of Keras (keras.io/api/layers) as layers of ours.

use super::graph::{Node, Tensor};
use super::shared::{dense, reach, same, transposed};
use super::translate::{What, shape_of};
use crate::nn::layer::{BatchNorm, Conv, LayerNorm, Pool};
use crate::nn::{Activation, LayerKind, ParamRole, Shape};

/// What `node` is for samples of these shapes.
pub(super) fn lower(node: &Node, inputs: &[Shape]) -> What {
    let input = inputs[0];
    let lowered = match node.op.as_str() {
        "Dense" => dense_layer(node, input),
        "Conv2D" => conv(node, input, false),
        "DepthwiseConv2D" => conv(node, input, true),
        "MaxPooling2D" | "AveragePooling2D" => pool(node, input),
        "GlobalAveragePooling2D" => first(node).map(|()| What::plain(LayerKind::GlobalAvgPool)),
        "Flatten" => Ok(flatten(input)),
        "Reshape" => reshape(node, input),
        "Dropout" => Ok(What::plain(LayerKind::Dropout {
            rate: node.number("rate").unwrap_or(0.5).clamp(0.0, 0.999),
        })),
        "BatchNormalization" => batch_norm(node, input),
        "LayerNormalization" => layer_norm(node, input),
        "Add" if inputs.len() >= 2 => Ok(What::plain(LayerKind::Add)),
        "PReLU" => prelu(node, input),
        "ReLU" => relu(node),
        "LeakyReLU" => leaky(node),
        "Softmax" => Ok(What::Activation(Activation::Softmax)),
        "Activation" => named(node).map(What::Activation),
        other => Err(format!("the engine has no {other}")),
    };
    lowered.unwrap_or_else(What::Opaque)
}

/// Layers that are layers of ours if their settings are.
pub(super) fn knows(class: &str) -> bool {
    const KNOWN: [&str; 17] = [
        "Dense",
        "Conv2D",
        "DepthwiseConv2D",
        "MaxPooling2D",
        "AveragePooling2D",
        "GlobalAveragePooling2D",
        "Flatten",
        "Reshape",
        "Dropout",
        "BatchNormalization",
        "LayerNormalization",
        "Add",
        "PReLU",
        "ReLU",
        "LeakyReLU",
        "Softmax",
        "Activation",
    ];
    KNOWN.contains(&class)
}

/// The activation that a layer names; nothing is linear.
fn named(node: &Node) -> Result<Activation, String> {
    Ok(match node.text("activation").unwrap_or("linear") {
        "linear" => Activation::Linear,
        "relu" => Activation::Relu,
        "sigmoid" => Activation::Sigmoid,
        "tanh" => Activation::Tanh,
        "softplus" => Activation::Softplus,
        "gelu" => Activation::Gelu,
        "silu" | "swish" => Activation::Silu,
        "softmax" => Activation::Softmax,
        other => return Err(format!("the engine has no activation {other}")),
    })
}

fn relu(node: &Node) -> Result<What, String> {
    let plain = node.number("max_value").is_none()
        && node.number("negative_slope").unwrap_or(0.0) == 0.0
        && node.number("threshold").unwrap_or(0.0) == 0.0;
    if plain {
        Ok(What::Activation(Activation::Relu))
    } else {
        Err("a ReLU with a slope, a limit or a threshold of its own".to_owned())
    }
}

fn leaky(node: &Node) -> Result<What, String> {
    let slope = node
        .number("negative_slope")
        .or_else(|| node.number("alpha"))
        .unwrap_or(0.3);
    if (slope - 0.01).abs() < 1e-6 {
        Ok(What::Activation(Activation::LeakyRelu))
    } else {
        Err(format!(
            "the engine's leaky ReLU has the slope 0.01, and this {slope}"
        ))
    }
}

/// Refuses images with channels first: everything here reads pixel by pixel.
fn first(node: &Node) -> Result<(), String> {
    match node.text("data_format") {
        Some("channels_first") => Err("data_format is channels_first".to_owned()),
        _ => Ok(()),
    }
}

fn floats<'a>(node: &'a Node, name: &str) -> Result<(&'a Tensor, &'a [f32]), String> {
    let tensor = node.weight_named(name);
    let found =
        tensor.and_then(|tensor| Some((tensor, tensor.floats().filter(|v| !v.is_empty())?)));
    found.ok_or_else(|| format!("its {name} is not in the file"))
}

/// A layer's weights with its bias, if it has one, and its activation.
fn with_bias(node: &Node, what: What) -> Result<What, String> {
    let What::Layer {
        kind, mut params, ..
    } = what
    else {
        return Ok(what);
    };
    if node.whole("use_bias").unwrap_or(1) != 0 {
        params.push((ParamRole::Bias, floats(node, "bias")?.1.to_vec()));
    }
    let activation = named(node)?;
    Ok(What::Layer {
        kind,
        activation,
        params,
    })
}

fn dense_layer(node: &Node, input: Shape) -> Result<What, String> {
    let (kernel, weights) = floats(node, "kernel")?;
    let &[inputs, units] = &kernel.shape[..] else {
        return Err(format!("its kernel has the shape {:?}", kernel.shape));
    };
    if !input.is_flat() {
        return Err(format!(
            "dense along the last side of {input}; the engine's reads all values"
        ));
    }
    let weights = transposed(weights, [inputs, units]);
    with_bias(node, dense(units, weights, None, input)?)
}

/// Rows and columns from one number or two.
fn pair(node: &Node, key: &str, default: [usize; 2]) -> Result<[usize; 2], String> {
    let sides = match (node.whole(key), node.wholes(key)) {
        (Some(n), _) => [n, n],
        (None, Some(&[rows, columns])) => [rows, columns],
        (None, None) => return Ok(default),
        (None, Some(other)) => return Err(format!("{key} is {other:?}")),
    };
    match sides.map(usize::try_from) {
        [Ok(rows), Ok(columns)] if rows <= 100_000 && columns <= 100_000 => Ok([rows, columns]),
        _ => Err(format!("{key} is {sides:?}")),
    }
}

fn padding(
    node: &Node,
    input: Shape,
    reach: [usize; 2],
    stride: [usize; 2],
) -> Result<[usize; 2], String> {
    match node.text("padding").unwrap_or("valid") {
        "valid" => Ok([0, 0]),
        "same" => same(input, reach, stride),
        other => Err(format!("padding by the unknown rule {other}")),
    }
}

fn conv(node: &Node, input: Shape, depthwise: bool) -> Result<What, String> {
    first(node)?;
    let name = if node.weight_named("depthwise_kernel").is_some() {
        "depthwise_kernel"
    } else {
        "kernel"
    };
    let (tensor, values) = floats(node, name)?;
    let &[rows, columns, channels, last] = &tensor.shape[..] else {
        return Err(format!("its kernel has the shape {:?}", tensor.shape));
    };
    // Depthwise kernels are [rows, columns, channels, filters of each channel].
    let (filters, groups, each) = if depthwise {
        let filters = channels
            .checked_mul(last)
            .ok_or("it has too many filters")?;
        (filters, channels, 1)
    } else {
        let groups = usize::try_from(node.whole("groups").unwrap_or(1)).unwrap_or(0);
        (last, groups, channels)
    };
    if each.checked_mul(groups) != Some(input.channels) {
        return Err(format!(
            "a kernel of the shape {:?} for {input}",
            tensor.shape
        ));
    }
    let pixels = rows * columns;
    let mut weights = Vec::with_capacity(values.len());
    for filter in 0..filters {
        for channel in 0..each {
            let column = if depthwise {
                filter
            } else {
                channel * filters + filter
            };
            let row = if depthwise {
                filters
            } else {
                channels * filters
            };
            weights.extend((0..pixels).map(|p| values[p * row + column]));
        }
    }
    let kernel = [rows, columns];
    let stride = pair(node, "strides", [1, 1])?;
    let dilation = pair(node, "dilation_rate", [1, 1])?;
    let kind = LayerKind::Conv(Conv {
        filters,
        kernel,
        stride,
        padding: padding(node, input, reach(kernel, dilation), stride)?,
        dilation,
        groups,
        bias: node.whole("use_bias").unwrap_or(1) != 0,
    });
    let what = What::Layer {
        kind,
        activation: Activation::Linear,
        params: vec![(ParamRole::Weight, weights)],
    };
    with_bias(node, what)
}

fn pool(node: &Node, input: Shape) -> Result<What, String> {
    first(node)?;
    let size = pair(node, "pool_size", [2, 2])?;
    let stride = pair(node, "strides", size)?;
    let pool = Pool {
        size,
        stride,
        padding: padding(node, input, size, stride)?,
        // A mean leaves out what lies beyond the edge; a maximum has our default.
        count_padding: node.op == "MaxPooling2D",
    };
    Ok(What::plain(match node.op.as_str() {
        "MaxPooling2D" => LayerKind::MaxPool(pool),
        _ => LayerKind::AvgPool(pool),
    }))
}

fn flatten(input: Shape) -> What {
    if input.is_flat() {
        What::Pass
    } else {
        What::plain(LayerKind::Flatten)
    }
}

fn reshape(node: &Node, input: Shape) -> Result<What, String> {
    let sides = node
        .wholes("target_shape")
        .ok_or("its target_shape is not a list")?;
    if let &[side] = sides
        && (side == -1 || usize::try_from(side) == Ok(input.size()))
    {
        return Ok(flatten(input));
    }
    let sample: Option<Vec<usize>> = sides.iter().map(|&n| usize::try_from(n).ok()).collect();
    match sample.and_then(|sample| shape_of(&sample, true)) {
        Some(shape) if shape.size() == input.size() => Ok(What::View(shape)),
        _ => Err(format!("it makes {sides:?} of {input}")),
    }
}

/// The values of channels, or of a flat sample.
fn normalised(
    node: &Node,
    count: usize,
    pairs: &[(&str, ParamRole)],
) -> Result<Vec<(ParamRole, Vec<f32>)>, String> {
    let mut params = Vec::new();
    for &(name, role) in pairs {
        let switch = match name {
            "gamma" => "scale",
            "beta" => "center",
            _ => "",
        };
        if node.whole(switch).unwrap_or(1) == 0 {
            continue;
        }
        let (_, values) = floats(node, name)?;
        if values.len() != count {
            return Err(format!(
                "its {name} has {} numbers, and {count} are needed",
                values.len()
            ));
        }
        params.push((role, values.to_vec()));
    }
    Ok(params)
}

/// Whether `axis` is the last one.
fn last_axis(node: &Node, input: Shape) -> bool {
    let last = if input.is_flat() { 1 } else { 3 };
    let axis = node.whole("axis").or_else(|| match node.wholes("axis") {
        Some(&[axis]) => Some(axis),
        _ => None,
    });
    matches!(axis, None | Some(-1)) || axis == Some(last)
}

fn batch_norm(node: &Node, input: Shape) -> Result<What, String> {
    if !last_axis(node, input) {
        return Err("it normalises along another side than the channels'".to_owned());
    }
    let params = normalised(
        node,
        input.channels,
        &[
            ("gamma", ParamRole::Gain),
            ("beta", ParamRole::Shift),
            ("moving_mean", ParamRole::RunningMean),
            ("moving_variance", ParamRole::RunningVariance),
        ],
    )?;
    Ok(What::Layer {
        kind: LayerKind::BatchNorm(BatchNorm {
            momentum: 1.0 - node.number("momentum").unwrap_or(0.99),
            epsilon: node.number("epsilon").unwrap_or(1e-3),
        }),
        activation: Activation::Linear,
        params,
    })
}

fn layer_norm(node: &Node, input: Shape) -> Result<What, String> {
    if !input.is_flat() || !last_axis(node, input) {
        return Err(
            "it normalises a part of a sample; the engine normalises all its values".to_owned(),
        );
    }
    let params = normalised(
        node,
        input.size(),
        &[("gamma", ParamRole::Gain), ("beta", ParamRole::Shift)],
    )?;
    Ok(What::Layer {
        kind: LayerKind::LayerNorm(LayerNorm {
            epsilon: node.number("epsilon").unwrap_or(1e-3),
        }),
        activation: Activation::Linear,
        params,
    })
}

fn prelu(node: &Node, input: Shape) -> Result<What, String> {
    let (tensor, slopes) = floats(node, "alpha")?;
    if slopes.len() != input.channels {
        return Err(format!(
            "slopes of the shape {:?} for {input}; the engine has one a channel",
            tensor.shape
        ));
    }
    Ok(What::Layer {
        kind: LayerKind::PRelu { slope: 0.25 },
        activation: Activation::Linear,
        params: vec![(ParamRole::Slope, slopes.to_vec())],
    })
}
