//! The first-order optimisers by name, with their constants.

use super::Optimizer;
use super::adadelta::AdaDelta;
use super::adagrad::AdaGrad;
use super::adam::Adam;
use super::adamax::Adamax;
use super::lion::Lion;
use super::momentum::Momentum;
use super::nadam::NAdam;
use super::qhm::Qhm;
use super::rmsprop::RmsProp;
use super::rprop::Rprop;
use super::sgd::Sgd;
use crate::nn::Real;

/// Which first-order optimiser, with its constants.
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
    /// Zeiler 2012.
    AdaDelta {
        /// The share of the mean squares that is kept.
        rho: f64,
        /// Keeps the division finite, and the first steps from being 0.
        epsilon: f64,
    },
    /// Kingma and Ba 2015, algorithm 2: Adam with the infinity norm.
    Adamax {
        /// Decay of the first moment.
        beta1: f64,
        /// Decay of the norm.
        beta2: f64,
        /// Keeps the division finite.
        epsilon: f64,
    },
    /// Dozat 2016: Adam with Nesterov's momentum.
    NAdam {
        /// Decay of the first moment.
        beta1: f64,
        /// Decay of the second moment.
        beta2: f64,
        /// Keeps the division finite.
        epsilon: f64,
        /// How slowly the momentum grows to `beta1`; 0 holds it at half.
        momentum_decay: f64,
    },
    /// Chen et al. 2023: the sign of an average.
    Lion {
        /// Decay of the average whose sign is taken.
        beta1: f64,
        /// Decay of the average that is kept.
        beta2: f64,
        /// Every parameter shrinks by learning rate times this a step.
        weight_decay: f64,
    },
    /// Ma and Yarats 2019: quasi-hyperbolic momentum.
    Qhm {
        /// The share of the average that is kept.
        momentum: f64,
        /// The average's share in the step; the rest is the plain gradient's.
        nu: f64,
    },
    /// Igel and Huesken 2003: iRprop+.
    Rprop {
        /// The factor on a step size when the sign changed.
        eta_minus: f64,
        /// The factor when it did not.
        eta_plus: f64,
        /// The smallest step size.
        step_min: f64,
        /// The largest.
        step_max: f64,
    },
}

impl OptimizerKind {
    /// All of them with their default constants, in the order of a menu.
    pub const ALL: [OptimizerKind; 13] = [
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
        OptimizerKind::AdaDelta {
            rho: 0.9,
            epsilon: 1e-6,
        },
        OptimizerKind::Adamax {
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
        },
        OptimizerKind::NAdam {
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            momentum_decay: 0.004,
        },
        OptimizerKind::Lion {
            beta1: 0.9,
            beta2: 0.99,
            weight_decay: 0.0,
        },
        OptimizerKind::Qhm {
            momentum: 0.999,
            nu: 0.7,
        },
        OptimizerKind::Rprop {
            eta_minus: 0.5,
            eta_plus: 1.2,
            step_min: 1e-6,
            step_max: 50.0,
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
            OptimizerKind::AdaDelta { .. } => "adadelta",
            OptimizerKind::Adamax { .. } => "adamax",
            OptimizerKind::NAdam { .. } => "nadam",
            OptimizerKind::Lion { .. } => "lion",
            OptimizerKind::Qhm { .. } => "qhm",
            OptimizerKind::Rprop { .. } => "rprop",
        }
    }

    /// The update in a line: `w` a parameter, `g` its gradient, `lr` the
    /// learning rate, other letters state. Which of the conventions that go by
    /// one name is meant (does the learning rate stand inside the velocity? is
    /// an average damped?) can be read off.
    pub fn update_rule(self) -> &'static str {
        match self {
            OptimizerKind::Sgd => "w <- w - lr g",
            OptimizerKind::Momentum { .. } => {
                "v <- m v + g, w <- w - lr v \
                 (PyTorch's velocity; Sutskever's v <- m v - lr g has the rate inside)"
            }
            OptimizerKind::Nesterov { .. } => {
                "v <- m v + g, w <- w - lr (g + m v) \
                 (PyTorch's velocity; Sutskever's v <- m v - lr g has the rate inside)"
            }
            OptimizerKind::AdaGrad { .. } => "s <- s + g^2, w <- w - lr g / (sqrt s + eps)",
            OptimizerKind::RmsProp { .. } => {
                "s <- rho s + (1 - rho) g^2, w <- w - lr g / (sqrt s + eps)"
            }
            OptimizerKind::Adam { .. } => {
                "m <- b1 m + (1 - b1) g, v <- b2 v + (1 - b2) g^2, w <- w - lr m' / (sqrt v' + eps) \
                 with m' = m / (1 - b1^t), v' = v / (1 - b2^t)"
            }
            OptimizerKind::AdamW { .. } => {
                "w <- w - lr wd w, then as Adam: m <- b1 m + (1 - b1) g, \
                 v <- b2 v + (1 - b2) g^2, w <- w - lr m' / (sqrt v' + eps)"
            }
            OptimizerKind::AdaDelta { .. } => {
                "s <- rho s + (1 - rho) g^2, d = sqrt(u + eps) / sqrt(s + eps) g, \
                 u <- rho u + (1 - rho) d^2, w <- w - lr d"
            }
            OptimizerKind::Adamax { .. } => {
                "m <- b1 m + (1 - b1) g, u <- max(b2 u, |g| + eps), \
                 w <- w - lr / (1 - b1^t) m / u"
            }
            OptimizerKind::NAdam { .. } => {
                "as Adam, with (1 - mu) / (1 - M) g + mu+ / (1 - M mu+) m in the place of m', \
                 mu = b1 (1 - 0.96^(t psi) / 2), M the product of all mu"
            }
            OptimizerKind::Lion { .. } => {
                "c = b1 m + (1 - b1) g, w <- w - lr (sign c + wd w), m <- b2 m + (1 - b2) g"
            }
            OptimizerKind::Qhm { .. } => {
                "d <- m d + (1 - m) g, w <- w - lr ((1 - nu) g + nu d) (a damped average)"
            }
            OptimizerKind::Rprop { .. } => {
                "s <- s eta+ while the sign of g stays, s eta- when it changes (and back if the \
                 loss grew), w <- w - sign(g) s"
            }
        }
    }

    /// Whether the learning rate of every step counts; Rprop takes that of the
    /// first as the size of its first moves.
    pub fn heeds_rate(self) -> bool {
        !matches!(self, OptimizerKind::Rprop { .. })
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
            OptimizerKind::AdaDelta { rho, epsilon } => Box::new(AdaDelta::new(len, rho, epsilon)),
            OptimizerKind::Adamax {
                beta1,
                beta2,
                epsilon,
            } => Box::new(Adamax::new(len, beta1, beta2, epsilon)),
            OptimizerKind::NAdam {
                beta1,
                beta2,
                epsilon,
                momentum_decay,
            } => Box::new(NAdam::new(len, beta1, beta2, epsilon, momentum_decay)),
            OptimizerKind::Lion {
                beta1,
                beta2,
                weight_decay,
            } => Box::new(Lion::new(len, beta1, beta2, weight_decay)),
            OptimizerKind::Qhm { momentum, nu } => Box::new(Qhm::new(len, momentum, nu)),
            OptimizerKind::Rprop {
                eta_minus,
                eta_plus,
                step_min,
                step_max,
            } => Box::new(Rprop::new(len, eta_minus, eta_plus, step_min, step_max)),
        }
    }
}
