//! What a run has come to, in figures that can stand beside another's.

use crate::train::{HistoryRow, Problem};
use serde::Serialize;

/// The figures of a run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Outcome {
    /// Trainable parameters.
    pub parameters: usize,
    /// Layers.
    pub layers: usize,
    /// Multiply-adds of one sample's way forward.
    pub multiply_adds: usize,
    /// Epochs made.
    pub epochs: usize,
    /// Steps made.
    pub steps: u64,
    /// Loss over the training part after the last epoch.
    pub train_loss: f64,
    /// The same over what is held back.
    pub validation_loss: Option<f64>,
    /// Accuracy on the training part, of a classification.
    pub train_accuracy: Option<f64>,
    /// The same on what is held back.
    pub validation_accuracy: Option<f64>,
    /// The lowest loss over what is held back (where nothing is, over the training part)
    /// after any epoch, and that epoch.
    pub best: (f64, usize),
}

impl Outcome {
    /// Of a run with these rows, oldest first; none without a row.
    pub fn of(problem: &Problem, rows: &[HistoryRow]) -> Option<Self> {
        let last = rows.last()?;
        let structure = crate::insight::structure::Structure::of(&problem.network);
        let watched = |row: &HistoryRow| row.validation_loss.unwrap_or(row.train_loss);
        let finite = rows.iter().filter(|row| watched(row).is_finite());
        let best = finite.min_by(|a, b| watched(a).total_cmp(&watched(b)));
        Some(Outcome {
            parameters: structure.parameters,
            layers: problem.network.layers().len(),
            multiply_adds: structure.multiply_adds,
            epochs: last.epoch,
            steps: last.step,
            train_loss: last.train_loss,
            validation_loss: last.validation_loss,
            train_accuracy: last.train_accuracy,
            validation_accuracy: last.validation_accuracy,
            best: best.map_or((f64::NAN, 0), |row| (watched(row), row.epoch)),
        })
    }
}
