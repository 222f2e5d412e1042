//! The keys in which experiments differ.

use crate::experiment::Experiment;
use serde::Serialize;
use std::collections::BTreeSet;
use toml::Value;

/// A key that not all have alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The key, as in the experiment file: `training.optimizer.name`.
    pub key: String,
    /// What each has; none where it says nothing.
    pub values: Vec<Option<String>>,
}

/// The keys in which `experiments` differ, in the order of the file: structure before
/// training. What an experiment is called is none of them.
pub fn differences(experiments: &[&Experiment]) -> Vec<Difference> {
    let tables: Vec<Vec<(String, Value)>> = experiments.iter().map(|e| flat(e)).collect();
    let keys: BTreeSet<(usize, &String)> = tables
        .iter()
        .flatten()
        .map(|(key, _)| (place(key), key))
        .collect();
    let rows = keys.into_iter().filter_map(|(_, key)| {
        let values: Vec<Option<&Value>> = tables
            .iter()
            .map(|table| {
                let entry = table.iter().find(|(name, _)| name == key);
                entry.map(|(_, value)| value)
            })
            .collect();
        let differ = values.windows(2).any(|pair| pair[0] != pair[1]);
        differ.then(|| Difference {
            key: key.clone(),
            values: values.into_iter().map(|value| value.map(said)).collect(),
        })
    });
    rows.collect()
}

/// Where a key's table stands.
fn place(key: &str) -> usize {
    let tables = ["seed", "data", "network", "training"];
    let table = key.split('.').next().unwrap_or_default();
    let found = tables.iter().position(|name| *name == table);
    found.unwrap_or(tables.len())
}

fn flat(experiment: &Experiment) -> Vec<(String, Value)> {
    let mut rows = Vec::new();
    // An experiment is a table of plain values: it can be written as one.
    if let Ok(Value::Table(table)) = Value::try_from(experiment) {
        for (key, value) in &table {
            if key != "name" {
                push(key, value, &mut rows);
            }
        }
    }
    rows
}

fn push(key: &str, value: &Value, rows: &mut Vec<(String, Value)>) {
    match value {
        Value::Table(table) => {
            for (name, value) in table {
                push(&format!("{key}.{name}"), value, rows);
            }
        }
        value => rows.push((key.to_owned(), value.clone())),
    }
}

/// Of longer lists only their length is said.
const MOST: usize = 16;

/// A value in short: of a layer its kind and what else it says, `dense 8 tanh`.
fn said(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().any(Value::is_table) => {
            let items: Vec<String> = items.iter().map(said).collect();
            items.join(", ")
        }
        // Such as the weights of a model: that they differ is what there is to say.
        Value::Array(items) if items.len() > MOST => format!("{} numbers", items.len()),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(said).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Table(table) => {
            let words = table.iter().map(|(name, value)| match value {
                Value::String(text) if name == "activation" || name == "kind" => text.clone(),
                Value::Boolean(true) => name.clone(),
                value => format!("{name} {}", said(value)),
            });
            // The kind of a layer comes first.
            let mut words: Vec<String> = words.collect();
            let is_kind = |name: &str| {
                matches!(
                    name,
                    "dense" | "conv" | "max_pool" | "avg_pool" | "dropout" | "add" | "kind"
                )
            };
            let at = table.keys().position(|name| is_kind(name));
            if let Some(at) = at {
                words[..=at].rotate_right(1);
            }
            words.join(" ")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn experiment(layers: &str, training: &str) -> Experiment {
        let text = format!(
            "name = \"of {} letters\"\n[data]\nsource = \"moons\"\n[network]\n\
             layers = [{layers}]\nloss = \"cross-entropy\"\n[training]\n{training}",
            layers.len()
        );
        Experiment::parse(&text, "t.toml").unwrap()
    }

    #[test]
    fn only_what_differs_is_listed_and_structure_comes_first() {
        let a = experiment("{ dense = 8, activation = \"tanh\" }", "batch = 8");
        let b = experiment(
            "{ dense = 8, activation = \"tanh\" }, { dense = 4, activation = \"relu\" }",
            "batch = 8\noptimizer = { name = \"sgd\", learning_rate = 0.5 }",
        );
        let rows = differences(&[&a, &b, &a]);
        let keys: Vec<&str> = rows.iter().map(|row| row.key.as_str()).collect();
        assert_eq!(keys[0], "network.layers");
        assert!(keys.contains(&"training.optimizer.name"), "{keys:?}");
        assert!(!keys.contains(&"training.batch") && !keys.contains(&"name"));
        assert_eq!(rows[0].values[0].as_deref(), Some("dense 8 tanh"));
        let second = rows[0].values[1].as_deref();
        assert_eq!(second, Some("dense 8 tanh, dense 4 relu"));
        assert_eq!(rows[0].values[2], rows[0].values[0]);
    }

    #[test]
    fn of_long_lists_their_length_is_said() {
        let mut a = experiment("{ dense = 8 }", "");
        let mut b = a.clone();
        a.network.weights = Some(vec![0.5; 33]);
        b.network.weights = Some(vec![0.25; 33]);
        let rows = differences(&[&a, &b]);
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].key, "network.weights");
        assert_eq!(rows[0].values[0].as_deref(), Some("33 numbers"));
    }

    #[test]
    fn equal_experiments_have_no_differences() {
        let a = experiment("{ dense = 8 }", "");
        assert_eq!(differences(&[&a, &a]), []);
    }
}
