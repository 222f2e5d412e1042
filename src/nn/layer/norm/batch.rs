//! Batch normalisation (Ioffe and Szegedy 2015, algorithms 1 and 2). While
//! training, mean and variance are the batch's; else those gathered on the way.

use crate::nn::layer::{Below, LayerState, Pass, TangentState};
use crate::nn::{Mode, Real};
use std::ops::Range;

/// Batch normalisation, channel by channel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchNorm {
    /// The share of each batch's mean and variance in the gathered ones
    /// (PyTorch's convention; Keras counts the share that stays).
    pub momentum: f64,
    /// Is added to the variance.
    pub epsilon: f64,
}

impl Default for BatchNorm {
    fn default() -> Self {
        BatchNorm {
            momentum: 0.1,
            epsilon: 1e-5,
        }
    }
}

/// A channel's values: rows of samples, of which the first `n` are real.
#[derive(Clone, Copy)]
struct Rows {
    run: usize,
    n: usize,
    padded: usize,
}

impl Rows {
    fn new<R>(pass: Pass, values: &[R], channels: usize) -> Self {
        Rows {
            run: values.len() / channels,
            n: pass.n,
            padded: pass.padded,
        }
    }

    fn channel(&self, c: usize) -> Range<usize> {
        c * self.run..(c + 1) * self.run
    }

    /// Real values of a channel.
    fn count<R: Real>(&self) -> R {
        R::of((self.run / self.padded * self.n) as f64)
    }

    /// The sum of `f(i)` over the real values `i` of channel `c`, one sum for
    /// each of 16 samples beside each other first.
    fn sum<R: Real>(&self, c: usize, f: impl Fn(usize) -> R) -> R {
        let mut total = R::zero();
        for block in (0..self.n).step_by(16) {
            let live = (self.n - block).min(16);
            let mut sums = [R::zero(); 16];
            for row in self.channel(c).step_by(self.padded) {
                let sums = sums[..live].iter_mut();
                for (lane, s) in sums.enumerate() {
                    *s += f(row + block + lane);
                }
            }
            total += sums.iter().copied().sum();
        }
        total
    }

    /// Writes or adds `f(i)` for the real values of channel `c`, 0 elsewhere.
    fn put<R: Real>(&self, c: usize, below: &mut Below<'_, R>, f: impl Fn(usize) -> R) {
        for row in self.channel(c).step_by(self.padded) {
            let (live, rest) = below.values[row..row + self.padded].split_at_mut(self.n);
            if below.add {
                for (lane, b) in live.iter_mut().enumerate() {
                    *b += f(row + lane);
                }
            } else {
                for (lane, b) in live.iter_mut().enumerate() {
                    *b = f(row + lane);
                }
                rest.fill(R::zero());
            }
        }
    }
}

impl BatchNorm {
    pub(in crate::nn::layer) fn forward<R: Real>(
        &self,
        pass: Pass,
        own: &[R],
        statistics: &[R],
        x: &[R],
        state: &mut LayerState<R>,
    ) {
        let channels = own.len() / 2;
        let rows = Rows::new(pass, x, channels);
        let count = rows.count::<R>();
        for c in 0..channels {
            let (mean, variance) = match pass.mode {
                Mode::Training { .. } => {
                    let mean = rows.sum(c, |i| x[i]) / count;
                    let squares = rows.sum(c, |i| (x[i] - mean) * (x[i] - mean));
                    (mean, squares / count)
                }
                Mode::Inference => (statistics[c], statistics[channels + c]),
            };
            let deviation = (variance + R::of(self.epsilon)).sqrt();
            state.moments[c] = mean;
            state.moments[channels + c] = variance;
            state.moments[2 * channels + c] = deviation;
            let (gain, shift, inverse) = (own[c], own[channels + c], R::one() / deviation);
            let values = state.kept[rows.channel(c)]
                .iter_mut()
                .zip(&mut state.z[rows.channel(c)])
                .zip(&x[rows.channel(c)]);
            for ((h, z), &x) in values {
                *h = (x - mean) * inverse;
                *z = gain * *h + shift;
            }
        }
    }

    /// Moves the gathered mean and variance towards the last batch's; the
    /// variance is the unbiased one, as in PyTorch.
    pub(in crate::nn) fn gather<R: Real>(
        &self,
        samples: usize,
        state: &LayerState<R>,
        statistics: &mut [R],
    ) {
        let channels = statistics.len() / 2;
        let share = R::of(self.momentum);
        let correction = R::of(samples as f64 / (samples as f64 - 1.0).max(1.0));
        for (i, s) in statistics.iter_mut().enumerate() {
            let factor = if i < channels { R::one() } else { correction };
            *s += share * (state.moments[i] * factor - *s);
        }
    }

    pub(in crate::nn::layer) fn backward<R: Real>(
        &self,
        pass: Pass,
        own: &[R],
        state: &LayerState<R>,
        gradient: &mut [R],
        mut below: Option<Below<'_, R>>,
    ) {
        let channels = own.len() / 2;
        let (delta, hat) = (&state.delta, &state.kept);
        let rows = Rows::new(pass, delta, channels);
        for c in 0..channels {
            let d_gain = rows.sum(c, |i| delta[i] * hat[i]);
            let d_shift = rows.sum(c, |i| delta[i]);
            gradient[c] = d_gain;
            gradient[channels + c] = d_shift;
            let Some(below) = below.as_mut() else {
                continue;
            };
            let factor = own[c] / state.moments[2 * channels + c];
            match pass.mode {
                Mode::Inference => rows.put(c, below, |i| factor * delta[i]),
                Mode::Training { .. } => {
                    let count = rows.count::<R>();
                    let (m1, m2) = (d_shift / count, d_gain / count);
                    rows.put(c, below, |i| factor * (delta[i] - m1 - hat[i] * m2));
                }
            }
        }
    }

    pub(in crate::nn::layer) fn forward_tangent<R: Real>(
        &self,
        pass: Pass,
        own: &[R],
        v: &[R],
        rx: Option<&[R]>,
        state: &LayerState<R>,
        tangent: &mut TangentState<R>,
    ) {
        let channels = own.len() / 2;
        let hat = &state.kept;
        let rows = Rows::new(pass, hat, channels);
        tangent.kept.resize(hat.len(), R::zero());
        tangent.moments.resize(channels, R::zero());
        for c in 0..channels {
            let deviation = state.moments[2 * channels + c];
            let (mut r_mean, mut r_deviation) = (R::zero(), R::zero());
            if let (Some(rx), Mode::Training { .. }) = (rx, pass.mode) {
                let count = rows.count::<R>();
                r_mean = rows.sum(c, |i| rx[i]) / count;
                r_deviation = rows.sum(c, |i| hat[i] * rx[i]) / count;
            }
            tangent.moments[c] = r_deviation;
            for i in rows.channel(c) {
                let r_hat = rx.map_or(R::zero(), |rx| {
                    (rx[i] - r_mean - hat[i] * r_deviation) / deviation
                });
                tangent.kept[i] = r_hat;
                tangent.z[i] = v[c] * hat[i] + own[c] * r_hat + v[channels + c];
            }
        }
    }

    #[allow(clippy::too_many_arguments)]
    pub(in crate::nn::layer) fn backward_tangent<R: Real>(
        &self,
        pass: Pass,
        own: &[R],
        v: &[R],
        state: &LayerState<R>,
        tangent: &TangentState<R>,
        out: &mut [R],
        mut below: Option<Below<'_, R>>,
    ) {
        let channels = own.len() / 2;
        let (delta, hat) = (&state.delta, &state.kept);
        let (r_delta, r_hat) = (&tangent.delta, &tangent.kept);
        let rows = Rows::new(pass, delta, channels);
        let count = rows.count::<R>();
        for c in 0..channels {
            let (gain, v_gain) = (own[c], v[c]);
            let rd_gain = rows.sum(c, |i| r_delta[i] * hat[i] + delta[i] * r_hat[i]);
            let rd_shift = rows.sum(c, |i| r_delta[i]);
            out[c] = rd_gain;
            out[channels + c] = rd_shift;
            let Some(below) = below.as_mut() else {
                continue;
            };
            let inverse = R::one() / state.moments[2 * channels + c];
            let r_gradient = |i: usize| gain * r_delta[i] + v_gain * delta[i];
            match pass.mode {
                Mode::Inference => rows.put(c, below, |i| inverse * r_gradient(i)),
                Mode::Training { .. } => {
                    let d_gain = rows.sum(c, |i| delta[i] * hat[i]);
                    let d_shift = rows.sum(c, |i| delta[i]);
                    let (m1, m2) = (gain * d_shift / count, gain * d_gain / count);
                    let rm1 = (gain * rd_shift + v_gain * d_shift) / count;
                    let rm2 = (gain * rd_gain + v_gain * d_gain) / count;
                    let r_deviation = tangent.moments[c];
                    rows.put(c, below, |i| {
                        let dx = inverse * (gain * delta[i] - m1 - hat[i] * m2);
                        let moved = r_gradient(i) - rm1 - r_hat[i] * m2 - hat[i] * rm2;
                        inverse * (moved - dx * r_deviation)
                    });
                }
            }
        }
    }
}
