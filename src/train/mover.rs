//! How the weights of a run move, with the state of that: by steps from each
//! batch's gradient, or by iterations over all samples.

use super::objective::NetworkObjective;
use super::problem::Problem;
use crate::data::ConfigError;
use crate::experiment::OptimizerConfig;
use crate::optim::{Iteration, Method, Optimizer, Solver, SolverKind, StateVisitor, visit_count};

/// An optimiser with its state.
#[derive(Clone)]
pub(super) enum Mover {
    FirstOrder(Box<dyn Optimizer<f32>>),
    FullBatch(Search),
}

impl Mover {
    /// How many vectors of single precision as long as the parameters it remembers.
    pub(super) fn vectors(&self) -> usize {
        match self {
            Mover::FirstOrder(optimizer) => optimizer.moments().len(),
            // Double precision, and up to ten pairs of L-BFGS.
            Mover::FullBatch(_) => 48,
        }
    }

    /// An optimiser for `problem`, at its start.
    pub(super) fn new(problem: &Problem, optimizer: OptimizerConfig) -> Self {
        let len = problem.network.layout().trainable();
        match optimizer.kind() {
            Method::FirstOrder(kind) => Mover::FirstOrder(kind.build(len)),
            Method::FullBatch(kind) => Mover::FullBatch(Search {
                kind,
                solver: kind.build(len),
                point: Vec::new(),
            }),
        }
    }
}

/// A full-batch method and the point where it stands. It works in double
/// precision; the weights are that point, rounded.
#[derive(Clone)]
pub(super) struct Search {
    kind: SolverKind,
    solver: Box<dyn Solver>,
    point: Vec<f64>,
}

impl Search {
    /// One iteration, and the weights that it comes to; the loss that it began
    /// from is given without penalties. From other weights than it left last
    /// time it begins anew.
    pub(super) fn iterate(
        &mut self,
        objective: &mut NetworkObjective,
        params: &mut [f32],
        learning_rate: f64,
    ) -> Iteration {
        let here = self.point.len() == params.len()
            && self
                .point
                .iter()
                .zip(&*params)
                .all(|(&a, &b)| a as f32 == b);
        if !here {
            self.solver = self.kind.build(params.len());
            self.point = params.iter().map(|&p| f64::from(p)).collect();
        }
        let penalty = objective.penalty(&self.point);
        let outcome = self
            .solver
            .iterate(objective, &mut self.point, learning_rate);
        for (p, &v) in params.iter_mut().zip(&self.point) {
            *p = v as f32;
        }
        match outcome {
            Iteration::Done { loss } => Iteration::Done {
                loss: loss - penalty,
            },
            other => other,
        }
    }

    /// Shows all of its state to `visitor`. One that reads says how many parameters there
    /// are: the solver is built when its first iteration begins.
    pub(super) fn state(&mut self, visitor: &mut dyn StateVisitor<f64>, params: Option<usize>) {
        let mut length = self.point.len();
        visit_count(visitor, &mut length);
        if let Some(params) = params {
            let is_begun = length == params;
            self.point = vec![0.0; if is_begun { params } else { 0 }];
            if is_begun {
                self.solver = self.kind.build(params);
            }
        }
        visitor.values(&mut self.point);
        if !self.point.is_empty() {
            self.solver.state(visitor);
        }
    }

    /// The gradient where the last iteration began.
    pub(super) fn gradient(&self) -> &[f64] {
        self.solver.gradient()
    }

    /// The length of the last step along its direction, where it has one.
    pub(super) fn step_size(&self) -> Option<f64> {
        self.solver.step_size()
    }

    /// Its name.
    pub(super) fn name(&self) -> &'static str {
        self.kind.name()
    }
}

/// Refuses what the experiment's training asks for where its data or its
/// network do not allow it, which the experiment alone does not show.
///
/// # Errors
/// Names the key, what is wrong and what to do.
pub fn check_training(problem: &Problem) -> Result<(), ConfigError> {
    let training = &problem.experiment.training;
    if training.early_stopping.is_some() && problem.validation.is_empty() {
        return Err(ConfigError::new(
            "training.early_stopping",
            "it watches the validation loss, and no samples are held back; set data.validation",
        ));
    }
    check_optimizer(problem, training.optimizer.kind())
}

/// Refuses an optimiser where the network of `problem` does not allow it.
///
/// # Errors
/// Names the key, what is wrong and what to do.
pub fn check_optimizer(problem: &Problem, method: Method) -> Result<(), ConfigError> {
    if let Method::FullBatch(kind) = method
        && problem.network.depends_on_mode()
    {
        let name = kind.name();
        return Err(ConfigError::new(
            "training.optimizer.name",
            format!(
                "{name} searches one fixed function, and dropout and batch normalisation make \
                 another of it in each step; leave these layers out, or use adam or sgd"
            ),
        ));
    }
    if let Method::FullBatch(SolverKind::LevenbergMarquardt { .. }) = method {
        let (most, len) = (
            SolverKind::MOST_DAMPED_PARAMETERS,
            problem.network.layout().len(),
        );
        if len > most {
            return Err(ConfigError::new(
                "training.optimizer.name",
                format!(
                    "levenberg-marquardt factors a matrix of parameters by parameters, and this \
                     network has {len} parameters; at most {most} are allowed. Use lbfgs, or a \
                     smaller network"
                ),
            ));
        }
    }
    Ok(())
}
