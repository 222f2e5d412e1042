//! What a network is built from, and what can be wrong with it.

use super::layer::{Layer, LayerKind, Source};
use super::{Activation, Loss, Shape};

/// Why a network cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// There is nothing to compute.
    #[error("a network needs at least one layer and one input")]
    Empty,
    /// A layer that cannot read what it is given.
    #[error("{layer}: {message}")]
    Shape {
        /// The layer, from 0.
        index: usize,
        /// The layer, in words.
        layer: String,
        /// What does not fit, with the shapes.
        message: String,
    },
    /// A layer reads one that does not come before it.
    #[error("{layer} reads layer {source_layer}, which does not come before it")]
    Order {
        /// The layer, in words.
        layer: String,
        /// What it reads, from 1.
        source_layer: usize,
    },
    /// A layer's values go nowhere.
    #[error("nothing reads {layer}; name it in a later layer's `add` or `from`, or remove it")]
    Unread {
        /// The layer, in words.
        layer: String,
    },
    /// Softmax normalises over classes and belongs at the end.
    #[error("{layer} uses softmax, which only the output layer can; use another activation")]
    HiddenSoftmax {
        /// The layer, in words.
        layer: String,
    },
    /// A loss whose formula does not hold for this output.
    #[error(
        "the loss {loss} needs another output activation than {activation} (binary cross-entropy: sigmoid, softmax cross-entropy: softmax)"
    )]
    LossMismatch {
        /// The loss.
        loss: Loss,
        /// The output layer's activation.
        activation: Activation,
    },
}

/// A layer to be built into a network.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerSpec {
    /// What it does.
    pub kind: LayerKind,
    /// Applied to its pre-activation.
    pub activation: Activation,
    /// What it is called in messages and pictures.
    pub name: Option<String>,
    /// Where it reads; the layer before it where empty.
    pub sources: Vec<Source>,
}

impl LayerSpec {
    /// A layer that reads the one before it.
    pub fn new(kind: LayerKind, activation: Activation) -> Self {
        LayerSpec {
            kind,
            activation,
            name: None,
            sources: Vec::new(),
        }
    }
}

/// `layer 3 (conv "c2")`
pub(super) fn describe(index: usize, spec: &LayerSpec) -> String {
    let name = spec
        .name
        .as_ref()
        .map(|n| format!(" \"{n}\""))
        .unwrap_or_default();
    format!("layer {} ({}{name})", index + 1, spec.kind.name())
}

/// The layer with its shapes, behind those that are there already.
pub(super) fn place(
    network_input: Shape,
    layers: &[Layer],
    index: usize,
    spec: &LayerSpec,
) -> Result<Layer, NetworkError> {
    let before = index.checked_sub(1).map_or(Source::Input, Source::Layer);
    let sources = if spec.sources.is_empty() {
        vec![before]
    } else {
        spec.sources.clone()
    };
    let misfit = |message: String| NetworkError::Shape {
        index,
        layer: describe(index, spec),
        message,
    };
    let mut shapes = Vec::with_capacity(sources.len());
    for &source in &sources {
        shapes.push(match source {
            Source::Input => network_input,
            Source::Layer(from) => match layers.get(from) {
                Some(layer) => layer.output_shape(),
                None => {
                    return Err(NetworkError::Order {
                        layer: describe(index, spec),
                        source_layer: from + 1,
                    });
                }
            },
        });
    }
    let input = shapes[0];
    match spec.kind {
        LayerKind::Add if sources.len() < 2 => {
            return Err(misfit("a sum needs at least two layers".into()));
        }
        LayerKind::Add => {
            if let Some(other) = shapes.iter().find(|&&s| s != input) {
                return Err(misfit(format!(
                    "it adds outputs of different shapes, {input} and {other}"
                )));
            }
        }
        _ if sources.len() > 1 => {
            return Err(misfit(
                "it reads several layers, which only `add` can".into(),
            ));
        }
        _ => {}
    }
    let output = spec.kind.output_shape(input).map_err(misfit)?;
    Ok(Layer::new(
        spec.kind,
        spec.activation,
        spec.name.clone(),
        sources,
        input,
        output,
    ))
}
