//! What is told about a training run that happens elsewhere.

use crate::interop::{EventHistogram, Tensor, tensors_of};
use serde_json::Value;
use std::sync::Arc;

/// Something new.
#[derive(Debug, Clone, PartialEq)]
pub enum News {
    /// A run has begun, or another connection goes on with it.
    Begun(Begun),
    /// A number.
    Metric(Metric),
    /// How many numbers lie where.
    Histogram(Logged<EventHistogram>),
    /// A text.
    Text(Logged<String>),
    /// Weights, gradients or activations.
    Tensors(TensorFrame),
    /// A run was said to have ended, or its connection is closed.
    Ended {
        /// The run.
        run: Arc<str>,
    },
    /// Something that the user should be told: what could not be read, and where.
    Word(String),
}

/// A run that has begun.
#[derive(Debug, Clone, PartialEq)]
pub struct Begun {
    /// Its name.
    pub run: Arc<str>,
    /// What trains it, such as `PyTorch 2.9`; empty for nothing known.
    pub framework: String,
    /// What the network consists of, if that is told; `docs/watch.md` says in which form.
    pub structure: Option<Value>,
}

/// A value with its place in a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Logged<T> {
    /// The run.
    pub run: Arc<str>,
    /// What it is called there.
    pub tag: Arc<str>,
    /// The step that it belongs to.
    pub step: i64,
    /// When it was told, in seconds since 1970.
    pub wall_time: f64,
    /// The value.
    pub value: T,
}

/// A number of a run.
pub type Metric = Logged<f64>;

/// What a tensor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Parameters, and statistics that are kept with them.
    Weights,
    /// Derivatives of the loss.
    Gradients,
    /// What layers gave for a batch.
    Activations,
}

impl Group {
    /// All of them.
    pub const ALL: [Group; 3] = [Group::Weights, Group::Gradients, Group::Activations];

    /// As names begin.
    pub fn name(self) -> &'static str {
        match self {
            Group::Weights => "weights",
            Group::Gradients => "gradients",
            Group::Activations => "activations",
        }
    }
}

/// Tensors of one step, as a safetensors file has them.
#[derive(Debug, Clone, PartialEq)]
pub struct TensorFrame {
    /// The run.
    pub run: Arc<str>,
    /// Steps completed.
    pub step: i64,
    /// When, in seconds since 1970.
    pub wall_time: f64,
    /// The safetensors file, byte for byte; it was checked to be one.
    pub body: Arc<[u8]>,
    /// Whether names begin with their [`Group`] and a slash; else all are weights.
    pub grouped: bool,
}

impl TensorFrame {
    /// The tensors, in the order in which their bytes lie; those of no known group are left
    /// out.
    pub fn tensors(&self) -> Vec<(Group, Tensor)> {
        // The body was checked when it came.
        let tensors = tensors_of(&self.body).unwrap_or_default();
        let grouped = tensors.into_iter().filter_map(|mut tensor| {
            if !self.grouped {
                return Some((Group::Weights, tensor));
            }
            let (group, name) = tensor.name.split_once('/')?;
            let group = Group::ALL.into_iter().find(|g| g.name() == group)?;
            tensor.name = name.to_owned();
            Some((group, tensor))
        });
        grouped.collect()
    }
}

/// What a look at a source found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Poll {
    /// What is new, oldest first.
    pub news: Vec<News>,
    /// Whether there is more to be had at once.
    pub more: bool,
}
