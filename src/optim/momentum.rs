//! Momentum in the form `v <- m v + g`, `p <- p - lr v`, and Nesterov's variant
//! `p <- p - lr (g + m v)` (Sutskever et al. 2013, in PyTorch's arrangement).
//!
//! Textbooks often write `d <- m d - lr g`, `p <- p + d` instead. The two agree
//! while the learning rate stays constant.

use super::{Optimizer, StateVisitor};
use crate::nn::{Real, arch};

#[derive(Debug, Clone)]
pub(super) struct Momentum<R> {
    momentum: R,
    nesterov: bool,
    velocity: Vec<R>,
}

impl<R: Real> Momentum<R> {
    pub(super) fn new(len: usize, momentum: f64, nesterov: bool) -> Self {
        Momentum {
            momentum: R::of(momentum),
            nesterov,
            velocity: vec![R::zero(); len],
        }
    }
}

impl<R: Real> Optimizer<R> for Momentum<R> {
    fn step(&mut self, params: &mut [R], gradient: &[R], learning_rate: f64) {
        let lr = R::of(learning_rate);
        let m = self.momentum;
        arch().dispatch(|| {
            for ((p, &g), v) in params.iter_mut().zip(gradient).zip(&mut self.velocity) {
                *v = m * *v + g;
                *p -= lr * if self.nesterov { g + m * *v } else { *v };
            }
        });
    }

    fn moments(&self) -> Vec<(&'static str, &[R])> {
        vec![("velocity", &self.velocity)]
    }

    fn state(&mut self, visitor: &mut dyn StateVisitor<R>) {
        visitor.values(&mut self.velocity);
    }

    fn clone_box(&self) -> Box<dyn Optimizer<R>> {
        Box::new(self.clone())
    }
}
