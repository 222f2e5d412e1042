//! Going to other places of a run: earlier ones, those of another run, weights that are given.

use super::Trainer;
use super::order::draw_order;
use crate::train::checkpoint::SavedTraining;
use crate::train::memory::{self, Rates, SavedMemory};
use crate::train::monitor::Monitor;
use crate::train::mover::Mover;

impl Trainer {
    /// Goes to a place of a run that was made elsewhere: `params` (as many as the network
    /// has) after `epoch` epochs and `step` steps with the batch order of `seed`. The
    /// batches that follow are those of that run, as long as they are as large; in the
    /// middle of an epoch that cannot be theirs, an epoch begins. What optimiser,
    /// schedule and early stopping gathered is not known: they begin anew.
    pub fn resume(&mut self, params: &[f32], (epoch, step): (usize, u64), seed: u64) {
        self.reseed(seed);
        let n = self.problem.train.len();
        let steps = self.steps_per_epoch().max(1) as u64;
        // A single batch is not drawn.
        let drawn = if self.batch_size < n { epoch } else { 0 };
        for _ in 0..drawn {
            draw_order(&mut self.now.order, self.batch_size, &mut self.now.rng);
        }
        let within = match step / steps == epoch as u64 {
            true => (step % steps) as usize,
            false => 0,
        };
        if within > 0 {
            draw_order(&mut self.now.order, self.batch_size, &mut self.now.rng);
            self.now.cursor = (within * self.batch_size).min(n);
        }
        (self.now.epoch, self.now.step) = (epoch, step);
        self.set_params(params);
        self.last_rate = self.learning_rate();
        if let Some(past) = &mut self.past {
            past.keep(&self.now);
        }
    }

    /// Returns to an earlier, healthy state: the newest kept one that lies at
    /// least one epoch back and whose training loss is no worse than that of the
    /// initial weights, else the start. Gives the epoch it is now at.
    pub fn rewind(&mut self) -> usize {
        let goal = self.now.epoch.saturating_sub(1);
        let (network, train) = (&self.problem.network, &self.problem.train);
        let worst = self.evaluator.loss(network, &self.start, train);
        let evaluator = &mut self.evaluator;
        let healthy = |params: &[f32]| {
            let loss = evaluator.loss(network, params, train);
            !loss.is_nan() && loss <= worst
        };
        match self
            .past
            .as_mut()
            .and_then(|past| past.rewind(goal, healthy))
        {
            Some(checkpoint) => {
                self.now = checkpoint.clone();
                self.batch_rows = 0..0;
                self.before.copy_from_slice(&self.now.params);
                self.moved = false;
            }
            None => self.reset(),
        }
        self.now.epoch
    }

    /// The same, without the states that [`rewind`](Self::rewind) goes back to:
    /// that then goes to the start.
    pub fn without_past(mut self) -> Self {
        self.past = None;
        self
    }

    /// Everything that the steps to come depend on.
    pub fn save(&self) -> SavedTraining {
        SavedTraining {
            now: self.now.clone(),
            before: self.before.clone(),
            moved: self.moved,
            gradient: self.gradient.clone(),
            batch_rows: self.batch_rows.clone(),
            batch_loss: self.batch_loss,
            last_rate: self.last_rate,
        }
    }

    /// Back to a saved state of this run, bit for bit; the base rate stays.
    pub fn restore(&mut self, saved: &SavedTraining) {
        self.now = saved.now.clone();
        self.before.clone_from(&saved.before);
        self.moved = saved.moved;
        self.gradient.clone_from(&saved.gradient);
        self.batch_rows = saved.batch_rows.clone();
        self.batch_loss = saved.batch_loss;
        self.last_rate = saved.last_rate;
    }

    /// What the steps to come depend on beside weights, batches and the experiment.
    pub fn memory(&self) -> SavedMemory {
        let rates = Rates {
            base: self.base_rate,
            configured: self.optimizer.learning_rate,
        };
        SavedMemory {
            optimizer: self.optimizer.kind().name().to_owned(),
            bytes: memory::write(&self.now.mover, &self.now.monitor, &rates),
        }
    }

    /// Goes on with what a run of the same network had gathered at this place: where nothing
    /// else is different, the steps that follow are those of that run, bit for bit. The rate
    /// is its too, unless the experiment gives another one. Returns `false`, and nothing is
    /// changed, where it is the memory of another optimiser or network.
    pub fn recall(&mut self, saved: &SavedMemory) -> bool {
        let mut mover = Mover::new(&self.problem, self.optimizer);
        let mut monitor = Monitor::new(&self.problem.experiment.training);
        let params = self.now.params.len();
        if saved.optimizer != self.optimizer.kind().name() {
            return false;
        }
        let Some(rates) = memory::read(&saved.bytes, &mut mover, &mut monitor, params) else {
            return false;
        };
        (self.now.mover, self.now.monitor) = (mover, monitor);
        if rates.configured == self.optimizer.learning_rate {
            self.base_rate = rates.base;
        }
        self.last_rate = self.learning_rate();
        if let Some(past) = &mut self.past {
            past.keep(&self.now);
        }
        true
    }

    /// Takes the given weights as the current ones; the optimiser forgets its
    /// state, the place in the epoch stays.
    pub fn set_params(&mut self, params: &[f32]) {
        self.now.params.copy_from_slice(params);
        self.before.copy_from_slice(params);
        self.moved = false;
        self.now.mover = Mover::new(&self.problem, self.optimizer);
    }

    /// Stands where a run elsewhere stands: after so many steps and epochs, at these
    /// parameters (as many as the network has), with this gradient of the last step. What it
    /// stood at before counts as one step ago.
    pub(in crate::train) fn stand_at(
        &mut self,
        step: u64,
        epoch: usize,
        params: &[f32],
        gradient: Option<&[f32]>,
    ) {
        self.before.copy_from_slice(&self.now.params);
        self.now.params.copy_from_slice(params);
        self.moved = true;
        match gradient {
            Some(known) if known.len() == self.gradient.len() => {
                self.gradient.copy_from_slice(known);
            }
            _ => self.gradient.fill(0.0),
        }
        (self.now.step, self.now.epoch) = (step, epoch);
    }

    /// With early stopping, takes the best weights back and gives the epoch
    /// that they are of; the optimiser forgets its state.
    pub fn take_back_best(&mut self) -> Option<usize> {
        let (epoch, params) = self.now.monitor.take_back()?;
        self.set_params(&params);
        Some(epoch)
    }
}
