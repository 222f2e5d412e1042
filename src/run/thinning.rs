//! What of a long run is kept, so that its file stays bounded.

use serde::Serialize;

/// The most steps whose metrics are kept.
pub const MOST_STEPS: u64 = 500_000;
/// The most numbers that are kept of what another program tells.
pub const MOST_METRICS: u64 = 500_000;
/// The most epochs that are kept.
pub const MOST_EPOCHS: u64 = 100_000;
/// The bytes that a run's weights may take, unless somebody chooses otherwise.
pub const SNAPSHOT_BYTES: u64 = 128 << 20;
/// The most snapshots, however small, and the fewest, however large.
const MOST_SNAPSHOTS: u64 = 4096;
const FEWEST_SNAPSHOTS: u64 = 4;

/// How one kind of record is thinned, as the file says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Thinning {
    /// `steps`, `epochs`, `snapshots` or `metrics`.
    pub what: String,
    /// One in so many is kept.
    pub every: u64,
    /// The most that are kept.
    pub most: u64,
    /// The rule in words.
    pub rule: String,
}

/// A kind of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kept {
    /// The metrics of a step.
    Steps,
    /// The figures of an epoch.
    Epochs,
    /// The weights at a step.
    Snapshots,
    /// Numbers that another program told of its run.
    Metrics,
}

impl Kept {
    /// Its name in the file, which is that of its table.
    pub fn name(self) -> &'static str {
        match self {
            Kept::Steps => "steps",
            Kept::Epochs => "epochs",
            Kept::Snapshots => "snapshots",
            Kept::Metrics => "metrics",
        }
    }
}

/// Keeps numbers that rise: all at first, and each time there are too many, every second
/// of those kept goes.
#[derive(Debug, Clone)]
pub(super) struct Doubling {
    every: u64,
    kept: u64,
    most: u64,
}

impl Doubling {
    pub(super) fn new(most: u64) -> Self {
        Doubling {
            every: 1,
            kept: 0,
            most,
        }
    }

    #[cfg(test)]
    pub(super) fn every(&self) -> u64 {
        self.every
    }

    pub(super) fn wants(&self, number: u64) -> bool {
        number.is_multiple_of(self.every)
    }

    /// One more is kept. Returns the new distance, if from now on they lie farther apart.
    pub(super) fn keep(&mut self) -> Option<u64> {
        self.kept += 1;
        if self.kept <= self.most {
            return None;
        }
        self.every *= 2;
        self.kept = self.kept.div_ceil(2);
        Some(self.every)
    }
}

/// At which steps the weights are kept: every so many, and early on at 0, 1, 2, 4, 8, and
/// so on. When they are too many, the distance doubles; when that does not help any more
/// every second of the early ones goes. The newest stands in until another is kept.
#[derive(Debug, Clone)]
pub struct SnapshotPlan {
    every: u64,
    /// Of the powers of two, one in so many is kept.
    sparse: u32,
    most: u64,
    kept: Vec<u64>,
}

impl SnapshotPlan {
    /// Every `every` steps, as long as all of them together take at most `bytes`, of a
    /// network with `params` parameters.
    pub fn new(every: u64, params: usize, bytes: u64) -> Self {
        let each = 4 * params.max(1) as u64;
        SnapshotPlan {
            every: every.max(1),
            sparse: 1,
            most: (bytes / each).clamp(FEWEST_SNAPSHOTS, MOST_SNAPSHOTS),
            kept: Vec::new(),
        }
    }

    /// How many steps lie between two, but for the early ones.
    pub fn every(&self) -> u64 {
        self.every
    }

    /// The most that are kept.
    pub fn most(&self) -> u64 {
        self.most
    }

    /// Whether the weights after `step` steps are to be kept.
    pub fn wants(&self, step: u64) -> bool {
        let early = step.is_power_of_two() && step.trailing_zeros().is_multiple_of(self.sparse);
        step.is_multiple_of(self.every) || early
    }

    /// The newest step of which the weights are kept.
    pub fn last(&self) -> Option<u64> {
        self.kept.last().copied()
    }

    /// Those after `step` are kept. Returns the steps whose weights go instead.
    pub fn keep(&mut self, step: u64) -> Vec<u64> {
        self.forget_after(step);
        let mut gone = Vec::new();
        if let Some(&last) = self.kept.last() {
            if last == step {
                return gone;
            }
            if !self.wants(last) && self.kept.len() > 1 {
                self.kept.pop();
                gone.push(last);
            }
        }
        self.kept.push(step);
        while self.kept.len() as u64 > self.most {
            // Where a doubled distance has nothing left to drop, the early ones are thinned.
            if self.every <= step {
                self.every *= 2;
            } else {
                self.sparse *= 2;
            }
            let plan = self.clone();
            let ends = (self.kept[0], step);
            self.kept.retain(|&kept| {
                let stays = plan.wants(kept) || kept == ends.0 || kept == ends.1;
                if !stays {
                    gone.push(kept);
                }
                stays
            });
        }
        gone
    }

    /// Forgets those after more than `step` steps.
    pub fn forget_after(&mut self, step: u64) {
        self.kept.retain(|&kept| kept <= step);
    }
}

/// At which steps what the optimiser has gathered is kept: beside all weights as long as it
/// fits, then the farther apart the longer ago. Of the newest weights it is always there.
#[derive(Debug, Clone)]
pub struct MemoryPlan {
    most: u64,
    /// Steps and bytes, rising.
    kept: Vec<(u64, u64)>,
}

impl MemoryPlan {
    /// As much as fits into so many bytes.
    pub fn new(most: u64) -> Self {
        MemoryPlan {
            most,
            kept: Vec::new(),
        }
    }

    /// That after `step` steps, of so many bytes, is kept. Returns the steps of which it goes
    /// instead.
    pub fn keep(&mut self, step: u64, bytes: u64) -> Vec<u64> {
        self.forget_after(step.saturating_sub(1));
        self.kept.push((step, bytes));
        let mut gone = Vec::new();
        let mut total: u64 = self.kept.iter().map(|(_, bytes)| bytes).sum();
        while self.kept.len() > 1 && (total > self.most || self.kept.len() as u64 > MOST_SNAPSHOTS)
        {
            // The one that leaves the smallest gap for its age.
            let gap = |k: usize| {
                let before = k.checked_sub(1).map_or(0, |k| self.kept[k].0);
                let width = (self.kept[k + 1].0 - before) as f64;
                width / (1 + step - self.kept[k].0) as f64
            };
            let candidates = 0..self.kept.len() - 1;
            let least = candidates.min_by(|&a, &b| gap(a).total_cmp(&gap(b)));
            let (old, bytes) = self.kept.remove(least.unwrap_or(0));
            total -= bytes;
            gone.push(old);
        }
        gone
    }

    /// Forgets those after more than `step` steps.
    pub fn forget_after(&mut self, step: u64) {
        self.kept.retain(|&(kept, _)| kept <= step);
    }

    /// These steps have gone.
    pub fn forget(&mut self, steps: &[u64]) {
        self.kept.retain(|(kept, _)| !steps.contains(kept));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn early_steps_are_kept_densely_and_later_ones_evenly() {
        let mut plan = SnapshotPlan::new(100, 10, 1 << 20);
        let kept: Vec<u64> = (0..=300).filter(|&step| plan.wants(step)).collect();
        assert_eq!(kept, [0, 1, 2, 4, 8, 16, 32, 64, 100, 128, 200, 256, 300]);
        for step in kept {
            assert!(plan.keep(step).is_empty());
        }
    }

    #[test]
    fn it_never_keeps_more_than_fit_and_always_the_first_and_the_newest() {
        for most in [4u64, 5, 9, 40] {
            let mut plan = SnapshotPlan::new(3, 1000, 4000 * most);
            let mut kept = Vec::new();
            for step in 0..20_000u64 {
                if !plan.wants(step) {
                    continue;
                }
                let gone = plan.keep(step);
                kept.push(step);
                kept.retain(|s| !gone.contains(s));
                assert!(kept.len() as u64 <= most, "{most}: {kept:?}");
                assert_eq!((kept[0], kept.last()), (0, Some(&step)));
            }
            assert_eq!(kept, plan.kept);
        }
    }

    #[test]
    fn one_that_only_stood_in_goes_when_the_next_comes() {
        let mut plan = SnapshotPlan::new(100, 10, 1 << 20);
        plan.keep(0);
        assert!(plan.keep(77).is_empty());
        assert!(plan.keep(77).is_empty());
        assert_eq!(plan.keep(100), [77]);
        plan.keep(200);
        plan.forget_after(150);
        assert_eq!(plan.last(), Some(100));
    }

    #[test]
    fn what_optimisers_gather_is_kept_within_its_bytes_and_the_farther_apart_the_longer_ago() {
        let mut plan = MemoryPlan::new(1000);
        let mut kept = Vec::new();
        for step in (10..=10_000).step_by(10) {
            let gone = plan.keep(step, 100);
            kept.push(step);
            kept.retain(|step| !gone.contains(step));
            assert!(kept.len() <= 10 && kept.last() == Some(&step), "{kept:?}");
        }
        let (early, late) = (kept[1] - kept[0], kept[9] - kept[8]);
        assert!(early > 10 * late, "{kept:?}");
        plan.forget(&kept[..5]);
        plan.forget_after(kept[8]);
        assert_eq!(plan.kept.len(), 4);
        // The newest stays, however large.
        assert_eq!(plan.keep(20_000, 9_999).len(), 4);
        assert_eq!(plan.kept, [(20_000, 9_999)]);
    }

    #[test]
    fn a_doubling_halves_what_is_kept() {
        let mut rule = Doubling::new(10);
        let mut kept: Vec<u64> = Vec::new();
        for step in 0..1000 {
            if rule.wants(step) {
                kept.push(step);
                if let Some(every) = rule.keep() {
                    kept.retain(|s| s.is_multiple_of(every));
                }
            }
            assert!(kept.len() <= 10, "{kept:?}");
        }
        assert_eq!(rule.every(), 128);
    }
}
