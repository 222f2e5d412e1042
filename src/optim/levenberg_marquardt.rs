//! Levenberg-Marquardt (Hagan and Menhaj 1994, section III; MATLAB's
//! `trainlm`): `x <- x - (J^T J + mu I)^-1 J^T r` for a loss `1/2 |r|^2`. A step
//! that lowers the loss is taken and `mu <- mu mu_dec`; otherwise `mu <- mu
//! mu_inc` and another is tried, until `mu > mu_max`. `J` is evaluated once an
//! iteration. `mu` is in units of the loss's own second derivative: the loss
//! is a mean, where the paper sums.

use super::solver::{Iteration, Solver, SolverStop, begin};
use super::{Objective, StateVisitor};
use faer::prelude::Solve;
use faer::{Mat, MatRef, Side};

/// What `mu` never falls below, so that it can rise again.
const MU_MIN: f64 = 1e-20;

#[derive(Debug, Clone)]
pub(super) struct LevenbergMarquardt {
    mu: f64,
    mu_dec: f64,
    mu_inc: f64,
    mu_max: f64,
    gradient: Vec<f64>,
}

impl LevenbergMarquardt {
    pub(super) fn new(len: usize, mu: f64, mu_dec: f64, mu_inc: f64, mu_max: f64) -> Self {
        LevenbergMarquardt {
            mu,
            mu_dec,
            mu_inc,
            mu_max,
            gradient: vec![0.0; len],
        }
    }
}

/// `(A + mu I)^-1 b` by Cholesky; `None` where that is not positive definite
/// in floating point.
fn solve_damped(matrix: &[f64], mu: f64, b: &[f64]) -> Option<Vec<f64>> {
    let p = b.len();
    let matrix = MatRef::from_row_major_slice(matrix, p, p);
    let mut damped = matrix.to_owned();
    for i in 0..p {
        damped[(i, i)] += mu;
    }
    let factor = damped.llt(Side::Lower).ok()?;
    let mut x = Mat::from_fn(p, 1, |i, _| b[i]);
    factor.solve_in_place(&mut x);
    let x: Vec<f64> = (0..p).map(|i| x[(i, 0)]).collect();
    x.iter().all(|v| v.is_finite()).then_some(x)
}

impl Solver for LevenbergMarquardt {
    fn iterate(&mut self, objective: &mut dyn Objective, params: &mut [f64], _: f64) -> Iteration {
        let p = params.len();
        let mut matrix = vec![0.0; p * p];
        let Some(loss) = objective.normal_equations(params, &mut matrix, &mut self.gradient) else {
            return Iteration::Stopped(SolverStop::NotSquares);
        };
        if let Err(end) = begin(loss, &self.gradient) {
            return end;
        }
        let begun_with = self.mu;
        let mut tried = vec![0.0; p];
        while self.mu <= self.mu_max {
            if let Some(step) = solve_damped(&matrix, self.mu, &self.gradient) {
                for ((t, x), d) in tried.iter_mut().zip(params.iter()).zip(&step) {
                    *t = x - d;
                }
                if objective.loss(&tried) < loss {
                    params.copy_from_slice(&tried);
                    self.mu = (self.mu * self.mu_dec).max(MU_MIN);
                    return Iteration::Done { loss };
                }
            }
            self.mu *= self.mu_inc;
        }
        // Another try from here begins where this one did.
        self.mu = begun_with;
        Iteration::Stopped(SolverStop::Damping {
            mu_max: self.mu_max,
        })
    }

    fn gradient(&self) -> &[f64] {
        &self.gradient
    }

    fn step_size(&self) -> Option<f64> {
        None
    }

    fn state(&mut self, visitor: &mut dyn StateVisitor<f64>) {
        visitor.number(&mut self.mu);
        visitor.values(&mut self.gradient);
    }

    fn clone_box(&self) -> Box<dyn Solver> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::solver::test_objectives::Rosenbrock;
    use super::*;

    /// At (0, 0): r = (0, 1), J = [[0, 10], [-1, 0]], J^T J = diag(1, 100),
    /// J^T r = (-1, 0). With mu = 1 the step is (1/2, 0) to a loss of
    /// (2.5^2 + 0.5^2)/2 = 3.25 > 1/2: refused. With mu = 10 it is (1/11, 0), to
    /// (100/121^2 + 100/121)/2 = 0.41664 < 1/2: taken, and mu becomes 1.
    #[test]
    fn a_step_worked_by_hand_comes_out() {
        let mut solver = LevenbergMarquardt::new(2, 1.0, 0.1, 10.0, 1e10);
        let mut p = [0.0, 0.0];
        let mut objective = Rosenbrock::default();
        let outcome = solver.iterate(&mut objective, &mut p, 0.0);
        assert_eq!(outcome, Iteration::Done { loss: 0.5 });
        assert!((p[0] - 1.0 / 11.0).abs() < 1e-16, "{p:?}");
        assert_eq!(p[1], 0.0);
        assert_eq!(solver.mu, 1.0);
        assert_eq!(solver.gradient, [-1.0, 0.0]);
        let expected = (100.0 / 121.0_f64.powi(2) + 100.0 / 121.0) / 2.0;
        assert!((objective.loss(&p) - expected).abs() < 1e-15);
    }

    #[test]
    fn damping_that_outgrows_its_bound_ends_it_and_leaves_the_point() {
        /// Everything but where it begins is worse.
        struct Trap;
        impl Objective for Trap {
            fn parameters(&self) -> usize {
                1
            }
            fn loss(&mut self, p: &[f64]) -> f64 {
                if p[0] == 1.0 { 1.0 } else { 2.0 }
            }
            fn gradient(&mut self, p: &[f64], gradient: &mut [f64]) -> f64 {
                gradient[0] = 1.0;
                self.loss(p)
            }
            fn normal_equations(
                &mut self,
                p: &[f64],
                matrix: &mut [f64],
                gradient: &mut [f64],
            ) -> Option<f64> {
                matrix[0] = 1.0;
                Some(self.gradient(p, gradient))
            }
        }
        let mut solver = LevenbergMarquardt::new(1, 1e-3, 0.1, 10.0, 1e10);
        let mut p = [1.0];
        for _ in 0..3 {
            let outcome = solver.iterate(&mut Trap, &mut p, 0.0);
            let stop = SolverStop::Damping { mu_max: 1e10 };
            assert_eq!(outcome, Iteration::Stopped(stop));
            assert_eq!((p, solver.mu), ([1.0], 1e-3));
        }
    }

    #[test]
    fn what_is_no_sum_of_squares_is_said_to_be_none() {
        struct Line;
        impl Objective for Line {
            fn parameters(&self) -> usize {
                1
            }
            fn loss(&mut self, p: &[f64]) -> f64 {
                p[0]
            }
            fn gradient(&mut self, p: &[f64], gradient: &mut [f64]) -> f64 {
                gradient[0] = 1.0;
                p[0]
            }
            fn normal_equations(&mut self, _: &[f64], _: &mut [f64], _: &mut [f64]) -> Option<f64> {
                None
            }
        }
        let mut solver = LevenbergMarquardt::new(1, 1e-3, 0.1, 10.0, 1e10);
        let outcome = solver.iterate(&mut Line, &mut [1.0], 0.0);
        assert_eq!(outcome, Iteration::Stopped(SolverStop::NotSquares));
    }
}
