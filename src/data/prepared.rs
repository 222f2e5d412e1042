//! Data made ready for training: split, scaled, and able to map a raw input.

use ndarray::{Array2, ArrayView2};

use super::dataset::{ImageShape, Target, Task};
use super::features::InputFeature;
use super::generators::DOMAIN;
use super::scale::Scaler;

/// A data set split into its parts and scaled.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// The name of the source.
    pub name: String,
    /// What the network learns from.
    pub train: Part,
    /// What it is checked on; may be empty.
    pub validation: Part,
    /// How the features were scaled, fitted on the training part.
    pub scaler: Scaler,
    /// One name per input of the network.
    pub feature_names: Vec<String>,
    /// What is asked, with the names of the classes or outputs.
    pub task: Task,
    /// How a sample lies in an image, when it is one.
    pub image: Option<ImageShape>,
    /// How a raw input becomes features, for problems in the plane or on a line.
    pub input_features: Option<Vec<InputFeature>>,
    /// The raw inputs of a problem in the plane, `[all samples, 2]`; a part's
    /// `rows` point into it.
    pub points: Option<Array2<f32>>,
    /// The raw inputs of a problem on a line; a part's `rows` point into it.
    pub line: Option<Vec<f32>>,
    /// Whether the raw inputs were drawn over Playground's square.
    pub(super) generated: bool,
}

/// One part of a data set.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The scaled features, `[samples, features]`.
    pub x: Array2<f32>,
    /// What is wanted, in the data's own units: targets are not scaled.
    pub target: Target,
    /// The row of each sample in the whole set, ascending.
    pub rows: Vec<usize>,
}

impl Part {
    /// The number of samples.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

impl Prepared {
    /// The number of inputs of a network for these data.
    pub fn n_inputs(&self) -> usize {
        self.feature_names.len()
    }

    /// The number of classes or of values to fit.
    pub fn n_targets(&self) -> usize {
        self.task.names().len()
    }

    /// Whether the raw input is a point in the plane.
    pub fn is_plane(&self) -> bool {
        self.points.is_some()
    }

    /// What the network sees at the raw point `(x1, x2)`: features, scaled.
    /// `None` unless the data are a problem in the plane.
    pub fn map_point(&self, x1: f32, x2: f32) -> Option<Vec<f32>> {
        self.points.as_ref()?;
        self.map_raw(x1, x2)
    }

    /// What the network sees at each raw point, `[points, 2]` to
    /// `[points, features]`. `None` unless the data are a problem in the plane.
    pub fn map_points(&self, points: ArrayView2<f32>) -> Option<Array2<f32>> {
        self.points.as_ref()?;
        let features = self.input_features.as_ref()?;
        Some(Array2::from_shape_fn((points.nrows(), features.len()), |(i, j)| {
            self.scaler.scaled(j, features[j].apply(points[[i, 0]], points[[i, 1]]))
        }))
    }

    /// What the network sees at the raw input `x` of a problem on a line, and
    /// `None` for other data.
    pub fn map_line(&self, x: f32) -> Option<Vec<f32>> {
        self.line.as_ref()?;
        self.map_raw(x, 0.0)
    }

    fn map_raw(&self, x1: f32, x2: f32) -> Option<Vec<f32>> {
        let features = self.input_features.as_ref()?;
        Some(features.iter().enumerate().map(|(j, f)| self.scaler.scaled(j, f.apply(x1, x2))).collect())
    }

    /// The rectangle in which to draw a problem in the plane, `[[least x1,
    /// greatest x1], [least x2, greatest x2]]`: Playground's square for generated
    /// problems, and the points with a margin of a tenth for others.
    pub fn domain(&self) -> Option<[[f32; 2]; 2]> {
        let points = self.points.as_ref()?;
        Some([0, 1].map(|axis| self.interval(points.column(axis).iter().copied())))
    }

    /// The interval in which to draw a problem on a line, as [`Self::domain`].
    pub fn line_domain(&self) -> Option<[f32; 2]> {
        Some(self.interval(self.line.as_ref()?.iter().copied()))
    }

    fn interval(&self, values: impl Iterator<Item = f32>) -> [f32; 2] {
        if self.generated {
            return [-DOMAIN, DOMAIN];
        }
        let (least, greatest) =
            values.fold((f32::INFINITY, f32::NEG_INFINITY), |(l, g), v| (l.min(v), g.max(v)));
        let margin = if greatest > least { 0.1 * (greatest - least) } else { 1.0 };
        [least - margin, greatest + margin]
    }
}
