//! A step length that satisfies the strong Wolfe conditions (Nocedal and Wright
//! 2006, algorithms 3.5 and 3.6, conditions 3.7): with `f(a)` the loss at
//! `x + a d`,
//!
//! `f(a) <= f(0) + c1 a f'(0)` and `|f'(a)| <= c2 |f'(0)|`.

use super::Objective;
use super::solver::dot;

/// The constants of the two conditions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Wolfe {
    /// Sufficient decrease.
    pub c1: f64,
    /// Curvature.
    pub c2: f64,
}

/// The most evaluations of one search.
const EVALUATIONS: usize = 40;

/// A point on the line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct At {
    /// How many times the direction it is from the origin.
    pub length: f64,
    /// The loss there.
    pub loss: f64,
    slope: f64,
}

/// The line, with buffers for the point on it that was looked at last.
pub(super) struct Line<'a> {
    pub objective: &'a mut dyn Objective,
    pub origin: &'a [f64],
    pub direction: &'a [f64],
    pub point: &'a mut [f64],
    pub gradient: &'a mut [f64],
}

impl Line<'_> {
    fn look(&mut self, length: f64) -> At {
        for ((p, &x), &d) in self.point.iter_mut().zip(self.origin).zip(self.direction) {
            *p = x + length * d;
        }
        let loss = self.objective.gradient(self.point, self.gradient);
        At {
            length,
            loss,
            slope: dot(self.gradient, self.direction),
        }
    }

    /// Searches from `loss` and `slope` (below 0) at length 0, trying `first`
    /// first. Leaves point and gradient where it ends; `None` when no length is
    /// found that lowers the loss as the first condition asks.
    pub(super) fn search(&mut self, wolfe: Wolfe, loss: f64, slope: f64, first: f64) -> Option<At> {
        let start = At {
            length: 0.0,
            loss,
            slope,
        };
        let mut before = start;
        let mut length = first;
        let mut left = EVALUATIONS;
        while left > 0 {
            left -= 1;
            let now = self.look(length);
            if !now.loss.is_finite() || !now.slope.is_finite() {
                // Too far out: the numbers ran away. Nearer, where they did not.
                length = 0.5 * (before.length + length);
                continue;
            }
            if !decreases(wolfe, start, now) || (before.length > 0.0 && now.loss >= before.loss) {
                return self.zoom(wolfe, start, before, now, left);
            }
            if now.slope.abs() <= wolfe.c2 * start.slope.abs() {
                return Some(now);
            }
            if now.slope >= 0.0 {
                return self.zoom(wolfe, start, now, before, left);
            }
            let next = interpolate(before, now);
            // Between one and nine further lengths of the same kind.
            let grown = now.length - before.length;
            length = next
                .filter(|&a| a > now.length + 0.1 * grown)
                .unwrap_or(now.length + grown)
                .min(now.length + 9.0 * grown);
            before = now;
        }
        self.settle(start, before)
    }

    /// `low` satisfies the first condition and has the lowest loss so far;
    /// between it and `high` lies a length that satisfies both.
    fn zoom(
        &mut self,
        wolfe: Wolfe,
        start: At,
        mut low: At,
        mut high: At,
        left: usize,
    ) -> Option<At> {
        for _ in 0..left {
            let (near, far) = (low.length.min(high.length), low.length.max(high.length));
            let margin = 0.1 * (far - near);
            if far - near <= 1e-14 * far {
                break;
            }
            let length = interpolate(low, high)
                .filter(|a| (near + margin..=far - margin).contains(a))
                .unwrap_or(0.5 * (near + far));
            let now = self.look(length);
            if !decreases(wolfe, start, now) || now.loss >= low.loss {
                high = now;
            } else {
                if now.slope.abs() <= wolfe.c2 * start.slope.abs() {
                    return Some(now);
                }
                if now.slope * (high.length - low.length) >= 0.0 {
                    high = low;
                }
                low = now;
            }
        }
        self.settle(start, low)
    }

    /// The best length found, when no evaluation is left: it lowers the loss,
    /// even if the slope there is steeper than asked for.
    fn settle(&mut self, start: At, best: At) -> Option<At> {
        (best.length > 0.0 && best.loss < start.loss).then(|| self.look(best.length))
    }
}

fn decreases(wolfe: Wolfe, start: At, now: At) -> bool {
    // Not written as its opposite: a loss that is not a number decreases nothing.
    now.loss <= start.loss + wolfe.c1 * now.length * start.slope
}

/// The minimiser of the cubic through losses and slopes of both (Nocedal and
/// Wright 2006, equation 3.59), where it has one.
fn interpolate(a: At, b: At) -> Option<f64> {
    let d1 = a.slope + b.slope - 3.0 * (a.loss - b.loss) / (a.length - b.length);
    let square = d1 * d1 - a.slope * b.slope;
    if square < 0.0 || square.is_nan() {
        return None;
    }
    let d2 = (b.length - a.length).signum() * square.sqrt();
    let length =
        b.length - (b.length - a.length) * (b.slope + d2 - d1) / (b.slope - a.slope + 2.0 * d2);
    length.is_finite().then_some(length)
}

#[cfg(test)]
mod tests {
    use super::super::solver::test_objectives::Rosenbrock;
    use super::*;

    #[test]
    fn what_is_found_satisfies_both_conditions_whatever_is_tried_first() {
        let origin = [-1.2, 1.0];
        for c2 in [0.1, 0.9] {
            let wolfe = Wolfe { c1: 1e-4, c2 };
            for first in [1e-9, 1e-4, 0.01, 1.0, 1e3, 1e200] {
                let mut objective = Rosenbrock::default();
                let mut gradient = [0.0; 2];
                let loss = objective.gradient(&origin, &mut gradient);
                let direction = gradient.map(|g| -g);
                let slope = dot(&gradient, &direction);
                let (mut point, mut there) = ([0.0; 2], [0.0; 2]);
                let mut line = Line {
                    objective: &mut objective,
                    origin: &origin,
                    direction: &direction,
                    point: &mut point,
                    gradient: &mut there,
                };
                let found = line.search(wolfe, loss, slope, first);
                if first == 1e200 {
                    // Forty halvings do not lead back from there.
                    assert_eq!(found, None);
                    continue;
                }
                let length = found.unwrap().length;
                for k in 0..2 {
                    assert_eq!(point[k], origin[k] + length * direction[k]);
                }
                let reached = objective.loss(&point);
                assert!(reached <= loss + 1e-4 * length * slope, "{c2} {first}");
                assert!(
                    dot(&there, &direction).abs() <= c2 * slope.abs(),
                    "{c2} {first}"
                );
                assert!(objective.evaluations < 60);
            }
        }
    }

    #[test]
    fn uphill_there_is_nothing_to_find() {
        let origin = [1.0, 1.0];
        let mut objective = Rosenbrock::default();
        let (mut point, mut there) = ([0.0; 2], [0.0; 2]);
        let mut line = Line {
            objective: &mut objective,
            origin: &origin,
            direction: &[1.0, -0.5],
            point: &mut point,
            gradient: &mut there,
        };
        let wolfe = Wolfe { c1: 1e-4, c2: 0.9 };
        assert_eq!(line.search(wolfe, 0.0, -1e-9, 1.0), None);
    }
}
