//! The curves of a run in the page.

use super::pack::Packed;
use crate::insight::run_record::{RunRecord, evenly};
use crate::train::HistoryRow;
use serde::Serialize;

/// Epochs that are drawn, at most.
const EPOCHS: usize = 1500;
/// Steps of which figures are drawn, at most.
const STEPS: usize = 2000;

/// Columns of numbers; a column that is not known is none.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Curves {
    /// Epochs of the run's record, and how many of them are here.
    counts: [usize; 2],
    epoch: Packed,
    step: Packed,
    train_loss: Packed,
    train_accuracy: Option<Packed>,
    validation_loss: Option<Packed>,
    validation_accuracy: Option<Packed>,
    learning_rate: Option<Packed>,
    gradient_norm: Option<Packed>,
    steps: Option<Steps>,
}

/// Figures of single steps.
#[derive(Debug, Clone, Serialize)]
struct Steps {
    step: Packed,
    epoch: Packed,
    learning_rate: Packed,
    gradient_norm: Packed,
    batch_loss: Packed,
}

impl Curves {
    /// Those of a record.
    pub fn of(record: &RunRecord) -> Self {
        let chosen = evenly(record.rows.len(), EPOCHS);
        let rows: Vec<&HistoryRow> = chosen.iter().map(|&k| &record.rows[k]).collect();
        // Double precision: what the page says is what the run's own files say.
        let maybe = |of: &dyn Fn(&HistoryRow) -> Option<f64>| {
            let known = rows.iter().any(|row| of(row).is_some_and(f64::is_finite));
            let values = rows.iter().map(|row| of(row).unwrap_or(f64::NAN));
            known.then(|| Packed::f64(values))
        };
        let steps = evenly(record.steps.len(), STEPS);
        let column = |of: fn(&crate::insight::recording::StepRow) -> f64| {
            Packed::f32(steps.iter().map(|&k| of(&record.steps[k]) as f32))
        };
        Curves {
            counts: [record.rows.len(), rows.len()],
            epoch: Packed::u32(rows.iter().map(|row| row.epoch as u64)),
            step: Packed::u32(rows.iter().map(|row| row.step)),
            train_loss: Packed::f64(rows.iter().map(|row| row.train_loss)),
            train_accuracy: maybe(&|row| row.train_accuracy),
            validation_loss: maybe(&|row| row.validation_loss),
            validation_accuracy: maybe(&|row| row.validation_accuracy),
            learning_rate: maybe(&|row| Some(row.learning_rate)),
            gradient_norm: maybe(&|row| row.gradient_norm),
            steps: (!steps.is_empty()).then(|| Steps {
                step: Packed::u32(steps.iter().map(|&k| record.steps[k].step)),
                epoch: column(|row| row.epoch),
                learning_rate: column(|row| row.learning_rate),
                gradient_norm: column(|row| row.gradient_norm),
                batch_loss: column(|row| row.batch_loss),
            }),
        }
    }
}
