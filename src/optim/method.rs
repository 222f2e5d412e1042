//! The full-batch methods by name, with their constants; and all methods.

use super::OptimizerKind;
use super::conjugate_gradient::{Beta, ConjugateGradient};
use super::lbfgs::Lbfgs;
use super::levenberg_marquardt::LevenbergMarquardt;
use super::solver::Solver;
use super::variable_rate::VariableRate;

/// Which full-batch method, with its constants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SolverKind {
    /// Gradient descent with momentum and a variable learning rate (MATLAB's
    /// `traingdx`, whose names these are).
    Gdx {
        /// The share of the last move that is kept (`mc`).
        momentum: f64,
        /// The factor on the rate when the loss fell.
        lr_inc: f64,
        /// The factor when it grew too much.
        lr_dec: f64,
        /// The growth of the loss that is borne, as a factor.
        max_perf_inc: f64,
    },
    /// Conjugate gradients (Fletcher and Reeves 1964).
    FletcherReeves,
    /// Conjugate gradients (Polak and Ribiere 1969, never negative).
    PolakRibiere,
    /// Limited-memory BFGS (Nocedal 1980).
    Lbfgs {
        /// How many steps are remembered.
        history: usize,
    },
    /// Hagan and Menhaj 1994 (MATLAB's `trainlm`, whose names these are).
    LevenbergMarquardt {
        /// The damping at the start.
        mu: f64,
        /// The factor on it after a step that helped.
        mu_dec: f64,
        /// The factor on it after one that did not.
        mu_inc: f64,
        /// Beyond this the method gives up.
        mu_max: f64,
    },
}

impl SolverKind {
    /// All of them with their default constants, in the order of a menu.
    pub const ALL: [SolverKind; 5] = [
        SolverKind::Gdx {
            momentum: 0.9,
            lr_inc: 1.05,
            lr_dec: 0.7,
            max_perf_inc: 1.04,
        },
        SolverKind::FletcherReeves,
        SolverKind::PolakRibiere,
        SolverKind::Lbfgs { history: 10 },
        SolverKind::LevenbergMarquardt {
            mu: 0.001,
            mu_dec: 0.1,
            mu_inc: 10.0,
            mu_max: 1e10,
        },
    ];

    /// The most parameters that Levenberg-Marquardt takes on: its matrix has
    /// as many rows and columns, and is factored in every step.
    pub const MOST_DAMPED_PARAMETERS: usize = 5000;

    /// The name used in experiment files.
    pub fn name(self) -> &'static str {
        match self {
            SolverKind::Gdx { .. } => "gdx",
            SolverKind::FletcherReeves => "fletcher-reeves",
            SolverKind::PolakRibiere => "polak-ribiere",
            SolverKind::Lbfgs { .. } => "lbfgs",
            SolverKind::LevenbergMarquardt { .. } => "levenberg-marquardt",
        }
    }

    /// The update in a line; see [`OptimizerKind::update_rule`].
    pub fn update_rule(self) -> &'static str {
        match self {
            SolverKind::Gdx { .. } => {
                "d <- mc d - (1 - mc) lr g, w <- w + d; lr grows while the loss falls and shrinks \
                 when a move is refused (a damped average with the rate inside, as in MATLAB)"
            }
            SolverKind::FletcherReeves => {
                "d <- -g + |g|^2 / |g'|^2 d, w <- w + a d, a by a strong Wolfe line search"
            }
            SolverKind::PolakRibiere => {
                "d <- -g + max(0, g.(g - g') / |g'|^2) d, w <- w + a d, \
                 a by a strong Wolfe line search"
            }
            SolverKind::Lbfgs { .. } => {
                "d = -H g, H the inverse Hessian as the last steps show it, w <- w + a d, \
                 a by a strong Wolfe line search"
            }
            SolverKind::LevenbergMarquardt { .. } => {
                "w <- w - (J^T J + mu I)^-1 J^T r; mu shrinks after a step that helps and grows \
                 until one does"
            }
        }
    }

    /// Whether an experiment has to give it a learning rate; the others find
    /// the length of each step themselves.
    pub fn has_rate(self) -> bool {
        matches!(self, SolverKind::Gdx { .. })
    }

    /// A fresh state for `len` parameters.
    pub fn build(self, len: usize) -> Box<dyn Solver> {
        match self {
            SolverKind::Gdx {
                momentum,
                lr_inc,
                lr_dec,
                max_perf_inc,
            } => Box::new(VariableRate::new(
                len,
                momentum,
                lr_inc,
                lr_dec,
                max_perf_inc,
            )),
            SolverKind::FletcherReeves => {
                Box::new(ConjugateGradient::new(len, Beta::FletcherReeves))
            }
            SolverKind::PolakRibiere => Box::new(ConjugateGradient::new(len, Beta::PolakRibiere)),
            SolverKind::Lbfgs { history } => Box::new(Lbfgs::new(len, history)),
            SolverKind::LevenbergMarquardt {
                mu,
                mu_dec,
                mu_inc,
                mu_max,
            } => Box::new(LevenbergMarquardt::new(len, mu, mu_dec, mu_inc, mu_max)),
        }
    }
}

/// Any way in which weights move.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Method {
    /// A step from each batch's gradient.
    FirstOrder(OptimizerKind),
    /// An iteration over all samples.
    FullBatch(SolverKind),
}

impl Method {
    /// The name used in experiment files.
    pub fn name(self) -> &'static str {
        match self {
            Method::FirstOrder(kind) => kind.name(),
            Method::FullBatch(kind) => kind.name(),
        }
    }

    /// The update in a line; see [`OptimizerKind::update_rule`].
    pub fn update_rule(self) -> &'static str {
        match self {
            Method::FirstOrder(kind) => kind.update_rule(),
            Method::FullBatch(kind) => kind.update_rule(),
        }
    }

    /// Whether it has a learning rate to be given.
    pub fn has_rate(self) -> bool {
        match self {
            Method::FirstOrder(_) => true,
            Method::FullBatch(kind) => kind.has_rate(),
        }
    }

    /// Whether the learning rate of every step counts, so that a schedule and
    /// a change on the way have an effect.
    pub fn heeds_rate(self) -> bool {
        match self {
            Method::FirstOrder(kind) => kind.heeds_rate(),
            Method::FullBatch(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::solver::test_objectives::Rosenbrock;
    use super::super::{Iteration, Objective};
    use super::*;

    #[test]
    fn every_solver_descends_and_a_clone_continues_as_the_original() {
        for kind in SolverKind::ALL {
            let mut solver = kind.build(2);
            let mut objective = Rosenbrock::default();
            let mut p = [-1.2, 1.0];
            let start = objective.loss(&p);
            (0..3).for_each(|_| {
                solver.iterate(&mut objective, &mut p, 1e-4);
            });
            let (mut twin, mut q) = (solver.clone(), p);
            for _ in 0..20 {
                let a = solver.iterate(&mut objective, &mut p, 1e-4);
                let b = twin.iterate(&mut objective, &mut q, 1e-4);
                assert_eq!((a, p), (b, q), "{}", kind.name());
            }
            assert!(objective.loss(&p) < 0.9 * start, "{}", kind.name());
        }
    }

    #[test]
    fn numbers_that_are_not_finite_are_told_apart_from_a_minimum() {
        for kind in SolverKind::ALL {
            let mut solver = kind.build(2);
            let mut p = [f64::NAN, 1.0];
            let outcome = solver.iterate(&mut Rosenbrock::default(), &mut p, 1e-4);
            assert_eq!(outcome, Iteration::NotFinite, "{}", kind.name());
            let mut p = [1.0, 1.0];
            let outcome = solver.iterate(&mut Rosenbrock::default(), &mut p, 1e-4);
            assert!(matches!(outcome, Iteration::Stopped(_)), "{}", kind.name());
            assert_eq!(p, [1.0, 1.0]);
        }
    }
}
