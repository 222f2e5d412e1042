//! From the graph of another program to a network of ours: node by node with the shapes
//! known so far, activations and biases merged into the layers that they follow.

use super::graph::{ForeignModel, ModelFormat, Node, Port};
use super::{guess, keras_layers, onnx_operators};
use crate::nn::{Activation, LayerKind, LayerSpec, Loss, Network, ParamRole, Shape, Source};
use std::collections::{HashMap, HashSet};

/// The most values of a sample in one layer that a network is made with: a bound on what
/// a file can make the program allocate.
const MOST_VALUES: usize = 16 << 20;

/// The most layers that a network is made of.
const MOST_LAYERS: usize = 1000;

/// What a node is to our engine.
pub(super) enum What {
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
    pub(super) fn plain(kind: LayerKind) -> Self {
        What::Layer {
            kind,
            activation: Activation::Linear,
            params: Vec::new(),
        }
    }

    pub(super) fn opaque(why: impl Into<String>) -> Self {
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
    let mut builder = Builder {
        model,
        readers,
        values: HashMap::new(),
        input: None,
        made: Vec::new(),
    };
    if let [port] = &model.inputs[..]
        && let Some(shape) = sample_shape(port, model.channels_last)
    {
        builder.input = Some(shape);
        builder.give(&port.name, Some(Source::Input), shape, None);
    }
    let mut statuses = Vec::with_capacity(model.nodes.len());
    let mut shapes = Vec::with_capacity(model.nodes.len());
    for node in &model.nodes {
        let status = builder.node(node);
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

/// A sample's shape out of the sides of a value, of which the first are the samples.
pub(super) fn sample_shape(port: &Port, channels_last: bool) -> Option<Shape> {
    let sides = port.shape.as_ref()?.get(1..)?;
    let sides: Option<Vec<usize>> = sides.iter().copied().collect();
    shape_of(&sides?, channels_last)
}

/// A shape of our own for the sides of a sample.
pub(super) fn shape_of(sides: &[usize], channels_last: bool) -> Option<Shape> {
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
    let size = super::bytes::count(&sides)?;
    (size > 0 && size <= MOST_VALUES).then_some(shape)
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

    fn node(&mut self, node: &'a Node) -> Status {
        let weights: HashSet<usize> = match self.model.format {
            ModelFormat::Keras => HashSet::new(),
            _ => node.weights.iter().map(|w| w.slot).collect(),
        };
        let reads = node
            .inputs
            .iter()
            .enumerate()
            .filter(|(slot, name)| !weights.contains(slot) && !name.is_empty());
        let values: Option<Vec<Value>> = reads
            .map(|(_, name)| self.values.get(name.as_str()).copied())
            .collect();
        let what = match &values {
            None if self.knows(&node.op) => return Status::Unknown(self.why_unknown()),
            None => What::opaque(format!("the engine has no {}", node.op)),
            Some(values) if values.is_empty() => What::opaque(match node.op.as_str() {
                guess::LOOSE => "they fit nothing that comes before them",
                _ => "it reads no samples",
            }),
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
        // Whatever follows has to leave it as it is.
        let mut name = output;
        while let Some(next) = self
            .model
            .nodes
            .iter()
            .find(|n| n.inputs.iter().any(|i| i == name))
        {
            match (next.op.as_str(), next.outputs.first()) {
                ("Identity" | "Flatten" | "Reshape" | "Squeeze", Some(output)) => name = output,
                _ => {
                    return Err(
                        "softmax before the output; the engine has it at the output alone"
                            .to_owned(),
                    );
                }
            }
        }
        Ok(())
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

    fn finish(&self, statuses: &[Status]) -> Result<Translated, String> {
        let opaque =
            self.model
                .nodes
                .iter()
                .zip(statuses)
                .filter_map(|(node, status)| match status {
                    Status::Opaque(why) => Some((node, why)),
                    _ => None,
                });
        let opaque: Vec<_> = opaque.collect();
        if let Some((node, why)) = opaque.first() {
            return Err(format!(
                "{} of its {} nodes the engine does not have, first {} ({}): {why}",
                opaque.len(),
                statuses.len(),
                node.name,
                node.op
            ));
        }
        let unknown = statuses.iter().find_map(|status| match status {
            Status::Unknown(why) => Some(why.clone()),
            _ => None,
        });
        if let Some(why) = unknown {
            return Err(why);
        }
        let Some(input) = self.input else {
            return Err("the shape of its samples is not known".to_owned());
        };
        let value = match &self.model.outputs[..] {
            [port] => self.values.get(port.name.as_str()),
            ports => {
                return Err(format!(
                    "it gives {} values; the engine's networks give one",
                    ports.len()
                ));
            }
        };
        let last = self.made.len().checked_sub(1).map(Source::Layer);
        if last.is_none() || value.and_then(|value| value.source) != last {
            return Err("its output is not what its last layer gives".to_owned());
        }
        if let Some(pixels) = value.and_then(|v| v.pixels) {
            return Err(format!("its output is an image of {pixels} pixel by pixel"));
        }
        let layers: Vec<LayerSpec> = self.made.iter().map(|made| made.spec.clone()).collect();
        let loss = match layers.last().map(|layer| layer.activation) {
            Some(Activation::Softmax) => Loss::SoftmaxCrossEntropy,
            Some(Activation::Sigmoid) => Loss::BinaryCrossEntropy,
            _ => Loss::HalfSquaredError,
        };
        let network = Network::new(input, &layers, loss).map_err(|error| error.to_string())?;
        let params = self.params(&network)?;
        Ok(Translated {
            network,
            layers,
            params,
        })
    }

    fn params(&self, network: &Network) -> Result<Vec<f32>, String> {
        let mut params = vec![0.0; network.layout().len()];
        for tensor in network.layout().tensors() {
            let made = &self.made[tensor.layer];
            let given = made.params.iter().find(|(role, _)| *role == tensor.role);
            let into = &mut params[tensor.range.clone()];
            match given {
                Some((_, values)) if values.len() == into.len() => into.copy_from_slice(values),
                Some((_, values)) => {
                    return Err(format!(
                        "{} has {} numbers for its {}, and {:?} are needed",
                        made.spec.name.as_deref().unwrap_or_default(),
                        values.len(),
                        tensor.role.name(),
                        tensor.shape
                    ));
                }
                None => into.fill(match tensor.role {
                    ParamRole::Gain | ParamRole::RunningVariance => 1.0,
                    _ => 0.0,
                }),
            }
        }
        match params.iter().position(|v| !v.is_finite()) {
            None => Ok(params),
            Some(at) => Err(format!(
                "parameter {at} is {}; weights have to be finite",
                params[at]
            )),
        }
    }
}

/// For each value of `image`, channels outermost, its place with channels innermost.
fn channels_first(image: Shape) -> Vec<usize> {
    let pixels = image.pixels();
    (0..image.channels)
        .flat_map(|c| (0..pixels).map(move |p| p * image.channels + c))
        .collect()
}
