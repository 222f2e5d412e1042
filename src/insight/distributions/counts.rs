//! Counts in bins that can be merged: their width is a power of two and their edges are
//! whole multiples of it, so that the bins of one histogram lie within those of any
//! coarser one and no number has to be guessed when several are brought over one axis.

use super::Spread;
use crate::insight::histogram::Histogram;
use serde::Serialize;
use std::ops::RangeInclusive;

/// The most bins of the counts that are kept; there are more than half as many, but of
/// numbers that are nearly the same.
pub const FINEST: usize = 256;

/// The width of a bin is no less than this power of two: of single precision's least.
const LEAST: i32 = -149;
/// Digits of single precision after the first: a bin is no narrower than the distance of
/// two neighbouring numbers at the largest.
const DIGITS: i32 = 23;

/// How many finite numbers lie in each of equally wide bins `[k w, (k + 1) w)`, w being a
/// power of two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GridCounts {
    /// `w = 2^exponent`.
    exponent: i32,
    /// The `k` of the first bin.
    first: i64,
    counts: Vec<u64>,
}

impl GridCounts {
    /// The finite ones among `values` in the narrowest bins of which `most` (at least 2)
    /// reach from the least to the greatest. Where a bin ends the next begins, so that the
    /// counts are those of NumPy's `histogram` over the same edges.
    pub fn of(values: &[f32], most: usize) -> Self {
        let finite = || {
            values
                .iter()
                .filter(|v| v.is_finite())
                .map(|&v| f64::from(v))
        };
        let (low, high) = finite().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| {
            (a.min(v), b.max(v))
        });
        if low > high {
            return GridCounts {
                exponent: LEAST,
                first: 0,
                counts: Vec::new(),
            };
        }
        let digits = binary_exponent(low).max(binary_exponent(high)) - DIGITS;
        let mut exponent = digits.max(LEAST);
        let bins = |exponent| place(high, exponent) - place(low, exponent) + 1;
        while bins(exponent) > most.max(2) as i64 {
            exponent += 1;
        }
        let first = place(low, exponent);
        let mut counts = vec![0; bins(exponent) as usize];
        for value in finite() {
            counts[(place(value, exponent) - first) as usize] += 1;
        }
        GridCounts {
            exponent,
            first,
            counts,
        }
    }

    /// How many numbers are counted.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The width of a bin.
    pub fn width(&self) -> f64 {
        2f64.powi(self.exponent)
    }

    /// Where the first bin begins and the last one ends; the same of no bins.
    pub fn range(&self) -> [f64; 2] {
        let edge = |k: i64| k as f64 * self.width();
        [
            edge(self.first),
            edge(self.first + self.counts.len() as i64),
        ]
    }

    /// The counts, bin by bin.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// The first and the last bin, were their width `2^exponent`; none without numbers.
    fn span(&self, exponent: i32) -> Option<RangeInclusive<i64>> {
        let last = self.first + self.counts.len().checked_sub(1)? as i64;
        let coarser = |k| coarser(k, exponent - self.exponent);
        Some(coarser(self.first)..=coarser(last))
    }

    /// The same counts in `bins` bins of width `2^exponent` from the `first` on, all of
    /// which they have to lie in.
    fn over(&self, exponent: i32, first: i64, bins: usize) -> Vec<u64> {
        let mut counts = vec![0; bins];
        for (k, &count) in (self.first..).zip(&self.counts) {
            let bin = coarser(k, exponent - self.exponent) - first;
            counts[bin as usize] += count;
        }
        counts
    }
}

/// Which bin of width `2^exponent` holds `value`: division by a power of two is exact.
fn place(value: f64, exponent: i32) -> i64 {
    (value / 2f64.powi(exponent)).floor() as i64
}

/// The number of the bin, `steps` powers of two as wide, that holds bin `k`.
fn coarser(k: i64, steps: i32) -> i64 {
    k >> steps.clamp(0, 63)
}

/// The power of two below a number that single precision can hold; of 0 a very small one.
fn binary_exponent(value: f64) -> i32 {
    (value.to_bits() >> 52 & 0x7ff) as i32 - 1023
}

/// Histograms over the same bins, one for each of `spreads`: at most `most` bins (at least
/// 2) of equal width, which reach from the least of all numbers to the greatest, and which
/// are as narrow as that and the coarsest of them allow. A bin's count is the sum of the
/// counts of the bins that it is made of: none is split or lost, and they are NumPy's over
/// the same edges. Where all numbers are the same there are empty bins beside theirs.
pub fn on_one_axis(spreads: &[&Spread], most: usize) -> Vec<Histogram> {
    let all = || spreads.iter().map(|spread| &spread.counts);
    let filled = || all().filter(|counts| !counts.counts.is_empty());
    let mut exponent = filled().map(|c| c.exponent).max().unwrap_or(0);
    let span = |exponent| {
        filled()
            .filter_map(|counts| counts.span(exponent))
            .map(RangeInclusive::into_inner)
            .reduce(|(a, b), (c, d)| (a.min(c), b.max(d)))
            .unwrap_or((0, 0))
    };
    let (mut first, mut last) = span(exponent);
    while last - first + 1 > most.max(2) as i64 {
        exponent += 1;
        (first, last) = span(exponent);
    }
    if first == last {
        // One number alone: a little of the axis to either side of it.
        let size = (first as f64 * 2f64.powi(exponent)).abs();
        let wide = if size > 0.0 {
            binary_exponent(size) - 6
        } else {
            -4
        };
        exponent = exponent.max(wide);
        (first, last) = span(exponent);
        let side = (most as i64 / 2 - 1).clamp(0, 8);
        (first, last) = (first - side, last + side);
    }
    let width = 2f64.powi(exponent);
    let bins = (last - first + 1) as usize;
    let histograms = spreads.iter().map(|spread| Histogram {
        range: [first as f64 * width, (last + 1) as f64 * width],
        counts: spread.counts.over(exponent, first, bins),
        total: spread.total,
        not_finite: spread.not_finite,
    });
    histograms.collect()
}
