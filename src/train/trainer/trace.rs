//! What the step that was made last computed on its way.

use super::super::batch::BatchGradient;
use super::super::checkpoint::SavedTraining;
use super::super::micro::{Moment, Trace, events_of};
use super::super::mover::Mover;
use super::Trainer;
use std::sync::Arc;

impl Trainer {
    /// The step that led from `before` to the present state, in all its events.
    /// Shown is the sample of row `watched` of the training part, where it is in the
    /// batch, else the batch's first.
    pub(in crate::train) fn trace(&self, before: &SavedTraining, watched: usize) -> Trace {
        let problem = &self.problem;
        let rows = self.last_batch().to_vec();
        let shown = rows.iter().position(|&row| row == watched).unwrap_or(0);
        let size = match self.now.mover {
            Mover::FirstOrder(_) => self.batch_size,
            Mover::FullBatch(_) => rows.len(),
        };
        let params = &before.now.params;
        let mut batch = BatchGradient::new(&problem.network, size);
        let mut data_gradient = vec![0.0; params.len()];
        let (smoothing, seed) = (self.smoothing, self.step_seed(before.now.step));
        let loss = batch.compute(problem, params, &rows, smoothing, seed, &mut data_gradient);
        let sample = batch.trace(problem, params, &rows, shown, smoothing, seed);
        Trace {
            step: self.now.step,
            events: events_of(problem),
            shown,
            sample,
            loss,
            data_gradient: data_gradient.into(),
            gradient: Arc::from(&self.gradient[..]),
            before: Arc::from(&params[..]),
            after: Arc::from(&self.now.params[..]),
            rate: self.last_rate,
            moments: moments(&before.now.mover, &self.now.mover),
            rows,
        }
    }
}

fn moments(before: &Mover, after: &Mover) -> Vec<Moment> {
    let (Mover::FirstOrder(before), Mover::FirstOrder(after)) = (before, after) else {
        return Vec::new();
    };
    let pairs = before.moments().into_iter().zip(after.moments());
    pairs
        .map(|((name, before), (_, after))| Moment {
            name,
            before: before.into(),
            after: after.into(),
        })
        .collect()
}
