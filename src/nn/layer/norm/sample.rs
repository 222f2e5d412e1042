//! Layer normalisation (Ba, Kiros and Hinton 2016): mean and variance over the
//! values of each sample, a gain and a shift for each value.

use crate::nn::Real;
use crate::nn::layer::{Below, LayerState, Pass, TangentState};

/// Layer normalisation over all values of a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LayerNorm {
    /// Is added to the variance.
    pub epsilon: f64,
}

impl Default for LayerNorm {
    fn default() -> Self {
        LayerNorm { epsilon: 1e-5 }
    }
}

/// For each sample the mean of `f(i)` over its values.
fn means<R: Real>(len: usize, padded: usize, f: impl Fn(usize) -> R) -> Vec<R> {
    let mut sums = vec![R::zero(); padded];
    for row in (0..len).step_by(padded) {
        for (lane, s) in sums.iter_mut().enumerate() {
            *s += f(row + lane);
        }
    }
    let count = R::of((len / padded) as f64);
    sums.iter_mut().for_each(|s| *s /= count);
    sums
}

/// For each value the sum of `g(i)` over the samples.
fn sums<R: Real>(padded: usize, out: &mut [R], g: impl Fn(usize) -> R) {
    for (feature, o) in out.iter_mut().enumerate() {
        let row = feature * padded..(feature + 1) * padded;
        *o = row.map(&g).sum();
    }
}

impl LayerNorm {
    pub(in crate::nn::layer) fn forward<R: Real>(
        &self,
        pass: Pass,
        own: &[R],
        x: &[R],
        state: &mut LayerState<R>,
    ) {
        let p = pass.padded;
        let (gain, shift) = own.split_at(own.len() / 2);
        let mean = means(x.len(), p, |i| x[i]);
        let variance = means(x.len(), p, |i| (x[i] - mean[i % p]) * (x[i] - mean[i % p]));
        for (d, variance) in state.moments.iter_mut().zip(variance) {
            *d = (variance + R::of(self.epsilon)).sqrt();
        }
        for (feature, (&gain, &shift)) in gain.iter().zip(shift).enumerate() {
            for lane in 0..p {
                let i = feature * p + lane;
                let hat = (x[i] - mean[lane]) / state.moments[lane];
                state.kept[i] = hat;
                state.z[i] = gain * hat + shift;
            }
        }
    }

    pub(in crate::nn::layer) fn backward<R: Real>(
        &self,
        pass: Pass,
        own: &[R],
        state: &LayerState<R>,
        gradient: &mut [R],
        below: Option<Below<'_, R>>,
    ) {
        let p = pass.padded;
        let (delta, hat) = (&state.delta, &state.kept);
        let (d_gain, d_shift) = gradient.split_at_mut(own.len() / 2);
        sums(p, d_gain, |i| delta[i] * hat[i]);
        sums(p, d_shift, |i| delta[i]);
        if let Some(mut below) = below {
            let g = |i: usize| own[i / p] * delta[i];
            let m1 = means(delta.len(), p, g);
            let m2 = means(delta.len(), p, |i| g(i) * hat[i]);
            below.put(|i| {
                let lane = i % p;
                (g(i) - m1[lane] - hat[i] * m2[lane]) / state.moments[lane]
            });
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
        let p = pass.padded;
        let half = own.len() / 2;
        let hat = &state.kept;
        let zero = || vec![R::zero(); p];
        let (r_mean, r_deviation) = match rx {
            None => (zero(), zero()),
            Some(rx) => (
                means(rx.len(), p, |i| rx[i]),
                means(rx.len(), p, |i| hat[i] * rx[i]),
            ),
        };
        tangent.kept.resize(hat.len(), R::zero());
        for i in 0..hat.len() {
            let (feature, lane) = (i / p, i % p);
            let r_hat = rx.map_or(R::zero(), |rx| {
                (rx[i] - r_mean[lane] - hat[i] * r_deviation[lane]) / state.moments[lane]
            });
            tangent.kept[i] = r_hat;
            tangent.z[i] = v[feature] * hat[i] + own[feature] * r_hat + v[half + feature];
        }
        tangent.moments = r_deviation;
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
        below: Option<Below<'_, R>>,
    ) {
        let p = pass.padded;
        let (delta, hat) = (&state.delta, &state.kept);
        let (r_delta, r_hat) = (&tangent.delta, &tangent.kept);
        let (d_gain, d_shift) = out.split_at_mut(own.len() / 2);
        sums(p, d_gain, |i| r_delta[i] * hat[i] + delta[i] * r_hat[i]);
        sums(p, d_shift, |i| r_delta[i]);
        if let Some(mut below) = below {
            let g = |i: usize| own[i / p] * delta[i];
            let rg = |i: usize| own[i / p] * r_delta[i] + v[i / p] * delta[i];
            let len = delta.len();
            let m1 = means(len, p, g);
            let m2 = means(len, p, |i| g(i) * hat[i]);
            let rm1 = means(len, p, rg);
            let rm2 = means(len, p, |i| rg(i) * hat[i] + g(i) * r_hat[i]);
            below.put(|i| {
                let lane = i % p;
                let deviation = state.moments[lane];
                let dx = (g(i) - m1[lane] - hat[i] * m2[lane]) / deviation;
                let moved = rg(i) - rm1[lane] - r_hat[i] * m2[lane] - hat[i] * rm2[lane];
                (moved - dx * tangent.moments[lane]) / deviation
            });
        }
    }
}
