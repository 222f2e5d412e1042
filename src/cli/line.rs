//! `gradscape line`: loss and accuracy along the straight line between two weight
//! vectors.

use super::interrupt::Interrupt;
use super::run_folder::write;
use super::source::SourceArgs;
use super::surface::{ThemeName, ending};
use super::waypoint::Waypoint;
use super::{CliError, Out};
use crate::figure::{LineFigure, write_figure};
use crate::interop::write_arrays;
use crate::landscape::{Axis, Line, LinePoint};
use crate::train::Score;
use clap::Args;
use ndarray::{Array1, ArrayD};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Compute loss and accuracy along the straight line between two weight vectors
///
/// At 0 lies --from, at 1 lies --to, both to the last bit (Goodfellow et al. 2015,
/// arXiv:1412.6544). Each of the two is `initial`, `last`, a step of a run, or a
/// file of weights.
#[derive(Args, Debug, Clone)]
pub struct LineArgs {
    #[command(flatten)]
    source: SourceArgs,
    /// Where it begins: `initial`, `last`, STEP or FILE
    #[arg(long, value_name = "PLACE", default_value = "initial")]
    from: Waypoint,
    /// Where it leads to: `initial`, `last`, STEP or FILE
    #[arg(long, value_name = "PLACE", default_value = "last")]
    to: Waypoint,
    /// Compute so many points
    #[arg(long, value_name = "N", default_value = "101")]
    points: usize,
    /// Reach from LO to HI, where 0 is --from and 1 is --to
    #[arg(
        long,
        value_name = "LO:HI",
        default_value = "0:1",
        allow_hyphen_values = true
    )]
    range: Axis,
    /// Write this file: .csv, .npz, .png or .svg; may be given several times
    #[arg(long, value_name = "FILE", required = true, value_parser = output)]
    out: Vec<PathBuf>,
    /// The colours of a picture
    #[arg(long, default_value = "dark")]
    theme: ThemeName,
    /// Print the result as a JSON object
    #[arg(long)]
    json: bool,
}

fn output(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match ending(&path).as_deref() {
        Some("csv" | "npz" | "png" | "svg") => Ok(path),
        _ => Err("lines are written as .csv, .npz, .png or .svg".to_owned()),
    }
}

/// What `--json` prints.
#[derive(Serialize)]
struct LineObject<'a> {
    points: usize,
    from: &'a str,
    to: &'a str,
    length: f64,
    max_train_loss: Option<f64>,
    max_train_loss_at: Option<f64>,
    min_train_loss: Option<f64>,
    min_train_loss_at: Option<f64>,
    barrier: Option<f64>,
    files: &'a [PathBuf],
}

/// Obeys `gradscape line`.
///
/// # Errors
/// When something cannot be read or written, the two places are the same, or it
/// is interrupted.
pub fn run(args: &LineArgs) -> Result<(), CliError> {
    let mut out = Out::stdout(args.json);
    let source = args.source.load()?;
    let axis = Axis::new(args.range.lo, args.range.hi, args.points)?;
    let (from, to) = (args.from.find(&source)?, args.to.find(&source)?);
    if from.params == to.params {
        return Err(CliError::Failed(format!(
            "{} and {} are the same weights; name a folder that `train` wrote, or give two \
             different places with --from and --to",
            from.name, to.name
        )));
    }
    let line = Line::new(from.params, to.params)?;
    let interrupt = Interrupt::listen();
    let bar = out.start_bar(axis.n as u64, "line");
    let count = |n: usize| bar.inc(n as u64);
    let points = line.scores(&source.problem, axis, interrupt.flag(), count);
    out.end_bar();
    let points =
        points.ok_or_else(|| CliError::Failed("interrupted; nothing is written".to_owned()))?;
    let problem = &source.problem;
    let widths: Vec<String> = problem
        .network
        .widths()
        .iter()
        .map(usize::to_string)
        .collect();
    let figure = LineFigure {
        points: &points,
        title: format!("{}: along a straight line", problem.experiment.title()),
        subtitle: format!(
            "network {}; {} training and {} validation samples; the two are {:.4} apart",
            widths.join("-"),
            problem.train.len(),
            problem.validation.len(),
            line.length()
        ),
        ends: [from.name.clone(), to.name.clone()],
        tone: args.theme.into(),
    };
    for file in &args.out {
        match ending(file).as_deref() {
            Some("csv") => write_csv(file, &points)?,
            Some("npz") => write_arrays(file, &arrays(&points))?,
            _ => write_figure(file, figure.draw()?, 1.5)?,
        }
    }
    let finite = || points.iter().filter(|p| p.train.loss.is_finite());
    let highest = finite().max_by(|a, b| a.train.loss.total_cmp(&b.train.loss));
    let lowest = finite().min_by(|a, b| a.train.loss.total_cmp(&b.train.loss));
    let barrier = barrier(&points);
    out.object(&LineObject {
        points: points.len(),
        from: &from.name,
        to: &to.name,
        length: line.length(),
        max_train_loss: highest.map(|p| p.train.loss),
        max_train_loss_at: highest.map(|p| p.at),
        min_train_loss: lowest.map(|p| p.train.loss),
        min_train_loss_at: lowest.map(|p| p.at),
        barrier,
        files: &args.out,
    })?;
    out.say(format!(
        "{} points from {} to {}, {:.6} apart",
        points.len(),
        from.name,
        to.name,
        line.length()
    ))?;
    if let (Some(lowest), Some(highest)) = (lowest, highest) {
        out.say(format!(
            "training loss {:.6} at least, at {:.4}, and {:.6} at most, at {:.4}",
            lowest.train.loss, lowest.at, highest.train.loss, highest.at
        ))?;
    }
    if let Some(barrier) = barrier {
        out.say(format!(
            "between the two the loss rises by {barrier:.6} above the straight line from one loss \
             to the other"
        ))?;
    }
    for file in &args.out {
        out.say(format!("written to {}", file.display()))?;
    }
    Ok(())
}

/// How far the training loss rises between 0 and 1 above the straight line from
/// the loss at the one end to that at the other (the loss barrier of Entezari et
/// al. 2022, arXiv:2110.06296); `None` where the line does not reach both.
fn barrier(points: &[LinePoint]) -> Option<f64> {
    let at = |t: f64| points.iter().find(|p| p.at == t).map(|p| p.train.loss);
    let (from, to) = (at(0.0)?, at(1.0)?);
    let between = points.iter().filter(|p| (0.0..=1.0).contains(&p.at));
    let above = between.map(|p| p.train.loss - ((1.0 - p.at) * from + p.at * to));
    above.reduce(f64::max).filter(|b| b.is_finite())
}

const COLUMNS: [&str; 5] = [
    "t",
    "train_loss",
    "train_accuracy",
    "validation_loss",
    "validation_accuracy",
];

fn row(point: &LinePoint) -> [Option<f64>; 5] {
    let accuracy = |s: Score| s.accuracy;
    [
        Some(point.at),
        Some(point.train.loss),
        accuracy(point.train),
        point.validation.map(|s| s.loss),
        point.validation.and_then(accuracy),
    ]
}

fn write_csv(path: &Path, points: &[LinePoint]) -> Result<(), CliError> {
    let mut text = COLUMNS.join(",") + "\n";
    for point in points {
        let cells = row(point).map(|v| v.map_or(String::new(), |v| v.to_string()));
        text += &cells.join(",");
        text.push('\n');
    }
    write(path, text.as_bytes())
}

/// The columns that have numbers, as arrays.
fn arrays(points: &[LinePoint]) -> Vec<(String, ArrayD<f64>)> {
    let column = |k: usize| -> Option<Array1<f64>> { points.iter().map(|p| row(p)[k]).collect() };
    (0..COLUMNS.len())
        .filter_map(|k| Some((COLUMNS[k].to_owned(), column(k)?.into_dyn())))
        .collect()
}
