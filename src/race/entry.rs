//! Who races, where, and why not.

use crate::data::ConfigError;
use crate::experiment::OptimizerConfig;
use crate::landscape::Analytic;
use crate::optim::{Method, SolverKind};
use crate::train::{Problem, check_optimizer};
use std::sync::Arc;

/// The most racers of one race.
pub const MOST_RACERS: usize = 16;

/// What is descended, and from where. Everybody begins at the same place and
/// sees the same batches, or the same noise, in the same order.
#[derive(Debug, Clone)]
pub enum Course {
    /// A network's training loss: all parameters move.
    Network {
        /// The network and its data; how they are learnt, but for the optimiser.
        problem: Arc<Problem>,
        /// The weights at the start.
        start: Arc<[f32]>,
        /// The order of the batches follows from this seed.
        seed: u64,
    },
    /// A function of two variables, in double precision.
    Analytic {
        /// The function.
        function: Arc<Analytic>,
        /// x and y at the start.
        start: [f64; 2],
        /// What is added to every gradient.
        noise: Option<Noise>,
    },
}

impl Course {
    /// A network's loss from the experiment's own initial weights, in its own
    /// order of batches.
    pub fn network(problem: Arc<Problem>) -> Self {
        Course::Network {
            start: problem.initial_params().into(),
            seed: problem.experiment.seed,
            problem,
        }
    }

    /// A function from its own start, without noise.
    pub fn analytic(function: Arc<Analytic>) -> Self {
        Course::Analytic {
            start: function.start(),
            function,
            noise: None,
        }
    }
}

/// Gaussian noise on the gradients of a function, which makes descent on it as
/// stochastic as descent by mini-batches: independent for x and y, of mean 0.
/// It depends on the seed and the step alone, so that all racers meet the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Noise {
    /// The standard deviation of each component.
    pub deviation: f64,
    /// Where it follows from.
    pub seed: u64,
}

/// An optimiser that takes part.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// What it is called.
    pub name: String,
    /// Which one, with its constants and its learning rate.
    pub optimizer: OptimizerConfig,
}

impl Entry {
    /// An optimiser under its own name.
    pub fn new(optimizer: OptimizerConfig) -> Self {
        Entry {
            name: optimizer.kind().name().to_owned(),
            optimizer,
        }
    }

    /// Whether it can take part.
    pub(super) fn check(&self, course: &Course) -> Result<(), RaceError> {
        let refused = |error| RaceError::Entry {
            name: self.name.clone(),
            error,
        };
        let method = self.optimizer.kind();
        match course {
            Course::Network { problem, .. } => {
                let mut experiment = problem.experiment.clone();
                experiment.training.optimizer = self.optimizer;
                experiment.validate().map_err(refused)?;
                check_optimizer(problem, method).map_err(refused)
            }
            Course::Analytic { noise, .. } => {
                self.optimizer.validate().map_err(refused)?;
                match method {
                    Method::FullBatch(SolverKind::LevenbergMarquardt { .. }) => {
                        Err(RaceError::NoResiduals {
                            name: self.name.clone(),
                        })
                    }
                    Method::FullBatch(_) if noise.is_some() => Err(RaceError::Noise {
                        name: self.name.clone(),
                    }),
                    _ => Ok(()),
                }
            }
        }
    }
}

/// Why there is no such race.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RaceError {
    /// Too many racers.
    #[error("at most {MOST_RACERS} optimisers race at once; remove one first")]
    TooMany,
    /// Not a place.
    #[error("the start ({}, {}) is no place where {function} has a finite value", at[0], at[1])]
    Start {
        /// x and y.
        at: [f64; 2],
        /// The function.
        function: String,
    },
    /// Weights of another network.
    #[error("{given} weights are given, and the network has {wanted} parameters")]
    Weights {
        /// How many are given.
        given: usize,
        /// How many there are.
        wanted: usize,
    },
    /// A point was given for a network, or weights for a function.
    #[error("a function of x and y starts at a point, and a network at weights")]
    OtherCourse,
    /// The noise makes no sense.
    #[error("noise of the deviation {0}; give a finite number above 0, or no noise")]
    Deviation(f64),
    /// An optimiser's constants, or what goes with them.
    #[error("{name}: {error}")]
    Entry {
        /// Who.
        name: String,
        /// Why.
        error: ConfigError,
    },
    /// Levenberg-Marquardt on a function that is no sum of squares.
    #[error(
        "{name}: levenberg-marquardt solves for the residuals of a sum of squares, and a function \
         given by its value alone has none; use lbfgs, or race on a network"
    )]
    NoResiduals {
        /// Who.
        name: String,
    },
    /// A line search among noise.
    #[error(
        "{name} compares losses along a line, which noisy gradients mislead; race without noise"
    )]
    Noise {
        /// Who.
        name: String,
    },
}
