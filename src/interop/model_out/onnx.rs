//! A network as an ONNX model (onnx/onnx.proto, operators of opset 17). The number of samples
//! is left open; layers keep their names.

use super::ModelFile;
use super::names::{INPUT, key};
use super::wire::Writer;
use crate::nn::layer::{Layer, Pool};
use crate::nn::{Activation, LayerKind, Network, ParamRole, Shape, Source};
use std::collections::HashSet;

/// The largest file that protocol buffers allow.
const MOST_BYTES: usize = i32::MAX as usize;

/// The slope of leaky ReLU below zero, that of [`Activation::LeakyRelu`].
const LEAK: f32 = 0.01;

/// The version of the operators that the network needs. GELU came with 20.
pub(super) fn opset(network: &Network) -> i64 {
    let gelu = |layer: &Layer| layer.activation() == Activation::Gelu;
    if network.layers().iter().any(gelu) {
        20
    } else {
        17
    }
}

/// The bytes of the file.
pub(in crate::interop) fn bytes(model: &ModelFile<'_>) -> Result<Vec<u8>, String> {
    let opset = opset(model.network);
    let graph = Graph::of(model).finish(model);
    let mut file = Writer::default();
    // The versions of the format that came with the operators: ONNX, "Versioning".
    file.whole(1, if opset < 19 { 8 } else { 9 });
    file.text(2, "gradscape");
    file.text(3, env!("CARGO_PKG_VERSION"));
    file.bytes(7, &graph.into_bytes());
    file.message(8, |set| {
        set.text(1, "");
        set.whole(2, opset);
    });
    for (key, value) in model.notes {
        file.message(14, |note| {
            note.text(1, key);
            note.text(2, value);
        });
    }
    if file.len() > MOST_BYTES {
        return Err(format!(
            "an ONNX file has at most {MOST_BYTES} bytes, and this network needs {}; write it as \
             .safetensors",
            file.len()
        ));
    }
    Ok(file.into_bytes())
}

/// A value on its way through the graph.
#[derive(Debug, Clone)]
struct Value {
    name: String,
    /// Whether it has rows and columns in the file: `[samples, channels, rows, columns]`.
    image: bool,
}

/// Settings of a node.
enum Setting<'a> {
    Whole(&'a str, i64),
    Number(&'a str, f32),
    Wholes(&'a str, &'a [usize]),
}

/// The message `GraphProto` as far as it is written.
struct Graph<'a> {
    model: &'a ModelFile<'a>,
    names: Vec<String>,
    taken: HashSet<String>,
    nodes: Writer,
    initializers: Writer,
    values: Vec<Value>,
}

impl<'a> Graph<'a> {
    fn of(model: &'a ModelFile<'a>) -> Self {
        let names = model.layer_names();
        let mut taken: HashSet<String> = names.iter().cloned().collect();
        taken.insert(INPUT.to_owned());
        let mut graph = Graph {
            model,
            names,
            taken,
            nodes: Writer::default(),
            initializers: Writer::default(),
            values: Vec::new(),
        };
        for index in 0..model.network.layers().len() {
            let value = graph.layer(index);
            graph.values.push(value);
        }
        graph
    }

    /// The whole message: nodes, name, parameters, inputs and outputs.
    fn finish(self, model: &ModelFile<'_>) -> Writer {
        let network = model.network;
        let input = self.input();
        let mut bytes = self.nodes.into_bytes();
        bytes.extend(self.initializers.into_bytes());
        let mut graph = Writer::from(bytes);
        graph.text(2, model.title);
        graph.message(11, |port| {
            write_port(port, &input, network.input_shape());
        });
        if let (Some(value), Some(layer)) = (self.values.last(), network.layers().last()) {
            graph.message(12, |port| write_port(port, value, layer.output_shape()));
        }
        graph
    }

    fn input(&self) -> Value {
        Value {
            name: INPUT.to_owned(),
            image: !self.model.network.input_shape().is_flat(),
        }
    }

    fn value(&self, source: Source) -> Value {
        match source {
            Source::Input => self.input(),
            Source::Layer(k) => self.values[k].clone(),
        }
    }

    /// A name that nothing else has.
    fn fresh(&mut self, name: &str) -> String {
        let mut name = name.to_owned();
        while !self.taken.insert(name.clone()) {
            name.push('_');
        }
        name
    }

    fn node(&mut self, name: &str, op: &str, inputs: &[&str], output: &str, settings: &[Setting]) {
        self.nodes.message(1, |node| {
            for input in inputs {
                node.text(1, input);
            }
            node.text(2, output);
            node.text(3, name);
            node.text(4, op);
            for setting in settings {
                node.message(5, |attribute| setting.write(attribute));
            }
        });
    }

    /// A constant of the graph.
    fn floats(&mut self, name: &str, shape: &[usize], values: &[f32]) {
        self.initializers.message(5, |tensor| {
            for &side in shape {
                tensor.whole(1, side as i64);
            }
            tensor.whole(2, 1);
            tensor.text(8, name);
            tensor.raw_singles(9, values);
        });
    }

    /// A constant of whole numbers.
    fn wholes(&mut self, name: &str, values: &[i64]) {
        self.initializers.message(5, |tensor| {
            tensor.whole(1, values.len() as i64);
            tensor.whole(2, 7);
            for &value in values {
                tensor.whole(7, value);
            }
            tensor.text(8, name);
        });
    }

    /// The value without rows and columns.
    fn flat(&mut self, value: Value, layer: &str) -> Value {
        if !value.image {
            return value;
        }
        let name = self.fresh(&format!("{layer}.flatten"));
        let settings = [Setting::Whole("axis", 1)];
        self.node(&name, "Flatten", &[&value.name], &name, &settings);
        Value { name, image: false }
    }

    /// The value with rows and columns, for a layer that has to see them.
    fn image(&mut self, value: Value, shape: Shape, layer: &str) -> Value {
        if value.image {
            return value;
        }
        let name = self.fresh(&format!("{layer}.reshape"));
        let sides = self.fresh(&format!("{name}.shape"));
        let shape = [shape.channels, shape.height, shape.width].map(|side| side as i64);
        // 0 stands for the side that is there: the samples.
        self.wholes(&sides, &[0, shape[0], shape[1], shape[2]]);
        self.node(&name, "Reshape", &[&value.name, &sides], &name, &[]);
        Value { name, image: true }
    }

    /// Writes the blocks of a layer and gives their names in the order of `roles`; those that
    /// it does not have are left out.
    fn params(
        &mut self,
        index: usize,
        roles: &[ParamRole],
        shape: Option<&[usize]>,
    ) -> Vec<String> {
        let layout = self.model.network.layout();
        let mut names = Vec::with_capacity(roles.len());
        for &role in roles {
            if let Some(tensor) = layout.tensor(index, role) {
                let name = self.fresh(&key(&self.names, tensor));
                let values = &self.model.params[tensor.range.clone()];
                self.floats(&name, shape.unwrap_or(&tensor.shape), values);
                names.push(name);
            }
        }
        names
    }

    /// Writes a layer with its activation and gives its value.
    fn layer(&mut self, index: usize) -> Value {
        let layer = &self.model.network.layers()[index];
        let name = self.names[index].clone();
        let mut values: Vec<Value> = layer.sources().iter().map(|&s| self.value(s)).collect();
        let mut value = values.remove(0);
        let input = layer.input_shape();
        let mut settings: Vec<Setting> = Vec::new();
        let mut inputs: Vec<String> = Vec::new();
        let pads;
        let op = match layer.kind() {
            LayerKind::Dense { .. } => {
                value = self.flat(value, &name);
                inputs = self.params(index, &[ParamRole::Weight, ParamRole::Bias], None);
                settings.push(Setting::Whole("transB", 1));
                "Gemm"
            }
            LayerKind::Conv(conv) => {
                value = self.image(value, input, &name);
                inputs = self.params(index, &[ParamRole::Weight, ParamRole::Bias], None);
                pads = both_ends(conv.padding);
                settings.extend([
                    Setting::Wholes("kernel_shape", &conv.kernel),
                    Setting::Wholes("strides", &conv.stride),
                    Setting::Wholes("pads", &pads),
                    Setting::Wholes("dilations", &conv.dilation),
                    Setting::Whole("group", conv.groups as i64),
                ]);
                "Conv"
            }
            LayerKind::MaxPool(pool) => {
                value = self.image(value, input, &name);
                pads = both_ends(pool.padding);
                settings.extend(window(pool, &pads));
                "MaxPool"
            }
            LayerKind::AvgPool(pool) => {
                value = self.image(value, input, &name);
                pads = both_ends(pool.padding);
                settings.extend(window(pool, &pads));
                settings.push(Setting::Whole(
                    "count_include_pad",
                    i64::from(pool.count_padding),
                ));
                "AveragePool"
            }
            LayerKind::GlobalAvgPool => {
                value = self.image(value, input, &name);
                "GlobalAveragePool"
            }
            LayerKind::Flatten => {
                settings.push(Setting::Whole("axis", 1));
                "Flatten"
            }
            LayerKind::Dropout { rate } => {
                // Without its third input it is at rest: ONNX has it train by that alone.
                let name = self.fresh(&format!("{name}.ratio"));
                self.floats(&name, &[], &[*rate as f32]);
                inputs.push(name);
                "Dropout"
            }
            LayerKind::BatchNorm(norm) => {
                inputs = self.params(
                    index,
                    &[
                        ParamRole::Gain,
                        ParamRole::Shift,
                        ParamRole::RunningMean,
                        ParamRole::RunningVariance,
                    ],
                    None,
                );
                settings.extend([
                    Setting::Number("epsilon", norm.epsilon as f32),
                    Setting::Number("momentum", (1.0 - norm.momentum) as f32),
                ]);
                "BatchNormalization"
            }
            LayerKind::LayerNorm(norm) => {
                let sides = [input.channels, input.height, input.width];
                let sides = if value.image { &sides[..] } else { &sides[..1] };
                let roles = [ParamRole::Gain, ParamRole::Shift];
                inputs = self.params(index, &roles, Some(sides));
                settings.extend([
                    Setting::Whole("axis", 1),
                    Setting::Number("epsilon", norm.epsilon as f32),
                ]);
                "LayerNormalization"
            }
            LayerKind::Add => {
                if values.iter().any(|other| other.image != value.image) {
                    value = self.flat(value, &name);
                    values = values.into_iter().map(|v| self.flat(v, &name)).collect();
                }
                inputs = values.iter().map(|value| value.name.clone()).collect();
                if inputs.len() == 1 { "Add" } else { "Sum" }
            }
            LayerKind::PRelu { .. } => {
                let sides = [input.channels, 1, 1];
                let sides = if value.image { &sides[..] } else { &sides[..1] };
                inputs = self.params(index, &[ParamRole::Slope], Some(sides));
                "PRelu"
            }
        };
        let image = match layer.kind() {
            LayerKind::Dense { .. } | LayerKind::Flatten => false,
            LayerKind::Conv(_)
            | LayerKind::MaxPool(_)
            | LayerKind::AvgPool(_)
            | LayerKind::GlobalAvgPool => true,
            _ => value.image,
        };
        let plain = layer.activation() == Activation::Linear;
        let output = if plain {
            name.clone()
        } else {
            self.fresh(&format!("{name}.z"))
        };
        let reads: Vec<&str> = std::iter::once(value.name.as_str())
            .chain(inputs.iter().map(String::as_str))
            .collect();
        self.node(&name, op, &reads, &output, &settings);
        self.activation(
            layer.activation(),
            &name,
            Value {
                name: output,
                image,
            },
        )
    }

    /// Writes what is applied to `z` for the layer `name`, of whose name its value is.
    fn activation(&mut self, activation: Activation, name: &str, z: Value) -> Value {
        let mut settings = Vec::new();
        let mut value = z;
        let op = match activation {
            Activation::Linear => return value,
            Activation::Sigmoid => "Sigmoid",
            Activation::Tanh => "Tanh",
            Activation::Relu => "Relu",
            Activation::Softplus => "Softplus",
            Activation::Gelu => "Gelu",
            Activation::LeakyRelu => {
                settings.push(Setting::Number("alpha", LEAK));
                "LeakyRelu"
            }
            Activation::Softmax => {
                value = self.flat(value, name);
                settings.push(Setting::Whole("axis", -1));
                "Softmax"
            }
            Activation::Silu => {
                let gate = self.fresh(&format!("{name}.sigmoid"));
                self.node(&gate, "Sigmoid", &[&value.name], &gate, &[]);
                let node = self.fresh(&format!("{name}.silu"));
                self.node(&node, "Mul", &[&value.name, &gate], name, &[]);
                return Value {
                    name: name.to_owned(),
                    image: value.image,
                };
            }
        };
        let node = self.fresh(&format!("{name}.{}", activation.name()));
        self.node(&node, op, &[&value.name], name, &settings);
        Value {
            name: name.to_owned(),
            image: value.image,
        }
    }
}

impl Setting<'_> {
    /// `AttributeProto`
    fn write(&self, attribute: &mut Writer) {
        match *self {
            Setting::Whole(name, value) => {
                attribute.text(1, name);
                attribute.whole(3, value);
                attribute.whole(20, 2);
            }
            Setting::Number(name, value) => {
                attribute.text(1, name);
                attribute.single(2, value);
                attribute.whole(20, 1);
            }
            Setting::Wholes(name, values) => {
                attribute.text(1, name);
                for &value in values {
                    attribute.whole(8, value as i64);
                }
                attribute.whole(20, 7);
            }
        }
    }
}

/// Padding as ONNX has it: the beginnings, then the ends.
fn both_ends([rows, columns]: [usize; 2]) -> [usize; 4] {
    [rows, columns, rows, columns]
}

fn window<'a>(pool: &'a Pool, pads: &'a [usize; 4]) -> [Setting<'a>; 3] {
    [
        Setting::Wholes("kernel_shape", &pool.size),
        Setting::Wholes("strides", &pool.stride),
        Setting::Wholes("pads", pads),
    ]
}

/// `ValueInfoProto` of single-precision numbers, the number of samples left open.
fn write_port(port: &mut Writer, value: &Value, shape: Shape) {
    let sides = [shape.channels, shape.height, shape.width];
    let sides = if value.image { &sides[..] } else { &sides[..1] };
    port.text(1, &value.name);
    port.message(2, |kind| {
        kind.message(1, |tensor| {
            tensor.whole(1, 1);
            tensor.message(2, |all| {
                all.message(1, |side| side.text(2, "samples"));
                for &n in sides {
                    all.message(1, |side| side.whole(1, n as i64));
                }
            });
        });
    });
}
