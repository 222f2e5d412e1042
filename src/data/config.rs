//! The `[data]` table of an experiment file, and what is allowed in it.
//!
//! An option that means nothing for the chosen source is an error: a setting
//! that is silently ignored would let a reader believe that it had an effect.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::features::InputFeature;
use super::source::{SourceKind, source_info, source_kind, sources};

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
            inputs: None,
            labels: None,
            task: None,
        }
    }

    /// Checks everything that can be checked without opening a file.
    ///
    /// # Errors
    /// The first key whose value is not allowed, or does not apply to the source.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let kind = source_kind(&self.source)?;
        self.check_applicable(kind)?;
        if let Some(samples) = self.samples {
            in_range("data.samples", samples, 2, MAX_SAMPLES)?;
        }
        if let Some(limit) = self.limit {
            in_range("data.limit", limit, 2, usize::MAX)?;
        }
        if let Some(noise) = self.noise
            && !(0.0..=1.0).contains(&noise)
        {
            return Err(ConfigError::new(
                "data.noise",
                format!("{noise} is not allowed; give a number from 0 to 1"),
            ));
        }
        if let Some(validation) = self.validation
            && !(0.0..1.0).contains(&validation)
        {
            return Err(ConfigError::new(
                "data.validation",
                format!("{validation} is not allowed; give a share from 0 to below 1, such as 0.2"),
            ));
        }
        if let Some(features) = &self.features {
            self.check_features(kind, features)?;
        }
        self.check_label(kind)
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

    /// Every option belongs to some kinds of source alone.
    fn check_applicable(&self, kind: SourceKind) -> Result<(), ConfigError> {
        use SourceKind::{Asset, Csv, Embedded, Generated, Idx, Npz};
        let table: [(&str, bool, &[SourceKind]); 10] = [
            ("samples", self.samples.is_some(), &[Generated]),
            ("noise", self.noise.is_some(), &[Generated]),
            (
                "features",
                self.features.is_some(),
                &[Generated, Embedded, Csv],
            ),
            (
                "limit",
                self.limit.is_some(),
                &[Embedded, Asset, Csv, Npz, Idx],
            ),
            ("header", self.header.is_some(), &[Csv]),
            ("label", self.label.is_some(), &[Csv, Npz]),
            ("missing", self.missing.is_some(), &[Csv]),
            ("inputs", self.inputs.is_some(), &[Npz]),
            ("labels", self.labels.is_some(), &[Idx]),
            ("task", self.task.is_some(), &[Csv, Npz, Idx]),
        ];
        for (key, is_set, kinds) in table {
            if is_set && !kinds.contains(&kind) {
                let mut nouns: Vec<&str> = kinds.iter().map(|kind| kind.noun()).collect();
                nouns.dedup();
                return Err(ConfigError::new(
                    format!("data.{key}"),
                    format!(
                        "does not apply to \"{}\", which is {}; it is for {}. Remove it{}",
                        self.source,
                        kind.noun(),
                        nouns.join(", "),
                        hint(key, kind),
                    ),
                ));
            }
        }
        Ok(())
    }

    fn check_features(&self, kind: SourceKind, features: &[String]) -> Result<(), ConfigError> {
        let error = |message: String| Err(ConfigError::new("data.features", message));
        if features.is_empty() {
            return error(
                "the list is empty; name at least one feature, or remove the key".to_owned(),
            );
        }
        if self.source == "digits" {
            return error("does not apply to \"digits\", whose features are the pixels of an image; remove it".to_owned());
        }
        let seen_twice = |same: &dyn Fn(usize, usize) -> bool| {
            (1..features.len()).find(|&i| (0..i).any(|j| same(i, j)))
        };
        let parsed = match kind {
            SourceKind::Generated => self.input_features()?.unwrap_or_default(),
            _ => Vec::new(),
        };
        let twice = if parsed.is_empty() {
            seen_twice(&|i, j| features[i] == features[j])
        } else {
            seen_twice(&|i, j| parsed[i] == parsed[j])
        };
        match twice {
            Some(index) => error(format!(
                "\"{}\" is named twice; name each feature once",
                features[index]
            )),
            None => Ok(()),
        }
    }

    fn check_label(&self, kind: SourceKind) -> Result<(), ConfigError> {
        let Some(label) = &self.label else {
            return Ok(());
        };
        let columns = label.columns();
        let error = |message: String| Err(ConfigError::new("data.label", message));
        if columns.is_empty() {
            return error(
                "the list is empty; name at least one column, or remove the key".to_owned(),
            );
        }
        if kind == SourceKind::Npz && !matches!(label, Label::One(ColumnRef::Name(_))) {
            return error("in an NPZ file it is the name of one array, such as \"y\"".to_owned());
        }
        if columns.len() > 1 && self.task == Some(TaskKind::Classification) {
            return error(
                "several columns can only be fitted; classification takes one".to_owned(),
            );
        }
        match (1..columns.len()).find(|&i| columns[..i].contains(&columns[i])) {
            Some(index) => error(format!("{} is named twice", columns[index])),
            None => Ok(()),
        }
    }
}

/// What was probably meant by a key in the wrong place.
fn hint(key: &str, kind: SourceKind) -> &'static str {
    match (key, kind) {
        ("samples", SourceKind::Generated) => "",
        ("samples", _) => ", or use data.limit",
        ("labels", SourceKind::Csv | SourceKind::Npz) => ", or did you mean data.label?",
        ("label", SourceKind::Idx) => ", or did you mean data.labels?",
        _ => "",
    }
}

fn in_range(key: &str, value: usize, least: usize, most: usize) -> Result<(), ConfigError> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    let allowed = match most {
        usize::MAX => format!("at least {least}"),
        _ => format!("from {least} to {most}"),
    };
    Err(ConfigError::new(
        key,
        format!("{value} is not allowed; give a whole number {allowed}"),
    ))
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

    fn error_of(toml: &str) -> ConfigError {
        let config: DataConfig = toml::from_str(toml).expect("valid TOML");
        config.validate().expect_err("must be refused")
    }

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

    #[test]
    fn an_option_that_does_not_apply_is_an_error_that_names_it() {
        let error = error_of("source = \"iris\"\nnoise = 0.1");
        assert_eq!(error.key, "data.noise");
        assert!(error.message.contains("iris"), "{error}");
        assert_eq!(
            error_of("source = \"xor\"\nheader = true").key,
            "data.header"
        );
        assert_eq!(
            error_of("source = \"digits\"\nfeatures = [\"r0c0\"]").key,
            "data.features"
        );
        assert_eq!(
            error_of("source = \"t.csv\"\nsamples = 10").key,
            "data.samples"
        );
    }

    #[test]
    fn a_bad_value_is_an_error_that_says_what_is_allowed() {
        let cases = [
            ("source = \"spiraal\"", "data.source", "spiral"),
            ("noise = 1.5", "data.noise", "from 0 to 1"),
            ("noise = nan", "data.noise", "from 0 to 1"),
            ("validation = 1.0", "data.validation", "below 1"),
            ("samples = 1", "data.samples", "from 2"),
            ("features = [\"x9\"]", "data.features", "sin(x1)"),
            ("features = []", "data.features", "at least one"),
            ("features = [\"x1x2\", \"x1*x2\"]", "data.features", "twice"),
            (
                "source = \"sine\"\nfeatures = [\"x1\"]",
                "data.features",
                "sin(x)",
            ),
        ];
        for (toml, key, allowed) in cases {
            let error = error_of(toml);
            assert_eq!(error.key, key, "{toml}");
            assert!(error.message.contains(allowed), "{error}");
        }
    }
}
