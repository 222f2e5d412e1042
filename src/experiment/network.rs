//! The `[network]` table.

use super::layer::{LayerConfig, specs};
use crate::data::ConfigError;
use crate::nn::{Activation, Init, LayerSpec};
use serde::{Deserialize, Serialize};

/// The most layers: a bound on what a file can make the program allocate.
const MOST_LAYERS: usize = 200;

/// The hidden layers, and what the output layer follows from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkConfig {
    /// How a sample's values lie, `[channels, rows, columns]`, where the data do
    /// not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<[usize; 3]>,
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
    /// All initial parameters one by one, in the order of the layers, in each its
    /// weights unit by unit and then its biases; `init` and `bias` mean nothing then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<Vec<f32>>,
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
    /// The hidden layers as the network takes them.
    pub fn hidden(&self) -> Result<Vec<LayerSpec>, ConfigError> {
        specs(&self.layers)
    }

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
        self.hidden()?;
        if let Some(input) = self.input
            && input.contains(&0)
        {
            return Err(ConfigError::new(
                "network.input",
                "channels, rows and columns need at least 1 each",
            ));
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
