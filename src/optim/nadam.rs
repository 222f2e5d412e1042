//! NAdam (Dozat 2016, algorithm 2, with the momentum schedule of its section 3,
//! in PyTorch's arrangement): with `mu(t) = b1 (1 - 0.96^(t psi) / 2)` and
//! `M(t) = mu(1) mu(2) ... mu(t)`,
//!
//! `m <- b1 m + (1 - b1) g`, `v <- b2 v + (1 - b2) g^2`,
//! `p <- p - lr ((1 - mu(t)) / (1 - M(t)) g + mu(t+1) / (1 - M(t+1)) m)
//!           / (sqrt(v / (1 - b2^t)) + eps)`.

use super::{Optimizer, StateVisitor, visit_steps};
use crate::nn::{Real, arch};

#[derive(Debug, Clone)]
pub(super) struct NAdam<R> {
    beta1: f64,
    beta2: f64,
    epsilon: f64,
    momentum_decay: f64,
    first: Vec<R>,
    second: Vec<R>,
    steps: i32,
    // M(t): the product of the momenta so far.
    product: f64,
}

impl<R: Real> NAdam<R> {
    pub(super) fn new(
        len: usize,
        beta1: f64,
        beta2: f64,
        epsilon: f64,
        momentum_decay: f64,
    ) -> Self {
        NAdam {
            beta1,
            beta2,
            epsilon,
            momentum_decay,
            first: vec![R::zero(); len],
            second: vec![R::zero(); len],
            steps: 0,
            product: 1.0,
        }
    }

    /// The momentum of step `t`.
    fn momentum(&self, t: f64) -> f64 {
        self.beta1 * (1.0 - 0.5 * 0.96_f64.powf(t * self.momentum_decay))
    }
}

impl<R: Real> Optimizer<R> for NAdam<R> {
    fn step(&mut self, params: &mut [R], gradient: &[R], learning_rate: f64) {
        self.steps = self.steps.saturating_add(1);
        let t = f64::from(self.steps);
        let (now, next) = (self.momentum(t), self.momentum(t + 1.0));
        self.product *= now;
        let of_gradient = R::of(learning_rate * (1.0 - now) / (1.0 - self.product));
        let of_moment = R::of(learning_rate * next / (1.0 - self.product * next));
        let root = R::of(1.0 / (1.0 - self.beta2.powi(self.steps)).sqrt());
        let epsilon = R::of(self.epsilon);
        let (b1, rest1) = (R::of(self.beta1), R::of(1.0 - self.beta1));
        let (b2, rest2) = (R::of(self.beta2), R::of(1.0 - self.beta2));
        let moments = self.first.iter_mut().zip(&mut self.second);
        arch().dispatch(|| {
            for ((p, &g), (m, v)) in params.iter_mut().zip(gradient).zip(moments) {
                *m = b1 * *m + rest1 * g;
                *v = b2 * *v + rest2 * g * g;
                *p -= (of_gradient * g + of_moment * *m) / (v.sqrt() * root + epsilon);
            }
        });
    }

    fn moments(&self) -> Vec<(&'static str, &[R])> {
        vec![
            ("first moment", &self.first),
            ("second moment", &self.second),
        ]
    }

    fn state(&mut self, visitor: &mut dyn StateVisitor<R>) {
        visitor.values(&mut self.first);
        visitor.values(&mut self.second);
        visit_steps(visitor, &mut self.steps);
        visitor.number(&mut self.product);
    }

    fn clone_box(&self) -> Box<dyn Optimizer<R>> {
        Box::new(self.clone())
    }
}
