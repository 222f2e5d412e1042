//! One array from a NumPy archive, in the NPY format (NumPy Enhancement Proposal
//! 1), with its header checked against what is there.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use ndarray::ArrayD;
use ndarray_npy::ReadNpyExt;
use ndarray_npy::npy::header::Header;
use zip::ZipArchive;

use super::error::DataError;

/// The most bytes that one array may have when it is unpacked: 1 GiB.
const MAX_BYTES: u64 = 1 << 30;

/// What a compressed array may unpack to whatever its file's size, and how many times the file's
/// size beyond that: data of real measurements shrink to a tenth at best, and a few kilobytes of
/// nothing else than a bomb unpack to gigabytes.
const HEADROOM: u64 = 12 << 20;
const MOST_RATIO: u64 = 16;

/// How many bytes may come out of a compressed file of `size` bytes.
pub(super) fn unpacked_bound(size: u64) -> u64 {
    size.saturating_mul(MOST_RATIO).saturating_add(HEADROOM)
}

/// The longest header that is looked at; NumPy writes about a hundred bytes.
const MAX_HEADER: usize = 4096;

/// NumPy's names, without the byte order, of the types that are read, and their
/// sizes in bytes.
const KINDS: [(&str, usize); 11] = [
    ("f4", 4),
    ("f8", 8),
    ("i1", 1),
    ("i2", 2),
    ("i4", 4),
    ("i8", 8),
    ("u1", 1),
    ("u2", 2),
    ("u4", 4),
    ("u8", 8),
    ("b1", 1),
];

/// One array as it lies in the archive, its header checked against its length.
pub(crate) struct NpyBytes {
    bytes: Vec<u8>,
    /// One of [`KINDS`].
    kind: &'static str,
}

impl NpyBytes {
    pub(crate) fn read(
        path: &Path,
        archive: &mut ZipArchive<BufReader<File>>,
        name: &str,
    ) -> Result<Self, DataError> {
        let fault = |message: String| DataError::file(path, format!("array \"{name}\" {message}"));
        let member = format!("{name}.npy");
        if archive.index_for_name(&member).is_none() {
            let present: Vec<&str> = archive
                .file_names()
                .map(|name| name.strip_suffix(".npy").unwrap_or(name))
                .collect();
            return Err(fault(format!(
                "is not there; the archive holds {}. Name arrays with data.inputs and data.label",
                present.join(", ")
            )));
        }
        let mut bytes = Vec::new();
        let size = std::fs::metadata(path).map_or(0, |data| data.len());
        let most = unpacked_bound(size).min(MAX_BYTES);
        let entry = archive
            .by_name(&member)
            .map_err(|error| fault(format!("cannot be unpacked: {error}")))?;
        entry
            .take(most + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| fault(format!("cannot be unpacked: {error}")))?;
        if bytes.len() as u64 > most {
            return Err(fault(format!(
                "unpacks to more than the {most} bytes that are read of a file of {size}"
            )));
        }
        let start = check_header(&bytes)
            .ok_or_else(|| fault("does not begin with a header of NumPy's".to_owned()))?;
        let header = Header::from_reader(&mut &bytes[..start])
            .map_err(|error| fault(format!("has a header that cannot be read: {error}")))?;
        let described = header.type_descriptor.to_string();
        let kind = described
            .trim_matches(['\'', '"'])
            .trim_start_matches(['<', '>', '|', '=']);
        let Some(&(kind, width)) = KINDS.iter().find(|(known, _)| *known == kind) else {
            return Err(fault(format!(
                "holds values of type {described}; save it as float32, float64 or whole numbers"
            )));
        };
        let needed = header
            .shape
            .iter()
            .try_fold(width, |product, &dimension| product.checked_mul(dimension));
        if needed != Some(bytes.len() - start) {
            return Err(fault(format!(
                "claims the shape {:?} of type {described}, but {} bytes of values are there",
                header.shape,
                bytes.len() - start
            )));
        }
        Ok(Self { bytes, kind })
    }

    /// The values, each converted by way of `f64`.
    pub(crate) fn values<T>(
        &self,
        path: &Path,
        name: &str,
        convert: impl Fn(f64) -> T,
    ) -> Result<ArrayD<T>, DataError> {
        macro_rules! read_as {
            ($from:ty) => {
                ArrayD::<$from>::read_npy(&self.bytes[..])
                    .map(|array| array.map(|&value| convert(value as f64)))
            };
        }
        let array = match self.kind {
            "f4" => read_as!(f32),
            "f8" => read_as!(f64),
            "i1" => read_as!(i8),
            "i2" => read_as!(i16),
            "i4" => read_as!(i32),
            "i8" => read_as!(i64),
            "u1" => read_as!(u8),
            "u2" => read_as!(u16),
            "u4" => read_as!(u32),
            "u8" => read_as!(u64),
            _ => ArrayD::<bool>::read_npy(&self.bytes[..])
                .map(|array| array.map(|&value| convert(f64::from(value)))),
        };
        array.map_err(|error| DataError::file(path, format!("array \"{name}\": {error}")))
    }
}

/// Where the values begin, if there is a header of reasonable length before
/// them that is nested no deeper than an array of numbers needs.
fn check_header(bytes: &[u8]) -> Option<usize> {
    if !bytes.starts_with(b"\x93NUMPY") {
        return None;
    }
    let (from, length) = match *bytes.get(6)? {
        1 => (
            10,
            u16::from_le_bytes(*bytes.get(8..10)?.as_array()?) as usize,
        ),
        _ => (
            12,
            u32::from_le_bytes(*bytes.get(8..12)?.as_array()?) as usize,
        ),
    };
    if length > MAX_HEADER {
        return None;
    }
    let header = bytes.get(from..from + length)?;
    let brackets = header
        .iter()
        .filter(|byte| matches!(byte, b'(' | b'[' | b'{'))
        .count();
    (brackets <= 8).then_some(from + length)
}
