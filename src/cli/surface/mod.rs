//! `gradscape surface`: the loss over a plane through the weights, into files.

mod output;
mod picture;

pub use output::ending;
pub use picture::{Caption, figure};

use super::interrupt::Interrupt;
use super::source::{Source, SourceArgs};
use super::{CliError, Out};
use crate::figure::{Heights, Tone};
use crate::landscape::{
    Axis, Directions, DirectionsError, Gauge, PathOnPlane, Plane, Slice, Surface, evaluate,
    path_on_plane,
};
use crate::train::Evaluator;
use clap::{Args, ValueEnum};
use output::{output, output_help, write_output};
use serde::Serialize;
use std::path::PathBuf;
use std::time::Instant;

/// Compute the error surface over a plane through the weights
///
/// The plane goes through the weights: the initial ones of an experiment, the
/// last ones of a run, or those of --weights. Its coordinates are what is added
/// along the two directions.
#[derive(Args, Debug, Clone)]
pub struct SurfaceArgs {
    #[command(flatten)]
    source: SourceArgs,
    /// Compute N by N points
    #[arg(long, value_name = "N", default_value = "51", value_parser = grid)]
    grid: usize,
    /// Reach from LO to HI along both directions [default: -1:1]
    #[arg(long, value_name = "LO:HI", allow_hyphen_values = true)]
    range: Option<Axis>,
    /// Span the plane by two parameters, `weights:I,J`, by filter-normalised `random` directions, `random:SEED`, or by the `path` of a run
    #[arg(long, value_name = "DIRECTIONS", default_value = "random", value_parser = directions)]
    directions: Directions,
    #[command(flatten)]
    files: FileArgs,
}

/// What is written, and how it looks.
#[derive(Args, Debug, Clone)]
pub struct FileArgs {
    // Its help names the formats.
    #[arg(long, value_name = "FILE", required = true, value_parser = output, help = output_help())]
    out: Vec<PathBuf>,
    /// How losses become heights and colours in a picture
    #[arg(long, default_value = "auto")]
    heights: HeightsName,
    /// The colours of a picture
    #[arg(long, default_value = "dark")]
    theme: ThemeName,
    /// Print the result as a JSON object
    #[arg(long)]
    json: bool,
}

/// `--heights`.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeightsName {
    /// Logarithmic where the losses span more than a factor of 30
    Auto,
    /// The losses themselves
    Linear,
    /// Their logarithm
    Log,
}

/// `--theme`.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThemeName {
    /// For a screen
    Dark,
    /// For print and projectors
    Light,
}

impl From<ThemeName> for Tone {
    fn from(name: ThemeName) -> Self {
        match name {
            ThemeName::Dark => Tone::Dark,
            ThemeName::Light => Tone::Light,
        }
    }
}

fn grid(text: &str) -> Result<usize, String> {
    let n = text.parse().map_err(|_| "not a whole number".to_owned())?;
    Axis::new(-1.0, 1.0, n)
        .map(|axis| axis.n)
        .map_err(|error| error.to_string())
}

fn directions(text: &str) -> Result<Directions, String> {
    let directions: Directions = text
        .parse()
        .map_err(|error: DirectionsError| error.to_string())?;
    match directions {
        Directions::Weights(i, j) if i == j => Err(DirectionsError::SameParameter(i).to_string()),
        directions => Ok(directions),
    }
}

/// The plane through the source's weights.
///
/// # Errors
/// When the network has no such parameters, or there is no path that spans one.
pub fn plane(directions: Directions, source: &Source) -> Result<Plane, CliError> {
    if directions == Directions::Path && source.path.is_empty() {
        return Err(CliError::Failed(
            "--directions path needs a folder that `train` wrote, with the run's path in it"
                .to_owned(),
        ));
    }
    let layout = source.problem.network.layout();
    Ok(directions.plane_along(layout, &source.params, &source.path)?)
}

/// The axes of `n` points each where no range is given.
///
/// # Errors
/// When `n` points make no axis.
pub fn axes(n: usize) -> Result<[Axis; 2], CliError> {
    Ok([Axis::new(-1.0, 1.0, n)?; 2])
}

/// What `--json` prints.
#[derive(Serialize)]
struct SurfaceObject<'a> {
    directions: &'a str,
    points: usize,
    center_loss: f64,
    min_loss: Option<f64>,
    max_loss: Option<f64>,
    path_points: usize,
    share_in_plane: Option<f64>,
    largest_gap: Option<f64>,
    seconds: f64,
    files: &'a [PathBuf],
}

/// Obeys `gradscape surface`.
///
/// # Errors
/// When something cannot be read or written, the directions do not fit the
/// network, or it is interrupted.
pub fn run(args: &SurfaceArgs) -> Result<(), CliError> {
    let mut out = Out::stdout(args.files.json);
    let begin = Instant::now();
    let source = args.source.load()?;
    let plane = plane(args.directions, &source)?;
    let axes = match args.range {
        Some(range) => [Axis::new(range.lo, range.hi, args.grid)?; 2],
        None => axes(args.grid)?,
    };
    let computed = compute(&source, &plane, axes, &Interrupt::listen(), &mut out)?;
    let caption = Caption::new(&source, args.directions);
    deliver(&args.files, &caption, &plane, &computed, begin, &mut out)
}

/// Writes the files of a surface, however it was computed, and reports on it.
///
/// # Errors
/// When something cannot be written.
fn deliver(
    files: &FileArgs,
    caption: &Caption,
    plane: &Plane,
    computed: &Computed,
    begin: Instant,
    out: &mut Out,
) -> Result<(), CliError> {
    let (surface, path) = (&computed.surface, &computed.path);
    let mut figure = figure(caption, computed);
    figure.tone = files.theme.into();
    figure.heights = match files.heights {
        HeightsName::Auto => Heights::Auto,
        HeightsName::Linear => Heights::Linear,
        HeightsName::Log => Heights::Log,
    };
    for file in &files.out {
        write_output(file, plane, &figure)?;
    }
    let range = surface.range();
    let gap = path.largest_gap().map(|p| p.gap());
    let seconds = begin.elapsed().as_secs_f64();
    out.object(&SurfaceObject {
        directions: &caption.directions,
        points: surface.loss.len(),
        center_loss: computed.center_loss,
        min_loss: range.map(|r| r.0),
        max_loss: range.map(|r| r.1),
        path_points: path.points.len(),
        share_in_plane: path.share_in_plane(),
        largest_gap: gap,
        seconds,
        files: &files.out,
    })?;
    let (lo, hi) = range.unwrap_or((f64::NAN, f64::NAN));
    out.say(format!(
        "{} points in {seconds:.2} s; loss {:.6} at the centre, {lo:.6} to {hi:.6} over the plane",
        surface.loss.len(),
        computed.center_loss
    ))?;
    if let (Some(share), Some(gap)) = (path.share_in_plane(), gap) {
        out.say(format!(
            "{:.1} % of the path lies in the plane; true loss minus the plane's is at most {gap:.6} along it",
            100.0 * share
        ))?;
    }
    for file in &files.out {
        out.say(format!("written to {}", file.display()))?;
    }
    Ok(())
}

/// A surface, the run's path as its plane sees it, and the loss in its middle.
pub struct Computed {
    /// The surface.
    pub surface: Surface,
    /// The path; empty without a run.
    pub path: PathOnPlane,
    /// The loss at the weights themselves.
    pub center_loss: f64,
}

/// Computes a surface and projects the source's path, with a bar.
///
/// # Errors
/// When it is interrupted.
pub fn compute(
    source: &Source,
    plane: &Plane,
    axes: [Axis; 2],
    interrupt: &Interrupt,
    out: &mut Out,
) -> Result<Computed, CliError> {
    let (network, samples) = (&source.problem.network, &source.problem.train);
    let gauge = Gauge::training_loss(&source.problem);
    let [x, y] = axes;
    let cancel = interrupt.flag();
    let bar = out.start_bar((x.n * y.n) as u64, "surface");
    let count = |n: usize| bar.inc(n as u64);
    let surface = evaluate(&Slice::new(gauge, plane), x, y, cancel, count, |_| {});
    let path = path_on_plane(gauge, plane, &source.path, cancel);
    out.end_bar();
    match (surface, path) {
        (Some(surface), Some(path)) => Ok(Computed {
            surface,
            path,
            center_loss: Evaluator::new(network).loss(network, plane.center(), samples),
        }),
        _ => Err(CliError::Failed(
            "interrupted; nothing is written".to_owned(),
        )),
    }
}
