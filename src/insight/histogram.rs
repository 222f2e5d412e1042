//! How numbers are spread: counts in bins, and percentiles.

use serde::Serialize;

/// Counts of numbers in bins of equal width.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Histogram {
    /// Where the first bin begins and the last one ends.
    pub range: [f64; 2],
    /// How many lie in each bin; the last one has its end, too.
    pub counts: Vec<u64>,
    /// How many there are, those outside of the range and those that are not finite
    /// among them.
    pub total: u64,
    /// How many of them are not finite.
    pub not_finite: u64,
}

impl Histogram {
    /// The histogram of `values` over `bins` bins (at least 1) from the least to the
    /// greatest of them, or over `range`. The counts are those of NumPy's `histogram` on
    /// the same numbers in double precision; of numbers that are all the same the range
    /// is half a unit to either side, as there.
    pub fn of(values: &[f32], bins: usize, range: Option<[f64; 2]>) -> Self {
        let finite = || {
            values
                .iter()
                .filter(|v| v.is_finite())
                .map(|&v| f64::from(v))
        };
        let (low, high) = match range {
            Some([low, high]) => (low, high),
            None => finite().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| {
                (a.min(v), b.max(v))
            }),
        };
        let (low, high) = match () {
            () if low > high => (0.0, 1.0),
            () if low == high => (low - 0.5, high + 0.5),
            () => (low, high),
        };
        let bins = bins.max(1);
        let n = bins as f64;
        let edge = |k: usize| match k {
            k if k == bins => high,
            k => low + k as f64 * ((high - low) / n),
        };
        let mut counts = vec![0; bins];
        for value in finite().filter(|v| (low..=high).contains(v)) {
            let guess = ((value - low) * (n / (high - low))) as usize;
            let mut bin = guess.min(bins - 1);
            // A rounded quotient may be on the wrong side of an edge.
            if value < edge(bin) {
                bin -= 1;
            } else if bin + 1 < bins && value >= edge(bin + 1) {
                bin += 1;
            }
            counts[bin] += 1;
        }
        Histogram {
            range: [low, high],
            counts,
            total: values.len() as u64,
            not_finite: values.iter().filter(|v| !v.is_finite()).count() as u64,
        }
    }

    /// Where bin `k` begins.
    pub fn edge(&self, k: usize) -> f64 {
        let [low, high] = self.range;
        low + k as f64 * (high - low) / self.counts.len() as f64
    }
}

/// The shares of a [`Bands`]: those of a normal distribution at whole and half standard
/// deviations, as TensorBoard draws them.
pub const SHARES: [f64; 9] = [
    0.0, 0.0668, 0.1587, 0.3085, 0.5, 0.6915, 0.8413, 0.9332, 1.0,
];

/// What lies below certain shares of all numbers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bands(pub [f64; 9]);

impl Bands {
    /// The bands of the finite ones among `values`, linear between two of them; none of
    /// none.
    pub fn of(values: &[f32]) -> Option<Self> {
        let mut sorted: Vec<f32> = values.iter().copied().filter(|v| v.is_finite()).collect();
        sorted.sort_unstable_by(f32::total_cmp);
        let last = sorted.len().checked_sub(1)?;
        Some(Bands(SHARES.map(|share| {
            let at = share * last as f64;
            let (below, above) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
            f64::from(below) + at.fract() * f64::from(above - below)
        })))
    }
}
