//! Numbers out of bytes: element types by their names in the formats, and the check that
//! a shape and a length agree before anything is made of them.

use super::graph::Numbers;
use crate::interop::safetensors::from_half;

/// The most whole numbers of a tensor that are kept: shapes, axes and counters have few, and of
/// quantised weights nothing here makes use.
pub(super) const MOST_WHOLE: usize = 4096;

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

    /// Whether they are whole.
    pub(super) fn is_whole(self) -> bool {
        !matches!(
            self,
            Element::F16 | Element::BF16 | Element::F32 | Element::F64
        )
    }

    /// All numbers in `bytes`, whole ones as floats; a rest that is none is passed over.
    pub(super) fn floats(self, bytes: &[u8]) -> Vec<f32> {
        match self {
            Element::I8 => bytes.iter().map(|&b| f32::from(b as i8)).collect(),
            Element::U8 => bytes.iter().map(|&b| f32::from(b)).collect(),
            Element::I16 => each(bytes, |b| f32::from(i16::from_le_bytes(b))),
            Element::U16 => each(bytes, |b| f32::from(u16::from_le_bytes(b))),
            Element::I32 => each(bytes, |b| i32::from_le_bytes(b) as f32),
            Element::U32 => each(bytes, |b| u32::from_le_bytes(b) as f32),
            Element::I64 => each(bytes, |b| i64::from_le_bytes(b) as f32),
            Element::U64 => each(bytes, |b| u64::from_le_bytes(b) as f32),
            Element::F16 => each(bytes, |b| from_half(u16::from_le_bytes(b))),
            Element::BF16 => each(bytes, |b| {
                f32::from_bits(u32::from(u16::from_le_bytes(b)) << 16)
            }),
            Element::F32 => each(bytes, f32::from_le_bytes),
            Element::F64 => each(bytes, |b| f64::from_le_bytes(b) as f32),
        }
    }

    /// All numbers in `bytes`; a rest that is none is passed over. More than [`MOST_WHOLE`] whole
    /// ones are not read.
    pub(super) fn numbers(self, bytes: &[u8]) -> Numbers {
        let n = bytes.len() / self.width();
        if self.is_whole() && n > MOST_WHOLE {
            return Numbers::Unread(format!("{n} whole numbers"));
        }
        macro_rules! whole {
            ($type:ty) => {
                Numbers::Whole(each(bytes, |b| <$type>::from_le_bytes(b) as i64))
            };
        }
        match self {
            Element::F16 | Element::BF16 | Element::F32 | Element::F64 => {
                Numbers::Floats(self.floats(bytes))
            }
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
