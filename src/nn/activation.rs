//! Activation functions and their derivatives.

use super::Real;
use super::kernel::PAD;
use pulp::{Arch, Simd, WithSimd};
use serde::{Deserialize, Serialize};

/// What a unit makes of its pre-activation `z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// `z`
    Linear,
    /// `1 / (1 + exp(-z))`, the logistic function
    Sigmoid,
    /// `tanh z`
    Tanh,
    /// `max(0, z)`; its derivative at 0 is taken as 0
    Relu,
    /// `z` above 0, `0.01 z` below
    LeakyRelu,
    /// `ln(1 + exp z)`
    Softplus,
    /// `z Phi(z)` with the exact normal distribution function
    /// (Hendrycks and Gimpel 2016, arXiv:1606.08415)
    Gelu,
    /// `z sigmoid(z)`, also called swish
    Silu,
    /// `exp z_i / sum_j exp z_j` over the layer; for the output layer only
    Softmax,
}

/// The slope of leaky ReLU below zero.
const LEAK: f64 = 0.01;

impl Activation {
    /// All of them, in the order in which a menu shows them.
    pub const ALL: [Activation; 9] = [
        Activation::Linear,
        Activation::Sigmoid,
        Activation::Tanh,
        Activation::Relu,
        Activation::LeakyRelu,
        Activation::Softplus,
        Activation::Gelu,
        Activation::Silu,
        Activation::Softmax,
    ];

    /// The name used in experiment files.
    pub fn name(self) -> &'static str {
        match self {
            Activation::Linear => "linear",
            Activation::Sigmoid => "sigmoid",
            Activation::Tanh => "tanh",
            Activation::Relu => "relu",
            Activation::LeakyRelu => "leaky-relu",
            Activation::Softplus => "softplus",
            Activation::Gelu => "gelu",
            Activation::Silu => "silu",
            Activation::Softmax => "softmax",
        }
    }

    /// Activations `a` from pre-activations `z`. Both hold a layer `[units,
    /// samples]`, each unit's `padded` samples side by side.
    pub fn apply<R: Real>(self, arch: Arch, z: &[R], a: &mut [R], padded: usize) {
        arch.dispatch(Apply {
            activation: self,
            z,
            a,
            padded,
        });
    }

    /// Turns `dL/da` into `dL/dz` in place, given `z` and `a`, all laid out as
    /// for [`apply`](Self::apply).
    pub fn back<R: Real>(self, arch: Arch, gradient: &mut [R], z: &[R], a: &[R], padded: usize) {
        if self != Activation::Linear {
            arch.dispatch(Back {
                activation: self,
                gradient,
                z,
                a,
                padded,
            });
        }
    }

    /// `a` for one `z`; of softmax, which looks at all units, `z` itself.
    #[inline(always)]
    pub fn value<R: Real>(self, z: R) -> R {
        let zero = R::zero();
        match self {
            Activation::Linear | Activation::Softmax => z,
            Activation::Sigmoid => sigmoid(z),
            Activation::Tanh => z.fast_tanh(),
            // Written so that NaN stays NaN; `max` would hide it.
            Activation::Relu => {
                if z <= zero {
                    zero
                } else {
                    z
                }
            }
            Activation::LeakyRelu => {
                if z <= zero {
                    z * R::of(LEAK)
                } else {
                    z
                }
            }
            Activation::Softplus => softplus(z),
            Activation::Gelu => z * normal_cdf(z),
            Activation::Silu => z * sigmoid(z),
        }
    }

    /// `da/dz` at `z` with activation `a`; of softmax, which is no function of
    /// one unit, 1.
    #[inline(always)]
    pub fn slope<R: Real>(self, z: R, a: R) -> R {
        let (zero, one) = (R::zero(), R::one());
        match self {
            Activation::Linear | Activation::Softmax => one,
            Activation::Sigmoid => a * (one - a),
            Activation::Tanh => one - a * a,
            Activation::Relu => {
                if z > zero {
                    one
                } else {
                    zero
                }
            }
            Activation::LeakyRelu => {
                if z > zero {
                    one
                } else {
                    R::of(LEAK)
                }
            }
            Activation::Softplus => sigmoid(z),
            Activation::Gelu => normal_cdf(z) + z * normal_density(z),
            Activation::Silu => {
                let s = sigmoid(z);
                s * (one + z * (one - s))
            }
        }
    }
}

impl Activation {
    /// `d^2a/dz^2` at `z` with activation `a`; 0 at the corners of ReLU and leaky
    /// ReLU, and for softmax.
    pub fn curvature<R: Real>(self, z: R, a: R) -> R {
        let (one, two) = (R::one(), R::of(2.0));
        match self {
            Activation::Linear | Activation::Softmax | Activation::Relu | Activation::LeakyRelu => {
                R::zero()
            }
            Activation::Sigmoid => a * (one - a) * (one - two * a),
            Activation::Tanh => -two * a * (one - a * a),
            Activation::Softplus => {
                let s = sigmoid(z);
                s * (one - s)
            }
            Activation::Gelu => normal_density(z) * (two - z * z),
            Activation::Silu => {
                let s = sigmoid(z);
                s * (one - s) * (two + z * (one - two * s))
            }
        }
    }
}

impl std::fmt::Display for Activation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// The logistic function, without overflow for any finite `z`.
#[inline(always)]
pub(super) fn sigmoid<R: Real>(z: R) -> R {
    let one = R::one();
    // e <= 1, so that nothing overflows on either side of 0.
    let e = (-z.abs()).fast_exp();
    let high = one / (one + e);
    if z >= R::zero() { high } else { e * high }
}

/// `ln(1 + exp z)` without overflow.
#[inline(always)]
pub(super) fn softplus<R: Real>(z: R) -> R {
    // Written so that NaN stays NaN; `max` would hide it.
    let rest = (-z.abs()).fast_exp().fast_ln_1p();
    if z > R::zero() { z + rest } else { rest }
}

#[inline(always)]
fn normal_cdf<R: Real>(z: R) -> R {
    R::of(0.5 * libm::erfc(-z.wide() * std::f64::consts::FRAC_1_SQRT_2))
}

fn normal_density<R: Real>(z: R) -> R {
    (-(z * z) / R::of(2.0)).exp() / R::of((2.0 * std::f64::consts::PI).sqrt())
}

pub(super) struct Apply<'a, R> {
    pub(super) activation: Activation,
    pub(super) z: &'a [R],
    pub(super) a: &'a mut [R],
    pub(super) padded: usize,
}

impl<R: Real> WithSimd for Apply<'_, R> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        macro_rules! each {
            ($($kind:ident),*) => {
                match self.activation {
                    Activation::Tanh => R::tanh_all(simd, self.z, self.a),
                    Activation::Softmax => softmax(self.z, self.a, self.padded),
                    // A loop each, so that the choice is made outside of it.
                    $(Activation::$kind => {
                        for (a, &z) in self.a.iter_mut().zip(self.z) {
                            *a = Activation::$kind.value(z);
                        }
                    })*
                }
            };
        }
        each!(Linear, Sigmoid, Relu, LeakyRelu, Softplus, Gelu, Silu);
    }
}

/// `values = f(values)` for an `activation` that looks at one unit at a time.
#[inline(always)]
pub(super) fn apply_in_place<R: Real, S: Simd>(simd: S, activation: Activation, values: &mut [R]) {
    macro_rules! each {
        ($($kind:ident),*) => {
            match activation {
                Activation::Linear | Activation::Softmax => {}
                Activation::Tanh => R::tanh_in_place(simd, values),
                $(Activation::$kind => {
                    for v in values {
                        *v = Activation::$kind.value(*v);
                    }
                })*
            }
        };
    }
    each!(Sigmoid, Relu, LeakyRelu, Softplus, Gelu, Silu);
}

pub(super) struct Back<'a, R> {
    pub(super) activation: Activation,
    pub(super) gradient: &'a mut [R],
    pub(super) z: &'a [R],
    pub(super) a: &'a [R],
    pub(super) padded: usize,
}

impl<R: Real> WithSimd for Back<'_, R> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        macro_rules! each {
            ($($kind:ident),*) => {
                match self.activation {
                    Activation::Softmax => softmax_back(self.gradient, self.a, self.padded),
                    $(Activation::$kind => {
                        let values = self.z.iter().zip(self.a);
                        for (g, (&z, &a)) in self.gradient.iter_mut().zip(values) {
                            *g *= Activation::$kind.slope(z, a);
                        }
                    })*
                }
            };
        }
        each!(Linear, Sigmoid, Tanh, Relu, LeakyRelu, Softplus, Gelu, Silu);
    }
}

/// Softmax over the units of each sample.
#[inline(always)]
fn softmax<R: Real>(z: &[R], a: &mut [R], padded: usize) {
    // A loop and no closure: a closure would not be part of the function that is
    // compiled for the instruction set.
    for at in (0..padded).step_by(PAD) {
        let mut top = [R::neg_infinity(); PAD];
        for row in z.chunks_exact(padded) {
            for (top, &v) in top.iter_mut().zip(&row[at..at + PAD]) {
                *top = if v > *top { v } else { *top };
            }
        }
        let mut total = [R::zero(); PAD];
        for (z, a) in z.chunks_exact(padded).zip(a.chunks_exact_mut(padded)) {
            let values = z[at..at + PAD].iter().zip(&mut a[at..at + PAD]);
            for (((&z, a), total), &top) in values.zip(&mut total).zip(&top) {
                *a = (z - top).fast_exp();
                *total += *a;
            }
        }
        for row in a.chunks_exact_mut(padded) {
            for (v, &total) in row[at..at + PAD].iter_mut().zip(&total) {
                *v /= total;
            }
        }
    }
}

/// `dL/dz_i = a_i (dL/da_i - sum_j a_j dL/da_j)`
#[inline(always)]
fn softmax_back<R: Real>(gradient: &mut [R], a: &[R], padded: usize) {
    for at in (0..padded).step_by(PAD) {
        let mut dot = [R::zero(); PAD];
        for (g, a) in gradient.chunks_exact(padded).zip(a.chunks_exact(padded)) {
            for ((dot, &g), &a) in dot.iter_mut().zip(&g[at..at + PAD]).zip(&a[at..at + PAD]) {
                *dot += g * a;
            }
        }
        for (g, a) in gradient
            .chunks_exact_mut(padded)
            .zip(a.chunks_exact(padded))
        {
            let rows = g[at..at + PAD].iter_mut().zip(&a[at..at + PAD]);
            for ((g, &a), &dot) in rows.zip(&dot) {
                *g = a * (*g - dot);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One sample's layer, through the kernels that a batch takes.
    fn column<R: Real>(values: &[R]) -> Vec<R> {
        values.iter().flat_map(|&v| [v; PAD]).collect()
    }

    fn apply<R: Real>(activation: Activation, row: &mut [R]) {
        let mut values = column(row);
        activation.apply(Arch::new(), &column(row), &mut values, PAD);
        for (v, column) in row.iter_mut().zip(values.chunks_exact(PAD)) {
            *v = column[PAD - 1];
        }
    }

    fn back<R: Real>(activation: Activation, gradient: &mut [R], z: &[R], a: &[R]) {
        let mut values = column(gradient);
        activation.back(Arch::new(), &mut values, &column(z), &column(a), PAD);
        for (g, column) in gradient.iter_mut().zip(values.chunks_exact(PAD)) {
            *g = column[0];
        }
    }

    #[test]
    fn known_values() {
        let value = |a: Activation, z: f64| a.value(z);
        assert_eq!(value(Activation::Sigmoid, 0.0), 0.5);
        assert!((value(Activation::Gelu, 1.0) - 0.841_344_746_068_542_9).abs() < 1e-15);
        assert!((value(Activation::Softplus, 0.0) - 2f64.ln()).abs() < 1e-15);
        assert!((value(Activation::Silu, 1.0) - 0.731_058_578_630_004_9).abs() < 1e-15);
        assert_eq!(value(Activation::LeakyRelu, -2.0), -0.02);
    }

    #[test]
    fn large_arguments_stay_finite() {
        for activation in Activation::ALL {
            for z in [-1e4_f32, -100.0, 100.0, 1e4] {
                let mut row = [z, 0.0];
                apply(activation, &mut row);
                let mut gradient = [1.0, 1.0];
                back(activation, &mut gradient, &[z, 0.0], &row);
                assert!(
                    row.iter().chain(&gradient).all(|v| v.is_finite()),
                    "{activation} at {z}: {row:?} {gradient:?}"
                );
            }
        }
    }

    #[test]
    fn nan_is_never_hidden() {
        for activation in Activation::ALL {
            let mut row = [f32::NAN, 1.0];
            apply(activation, &mut row);
            assert!(row[0].is_nan(), "{activation}");
        }
    }

    #[test]
    fn softmax_sums_to_one() {
        let mut row = [1000.0_f64, 1001.0, 999.0];
        apply(Activation::Softmax, &mut row);
        assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-15);
        assert!((row[1] - 0.665_240_955_774_821_9).abs() < 1e-15);
    }
}
