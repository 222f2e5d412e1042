//! Measurements over time, in bounded memory.

use super::Health;

/// The most that are kept.
const CAPACITY: usize = 64;

/// Measurements, oldest first: every epoch at first, and twice as far apart each time
/// there are too many.
#[derive(Debug, Clone, PartialEq)]
pub struct HealthLog {
    records: Vec<Health>,
    stride: usize,
}

impl Default for HealthLog {
    fn default() -> Self {
        HealthLog {
            records: Vec::new(),
            stride: 1,
        }
    }
}

impl HealthLog {
    /// Whether a measurement after `epoch` epochs is due.
    pub fn wants(&self, epoch: usize) -> bool {
        epoch.is_multiple_of(self.stride)
    }

    /// Adds the newest. Those of its epoch or later go: after a rewind they tell of what
    /// did not come.
    pub fn push(&mut self, health: Health) {
        let epoch = health.epoch;
        while self.records.last().is_some_and(|last| last.epoch >= epoch) {
            self.records.pop();
        }
        self.records.push(health);
        if self.records.len() > CAPACITY {
            self.stride *= 2;
            let stride = self.stride;
            self.records
                .retain(|r| r.epoch.is_multiple_of(stride) || r.epoch == epoch);
        }
    }

    /// The measurements, oldest first.
    pub fn records(&self) -> &[Health] {
        &self.records
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = HealthLog::default();
    }
}
