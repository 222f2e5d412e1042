//! Full-batch methods: what they have in common.

use super::{Objective, StateVisitor};

/// A full-batch method with its state. It minimises one objective from one
/// point on; after a jump to another point it is built anew.
pub trait Solver: Send + Sync {
    /// One iteration from `params`, which it moves. `learning_rate` is the
    /// first step size of those that have one, and is not looked at after the
    /// first iteration.
    fn iterate(
        &mut self,
        objective: &mut dyn Objective,
        params: &mut [f64],
        learning_rate: f64,
    ) -> Iteration;

    /// The gradient at the point where the last iteration began; empty before
    /// the first.
    fn gradient(&self) -> &[f64];

    /// The factor by which the last iteration multiplied its direction, where
    /// there is one.
    fn step_size(&self) -> Option<f64>;

    /// Shows all of its state to `visitor`, who may put another in its place.
    fn state(&mut self, visitor: &mut dyn StateVisitor<f64>);

    /// A copy with its state.
    fn clone_box(&self) -> Box<dyn Solver>;
}

impl Clone for Box<dyn Solver> {
    fn clone(&self) -> Self {
        self.clone_box()
    }
}

/// What an iteration came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Iteration {
    /// It is done. The point may be the same as before, where only the method's
    /// own constants changed.
    Done {
        /// The loss that it began from.
        loss: f64,
    },
    /// The method has nothing left to try; the point is the same as before.
    Stopped(SolverStop),
    /// The loss or its gradient was not finite where it began.
    NotFinite,
}

/// Why a full-batch method has nothing left to try.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum SolverStop {
    /// At a stationary point.
    #[error("the gradient vanished (its largest component is {largest:.1e}): this is a minimum")]
    Converged {
        /// The magnitude of the gradient's largest component.
        largest: f64,
    },
    /// No lower point along the line.
    #[error("the line search found no lower loss along the direction of descent")]
    LineSearch,
    /// Levenberg-Marquardt's damping has outgrown its bound.
    #[error("no damping up to mu = {mu_max:.1e} (mu_max) gave a lower loss")]
    Damping {
        /// The bound.
        mu_max: f64,
    },
    /// The variable learning rate has become too small to move anything.
    #[error("the learning rate fell to {rate:.1e}, which moves no parameter")]
    Rate {
        /// What it fell to.
        rate: f64,
    },
    /// The objective is no sum of squares.
    #[error("the loss is no sum of squares, which levenberg-marquardt needs")]
    NotSquares,
}

/// A gradient whose components are all at most this is taken for zero.
const VANISHED: f64 = 1e-12;

/// Looks at loss and gradient where an iteration begins.
pub(super) fn begin(loss: f64, gradient: &[f64]) -> Result<(), Iteration> {
    // A maximum would pass over what is not a number; a sum keeps it.
    let sum: f64 = gradient.iter().map(|g| g.abs()).sum();
    if !loss.is_finite() || !sum.is_finite() {
        return Err(Iteration::NotFinite);
    }
    let largest = gradient.iter().fold(0.0, |m: f64, g| m.max(g.abs()));
    if largest <= VANISHED {
        return Err(Iteration::Stopped(SolverStop::Converged { largest }));
    }
    Ok(())
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
pub(super) mod test_objectives {
    use super::Objective;

    /// Rosenbrock 1960, equation 5, as the sum of squares that it is:
    /// `1/2 (r1^2 + r2^2)` with `r1 = 10 (y - x^2)`, `r2 = 1 - x`.
    #[derive(Default)]
    pub struct Rosenbrock {
        pub evaluations: usize,
    }

    impl Objective for Rosenbrock {
        fn parameters(&self) -> usize {
            2
        }

        fn loss(&mut self, p: &[f64]) -> f64 {
            self.evaluations += 1;
            let (r1, r2) = (10.0 * (p[1] - p[0] * p[0]), 1.0 - p[0]);
            0.5 * (r1 * r1 + r2 * r2)
        }

        fn gradient(&mut self, p: &[f64], gradient: &mut [f64]) -> f64 {
            let (r1, r2) = (10.0 * (p[1] - p[0] * p[0]), 1.0 - p[0]);
            gradient.copy_from_slice(&[-20.0 * p[0] * r1 - r2, 10.0 * r1]);
            self.loss(p)
        }

        fn normal_equations(
            &mut self,
            p: &[f64],
            matrix: &mut [f64],
            gradient: &mut [f64],
        ) -> Option<f64> {
            let x = p[0];
            matrix.copy_from_slice(&[400.0 * x * x + 1.0, -200.0 * x, -200.0 * x, 100.0]);
            Some(self.gradient(p, gradient))
        }
    }
}
