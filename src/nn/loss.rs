//! Loss functions: what is averaged over the samples, and its derivative.

use super::activation::softplus;
use super::{Activation, Real};
use serde::{Deserialize, Serialize};

/// The error of one sample as a function of output and target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// `1/2 sum_k (a_k - t_k)^2`
    HalfSquaredError,
    /// `1/K sum_k (a_k - t_k)^2`, K the number of outputs
    MeanSquaredError,
    /// `-t ln a - (1 - t) ln(1 - a)`, summed over outputs; sigmoid output
    BinaryCrossEntropy,
    /// `-sum_k t_k ln a_k`; softmax output
    SoftmaxCrossEntropy,
}

impl Loss {
    /// All of them, in the order in which a menu shows them.
    pub const ALL: [Loss; 4] = [
        Loss::HalfSquaredError,
        Loss::MeanSquaredError,
        Loss::BinaryCrossEntropy,
        Loss::SoftmaxCrossEntropy,
    ];

    /// The full name.
    pub fn name(self) -> &'static str {
        match self {
            Loss::HalfSquaredError => "half-squared-error",
            Loss::MeanSquaredError => "mean-squared-error",
            Loss::BinaryCrossEntropy => "binary-cross-entropy",
            Loss::SoftmaxCrossEntropy => "softmax-cross-entropy",
        }
    }

    /// Whether the loss is defined for an output layer with `activation`.
    pub fn accepts(self, activation: Activation) -> bool {
        match self {
            Loss::HalfSquaredError | Loss::MeanSquaredError => true,
            Loss::BinaryCrossEntropy => activation == Activation::Sigmoid,
            Loss::SoftmaxCrossEntropy => activation == Activation::Softmax,
        }
    }

    /// One sample's loss. `z`, `a` and `target` have one value per output.
    /// The cross-entropies are computed from `z`, so that a saturated output
    /// costs its true loss and not infinity.
    pub fn value<R: Real>(self, z: &[R], a: &[R], target: &[R]) -> f64 {
        let squares = || -> f64 {
            a.iter()
                .zip(target)
                .map(|(&a, &t)| (a - t).wide().powi(2))
                .sum()
        };
        match self {
            Loss::HalfSquaredError => 0.5 * squares(),
            Loss::MeanSquaredError => squares() / a.len() as f64,
            // -ln a = softplus(-z) and -ln(1 - a) = softplus(z). The shorter
            // softplus(z) - t z cancels where the answer is right.
            Loss::BinaryCrossEntropy => z
                .iter()
                .zip(target)
                .map(|(&z, &t)| (t * softplus(-z) + (R::one() - t) * softplus(z)).wide())
                .sum(),
            // -ln a_k = (z_m - z_k) + ln(1 + sum over j != m of exp(z_j - z_m))
            // with m the largest: nothing cancels where the answer is right.
            Loss::SoftmaxCrossEntropy => {
                let mut top = 0;
                for (k, &v) in z.iter().enumerate() {
                    if v > z[top] {
                        top = k;
                    }
                }
                let others: R = z
                    .iter()
                    .enumerate()
                    .filter(|&(k, _)| k != top)
                    .map(|(_, &v)| (v - z[top]).exp())
                    .sum();
                let log_total = others.ln_1p();
                z.iter()
                    .zip(target)
                    .map(|(&v, &t)| {
                        if t == R::zero() {
                            0.0
                        } else {
                            (t * ((z[top] - v) + log_total)).wide()
                        }
                    })
                    .sum()
            }
        }
    }

    /// The error signal `dL/dz` of one sample at the output layer, written
    /// over `delta`.
    pub fn delta<R: Real>(
        self,
        activation: Activation,
        z: &[R],
        a: &[R],
        target: &[R],
        delta: &mut [R],
    ) {
        for ((d, &a), &t) in delta.iter_mut().zip(a).zip(target) {
            *d = a - t;
        }
        match self {
            // With their own output activation both reduce to a - t (the
            // targets of softmax sum to one).
            Loss::BinaryCrossEntropy | Loss::SoftmaxCrossEntropy => {}
            Loss::HalfSquaredError => activation.back(delta, z, a),
            Loss::MeanSquaredError => {
                let factor = R::of(2.0 / a.len() as f64);
                delta.iter_mut().for_each(|d| *d *= factor);
                activation.back(delta, z, a);
            }
        }
    }
}

impl std::fmt::Display for Loss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cross_entropies_equal_their_definitions_where_those_are_finite() {
        let z = [0.3_f64, -1.2, 2.0];
        let t = [0.0, 1.0, 0.0];
        let mut a = z;
        Activation::Softmax.apply(&mut a);
        let softmax = Loss::SoftmaxCrossEntropy.value(&z, &a, &t);
        assert!((softmax + a[1].ln()).abs() < 1e-14);
        let mut a = z;
        Activation::Sigmoid.apply(&mut a);
        let binary = Loss::BinaryCrossEntropy.value(&z, &a, &t);
        let expected: f64 = a
            .iter()
            .zip(t)
            .map(|(a, t)| -t * a.ln() - (1.0 - t) * (1.0 - a).ln())
            .sum();
        assert!((binary - expected).abs() < 1e-14);
    }

    #[test]
    fn a_confident_right_answer_costs_its_true_loss_at_single_precision() {
        let mut a = [0.0_f32; 2];
        for z in [6.0_f32, 9.0, 15.0, 30.0] {
            let exact = (-f64::from(z)).exp().ln_1p();
            for (row, target) in [([z, 0.0], [1.0, 0.0]), ([0.0, z], [0.0, 1.0])] {
                a.copy_from_slice(&row);
                Activation::Softmax.apply(&mut a);
                let loss = Loss::SoftmaxCrossEntropy.value(&row, &a, &target);
                assert!((loss / exact - 1.0).abs() < 1e-6, "{z}: {loss} for {exact}");
            }
            for (z, target) in [(z, 1.0), (-z, 0.0)] {
                let loss = Loss::BinaryCrossEntropy.value(&[z], &[0.5], &[target]);
                assert!((loss / exact - 1.0).abs() < 1e-6, "{z}: {loss} for {exact}");
            }
        }
    }

    #[test]
    fn an_infinite_or_undefined_output_has_no_finite_loss() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for row in [[bad, 1.0, 0.5], [1.0, bad, 0.5], [1.0, 0.5, bad]] {
                let mut a = row;
                Activation::Softmax.apply(&mut a);
                let loss = Loss::SoftmaxCrossEntropy.value(&row, &a, &[0.0, 1.0, 0.0]);
                // An excluded class at minus infinity is no fault.
                if bad != f32::NEG_INFINITY || row[1] == bad {
                    assert!(!loss.is_finite(), "{row:?}: {loss}");
                }
            }
        }
    }

    #[test]
    fn a_saturated_wrong_answer_costs_its_true_loss() {
        let z = [-200.0_f32, 0.0];
        let mut a = z;
        Activation::Softmax.apply(&mut a);
        assert_eq!(Loss::SoftmaxCrossEntropy.value(&z, &a, &[1.0, 0.0]), 200.0);
    }
}
