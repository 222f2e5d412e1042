//! Quasi-hyperbolic momentum (Ma and Yarats 2019, equations 3 and 4):
//! `d <- b d + (1 - b) g`, `p <- p - lr ((1 - nu) g + nu d)`.
//!
//! The average is damped by `1 - b`, where momentum's velocity is not: with
//! `nu = 1` a learning rate of `lr / (1 - b)` makes the steps of momentum.

use super::{Optimizer, StateVisitor};
use crate::nn::{Real, arch};

#[derive(Debug, Clone)]
pub(super) struct Qhm<R> {
    momentum: f64,
    nu: f64,
    average: Vec<R>,
}

impl<R: Real> Qhm<R> {
    pub(super) fn new(len: usize, momentum: f64, nu: f64) -> Self {
        Qhm {
            momentum,
            nu,
            average: vec![R::zero(); len],
        }
    }
}

impl<R: Real> Optimizer<R> for Qhm<R> {
    fn step(&mut self, params: &mut [R], gradient: &[R], learning_rate: f64) {
        let lr = R::of(learning_rate);
        let (b, rest) = (R::of(self.momentum), R::of(1.0 - self.momentum));
        let (nu, plain) = (R::of(self.nu), R::of(1.0 - self.nu));
        arch().dispatch(|| {
            for ((p, &g), d) in params.iter_mut().zip(gradient).zip(&mut self.average) {
                *d = b * *d + rest * g;
                *p -= lr * (plain * g + nu * *d);
            }
        });
    }

    fn moments(&self) -> Vec<(&'static str, &[R])> {
        vec![("average gradient", &self.average)]
    }

    fn state(&mut self, visitor: &mut dyn StateVisitor<R>) {
        visitor.values(&mut self.average);
    }

    fn clone_box(&self) -> Box<dyn Optimizer<R>> {
        Box::new(self.clone())
    }
}
