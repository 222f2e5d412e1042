//! A graph of ONNX as its bytes: nodes, constants and ports by name, decoded no further than
//! has to be known before a node is run.

use crate::interop::model::graph::Side;
use crate::interop::model::protobuf::{Field, Message};
use std::collections::HashMap;

/// The most nodes of a graph, those within nodes included.
const MOST_NODES: usize = 100_000;

/// A model's graph and the version of its operators.
pub(super) struct RawFile<'a> {
    pub(super) graph: RawGraph<'a>,
    pub(super) opset: i64,
}

/// `GraphProto`
#[derive(Default)]
pub(super) struct RawGraph<'a> {
    pub(super) nodes: Vec<RawNode<'a>>,
    /// Each a `TensorProto`.
    pub(super) initializers: HashMap<&'a str, &'a [u8]>,
    pub(super) inputs: Vec<RawPort<'a>>,
    pub(super) outputs: Vec<&'a str>,
}

/// `NodeProto`
pub(super) struct RawNode<'a> {
    /// All of it.
    pub(super) bytes: &'a [u8],
    pub(super) name: String,
    pub(super) op: &'a str,
    pub(super) domain: &'a str,
    pub(super) inputs: Vec<&'a str>,
    pub(super) outputs: Vec<&'a str>,
    /// `AttributeProto` by name.
    pub(super) attributes: HashMap<&'a str, &'a [u8]>,
}

/// `ValueInfoProto` of a tensor.
pub(super) struct RawPort<'a> {
    pub(super) name: &'a str,
    /// `TensorProto.DataType`
    pub(super) kind: i64,
    pub(super) shape: Option<Vec<Side>>,
}

impl RawPort<'_> {
    pub(super) fn is_float(&self) -> bool {
        matches!(self.kind, 1 | 10 | 11 | 16)
    }
}

impl<'a> RawNode<'a> {
    /// The field `number` of the attribute `key`.
    fn field(&self, key: &str, number: u64) -> Result<Option<Field<'a>>, String> {
        match self.attributes.get(key) {
            Some(bytes) => last(bytes, number),
            None => Ok(None),
        }
    }

    /// The graph that an attribute is.
    pub(super) fn graph(&self, key: &str) -> Result<Option<RawGraph<'a>>, String> {
        match self.field(key, 6)? {
            Some(field) => Ok(Some(graph(field.bytes()?)?)),
            None => Ok(None),
        }
    }

    /// Whether one of its settings is a graph, which may read any value around it.
    pub(super) fn has_graph(&self) -> bool {
        self.attributes
            .values()
            .any(|bytes| matches!(last(bytes, 6), Ok(Some(_))))
    }

    /// The tensor that an attribute is.
    pub(super) fn tensor(&self, key: &str) -> Result<Option<&'a [u8]>, String> {
        self.field(key, 5)?.map(Field::bytes).transpose()
    }

    /// A setting that is a whole number.
    pub(super) fn whole(&self, key: &str) -> Result<Option<i64>, String> {
        self.field(key, 3)?.map(Field::whole).transpose()
    }

    /// A setting that is a list of whole numbers; empty where it is not there.
    pub(super) fn wholes(&self, key: &str) -> Result<Vec<i64>, String> {
        let mut all = Vec::new();
        if let Some(bytes) = self.attributes.get(key) {
            let mut message = Message::new(bytes);
            while let Some((number, field)) = message.next()? {
                if number == 8 {
                    field.wholes(&mut all)?;
                }
            }
        }
        Ok(all)
    }

    /// A setting that is a list of numbers; empty where it is not there.
    pub(super) fn singles(&self, key: &str) -> Result<Vec<f32>, String> {
        let mut all = Vec::new();
        if let Some(bytes) = self.attributes.get(key) {
            let mut message = Message::new(bytes);
            while let Some((number, field)) = message.next()? {
                if number == 7 {
                    field.singles(&mut all)?;
                }
            }
        }
        Ok(all)
    }
}

/// The last field with that number: of fields that are there once, the one that counts.
fn last(bytes: &[u8], wanted: u64) -> Result<Option<Field<'_>>, String> {
    let mut found = None;
    let mut message = Message::new(bytes);
    while let Some((number, field)) = message.next()? {
        if number == wanted {
            found = Some(field);
        }
    }
    Ok(found)
}

fn text(field: Field<'_>) -> Result<&str, String> {
    std::str::from_utf8(field.bytes()?).map_err(|_| "a name is not UTF-8".to_owned())
}

/// A whole file.
pub(super) fn file(bytes: &[u8]) -> Result<RawFile<'_>, String> {
    let (mut found, mut opset) = (None, 0);
    let mut message = Message::new(bytes);
    while let Some((number, field)) = message.next()? {
        match number {
            7 => found = Some(graph(field.bytes()?)?),
            8 => {
                let set = field.bytes()?;
                let domain = last(set, 1)?.map(text).transpose()?.unwrap_or_default();
                if matches!(domain, "" | "ai.onnx") {
                    opset = last(set, 2)?.map(Field::whole).transpose()?.unwrap_or(0);
                }
            }
            _ => {}
        }
    }
    let graph = found.ok_or("holds no graph; is it an ONNX model?")?;
    Ok(RawFile { graph, opset })
}

fn graph(bytes: &[u8]) -> Result<RawGraph<'_>, String> {
    let mut graph = RawGraph::default();
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let mut message = Message::new(bytes);
    while let Some((number, field)) = message.next()? {
        match number {
            1 => {
                let mut node = node(field.bytes()?)?;
                let count = counts.entry(node.op).or_default();
                *count += 1;
                if node.name.is_empty() {
                    node.name = format!("{}_{count}", node.op);
                }
                graph.nodes.push(node);
                if graph.nodes.len() > MOST_NODES {
                    return Err(format!("a graph of more than {MOST_NODES} nodes"));
                }
            }
            5 => {
                let tensor = field.bytes()?;
                let name = last(tensor, 8)?.map(text).transpose()?.unwrap_or_default();
                graph.initializers.insert(name, tensor);
            }
            11 => graph.inputs.push(port(field.bytes()?)?),
            12 => {
                let name = last(field.bytes()?, 1)?.map(text).transpose()?;
                graph.outputs.push(name.unwrap_or_default());
            }
            _ => {}
        }
    }
    Ok(graph)
}

fn node(bytes: &[u8]) -> Result<RawNode<'_>, String> {
    let mut node = RawNode {
        bytes,
        name: String::new(),
        op: "",
        domain: "",
        inputs: Vec::new(),
        outputs: Vec::new(),
        attributes: HashMap::new(),
    };
    let mut message = Message::new(bytes);
    while let Some((number, field)) = message.next()? {
        match number {
            1 => node.inputs.push(text(field)?),
            2 => node.outputs.push(text(field)?),
            3 => text(field)?.clone_into(&mut node.name),
            4 => node.op = text(field)?,
            5 => {
                let attribute = field.bytes()?;
                let name = last(attribute, 1)?.map(text).transpose()?;
                node.attributes.insert(name.unwrap_or_default(), attribute);
            }
            7 => node.domain = text(field)?,
            _ => {}
        }
    }
    Ok(node)
}

fn port(bytes: &[u8]) -> Result<RawPort<'_>, String> {
    let name = last(bytes, 1)?.map(text).transpose()?.unwrap_or_default();
    let tensor = match last(bytes, 2)? {
        Some(kind) => last(kind.bytes()?, 1)?,
        None => None,
    };
    let (mut kind, mut shape) = (0, None);
    if let Some(tensor) = tensor {
        let tensor = tensor.bytes()?;
        kind = last(tensor, 1)?.map(Field::whole).transpose()?.unwrap_or(0);
        if let Some(sides) = last(tensor, 2)? {
            shape = Some(crate::interop::model::onnx::read_shape(sides.bytes()?)?);
        }
    }
    Ok(RawPort { name, kind, shape })
}
