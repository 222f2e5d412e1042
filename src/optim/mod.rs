//! First-order optimisers, one file each. Every one is a pure function of its
//! state, the parameters, the gradient and the learning rate, and states its
//! update as in its source; conventions that differ between sources follow
//! PyTorch, against which the golden tests compare.

mod adagrad;
mod adam;
mod momentum;
mod regulariser;
mod rmsprop;
mod sgd;

pub use regulariser::Regulariser;

use crate::nn::Real;
use adagrad::AdaGrad;
use adam::Adam;
use momentum::Momentum;
use rmsprop::RmsProp;
use sgd::Sgd;

/// Which optimiser, with its constants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum OptimizerKind {
    /// Steepest descent.
    Sgd,
    /// Polyak's heavy ball.
    Momentum {
        /// The share of the velocity that is kept.
        momentum: f64,
    },
    /// Nesterov's accelerated gradient.
    Nesterov {
        /// The share of the velocity that is kept.
        momentum: f64,
    },
    /// Duchi, Hazan and Singer 2011.
    AdaGrad {
        /// Keeps the division finite.
        epsilon: f64,
    },
    /// Hinton's lecture 6e.
    RmsProp {
        /// The share of the mean square that is kept.
        rho: f64,
        /// Keeps the division finite.
        epsilon: f64,
    },
    /// Kingma and Ba 2015.
    Adam {
        /// Decay of the first moment.
        beta1: f64,
        /// Decay of the second moment.
        beta2: f64,
        /// Keeps the division finite.
        epsilon: f64,
    },
    /// Loshchilov and Hutter 2019: Adam with decoupled weight decay.
    AdamW {
        /// Decay of the first moment.
        beta1: f64,
        /// Decay of the second moment.
        beta2: f64,
        /// Keeps the division finite.
        epsilon: f64,
        /// Every parameter shrinks by learning rate times this a step.
        weight_decay: f64,
    },
}

impl OptimizerKind {
    /// All of them with their default constants, in the order of a menu.
    pub const ALL: [OptimizerKind; 7] = [
        OptimizerKind::Sgd,
        OptimizerKind::Momentum { momentum: 0.9 },
        OptimizerKind::Nesterov { momentum: 0.9 },
        OptimizerKind::AdaGrad { epsilon: 1e-10 },
        OptimizerKind::RmsProp {
            rho: 0.99,
            epsilon: 1e-8,
        },
        OptimizerKind::Adam {
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
        },
        OptimizerKind::AdamW {
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.01,
        },
    ];

    /// The name used in experiment files.
    pub fn name(self) -> &'static str {
        match self {
            OptimizerKind::Sgd => "sgd",
            OptimizerKind::Momentum { .. } => "momentum",
            OptimizerKind::Nesterov { .. } => "nesterov",
            OptimizerKind::AdaGrad { .. } => "adagrad",
            OptimizerKind::RmsProp { .. } => "rmsprop",
            OptimizerKind::Adam { .. } => "adam",
            OptimizerKind::AdamW { .. } => "adamw",
        }
    }

    /// A fresh state for `len` parameters.
    pub fn build<R: Real>(self, len: usize) -> Box<dyn Optimizer<R>> {
        match self {
            OptimizerKind::Sgd => Box::new(Sgd),
            OptimizerKind::Momentum { momentum } => Box::new(Momentum::new(len, momentum, false)),
            OptimizerKind::Nesterov { momentum } => Box::new(Momentum::new(len, momentum, true)),
            OptimizerKind::AdaGrad { epsilon } => Box::new(AdaGrad::new(len, epsilon)),
            OptimizerKind::RmsProp { rho, epsilon } => Box::new(RmsProp::new(len, rho, epsilon)),
            OptimizerKind::Adam {
                beta1,
                beta2,
                epsilon,
            } => Box::new(Adam::new(len, beta1, beta2, epsilon, 0.0)),
            OptimizerKind::AdamW {
                beta1,
                beta2,
                epsilon,
                weight_decay,
            } => Box::new(Adam::new(len, beta1, beta2, epsilon, weight_decay)),
        }
    }
}

/// An optimiser with its state.
pub trait Optimizer<R: Real>: Send + Sync {
    /// Moves `params` one step against `gradient` (same length, which is the
    /// length that the state was built for).
    fn step(&mut self, params: &mut [R], gradient: &[R], learning_rate: f64);

    /// The state's vectors by name, each as long as the parameters.
    fn moments(&self) -> Vec<(&'static str, &[R])>;

    /// A copy with its state.
    fn clone_box(&self) -> Box<dyn Optimizer<R>>;
}

impl<R: Real> Clone for Box<dyn Optimizer<R>> {
    fn clone(&self) -> Self {
        self.clone_box()
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
            for _ in 0..500 {
                let g = [2.0 * p[0], 8.0 * p[1]];
                optimizer.step(&mut p, &g, 0.02);
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
    fn a_clone_continues_as_the_original() {
        for kind in OptimizerKind::ALL {
            let mut a = kind.build::<f32>(2);
            let mut p = [1.0f32, 2.0];
            a.step(&mut p, &[0.5, -0.5], 0.1);
            let mut b = a.clone();
            let mut q = p;
            a.step(&mut p, &[0.1, 0.2], 0.1);
            b.step(&mut q, &[0.1, 0.2], 0.1);
            assert_eq!(p, q, "{}", kind.name());
        }
    }
}
