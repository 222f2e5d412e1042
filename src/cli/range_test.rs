//! `gradscape range-test`: which learning rates an experiment can be trained with.

use super::interrupt::Interrupt;
use super::run_folder::write;
use super::source::find_experiment_on;
use super::surface::ThemeName;
use super::{CliError, Out};
use crate::figure::{FigureError, RangeTestFigure, tick_label, write_figure};
use crate::search::{DIVERGED_AT, RangeEnd, RangeTest, Suggestion};
use crate::train::Problem;
use clap::Args;
use serde::Serialize;
use std::fmt::Write;
use std::path::PathBuf;

/// Find a learning rate: raise it step by step until training breaks
///
/// The learning-rate range test of L. N. Smith (2017, arXiv:1506.01186), with
/// the smoothing and the stop of fastai's finder. The experiment's own batches,
/// optimiser and penalties are used; its learning rate is not.
#[derive(Args, Debug, Clone)]
pub struct RangeTestArgs {
    /// An experiment file, the name of a sample, or a model
    experiment: String,
    /// The data of a model: a built-in name, or a CSV, NPZ or IDX file
    #[arg(long, value_name = "SOURCE")]
    data: Option<String>,
    /// The first rate
    #[arg(long, value_name = "RATE", default_value = "1e-6")]
    from: f64,
    /// The last rate, unless training breaks before
    #[arg(long, value_name = "RATE", default_value = "10")]
    to: f64,
    /// In so many steps, each on the next batch
    #[arg(long, value_name = "N", default_value = "300")]
    steps: usize,
    /// Use this seed instead of the experiment's
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Write the curve into this folder, as a table and as pictures
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The colours of the picture
    #[arg(long, default_value = "dark")]
    theme: ThemeName,
    /// Print the result as a JSON object
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct RangeTestObject {
    steps: usize,
    suggested_rate: Option<f64>,
    lowest_rate: Option<f64>,
    lowest_loss: Option<f64>,
    steepest_rate: Option<f64>,
    diverging_rate: Option<f64>,
    decay: f64,
    files: Vec<PathBuf>,
}

/// Obeys `gradscape range-test`.
///
/// # Errors
/// When the experiment or the range makes no sense, a file cannot be written,
/// it is interrupted, or the curve suggests no rate.
pub fn run(args: &RangeTestArgs) -> Result<(), CliError> {
    let mut out = Out::stdout(args.json);
    let mut experiment = find_experiment_on(&args.experiment, args.data.as_deref())?;
    if let Some(seed) = args.seed {
        experiment.seed = seed;
    }
    let problem = Problem::new(&experiment)?;
    let mut test = RangeTest::new(&problem, args.from, args.to, args.steps)
        .map_err(|error| CliError::Usage(error.to_string()))?;
    let interrupt = Interrupt::listen();
    let bar = out.start_bar(args.steps as u64, "steps");
    while test.advance() {
        bar.inc(1);
        if interrupt.is_raised() {
            out.end_bar();
            return Err(CliError::Failed(
                "interrupted; nothing is written".to_owned(),
            ));
        }
    }
    out.end_bar();
    let diverging = match test.end() {
        Some(RangeEnd::Diverged { rate }) => Some(rate),
        _ => None,
    };
    let suggestion = test.suggestion();
    let files = write_files(args, &test, experiment.title(), suggestion, diverging)?;
    let at = |index: usize| test.curve()[index];
    out.object(&RangeTestObject {
        steps: test.curve().len(),
        suggested_rate: suggestion.map(|s| s.rate),
        lowest_rate: suggestion.map(|s| at(s.minimum).rate),
        lowest_loss: suggestion.map(|s| at(s.minimum).smoothed),
        steepest_rate: suggestion.and_then(|s| Some(at(s.steepest?).rate)),
        diverging_rate: diverging,
        decay: test.decay(),
        files: files.clone(),
    })?;
    out.say(format!(
        "{}: {} steps from a rate of {} on, smoothed with a decay of {:.3}",
        experiment.title(),
        test.curve().len(),
        short(args.from),
        test.decay()
    ))?;
    match diverging {
        Some(rate) => out.say(format!(
            "diverges  at {}: {}",
            short(rate),
            match test.curve().last() {
                Some(last) if last.rate == rate =>
                    format!("the smoothed loss is more than {DIVERGED_AT} times its least value"),
                _ => "a number is no longer finite".to_owned(),
            }
        ))?,
        None => out.say(format!("has not diverged up to {}", short(args.to)))?,
    }
    let Some(suggestion) = suggestion else {
        for file in &files {
            out.say(format!("written to {}", file.display()))?;
        }
        return Err(CliError::Failed(format!(
            "the loss did not fall before it rose, so no rate is suggested; try more --steps, or {}",
            match diverging {
                Some(_) => "a smaller --from",
                None => "a greater --to",
            }
        )));
    };
    let lowest = at(suggestion.minimum);
    out.say(format!(
        "lowest    at {}: smoothed loss {:.5}",
        short(lowest.rate),
        lowest.smoothed
    ))?;
    if let Some(steepest) = suggestion.steepest {
        out.say(format!("steepest  at {}", short(at(steepest).rate)))?;
    }
    if diverging.is_none() && suggestion.minimum + 1 == test.curve().len() {
        out.say("the loss was still falling at the last rate; a greater --to may suggest more")?;
    }
    out.say(format!(
        "suggested {}: a tenth of the rate at the lowest point. In the experiment file:\n\n[training]\noptimizer = {{ name = \"{}\", learning_rate = {} }}\n",
        short(suggestion.rate),
        optimizer_name(&experiment)?,
        suggestion.rate,
    ))?;
    for file in &files {
        out.say(format!("written to {}", file.display()))?;
    }
    Ok(())
}

/// A rate in three digits.
fn short(rate: f64) -> String {
    tick_label(format!("{rate:.2e}").parse().unwrap_or(rate))
}

/// The optimiser as the experiment file names it.
fn optimizer_name(experiment: &crate::experiment::Experiment) -> Result<String, CliError> {
    let name = toml::Value::try_from(experiment.training.optimizer.name)
        .map_err(|error| CliError::Failed(error.to_string()))?;
    Ok(name.as_str().unwrap_or_default().to_owned())
}

fn write_files(
    args: &RangeTestArgs,
    test: &RangeTest,
    title: &str,
    suggestion: Option<Suggestion>,
    diverging: Option<f64>,
) -> Result<Vec<PathBuf>, CliError> {
    let Some(dir) = &args.out else {
        return Ok(Vec::new());
    };
    std::fs::create_dir_all(dir).map_err(|error| CliError::io(dir, error))?;
    let file = dir.join("range-test.csv");
    let mut text = "step,learning_rate,loss,smoothed_loss\n".to_owned();
    for p in test.curve() {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{},{},{},{}", p.step, p.rate, p.loss, p.smoothed);
    }
    write(&file, text.as_bytes())?;
    let mut files = vec![file];
    let figure = RangeTestFigure {
        curve: test.curve(),
        suggestion,
        diverging,
        range: test.range(),
        title: format!("{title}: learning-rate range test"),
        subtitle: match suggestion {
            Some(s) => format!(
                "suggested {}: a tenth of the rate at the lowest point",
                short(s.rate)
            ),
            None => "the loss did not fall; no rate is suggested".to_owned(),
        },
        tone: args.theme.into(),
    };
    for name in ["range-test.png", "range-test.svg"] {
        match figure.draw() {
            Ok(svg) => {
                let file = dir.join(name);
                write_figure(&file, svg, 1.5)?;
                files.push(file);
            }
            // The table alone then says what happened.
            Err(FigureError::Empty(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(files)
}
