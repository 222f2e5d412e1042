//! `gradscape figure`: the inside of a network as pictures for print.

use super::source::{Source, SourceArgs};
use super::surface::{ThemeName, ending};
use super::{CliError, Out};
use crate::figure::{
    FigureError, HeatColors, HeatFigure, HistogramsFigure, ScoresFigure, StructureFigure, Svg,
    Tone, write_figure,
};
use crate::insight::histogram::Histogram;
use crate::insight::scores::Answers;
use crate::insight::structure::Structure;
use crate::insight::tiles::{self, Tile};
use crate::train::{Samples, Session, TrainCommand, full_gradient};
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::sync::Arc;

/// Draw the inside of a network: weights, filters, activations, histograms, scores
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
    /// Train so many epochs first
    #[arg(long, value_name = "N", default_value_t = 0)]
    epochs: usize,
    /// Of this layer alone, counted from 1
    #[arg(long, value_name = "K")]
    layer: Option<usize>,
    /// How numbers become colours
    #[arg(long, value_name = "MAP", value_enum, default_value = "diverging")]
    colors: ColorsName,
    /// Each image by its own scale
    #[arg(long)]
    own_scale: bool,
    /// What a histogram counts
    #[arg(long, value_name = "WHAT", value_enum, default_value = "weights")]
    of: OfName,
    /// Bins of a histogram
    #[arg(long, value_name = "N", default_value_t = 40, value_parser = clap::value_parser!(u16).range(1..=1000))]
    bins: u16,
    /// Logarithmic counts
    #[arg(long)]
    log: bool,
    /// Which part of the data
    #[arg(long, value_name = "PART", value_enum, default_value = "train")]
    part: PartName,
    /// Which sample of the part, counted from 1, feature maps are of
    #[arg(long, value_name = "N", default_value_t = 1)]
    sample: usize,
    /// So many samples of the part, from the first on, activations are of
    #[arg(long, value_name = "N", default_value_t = 40, value_parser = clap::value_parser!(u16).range(1..=2000))]
    samples: u16,
    /// The theme
    #[arg(long, value_name = "THEME", value_enum, default_value = "light")]
    theme: ThemeName,
    /// Pixels of a PNG for each unit of the picture
    #[arg(long, value_name = "F", default_value_t = 2.0, value_parser = scale)]
    scale: f64,
}

/// A kind of figure.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Layers, shapes and costs, as a diagram
    Structure,
    /// Weight matrices as images, a row for each unit
    Weights,
    /// Each unit's or filter's weights as a picture, in the shape of its input
    Filters,
    /// Activations of a batch, a row for each sample
    Activations,
    /// Feature maps of one sample
    Features,
    /// Histograms, a layer each
    Histogram,
    /// Which class is taken for which, with the scores of each
    Confusion,
    /// Hits over false alarms of each class
    Roc,
    /// A regression's answers and what they miss by
    Residuals,
}

/// `--colors`.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ColorsName {
    /// A colour for each sign, about zero
    Diverging,
    /// From the least to the greatest, viridis
    Sequential,
    /// From the least to the greatest, black, red, yellow, white
    Hot,
}

/// `--of`.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum OfName {
    /// All parameters of each layer but its biases
    Weights,
    /// Each layer's biases
    Biases,
    /// The gradient over the training part
    Gradients,
    /// Activations over the part's first samples
    Activations,
}

/// `--part`.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum PartName {
    /// What the weights are fitted to
    Train,
    /// What is held back
    Validation,
}

impl From<ColorsName> for HeatColors {
    fn from(name: ColorsName) -> Self {
        match name {
            ColorsName::Diverging => HeatColors::Diverging,
            ColorsName::Sequential => HeatColors::Sequential,
            ColorsName::Hot => HeatColors::Hot,
        }
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

/// Obeys `gradscape figure`.
///
/// # Errors
/// When something cannot be read or written, or there is nothing of that kind in this
/// network.
pub fn run(args: &FigureArgs) -> Result<(), CliError> {
    let mut out = Out::stdout(false);
    let source = trained(args.source.load()?, args.epochs)?;
    let network = &source.problem.network;
    let layers = match args.layer {
        None => 0..network.layers().len(),
        Some(layer) if (1..=network.layers().len()).contains(&layer) => layer - 1..layer,
        Some(layer) => {
            let n = network.layers().len();
            let message = format!("--layer {layer}: this network has layers 1 to {n}");
            return Err(CliError::Usage(message));
        }
    };
    let svg = draw(args, &source, layers)?;
    write_figure(&args.out, svg, args.scale)?;
    out.say(format!("written to {}", args.out.display()))
}

/// The source after so many epochs.
fn trained(mut source: Source, epochs: usize) -> Result<Source, CliError> {
    if epochs == 0 {
        return Ok(source);
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
    Ok(source)
}

fn draw(
    args: &FigureArgs,
    source: &Source,
    layers: std::ops::Range<usize>,
) -> Result<Svg, CliError> {
    let problem = &source.problem;
    let title = problem.experiment.title().to_owned();
    let tone = Tone::from(args.theme);
    let samples = match args.part {
        PartName::Train => &problem.train,
        PartName::Validation if problem.validation.is_empty() => {
            let message = "--part validation: this experiment holds no samples back";
            return Err(CliError::Usage(message.to_owned()));
        }
        PartName::Validation => &problem.validation,
    };
    let heat = |subtitle: String, tiles: Vec<Tile>| {
        let figure = HeatFigure {
            title: title.clone(),
            subtitle,
            tiles,
            colors: args.colors.into(),
            shared: !args.own_scale,
            tone,
        };
        figure.draw()
    };
    let scores = |subtitle: &str, draw: fn(&ScoresFigure<'_>) -> Result<Svg, FigureError>| {
        let answers = Answers::of(problem, &source.params, samples);
        let figure = ScoresFigure {
            answers: &answers,
            title: title.clone(),
            subtitle: format!("{subtitle} · {} samples", samples.len()),
            tone,
        };
        draw(&figure)
    };
    let network = &problem.network;
    Ok(match args.kind {
        Kind::Structure => StructureFigure {
            structure: &Structure::of(network),
            title,
            tone,
        }
        .draw(),
        Kind::Weights => heat(
            "Weights, a row for each unit, a column for each input".to_owned(),
            tiles::weights(network, &source.params, layers),
        )?,
        Kind::Filters => heat(
            "Each unit's weights in the shape of its input".to_owned(),
            tiles::filters(problem, &source.params, layers),
        )?,
        Kind::Activations => heat(
            "Activations, a row for each sample, a column for each unit".to_owned(),
            tiles::activations(
                network,
                &source.params,
                &first(samples, args.samples),
                layers,
            ),
        )?,
        Kind::Features => {
            if args.sample == 0 || args.sample > samples.len() {
                let n = samples.len();
                let message = format!("--sample {}: there are samples 1 to {n}", args.sample);
                return Err(CliError::Usage(message));
            }
            let one = samples.select(&[args.sample - 1]);
            heat(
                format!("Feature maps of sample {}", args.sample),
                tiles::features(network, &source.params, &one, layers),
            )?
        }
        Kind::Histogram => histogram(args, source, samples, layers)?,
        Kind::Confusion => scores("Rows are true classes", |figure| figure.confusion())?,
        Kind::Roc => scores("Each class against all others", |figure| figure.roc())?,
        Kind::Residuals => scores("Answers against targets", |figure| figure.residuals())?,
    })
}

fn first(samples: &Samples, n: u16) -> Samples {
    let rows: Vec<usize> = (0..samples.len().min(usize::from(n))).collect();
    samples.select(&rows)
}

fn histogram(
    args: &FigureArgs,
    source: &Source,
    samples: &Samples,
    layers: std::ops::Range<usize>,
) -> Result<Svg, CliError> {
    let problem = &source.problem;
    let network = &problem.network;
    let gradient;
    let (values, quantity): (&[f32], &str) = match args.of {
        OfName::Weights => (&source.params, "weight"),
        OfName::Biases => (&source.params, "bias"),
        OfName::Gradients => {
            let x = problem.train.x.view();
            gradient = full_gradient(network, &source.params, x, problem.train.y.view()).1;
            (&gradient, "gradient")
        }
        OfName::Activations => (&[], "activation"),
    };
    let of_layer = match args.of {
        OfName::Activations => {
            let batch = first(samples, args.samples);
            tiles::activations(network, &source.params, &batch, layers)
                .into_iter()
                .map(|tile| (tile.title, tile.values))
                .collect()
        }
        OfName::Biases => tiles::tensors(network, values, layers, true),
        OfName::Weights | OfName::Gradients => tiles::tensors(network, values, layers, false),
    };
    let rows = of_layer.into_iter().map(|(name, values)| {
        let histogram = Histogram::of(&values, usize::from(args.bins), None);
        (name, histogram)
    });
    let figure = HistogramsFigure {
        title: problem.experiment.title().to_owned(),
        subtitle: format!("Histograms of each layer's {quantity}s"),
        rows: rows.collect(),
        quantity: quantity.to_owned(),
        log: args.log,
        tone: args.theme.into(),
    };
    Ok(figure.draw()?)
}
