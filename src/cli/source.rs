//! From the EXPERIMENT or DIR on a command line to a problem and its weights.

use super::CliError;
use super::run_folder::{self, RunFolder};
use super::samples::{SAMPLES, sample};
use crate::experiment::Experiment;
use crate::interop::{experiment_of_file, is_model, read_path, read_weights};
use crate::train::{PathPoint, Problem};
use clap::Args;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Which experiment, and at which weights.
#[derive(Args, Debug, Clone)]
pub struct SourceArgs {
    /// An experiment file, a folder that `train` wrote, the name of a sample, or a model
    ///
    /// A file or run folder of that name goes before a sample. Models of other programs are
    /// .onnx, .h5, .keras, .pt, .pth, .safetensors and .npz; see docs/models.md.
    #[arg(value_name = "EXPERIMENT|DIR|MODEL")]
    pub source: String,
    /// The data of a model: a built-in name, or a CSV, NPZ or IDX file
    ///
    /// Without it the first built-in data with as many inputs and classes.
    #[arg(long, value_name = "SOURCE")]
    pub data: Option<String>,
    /// Take these weights (safetensors, or a model) instead of the initial ones, or of a run's last
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,
    /// Use this seed instead of the experiment's (for the data, the split and the initial weights)
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
}

/// An experiment with its data, and weights for it.
#[derive(Debug, Clone)]
pub struct Source {
    /// Network and data.
    pub problem: Arc<Problem>,
    /// The weights that were asked for.
    pub params: Vec<f32>,
    /// Whether they are other than the initial ones.
    pub given: bool,
    /// The path that a run took, oldest first; empty without a run.
    pub path: Vec<PathPoint>,
}

impl SourceArgs {
    /// The file, if another program's model is named.
    pub fn model(&self) -> Option<&Path> {
        let path = Path::new(&self.source);
        (is_model(path) && path.is_file()).then_some(path)
    }

    /// Reads everything that is named.
    ///
    /// # Errors
    /// When a file cannot be read, or does not fit; for `--seed` with a run,
    /// whose data and weights belong to its own seed.
    pub fn load(&self) -> Result<Source, CliError> {
        let foreign = self.model();
        let (mut experiment, run) = match (foreign, &self.data) {
            (Some(path), data) => (from_model(path, data.as_deref())?, None),
            (None, None) => find(&self.source)?,
            (None, Some(_)) => return Err(no_data(&self.source)),
        };
        if let Some(seed) = self.seed {
            if run.is_some() {
                return Err(CliError::Usage(format!(
                    "--seed does not go with {}: a finished run keeps the seed that it was made with",
                    self.source
                )));
            }
            experiment.seed = seed;
        }
        let problem = Arc::new(Problem::new(&experiment)?);
        let layout = problem.network.layout();
        let file = match (&self.weights, &run) {
            (Some(file), _) => Some(file.clone()),
            (None, Some(dir)) => Some(dir.join(run_folder::WEIGHTS)),
            (None, None) => None,
        };
        let params = match &file {
            Some(file) => read_weights(file, layout)?,
            None => problem.initial_params(),
        };
        let path = match run.map(|dir| dir.join(run_folder::PATH)) {
            Some(file) if file.exists() => read_path(&file, layout.len())?,
            _ => Vec::new(),
        };
        Ok(Source {
            problem,
            params,
            given: file.is_some() || foreign.is_some(),
            path,
        })
    }
}

/// The experiment that `name` means, and the run's folder if it is one: a file
/// or a run's folder where there is one of that name, else a sample.
///
/// # Errors
/// When there is no such thing, or the file is not valid.
pub fn find(name: &str) -> Result<(Experiment, Option<PathBuf>), CliError> {
    let path = Path::new(name);
    if RunFolder::is_run(path) {
        let experiment = Experiment::read(&path.join(run_folder::EXPERIMENT))?;
        return Ok((experiment, Some(path.to_owned())));
    }
    if path.is_file() && is_model(path) {
        return Ok((from_model(path, None)?, None));
    }
    if path.is_file() {
        return Ok((Experiment::read(path)?, None));
    }
    if let Some(sample) = sample(name) {
        return Ok((Experiment::parse(sample.toml, sample.name)?, None));
    }
    Err(unknown(name))
}

/// The experiment that `name` means where a run is not asked for: a sample of
/// that name first, so that `train iris --out iris` means the same a second
/// time. `./iris` is the folder.
///
/// # Errors
/// When there is no such thing, or the file is not valid.
pub fn find_experiment(name: &str) -> Result<Experiment, CliError> {
    match sample(name) {
        Some(sample) => Ok(Experiment::parse(sample.toml, sample.name)?),
        None => Ok(find(name)?.0),
    }
}

/// The same, where `data` may name those of a model.
///
/// # Errors
/// As of [`find_experiment`]; for data of something that is no model.
pub fn find_experiment_on(name: &str, data: Option<&str>) -> Result<Experiment, CliError> {
    let path = Path::new(name);
    match data {
        None => find_experiment(name),
        Some(_) if is_model(path) && path.is_file() => from_model(path, data),
        Some(_) => Err(no_data(name)),
    }
}

fn no_data(name: &str) -> CliError {
    CliError::Usage(format!(
        "--data goes with a model of another program, and {name} says itself what its data are"
    ))
}

/// The experiment that another program's model becomes.
fn from_model(path: &Path, data: Option<&str>) -> Result<Experiment, CliError> {
    experiment_of_file(path, data).map_err(CliError::Failed)
}

fn unknown(name: &str) -> CliError {
    let names: Vec<&str> = SAMPLES.iter().map(|s| s.name).collect();
    let names = names.join(", ");
    CliError::Failed(if Path::new(name).is_dir() {
        format!(
            "{name}: this folder is not one that `gradscape train` wrote: it has no experiment.toml with weights.safetensors beside it"
        )
    } else {
        format!("{name}: there is no such experiment file, and the samples are {names}")
    })
}
