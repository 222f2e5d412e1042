//! Gradient descent with momentum and a variable learning rate, as MATLAB's
//! `traingdx` makes it (after Vogl et al. 1988): with `d` the move before,
//!
//! `d <- mc d - (1 - mc) lr g`, and `x + d` is tried. Where the loss grows by
//! more than the factor `max_perf_inc`, it is not taken, `lr <- lr_dec lr`, and
//! the momentum is lost: `d <- -lr g`. Otherwise it is taken, and where the loss
//! fell, `lr <- lr_inc lr`.

use super::solver::{Iteration, Solver, SolverStop, begin};
use super::{Objective, StateVisitor, visit_maybe};

#[derive(Debug, Clone)]
pub(super) struct VariableRate {
    momentum: f64,
    lr_inc: f64,
    lr_dec: f64,
    max_perf_inc: f64,
    rate: Option<f64>,
    moves: Vec<f64>,
    gradient: Vec<f64>,
}

impl VariableRate {
    pub(super) fn new(
        len: usize,
        momentum: f64,
        lr_inc: f64,
        lr_dec: f64,
        max_perf_inc: f64,
    ) -> Self {
        VariableRate {
            momentum,
            lr_inc,
            lr_dec,
            max_perf_inc,
            rate: None,
            moves: vec![0.0; len],
            gradient: vec![0.0; len],
        }
    }
}

impl Solver for VariableRate {
    fn iterate(
        &mut self,
        objective: &mut dyn Objective,
        params: &mut [f64],
        learning_rate: f64,
    ) -> Iteration {
        let loss = objective.gradient(params, &mut self.gradient);
        if let Err(end) = begin(loss, &self.gradient) {
            return end;
        }
        let rate = *self.rate.get_or_insert(learning_rate);
        let fresh = (1.0 - self.momentum) * rate;
        let mut tried = params.to_vec();
        for ((t, d), g) in tried.iter_mut().zip(&mut self.moves).zip(&self.gradient) {
            *d = self.momentum * *d - fresh * g;
            *t += *d;
        }
        if tried == params {
            return Iteration::Stopped(SolverStop::Rate { rate });
        }
        let reached = objective.loss(&tried);
        // A loss that is not a number counts as one that grew.
        if reached <= self.max_perf_inc * loss {
            params.copy_from_slice(&tried);
            if reached < loss {
                self.rate = Some(rate * self.lr_inc);
            }
        } else {
            let rate = rate * self.lr_dec;
            self.rate = Some(rate);
            for (d, g) in self.moves.iter_mut().zip(&self.gradient) {
                *d = -rate * g;
            }
        }
        Iteration::Done { loss }
    }

    fn gradient(&self) -> &[f64] {
        &self.gradient
    }

    fn step_size(&self) -> Option<f64> {
        self.rate
    }

    fn state(&mut self, visitor: &mut dyn StateVisitor<f64>) {
        visit_maybe(visitor, &mut self.rate);
        visitor.values(&mut self.moves);
        visitor.values(&mut self.gradient);
    }

    fn clone_box(&self) -> Box<dyn Solver> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `x^2`.
    struct Parabola;

    impl Objective for Parabola {
        fn parameters(&self) -> usize {
            1
        }
        fn loss(&mut self, p: &[f64]) -> f64 {
            p[0] * p[0]
        }
        fn gradient(&mut self, p: &[f64], gradient: &mut [f64]) -> f64 {
            gradient[0] = 2.0 * p[0];
            self.loss(p)
        }
        fn normal_equations(&mut self, _: &[f64], _: &mut [f64], _: &mut [f64]) -> Option<f64> {
            None
        }
    }

    /// By hand, with mc = 1/2, lr_inc = 2, lr_dec = 1/4, max_perf_inc = 1.04,
    /// from x = 1 at a rate of 1/2:
    ///
    /// 1. d = -1/2 * 1/2 * 2 = -1/2, x = 1/2; the loss fell: rate 1.
    /// 2. d = -1/4 - 1/2 * 1 * 1 = -3/4, x = -1/4; it fell: rate 2.
    /// 3. d = -3/8 + 1/2 * 2 * 1/2 = 1/8, x = -1/8; it fell: rate 4.
    /// 4. d = 1/16 + 1/2 * 4 * 1/4 = 9/16, x = 7/16: refused; rate 1, d = 1/4.
    /// 5. d = 1/8 + 1/2 * 1 * 1/4 = 1/4, x = 1/8; it is the same: rate 1.
    #[test]
    fn five_iterations_worked_by_hand_come_out() {
        let mut solver = VariableRate::new(1, 0.5, 2.0, 0.25, 1.04);
        let mut x = [1.0];
        for (expected, rate) in [
            (0.5, 1.0),
            (-0.25, 2.0),
            (-0.125, 4.0),
            (-0.125, 1.0),
            (0.125, 1.0),
        ] {
            solver.iterate(&mut Parabola, &mut x, 0.5);
            assert_eq!((x[0], solver.step_size()), (expected, Some(rate)));
        }
    }

    #[test]
    fn a_rate_that_vanishes_ends_it() {
        /// Worse wherever it goes.
        struct Trap;
        impl Objective for Trap {
            fn parameters(&self) -> usize {
                1
            }
            fn loss(&mut self, p: &[f64]) -> f64 {
                if p[0] == 1.0 { 1.0 } else { f64::NAN }
            }
            fn gradient(&mut self, p: &[f64], gradient: &mut [f64]) -> f64 {
                gradient[0] = 1.0;
                self.loss(p)
            }
            fn normal_equations(&mut self, _: &[f64], _: &mut [f64], _: &mut [f64]) -> Option<f64> {
                None
            }
        }
        let mut solver = VariableRate::new(1, 0.9, 1.05, 0.7, 1.04);
        let mut x = [1.0];
        let ended = (0..500).find_map(|_| match solver.iterate(&mut Trap, &mut x, 0.1) {
            Iteration::Stopped(stop) => Some(stop),
            _ => None,
        });
        assert!(matches!(ended, Some(SolverStop::Rate { rate }) if rate < 1e-15));
        assert_eq!(x, [1.0]);
    }
}
