//! The run that is diagnosed: one that was recorded, as it was, or one that is made here.

use super::DiagnoseArgs;
use crate::cli::interrupt::Interrupt;
use crate::cli::run_source::{interrupted, read};
use crate::cli::samples::sample;
use crate::cli::source::{Recorded, find, find_experiment_on};
use crate::cli::{CliError, Out};
use crate::experiment::Experiment;
use crate::insight::diagnosis::{Checkup, Facts, Finding, Thresholds};
use crate::insight::run_record::look_back;
use crate::run::RunFile;
use crate::train::{HistoryRow, Problem};
use serde::Serialize;
use std::sync::Arc;

/// Where the run comes from.
#[derive(Serialize, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Made {
    /// It was made for the diagnosis.
    Trained,
    /// It is what a run's file says.
    Recorded,
    /// It is what a folder of `train` says.
    Folder,
}

/// A run, and what was found.
pub(super) struct Examined {
    pub made: Made,
    /// The recorded run's id.
    pub run: Option<String>,
    pub name: String,
    pub problem: Arc<Problem>,
    pub facts: Facts,
    pub rows: Vec<HistoryRow>,
    /// Epochs and steps completed.
    pub epoch: usize,
    pub step: u64,
    /// Whether the updates of the layers are known; without them nothing is said about the
    /// learning rate.
    pub updates_measured: bool,
    pub findings: Vec<Finding>,
    /// What has to be known of how this was found.
    pub remarks: Vec<String>,
}

impl Examined {
    /// Of what `args` name.
    ///
    /// # Errors
    /// When there is no such thing, a file cannot be read, or it is interrupted.
    pub(super) fn of(
        args: &DiagnoseArgs,
        thresholds: &Thresholds,
        out: &mut Out,
        interrupt: &Interrupt,
    ) -> Result<Self, CliError> {
        let name = &args.experiment;
        let is_recorded = args.data.is_none() && sample(name).is_none();
        let (mut experiment, recorded) = match is_recorded {
            true => find(name)?,
            false => (find_experiment_on(name, args.data.as_deref())?, None),
        };
        if let Some(recorded) = recorded.filter(|_| !args.again) {
            if args.epochs.is_some() || args.seed.is_some() {
                return Err(CliError::Usage(format!(
                    "--epochs and --seed make another run than {name}; add --again to train it"
                )));
            }
            return as_it_was(&recorded, &experiment, thresholds, args);
        }
        if let Some(epochs) = args.epochs {
            experiment.training.epochs = epochs;
        }
        if let Some(seed) = args.seed {
            experiment.seed = seed;
        }
        trained(&experiment, thresholds, out, interrupt)
    }
}

fn trained(
    experiment: &Experiment,
    thresholds: &Thresholds,
    out: &mut Out,
    interrupt: &Interrupt,
) -> Result<Examined, CliError> {
    let mut checkup = Checkup::new(experiment)?;
    let bar = out.start_bar(experiment.training.epochs as u64, "epochs");
    while checkup.advance() {
        bar.inc(1);
        if interrupt.is_raised() {
            out.end_bar();
            return Err(interrupted());
        }
    }
    out.end_bar();
    let findings = checkup.diagnose(thresholds);
    let snapshot = checkup.snapshot();
    Ok(Examined {
        made: Made::Trained,
        run: None,
        name: experiment.title().to_owned(),
        problem: Arc::clone(checkup.problem()),
        facts: checkup.facts().clone(),
        rows: checkup.rows().to_vec(),
        epoch: snapshot.epoch,
        step: snapshot.step,
        updates_measured: true,
        findings,
        remarks: Vec::new(),
    })
}

fn as_it_was(
    recorded: &Recorded,
    experiment: &Experiment,
    thresholds: &Thresholds,
    args: &DiagnoseArgs,
) -> Result<Examined, CliError> {
    let record = read(recorded, experiment)?;
    let mut remarks = Vec::new();
    let (mut made, mut run, mut found) = (Made::Folder, None, None);
    if let Recorded::File(path) = recorded {
        let file = RunFile::open(path)?;
        let info = file.info();
        if info.watched.is_some() {
            return Err(CliError::Failed(format!(
                "{}: another program trained this run; its data and its optimiser are not in the \
                 record, and without them nothing can be said about it",
                args.experiment
            )));
        }
        remarks.push(format!(
            "as it was recorded ({}); nothing was trained",
            info.id
        ));
        if let Some(parent) = &info.parent {
            remarks.push(format!(
                "it went on from step {} of {}; what came before is that run's",
                parent.step, parent.id
            ));
        }
        (made, run) = (Made::Recorded, Some(info.id.clone()));
        // What the run's own recorder found on the way is more than can be found afterwards.
        if record.updates_measured && *thresholds == Thresholds::default() {
            found = Some(file.findings()?);
        }
    } else {
        remarks.push("as the folder has it; nothing was trained".to_owned());
    }
    let updates_measured = found.is_some();
    let findings = match found {
        Some(found) => found,
        None => {
            let points = record.path.len();
            let of = match points {
                1 => "the last weights alone".to_owned(),
                n => format!("the weights of {n} steps"),
            };
            remarks.push(format!(
                "seen afterwards, with {of} that were kept: the updates of single steps are not \
                 in the record, so that nothing is said about the learning rate (--again trains \
                 the experiment from its start and measures them)"
            ));
            look_back(
                &record.problem,
                &record.rows,
                &record.path,
                record.outcome,
                thresholds,
            )
        }
    };
    let last = record.path.last();
    let row = record.rows.last();
    Ok(Examined {
        made,
        run,
        facts: Facts::of(&record.problem),
        epoch: row.map_or(0, |row| row.epoch),
        step: last.map_or(0, |last| last.step),
        updates_measured,
        findings,
        remarks,
        name: record.name,
        rows: record.rows,
        problem: record.problem,
    })
}
