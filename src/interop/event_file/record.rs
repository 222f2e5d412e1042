//! The frames of TFRecord files: the length as 8 bytes, its checksum, the data, their
//! checksum, all little-endian (`tensorflow/core/lib/io/record_writer.h`).

/// The longest record that is read: 64 MiB. Longer ones (pictures, sound) are passed over.
pub const MOST_RECORD: u64 = 64 << 20;

/// Length and its checksum.
const HEAD: usize = 12;
/// The checksum of the data.
const TAIL: usize = 4;

/// CRC-32C, turned and shifted, as records have it, so that the checksum of data that hold
/// checksums is still one (`tensorflow/core/lib/hash/crc32c.h`, `Mask`).
pub(super) fn masked_crc(data: &[u8]) -> u32 {
    crc32c::crc32c(data)
        .rotate_right(15)
        .wrapping_add(0xa282_ead8)
}

/// What lies at the beginning of some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// A record with its data; the next one begins `length` bytes on.
    Record {
        /// The data.
        data: &'a [u8],
        /// How long the record is with its frame.
        length: u64,
    },
    /// A whole record whose data are damaged; the next one begins `length` bytes on.
    Damaged {
        /// How long the record is with its frame.
        length: u64,
    },
    /// A record that is longer than [`MOST_RECORD`]; the next one begins `length` bytes on.
    TooLong {
        /// How long the record is with its frame.
        length: u64,
    },
    /// A part of a record, of which `length` bytes are needed at least.
    Partial {
        /// How many bytes have to be there before anything can be said.
        length: u64,
    },
    /// No record: the checksum of its length is wrong, and so nobody knows where the next
    /// one begins.
    Lost,
}

/// Looks at the first record of `bytes`.
pub fn next_piece(bytes: &[u8]) -> Piece<'_> {
    let Some((head, rest)) = bytes.split_first_chunk::<HEAD>() else {
        let length = HEAD as u64;
        return Piece::Partial { length };
    };
    let [a, b, c, d, e, f, g, h, crc @ ..] = *head;
    let length = [a, b, c, d, e, f, g, h];
    if masked_crc(&length) != u32::from_le_bytes(crc) {
        return Piece::Lost;
    }
    let size = u64::from_le_bytes(length);
    let length = size.saturating_add((HEAD + TAIL) as u64);
    if size > MOST_RECORD {
        return Piece::TooLong { length };
    }
    // At most 64 MiB, which every usize holds.
    let size = size as usize;
    let (Some(data), Some(crc)) = (rest.get(..size), rest.get(size..size + TAIL)) else {
        return Piece::Partial { length };
    };
    match masked_crc(data).to_le_bytes() == crc {
        true => Piece::Record { data, length },
        false => Piece::Damaged { length },
    }
}

/// `data` as a record.
pub(super) fn framed(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    let mut bytes = Vec::with_capacity(data.len() + HEAD + TAIL);
    bytes.extend(length);
    bytes.extend(masked_crc(&length).to_le_bytes());
    bytes.extend(data);
    bytes.extend(masked_crc(data).to_le_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3720, B.4: the CRC-32C of 32 zero bytes is 8a9136aa; masked as in crc32c.h.
    #[test]
    fn the_checksum_is_that_of_its_standard() {
        let plain = 0x8a91_36aa_u32;
        let masked = plain.rotate_right(15).wrapping_add(0xa282_ead8);
        assert_eq!(masked_crc(&[0; 32]), masked);
    }

    #[test]
    fn a_record_is_whole_partial_damaged_or_lost() {
        let record = framed(b"event");
        let length = record.len() as u64;
        for n in 0..record.len() {
            assert!(
                matches!(next_piece(&record[..n]), Piece::Partial { .. }),
                "{n}"
            );
        }
        let data = b"event";
        assert_eq!(next_piece(&record), Piece::Record { data, length });
        for byte in 0..record.len() {
            let mut bad = record.clone();
            bad[byte] ^= 1;
            let expected = match byte {
                0..12 => Piece::Lost,
                _ => Piece::Damaged { length },
            };
            assert_eq!(next_piece(&bad), expected, "{byte}");
        }
    }

    #[test]
    fn a_huge_length_takes_no_memory() {
        let size = u64::MAX.to_le_bytes();
        let mut bytes = size.to_vec();
        bytes.extend(masked_crc(&size).to_le_bytes());
        let length = u64::MAX;
        assert_eq!(next_piece(&bytes), Piece::TooLong { length });
    }
}
