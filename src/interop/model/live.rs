//! A model whose weights come one set after the other: a graph that is told once, or guessed
//! from the first weights, and networks of ours for each set.

use super::graph::{Attribute, ForeignModel, ModelFormat, Node, Port, Side, Tensor, Weight};
use super::groups::groups;
use super::translate::{Translated, translate};
use super::{MOST_GROUPS, Tensors, guess, keras, tensors};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// The most nodes of a graph that is told.
const MOST_NODES: usize = 10_000;

/// All tensors of a safetensors file, in the order in which their bytes lie.
///
/// # Errors
/// When it is not one.
pub fn tensors_of(bytes: &[u8]) -> Result<Vec<Tensor>, String> {
    Ok(tensors::safetensors(bytes)?.all)
}

/// How many tensors a safetensors file has, without reading their numbers.
///
/// # Errors
/// When it is not one.
pub fn count_tensors(bytes: &[u8]) -> Result<usize, String> {
    tensors::count_safetensors(bytes)
}

/// A graph without weights of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveModel {
    model: ForeignModel,
}

/// A structure as it is told; `docs/watch.md` describes it.
#[derive(Deserialize)]
#[serde(tag = "format", rename_all = "snake_case")]
enum Told {
    /// Operators of ONNX.
    Onnx {
        inputs: Vec<ToldPort>,
        outputs: Vec<String>,
        nodes: Vec<ToldNode>,
    },
    /// What Keras' `model.to_json()` gives.
    Keras { config: Value },
}

#[derive(Deserialize)]
struct ToldPort {
    name: String,
    #[serde(default)]
    shape: Option<Vec<Side>>,
}

#[derive(Deserialize)]
struct ToldNode {
    name: String,
    op: String,
    inputs: Vec<String>,
    #[serde(default)]
    outputs: Vec<String>,
    /// The tensors by their place among what the operator reads.
    #[serde(default)]
    weights: BTreeMap<String, String>,
    #[serde(default)]
    attributes: BTreeMap<String, Value>,
}

impl LiveModel {
    /// The graph that `structure` tells, or else one that is guessed from the names and
    /// shapes of `weights`.
    ///
    /// # Errors
    /// When the structure is not what it should be, or names weights that are not there.
    pub fn new(structure: Option<&Value>, weights: &[Tensor]) -> Result<Self, String> {
        let model = match structure {
            None => guessed(weights)?,
            Some(value) => match Told::deserialize(value) {
                Ok(Told::Onnx {
                    inputs,
                    outputs,
                    nodes,
                }) => graph(inputs, outputs, nodes, weights)?,
                Ok(Told::Keras { config }) => of_keras(&config, weights)?,
                Err(error) => return Err(format!("its structure: {error}")),
            },
        };
        Ok(LiveModel { model })
    }

    /// The graph with the first weights.
    pub fn model(&self) -> &ForeignModel {
        &self.model
    }

    /// What was guessed.
    pub fn notes(&self) -> &[String] {
        &self.model.notes
    }

    /// The network of ours with these weights, found by their names.
    ///
    /// # Errors
    /// When not all of it is layers of ours, a tensor is missing, or a weight is not finite.
    pub fn translated(&self, weights: &[Tensor]) -> Result<Translated, String> {
        let mut named: HashMap<&str, Arc<Tensor>> = HashMap::new();
        for tensor in weights {
            named.insert(&tensor.name, Arc::new(tensor.clone()));
        }
        let mut model = self.model.clone();
        for weight in model.nodes.iter_mut().flat_map(|node| &mut node.weights) {
            let name = weight.tensor.name.as_str();
            let found = named
                .get(name)
                .ok_or_else(|| format!("{name:?} is missing"))?;
            weight.tensor = Arc::clone(found);
        }
        translate(&model).result
    }
}

fn guessed(weights: &[Tensor]) -> Result<ForeignModel, String> {
    let groups = groups(Tensors {
        format: ModelFormat::PyTorch,
        all: weights.to_vec(),
        ordered: true,
    });
    if groups.len() > MOST_GROUPS {
        return Err(format!(
            "{} layers; at most {MOST_GROUPS} are read",
            groups.len()
        ));
    }
    let mut model = guess::graph(ModelFormat::PyTorch, groups, None);
    if let Some(note) = model.notes.first_mut() {
        "weights came without a structure: it is guessed from names and shapes".clone_into(note);
    }
    Ok(model)
}

fn graph(
    inputs: Vec<ToldPort>,
    outputs: Vec<String>,
    nodes: Vec<ToldNode>,
    weights: &[Tensor],
) -> Result<ForeignModel, String> {
    if nodes.len() > MOST_NODES {
        return Err(format!(
            "{} nodes; at most {MOST_NODES} are read",
            nodes.len()
        ));
    }
    let mut named: HashMap<&str, Arc<Tensor>> = HashMap::new();
    for tensor in weights {
        named.insert(&tensor.name, Arc::new(tensor.clone()));
    }
    let nodes = nodes.into_iter().map(|told| {
        let mut node = Node::new(&told.name, &told.op, told.inputs);
        if !told.outputs.is_empty() {
            node.shapes = vec![None; told.outputs.len()];
            node.outputs = told.outputs;
        }
        for (slot, name) in told.weights {
            let fault = |what: &str| format!("its structure: {}: {what}", node.name);
            let slot = slot.parse().ok().filter(|&slot| slot < 64);
            let slot: usize = slot.ok_or_else(|| fault("weights are numbered from 1 to 63"))?;
            let tensor = named.get(name.as_str());
            let tensor = tensor.ok_or_else(|| fault(&format!("there is no tensor {name:?}")))?;
            // Among what it reads, each at its place.
            if node.inputs.len() <= slot {
                node.inputs.resize(slot + 1, String::new());
            }
            node.inputs[slot] = name;
            let tensor = Arc::clone(tensor);
            node.weights.push(Weight { slot, tensor });
        }
        let known = told.attributes.into_iter();
        node.attributes = known
            .filter_map(|(key, value)| Some((key, attribute(&value)?)))
            .collect();
        Ok(node)
    });
    let port = |name, shape| Port { name, shape };
    Ok(ForeignModel {
        format: ModelFormat::PyTorch,
        producer: String::new(),
        nodes: nodes.collect::<Result<_, String>>()?,
        inputs: inputs.into_iter().map(|p| port(p.name, p.shape)).collect(),
        outputs: outputs.into_iter().map(|name| port(name, None)).collect(),
        channels_last: false,
        notes: Vec::new(),
    })
}

fn attribute(value: &Value) -> Option<Attribute> {
    Some(match value {
        Value::Bool(on) => Attribute::Whole(i64::from(*on)),
        Value::String(text) => Attribute::Text(text.clone()),
        Value::Number(n) => match n.as_i64() {
            Some(n) => Attribute::Whole(n),
            None => Attribute::Number(n.as_f64()?),
        },
        Value::Array(all) => {
            Attribute::Wholes(all.iter().map(Value::as_i64).collect::<Option<_>>()?)
        }
        Value::Null | Value::Object(_) => return None,
    })
}

/// Layers of Keras, whose weights are named by their layer: `dense_1/kernel`.
fn of_keras(config: &Value, weights: &[Tensor]) -> Result<ForeignModel, String> {
    let mut layers: HashMap<&str, Vec<Arc<Tensor>>> = HashMap::new();
    for tensor in weights {
        if let Some((layer, _)) = tensor.name.split_once('/') {
            let own = layers.entry(layer).or_default();
            own.push(Arc::new(tensor.clone()));
        }
    }
    // As a file has it, a text.
    let config = match config {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    keras::build(&config, "", |name, _, _| layers.get(name).cloned())
        .map_err(|error| format!("its structure {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interop::Numbers;
    use crate::nn::Activation;
    use serde_json::json;

    fn tensor(name: &str, shape: &[usize], from: f32) -> Tensor {
        let many = shape.iter().product::<usize>();
        Tensor {
            name: name.to_owned(),
            shape: shape.to_vec(),
            numbers: Numbers::Floats((0..many).map(|k| from + k as f32).collect()),
        }
    }

    #[test]
    fn a_graph_that_is_told_takes_one_set_of_weights_after_the_other() {
        let structure = json!({
            "format": "onnx",
            "inputs": [{"name": "x", "shape": [null, 2]}],
            "outputs": ["out"],
            "nodes": [
                {"name": "a", "op": "Gemm", "inputs": ["x"], "weights": {"1": "a.weight", "2": "a.bias"},
                 "attributes": {"transB": 1}},
                {"name": "act", "op": "Tanh", "inputs": ["a"]},
                {"name": "out", "op": "Gemm", "inputs": ["act"], "weights": {"1": "b.weight"},
                 "attributes": {"transB": 1}},
            ],
        });
        let set = |from| {
            [
                tensor("a.weight", &[3, 2], from),
                tensor("a.bias", &[3], from + 100.0),
                tensor("b.weight", &[1, 3], from + 200.0),
            ]
        };
        let live = LiveModel::new(Some(&structure), &set(0.0)).unwrap();
        for from in [0.0, 0.5] {
            let found = live.translated(&set(from)).unwrap();
            assert_eq!(found.layers[0].activation, Activation::Tanh);
            assert_eq!(found.params.len(), 3 * 2 + 3 + 3 + 1);
            assert_eq!(found.params[..2], [from, from + 1.0]);
            assert_eq!(found.params[6], from + 100.0);
            // A bias that is not there is zero.
            assert_eq!(found.params[12], 0.0);
        }
        let why = live.translated(&set(0.0)[..2]).unwrap_err();
        assert!(why.contains("b.weight"), "{why}");
        let why = LiveModel::new(Some(&structure), &set(0.0)[1..]).unwrap_err();
        assert!(why.contains("a.weight"), "{why}");
    }

    #[test]
    fn layers_of_keras_find_their_weights_by_name() {
        let structure = json!({"format": "keras", "config": {
            "class_name": "Sequential",
            "config": {"layers": [
                {"class_name": "InputLayer", "config": {"name": "in", "batch_shape": [null, 2]}},
                {"class_name": "Dense", "config": {"name": "d", "units": 3, "activation": "relu", "use_bias": true}},
            ]},
        }});
        let set = [
            tensor("d/kernel", &[2, 3], 0.0),
            tensor("d/bias", &[3], 9.0),
        ];
        let live = LiveModel::new(Some(&structure), &set).unwrap();
        let found = live.translated(&set).unwrap();
        // Rows of ours are units.
        assert_eq!(
            found.params,
            [0.0, 3.0, 1.0, 4.0, 2.0, 5.0, 9.0, 10.0, 11.0]
        );
    }

    #[test]
    fn without_a_structure_it_is_guessed_and_said() {
        let set = [
            tensor("0.weight", &[4, 2], 0.0),
            tensor("0.bias", &[4], 0.0),
            tensor("2.weight", &[3, 4], 0.0),
            tensor("2.bias", &[3], 0.0),
        ];
        let live = LiveModel::new(None, &set).unwrap();
        assert!(live.notes()[0].contains("guessed"));
        assert_eq!(live.translated(&set).unwrap().network.outputs(), 3);
    }
}
