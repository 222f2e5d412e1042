//! ONNX: `ModelProto` and what lies in it (onnx/onnx.proto). Weights are initialisers or
//! the tensors of `Constant` nodes; either become weights of the nodes that read them.

use super::graph::{
    Attribute, ForeignModel, ModelFormat, Node, Numbers, Port, Side, Tensor, Weight,
};
use super::onnx_tensor::{MOST_SIDES, at_most, read_tensor};
use super::protobuf::{LONGEST_TEXT, Message};
use super::shared::transposed;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The most nodes of a graph: a bound on memory, far beyond what can be looked at.
const MOST_NODES: usize = 100_000;

/// The most constants, and the most inputs or outputs, of a graph.
const MOST_CONSTANTS: usize = 200_000;

/// The most values that all nodes together read and give, and settings that they have.
const MOST_NAMES: usize = 1_000_000;

/// The most numbers in a setting that is a list.
const LONGEST_LIST: usize = 65_536;

/// A graph while it is read.
#[derive(Default)]
struct Graph {
    nodes: Vec<Node>,
    initializers: Vec<Arc<Tensor>>,
    inputs: Vec<Port>,
    outputs: Vec<Port>,
    shapes: HashMap<String, Vec<Side>>,
}

/// A model from the bytes of its file.
pub(super) fn parse(bytes: &[u8]) -> Result<ForeignModel, String> {
    let mut message = Message::new(bytes);
    let mut graph = None;
    let (mut producer, mut opset) = (String::new(), None);
    while let Some((number, field)) = message.next()? {
        match number {
            2 => producer = field.text()?,
            7 => graph = Some(read_graph(field.bytes()?)?),
            8 => {
                let (mut domain, mut version) = (String::new(), 0);
                let mut message = Message::new(field.bytes()?);
                while let Some((number, field)) = message.next()? {
                    match number {
                        1 => domain = field.text()?,
                        2 => version = field.whole()?,
                        _ => {}
                    }
                }
                if matches!(domain.as_str(), "" | "ai.onnx") {
                    opset = Some(version);
                }
            }
            _ => {}
        }
    }
    let graph = graph.ok_or("holds no graph; is it an ONNX model?")?;
    if graph.nodes.is_empty() && graph.outputs.is_empty() {
        return Err("holds a graph without nodes and outputs; is it an ONNX model?".to_owned());
    }
    Ok(connect(graph, producer, opset))
}

/// Gives every node its weights and its shapes.
fn connect(graph: Graph, producer: String, opset: Option<i64>) -> ForeignModel {
    let mut constants: HashMap<String, Arc<Tensor>> = HashMap::new();
    for tensor in graph.initializers {
        constants.insert(tensor.name.clone(), tensor);
    }
    let read: HashSet<String> = graph.nodes.iter().flat_map(|n| n.inputs.clone()).collect();
    let mut nodes = Vec::with_capacity(graph.nodes.len());
    for mut node in graph.nodes {
        if node.op == "Constant"
            && let [output] = &node.outputs[..]
            && read.contains(output)
            && let Some(tensor) = constant(&node)
        {
            constants.insert(output.clone(), tensor);
            continue;
        }
        // Exporters copy and turn constants by nodes.
        if let ([input], [output]) = (&node.inputs[..], &node.outputs[..])
            && read.contains(output)
            && let Some(tensor) = constants.get(input).and_then(|t| folded(&node, t))
        {
            constants.insert(output.clone(), tensor);
            continue;
        }
        for (slot, input) in node.inputs.iter().enumerate() {
            if let Some(tensor) = constants.get(input) {
                let tensor = Arc::clone(tensor);
                node.weights.push(Weight { slot, tensor });
            }
        }
        node.shapes = node
            .outputs
            .iter()
            .map(|o| graph.shapes.get(o).cloned())
            .collect();
        if let Some(version) = opset {
            node.attributes
                .insert(OPSET.to_owned(), Attribute::Whole(version));
        }
        nodes.push(node);
    }
    let inputs = graph.inputs.into_iter();
    ForeignModel {
        format: ModelFormat::Onnx,
        producer,
        inputs: inputs
            .filter(|port| !constants.contains_key(&port.name))
            .collect(),
        outputs: graph.outputs,
        nodes,
        channels_last: false,
        notes: Vec::new(),
    }
}

/// The attribute under which each node knows the version of the operators.
pub(super) const OPSET: &str = "opset";

/// The attribute of a node whose operator is not ONNX's own: by whom it is.
pub(super) const DOMAIN: &str = "domain";

/// What a node makes of a constant, if it copies it or turns a matrix.
fn folded(node: &Node, tensor: &Arc<Tensor>) -> Option<Arc<Tensor>> {
    match (node.op.as_str(), &tensor.shape[..]) {
        ("Identity", _) => Some(Arc::clone(tensor)),
        ("Transpose", &[rows, columns]) if matches!(node.wholes("perm"), None | Some([1, 0])) => {
            Some(Arc::new(Tensor {
                name: node.outputs.first()?.clone(),
                shape: vec![columns, rows],
                numbers: Numbers::Floats(transposed(tensor.floats()?, [rows, columns])),
            }))
        }
        _ => None,
    }
}

/// What a `Constant` node gives.
fn constant(node: &Node) -> Option<Arc<Tensor>> {
    let (key, value) = node.attributes.iter().next()?;
    let (shape, numbers) = match (key.as_str(), value) {
        ("value", Attribute::Tensor(tensor)) => return Some(Arc::clone(tensor)),
        ("value_float", Attribute::Number(x)) => (vec![], Numbers::Floats(vec![*x as f32])),
        ("value_int", Attribute::Whole(n)) => (vec![], Numbers::Whole(vec![*n])),
        ("value_ints", Attribute::Wholes(all)) => (vec![all.len()], Numbers::Whole(all.clone())),
        ("value_floats", Attribute::Numbers(all)) => {
            let floats = all.iter().map(|&x| x as f32).collect();
            (vec![all.len()], Numbers::Floats(floats))
        }
        _ => return None,
    };
    Some(Arc::new(Tensor {
        name: node.outputs.first()?.clone(),
        shape,
        numbers,
    }))
}

fn read_graph(bytes: &[u8]) -> Result<Graph, String> {
    let mut graph = Graph::default();
    let mut message = Message::new(bytes);
    let mut counts: HashMap<String, usize> = HashMap::new();
    let (mut names, mut ports) = (0, 0);
    while let Some((number, field)) = message.next()? {
        match number {
            1 => {
                let mut node = read_node(field.bytes()?)?;
                let count = counts.entry(node.op.clone()).or_default();
                *count += 1;
                if node.name.is_empty() {
                    node.name = format!("{}_{count}", node.op);
                }
                names += node.inputs.len() + node.outputs.len() + node.attributes.len();
                at_most(names, MOST_NAMES, "names of values and settings")?;
                graph.nodes.push(node);
                at_most(graph.nodes.len(), MOST_NODES, "nodes")?;
            }
            5 => {
                graph
                    .initializers
                    .push(Arc::new(read_tensor(field.bytes()?)?));
                at_most(graph.initializers.len(), MOST_CONSTANTS, "constants")?;
            }
            11..=13 => {
                ports += 1;
                at_most(ports, MOST_CONSTANTS, "inputs and outputs")?;
                let port = read_port(field.bytes()?)?;
                if let Some(shape) = &port.shape {
                    graph.shapes.insert(port.name.clone(), shape.clone());
                }
                match number {
                    11 => graph.inputs.push(port),
                    12 => graph.outputs.push(port),
                    _ => {}
                }
            }
            _ => {}
        }
    }
    Ok(graph)
}

fn read_node(bytes: &[u8]) -> Result<Node, String> {
    let mut node = Node::new("", "", Vec::new());
    let mut domain = String::new();
    node.outputs.clear();
    let mut message = Message::new(bytes);
    while let Some((number, field)) = message.next()? {
        match number {
            1 | 2 => {
                let names = if number == 1 {
                    &mut node.inputs
                } else {
                    &mut node.outputs
                };
                names.push(field.text()?);
                at_most(names.len(), LONGEST_LIST, "inputs or outputs of a node")?;
            }
            3 => node.name = field.text()?,
            4 => node.op = field.text()?,
            5 => {
                let (name, value) = read_attribute(field.bytes()?)?;
                node.attributes.insert(name, value);
            }
            7 => domain = field.text()?,
            _ => {}
        }
    }
    if node.op.is_empty() {
        return Err(format!("the node {:?} has no operator", node.name));
    }
    if !matches!(domain.as_str(), "" | "ai.onnx") {
        node.attributes
            .insert(DOMAIN.to_owned(), Attribute::Text(domain));
    }
    Ok(node)
}

fn read_attribute(bytes: &[u8]) -> Result<(String, Attribute), String> {
    let (mut name, mut kind) = (String::new(), 0);
    let (mut float, mut whole, mut text) = (0.0, 0, &b""[..]);
    let mut listed = 0;
    let (mut tensor, mut graph) = (None, None);
    let (mut floats, mut wholes) = (Vec::new(), Vec::new());
    let mut message = Message::new(bytes);
    while let Some((number, field)) = message.next()? {
        match number {
            1 => name = field.text()?,
            2 => float = field.single()?,
            3 => whole = field.whole()?,
            4 => text = field.bytes()?,
            5 => tensor = Some(read_tensor(field.bytes()?)?),
            6 => graph = Some(count_nodes(field.bytes()?)?),
            7 | 8 => {
                // A number takes a byte at least.
                let more = field.bytes().map_or(1, <[u8]>::len);
                listed += more;
                if listed <= LONGEST_LIST * 4 {
                    match number {
                        7 => field.singles(&mut floats)?,
                        _ => field.wholes(&mut wholes)?,
                    }
                }
            }
            20 => kind = field.whole()?,
            _ => {}
        }
    }
    let value = match (kind, tensor, graph) {
        (1, ..) => Attribute::Number(decimal(float)),
        (2, ..) => Attribute::Whole(whole),
        (6 | 7, ..) if listed > LONGEST_LIST * 4 => {
            Attribute::Other("a list of very many numbers".to_owned())
        }
        (3, ..) if text.len() > LONGEST_TEXT => {
            Attribute::Other(format!("a text of {} bytes", text.len()))
        }
        (3, ..) => Attribute::Text(String::from_utf8_lossy(text).into_owned()),
        (4, Some(tensor), _) => Attribute::Tensor(Arc::new(tensor)),
        (5, _, Some(nodes)) => Attribute::Other(format!("a graph of {nodes} nodes")),
        (6, ..) => Attribute::Numbers(floats.into_iter().map(decimal).collect()),
        (7, ..) => Attribute::Wholes(wholes),
        (8, ..) => Attribute::Other("texts".to_owned()),
        _ => Attribute::Other("a value of another kind".to_owned()),
    };
    Ok((name, value))
}

/// A setting as it was meant: 0.1, where its single precision is 0.100000001.
pub(super) fn decimal(x: f32) -> f64 {
    x.to_string().parse().unwrap_or(f64::from(x))
}

/// How many nodes the graph of a condition or a loop has. They are not looked into.
fn count_nodes(bytes: &[u8]) -> Result<usize, String> {
    let mut message = Message::new(bytes);
    let mut nodes = 0;
    while let Some((number, _)) = message.next()? {
        nodes += usize::from(number == 1);
    }
    Ok(nodes)
}

/// `ValueInfoProto`: a name, and the shape where it is a tensor's.
fn read_port(bytes: &[u8]) -> Result<Port, String> {
    let mut port = Port {
        name: String::new(),
        shape: None,
    };
    let mut message = Message::new(bytes);
    while let Some((number, field)) = message.next()? {
        match number {
            1 => port.name = field.text()?,
            2 => {
                port.shape = within(field.bytes()?, 1)?.and_then(|tensor| {
                    let shape = within(tensor, 2).ok()??;
                    read_shape(shape).ok()
                })
            }
            _ => {}
        }
    }
    Ok(port)
}

/// The message in field `wanted`.
fn within(bytes: &[u8], wanted: u64) -> Result<Option<&[u8]>, String> {
    let mut message = Message::new(bytes);
    let mut found = None;
    while let Some((number, field)) = message.next()? {
        if number == wanted {
            found = Some(field.bytes()?);
        }
    }
    Ok(found)
}

pub(super) fn read_shape(bytes: &[u8]) -> Result<Vec<Side>, String> {
    let mut shape = Vec::new();
    let mut message = Message::new(bytes);
    while let Some((number, field)) = message.next()? {
        if number == 1 {
            let mut side = None;
            let mut dimension = Message::new(field.bytes()?);
            while let Some((number, field)) = dimension.next()? {
                if number == 1 {
                    side = usize::try_from(field.whole()?).ok();
                }
            }
            shape.push(side);
            at_most(shape.len(), MOST_SIDES, "sides of a value")?;
        }
    }
    Ok(shape)
}
