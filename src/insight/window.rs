//! One unit of a feature map at work: the window that it reads, the kernel's weights, and
//! what they come to; of pooling the window and what is taken from it.

use crate::nn::{LayerKind, Network, Source};

/// What one input channel adds to a unit of a convolution.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelTerm {
    /// The channel of the layer before, from 0.
    pub channel: usize,
    /// What the window holds, row by row; `None` for the zeros beyond the edge.
    pub inputs: Vec<Option<f32>>,
    /// The kernel's weights, row by row.
    pub weights: Vec<f32>,
    /// `sum of weight * input`
    pub sum: f64,
}

impl ChannelTerm {
    /// Weight times input, row by row.
    pub fn products(&self) -> impl Iterator<Item = f32> + '_ {
        let inputs = self.inputs.iter().map(|x| x.unwrap_or(0.0));
        inputs.zip(&self.weights).map(|(x, w)| x * w)
    }
}

/// What a unit computes from its window.
#[derive(Debug, Clone, PartialEq)]
pub enum Work {
    /// A convolution: `z` is the bias and the sum over all channels.
    Kernel {
        /// The channels that it reads.
        terms: Vec<ChannelTerm>,
        /// The filter's bias; `None` where it has none.
        bias: Option<f32>,
        /// The pre-activation.
        z: f64,
    },
    /// The largest value of a window.
    Largest {
        /// What the window holds; `None` beyond the edge.
        inputs: Vec<Option<f32>>,
        /// Which of them is taken, from 0.
        taken: usize,
        /// It.
        z: f64,
    },
    /// The mean of a window.
    Mean {
        /// What the window holds; `None` beyond the edge.
        inputs: Vec<Option<f32>>,
        /// How many values the sum is divided by.
        count: usize,
        /// The mean.
        z: f64,
    },
}

/// A unit of a feature map and its window.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitWindow {
    /// The layer, from 0.
    pub layer: usize,
    /// The unit's channel, row and column, from 0.
    pub place: [usize; 3],
    /// Rows and columns of the window.
    pub size: [usize; 2],
    /// What it computes.
    pub work: Work,
}

impl Work {
    /// What goes into the layer's activation.
    pub fn z(&self) -> f64 {
        match self {
            Work::Kernel { z, .. } | Work::Largest { z, .. } | Work::Mean { z, .. } => *z,
        }
    }
}

/// A window that slides over images.
struct Sliding {
    size: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
    dilation: [usize; 2],
}

/// Unit `unit` of a convolution or of pooling at work on `before`, the values of the layer
/// that it reads (channels of rows of columns); `None` for other layers and where there is
/// no such unit.
pub fn unit_window(
    network: &Network,
    params: &[f32],
    layer: usize,
    unit: usize,
    before: &[f32],
) -> Option<UnitWindow> {
    let this = network.layers().get(layer)?;
    let (input, output) = (this.input_shape(), this.output_shape());
    if unit >= output.size() || before.len() != input.size() {
        return None;
    }
    let (channel, pixel) = (unit / output.pixels(), unit % output.pixels());
    let place = [channel, pixel / output.width, pixel % output.width];
    let sliding = match this.kind() {
        LayerKind::Conv(conv) => Sliding {
            size: conv.kernel,
            stride: conv.stride,
            padding: conv.padding,
            dilation: conv.dilation,
        },
        LayerKind::MaxPool(pool) | LayerKind::AvgPool(pool) => Sliding {
            size: pool.size,
            stride: pool.stride,
            padding: pool.padding,
            dilation: [1; 2],
        },
        _ => return None,
    };
    // What the window holds of a channel of the input.
    let patch = |channel: usize| -> Vec<Option<f32>> {
        let taps = (0..sliding.size[0]).flat_map(|y| (0..sliding.size[1]).map(move |x| [y, x]));
        taps.map(|tap| {
            let at = |axis: usize| {
                let from =
                    place[axis + 1] * sliding.stride[axis] + tap[axis] * sliding.dilation[axis];
                from.checked_sub(sliding.padding[axis])
            };
            let (y, x) = (at(0)?, at(1)?);
            let inside = y < input.height && x < input.width;
            inside.then(|| before[(channel * input.height + y) * input.width + x])
        })
        .collect()
    };
    let work = match this.kind() {
        LayerKind::Conv(conv) => {
            let taps = conv.kernel[0] * conv.kernel[1];
            let per_group = input.channels / conv.groups;
            let first = channel / (conv.filters / conv.groups) * per_group;
            let own = params.get(network.layout().weight(layer))?;
            let own = own.get(channel * per_group * taps..(channel + 1) * per_group * taps)?;
            let terms: Vec<ChannelTerm> = own
                .chunks_exact(taps)
                .enumerate()
                .map(|(k, weights)| {
                    let inputs = patch(first + k);
                    let products = inputs.iter().zip(weights);
                    let sum = products.map(|(x, w)| f64::from(x.unwrap_or(0.0)) * f64::from(*w));
                    ChannelTerm {
                        channel: first + k,
                        sum: sum.sum(),
                        weights: weights.to_vec(),
                        inputs,
                    }
                })
                .collect();
            let bias = network.bias_of(layer, unit);
            let bias = bias.and_then(|index| params.get(index)).copied();
            let z = f64::from(bias.unwrap_or(0.0)) + terms.iter().map(|t| t.sum).sum::<f64>();
            Work::Kernel { terms, bias, z }
        }
        LayerKind::MaxPool(_) => {
            let inputs = patch(channel);
            let known = inputs.iter().enumerate();
            let known = known.filter_map(|(k, x)| Some((k, (*x)?)));
            // The first of equals, as the pass takes it.
            let (taken, z) = known.fold(None, |best: Option<(usize, f32)>, (k, x)| match best {
                Some((_, most)) if x <= most => best,
                _ => Some((k, x)),
            })?;
            let z = f64::from(z);
            Work::Largest { inputs, taken, z }
        }
        LayerKind::AvgPool(pool) => {
            let inputs = patch(channel);
            let known = inputs.iter().flatten();
            let sum: f64 = known.clone().map(|x| f64::from(*x)).sum();
            let count = if pool.count_padding {
                inputs.len()
            } else {
                known.count()
            };
            let z = sum / count.max(1) as f64;
            Work::Mean { inputs, count, z }
        }
        _ => return None,
    };
    Some(UnitWindow {
        layer,
        place,
        size: sliding.size,
        work,
    })
}

/// The values that a layer with a single source reads of a sample, its `input` and the
/// activations `a` of the layers being known.
pub fn values_before<'a>(
    network: &Network,
    layer: usize,
    input: &'a [f32],
    a: &'a [Vec<f32>],
) -> Option<&'a [f32]> {
    let [source] = network.layers().get(layer)?.sources() else {
        return None;
    };
    match *source {
        Source::Layer(k) => a.get(k).map(Vec::as_slice),
        _ => Some(input),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::layer::{Conv, Pool};
    use crate::nn::{Activation, LayerSpec, Loss, Shape, Workspace};
    use ndarray::Array2;

    /// A conv with padding, stride and dilation, max pooling with padding, a conv in
    /// groups, mean pooling: every unit of each against the network's own pass.
    #[test]
    fn every_window_comes_to_what_the_pass_computes() {
        let spec = |kind, activation| LayerSpec::new(kind, activation);
        let first = Conv {
            padding: [2, 1],
            stride: [1, 2],
            dilation: [2, 1],
            ..Conv::square(4, 3)
        };
        let groups = Conv {
            groups: 2,
            bias: false,
            ..Conv::square(6, 2)
        };
        let pool = |padding, count_padding| Pool {
            padding: [padding; 2],
            stride: [2, 1],
            count_padding,
            ..Pool::square(3)
        };
        for counts in [true, false] {
            let specs = [
                spec(LayerKind::Conv(first), Activation::Relu),
                spec(LayerKind::MaxPool(pool(1, true)), Activation::Linear),
                spec(LayerKind::Conv(groups), Activation::Tanh),
                spec(LayerKind::AvgPool(pool(1, counts)), Activation::Linear),
            ];
            let network =
                Network::new(Shape::image(2, 9, 8), &specs, Loss::MeanSquaredError).unwrap();
            let wave = |i: usize| (i as f32 * 0.37).sin();
            let params: Vec<f32> = (0..network.layout().len()).map(wave).collect();
            let x = Array2::from_shape_fn((1, 144), |(_, i)| (i as f32 * 0.71).cos());
            let mut workspace = Workspace::new(&network, 1);
            network.forward(&params, x.view(), &mut workspace);
            let a: Vec<Vec<f32>> = (0..4).map(|k| workspace.a(k).row(0).to_vec()).collect();
            let input = x.row(0).to_vec();
            for layer in 0..4 {
                let before = values_before(&network, layer, &input, &a).unwrap();
                let activation = network.layers()[layer].activation();
                for (unit, &expected) in a[layer].iter().enumerate() {
                    let window = unit_window(&network, &params, layer, unit, before).unwrap();
                    let value = activation.value(window.work.z() as f32);
                    assert!(
                        (value - expected).abs() < 1e-5,
                        "{layer} {unit}: {value} {expected}"
                    );
                    if let Work::Largest { inputs, taken, z } = &window.work {
                        assert_eq!(inputs[*taken].map(f64::from), Some(*z));
                    }
                }
                let beyond = unit_window(&network, &params, layer, a[layer].len(), before);
                assert_eq!(beyond, None);
            }
        }
    }

    #[test]
    fn the_terms_of_a_kernel_are_products_and_the_edge_adds_nothing() {
        let conv = Conv {
            padding: [1, 1],
            ..Conv::square(1, 3)
        };
        let specs = [LayerSpec::new(LayerKind::Conv(conv), Activation::Linear)];
        let network = Network::new(Shape::image(1, 2, 2), &specs, Loss::MeanSquaredError).unwrap();
        let params = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 0.5];
        let window = unit_window(&network, &params, 0, 0, &[1.0, 10.0, 100.0, 1000.0]).unwrap();
        let Work::Kernel { terms, bias, z } = window.work else {
            panic!("a convolution")
        };
        let beyond = terms[0].inputs.iter().filter(|x| x.is_none()).count();
        assert_eq!(beyond, 5);
        // The upper left unit sees all four pixels with the kernel's lower right part.
        let products: Vec<f32> = terms[0].products().collect();
        assert_eq!(
            products,
            [0.0, 0.0, 0.0, 0.0, 5.0, 60.0, 0.0, 800.0, 9000.0]
        );
        assert_eq!((bias, z), (Some(0.5), 9865.5));
    }
}
