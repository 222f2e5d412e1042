//! Writes event files that TensorBoard shows.

use super::NAME_PART;
use super::message::{
    Content, Dim, EventProto, HistogramProto, Metadata, Plugin, Summary, TensorProto, TensorShape,
    Value, What, dtype,
};
use super::record::framed;
use crate::interop::InteropError;
use prost::Message;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// An event file that is being written. What was written is in the file at the latest when
/// it is flushed or dropped.
#[derive(Debug)]
pub struct EventWriter {
    path: PathBuf,
    file: BufWriter<File>,
}

impl EventWriter {
    /// Begins a new event file in `folder`, which is made if need be; TensorBoard takes
    /// each folder for a run. `wall_time` is now, in seconds since 1970, and comes into the
    /// file's name, `events.out.tfevents.SECONDS.gradscape` with a number behind it where
    /// there is one already.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn create(folder: &Path, wall_time: f64) -> Result<Self, InteropError> {
        std::fs::create_dir_all(folder).map_err(|error| InteropError::io(folder, error))?;
        let seconds = wall_time.max(0.0) as u64;
        let mut number = 0;
        let (path, file) = loop {
            let name = format!("events.out.{NAME_PART}.{seconds:010}.gradscape.{number}");
            let path = folder.join(name);
            match File::create_new(&path) {
                Ok(file) => break (path, file),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(InteropError::io(&path, error)),
            }
        };
        let mut writer = EventWriter {
            path,
            file: BufWriter::new(file),
        };
        // Without it TensorBoard takes the file for one of an older form.
        writer.write(EventProto {
            wall_time,
            step: 0,
            what: Some(What::FileVersion("brain.Event:2".to_owned())),
        })?;
        Ok(writer)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a number. Event files have single precision.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn scalar(
        &mut self,
        tag: &str,
        step: i64,
        wall_time: f64,
        value: f64,
    ) -> Result<(), InteropError> {
        self.value(tag, step, wall_time, Content::Simple(value as f32), None)
    }

    /// Adds a histogram: bin `k` reaches from `edges[k]` to `edges[k + 1]` and holds
    /// `counts[k]` numbers. The sums that the form has besides are those of numbers in the
    /// middle of their bins.
    ///
    /// # Errors
    /// When there is not one edge more than counts, an edge is less than the one before it
    /// or not finite, or the file cannot be written.
    pub fn histogram(
        &mut self,
        tag: &str,
        step: i64,
        wall_time: f64,
        edges: &[f64],
        counts: &[f64],
    ) -> Result<(), InteropError> {
        let ordered = edges.iter().all(|x| x.is_finite()) && edges.is_sorted();
        let countable = counts.iter().all(|&n| n.is_finite() && n >= 0.0);
        if edges.len() != counts.len() + 1 || !ordered || !countable {
            return Err(InteropError::format(
                &self.path,
                format!(
                    "{tag}: a histogram needs finite edges in order, one more than counts; there \
                     are {} edges and {} counts",
                    edges.len(),
                    counts.len()
                ),
            ));
        }
        // Readers take the least number for the beginning of the first bin.
        let held = |&n: &f64| n > 0.0;
        let first = counts.iter().position(held).unwrap_or(0);
        let last = counts.iter().rposition(held).unwrap_or(0);
        let (counts, edges) = match counts.iter().any(held) {
            true => (&counts[first..=last], &edges[first..=last + 1]),
            false => (&counts[..0], &edges[..1]),
        };
        let middles = edges.windows(2).map(|e| 0.5 * (e[0] + e[1]));
        let weighted = |power: i32| -> f64 {
            let all = middles.clone().zip(counts);
            all.map(|(x, n)| x.powi(power) * n).sum()
        };
        let histogram = HistogramProto {
            min: edges[0],
            max: edges[edges.len() - 1],
            num: counts.iter().sum(),
            sum: weighted(1),
            sum_squares: weighted(2),
            bucket_limit: edges[1..].to_vec(),
            bucket: counts.to_vec(),
        };
        self.value(tag, step, wall_time, Content::Histogram(histogram), None)
    }

    /// Adds a text, which TensorBoard shows as Markdown.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn text(
        &mut self,
        tag: &str,
        step: i64,
        wall_time: f64,
        text: &str,
    ) -> Result<(), InteropError> {
        let tensor = TensorProto {
            dtype: dtype::STRING,
            shape: Some(TensorShape {
                dim: vec![Dim { size: 1 }],
            }),
            strings: vec![text.as_bytes().to_vec()],
            ..TensorProto::default()
        };
        self.value(tag, step, wall_time, Content::Tensor(tensor), Some("text"))
    }

    /// Brings everything that was written into the file.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn flush(&mut self) -> Result<(), InteropError> {
        let path = &self.path;
        self.file
            .flush()
            .map_err(|error| InteropError::io(path, error))
    }

    fn value(
        &mut self,
        tag: &str,
        step: i64,
        wall_time: f64,
        content: Content,
        plugin: Option<&str>,
    ) -> Result<(), InteropError> {
        let plugin = plugin.map(|name| Metadata {
            plugin: Some(Plugin {
                name: name.to_owned(),
                content: Vec::new(),
            }),
        });
        let value = Value {
            tag: tag.to_owned(),
            metadata: plugin,
            content: Some(content),
        };
        self.write(EventProto {
            wall_time,
            step,
            what: Some(What::Summary(Summary { value: vec![value] })),
        })
    }

    fn write(&mut self, event: EventProto) -> Result<(), InteropError> {
        let record = framed(&event.encode_to_vec());
        let path = &self.path;
        self.file
            .write_all(&record)
            .map_err(|error| InteropError::io(path, error))
    }
}
