//! A run's figures as files for other programs: tables and NumPy arrays.

use super::InteropError;
use super::npz::archive;
use crate::insight::run_record::RunRecord;
use ndarray::{Array2, ArrayView1, ArrayViewD};
use serde::Serialize;
use std::path::Path;

/// A row of the table of epochs. The first fields are those of `history.csv`.
#[derive(Serialize)]
struct EpochRow {
    epoch: usize,
    step: u64,
    train_loss: f64,
    train_accuracy: Option<f64>,
    validation_loss: Option<f64>,
    validation_accuracy: Option<f64>,
    learning_rate: Option<f64>,
    gradient_norm: Option<f64>,
}

/// A row of the table of steps.
#[derive(Serialize)]
struct StepTableRow {
    step: u64,
    epoch: f64,
    learning_rate: f64,
    gradient_norm: f64,
    batch_loss: f64,
}

/// Writes the epochs of a run as a table; what is not known is an empty cell.
///
/// # Errors
/// When the file cannot be written.
pub fn write_epochs_csv(path: &Path, record: &RunRecord) -> Result<(), InteropError> {
    let rows = record.rows.iter().map(|row| EpochRow {
        epoch: row.epoch,
        step: row.step,
        train_loss: row.train_loss,
        train_accuracy: row.train_accuracy,
        validation_loss: row.validation_loss,
        validation_accuracy: row.validation_accuracy,
        learning_rate: Some(row.learning_rate).filter(|rate| rate.is_finite()),
        gradient_norm: row.gradient_norm,
    });
    table(path, rows)
}

/// Writes figures of single steps as a table.
///
/// # Errors
/// When they are not known, or the file cannot be written.
pub fn write_steps_csv(path: &Path, record: &RunRecord) -> Result<(), InteropError> {
    if record.steps.is_empty() {
        let message = "nothing is known of single steps of this run; epochs are written as .csv";
        return Err(InteropError::format(path, message));
    }
    let rows = record.steps.iter().map(|row| StepTableRow {
        step: row.step,
        epoch: row.epoch,
        learning_rate: row.learning_rate,
        gradient_norm: row.gradient_norm,
        batch_loss: row.batch_loss,
    });
    table(path, rows)
}

fn table(path: &Path, rows: impl Iterator<Item = impl Serialize>) -> Result<(), InteropError> {
    let failed = |error: String| InteropError::format(path, error);
    let mut csv = csv::Writer::from_writer(Vec::new());
    for row in rows {
        csv.serialize(row)
            .map_err(|error| failed(error.to_string()))?;
    }
    let bytes = csv
        .into_inner()
        .map_err(|error| failed(error.to_string()))?;
    crate::files::replace(path, &bytes).map_err(|error| InteropError::io(path, error))
}

/// Writes a run as NumPy arrays: `epochs/…` `[epochs]`, `steps/…` `[steps]`, `path/steps`,
/// `path/epochs` and `path/losses` `[k]`, `path/params` `[k, parameters]`, and the weights
/// at the end, `weights/…`, an array for each tensor. Where a figure is not known of any
/// epoch it is not there, where it is not of some those are NaN.
///
/// # Errors
/// When the file cannot be written, or the path's points differ in length.
pub fn write_run_npz(path: &Path, record: &RunRecord) -> Result<(), InteropError> {
    let rows = &record.rows;
    let column = |of: &dyn Fn(&crate::train::HistoryRow) -> Option<f64>| -> Option<Vec<f64>> {
        let values = rows.iter().map(|row| of(row).unwrap_or(f64::NAN));
        let values: Vec<f64> = values.collect();
        values.iter().any(|v| !v.is_nan()).then_some(values)
    };
    let epochs = [
        ("train_loss", column(&|row| Some(row.train_loss))),
        ("train_accuracy", column(&|row| row.train_accuracy)),
        ("validation_loss", column(&|row| row.validation_loss)),
        (
            "validation_accuracy",
            column(&|row| row.validation_accuracy),
        ),
        ("learning_rate", column(&|row| Some(row.learning_rate))),
        ("gradient_norm", column(&|row| row.gradient_norm)),
    ];
    let steps = [
        (
            "epoch",
            record.steps.iter().map(|s| s.epoch).collect::<Vec<f64>>(),
        ),
        (
            "learning_rate",
            record.steps.iter().map(|s| s.learning_rate).collect(),
        ),
        (
            "gradient_norm",
            record.steps.iter().map(|s| s.gradient_norm).collect(),
        ),
        (
            "batch_loss",
            record.steps.iter().map(|s| s.batch_loss).collect(),
        ),
    ];
    let points = &record.path;
    let width = points.first().map_or(0, |p| p.params.len());
    let flat: Vec<f32> = points
        .iter()
        .flat_map(|p| p.params.iter().copied())
        .collect();
    let params = Array2::from_shape_vec((points.len(), width), flat)
        .map_err(|error| InteropError::array(path, "path/params", error.to_string()))?;
    let whole = |of: &dyn Fn(usize) -> u64, n: usize| (0..n).map(of).collect::<Vec<u64>>();
    let layout = record.problem.network.layout();
    archive(path, |npz| {
        let epoch = whole(&|k| rows[k].epoch as u64, rows.len());
        npz.add_array("epochs/epoch", &ArrayView1::from(&epoch))?;
        let step = whole(&|k| rows[k].step, rows.len());
        npz.add_array("epochs/step", &ArrayView1::from(&step))?;
        for (name, values) in &epochs {
            if let Some(values) = values {
                npz.add_array(format!("epochs/{name}"), &ArrayView1::from(values))?;
            }
        }
        if !record.steps.is_empty() {
            let step = whole(&|k| record.steps[k].step, record.steps.len());
            npz.add_array("steps/step", &ArrayView1::from(&step))?;
            for (name, values) in &steps {
                npz.add_array(format!("steps/{name}"), &ArrayView1::from(values))?;
            }
        }
        let step = whole(&|k| points[k].step, points.len());
        npz.add_array("path/steps", &ArrayView1::from(&step))?;
        let epoch = whole(&|k| points[k].epoch as u64, points.len());
        npz.add_array("path/epochs", &ArrayView1::from(&epoch))?;
        let losses: Vec<f64> = points.iter().map(|p| p.loss).collect();
        npz.add_array("path/losses", &ArrayView1::from(&losses))?;
        npz.add_array("path/params", &params)?;
        for tensor in layout.tensors() {
            let values = &record.params()[tensor.range.clone()];
            let flat: ArrayViewD<'_, f32> = ArrayView1::from(values).into_dyn();
            // Cannot fail: a tensor's range is as long as its shape says.
            let shaped = flat.clone().into_shape_with_order(&tensor.shape[..]);
            npz.add_array(format!("weights/{}", tensor.key()), &shaped.unwrap_or(flat))?;
        }
        Ok(())
    })
}
