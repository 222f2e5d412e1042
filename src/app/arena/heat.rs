//! A race in the making: who races where, and one step of everybody at a time.
//!
//! On a function every racer has a point of its own; on the network's surface a
//! copy of the weights, trained with the batches that all the others get too.
//! The run on the screen takes no part.

use crate::experiment::{Batch, OptimizerConfig};
use crate::landscape::{Analytic, Gauge, Plane};
use crate::optim::{Iteration, Method, Optimizer, Solver, SolverKind, SolverStop, decay_weights};
use crate::train::{Evaluator, Problem, StepOutcome, StopReason, Trainer};
use rayon::prelude::*;
use std::sync::Arc;

/// Where a racer is after a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lap {
    /// Its first coordinate; on the network's surface that of its projection.
    pub x: f64,
    /// Its second coordinate.
    pub y: f64,
    /// Its loss: of the weights themselves, not of their projection.
    pub loss: f64,
    /// What the surface shows at (x, y).
    pub slice: f64,
}

/// Why a racer goes no further.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    /// In this step its numbers stopped being finite.
    Diverged {
        /// The step, from 1.
        step: u64,
    },
    /// It sees no way to go on.
    Stopped(StopReason),
}

/// What is raced on, and from where.
#[derive(Debug, Clone)]
pub(super) enum RaceGround {
    /// A function of x and y.
    Function { function: Analytic, start: [f64; 2] },
    /// The network's training loss, seen from a plane.
    Network {
        problem: Arc<Problem>,
        plane: Arc<Plane>,
        params: Arc<[f32]>,
        seed: u64,
    },
}

impl RaceGround {
    /// Whether a race there is the same race.
    pub(super) fn is_same(&self, other: &RaceGround) -> bool {
        use RaceGround::{Function, Network};
        match (self, other) {
            (
                Function {
                    function: a,
                    start: s,
                },
                Function {
                    function: b,
                    start: t,
                },
            ) => a.formula() == b.formula() && s == t,
            (
                Network {
                    problem: p,
                    plane: a,
                    params: v,
                    seed: s,
                },
                Network {
                    problem: q,
                    plane: b,
                    params: w,
                    seed: t,
                },
            ) => Arc::ptr_eq(p, q) && Arc::ptr_eq(a, b) && Arc::ptr_eq(v, w) && s == t,
            _ => false,
        }
    }
}

/// Who races where.
#[derive(Debug, Clone)]
pub(super) struct RaceSpec {
    pub(super) ground: RaceGround,
    pub(super) racers: Vec<OptimizerConfig>,
}

impl RaceSpec {
    /// Whether it is the same race.
    pub(super) fn is_same(&self, other: &RaceSpec) -> bool {
        self.racers == other.racers && self.ground.is_same(&other.ground)
    }
}

/// All racers, each where it is.
pub(super) struct Heat {
    lanes: Vec<Runner>,
}

impl Heat {
    /// Everybody at the start.
    pub(super) fn new(spec: &RaceSpec) -> Result<Self, String> {
        let runner = |racer: &OptimizerConfig| match &spec.ground {
            RaceGround::Function { function, start } => Ok(on_function(function, *start, *racer)),
            RaceGround::Network {
                problem,
                plane,
                params,
                seed,
            } => on_network(problem, plane, params, *seed, *racer),
        };
        let lanes = spec
            .racers
            .iter()
            .map(runner)
            .collect::<Result<_, String>>();
        Ok(Heat { lanes: lanes? })
    }

    /// Where everybody starts.
    pub(super) fn start(&self) -> Vec<Lap> {
        self.lanes.iter().map(|r| r.lap).collect()
    }

    /// One step of everybody; of those that go no further, nothing.
    pub(super) fn step(&mut self) -> Vec<Option<Lap>> {
        self.lanes.par_iter_mut().map(Runner::step).collect()
    }

    /// Why each goes no further, once it does not.
    pub(super) fn ends(&self) -> Vec<Option<End>> {
        self.lanes.iter().map(|r| r.end.clone()).collect()
    }
}

struct Runner {
    legs: Legs,
    lap: Lap,
    steps: u64,
    end: Option<End>,
}

enum Legs {
    Point {
        function: Box<Analytic>,
        racer: OptimizerConfig,
        mover: PointMover,
    },
    Weights {
        trainer: Box<Trainer>,
        plane: Arc<Plane>,
        evaluator: Box<Evaluator>,
        projected: Vec<f32>,
    },
}

enum PointMover {
    FirstOrder(Box<dyn Optimizer<f64>>),
    FullBatch(Box<dyn Solver>),
}

fn on_function(function: &Analytic, start: [f64; 2], racer: OptimizerConfig) -> Runner {
    let mover = match racer.kind() {
        Method::FirstOrder(kind) => PointMover::FirstOrder(kind.build(2)),
        Method::FullBatch(kind) => PointMover::FullBatch(kind.build(2)),
    };
    let [x, y] = start;
    let loss = function.value(x, y);
    let function = Box::new(function.clone());
    Runner {
        legs: Legs::Point {
            function,
            racer,
            mover,
        },
        lap: Lap {
            x,
            y,
            loss,
            slice: loss,
        },
        steps: 0,
        end: None,
    }
}

fn on_network(
    problem: &Arc<Problem>,
    plane: &Arc<Plane>,
    params: &[f32],
    seed: u64,
    racer: OptimizerConfig,
) -> Result<Runner, String> {
    let mut own = Problem::clone(problem);
    let training = &mut own.experiment.training;
    training.optimizer = racer;
    if let Method::FullBatch(kind) = racer.kind() {
        training.batch = Batch::Full;
        (training.clip_norm, training.clip_value) = (None, None);
        if let SolverKind::LevenbergMarquardt { .. } = kind {
            training.l1 = 0.0;
        }
    }
    let evaluator = Evaluator::new(&own.network);
    let trainer = Trainer::with_params(Arc::new(own), params.to_vec(), seed);
    let mut runner = Runner {
        legs: Legs::Weights {
            trainer: Box::new(trainer),
            plane: Arc::clone(plane),
            evaluator: Box::new(evaluator),
            projected: vec![0.0; params.len()],
        },
        lap: Lap {
            x: 0.0,
            y: 0.0,
            loss: f64::NAN,
            slice: f64::NAN,
        },
        steps: 0,
        end: None,
    };
    runner.lap = runner.look();
    Ok(runner)
}

impl Runner {
    fn step(&mut self) -> Option<Lap> {
        if self.end.is_some() {
            return None;
        }
        let moved = match &mut self.legs {
            Legs::Point {
                function,
                racer,
                mover,
            } => step_point(function, racer, mover, [self.lap.x, self.lap.y]),
            Legs::Weights { trainer, .. } => match trainer.step() {
                StepOutcome::Stepped { .. } => Ok(None),
                StepOutcome::Diverged(_) => Err(End::Diverged { step: 0 }),
                StepOutcome::Stopped(reason) => Err(End::Stopped(reason)),
            },
        };
        let lap = moved.map(|lap| lap.unwrap_or_else(|| self.look()));
        let end = match lap {
            Ok(lap) if lap.loss.is_finite() && lap.x.is_finite() && lap.y.is_finite() => {
                self.lap = lap;
                self.steps += 1;
                return Some(lap);
            }
            Ok(_) | Err(End::Diverged { .. }) => End::Diverged {
                step: self.steps + 1,
            },
            Err(stopped) => stopped,
        };
        self.end = Some(end);
        None
    }

    /// Where the weights are.
    fn look(&mut self) -> Lap {
        let Legs::Weights {
            trainer,
            plane,
            evaluator,
            projected,
        } = &mut self.legs
        else {
            return self.lap;
        };
        let place = plane.project(trainer.params());
        plane.write_point(place.x, place.y, projected);
        let gauge = Gauge::training_loss(trainer.problem());
        Lap {
            x: place.x,
            y: place.y,
            loss: gauge.at(trainer.params(), evaluator),
            slice: gauge.at(projected, evaluator),
        }
    }
}

fn step_point(
    function: &Analytic,
    racer: &OptimizerConfig,
    mover: &mut PointMover,
    mut at: [f64; 2],
) -> Result<Option<Lap>, End> {
    let rate = racer.learning_rate;
    match mover {
        PointMover::FirstOrder(optimizer) => {
            let gradient = function.gradient(at[0], at[1]);
            optimizer.tell_loss(function.value(at[0], at[1]));
            let decay = racer.decoupled_decay();
            if decay > 0.0 {
                decay_weights(&mut at, rate, decay);
            }
            optimizer.step(&mut at, &gradient, rate);
        }
        PointMover::FullBatch(solver) => {
            let mut objective = function;
            let stop = |stop: SolverStop| {
                End::Stopped(StopReason::Solver {
                    method: racer.kind().name(),
                    stop,
                })
            };
            match solver.iterate(&mut objective, &mut at, rate) {
                Iteration::Done { .. } => {}
                Iteration::Stopped(why) => return Err(stop(why)),
                Iteration::NotFinite => return Err(End::Diverged { step: 0 }),
            }
        }
    }
    let loss = function.value(at[0], at[1]);
    Ok(Some(Lap {
        x: at[0],
        y: at[1],
        loss,
        slice: loss,
    }))
}
