//! Gradients that are too long are shortened: by value, each component to
//! between `-v` and `v`; by norm (Pascanu, Mikolov and Bengio 2013, algorithm
//! 1), the whole vector to `g c / |g|` where `|g| > c`.

use crate::nn::Real;

/// The bounds on a gradient. With both, components are clipped first, as in a
/// loop that calls PyTorch's `clip_grad_value_` before `clip_grad_norm_`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Clip {
    /// The most that the Euclidean norm over all parameters may be.
    pub norm: Option<f64>,
    /// The most that a component's magnitude may be.
    pub value: Option<f64>,
}

impl Clip {
    /// Clips `gradient` in place. A gradient within the bounds stays as it is
    /// to the last bit.
    pub fn apply<R: Real>(&self, gradient: &mut [R]) {
        if let Some(value) = self.value {
            let most = R::of(value);
            for g in gradient.iter_mut() {
                *g = g.max(-most).min(most);
            }
        }
        if let Some(most) = self.norm {
            let norm = norm(gradient);
            if norm > most {
                // Not PyTorch's c / (|g| + 1e-6): the norm comes out as c.
                let factor = R::of(most / norm);
                gradient.iter_mut().for_each(|g| *g *= factor);
            }
        }
    }
}

/// The Euclidean norm, scaled so that no square overflows.
pub(crate) fn norm<R: Real>(vector: &[R]) -> f64 {
    let largest = vector.iter().fold(0.0, |m: f64, v| m.max(v.wide().abs()));
    if largest == 0.0 || !largest.is_finite() {
        return largest;
    }
    let squares: f64 = vector.iter().map(|v| (v.wide() / largest).powi(2)).sum();
    largest * squares.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_gradient_gets_exactly_the_norm_and_keeps_its_direction() {
        let clip = Clip {
            norm: Some(1.0),
            value: None,
        };
        let mut g = [3.0_f64, -4.0];
        clip.apply(&mut g);
        assert!((g[0] - 0.6).abs() < 1e-15 && (g[1] + 0.8).abs() < 1e-15);
        // Squares of these overflow even an f64.
        let mut g = [3e200_f64, -4e200];
        clip.apply(&mut g);
        assert!((norm(&g) - 1.0).abs() < 1e-15);
        let mut g = [3e30_f32, -4e30];
        clip.apply(&mut g);
        assert!((norm(&g) - 1.0).abs() < 1e-7);
    }

    #[test]
    fn a_gradient_within_the_bounds_is_untouched() {
        let clip = Clip {
            norm: Some(5.0),
            value: Some(4.0),
        };
        let mut g = [3.0_f32, -4.0];
        clip.apply(&mut g);
        assert_eq!(g.map(f32::to_bits), [3.0_f32, -4.0].map(f32::to_bits));
        Clip::default().apply(&mut g);
        assert_eq!(g, [3.0, -4.0]);
    }

    #[test]
    fn components_are_clipped_before_the_norm() {
        let clip = Clip {
            norm: Some(1.0),
            value: Some(2.0),
        };
        let mut g = [100.0_f64, -2.0, 0.0];
        clip.apply(&mut g);
        let half = 0.5_f64.sqrt();
        for (g, expected) in g.iter().zip([half, -half, 0.0]) {
            assert!((g - expected).abs() < 1e-15, "{g}");
        }
    }
}
