//! Nonlinear conjugate gradients (Nocedal and Wright 2006, algorithm 5.4) with
//! a line search that satisfies the strong Wolfe conditions: along
//! `d <- -g + beta d`, with `beta` of Fletcher and Reeves 1964
//! (equation 5.41a), `|g|^2 / |g'|^2`, or of Polak and Ribiere 1969, never
//! negative (equation 5.45), `max(0, g . (g - g') / |g'|^2)`; `g'` is the
//! gradient before. Every `p` iterations, and where `d` does not descend, it
//! begins anew along `-g`.

use super::descent::Descent;
use super::line_search::Wolfe;
use super::solver::{Iteration, Solver, SolverStop, dot};
use super::{Objective, StateVisitor, visit_count, visit_maybe};

/// Tighter on the slope than for quasi-Newton steps (page 121), and below 1/2,
/// so that Fletcher and Reeves' directions descend (lemma 5.6).
const WOLFE: Wolfe = Wolfe { c1: 1e-4, c2: 0.1 };

/// Which beta.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beta {
    FletcherReeves,
    PolakRibiere,
}

#[derive(Debug, Clone)]
pub(super) struct ConjugateGradient {
    beta: Beta,
    descent: Descent,
    direction: Vec<f64>,
    // Length and slope of the last search.
    last: Option<(f64, f64)>,
    since_restart: usize,
}

impl ConjugateGradient {
    pub(super) fn new(len: usize, beta: Beta) -> Self {
        ConjugateGradient {
            beta,
            descent: Descent::new(len),
            direction: vec![0.0; len],
            last: None,
            since_restart: 0,
        }
    }

    fn turn(&mut self) {
        let (now, before) = (&self.descent.gradient, &self.descent.before);
        let old = dot(before, before);
        let restart = self.last.is_none() || self.since_restart >= now.len() || old == 0.0;
        let beta = match self.beta {
            _ if restart => 0.0,
            Beta::FletcherReeves => dot(now, now) / old,
            Beta::PolakRibiere => ((dot(now, now) - dot(now, before)) / old).max(0.0),
        };
        for (d, g) in self.direction.iter_mut().zip(now) {
            *d = beta * *d - g;
        }
        if beta == 0.0 || dot(&self.direction, now) >= 0.0 {
            self.restart();
        }
    }

    fn restart(&mut self) {
        for (d, g) in self.direction.iter_mut().zip(&self.descent.gradient) {
            *d = -g;
        }
        self.since_restart = 0;
    }

    /// What to try first: the length that would lower the loss by as much as
    /// the last one did (equation 3.60); at first, a move of length 1 at most.
    fn first_length(&self, slope: f64) -> f64 {
        match self.last {
            Some((length, last_slope)) => (length * last_slope / slope).min(1e10),
            None => 1.0 / (-slope).sqrt().max(1.0),
        }
    }
}

impl Solver for ConjugateGradient {
    fn iterate(&mut self, objective: &mut dyn Objective, params: &mut [f64], _: f64) -> Iteration {
        let loss = match self.descent.begin(objective, params) {
            Ok(loss) => loss,
            Err(end) => return end,
        };
        self.turn();
        loop {
            let slope = dot(&self.descent.gradient, &self.direction);
            let first = self.first_length(slope);
            let length = self.descent.search(
                objective,
                params,
                &self.direction,
                WOLFE,
                (loss, slope),
                first,
            );
            if let Some(length) = length {
                self.last = Some((length, slope));
                self.since_restart += 1;
                return Iteration::Done { loss };
            }
            self.last = None;
            if self.since_restart == 0 {
                return Iteration::Stopped(SolverStop::LineSearch);
            }
            self.restart();
        }
    }

    fn gradient(&self) -> &[f64] {
        &self.descent.gradient
    }

    fn step_size(&self) -> Option<f64> {
        self.last.map(|(length, _)| length)
    }

    fn state(&mut self, visitor: &mut dyn StateVisitor<f64>) {
        self.descent.state(visitor);
        visitor.values(&mut self.direction);
        let (mut length, mut slope) = self.last.unzip();
        visit_maybe(visitor, &mut length);
        visit_maybe(visitor, &mut slope);
        self.last = length.zip(slope);
        visit_count(visitor, &mut self.since_restart);
    }

    fn clone_box(&self) -> Box<dyn Solver> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `1/2 x^T A x - b^T x` in three dimensions.
    struct Quadratic;

    const A: [[f64; 3]; 3] = [[4.0, 1.0, 0.0], [1.0, 3.0, 0.5], [0.0, 0.5, 2.0]];

    impl Objective for Quadratic {
        fn parameters(&self) -> usize {
            3
        }

        fn loss(&mut self, x: &[f64]) -> f64 {
            self.gradient(x, &mut [0.0; 3])
        }

        fn gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
            for (g, row) in gradient.iter_mut().zip(A) {
                *g = dot(&row, x) - 1.0;
            }
            0.5 * dot(x, gradient) - 0.5 * x.iter().sum::<f64>()
        }

        fn normal_equations(&mut self, _: &[f64], _: &mut [f64], _: &mut [f64]) -> Option<f64> {
            None
        }
    }

    /// With exact line searches three iterations would do; these searches are
    /// cubic interpolations, which on a parabola are nearly exact.
    #[test]
    fn a_quadratic_of_three_dimensions_takes_few_iterations() {
        for beta in [Beta::FletcherReeves, Beta::PolakRibiere] {
            let mut solver = ConjugateGradient::new(3, beta);
            let mut x = [5.0, -3.0, 8.0];
            for iteration in 0.. {
                assert!(iteration < 40, "{beta:?} {x:?}");
                if let Iteration::Stopped(_) = solver.iterate(&mut Quadratic, &mut x, 0.0) {
                    break;
                }
            }
            for row in A {
                assert!((dot(&row, &x) - 1.0).abs() < 1e-10, "{beta:?} {x:?}");
            }
        }
    }
}
