//! An axis for numbers of both signs and very different sizes: about linear near 0, and
//! logarithmic away from it.

/// `asinh(value / unit)`: below the unit about linear, far above it a logarithm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct SymLog {
    /// Where the one goes over into the other.
    pub unit: f64,
}

impl SymLog {
    /// For numbers up to `largest` of which the smallest that are to be told from 0 are of
    /// size `least`: five powers of ten at the most.
    pub fn new(least: f64, largest: f64) -> Self {
        let unit = least.max(1e-5 * largest);
        SymLog {
            unit: if unit > 0.0 { unit } else { 1.0 },
        }
    }

    /// Where a number lies.
    pub fn raw(self, value: f64) -> f64 {
        (value / self.unit).asinh()
    }

    /// 0 and powers of ten of both signs from `lo` to `hi`.
    pub fn ticks(self, lo: f64, hi: f64) -> Vec<f64> {
        let largest = lo.abs().max(hi.abs()).max(self.unit);
        let (first, last) = (
            self.unit.log10().ceil() as i32,
            largest.log10().floor() as i32,
        );
        let every = ((last - first) / 4 + 1).max(1);
        let powers = (first..=last).filter(|p| (last - p) % every == 0);
        let sizes: Vec<f64> = powers.map(|p| 10f64.powi(p)).collect();
        let below = sizes.iter().rev().map(|size| -size);
        let all = below.chain([0.0]).chain(sizes.iter().copied());
        all.filter(|tick| (lo..=hi).contains(tick)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_powers_of_ten_of_both_signs_and_zero() {
        let axis = SymLog::new(2e-4, 3.0);
        let ticks = axis.ticks(-0.5, 3.0);
        assert_eq!(ticks, [-0.1, -0.01, -0.001, 0.0, 0.001, 0.01, 0.1, 1.0]);
        assert!((axis.raw(1.0) + axis.raw(-1.0)).abs() < 1e-12);
        // A factor of ten is about as far everywhere above the unit.
        let step = axis.raw(1.0) - axis.raw(0.1);
        assert!((step - 10f64.ln()).abs() < 1e-3);
        assert_eq!(SymLog::new(0.0, 0.0).unit, 1.0);
        assert_eq!(SymLog::new(0.0, 2.0).unit, 2e-5);
    }
}
