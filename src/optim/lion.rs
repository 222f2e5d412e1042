//! Lion (Chen et al. 2023, algorithm 2): every parameter moves by the same
//! amount, in the direction of an average's sign:
//! `c = b1 m + (1 - b1) g`, `p <- p - lr (sign(c) + wd p)`,
//! `m <- b2 m + (1 - b2) g`. The sign of 0 is 0.

use super::{Optimizer, StateVisitor};
use crate::nn::{Real, arch};

#[derive(Debug, Clone)]
pub(super) struct Lion<R> {
    beta1: f64,
    beta2: f64,
    weight_decay: f64,
    momentum: Vec<R>,
}

impl<R: Real> Lion<R> {
    pub(super) fn new(len: usize, beta1: f64, beta2: f64, weight_decay: f64) -> Self {
        Lion {
            beta1,
            beta2,
            weight_decay,
            momentum: vec![R::zero(); len],
        }
    }
}

impl<R: Real> Optimizer<R> for Lion<R> {
    fn step(&mut self, params: &mut [R], gradient: &[R], learning_rate: f64) {
        let lr = R::of(learning_rate);
        let keep = R::of(1.0 - learning_rate * self.weight_decay);
        let (b1, rest1) = (R::of(self.beta1), R::of(1.0 - self.beta1));
        let (b2, rest2) = (R::of(self.beta2), R::of(1.0 - self.beta2));
        arch().dispatch(|| {
            for ((p, &g), m) in params.iter_mut().zip(gradient).zip(&mut self.momentum) {
                let c = b1 * *m + rest1 * g;
                *p = *p * keep - lr * super::sign(c);
                *m = b2 * *m + rest2 * g;
            }
        });
    }

    fn moments(&self) -> Vec<(&'static str, &[R])> {
        vec![("momentum", &self.momentum)]
    }

    fn state(&mut self, visitor: &mut dyn StateVisitor<R>) {
        visitor.values(&mut self.momentum);
    }

    fn clone_box(&self) -> Box<dyn Optimizer<R>> {
        Box::new(self.clone())
    }
}
