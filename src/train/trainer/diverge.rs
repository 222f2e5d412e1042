//! What is done when numbers stop being finite.

use super::Trainer;
use crate::nn::Mode;
use crate::train::divergence::{Divergence, NonFinite, first_bad_parameter, first_bad_unit};
use ndarray::s;
use std::sync::Arc;

impl Trainer {
    /// Finds what went wrong first, then undoes the update that made the
    /// numbers run away.
    pub(super) fn diverged(&mut self, what: NonFinite) -> Divergence {
        let layout = self.problem.network.layout();
        let (layer, parameter) = match what {
            NonFinite::Gradient => first_bad_parameter(layout, &self.gradient),
            NonFinite::Update => first_bad_parameter(layout, &self.now.params),
            NonFinite::Forward => None,
        }
        .map(|place| (place.layer, Some(place)))
        .unwrap_or_else(|| first_bad_unit(layout, self.batch.workspace(), &self.now.params));
        match what {
            // The loss was finite here; only the next step cannot be made.
            NonFinite::Gradient => {}
            NonFinite::Update => self.now.params.copy_from_slice(&self.before),
            NonFinite::Forward if self.moved => {
                self.now.params.copy_from_slice(&self.before);
                self.now.step -= 1;
                let n = self.problem.train.len();
                if self.now.cursor == 0 || self.now.cursor >= n {
                    self.now.epoch -= 1;
                }
            }
            // These weights were given, not made by a step.
            NonFinite::Forward => {}
        }
        self.moved = false;
        Divergence {
            step: self.now.step + 1,
            layer,
            parameter,
            what,
        }
    }

    /// Undoes the last step because the loss over the whole training part is
    /// not finite behind it, though that of its batch was before it.
    pub(crate) fn diverged_in_evaluation(&mut self) -> Divergence {
        let problem = Arc::clone(&self.problem);
        let n = problem.train.len();
        let workspace = self.batch.workspace_mut();
        workspace.set_mode(Mode::Inference);
        let chunk = workspace.capacity();
        for start in (0..n).step_by(chunk) {
            let end = (start + chunk).min(n);
            let (x, y) = (
                problem.train.x.slice(s![start..end, ..]),
                problem.train.y.slice(s![start..end, ..]),
            );
            let network = &problem.network;
            network.forward(&self.now.params, x, workspace);
            if !network.loss_sum(workspace, y).is_finite() {
                break;
            }
        }
        self.diverged(NonFinite::Forward)
    }
}
