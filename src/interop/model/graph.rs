//! A model of another program as it stands in its file: nodes that read and give named
//! values, with their attributes and weights, whatever the format.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::Arc;

/// What kind of file a model came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ModelFormat {
    /// A graph of ONNX, `.onnx`.
    Onnx,
    /// Keras, `.h5`, `.hdf5` or `.keras`.
    Keras,
    /// Weights of PyTorch by name, `.pt`, `.pth` or `.bin`.
    PyTorch,
    /// Tensors by name, `.safetensors`.
    Safetensors,
    /// Arrays by name, `.npz`.
    Npz,
}

impl ModelFormat {
    /// What its makers call it.
    pub fn name(self) -> &'static str {
        match self {
            ModelFormat::Onnx => "ONNX",
            ModelFormat::Keras => "Keras",
            ModelFormat::PyTorch => "PyTorch",
            ModelFormat::Safetensors => "safetensors",
            ModelFormat::Npz => "NPZ",
        }
    }

    /// Whether the file says what is computed, and not the weights alone.
    pub fn has_graph(self) -> bool {
        matches!(self, ModelFormat::Onnx | ModelFormat::Keras)
    }
}

/// The numbers of a tensor, row by row.
#[derive(Debug, Clone, PartialEq)]
pub enum Numbers {
    /// Floats of any width, as single precision.
    Floats(Vec<f32>),
    /// Whole numbers and truth values: shapes, axes, counters.
    Whole(Vec<i64>),
    /// A type that is not read (text, complex numbers, packed bits), by its name.
    Unread(String),
}

/// A named array.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// Its name in the file.
    pub name: String,
    /// Its sides, outermost first; empty for a single number.
    pub shape: Vec<usize>,
    /// As many as the sides multiply to, unless they are not read.
    pub numbers: Numbers,
}

impl Tensor {
    /// The values, if they are floats.
    pub fn floats(&self) -> Option<&[f32]> {
        match &self.numbers {
            Numbers::Floats(values) => Some(values),
            _ => None,
        }
    }

    /// The values, if they are whole numbers.
    pub fn whole(&self) -> Option<&[i64]> {
        match &self.numbers {
            Numbers::Whole(values) => Some(values),
            _ => None,
        }
    }

    /// How many parameters it is: as many as it has floats.
    pub fn parameters(&self) -> usize {
        self.floats().map_or(0, <[f32]>::len)
    }
}

/// A tensor at its place among what a node reads.
#[derive(Debug, Clone, PartialEq)]
pub struct Weight {
    /// ONNX: the number of the input that it is. Elsewhere: its number in the layer.
    pub slot: usize,
    /// The tensor; several nodes may share one.
    pub tensor: Arc<Tensor>,
}

/// The setting of a node.
#[derive(Debug, Clone, PartialEq)]
pub enum Attribute {
    /// A whole number or a truth value.
    Whole(i64),
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// Whole numbers.
    Wholes(Vec<i64>),
    /// Numbers.
    Numbers(Vec<f64>),
    /// A tensor.
    Tensor(Arc<Tensor>),
    /// Anything else, by what it is: `a graph of 12 nodes`.
    Other(String),
}

/// One side of a value: a number, or open (the samples, mostly).
pub type Side = Option<usize>;

/// A value that comes from outside or goes there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// Its sides with that of the samples, where the file says them.
    pub shape: Option<Vec<Side>>,
}

/// One operation.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Its name; where the file has none, its operator with its number from 1.
    pub name: String,
    /// What it does, in the file's words: `Conv`, `Dense`.
    pub op: String,
    /// The values that it reads; an empty name stands for one that is left out.
    pub inputs: Vec<String>,
    /// The values that it gives.
    pub outputs: Vec<String>,
    /// Its settings.
    pub attributes: BTreeMap<String, Attribute>,
    /// The sides of each of `outputs`, where the file says them.
    pub shapes: Vec<Option<Vec<Side>>>,
    /// The tensors that belong to it.
    pub weights: Vec<Weight>,
}

impl Node {
    /// A node without attributes and weights that gives a value of its own name.
    pub fn new(name: &str, op: &str, inputs: Vec<String>) -> Self {
        Node {
            name: name.to_owned(),
            op: op.to_owned(),
            inputs,
            outputs: vec![name.to_owned()],
            attributes: BTreeMap::new(),
            shapes: vec![None],
            weights: Vec::new(),
        }
    }

    /// The tensor at `slot`.
    pub fn weight(&self, slot: usize) -> Option<&Tensor> {
        let found = self.weights.iter().find(|w| w.slot == slot);
        found.map(|w| &*w.tensor)
    }

    /// The tensor whose name ends with `/name` or is `name`.
    pub fn weight_named(&self, name: &str) -> Option<&Tensor> {
        let tensors = self.weights.iter().map(|w| &*w.tensor);
        tensors.into_iter().find(|t| leaf(&t.name) == name)
    }

    /// A setting that is a whole number.
    pub fn whole(&self, key: &str) -> Option<i64> {
        match self.attributes.get(key)? {
            Attribute::Whole(n) => Some(*n),
            _ => None,
        }
    }

    /// A setting that is a number.
    pub fn number(&self, key: &str) -> Option<f64> {
        match self.attributes.get(key)? {
            Attribute::Number(x) => Some(*x),
            Attribute::Whole(n) => Some(*n as f64),
            _ => None,
        }
    }

    /// A setting that is a text.
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.attributes.get(key)? {
            Attribute::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A setting that is a list of whole numbers.
    pub fn wholes(&self, key: &str) -> Option<&[i64]> {
        match self.attributes.get(key)? {
            Attribute::Wholes(all) => Some(all),
            _ => None,
        }
    }

    /// Parameters of its own: the floats among its weights.
    pub fn parameters(&self) -> usize {
        self.weights.iter().map(|w| w.tensor.parameters()).sum()
    }
}

/// The last part of a path such as `dense/kernel:0`, without what follows a colon.
pub(super) fn leaf(name: &str) -> &str {
    let last = name.rsplit('/').next().unwrap_or(name);
    last.split(':').next().unwrap_or(last)
}

/// A model as its file describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct ForeignModel {
    /// The kind of file.
    pub format: ModelFormat,
    /// What the file says about who wrote it; empty for nothing.
    pub producer: String,
    /// What it reads.
    pub inputs: Vec<Port>,
    /// What it gives.
    pub outputs: Vec<Port>,
    /// Every node, each behind those that it reads.
    pub nodes: Vec<Node>,
    /// Whether the values of images lie pixel by pixel (Keras) and not channel by channel.
    pub channels_last: bool,
    /// What one should know: what was guessed, what was left out.
    pub notes: Vec<String>,
}

impl ForeignModel {
    /// All floats in its weights; what several nodes share counts once.
    pub fn parameters(&self) -> usize {
        let mut seen = HashSet::new();
        let weights = self.nodes.iter().flat_map(|node| &node.weights);
        weights
            .filter(|w| seen.insert(Arc::as_ptr(&w.tensor)))
            .map(|w| w.tensor.parameters())
            .sum()
    }
}

/// Sides as `? × 1 × 28 × 28`.
pub(super) struct Sides<'a>(pub &'a [Side]);

impl fmt::Display for Sides<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (k, side) in self.0.iter().enumerate() {
            if k > 0 {
                f.write_str(" × ")?;
            }
            match side {
                Some(n) => write!(f, "{n}")?,
                None => f.write_str("?")?,
            }
        }
        Ok(())
    }
}
