//! Keras: the description of the layers as JSON, and their weights by name. HDF5 of Keras
//! 2 and 3 (`model_config` among the root's attributes, weights below `model_weights`), and
//! the archive `.keras` (`config.json`, `model.weights.h5`).

use super::archive::Archive;
use super::graph::{Attribute, ForeignModel, ModelFormat, Node, Port, Side, Tensor, Weight, leaf};
use super::hdf5::{self, Tree};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// The most layers that are read.
const MOST_LAYERS: usize = 20_000;

/// A model from an HDF5 file.
pub(super) fn h5(bytes: Vec<u8>) -> Result<ForeignModel, String> {
    // Optimisers keep as many numbers again; they are left where they are.
    let tree = hdf5::read(bytes, &|path| !path.starts_with("optimizer"))?;
    let Some(config) = tree.texts.get("model_config") else {
        return Err(
            "is an HDF5 file without model_config, which says what the layers are: it holds \
             weights alone, or no Keras model. In Keras: model.save(\"model.keras\") saves both"
                .to_owned(),
        );
    };
    let version = tree.texts.get("keras_version").map_or("", String::as_str);
    let mut weights: HashMap<String, Vec<Arc<Tensor>>> = HashMap::new();
    for tensor in &tree.tensors {
        let Some(path) = tensor.name.strip_prefix("model_weights/") else {
            continue;
        };
        let layer = path.split('/').next().unwrap_or(path);
        let tensor = Arc::new(Tensor {
            name: path.to_owned(),
            ..tensor.clone()
        });
        weights.entry(layer.to_owned()).or_default().push(tensor);
    }
    build(config, version, |name, _, _| weights.get(name).cloned())
}

/// A model from a `.keras` archive.
pub(super) fn keras(bytes: &[u8]) -> Result<ForeignModel, String> {
    let mut archive = Archive::open(bytes)?;
    let config = archive.take("config.json")?;
    let config = String::from_utf8(config).map_err(|_| "its config.json is not text")?;
    let version = archive
        .take("metadata.json")
        .ok()
        .and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok())
        .and_then(|json| Some(json.get("keras_version")?.as_str()?.to_owned()));
    let weights = archive.take("model.weights.h5")?;
    let tree = hdf5::read(weights, &|path| !path.starts_with("optimizer"))
        .map_err(|error| format!("its member model.weights.h5 {error}"))?;
    let groups = by_group(&tree);
    let named: HashMap<&str, &str> = tree
        .names
        .iter()
        .filter_map(|(path, name)| Some((name.as_str(), path.strip_suffix("/vars")?)))
        .collect();
    build(
        &config,
        version.as_deref().unwrap_or(""),
        |name, class, number| {
            let snake = snake(class);
            let by_class = match number {
                0 => format!("layers/{snake}"),
                n => format!("layers/{snake}_{n}"),
            };
            let group = named.get(name).map_or(by_class.as_str(), |path| path);
            groups.get(group).cloned()
        },
    )
}

/// The variables of every layer, by the path of its group, each named by its number.
fn by_group(tree: &Tree) -> HashMap<String, Vec<Arc<Tensor>>> {
    let mut groups: HashMap<String, Vec<Arc<Tensor>>> = HashMap::new();
    for tensor in &tree.tensors {
        let Some((group, _)) = tensor.name.rsplit_once("/vars/") else {
            continue;
        };
        groups
            .entry(group.to_owned())
            .or_default()
            .push(Arc::new(tensor.clone()));
    }
    for all in groups.values_mut() {
        all.sort_by_key(|t| leaf(&t.name).parse::<usize>().unwrap_or(usize::MAX));
    }
    groups
}

/// `MaxPooling2D` as Keras writes it in paths: `max_pooling2d`
/// (`keras.src.utils.naming.to_snake_case`).
fn snake(class: &str) -> String {
    let letters: Vec<char> = class.chars().collect();
    let mut text = String::new();
    for (k, &letter) in letters.iter().enumerate() {
        let before = k.checked_sub(1).map(|k| letters[k]);
        let next = letters.get(k + 1);
        let new_word = letter.is_uppercase()
            && before.is_some_and(|b| {
                b.is_lowercase() || b.is_uppercase() && next.is_some_and(|n| n.is_lowercase())
            });
        if new_word {
            text.push('_');
        }
        text.extend(letter.to_lowercase());
    }
    text
}

/// The names of a layer's variables in the order in which archives number them.
fn variables(class: &str, config: &Value) -> Vec<&'static str> {
    let on = |key: &str| config.get(key).and_then(Value::as_bool).unwrap_or(true);
    let mut names: Vec<&'static str> = match class {
        "Dense" | "Conv1D" | "Conv2D" | "Conv3D" | "Conv2DTranspose" => vec!["kernel"],
        "DepthwiseConv2D" => vec![if config.get("depth_multiplier").is_some() {
            "kernel"
        } else {
            "depthwise_kernel"
        }],
        "Embedding" => return vec!["embeddings"],
        "PReLU" => return vec!["alpha"],
        "BatchNormalization" | "LayerNormalization" => {
            let all = [("scale", "gamma"), ("center", "beta")];
            let own = all
                .into_iter()
                .filter(|(key, _)| on(key))
                .map(|(_, name)| name);
            let gathered = ["moving_mean", "moving_variance"].into_iter();
            return own
                .chain(gathered.filter(|_| class == "BatchNormalization"))
                .collect();
        }
        _ => return Vec::new(),
    };
    if on("use_bias") {
        names.push("bias");
    }
    names
}

/// The graph that `config` describes; `weights` finds a layer's by name, class and the
/// number of layers of the class before it.
pub(super) fn build(
    config: &str,
    version: &str,
    weights: impl Fn(&str, &str, usize) -> Option<Vec<Arc<Tensor>>>,
) -> Result<ForeignModel, String> {
    let config: Value = serde_json::from_str(config)
        .map_err(|error| format!("has a description of the model that is no JSON: {error}"))?;
    let class = config
        .get("class_name")
        .and_then(Value::as_str)
        .unwrap_or("?");
    let inner = &config["config"];
    let layers = inner.as_array().or_else(|| inner.get("layers")?.as_array());
    let Some(layers) = layers else {
        return Err(format!(
            "describes a model of the class {class} without its layers: one that was written in \
             Python as a class. Save a Sequential or functional model"
        ));
    };
    if layers.len() > MOST_LAYERS {
        return Err(format!(
            "has {} layers; at most {MOST_LAYERS} are read",
            layers.len()
        ));
    }
    let mut model = ForeignModel {
        format: ModelFormat::Keras,
        producer: format!("Keras {version}").trim_end().to_owned(),
        inputs: Vec::new(),
        outputs: Vec::new(),
        nodes: Vec::new(),
        channels_last: true,
        notes: Vec::new(),
    };
    let sequential = class == "Sequential";
    let mut before = None;
    let mut counts: HashMap<String, usize> = HashMap::new();
    for (k, layer) in layers.iter().enumerate() {
        let class = layer
            .get("class_name")
            .and_then(Value::as_str)
            .unwrap_or("?");
        let config = &layer["config"];
        let name = layer
            .get("name")
            .or_else(|| config.get("name"))
            .and_then(Value::as_str);
        let name = name.map_or_else(|| format!("{class}_{}", k + 1), str::to_owned);
        let shape = ["batch_shape", "batch_input_shape"]
            .iter()
            .find_map(|key| sides(config.get(key)?));
        if class == "InputLayer" {
            before = Some(name.clone());
            model.inputs.push(Port { name, shape });
            continue;
        }
        if sequential && k == 0 && model.inputs.is_empty() {
            before = Some("input".to_owned());
            model.inputs.push(Port {
                name: "input".to_owned(),
                shape,
            });
        }
        let inputs = if sequential {
            before.iter().cloned().collect()
        } else {
            inbound(layer.get("inbound_nodes"))
        };
        let mut node = Node::new(&name, class, inputs);
        node.attributes = attributes(config);
        let number = counts.entry(class.to_owned()).or_default();
        let names = variables(class, config);
        for (slot, tensor) in weights(&name, class, *number)
            .into_iter()
            .flatten()
            .enumerate()
        {
            let numbered = leaf(&tensor.name).parse::<usize>().is_ok();
            let tensor = match names.get(slot).filter(|_| numbered) {
                Some(own) => Arc::new(Tensor {
                    name: format!("{name}/{own}"),
                    ..(*tensor).clone()
                }),
                None => tensor,
            };
            node.weights.push(Weight { slot, tensor });
        }
        *number += 1;
        before = Some(name);
        model.nodes.push(node);
    }
    if model.nodes.is_empty() {
        return Err("describes a model without layers".to_owned());
    }
    let last = match inner.get("output_layers") {
        Some(outputs) if !sequential => output_names(outputs),
        _ => before.into_iter().collect(),
    };
    model.outputs = last
        .into_iter()
        .map(|name| Port { name, shape: None })
        .collect();
    Ok(model)
}

/// `[null, 28, 28]` with the samples open.
fn sides(shape: &Value) -> Option<Vec<Side>> {
    let side = |n: &Value| n.as_u64().and_then(|n| usize::try_from(n).ok());
    Some(shape.as_array()?.iter().map(side).collect())
}

/// The settings of a layer that are numbers, texts or lists of whole numbers. `true` is 1.
fn attributes(config: &Value) -> BTreeMap<String, Attribute> {
    let mut all = BTreeMap::new();
    for (key, value) in config.as_object().into_iter().flatten() {
        let value = match value {
            Value::Bool(on) => Attribute::Whole(i64::from(*on)),
            Value::String(text) => Attribute::Text(text.clone()),
            Value::Number(n) => match n.as_i64() {
                Some(n) => Attribute::Whole(n),
                None => Attribute::Number(n.as_f64().unwrap_or(f64::NAN)),
            },
            Value::Array(list) => {
                let wholes: Option<Vec<i64>> = list.iter().map(Value::as_i64).collect();
                match wholes {
                    Some(wholes) => Attribute::Wholes(wholes),
                    None => continue,
                }
            }
            // An activation may be written as an object with a name.
            Value::Object(object) => {
                let name = object
                    .get("config")
                    .and_then(|c| c.as_str().or_else(|| c.get("name")?.as_str()));
                match name.or_else(|| object.get("class_name")?.as_str()) {
                    Some(name) => Attribute::Text(name.to_owned()),
                    None => continue,
                }
            }
            Value::Null => continue,
        };
        all.insert(key.clone(), value);
    }
    all
}

/// The layers that a layer of a functional model reads: `[[["name", 0, 0, {}], …]]` in
/// Keras 2, objects with a `keras_history` in Keras 3.
fn inbound(value: Option<&Value>) -> Vec<String> {
    let mut found = Vec::new();
    // serde_json does not nest deeper than 128, so that this does not either.
    fn collect(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Array(all) => match &all[..] {
                [Value::String(name), Value::Number(_), Value::Number(_), ..] => {
                    found.push(name.clone())
                }
                _ => all.iter().for_each(|v| collect(v, found)),
            },
            Value::Object(object) => match object.get("keras_history") {
                Some(history) => collect(history, found),
                None => {
                    for key in ["args", "config"] {
                        object.get(key).into_iter().for_each(|v| collect(v, found));
                    }
                }
            },
            _ => {}
        }
    }
    // A layer that is used several times has one entry each time; the first is shown.
    if let Some(first) = value.and_then(|v| v.get(0)) {
        collect(first, &mut found);
    }
    found
}

fn output_names(value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    if let Value::Array(all) = value {
        match &all[..] {
            [Value::String(name), Value::Number(_), ..] => found.push(name.clone()),
            _ => found.extend(all.iter().flat_map(output_names)),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_written_as_keras_writes_them() {
        for (class, path) in [
            ("Conv2D", "conv2d"),
            ("MaxPooling2D", "max_pooling2d"),
            ("PReLU", "p_re_lu"),
            ("BatchNormalization", "batch_normalization"),
            ("DepthwiseConv2D", "depthwise_conv2d"),
            ("LSTM", "lstm"),
        ] {
            assert_eq!(snake(class), path);
        }
    }
}
