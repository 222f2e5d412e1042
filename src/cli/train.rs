//! `gradscape train`: runs an experiment and keeps everything it came to.

use super::branch::Branch;
use super::interrupt::Interrupt;
use super::record::{Record, RecordArgs};
use super::report::{RunReport, describe, epoch_line, headline, rule_lines, table_head};
use super::run_folder::RunFolder;
use super::source::{Recorded, find, find_experiment_on};
use super::{CliError, Out};
use crate::experiment::Experiment;
use crate::run::{Parent, RunFile};
use crate::search::{Vary, with_settings};
use crate::train::{
    Divergence, Evaluator, HistoryRow, PathPoint, Problem, RunState, Score, Session, TrainCommand,
};
use clap::Args;
use serde::Serialize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// Run an experiment
#[derive(Args, Debug, Clone)]
pub struct TrainArgs {
    /// An experiment file, the name of a sample, a model of another program, or a recorded run
    pub experiment: String,
    /// The data of a model: a built-in name, or a CSV, NPZ or IDX file
    #[arg(long, value_name = "SOURCE")]
    pub data: Option<String>,
    /// Write experiment, weights, history, path and summary into this folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Go on from a recorded run after so many steps, or the last weights before, as a new run
    #[arg(long, value_name = "STEP", conflicts_with = "data")]
    pub from: Option<u64>,
    /// Use this learning rate instead of the experiment's
    #[arg(long, value_name = "RATE")]
    pub learning_rate: Option<f64>,
    /// Use another value of any key of the experiment; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<Vary>,
    #[command(flatten)]
    pub record: RecordArgs,
    /// Train for so many epochs instead of the experiment's
    ///
    /// With --from that is how many epochs there are in all, those before STEP among them.
    #[arg(long, value_name = "N")]
    pub epochs: Option<usize>,
    /// Use this seed instead of the experiment's
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Write into a folder even if it holds other files
    #[arg(long)]
    pub force: bool,
    /// Print one JSON object an epoch; with --from it says under `from` which run and step it goes on from
    #[arg(long)]
    pub json: bool,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Ending {
    /// All epochs are done.
    Finished,
    /// The user, or whoever read the output, had enough.
    Interrupted,
    /// Numbers stopped being finite.
    Diverged(Divergence),
}

/// An epoch as `--json` prints it.
#[derive(Serialize)]
struct EpochObject<'a> {
    #[serde(flatten)]
    row: &'a HistoryRow,
    seconds: f64,
    /// The run and the step that a branch goes on from.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'a Parent>,
}

/// Obeys `gradscape train`.
///
/// # Errors
/// When something cannot be read or written, the run diverges or is interrupted.
pub fn run(args: &TrainArgs) -> Result<(), CliError> {
    let mut out = Out::stdout(args.json);
    if args.out.is_none() && args.record.is_off() {
        return Err(CliError::Usage(
            "with --no-record and without --out DIR nothing of the run would be kept".to_owned(),
        ));
    }
    args.record.check()?;
    let (experiment, origin) = begin(args)?;
    let problem = Arc::new(Problem::new(&experiment)?);
    let (mut session, parent, memory) = match origin {
        None => (Session::new(Arc::clone(&problem)), None, String::new()),
        Some(branch) => {
            let Branch { place, origin } = *branch;
            let saved = place.memory.as_ref().map(|memory| memory.optimizer.clone());
            let others = place.params.len();
            let session = Session::resume(Arc::clone(&problem), place).ok_or_else(|| {
                CliError::Failed(format!(
                    "{}: it has {others} parameters and the network of this experiment {}; a \
                     branch may change how it is trained, not its structure",
                    args.experiment,
                    problem.network.layout().len()
                ))
            })?;
            let memory = origin.words(&session, &experiment, saved.as_deref());
            (session, Some(origin.parent), memory)
        }
    };
    let folder = match &args.out {
        Some(dir) => Some(RunFolder::create(dir, &problem.experiment, args.force)?),
        None => None,
    };
    let interrupt = Interrupt::listen();
    let epochs = experiment.training.epochs;
    let every = (epochs / 20).max(1);
    out.say(headline(&problem))?;
    out.say(rule_lines(&problem))?;
    if let Some(parent) = &parent {
        out.say(format!(
            "goes on from step {} of {}",
            parent.step, parent.id
        ))?;
        out.say(memory)?;
    }
    let mut record = args
        .record
        .begin(&mut session, &problem, parent.clone(), &mut out)?;
    out.say(table_head())?;
    let trained = train_session(
        &mut session,
        folder,
        record.as_mut(),
        &interrupt,
        &mut out,
        |out, row, seconds| {
            if row.epoch > 0 {
                out.object(&EpochObject {
                    row,
                    seconds,
                    from: parent.as_ref(),
                })?;
            }
            if row.epoch % every == 0 || row.epoch == epochs {
                out.say(epoch_line(row, seconds))?;
            }
            Ok(())
        },
    );
    let place = match (&args.out, &record) {
        (Some(dir), _) => dir.display().to_string(),
        (None, Some(record)) => record.path().display().to_string(),
        (None, None) => "no file".to_owned(),
    };
    let recorded = record.map(|record| record.finish(&mut session, &mut out));
    let (report, ending) = trained?;
    recorded.transpose()?;
    match ending {
        Ending::Finished => {
            out.say(report.verdict())?;
            match &args.out {
                Some(dir) => out.say(format!("written to {}", dir.display())),
                None => Ok(()),
            }
        }
        Ending::Interrupted => Err(CliError::Failed(format!(
            "interrupted in epoch {}; what was reached is in {place}",
            report.epochs + 1,
        ))),
        Ending::Diverged(divergence) => Err(CliError::Failed(format!(
            "{}; the last finite weights are in {place}. Try a smaller learning rate",
            describe(&divergence, &problem),
        ))),
    }
}

/// The experiment that is to be run, and for a branch where it goes on from.
fn begin(args: &TrainArgs) -> Result<(Experiment, Option<Box<Branch>>), CliError> {
    let (mut experiment, origin) = match args.from {
        None => (
            find_experiment_on(&args.experiment, args.data.as_deref())?,
            None,
        ),
        Some(step) => {
            if args.seed.is_some() {
                return Err(CliError::Usage(
                    "--seed does not go with --from: a branch keeps the data and batches of its run"
                        .to_owned(),
                ));
            }
            let (experiment, run) = find(&args.experiment)?;
            let Some(Recorded::File(file)) = run else {
                return Err(CliError::Usage(format!(
                    "--from goes with a recorded run (.gsrun, or its id), and {} is none",
                    args.experiment
                )));
            };
            let branch = Branch::of(&RunFile::open(&file)?, step, &experiment)?;
            (experiment, Some(Box::new(branch)))
        }
    };
    if let Some(epochs) = args.epochs {
        experiment.training.epochs = epochs;
    }
    if let Some(seed) = args.seed {
        experiment.seed = seed;
    }
    if let Some(rate) = args.learning_rate {
        experiment.training.optimizer.learning_rate = rate;
    }
    let experiment = with_settings(&experiment, &args.set)?;
    let epochs = experiment.training.epochs;
    if let Some(branch) = &origin
        && branch.place.epoch >= epochs
    {
        return Err(CliError::Usage(format!(
            "step {} is at the end of epoch {}, and the branch would have {epochs} epochs in all: \
             nothing is left to train; give --epochs more than {}",
            branch.place.step, branch.place.epoch, branch.place.epoch
        )));
    }
    experiment
        .validate()
        .map_err(|error| experiment.fault(error))?;
    Ok((experiment, origin))
}

/// Trains `problem` from its start, fills `folder`, whatever happens on the way, and
/// records the run in the folder of runs, where that can be written. `each` gets every epoch, 0 included, with the seconds since the start;
/// when nobody reads what it prints, the run ends as if interrupted.
///
/// # Errors
/// What `each` fails with, after everything is saved, and when the folder
/// cannot be written.
pub fn train_into(
    problem: &Arc<Problem>,
    folder: RunFolder,
    interrupt: &Interrupt,
    out: &mut Out,
    each: impl FnMut(&mut Out, &HistoryRow, f64) -> Result<(), CliError>,
) -> Result<(RunReport, Ending), CliError> {
    let mut session = Session::new(Arc::clone(problem));
    let record = RecordArgs::default();
    let mut record = record.begin(&mut session, problem, None, out)?;
    let trained = train_session(
        &mut session,
        Some(folder),
        record.as_mut(),
        interrupt,
        out,
        each,
    );
    let recorded = record.map(|record| record.finish(&mut session, out));
    let trained = trained?;
    recorded.transpose()?;
    Ok(trained)
}

/// The same with a session that has not begun yet, and its recording.
fn train_session(
    session: &mut Session,
    mut folder: Option<RunFolder>,
    mut record: Option<&mut Record>,
    interrupt: &Interrupt,
    out: &mut Out,
    mut each: impl FnMut(&mut Out, &HistoryRow, f64) -> Result<(), CliError>,
) -> Result<(RunReport, Ending), CliError> {
    let begin = Instant::now();
    let problem = &Arc::clone(session.trainer().problem());
    let epochs = problem.experiment.training.epochs;
    let steps = session.trainer().steps_per_epoch();
    let mut report = RunReport::new(problem);
    if epochs > 0 {
        session.command(TrainCommand::Start);
    }
    let bar = out.start_bar((session.target_epoch() * steps) as u64, "training");
    let mut printed = Ok(());
    loop {
        for row in session.take_outbox().rows {
            if let Some(folder) = &mut folder {
                folder.push(&row)?;
            }
            report.see(&row);
            if printed.is_ok() {
                printed = each(out, &row, begin.elapsed().as_secs_f64());
            }
        }
        if let Some(record) = &mut record
            && printed.is_ok()
        {
            printed = record.mark(out);
        }
        if printed.is_err() || interrupt.is_raised() || !session.advance() {
            break;
        }
        bar.set_position(session.trainer().steps());
    }
    out.end_bar();
    let divergence = session.divergence().cloned();
    let ending = match (session.state(), divergence) {
        (RunState::Diverged, Some(divergence)) => Ending::Diverged(divergence),
        (RunState::Finished, _) => Ending::Finished,
        _ if epochs == 0 => Ending::Finished,
        _ => Ending::Interrupted,
    };
    let params = session.trainer().params();
    let mut evaluator = Evaluator::new(&problem.network);
    let mut score = |samples| evaluator.score(&problem.network, params, samples, problem.encoding);
    let train = score(&problem.train).unwrap_or(Score {
        loss: f64::NAN,
        accuracy: None,
    });
    let validation = score(&problem.validation);
    let (epoch, step) = (session.trainer().epoch(), session.trainer().steps());
    let mut path = session.trajectory().points().to_vec();
    if path.last().is_none_or(|last| last.step < step) {
        path.push(PathPoint {
            step,
            epoch,
            params: Arc::from(params),
            loss: train.loss,
        });
    }
    report.end(
        epoch,
        step,
        train,
        validation,
        begin.elapsed().as_secs_f64(),
    );
    report.set_ending(&ending, session, problem);
    if let Some(folder) = folder {
        folder.finish(problem.network.layout(), params, &path, &report)?;
    }
    printed.map(|()| (report, ending))
}
