//! RMSProp (Hinton, Srivastava and Swersky 2012, lecture 6e):
//! `s <- rho s + (1 - rho) g^2`, `p <- p - lr g / (sqrt s + eps)`.

use super::{Optimizer, StateVisitor};
use crate::nn::{Real, arch};

#[derive(Debug, Clone)]
pub(super) struct RmsProp<R> {
    rho: R,
    epsilon: R,
    mean_square: Vec<R>,
}

impl<R: Real> RmsProp<R> {
    pub(super) fn new(len: usize, rho: f64, epsilon: f64) -> Self {
        RmsProp {
            rho: R::of(rho),
            epsilon: R::of(epsilon),
            mean_square: vec![R::zero(); len],
        }
    }
}

impl<R: Real> Optimizer<R> for RmsProp<R> {
    fn step(&mut self, params: &mut [R], gradient: &[R], learning_rate: f64) {
        let lr = R::of(learning_rate);
        let rest = R::one() - self.rho;
        arch().dispatch(|| {
            for ((p, &g), s) in params.iter_mut().zip(gradient).zip(&mut self.mean_square) {
                *s = self.rho * *s + rest * g * g;
                *p -= lr * g / (s.sqrt() + self.epsilon);
            }
        });
    }

    fn moments(&self) -> Vec<(&'static str, &[R])> {
        vec![("mean square", &self.mean_square)]
    }

    fn state(&mut self, visitor: &mut dyn StateVisitor<R>) {
        visitor.values(&mut self.mean_square);
    }

    fn clone_box(&self) -> Box<dyn Optimizer<R>> {
        Box::new(self.clone())
    }
}
