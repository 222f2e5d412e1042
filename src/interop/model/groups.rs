//! Tensors by name, sorted into layers: which belong together, what kind of layer they are
//! by their shapes, and in which order the layers most likely follow each other.

use super::Tensors;
use super::graph::Tensor;
use std::sync::Arc;

/// The tensors of one layer: those whose names differ in their last part alone.
pub(super) struct Group {
    pub(super) name: String,
    pub(super) tensors: Vec<Arc<Tensor>>,
}

impl Group {
    /// The tensor whose name ends with one of `leaves`.
    pub(super) fn get(&self, leaves: &[&str]) -> Option<&Arc<Tensor>> {
        self.tensors
            .iter()
            .find(|t| leaves.contains(&split(&t.name).1))
    }

    pub(super) fn weight(&self) -> Option<&Arc<Tensor>> {
        self.get(&["weight", "kernel", "gamma", "alpha"])
    }

    pub(super) fn kind(&self) -> Kind {
        let sides = self
            .weight()
            .filter(|t| t.parameters() > 0)
            .map(|t| &t.shape[..]);
        let (bias, statistics) = (self.bias().is_some(), self.get(&["running_mean"]).is_some());
        match sides {
            Some(&[filters, channels, rows, columns]) => Kind::Conv {
                filters,
                channels,
                kernel: [rows, columns],
            },
            Some(&[units, inputs]) => Kind::Dense { inputs, units },
            Some(&[n]) if statistics && bias => Kind::BatchNorm(n),
            Some(&[n]) if bias => Kind::LayerNorm(n),
            Some(&[n]) => Kind::PRelu(n),
            _ => Kind::Other,
        }
    }

    pub(super) fn bias(&self) -> Option<&Arc<Tensor>> {
        self.get(&["bias", "beta"])
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Conv {
        filters: usize,
        channels: usize,
        kernel: [usize; 2],
    },
    Dense {
        inputs: usize,
        units: usize,
    },
    BatchNorm(usize),
    LayerNorm(usize),
    PRelu(usize),
    Other,
}

/// `features.0.weight` as `features.0` and `weight`.
fn split(name: &str) -> (&str, &str) {
    let at = name.rfind(['.', '/']);
    at.map_or(("", name), |at| (&name[..at], &name[at + 1..]))
}

/// The layers in the order in which they most likely follow each other. Files that keep no
/// order of their own are sorted by name, numbers as numbers, with whatever has convolutions
/// before what has none.
pub(super) fn groups(tensors: Tensors) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for tensor in tensors.all {
        let name = split(&tensor.name).0.to_owned();
        let at = *places.entry(name.clone()).or_insert(groups.len());
        if at == groups.len() {
            groups.push(Group {
                name,
                tensors: Vec::new(),
            });
        }
        groups[at].tensors.push(Arc::new(tensor));
    }
    if !tensors.ordered {
        let top = |name: &str| name.split(['.', '/']).next().unwrap_or(name).to_owned();
        let images = groups
            .iter()
            .filter(|g| matches!(g.kind(), Kind::Conv { .. }));
        let images: std::collections::HashSet<String> = images.map(|g| top(&g.name)).collect();
        groups.sort_by_cached_key(|g| (!images.contains(&top(&g.name)), natural(&g.name)));
    }
    groups
}

/// A key by which `layers.10` comes behind `layers.9`.
fn natural(name: &str) -> Vec<(u64, String)> {
    let mut parts = vec![(0, String::new())];
    for letter in name.chars() {
        let last = parts.len() - 1;
        match letter.to_digit(10) {
            Some(digit) if !parts[last].1.is_empty() || last == 0 => {
                parts.push((u64::from(digit), String::new()))
            }
            Some(digit) => {
                parts[last].0 = parts[last]
                    .0
                    .saturating_mul(10)
                    .saturating_add(u64::from(digit))
            }
            None => parts[last].1.push(letter),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::natural;

    #[test]
    fn numbers_in_names_count_as_numbers() {
        assert!(natural("layers.9.fc") < natural("layers.10.fc"));
        assert!(natural("conv2") < natural("conv10"));
        assert!(natural("conv1") < natural("fc1"));
    }
}
