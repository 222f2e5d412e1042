//! The figures of a run that is trained elsewhere, by their steps, as far as they are told.

use super::history::HistoryRow;

/// The most rows that are kept; beyond, every second one goes.
const MOST_ROWS: usize = 16_384;

/// The figures of one step elsewhere, as far as they are told.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ForeignRow {
    /// Steps completed.
    pub step: u64,
    /// The loss of what is trained on.
    pub train_loss: Option<f64>,
    /// The share of right answers among what is trained on.
    pub train_accuracy: Option<f64>,
    /// The loss of what is held back.
    pub validation_loss: Option<f64>,
    /// The share of right answers among what is held back.
    pub validation_accuracy: Option<f64>,
    /// The step size.
    pub learning_rate: Option<f64>,
    /// The gradient's Euclidean norm.
    pub gradient_norm: Option<f64>,
}

impl ForeignRow {
    /// What is told later adds to what was told before.
    fn add(&mut self, later: &ForeignRow) {
        let pairs = [
            (&mut self.train_loss, later.train_loss),
            (&mut self.train_accuracy, later.train_accuracy),
            (&mut self.validation_loss, later.validation_loss),
            (&mut self.validation_accuracy, later.validation_accuracy),
            (&mut self.learning_rate, later.learning_rate),
            (&mut self.gradient_norm, later.gradient_norm),
        ];
        for (ours, theirs) in pairs {
            *ours = theirs.or(*ours);
        }
    }
}

/// The rows that were told, rising by their steps. A row's `epoch` is its number among them,
/// as elsewhere an epoch is not told.
#[derive(Debug, Clone, Default)]
pub struct ForeignHistory {
    rows: Vec<ForeignRow>,
    /// From this one on they are to be told again: others may come between them.
    fresh: usize,
}

impl ForeignHistory {
    /// Takes in what was told of a step.
    pub fn take(&mut self, row: &ForeignRow) {
        let at = self.rows.partition_point(|r| r.step < row.step);
        match self.rows.get_mut(at).filter(|r| r.step == row.step) {
            Some(known) => known.add(row),
            None => self.rows.insert(at, *row),
        }
        self.fresh = self.fresh.min(at);
        if self.rows.len() > MOST_ROWS {
            let mut number = 0;
            self.rows.retain(|_| {
                number += 1;
                number % 2 == 1
            });
            self.fresh = 0;
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The number of the first one that [`tell`](Self::tell) will tell.
    pub fn fresh(&self) -> usize {
        self.fresh
    }

    /// The newest learning rate.
    pub fn learning_rate(&self) -> Option<f64> {
        self.rows.iter().rev().find_map(|row| row.learning_rate)
    }

    /// Forgets what was told of step `step` and later ones.
    pub fn forget_from(&mut self, step: u64) {
        self.rows
            .truncate(self.rows.partition_point(|r| r.step < step));
        self.fresh = self.fresh.min(self.rows.len());
    }

    /// The rows that are new or stand elsewhere than before, where the loss is known.
    pub fn tell(&mut self) -> impl Iterator<Item = HistoryRow> {
        let fresh = std::mem::replace(&mut self.fresh, self.rows.len());
        let mut rate = self.rows[..fresh]
            .iter()
            .rev()
            .find_map(|r| r.learning_rate);
        let rows = self.rows.iter().enumerate().skip(fresh);
        rows.filter_map(move |(epoch, row)| {
            // A rate that is told now and then holds on.
            rate = row.learning_rate.or(rate);
            Some(HistoryRow {
                epoch,
                step: row.step,
                train_loss: row.train_loss?,
                train_accuracy: row.train_accuracy,
                validation_loss: row.validation_loss,
                validation_accuracy: row.validation_accuracy,
                learning_rate: rate.unwrap_or(f64::NAN),
                gradient_norm: row.gradient_norm,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_forgotten_is_told_again_from_there() {
        let mut history = ForeignHistory::default();
        let row = |step: u64, loss: f64| ForeignRow {
            step,
            train_loss: Some(loss),
            ..ForeignRow::default()
        };
        for step in [1, 2, 3, 4] {
            history.take(&row(step, step as f64));
        }
        assert_eq!(history.tell().count(), 4);
        history.forget_from(3);
        assert_eq!((history.len(), history.fresh()), (2, 2));
        history.take(&row(3, 9.0));
        let told: Vec<_> = history.tell().map(|r| (r.epoch, r.train_loss)).collect();
        assert_eq!(told, [(2, 9.0)]);
    }
}
