//! A graph for weights that come without one, from their names and shapes. What nobody
//! wrote down (activations, pooling, the size of the images) is guessed, and every guess
//! is among the model's notes.

use super::graph::{Attribute, ForeignModel, ModelFormat, Node, Port, Tensor, Weight};
use super::groups::{Group, Kind};
use std::collections::HashSet;
use std::sync::Arc;

/// The operator of weights that fit nothing before them.
pub(super) const LOOSE: &str = "weights";

/// Sides of square images, in the order in which they are tried.
const SIDES: [usize; 14] = [28, 32, 8, 64, 224, 16, 96, 128, 48, 20, 24, 12, 256, 299];

/// A graph for the weights of `groups`, for images of `given` rows and columns if that is known.
pub(super) fn graph(
    format: ModelFormat,
    groups: Vec<Group>,
    given: Option<[usize; 2]>,
) -> ForeignModel {
    let kinds: Vec<Kind> = groups.iter().map(Group::kind).collect();
    let plan = Plan::of(&kinds, given);
    let mut maker = Maker {
        model: ForeignModel {
            format,
            producer: String::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            nodes: Vec::new(),
            channels_last: false,
            notes: vec![format!(
                "{} files hold weights and no graph: the structure is guessed from names and shapes. \
                 To say it, write it as an experiment: gradscape inspect EXPERIMENT --weights \
                 of this file{}",
                format.name(),
                match given {
                    None => "; --input C,H,W says the size of its images",
                    Some(_) => "",
                }
            )],
        },
        given: Vec::new(),
    };
    maker.input(&kinds, &plan);
    for (k, group) in groups.iter().enumerate() {
        maker.group(k, group, &kinds, &plan);
    }
    maker.finish(&plan)
}

/// What is guessed about the images before it is known what the layers make of them.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Plan {
    /// Rows and columns of the images.
    sides: Option<[usize; 2]>,
    /// Whether somebody said that.
    given: bool,
    /// Convolutions keep rows and columns.
    padded: bool,
    /// A 2 x 2 max pool follows each convolution.
    pooled: bool,
    /// The mean of each channel goes to the first dense layer.
    averaged: bool,
}

impl Plan {
    /// The first set of guesses after which the first dense layer reads as many values as
    /// the last convolution gives.
    fn of(kinds: &[Kind], given: Option<[usize; 2]>) -> Plan {
        let known = Plan {
            sides: given,
            given: given.is_some(),
            ..Plan::default()
        };
        let convs: Vec<(usize, [usize; 2])> = kinds
            .iter()
            .filter_map(|kind| match *kind {
                Kind::Conv {
                    filters, kernel, ..
                } => Some((filters, kernel)),
                _ => None,
            })
            .collect();
        let dense = kinds.iter().find_map(|kind| match *kind {
            Kind::Dense { inputs, .. } => Some(inputs),
            _ => None,
        });
        let (Some(&(channels, _)), Some(inputs)) = (convs.last(), dense) else {
            return known;
        };
        let tried = match given {
            Some(sides) => vec![sides],
            None => SIDES.map(|side| [side; 2]).to_vec(),
        };
        for sides in tried {
            for (pooled, padded) in [(true, false), (true, true), (false, false), (false, true)] {
                let plan = Plan {
                    sides: Some(sides),
                    given: given.is_some(),
                    padded,
                    pooled,
                    averaged: false,
                };
                if plan
                    .end(&convs)
                    .and_then(|[h, w]| channels.checked_mul(h * w))
                    == Some(inputs)
                {
                    return plan;
                }
            }
        }
        if channels == inputs {
            return Plan {
                sides: Some(given.unwrap_or([SIDES[0]; 2])),
                given: given.is_some(),
                padded: true,
                pooled: false,
                averaged: true,
            };
        }
        known
    }

    /// Rows and columns behind all convolutions.
    fn end(&self, convs: &[(usize, [usize; 2])]) -> Option<[usize; 2]> {
        let mut sides = self.sides?;
        for (_, kernel) in convs {
            for (side, &tap) in sides.iter_mut().zip(kernel) {
                if !self.padded {
                    *side = (*side + 1).checked_sub(tap)?;
                } else if tap % 2 == 0 {
                    return None;
                }
                if self.pooled {
                    *side /= 2;
                }
            }
        }
        (!sides.contains(&0)).then_some(sides)
    }
}

struct Maker {
    model: ForeignModel,
    /// Every value so far with its channels (or units).
    given: Vec<(String, usize)>,
}

impl Maker {
    fn input(&mut self, kinds: &[Kind], plan: &Plan) {
        let (channels, shape) = match kinds.first() {
            Some(&Kind::Conv { channels, .. }) => {
                let [rows, columns] = plan.sides.map_or([None; 2], |sides| sides.map(Some));
                (channels, vec![None, Some(channels), rows, columns])
            }
            Some(&Kind::Dense { inputs, .. }) => (inputs, vec![None, Some(inputs)]),
            Some(&(Kind::BatchNorm(n) | Kind::LayerNorm(n) | Kind::PRelu(n))) => {
                (n, vec![None, Some(n)])
            }
            _ => return,
        };
        let name = "input".to_owned();
        self.given.push((name.clone(), channels));
        let shape = Some(shape);
        self.model.inputs.push(Port { name, shape });
    }

    /// The newest value with so many channels: a branch where it is not the newest of all.
    fn reads(&self, channels: usize) -> Option<String> {
        let found = self.given.iter().rev().find(|(_, n)| *n == channels);
        found.map(|(name, _)| name.clone())
    }

    fn push(
        &mut self,
        name: &str,
        op: &str,
        read: String,
        weights: &[&Arc<Tensor>],
        gives: usize,
    ) -> &mut Node {
        let mut node = Node::new(name, op, vec![read]);
        for (k, tensor) in weights.iter().enumerate() {
            let tensor = Arc::clone(tensor);
            node.inputs.push(tensor.name.clone());
            node.weights.push(Weight {
                slot: k + 1,
                tensor,
            });
        }
        self.given.push((node.name.clone(), gives));
        self.model.nodes.push(node);
        let last = self.model.nodes.len() - 1;
        &mut self.model.nodes[last]
    }

    /// The newest value.
    fn newest(&self) -> String {
        self.given
            .last()
            .map(|(name, _)| name.clone())
            .unwrap_or_default()
    }

    fn group(&mut self, k: usize, group: &Group, kinds: &[Kind], plan: &Plan) {
        let own: Vec<&Arc<Tensor>> = group.weight().into_iter().chain(group.bias()).collect();
        let name = if group.name.is_empty() {
            "weights"
        } else {
            &group.name
        };
        let after = kinds.get(k + 1);
        // Heads are not followed by an activation, nor is what a norm or a PReLU follows.
        let last = !kinds[k + 1..]
            .iter()
            .any(|kind| matches!(kind, Kind::Conv { .. } | Kind::Dense { .. }));
        let active = !matches!(
            after,
            Some(Kind::PRelu(_) | Kind::BatchNorm(_) | Kind::LayerNorm(_))
        );
        match kinds[k] {
            Kind::Conv {
                filters,
                channels,
                kernel,
            } => {
                let newest = self.given.last().map_or(0, |&(_, n)| n);
                // A depthwise convolution has one channel for each filter of a group.
                let groups = if channels > 0
                    && channels < newest
                    && newest.is_multiple_of(channels)
                    && self.reads(channels).is_none()
                {
                    newest / channels
                } else {
                    1
                };
                let Some(read) = self.reads(channels * groups) else {
                    return self.other(name, group);
                };
                let wide: Vec<i64> = kernel.iter().map(|&n| n as i64).collect();
                let pads: Vec<i64> = [0, 1, 0, 1]
                    .iter()
                    .map(|&axis| if plan.padded { wide[axis] / 2 } else { 0 })
                    .collect();
                let branch = last && self.reads(filters).is_none() && read != self.newest();
                let node = self.push(name, "Conv", read, &own, filters);
                node.attributes
                    .insert("kernel_shape".to_owned(), Attribute::Wholes(wide));
                node.attributes
                    .insert("pads".to_owned(), Attribute::Wholes(pads));
                node.attributes
                    .insert("group".to_owned(), Attribute::Whole(groups as i64));
                if active && !last && !branch && !self.heads(k, kinds) {
                    self.relu(name, filters);
                }
                if plan.pooled {
                    let newest = self.newest();
                    let node = self.push(&format!("{name}.pool"), "MaxPool", newest, &[], filters);
                    for key in ["kernel_shape", "strides"] {
                        node.attributes
                            .insert(key.to_owned(), Attribute::Wholes(vec![2, 2]));
                    }
                }
            }
            Kind::Dense { inputs, units } => {
                let first = !kinds[..k]
                    .iter()
                    .any(|kind| matches!(kind, Kind::Dense { .. }));
                let images = kinds[..k]
                    .iter()
                    .any(|kind| matches!(kind, Kind::Conv { .. }));
                if first && images {
                    if plan.sides.is_none() {
                        return self.other(name, group);
                    }
                    let newest = self.newest();
                    let op = if plan.averaged {
                        "GlobalAveragePool"
                    } else {
                        "Flatten"
                    };
                    self.push(&format!("{name}.flat"), op, newest, &[], inputs);
                }
                let Some(read) = self.reads(inputs) else {
                    return self.other(name, group);
                };
                let by_rows = i64::from(group.get(&["kernel"]).is_none());
                let node = self.push(name, "Gemm", read, &own, units);
                node.attributes
                    .insert("transB".to_owned(), Attribute::Whole(by_rows));
                if last {
                    if units > 1 {
                        let newest = self.newest();
                        self.push(&format!("{name}.softmax"), "Softmax", newest, &[], units);
                    }
                } else if active {
                    self.relu(name, units);
                }
            }
            Kind::BatchNorm(n) | Kind::LayerNorm(n) | Kind::PRelu(n) => {
                let Some(read) = self.reads(n) else {
                    return self.other(name, group);
                };
                let statistics = [group.get(&["running_mean"]), group.get(&["running_var"])];
                let own: Vec<&Arc<Tensor>> = own
                    .into_iter()
                    .chain(statistics.into_iter().flatten())
                    .collect();
                let op = match kinds[k] {
                    Kind::BatchNorm(_) => "BatchNormalization",
                    Kind::LayerNorm(_) => "LayerNormalization",
                    _ => "PRelu",
                };
                self.push(name, op, read, &own, n);
                if op != "PRelu" && !last && active {
                    self.relu(name, n);
                }
            }
            Kind::Other => self.other(name, group),
        }
    }

    /// Whether every convolution from here on is a head: none reads what it gives.
    fn heads(&self, k: usize, kinds: &[Kind]) -> bool {
        let Kind::Conv { filters, .. } = kinds[k] else {
            return false;
        };
        !kinds[k + 1..].iter().any(|kind| match *kind {
            Kind::Conv { channels, .. } => channels == filters,
            Kind::Dense { .. } => true,
            _ => false,
        })
    }

    fn relu(&mut self, name: &str, n: usize) {
        let newest = self.newest();
        self.push(&format!("{name}.relu"), "Relu", newest, &[], n);
    }

    /// Weights of which nothing more is known.
    fn other(&mut self, name: &str, group: &Group) {
        let mut node = Node::new(name, LOOSE, Vec::new());
        let weights = group.tensors.iter().cloned().enumerate();
        node.weights = weights
            .map(|(slot, tensor)| Weight { slot, tensor })
            .collect();
        self.model.nodes.push(node);
    }

    fn finish(mut self, plan: &Plan) -> ForeignModel {
        let model = &mut self.model;
        let read: HashSet<&String> = model.nodes.iter().flat_map(|n| &n.inputs).collect();
        let ends = model.nodes.iter().flat_map(|n| &n.outputs);
        // Loose weights give nothing that is known.
        let ends =
            ends.filter(|name| !read.contains(name) && self.given.iter().any(|g| g.0 == **name));
        let port = |name: &String| Port {
            name: name.clone(),
            shape: None,
        };
        let ends: Vec<Port> = ends.map(port).collect();
        model.outputs = ends;
        let ops = |op: &str| model.nodes.iter().filter(|n| n.op == op).count();
        let mut notes = Vec::new();
        if ops("Relu") > 0 {
            notes.push("guessed: ReLU behind hidden layers".to_owned());
        }
        if ops("Softmax") > 0 {
            notes.push("guessed: softmax at the output".to_owned());
        }
        if let Some([rows, columns]) = plan.sides {
            notes.push(format!(
                "{}: {}, {}",
                match plan.given {
                    true => format!("images of {rows} × {columns} as given; guessed"),
                    false => format!("guessed: images of {rows} × {columns}"),
                },
                if plan.padded {
                    "convolutions that keep rows and columns"
                } else {
                    "convolutions without padding"
                },
                match (plan.pooled, plan.averaged) {
                    (true, _) => "a 2 × 2 max pool behind each",
                    (_, true) => "the mean of each channel before the first dense layer",
                    _ => "no pooling",
                }
            ));
        } else if ops("Conv") > 0 {
            notes.push(
                "the size of the images does not follow from the weights; --input C,H,W says it"
                    .to_owned(),
            );
        }
        if ops(LOOSE) > 0 {
            notes.push(format!(
                "{} groups of weights fit nothing before them",
                ops(LOOSE)
            ));
        }
        model.notes.extend(notes);
        self.model
    }
}
