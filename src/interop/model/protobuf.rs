//! The wire format of protocol buffers, field by field. Lengths are checked against what
//! is there; nothing is copied and nothing calls itself.

/// The longest name that is read.
pub(super) const LONGEST_TEXT: usize = 1 << 16;

/// The contents of a field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::interop) enum Field<'a> {
    Varint(u64),
    Fixed32([u8; 4]),
    Fixed64([u8; 8]),
    Bytes(&'a [u8]),
}

impl<'a> Field<'a> {
    /// A text, a message or packed numbers.
    pub(super) fn bytes(self) -> Result<&'a [u8], String> {
        match self {
            Field::Bytes(bytes) => Ok(bytes),
            _ => Err("a field has a number where text or a message belongs".to_owned()),
        }
    }

    /// A name or another short text.
    pub(super) fn text(self) -> Result<String, String> {
        let bytes = self.bytes()?;
        if bytes.len() > LONGEST_TEXT {
            return Err(format!(
                "a name of {} bytes; at most {LONGEST_TEXT} are read",
                bytes.len()
            ));
        }
        Ok(String::from_utf8_lossy(bytes).into_owned())
    }

    pub(super) fn whole(self) -> Result<i64, String> {
        match self {
            Field::Varint(n) => Ok(n as i64),
            _ => Err("a field has something else where a whole number belongs".to_owned()),
        }
    }

    pub(super) fn single(self) -> Result<f32, String> {
        match self {
            Field::Fixed32(bytes) => Ok(f32::from_le_bytes(bytes)),
            _ => Err("a field has something else where a float belongs".to_owned()),
        }
    }

    /// One or more whole numbers: a field may hold one of them or many, packed.
    pub(super) fn wholes(self, into: &mut Vec<i64>) -> Result<(), String> {
        self.each_whole(|n| into.push(n))
    }

    /// The same, one after the other.
    pub(super) fn each_whole(self, mut give: impl FnMut(i64)) -> Result<(), String> {
        match self {
            Field::Varint(n) => give(n as i64),
            Field::Bytes(bytes) => {
                let mut rest = Message::new(bytes);
                while !rest.is_empty() {
                    give(rest.varint()? as i64);
                }
            }
            _ => return Err("a field has something else where whole numbers belong".to_owned()),
        }
        Ok(())
    }

    /// One or more floats.
    pub(super) fn singles(self, into: &mut Vec<f32>) -> Result<(), String> {
        match self {
            Field::Fixed32(bytes) => into.push(f32::from_le_bytes(bytes)),
            Field::Bytes(bytes) => {
                let all = bytes.as_chunks::<4>().0.iter();
                into.extend(all.map(|b| f32::from_le_bytes(*b)));
            }
            _ => return Err("a field has something else where floats belong".to_owned()),
        }
        Ok(())
    }

    /// One or more doubles, as single precision.
    pub(super) fn doubles(self, into: &mut Vec<f32>) -> Result<(), String> {
        match self {
            Field::Fixed64(bytes) => into.push(f64::from_le_bytes(bytes) as f32),
            Field::Bytes(bytes) => {
                let all = bytes.as_chunks::<8>().0.iter();
                into.extend(all.map(|b| f64::from_le_bytes(*b) as f32));
            }
            _ => return Err("a field has something else where doubles belong".to_owned()),
        }
        Ok(())
    }
}

/// A message of which the fields are taken one after the other.
#[derive(Debug, Clone)]
pub(in crate::interop) struct Message<'a> {
    bytes: &'a [u8],
}

impl<'a> Message<'a> {
    pub(in crate::interop) fn new(bytes: &'a [u8]) -> Self {
        Message { bytes }
    }

    fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The next field with its number, or `None` at the end.
    pub(in crate::interop) fn next(&mut self) -> Result<Option<(u64, Field<'a>)>, String> {
        if self.is_empty() {
            return Ok(None);
        }
        let key = self.varint()?;
        let field = match key & 7 {
            0 => Field::Varint(self.varint()?),
            1 => Field::Fixed64(self.array()?),
            2 => {
                let length = self.varint()?;
                let length = usize::try_from(length).unwrap_or(usize::MAX);
                Field::Bytes(self.take(length)?)
            }
            5 => Field::Fixed32(self.array()?),
            other => return Err(format!("a field of the unknown wire type {other}")),
        };
        Ok(Some((key >> 3, field)))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], String> {
        let Some((head, rest)) = self.bytes.split_at_checked(length) else {
            return Err(format!(
                "a field of {length} bytes where {} are left; the file is cut off or damaged",
                self.bytes.len()
            ));
        };
        self.bytes = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let bytes = self.take(N)?;
        bytes
            .try_into()
            .map_err(|_| "a number is cut off".to_owned())
    }

    fn varint(&mut self) -> Result<u64, String> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array::<1>()?;
            value |= u64::from(byte & 127) << shift;
            if byte < 128 {
                return Ok(value);
            }
        }
        Err("a whole number of more than ten bytes".to_owned())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// The example of protobuf.dev, "Encoding": field 1 is 150, field 2 is "testing".
    #[test]
    fn the_documented_example_reads() {
        let bytes = [
            8, 0x96, 1, 0x12, 7, b't', b'e', b's', b't', b'i', b'n', b'g',
        ];
        let mut message = Message::new(&bytes);
        assert_eq!(message.next().unwrap(), Some((1, Field::Varint(150))));
        assert_eq!(message.next().unwrap(), Some((2, Field::Bytes(b"testing"))));
        assert_eq!(message.next().unwrap(), None);
    }

    #[test]
    fn lengths_beyond_the_end_are_errors() {
        assert!(Message::new(&[0x12, 7, b't']).next().is_err());
        assert!(
            Message::new(&[0x12, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1])
                .next()
                .is_err()
        );
        assert!(Message::new(&[8, 255]).next().is_err());
        assert!(Message::new(&[8; 1]).next().is_err());
        assert!(Message::new(&[0x0b]).next().is_err());
    }
}
