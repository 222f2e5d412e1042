//! `gradscape figure`: the inside of a network and of its training as pictures for print.

mod course;
mod heat;
mod kind;
mod likeness;
mod plane;
mod spread;

use super::explain::{PartName, explanation_figure, ways_figure};
use super::maximise::{Wish, picture_of};
use super::source::{Source, SourceArgs};
use super::surface::{ThemeName, ending};
use super::{CliError, Out};
use crate::figure::{
    FigureError, HeatColors, Progress, ScoresFigure, StructureFigure, Svg, write_figure,
};
use crate::insight::distributions::Quantity;
use crate::insight::explain::Method;
use crate::insight::scores::Answers;
use crate::insight::structure::Structure;
use crate::train::{Samples, Session, TrainCommand};
use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use kind::Kind;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

/// Draw the inside of a network: weights, filters, activations, distributions, curves,
/// fields, explanations
///
/// An option that says nothing of a kind of figure is refused. `curves`, `flow`, `ridge`
/// and `bands` are of a run: of `--epochs N` epochs from the weights given, else of the
/// experiment's own run from its start.
#[derive(Args, Debug, Clone)]
pub struct FigureArgs {
    /// What to draw
    #[arg(value_name = "KIND", value_enum)]
    kind: Kind,
    #[command(flatten)]
    source: SourceArgs,
    /// Write this picture: .png or .svg
    #[arg(long, value_name = "FILE", value_parser = output)]
    out: PathBuf,
    /// Train so many epochs first; of curves, flow, ridge and bands, draw these epochs
    #[arg(long, value_name = "N")]
    epochs: Option<usize>,
    /// Of this layer alone, counted from 1
    #[arg(long, value_name = "K")]
    layer: Option<usize>,
    /// How numbers become colours [default: diverging]
    #[arg(long, value_name = "MAP", value_enum)]
    colors: Option<HeatColors>,
    /// Each image by its own scale
    #[arg(long)]
    own_scale: bool,
    /// Of what distributions are [default: weights]
    #[arg(long, value_name = "WHAT", value_enum)]
    of: Option<Quantity>,
    /// Bins of a histogram; of ridge lines, at most [default: 40; of ridge lines 64]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    bins: Option<u16>,
    /// Logarithmic counts; of bands and curves, logarithmic axes
    #[arg(long)]
    log: bool,
    /// Which part of the data [default: train]
    #[arg(long, value_name = "PART", value_enum)]
    part: Option<PartName>,
    /// Which sample of the part, counted from 1 [default: 1]
    #[arg(long, value_name = "N")]
    sample: Option<usize>,
    /// So many samples of the part, from the first on [default: 40; of similarity 500]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=2000))]
    samples: Option<u16>,
    /// Another experiment or run, to be drawn beside the first on the same samples and the same scale; with --epochs it is trained as well
    #[arg(long, value_name = "EXPERIMENT|DIR")]
    with: Option<String>,
    /// Smooth the curves over the raw lines: how much of the average before is in each value
    #[arg(long, value_name = "F", value_parser = smoothing)]
    smooth: Option<f64>,
    /// What curves are over [default: epoch]
    #[arg(long, value_name = "WHAT", value_enum)]
    over: Option<Progress>,
    /// Only moments after A to B steps, and the first
    #[arg(long, value_name = "A..B", value_parser = steps)]
    steps: Option<Steps>,
    /// Explain this class, by name or by number from 0, instead of the one that the network says; of real values, this output
    #[arg(long, value_name = "CLASS")]
    target: Option<String>,
    /// Only these methods; may be given several times [default: all that apply]
    #[arg(long, value_name = "NAME")]
    method: Vec<Method>,
    /// What answers: as `maximise --unit`
    #[arg(long, value_name = "UNIT")]
    unit: Option<String>,
    /// The theme
    #[arg(long, value_name = "THEME", value_enum, default_value = "light")]
    theme: ThemeName,
    /// Pixels of a PNG for each unit of the picture
    #[arg(long, value_name = "F", default_value_t = 2.0, value_parser = scale)]
    scale: f64,
}

/// `--steps`: the first and the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Steps {
    from: u64,
    to: u64,
}

impl ValueEnum for Progress {
    fn value_variants<'a>() -> &'a [Self] {
        &[Progress::Epoch, Progress::Step]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Progress::Epoch => PossibleValue::new("epoch"),
            Progress::Step => PossibleValue::new("step"),
        })
    }
}

impl ValueEnum for HeatColors {
    fn value_variants<'a>() -> &'a [Self] {
        &[
            HeatColors::Diverging,
            HeatColors::Sequential,
            HeatColors::Hot,
        ]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            HeatColors::Diverging => {
                PossibleValue::new("diverging").help("A colour for each sign, about zero")
            }
            HeatColors::Sequential => {
                PossibleValue::new("sequential").help("From the least to the greatest, viridis")
            }
            HeatColors::Hot => PossibleValue::new("hot")
                .help("From the least to the greatest, black, red, yellow, white"),
        })
    }
}

impl ValueEnum for Quantity {
    fn value_variants<'a>() -> &'a [Self] {
        &Quantity::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Quantity::Weights => {
                PossibleValue::new("weights").help("All parameters of each layer but its biases")
            }
            Quantity::Biases => PossibleValue::new("biases").help("Each layer's biases"),
            Quantity::Gradients => {
                PossibleValue::new("gradients").help("The data loss's gradient by the weights")
            }
            Quantity::Updates => {
                PossibleValue::new("updates").help("What the last step added to the weights")
            }
            Quantity::Activations => {
                PossibleValue::new("activations").help("Activations over samples and units")
            }
        })
    }
}

fn output(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match ending(&path).as_deref() {
        Some("png" | "svg") => Ok(path),
        _ => Err("figures are written as .png or .svg".to_owned()),
    }
}

fn scale(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(scale) if (0.25..=16.0).contains(&scale) => Ok(scale),
        _ => Err("give a number from 0.25 to 16".to_owned()),
    }
}

fn smoothing(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(weight) if (0.0..1.0).contains(&weight) => Ok(weight),
        _ => Err("give a number from 0 to below 1, such as 0.6".to_owned()),
    }
}

fn steps(text: &str) -> Result<Steps, String> {
    let usage = || "give the first and the last step, such as 100..500, 100.. or ..500".to_owned();
    let (from, to) = text.split_once("..").ok_or_else(usage)?;
    let number = |text: &str, otherwise: u64| match text.trim() {
        "" => Ok(otherwise),
        text => text.parse().map_err(|_| usage()),
    };
    let (from, to) = (number(from, 0)?, number(to, u64::MAX)?);
    match from <= to {
        true => Ok(Steps { from, to }),
        false => Err(format!("{from} is after {to}")),
    }
}

/// Obeys `gradscape figure`.
///
/// # Errors
/// When something cannot be read or written, there is nothing of that kind in this
/// network, or an option does not go with the kind.
pub fn run(args: &FigureArgs) -> Result<(), CliError> {
    let mut out = Out::stdout(false);
    kind::check(args)?;
    let svg = draw(args, &mut out)?;
    write_figure(&args.out, svg, args.scale)?;
    out.say(format!("written to {}", args.out.display()))
}

/// A source after some training.
struct Trained {
    source: Source,
    /// What the last step added to the parameters; empty without a step.
    update: Vec<f32>,
}

/// The source after so many epochs.
fn trained(mut source: Source, epochs: usize) -> Result<Trained, CliError> {
    if epochs == 0 {
        return Ok(Trained {
            source,
            update: Vec::new(),
        });
    }
    let mut session = Session::without_path(Arc::clone(&source.problem));
    if source.given {
        session.command(TrainCommand::SetParams(source.params.clone().into()));
    }
    session.command(TrainCommand::Epochs(epochs));
    let snapshot = session.snapshot();
    if let Some(divergence) = snapshot.divergence {
        let step = divergence.step;
        let message = format!("training diverged in step {step}; there is nothing to draw");
        return Err(CliError::Failed(message));
    }
    source.params = snapshot.params.to_vec();
    // Trained is no longer initial.
    source.given = true;
    Ok(Trained {
        source,
        update: snapshot.update.to_vec(),
    })
}

/// The layers that `--layer` leaves of `n`, from 0.
fn layers(args: &FigureArgs, n: usize) -> Result<Range<usize>, CliError> {
    match args.layer {
        None => Ok(0..n),
        Some(layer) if (1..=n).contains(&layer) => Ok(layer - 1..layer),
        Some(layer) => Err(CliError::Usage(format!(
            "--layer {layer}: this network has layers 1 to {n}"
        ))),
    }
}

/// The samples of `--part`.
fn part<'a>(args: &FigureArgs, source: &'a Source) -> Result<&'a Samples, CliError> {
    let problem = &source.problem;
    match args.part {
        None | Some(PartName::Train) => Ok(&problem.train),
        Some(PartName::Validation) if problem.validation.is_empty() => Err(CliError::Usage(
            "--part validation: this experiment holds no samples back".to_owned(),
        )),
        Some(PartName::Validation) => Ok(&problem.validation),
    }
}

/// The part and the sample of it, from 0, that `--part` and `--sample` name.
fn one(args: &FigureArgs, source: &Source) -> Result<(PartName, usize), CliError> {
    let n = part(args, source)?.len();
    match args.sample.unwrap_or(1) {
        sample if (1..=n).contains(&sample) => {
            Ok((args.part.unwrap_or(PartName::Train), sample - 1))
        }
        sample => Err(CliError::Usage(format!(
            "--sample {sample}: there are samples 1 to {n}"
        ))),
    }
}

fn draw(args: &FigureArgs, out: &mut Out) -> Result<Svg, CliError> {
    // Only runs are trained while they are looked at.
    let trained = || trained(args.source.load()?, args.epochs.unwrap_or(0));
    match args.kind {
        Kind::Curves => course::curves(args, out),
        Kind::Flow => course::flow(args, out),
        Kind::Ridge | Kind::Bands => spread::over_time(args, out),
        Kind::Histogram => spread::histogram(args, &trained()?),
        Kind::Structure => {
            let source = trained()?.source;
            let figure = StructureFigure {
                structure: &Structure::of(&source.problem.network),
                title: source.problem.experiment.title().to_owned(),
                tone: args.theme.into(),
            };
            Ok(figure.draw())
        }
        Kind::Weights | Kind::Filters | Kind::Activations | Kind::Features => {
            heat::draw(args, &trained()?.source)
        }
        Kind::Field => plane::field(args, &trained()?.source),
        Kind::Neurons => plane::neurons(args, &trained()?.source),
        Kind::Similarity => likeness::draw(args, &trained()?.source),
        Kind::Confusion => scores(
            args,
            &trained()?.source,
            "Rows are true classes",
            |figure| figure.confusion(),
        ),
        Kind::Roc => {
            let subtitle = "Each class against all others";
            scores(args, &trained()?.source, subtitle, |figure| figure.roc())
        }
        Kind::Residuals => scores(
            args,
            &trained()?.source,
            "Answers against targets",
            |figure| figure.residuals(),
        ),
        Kind::Saliency => {
            let source = trained()?.source;
            let (one, target) = (one(args, &source)?, args.target.as_deref());
            explanation_figure(&source, one, target, &args.method, args.theme)
        }
        Kind::Contributions => {
            let source = trained()?.source;
            let one = one(args, &source)?;
            ways_figure(&source, one, args.target.as_deref(), args.theme)
        }
        Kind::Maximised => {
            let unit = args.unit.as_deref().unwrap_or_default();
            picture_of(out, &trained()?.source, &Wish::of(unit, args.theme))
        }
    }
}

/// How right the network is on the part that is asked for.
fn scores(
    args: &FigureArgs,
    source: &Source,
    subtitle: &str,
    draw: fn(&ScoresFigure<'_>) -> Result<Svg, FigureError>,
) -> Result<Svg, CliError> {
    let problem = &source.problem;
    let samples = part(args, source)?;
    let answers = Answers::of(problem, &source.params, samples);
    let figure = ScoresFigure {
        answers: &answers,
        title: problem.experiment.title().to_owned(),
        subtitle: format!("{subtitle} · {} samples", samples.len()),
        tone: args.theme.into(),
    };
    Ok(draw(&figure)?)
}

/// The first `n` samples, or all if there are fewer.
fn first(samples: &Samples, n: u16) -> Samples {
    let rows: Vec<usize> = (0..samples.len().min(usize::from(n))).collect();
    samples.select(&rows)
}
