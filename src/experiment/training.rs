//! The `[training]` table.

use crate::data::ConfigError;
use crate::optim::{OptimizerKind, Regulariser};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// How the network learns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainingConfig {
    /// The optimiser with its constants.
    pub optimizer: OptimizerConfig,
    /// Samples per step.
    pub batch: Batch,
    /// Passes over the training part.
    pub epochs: usize,
    /// The factor of the L1 penalty on weights.
    pub l1: f64,
    /// The factor of the L2 penalty on weights.
    pub l2: f64,
}

impl Default for TrainingConfig {
    fn default() -> Self {
        TrainingConfig {
            optimizer: OptimizerConfig::default(),
            batch: Batch::Size(32),
            epochs: 100,
            l1: 0.0,
            l2: 0.0,
        }
    }
}

impl TrainingConfig {
    /// The penalties on weights.
    pub fn regulariser(&self) -> Regulariser {
        Regulariser {
            l1: self.l1,
            l2: self.l2,
        }
    }

    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        self.optimizer.validate()?;
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

/// An optimiser by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)] // the variants are the names
pub enum OptimizerName {
    Sgd,
    Momentum,
    Nesterov,
    AdaGrad,
    RmsProp,
    Adam,
    AdamW,
}

/// `optimizer = { name = "adam", learning_rate = 0.03 }`: only constants that
/// the named optimiser has are allowed; the others keep their defaults.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptimizerConfig {
    /// Which one.
    pub name: OptimizerName,
    /// The step size.
    pub learning_rate: f64,
    /// Momentum, Nesterov.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub momentum: Option<f64>,
    /// RMSProp.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rho: Option<f64>,
    /// Adam, AdamW.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beta1: Option<f64>,
    /// Adam, AdamW.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beta2: Option<f64>,
    /// AdaGrad, RMSProp, Adam, AdamW.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epsilon: Option<f64>,
    /// AdamW.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_decay: Option<f64>,
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        OptimizerConfig::new(OptimizerName::Adam, 0.01)
    }
}

impl OptimizerConfig {
    /// The named optimiser with its default constants.
    pub fn new(name: OptimizerName, learning_rate: f64) -> Self {
        OptimizerConfig {
            name,
            learning_rate,
            momentum: None,
            rho: None,
            beta1: None,
            beta2: None,
            epsilon: None,
            weight_decay: None,
        }
    }

    /// The optimiser that is meant.
    pub fn kind(&self) -> OptimizerKind {
        let momentum = self.momentum.unwrap_or(0.9);
        let beta1 = self.beta1.unwrap_or(0.9);
        let beta2 = self.beta2.unwrap_or(0.999);
        match self.name {
            OptimizerName::Sgd => OptimizerKind::Sgd,
            OptimizerName::Momentum => OptimizerKind::Momentum { momentum },
            OptimizerName::Nesterov => OptimizerKind::Nesterov { momentum },
            OptimizerName::AdaGrad => OptimizerKind::AdaGrad {
                epsilon: self.epsilon.unwrap_or(1e-10),
            },
            OptimizerName::RmsProp => OptimizerKind::RmsProp {
                rho: self.rho.unwrap_or(0.99),
                epsilon: self.epsilon.unwrap_or(1e-8),
            },
            OptimizerName::Adam => OptimizerKind::Adam {
                beta1,
                beta2,
                epsilon: self.epsilon.unwrap_or(1e-8),
            },
            OptimizerName::AdamW => OptimizerKind::AdamW {
                beta1,
                beta2,
                epsilon: self.epsilon.unwrap_or(1e-8),
                weight_decay: self.weight_decay.unwrap_or(0.01),
            },
        }
    }

    fn validate(&self) -> Result<(), ConfigError> {
        use OptimizerName as N;
        let key = |name: &str| format!("training.optimizer.{name}");
        if !(self.learning_rate.is_finite() && self.learning_rate > 0.0) {
            return Err(ConfigError::new(
                key("learning_rate"),
                format!(
                    "{} is not a step size; give a number above 0",
                    self.learning_rate
                ),
            ));
        }
        let constants: [(&str, Option<f64>, &[N], bool); 6] = [
            ("momentum", self.momentum, &[N::Momentum, N::Nesterov], true),
            ("rho", self.rho, &[N::RmsProp], true),
            ("beta1", self.beta1, &[N::Adam, N::AdamW], true),
            ("beta2", self.beta2, &[N::Adam, N::AdamW], true),
            (
                "epsilon",
                self.epsilon,
                &[N::AdaGrad, N::RmsProp, N::Adam, N::AdamW],
                false,
            ),
            ("weight_decay", self.weight_decay, &[N::AdamW], false),
        ];
        for (name, value, owners, below_one) in constants {
            let Some(value) = value else { continue };
            if !owners.contains(&self.name) {
                let owners: Vec<_> = owners
                    .iter()
                    .map(|&o| Self::new(o, 1.0).kind().name())
                    .collect();
                return Err(ConfigError::new(
                    key(name),
                    format!(
                        "{} has no such constant; {name} belongs to {}",
                        self.kind().name(),
                        owners.join(", ")
                    ),
                ));
            }
            let allowed = value.is_finite() && value >= 0.0 && (!below_one || value < 1.0);
            if !allowed {
                let range = if below_one {
                    "from 0 up to, not including, 1"
                } else {
                    "of at least 0"
                };
                return Err(ConfigError::new(
                    key(name),
                    format!("{value}; give a number {range}"),
                ));
            }
        }
        Ok(())
    }
}
