//! Activation functions and their derivatives.

use super::Real;
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

    /// Replaces one sample's pre-activations by activations, in place.
    pub fn apply<R: Real>(self, row: &mut [R]) {
        match self {
            Activation::Linear => {}
            Activation::Softmax => softmax(row),
            _ => row.iter_mut().for_each(|v| *v = self.value(*v)),
        }
    }

    /// Turns `dL/da` into `dL/dz` for one sample, in place, given that
    /// sample's `z` and `a` (all of the layer's length).
    pub fn back<R: Real>(self, gradient: &mut [R], z: &[R], a: &[R]) {
        match self {
            Activation::Linear => {}
            // da_i/dz_j = a_i (d_ij - a_j)
            Activation::Softmax => {
                let dot: R = gradient.iter().zip(a).map(|(&g, &a)| g * a).sum();
                for (g, &a) in gradient.iter_mut().zip(a) {
                    *g = a * (*g - dot);
                }
            }
            _ => {
                for ((g, &z), &a) in gradient.iter_mut().zip(z).zip(a) {
                    *g *= self.slope(z, a);
                }
            }
        }
    }

    /// [`apply`](Self::apply) to every row of a matrix with `units` columns, all
    /// at once where a unit's activation depends on that unit alone.
    pub(super) fn apply_rows<R: Real>(self, values: &mut [R], units: usize) {
        match self {
            Activation::Softmax => values.chunks_exact_mut(units).for_each(softmax),
            _ => self.apply(values),
        }
    }

    /// [`back`](Self::back) for every row of matrices with `units` columns.
    pub(super) fn back_rows<R: Real>(self, gradient: &mut [R], z: &[R], a: &[R], units: usize) {
        match self {
            Activation::Softmax => {
                let rows = z.chunks_exact(units).zip(a.chunks_exact(units));
                for (gradient, (z, a)) in gradient.chunks_exact_mut(units).zip(rows) {
                    self.back(gradient, z, a);
                }
            }
            _ => self.back(gradient, z, a),
        }
    }

    fn value<R: Real>(self, z: R) -> R {
        let zero = R::zero();
        match self {
            Activation::Linear | Activation::Softmax => z,
            Activation::Sigmoid => sigmoid(z),
            Activation::Tanh => z.tanh(),
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

    /// `da/dz` of an element-wise activation.
    fn slope<R: Real>(self, z: R, a: R) -> R {
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
            Activation::Gelu => {
                let density =
                    (-(z * z) / R::of(2.0)).exp() / R::of((2.0 * std::f64::consts::PI).sqrt());
                normal_cdf(z) + z * density
            }
            Activation::Silu => {
                let s = sigmoid(z);
                s * (one + z * (one - s))
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
pub(super) fn sigmoid<R: Real>(z: R) -> R {
    let one = R::one();
    if z >= R::zero() {
        one / (one + (-z).exp())
    } else {
        let e = z.exp();
        e / (one + e)
    }
}

/// `ln(1 + exp z)` without overflow.
pub(super) fn softplus<R: Real>(z: R) -> R {
    z.max(R::zero()) + (-z.abs()).exp().ln_1p()
}

fn normal_cdf<R: Real>(z: R) -> R {
    R::of(0.5 * libm::erfc(-z.wide() * std::f64::consts::FRAC_1_SQRT_2))
}

fn softmax<R: Real>(row: &mut [R]) {
    let top = row.iter().copied().fold(R::neg_infinity(), R::max);
    let mut total = R::zero();
    for v in row.iter_mut() {
        *v = (*v - top).exp();
        total += *v;
    }
    row.iter_mut().for_each(|v| *v /= total);
}

#[cfg(test)]
mod tests {
    use super::*;

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
                activation.apply(&mut row);
                let mut gradient = [1.0, 1.0];
                activation.back(&mut gradient, &[z, 0.0], &row);
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
            activation.apply(&mut row);
            assert!(row[0].is_nan(), "{activation}");
        }
    }

    #[test]
    fn softmax_sums_to_one() {
        let mut row = [1000.0_f64, 1001.0, 999.0];
        Activation::Softmax.apply(&mut row);
        assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-15);
        assert!((row[1] - 0.665_240_955_774_821_9).abs() < 1e-15);
    }
}
