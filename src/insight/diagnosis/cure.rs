//! What can be tried: changes of an experiment.

use crate::data::Scale;
use crate::experiment::{
    EarlyStopping, Experiment, LayerConfig, Names, OptimizerConfig, OptimizerName, PlainKind,
    ScheduleConfig, ScheduleName,
};
use crate::nn::{Activation, Init};
use crate::optim::Method;
use crate::train::Problem;
use serde::{Deserialize, Serialize};

/// A change of an experiment that may help.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "cure", rename_all = "kebab-case")]
pub enum Cure {
    /// Another learning rate: the present one times this.
    LearningRate {
        /// Times this.
        factor: f64,
    },
    /// A learning rate that falls along a cosine to 0.
    Cosine,
    /// Adam (Kingma and Ba 2015) with this rate.
    Adam {
        /// The rate.
        rate: f64,
    },
    /// A bound on the norm of the gradient (Pascanu et al. 2013).
    ClipNorm {
        /// The bound.
        norm: f64,
    },
    /// Another activation in all hidden layers of weights, and initial weights to go with it.
    Activation {
        /// The activation.
        activation: Activation,
        /// The initial weights.
        init: Init,
    },
    /// Other initial weights, and biases of 0.
    Init {
        /// The initial weights.
        init: Init,
    },
    /// Batch normalisation between the sums and the activations of all hidden layers (Ioffe
    /// and Szegedy 2015).
    BatchNorm,
    /// A sum around every second of equally wide layers (He et al. 2016).
    Residual,
    /// Inputs of mean 0 and standard deviation 1.
    Scale,
    /// A penalty on weights.
    L2 {
        /// Its factor.
        factor: f64,
    },
    /// Dropout after the last hidden layer (Srivastava et al. 2014).
    Dropout {
        /// The share that is left out.
        rate: f64,
    },
    /// An end as soon as the validation loss does not get better, and the best weights.
    EarlyStopping {
        /// Epochs to wait.
        patience: usize,
    },
    /// Neither penalties nor dropout.
    Unregularised,
    /// So many times as many units in each hidden layer, and at least two hidden layers of
    /// 16.
    Wider {
        /// Times so many.
        factor: usize,
    },
    /// Batches so many times as large.
    LargerBatch {
        /// Times so many.
        factor: usize,
    },
    /// So many times as many epochs.
    Longer {
        /// Times so many.
        factor: usize,
    },
    /// Without one of the inputs.
    WithoutInput {
        /// Its name.
        name: String,
        /// The names of the others.
        others: Vec<String>,
    },
}

impl Cure {
    /// The end of the key of its words.
    pub fn key(&self) -> &'static str {
        match self {
            Cure::LearningRate { factor } if *factor > 1.0 => "learning-rate-up",
            Cure::LearningRate { .. } => "learning-rate-down",
            Cure::Cosine => "cosine",
            Cure::Adam { .. } => "adam",
            Cure::ClipNorm { .. } => "clip-norm",
            Cure::Activation { .. } => "activation",
            Cure::Init { .. } => "init",
            Cure::BatchNorm => "batch-norm",
            Cure::Residual => "residual",
            Cure::Scale => "scale",
            Cure::L2 { .. } => "l2",
            Cure::Dropout { .. } => "dropout",
            Cure::EarlyStopping { .. } => "early-stopping",
            Cure::Unregularised => "unregularised",
            Cure::Wider { .. } => "wider",
            Cure::LargerBatch { .. } => "larger-batch",
            Cure::Longer { .. } => "longer",
            Cure::WithoutInput { .. } => "without-input",
        }
    }

    /// What stands in its words' braces, by name.
    pub fn values(&self) -> Vec<(&'static str, String)> {
        match self {
            Cure::LearningRate { factor } if *factor > 1.0 => {
                vec![("factor", short(*factor))]
            }
            Cure::LearningRate { factor } => vec![("factor", short(1.0 / factor))],
            Cure::Adam { rate } => vec![("rate", short(*rate))],
            Cure::ClipNorm { norm } => vec![("norm", short(*norm))],
            Cure::Activation { activation, init } => vec![
                ("activation", activation.name().to_owned()),
                ("init", init.name().to_owned()),
            ],
            Cure::Init { init } => vec![("init", init.name().to_owned())],
            Cure::L2 { factor } => vec![("factor", short(*factor))],
            Cure::Dropout { rate } => vec![("rate", short(*rate))],
            Cure::EarlyStopping { patience } => vec![("patience", patience.to_string())],
            Cure::Wider { factor } | Cure::LargerBatch { factor } | Cure::Longer { factor } => {
                vec![("factor", factor.to_string())]
            }
            Cure::WithoutInput { name, .. } => vec![("name", name.clone())],
            Cure::Cosine | Cure::BatchNorm | Cure::Residual | Cure::Scale | Cure::Unregularised => {
                Vec::new()
            }
        }
    }

    /// The experiment with this change. The file that it was read from stays as it is.
    pub fn apply(&self, experiment: &Experiment) -> Experiment {
        let mut changed = experiment.clone();
        let (data, network) = (&mut changed.data, &mut changed.network);
        let training = &mut changed.training;
        match self {
            Cure::LearningRate { factor } => {
                let rate = &mut training.optimizer.learning_rate;
                // Three digits, so that a file does not show the rounding.
                *rate = short(*rate * factor).parse().unwrap_or(*rate * factor);
                if let Some(minimum) = training.schedule.minimum {
                    training.schedule.minimum = Some(minimum.min(*rate));
                }
            }
            Cure::Cosine => training.schedule = ScheduleConfig::new(ScheduleName::Cosine),
            Cure::Adam { rate } => {
                training.optimizer = OptimizerConfig::new(OptimizerName::Adam, *rate);
            }
            Cure::ClipNorm { norm } => training.clip_norm = Some(*norm),
            Cure::Activation { activation, init } => {
                for layer in hidden(&mut network.layers) {
                    layer.activation = Some(*activation);
                }
                (network.init, network.init_scale) = (*init, None);
                (network.bias, network.weights) = (0.0, None);
            }
            Cure::Init { init } => {
                (network.init, network.init_scale) = (*init, None);
                (network.bias, network.weights) = (0.0, None);
            }
            Cure::BatchNorm => {
                network.layers = normalised(&network.layers);
                network.weights = None;
            }
            Cure::Residual => {
                network.layers = residual(&network.layers);
                network.weights = None;
            }
            Cure::Scale => data.scale = Scale::Standard,
            Cure::L2 { factor } => training.l2 = *factor,
            Cure::Dropout { rate } => network.layers.push(LayerConfig {
                dropout: Some(*rate),
                ..LayerConfig::default()
            }),
            Cure::EarlyStopping { patience } => {
                training.early_stopping = Some(EarlyStopping {
                    patience: *patience,
                    min_delta: 0.0,
                });
            }
            Cure::Unregularised => {
                (training.l1, training.l2) = (0.0, 0.0);
                training.optimizer.weight_decay = None;
                network.layers.retain(|layer| layer.dropout.is_none());
            }
            Cure::Wider { factor } => {
                widen(&mut network.layers, *factor);
                network.weights = None;
            }
            Cure::LargerBatch { factor } => {
                if let crate::experiment::Batch::Size(size) = &mut training.batch {
                    *size = size.saturating_mul(*factor);
                }
            }
            Cure::Longer { factor } => {
                training.epochs = training.epochs.saturating_mul(*factor);
            }
            Cure::WithoutInput { others, .. } => {
                data.features = Some(others.clone());
                (network.input, network.weights) = (None, None);
            }
        }
        changed
    }

    /// Whether it changes the experiment of `problem` into another that makes sense.
    pub fn fits(&self, problem: &Problem) -> bool {
        let before = &problem.experiment;
        let after = self.apply(before);
        let possible = match self {
            Cure::LearningRate { .. } | Cure::Cosine => {
                before.training.optimizer.kind().heeds_rate()
            }
            Cure::ClipNorm { .. } => {
                matches!(before.training.optimizer.kind(), Method::FirstOrder(_))
            }
            Cure::EarlyStopping { .. } => !problem.validation.is_empty(),
            // Layers that are called by name would read the wrong ones.
            Cure::BatchNorm | Cure::Residual => {
                let layers = &before.network.layers;
                layers
                    .iter()
                    .all(|l| l.name.is_none() && l.from.is_none() && l.add.is_none())
            }
            Cure::Dropout { .. } => !before.network.layers.is_empty(),
            _ => true,
        };
        possible && after != *before && after.validate().is_ok()
    }
}

/// A number in three digits.
fn short(value: f64) -> String {
    let rounded: f64 = format!("{value:.2e}").parse().unwrap_or(value);
    rounded.to_string()
}

fn has_weights(layer: &LayerConfig) -> bool {
    layer.dense.or(layer.conv).is_some()
}

/// The layers in which an activation is applied to sums, or to what normalises them.
fn hidden(layers: &mut [LayerConfig]) -> impl Iterator<Item = &mut LayerConfig> {
    layers.iter_mut().filter(|layer| {
        let bends = layer.activation() != Activation::Linear;
        bends && (has_weights(layer) || layer.kind.is_some())
    })
}

fn normalised(layers: &[LayerConfig]) -> Vec<LayerConfig> {
    let mut all = Vec::new();
    for (index, layer) in layers.iter().enumerate() {
        let next = layers.get(index + 1).and_then(|next| next.kind);
        let has = matches!(next, Some(PlainKind::BatchNorm | PlainKind::LayerNorm));
        if !has_weights(layer) || has {
            all.push(layer.clone());
            continue;
        }
        all.push(LayerConfig {
            activation: Some(Activation::Linear),
            ..layer.clone()
        });
        all.push(LayerConfig {
            activation: Some(layer.activation()),
            ..LayerConfig::plain(PlainKind::BatchNorm)
        });
    }
    all
}

fn residual(layers: &[LayerConfig]) -> Vec<LayerConfig> {
    let mut all: Vec<LayerConfig> = Vec::new();
    let mut index = 0;
    while index < layers.len() {
        let (layer, next) = (&layers[index], layers.get(index + 1));
        match next.filter(|next| layer.dense.is_some() && next.dense == layer.dense) {
            Some(next) => {
                let name = format!("skip{index}");
                all.push(LayerConfig {
                    name: Some(name.clone()),
                    ..layer.clone()
                });
                all.push(next.clone());
                all.push(LayerConfig {
                    add: Some(Names::One(name)),
                    ..LayerConfig::default()
                });
                index += 2;
            }
            None => {
                all.push(layer.clone());
                index += 1;
            }
        }
    }
    all
}

fn widen(layers: &mut Vec<LayerConfig>, factor: usize) {
    for layer in layers.iter_mut() {
        for units in [&mut layer.dense, &mut layer.conv].into_iter().flatten() {
            *units = units.saturating_mul(factor).max(16);
        }
    }
    let weighted = layers.iter().filter(|layer| has_weights(layer)).count();
    for _ in weighted..2 {
        layers.push(LayerConfig::dense(16, Activation::Tanh));
    }
}
