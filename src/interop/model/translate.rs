//! From the graph of another program to a network of ours: node by node with the shapes
//! known so far, activations and biases merged into the layers that they follow.

mod finish;
mod parts;
mod silu;

pub use parts::{Status, Translated, Translation};
pub(super) use parts::{What, shape_of};

use super::graph::{ForeignModel, ModelFormat, Node, Port};
use super::{guess, keras_layers, onnx_operators};
use crate::nn::{Activation, LayerKind, LayerSpec, ParamRole, Shape, Source};
use parts::{MOST_VALUES, sample_shape};
use std::collections::{HashMap, HashSet};

/// The most layers that a network is made of.
const MOST_LAYERS: usize = 1000;

/// How many nodes that change nothing may stand between a softmax and the output.
const MOST_FOLLOWERS: usize = 16;

/// A value on its way through the graph.
#[derive(Debug, Clone, Copy)]
struct Value {
    /// `None` behind an opaque node.
    source: Option<Source>,
    shape: Shape,
    /// Nothing else reads it, and so what comes next may be merged into its layer.
    exclusive: bool,
    /// The image that it was before it was flattened pixel by pixel.
    pixels: Option<Shape>,
}

/// A layer that is being made.
struct Made {
    spec: LayerSpec,
    params: Vec<(ParamRole, Vec<f32>)>,
}

struct Builder<'a> {
    model: &'a ForeignModel,
    readers: HashMap<&'a str, usize>,
    values: HashMap<&'a str, Value>,
    input: Option<Shape>,
    made: Vec<Made>,
    gates: silu::Gates,
}

/// What our engine makes of `model`.
pub fn translate(model: &ForeignModel) -> Translation {
    let mut readers: HashMap<&str, usize> = HashMap::new();
    let outputs = model.outputs.iter().map(|port| port.name.as_str());
    for name in model
        .nodes
        .iter()
        .flat_map(|n| &n.inputs)
        .map(String::as_str)
        .chain(outputs)
    {
        *readers.entry(name).or_default() += 1;
    }
    let gates = silu::Gates::of(model, &mut readers);
    let mut builder = Builder {
        model,
        readers,
        values: HashMap::new(),
        input: None,
        made: Vec::new(),
        gates,
    };
    if let [port] = &model.inputs[..]
        && let Some(shape) = sample_shape(port, model.channels_last)
    {
        builder.input = Some(shape);
        builder.give(&port.name, Some(Source::Input), shape, None);
    }
    let mut statuses = Vec::with_capacity(model.nodes.len());
    let mut shapes = Vec::with_capacity(model.nodes.len());
    for (k, node) in model.nodes.iter().enumerate() {
        let status = builder.node(k, node);
        let value = node
            .outputs
            .first()
            .and_then(|name| builder.values.get(name.as_str()));
        shapes.push(value.map(|value| value.shape));
        statuses.push(status);
    }
    let result = builder.finish(&statuses);
    Translation {
        statuses,
        shapes,
        result,
    }
}

impl<'a> Builder<'a> {
    /// Puts down what a name stands for.
    fn give(&mut self, name: &'a str, source: Option<Source>, shape: Shape, pixels: Option<Shape>) {
        let exclusive = self.readers.get(name).is_none_or(|&n| n <= 1);
        let value = Value {
            source,
            shape,
            exclusive,
            pixels,
        };
        self.values.insert(name, value);
    }

    fn knows(&self, op: &str) -> bool {
        match self.model.format {
            ModelFormat::Keras => keras_layers::knows(op),
            _ => onnx_operators::knows(op),
        }
    }

    fn why_unknown(&self) -> String {
        match self.model.inputs.len() {
            1 => "the shape of what it reads is not known".to_owned(),
            n => format!("the model reads {n} values from outside; the engine's networks read one"),
        }
    }

    fn node(&mut self, k: usize, node: &'a Node) -> Status {
        if self.gates.is_sigmoid(k) {
            return Status::Merged;
        }
        let weights: HashSet<usize> = match self.model.format {
            ModelFormat::Keras => HashSet::new(),
            _ => node.weights.iter().map(|w| w.slot).collect(),
        };
        let gated = self.gates.value_of(k);
        let reads = node
            .inputs
            .iter()
            .enumerate()
            .filter(|(slot, name)| !weights.contains(slot) && !name.is_empty())
            .filter(|(slot, _)| gated.is_none_or(|value| value == *slot));
        let values: Option<Vec<Value>> = reads
            .map(|(_, name)| self.values.get(name.as_str()).copied())
            .collect();
        let what = match &values {
            None if gated.is_some() || self.knows(&node.op) => {
                return Status::Unknown(self.why_unknown());
            }
            None => What::opaque(format!("the engine has no {}", node.op)),
            Some(values) if values.is_empty() => What::opaque(match node.op.as_str() {
                guess::LOOSE => "they fit nothing that comes before them",
                _ => "it reads no samples",
            }),
            Some(_) if gated.is_some() => What::Activation(Activation::Silu),
            Some(values) => {
                let shapes: Vec<Shape> = values.iter().map(|value| value.shape).collect();
                match self.model.format {
                    ModelFormat::Keras => keras_layers::lower(node, &shapes),
                    _ => onnx_operators::lower(node, &shapes),
                }
            }
        };
        let values = values.unwrap_or_default();
        let status = match self.apply(node, what, &values) {
            Ok(status) => status,
            Err(why) => Status::Opaque(why),
        };
        if let Status::Opaque(_) = status {
            let known = node.outputs.iter().zip(&node.shapes);
            for (name, shape) in known {
                let port = Port {
                    name: String::new(),
                    shape: shape.clone(),
                };
                if let Some(shape) = sample_shape(&port, self.model.channels_last) {
                    self.give(name, None, shape, None);
                }
            }
        }
        status
    }

    /// Adds what a node is to what was made so far.
    fn apply(&mut self, node: &'a Node, what: What, values: &[Value]) -> Result<Status, String> {
        let (Some(output), Some(&first)) = (node.outputs.first(), values.first()) else {
            return Err(match what {
                What::Opaque(why) => why,
                _ => "it reads or gives nothing".to_owned(),
            });
        };
        let extra = node.outputs[1..]
            .iter()
            .find(|name| self.readers.contains_key(name.as_str()));
        if let Some(extra) = extra {
            return Err(format!("its further output {extra:?} is used"));
        }
        match what {
            What::Opaque(why) => Err(why),
            What::Pass => {
                self.alias(output, first, first.shape);
                Ok(Status::Merged)
            }
            What::View(shape) if shape == first.shape => {
                self.alias(output, first, shape);
                Ok(Status::Merged)
            }
            What::View(shape) => self.view(node, output, first, shape),
            What::Activation(activation) => self.activation(node, output, first, activation),
            What::Bias(bias) => self.bias(output, first, bias),
            What::Layer {
                kind,
                activation,
                params,
            } => self.layer(node, output, values, kind, activation, params),
        }
    }

    /// Another name, and perhaps another shape, for a value.
    fn alias(&mut self, name: &'a str, value: Value, shape: Shape) {
        self.give(name, value.source, shape, value.pixels);
        if let Some(new) = self.values.get_mut(name) {
            new.exclusive &= value.exclusive;
        }
    }

    fn view(
        &mut self,
        node: &'a Node,
        output: &'a str,
        value: Value,
        shape: Shape,
    ) -> Result<Status, String> {
        if shape.size() != value.shape.size() {
            return Err(format!("it makes {shape} of {}", value.shape));
        }
        let same_order =
            !self.model.channels_last || value.shape.channels == 1 && shape.channels == 1;
        if value.source == Some(Source::Input) && value.exclusive && same_order {
            // The samples themselves are seen as another shape.
            self.input = Some(shape);
            self.alias(output, value, shape);
            return Ok(Status::Merged);
        }
        if shape.is_flat() {
            return self.layer(
                node,
                output,
                &[value],
                LayerKind::Flatten,
                Activation::Linear,
                Vec::new(),
            );
        }
        Err("the engine reshapes the samples and flattens images, and nothing else".to_owned())
    }

    fn activation(
        &mut self,
        node: &'a Node,
        output: &'a str,
        value: Value,
        activation: Activation,
    ) -> Result<Status, String> {
        self.check_softmax(output, value.shape, activation)?;
        if let (Some(Source::Layer(k)), true) = (value.source, value.exclusive)
            && self.made[k].spec.activation == Activation::Linear
        {
            self.made[k].spec.activation = activation;
            self.alias(output, value, value.shape);
            return Ok(Status::Merged);
        }
        // A layer that passes its values on carries it.
        let kind = LayerKind::Dropout { rate: 0.0 };
        self.layer(node, output, &[value], kind, activation, Vec::new())
    }

    fn check_softmax(
        &self,
        output: &str,
        shape: Shape,
        activation: Activation,
    ) -> Result<(), String> {
        if activation != Activation::Softmax {
            return Ok(());
        }
        if !shape.is_flat() {
            return Err(format!(
                "softmax over a side of {shape}; the engine has it over all values"
            ));
        }
        // Whatever follows has to leave it as it is; a graph may be a circle.
        let mut name = output;
        for _ in 0..MOST_FOLLOWERS {
            let reads = |node: &&Node| node.inputs.iter().any(|input| input == name);
            let Some(next) = self.model.nodes.iter().find(reads) else {
                return Ok(());
            };
            match (next.op.as_str(), next.outputs.first()) {
                ("Identity" | "Flatten" | "Reshape" | "Squeeze", Some(output)) => name = output,
                _ => break,
            }
        }
        Err("softmax before the output; the engine has it at the output alone".to_owned())
    }

    fn bias(&mut self, output: &'a str, value: Value, bias: Vec<f32>) -> Result<Status, String> {
        let no_layer = || {
            "it adds a constant to something other than a dense layer or a convolution".to_owned()
        };
        let (Some(Source::Layer(k)), true) = (value.source, value.exclusive) else {
            return Err(no_layer());
        };
        let made = &mut self.made[k];
        let has_bias = made.params.iter().any(|(role, _)| *role == ParamRole::Bias);
        if made.spec.activation != Activation::Linear
            || has_bias
            || bias.len() != value.shape.channels
        {
            return Err(no_layer());
        }
        match &mut made.spec.kind {
            LayerKind::Dense { .. } => {}
            LayerKind::Conv(conv) => conv.bias = true,
            _ => return Err(no_layer()),
        }
        made.params.push((ParamRole::Bias, bias));
        self.alias(output, value, value.shape);
        Ok(Status::Merged)
    }

    fn layer(
        &mut self,
        node: &'a Node,
        output: &'a str,
        values: &[Value],
        kind: LayerKind,
        activation: Activation,
        mut params: Vec<(ParamRole, Vec<f32>)>,
    ) -> Result<Status, String> {
        let first = values[0];
        let shape = kind.output_shape(first.shape)?;
        if shape.size() > MOST_VALUES {
            return Err(format!(
                "{shape} are more values than the {MOST_VALUES} that a layer may give"
            ));
        }
        if let LayerKind::Add = kind
            && values
                .iter()
                .any(|v| v.shape != first.shape || v.pixels != first.pixels)
        {
            return Err(
                "it adds values of different shapes, which the engine does not widen".to_owned(),
            );
        }
        self.check_softmax(output, shape, activation)?;
        let flattened = matches!(kind, LayerKind::Flatten)
            && self.model.channels_last
            && first.pixels.is_none();
        let pixels = match kind {
            LayerKind::Flatten if flattened && !first.shape.is_flat() => Some(first.shape),
            LayerKind::Dense { .. } | LayerKind::GlobalAvgPool => None,
            _ => first.pixels,
        };
        if let Some(image) = first.pixels {
            let order = channels_first(image);
            for (role, values) in &mut params {
                let row = order.len();
                let by_input = match (&kind, &role) {
                    (LayerKind::Dense { .. }, ParamRole::Weight) => true,
                    (LayerKind::Dense { .. }, _) => false,
                    _ => values.len() == row,
                };
                if by_input {
                    let rows = values.chunks_exact(row);
                    *values = rows.flat_map(|v| order.iter().map(|&i| v[i])).collect();
                }
            }
        }
        let sources: Option<Vec<Source>> = values.iter().map(|value| value.source).collect();
        let Some(sources) = sources else {
            self.give(output, None, shape, pixels);
            return Ok(Status::Layer(kind));
        };
        if self.made.len() >= MOST_LAYERS {
            return Err(format!("a network has at most {MOST_LAYERS} layers"));
        }
        let spec = LayerSpec {
            kind,
            activation,
            name: Some(node.name.clone()),
            sources,
        };
        let source = Source::Layer(self.made.len());
        self.made.push(Made { spec, params });
        self.give(output, Some(source), shape, pixels);
        Ok(Status::Layer(kind))
    }
}

/// For each value of `image`, channels outermost, its place with channels innermost.
fn channels_first(image: Shape) -> Vec<usize> {
    let pixels = image.pixels();
    (0..image.channels)
        .flat_map(|c| (0..pixels).map(move |p| p * image.channels + c))
        .collect()
}
