//! Resilient back-propagation as iRprop+ (Igel and Huesken 2003, section 2.3):
//! each parameter has a step of its own, `s`, and only the sign of its
//! gradient counts. With `g'` the gradient of the step before and `E` the loss:
//!
//! - `g' g > 0`: `s <- min(eta+ s, s_max)`, `d = -sign(g) s`, `p <- p + d`;
//! - `g' g < 0`: `s <- max(eta- s, s_min)`; if `E > E'`, `p <- p - d'`, which
//!   takes the last move back; and `g <- 0`, so that the next step is of the
//!   third kind;
//! - `g' g = 0`: `d = -sign(g) s`, `p <- p + d`.
//!
//! Every `s` starts at the learning rate of the first step. Without the losses
//! ([`Optimizer::tell_loss`]) no move is taken back: that is iRprop-, which is
//! what PyTorch calls Rprop.

use super::{Optimizer, StateVisitor, sign, visit_flag, visit_maybe};
use crate::nn::Real;

#[derive(Debug, Clone)]
pub(super) struct Rprop<R> {
    eta_minus: R,
    eta_plus: R,
    step_min: R,
    step_max: R,
    steps: Vec<R>,
    previous: Vec<R>,
    moves: Vec<R>,
    begun: bool,
    loss: Option<f64>,
    loss_before: Option<f64>,
}

impl<R: Real> Rprop<R> {
    pub(super) fn new(
        len: usize,
        eta_minus: f64,
        eta_plus: f64,
        step_min: f64,
        step_max: f64,
    ) -> Self {
        let zeros = || vec![R::zero(); len];
        Rprop {
            eta_minus: R::of(eta_minus),
            eta_plus: R::of(eta_plus),
            step_min: R::of(step_min),
            step_max: R::of(step_max),
            steps: zeros(),
            previous: zeros(),
            moves: zeros(),
            begun: false,
            loss: None,
            loss_before: None,
        }
    }
}

impl<R: Real> Optimizer<R> for Rprop<R> {
    fn tell_loss(&mut self, loss: f64) {
        self.loss = Some(loss);
    }

    fn step(&mut self, params: &mut [R], gradient: &[R], learning_rate: f64) {
        if !self.begun {
            self.steps.fill(R::of(learning_rate));
            self.begun = true;
        }
        let grew =
            matches!((self.loss, self.loss_before), (Some(now), Some(before)) if now > before);
        self.loss_before = self.loss.take();
        let state = self.steps.iter_mut().zip(&mut self.moves);
        let state = self.previous.iter_mut().zip(state);
        for ((p, &g), (before, (step, moved))) in params.iter_mut().zip(gradient).zip(state) {
            let agreement = *before * g;
            if agreement < R::zero() {
                *step = (*step * self.eta_minus).max(self.step_min);
                if grew {
                    *p -= *moved;
                }
                *before = R::zero();
            } else {
                if agreement > R::zero() {
                    *step = (*step * self.eta_plus).min(self.step_max);
                }
                *moved = -sign(g) * *step;
                *p += *moved;
                *before = g;
            }
        }
    }

    fn moments(&self) -> Vec<(&'static str, &[R])> {
        vec![
            ("step size", &self.steps),
            ("last gradient", &self.previous),
            ("last move", &self.moves),
        ]
    }

    fn state(&mut self, visitor: &mut dyn StateVisitor<R>) {
        visitor.values(&mut self.steps);
        visitor.values(&mut self.previous);
        visitor.values(&mut self.moves);
        visit_flag(visitor, &mut self.begun);
        visit_maybe(visitor, &mut self.loss);
        visit_maybe(visitor, &mut self.loss_before);
    }

    fn clone_box(&self) -> Box<dyn Optimizer<R>> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Worked by hand: eta+ 1.2, eta- 0.5, a first step of 0.1.
    #[test]
    fn a_move_that_made_things_worse_is_taken_back_and_one_that_did_not_stays() {
        for (loss, third, fourth) in [
            // Step 2 moved by -0.12; the loss grew, so step 3 takes that back;
            // step 4 moves by the halved step, 0.06, against its gradient.
            (9.0, -0.1, -0.1 + 0.06),
            // The loss fell: step 3 stays where it is.
            (1.0, -0.22, -0.22 + 0.06),
        ] {
            let mut rprop = Rprop::<f64>::new(1, 0.5, 1.2, 1e-6, 50.0);
            let mut p = [0.0];
            for (loss, gradient, expected) in [
                (5.0, 3.0, -0.1),
                (4.0, 0.5, -0.22),
                (loss, -2.0, third),
                (3.0, -7.0, fourth),
            ] {
                rprop.tell_loss(loss);
                rprop.step(&mut p, &[gradient], 0.1);
                assert!((p[0] - expected).abs() < 1e-15, "{} for {expected}", p[0]);
            }
        }
    }

    #[test]
    fn steps_stay_between_their_bounds() {
        let mut rprop = Rprop::<f64>::new(2, 0.5, 1.2, 0.01, 0.2);
        let mut p = [0.0, 0.0];
        for step in 0..40 {
            let alternating = if step % 4 < 2 { 1.0 } else { -1.0 };
            rprop.step(&mut p, &[1.0, alternating], 0.1);
        }
        let steps = rprop.moments()[0].1;
        assert_eq!(steps[0], 0.2);
        assert!((0.01..0.1).contains(&steps[1]), "{}", steps[1]);
    }
}
