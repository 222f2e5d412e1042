//! What a surface shows over each point: which quantity, over which samples,
//! with or without the penalties on weights.

use crate::nn::Network;
use crate::optim::Regulariser;
use crate::train::{Encoding, Evaluator, Problem, Samples, full_gradient};
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// Which number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quantity {
    /// The mean loss.
    #[default]
    Loss,
    /// The share of right answers, from 0 to 1; of classifications alone.
    Accuracy,
}

/// Over which samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Over {
    /// The training part.
    #[default]
    Train,
    /// What is held back.
    Validation,
    /// The batch of the last step: the surface that the optimiser sees.
    Batch,
}

/// What is computed at each point of a surface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Measure {
    /// Which number.
    pub quantity: Quantity,
    /// Over which samples.
    pub over: Over,
    /// Whether the penalties on weights (L1, L2) are part of the loss.
    pub penalties: bool,
}

/// Why something cannot be measured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MeasureError {
    /// Not a quantity, or not a part of the data.
    #[error("{given:?} is none of {allowed}")]
    Syntax {
        /// What was given.
        given: String,
        /// What there is.
        allowed: &'static str,
    },
    /// Real values are neither right nor wrong.
    #[error("there is no accuracy of real values; show the loss")]
    NoClasses,
    /// Nothing was held back.
    #[error(
        "no samples are held back for validation; set data.validation, or show the training loss"
    )]
    NoValidation,
    /// No step was made.
    #[error("there is no batch before the first step; make a step, or show all training samples")]
    NoBatch,
}

impl FromStr for Quantity {
    type Err = MeasureError;

    fn from_str(text: &str) -> Result<Self, MeasureError> {
        match text {
            "loss" => Ok(Quantity::Loss),
            "accuracy" => Ok(Quantity::Accuracy),
            _ => Err(MeasureError::Syntax {
                given: text.to_owned(),
                allowed: "loss, accuracy",
            }),
        }
    }
}

impl FromStr for Over {
    type Err = MeasureError;

    fn from_str(text: &str) -> Result<Self, MeasureError> {
        match text {
            "train" => Ok(Over::Train),
            "validation" => Ok(Over::Validation),
            "batch" => Ok(Over::Batch),
            _ => Err(MeasureError::Syntax {
                given: text.to_owned(),
                allowed: "train, validation, batch",
            }),
        }
    }
}

/// A [`Measure`] of one network together with the samples that it is taken
/// over: a function of the parameters.
#[derive(Debug, Clone, Copy)]
pub struct Gauge<'a> {
    network: &'a Network,
    samples: &'a Samples,
    encoding: Encoding,
    quantity: Quantity,
    penalty: Regulariser,
    // Whether it is what a run records along its path.
    recorded: bool,
}

impl<'a> Gauge<'a> {
    /// The mean data loss of `network` over `samples`.
    pub fn loss(network: &'a Network, samples: &'a Samples) -> Self {
        Gauge {
            network,
            samples,
            encoding: Encoding::Values,
            quantity: Quantity::Loss,
            penalty: Regulariser::default(),
            recorded: false,
        }
    }

    /// The mean data loss over the training part, which is what a run records.
    pub fn training_loss(problem: &'a Problem) -> Self {
        Gauge {
            recorded: true,
            ..Gauge::loss(&problem.network, &problem.train)
        }
    }

    /// What `measure` says of `problem`; `batch` has the samples of the last
    /// step, if there was one.
    ///
    /// # Errors
    /// When there are no such samples, or no classes to be right about.
    pub fn new(
        problem: &'a Problem,
        measure: Measure,
        batch: Option<&'a Samples>,
    ) -> Result<Self, MeasureError> {
        let samples = match measure.over {
            Over::Train => &problem.train,
            Over::Validation if problem.validation.is_empty() => {
                return Err(MeasureError::NoValidation);
            }
            Over::Validation => &problem.validation,
            Over::Batch => batch
                .filter(|samples| !samples.is_empty())
                .ok_or(MeasureError::NoBatch)?,
        };
        if measure.quantity == Quantity::Accuracy && problem.encoding == Encoding::Values {
            return Err(MeasureError::NoClasses);
        }
        let penalty = if measure.penalties && measure.quantity == Quantity::Loss {
            problem.experiment.training.regulariser()
        } else {
            Regulariser::default()
        };
        Ok(Gauge {
            network: &problem.network,
            samples,
            encoding: problem.encoding,
            quantity: measure.quantity,
            penalty,
            recorded: measure == Measure::default(),
        })
    }

    /// The network.
    pub fn network(&self) -> &'a Network {
        self.network
    }

    /// The samples.
    pub fn samples(&self) -> &'a Samples {
        self.samples
    }

    /// The penalty on weights that is part of it; nothing where it has none.
    pub fn penalty(&self) -> Regulariser {
        self.penalty
    }

    /// Which number it gives.
    pub fn quantity(&self) -> Quantity {
        self.quantity
    }

    /// The same over other samples, and then not what a run records.
    pub fn over(self, samples: &'a Samples) -> Self {
        Gauge {
            samples,
            recorded: false,
            ..self
        }
    }

    /// The loss over the same samples.
    pub fn as_loss(self) -> Self {
        Gauge {
            quantity: Quantity::Loss,
            recorded: self.recorded && self.quantity == Quantity::Loss,
            ..self
        }
    }

    /// How the targets of its samples are written.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Whether it is what a run records along its path ([`PathPoint::loss`]).
    ///
    /// [`PathPoint::loss`]: crate::train::PathPoint::loss
    pub fn is_recorded(&self) -> bool {
        self.recorded
    }

    /// Its value at `params` and the gradient with respect to them, by
    /// back-propagation; `None` for the accuracy, which is a staircase.
    pub fn loss_and_gradient_at(&self, params: &[f32]) -> Option<(f64, Vec<f32>)> {
        if self.quantity == Quantity::Accuracy {
            return None;
        }
        let (x, y) = (self.samples.x.view(), self.samples.y.view());
        let (loss, mut gradient) = full_gradient(self.network, params, x, y);
        let layout = self.network.layout();
        self.penalty.add_gradient(layout, params, &mut gradient);
        Some((loss + self.penalty.penalty(layout, params), gradient))
    }

    /// Its value at `params`.
    pub fn at(&self, params: &[f32], evaluator: &mut Evaluator) -> f64 {
        let (network, samples) = (self.network, self.samples);
        match self.quantity {
            Quantity::Loss => {
                evaluator.loss(network, params, samples)
                    + self.penalty.penalty(network.layout(), params)
            }
            Quantity::Accuracy => evaluator
                .score(network, params, samples, self.encoding)
                .and_then(|score| score.accuracy)
                .unwrap_or(f64::NAN),
        }
    }
}
