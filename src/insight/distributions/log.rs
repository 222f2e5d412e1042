//! Distributions over time, in bounded memory.

use super::Moment;
use std::sync::Arc;

/// The most moments that are kept.
pub const CAPACITY: usize = 64;

/// Moments of one run, oldest first. The first, which is that before training where the
/// run was looked at from its start, and the newest are always kept; of those between
/// them the ones go that stand closest to their neighbours, so that the rest lie about
/// evenly over the steps. A clone shares the moments.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DistributionLog {
    moments: Vec<Arc<Moment>>,
}

impl DistributionLog {
    /// Whether a moment after `step` steps is due: the first, one after a rewind, and
    /// otherwise one after each sixty-fourth of the run so far.
    pub fn wants(&self, step: u64) -> bool {
        match self.moments.last() {
            None => true,
            Some(last) if step > last.step => step - last.step >= last.step / CAPACITY as u64,
            Some(last) => step < last.step,
        }
    }

    /// Adds the newest. Those of its step or later go: after a rewind they tell of what did
    /// not come.
    pub fn push(&mut self, moment: Moment) {
        let step = moment.step;
        self.moments.retain(|m| m.step < step);
        self.moments.push(Arc::new(moment));
        if self.moments.len() > CAPACITY {
            let gaps = self.moments.windows(3).map(|w| w[2].step - w[0].step);
            let closest = gaps.enumerate().min_by_key(|(_, gap)| *gap);
            if let Some((before, _)) = closest {
                self.moments.remove(before + 1);
            }
        }
    }

    /// The moments, oldest first.
    pub fn moments(&self) -> &[Arc<Moment>] {
        &self.moments
    }

    /// Those after `from` to `to` steps, both included, and the first of all before them:
    /// what the rest is compared with is never out of sight.
    pub fn between(&self, from: u64, to: u64) -> Vec<&Moment> {
        let chosen = |(k, m): &(usize, &Arc<Moment>)| *k == 0 || (from..=to).contains(&m.step);
        let moments = self.moments.iter().enumerate().filter(chosen);
        moments.map(|(_, moment)| moment.as_ref()).collect()
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.moments.clear();
    }
}
