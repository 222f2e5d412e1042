//! A network's numbers as matrices that can be looked at: weights, filters in the shape
//! of what they read, activations of a batch, feature maps.

use crate::nn::{LayerKind, Network, ParamRole, Shape, Workspace};
use crate::train::{Problem, Samples};
use std::ops::Range;

/// A matrix as an image.
#[derive(Debug, Clone, PartialEq)]
pub struct Tile {
    /// What stands over it.
    pub title: String,
    /// Rows, from top to bottom.
    pub rows: usize,
    /// Columns, from left to right.
    pub columns: usize,
    /// The numbers, row by row.
    pub values: Vec<f32>,
}

/// At most so many tiles of one layer.
const MOST: usize = 64;

/// What a layer is called: its name, or its kind with its number from 1.
pub fn name_of(network: &Network, layer: usize) -> String {
    let this = &network.layers()[layer];
    match this.name() {
        Some(name) => name.to_owned(),
        None => format!("{} {}", this.kind().name().replace('_', " "), layer + 1),
    }
}

/// The weights of each layer that has them, `[out, in]`; of a convolution
/// `[filters, channels · rows · columns]`.
pub fn weights(network: &Network, params: &[f32], layers: Range<usize>) -> Vec<Tile> {
    let tensors = network.layout().tensors().iter();
    tensors
        .filter(|tensor| tensor.role == ParamRole::Weight && layers.contains(&tensor.layer))
        .map(|tensor| {
            let rows = tensor.shape[0];
            let columns = tensor.range.len() / rows.max(1);
            Tile {
                title: format!("{}: {rows} × {columns}", name_of(network, tensor.layer)),
                rows,
                columns,
                values: params[tensor.range.clone()].to_vec(),
            }
        })
        .collect()
}

/// The numbers of each layer's weights, or biases, with the layer's name.
pub fn tensors(
    network: &Network,
    values: &[f32],
    layers: Range<usize>,
    biases: bool,
) -> Vec<(String, Vec<f32>)> {
    let is_bias = |role: ParamRole| matches!(role, ParamRole::Bias | ParamRole::Shift);
    let is_weight =
        |role: ParamRole| matches!(role, ParamRole::Weight | ParamRole::Gain | ParamRole::Slope);
    let tensors = network.layout().tensors().iter();
    tensors
        .filter(|tensor| layers.contains(&tensor.layer))
        .filter(|tensor| match biases {
            true => is_bias(tensor.role),
            false => is_weight(tensor.role),
        })
        .map(|tensor| {
            let numbers = values[tensor.range.clone()].to_vec();
            (name_of(network, tensor.layer), numbers)
        })
        .collect()
}

/// The weights of each unit of fully connected layers that read the image, and of each
/// filter, as pictures in the shape of what they read; of several input channels one
/// picture each.
pub fn filters(problem: &Problem, params: &[f32], layers: Range<usize>) -> Vec<Tile> {
    let network = &problem.network;
    let mut tiles = Vec::new();
    for layer in layers {
        let this = &network.layers()[layer];
        let weight = network.layout().weight(layer);
        let name = name_of(network, layer);
        match this.kind() {
            LayerKind::Conv(conv) => {
                let [rows, columns] = conv.kernel;
                let channels = this.input_shape().channels / conv.groups;
                for filter in 0..conv.filters.min(MOST) {
                    for channel in 0..channels {
                        let size = rows * columns;
                        let start = weight.start + (filter * channels + channel) * size;
                        let title = match channels {
                            1 => format!("{name}, {}", filter + 1),
                            _ => format!("{name}, {}.{}", filter + 1, channel + 1),
                        };
                        tiles.push(Tile {
                            title,
                            rows,
                            columns,
                            values: params[start..start + size].to_vec(),
                        });
                        if tiles.len() >= 4 * MOST {
                            return tiles;
                        }
                    }
                }
            }
            LayerKind::Dense { units } => {
                let Some(shape) = picture(problem, layer) else {
                    continue;
                };
                let inputs = this.inputs();
                for unit in 0..(*units).min(MOST) {
                    let start = weight.start + unit * inputs;
                    tiles.push(Tile {
                        title: format!("{name}, {}", unit + 1),
                        rows: shape.height,
                        columns: shape.width,
                        values: params[start..start + inputs].to_vec(),
                    });
                }
            }
            _ => {}
        }
    }
    tiles
}

/// How the inputs of a layer lie in a picture in grey, where they do.
fn picture(problem: &Problem, layer: usize) -> Option<Shape> {
    let this = &problem.network.layers()[layer];
    let image = problem.data.image.filter(|image| image.channels == 1)?;
    let reads_input = this.sources().iter().all(|source| source.column() == 0);
    let fits = image.size() == this.inputs();
    (reads_input && fits).then(|| Shape::image(1, image.height, image.width))
}

/// The activations of each layer for some samples, `[samples, units]`.
pub fn activations(
    network: &Network,
    params: &[f32],
    samples: &Samples,
    layers: Range<usize>,
) -> Vec<Tile> {
    if samples.is_empty() {
        return Vec::new();
    }
    let mut workspace = Workspace::new(network, samples.len());
    network.forward(params, samples.x.view(), &mut workspace);
    layers
        .map(|layer| {
            let a = workspace.a(layer);
            Tile {
                title: format!("{}: {} units", name_of(network, layer), a.ncols()),
                rows: a.nrows(),
                columns: a.ncols(),
                values: a.iter().copied().collect(),
            }
        })
        .collect()
}

/// The feature maps of one sample, a tile a channel; of flat layers a single line.
pub fn features(
    network: &Network,
    params: &[f32],
    sample: &Samples,
    layers: Range<usize>,
) -> Vec<Tile> {
    let all = activations(network, params, sample, 0..network.layers().len());
    let a: Vec<Vec<f32>> = all.into_iter().map(|tile| tile.values).collect();
    features_of(network, &a, layers)
}

/// The same from activations that are known, layer by layer.
pub fn features_of(network: &Network, a: &[Vec<f32>], layers: Range<usize>) -> Vec<Tile> {
    let mut tiles = Vec::new();
    for (layer, values) in layers.filter_map(|layer| Some((layer, a.get(layer)?))) {
        let shape = network.layers()[layer].output_shape();
        let name = name_of(network, layer);
        if shape.is_flat() {
            tiles.push(Tile {
                title: format!("{name}: {} units", shape.size()),
                rows: 1,
                columns: shape.size(),
                values: values.clone(),
            });
            continue;
        }
        let maps = values.chunks(shape.pixels()).take(MOST).enumerate();
        tiles.extend(maps.map(|(channel, map)| Tile {
            title: format!("{name}, {}", channel + 1),
            rows: shape.height,
            columns: shape.width,
            values: map.to_vec(),
        }));
    }
    tiles
}
