//! Penalties on large weights. Biases are left free, as is customary
//! (Goodfellow, Bengio and Courville 2016, section 7.1).

use crate::nn::{Layout, ParamRole, Real};

/// `l1 sum |w| + l2/2 sum w^2` over all weights.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Regulariser {
    /// The factor of the absolute values.
    pub l1: f64,
    /// The factor of half the squares.
    pub l2: f64,
}

impl Regulariser {
    /// The penalty that is added to the data loss.
    pub fn penalty<R: Real>(&self, layout: &Layout, params: &[R]) -> f64 {
        if self.l1 == 0.0 && self.l2 == 0.0 {
            return 0.0;
        }
        weights(layout)
            .flat_map(|range| &params[range])
            .map(|w| w.wide())
            .map(|w| self.l1 * w.abs() + 0.5 * self.l2 * w * w)
            .sum()
    }

    /// Adds the penalty's gradient (at a weight of 0, L1 contributes 0).
    pub fn add_gradient<R: Real>(&self, layout: &Layout, params: &[R], gradient: &mut [R]) {
        if self.l1 == 0.0 && self.l2 == 0.0 {
            return;
        }
        let (l1, l2) = (R::of(self.l1), R::of(self.l2));
        for range in weights(layout) {
            for (g, &w) in gradient[range.clone()].iter_mut().zip(&params[range]) {
                *g += l1 * super::sign(w) + l2 * w;
            }
        }
    }

    /// Adds the second derivative of the L2 penalty to the diagonal of
    /// `matrix` (`[p, p]`, row by row).
    pub fn add_curvature(&self, layout: &Layout, matrix: &mut [f64]) {
        let p = layout.len();
        for i in weights(layout).flatten() {
            matrix[i * p + i] += self.l2;
        }
    }
}

fn weights(layout: &Layout) -> impl Iterator<Item = std::ops::Range<usize>> {
    layout
        .tensors()
        .iter()
        .filter(|t| t.role == ParamRole::Weight)
        .map(|t| t.range.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::{Activation, Loss, Network};

    #[test]
    fn the_gradient_is_that_of_the_penalty_and_biases_are_free() {
        let network =
            Network::dense(2, &[(2, Activation::Linear)], Loss::HalfSquaredError).unwrap();
        let layout = network.layout();
        let params = [0.5_f64, -1.5, 2.0, 0.25, 7.0, 8.0];
        let penalty = Regulariser { l1: 0.3, l2: 0.7 };
        let mut gradient = [0.0; 6];
        penalty.add_gradient(layout, &params, &mut gradient);
        for i in 0..6 {
            let at = |h: f64| {
                let mut p = params;
                p[i] += h;
                penalty.penalty(layout, &p)
            };
            let difference = (at(1e-4) - at(-1e-4)) / 2e-4;
            assert!((gradient[i] - difference).abs() < 1e-9, "{i}");
        }
        assert_eq!(gradient[4..], [0.0, 0.0]);
    }
}
