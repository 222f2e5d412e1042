//! Foreign models run forward node by node, whatever the engine has: each ONNX operator by
//! `tract`, with the values that the nodes before it gave. A node that does not run says why,
//! and so does whatever reads it; the others go on.

mod bounds;
mod graph;
mod node;
mod values;

pub use values::{InputValues, NodeValue, RanNode, Run, RunInput};

use super::graph::{ModelFormat, Side};
use crate::interop::{InputSides, InteropError, ModelFile, read_bytes};
use graph::{RawGraph, RawNode};
use node::Runtime;
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use tract_onnx::prelude::Tensor;
use values::{MOST_BYTES, describe};

/// How deep conditions may lie in each other.
const MOST_NESTED: usize = 8;

/// Whether `tract` has the operator of a node, by its domain (empty for ONNX's own).
pub(super) fn tract_has(op: &str, domain: &str) -> bool {
    op == "If" || node::has(op, domain)
}

/// A model as it is run: the bytes of an ONNX file.
pub struct Runnable {
    bytes: Vec<u8>,
    converted: bool,
}

/// A value that a run needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunPort {
    /// Its name.
    pub name: String,
    /// Its sides with that of the samples, where the file says them.
    pub shape: Option<Vec<Side>>,
    /// Whether its numbers are floats.
    pub float: bool,
}

impl Runnable {
    /// Opens a model: one of ONNX as it is, one of another format as the network of ours that
    /// it becomes.
    ///
    /// # Errors
    /// When the file cannot be read, or is of another format and not all of it is layers of ours.
    pub fn open(path: &Path) -> Result<Self, InteropError> {
        Self::open_for(path, &[])
    }

    /// The same, where somebody says how large what it reads is. A graph of ONNX stays as it
    /// is: its open sides are those of the values that it is run with.
    ///
    /// # Errors
    /// As of [`open`](Self::open); for an input of another format that is not there or has
    /// other sides.
    pub fn open_for(path: &Path, sides: &[InputSides]) -> Result<Self, InteropError> {
        let bytes = read_bytes(path)?;
        let mut model = super::read_model(path, bytes.clone())?;
        if model.format == ModelFormat::Onnx {
            return Ok(Runnable {
                bytes,
                converted: false,
            });
        }
        if !sides.is_empty() {
            model = super::parse(path, bytes, sides)
                .map_err(|error| InteropError::format(path, error))?;
        }
        let fault = |why: String| {
            let format = model.format.name();
            InteropError::format(
                path,
                format!(
                    "tract runs ONNX graphs, and {format} files are made one where the engine has \
                     all layers; here {why}"
                ),
            )
        };
        let found = super::translate(&model).result.map_err(fault)?;
        let title = path.file_stem().unwrap_or(path.as_os_str());
        let bytes = crate::interop::model_out::onnx_bytes(&ModelFile {
            network: &found.network,
            params: &found.params,
            title: &title.to_string_lossy(),
            notes: &[],
        });
        Ok(Runnable {
            bytes: bytes.map_err(fault)?,
            converted: true,
        })
    }

    /// Whether the file was of another format and has been made ONNX of.
    pub fn was_converted(&self) -> bool {
        self.converted
    }

    /// What it reads.
    ///
    /// # Errors
    /// When the graph is damaged.
    pub fn ports(&self) -> Result<Vec<RunPort>, String> {
        let file = graph::file(&self.bytes)?;
        let ports = file.graph.inputs.iter();
        let open = ports.filter(|port| !file.graph.initializers.contains_key(port.name));
        Ok(open
            .map(|port| RunPort {
                name: port.name.to_owned(),
                shape: port.shape.clone(),
                float: port.is_float(),
            })
            .collect())
    }

    /// Runs it forward. `watch` is told how many nodes of how many are done and says whether to
    /// go on.
    ///
    /// # Errors
    /// When an input is missing, has another name or does not fit, or the values together are
    /// too large. That a node does not run is no error; it is in the result.
    pub fn run(
        &self,
        inputs: &[RunInput],
        watch: &mut dyn FnMut(usize, usize) -> bool,
    ) -> Result<Run, String> {
        run_bytes(&self.bytes, inputs, watch)
    }
}

fn run_bytes(
    bytes: &[u8],
    inputs: &[RunInput],
    watch: &mut dyn FnMut(usize, usize) -> bool,
) -> Result<Run, String> {
    let file = graph::file(bytes)?;
    let runtime = Runtime::new(file.opset);
    let scope = Scope {
        initializers: &file.graph.initializers,
        parent: None,
    };
    let mut values = Values::default();
    for port in &file.graph.inputs {
        if file.graph.initializers.contains_key(port.name) {
            continue;
        }
        let given = inputs.iter().find(|input| input.name == port.name);
        let given = given.ok_or_else(|| format!("its input {:?} is not given", port.name))?;
        values.put(port.name, values::tensor(given, port)?)?;
    }
    let known = |name: &str| file.graph.inputs.iter().any(|port| port.name == name);
    if let Some(other) = inputs.iter().find(|input| !known(&input.name)) {
        let names: Vec<&str> = file.graph.inputs.iter().map(|port| port.name).collect();
        return Err(format!(
            "has no input {:?}; its inputs are {}",
            other.name,
            names.join(", ")
        ));
    }
    let mut machine = Machine {
        runtime,
        watch,
        done: 0,
        total: file.graph.nodes.len(),
    };
    let mut nodes = Vec::with_capacity(file.graph.nodes.len());
    values.count_readers(&file.graph);
    let stopped = machine.graph(&file.graph, &scope, &mut values, Some(&mut nodes), 0)?;
    let outputs = file.graph.outputs.iter().filter_map(|name| {
        let tensor = values.find(name)?.ok()?;
        values::output(name, tensor)
    });
    Ok(Run {
        outputs: outputs.collect(),
        nodes,
        stopped,
    })
}

/// What every name stands for: a tensor, or why there is none.
#[derive(Default)]
struct Values<'a> {
    all: HashMap<String, Result<Arc<Tensor>, String>>,
    /// Those that follow from the file alone.
    fixed: HashSet<String>,
    /// How often each is still to be read; those that are not here are kept.
    readers: HashMap<&'a str, usize>,
    bytes: usize,
}

impl<'a> Values<'a> {
    fn put(&mut self, name: &str, tensor: Arc<Tensor>) -> Result<(), String> {
        self.bytes += size(&tensor);
        if self.bytes > MOST_BYTES {
            return Err(format!(
                "the values that lie between its nodes have more than {} MB together",
                MOST_BYTES >> 20
            ));
        }
        if let Some(Ok(old)) = self.all.insert(name.to_owned(), Ok(tensor)) {
            self.bytes -= size(&old);
        }
        Ok(())
    }

    fn fail(&mut self, name: &str, why: &str) {
        self.all.insert(name.to_owned(), Err(why.to_owned()));
    }

    fn find(&self, name: &str) -> Option<Result<&Arc<Tensor>, &str>> {
        let found = self.all.get(name)?;
        Some(found.as_ref().map_err(String::as_str))
    }

    /// Values are let go once everybody has read them, but for outputs and what the graphs
    /// within nodes read.
    fn count_readers(&mut self, graph: &RawGraph<'a>) {
        for node in &graph.nodes {
            for &name in &node.inputs {
                *self.readers.entry(name).or_default() += 1;
            }
        }
        for name in &graph.outputs {
            self.readers.remove(name);
        }
        if graph.nodes.iter().any(RawNode::has_graph) {
            self.readers.clear();
        }
    }

    fn has_read(&mut self, names: &[&'a str]) {
        for name in names {
            let Some(left) = self.readers.get_mut(name) else {
                continue;
            };
            *left = left.saturating_sub(1);
            if *left == 0
                && let Some(Ok(tensor)) = self.all.remove(*name)
            {
                self.bytes -= size(&tensor);
            }
        }
    }
}

fn size(tensor: &Tensor) -> usize {
    tensor.len() * tensor.datum_type().size_of()
}

/// The constants of a graph, and the graph around it.
struct Scope<'a> {
    initializers: &'a HashMap<&'a str, &'a [u8]>,
    parent: Option<&'a Scope<'a>>,
}

impl Scope<'_> {
    fn constant(&self, name: &str) -> Option<Result<Arc<Tensor>, String>> {
        match self.initializers.get(name) {
            Some(bytes) => Some(node::constant(bytes)),
            None => self.parent?.constant(name),
        }
    }
}

/// A node's input, and whether it is a constant of the file.
type Read = (Arc<Tensor>, bool);

struct Machine<'w> {
    runtime: Runtime,
    watch: &'w mut dyn FnMut(usize, usize) -> bool,
    done: usize,
    total: usize,
}

impl Machine<'_> {
    /// Runs the nodes of `graph`, and keeps a row for each where rows are asked for. True if it
    /// was told to stop.
    fn graph<'a>(
        &mut self,
        graph: &RawGraph<'a>,
        scope: &Scope<'_>,
        values: &mut Values<'a>,
        mut rows: Option<&mut Vec<RanNode>>,
        depth: usize,
    ) -> Result<bool, String> {
        for node in &graph.nodes {
            if rows.is_some() {
                self.done += 1;
            }
            if !(self.watch)(self.done, self.total) {
                return Ok(true);
            }
            let mut fixed = false;
            let ran = self.read(node, scope, values).and_then(|reads| {
                fixed = reads.iter().flatten().all(|read| read.1) && !node.has_graph();
                if node.op == "If" {
                    self.condition(node, &reads, scope, values, depth)
                } else {
                    self.runtime.run(node, &reads)
                }
            });
            let outputs = node.outputs.iter().filter(|name| !name.is_empty());
            let outcome = match ran {
                Ok(tensors) => {
                    let mut described = Vec::new();
                    for (name, tensor) in outputs.zip(tensors) {
                        if rows.is_some() {
                            described.push(describe(name, &tensor));
                        }
                        values.put(name, tensor)?;
                        if fixed {
                            values.fixed.insert((*name).to_owned());
                        }
                    }
                    Ok(described)
                }
                Err(why) => {
                    // Whatever reads it names it, and not the reason once more.
                    let further = format!("it reads {}, which was not run", node.name);
                    for name in outputs {
                        values.fail(name, &further);
                    }
                    Err(why)
                }
            };
            values.has_read(&node.inputs);
            if let Some(rows) = &mut rows {
                rows.push(RanNode {
                    name: node.name.clone(),
                    operator: node.op.to_owned(),
                    values: outcome,
                });
            }
        }
        Ok(false)
    }

    /// What a node reads; an input that is left out is `None`.
    fn read(
        &self,
        node: &RawNode<'_>,
        scope: &Scope<'_>,
        values: &Values<'_>,
    ) -> Result<Vec<Option<Read>>, String> {
        let each = node.inputs.iter().map(|name| {
            if name.is_empty() {
                return Ok(None);
            }
            match (values.find(name), scope.constant(name)) {
                (Some(Ok(tensor)), _) => {
                    Ok(Some((Arc::clone(tensor), values.fixed.contains(*name))))
                }
                (Some(Err(why)), _) => Err(why.to_owned()),
                (None, Some(constant)) => Ok(Some((constant?, true))),
                (None, None) => Err(format!("it reads {name:?}, which nothing gives before it")),
            }
        });
        each.collect()
    }

    /// Runs the branch of an `If` that its condition chooses.
    fn condition(
        &mut self,
        node: &RawNode<'_>,
        reads: &[Option<Read>],
        scope: &Scope<'_>,
        values: &Values<'_>,
        depth: usize,
    ) -> Result<Vec<Arc<Tensor>>, String> {
        if depth >= MOST_NESTED {
            return Err(format!("conditions within more than {MOST_NESTED} others"));
        }
        let condition = match reads {
            [Some((tensor, _))] if tensor.len() == 1 => tensor.cast_to_scalar::<bool>(),
            _ => return Err("its condition is not a single value".to_owned()),
        };
        let condition = condition.map_err(|_| "its condition is no truth value".to_owned())?;
        let key = if condition {
            "then_branch"
        } else {
            "else_branch"
        };
        let branch = node.graph(key)?.ok_or_else(|| format!("it has no {key}"))?;
        let inner = Scope {
            initializers: &branch.initializers,
            parent: Some(scope),
        };
        // A branch sees what lies around it; what it gives stays within it.
        let mut own = Values {
            fixed: values.fixed.clone(),
            ..Values::default()
        };
        for (name, value) in &values.all {
            own.all.insert(name.clone(), value.clone());
        }
        if self.graph(&branch, &inner, &mut own, None, depth + 1)? {
            return Err("it was stopped".to_owned());
        }
        let outputs =
            branch
                .outputs
                .iter()
                .map(|name| match (own.find(name), inner.constant(name)) {
                    (Some(found), _) => found.cloned().map_err(str::to_owned),
                    (None, Some(constant)) => constant,
                    (None, None) => Err(format!("its branch gives no {name:?}")),
                });
        outputs.collect()
    }
}
