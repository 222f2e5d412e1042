//! What goes into a run and what is told of it: tensors as plain numbers.

use super::graph::RawPort;
use crate::interop::model::bytes::count;
use serde::Serialize;
use std::sync::Arc;
use tract_onnx::prelude::{DatumType, Tensor};

/// The bytes that all values between nodes may have at one time.
pub(super) const MOST_BYTES: usize = 2 << 30;

/// A value for an input of the model.
#[derive(Debug, Clone, PartialEq)]
pub struct RunInput {
    /// The input's name.
    pub name: String,
    /// All its sides, that of the samples first.
    pub shape: Vec<usize>,
    /// What it holds; whole numbers are made of it where the model reads such.
    pub values: InputValues,
}

/// The numbers of an input.
#[derive(Debug, Clone, PartialEq)]
pub enum InputValues {
    /// One for each place, row by row.
    Each(Vec<f32>),
    /// The same everywhere.
    All(f32),
}

/// What a run came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// A row for each node, in the order of the file.
    pub nodes: Vec<RanNode>,
    /// The model's outputs, as far as they were reached.
    pub outputs: Vec<(String, Vec<usize>, Vec<f64>)>,
    /// Whether it was told to stop before its end.
    pub stopped: bool,
}

impl Run {
    /// Nodes that were run.
    pub fn ran(&self) -> usize {
        self.nodes.iter().filter(|node| node.values.is_ok()).count()
    }
}

/// What a node gave.
#[derive(Debug, Clone, PartialEq)]
pub struct RanNode {
    /// Its name; where the file has none, its operator with its number from 1.
    pub name: String,
    /// What the file calls its operation.
    pub operator: String,
    /// Its outputs, or why it was not run.
    pub values: Result<Vec<NodeValue>, String>,
}

/// One output of a node in a few numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NodeValue {
    /// Its name.
    pub name: String,
    /// Its type as ONNX has it: `float32`, `int64`.
    pub kind: &'static str,
    /// All its sides.
    pub shape: Vec<usize>,
    /// The smallest finite number, if there is one.
    pub min: Option<f64>,
    /// The largest finite number.
    pub max: Option<f64>,
    /// The mean of the finite numbers.
    pub mean: Option<f64>,
    /// How many are infinite or not a number.
    pub not_finite: usize,
}

/// The tensor for `port`.
pub(super) fn tensor(given: &RunInput, port: &RawPort<'_>) -> Result<Arc<Tensor>, String> {
    let fault = |message: String| format!("its input {:?}: {message}", port.name);
    let sides = &given.shape;
    if let Some(known) = &port.shape {
        let fits = known.len() == sides.len()
            && known
                .iter()
                .zip(sides)
                .all(|(known, &n)| known.is_none_or(|known| known == n));
        if !fits {
            let known = super::super::graph::Sides(known).to_string();
            return Err(fault(format!("{sides:?} does not fit the shape {known}")));
        }
    }
    let n = count(sides).filter(|&n| n <= super::bounds::MOST_VALUES);
    let n = n.ok_or_else(|| fault(format!("{sides:?} are more values than are computed")))?;
    let values = match &given.values {
        InputValues::Each(all) if all.len() == n => all.clone(),
        InputValues::Each(all) => {
            return Err(fault(format!(
                "{} values for the shape {sides:?}",
                all.len()
            )));
        }
        InputValues::All(one) => vec![*one; n],
    };
    let kind = match port.kind {
        1 => DatumType::F32,
        2 => DatumType::U8,
        3 => DatumType::I8,
        4 => DatumType::U16,
        5 => DatumType::I16,
        6 => DatumType::I32,
        7 => DatumType::I64,
        9 => DatumType::Bool,
        10 => DatumType::F16,
        11 => DatumType::F64,
        12 => DatumType::U32,
        13 => DatumType::U64,
        other => {
            return Err(fault(format!(
                "numbers of ONNX's type {other} are not read"
            )));
        }
    };
    let made = Tensor::from_shape(sides, &values);
    let made = made.and_then(|tensor| Ok(tensor.cast_to_dt(kind)?.into_owned()));
    made.map(Arc::new).map_err(|error| fault(error.to_string()))
}

/// All values in double precision; `None` of text.
pub(super) fn wide(tensor: &Tensor) -> Option<Vec<f64>> {
    if matches!(tensor.datum_type(), DatumType::String | DatumType::Blob) {
        return None;
    }
    let cast = tensor.cast_to::<f64>().ok()?;
    let view = cast.to_plain_array_view::<f64>().ok()?;
    Some(view.iter().copied().collect())
}

pub(super) fn output(name: &str, tensor: &Tensor) -> Option<(String, Vec<usize>, Vec<f64>)> {
    Some((name.to_owned(), tensor.shape().to_vec(), wide(tensor)?))
}

/// A tensor in a few numbers.
pub(super) fn describe(name: &str, tensor: &Tensor) -> NodeValue {
    let mut value = NodeValue {
        name: name.to_owned(),
        kind: kind(tensor.datum_type()),
        shape: tensor.shape().to_vec(),
        min: None,
        max: None,
        mean: None,
        not_finite: 0,
    };
    let mut sum = 0.0;
    let mut seen = 0_usize;
    let mut look = |x: f64| {
        if x.is_finite() {
            value.min = Some(value.min.map_or(x, |min| min.min(x)));
            value.max = Some(value.max.map_or(x, |max| max.max(x)));
            sum += x;
            seen += 1;
        } else {
            value.not_finite += 1;
        }
    };
    // The type of nearly all of them, without a copy.
    match tensor.to_plain_array_view::<f32>() {
        Ok(view) => view.iter().for_each(|&x| look(f64::from(x))),
        Err(_) => wide(tensor).into_iter().flatten().for_each(look),
    }
    value.mean = (seen > 0).then(|| sum / seen as f64);
    value
}

fn kind(kind: DatumType) -> &'static str {
    match kind.unquantized() {
        DatumType::Bool => "bool",
        DatumType::U8 => "uint8",
        DatumType::U16 => "uint16",
        DatumType::U32 => "uint32",
        DatumType::U64 => "uint64",
        DatumType::I8 => "int8",
        DatumType::I16 => "int16",
        DatumType::I32 => "int32",
        DatumType::I64 | DatumType::TDim => "int64",
        DatumType::F16 => "float16",
        DatumType::F32 => "float32",
        DatumType::F64 => "float64",
        DatumType::String => "string",
        _ => "other",
    }
}
