//! Numbers out of bytes: element types by their names in the formats, and the check that
//! a shape and a length agree before anything is made of them.

use super::graph::Numbers;
use crate::interop::safetensors::from_half;

/// How a number lies in a file, little end first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    F16,
    BF16,
    F32,
    F64,
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
}

impl Element {
    /// Bytes of one.
    pub(super) fn width(self) -> usize {
        match self {
            Element::I8 | Element::U8 => 1,
            Element::F16 | Element::BF16 | Element::I16 | Element::U16 => 2,
            Element::F32 | Element::I32 | Element::U32 => 4,
            Element::F64 | Element::I64 | Element::U64 => 8,
        }
    }

    /// All whole numbers in `bytes`; a rest that is none is passed over.
    pub(super) fn numbers(self, bytes: &[u8]) -> Numbers {
        macro_rules! whole {
            ($type:ty) => {
                Numbers::Whole(each(bytes, |b| <$type>::from_le_bytes(b) as i64))
            };
        }
        match self {
            Element::F16 => Numbers::Floats(each(bytes, |b| from_half(u16::from_le_bytes(b)))),
            Element::BF16 => Numbers::Floats(each(bytes, |b| {
                f32::from_bits(u32::from(u16::from_le_bytes(b)) << 16)
            })),
            Element::F32 => Numbers::Floats(each(bytes, f32::from_le_bytes)),
            Element::F64 => Numbers::Floats(each(bytes, |b| f64::from_le_bytes(b) as f32)),
            Element::I8 => whole!(i8),
            Element::U8 => whole!(u8),
            Element::I16 => whole!(i16),
            Element::U16 => whole!(u16),
            Element::I32 => whole!(i32),
            Element::U32 => whole!(u32),
            Element::I64 => whole!(i64),
            Element::U64 => whole!(u64),
        }
    }
}

fn each<const N: usize, T>(bytes: &[u8], number: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes
        .as_chunks::<N>()
        .0
        .iter()
        .map(|b| number(*b))
        .collect()
}

/// The numbers that sides multiply to, or `None` where that is beyond all memory, also
/// if a side of 0 makes nothing of sides that are.
pub(super) fn count(shape: &[usize]) -> Option<usize> {
    let product = |n: usize, &side: &usize| n.checked_mul(side.max(1));
    let most = shape.iter().try_fold(1_usize, product)?;
    if shape.contains(&0) {
        Some(0)
    } else {
        Some(most)
    }
}
