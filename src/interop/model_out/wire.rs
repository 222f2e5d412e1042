//! The wire format of protocol buffers, written field by field (protobuf.dev, "Encoding").

/// A message that is being written.
#[derive(Debug, Clone, Default)]
pub(super) struct Writer {
    bytes: Vec<u8>,
}

impl From<Vec<u8>> for Writer {
    /// Goes on behind what is written already.
    fn from(bytes: Vec<u8>) -> Self {
        Writer { bytes }
    }
}

impl Writer {
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 128 {
            self.bytes.push(value as u8 | 128);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    fn key(&mut self, number: u64, wire_type: u64) {
        self.varint(number << 3 | wire_type);
    }

    /// A whole number; negative ones take ten bytes, as the format has it.
    pub(super) fn whole(&mut self, number: u64, value: i64) {
        self.key(number, 0);
        self.varint(value as u64);
    }

    /// A single-precision number.
    pub(super) fn single(&mut self, number: u64, value: f32) {
        self.key(number, 5);
        self.bytes.extend(value.to_le_bytes());
    }

    /// A text or bytes.
    pub(super) fn bytes(&mut self, number: u64, value: &[u8]) {
        self.key(number, 2);
        self.varint(value.len() as u64);
        self.bytes.extend(value);
    }

    pub(super) fn text(&mut self, number: u64, value: &str) {
        self.bytes(number, value.as_bytes());
    }

    /// A message within this one.
    pub(super) fn message(&mut self, number: u64, fill: impl FnOnce(&mut Writer)) {
        let mut inner = Writer::default();
        fill(&mut inner);
        self.bytes(number, &inner.bytes);
    }

    /// Single-precision numbers as raw bytes, little end first.
    pub(super) fn raw_singles(&mut self, number: u64, values: &[f32]) {
        self.key(number, 2);
        self.varint(4 * values.len() as u64);
        self.bytes.reserve(4 * values.len());
        self.bytes
            .extend(values.iter().flat_map(|v| v.to_le_bytes()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of protobuf.dev, "Encoding": field 1 is 150, field 2 is "testing"; -2 as
    /// ten bytes.
    #[test]
    fn the_documented_examples_are_written() {
        let mut writer = Writer::default();
        writer.whole(1, 150);
        writer.text(2, "testing");
        let expected = [
            8, 0x96, 1, 0x12, 7, b't', b'e', b's', b't', b'i', b'n', b'g',
        ];
        assert_eq!(writer.into_bytes(), expected);
        let mut writer = Writer::default();
        writer.whole(1, -2);
        let expected = [8, 0xfe, 255, 255, 255, 255, 255, 255, 255, 255, 1];
        assert_eq!(writer.into_bytes(), expected);
    }

    #[test]
    fn a_message_lies_within_another_with_its_length() {
        let mut writer = Writer::default();
        writer.message(3, |inner| inner.whole(1, 150));
        assert_eq!(writer.into_bytes(), [0x1a, 3, 8, 0x96, 1]);
    }
}
