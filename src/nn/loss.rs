//! Loss functions: what is averaged over the samples, and its derivative.

use super::kernel::PAD;
use super::{Activation, Real};
use pulp::{Arch, Simd, WithSimd};
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

    /// The losses of a batch's samples, written over `out` `[padded]`. `z`, `a`
    /// and the target `t` are `[outputs, padded]`. The cross-entropies are
    /// computed from `z`, so that a saturated output costs its true loss and
    /// not infinity.
    pub fn values<R: Real>(self, arch: Arch, z: &[R], a: &[R], t: &[R], out: &mut [R]) {
        arch.dispatch(Values {
            loss: self,
            z,
            a,
            t,
            out,
        });
    }

    /// The error signals `dL/dz` at the output layer, written over `delta`,
    /// for L the sum of the samples' losses times `share`. All `[outputs, padded]`.
    pub fn delta<R: Real>(
        self,
        arch: Arch,
        activation: Activation,
        z: &[R],
        a: &[R],
        t: &[R],
        share: R,
        delta: &mut [R],
        padded: usize,
    ) {
        let factor = share * self.slope_factor::<R>(a.len() / padded);
        for ((d, &a), &t) in delta.iter_mut().zip(a).zip(t) {
            *d = (a - t) * factor;
        }
        if self.is_squared() {
            activation.back(arch, delta, z, a, padded);
        }
    }

    /// Whether it is a sum of squares.
    pub fn is_squared(self) -> bool {
        matches!(self, Loss::HalfSquaredError | Loss::MeanSquaredError)
    }

    /// `c` in `dL/da = c (a - t)` for the squared errors; the cross-entropies,
    /// with their own output activation, have `dL/dz = a - t` (the targets of
    /// softmax sum to one).
    pub(super) fn slope_factor<R: Real>(self, outputs: usize) -> R {
        match self {
            Loss::MeanSquaredError => R::of(2.0 / outputs as f64),
            _ => R::one(),
        }
    }
}

pub(super) struct Values<'a, R> {
    pub(super) loss: Loss,
    pub(super) z: &'a [R],
    pub(super) a: &'a [R],
    pub(super) t: &'a [R],
    pub(super) out: &'a mut [R],
}

impl<R: Real> WithSimd for Values<'_, R> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Values { loss, z, a, t, out } = self;
        let padded = out.len();
        match loss {
            Loss::HalfSquaredError => squares(a, t, R::of(0.5), out),
            Loss::MeanSquaredError => {
                let outputs = a.len() / padded;
                squares(a, t, R::of(1.0 / outputs as f64), out);
            }
            // -ln a = softplus(-z) and -ln(1 - a) = softplus(z). The shorter
            // softplus(z) - t z cancels where the answer is right.
            Loss::BinaryCrossEntropy => {
                out.fill(R::zero());
                let rows = z.chunks_exact(padded).zip(t.chunks_exact(padded));
                for (z, t) in rows {
                    for ((out, &z), &t) in out.iter_mut().zip(z).zip(t) {
                        let wrong = if z > R::zero() {
                            (R::one() - t) * z
                        } else {
                            -t * z
                        };
                        *out += wrong + (-z.abs()).fast_exp().fast_ln_1p();
                    }
                }
            }
            Loss::SoftmaxCrossEntropy => {
                for at in (0..padded).step_by(PAD) {
                    softmax_block(z, t, out, at);
                }
            }
        }
    }
}

/// A sum of losses in progress: one for each of [`PAD`] samples side by side,
/// because a single one would wait for itself at every sample. Every total of
/// losses is formed like this, so that all agree to the last bit.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Lanes([f64; PAD]);

impl Lanes {
    /// Adds losses, of which the first belongs to the first lane.
    #[inline(always)]
    pub(super) fn add<R: Real>(&mut self, losses: &[R]) {
        for block in losses.chunks(PAD) {
            for (sum, loss) in self.0.iter_mut().zip(block) {
                *sum += loss.wide();
            }
        }
    }

    /// The sum over the lanes.
    #[inline(always)]
    pub(super) fn sum(mut self) -> f64 {
        let mut half = PAD / 2;
        while half > 0 {
            for lane in 0..half {
                self.0[lane] += self.0[lane + half];
            }
            half /= 2;
        }
        self.0[0]
    }

    /// The sum of `losses`.
    #[inline(always)]
    pub(super) fn total<R: Real>(losses: &[R]) -> f64 {
        let mut lanes = Lanes::default();
        lanes.add(losses);
        lanes.sum()
    }
}

#[inline(always)]
fn squares<R: Real>(a: &[R], t: &[R], factor: R, out: &mut [R]) {
    let padded = out.len();
    out.fill(R::zero());
    for (a, t) in a.chunks_exact(padded).zip(t.chunks_exact(padded)) {
        for ((out, &a), &t) in out.iter_mut().zip(a).zip(t) {
            *out += (a - t) * (a - t);
        }
    }
    out.iter_mut().for_each(|v| *v *= factor);
}

/// `-ln a_k = (z_m - z_k) + ln(1 + sum over j != m of exp(z_j - z_m))` with m
/// the largest: nothing cancels where the answer is right.
#[inline(always)]
fn softmax_block<R: Real>(z: &[R], t: &[R], out: &mut [R], at: usize) {
    let padded = out.len();
    let rows = || z.chunks_exact(padded).map(|row| &row[at..at + PAD]);
    let mut top = [R::neg_infinity(); PAD];
    for z in rows() {
        for (top, &z) in top.iter_mut().zip(z) {
            *top = if z > *top { z } else { *top };
        }
    }
    let mut others = [R::zero(); PAD];
    // Whether the largest, of equals the first, has been left out. Its number would
    // be the plainer thing to keep, but makes branches of these loops.
    let mut seen = [0_u32; PAD];
    for z in rows() {
        for (((others, &z), &top), seen) in others.iter_mut().zip(z).zip(&top).zip(&mut seen) {
            let e = (z - top).fast_exp();
            let is_top = u32::from(z == top);
            *others += if is_top > *seen { R::zero() } else { e };
            *seen |= is_top;
        }
    }
    let mut sum = [R::zero(); PAD];
    for o in &mut others {
        *o = o.fast_ln_1p();
    }
    for (z, t) in rows().zip(t.chunks_exact(padded).map(|row| &row[at..at + PAD])) {
        for ((((sum, &z), &t), &top), &log) in sum.iter_mut().zip(z).zip(t).zip(&top).zip(&others) {
            let cost = t * ((top - z) + log);
            // A class that is excluded with certainty (z of minus infinity) costs
            // nothing where it is not wanted.
            *sum += if t == R::zero() { R::zero() } else { cost };
        }
    }
    out[at..at + PAD].copy_from_slice(&sum);
}

impl std::fmt::Display for Loss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One sample through the kernels that a batch takes.
    fn value<R: Real>(loss: Loss, z: &[R], a: &[R], target: &[R]) -> f64 {
        let column = |row: &[R]| -> Vec<R> { row.iter().flat_map(|&v| [v; PAD]).collect() };
        let mut out = [R::zero(); PAD];
        loss.values(
            Arch::new(),
            &column(z),
            &column(a),
            &column(target),
            &mut out,
        );
        out[PAD - 1].wide()
    }

    fn apply<R: Real>(activation: Activation, row: &mut [R]) {
        let z: Vec<R> = row.iter().flat_map(|&v| [v; PAD]).collect();
        let mut values = z.clone();
        activation.apply(Arch::new(), &z, &mut values, PAD);
        for (v, column) in row.iter_mut().zip(values.chunks_exact(PAD)) {
            *v = column[0];
        }
    }

    #[test]
    fn cross_entropies_equal_their_definitions_where_those_are_finite() {
        let z = [0.3_f64, -1.2, 2.0];
        let t = [0.0, 1.0, 0.0];
        let mut a = z;
        apply(Activation::Softmax, &mut a);
        let softmax = value(Loss::SoftmaxCrossEntropy, &z, &a, &t);
        assert!((softmax + a[1].ln()).abs() < 1e-14);
        let mut a = z;
        apply(Activation::Sigmoid, &mut a);
        let binary = value(Loss::BinaryCrossEntropy, &z, &a, &t);
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
                apply(Activation::Softmax, &mut a);
                let loss = value(Loss::SoftmaxCrossEntropy, &row, &a, &target);
                assert!((loss / exact - 1.0).abs() < 1e-6, "{z}: {loss} for {exact}");
            }
            for (z, target) in [(z, 1.0), (-z, 0.0)] {
                let loss = value(Loss::BinaryCrossEntropy, &[z], &[0.5], &[target]);
                assert!((loss / exact - 1.0).abs() < 1e-6, "{z}: {loss} for {exact}");
            }
        }
    }

    #[test]
    fn an_infinite_or_undefined_output_has_no_finite_loss() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for row in [[bad, 1.0, 0.5], [1.0, bad, 0.5], [1.0, 0.5, bad]] {
                let mut a = row;
                apply(Activation::Softmax, &mut a);
                let loss = value(Loss::SoftmaxCrossEntropy, &row, &a, &[0.0, 1.0, 0.0]);
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
        apply(Activation::Softmax, &mut a);
        assert_eq!(value(Loss::SoftmaxCrossEntropy, &z, &a, &[1.0, 0.0]), 200.0);
    }
}
