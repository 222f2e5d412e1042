//! AdaDelta (Zeiler 2012, algorithm 1), with a learning rate as in PyTorch:
//! `s <- rho s + (1 - rho) g^2`, `d = sqrt(u + eps) / sqrt(s + eps) g`,
//! `u <- rho u + (1 - rho) d^2`, `p <- p - lr d`. The paper has `lr = 1`.

use super::{Optimizer, StateVisitor};
use crate::nn::{Real, arch};

#[derive(Debug, Clone)]
pub(super) struct AdaDelta<R> {
    rho: R,
    epsilon: R,
    gradients: Vec<R>,
    updates: Vec<R>,
}

impl<R: Real> AdaDelta<R> {
    pub(super) fn new(len: usize, rho: f64, epsilon: f64) -> Self {
        AdaDelta {
            rho: R::of(rho),
            epsilon: R::of(epsilon),
            gradients: vec![R::zero(); len],
            updates: vec![R::zero(); len],
        }
    }
}

impl<R: Real> Optimizer<R> for AdaDelta<R> {
    fn step(&mut self, params: &mut [R], gradient: &[R], learning_rate: f64) {
        let lr = R::of(learning_rate);
        let (rho, rest, epsilon) = (self.rho, R::one() - self.rho, self.epsilon);
        let averages = self.gradients.iter_mut().zip(&mut self.updates);
        arch().dispatch(|| {
            for ((p, &g), (s, u)) in params.iter_mut().zip(gradient).zip(averages) {
                *s = rho * *s + rest * g * g;
                let d = (*u + epsilon).sqrt() / (*s + epsilon).sqrt() * g;
                *u = rho * *u + rest * d * d;
                *p -= lr * d;
            }
        });
    }

    fn moments(&self) -> Vec<(&'static str, &[R])> {
        vec![
            ("mean square", &self.gradients),
            ("mean square of updates", &self.updates),
        ]
    }

    fn state(&mut self, visitor: &mut dyn StateVisitor<R>) {
        visitor.values(&mut self.gradients);
        visitor.values(&mut self.updates);
    }

    fn clone_box(&self) -> Box<dyn Optimizer<R>> {
        Box::new(self.clone())
    }
}
