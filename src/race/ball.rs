//! An optimiser on a function of two variables, in double precision.

use super::entry::{Entry, Noise};
use super::racer::End;
use crate::experiment::OptimizerConfig;
use crate::landscape::Analytic;
use crate::optim::{Iteration, Method, Optimizer, Solver, decay_weights};
use crate::rng::{Stream, stream};
use crate::train::{NonFinite, StopReason};
use rand_distr::{Distribution, StandardNormal};
use std::sync::Arc;

/// A point that rolls: where it is, and the state of what moves it.
#[derive(Clone)]
pub(super) struct Ball {
    function: Arc<Analytic>,
    noise: Option<Noise>,
    optimizer: OptimizerConfig,
    mover: Mover,
    at: [f64; 2],
    value: f64,
    step: u64,
}

#[derive(Clone)]
enum Mover {
    FirstOrder(Box<dyn Optimizer<f64>>),
    FullBatch(Box<dyn Solver>),
}

impl Ball {
    pub(super) fn new(
        function: Arc<Analytic>,
        at: [f64; 2],
        noise: Option<Noise>,
        entry: &Entry,
    ) -> Self {
        let mover = match entry.optimizer.kind() {
            Method::FirstOrder(kind) => Mover::FirstOrder(kind.build(2)),
            Method::FullBatch(kind) => Mover::FullBatch(kind.build(2)),
        };
        Ball {
            value: function.value(at[0], at[1]),
            function,
            noise,
            optimizer: entry.optimizer,
            mover,
            at,
            step: 0,
        }
    }

    pub(super) fn at(&self) -> [f64; 2] {
        self.at
    }

    pub(super) fn value(&self) -> f64 {
        self.value
    }

    pub(super) fn steps(&self) -> u64 {
        self.step
    }

    /// One step. Where it cannot be made, the ball stays where it is.
    pub(super) fn step(&mut self) -> Result<(), End> {
        let lost = |ball: &Ball, what| End::Lost {
            step: ball.step + 1,
            at: ball.at,
            what,
        };
        let rate = self.optimizer.learning_rate;
        let mut to = self.at;
        match &mut self.mover {
            Mover::FirstOrder(optimizer) => {
                let mut gradient = self.function.gradient(self.at[0], self.at[1]);
                if let Some(noise) = self.noise {
                    for (g, n) in gradient.iter_mut().zip(noise_at(noise, self.step)) {
                        *g += n;
                    }
                }
                if !gradient.iter().all(|g| g.is_finite()) {
                    return Err(lost(self, NonFinite::Gradient));
                }
                let decay = self.optimizer.decoupled_decay();
                if decay > 0.0 {
                    decay_weights(&mut to, rate, decay);
                }
                optimizer.tell_loss(self.value);
                optimizer.step(&mut to, &gradient, rate);
            }
            Mover::FullBatch(solver) => match solver.iterate(&mut &*self.function, &mut to, rate) {
                Iteration::Done { .. } => {}
                Iteration::Stopped(stop) => {
                    return Err(End::Stopped(StopReason::Solver {
                        method: self.optimizer.kind().name(),
                        stop,
                    }));
                }
                Iteration::NotFinite => return Err(lost(self, NonFinite::Gradient)),
            },
        }
        let value = self.function.value(to[0], to[1]);
        if !to.iter().all(|v| v.is_finite()) {
            return Err(lost(self, NonFinite::Update));
        }
        if !value.is_finite() {
            return Err(lost(self, NonFinite::Forward));
        }
        self.at = to;
        self.value = value;
        self.step += 1;
        Ok(())
    }
}

/// The noise on the gradient of a step: of the seed and the step alone.
fn noise_at(noise: Noise, step: u64) -> [f64; 2] {
    let seed = noise.seed ^ step.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut rng = stream(seed, Stream::Noise);
    std::array::from_fn(|_| {
        let v: f64 = StandardNormal.sample(&mut rng);
        noise.deviation * v
    })
}
