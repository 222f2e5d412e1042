//! AdaGrad (Duchi, Hazan and Singer 2011): `s <- s + g^2`,
//! `p <- p - lr g / (sqrt s + eps)`.

use super::{Optimizer, StateVisitor};
use crate::nn::{Real, arch};

#[derive(Debug, Clone)]
pub(super) struct AdaGrad<R> {
    epsilon: R,
    sum: Vec<R>,
}

impl<R: Real> AdaGrad<R> {
    pub(super) fn new(len: usize, epsilon: f64) -> Self {
        AdaGrad {
            epsilon: R::of(epsilon),
            sum: vec![R::zero(); len],
        }
    }
}

impl<R: Real> Optimizer<R> for AdaGrad<R> {
    fn step(&mut self, params: &mut [R], gradient: &[R], learning_rate: f64) {
        let lr = R::of(learning_rate);
        arch().dispatch(|| {
            for ((p, &g), s) in params.iter_mut().zip(gradient).zip(&mut self.sum) {
                *s += g * g;
                *p -= lr * g / (s.sqrt() + self.epsilon);
            }
        });
    }

    fn moments(&self) -> Vec<(&'static str, &[R])> {
        vec![("sum of squares", &self.sum)]
    }

    fn state(&mut self, visitor: &mut dyn StateVisitor<R>) {
        visitor.values(&mut self.sum);
    }

    fn clone_box(&self) -> Box<dyn Optimizer<R>> {
        Box::new(self.clone())
    }
}
