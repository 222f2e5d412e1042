//! The `[network]` table.

use crate::data::ConfigError;
use crate::nn::{Activation, Init};
use serde::{Deserialize, Serialize};

/// The most units of one layer, and the most layers: a bound on what a file
/// can make the program allocate.
const MOST_UNITS: usize = 100_000;
const MOST_LAYERS: usize = 200;

/// The hidden layers, and what the output layer follows from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkConfig {
    /// Hidden layers, first to last.
    #[serde(default)]
    pub layers: Vec<LayerConfig>,
    /// The loss; with the data it determines the output layer.
    pub loss: LossConfig,
    /// The output layer's activation, where it is not what follows from the loss.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Activation>,
    /// Initial weights.
    #[serde(default)]
    pub init: Init,
    /// Their scale; see [`Init::default_scale`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub init_scale: Option<f64>,
    /// Initial value of every bias.
    #[serde(default)]
    pub bias: f64,
}

/// One hidden layer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerConfig {
    /// Units of a fully connected layer.
    pub dense: usize,
    /// Its activation.
    #[serde(default = "default_activation")]
    pub activation: Activation,
}

fn default_activation() -> Activation {
    Activation::Tanh
}

/// The loss as an experiment names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LossConfig {
    /// Binary with a sigmoid for two classes, softmax for more.
    CrossEntropy,
    /// Half the sum of squares.
    HalfSquaredError,
    /// The mean of the squares.
    MeanSquaredError,
}

impl LossConfig {
    /// All of them, in the order of a menu.
    pub const ALL: [LossConfig; 3] = [
        LossConfig::CrossEntropy,
        LossConfig::HalfSquaredError,
        LossConfig::MeanSquaredError,
    ];

    /// The name used in experiment files.
    pub fn name(self) -> &'static str {
        match self {
            LossConfig::CrossEntropy => "cross-entropy",
            LossConfig::HalfSquaredError => "half-squared-error",
            LossConfig::MeanSquaredError => "mean-squared-error",
        }
    }
}

impl NetworkConfig {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        if self.layers.len() > MOST_LAYERS {
            return Err(ConfigError::new(
                "network.layers",
                format!(
                    "{} layers; at most {MOST_LAYERS} are allowed",
                    self.layers.len()
                ),
            ));
        }
        for (i, layer) in self.layers.iter().enumerate() {
            let key = |name: &str| format!("network.layers[{i}].{name}");
            if !(1..=MOST_UNITS).contains(&layer.dense) {
                return Err(ConfigError::new(
                    key("dense"),
                    format!("{} units; allowed are 1 to {MOST_UNITS}", layer.dense),
                ));
            }
            if layer.activation == Activation::Softmax {
                return Err(ConfigError::new(
                    key("activation"),
                    "softmax is for the output layer only; use another activation here",
                ));
            }
        }
        if let Some(scale) = self.init_scale
            && !(scale.is_finite() && scale >= 0.0)
        {
            return Err(ConfigError::new(
                "network.init_scale",
                format!("{scale} is not a scale; give a finite number of at least 0"),
            ));
        }
        if !self.bias.is_finite() {
            return Err(ConfigError::new(
                "network.bias",
                format!("{} is not a finite number", self.bias),
            ));
        }
        if self.loss == LossConfig::CrossEntropy
            && !matches!(
                self.output,
                None | Some(Activation::Sigmoid | Activation::Softmax)
            )
        {
            return Err(ConfigError::new(
                "network.output",
                "cross-entropy needs sigmoid or softmax at the output; leave the key out to let \
                 the number of classes decide",
            ));
        }
        Ok(())
    }
}
