//! What layers and their parameters are called in other programs' files.

use crate::nn::{Network, ParamTensor};
use std::collections::HashSet;

/// The graph's own value, which no layer may be called.
pub(super) const INPUT: &str = "input";

/// A name for each layer, each once.
pub(super) fn layer_names(network: &Network) -> Vec<String> {
    let mut taken = HashSet::from([INPUT.to_owned()]);
    let last = network.layers().len().saturating_sub(1);
    let own = network.layers().iter().enumerate().map(|(k, layer)| {
        let name = layer.name().filter(|name| !name.is_empty());
        let mut name = match name {
            Some(name) => name.to_owned(),
            None if k == last => "output".to_owned(),
            None => format!("{}_{}", layer.kind().name(), k + 1),
        };
        while !taken.insert(name.clone()) {
            name = format!("{name}_{}", k + 1);
        }
        name
    });
    own.collect()
}

/// `conv_1.weight`, as in a state dictionary of PyTorch's.
pub(super) fn key(names: &[String], tensor: &ParamTensor) -> String {
    format!("{}.{}", names[tensor.layer], tensor.role.name())
}
