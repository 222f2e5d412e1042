//! From the RUN on a command line to a record of it: a run's file, a folder that `train`
//! wrote, or an experiment that is then trained.

use super::interrupt::Interrupt;
use super::run_folder;
use super::source::{Recorded, find};
use super::{CliError, Out};
use crate::experiment::Experiment;
use crate::insight::run_record::{
    Circumstances, End, Origin, Outcome, Recorder, RunRecord, diagnose_afterwards, events,
};
use crate::interop::{read_path, read_weights};
use crate::run::{RunFile, environment};
use crate::train::{PathPoint, Problem};
use clap::Args;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// Which run.
#[derive(Args, Debug, Clone)]
pub struct RunArgs {
    /// A run's file, or its id or name; a folder that `train` wrote; or an experiment file, the name of a sample, or a model, which is then trained
    ///
    /// A file or folder of that name goes before a sample, a sample before a recorded run.
    #[arg(value_name = "RUN")]
    pub run: String,
    /// Train so many epochs instead of the experiment's
    #[arg(long, value_name = "N")]
    pub epochs: Option<usize>,
    /// Use this seed instead of the experiment's
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Train the experiment of a recorded run again, and measure everything on the way
    ///
    /// A folder keeps no figures of single steps.
    #[arg(long)]
    pub again: bool,
}

/// `summary.json`, as far as it is read.
#[derive(serde::Deserialize, Default)]
#[serde(default)]
struct Summary {
    outcome: String,
    stopped: Option<String>,
    best_weights_epoch: Option<usize>,
    epochs: usize,
    steps: u64,
    seconds: Option<f64>,
    version: String,
}

impl RunArgs {
    /// Reads the run, or makes it.
    ///
    /// # Errors
    /// When there is no such run, a file of it cannot be read, or it is interrupted.
    pub fn record(&self, out: &mut Out, interrupt: &Interrupt) -> Result<RunRecord, CliError> {
        let (mut experiment, recorded) = find(&self.run)?;
        let changed = self.epochs.is_some() || self.seed.is_some();
        let recorded = recorded.filter(|_| !self.again);
        if changed && recorded.is_some() {
            return Err(CliError::Usage(format!(
                "--epochs and --seed make another run than {}; add --again to train it",
                self.run
            )));
        }
        if let Some(recorded) = recorded {
            return read(&recorded, &experiment);
        }
        if let Some(epochs) = self.epochs {
            experiment.training.epochs = epochs;
        }
        if let Some(seed) = self.seed {
            experiment.seed = seed;
        }
        let experiment = run_folder::with_absolute_paths(&experiment);
        train(&experiment, out, interrupt)
    }
}

/// What is known of a run that was made, which is of `experiment`.
///
/// # Errors
/// When a file of it cannot be read.
pub(super) fn read(recorded: &Recorded, experiment: &Experiment) -> Result<RunRecord, CliError> {
    match recorded {
        Recorded::Folder(dir) => from_folder(dir, experiment),
        Recorded::File(file) => Ok(RunFile::open(file)?.record()?),
    }
}

/// Trains and records an experiment.
fn train(
    experiment: &Experiment,
    out: &mut Out,
    interrupt: &Interrupt,
) -> Result<RunRecord, CliError> {
    let problem = Arc::new(Problem::new(experiment)?);
    let environment = environment(&problem).into_iter().collect();
    let begin = Instant::now();
    let mut recorder = Recorder::new(problem);
    let bar = out.start_bar(recorder.total_steps() as u64, "training");
    while recorder.advance() {
        bar.inc(1);
        if interrupt.is_raised() {
            out.end_bar();
            return Err(interrupted());
        }
    }
    out.end_bar();
    Ok(recorder.record(Circumstances {
        made: Some(now()),
        seconds: Some(begin.elapsed().as_secs_f64()),
        environment,
    }))
}

/// What is said where the user had enough.
pub fn interrupted() -> CliError {
    CliError::Failed("interrupted; nothing is written".to_owned())
}

fn now() -> String {
    seconds_of(jiff::Timestamp::now())
}

/// In whole seconds, RFC 3339.
fn seconds_of(time: jiff::Timestamp) -> String {
    let rounded = time.round(jiff::Unit::Second).unwrap_or(time);
    rounded.to_string()
}

/// The record of a folder that `train` wrote.
fn from_folder(dir: &Path, experiment: &Experiment) -> Result<RunRecord, CliError> {
    let problem = Arc::new(Problem::new(experiment)?);
    let layout = problem.network.layout();
    let weights = dir.join(run_folder::WEIGHTS);
    let params: Arc<[f32]> = read_weights(&weights, layout)?.into();
    let rows = run_folder::read_history(&dir.join(run_folder::HISTORY_JSON))?;
    let summary = dir.join(run_folder::SUMMARY);
    let made = fs::metadata(&summary).and_then(|meta| meta.modified()).ok();
    let made = made.and_then(|time| jiff::Timestamp::try_from(time).ok());
    let text = fs::read_to_string(&summary).unwrap_or_default();
    let summary: Summary = serde_json::from_str(&text).unwrap_or_default();
    let file = dir.join(run_folder::PATH);
    let mut path = match file.exists() {
        true => read_path(&file, layout.len())?,
        false => Vec::new(),
    };
    if path.last().is_none_or(|last| last.params != params) {
        let last = rows.last();
        let step = last.map_or(summary.steps, |row| row.step.max(summary.steps));
        path.retain(|point| point.step < step);
        path.push(PathPoint {
            step,
            epoch: last.map_or(summary.epochs, |row| row.epoch),
            params,
            loss: last.map_or(f64::NAN, |row| row.train_loss),
        });
    }
    let outcome = match summary.outcome.as_str() {
        "diverged" => Outcome::Diverged,
        "interrupted" => Outcome::Interrupted,
        _ if summary.stopped.is_some() => Outcome::Stopped,
        _ => Outcome::Finished,
    };
    let mut happened = events(
        &rows,
        &End {
            epoch: summary.epochs,
            step: summary.steps,
            stop: None,
            best: summary.best_weights_epoch,
            divergence: None,
            outcome,
        },
    );
    let at = |kind: &str, text: String| crate::insight::run_record::RunEvent {
        step: summary.steps,
        epoch: Some(summary.epochs),
        kind: kind.to_owned(),
        values: vec![("reason".to_owned(), text)],
        text: String::new(),
    };
    happened.extend(summary.stopped.clone().map(|why| at("stopped", why)));
    if outcome == Outcome::Diverged {
        happened.push(at("diverged-somewhere", String::new()));
    }
    let findings = diagnose_afterwards(&problem, &rows, &path, outcome);
    Ok(RunRecord {
        name: experiment.title().to_owned(),
        origin: Origin::Folder,
        seed: experiment.seed,
        made: made.map(seconds_of),
        rows,
        steps: Vec::new(),
        path,
        findings: Some(findings),
        updates_measured: false,
        events: happened,
        outcome,
        seconds: summary.seconds,
        version: summary.version,
        environment: Vec::new(),
        comments: Vec::new(),
        tags: Vec::new(),
        problem,
    })
}
