//! How weights move. First-order optimisers, one file each, make a step from
//! the gradient of a batch; full-batch methods, one file each as well, search
//! along a line or solve for a step, and evaluate the loss of all samples as
//! often as they need. Every one is a pure function of its state, the
//! parameters and what it is given, and states its update as in its source;
//! conventions that differ between sources follow PyTorch, against which the
//! golden tests compare.
//!
//! Around them: penalties on weights, clipping of gradients, schedules of the
//! learning rate, and the watch over a loss that no longer falls.
//!
//! **Momentum** goes by three conventions. Here the velocity sums gradients,
//! `v <- m v + g`, and the rate multiplies it, `w <- w - lr v` (PyTorch).
//! Sutskever et al. 2013 keep the rate inside, `v <- m v - lr g`,
//! `w <- w + v`: the same steps while the rate is constant, but after the rate
//! has changed theirs still moves by what the old rate put into the velocity.
//! QHM and Adam average, `d <- m d + (1 - m) g`: steps that are smaller by
//! `1 - m`. [`Method::update_rule`] says which is in use.

mod adadelta;
mod adagrad;
mod adam;
mod adamax;
mod clip;
mod conjugate_gradient;
mod descent;
mod kind;
mod lbfgs;
mod levenberg_marquardt;
mod line_search;
mod lion;
mod method;
mod momentum;
mod nadam;
mod objective;
mod patience;
mod qhm;
mod regulariser;
mod rmsprop;
mod rprop;
mod schedule;
mod sgd;
mod solver;
mod state;
mod variable_rate;

pub use clip::Clip;
pub use kind::OptimizerKind;
pub use method::{Method, SolverKind};
pub use objective::Objective;
pub use patience::{Patience, Plateau};
pub use regulariser::Regulariser;
pub use schedule::{Progress, Rule, Schedule};
pub use solver::{Iteration, Solver, SolverStop};
pub use state::{
    StateReader, StateVisitor, StateWriter, visit_count, visit_flag, visit_maybe, visit_steps,
};

use crate::nn::Real;

/// A first-order optimiser with its state.
pub trait Optimizer<R: Real>: Send + Sync {
    /// Tells the loss that the next step starts from, penalties included: of
    /// the samples that its gradient is of. Those that compare losses (Rprop)
    /// remember it; it may be left out, and they say what they do then.
    fn tell_loss(&mut self, _loss: f64) {}

    /// Moves `params` one step against `gradient` (same length, which is the
    /// length that the state was built for).
    fn step(&mut self, params: &mut [R], gradient: &[R], learning_rate: f64);

    /// The state's vectors by name, each as long as the parameters.
    fn moments(&self) -> Vec<(&'static str, &[R])>;

    /// Shows all of its state to `visitor`, who may put another in its place.
    fn state(&mut self, visitor: &mut dyn StateVisitor<R>);

    /// A copy with its state.
    fn clone_box(&self) -> Box<dyn Optimizer<R>>;
}

impl<R: Real> Clone for Box<dyn Optimizer<R>> {
    fn clone(&self) -> Self {
        self.clone_box()
    }
}

/// Shrinks every parameter by `learning_rate` times `weight_decay`: decoupled
/// weight decay (Loshchilov and Hutter 2019, algorithm 1, line 9, applied
/// before the step as in PyTorch's AdamW).
pub fn decay_weights<R: Real>(params: &mut [R], learning_rate: f64, weight_decay: f64) {
    let keep = R::of(1.0 - learning_rate * weight_decay);
    params.iter_mut().for_each(|p| *p *= keep);
}

/// The sign of `v`: 0 for 0, unlike [`num_traits::Float::signum`].
fn sign<R: Real>(v: R) -> R {
    if v == R::zero() {
        R::zero()
    } else {
        v.signum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_optimiser_descends_a_bowl() {
        for kind in OptimizerKind::ALL {
            let mut optimizer = kind.build::<f64>(2);
            let mut p = [3.0, -2.0];
            let loss = |p: &[f64]| p[0] * p[0] + 4.0 * p[1] * p[1];
            let start = loss(&p);
            let rate = if matches!(kind, OptimizerKind::AdaDelta { .. }) {
                1.0
            } else {
                0.02
            };
            for _ in 0..500 {
                let g = [2.0 * p[0], 8.0 * p[1]];
                optimizer.tell_loss(loss(&p));
                optimizer.step(&mut p, &g, rate);
            }
            assert!(loss(&p) < 0.6 * start, "{}: {}", kind.name(), loss(&p));
        }
    }

    #[test]
    fn momentum_without_momentum_is_steepest_descent_bit_for_bit() {
        let mut a = OptimizerKind::Sgd.build::<f32>(3);
        let mut b = OptimizerKind::Momentum { momentum: 0.0 }.build::<f32>(3);
        let (mut p, mut q) = ([0.1f32, -0.7, 2.0], [0.1f32, -0.7, 2.0]);
        for i in 0..50 {
            let g = [p[0] * 1.7, p[1] - 0.3, (i as f32).sin()];
            a.step(&mut p, &g, 0.03);
            b.step(&mut q, &g, 0.03);
        }
        assert_eq!(p.map(f32::to_bits), q.map(f32::to_bits));
    }

    #[test]
    fn a_clone_continues_as_the_original_and_not_as_a_new_one() {
        for kind in OptimizerKind::ALL {
            let mut a = kind.build::<f32>(2);
            let mut p = [1.0f32, 2.0];
            a.tell_loss(1.0);
            a.step(&mut p, &[0.5, -0.5], 0.1);
            let mut b = a.clone();
            let mut fresh = kind.build::<f32>(2);
            let (mut q, mut r) = (p, p);
            for (optimizer, at) in [(&mut a, &mut p), (&mut b, &mut q), (&mut fresh, &mut r)] {
                optimizer.tell_loss(0.5);
                optimizer.step(at, &[-0.01, 0.02], 0.1);
            }
            assert_eq!(p, q, "{}", kind.name());
            let stateless = matches!(kind, OptimizerKind::Sgd);
            assert_eq!(p == r, stateless, "{}", kind.name());
        }
    }

    #[test]
    fn adam_after_a_decoupled_decay_is_adamw() {
        let constants = |weight_decay| OptimizerKind::AdamW {
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay,
        };
        let (mut a, mut b) = (
            constants(0.0).build::<f64>(2),
            constants(0.3).build::<f64>(2),
        );
        let (mut p, mut q) = ([1.0, -2.0], [1.0, -2.0]);
        for i in 0..50 {
            let g = [f64::from(i).sin(), p[1]];
            decay_weights(&mut p, 0.01, 0.3);
            a.step(&mut p, &g, 0.01);
            b.step(&mut q, &g, 0.01);
        }
        assert!((p[0] - q[0]).abs() < 1e-15 && (p[1] - q[1]).abs() < 1e-15);
    }

    #[test]
    fn every_rule_has_its_own_line() {
        let rules: std::collections::BTreeSet<_> =
            OptimizerKind::ALL.map(OptimizerKind::update_rule).into();
        assert_eq!(rules.len(), OptimizerKind::ALL.len());
    }
}
