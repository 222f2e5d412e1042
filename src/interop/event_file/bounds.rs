//! What an event may consist of, looked at before memory is taken for it: a part of two bytes
//! becomes a structure of hundreds.

use super::super::model::protobuf::{Field, Message};

/// The most values of one event.
const MOST_VALUES: usize = 100_000;
/// The most numbers, sides and texts of all its values together.
const MOST_PARTS: usize = 1_000_000;

/// Fields of the messages that are read: `Event.summary`, `Summary.value`, and of a value its
/// histogram and its tensor.
const SUMMARY: u64 = 5;
const VALUE: u64 = 1;
const HISTOGRAM: u64 = 5;
const TENSOR: u64 = 8;
/// `TensorProto.tensor_shape`, and its lists of whole numbers, which take a byte each.
const SHAPE: u64 = 2;
const WHOLE: [u64; 3] = [7, 10, 13];

/// Refuses an event of more parts than any program writes.
///
/// # Errors
/// When it is one, or is not a message at all.
pub(super) fn check(event: &[u8]) -> Result<(), String> {
    let (mut values, mut parts) = (0, 0);
    let mut event = Message::new(event);
    while let Some((number, field)) = event.next()? {
        let (SUMMARY, Field::Bytes(summary)) = (number, field) else {
            continue;
        };
        let mut summary = Message::new(summary);
        while let Some((number, field)) = summary.next()? {
            let (VALUE, Field::Bytes(value)) = (number, field) else {
                continue;
            };
            values += 1;
            at_most(values, MOST_VALUES, "values")?;
            let mut value = Message::new(value);
            while let Some(field) = value.next()? {
                match field {
                    (HISTOGRAM, Field::Bytes(histogram)) => fields(histogram, &mut parts)?,
                    (TENSOR, Field::Bytes(tensor)) => tensor_parts(tensor, &mut parts)?,
                    _ => {}
                }
            }
        }
    }
    Ok(())
}

fn fields(message: &[u8], parts: &mut usize) -> Result<(), String> {
    let mut message = Message::new(message);
    while message.next()?.is_some() {
        count(1, parts)?;
    }
    Ok(())
}

fn tensor_parts(tensor: &[u8], parts: &mut usize) -> Result<(), String> {
    let mut tensor = Message::new(tensor);
    while let Some((number, field)) = tensor.next()? {
        count(1, parts)?;
        if let Field::Bytes(bytes) = field {
            if number == SHAPE {
                fields(bytes, parts)?;
            } else if WHOLE.contains(&number) {
                // Packed: each ends with a byte whose highest bit is not set.
                count(bytes.iter().filter(|&&byte| byte < 128).count(), parts)?;
            }
        }
    }
    Ok(())
}

fn count(more: usize, parts: &mut usize) -> Result<(), String> {
    *parts = parts.saturating_add(more);
    at_most(*parts, MOST_PARTS, "numbers")
}

fn at_most(found: usize, most: usize, what: &str) -> Result<(), String> {
    match found <= most {
        true => Ok(()),
        false => Err(format!("has more than the {most} {what} that are read")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(number: u8, body: &[u8]) -> Vec<u8> {
        let mut bytes = vec![number << 3 | 2];
        let mut length = body.len();
        while length >= 128 {
            bytes.push(length as u8 | 128);
            length >>= 7;
        }
        bytes.push(length as u8);
        [&bytes, body].concat()
    }

    fn of_value(value: &[u8]) -> Vec<u8> {
        message(5, &message(1, value))
    }

    #[test]
    fn many_parts_of_two_bytes_are_refused_and_many_numbers_of_a_histogram_are_not() {
        let empty = [0x0a, 0];
        assert!(check(&message(5, &empty.repeat(MOST_VALUES))).is_ok());
        assert!(check(&message(5, &empty.repeat(MOST_VALUES + 1))).is_err());
        let sides = message(2, &[0x12, 0].repeat(MOST_PARTS + 1));
        assert!(check(&of_value(&message(8, &sides))).is_err());
        let texts = [0x42, 0].repeat(MOST_PARTS + 1);
        assert!(check(&of_value(&message(8, &texts))).is_err());
        let wholes = message(10, &vec![1; MOST_PARTS + 1]);
        assert!(check(&of_value(&message(8, &wholes))).is_err());
        // 100,000 bins, their ends and their counts one by one.
        let bins = [[0x31; 9], [0x39; 9]].concat().repeat(100_000);
        assert!(check(&of_value(&message(5, &bins))).is_ok());
        // Pictures are passed over, however long.
        assert!(check(&of_value(&message(4, &vec![0; 1 << 20]))).is_ok());
        assert!(check(&[0x2a, 5, 0]).is_err());
    }
}
