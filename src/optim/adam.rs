//! Adam (Kingma and Ba 2015, algorithm 1) and, with a weight decay, AdamW
//! (Loshchilov and Hutter 2019, algorithm 2):
//!
//! `m <- b1 m + (1 - b1) g`, `v <- b2 v + (1 - b2) g^2`,
//! `p <- p - lr wd p - lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)`.

use super::{Optimizer, StateVisitor, visit_steps};
use crate::nn::{Real, arch};

#[derive(Debug, Clone)]
pub(super) struct Adam<R> {
    beta1: f64,
    beta2: f64,
    epsilon: f64,
    weight_decay: f64,
    first: Vec<R>,
    second: Vec<R>,
    steps: i32,
}

impl<R: Real> Adam<R> {
    pub(super) fn new(len: usize, beta1: f64, beta2: f64, epsilon: f64, weight_decay: f64) -> Self {
        let zeros = || vec![R::zero(); len];
        Adam {
            beta1,
            beta2,
            epsilon,
            weight_decay,
            first: zeros(),
            second: zeros(),
            steps: 0,
        }
    }
}

impl<R: Real> Optimizer<R> for Adam<R> {
    fn step(&mut self, params: &mut [R], gradient: &[R], learning_rate: f64) {
        self.steps = self.steps.saturating_add(1);
        // Bias corrections in f64: 1 - b2^t loses most of an f32 for small t.
        let correction1 = 1.0 - self.beta1.powi(self.steps);
        let correction2 = (1.0 - self.beta2.powi(self.steps)).sqrt();
        let rate = R::of(learning_rate / correction1);
        let root = R::of(1.0 / correction2);
        let epsilon = R::of(self.epsilon);
        let keep = R::of(1.0 - learning_rate * self.weight_decay);
        let (b1, rest1) = (R::of(self.beta1), R::of(1.0 - self.beta1));
        let (b2, rest2) = (R::of(self.beta2), R::of(1.0 - self.beta2));
        let moments = self.first.iter_mut().zip(&mut self.second);
        arch().dispatch(|| {
            for ((p, &g), (m, v)) in params.iter_mut().zip(gradient).zip(moments) {
                *m = b1 * *m + rest1 * g;
                *v = b2 * *v + rest2 * g * g;
                *p = *p * keep - rate * *m / (v.sqrt() * root + epsilon);
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
    }

    fn clone_box(&self) -> Box<dyn Optimizer<R>> {
        Box::new(self.clone())
    }
}
