//! `gradscape capture`: pictures and animations of the 3D scene, without a window.

mod past;
mod shoot;
mod views;

pub use shoot::shoot;

use super::arena::{ArenaArgs, ArenaPlan};
use super::source::SourceArgs;
use super::surface::{ThemeName, ending};
use super::{CliError, Out};
use crate::experiment::Experiment;
use crate::figure::{FilmFormat, HeatColors};
use crate::insight::outline::{Foreign, Found, read_model};
use crate::landscape::{Directions, Gauge, Measure, Over, Quantity, Scope};
use crate::train::{Problem, Resumption};
use clap::{Args, ValueEnum};
use past::Past;
use serde::Serialize;
use std::path::PathBuf;
use std::sync::Arc;
use views::{check_views, networks};

/// Render the network and its error surface in 3D (needs a Vulkan driver, no display)
///
/// A .png holds the last of the frames, a .gif, .apng or .mp4 all of them.
/// Training goes on from frame to frame, so that the same command gives the
/// same pictures.
#[derive(Args, Debug, Clone)]
pub struct CaptureArgs {
    /// An experiment file, a folder that `train` wrote, the name of a sample, or a model
    ///
    /// A file or run folder of that name goes before a sample. Not needed with --function. A model
    /// of another program that the engine cannot express is shown as a graph.
    #[arg(
        value_name = "EXPERIMENT|DIR|MODEL",
        required_unless_present = "function"
    )]
    source: Option<String>,
    /// The data of a model: a built-in name, or a CSV, NPZ or IDX file
    #[arg(long, value_name = "SOURCE")]
    data: Option<String>,
    /// Take these weights (safetensors) instead of the initial ones, or of a run's last
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
    /// Show a recorded run as it was after so many steps, or at the last weights before that
    #[arg(long, value_name = "STEP", conflicts_with_all = ["weights", "function", "replay"])]
    at_step: Option<u64>,
    /// Use this seed instead of the experiment's (for the data, the split and the initial weights)
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// What to show; both, or with --function the surface
    #[arg(long)]
    view: Option<ViewName>,
    #[command(flatten)]
    arena: ArenaArgs,
    /// Pixels of a frame
    #[arg(long, value_name = "WxH", default_value = "1280x720", value_parser = size)]
    size: (u32, u32),
    /// How many frames
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    frames: u32,
    /// Frames go through the recorded run from its start to its end, evenly by steps, instead of training on
    #[arg(long, conflicts_with_all = ["events", "function", "weights", "epochs", "steps_per_frame", "race", "beside"])]
    replay: bool,
    /// Frames a second of a film, and how far what moves by itself moves from one to the next
    #[arg(long, value_name = "N", default_value = "12.5", value_parser = rate)]
    fps: f64,
    /// Go so far into the next step event by event (3.5 is half-way through the fourth event); frames go on in slow motion
    #[arg(long, value_name = "N", value_parser = events, conflicts_with = "function")]
    events: Option<f32>,

    /// Train so many epochs before the first frame
    #[arg(long, value_name = "N", default_value = "0")]
    epochs: usize,
    /// Train so many steps from one frame to the next; an epoch's where not given
    #[arg(long, value_name = "N")]
    steps_per_frame: Option<usize>,
    /// Turn the camera by so many degrees over all frames
    #[arg(
        long,
        value_name = "DEGREES",
        default_value = "0",
        allow_hyphen_values = true
    )]
    orbit: f32,
    /// The plane of the surface, as for `surface`
    #[arg(long, value_name = "DIRECTIONS")]
    directions: Option<Directions>,
    /// The parameters that the surface moves, as for `surface`
    #[arg(long, value_name = "SCOPE", default_value = "all")]
    scope: Scope,
    /// Show the mean `loss` or the `accuracy`
    #[arg(long, value_name = "QUANTITY", default_value = "loss")]
    measure: Quantity,
    /// Over the samples for `train`ing, those of `validation`, or the `batch` of the last step
    #[arg(long, value_name = "SAMPLES", default_value = "train")]
    over: Over,
    /// Count the penalties on weights (l1 and l2) as part of the loss
    #[arg(long)]
    penalties: bool,
    /// How far the surface reaches along both directions
    #[arg(long, value_name = "R")]
    range: Option<f64>,
    /// Draw heights by the logarithm of the loss
    #[arg(long)]
    log: bool,
    /// Show weights as heat maps between the layers, in place of the connections
    #[arg(long)]
    maps: bool,
    /// The colours of heat maps
    #[arg(long, value_enum, default_value = "diverging")]
    colors: HeatColors,
    /// Give each heat map a scale of its own
    #[arg(long)]
    own_scale: bool,
    /// Show on each neuron its activation over the two inputs
    #[arg(long)]
    fields: bool,
    /// Select a neuron: its column (0 has the inputs) and its unit, both from 0; a unit of a feature map shows its kernel at work
    #[arg(long, value_name = "COLUMN,UNIT", value_parser = neuron)]
    select: Option<[usize; 2]>,
    /// Of a large network or a model, show the first layer, node, block or tensor that has this in its name or kind
    #[arg(long, value_name = "TEXT")]
    find: Option<String>,
    /// Of a large network or a model, open all blocks that there is room for
    #[arg(long)]
    open_all: bool,
    /// Put a network beside it, on the same data and batches (up to three times): an experiment, a sample, or as for `compare` the same network `deeper`, `wider`, `relu`, ...
    #[arg(long, value_name = "NETWORK")]
    with: Vec<String>,
    /// Draw the panels as well
    #[arg(long)]
    panels: bool,
    /// Draw the panels with this tab of the inside of the network
    #[arg(long, value_name = "TAB", value_enum)]
    inside: Option<InsideName>,
    /// Size of text and panels, 1 to 8; for a picture of 8K six times the size of 720p
    #[arg(long, value_name = "FACTOR", default_value = "1", value_parser = scale)]
    scale: f32,
    /// Colours
    #[arg(long, default_value = "dark")]
    theme: ThemeName,
    /// Language of all text
    #[arg(long, default_value = "en")]
    lang: LangName,
    /// Write this file: .png, or a film: .gif, .apng or .mp4 (by ffmpeg)
    #[arg(long, value_name = "FILE", value_parser = output)]
    out: PathBuf,
    /// Print the result as a JSON object
    #[arg(long)]
    json: bool,
}

/// Frames a second where nothing else is said.
const RATE: f64 = 12.5;

/// `--view`.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum ViewName {
    /// The network
    Network,
    /// The error surface
    Surface,
    /// Both side by side
    Both,
    /// Both in one scene
    Together,
}

/// `--inside`.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum InsideName {
    /// Layers, shapes, costs
    Structure,
    /// Weight matrices as images
    Weights,
    /// Filters, and the first weights in the shape of the image
    Filters,
    /// Feature maps of the sample
    Features,
    /// Activations of a batch
    Batch,
    /// How numbers are spread
    Histograms,
    /// Curves over the epochs
    Curves,
    /// Confusion, scores, ROC or residuals
    Scores,
    /// Gradients through all layers over time
    Flow,
    /// What is wrong, and what to try
    Diagnosis,
    /// Why it says what it says
    Explanation,
    /// What a class, a unit or a channel answers to most
    Maximise,
    /// How alike layers are
    Similarity,
    /// Networks side by side
    Compare,
}

/// `--lang`.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum LangName {
    /// English
    En,
    /// Simplified Chinese
    Zh,
}

/// A capture whose parts have been checked.
#[derive(Debug, Clone)]
pub struct CapturePlan {
    /// Network and data.
    pub problem: Arc<Problem>,
    /// Weights to begin with; the experiment's initial ones where there are none.
    pub params: Option<Vec<f32>>,
    /// A recorded run, shown at its end and with its path.
    pub past: Option<Arc<Resumption>>,
    /// Whether frames go through its path.
    pub replay: bool,
    /// What to show.
    pub view: ViewName,
    /// Width and height of a frame in pixels.
    pub size: (u32, u32),
    /// How many frames.
    pub frames: usize,
    /// Frames a second of a film.
    pub rate: f64,
    /// Epochs before the first frame.
    pub epochs: usize,
    /// How far into the next step's events.
    pub events: Option<f32>,
    /// Steps from one frame to the next.
    pub steps: usize,
    /// Degrees that the cameras turn over all frames.
    pub orbit: f32,
    /// Functions, races, and a second surface.
    pub arena: ArenaPlan,
    /// The surface's plane, where it is not the usual one.
    pub directions: Option<Directions>,
    /// Which parameters the surface moves.
    pub scope: Scope,
    /// What the surface shows.
    pub measure: Measure,
    /// How far the surface reaches, where it is not the usual.
    pub range: Option<f64>,
    /// Whether heights are the logarithm of the loss.
    pub log: bool,
    /// Whether weights are heat maps between the layers.
    pub maps: bool,
    /// The heat maps' colours.
    pub colors: HeatColors,
    /// Whether each heat map has a scale of its own.
    pub own_scale: bool,
    /// Whether neurons show their fields.
    pub fields: bool,
    /// A selected neuron's column and unit.
    pub select: Option<[usize; 2]>,
    /// A model of another program that stands in the network's place.
    pub model: Option<Arc<Foreign>>,
    /// What of it is looked for.
    pub find: Option<String>,
    /// Whether all blocks are open.
    pub open_all: bool,
    /// Networks beside it.
    pub with: Vec<Experiment>,
    /// Whether panels are drawn.
    pub panels: bool,
    /// With which tab of the inside.
    pub inside: Option<InsideName>,
    /// Size of text and panels.
    pub scale: f32,
    /// Colours.
    pub theme: ThemeName,
    /// Language.
    pub language: LangName,
    /// A `.png`, or a film in a [`FilmFormat`].
    pub out: PathBuf,
}

impl CapturePlan {
    /// One frame of `view` after all of the experiment's epochs, everything else
    /// as usual.
    pub fn still(problem: &Arc<Problem>, view: ViewName, out: PathBuf) -> Self {
        CapturePlan {
            problem: Arc::clone(problem),
            params: None,
            past: None,
            replay: false,
            view,
            size: (1280, 720),
            frames: 1,
            rate: RATE,
            epochs: problem.experiment.training.epochs,
            events: None,
            steps: 1,
            orbit: 0.0,
            arena: ArenaPlan::default(),
            directions: None,
            scope: Scope::Whole,
            measure: Measure::default(),
            range: None,
            log: false,
            maps: false,
            colors: HeatColors::default(),
            own_scale: false,
            fields: false,
            select: None,
            model: None,
            find: None,
            open_all: false,
            with: Vec::new(),
            panels: false,
            inside: None,
            scale: 1.0,
            theme: ThemeName::Dark,
            language: LangName::En,
            out,
        }
    }
}

pub(super) fn size(text: &str) -> Result<(u32, u32), String> {
    let sides = text.split_once(['x', 'X']);
    let sides = sides.and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
    sides
        .filter(|(w, h)| (16..=8192).contains(w) && (16..=8192).contains(h))
        .ok_or_else(|| "give WxH, such as 1280x720, each from 16 to 8192".to_owned())
}

fn scale(text: &str) -> Result<f32, String> {
    let scale: Option<f32> = text.parse().ok();
    scale
        .filter(|s| (1.0..=8.0).contains(s))
        .ok_or_else(|| "give a number from 1 to 8".to_owned())
}

fn rate(text: &str) -> Result<f64, String> {
    let rate: Option<f64> = text.parse().ok();
    rate.filter(|r| (1.0..=240.0).contains(r))
        .ok_or_else(|| "give frames a second from 1 to 240".to_owned())
}

fn neuron(text: &str) -> Result<[usize; 2], String> {
    let both = text.split_once(',');
    both.and_then(|(column, unit)| Some([column.trim().parse().ok()?, unit.trim().parse().ok()?]))
        .ok_or_else(|| "give COLUMN,UNIT, such as 1,0, both from 0".to_owned())
}

fn output(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if ending(&path).as_deref() == Some("png") || FilmFormat::of(&path).is_some() {
        return Ok(path);
    }
    Err("pictures of the scene are written as .png, films as .gif, .apng or .mp4".to_owned())
}

#[derive(Serialize)]
struct CaptureObject<'a> {
    frames: usize,
    width: u32,
    height: u32,
    seconds: f64,
    file: &'a PathBuf,
}

/// Obeys `gradscape capture`.
///
/// # Errors
/// When something cannot be read or written, or nothing can be drawn here.
pub fn run(args: &CaptureArgs) -> Result<(), CliError> {
    let begin = std::time::Instant::now();
    let mut out = Out::stdout(args.json);
    let arena = args.arena.plan(args.epochs)?;
    let named = SourceArgs {
        data: args.data.clone(),
        weights: args.weights.clone(),
        at_step: args.at_step,
        seed: args.seed,
        ..match &args.source {
            Some(source) => SourceArgs {
                source: source.clone(),
                ..behind()
            },
            None => behind(),
        }
    };
    let model = match args.data {
        // Data that are named are for a network that is run.
        Some(_) => None,
        None => model(&named, args)?,
    };
    let view = args
        .view
        .unwrap_or(match (args.arena.has_function(), &model) {
            (true, _) => ViewName::Surface,
            // What is not run has no surface.
            (_, Some(_)) => ViewName::Network,
            _ => ViewName::Both,
        });
    let source = match &model {
        Some(_) => behind().load()?,
        None => named.load()?,
    };
    let problem = Arc::clone(&source.problem);
    let known = |d: &Directions| !d.need_path() && !d.need_loss();
    if let Some(directions) = args.directions.filter(known) {
        directions.plane(problem.network.layout(), &source.params)?;
    }
    let failed = |error: &dyn std::fmt::Display| CliError::Failed(error.to_string());
    let layout = problem.network.layout();
    args.scope.mask(layout).map_err(|error| failed(&error))?;
    let measure = Measure {
        quantity: args.measure,
        over: args.over,
        penalties: args.penalties,
    };
    // Whether there is a batch shows in the run.
    if let Err(error) = Gauge::new(&problem, measure, Some(&problem.train)) {
        return Err(failed(&error));
    }
    let moves = args.epochs > 0 || args.frames > 1;
    if let Some(directions) = args.directions.filter(Directions::need_path)
        && source.path.is_empty()
        && !moves
    {
        return Err(CliError::Failed(format!(
            "--directions {directions}: there is no path yet at the start of {}; name a folder that `train` wrote, or train before the picture with --epochs or between several --frames",
            named.source
        )));
    }
    if view == ViewName::Network && (args.directions.is_some() || args.range.is_some() || args.log)
    {
        return Err(CliError::Usage(
            "--directions, --range and --log are of the surface, which --view network does not show"
                .to_owned(),
        ));
    }
    if let Some(range) = args.range
        && !(range.is_finite() && range > 0.0)
    {
        return Err(CliError::Usage(format!(
            "--range {range}: give a number above 0"
        )));
    }
    check_views(args, &problem)?;
    let training = &problem.experiment.training;
    let batch = training.batch.size(problem.train.len()).max(1);
    let past = match args.weights {
        Some(_) => Past::default(),
        None => past::of(&source, named.at_step, &mut out)?,
    };
    if args.replay && past.is_none() {
        return Err(CliError::Usage(format!(
            "--replay goes with a run whose path is recorded: a .gsrun file, its name, or a folder that `train` wrote, and {} is none",
            named.source
        )));
    }
    let plan = CapturePlan {
        params: (source.given && past.is_none()).then_some(source.params),
        past: past.place,
        replay: args.replay,
        view,
        size: args.size,
        frames: args.frames as usize,
        rate: args.fps,
        epochs: args.epochs + past.epochs.unwrap_or(0),
        events: args.events,
        steps: args.steps_per_frame.unwrap_or(if arena.racers.is_empty() {
            problem.train.len().div_ceil(batch)
        } else {
            1
        }),
        orbit: args.orbit,
        arena,
        directions: args.directions,
        scope: args.scope.clone(),
        measure,
        range: args.range,
        log: args.log,
        maps: args.maps,
        colors: args.colors,
        own_scale: args.own_scale,
        fields: args.fields,
        select: args.select,
        model,
        find: args.find.clone(),
        open_all: args.open_all,
        with: networks(&args.with, &problem)?,
        panels: args.panels,
        inside: args.inside,
        scale: args.scale,
        theme: args.theme,
        language: args.lang,
        out: args.out.clone(),
        problem,
    };
    shoot(&plan, &mut out)?;
    out.object(&CaptureObject {
        frames: plan.frames,
        width: plan.size.0,
        height: plan.size.1,
        seconds: begin.elapsed().as_secs_f64(),
        file: &plan.out,
    })?;
    out.say(format!("written to {}", plan.out.display()))
}

/// What stands behind a function or a model that is shown alone: any network will do.
fn behind() -> SourceArgs {
    SourceArgs {
        source: "xor".to_owned(),
        ..SourceArgs::default()
    }
}

/// The model that is named, if the engine cannot express it or there are no data for it.
fn model(named: &SourceArgs, args: &CaptureArgs) -> Result<Option<Arc<Foreign>>, CliError> {
    let Some(path) = named.model() else {
        return Ok(None);
    };
    let foreign = match read_model(path, |_| true) {
        Some(Ok(Found::Foreign(foreign))) => foreign,
        Some(Err(why)) => return Err(CliError::Failed(why)),
        Some(Ok(Found::Experiment(_))) | None => return Ok(None),
    };
    let of_runs = [
        ("--weights", args.weights.is_some()),
        ("--seed", args.seed.is_some()),
        ("--events", args.events.is_some()),
        ("--epochs", args.epochs > 0),
        ("--inside", args.inside.is_some()),
        ("--select", args.select.is_some()),
        ("--with", !args.with.is_empty()),
        (
            "--view",
            args.view.is_some_and(|view| view != ViewName::Network),
        ),
    ];
    if let Some((flag, _)) = of_runs.iter().find(|(_, given)| *given) {
        return Err(CliError::Usage(format!(
            "{}: {flag} is of what is run, and this model is shown and not run: {}",
            path.display(),
            foreign.why
        )));
    }
    Ok(Some(foreign))
}

/// A number of events, whole or in parts.
fn events(text: &str) -> Result<f32, String> {
    let most = 10_000.0;
    let number = text.parse::<f32>().ok();
    number
        .filter(|n| (0.0..=most).contains(n))
        .ok_or_else(|| format!("give a number of events from 0 to {most}"))
}
