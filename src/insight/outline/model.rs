//! The outline of another program's model: a node for each value that it reads from
//! outside, then its own nodes, then one for each value that it gives.

use super::{NodeKind, Outline, OutlineNode, Side};
use crate::interop::{ForeignModel, Port, Status, Translation};
use crate::nn::Shape;
use std::collections::HashMap;

impl Outline {
    /// The outline of a model and of what the engine makes of it. Node k of the model is
    /// node `model.inputs.len() + k` here.
    pub fn of_model(model: &ForeignModel, translation: &Translation) -> Self {
        let first = model.inputs.len();
        let mut givers: HashMap<&str, usize> = HashMap::new();
        let mut edges = Vec::new();
        let mut nodes = Vec::with_capacity(first + model.nodes.len() + model.outputs.len());
        for (at, input) in model.inputs.iter().enumerate() {
            givers.insert(&input.name, at);
            nodes.push(of_port(input, NodeKind::Input));
        }
        for (k, node) in model.nodes.iter().enumerate() {
            for name in node.inputs.iter().filter(|name| !name.is_empty()) {
                edges.extend(givers.get(name.as_str()).map(|&from| [from, first + k]));
            }
            for name in node.outputs.iter().filter(|name| !name.is_empty()) {
                givers.insert(name, first + k);
            }
            let own = translation.shapes.get(k).copied().flatten();
            let stated = node.shapes.iter().flatten().next();
            nodes.push(OutlineNode {
                name: node.name.clone(),
                operator: node.op.clone(),
                detail: String::new(),
                kind: match translation.statuses.get(k) {
                    Some(Status::Layer(kind)) => NodeKind::Layer(kind.name()),
                    Some(Status::Merged) => NodeKind::Merged,
                    Some(Status::Unknown(why)) => NodeKind::Unknown(why.clone()),
                    Some(Status::Opaque(why)) => NodeKind::Opaque(why.clone()),
                    None => NodeKind::Unknown(String::new()),
                },
                output: own
                    .map(sides)
                    .or_else(|| stated.map(|sides| of_sample(sides).to_vec())),
                parameters: node.parameters(),
                tensors: node
                    .weights
                    .iter()
                    .map(|weight| (weight.tensor.name.clone(), weight.tensor.shape.clone()))
                    .collect(),
            });
        }
        for output in &model.outputs {
            edges.extend(
                givers
                    .get(output.name.as_str())
                    .map(|&from| [from, nodes.len()]),
            );
            nodes.push(of_port(output, NodeKind::Output));
        }
        Outline::new(nodes, edges)
    }
}

fn of_port(port: &Port, kind: NodeKind) -> OutlineNode {
    OutlineNode {
        name: port.name.clone(),
        operator: String::new(),
        detail: String::new(),
        kind,
        output: port.shape.as_deref().map(|sides| of_sample(sides).to_vec()),
        parameters: 0,
        tensors: Vec::new(),
    }
}

/// The sides without the first, which counts samples.
fn of_sample(sides: &[Side]) -> &[Side] {
    sides.get(1..).unwrap_or_default()
}

fn sides(shape: Shape) -> Vec<Side> {
    if shape.is_flat() {
        vec![Some(shape.size())]
    } else {
        vec![Some(shape.channels), Some(shape.height), Some(shape.width)]
    }
}
