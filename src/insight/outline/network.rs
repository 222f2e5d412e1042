//! The outline of a network of ours: a node for the inputs and one for each layer, so that
//! a node's number is its column's.

use super::{NodeKind, Outline, OutlineNode};
use crate::insight::structure::Structure;
use crate::nn::Network;

impl Outline {
    /// The outline of a network: node 0 are its inputs, node k + 1 is layer k.
    pub fn of_network(network: &Network) -> Self {
        let rows = Structure::of(network).rows;
        let mut edges = Vec::new();
        let nodes = rows.into_iter().enumerate().map(|(column, row)| {
            edges.extend(row.reads.iter().map(|&from| [from, column]));
            let tensors = network.layout().tensors().iter();
            let own = tensors.filter(|tensor| tensor.layer + 1 == column);
            let detail = [row.detail.as_str(), row.activation];
            let detail = detail.into_iter().filter(|text| !text.is_empty());
            OutlineNode {
                operator: row.kind.to_owned(),
                detail: detail.collect::<Vec<_>>().join(", "),
                kind: match column {
                    0 => NodeKind::Input,
                    _ => NodeKind::Layer(row.kind),
                },
                output: Some(row.output.into_iter().map(Some).collect()),
                parameters: row.parameters + row.statistics,
                tensors: own
                    .map(|tensor| (tensor.role.name().to_owned(), tensor.shape.clone()))
                    .collect(),
                name: row.name,
            }
        });
        let nodes = nodes.collect();
        Outline::new(nodes, edges)
    }
}
