//! Why a network says what it says about one sample: attributions, one signed number
//! for each value of the sample, by six methods, a file each, and a sentence that is
//! checked by covering what it names.
//!
//! What is explained is a [`Readout`]: for a class its logit.

mod grad_cam;
mod gradient;
mod integrated;
mod named;
mod occlusion;
mod parts;
mod sentence;
mod smooth;

pub use grad_cam::{GradCam, grad_cam, grad_cam_layer};
pub use gradient::{gradient_times_input, saliency};
pub use integrated::{Integrated, IntegratedGradients};
pub use named::{Ink, Named, Place, Short};
pub use occlusion::{Window, occlude_each, occlude_windows};
pub use parts::{Part, parts_of};
pub use sentence::{Said, Verdict, Without, has_probabilities, sentence, sentence_about};
pub use smooth::SmoothGrad;

use super::model::Model;
use super::picture::Picture;
use crate::nn::{Network, Readout, ReadoutError, Real};
use crate::train::{Encoding, Problem};
use ndarray::{Array1, ArrayView1, Axis};

/// A way to attribute an answer to the values of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// The gradient.
    Saliency,
    /// The gradient times the value.
    GradientTimesInput,
    /// The gradient along the way from a baseline.
    IntegratedGradients,
    /// The gradient over noisy copies.
    SmoothGrad,
    /// Weighted feature maps.
    GradCam,
    /// What is lost when a part is covered.
    Occlusion,
}

impl Method {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Method; 6] = [
        Method::Saliency,
        Method::GradientTimesInput,
        Method::IntegratedGradients,
        Method::SmoothGrad,
        Method::GradCam,
        Method::Occlusion,
    ];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Method::Saliency => "saliency",
            Method::GradientTimesInput => "gradient-times-input",
            Method::IntegratedGradients => "integrated-gradients",
            Method::SmoothGrad => "smoothgrad",
            Method::GradCam => "grad-cam",
            Method::Occlusion => "occlusion",
        }
    }

    /// The heading of its picture.
    pub fn title(self) -> &'static str {
        match self {
            Method::Saliency => "Gradient",
            Method::GradientTimesInput => "Gradient × input",
            Method::IntegratedGradients => "Integrated gradients",
            Method::SmoothGrad => "SmoothGrad",
            Method::GradCam => "Grad-CAM",
            Method::Occlusion => "Occlusion",
        }
    }

    /// Whether its numbers have a sign: for the answer, or against it.
    pub fn is_signed(self) -> bool {
        self != Method::GradCam
    }
}

/// Why there is no explanation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExplainError {
    /// There is nothing to look at.
    #[error(transparent)]
    Readout(#[from] ReadoutError),
    /// Grad-CAM needs feature maps.
    #[error(
        "Grad-CAM weighs the feature maps of a convolution below what is explained, and there is \
         none; use another method"
    )]
    NoConvolution,
    /// The network answers with values.
    #[error("class {class} is asked for, and there are {classes}; count them from 0")]
    Class {
        /// Which.
        class: usize,
        /// How many there are.
        classes: usize,
    },
}

/// What a method found.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// Which method.
    pub method: Method,
    /// One number for each value of the sample; of Grad-CAM for each pixel, the same in
    /// every channel.
    pub values: Vec<f64>,
    /// Of integrated gradients, the numbers of the completeness check.
    pub completeness: Option<Integrated>,
    /// Of Grad-CAM, the map as the layer has it.
    pub cam: Option<GradCam>,
}

/// Explains answers of one network about samples of one kind.
#[derive(Debug, Clone)]
pub struct Explainer<'a, R> {
    /// The network at its weights.
    pub model: Model<'a, R>,
    /// What stands for "nothing there": one value for each of a sample.
    pub baseline: Array1<R>,
    /// How the samples lie, where they are pictures.
    pub picture: Option<Picture>,
    /// What SmoothGrad's noise follows from.
    pub seed: u64,
}

impl<'a, R: Real> Explainer<'a, R> {
    /// For the network of `problem` at `params`, with [`baseline`].
    pub fn new(problem: &'a Problem, params: &'a [R]) -> Self {
        Explainer {
            model: Model::new(&problem.network, params),
            baseline: baseline(problem).mapv(|v| R::of(f64::from(v))),
            picture: Picture::of(problem),
            seed: problem.experiment.seed,
        }
    }

    /// What `method`, as it comes, finds about the readout for `x`.
    ///
    /// # Errors
    /// For Grad-CAM without a convolution below the readout.
    pub fn explain(
        &mut self,
        method: Method,
        readout: &Readout,
        x: ArrayView1<'_, R>,
    ) -> Result<Explanation, ExplainError> {
        let model = &mut self.model;
        let baseline = self.baseline.view();
        let (mut completeness, mut cam) = (None, None);
        let values = match method {
            Method::Saliency => saliency(model, readout, x),
            Method::GradientTimesInput => gradient_times_input(model, readout, x),
            Method::IntegratedGradients => {
                let how = IntegratedGradients::default();
                let found = how.explain(model, readout, x, baseline);
                let values = found.values.clone();
                completeness = Some(found);
                values
            }
            Method::SmoothGrad => {
                let how = SmoothGrad {
                    seed: self.seed,
                    ..SmoothGrad::default()
                };
                how.explain(model, readout, x)
            }
            Method::GradCam => {
                let layer = grad_cam_layer(model.network(), readout);
                let layer = layer.ok_or(ExplainError::NoConvolution)?;
                let found = grad_cam(model, readout, x, layer);
                let picture = self.picture.ok_or(ExplainError::NoConvolution)?;
                let map = found.over(picture.shape);
                let mut values = vec![0.0; x.len()];
                for (pixel, value) in map.iter().enumerate() {
                    let width = picture.shape.width;
                    for channel in 0..picture.shape.channels {
                        values[picture.index(channel, pixel / width, pixel % width)] = *value;
                    }
                }
                cam = Some(found);
                values
            }
            Method::Occlusion => match self.picture {
                Some(picture) => {
                    let window = Window::fitting(picture);
                    occlude_windows(model, readout, x, baseline, picture, window)
                }
                None => occlude_each(model, readout, x, baseline),
            },
        };
        Ok(Explanation {
            method,
            values,
            completeness,
            cam,
        })
    }
}

/// What stands for "nothing there" in the samples of `problem`: black where they are
/// pictures, else the mean of the training samples.
pub fn baseline(problem: &Problem) -> Array1<f32> {
    let inputs = problem.network.inputs();
    if problem.data.image.is_some() {
        let scaler = &problem.data.scaler;
        return (0..inputs)
            .map(|unit| scaler.scaled(problem.feature_of(unit), 0.0))
            .collect();
    }
    let mean = problem.train.x.mapv(f64::from).mean_axis(Axis(0));
    mean.map_or_else(|| Array1::zeros(inputs), |mean| mean.mapv(|v| v as f32))
}

/// The number that speaks for `class`: its logit, and with a single output that output's
/// pre-activation, turned about for the first class. For real values, `class` is the
/// number of an output.
///
/// # Errors
/// When there is no such class.
pub fn readout_of(
    network: &Network,
    encoding: Encoding,
    class: usize,
) -> Result<Readout, ExplainError> {
    let classes = match encoding {
        Encoding::Binary { .. } => 2,
        Encoding::OneHot | Encoding::Values => network.outputs(),
    };
    if class >= classes {
        return Err(ExplainError::Class { class, classes });
    }
    Ok(match encoding {
        Encoding::Binary { .. } if class == 0 => Readout::logit(network, 0)?.negated(),
        Encoding::Binary { .. } => Readout::logit(network, 0)?,
        Encoding::OneHot | Encoding::Values => Readout::logit(network, class)?,
    })
}
