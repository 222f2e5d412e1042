//! The `[data]` table of an experiment file, and what is allowed in it.
//!
//! An option that means nothing for the chosen source is an error: a setting
//! that is silently ignored would let a reader believe that it had an effect.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::features::InputFeature;
use super::source::{SourceKind, source_info, sources};

/// The share held back for validation when `validation` is not set and the
/// data set has no validation part of its own.
pub const DEFAULT_VALIDATION: f64 = 0.2;

/// The most samples that a generator draws.
pub const MAX_SAMPLES: usize = 1_000_000;

/// A value of an experiment file that is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {message}")]
pub struct ConfigError {
    /// The key with its tables, `data.noise`.
    pub key: String,
    /// The value that was found and what is allowed instead.
    pub message: String,
}

impl ConfigError {
    /// An error at `key`.
    pub fn new(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            message: message.into(),
        }
    }
}

/// Which data, and how to present them to the network.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct DataConfig {
    /// A built-in name (see [`sources`]) or the path of a CSV, NPZ or IDX file,
    /// relative to the experiment file.
    pub source: String,
    /// Generated problems: the number of samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub samples: Option<usize>,
    /// Generated problems: how much the samples scatter, 0 to 1; each generator
    /// says what it does with it. Playground's 50 % is 0.5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noise: Option<f64>,
    /// Generated problems: the input features, see [`InputFeature`]. Tables:
    /// the names of the columns to use, all but the label when not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub features: Option<Vec<String>>,
    /// The share of the samples held back for validation, from 0 to below 1.
    /// When not set: the validation part that comes with MNIST and
    /// Fashion-MNIST, and [`DEFAULT_VALIDATION`] for everything else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation: Option<f64>,
    /// How the features are scaled.
    #[serde(skip_serializing_if = "Scale::is_auto")]
    pub scale: Scale,
    /// Real data: use at most so many samples, drawn at random with the classes
    /// in proportion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// CSV: whether the first line names the columns; found out when not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<bool>,
    /// CSV: the column to predict, by name or by index (from 0, negative from
    /// the end), or a list of columns for regression; the last when not set.
    /// NPZ: the name of the array of labels, `y` when not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<Label>,
    /// CSV: what to do with rows in which a value is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<Missing>,
    /// CSV: the table itself, in the place of a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// NPZ: the name of the array of inputs, `x` when not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inputs: Option<String>,
    /// IDX: the file of labels; when not set, the sibling whose name has
    /// `labels` for `images` and `idx1` for `idx3`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<String>,
    /// Files: what kind of question the labels ask. When not set, text and
    /// whole numbers with at most [`MAX_IMPLIED_CLASSES`] different values are
    /// classes, and everything else is a value to fit.
    ///
    /// [`MAX_IMPLIED_CLASSES`]: super::labels::MAX_IMPLIED_CLASSES
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskKind>,
}

impl Default for DataConfig {
    /// The spiral, with every option at its default.
    fn default() -> Self {
        Self::of("spiral")
    }
}

/// How features are brought to a common size. Fitted on the training part.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Scale {
    /// `none` for generated problems, `min-max` for images, `standard` for tables.
    #[default]
    Auto,
    /// As they are.
    None,
    /// Mean 0 and standard deviation 1, each feature by itself; images as a whole.
    Standard,
    /// Least value 0 and greatest 1, each feature by itself; images as a whole.
    MinMax,
}

impl Scale {
    /// Every way, in the order in which to offer them.
    pub const ALL: [Self; 4] = [Self::Auto, Self::None, Self::Standard, Self::MinMax];

    /// The name in an experiment file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::None => "none",
            Self::Standard => "standard",
            Self::MinMax => "min-max",
        }
    }

    fn is_auto(&self) -> bool {
        *self == Self::Auto
    }
}

/// What kind of question data ask.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[serde(rename_all = "kebab-case")]
pub enum TaskKind {
    /// Which class?
    Classification,
    /// How much?
    Regression,
}

/// What to do with rows of a table in which a value is missing.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Missing {
    /// Refuse the file and name the places.
    #[default]
    Error,
    /// Leave the row out.
    Drop,
}

/// One column or array of labels, or several.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(untagged, expecting = "a column's name, its index, or a list of them")]
pub enum Label {
    /// One.
    One(ColumnRef),
    /// Several, to fit at once.
    Many(Vec<ColumnRef>),
}

impl Label {
    /// The columns, one or more.
    pub fn columns(&self) -> &[ColumnRef] {
        match self {
            Self::One(column) => std::slice::from_ref(column),
            Self::Many(columns) => columns,
        }
    }
}

impl From<&str> for Label {
    fn from(name: &str) -> Self {
        Self::One(ColumnRef::Name(name.to_owned()))
    }
}

/// A column by its place or by its name.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(untagged, expecting = "a column's name or its index")]
pub enum ColumnRef {
    /// From 0, or from the end when negative: -1 is the last.
    Index(i64),
    /// As the header has it.
    Name(String),
}

impl fmt::Display for ColumnRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index(index) => write!(f, "{index}"),
            Self::Name(name) => write!(f, "\"{name}\""),
        }
    }
}

impl DataConfig {
    /// The data of `source` with every option at its default.
    pub fn of(source: impl Into<String>) -> Self {
        Self {
            source: source.into(),
            samples: None,
            noise: None,
            features: None,
            validation: None,
            scale: Scale::Auto,
            limit: None,
            header: None,
            label: None,
            missing: None,
            table: None,
            inputs: None,
            labels: None,
            task: None,
        }
    }

    /// The input features of a generated problem; `None` for other sources.
    ///
    /// # Errors
    /// On `data.features`, for a name that is not a feature of this problem.
    pub fn input_features(&self) -> Result<Option<Vec<InputFeature>>, ConfigError> {
        let Some(info) =
            source_info(&self.source).filter(|info| info.kind == SourceKind::Generated)
        else {
            return Ok(None);
        };
        let on_line = info.inputs == 1;
        let Some(names) = &self.features else {
            let raw = [InputFeature::X1, InputFeature::X2];
            return Ok(Some(raw[..info.inputs].to_vec()));
        };
        let parse = if on_line {
            InputFeature::parse_line
        } else {
            InputFeature::parse
        };
        let parsed: Result<Vec<_>, _> = names
            .iter()
            .map(|name| {
                parse(name).ok_or_else(|| {
                    let allowed: Vec<&str> = if on_line {
                        InputFeature::LINE
                            .iter()
                            .filter_map(|f| f.line_name())
                            .collect()
                    } else {
                        InputFeature::PLANE.iter().map(|f| f.name()).collect()
                    };
                    ConfigError::new(
                        "data.features",
                        format!(
                            "\"{name}\" is not an input feature of {}; allowed: {}",
                            self.source,
                            allowed.join(", ")
                        ),
                    )
                })
            })
            .collect();
        parsed.map(Some)
    }
}

/// How many samples a generated problem has when `samples` is not set.
pub(super) fn default_samples(name: &str) -> usize {
    sources()
        .iter()
        .find(|info| info.name == name)
        .map_or(500, |info| info.samples)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_config_survives_the_way_to_toml_and_back() {
        let text = r#"
            source = "table.csv"
            features = ["a", "b"]
            validation = 0.3
            scale = "min-max"
            header = true
            label = ["u", -1]
            missing = "drop"
            task = "regression"
        "#;
        let config: DataConfig = toml::from_str(text).expect("valid");
        assert_eq!(config.validate(), Ok(()));
        let written = toml::to_string(&config).expect("serialisable");
        assert_eq!(
            toml::from_str::<DataConfig>(&written).expect("valid"),
            config
        );
        let bare = toml::to_string(&DataConfig::of("iris")).expect("serialisable");
        assert_eq!(bare.trim(), "source = \"iris\"");
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let error =
            toml::from_str::<DataConfig>("source = \"xor\"\nnoize = 0.1").expect_err("unknown key");
        assert!(error.to_string().contains("noize"), "{error}");
    }
}
