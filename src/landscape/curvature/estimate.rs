//! The trace of a symmetric matrix from what it does to random vectors.

use super::krylov::{Symmetric, dot};
use crate::rng::Rng;
use rand::RngExt;
use serde::Serialize;

/// A mean over random probes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// The mean.
    pub value: f64,
    /// Its standard error: the probes' standard deviation over the root of their
    /// number. The true value lies within two of them about 19 times in 20.
    pub standard_error: f64,
}

impl Estimate {
    /// The mean of what the probes gave. Of fewer than two the error is infinite.
    pub fn of(values: &[f64]) -> Self {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
        Estimate {
            value: mean,
            standard_error: if n > 1.0 {
                (squares / (n - 1.0) / n).sqrt()
            } else {
                f64::INFINITY
            },
        }
    }
}

/// A vector of -1 and 1, each as likely.
pub(super) fn rademacher(size: usize, rng: &mut Rng) -> Vec<f64> {
    (0..size)
        .map(|_| if rng.random::<bool>() { 1.0 } else { -1.0 })
        .collect()
}

/// The trace as the mean of `z.H z` over `probes` vectors of -1 and 1 (Hutchinson
/// 1989), at least two. `step` is told after each product how many were made.
/// `None` where it was called off.
pub fn trace(
    matrix: &mut impl Symmetric,
    probes: usize,
    rng: &mut Rng,
    step: &dyn Fn(usize),
) -> Option<Estimate> {
    let size = matrix.size();
    let mut image = vec![0.0; size];
    let mut values = Vec::new();
    for k in 0..probes.max(2) {
        let probe = rademacher(size, rng);
        if !matrix.product(&probe, &mut image) {
            return None;
        }
        values.push(dot(&probe, &image));
        step(k + 1);
    }
    Some(Estimate::of(&values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_is_the_standard_deviation_over_the_root_of_the_number() {
        let estimate = Estimate::of(&[1.0, 2.0, 3.0, 6.0]);
        assert_eq!(estimate.value, 3.0);
        let deviation = (14.0_f64 / 3.0).sqrt();
        assert!((estimate.standard_error - deviation / 2.0).abs() < 1e-15);
        assert!(Estimate::of(&[1.0]).standard_error.is_infinite());
    }
}
