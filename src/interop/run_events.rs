//! A run as event files, which TensorBoard shows: scalars of epochs and steps, histograms
//! of every tensor on the way, the experiment as text.

use super::InteropError;
use super::event_file::EventWriter;
use crate::insight::distributions::{Spread, on_one_axis};
use crate::insight::run_record::{RunRecord, evenly};
use std::path::{Path, PathBuf};

/// Moments of which there are histograms, at most.
const MOMENTS: usize = 64;
/// Bins of a histogram, at most.
const BINS: usize = 64;

/// Writes a run as an event file, whole or not at all; TensorBoard looks at files with
/// `tfevents` in their names. Events are told to have happened evenly over the `seconds`
/// that the run took from `begin` on, in seconds since 1970.
///
/// Tags are `loss/train`, `loss/validation`, `accuracy/train`, `accuracy/validation`,
/// `learning_rate`, `gradient_norm`; of single steps `step/loss`, `step/learning_rate`,
/// `step/gradient_norm`; histograms `weights/TENSOR`; and the text `experiment`. The step
/// is that of the run.
///
/// # Errors
/// When the file cannot be written.
pub fn write_run_events(path: &Path, record: &RunRecord, begin: f64) -> Result<(), InteropError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // Files of events choose their own names; this one gets another when it is complete.
    let growing = path.with_file_name(format!(".{name}.part"));
    let written = fill(&growing, record, begin).and_then(|file| {
        std::fs::rename(file, path).map_err(|error| InteropError::io(path, error))
    });
    // Nothing can be done where even this fails.
    let _ = std::fs::remove_dir_all(&growing);
    written
}

/// Writes the events into a new file in `folder`.
fn fill(folder: &Path, record: &RunRecord, begin: f64) -> Result<PathBuf, InteropError> {
    let mut events = EventWriter::create(folder, begin)?;
    let last = record.rows.last().map_or(1, |row| row.step.max(1));
    let seconds = record.seconds.unwrap_or(0.0);
    let time = |step: u64| begin + seconds * step.min(last) as f64 / last as f64;
    let text = record.problem.experiment.to_toml();
    let text = text.map_err(|error| InteropError::format(folder, error.to_string()))?;
    // Four spaces make a block of code in Markdown.
    let block: String = text.lines().map(|line| format!("    {line}\n")).collect();
    events.text("experiment", 0, begin, &block)?;
    for row in &record.rows {
        let values = [
            ("loss/train", Some(row.train_loss)),
            ("loss/validation", row.validation_loss),
            ("accuracy/train", row.train_accuracy),
            ("accuracy/validation", row.validation_accuracy),
            (
                "learning_rate",
                Some(row.learning_rate).filter(|rate| !rate.is_nan()),
            ),
            ("gradient_norm", row.gradient_norm),
        ];
        for (tag, value) in values {
            if let Some(value) = value {
                events.scalar(tag, row.step as i64, time(row.step), value)?;
            }
        }
    }
    for row in &record.steps {
        let values = [
            ("step/loss", row.batch_loss),
            ("step/learning_rate", row.learning_rate),
            ("step/gradient_norm", row.gradient_norm),
        ];
        for (tag, value) in values {
            events.scalar(tag, row.step as i64, time(row.step), value)?;
        }
    }
    let moments = evenly(record.path.len(), MOMENTS);
    for tensor in record.problem.network.layout().tensors() {
        let tag = format!("weights/{}", tensor.key());
        for &k in &moments {
            let point = &record.path[k];
            let Some(spread) = Spread::of(&point.params[tensor.range.clone()]) else {
                continue;
            };
            for histogram in on_one_axis(&[&spread], BINS) {
                let edges = (0..=histogram.counts.len()).map(|k| histogram.edge(k));
                let edges: Vec<f64> = edges.collect();
                let counts: Vec<f64> = histogram.counts.iter().map(|&n| n as f64).collect();
                events.histogram(&tag, point.step as i64, time(point.step), &edges, &counts)?;
            }
        }
    }
    events.flush()?;
    Ok(events.path().to_owned())
}
