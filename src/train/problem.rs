//! A network together with the data it learns, ready for arithmetic.

use super::mover::check_training;
use crate::data::{ConfigError, ImageShape, Part, Prepared, Target, Task, prepare};
use crate::experiment::{Experiment, ExperimentError, LossConfig};
use crate::nn::{Activation, LayerKind, LayerSpec, Loss, Network, Real, Shape};
use crate::rng::{Stream, stream};
use ndarray::{Array2, ArrayView1, Axis};

/// How targets become numbers at the output layer, and outputs answers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Encoding {
    /// One output; class 0 is `low`, class 1 is `high`.
    Binary {
        /// The target value of class 0.
        low: f32,
        /// The target value of class 1.
        high: f32,
    },
    /// One output per class, 1 for the class and 0 for the others.
    OneHot,
    /// Real values, as they are.
    Values,
}

impl Encoding {
    /// The class that an output row stands for; `None` for real values.
    pub fn class<R: Real>(self, output: ArrayView1<'_, R>) -> Option<usize> {
        match self {
            Encoding::Values => None,
            Encoding::Binary { low, high } => Some(usize::from(
                output[0] > R::of(f64::from(0.5 * (low + high))),
            )),
            Encoding::OneHot => {
                let mut best = 0;
                for (k, &v) in output.iter().enumerate() {
                    if v > output[best] {
                        best = k;
                    }
                }
                Some(best)
            }
        }
    }

    fn encode(self, target: &Target) -> Array2<f32> {
        match target {
            Target::Values { values, .. } => values.clone(),
            Target::Classes { labels, names } => match self {
                Encoding::Binary { low, high } => {
                    Array2::from_shape_fn((labels.len(), 1), |(i, _)| {
                        if labels[i] == 0 { low } else { high }
                    })
                }
                Encoding::OneHot | Encoding::Values => {
                    Array2::from_shape_fn((labels.len(), names.len()), |(i, k)| {
                        f32::from(u8::from(labels[i] == k))
                    })
                }
            },
        }
    }
}

/// Inputs and encoded targets of one part of the data.
#[derive(Debug, Clone, PartialEq)]
pub struct Samples {
    /// `[n, inputs]`, scaled.
    pub x: Array2<f32>,
    /// `[n, outputs]`, encoded.
    pub y: Array2<f32>,
}

impl Samples {
    /// The number of samples.
    pub fn len(&self) -> usize {
        self.x.nrows()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The chosen rows, in the order given; rows that are not there are left out.
    pub fn select_rows(&self, rows: &[u32]) -> Samples {
        let rows = rows.iter().map(|&r| r as usize);
        let rows: Vec<usize> = rows.filter(|&r| r < self.len()).collect();
        self.select(&rows)
    }

    /// The chosen rows, in the order given.
    pub fn select(&self, rows: &[usize]) -> Samples {
        Samples {
            x: self.x.select(Axis(0), rows),
            y: self.y.select(Axis(0), rows),
        }
    }
}

/// A network and the data that it learns: everything about a run that stays
/// the same while it runs.
#[derive(Debug, Clone)]
pub struct Problem {
    /// The experiment that it was made from.
    pub experiment: Experiment,
    /// The network.
    pub network: Network,
    /// What the weights are fitted to.
    pub train: Samples,
    /// What is held back.
    pub validation: Samples,
    /// How targets are written.
    pub encoding: Encoding,
    /// The data with its names, scaling and raw points. The inputs of its parts
    /// are not here any more: they became those of `train` and `validation`.
    pub data: Prepared,
}

impl Problem {
    /// Steps in one epoch.
    pub fn steps_per_epoch(&self) -> usize {
        let samples = self.train.len();
        let batch = self.experiment.training.batch.size(samples);
        samples.div_ceil(batch.max(1))
    }

    /// Loads the data of `experiment` and builds the network that fits it.
    pub fn new(experiment: &Experiment) -> Result<Self, ExperimentError> {
        let data = prepare(&experiment.data, experiment.seed, &experiment.base)?;
        Self::with_data(experiment, data)
    }

    /// The same, with data that is already there.
    pub fn with_data(experiment: &Experiment, mut data: Prepared) -> Result<Self, ExperimentError> {
        let (network, encoding) = Self::network_for(experiment, &data)?;
        check_weights(experiment, &network).map_err(|e| experiment.fault(e))?;
        let channels_first = data
            .image
            .filter(|image| image.channels > 1 && network.sees_images());
        // The inputs move: a second copy of a large set would be most of what the
        // program needs.
        let samples = |part: &mut Part| {
            let x = std::mem::take(&mut part.x);
            Samples {
                x: match channels_first {
                    Some(image) => x.select(Axis(1), &channels_first_order(image)),
                    None if x.is_standard_layout() => x,
                    None => x.as_standard_layout().into_owned(),
                },
                y: encoding.encode(&part.target),
            }
        };
        let train = samples(&mut data.train);
        let validation = samples(&mut data.validation);
        let problem = Problem {
            experiment: experiment.clone(),
            network,
            train,
            validation,
            encoding,
            data,
        };
        check_training(&problem).map_err(|e| experiment.fault(e))?;
        Ok(problem)
    }

    /// The network of `experiment` for `data`, and how its targets are written;
    /// or why that network does not fit.
    pub fn network_for(
        experiment: &Experiment,
        data: &Prepared,
    ) -> Result<(Network, Encoding), ExperimentError> {
        let (encoding, outputs, activation, loss) =
            output_layer(experiment, &data.task).map_err(|e| experiment.fault(e))?;
        let mut layers = experiment
            .network
            .hidden()
            .map_err(|e| experiment.fault(e))?;
        layers.push(LayerSpec::new(
            LayerKind::Dense { units: outputs },
            activation,
        ));
        let input = input_shape(experiment, data).map_err(|e| experiment.fault(e))?;
        let network =
            Network::new(input, &layers, loss).map_err(|e| experiment.network_fault(e))?;
        Ok((network, encoding))
    }

    /// Which feature of the data the input `unit` of the network is: another than
    /// the one with its number where the network wants the channels of an image
    /// one after the other and the data have them pixel by pixel.
    pub fn feature_of(&self, unit: usize) -> usize {
        match self.data.image {
            Some(image) if self.is_channels_first() => {
                let pixels = image.height * image.width;
                unit % pixels * image.channels + unit / pixels
            }
            _ => unit,
        }
    }

    /// Whether the samples of this problem have the channels of an image one
    /// after the other; they have them pixel by pixel where that is how the data
    /// are and no layer looks at images.
    pub fn is_channels_first(&self) -> bool {
        self.network.sees_images() || self.data.image.is_none_or(|image| image.channels <= 1)
    }

    /// The initial parameters that follow from the experiment's seed.
    pub fn initial_params(&self) -> Vec<f32> {
        self.initial_params_for(self.experiment.seed)
    }

    /// The initial parameters that another seed would have given.
    pub fn initial_params_for(&self, seed: u64) -> Vec<f32> {
        let config = &self.experiment.network;
        if let Some(weights) = &config.weights {
            let mut params = self.network.initialise(
                config.init,
                0.0,
                config.bias,
                &mut stream(seed, Stream::Init),
            );
            params[..weights.len()].copy_from_slice(weights);
            return params;
        }
        let scale = config.init_scale.unwrap_or(config.init.default_scale());
        let mut rng = stream(seed, Stream::Init);
        self.network
            .initialise(config.init, scale, config.bias, &mut rng)
    }
}

/// Refuses initial parameters that are too few, too many, or no numbers.
fn check_weights(experiment: &Experiment, network: &Network) -> Result<(), ConfigError> {
    let Some(weights) = &experiment.network.weights else {
        return Ok(());
    };
    let trainable = network.layout().trainable();
    let error = |message: String| Err(ConfigError::new("network.weights", message));
    if weights.len() != trainable && weights.len() != network.layout().len() {
        return error(format!(
            "{} numbers; this network has {trainable} parameters: layer by layer its weights, \
             unit by unit, and then its biases",
            weights.len()
        ));
    }
    match weights.iter().find(|w| !w.is_finite()) {
        Some(w) => error(format!("{w} is not a finite number")),
        None => Ok(()),
    }
}

/// How a sample lies for the network: as the experiment says, else as an image
/// where the data are images.
fn input_shape(experiment: &Experiment, data: &Prepared) -> Result<Shape, ConfigError> {
    let values = data.feature_names.len();
    let shape = match (experiment.network.input, data.image) {
        (Some([channels, height, width]), _) => Shape::image(channels, height, width),
        (None, Some(image)) => Shape::image(image.channels, image.height, image.width),
        (None, None) => Shape::flat(values),
    };
    if shape.size() == values {
        Ok(shape)
    } else {
        let message = format!(
            "{shape} (channels, rows, columns) are {} values, and a sample of this data has {values}",
            shape.size()
        );
        Err(ConfigError::new("network.input", message))
    }
}

/// For each value, channels outermost, its place with channels innermost.
fn channels_first_order(image: ImageShape) -> Vec<usize> {
    let pixels = image.height * image.width;
    (0..image.channels)
        .flat_map(|c| (0..pixels).map(move |p| p * image.channels + c))
        .collect()
}

/// What the output layer has to be for this loss and these answers.
fn output_layer(
    experiment: &Experiment,
    task: &Task,
) -> Result<(Encoding, usize, Activation, Loss), ConfigError> {
    let config = &experiment.network;
    let classes = match task {
        Task::Classification { names } => Some(names.len()),
        Task::Regression { .. } => None,
    };
    if let Some(0 | 1) = classes {
        return Err(ConfigError::new(
            "data.source",
            "the data has fewer than two classes; there is nothing to tell apart",
        ));
    }
    match (config.loss, classes) {
        (LossConfig::CrossEntropy, None) => Err(ConfigError::new(
            "network.loss",
            "cross-entropy compares classes, and this data has real values; use \
             half-squared-error or mean-squared-error",
        )),
        (LossConfig::CrossEntropy, Some(k)) => match config.output {
            Some(Activation::Sigmoid) if k > 2 => Err(ConfigError::new(
                "network.output",
                format!(
                    "one sigmoid output tells two classes apart, and the data has {k}; use softmax"
                ),
            )),
            None if k > 2 => Ok((
                Encoding::OneHot,
                k,
                Activation::Softmax,
                Loss::SoftmaxCrossEntropy,
            )),
            Some(Activation::Softmax) => Ok((
                Encoding::OneHot,
                k,
                Activation::Softmax,
                Loss::SoftmaxCrossEntropy,
            )),
            _ => Ok((
                Encoding::Binary {
                    low: 0.0,
                    high: 1.0,
                },
                1,
                Activation::Sigmoid,
                Loss::BinaryCrossEntropy,
            )),
        },
        (squared, _) => {
            let loss = match squared {
                LossConfig::HalfSquaredError => Loss::HalfSquaredError,
                _ => Loss::MeanSquaredError,
            };
            Ok(match (classes, config.output) {
                (None, output) => (
                    Encoding::Values,
                    task.names().len().max(1),
                    output.unwrap_or(Activation::Linear),
                    loss,
                ),
                (Some(k), Some(Activation::Softmax)) => {
                    (Encoding::OneHot, k, Activation::Softmax, loss)
                }
                (Some(2), output) => {
                    let activation = output.unwrap_or(Activation::Tanh);
                    // Outputs that reach below zero aim at -1 and 1, others at 0 and 1.
                    let low = match activation {
                        Activation::Tanh | Activation::Linear => -1.0,
                        _ => 0.0,
                    };
                    (Encoding::Binary { low, high: 1.0 }, 1, activation, loss)
                }
                (Some(k), output) => (
                    Encoding::OneHot,
                    k,
                    output.unwrap_or(Activation::Sigmoid),
                    loss,
                ),
            })
        }
    }
}
