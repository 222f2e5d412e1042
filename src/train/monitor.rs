//! What follows from the losses after each epoch: a lower learning rate, or
//! the end of the run; and the best weights so far.

use super::history::HistoryRow;
use super::stop::StopReason;
use crate::experiment::{EarlyStopping, TrainingConfig};
use crate::optim::{
    Patience, Plateau, StateReader, StateVisitor, StateWriter, visit_count, visit_flag,
};
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

    /// Writes down what it has seen.
    pub(super) fn write(&self, writer: &mut StateWriter) {
        let mut plateau = self.plateau;
        visit_flag::<f32>(writer, &mut plateau.is_some());
        if let Some(plateau) = &mut plateau {
            plateau.state::<f32>(writer);
        }
        self.watch.clone().state::<f32>(writer);
        visit_flag::<f32>(writer, &mut self.best.is_some());
        if let Some(best) = &self.best {
            visit_count::<f32>(writer, &mut best.epoch.clone());
            writer.values(&mut best.params.to_vec());
        }
    }

    /// Puts what was written in the place of what it has seen, of a network with so many
    /// `params`. What it does not watch is passed over.
    pub(super) fn read(&mut self, reader: &mut StateReader<'_>, params: usize) {
        let (mut had_plateau, mut had_best) = (false, false);
        visit_flag::<f32>(reader, &mut had_plateau);
        if had_plateau {
            let mut nobody = Plateau::new(0, 0.0, 0);
            let plateau = self.plateau.as_mut().unwrap_or(&mut nobody);
            plateau.state::<f32>(reader);
        }
        let mut watch = Patience::default();
        watch.state::<f32>(reader);
        visit_flag::<f32>(reader, &mut had_best);
        let mut best = None;
        if had_best && reader.is_good() {
            let (mut epoch, mut values) = (0, vec![0.0_f32; params]);
            visit_count::<f32>(reader, &mut epoch);
            reader.values(&mut values);
            best = Some(Best {
                epoch,
                params: Arc::from(values),
            });
        }
        if self.stopping.is_some() {
            (self.watch, self.best) = (watch, best);
        }
    }

    /// How often a plateau has reduced the learning rate.
    pub(super) fn reductions(&self) -> u32 {
        self.plateau.map_or(0, |plateau| plateau.reductions())
    }
}
