//! From protocol buffers to numbers with names.

use super::super::safetensors::from_half;
use super::bounds;
use super::message::{Content, EventProto, HistogramProto, TensorProto, Value, What, dtype};
use prost::Message;
use std::collections::HashMap;

/// The most bins of a histogram that are read, and the most characters of a text.
const MOST_BINS: usize = 100_000;
const MOST_TEXT: usize = 1 << 20;
/// The most tags whose plugin is kept in mind, and the most characters of both names.
const MOST_TAGS: usize = 100_000;
const MOST_NAME: usize = 1000;

/// Something that was logged.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// What it is called.
    pub tag: String,
    /// The step that it belongs to.
    pub step: i64,
    /// When it was logged, in seconds since 1970.
    pub wall_time: f64,
    /// The value.
    pub value: EventValue,
}

/// What was logged.
#[derive(Debug, Clone, PartialEq)]
pub enum EventValue {
    /// One number.
    Scalar(f64),
    /// How many numbers lie where.
    Histogram(EventHistogram),
    /// A text.
    Text(String),
}

/// Counts in bins, those at both ends that hold nothing left out.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EventHistogram {
    /// Where each bin begins, where it ends, and how many numbers it holds (a fraction
    /// where the writer's bins were others).
    pub bins: Vec<[f64; 3]>,
}

impl EventHistogram {
    /// How many numbers there are in all.
    pub fn total(&self) -> f64 {
        self.bins.iter().map(|[_, _, count]| count).sum()
    }

    /// From the beginning of the first bin to the end of the last one; none of none.
    pub fn range(&self) -> Option<[f64; 2]> {
        Some([self.bins.first()?[0], self.bins.last()?[1]])
    }
}

/// Keeps what has to be known from one event to the next: which plugin a tag is for, which
/// some writers say with its first value only.
#[derive(Debug, Clone, Default)]
pub(super) struct Decoder {
    plugins: HashMap<String, String>,
}

impl Decoder {
    /// The values of a record that are read.
    ///
    /// # Errors
    /// When it is not an `Event`, or one of its values is not what it says it is; the
    /// others are in `into` all the same.
    pub(super) fn decode(&mut self, record: &[u8], into: &mut Vec<Event>) -> Result<(), String> {
        bounds::check(record)?;
        let event = EventProto::decode(record).map_err(|error| format!("is no event: {error}"))?;
        let Some(What::Summary(summary)) = event.what else {
            return Ok(());
        };
        let mut wrong = Ok(());
        for value in summary.value {
            match self.value(&value) {
                Ok(None) => {}
                Ok(Some(read)) => into.push(Event {
                    tag: value.tag,
                    step: event.step,
                    wall_time: event.wall_time,
                    value: read,
                }),
                Err(why) => wrong = wrong.and(Err(format!("{:?}: {why}", value.tag))),
            }
        }
        wrong
    }

    fn value(&mut self, value: &Value) -> Result<Option<EventValue>, String> {
        let plugin = value.metadata.as_ref().and_then(|m| m.plugin.as_ref());
        if let Some(plugin) = plugin
            && !plugin.name.is_empty()
            && self.plugins.len() < MOST_TAGS
            && value.tag.len() + plugin.name.len() <= MOST_NAME
        {
            self.plugins.insert(value.tag.clone(), plugin.name.clone());
        }
        let plugin = self.plugins.get(&value.tag).map(String::as_str);
        match &value.content {
            None => Ok(None),
            Some(Content::Simple(x)) => Ok(Some(EventValue::Scalar(f64::from(*x)))),
            Some(Content::Histogram(histogram)) => bins(histogram).map(histogram_of),
            Some(Content::Tensor(tensor)) => match plugin {
                Some("histograms") => rows(tensor).map(histogram_of),
                Some("text") => Ok(text(tensor).map(EventValue::Text)),
                Some("scalars") => scalar(tensor)?
                    .map(|x| Some(EventValue::Scalar(x)))
                    .ok_or_else(|| "is for the plugin scalars and is no single number".to_owned()),
                Some(_) => Ok(None),
                // Without a word about it, a single number is a scalar.
                None => Ok(scalar(tensor)?.map(EventValue::Scalar)),
            },
        }
    }
}

fn histogram_of(bins: Vec<[f64; 3]>) -> Option<EventValue> {
    Some(EventValue::Histogram(EventHistogram { bins }))
}

/// The bins of a `HistogramProto`, as TensorBoard takes them (`data_compat.py`,
/// `_migrate_histogram_value`): from the first that holds something to the last, the outer
/// ends where the least and the greatest number lie.
fn bins(histogram: &HistogramProto) -> Result<Vec<[f64; 3]>, String> {
    let (limits, counts) = (&histogram.bucket_limit, &histogram.bucket);
    if limits.len() != counts.len() {
        return Err(format!(
            "a histogram with {} ends of bins and {} counts",
            limits.len(),
            counts.len()
        ));
    }
    if counts.len() > MOST_BINS {
        return Err(too_many(counts.len()));
    }
    let Some(first) = counts.iter().position(|&count| count > 0.0) else {
        return Ok(Vec::new());
    };
    let last = counts
        .iter()
        .rposition(|&count| count > 0.0)
        .unwrap_or(first);
    let bin = |k: usize| {
        let left = if k == first {
            histogram.min
        } else {
            limits[k - 1]
        };
        let right = if k == last { histogram.max } else { limits[k] };
        [left, right, counts[k]]
    };
    checked((first..=last).map(bin).collect())
}

/// The rows of a `[k, 3]` tensor: begin, end, count.
fn rows(tensor: &TensorProto) -> Result<Vec<[f64; 3]>, String> {
    let shape = sides(tensor)?;
    let &[bins, 3] = &shape[..] else {
        return Err(format!(
            "a histogram of the shape {shape:?}; it has to be [bins, 3]"
        ));
    };
    if bins > MOST_BINS {
        return Err(too_many(bins));
    }
    let values = numbers(tensor, bins * 3)?;
    let rows = values.ok_or("a histogram of something other than numbers")?;
    let rows: Vec<[f64; 3]> = rows.as_chunks::<3>().0.to_vec();
    // As with the other form: what holds nothing at both ends goes.
    let (first, last) = (
        rows.iter().position(|row| row[2] > 0.0),
        rows.iter().rposition(|row| row[2] > 0.0),
    );
    checked(match (first, last) {
        (Some(first), Some(last)) => rows[first..=last].to_vec(),
        _ => Vec::new(),
    })
}

fn too_many(bins: usize) -> String {
    format!("a histogram of {bins} bins; at most {MOST_BINS} are read")
}

fn checked(bins: Vec<[f64; 3]>) -> Result<Vec<[f64; 3]>, String> {
    match bins.iter().flatten().all(|x| x.is_finite()) {
        true => Ok(bins),
        false => Err("a histogram with a number that is not finite".to_owned()),
    }
}

fn sides(tensor: &TensorProto) -> Result<Vec<usize>, String> {
    let dims = tensor.shape.iter().flat_map(|shape| &shape.dim);
    let sides: Option<Vec<usize>> = dims.map(|dim| usize::try_from(dim.size).ok()).collect();
    sides.ok_or_else(|| "a tensor with a side of less than nothing".to_owned())
}

/// The number, if it is one.
fn scalar(tensor: &TensorProto) -> Result<Option<f64>, String> {
    if sides(tensor)?.iter().any(|&side| side != 1) {
        return Ok(None);
    }
    Ok(numbers(tensor, 1)?.map(|values| values[0]))
}

fn text(tensor: &TensorProto) -> Option<String> {
    let bytes = tensor
        .strings
        .first()
        .filter(|_| tensor.dtype == dtype::STRING)?;
    Some(String::from_utf8_lossy(&bytes[..bytes.len().min(MOST_TEXT)]).into_owned())
}

/// `n` numbers, or none for a type that is not read.
fn numbers(tensor: &TensorProto, n: usize) -> Result<Option<Vec<f64>>, String> {
    fn packed<const N: usize>(content: &[u8], read: impl Fn([u8; N]) -> f64) -> Vec<f64> {
        content
            .as_chunks::<N>()
            .0
            .iter()
            .map(|&b| read(b))
            .collect()
    }
    let wide = |bits: u16| f64::from(f32::from_bits(u32::from(bits) << 16));
    let content = &tensor.content[..];
    let is_packed = !content.is_empty();
    let width = match tensor.dtype {
        dtype::DOUBLE | dtype::INT64 => 8,
        dtype::FLOAT | dtype::INT32 => 4,
        dtype::HALF | dtype::BFLOAT16 => 2,
        _ => return Ok(None),
    };
    // Before memory is taken for them.
    let found = match is_packed {
        true => content.len() / width,
        false => 0,
    };
    if is_packed && found != n {
        return Err(format!("a tensor of {found} numbers for {n} places"));
    }
    let mut values: Vec<f64> = match tensor.dtype {
        dtype::FLOAT if is_packed => packed(content, |b| f64::from(f32::from_le_bytes(b))),
        dtype::FLOAT => tensor.floats.iter().map(|&x| f64::from(x)).collect(),
        dtype::DOUBLE if is_packed => packed(content, f64::from_le_bytes),
        dtype::DOUBLE => tensor.doubles.clone(),
        dtype::INT32 if is_packed => packed(content, |b| f64::from(i32::from_le_bytes(b))),
        dtype::INT32 => tensor.ints.iter().map(|&x| f64::from(x)).collect(),
        dtype::INT64 if is_packed => packed(content, |b| i64::from_le_bytes(b) as f64),
        dtype::INT64 => tensor.longs.iter().map(|&x| x as f64).collect(),
        dtype::HALF if is_packed => {
            packed(content, |b| f64::from(from_half(u16::from_le_bytes(b))))
        }
        // The low 16 bits of each.
        dtype::HALF => tensor
            .halves
            .iter()
            .map(|&x| f64::from(from_half(x as u16)))
            .collect(),
        dtype::BFLOAT16 if is_packed => packed(content, |b| wide(u16::from_le_bytes(b))),
        dtype::BFLOAT16 => tensor.halves.iter().map(|&x| wide(x as u16)).collect(),
        _ => return Ok(None),
    };
    if values.len() > n {
        return Err(format!(
            "a tensor of {} numbers for {n} places",
            values.len()
        ));
    }
    match values.last() {
        Some(&last) => values.resize(n, last),
        None if n == 0 => {}
        // Proto3 leaves out what is zero.
        None => values.resize(n, 0.0),
    }
    Ok(Some(values))
}
