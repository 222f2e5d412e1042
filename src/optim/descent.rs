//! What methods that search along a line keep from one iteration to the next.

use super::line_search::{Line, Wolfe};
use super::solver::{Iteration, begin};
use super::{Objective, StateVisitor, visit_maybe};

/// The current point's loss and gradient and the gradient before, so that no
/// point is evaluated twice.
#[derive(Debug, Clone)]
pub(super) struct Descent {
    /// At the point where the iteration begins.
    pub gradient: Vec<f64>,
    /// At the point where the iteration before began.
    pub before: Vec<f64>,
    /// At the point that the last search found, or `gradient`.
    next: Vec<f64>,
    point: Vec<f64>,
    // At the current point, once it is known.
    loss: Option<f64>,
}

impl Descent {
    pub(super) fn new(len: usize) -> Self {
        let zeros = || vec![0.0; len];
        Descent {
            gradient: zeros(),
            before: zeros(),
            next: zeros(),
            point: zeros(),
            loss: None,
        }
    }

    /// Shows its state; where the line was looked at last is none of it.
    pub(super) fn state(&mut self, visitor: &mut dyn StateVisitor<f64>) {
        visitor.values(&mut self.gradient);
        visitor.values(&mut self.before);
        visitor.values(&mut self.next);
        visit_maybe(visitor, &mut self.loss);
    }

    /// Begins an iteration at `params`; gives the loss there.
    pub(super) fn begin(
        &mut self,
        objective: &mut dyn Objective,
        params: &[f64],
    ) -> Result<f64, Iteration> {
        let loss = match self.loss {
            Some(loss) => loss,
            None => objective.gradient(params, &mut self.next),
        };
        begin(loss, &self.next)?;
        self.loss = Some(loss);
        std::mem::swap(&mut self.before, &mut self.gradient);
        self.gradient.copy_from_slice(&self.next);
        Ok(loss)
    }

    /// Moves `params` along `direction` and gives the length, or leaves them
    /// where no lower loss is found.
    pub(super) fn search(
        &mut self,
        objective: &mut dyn Objective,
        params: &mut [f64],
        direction: &[f64],
        wolfe: Wolfe,
        (loss, slope): (f64, f64),
        first: f64,
    ) -> Option<f64> {
        let mut line = Line {
            objective,
            origin: params,
            direction,
            point: &mut self.point,
            gradient: &mut self.next,
        };
        match line.search(wolfe, loss, slope, first) {
            Some(found) => {
                self.loss = Some(found.loss);
                params.copy_from_slice(&self.point);
                Some(found.length)
            }
            None => {
                self.next.copy_from_slice(&self.gradient);
                None
            }
        }
    }
}
