//! Layer normalisation (Ba, Kiros and Hinton 2016): mean and variance over the
//! values of each sample, a gain and a shift for each value.

use crate::nn::Real;
use crate::nn::kernel::PAD;
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

/// For each of [`PAD`] samples from `at` on the mean of `f(i)` over its values.
#[inline(always)]
fn means<R: Real>(len: usize, padded: usize, at: usize, f: impl Fn(usize) -> R) -> [R; PAD] {
    let mut sums = [R::zero(); PAD];
    for row in (at..len).step_by(padded) {
        for (lane, s) in sums.iter_mut().enumerate() {
            *s += f(row + lane);
        }
    }
    let count = R::of((len / padded) as f64);
    sums.map(|s| s / count)
}

/// For each value the sum of `g(i)` over the samples.
fn sums<R: Real>(padded: usize, out: &mut [R], g: impl Fn(usize) -> R) {
    for (feature, o) in out.iter_mut().enumerate() {
        let row = feature * padded..(feature + 1) * padded;
        *o = row.map(&g).sum();
    }
}

/// Calls `f(feature, lane, i)` for every value `i` of [`PAD`] samples from `at`.
#[inline(always)]
fn each(len: usize, padded: usize, at: usize, mut f: impl FnMut(usize, usize, usize)) {
    for (feature, row) in (at..len).step_by(padded).enumerate() {
        for lane in 0..PAD {
            f(feature, lane, row + lane);
        }
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
        let (len, p) = (x.len(), pass.padded);
        let (gain, shift) = own.split_at(own.len() / 2);
        for at in (0..p).step_by(PAD) {
            let mean = means(len, p, at, |i| x[i]);
            let lane = |i: usize| i % p - at;
            let square = |i: usize| (x[i] - mean[lane(i)]) * (x[i] - mean[lane(i)]);
            let variance = means(len, p, at, square);
            let deviation = variance.map(|v| (v + R::of(self.epsilon)).sqrt());
            state.moments[at..at + PAD].copy_from_slice(&deviation);
            each(len, p, at, |feature, lane, i| {
                let hat = (x[i] - mean[lane]) / deviation[lane];
                state.kept[i] = hat;
                state.z[i] = gain[feature] * hat + shift[feature];
            });
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
        let len = delta.len();
        let (d_gain, d_shift) = gradient.split_at_mut(own.len() / 2);
        sums(p, d_gain, |i| delta[i] * hat[i]);
        sums(p, d_shift, |i| delta[i]);
        let Some(mut below) = below else { return };
        let g = |i: usize| own[i / p] * delta[i];
        for at in (0..p).step_by(PAD) {
            let m1 = means(len, p, at, g);
            let m2 = means(len, p, at, |i| g(i) * hat[i]);
            each(len, p, at, |_, lane, i| {
                let dx = (g(i) - m1[lane] - hat[i] * m2[lane]) / state.moments[at + lane];
                below.put_at(i, dx);
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
        let (p, half) = (pass.padded, own.len() / 2);
        let hat = &state.kept;
        let len = hat.len();
        tangent.kept.resize(len, R::zero());
        tangent.moments.resize(p, R::zero());
        for at in (0..p).step_by(PAD) {
            let rate = |i: usize| rx.map_or(R::zero(), |rx| rx[i]);
            let r_mean = means(len, p, at, rate);
            let r_deviation = means(len, p, at, |i| hat[i] * rate(i));
            tangent.moments[at..at + PAD].copy_from_slice(&r_deviation);
            each(len, p, at, |feature, lane, i| {
                let moved = rate(i) - r_mean[lane] - hat[i] * r_deviation[lane];
                let r_hat = moved / state.moments[at + lane];
                tangent.kept[i] = r_hat;
                tangent.z[i] = v[feature] * hat[i] + own[feature] * r_hat + v[half + feature];
            });
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
        below: Option<Below<'_, R>>,
    ) {
        let p = pass.padded;
        let (delta, hat) = (&state.delta, &state.kept);
        let (r_delta, r_hat) = (&tangent.delta, &tangent.kept);
        let len = delta.len();
        let (d_gain, d_shift) = out.split_at_mut(own.len() / 2);
        sums(p, d_gain, |i| r_delta[i] * hat[i] + delta[i] * r_hat[i]);
        sums(p, d_shift, |i| r_delta[i]);
        let Some(mut below) = below else { return };
        let g = |i: usize| own[i / p] * delta[i];
        let rg = |i: usize| own[i / p] * r_delta[i] + v[i / p] * delta[i];
        for at in (0..p).step_by(PAD) {
            let m1 = means(len, p, at, g);
            let m2 = means(len, p, at, |i| g(i) * hat[i]);
            let rm1 = means(len, p, at, rg);
            let rm2 = means(len, p, at, |i| rg(i) * hat[i] + g(i) * r_hat[i]);
            each(len, p, at, |_, lane, i| {
                let deviation = state.moments[at + lane];
                let dx = (g(i) - m1[lane] - hat[i] * m2[lane]) / deviation;
                let moved = rg(i) - rm1[lane] - r_hat[i] * m2[lane] - hat[i] * rm2[lane];
                let rate = tangent.moments[at + lane];
                below.put_at(i, (moved - dx * rate) / deviation);
            });
        }
    }
}
