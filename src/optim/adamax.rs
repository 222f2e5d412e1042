//! Adamax (Kingma and Ba 2015, algorithm 2), with PyTorch's epsilon:
//! `m <- b1 m + (1 - b1) g`, `u <- max(b2 u, |g| + eps)`,
//! `p <- p - lr / (1 - b1^t) m / u`. The paper has `eps = 0`.

use super::{Optimizer, StateVisitor, visit_steps};
use crate::nn::{Real, arch};

#[derive(Debug, Clone)]
pub(super) struct Adamax<R> {
    beta1: f64,
    beta2: f64,
    epsilon: f64,
    first: Vec<R>,
    norm: Vec<R>,
    steps: i32,
}

impl<R: Real> Adamax<R> {
    pub(super) fn new(len: usize, beta1: f64, beta2: f64, epsilon: f64) -> Self {
        Adamax {
            beta1,
            beta2,
            epsilon,
            first: vec![R::zero(); len],
            norm: vec![R::zero(); len],
            steps: 0,
        }
    }
}

impl<R: Real> Optimizer<R> for Adamax<R> {
    fn step(&mut self, params: &mut [R], gradient: &[R], learning_rate: f64) {
        self.steps = self.steps.saturating_add(1);
        let rate = R::of(learning_rate / (1.0 - self.beta1.powi(self.steps)));
        let (b1, rest1) = (R::of(self.beta1), R::of(1.0 - self.beta1));
        let (b2, epsilon) = (R::of(self.beta2), R::of(self.epsilon));
        let moments = self.first.iter_mut().zip(&mut self.norm);
        arch().dispatch(|| {
            for ((p, &g), (m, u)) in params.iter_mut().zip(gradient).zip(moments) {
                *m = b1 * *m + rest1 * g;
                *u = (b2 * *u).max(g.abs() + epsilon);
                // With an epsilon of 0 a parameter without any gradient has u = 0.
                if *u > R::zero() {
                    *p -= rate * *m / *u;
                }
            }
        });
    }

    fn moments(&self) -> Vec<(&'static str, &[R])> {
        vec![("first moment", &self.first), ("infinity norm", &self.norm)]
    }

    fn state(&mut self, visitor: &mut dyn StateVisitor<R>) {
        visitor.values(&mut self.first);
        visitor.values(&mut self.norm);
        visit_steps(visitor, &mut self.steps);
    }

    fn clone_box(&self) -> Box<dyn Optimizer<R>> {
        Box::new(self.clone())
    }
}
