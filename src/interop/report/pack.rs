//! Arrays of numbers in a page: little-endian bytes in base64, at four characters for
//! three bytes where JSON would take up to twenty for a number.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

/// An array as the page's script reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Packed {
    /// The type: a letter of NumPy's and the bytes of a number.
    t: &'static str,
    /// The bytes in base64.
    d: String,
}

impl Packed {
    fn new<const N: usize>(t: &'static str, numbers: impl Iterator<Item = [u8; N]>) -> Self {
        let bytes: Vec<u8> = numbers.flatten().collect();
        Packed {
            t,
            d: STANDARD.encode(bytes),
        }
    }

    /// Floats of double precision.
    pub fn f64(numbers: impl IntoIterator<Item = f64>) -> Self {
        Packed::new("f8", numbers.into_iter().map(f64::to_le_bytes))
    }

    /// Floats of single precision.
    pub fn f32(numbers: impl IntoIterator<Item = f32>) -> Self {
        Packed::new("f4", numbers.into_iter().map(f32::to_le_bytes))
    }

    /// Whole numbers; those that do not fit become the largest that does.
    pub fn u32(numbers: impl IntoIterator<Item = u64>) -> Self {
        let fit = |n| u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes();
        Packed::new("u4", numbers.into_iter().map(fit))
    }

    /// Small whole numbers; those that do not fit become the largest that does.
    pub fn u16(numbers: impl IntoIterator<Item = usize>) -> Self {
        let fit = |n| u16::try_from(n).unwrap_or(u16::MAX).to_le_bytes();
        Packed::new("u2", numbers.into_iter().map(fit))
    }

    /// Bytes.
    pub fn u8(numbers: impl IntoIterator<Item = u8>) -> Self {
        Packed::new("u1", numbers.into_iter().map(|n| [n]))
    }

    /// Bytes with a sign.
    pub fn i8(numbers: impl IntoIterator<Item = i8>) -> Self {
        Packed::new("i1", numbers.into_iter().map(i8::to_le_bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_little_endian_bytes_in_base64() {
        // struct.pack("<2f", 1.0, -2.5), b64encode: AACAPwAAIMA=
        let packed = Packed::f32([1.0, -2.5]);
        assert_eq!((packed.t, packed.d.as_str()), ("f4", "AACAPwAAIMA="));
        // struct.pack("<2I", 1, 2**32 - 1)
        assert_eq!(Packed::u32([1, 1 << 40]).d, "AQAAAP////8=");
        assert_eq!(Packed::u16([258, 1 << 20]).d, "AgH//w==");
        // struct.pack("<d", 0.1)
        assert_eq!(Packed::f64([0.1]).d, "mpmZmZmZuT8=");
        assert_eq!(Packed::i8([-1, 1]).d, "/wE=");
        assert_eq!(Packed::u8([7]).d, "Bw==");
    }
}
