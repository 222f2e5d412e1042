//! Tensors by name without a graph: safetensors and NPZ.

use super::Tensors;
use super::archive::Archive;
use super::bytes::{Element, count};
use super::graph::{ModelFormat, Numbers, Tensor};
use crate::interop::model_out::ORDER;
use crate::interop::safetensors::safetensors_fault;
use ndarray_npy::npy::header::Header;
use safetensors::{Dtype, SafeTensors};
use std::collections::HashMap;

/// The longest header of a safetensors file: 32 MiB, some hundred thousand tensors.
const LONGEST_HEADER: u64 = 32 << 20;

/// The most sides of a tensor that is read; NumPy's arrays have as many.
const MOST_SIDES: usize = 64;

/// The longest header of an array that is looked at; NumPy writes about a hundred bytes.
const MAX_HEADER: usize = 4096;

/// All tensors of a safetensors file, in the order in which their bytes lie, or in that of the
/// layers where we wrote the file and said it.
pub(super) fn safetensors(bytes: &[u8]) -> Result<Tensors, String> {
    let file = open(bytes)?;
    let mut views: Vec<_> = file.iter().collect();
    views.sort_by_key(|(name, view)| (view.data().as_ptr(), name.len()));
    let order = layer_order(bytes);
    if let Some(order) = &order {
        let place = |name: &str| {
            let layer = name.rsplit_once('.').map_or(name, |(layer, _)| layer);
            order.get(layer).copied().unwrap_or(usize::MAX)
        };
        views.sort_by_cached_key(|(name, _)| place(name));
    }
    let tensors = views.into_iter().map(|(name, view)| {
        let element = match view.dtype() {
            Dtype::F16 => Some(Element::F16),
            Dtype::BF16 => Some(Element::BF16),
            Dtype::F32 => Some(Element::F32),
            Dtype::F64 => Some(Element::F64),
            Dtype::I8 => Some(Element::I8),
            Dtype::U8 | Dtype::BOOL => Some(Element::U8),
            Dtype::I16 => Some(Element::I16),
            Dtype::U16 => Some(Element::U16),
            Dtype::I32 => Some(Element::I32),
            Dtype::U32 => Some(Element::U32),
            Dtype::I64 => Some(Element::I64),
            Dtype::U64 => Some(Element::U64),
            _ => None,
        };
        Tensor {
            name: name.to_owned(),
            shape: view.shape().to_vec(),
            numbers: match element {
                Some(element) => element.numbers(view.data()),
                None => Numbers::Unread(format!("{:?}", view.dtype())),
            },
        }
    });
    Ok(Tensors {
        format: ModelFormat::Safetensors,
        all: tensors.collect(),
        ordered: order.is_some(),
    })
}

/// How many tensors a safetensors file has, without reading their numbers.
///
/// # Errors
/// When it is not one.
pub(super) fn count_safetensors(bytes: &[u8]) -> Result<usize, String> {
    open(bytes).map(|file| file.len())
}

/// A safetensors file whose header is checked.
fn open(bytes: &[u8]) -> Result<SafeTensors<'_>, String> {
    let header = bytes.first_chunk().map_or(0, |b| u64::from_le_bytes(*b));
    if header > LONGEST_HEADER && header <= bytes.len() as u64 {
        return Err(format!(
            "is not a safetensors file that is read: its header has {header} bytes, and at most \
             {LONGEST_HEADER} are read"
        ));
    }
    let text = bytes.get(8..).and_then(|rest| rest.get(..header as usize));
    let sides = text.map_or(0, longest_list);
    if sides > MOST_SIDES {
        return Err(format!(
            "a tensor has {sides} sides, and at most {MOST_SIDES} are read"
        ));
    }
    SafeTensors::deserialize(bytes).map_err(|error| safetensors_fault(bytes, &error))
}

/// The entries of the longest list of a JSON text, before anything is taken for it: whoever
/// reads it takes thirty bytes for each byte of a list. What stands in strings is none.
fn longest_list(json: &[u8]) -> usize {
    let (mut longest, mut entries) = (0, 0);
    let (mut quoted, mut escaped) = (false, false);
    for &byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'[' => entries = 1,
            b']' => entries = 0,
            b',' if entries > 0 => entries += 1,
            _ => {}
        }
        longest = longest.max(entries);
    }
    longest
}

/// The place of each layer by its name, from the file's metadata.
fn layer_order(bytes: &[u8]) -> Option<HashMap<String, usize>> {
    let (_, metadata) = SafeTensors::read_metadata(bytes).ok()?;
    let names: Vec<String> =
        serde_json::from_str(metadata.metadata().as_ref()?.get(ORDER)?).ok()?;
    Some(names.into_iter().zip(0..).collect())
}

/// All arrays of an NPZ archive, in its order.
pub(super) fn npz(bytes: &[u8]) -> Result<Vec<Tensor>, String> {
    arrays(bytes, &Element::numbers)
}

/// The same, whole numbers as floats too: arrays that are no weights.
pub(super) fn npz_floats(bytes: &[u8]) -> Result<Vec<Tensor>, String> {
    arrays(bytes, &|element, bytes| {
        Numbers::Floats(element.floats(bytes))
    })
}

fn arrays(bytes: &[u8], decode: Decode<'_>) -> Result<Vec<Tensor>, String> {
    let mut archive = Archive::open(bytes)?;
    let mut tensors = Vec::new();
    for member in archive.names() {
        if let Some(name) = member.strip_suffix(".npy") {
            let bytes = archive.take(&member)?;
            let tensor = npy(name, &bytes, decode);
            tensors.push(tensor.map_err(|error| format!("array {name:?}: {error}"))?);
        }
    }
    if tensors.is_empty() {
        return Err("holds no NumPy arrays (members that end in .npy)".to_owned());
    }
    Ok(tensors)
}

/// How the numbers of an array are kept.
type Decode<'a> = &'a dyn Fn(Element, &[u8]) -> Numbers;

/// One array in the NPY format (NumPy Enhancement Proposal 1).
fn npy(name: &str, bytes: &[u8], decode: Decode<'_>) -> Result<Tensor, String> {
    let start = header_length(bytes).ok_or("does not begin with a header of NumPy's")?;
    let (head, body) = bytes.split_at(start);
    let header = Header::from_reader(&mut &*head)
        .map_err(|error| format!("has a header that cannot be read: {error}"))?;
    let described = header.type_descriptor.to_string();
    let kind = described.trim_matches(['\'', '"']);
    let element = match kind.trim_start_matches(['<', '|', '=']) {
        "f2" => Element::F16,
        "f4" => Element::F32,
        "f8" => Element::F64,
        "i1" => Element::I8,
        "u1" | "b1" => Element::U8,
        "i2" => Element::I16,
        "u2" => Element::U16,
        "i4" => Element::I32,
        "u4" => Element::U32,
        "i8" => Element::I64,
        "u8" => Element::U64,
        _ => {
            return Err(format!(
                "holds values of type {described}; save it as float32 or float64, little end first"
            ));
        }
    };
    let shape = header.shape;
    let needed = count(&shape).and_then(|n| n.checked_mul(element.width()));
    if needed != Some(body.len()) {
        let found = body.len();
        return Err(format!(
            "has {found} bytes of numbers for the shape {shape:?} of {kind}"
        ));
    }
    let mut numbers = decode(element, body);
    if header.layout == ndarray_npy::npy::header::Layout::Fortran && shape.len() > 1 {
        match &mut numbers {
            Numbers::Floats(all) => *all = by_rows(all, &shape),
            Numbers::Whole(all) => *all = by_rows(all, &shape),
            Numbers::Unread(_) => {}
        }
    }
    Ok(Tensor {
        name: name.to_owned(),
        shape,
        numbers,
    })
}

/// Where the numbers begin, if that is within the file and not unreasonably late.
fn header_length(bytes: &[u8]) -> Option<usize> {
    if bytes.get(..6)? != b"\x93NUMPY" {
        return None;
    }
    let (length, at) = match bytes.get(6)? {
        1 => (
            usize::from(u16::from_le_bytes(bytes.get(8..10)?.try_into().ok()?)),
            10,
        ),
        2 | 3 => (
            u32::from_le_bytes(bytes.get(8..12)?.try_into().ok()?) as usize,
            12,
        ),
        _ => return None,
    };
    (length <= MAX_HEADER && at + length <= bytes.len()).then_some(at + length)
}

/// Values that lie column by column, row by row.
fn by_rows<T: Copy>(values: &[T], shape: &[usize]) -> Vec<T> {
    let strides: Vec<usize> = shape
        .iter()
        .scan(1, |stride, side| {
            let this = *stride;
            *stride *= side;
            Some(this)
        })
        .collect();
    strided(shape.iter().zip(&strides))
        .map(|at| values[at])
        .collect()
}

/// The places of all numbers of a tensor, row by row, in memory in which a step along a side of
/// `(side, step)` is that long.
pub(super) fn strided<'a>(
    sides: impl Iterator<Item = (&'a usize, &'a usize)>,
) -> impl Iterator<Item = usize> {
    let sides: Vec<(usize, usize)> = sides.map(|(&side, &step)| (side, step)).collect();
    let total: usize = sides.iter().map(|(side, _)| side).product();
    let mut place = vec![0; sides.len()];
    let mut next = 0;
    (0..total).map(move |_| {
        let this = next;
        for (axis, &(side, step)) in sides.iter().enumerate().rev() {
            place[axis] += 1;
            next += step;
            if place[axis] < side {
                break;
            }
            next -= step * side;
            place[axis] = 0;
        }
        this
    })
}
