//! `gradscape runs compare`: what recorded runs came to, in what they differ, and a
//! picture of that.

use super::{columns, loss_text, open, share_text};
use crate::cli::surface::{ThemeName, ending};
use crate::cli::{CliError, Out};
use crate::compare::Difference;
use crate::figure::{
    OverlayFigure, OverlaySeries, ParallelFigure, RaceCurve, RaceCurvesFigure, Svg, write_figure,
};
use crate::insight::histogram::Histogram;
use crate::run::{ComparedRun, CurveOf, RunFigures, RunFile, axes, differing_keys};
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::path::PathBuf;

/// Say in what recorded runs differ and what each came to, and draw it
#[derive(Args, Debug, Clone)]
pub(super) struct CompareArgs {
    /// .gsrun files, ids or beginnings of them, or names
    #[arg(value_name = "RUN", num_args = 2..=MOST, required = true)]
    runs: Vec<String>,
    /// Draw into this file: .svg or .png
    #[arg(long, value_name = "FILE", value_parser = picture)]
    out: Option<PathBuf>,
    /// What is drawn
    #[arg(
        long,
        value_name = "WHAT",
        value_enum,
        default_value = "curves",
        requires = "out"
    )]
    what: What,
    /// Curves: of which quantity
    #[arg(
        long,
        value_name = "QUANTITY",
        value_enum,
        default_value = "loss",
        requires = "out"
    )]
    of: Of,
    /// Histogram: of the weights after so many steps, or the last before, instead of the last
    #[arg(long, value_name = "STEP", requires = "out")]
    at_step: Option<u64>,
    /// Histogram: shares by their logarithm
    #[arg(long, requires = "out")]
    log: bool,
    /// The colours of the picture
    #[arg(long, value_name = "THEME", value_enum, default_value = "light")]
    theme: ThemeName,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// The most runs that are compared, and of which histograms lie over each other.
const MOST: usize = 1000;
const MOST_HISTOGRAMS: usize = 12;
/// The most runs whose table is printed for people.
const MOST_COLUMNS: usize = 8;
/// The most steps of a run that are drawn.
const STEPS: usize = 4000;
/// Bins of a histogram.
const BINS: usize = 60;

#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    /// Curves over the steps, overlaid
    Curves,
    /// Histograms of all parameters, over each other
    Histogram,
    /// Parallel coordinates: what differs, and the results
    Parallel,
}

#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    /// Validation loss, or training loss where nothing is held back
    Loss,
    /// Training loss
    TrainLoss,
    /// Validation accuracy, or training accuracy
    Accuracy,
    /// The loss of each step's batch
    BatchLoss,
    /// The learning rate of each step
    LearningRate,
    /// The norm of each step's gradient
    GradientNorm,
}

impl Of {
    fn curve(self) -> (CurveOf, &'static str) {
        match self {
            Of::Loss => (CurveOf::Loss, "loss"),
            Of::TrainLoss => (CurveOf::TrainLoss, "training loss"),
            Of::Accuracy => (CurveOf::Accuracy, "accuracy"),
            Of::BatchLoss => (CurveOf::BatchLoss, "loss of the step's batch"),
            Of::LearningRate => (CurveOf::LearningRate, "learning rate"),
            Of::GradientNorm => (CurveOf::GradientNorm, "gradient norm"),
        }
    }
}

fn picture(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match ending(&path).as_deref() {
        Some("png" | "svg") => Ok(path),
        _ => Err("pictures end in .png or .svg".to_owned()),
    }
}

/// What `--json` prints.
#[derive(Serialize)]
struct CompareObject<'a> {
    runs: Vec<&'a RunFigures>,
    differences: &'a [Difference],
}

pub(super) fn run(args: &CompareArgs) -> Result<(), CliError> {
    let mut out = Out::stdout(args.json);
    let files: Vec<RunFile> = args
        .runs
        .iter()
        .map(|name| open(name))
        .collect::<Result<_, _>>()?;
    let runs: Vec<ComparedRun> = files
        .iter()
        .map(|file| ComparedRun::read(file, STEPS))
        .collect::<Result<_, _>>()?;
    let differences = differing_keys(&runs);
    out.object(&CompareObject {
        runs: runs.iter().map(|run| &run.figures).collect(),
        differences: &differences,
    })?;
    match runs.len() <= MOST_COLUMNS {
        true => out.say(table(&runs, &differences))?,
        false => out.say(long_table(&runs, &differences))?,
    }
    let Some(path) = &args.out else {
        return Ok(());
    };
    let svg = match args.what {
        What::Curves => curves(args, &runs)?,
        What::Histogram => histogram(args, &files, &runs)?,
        What::Parallel => parallel(args, &runs)?,
    };
    write_figure(path, svg, 1.5)?;
    out.say(format!("written to {}", path.display()))
}

/// What a run is called beside others: its name, and where several have the same, its id.
fn name(runs: &[ComparedRun], k: usize) -> String {
    let own = &runs[k].figures;
    let alike = runs.iter().filter(|run| run.figures.name == own.name);
    match alike.count() {
        1 => own.name.clone(),
        _ => own.id.clone(),
    }
}

fn rows_of(runs: &[ComparedRun]) -> Vec<(&'static str, Vec<String>)> {
    let dash = || "-".to_owned();
    let column = |value: &dyn Fn(&RunFigures) -> Option<String>| -> Vec<String> {
        let values = runs.iter().map(|run| value(&run.figures));
        values.map(|value| value.unwrap_or_else(dash)).collect()
    };
    let rows: Vec<(&'static str, Vec<String>)> = vec![
        ("state", column(&|f| Some(f.state.name().to_owned()))),
        ("parameters", column(&|f| Some(f.parameters.to_string()))),
        ("epochs", column(&|f| Some(f.epochs.to_string()))),
        ("steps", column(&|f| Some(f.steps.to_string()))),
        ("seconds", column(&|f| Some(format!("{:.2}", f.seconds)))),
        ("training loss", column(&|f| f.train_loss.map(loss_text))),
        (
            "validation loss",
            column(&|f| f.validation_loss.map(loss_text)),
        ),
        (
            "training accuracy",
            column(&|f| f.train_accuracy.map(share_text)),
        ),
        (
            "validation accuracy",
            column(&|f| f.validation_accuracy.map(share_text)),
        ),
        (
            "lowest loss",
            column(&|f| {
                f.best
                    .map(|(loss, epoch)| format!("{} (epoch {epoch})", loss_text(loss)))
            }),
        ),
    ];
    let is_said = |row: &(&str, Vec<String>)| row.1.iter().any(|value| value != "-");
    rows.into_iter().filter(is_said).collect()
}

/// A column for each run: its figures, and below them what differs.
fn table(runs: &[ComparedRun], differences: &[Difference]) -> String {
    let names = (0..runs.len()).map(|k| name(runs, k));
    let mut rows: Vec<Vec<String>> = vec![std::iter::once(String::new()).chain(names).collect()];
    for (name, values) in rows_of(runs) {
        rows.push(std::iter::once(name.to_owned()).chain(values).collect());
    }
    for difference in differences {
        let values = difference
            .values
            .iter()
            .map(|v| v.clone().unwrap_or_else(|| "-".to_owned()));
        rows.push(
            std::iter::once(difference.key.clone())
                .chain(values)
                .collect(),
        );
    }
    columns(&rows, &[])
}

/// A line for each run where they are many.
fn long_table(runs: &[ComparedRun], differences: &[Difference]) -> String {
    let mut head = vec![
        "run".to_owned(),
        "lowest loss".to_owned(),
        "epoch".to_owned(),
    ];
    head.extend(differences.iter().map(|d| d.key.clone()));
    let mut order: Vec<usize> = (0..runs.len()).collect();
    let best = |k: usize| runs[k].figures.best.map_or(f64::INFINITY, |best| best.0);
    order.sort_by(|&a, &b| best(a).total_cmp(&best(b)));
    let mut rows = vec![head];
    for k in order {
        let best = runs[k].figures.best;
        let mut row = vec![
            name(runs, k),
            best.map_or_else(|| "-".to_owned(), |best| loss_text(best.0)),
            best.map_or_else(|| "-".to_owned(), |best| best.1.to_string()),
        ];
        let values = differences.iter().map(|d| d.values[k].clone());
        row.extend(values.map(|value| value.unwrap_or_else(|| "-".to_owned())));
        rows.push(row);
    }
    columns(&rows, &[false, true, true])
}

fn curves(args: &CompareArgs, runs: &[ComparedRun]) -> Result<Svg, CliError> {
    let (of, quantity) = args.of.curve();
    let held_back = runs.iter().all(|run| run.figures.validation_loss.is_some());
    let quantity = match (args.of, held_back) {
        (Of::Loss | Of::Accuracy, true) => format!("validation {quantity}"),
        _ => quantity.to_owned(),
    };
    let figure = RaceCurvesFigure {
        curves: runs
            .iter()
            .enumerate()
            .map(|(k, run)| RaceCurve {
                color: k,
                name: name(runs, k),
                points: run.curve(of),
            })
            .collect(),
        title: format!("{} runs", runs.len()),
        subtitle: "As they were recorded".to_owned(),
        quantity,
        tone: args.theme.into(),
    };
    Ok(figure.draw()?)
}

fn histogram(args: &CompareArgs, files: &[RunFile], runs: &[ComparedRun]) -> Result<Svg, CliError> {
    if files.len() > MOST_HISTOGRAMS {
        return Err(CliError::Usage(format!(
            "--what histogram: at most {MOST_HISTOGRAMS} lie over each other legibly"
        )));
    }
    let at = args.at_step.unwrap_or(u64::MAX);
    let weights: Vec<Vec<f32>> = files
        .iter()
        .map(|file| file.snapshot(at))
        .collect::<Result<_, _>>()?;
    let finite = weights.iter().flatten().filter(|v| v.is_finite());
    let (lo, hi) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), &v| {
        (lo.min(f64::from(v)), hi.max(f64::from(v)))
    });
    let range = (lo < hi).then_some([lo, hi]);
    let series = weights
        .iter()
        .enumerate()
        .map(|(k, weights)| OverlaySeries {
            name: name(runs, k),
            histogram: Histogram::of(weights, BINS, range),
        });
    let figure = OverlayFigure {
        series: series.collect(),
        title: format!("Parameters of {} runs", runs.len()),
        subtitle: match args.at_step {
            Some(step) => format!("Weights and biases after {step} steps, or the last before"),
            None => "Weights and biases at the end of each".to_owned(),
        },
        quantity: "value".to_owned(),
        log: args.log,
        tone: args.theme.into(),
    };
    Ok(figure.draw()?)
}

fn parallel(args: &CompareArgs, runs: &[ComparedRun]) -> Result<Svg, CliError> {
    let figure = ParallelFigure {
        axes: axes(runs),
        names: (0..runs.len()).map(|k| name(runs, k)).collect(),
        title: format!("{} runs", runs.len()),
        subtitle: "In what they differ, and what they came to".to_owned(),
        tone: args.theme.into(),
    };
    Ok(figure.draw()?)
}
