//! Initial weights.

use super::Real;
use rand::RngExt;
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};

/// How a layer's weights start. Fan-in is the number of values that a unit
/// reads, fan-out the number of units that a value goes to, in a convolution
/// counted for one position (as in PyTorch).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Init {
    /// All zero: shows why symmetry has to be broken.
    Zero,
    /// U(-scale, scale); scale .5 unless given (TensorFlow Playground's).
    Uniform,
    /// N(0, scale^2); scale .1 unless given.
    Normal,
    /// U(-r, r) with r = sqrt(6 / (fan-in + fan-out)): Glorot and Bengio 2010.
    #[default]
    Xavier,
    /// N(0, 2 / fan-in): He et al. 2015, for ReLU.
    He,
    /// N(0, 1 / fan-in): LeCun et al. 1998, "Efficient BackProp".
    Lecun,
    /// Rows or columns orthonormal: Saxe et al. 2013.
    Orthogonal,
}

impl Init {
    /// All of them, in the order in which a menu shows them.
    pub const ALL: [Init; 7] = [
        Init::Zero,
        Init::Uniform,
        Init::Normal,
        Init::Xavier,
        Init::He,
        Init::Lecun,
        Init::Orthogonal,
    ];

    /// The name used in experiment files.
    pub fn name(self) -> &'static str {
        match self {
            Init::Zero => "zero",
            Init::Uniform => "uniform",
            Init::Normal => "normal",
            Init::Xavier => "xavier",
            Init::He => "he",
            Init::Lecun => "lecun",
            Init::Orthogonal => "orthogonal",
        }
    }

    /// The scale used when none is given: the half-width of `uniform`, the
    /// standard deviation of `normal`, a factor on all others.
    pub fn default_scale(self) -> f64 {
        match self {
            Init::Uniform => 0.5,
            Init::Normal => 0.1,
            _ => 1.0,
        }
    }

    /// Fills `weights`, a tensor of `shape` (`[out, in]`, or of a convolution
    /// `[filters, channels, rows, columns]`) in row order.
    pub fn fill<R: Real>(
        self,
        scale: f64,
        shape: &[usize],
        rng: &mut crate::rng::Rng,
        weights: &mut [R],
    ) {
        let fan_in: usize = shape[1..].iter().product();
        let receptive: usize = shape.iter().skip(2).product();
        // As a matrix: one row for each unit or filter.
        let fan_out = shape[0];
        let (n_in, n_out) = (fan_in as f64, (fan_out * receptive) as f64);
        let uniform =
            |rng: &mut crate::rng::Rng, r: f64| R::of(r * (2.0 * rng.random::<f64>() - 1.0));
        let normal =
            |rng: &mut crate::rng::Rng, s: f64| R::of(s * rng.sample::<f64, _>(StandardNormal));
        match self {
            Init::Zero => weights.fill(R::zero()),
            Init::Uniform => weights.iter_mut().for_each(|w| *w = uniform(rng, scale)),
            Init::Normal => weights.iter_mut().for_each(|w| *w = normal(rng, scale)),
            Init::Xavier => {
                let r = scale * (6.0 / (n_in + n_out)).sqrt();
                weights.iter_mut().for_each(|w| *w = uniform(rng, r));
            }
            Init::He => {
                let s = scale * (2.0 / n_in).sqrt();
                weights.iter_mut().for_each(|w| *w = normal(rng, s));
            }
            Init::Lecun => {
                let s = scale * (1.0 / n_in).sqrt();
                weights.iter_mut().for_each(|w| *w = normal(rng, s));
            }
            Init::Orthogonal => {
                let rows = orthonormal(fan_out.min(fan_in), fan_out.max(fan_in), rng);
                for (i, w) in weights.iter_mut().enumerate() {
                    let (o, k) = (i / fan_in, i % fan_in);
                    let v = if fan_out <= fan_in {
                        rows[o][k]
                    } else {
                        rows[k][o]
                    };
                    *w = R::of(scale * v);
                }
            }
        }
    }
}

impl std::fmt::Display for Init {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// `count` orthonormal vectors of length `len >= count`: Gram-Schmidt, each
/// vector orthogonalised twice, on normal samples, which makes the result
/// uniform over the Stiefel manifold.
fn orthonormal(count: usize, len: usize, rng: &mut crate::rng::Rng) -> Vec<Vec<f64>> {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let mut rows: Vec<Vec<f64>> = Vec::with_capacity(count);
    while rows.len() < count {
        let mut v: Vec<f64> = (0..len).map(|_| rng.sample(StandardNormal)).collect();
        for _ in 0..2 {
            for row in &rows {
                let p = dot(&v, row);
                v.iter_mut().zip(row).for_each(|(v, r)| *v -= p * r);
            }
        }
        let norm = dot(&v, &v).sqrt();
        // A draw inside the span of the others has probability zero; draw again.
        if norm > 1e-9 {
            v.iter_mut().for_each(|v| *v /= norm);
            rows.push(v);
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Stream, stream};

    fn filled(init: Init, out: usize, input: usize) -> Vec<f64> {
        let mut weights = vec![f64::NAN; out * input];
        init.fill(
            init.default_scale(),
            &[out, input],
            &mut stream(3, Stream::Init),
            &mut weights,
        );
        weights
    }

    #[test]
    fn variances_are_those_of_the_sources() {
        let (out, input) = (200, 300);
        for (init, variance) in [
            (Init::Uniform, 0.25 / 3.0),
            (Init::Normal, 0.01),
            (Init::Xavier, 2.0 / 500.0),
            (Init::He, 2.0 / 300.0),
            (Init::Lecun, 1.0 / 300.0),
        ] {
            let w = filled(init, out, input);
            let seen = w.iter().map(|w| w * w).sum::<f64>() / w.len() as f64;
            // 60,000 draws: the standard error of a variance is below 0.6 %.
            assert!(
                (seen / variance - 1.0).abs() < 0.03,
                "{init}: {seen} for {variance}"
            );
        }
        assert!(filled(Init::Zero, 3, 4).iter().all(|&w| w == 0.0));
    }

    #[test]
    fn orthogonal_weights_are_orthonormal_both_ways_round() {
        for (out, input) in [(5, 8), (8, 5), (6, 6)] {
            let w = filled(Init::Orthogonal, out, input);
            let at = |o: usize, k: usize| w[o * input + k];
            for i in 0..out.min(input) {
                for j in 0..out.min(input) {
                    let dot: f64 = if out <= input {
                        (0..input).map(|k| at(i, k) * at(j, k)).sum()
                    } else {
                        (0..out).map(|o| at(o, i) * at(o, j)).sum()
                    };
                    let expected = if i == j { 1.0 } else { 0.0 };
                    assert!(
                        (dot - expected).abs() < 1e-14,
                        "{out}x{input} {i},{j}: {dot}"
                    );
                }
            }
        }
    }
}
