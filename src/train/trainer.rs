//! One step of training at a time.

mod diverge;
mod order;
mod place;
mod trace;

pub use order::batch_of;

use super::batch::BatchGradient;
use super::checkpoint::{Checkpoint, Past};
use super::divergence::{Divergence, NonFinite, all_finite};
use super::evaluate::{Evaluator, Score};
use super::history::HistoryRow;
use super::mover::{Mover, check_optimizer, check_training};
use super::objective::NetworkObjective;
use super::problem::Problem;
use super::smoothing::Smoothing;
use super::stop::StopReason;
use crate::experiment::{Freeze, OptimizerConfig};
use crate::nn::ParamRole;
use crate::optim::{Iteration, Progress, decay_weights};
use order::draw_order;
use std::ops::Range;
use std::sync::Arc;

/// What a step came to.
#[derive(Debug, Clone, PartialEq)]
pub enum StepOutcome {
    /// The weights moved.
    Stepped {
        /// The batch's mean data loss before the step.
        loss: f64,
        /// Whether the step ended an epoch.
        epoch_done: bool,
    },
    /// Numbers stopped being finite; the trainer is back at the last step
    /// whose loss was finite.
    Diverged(Divergence),
    /// There is no further step; the weights are where they were.
    Stopped(StopReason),
}

/// The state of training: weights, optimiser, place in the epoch.
pub struct Trainer {
    problem: Arc<Problem>,
    // The experiment's own, or another that takes its place.
    optimizer: OptimizerConfig,
    base_rate: f64,
    // Of the last step; before the first, of that.
    last_rate: f64,
    batch_size: usize,
    smoothing: Option<Smoothing>,
    // Parameters that stay as they are.
    frozen: Vec<Range<usize>>,
    // What keeps this problem from being trained as it asks to be.
    refusal: Option<StopReason>,
    // For full-batch methods.
    objective: Option<NetworkObjective>,
    start: Vec<f32>,
    seed: u64,
    now: Checkpoint,
    before: Vec<f32>,
    // Whether `before` holds the parameters of one step ago.
    moved: bool,
    gradient: Vec<f32>,
    batch: BatchGradient,
    // Of the last step, where in the epoch's order its samples are.
    batch_rows: Range<usize>,
    batch_loss: f64,
    evaluator: Evaluator,
    // Earlier states for `rewind`, unless nobody will ask for them.
    past: Option<Past>,
}

impl Trainer {
    /// Training from the experiment's own initial weights.
    pub fn new(problem: Arc<Problem>) -> Self {
        let params = problem.initial_params();
        let seed = problem.experiment.seed;
        Self::with_params(problem, params, seed)
    }

    /// Training from given weights, as many as the network has parameters,
    /// with the batch order of `seed`.
    pub fn with_params(problem: Arc<Problem>, params: Vec<f32>, seed: u64) -> Self {
        let optimizer = problem.experiment.training.optimizer;
        Self::with_optimizer(problem, optimizer, params, seed)
    }

    /// The same with another optimiser in the place of the experiment's: the
    /// batches, schedules, penalties and bounds on gradients stay as they are.
    pub fn with_optimizer(
        problem: Arc<Problem>,
        optimizer: OptimizerConfig,
        params: Vec<f32>,
        seed: u64,
    ) -> Self {
        let network = &problem.network;
        let training = &problem.experiment.training;
        let batch_size = training.batch.size(problem.train.len()).max(1);
        let now = Checkpoint::start(&problem, optimizer, &params, seed);
        let full = matches!(now.mover, Mover::FullBatch(_));
        let mut trainer = Trainer {
            optimizer,
            base_rate: optimizer.learning_rate,
            last_rate: f64::NAN,
            batch_size,
            smoothing: Smoothing::of(&problem),
            frozen: frozen(&problem),
            refusal: check_training(&problem)
                .and_then(|()| check_optimizer(&problem, optimizer.kind()))
                .err()
                .map(StopReason::Refused),
            objective: full.then(|| NetworkObjective::new(Arc::clone(&problem))),
            seed,
            now,
            before: params.clone(),
            moved: false,
            gradient: vec![0.0; params.len()],
            batch: BatchGradient::new(network, batch_size),
            batch_rows: 0..0,
            batch_loss: f64::NAN,
            evaluator: Evaluator::new(network),
            past: Some(Past::default()),
            start: params,
            problem,
        };
        trainer.last_rate = trainer.learning_rate();
        trainer
    }

    /// Back to the start: same initial weights, same batch order.
    pub fn reset(&mut self) {
        self.now = Checkpoint::start(&self.problem, self.optimizer, &self.start, self.seed);
        self.before.copy_from_slice(&self.start);
        self.moved = false;
        self.gradient.fill(0.0);
        self.batch_rows = 0..0;
        self.batch_loss = f64::NAN;
        self.past = self.past.as_ref().map(|_| Past::default());
        self.last_rate = self.learning_rate();
    }

    /// A new start: the initial weights and batch order of another seed.
    pub fn reseed(&mut self, seed: u64) {
        self.seed = seed;
        self.start = self.problem.initial_params_for(seed);
        self.reset();
    }

    /// One step: draws the next batch, back-propagates, updates.
    pub fn step(&mut self) -> StepOutcome {
        if let Some(refusal) = &self.refusal {
            return StepOutcome::Stopped(refusal.clone());
        }
        let n = self.problem.train.len();
        if self.now.cursor >= n {
            self.begin_epoch();
        }
        if let Some(outcome) = self.iterate() {
            return outcome;
        }
        let end = (self.now.cursor + self.batch_size).min(n);
        self.batch_rows = self.now.cursor..end;
        let rows = &self.now.order[self.now.cursor..end];
        let network = &self.problem.network;
        let seed = self.step_seed(self.now.step);
        let loss = self.batch.compute(
            &self.problem,
            &self.now.params,
            rows,
            self.smoothing,
            seed,
            &mut self.gradient,
        );
        if !loss.is_finite() {
            return StepOutcome::Diverged(self.diverged(NonFinite::Forward));
        }
        let regulariser = self.problem.experiment.training.regulariser();
        regulariser.add_gradient(network.layout(), &self.now.params, &mut self.gradient);
        if !all_finite(&self.gradient) {
            return StepOutcome::Diverged(self.diverged(NonFinite::Gradient));
        }
        for range in &self.frozen {
            self.gradient[range.clone()].fill(0.0);
        }
        let penalty = regulariser.penalty(network.layout(), &self.now.params);
        let training = &self.problem.experiment.training;
        training.clip().apply(&mut self.gradient);
        let decay = self.optimizer.decoupled_decay();
        let rate = self.learning_rate();
        self.before.copy_from_slice(&self.now.params);
        let trainable = network.layout().trainable();
        let moved = &mut self.now.params[..trainable];
        if decay > 0.0 {
            decay_weights(moved, rate, decay);
        }
        if let Mover::FirstOrder(optimizer) = &mut self.now.mover {
            optimizer.tell_loss(loss + penalty);
            optimizer.step(moved, &self.gradient[..trainable], rate);
        }
        // Decay and an optimiser's memory move what has no gradient.
        for range in &self.frozen {
            self.now.params[range.clone()].copy_from_slice(&self.before[range.clone()]);
        }
        network.gather_statistics(self.batch.workspace(), &mut self.now.params);
        self.stepped(loss, rate, end)
    }

    /// Puts a sample of the training part into the next batch, in the place of its
    /// first, unless it is in it. A full-batch method has all of them anyway.
    pub(super) fn bring(&mut self, row: usize) {
        let n = self.problem.train.len();
        if matches!(self.now.mover, Mover::FullBatch(_)) || row >= n {
            return;
        }
        if self.now.cursor >= n {
            self.begin_epoch();
        }
        let first = self.now.cursor;
        let end = (first + self.batch_size).min(n);
        let place = self.now.order.iter().position(|&other| other == row);
        if let Some(place) = place.filter(|place| !(first..end).contains(place)) {
            self.now.order.swap(first, place);
        }
    }

    /// A seed a step, so that a step made again leaves out the same units.
    fn step_seed(&self, steps: u64) -> u64 {
        self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ steps
    }

    /// One iteration of a full-batch method, if that is what moves the weights.
    fn iterate(&mut self) -> Option<StepOutcome> {
        let (Mover::FullBatch(search), Some(objective)) =
            (&mut self.now.mover, &mut self.objective)
        else {
            return None;
        };
        self.batch_rows = 0..self.problem.train.len();
        self.before.copy_from_slice(&self.now.params);
        let outcome = search.iterate(objective, &mut self.now.params, self.base_rate);
        Some(match outcome {
            Iteration::NotFinite => StepOutcome::Diverged(self.diverged_in_evaluation()),
            Iteration::Stopped(stop) => StepOutcome::Stopped(StopReason::Solver {
                method: search.name(),
                stop,
            }),
            Iteration::Done { loss } => {
                for (to, &g) in self.gradient.iter_mut().zip(search.gradient()) {
                    *to = g as f32;
                }
                let rate = search.step_size().unwrap_or(self.base_rate);
                self.stepped(loss, rate, self.problem.train.len())
            }
        })
    }

    /// Counts the step that has just been made.
    fn stepped(&mut self, loss: f64, rate: f64, end: usize) -> StepOutcome {
        if !all_finite(&self.now.params) {
            return StepOutcome::Diverged(self.diverged(NonFinite::Update));
        }
        self.moved = true;
        self.batch_loss = loss;
        self.last_rate = rate;
        self.now.cursor = end;
        self.now.step += 1;
        let epoch_done = end == self.problem.train.len();
        if epoch_done {
            self.now.epoch += 1;
        }
        StepOutcome::Stepped { loss, epoch_done }
    }

    fn begin_epoch(&mut self) {
        draw_order(&mut self.now.order, self.batch_size, &mut self.now.rng);
        self.now.cursor = 0;
        if let Some(past) = &mut self.past {
            past.keep(&self.now);
        }
    }

    /// Whether losses after each epoch change what comes: a schedule or early
    /// stopping watches them.
    pub fn heeds_epochs(&self) -> bool {
        let training = &self.problem.experiment.training;
        training.early_stopping.is_some() || training.schedule.plateau().is_some()
    }

    /// Takes in what an epoch came to: schedules and early stopping may heed
    /// it. Says whether the run should end.
    pub fn observe(&mut self, row: &HistoryRow) -> Option<StopReason> {
        self.now.monitor.see(row, &self.now.params)
    }

    /// The scores on the training part and, where there is one, the validation part.
    pub fn evaluate(&mut self) -> (Score, Option<Score>) {
        let problem = &self.problem;
        let (network, encoding) = (&problem.network, problem.encoding);
        let params = &self.now.params;
        let train = self
            .evaluator
            .score(network, params, &problem.train, encoding)
            .unwrap_or(Score {
                loss: f64::NAN,
                accuracy: None,
            });
        (
            train,
            self.evaluator
                .score(network, params, &problem.validation, encoding),
        )
    }

    /// The mean data loss over the training part.
    pub fn train_loss(&mut self) -> f64 {
        self.evaluator
            .loss(&self.problem.network, &self.now.params, &self.problem.train)
    }

    /// What is learnt.
    pub fn problem(&self) -> &Arc<Problem> {
        &self.problem
    }

    /// The current weights.
    pub fn params(&self) -> &[f32] {
        &self.now.params
    }

    /// The gradient of the last step, penalties included.
    pub fn gradient(&self) -> &[f32] {
        &self.gradient
    }

    /// Its Euclidean norm; none before the first step.
    pub fn gradient_norm(&self) -> Option<f64> {
        (self.steps() > 0).then(|| norm(&self.gradient))
    }

    /// What the last step added to each parameter.
    pub fn last_update(&self) -> Vec<f32> {
        self.now
            .params
            .iter()
            .zip(&self.before)
            .map(|(now, before)| now - before)
            .collect()
    }

    /// The rows of the training part that the last step saw, in the order in
    /// which it saw them; none before the first and where it is not known any
    /// more, after a rewind.
    pub fn last_batch(&self) -> &[usize] {
        &self.now.order[self.batch_rows.clone()]
    }

    /// The batch's mean data loss in the last step; NaN before the first.
    pub fn batch_loss(&self) -> f64 {
        self.batch_loss
    }

    /// Epochs completed.
    pub fn epoch(&self) -> usize {
        self.now.epoch
    }

    /// Steps completed.
    pub fn steps(&self) -> u64 {
        self.now.step
    }

    /// Steps in one epoch.
    pub fn steps_per_epoch(&self) -> usize {
        self.problem.steps_per_epoch()
    }

    /// The seed of the current run.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The step size of the next step, which follows from the base rate and
    /// the schedule. Methods that adapt it: that of their last step.
    pub fn learning_rate(&self) -> f64 {
        if let Mover::FullBatch(search) = &self.now.mover {
            return search.step_size().unwrap_or(self.base_rate);
        }
        let training = &self.problem.experiment.training;
        let steps = self.steps_per_epoch() as u64;
        let at = Progress {
            step: self.now.step,
            epoch: self.now.epoch,
            planned_steps: steps.saturating_mul(training.epochs as u64),
            reductions: self.now.monitor.reductions(),
        };
        training.schedule.schedule().rate(self.base_rate, at)
    }

    /// The step size that was made last; before the first, the one to come.
    pub fn last_rate(&self) -> f64 {
        self.last_rate
    }

    /// The rate that a schedule starts from.
    pub fn base_rate(&self) -> f64 {
        self.base_rate
    }

    /// Changes the base rate from the next step on; a schedule goes on from
    /// where it is, with the new base.
    pub fn set_learning_rate(&mut self, learning_rate: f64) {
        self.base_rate = learning_rate;
        if self.now.step == 0 {
            self.last_rate = self.learning_rate();
        }
    }
}

/// The Euclidean norm, in eight sums side by side: a recorded run takes it at each step.
fn norm(values: &[f32]) -> f64 {
    const LANES: usize = 8;
    let square = |v: f32| f64::from(v) * f64::from(v);
    let chunks = values.chunks_exact(LANES);
    let rest: f64 = chunks.remainder().iter().map(|&v| square(v)).sum();
    let mut sums = [0.0; LANES];
    for chunk in chunks {
        for (sum, &v) in sums.iter_mut().zip(chunk) {
            *sum += square(v);
        }
    }
    (sums.iter().sum::<f64>() + rest).sqrt()
}

/// The parameters that the experiment wants to stay.
fn frozen(problem: &Problem) -> Vec<Range<usize>> {
    let tensors = problem.network.layout().tensors().iter();
    match problem.experiment.training.freeze {
        Freeze::None => Vec::new(),
        Freeze::Biases => tensors
            .filter(|tensor| tensor.role == ParamRole::Bias)
            .map(|tensor| tensor.range.clone())
            .collect(),
    }
}
