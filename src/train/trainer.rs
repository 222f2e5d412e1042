//! One step of training at a time.

use super::divergence::{Divergence, NonFinite, all_finite, first_bad_parameter, first_bad_unit};
use super::evaluate::{Evaluator, Score};
use super::problem::Problem;
use crate::nn::{Mode, Workspace};
use crate::optim::Optimizer;
use crate::rng::{Rng, Stream, stream};
use ndarray::s;
use rand::seq::SliceRandom;
use std::collections::VecDeque;
use std::sync::Arc;

/// Earlier states that can be returned to.
const CHECKPOINTS: usize = 12;

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
}

/// Everything that the next step depends on.
#[derive(Clone)]
struct Checkpoint {
    params: Vec<f32>,
    optimizer: Box<dyn Optimizer<f32>>,
    order: Vec<usize>,
    cursor: usize,
    rng: Rng,
    epoch: usize,
    step: u64,
}

/// The state of training: weights, optimiser, place in the epoch.
pub struct Trainer {
    problem: Arc<Problem>,
    learning_rate: f64,
    batch_size: usize,
    start: Vec<f32>,
    seed: u64,
    now: Checkpoint,
    before: Vec<f32>,
    // Whether `before` holds the parameters of one step ago.
    moved: bool,
    gradient: Vec<f32>,
    workspace: Workspace<f32>,
    batch_loss: f64,
    evaluator: Evaluator,
    past: VecDeque<Checkpoint>,
    past_stride: usize,
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
        let network = &problem.network;
        let training = &problem.experiment.training;
        let batch_size = training.batch.size(problem.train.len()).max(1);
        Trainer {
            learning_rate: training.optimizer.learning_rate,
            batch_size,
            seed,
            now: Self::fresh(&problem, &params, seed),
            before: params.clone(),
            moved: false,
            gradient: vec![0.0; params.len()],
            workspace: Workspace::new(network, batch_size),
            batch_loss: f64::NAN,
            evaluator: Evaluator::new(network),
            past: VecDeque::new(),
            past_stride: 1,
            start: params,
            problem,
        }
    }

    fn fresh(problem: &Problem, params: &[f32], seed: u64) -> Checkpoint {
        let n = problem.train.len();
        Checkpoint {
            params: params.to_vec(),
            optimizer: problem
                .experiment
                .training
                .optimizer
                .kind()
                .build(problem.network.layout().trainable()),
            order: (0..n).collect(),
            cursor: n,
            rng: stream(seed, Stream::Shuffle),
            epoch: 0,
            step: 0,
        }
    }

    /// Back to the start: same initial weights, same batch order.
    pub fn reset(&mut self) {
        self.now = Self::fresh(&self.problem, &self.start, self.seed);
        self.before.copy_from_slice(&self.start);
        self.moved = false;
        self.gradient.fill(0.0);
        self.batch_loss = f64::NAN;
        self.past.clear();
        self.past_stride = 1;
    }

    /// A new start: the initial weights and batch order of another seed.
    pub fn reseed(&mut self, seed: u64) {
        self.seed = seed;
        self.start = self.problem.initial_params_for(seed);
        self.reset();
    }

    /// One step: draws the next batch, back-propagates, updates.
    pub fn step(&mut self) -> StepOutcome {
        let n = self.problem.train.len();
        if self.now.cursor >= n {
            self.begin_epoch();
        }
        let end = (self.now.cursor + self.batch_size).min(n);
        let rows = &self.now.order[self.now.cursor..end];
        let (network, train) = (&self.problem.network, &self.problem.train);
        let workspace = &mut self.workspace;
        // A seed a step, so that a step made again leaves out the same units.
        let seed = self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ self.now.step;
        workspace.set_mode(Mode::Training { seed });
        workspace.load(train.x.view(), rows);
        workspace.load_targets(train.y.view(), rows);
        let loss = network.gradient_loaded(&self.now.params, workspace, &mut self.gradient);
        if !loss.is_finite() {
            return StepOutcome::Diverged(self.diverged(NonFinite::Forward));
        }
        let regulariser = self.problem.experiment.training.regulariser();
        regulariser.add_gradient(network.layout(), &self.now.params, &mut self.gradient);
        if !all_finite(&self.gradient) {
            return StepOutcome::Diverged(self.diverged(NonFinite::Gradient));
        }
        self.before.copy_from_slice(&self.now.params);
        let trainable = network.layout().trainable();
        self.now.optimizer.step(
            &mut self.now.params[..trainable],
            &self.gradient[..trainable],
            self.learning_rate,
        );
        network.gather_statistics(&self.workspace, &mut self.now.params);
        if !all_finite(&self.now.params) {
            return StepOutcome::Diverged(self.diverged(NonFinite::Update));
        }
        self.moved = true;
        self.batch_loss = loss;
        self.now.cursor = end;
        self.now.step += 1;
        let epoch_done = end == n;
        if epoch_done {
            self.now.epoch += 1;
        }
        StepOutcome::Stepped { loss, epoch_done }
    }

    fn begin_epoch(&mut self) {
        // From sorted order, so that an epoch's order depends on the generator alone.
        self.now
            .order
            .iter_mut()
            .enumerate()
            .for_each(|(i, o)| *o = i);
        if self.batch_size < self.now.order.len() {
            self.now.order.shuffle(&mut self.now.rng);
        }
        self.now.cursor = 0;
        if self.now.epoch.is_multiple_of(self.past_stride) {
            self.past.push_back(self.now.clone());
            if self.past.len() > CHECKPOINTS {
                self.past_stride *= 2;
                let stride = self.past_stride;
                self.past.retain(|c| c.epoch.is_multiple_of(stride));
            }
        }
    }

    /// Finds what went wrong first, then undoes the update that made the
    /// numbers run away.
    fn diverged(&mut self, what: NonFinite) -> Divergence {
        let layout = self.problem.network.layout();
        let (layer, parameter) = match what {
            NonFinite::Gradient => first_bad_parameter(layout, &self.gradient),
            NonFinite::Update => first_bad_parameter(layout, &self.now.params),
            NonFinite::Forward => None,
        }
        .map(|place| (place.layer, Some(place)))
        .unwrap_or_else(|| first_bad_unit(layout, &self.workspace, &self.now.params));
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
    pub(super) fn diverged_in_evaluation(&mut self) -> Divergence {
        let problem = Arc::clone(&self.problem);
        let n = problem.train.len();
        self.workspace.set_mode(Mode::Inference);
        for start in (0..n).step_by(self.batch_size) {
            let end = (start + self.batch_size).min(n);
            let (x, y) = (
                problem.train.x.slice(s![start..end, ..]),
                problem.train.y.slice(s![start..end, ..]),
            );
            let network = &problem.network;
            network.forward(&self.now.params, x, &mut self.workspace);
            if !network.loss_sum(&mut self.workspace, y).is_finite() {
                break;
            }
        }
        self.diverged(NonFinite::Forward)
    }

    /// Returns to an earlier, healthy state: the newest kept one that lies at
    /// least one epoch back and whose training loss is no worse than that of the
    /// initial weights, else the start. Gives the epoch it is now at.
    pub fn rewind(&mut self) -> usize {
        let goal = self.now.epoch.saturating_sub(1);
        let (network, train) = (&self.problem.network, &self.problem.train);
        let worst = self.evaluator.loss(network, &self.start, train);
        while self.past.len() > 1
            && self.past.back().is_some_and(|c| {
                let loss = self.evaluator.loss(network, &c.params, train);
                c.epoch > goal || loss.is_nan() || loss > worst
            })
        {
            self.past.pop_back();
        }
        match self.past.back() {
            Some(checkpoint) => {
                self.now = checkpoint.clone();
                self.before.copy_from_slice(&self.now.params);
                self.moved = false;
            }
            None => self.reset(),
        }
        self.now.epoch
    }

    /// Takes the given weights as the current ones; the optimiser forgets its
    /// state, the place in the epoch stays.
    pub fn set_params(&mut self, params: &[f32]) {
        self.now.params.copy_from_slice(params);
        self.before.copy_from_slice(params);
        self.moved = false;
        self.now.optimizer = self
            .problem
            .experiment
            .training
            .optimizer
            .kind()
            .build(self.problem.network.layout().trainable());
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

    /// What the last step added to each parameter.
    pub fn last_update(&self) -> Vec<f32> {
        self.now
            .params
            .iter()
            .zip(&self.before)
            .map(|(now, before)| now - before)
            .collect()
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
        self.problem.train.len().div_ceil(self.batch_size)
    }

    /// The seed of the current run.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The step size in force.
    pub fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    /// Changes the step size from the next step on.
    pub fn set_learning_rate(&mut self, learning_rate: f64) {
        self.learning_rate = learning_rate;
    }
}
