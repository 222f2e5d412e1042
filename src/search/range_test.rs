//! The learning-rate range test (L. N. Smith, "Cyclical learning rates for
//! training neural networks", 2017, arXiv:1506.01186, section 3.3): from the
//! initial weights the rate rises with every step until training breaks.
//!
//! As in fastai's learning-rate finder (J. Howard, S. Gugger, "fastai: a layered
//! API for deep learning", 2020, arXiv:2002.04688) the rate rises by a constant
//! factor, the losses are smoothed by an exponential average with its bias
//! corrected, and the test ends where the average exceeds four times its least
//! value. There the decay is 0.98 whatever the number of steps, and lags behind
//! by half of a test of 100; here it follows the number of steps, so that the
//! average reaches back over a twentieth of the test.

use super::SearchError;
use crate::train::{Problem, StepOutcome, Trainer};
use std::sync::Arc;

/// The test ends where the smoothed loss exceeds its least value so many times.
pub const DIVERGED_AT: f64 = 4.0;
/// How much of its first value the smoothed loss has to lose for a suggestion.
const FALL: f64 = 0.05;
/// The greatest decay of the average: that of fastai.
const MOST_DECAY: f64 = 0.98;
/// The fewest and the most steps.
const STEPS: std::ops::RangeInclusive<usize> = 20..=1_000_000;

/// One step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RangePoint {
    /// Its number, from 1.
    pub step: u64,
    /// The rate that it was made with.
    pub rate: f64,
    /// Its batch's mean data loss, before the weights moved.
    pub loss: f64,
    /// The average of the losses so far.
    pub smoothed: f64,
}

/// How a test ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RangeEnd {
    /// At the last rate, without breaking.
    Finished,
    /// Training broke at this rate: the smoothed loss exceeded [`DIVERGED_AT`]
    /// times its least value, or a number was no longer finite.
    Diverged {
        /// The rate of that step.
        rate: f64,
    },
}

/// What follows from a curve that fell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Suggestion {
    /// A tenth of the rate at which the smoothed loss is lowest, to two digits
    /// (fastai's `lr_min`): at the lowest point itself the gain of a step is
    /// already nil.
    pub rate: f64,
    /// Where the smoothed loss is lowest, an index into the curve.
    pub minimum: usize,
    /// Where it falls fastest by the logarithm of the rate (fastai's
    /// `lr_steep`): the slope of a line fitted to the points around it.
    pub steepest: Option<usize>,
}

/// A test in progress; each [`advance`](Self::advance) is one step of training.
pub struct RangeTest {
    trainer: Trainer,
    from: f64,
    to: f64,
    steps: usize,
    decay: f64,
    average: f64,
    lowest: f64,
    curve: Vec<RangePoint>,
    end: Option<RangeEnd>,
}

impl RangeTest {
    /// A test of `problem` from the rate `from` to `to` in `steps` steps of the
    /// experiment's own batches, optimiser and penalties.
    ///
    /// # Errors
    /// When `from` is not above 0 and below `to`, when there are fewer than 20 or
    /// more than a million steps, or when the optimiser finds the length of its
    /// steps itself.
    pub fn new(problem: &Problem, from: f64, to: f64, steps: usize) -> Result<Self, SearchError> {
        if !(from.is_finite() && from > 0.0 && to.is_finite() && from < to) {
            return Err(SearchError::Range(format!(
                "rates from {from} to {to}: give two numbers above 0, the smaller first"
            )));
        }
        let method = problem.experiment.training.optimizer.kind();
        if !method.heeds_rate() {
            return Err(SearchError::Range(format!(
                "{} finds the length of its steps itself, there is no rate to look for; the test \
                 is for optimisers such as sgd and adam",
                method.name()
            )));
        }
        if !STEPS.contains(&steps) {
            return Err(SearchError::Range(format!(
                "{steps} steps; give {} to {}",
                STEPS.start(),
                STEPS.end()
            )));
        }
        Ok(RangeTest {
            trainer: Trainer::new(Arc::new(at_constant_rate(problem, from))),
            from,
            to,
            steps,
            decay: (1.0 - 20.0 / steps as f64).clamp(0.0, MOST_DECAY),
            average: 0.0,
            lowest: f64::INFINITY,
            curve: Vec::new(),
            end: None,
        })
    }

    /// Makes one step with the next rate. Returns whether another may follow.
    pub fn advance(&mut self) -> bool {
        if self.end.is_some() {
            return false;
        }
        let i = self.curve.len();
        let rate = self.rate(i);
        self.trainer.set_learning_rate(rate);
        self.end = match self.trainer.step() {
            StepOutcome::Diverged(_) => Some(RangeEnd::Diverged { rate }),
            StepOutcome::Stepped { loss, .. } => self.record(rate, loss),
            StepOutcome::Stopped(_) => Some(RangeEnd::Finished),
        };
        if self.end.is_none() && self.curve.len() == self.steps {
            self.end = Some(RangeEnd::Finished);
        }
        self.end.is_none()
    }

    /// The rate of step `i`, from 0: from, from q, from q^2 and so on up to `to`.
    fn rate(&self, i: usize) -> f64 {
        self.from * (self.to / self.from).powf(i as f64 / (self.steps - 1) as f64)
    }

    fn record(&mut self, rate: f64, loss: f64) -> Option<RangeEnd> {
        let n = self.curve.len() as i32 + 1;
        self.average = self.decay * self.average + (1.0 - self.decay) * loss;
        // Kingma and Ba 2015, arXiv:1412.6980, section 3: the average began at 0.
        let smoothed = self.average / (1.0 - self.decay.powi(n));
        self.curve.push(RangePoint {
            step: n as u64,
            rate,
            loss,
            smoothed,
        });
        // A lucky first batch is no low to compare with.
        if self.curve.len() < self.settled() {
            return None;
        }
        self.lowest = self.lowest.min(smoothed);
        (smoothed > DIVERGED_AT * self.lowest).then_some(RangeEnd::Diverged { rate })
    }

    /// The steps that the average reaches back over.
    fn settled(&self) -> usize {
        (1.0 / (1.0 - self.decay)).round() as usize
    }

    /// The steps so far.
    pub fn curve(&self) -> &[RangePoint] {
        &self.curve
    }

    /// How it ended, once it has.
    pub fn end(&self) -> Option<RangeEnd> {
        self.end
    }

    /// The decay of the average.
    pub fn decay(&self) -> f64 {
        self.decay
    }

    /// How many steps there are to be.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// The first rate, and the last that is to be tried.
    pub fn range(&self) -> (f64, f64) {
        (self.from, self.to)
    }

    /// What the curve so far suggests; `None` when the smoothed loss has not
    /// fallen by a twentieth.
    pub fn suggestion(&self) -> Option<Suggestion> {
        let first = self.settled() - 1;
        let smoothed = |i: usize| self.curve[i].smoothed;
        let minimum =
            (first..self.curve.len()).min_by(|&a, &b| smoothed(a).total_cmp(&smoothed(b)))?;
        if smoothed(minimum) > (1.0 - FALL) * smoothed(first) {
            return None;
        }
        let reach = (self.settled() / 2).max(2);
        let slopes = (first + reach..minimum)
            .filter(|i| i + reach < self.curve.len())
            .map(|i| (i, slope(&self.curve[i - reach..=i + reach])));
        let steepest = slopes.min_by(|a, b| a.1.total_cmp(&b.1));
        let rate = self.curve[minimum].rate / 10.0;
        Some(Suggestion {
            rate: format!("{rate:.1e}").parse().unwrap_or(rate),
            minimum,
            steepest: steepest.map(|(i, _)| i),
        })
    }
}

/// The problem as the test trains it: the rate follows the test and nothing
/// else. A key that would change the rate by itself is reset here.
fn at_constant_rate(problem: &Problem, rate: f64) -> Problem {
    let mut own = problem.clone();
    own.experiment.training.optimizer.learning_rate = rate;
    own.experiment.training.schedule = Default::default();
    own.experiment.training.early_stopping = None;
    own
}

/// The slope of the line that fits the smoothed losses best, against the
/// logarithm of the rate.
fn slope(points: &[RangePoint]) -> f64 {
    let n = points.len() as f64;
    let mean = |of: &dyn Fn(&RangePoint) -> f64| points.iter().map(of).sum::<f64>() / n;
    let (x, y) = (mean(&|p| p.rate.ln()), mean(&|p| p.smoothed));
    let (mut up, mut across) = (0.0, 0.0);
    for p in points {
        let dx = p.rate.ln() - x;
        up += dx * (p.smoothed - y);
        across += dx * dx;
    }
    up / across
}
