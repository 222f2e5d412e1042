//! What kind of place this is: a minimum, a saddle, a plateau, a slope. Said from
//! the gradient and the Hessian, never from a picture.

use serde::Serialize;

/// What there is to gain downhill, as a share of the loss's own scale, below
/// which the gradient counts as zero.
pub const STILL: f64 = 1e-3;
/// How much the loss bends over the length of the weights, as a share of its
/// scale, below which it counts as flat.
pub const FLAT: f64 = 1e-3;
/// The share of the largest eigenvalue's size below which another has no sign: in
/// a trained network many are nearly zero.
pub const SIGNLESS: f64 = 1e-3;

/// What kind of place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CriticalPoint {
    /// The gradient is zero and nothing bends down. Directions along which nothing
    /// changes may remain; most networks have many.
    Minimum,
    /// The gradient is zero and nothing bends up.
    Maximum,
    /// The gradient is zero, and the loss bends up one way and down another.
    Saddle,
    /// The gradient is zero and hardly anything bends.
    Plateau,
    /// There is a way down: no critical point.
    Slope,
}

impl CriticalPoint {
    /// Its name in words.
    pub fn name(self) -> &'static str {
        match self {
            CriticalPoint::Minimum => "minimum",
            CriticalPoint::Maximum => "maximum",
            CriticalPoint::Saddle => "saddle",
            CriticalPoint::Plateau => "plateau",
            CriticalPoint::Slope => "slope",
        }
    }
}

/// What the name follows from. Nothing changes it when the loss is measured in
/// other units, nor when all parameters are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Evidence {
    /// The loss here.
    pub loss: f64,
    /// How large losses are: that of the network with all parameters zero, which
    /// says the same of every sample, or the loss here where that is larger.
    pub loss_scale: f64,
    /// How far is far: the length of the weights, or another length of the space
    /// that is looked at.
    pub length_scale: f64,
    /// The length of the gradient.
    pub gradient_norm: f64,
    /// What can be gained downhill within `length_scale`, by the gradient and the
    /// curvature along it ([`gain`]); no more than the loss where that is never
    /// below zero.
    pub gain: f64,
    /// The largest eigenvalue of the Hessian.
    pub largest: f64,
    /// The smallest.
    pub smallest: f64,
}

impl Evidence {
    /// The gain as a share of the loss's scale, to be compared with [`STILL`].
    pub fn relative_gain(&self) -> f64 {
        self.gain / self.loss_scale
    }

    /// By how much the loss bends over `length_scale` along the eigenvector of
    /// `eigenvalue`, as a share of its scale, to be compared with [`FLAT`].
    pub fn bend(&self, eigenvalue: f64) -> f64 {
        0.5 * eigenvalue * self.length_scale * self.length_scale / self.loss_scale
    }

    /// The name. Where a number is not finite it is a slope: nothing is known of
    /// what would make it another.
    pub fn point(&self) -> CriticalPoint {
        let numbers = [self.loss, self.gain, self.largest, self.smallest];
        let still = self.relative_gain() <= STILL;
        if !still || numbers.iter().any(|v| !v.is_finite()) {
            return CriticalPoint::Slope;
        }
        let size = self.largest.abs().max(self.smallest.abs());
        if self.bend(size) <= FLAT {
            return CriticalPoint::Plateau;
        }
        let up = self.largest > SIGNLESS * size;
        let down = self.smallest < -SIGNLESS * size;
        match (up, down) {
            (true, true) => CriticalPoint::Saddle,
            (false, true) => CriticalPoint::Maximum,
            _ => CriticalPoint::Minimum,
        }
    }
}

/// What going downhill can gain within `length`, from the gradient's components
/// `(curvature, slope)` along directions at right angles that the Hessian does not
/// mix: the most that `-slope.s - 1/2 s' C s` comes to over all steps `s` no longer
/// than `length` (Nocedal and Wright 2006, section 4.3), where C has the curvatures
/// that are above zero. What bends down counts as straight, so that it does not
/// turn a saddle into a slope.
pub fn gain(components: &[(f64, f64)], length: f64) -> f64 {
    // s = -slope / (curvature + mu) with the least mu from 0 on that is short
    // enough; each slope by itself asks for at most the sum's.
    let step = |mu: f64, (curvature, slope): (f64, f64)| match curvature.max(0.0) + mu {
        _ if slope == 0.0 => 0.0,
        stiff => slope / stiff,
    };
    let reach = |mu: f64| {
        let squares = components.iter().map(|&c| step(mu, c).powi(2));
        squares.sum::<f64>().sqrt()
    };
    let slope = components.iter().map(|c| c.1 * c.1).sum::<f64>().sqrt();
    if !(slope.is_finite() && length > 0.0) {
        return if slope == 0.0 { 0.0 } else { f64::NAN };
    }
    let (mut low, mut high) = (0.0, slope / length);
    if reach(0.0) <= length {
        high = 0.0;
    }
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        if reach(middle) <= length {
            high = middle;
        } else {
            low = middle;
        }
    }
    let each = components.iter().map(|&(curvature, slope)| {
        let s = step(high, (curvature, slope));
        slope * s - 0.5 * curvature.max(0.0) * s * s
    });
    each.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A place with losses in units of `unit` and parameters in units of `zoom`.
    fn place(slope: f64, values: [f64; 2], unit: f64, zoom: f64) -> Evidence {
        let length = 2.0 * zoom;
        let curvature = values.map(|v| v * unit / (zoom * zoom));
        let slope = slope * unit / zoom;
        Evidence {
            loss: 0.5 * unit,
            loss_scale: unit,
            length_scale: length,
            gradient_norm: slope,
            gain: gain(&[(curvature[0], slope), (curvature[1], 0.0)], length),
            largest: curvature[0].max(curvature[1]),
            smallest: curvature[0].min(curvature[1]),
        }
    }

    #[test]
    fn places_have_their_names_in_any_units() {
        for (unit, zoom) in [(1.0, 1.0), (1e-6, 1.0), (1e3, 1e4), (5.0, 1e-5)] {
            let name = |slope, values| place(slope, values, unit, zoom).point();
            assert_eq!(name(0.0, [3.0, 1.0]), CriticalPoint::Minimum);
            assert_eq!(name(0.0, [3.0, 0.0]), CriticalPoint::Minimum);
            assert_eq!(name(0.0, [-3.0, -1.0]), CriticalPoint::Maximum);
            assert_eq!(name(0.0, [3.0, -1.0]), CriticalPoint::Saddle);
            assert_eq!(name(1e-5, [3.0, -1.0]), CriticalPoint::Saddle);
            assert_eq!(name(0.0, [1e-5, -1e-5]), CriticalPoint::Plateau);
            assert_eq!(name(1e-5, [0.0, 0.0]), CriticalPoint::Plateau);
            assert_eq!(name(0.1, [0.0, 0.0]), CriticalPoint::Slope);
            assert_eq!(name(1.0, [3.0, 1.0]), CriticalPoint::Slope);
            // A gradient that a steep wall explains leads nowhere.
            assert_eq!(name(1.0, [3e3, 1.0]), CriticalPoint::Minimum);
        }
    }

    #[test]
    fn the_gain_is_that_of_the_best_step_within_reach() {
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-12 * b.max(1.0), "{a} {b}");
        // Straight slopes: as far down as it goes.
        near(gain(&[(0.0, 3.0), (-5.0, 4.0)], 2.0), 10.0);
        // A parabola whose bottom is within reach, and one whose is not.
        near(gain(&[(4.0, 2.0)], 1.0), 0.5);
        near(gain(&[(4.0, 2.0)], 0.25), 0.375);
        near(gain(&[], 1.0), 0.0);
        near(gain(&[(1.0, 0.0), (0.0, 0.0)], 1.0), 0.0);
        // Two parabolas, against all steps of that length.
        let (parts, length) = ([(1.0, 3.0), (10.0, -4.0)], 0.5);
        let best = (0..100_000)
            .map(|k| f64::from(k) * std::f64::consts::TAU / 1e5)
            .map(|t| [length * t.cos(), length * t.sin()])
            .map(|s| {
                let gain = |k: usize| -parts[k].1 * s[k] - 0.5 * parts[k].0 * s[k] * s[k];
                gain(0) + gain(1)
            })
            .fold(0.0, f64::max);
        assert!((gain(&parts, length) - best).abs() < 1e-8);
    }

    #[test]
    fn what_is_not_finite_is_no_critical_point() {
        let minimum = place(0.0, [3.0, 1.0], 1.0, 1.0);
        assert_eq!(minimum.point(), CriticalPoint::Minimum);
        for broken in [
            place(f64::NAN, [3.0, 1.0], 1.0, 1.0),
            Evidence {
                largest: f64::NAN,
                ..minimum
            },
            Evidence {
                smallest: f64::NEG_INFINITY,
                ..minimum
            },
            Evidence {
                loss: f64::INFINITY,
                ..minimum
            },
        ] {
            assert_eq!(broken.point(), CriticalPoint::Slope);
        }
    }
}
