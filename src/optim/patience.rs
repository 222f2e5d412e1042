//! Watching a loss: has it stopped falling? Early stopping (Prechelt 1998) and
//! the reduction of the learning rate on a plateau both ask.

use super::{StateVisitor, visit_count};

/// The best loss so far and how long ago that was.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Patience {
    best: f64,
    waited: usize,
}

impl Default for Patience {
    fn default() -> Self {
        Patience {
            best: f64::INFINITY,
            waited: 0,
        }
    }
}

impl Patience {
    /// Takes in a loss; `needed` is the value that it has to be below to count
    /// as better than the best so far. Returns whether it did. A loss that is
    /// not a number is never better.
    pub fn see(&mut self, loss: f64, needed: impl Fn(f64) -> f64) -> bool {
        let better = loss < needed(self.best);
        if better {
            self.best = loss;
            self.waited = 0;
        } else {
            self.waited += 1;
        }
        better
    }

    /// The best loss so far; infinite before the first.
    pub fn best(&self) -> f64 {
        self.best
    }

    /// Losses since the best one.
    pub fn waited(&self) -> usize {
        self.waited
    }

    /// Shows its state to `visitor`.
    pub fn state<R>(&mut self, visitor: &mut dyn StateVisitor<R>) {
        visitor.number(&mut self.best);
        visit_count(visitor, &mut self.waited);
    }

    /// Begins to wait anew for something better than the best so far.
    pub fn wait_again(&mut self) {
        self.waited = 0;
    }
}

/// When to reduce the learning rate (PyTorch's `ReduceLROnPlateau`, mode `min`
/// with a relative threshold): after more than `patience` epochs without a
/// loss below `best (1 - threshold)`; then it looks away for `cooldown` epochs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plateau {
    /// Epochs without progress that are borne.
    pub patience: usize,
    /// How much better a loss has to be, as a share of the best.
    pub threshold: f64,
    /// Epochs after a reduction in which lack of progress does not count.
    pub cooldown: usize,
    watch: Patience,
    resting: usize,
    reductions: u32,
}

impl Plateau {
    /// At the start.
    pub fn new(patience: usize, threshold: f64, cooldown: usize) -> Self {
        Plateau {
            patience,
            threshold,
            cooldown,
            watch: Patience::default(),
            resting: 0,
            reductions: 0,
        }
    }

    /// Takes in the loss after an epoch.
    pub fn see(&mut self, loss: f64) {
        let threshold = self.threshold;
        self.watch.see(loss, |best| best * (1.0 - threshold));
        if self.resting > 0 {
            self.resting -= 1;
            self.watch.wait_again();
        }
        if self.watch.waited() > self.patience {
            self.reductions = self.reductions.saturating_add(1);
            self.resting = self.cooldown;
            self.watch.wait_again();
        }
    }

    /// Shows its state to `visitor`; its settings are none of it.
    pub fn state<R>(&mut self, visitor: &mut dyn StateVisitor<R>) {
        self.watch.state(visitor);
        visit_count(visitor, &mut self.resting);
        let mut reductions = u64::from(self.reductions);
        visitor.whole(&mut reductions);
        self.reductions = u32::try_from(reductions).unwrap_or(u32::MAX);
    }

    /// How often the rate has been reduced.
    pub fn reductions(&self) -> u32 {
        self.reductions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_that_falls_too_little_is_waited_out_and_then_reduced() {
        let mut plateau = Plateau::new(2, 0.1, 0);
        let mut reductions = |losses: &[f64]| {
            losses.iter().for_each(|&loss| plateau.see(loss));
            plateau.reductions()
        };
        assert_eq!(reductions(&[1.0, 0.95, 0.94]), 0);
        assert_eq!(reductions(&[0.93]), 1);
        assert_eq!(reductions(&[0.8, 0.79, 0.78]), 1, "0.8 was progress");
        assert_eq!(reductions(&[f64::NAN]), 2, "not a number is none");
    }

    #[test]
    fn patience_counts_from_the_best() {
        let mut patience = Patience::default();
        assert!(patience.see(2.0, |best| best - 0.5));
        assert!(!patience.see(1.6, |best| best - 0.5));
        assert_eq!((patience.best(), patience.waited()), (2.0, 1));
        assert!(patience.see(1.4, |best| best - 0.5));
        assert_eq!((patience.best(), patience.waited()), (1.4, 0));
    }
}
