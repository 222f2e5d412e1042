//! Numbers to shares of an axis, linear or logarithmic.

use super::ticks::{log_ticks, nice_ticks};

/// An axis from `lo` to `hi`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// Where it begins.
    pub lo: f64,
    /// Where it ends.
    pub hi: f64,
    /// Whether by the logarithm; both ends are then above 0.
    pub log: bool,
}

impl Scale {
    /// The value itself, or its logarithm.
    pub fn raw(&self, value: f64) -> f64 {
        if self.log { value.log10() } else { value }
    }

    /// 0 at the beginning, 1 at the end; the middle where both are the same.
    pub fn share(&self, value: f64) -> f64 {
        let (lo, hi) = (self.raw(self.lo), self.raw(self.hi));
        if hi > lo {
            (self.raw(value) - lo) / (hi - lo)
        } else {
            0.5
        }
    }

    /// The same axis, longer by `by` of its length at both ends.
    pub fn widened(self, by: f64) -> Self {
        let (lo, hi) = (self.raw(self.lo), self.raw(self.hi));
        let more = by
            * if hi > lo {
                hi - lo
            } else {
                1.0_f64.max(lo.abs())
            };
        let back = |v: f64| if self.log { 10f64.powf(v) } else { v };
        Scale {
            lo: back(lo - more),
            hi: back(hi + more),
            log: self.log,
        }
    }

    /// Round numbers on it, where it is linear about `wanted` of them.
    pub fn ticks(&self, wanted: usize) -> Vec<f64> {
        if self.log {
            log_ticks(self.lo, self.hi)
        } else {
            nice_ticks(self.lo, self.hi, wanted)
        }
    }
}
