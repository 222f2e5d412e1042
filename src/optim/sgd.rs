//! Steepest descent: `p <- p - lr g`.

use super::{Optimizer, StateVisitor};
use crate::nn::{Real, arch};

#[derive(Debug, Clone)]
pub(super) struct Sgd;

impl<R: Real> Optimizer<R> for Sgd {
    fn step(&mut self, params: &mut [R], gradient: &[R], learning_rate: f64) {
        let lr = R::of(learning_rate);
        arch().dispatch(|| {
            for (p, &g) in params.iter_mut().zip(gradient) {
                *p -= lr * g;
            }
        });
    }

    fn moments(&self) -> Vec<(&'static str, &[R])> {
        Vec::new()
    }

    fn state(&mut self, _visitor: &mut dyn StateVisitor<R>) {}

    fn clone_box(&self) -> Box<dyn Optimizer<R>> {
        Box::new(self.clone())
    }
}
