//! `gradscape train`: runs an experiment and keeps everything it came to.

use super::interrupt::Interrupt;
use super::report::{RunReport, describe, epoch_line, headline, rule_lines, table_head};
use super::run_folder::RunFolder;
use super::source::find_experiment_on;
use super::{CliError, Out};
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
    /// An experiment file, the name of a sample, or a model of another program
    pub experiment: String,
    /// The data of a model: a built-in name, or a CSV, NPZ or IDX file
    #[arg(long, value_name = "SOURCE")]
    pub data: Option<String>,
    /// Write experiment, weights, history, path and summary into this folder
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Train for so many epochs instead of the experiment's
    #[arg(long, value_name = "N")]
    pub epochs: Option<usize>,
    /// Use this seed instead of the experiment's
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Write into a folder even if it holds other files
    #[arg(long)]
    pub force: bool,
    /// Print one JSON object an epoch
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
}

/// Obeys `gradscape train`.
///
/// # Errors
/// When something cannot be read or written, the run diverges or is interrupted.
pub fn run(args: &TrainArgs) -> Result<(), CliError> {
    let mut out = Out::stdout(args.json);
    let mut experiment = find_experiment_on(&args.experiment, args.data.as_deref())?;
    if let Some(epochs) = args.epochs {
        experiment.training.epochs = epochs;
    }
    if let Some(seed) = args.seed {
        experiment.seed = seed;
    }
    let problem = Arc::new(Problem::new(&experiment)?);
    let folder = RunFolder::create(&args.out, &experiment, args.force)?;
    let interrupt = Interrupt::listen();
    let epochs = experiment.training.epochs;
    let every = (epochs / 20).max(1);
    out.say(headline(&problem))?;
    out.say(rule_lines(&problem))?;
    out.say(table_head())?;
    let (report, ending) = train_into(
        &problem,
        folder,
        &interrupt,
        &mut out,
        |out, row, seconds| {
            if row.epoch > 0 {
                out.object(&EpochObject { row, seconds })?;
            }
            if row.epoch % every == 0 || row.epoch == epochs {
                out.say(epoch_line(row, seconds))?;
            }
            Ok(())
        },
    )?;
    match ending {
        Ending::Finished => {
            out.say(report.verdict())?;
            out.say(format!("written to {}", args.out.display()))
        }
        Ending::Interrupted => Err(CliError::Failed(format!(
            "interrupted in epoch {}; what was reached is in {}",
            report.epochs + 1,
            args.out.display()
        ))),
        Ending::Diverged(divergence) => Err(CliError::Failed(format!(
            "{}; the last finite weights are in {}. Try a smaller learning rate",
            describe(&divergence, &problem),
            args.out.display()
        ))),
    }
}

/// Trains `problem` from its start and fills `folder`, whatever happens on the
/// way. `each` gets every epoch, 0 included, with the seconds since the start;
/// when nobody reads what it prints, the run ends as if interrupted.
///
/// # Errors
/// What `each` fails with, after everything is saved, and when the folder
/// cannot be written.
pub fn train_into(
    problem: &Arc<Problem>,
    mut folder: RunFolder,
    interrupt: &Interrupt,
    out: &mut Out,
    mut each: impl FnMut(&mut Out, &HistoryRow, f64) -> Result<(), CliError>,
) -> Result<(RunReport, Ending), CliError> {
    let begin = Instant::now();
    let mut session = Session::new(Arc::clone(problem));
    let epochs = problem.experiment.training.epochs;
    let steps = session.trainer().steps_per_epoch();
    let bar = out.start_bar((epochs * steps) as u64, "training");
    let mut report = RunReport::new(problem);
    if epochs > 0 {
        session.command(TrainCommand::Start);
    }
    let mut printed = Ok(());
    loop {
        for row in session.take_outbox().rows {
            folder.push(&row)?;
            report.see(&row);
            if printed.is_ok() {
                printed = each(out, &row, begin.elapsed().as_secs_f64());
            }
        }
        if printed.is_err() || interrupt.is_raised() || !session.advance() {
            break;
        }
        bar.set_position(session.trainer().steps());
    }
    out.end_bar();
    let divergence = session.snapshot().divergence;
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
    report.set_ending(&ending, &session, problem);
    folder.finish(problem.network.layout(), params, &path, &report)?;
    printed.map(|()| (report, ending))
}
