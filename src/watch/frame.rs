//! Frames of the protocol: the magic bytes `GRSP`, the header's length as 4 bytes, the
//! header as JSON, the body's length as 8 bytes, the body as a safetensors file (or nothing).
//! Lengths are little-endian.

use super::header::Header;
use crate::interop::count_tensors;
use std::ops::Range;

/// What every frame begins with.
pub const MAGIC: [u8; 4] = *b"GRSP";
/// The longest header that is taken: 1 MiB.
pub const MOST_HEADER: u32 = 1 << 20;
/// The longest body that is taken: 256 MiB.
pub const MOST_BODY: u64 = 256 << 20;
/// The most tensors in a body.
pub const MOST_TENSORS: usize = 20_000;

/// Why bytes are no frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Another program speaks.
    #[error("a frame begins with the bytes GRSP and not with {0:02x?}")]
    Magic([u8; 4]),
    /// A length beyond what is taken.
    #[error("a {part} of {length} bytes; at most {most} are taken")]
    TooLong {
        /// `header` or `body`.
        part: &'static str,
        /// What was declared.
        length: u64,
        /// What is taken.
        most: u64,
    },
    /// The header is not what it should be.
    #[error("the header: {0}")]
    Header(String),
    /// The body is not what it should be.
    #[error("the body: {0}")]
    Body(String),
}

/// What lies at the beginning of some bytes.
#[derive(Debug, Clone, PartialEq)]
pub enum Parsed {
    /// A part of a frame; with fewer than so many bytes nothing more can be said.
    Partial(usize),
    /// A whole frame.
    Whole {
        /// Its header.
        header: Header,
        /// Where the body is; empty for none.
        body: Range<usize>,
    },
}

/// Reads the frame at the beginning of `bytes`; the next one begins where its body ends. A
/// body is checked to be a safetensors file. Nothing is kept of what a length declares
/// before its bytes are there.
///
/// # Errors
/// When it is no frame, is longer than what is taken, or its parts are malformed.
pub fn parse_frame(bytes: &[u8]) -> Result<Parsed, FrameError> {
    let Some((magic, rest)) = bytes.split_first_chunk::<4>() else {
        // Whoever speaks another language is told so at the first byte.
        return match MAGIC.starts_with(bytes) {
            true => Ok(Parsed::Partial(8)),
            false => {
                let mut found = [0; 4];
                found[..bytes.len()].copy_from_slice(bytes);
                Err(FrameError::Magic(found))
            }
        };
    };
    if *magic != MAGIC {
        return Err(FrameError::Magic(*magic));
    }
    let Some((length, rest)) = rest.split_first_chunk::<4>() else {
        return Ok(Parsed::Partial(8));
    };
    let length = u32::from_le_bytes(*length);
    if length > MOST_HEADER {
        return Err(FrameError::TooLong {
            part: "header",
            length: length.into(),
            most: MOST_HEADER.into(),
        });
    }
    let head = length as usize;
    let begin = 8 + head + 8;
    let (Some(text), Some(size)) = (rest.get(..head), rest.get(head..head + 8)) else {
        return Ok(Parsed::Partial(begin));
    };
    let mut eight = [0; 8];
    eight.copy_from_slice(size);
    let size = u64::from_le_bytes(eight);
    if size > MOST_BODY {
        return Err(FrameError::TooLong {
            part: "body",
            length: size,
            most: MOST_BODY,
        });
    }
    let body = begin..begin + size as usize;
    let Some(contents) = bytes.get(body.clone()) else {
        return Ok(Parsed::Partial(body.end));
    };
    let header = serde_json::from_slice(text).map_err(|e| FrameError::Header(e.to_string()))?;
    if !contents.is_empty() {
        if !matches!(header, Header::Frame { .. }) {
            return Err(FrameError::Body("only a frame of a run has one".to_owned()));
        }
        let found = count_tensors(contents).map_err(FrameError::Body)?;
        if found > MOST_TENSORS {
            return Err(FrameError::Body(format!(
                "{found} tensors; at most {MOST_TENSORS} are taken"
            )));
        }
    }
    Ok(Parsed::Whole { header, body })
}

/// A frame of these parts.
pub fn frame(header: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(16 + header.len() + body.len());
    bytes.extend(MAGIC);
    bytes.extend((header.len() as u32).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend((body.len() as u64).to_le_bytes());
    bytes.extend(body);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &str =
        r#"{"type":"frame","step":3,"wall":1.5,"rows":[[3,1.5,{"loss":"NaN","n":2}]]}"#;

    #[test]
    fn a_frame_is_whole_only_with_its_last_byte() {
        let bytes = frame(ROW, b"");
        for n in 0..bytes.len() {
            let Ok(Parsed::Partial(needed)) = parse_frame(&bytes[..n]) else {
                panic!("{n}")
            };
            assert!(needed > n && needed <= bytes.len(), "{n} {needed}");
        }
        let Ok(Parsed::Whole { header, body }) = parse_frame(&bytes) else {
            panic!()
        };
        assert_eq!(body, bytes.len()..bytes.len());
        let Header::Frame { step: 3, rows, .. } = header else {
            panic!()
        };
        assert!(rows[0].2["loss"].0.is_nan());
        assert_eq!(rows[0].2["n"].0, 2.0);
    }

    #[test]
    fn what_is_no_frame_says_why_before_its_bytes_are_there() {
        assert_eq!(
            parse_frame(b"POST / HTTP"),
            Err(FrameError::Magic(*b"POST"))
        );
        assert!(matches!(parse_frame(b"P"), Err(FrameError::Magic(_))));
        let mut long = MAGIC.to_vec();
        long.extend(u32::MAX.to_le_bytes());
        assert!(matches!(
            parse_frame(&long),
            Err(FrameError::TooLong { part: "header", .. })
        ));
        let mut long = frame(ROW, b"");
        let at = long.len() - 8;
        long[at..].copy_from_slice(&u64::MAX.to_le_bytes());
        assert!(matches!(
            parse_frame(&long),
            Err(FrameError::TooLong { part: "body", .. })
        ));
        let says =
            |header: &str, body: &[u8]| parse_frame(&frame(header, body)).unwrap_err().to_string();
        assert!(says("{", b"").contains("header"));
        assert!(says(r#"{"type":"frame"}"#, b"").contains("step"));
        assert!(says(r#"{"type":"shout"}"#, b"").contains("shout"));
        let deep = format!(r#"{{"type":"hello","structure":{}"#, "[".repeat(100_000));
        assert!(says(&deep, b"").contains("recursion"));
        assert!(says(ROW, b"no tensors").contains("safetensors"));
        assert!(says(r#"{"type":"bye"}"#, b"x").contains("only a frame"));
    }
}
