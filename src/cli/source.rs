//! From the EXPERIMENT or DIR on a command line to a problem and its weights.

use super::CliError;
use super::missing::{is_text, unknown};
use super::out::note;
use super::run_folder::{self, RunFolder};
use super::samples::sample;
use crate::experiment::Experiment;
use crate::interop::{MODEL_ENDINGS, experiment_of_file, is_model, read_path, read_weights};
use crate::run::{Catalogue, Found, Replay, RunError, RunFile, is_run_file};
use crate::train::{PathPoint, Problem};
use clap::Args;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Which experiment, and at which weights.
#[derive(Args, Debug, Clone, Default)]
pub struct SourceArgs {
    /// An experiment file, a recorded run, a folder that `train` wrote, a sample's name, or a model
    ///
    /// A file or run folder of that name goes before a sample. A recorded run is a .gsrun file,
    /// or the id or name of one in the list of `gradscape runs`. Models of other programs are
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
    /// Take a run's weights after so many steps, or the last recorded before that
    #[arg(long, value_name = "STEP", conflicts_with = "weights")]
    pub at_step: Option<u64>,
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
    /// The run that was named.
    pub run: Option<Recorded>,
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
            (None, Some(_)) => {
                find(&self.source)?;
                return Err(no_data(&self.source));
            }
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
        let path = match &run {
            Some(run) => run.path(&problem)?,
            None => Vec::new(),
        };
        let params = match (&self.weights, &run, self.at_step) {
            (Some(file), _, _) => read_weights(file, layout)?,
            (None, Some(run), step) => run.weights(&problem, &path, step)?,
            (None, None, Some(_)) => {
                return Err(CliError::Usage(format!(
                    "--at-step goes with a run, and {} is none",
                    self.source
                )));
            }
            (None, None, None) => problem.initial_params(),
        };
        Ok(Source {
            problem,
            params,
            given: self.weights.is_some() || run.is_some() || foreign.is_some(),
            path,
            run,
        })
    }
}

/// A run that has been made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// A folder that `train` wrote.
    Folder(PathBuf),
    /// A file with everything about it.
    File(PathBuf),
}

impl Recorded {
    /// The path that it took.
    fn path(&self, problem: &Problem) -> Result<Vec<PathPoint>, CliError> {
        match self {
            Recorded::File(file) => Ok(Replay::load(&RunFile::open(file)?, problem)?.points),
            Recorded::Folder(dir) => {
                let file = dir.join(run_folder::PATH);
                match file.exists() {
                    true => Ok(read_path(&file, problem.network.layout().len())?),
                    false => Ok(Vec::new()),
                }
            }
        }
    }

    /// Its weights after `step` steps, or the last before that; without a step, its last.
    fn weights(
        &self,
        problem: &Problem,
        path: &[PathPoint],
        step: Option<u64>,
    ) -> Result<Vec<f32>, CliError> {
        match (self, step) {
            (Recorded::File(file), step) => {
                Ok(RunFile::open(file)?.snapshot(step.unwrap_or(u64::MAX))?)
            }
            (Recorded::Folder(dir), None) => Ok(read_weights(
                &dir.join(run_folder::WEIGHTS),
                problem.network.layout(),
            )?),
            (Recorded::Folder(dir), Some(step)) => {
                let before = path.iter().rev().find(|point| point.step <= step);
                before.map(|point| point.params.to_vec()).ok_or_else(|| {
                    CliError::Failed(format!(
                        "{}: its path has no weights of step {step} or before",
                        dir.display()
                    ))
                })
            }
        }
    }
}

/// The experiment that `name` means, and the run if it is one: a file or a run's folder
/// where there is one of that name, else a sample, else a run in the catalogue.
///
/// # Errors
/// When there is no such thing, or the file is not valid.
pub fn find(name: &str) -> Result<(Experiment, Option<Recorded>), CliError> {
    let path = Path::new(name);
    if RunFolder::is_run(path) {
        let experiment = Experiment::read(&path.join(run_folder::EXPERIMENT))?;
        return Ok((experiment, Some(Recorded::Folder(path.to_owned()))));
    }
    if path.is_file() && is_run_file(path) {
        return recorded(path.to_owned());
    }
    if path.is_file() && is_model(path) {
        return Ok((from_model(path, None)?, None));
    }
    if path.is_file() {
        if !is_text(path) {
            return Err(CliError::Failed(format!(
                "{name}: this is no kind of file that is read: experiments are text (.toml), \
                 recorded runs end in .gsrun, and models in .{}",
                MODEL_ENDINGS.join(", .")
            )));
        }
        return Ok((Experiment::read(path)?, None));
    }
    if let Some(sample) = sample(name) {
        return Ok((Experiment::parse(sample.toml, sample.name)?, None));
    }
    match Catalogue::standard().map(|runs| runs.find(name)) {
        Some(Ok(found)) => recorded(chosen(name, found)),
        None | Some(Err(RunError::Unknown(_))) => Err(unknown(name)),
        Some(Err(error)) => Err(error.into()),
    }
}

/// The file of a run; where several are called `name`, says on the error stream which it is.
fn chosen(name: &str, found: Found) -> PathBuf {
    // Some commands look several times; it is said once.
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    if found.alike > 1 {
        let id = found.id();
        let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
        if said.insert(id.clone()) {
            note(&format!(
                "of {} runs called {name} the newest, {id}",
                found.alike
            ));
        }
    }
    found.path
}

fn recorded(file: PathBuf) -> Result<(Experiment, Option<Recorded>), CliError> {
    let experiment = RunFile::open(&file)?.experiment()?;
    Ok((experiment, Some(Recorded::File(file))))
}

/// The file of the recorded run that `name` means: a path, an id or the only beginning of
/// one, or a name.
///
/// # Errors
/// When there is none.
pub fn find_run(name: &str) -> Result<PathBuf, CliError> {
    let path = Path::new(name);
    match Catalogue::standard() {
        _ if path.is_file() => Ok(path.to_owned()),
        Some(runs) => Ok(chosen(name, runs.find(name)?)),
        None => Err(CliError::Failed(format!(
            "{name}: there is no such file, and this system tells of no folder for runs; set \
             GRADSCAPE_RUNS_DIR to the one they are in"
        ))),
    }
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
        Some(_) => {
            find_experiment(name)?;
            Err(no_data(name))
        }
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
