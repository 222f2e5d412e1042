//! Label smoothing (Szegedy et al. 2016, section 7): of a class's target the
//! share `eps` is spread evenly over all classes, `t <- (1 - eps) t + eps / K`.

use super::problem::{Encoding, Problem};
use crate::nn::Real;

/// What becomes of encoded targets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Smoothing {
    keep: f64,
    add: f64,
}

impl Smoothing {
    /// What `problem`'s experiment asks for, if it does.
    pub(super) fn of(problem: &Problem) -> Option<Self> {
        let share = problem.experiment.training.label_smoothing;
        let even = match problem.encoding {
            // One unit stands for two classes.
            Encoding::Binary { low, high } => 0.5 * f64::from(low + high),
            Encoding::OneHot => 1.0 / problem.network.outputs() as f64,
            _ => return None,
        };
        (share > 0.0).then_some(Smoothing {
            keep: 1.0 - share,
            add: share * even,
        })
    }

    /// What becomes of one value of a target.
    pub(super) fn of_target<R: Real>(&self, t: R) -> R {
        R::of(self.keep) * t + R::of(self.add)
    }
}
