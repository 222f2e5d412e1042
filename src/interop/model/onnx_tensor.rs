//! `TensorProto` of ONNX: raw bytes, or numbers in fields of their own kind.

use super::bytes::{Element, MOST_WHOLE, count};
use super::graph::{Numbers, Tensor};
use super::protobuf::Message;

/// The most sides of a tensor.
pub(super) const MOST_SIDES: usize = 64;

/// Refuses more of something than is read: a few bytes of a file can stand for many in memory.
pub(super) fn at_most(found: usize, most: usize, what: &str) -> Result<(), String> {
    if found > most {
        return Err(format!(
            "has more than {most} {what}, the most that are read"
        ));
    }
    Ok(())
}

pub(super) fn read_tensor(bytes: &[u8]) -> Result<Tensor, String> {
    let (mut name, mut sides, mut kind) = (String::new(), Vec::new(), 0);
    let (mut raw, mut elsewhere) = (None, false);
    let mut message = Message::new(bytes);
    while let Some((number, field)) = message.next()? {
        match number {
            1 => {
                let more = field.bytes().map_or(1, <[u8]>::len);
                at_most(sides.len() + more, MOST_SIDES * 10, "sides of a tensor")?;
                field.wholes(&mut sides)?;
            }
            2 => kind = field.whole()?,
            8 => name = field.text()?,
            9 => raw = Some(field.bytes()?),
            14 => elsewhere = field.whole()? == 1,
            _ => {}
        }
    }
    let fault = |message: String| format!("the tensor {name:?} {message}");
    let mut shape = Vec::with_capacity(sides.len());
    for &side in &sides {
        let side = usize::try_from(side);
        shape.push(side.map_err(|_| fault(format!("has the impossible shape {sides:?}")))?);
    }
    at_most(shape.len(), MOST_SIDES, "sides of a tensor").map_err(&fault)?;
    if elsewhere {
        return Err(fault(
            "lies in another file beside the model; save the model with its weights inside (in \
             Python: onnx.save(onnx.load(path), other_path))"
                .to_owned(),
        ));
    }
    let numbers = match (element(kind), raw) {
        (None, _) => Numbers::Unread(format!("ONNX type {kind}")),
        (Some(element), Some(raw)) => {
            check_count(&shape, raw.len() / element.width()).map_err(&fault)?;
            element.numbers(raw)
        }
        (Some(element), None) => listed_numbers(bytes, element, count(&shape).unwrap_or(0))?,
    };
    match &numbers {
        Numbers::Floats(all) => check_count(&shape, all.len()).map_err(&fault)?,
        Numbers::Whole(all) => check_count(&shape, all.len()).map_err(&fault)?,
        Numbers::Unread(_) => {}
    }
    Ok(Tensor {
        name,
        shape,
        numbers,
    })
}

fn check_count(shape: &[usize], found: usize) -> Result<(), String> {
    if count(shape) == Some(found) {
        return Ok(());
    }
    Err(format!("has {found} numbers for the shape {shape:?}"))
}

/// The numbers of a tensor that lie in fields of their own kind and not as raw bytes.
///
/// Of halves, each of which may take a single byte there, no more are kept than the shape has,
/// and one by which it is seen that there are too many.
fn listed_numbers(bytes: &[u8], element: Element, needed: usize) -> Result<Numbers, String> {
    let (mut floats, mut wholes, mut more) = (Vec::new(), Vec::new(), 0);
    let mut message = Message::new(bytes);
    while let Some((number, field)) = message.next()? {
        match (number, element) {
            (4, Element::F32) => field.singles(&mut floats)?,
            (10, Element::F64) => field.doubles(&mut floats)?,
            (5, Element::F16 | Element::BF16) => {
                floats.reserve_exact(needed.min(bytes.len()));
                field.each_whole(|n| {
                    if floats.len() <= needed {
                        floats.extend(element.floats(&(n as u16).to_le_bytes()));
                    }
                })?;
            }
            (5 | 7 | 11, _) if element.is_whole() => {
                field.each_whole(|n| {
                    if wholes.len() < MOST_WHOLE {
                        wholes.push(n);
                    } else {
                        more += 1;
                    }
                })?;
            }
            _ => {}
        }
    }
    Ok(match (element.is_whole(), more) {
        (false, _) => Numbers::Floats(floats),
        (true, 0) => Numbers::Whole(wholes),
        (true, more) => Numbers::Unread(format!("{} whole numbers", wholes.len() + more)),
    })
}

/// `TensorProto.DataType`
fn element(kind: i64) -> Option<Element> {
    Some(match kind {
        1 => Element::F32,
        2 | 9 => Element::U8,
        3 => Element::I8,
        4 => Element::U16,
        5 => Element::I16,
        6 => Element::I32,
        7 => Element::I64,
        10 => Element::F16,
        11 => Element::F64,
        12 => Element::U32,
        13 => Element::U64,
        16 => Element::BF16,
        _ => return None,
    })
}
