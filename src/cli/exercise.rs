//! `gradscape exercise`: exercises that check themselves, in the window or by file.

use super::interrupt::Interrupt;
use super::{CliError, Out};
use crate::experiment::Experiment;
use crate::lesson::{Attempt, Exercise, Short, Verdict};
use crate::train::{History, Problem, RunState, Session, TrainCommand};
use clap::Args;
use std::path::PathBuf;
use std::sync::Arc;

/// Exercises that check themselves: list them, open one, or judge an answer
#[derive(Args, Debug, Clone)]
pub struct ExerciseArgs {
    /// The name of an exercise; without it, what exercises there are
    #[arg(value_name = "NAME")]
    exercise: Option<String>,

    /// Write the experiment that the exercise begins with into this file, to be changed
    #[arg(
        long,
        value_name = "FILE",
        requires = "exercise",
        conflicts_with = "check"
    )]
    start: Option<PathBuf>,

    /// Train this experiment and say whether it solves the exercise
    #[arg(long, value_name = "FILE", requires = "exercise")]
    check: Option<PathBuf>,
}

/// Obeys `gradscape exercise`.
///
/// # Errors
/// When there is no such exercise, a file cannot be read or written, no window can be
/// opened, or the answer that was to be checked does not solve it.
pub fn run(args: &ExerciseArgs) -> Result<(), CliError> {
    let all = Exercise::all().map_err(|error| CliError::Failed(error.to_string()))?;
    let Some(name) = &args.exercise else {
        return list(&all);
    };
    let Some(exercise) = all.iter().find(|exercise| exercise.name == *name) else {
        let names: Vec<&str> = all.iter().map(|e| e.name.as_str()).collect();
        return Err(CliError::Usage(format!(
            "there is no exercise {name:?}; there are {}",
            names.join(", ")
        )));
    };
    if let Some(path) = &args.start {
        let text = exercise.experiment.to_toml();
        let text = text.map_err(|error| CliError::Failed(error.to_string()))?;
        let allowed = exercise.may_change.join(", ");
        let text = format!(
            "# {}\n# May be changed: {allowed}\n\n{text}",
            exercise.task.en
        );
        return std::fs::write(path, text).map_err(|error| CliError::io(path, error));
    }
    match &args.check {
        Some(path) => check(exercise, &Experiment::read(path)?),
        None => open(exercise),
    }
}

#[allow(clippy::print_stdout)] // the list is what was asked for
fn list(all: &[Exercise]) -> Result<(), CliError> {
    for exercise in all {
        println!(
            "{:<16} {}\n{:<16} May be changed: {}",
            exercise.name,
            exercise.task.en,
            "",
            exercise.may_change.join(", ")
        );
    }
    Ok(())
}

/// Trains `experiment` as far as the goal looks, and says how it stands.
#[allow(clippy::print_stdout)] // the verdict is what was asked for
fn check(exercise: &Exercise, experiment: &Experiment) -> Result<(), CliError> {
    let problem = Arc::new(Problem::new(experiment)?);
    let mut session = Session::without_path(Arc::clone(&problem));
    let mut history = History::default();
    let within = exercise.goal.within_epochs;
    let epochs = within.unwrap_or(experiment.training.epochs);
    let interrupt = Interrupt::listen();
    let mut out = Out::stdout(false);
    let bar = out.start_bar(epochs as u64, "epochs");
    for _ in 0..epochs {
        if interrupt.is_raised() {
            out.end_bar();
            return Err(CliError::Failed("interrupted before the goal".to_owned()));
        }
        session.command(TrainCommand::Epoch);
        bar.inc(1);
        if session.state() == RunState::Diverged || session.stop().is_some() {
            break;
        }
    }
    out.end_bar();
    let news = session.take_outbox();
    news.rows.into_iter().for_each(|row| history.push(row));
    let verdict = exercise.judge(&Attempt {
        experiment: &problem.experiment,
        network: &problem.network,
        snapshot: &session.snapshot(),
        rows: history.rows(),
    });
    match verdict {
        Verdict::Solved { epoch } => {
            println!("solved, in epoch {epoch}: {}", exercise.solved.en);
            Ok(())
        }
        Verdict::Forbidden(keys) => Err(CliError::Failed(format!(
            "{} may not be changed here: put back {}; what may be changed is {}",
            exercise.name,
            keys.join(", "),
            exercise.may_change.join(", ")
        ))),
        Verdict::Open(short) => {
            let all: Vec<String> = short.iter().map(missing).collect();
            Err(CliError::Failed(format!("not yet: {}", all.join("; "))))
        }
    }
}

fn missing(short: &Short) -> String {
    match *short {
        Short::Finite => "it has not diverged".to_owned(),
        Short::Diverged => "it diverged".to_owned(),
        Short::HiddenNeurons { now, most } => {
            format!("{now} hidden neurons, at most {most} are allowed")
        }
        Short::TooLate { epoch, within } => {
            format!("reached in epoch {epoch}, wanted by epoch {within}")
        }
        Short::Figure {
            figure,
            best,
            wanted,
        } => {
            let best = best.map_or_else(|| "unknown".to_owned(), |best| format!("{best:.4}"));
            let bound = if figure.is_loss() { "most" } else { "least" };
            format!("{} {best}, wanted at {bound} {wanted}", figure.name())
        }
    }
}

#[cfg(feature = "app")]
fn open(exercise: &Exercise) -> Result<(), CliError> {
    use crate::app::Settings;
    use crate::app::run::Opening;

    let (mut settings, notice) = Settings::load();
    settings.choices.exercises.open = Some(exercise.name.clone());
    settings.choices.mode = exercise.view.into();
    super::open::show(&Opening {
        problem: Arc::new(Problem::new(&exercise.experiment)?),
        file: None,
        start: false,
        settings: Some((settings, notice)),
        run: None,
        runs: crate::run::Catalogue::standard(),
        lecture: None,
        watch: None,
    })
}

#[cfg(not(feature = "app"))]
fn open(_: &Exercise) -> Result<(), CliError> {
    Err(super::no_graphics())
}
