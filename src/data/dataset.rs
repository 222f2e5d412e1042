//! A data set in memory: what is known of each sample, and what is wanted.

use ndarray::{Array2, Axis};
use serde::{Deserialize, Serialize};

use super::features::InputFeature;

/// A whole data set before it is split and scaled.
///
/// Rows are samples; every part of the set counts them in the same order.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// The name of a built-in source, or a file's name.
    pub name: String,
    /// What the network sees, `[samples, features]`: after the feature maps,
    /// before scaling. Always finite.
    pub features: Array2<f32>,
    /// One name per column of `features`.
    pub feature_names: Vec<String>,
    /// What the network is to answer.
    pub target: Target,
    /// How a row of `features` lies in an image, when it is one.
    pub image: Option<ImageShape>,
    /// The raw inputs of a problem in the plane, `[samples, 2]`.
    pub points: Option<Array2<f32>>,
    /// The raw inputs of a problem on a line, one per sample.
    pub line: Option<Vec<f32>>,
    /// How a raw input of `points` or `line` becomes the columns of `features`.
    pub input_features: Option<Vec<InputFeature>>,
    /// The last so many rows are the validation part that the authors of the
    /// data set aside, used unless a fraction is asked for.
    pub fixed_validation: Option<usize>,
    /// The first places in a file where a value was missing and whose rows were
    /// left out.
    pub missing: Vec<MissingValue>,
    /// How many such places there were.
    pub n_missing: usize,
}

impl Dataset {
    /// The number of samples.
    pub fn n_samples(&self) -> usize {
        self.features.nrows()
    }

    /// The number of columns that the network sees.
    pub fn n_features(&self) -> usize {
        self.features.ncols()
    }

    /// A set of the given columns. One column makes it a problem on a line, two
    /// a problem in the plane, unless they are pixels.
    pub(super) fn from_columns(
        name: String,
        features: Array2<f32>,
        feature_names: Vec<String>,
        target: Target,
        image: Option<ImageShape>,
    ) -> Self {
        let (mut points, mut line, mut input_features) = (None, None, None);
        match (image, features.ncols()) {
            (None, 1) => {
                line = Some(features.column(0).to_vec());
                input_features = Some(vec![InputFeature::X1]);
            }
            (None, 2) => {
                points = Some(features.clone());
                input_features = Some(vec![InputFeature::X1, InputFeature::X2]);
            }
            _ => {}
        }
        Self {
            name,
            features,
            feature_names,
            target,
            image,
            points,
            line,
            input_features,
            fixed_validation: None,
            missing: Vec::new(),
            n_missing: 0,
        }
    }

    /// The set with only the given rows, in the given order. Forgets
    /// `fixed_validation`, which the caller alone can restate.
    pub fn select(&self, rows: &[usize]) -> Self {
        Self {
            name: self.name.clone(),
            features: self.features.select(Axis(0), rows),
            feature_names: self.feature_names.clone(),
            target: self.target.select(rows),
            image: self.image,
            points: self
                .points
                .as_ref()
                .map(|points| points.select(Axis(0), rows)),
            line: self
                .line
                .as_ref()
                .map(|line| rows.iter().map(|&row| line[row]).collect()),
            input_features: self.input_features.clone(),
            fixed_validation: None,
            missing: self.missing.clone(),
            n_missing: self.n_missing,
        }
    }
}

/// What the network is to answer for each sample.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// One class per sample.
    Classes {
        /// The class of each sample, an index into `names`.
        labels: Vec<usize>,
        /// What the classes are called.
        names: Vec<String>,
    },
    /// One or more real numbers per sample.
    Values {
        /// `[samples, outputs]`, in the data's own units.
        values: Array2<f32>,
        /// One name per column.
        names: Vec<String>,
    },
}

impl Target {
    /// The number of samples.
    pub fn len(&self) -> usize {
        match self {
            Self::Classes { labels, .. } => labels.len(),
            Self::Values { values, .. } => values.nrows(),
        }
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What kind of question this is, with the names of its answers.
    pub fn task(&self) -> Task {
        match self {
            Self::Classes { names, .. } => Task::Classification {
                names: names.clone(),
            },
            Self::Values { names, .. } => Task::Regression {
                names: names.clone(),
            },
        }
    }

    /// The class of each sample, or `None` for real values.
    pub fn labels(&self) -> Option<&[usize]> {
        match self {
            Self::Classes { labels, .. } => Some(labels),
            Self::Values { .. } => None,
        }
    }

    /// The real values `[samples, outputs]`, or `None` for classes.
    pub fn values(&self) -> Option<&Array2<f32>> {
        match self {
            Self::Classes { .. } => None,
            Self::Values { values, .. } => Some(values),
        }
    }

    /// How many samples each class has; empty for real values.
    pub fn class_counts(&self) -> Vec<usize> {
        match self {
            Self::Classes { labels, names } => {
                let mut counts = vec![0; names.len()];
                for &label in labels {
                    counts[label] += 1;
                }
                counts
            }
            Self::Values { .. } => Vec::new(),
        }
    }

    /// The target of the given rows, in the given order.
    pub fn select(&self, rows: &[usize]) -> Self {
        match self {
            Self::Classes { labels, names } => Self::Classes {
                labels: rows.iter().map(|&row| labels[row]).collect(),
                names: names.clone(),
            },
            Self::Values { values, names } => Self::Values {
                values: values.select(Axis(0), rows),
                names: names.clone(),
            },
        }
    }
}

/// What kind of question a data set asks, with the names of its answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Task {
    /// Which of these classes?
    Classification {
        /// The classes' names, by index.
        names: Vec<String>,
    },
    /// How much of each of these?
    Regression {
        /// The outputs' names, by column.
        names: Vec<String>,
    },
}

impl Task {
    /// The names of the classes or of the outputs.
    pub fn names(&self) -> &[String] {
        match self {
            Self::Classification { names } | Self::Regression { names } => names,
        }
    }

    /// Whether the answer is a class.
    pub fn is_classification(&self) -> bool {
        matches!(self, Self::Classification { .. })
    }
}

/// The shape of an image whose pixels are a row of features, row by row from
/// the top, channels innermost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageShape {
    /// Pixels from top to bottom.
    pub height: usize,
    /// Pixels from left to right.
    pub width: usize,
    /// 1 for grey, 3 for red, green and blue.
    pub channels: usize,
}

impl ImageShape {
    /// The number of features that an image of this shape has.
    pub fn size(self) -> usize {
        self.height * self.width * self.channels
    }

    /// A name for each pixel, `r2c5` for row 2 and column 5 counted from 0,
    /// with the channel behind it where there are several.
    pub(super) fn pixel_names(self) -> Vec<String> {
        let mut names = Vec::with_capacity(self.size());
        for row in 0..self.height {
            for column in 0..self.width {
                for channel in 0..self.channels {
                    names.push(match self.channels {
                        1 => format!("r{row}c{column}"),
                        _ => format!("r{row}c{column}.{channel}"),
                    });
                }
            }
        }
        names
    }
}

/// Where a value was missing in a text file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MissingValue {
    /// The line in the file, from 1.
    pub line: u64,
    /// The column's name.
    pub column: String,
}
