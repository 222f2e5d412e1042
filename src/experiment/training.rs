//! The `[training]` table.

use super::constants::Range;
use super::network::LossConfig;
use super::optimizer::OptimizerConfig;
use super::schedule::{EarlyStopping, ScheduleConfig};
use crate::data::ConfigError;
use crate::optim::{Clip, Method, Regulariser, SolverKind};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// How the network learns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainingConfig {
    /// The optimiser with its constants.
    pub optimizer: OptimizerConfig,
    /// How the learning rate changes.
    #[serde(skip_serializing_if = "is_default")]
    pub schedule: ScheduleConfig,
    /// Samples per step.
    pub batch: Batch,
    /// Passes over the training part.
    pub epochs: usize,
    /// The factor of the L1 penalty on weights.
    pub l1: f64,
    /// The factor of the L2 penalty on weights.
    pub l2: f64,
    /// The most that the norm of a gradient may be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_norm: Option<f64>,
    /// The most that a component of a gradient may be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_value: Option<f64>,
    /// The share of a class's target that is spread over all classes.
    #[serde(skip_serializing_if = "is_default")]
    pub label_smoothing: f64,
    /// Which parameters stay as they are.
    #[serde(skip_serializing_if = "is_default")]
    pub freeze: Freeze,
    /// When to stop before the last epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_stopping: Option<EarlyStopping>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Default for TrainingConfig {
    fn default() -> Self {
        TrainingConfig {
            optimizer: OptimizerConfig::default(),
            schedule: ScheduleConfig::default(),
            batch: Batch::Size(32),
            epochs: 100,
            l1: 0.0,
            l2: 0.0,
            clip_norm: None,
            clip_value: None,
            label_smoothing: 0.0,
            freeze: Freeze::default(),
            early_stopping: None,
        }
    }
}

/// What training leaves alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Freeze {
    /// Nothing.
    #[default]
    None,
    /// Every bias.
    Biases,
}

impl TrainingConfig {
    /// The penalties on weights.
    pub fn regulariser(&self) -> Regulariser {
        Regulariser {
            l1: self.l1,
            l2: self.l2,
        }
    }

    /// The bounds on gradients.
    pub fn clip(&self) -> Clip {
        Clip {
            norm: self.clip_norm,
            value: self.clip_value,
        }
    }

    pub(super) fn validate(&self, loss: LossConfig) -> Result<(), ConfigError> {
        self.optimizer.validate()?;
        self.schedule.validate(self.optimizer.learning_rate)?;
        if self.batch == Batch::Size(0) {
            return Err(ConfigError::new(
                "training.batch",
                "0 samples per step; give at least 1, or \"full\" for all at once",
            ));
        }
        for (key, value) in [("training.l1", self.l1), ("training.l2", self.l2)] {
            if !(value.is_finite() && value >= 0.0) {
                return Err(ConfigError::new(
                    key,
                    format!("{value} is not a penalty; give a finite number of at least 0"),
                ));
            }
        }
        for (key, value) in [
            ("training.clip_norm", self.clip_norm),
            ("training.clip_value", self.clip_value),
        ] {
            if let Some(value) = value {
                Range::AboveZero.check(key, value)?;
            }
        }
        Range::BelowOne.check("training.label_smoothing", self.label_smoothing)?;
        if self.label_smoothing > 0.0 && loss != LossConfig::CrossEntropy {
            return Err(ConfigError::new(
                "training.label_smoothing",
                format!(
                    "{} has no classes' probabilities to smooth; use it with cross-entropy",
                    loss.name()
                ),
            ));
        }
        if let Some(stopping) = self.early_stopping {
            stopping.validate()?;
        }
        self.check_method(loss)
    }

    /// Whether everything else goes together with the optimiser.
    fn check_method(&self, loss: LossConfig) -> Result<(), ConfigError> {
        let method = self.optimizer.kind();
        let name = method.name();
        if !method.heeds_rate() && !self.schedule.is_constant() {
            return Err(ConfigError::new(
                "training.schedule",
                format!("{name} adapts the length of its steps itself; leave the schedule out"),
            ));
        }
        let Method::FullBatch(kind) = method else {
            return Ok(());
        };
        if self.freeze != Freeze::None {
            return Err(ConfigError::new(
                "training.freeze",
                format!("{name} moves all parameters at once; leave the key out"),
            ));
        }
        if self.batch != Batch::Full {
            return Err(ConfigError::new(
                "training.batch",
                format!("{name} compares losses over all samples; set batch = \"full\""),
            ));
        }
        if self.clip_norm.is_some() || self.clip_value.is_some() {
            let key = if self.clip_norm.is_some() {
                "training.clip_norm"
            } else {
                "training.clip_value"
            };
            return Err(ConfigError::new(
                key,
                format!("{name} needs the loss's true gradient; leave the key out"),
            ));
        }
        if !matches!(kind, SolverKind::LevenbergMarquardt { .. }) {
            return Ok(());
        }
        let squares = matches!(
            loss,
            LossConfig::HalfSquaredError | LossConfig::MeanSquaredError
        );
        if !squares {
            return Err(ConfigError::new(
                "network.loss",
                format!(
                    "levenberg-marquardt solves for sums of squares, and {} is none; use \
                     half-squared-error or mean-squared-error, or another optimizer, such as lbfgs",
                    loss.name()
                ),
            ));
        }
        if self.l1 > 0.0 {
            return Err(ConfigError::new(
                "training.l1",
                "levenberg-marquardt solves for sums of squares, and this penalty is none; use l2",
            ));
        }
        Ok(())
    }
}

/// How many samples a step of training sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Batch {
    /// So many (1 is learning one by one); the last batch of an epoch has what is left.
    Size(usize),
    /// The whole training part, written `"full"`.
    Full,
}

impl Batch {
    /// The batch size for a training part of `samples`.
    pub fn size(self, samples: usize) -> usize {
        match self {
            Batch::Size(size) => size.min(samples),
            Batch::Full => samples,
        }
    }
}

impl Serialize for Batch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Batch::Size(size) => serializer.serialize_u64(*size as u64),
            Batch::Full => serializer.serialize_str("full"),
        }
    }
}

impl<'de> Deserialize<'de> for Batch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Batch;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a number of samples or \"full\"")
            }

            fn visit_i64<E: de::Error>(self, v: i64) -> Result<Batch, E> {
                usize::try_from(v)
                    .map(Batch::Size)
                    .map_err(|_| E::invalid_value(de::Unexpected::Signed(v), &self))
            }

            fn visit_u64<E: de::Error>(self, v: u64) -> Result<Batch, E> {
                usize::try_from(v)
                    .map(Batch::Size)
                    .map_err(|_| E::invalid_value(de::Unexpected::Unsigned(v), &self))
            }

            fn visit_str<E: de::Error>(self, v: &str) -> Result<Batch, E> {
                if v == "full" {
                    Ok(Batch::Full)
                } else {
                    Err(E::invalid_value(de::Unexpected::Str(v), &self))
                }
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}
