//! What follows from the losses after each epoch: a lower learning rate, or
//! the end of the run; and the best weights so far.

use super::history::HistoryRow;
use super::stop::StopReason;
use crate::experiment::{EarlyStopping, TrainingConfig};
use crate::optim::{Patience, Plateau};
use std::sync::Arc;

/// The losses' watch. A part of a checkpoint: cloning shares the weights.
#[derive(Debug, Clone)]
pub(super) struct Monitor {
    plateau: Option<Plateau>,
    stopping: Option<EarlyStopping>,
    watch: Patience,
    best: Option<Best>,
}

#[derive(Debug, Clone)]
struct Best {
    epoch: usize,
    params: Arc<[f32]>,
}

impl Monitor {
    pub(super) fn new(training: &TrainingConfig) -> Self {
        Monitor {
            plateau: training.schedule.plateau(),
            stopping: training.early_stopping,
            watch: Patience::default(),
            best: None,
        }
    }

    /// Takes in what an epoch came to; says whether the run should end.
    pub(super) fn see(&mut self, row: &HistoryRow, params: &[f32]) -> Option<StopReason> {
        if let Some(plateau) = &mut self.plateau {
            plateau.see(row.validation_loss.unwrap_or(row.train_loss));
        }
        let stopping = self.stopping?;
        let loss = row.validation_loss?;
        if self.watch.see(loss, |best| best - stopping.min_delta) {
            self.best = Some(Best {
                epoch: row.epoch,
                params: Arc::from(params),
            });
        }
        (self.watch.waited() >= stopping.patience).then(|| StopReason::NoProgress {
            epochs: self.watch.waited(),
            best: self.watch.best(),
            best_epoch: self.best.as_ref().map_or(0, |best| best.epoch),
        })
    }

    /// The best weights of an early stopping and the epoch that they are of;
    /// it waits anew from here.
    pub(super) fn take_back(&mut self) -> Option<(usize, Arc<[f32]>)> {
        self.watch.wait_again();
        let best = self.best.as_ref()?;
        Some((best.epoch, Arc::clone(&best.params)))
    }

    /// How often a plateau has reduced the learning rate.
    pub(super) fn reductions(&self) -> u32 {
        self.plateau.map_or(0, |plateau| plateau.reductions())
    }
}
