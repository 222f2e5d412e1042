//! What a translation consists of: what a node is to our engine, what became of it, and the
//! shapes of samples.

use crate::interop::model::bytes::count;
use crate::interop::model::graph::Port;
use crate::nn::{Activation, LayerKind, LayerSpec, Network, ParamRole, Shape};

/// The most values of a sample in one layer that a network is made with: a bound on what
/// a file can make the program allocate.
pub(super) const MOST_VALUES: usize = 16 << 20;

/// What a node is to our engine.
pub(in crate::interop::model) enum What {
    /// A layer with its parameters; those that are not given are neutral.
    Layer {
        kind: LayerKind,
        activation: Activation,
        params: Vec<(ParamRole, Vec<f32>)>,
    },
    /// Something applied to each value.
    Activation(Activation),
    /// Something added to each channel.
    Bias(Vec<f32>),
    /// Nothing.
    Pass,
    /// The same values as another shape.
    View(Shape),
    /// None of these, and why.
    Opaque(String),
}

impl What {
    pub(in crate::interop::model) fn plain(kind: LayerKind) -> Self {
        What::Layer {
            kind,
            activation: Activation::Linear,
            params: Vec::new(),
        }
    }

    pub(in crate::interop::model) fn opaque(why: impl Into<String>) -> Self {
        What::Opaque(why.into())
    }
}

/// What became of a node.
#[derive(Debug, Clone, PartialEq)]
pub enum Status {
    /// It is a layer of ours of this kind.
    Layer(LayerKind),
    /// It is part of the layer before it, or changes nothing.
    Merged,
    /// Whether the engine has it depends on shapes that nobody knows, and why not.
    Unknown(String),
    /// It stays a box with its shapes, and why.
    Opaque(String),
}

/// A network of ours that computes what the foreign model does.
#[derive(Debug, Clone)]
pub struct Translated {
    /// The network.
    pub network: Network,
    /// The layers that it was built from.
    pub layers: Vec<LayerSpec>,
    /// Its parameters, in the order of its layout.
    pub params: Vec<f32>,
}

/// A foreign model seen through the engine.
#[derive(Debug, Clone)]
pub struct Translation {
    /// What became of each node.
    pub statuses: Vec<Status>,
    /// What each node gives per sample, where it is known.
    pub shapes: Vec<Option<Shape>>,
    /// The network, or why there is none.
    pub result: Result<Translated, String>,
}

/// A sample's shape out of the sides of a value, of which the first are the samples.
pub(in crate::interop::model) fn sample_shape(port: &Port, channels_last: bool) -> Option<Shape> {
    let sides = port.shape.as_ref()?.get(1..)?;
    let sides: Option<Vec<usize>> = sides.iter().copied().collect();
    shape_of(&sides?, channels_last)
}

/// A shape of our own for the sides of a sample.
pub(in crate::interop::model) fn shape_of(sides: &[usize], channels_last: bool) -> Option<Shape> {
    let shape = match *sides {
        // Each value is a sample.
        [] => Shape::flat(1),
        [n] => Shape::flat(n),
        // A matrix of Keras is an image of one channel; in ONNX the first side is channels.
        [a, b] if channels_last => Shape::image(1, a, b),
        [a, b] => Shape::image(a, 1, b),
        [h, w, c] if channels_last => Shape::image(c, h, w),
        [c, h, w] => Shape::image(c, h, w),
        _ => return None,
    };
    let sides = [shape.channels, shape.height, shape.width];
    let size = count(&sides)?;
    (size > 0 && size <= MOST_VALUES).then_some(shape)
}
