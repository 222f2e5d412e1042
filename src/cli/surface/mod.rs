//! `gradscape surface`: the loss over a plane through the weights, into files.

mod function;
mod job;
mod keep;
mod merge;
#[cfg(feature = "mpi")]
mod mpi;
mod output;
mod picture;
mod spread;
mod subject;
mod team;
mod tile;

pub use output::ending;
pub use picture::{Caption, figure};
pub(crate) use subject::{OverArgs, Subject, SubjectArgs};

use super::interrupt::Interrupt;
use super::source::{Source, SourceArgs};
use super::{CliError, Out};
use crate::figure::{ContourFigure, Heights, Tone};
use crate::interop::{TileHead, write_tile};
use crate::landscape::tiles::{Progress, Tile};
use crate::landscape::{
    Axis, Gauge, Misleads, Over, PathOnPlane, Plane, Quantity, Slice, Surface, evaluate, misleads,
    path_on_plane,
};
use crate::train::{Evaluator, PathPoint};
use clap::{ArgMatches, Args, Command, FromArgMatches, Subcommand, ValueEnum};
use output::{output, output_help, write_output};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::Instant;

// `surface SOURCE ...` or `surface merge ...`. By hand, because a derived one
// cannot do without the arguments of the first where the second is given.
/// `gradscape surface`.
#[derive(Debug, Clone)]
pub enum SurfaceCommand {
    /// A surface, or a tile of one.
    Compute(Box<SurfaceArgs>),
    /// What is done with tiles.
    Tiles(Part),
}

impl Args for SurfaceCommand {
    fn augment_args(command: Command) -> Command {
        Part::augment_subcommands(SurfaceArgs::augment_args(command))
            .about("Compute the error surface over a plane through weights")
            .subcommand_required(false)
            .arg_required_else_help(false)
            .args_conflicts_with_subcommands(true)
            .subcommand_negates_reqs(true)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for SurfaceCommand {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        if matches.subcommand_name().is_some() {
            Part::from_arg_matches(matches).map(SurfaceCommand::Tiles)
        } else {
            SurfaceArgs::from_arg_matches(matches)
                .map(|args| SurfaceCommand::Compute(Box::new(args)))
        }
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// What is done with tiles.
#[derive(Subcommand, Debug, Clone)]
pub enum Part {
    /// Make the tiles of a surface one
    ///
    /// The files are those of one run, to the last byte. Neither the experiment
    /// nor its data are needed: a tile has all that is drawn.
    #[command(after_help = "\
Examples:
  gradscape surface merge tiles/*.safetensors --out surface.png --out surface.npz")]
    Merge(merge::MergeArgs),
}

/// Obeys `gradscape surface` and `gradscape surface merge`.
///
/// # Errors
/// Those of [`run`] and of merging.
pub fn obey(command: &SurfaceCommand) -> Result<(), CliError> {
    match command {
        SurfaceCommand::Tiles(Part::Merge(args)) => merge::run(args),
        SurfaceCommand::Compute(args) => run(args),
    }
}

/// Compute the error surface over a plane through the weights
///
/// The plane goes through the weights: the initial ones of an experiment, the
/// last ones of a run, or those of --weights. Its coordinates are what is added
/// along the two directions.
#[derive(Args, Debug, Clone)]
pub struct SurfaceArgs {
    #[command(flatten)]
    source: Option<SourceArgs>,
    /// Compute the surface of this function: a name that `gradscape functions` lists, or a formula in x and y
    #[arg(long, value_name = "NAME|EXPR", conflicts_with_all = function::NOT_WITH)]
    function: Option<String>,
    /// Compute N by N points
    #[arg(long, value_name = "N", default_value = "51", value_parser = grid)]
    grid: usize,
    /// Reach from LO to HI along both directions [default: -1:1; through checkpoints -0.5:1.5; a function's own]
    #[arg(long, value_name = "LO:HI", allow_hyphen_values = true)]
    range: Option<Axis>,
    #[command(flatten)]
    subject: SubjectArgs,
    #[command(flatten)]
    share: tile::ShareArgs,
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
    /// Head the picture with this; with an empty text there is no heading at all
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// Print the result as a JSON object
    #[arg(long)]
    json: bool,
}

impl FileArgs {
    /// Gives a picture its colours, its scale and its heading.
    fn dress(&self, figure: &mut ContourFigure<'_>) {
        figure.tone = self.theme.into();
        figure.heights = self.heights.into();
        if let Some(title) = &self.title {
            figure.title.clone_from(title);
            if title.is_empty() {
                figure.subtitle.clear();
            }
        }
    }
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

impl From<HeightsName> for Heights {
    fn from(name: HeightsName) -> Self {
        match name {
            HeightsName::Auto => Heights::Auto,
            HeightsName::Linear => Heights::Linear,
            HeightsName::Log => Heights::Log,
        }
    }
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

/// The axes of `n` points each where no range is given.
///
/// # Errors
/// When `n` points make no axis.
pub fn axes(n: usize, (lo, hi): (f64, f64)) -> Result<[Axis; 2], CliError> {
    Ok([Axis::new(lo, hi, n)?; 2])
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
    misleads: Option<&'static str>,
    scope: &'a str,
    measure: Quantity,
    over: Over,
    penalties: bool,
    samples: usize,
    shares: Option<[f64; 2]>,
    eigenvalues: Option<[f64; 2]>,
    residuals: Option<[f64; 2]>,
    gradient_norm: Option<f64>,
    checkpoint_steps: Option<[u64; 3]>,
    seconds: f64,
    files: &'a [PathBuf],
}

/// Obeys `gradscape surface`.
///
/// # Errors
/// When something cannot be read or written, the directions do not fit the
/// network, or it is interrupted.
pub fn run(args: &SurfaceArgs) -> Result<(), CliError> {
    let tile = match args.share.tile {
        Some(tile) => Some((tile, tile::file_of(&args.files.out)?)),
        None => None,
    };
    // Where each has its own tile, however they were started, nobody talks.
    let team = match tile {
        Some(_) => Box::new(team::Alone),
        None => team::join()?,
    };
    let result = run_in(args, tile, &*team);
    if result.is_ok() {
        team.leave();
    }
    result
}

/// The part of one process.
fn run_in(
    args: &SurfaceArgs,
    tile: Option<(Tile, &Path)>,
    team: &dyn team::Team,
) -> Result<(), CliError> {
    let mut out = match team.rank() {
        0 => Out::stdout(args.files.json),
        _ => Out::silent(),
    };
    let begin = Instant::now();
    if let Some(text) = &args.function {
        // It takes no time to share.
        return match team.rank() {
            0 => function::run(args, text, begin, &mut out),
            _ => Ok(()),
        };
    }
    let interrupt = Interrupt::listen();
    let ready = spread::agree(team, Ready::new(args, &interrupt), |_| String::new())?;
    let caption = &ready.caption;
    let job = job::Job {
        gauge: ready.subject.measured.gauge(&ready.source)?,
        source: &ready.source,
        plane: &ready.plane,
        axes: ready.axes,
        caption,
    };
    if let Some((tile, file)) = tile {
        let (share, out) = (&args.share, &mut out);
        return tile::run(&job, tile, file, share, &interrupt, out, begin);
    }
    let (computed, kept) = if team.size() > 1 || args.share.tile_dir.is_some() {
        let Some(kept) = spread::run(&job, team, &args.share, &interrupt, &mut out)? else {
            return Ok(());
        };
        (Computed::from_progress(&kept.1), Some(kept))
    } else {
        let (path, axes) = (&ready.source.path, ready.axes);
        let computed = compute(job.gauge, path, job.plane, axes, &interrupt, &mut out)?;
        let kept = if args.files.out.iter().any(|file| is_kept(file)) {
            Some((job.head(Tile::WHOLE)?, computed.progress(axes)))
        } else {
            None
        };
        (computed, kept)
    };
    let whole = Whole {
        caption,
        plane: job.plane,
        computed: &computed,
        kept: kept.as_ref().map(|(head, progress)| (head, progress)),
    };
    deliver(&args.files, &whole, begin, &mut out)
}

/// What is known before the first height.
struct Ready {
    source: Source,
    subject: Subject,
    plane: Plane,
    axes: [Axis; 2],
    caption: Caption,
}

impl Ready {
    /// What `args` name.
    fn new(args: &SurfaceArgs, interrupt: &Interrupt) -> Result<Self, CliError> {
        let source = args.source.as_ref().ok_or_else(|| {
            CliError::Usage(
                "give an experiment, or a function of x and y with --function".to_owned(),
            )
        })?;
        let source = source.load()?;
        if args.share.tile.is_none() {
            output::check(&args.files.out, &source.path)?;
        }
        let subject = args.subject.read(&source)?;
        let spanned = subject.span(&source, interrupt.flag())?;
        let range = args
            .range
            .map_or(spanned.range, |range| (range.lo, range.hi));
        let axes = axes(args.grid, range)?;
        let caption = Caption::new(&source, &subject, &spanned)?;
        Ok(Ready {
            source,
            subject,
            plane: spanned.plane,
            axes,
            caption,
        })
    }
}

/// Whether a file is one that `surface merge` reads.
fn is_kept(file: &Path) -> bool {
    ending(file).as_deref() == Some("safetensors")
}

/// All that files of a surface are made of.
struct Whole<'a> {
    caption: &'a Caption,
    plane: &'a Plane,
    computed: &'a Computed,
    /// What a `.safetensors` file says, where there is to be one.
    kept: Option<(&'a TileHead, &'a Progress)>,
}

/// Writes the files of a surface, however it was computed, and reports on it.
///
/// # Errors
/// When something cannot be written.
fn deliver(
    files: &FileArgs,
    whole: &Whole<'_>,
    begin: Instant,
    out: &mut Out,
) -> Result<(), CliError> {
    let (caption, plane, computed) = (whole.caption, whole.plane, whole.computed);
    let (surface, path) = (&computed.surface, &computed.path);
    let mut figure = figure(caption, computed);
    files.dress(&mut figure);
    for file in &files.out {
        match whole.kept {
            Some((head, progress)) if is_kept(file) => write_tile(file, head, plane, progress)?,
            _ => write_output(file, plane, &figure, caption.facts.measure)?,
        }
    }
    let range = surface.range();
    let gap = path.largest_gap().map(|p| p.gap());
    let seconds = begin.elapsed().as_secs_f64();
    let facts = &caption.facts;
    let misleading = misleads(surface, path);
    out.object(&SurfaceObject {
        directions: &caption.directions,
        points: surface.loss.len(),
        center_loss: computed.center_loss,
        min_loss: range.map(|r| r.0),
        max_loss: range.map(|r| r.1),
        path_points: path.points.len(),
        share_in_plane: path.share_in_plane(),
        largest_gap: gap,
        misleads: misleading.map(|m| match m {
            Misleads::Share(_) => "share",
            Misleads::Gap { .. } => "gap",
        }),
        scope: &facts.scope,
        measure: facts.measure.quantity,
        over: facts.measure.over,
        penalties: facts.measure.penalties,
        samples: facts.samples,
        shares: facts.shares,
        eigenvalues: facts.eigenvalues,
        residuals: facts.residuals,
        gradient_norm: facts.gradient_norm,
        checkpoint_steps: facts.checkpoint_steps,
        seconds,
        files: &files.out,
    })?;
    let (lo, hi) = range.unwrap_or((f64::NAN, f64::NAN));
    out.say(format!(
        "{} points in {seconds:.2} s; {}: {:.6} at the centre, {lo:.6} to {hi:.6} over the plane",
        surface.loss.len(),
        caption.measured,
        computed.center_loss
    ))?;
    if let (Some([a, b]), Some([c, d])) = (facts.eigenvalues, facts.residuals) {
        out.say(format!(
            "the Hessian's eigenvalues along it are {a:.6} and {b:.6}, with residuals of {c:.1e} and {d:.1e}"
        ))?;
    }
    if let Some([a, b]) = facts.shares {
        out.say(format!(
            "the components explain {:.1} % and {:.1} % of the path's squared length",
            100.0 * a,
            100.0 * b
        ))?;
    }
    if let (Some(share), Some(gap)) = (path.share_in_plane(), gap) {
        out.say(format!(
            "{:.1} % of the path lies in the plane; where they differ most, its true {} minus the plane's is {gap:.6}",
            100.0 * share, caption.height
        ))?;
    }
    match misleading {
        Some(Misleads::Share(_)) => out.say(
            "the path leaves this plane so far that the picture says little about it; \
             --directions path holds most of a path",
        )?,
        Some(Misleads::Gap { share, step, .. }) => out.say(format!(
            "the picture misleads: at step {step} the path is {:.0} % of the surface's relief away \
             from what is drawn under it",
            100.0 * share
        ))?,
        None => {}
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

impl Computed {
    /// What is known of a surface, with NaN where nothing is.
    fn from_progress(progress: &Progress) -> Self {
        Computed {
            surface: progress.surface(),
            path: progress.path_on_plane(),
            center_loss: progress.center.unwrap_or(f64::NAN),
        }
    }

    /// All of it as something that is known.
    fn progress(&self, axes: [Axis; 2]) -> Progress {
        Progress::complete(axes, &self.surface, &self.path, self.center_loss)
    }
}

/// Computes what `gauge` measures over `plane` and projects `path`, with a bar.
///
/// # Errors
/// When it is interrupted.
pub fn compute(
    gauge: Gauge<'_>,
    path: &[PathPoint],
    plane: &Plane,
    axes: [Axis; 2],
    interrupt: &Interrupt,
    out: &mut Out,
) -> Result<Computed, CliError> {
    let [x, y] = axes;
    let cancel = interrupt.flag();
    let bar = out.start_bar((x.n * y.n) as u64, "surface");
    let count = |n: usize| bar.inc(n as u64);
    let surface = evaluate(&Slice::new(gauge, plane), x, y, cancel, count, |_| {});
    let path = path_on_plane(gauge, plane, path, cancel);
    out.end_bar();
    match (surface, path) {
        (Some(surface), Some(path)) => Ok(Computed {
            surface,
            path,
            center_loss: gauge.at(plane.center(), &mut Evaluator::new(gauge.network())),
        }),
        _ => Err(CliError::Failed(
            "interrupted; nothing is written".to_owned(),
        )),
    }
}
