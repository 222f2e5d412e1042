//! One experiment, as written in a TOML file: data, network, training, seed.
//! `docs/experiment.md` documents every key.
//!
//! Reading has two steps. Parsing refuses unknown keys and wrong types;
//! [`Experiment::validate`] refuses values that make no sense. Both name the
//! key, the line and what is allowed.

mod constants;
mod layer;
mod network;
mod optimizer;
mod place;
pub mod samples;
mod schedule;
mod training;

pub use layer::{Extent, LayerConfig, Names, PlainKind};
pub use network::{LossConfig, NetworkConfig};
pub use optimizer::{OptimizerConfig, OptimizerName};
pub use schedule::{EarlyStopping, ScheduleConfig, ScheduleName};
pub use training::{Batch, Freeze, TrainingConfig};

use crate::data::{ConfigError, DataConfig, DataError, SourceKind, source_kind};
use crate::nn::NetworkError;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Everything that determines a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// What it is called in titles and tables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Every random number follows from this.
    #[serde(default = "default_seed")]
    pub seed: u64,
    /// What is learnt.
    pub data: DataConfig,
    /// What learns.
    pub network: NetworkConfig,
    /// How it learns.
    #[serde(default)]
    pub training: TrainingConfig,
    /// The folder that relative paths start from: the file's own, else the
    /// working directory.
    #[serde(skip)]
    pub base: PathBuf,
    /// Where it was read, for errors that come later.
    #[serde(skip)]
    text: Text,
}

/// The file that an experiment was read from. All are equal: where something
/// was read does not change what it says.
#[derive(Debug, Clone, Default)]
struct Text {
    origin: Option<Arc<str>>,
    text: Arc<str>,
}

impl PartialEq for Text {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

fn default_seed() -> u64 {
    7
}

/// Why an experiment cannot be read or run.
#[derive(Debug, thiserror::Error)]
pub enum ExperimentError {
    /// The file cannot be read.
    #[error("cannot read the experiment {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is not TOML, or has a key or a type that does not belong.
    #[error("{origin}: {message}")]
    Parse {
        /// The file.
        origin: String,
        /// Where and what, with the line quoted.
        message: String,
    },
    /// A value makes no sense.
    #[error("{origin}{}: {error}", line.map(|l| format!(", line {l}")).unwrap_or_default())]
    Value {
        /// The file.
        origin: String,
        /// The line of the key, from 1, where there is one.
        line: Option<usize>,
        /// The key and what is wrong with it.
        error: ConfigError,
    },
    /// The data cannot be had.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The network cannot be built.
    #[error("network: {0}")]
    Network(NetworkError),
}

impl Experiment {
    /// Reads and validates a file.
    pub fn read(path: &Path) -> Result<Self, ExperimentError> {
        let text = std::fs::read_to_string(path).map_err(|source| ExperimentError::Read {
            path: path.into(),
            source,
        })?;
        let mut experiment = Self::parse(&text, &path.display().to_string())?;
        experiment.base = path.parent().map(Path::to_path_buf).unwrap_or_default();
        Ok(experiment)
    }

    /// Parses and validates `text`; `origin` names it in errors.
    pub fn parse(text: &str, origin: &str) -> Result<Self, ExperimentError> {
        let mut experiment: Experiment =
            toml::from_str(text).map_err(|error| ExperimentError::Parse {
                origin: origin.to_owned(),
                message: error.to_string(),
            })?;
        experiment.text = Text {
            origin: Some(origin.into()),
            text: text.into(),
        };
        experiment.validate().map_err(|e| experiment.fault(e))?;
        Ok(experiment)
    }

    /// A value that makes no sense, with the line where it stands.
    pub(crate) fn fault(&self, error: ConfigError) -> ExperimentError {
        ExperimentError::Value {
            origin: self
                .text
                .origin
                .as_deref()
                .unwrap_or(self.title())
                .to_owned(),
            line: place::line_of(&self.text.text, &error.key),
            error,
        }
    }

    /// A network that cannot be built, with the line of the layer to blame.
    pub(crate) fn network_fault(&self, error: NetworkError) -> ExperimentError {
        match error {
            NetworkError::Shape { index, .. } if index < self.network.layers.len() => {
                let key = format!("network.layers[{index}]");
                self.fault(ConfigError::new(key, error.to_string()))
            }
            error => ExperimentError::Network(error),
        }
    }

    /// Whether every value makes sense on its own; what depends on the data is
    /// checked when the data is there.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.data.validate()?;
        self.network.validate()?;
        self.training.validate(self.network.loss)?;
        if self.training.early_stopping.is_some() && self.data.validation == Some(0.0) {
            return Err(ConfigError::new(
                "training.early_stopping",
                "it watches the validation loss, and data.validation is 0; hold some samples back",
            ));
        }
        Ok(())
    }

    /// The experiment as a TOML file that [`parse`](Self::parse) reads back equal.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        toml::to_string(self)
    }

    /// The same experiment, readable from any folder.
    pub fn with_absolute_paths(&self) -> Self {
        let mut experiment = self.clone();
        let base = experiment.base.clone();
        let absolute = |path: &str| {
            let joined = base.join(path);
            let path = std::path::absolute(&joined).unwrap_or(joined);
            path.to_string_lossy().into_owned()
        };
        let kind = source_kind(&experiment.data.source);
        let is_file = matches!(
            kind,
            Ok(SourceKind::Csv | SourceKind::Npz | SourceKind::Idx)
        );
        if is_file && experiment.data.table.is_none() {
            experiment.data.source = absolute(&experiment.data.source);
        }
        experiment.data.labels = experiment.data.labels.as_deref().map(absolute);
        experiment
    }

    /// What to call it: its name, else its data's source.
    pub fn title(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.data.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::{Activation, Init};

    const EXAMPLE: &str = r#"
seed = 7
[data]
source = "spiral"
samples = 500
noise = 0.1
features = ["x1", "x2", "sin(x1)"]
validation = 0.3
scale = "standard"
[network]
layers = [ { dense = 8, activation = "tanh" }, { dense = 8, activation = "relu" } ]
loss = "cross-entropy"
init = "xavier"
[training]
optimizer = { name = "adam", learning_rate = 0.03, beta1 = 0.9, beta2 = 0.999 }
batch = 10
epochs = 300
l2 = 0.0
"#;

    #[test]
    fn the_documented_example_reads() {
        let e = Experiment::parse(EXAMPLE, "example.toml").unwrap();
        assert_eq!(e.seed, 7);
        assert_eq!(e.network.layers[1].activation(), Activation::Relu);
        assert_eq!(e.network.init, Init::Xavier);
        assert_eq!(e.training.batch, Batch::Size(10));
        assert_eq!(e.training.optimizer.learning_rate, 0.03);
    }

    #[test]
    fn writing_and_reading_gives_the_same_experiment() {
        let e = Experiment::parse(EXAMPLE, "example.toml").unwrap();
        let text = e.to_toml().unwrap();
        assert_eq!(Experiment::parse(&text, "again").unwrap(), e, "{text}");
    }

    #[test]
    fn every_key_of_training_survives_writing_and_reading() {
        for training in [
            "optimizer = { name = \"momentum\", learning_rate = 0.1, weight_decay = 0.01 }\n\
             schedule = { name = \"one-cycle\", warm_share = 0.2, divide_first = 10.0 }\n\
             clip_norm = 1.0\nclip_value = 0.5\nlabel_smoothing = 0.1\n\
             early_stopping = { patience = 20, min_delta = 1e-4 }",
            "optimizer = { name = \"lbfgs\", history = 5 }\nbatch = \"full\"",
            "schedule = { name = \"plateau\", patience = 3, cooldown = 2, warmup_steps = 9 }",
        ] {
            let text = format!(
                "data = {{ source = \"iris\" }}\nnetwork = {{ loss = \"cross-entropy\" }}\n\
                 [training]\n{training}"
            );
            let e = Experiment::parse(&text, "first").unwrap();
            let text = e.to_toml().unwrap();
            assert_eq!(Experiment::parse(&text, "again").unwrap(), e, "{text}");
        }
    }

    #[test]
    fn what_goes_with_no_other_table_is_refused() {
        for (from, to, key) in [
            (
                "loss = \"cross-entropy\"",
                "loss = \"half-squared-error\"",
                "training.label_smoothing",
            ),
            (
                "validation = 0.3",
                "validation = 0",
                "training.early_stopping",
            ),
        ] {
            let text = EXAMPLE.replace(
                "l2 = 0.0",
                "label_smoothing = 0.1\nearly_stopping = { patience = 2 }",
            );
            assert!(Experiment::parse(&text, "e.toml").is_ok());
            let error = Experiment::parse(&text.replace(from, to), "e.toml").unwrap_err();
            assert!(error.to_string().contains(key), "{error}");
        }
    }

    /// Errors say key, line and what is allowed.
    #[test]
    fn errors_name_key_line_and_what_is_allowed() {
        for (from, to, expected) in [
            (
                "batch = 10",
                "batch = 0",
                vec!["training.batch", "line 16", "at least 1"],
            ),
            (
                "batch = 10",
                "batch = \"all\"",
                vec!["batch", "line 16", "full"],
            ),
            (
                "epochs = 300",
                "epoch = 300",
                vec!["unknown field `epoch`", "line 17", "`epochs`"],
            ),
            (
                "tanh",
                "tnah",
                vec!["line 11", "tnah", "`tanh`", "`softplus`"],
            ),
            (
                "dense = 8, activation = \"relu\"",
                "dense = 0",
                vec!["network.layers[1].dense", "line 11"],
            ),
            (
                "l2 = 0.0",
                "l2 = -1.0",
                vec!["training.l2", "line 18", "-1"],
            ),
            (
                "learning_rate = 0.03",
                "learning_rate = 0",
                vec!["training.optimizer.learning_rate", "line 15"],
            ),
            (
                "beta1 = 0.9",
                "momentum = 0.9",
                vec!["training.optimizer.momentum", "adam", "line 15"],
            ),
            (
                "beta1 = 0.9",
                "beta1 = 1.5",
                vec!["training.optimizer.beta1", "line 15", "1.5"],
            ),
            (
                "name = \"adam\", learning_rate = 0.03, beta1 = 0.9, beta2 = 0.999",
                "name = \"levenberg-marquardt\"",
                vec!["training.batch", "line 16", "\"full\""],
            ),
            (
                "name = \"adam\", learning_rate = 0.03, beta1 = 0.9, beta2 = 0.999 }\nbatch = 10",
                "name = \"levenberg-marquardt\" }\nbatch = \"full\"",
                vec!["network.loss", "line 12", "half-squared-error", "lbfgs"],
            ),
            (
                "name = \"adam\", learning_rate = 0.03, beta1 = 0.9, beta2 = 0.999 }\nbatch = 10",
                "name = \"lbfgs\" }\nclip_norm = 1.0\nbatch = \"full\"",
                vec!["training.clip_norm", "line 16", "lbfgs"],
            ),
            (
                "name = \"adam\", learning_rate = 0.03, beta1 = 0.9, beta2 = 0.999",
                "name = \"lbfgs\", learning_rate = 0.1",
                vec!["training.optimizer.learning_rate", "line 15", "lbfgs"],
            ),
            (
                "name = \"adam\", learning_rate = 0.03, beta1 = 0.9, beta2 = 0.999",
                "name = \"adam\"",
                vec!["training.optimizer.learning_rate", "line 15", "above 0"],
            ),
            (
                "name = \"adam\", learning_rate = 0.03, beta1 = 0.9, beta2 = 0.999",
                "name = \"rprop\", learning_rate = 0.03, step_min = 60.0",
                vec!["training.optimizer.step_min", "line 15", "step_max"],
            ),
            (
                "l2 = 0.0",
                "schedule = { name = \"cosine\", factor = 0.5 }",
                vec![
                    "training.schedule.factor",
                    "line 18",
                    "step, exponential, plateau",
                ],
            ),
            (
                "l2 = 0.0",
                "schedule = { name = \"cosine\", minimum = 0.5 }",
                vec!["training.schedule.minimum", "line 18", "0.5", "0.03"],
            ),
            (
                "l2 = 0.0",
                "schedule = { name = \"step\", every = 0 }",
                vec!["training.schedule.every", "line 18", "at least 1"],
            ),
            (
                "l2 = 0.0",
                "schedule = { name = \"linear\" }",
                vec!["line 18", "`one-cycle`"],
            ),
            (
                "l2 = 0.0",
                "clip_norm = 0.0",
                vec!["training.clip_norm", "line 18", "above 0"],
            ),
            (
                "l2 = 0.0",
                "label_smoothing = 1.0",
                vec!["training.label_smoothing", "line 18", "not including, 1"],
            ),
            (
                "l2 = 0.0",
                "early_stopping = { patience = 0 }",
                vec!["training.early_stopping.patience", "line 18", "at least 1"],
            ),
            (
                "l2 = 0.0",
                "early_stopping = { patience = 3, monitor = \"loss\" }",
                vec!["unknown field `monitor`", "line 18", "`min_delta`"],
            ),
            (
                "loss = \"cross-entropy\"",
                "loss = \"entropy\"",
                vec!["line 12", "`cross-entropy`"],
            ),
        ] {
            assert!(EXAMPLE.contains(from));
            let error = Experiment::parse(&EXAMPLE.replacen(from, to, 1), "e.toml")
                .unwrap_err()
                .to_string();
            for part in expected {
                assert!(error.contains(part), "{to}: no {part:?} in: {error}");
            }
        }
    }
}
