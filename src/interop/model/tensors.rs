//! Tensors by name without a graph: safetensors and NPZ.

use super::Tensors;
use super::archive::Archive;
use super::bytes::{Element, count};
use super::graph::{ModelFormat, Numbers, Tensor};
use crate::interop::model_out::ORDER;
use ndarray_npy::npy::header::Header;
use safetensors::{Dtype, SafeTensors};
use std::collections::HashMap;

/// The longest header of an array that is looked at; NumPy writes about a hundred bytes.
const MAX_HEADER: usize = 4096;

/// All tensors of a safetensors file, in the order in which their bytes lie, or in that of the
/// layers where we wrote the file and said it.
pub(super) fn safetensors(bytes: &[u8]) -> Result<Tensors, String> {
    let file = SafeTensors::deserialize(bytes)
        .map_err(|error| format!("is not a safetensors file: {error}"))?;
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

/// The place of each layer by its name, from the file's metadata.
fn layer_order(bytes: &[u8]) -> Option<HashMap<String, usize>> {
    let (_, metadata) = SafeTensors::read_metadata(bytes).ok()?;
    let names: Vec<String> =
        serde_json::from_str(metadata.metadata().as_ref()?.get(ORDER)?).ok()?;
    Some(names.into_iter().zip(0..).collect())
}

/// All arrays of an NPZ archive, in its order.
pub(super) fn npz(bytes: &[u8]) -> Result<Vec<Tensor>, String> {
    let mut archive = Archive::open(bytes)?;
    let mut tensors = Vec::new();
    for member in archive.names() {
        if let Some(name) = member.strip_suffix(".npy") {
            let bytes = archive.take(&member)?;
            let tensor = npy(name, &bytes);
            tensors.push(tensor.map_err(|error| format!("array {name:?}: {error}"))?);
        }
    }
    if tensors.is_empty() {
        return Err("holds no NumPy arrays (members that end in .npy)".to_owned());
    }
    Ok(tensors)
}

/// One array in the NPY format (NumPy Enhancement Proposal 1).
fn npy(name: &str, bytes: &[u8]) -> Result<Tensor, String> {
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
    let mut numbers = element.numbers(body);
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
    strided(values, 0, shape, &strides)
}

/// The values of `shape`, row by row, out of memory in which a step along a side is
/// `strides` long. The caller has checked that all of them are there.
pub(super) fn strided<T: Copy>(
    values: &[T],
    offset: usize,
    shape: &[usize],
    strides: &[usize],
) -> Vec<T> {
    let total: usize = shape.iter().product();
    let mut place = vec![0; shape.len()];
    let mut at = offset;
    let mut out = Vec::with_capacity(total);
    for _ in 0..total {
        out.push(values[at]);
        for axis in (0..shape.len()).rev() {
            place[axis] += 1;
            at += strides[axis];
            if place[axis] < shape[axis] {
                break;
            }
            at -= strides[axis] * shape[axis];
            place[axis] = 0;
        }
    }
    out
}
