//! What each epoch came to.

use super::evaluate::Score;
use serde::{Deserialize, Serialize};

/// One epoch's figures, evaluated with the weights at its end. The field names
/// are those of `train --json`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct HistoryRow {
    /// Epochs completed; 0 is before training.
    pub epoch: usize,
    /// Steps completed.
    pub step: u64,
    /// Mean data loss over the training part.
    pub train_loss: f64,
    /// Share of right answers in the training part, or null.
    pub train_accuracy: Option<f64>,
    /// Mean data loss over the validation part, or null without one.
    pub validation_loss: Option<f64>,
    /// Share of right answers in the validation part, or null.
    pub validation_accuracy: Option<f64>,
    /// The learning rate of the last step, at the start of the one to come. Not
    /// among the fields of `train --json` and the history's files.
    #[serde(skip)]
    pub learning_rate: f64,
    /// The Euclidean norm of the gradient that the last step was made from, penalties
    /// included; none before the first. Not among those fields either.
    #[serde(skip)]
    pub gradient_norm: Option<f64>,
}

impl HistoryRow {
    pub(super) fn new(
        (epoch, step): (usize, u64),
        (learning_rate, gradient_norm): (f64, Option<f64>),
        train: Score,
        validation: Option<Score>,
    ) -> Self {
        HistoryRow {
            epoch,
            step,
            train_loss: train.loss,
            train_accuracy: train.accuracy,
            validation_loss: validation.map(|v| v.loss),
            validation_accuracy: validation.and_then(|v| v.accuracy),
            learning_rate,
            gradient_norm,
        }
    }
}

/// The epochs so far, bounded: when it is full every second row goes, never
/// the first or the last, and from then on it keeps epochs twice as far apart.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    rows: Vec<HistoryRow>,
    stride: usize,
    capacity: usize,
}

impl Default for History {
    fn default() -> Self {
        History::with_capacity(8192)
    }
}

impl History {
    /// A history of at most `capacity` rows (at least 4).
    pub fn with_capacity(capacity: usize) -> Self {
        History {
            rows: Vec::new(),
            stride: 1,
            capacity: capacity.max(4),
        }
    }

    /// Adds the newest row. Rows of its epoch or later ones go: after a rewind
    /// they tell of a future that did not come.
    pub fn push(&mut self, row: HistoryRow) {
        while self.rows.last().is_some_and(|last| last.epoch >= row.epoch) {
            self.rows.pop();
        }
        // The last row stands in until one on the stride replaces it.
        if let Some(last) = self.rows.last()
            && last.epoch % self.stride != 0
        {
            self.rows.pop();
        }
        self.rows.push(row);
        if self.rows.len() > self.capacity {
            self.stride *= 2;
            let (stride, last) = (self.stride, row.epoch);
            self.rows
                .retain(|r| r.epoch % stride == 0 || r.epoch == last);
        }
    }

    /// The rows, oldest first.
    pub fn rows(&self) -> &[HistoryRow] {
        &self.rows
    }

    /// The newest row.
    pub fn last(&self) -> Option<&HistoryRow> {
        self.rows.last()
    }

    /// How many epochs apart the rows are kept.
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.rows.clear();
        self.stride = 1;
    }

    /// Forgets what came after `epoch`.
    pub fn truncate_after(&mut self, epoch: usize) {
        self.rows.retain(|row| row.epoch <= epoch);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_earlier_epoch_replaces_what_came_after_it() {
        let row = |epoch: usize, train_loss: f64| HistoryRow {
            epoch,
            step: epoch as u64,
            train_loss,
            train_accuracy: None,
            validation_loss: None,
            validation_accuracy: None,
            learning_rate: 0.1,
            gradient_norm: None,
        };
        let mut history = History::default();
        (0..6).for_each(|epoch| history.push(row(epoch, 1.0)));
        (4..8).for_each(|epoch| history.push(row(epoch, 2.0)));
        let seen: Vec<_> = history
            .rows()
            .iter()
            .map(|r| (r.epoch, r.train_loss))
            .collect();
        let expected = (0..8).map(|epoch| (epoch, if epoch < 4 { 1.0 } else { 2.0 }));
        assert_eq!(seen, expected.collect::<Vec<_>>());
    }

    #[test]
    fn a_full_history_thins_and_keeps_first_and_last() {
        let mut history = History::with_capacity(10);
        for epoch in 0..1000 {
            history.push(HistoryRow {
                epoch,
                step: epoch as u64,
                train_loss: 1.0 / (epoch + 1) as f64,
                train_accuracy: None,
                validation_loss: None,
                validation_accuracy: None,
                learning_rate: 0.1,
                gradient_norm: None,
            });
            assert!(history.rows().len() <= 10);
            assert_eq!(history.rows()[0].epoch, 0);
            assert_eq!(history.last().unwrap().epoch, epoch);
        }
        let epochs: Vec<_> = history.rows().iter().map(|r| r.epoch).collect();
        assert!(epochs.windows(2).all(|w| w[0] < w[1]));
        assert_eq!(history.stride(), 128);
    }
}
