//! L-BFGS (Nocedal and Wright 2006, algorithms 7.4 and 7.5): along
//! `d = -H g`, where `H` approximates the inverse of the Hessian from the last
//! `m` pairs `s = x' - x`, `y = g' - g` by the two-loop recursion, beginning
//! from `(s.y / y.y) I` (equation 7.20); the step satisfies the strong Wolfe
//! conditions, tried first at length 1.

use super::descent::Descent;
use super::line_search::Wolfe;
use super::solver::{Iteration, Solver, SolverStop, dot};
use super::{Objective, StateVisitor, visit_count, visit_maybe};
use std::collections::VecDeque;

/// Page 121.
const WOLFE: Wolfe = Wolfe { c1: 1e-4, c2: 0.9 };

/// A step and what it changed in the gradient.
#[derive(Debug, Clone)]
struct Pair {
    s: Vec<f64>,
    y: Vec<f64>,
    // 1 / (s . y)
    rho: f64,
    alpha: f64,
}

#[derive(Debug, Clone)]
pub(super) struct Lbfgs {
    history: usize,
    pairs: VecDeque<Pair>,
    descent: Descent,
    direction: Vec<f64>,
    length: Option<f64>,
}

impl Lbfgs {
    pub(super) fn new(len: usize, history: usize) -> Self {
        Lbfgs {
            history,
            pairs: VecDeque::with_capacity(history),
            descent: Descent::new(len),
            direction: vec![0.0; len],
            length: None,
        }
    }

    /// Remembers the last move, `length` times `direction`, where the loss
    /// curves upwards along it (`s . y > 0`, which the Wolfe conditions give).
    fn remember(&mut self) {
        let Some(length) = self.length else { return };
        let mut pair = if self.pairs.len() >= self.history {
            // Its buffers are used again.
            self.pairs.pop_front()
        } else {
            None
        }
        .unwrap_or_else(|| Pair {
            s: vec![0.0; self.direction.len()],
            y: vec![0.0; self.direction.len()],
            rho: 0.0,
            alpha: 0.0,
        });
        for (s, d) in pair.s.iter_mut().zip(&self.direction) {
            *s = length * d;
        }
        let gradients = self.descent.gradient.iter().zip(&self.descent.before);
        for (y, (now, before)) in pair.y.iter_mut().zip(gradients) {
            *y = now - before;
        }
        let curvature = dot(&pair.s, &pair.y);
        if curvature > 1e-14 * dot(&pair.y, &pair.y) {
            pair.rho = 1.0 / curvature;
            self.pairs.push_back(pair);
        }
    }

    /// Algorithm 7.4.
    fn turn(&mut self) {
        let q = &mut self.direction;
        for (q, g) in q.iter_mut().zip(&self.descent.gradient) {
            *q = -g;
        }
        for pair in self.pairs.iter_mut().rev() {
            pair.alpha = pair.rho * dot(&pair.s, q);
            for (q, y) in q.iter_mut().zip(&pair.y) {
                *q -= pair.alpha * y;
            }
        }
        if let Some(newest) = self.pairs.back() {
            let gamma = 1.0 / (newest.rho * dot(&newest.y, &newest.y));
            q.iter_mut().for_each(|q| *q *= gamma);
        }
        for pair in &self.pairs {
            let beta = pair.rho * dot(&pair.y, q);
            for (q, s) in q.iter_mut().zip(&pair.s) {
                *q += (pair.alpha - beta) * s;
            }
        }
    }
}

impl Solver for Lbfgs {
    fn iterate(&mut self, objective: &mut dyn Objective, params: &mut [f64], _: f64) -> Iteration {
        let loss = match self.descent.begin(objective, params) {
            Ok(loss) => loss,
            Err(end) => return end,
        };
        self.remember();
        loop {
            self.turn();
            let slope = dot(&self.descent.gradient, &self.direction);
            // Without a history there is no scale: a move of length 1 at most.
            let first = if self.pairs.is_empty() {
                1.0 / (-slope).sqrt().max(1.0)
            } else {
                1.0
            };
            self.length = if slope < 0.0 {
                self.descent.search(
                    objective,
                    params,
                    &self.direction,
                    WOLFE,
                    (loss, slope),
                    first,
                )
            } else {
                None
            };
            if self.length.is_some() {
                return Iteration::Done { loss };
            }
            if self.pairs.is_empty() {
                return Iteration::Stopped(SolverStop::LineSearch);
            }
            self.pairs.clear();
        }
    }

    fn gradient(&self) -> &[f64] {
        &self.descent.gradient
    }

    fn step_size(&self) -> Option<f64> {
        self.length
    }

    fn state(&mut self, visitor: &mut dyn StateVisitor<f64>) {
        let mut pairs = self.pairs.len();
        visit_count(visitor, &mut pairs);
        let len = self.direction.len();
        // No more than it ever keeps, whatever is told.
        self.pairs.resize_with(pairs.min(self.history), || Pair {
            s: vec![0.0; len],
            y: vec![0.0; len],
            rho: 0.0,
            alpha: 0.0,
        });
        for pair in &mut self.pairs {
            visitor.values(&mut pair.s);
            visitor.values(&mut pair.y);
            visitor.number(&mut pair.rho);
        }
        self.descent.state(visitor);
        visitor.values(&mut self.direction);
        visit_maybe(visitor, &mut self.length);
    }

    fn clone_box(&self) -> Box<dyn Solver> {
        Box::new(self.clone())
    }
}
