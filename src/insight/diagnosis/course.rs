//! How the losses of a run went from epoch to epoch.

use crate::train::HistoryRow;

/// The losses of a run and what there is to say of their last stretch.
pub(super) struct Course<'a> {
    pub rows: &'a [HistoryRow],
    stretch: &'a [HistoryRow],
    epochs: usize,
}

impl<'a> Course<'a> {
    /// Of rows, oldest first, whose last stretch is at least `least` epochs or a third of all, if
    /// that is more.
    pub(super) fn new(rows: &'a [HistoryRow], least: usize) -> Self {
        let last = rows.last().map_or(0, |row| row.epoch);
        let epochs = least.max(last / 3);
        let from = last.saturating_sub(epochs);
        let begin = rows.partition_point(|row| row.epoch < from);
        Course {
            rows,
            stretch: &rows[begin..],
            epochs,
        }
    }

    /// Whether the run has gone on for a stretch, with rows enough to speak of one.
    pub(super) fn is_long(&self) -> bool {
        let last = self.rows.last().map_or(0, |row| row.epoch);
        last >= self.epochs && self.stretch.len() >= 8
    }

    /// How much the training loss fell from the first to the second half of the stretch, as
    /// a share of the first; below 0 where it rose.
    pub(super) fn progress(&self) -> Option<f64> {
        let (early, late) = self.stretch.split_at(self.stretch.len() / 2);
        let mean = |rows: &[HistoryRow]| {
            rows.iter().map(|row| row.train_loss).sum::<f64>() / rows.len() as f64
        };
        (self.is_long() && !early.is_empty()).then(|| 1.0 - mean(late) / mean(early))
    }

    /// The share of epochs of the stretch after which the training loss turned, and the
    /// mean size of its changes.
    pub(super) fn swing(&self) -> Option<(f64, f64)> {
        if !self.is_long() {
            return None;
        }
        let pairs = self.stretch.windows(2);
        let changes: Vec<f64> = pairs.map(|w| w[1].train_loss - w[0].train_loss).collect();
        let turns = changes.windows(2).filter(|w| w[0] * w[1] < 0.0).count();
        let size = changes.iter().map(|c| c.abs()).sum::<f64>() / changes.len() as f64;
        Some((turns as f64 / (changes.len() - 1) as f64, size))
    }

    /// The mean of `figure` over the last third of the stretch.
    pub(super) fn recent(&self, figure: impl Fn(&HistoryRow) -> Option<f64>) -> Option<f64> {
        let rows = &self.stretch[self.stretch.len() - self.stretch.len().div_ceil(3)..];
        let values: Vec<f64> = rows.iter().filter_map(figure).collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    }

    /// Where the validation loss, each the mean of three rows', was least, and its rise
    /// since, as a share. None with fewer rows.
    pub(super) fn rise(&self) -> Option<Rise> {
        let rows: Option<Vec<(f64, f64)>> = self
            .rows
            .windows(3)
            .map(|w| {
                let validation: Option<f64> = w.iter().map(|row| row.validation_loss).sum();
                let train: f64 = w.iter().map(|row| row.train_loss).sum();
                validation.map(|v| (v / 3.0, train / 3.0))
            })
            .collect();
        let rows = rows?;
        let best = *rows.iter().min_by(|a, b| a.0.total_cmp(&b.0))?;
        let (validation, train) = *rows.last()?;
        Some(Rise {
            by: validation / best.0 - 1.0,
            gap: validation / train,
            train_fell: train < best.1,
        })
    }
}

/// How the validation loss went since it was least.
pub(super) struct Rise {
    /// The loss now over the least, less 1.
    pub by: f64,
    /// The validation loss now over the training loss now.
    pub gap: f64,
    /// Whether the training loss fell meanwhile.
    pub train_fell: bool,
}
