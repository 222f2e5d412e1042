//! Where the weights were put rather than stepped, so that nobody draws a line
//! across a leap that no optimiser made.

/// Leaps that are told apart; before the oldest of these nothing is joined.
const MOST: usize = 1024;

/// The steps at which the weights were set from outside, rising.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Jumps {
    steps: Vec<u64>,
    /// Up to here leaps may have been forgotten.
    forgotten: u64,
}

impl Jumps {
    /// The weights were set after `step` steps.
    pub fn add(&mut self, step: u64) {
        self.truncate_after(step);
        if self.steps.last() == Some(&step) {
            return;
        }
        self.steps.push(step);
        if self.steps.len() > MOST {
            self.forgotten = self.steps.remove(0);
        }
    }

    /// Whether the optimiser led from the weights after `earlier` steps to those
    /// after `later`. Where the weights were set after so many steps, the path's
    /// point of that step is the one where they were put.
    pub fn joins(&self, earlier: u64, later: u64) -> bool {
        let after = self.steps.partition_point(|&s| s <= earlier);
        earlier >= self.forgotten && self.steps.get(after).is_none_or(|&s| s > later)
    }

    /// Whether the weights were never set.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.forgotten == 0
    }

    /// Forgets what came after `step`.
    pub fn truncate_after(&mut self, step: u64) {
        self.steps.retain(|&s| s <= step);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leap_parts_what_lies_before_it_from_its_own_point() {
        let mut jumps = Jumps::default();
        assert!(jumps.joins(0, 1000));
        jumps.add(10);
        jumps.add(10);
        assert!(jumps.joins(0, 9) && jumps.joins(10, 50));
        assert!(!jumps.joins(9, 10) && !jumps.joins(0, 50));
        jumps.truncate_after(9);
        assert!(jumps.joins(9, 10));
    }

    #[test]
    fn before_the_oldest_leap_that_is_known_nothing_is_joined() {
        let mut jumps = Jumps::default();
        (1..=2 * MOST as u64).for_each(|k| jumps.add(10 * k));
        let first_known = 10 * (MOST as u64 + 1);
        assert!(!jumps.joins(1, 2));
        assert!(jumps.joins(first_known, first_known + 9));
        assert!(!jumps.joins(first_known + 9, first_known + 10));
    }
}
