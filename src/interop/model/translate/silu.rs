//! `z sigmoid(z)` as ONNX files have it, whose operators lack it up to version 23: a `Sigmoid`
//! and a `Mul` of its output with what it reads. The two are one activation.

use crate::interop::model::graph::{ForeignModel, ModelFormat, Node};
use std::collections::{HashMap, HashSet};

/// Which nodes belong together.
pub(super) struct Gates {
    sigmoids: HashSet<usize>,
    /// For each such product the input that is not its sigmoid's output.
    products: HashMap<usize, usize>,
}

impl Gates {
    /// Finds them, and counts what they read as read once.
    pub(super) fn of(model: &ForeignModel, readers: &mut HashMap<&str, usize>) -> Self {
        let mut gates = Gates {
            sigmoids: HashSet::new(),
            products: HashMap::new(),
        };
        if model.format == ModelFormat::Keras {
            return gates;
        }
        let sigmoids: HashMap<&str, (usize, &str)> = model
            .nodes
            .iter()
            .enumerate()
            .filter(|(_, node)| node.op == "Sigmoid")
            .filter_map(|(k, node)| match (&node.inputs[..], &node.outputs[..]) {
                ([value], [output]) => Some((output.as_str(), (k, value.as_str()))),
                _ => None,
            })
            .collect();
        for (k, node) in model.nodes.iter().enumerate() {
            if let Some((slot, sigmoid)) = gate(node, &sigmoids)
                && readers.get(node.inputs[1 - slot].as_str()) == Some(&1)
            {
                gates.sigmoids.insert(sigmoid);
                gates.products.insert(k, slot);
                if let Some(count) = readers.get_mut(node.inputs[slot].as_str()) {
                    *count = count.saturating_sub(1);
                }
            }
        }
        gates
    }

    pub(super) fn is_sigmoid(&self, node: usize) -> bool {
        self.sigmoids.contains(&node)
    }

    /// The input of a product that its activation is applied to; `None` for every other node.
    pub(super) fn value_of(&self, node: usize) -> Option<usize> {
        self.products.get(&node).copied()
    }
}

/// The slot of the value and the number of its sigmoid, if `node` is their product.
fn gate(node: &Node, sigmoids: &HashMap<&str, (usize, &str)>) -> Option<(usize, usize)> {
    let [a, b] = &node.inputs[..] else {
        return None;
    };
    if node.op != "Mul" || !node.weights.is_empty() {
        return None;
    }
    let found = |value: &str, gate: &str| {
        let &(sigmoid, reads) = sigmoids.get(gate)?;
        (reads == value).then_some(sigmoid)
    };
    found(a, b)
        .map(|sigmoid| (0, sigmoid))
        .or_else(|| found(b, a).map(|sigmoid| (1, sigmoid)))
}
