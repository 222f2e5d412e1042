//! `gradscape race`: several optimisers from the same start.

mod arena;
mod entrants;
mod files;
mod table;

use super::interrupt::Interrupt;
use super::source::SourceArgs;
use super::surface::{HeightsName, ThemeName};
use super::{CliError, Out};
use crate::landscape::{Analytic, Axis};
use crate::race::{Course, Noise, Race, Standing};
use arena::Arena;
use clap::Args;
use serde::Serialize;
use std::path::PathBuf;
use std::sync::Arc;

/// Let optimisers race from the same start
///
/// On a function of x and y (--function) or on a network's training loss
/// (EXPERIMENT), where all see the same batches in the same order. Everything but
/// the optimiser is as the experiment says.
#[derive(Args, Debug, Clone)]
pub struct RaceArgs {
    #[command(flatten)]
    source: Option<SourceArgs>,
    /// Race on this function: a name that `gradscape functions` lists, or a formula in x and y
    #[arg(long, value_name = "NAME|EXPR", conflicts_with = "source")]
    function: Option<String>,
    /// Who races: names of optimisers, with constants behind colons
    #[arg(long, value_name = "LIST", default_value = "sgd,momentum,rmsprop,adam")]
    optimizers: String,
    /// The learning rate of all [default: the experiment's; on a function 0.01]
    #[arg(long, value_name = "RATE", conflicts_with = "rates")]
    rate: Option<f64>,
    /// A learning rate for each, in the order of --optimizers
    #[arg(long, value_name = "LIST")]
    rates: Option<String>,
    /// Make so many steps [default: the experiment's epochs; on a function 500]
    #[arg(long, value_name = "N")]
    steps: Option<u64>,
    /// Start here instead of where the function suggests
    #[arg(long, value_name = "X,Y", allow_hyphen_values = true, value_parser = point, requires = "function", conflicts_with = "source")]
    start: Option<[f64; 2]>,
    /// Add Gaussian noise of this standard deviation to the gradients of a function, the same for all
    #[arg(
        long,
        value_name = "SIGMA",
        requires = "function",
        conflicts_with = "source"
    )]
    noise: Option<f64>,
    /// The noise follows from this seed
    #[arg(long, value_name = "N", default_value = "0", requires = "noise")]
    noise_seed: u64,
    /// Count the steps until the loss is at most this
    #[arg(long, value_name = "LOSS", allow_hyphen_values = true)]
    target: Option<f64>,
    /// Write this file: .csv or .json (standings and paths), .png or .svg (the paths over the surface); may be given several times
    #[arg(long, value_name = "FILE", value_parser = files::output)]
    out: Vec<PathBuf>,
    /// Write the losses over the steps as a picture: .png or .svg
    #[arg(long, value_name = "FILE", value_parser = files::picture)]
    losses: Vec<PathBuf>,
    /// Reach of x and y in the picture; of a network, along the two components [default: the function's, or the paths']
    #[arg(long, value_name = "LO:HI", allow_hyphen_values = true)]
    range: Option<Axis>,
    /// Compute N by N points of the surface in the picture [default: 200; of a network 51]
    #[arg(long, value_name = "N")]
    grid: Option<usize>,
    /// How losses become heights and colours in a picture
    #[arg(long, default_value = "auto")]
    heights: HeightsName,
    /// The colours of pictures
    #[arg(long, default_value = "dark")]
    theme: ThemeName,
    /// Print the result as a JSON object
    #[arg(long)]
    json: bool,
}

/// Two numbers with a comma between them.
fn point(text: &str) -> Result<[f64; 2], String> {
    let bad = || format!("{text:?} is no point; give two numbers, such as 1.5,-2");
    let (x, y) = text.split_once(',').ok_or_else(bad)?;
    let read = |text: &str| text.trim().parse::<f64>().map_err(|_| bad());
    Ok([read(x)?, read(y)?])
}

/// What `--json` prints.
#[derive(Serialize)]
struct RaceObject<'a> {
    course: &'a str,
    start: Option<[f64; 2]>,
    steps: u64,
    target: Option<f64>,
    standings: Vec<Standing>,
    seconds: f64,
    files: Vec<&'a PathBuf>,
}

/// Obeys `gradscape race`.
///
/// # Errors
/// When the course or a racer makes no sense, a file cannot be written, or it is
/// interrupted.
pub fn run(args: &RaceArgs) -> Result<(), CliError> {
    let mut out = Out::stdout(args.json);
    let begin = std::time::Instant::now();
    let interrupt = Interrupt::listen();
    let arena = arena(args)?;
    let default_rate = match arena.course() {
        Course::Network { problem, .. } => match problem.experiment.training.optimizer {
            o if o.learning_rate > 0.0 => o.learning_rate,
            _ => 0.01,
        },
        Course::Analytic { .. } => 0.01,
    };
    let entries = entrants::entrants(
        &args.optimizers,
        args.rate,
        args.rates.as_deref(),
        default_rate,
    )?;
    let usage = |error: crate::race::RaceError| CliError::Usage(error.to_string());
    let mut race = Race::new(arena.course().clone(), entries).map_err(usage)?;
    race.set_target(args.target);
    let steps = args.steps.unwrap_or(arena.default_steps());
    let bar = out.start_bar(steps, "steps");
    for _ in 0..steps {
        if interrupt.is_raised() {
            out.end_bar();
            return Err(CliError::Failed(
                "interrupted; nothing is written".to_owned(),
            ));
        }
        if !race.step() {
            break;
        }
        bar.inc(1);
    }
    out.end_bar();
    let written = files::write_all(args, &arena, &race, &interrupt, &mut out)?;
    let start = match race.course() {
        Course::Analytic { start, .. } => Some(*start),
        Course::Network { .. } => None,
    };
    out.object(&RaceObject {
        course: arena.title(),
        start,
        steps: race.steps(),
        target: race.target(),
        standings: race.standings(),
        seconds: begin.elapsed().as_secs_f64(),
        files: written.clone(),
    })?;
    out.say(arena.headline(&race))?;
    out.say(table::table(&race))?;
    for file in written {
        out.say(format!("written to {}", file.display()))?;
    }
    Ok(())
}

fn arena(args: &RaceArgs) -> Result<Arena, CliError> {
    match (&args.function, &args.source) {
        (Some(text), _) => {
            let mut function = find_function(text)?;
            if let Some(start) = args.start {
                function = function.with_start(start);
            }
            let noise = args.noise.map(|deviation| Noise {
                deviation,
                seed: args.noise_seed,
            });
            let start = function.start();
            Ok(Arena::function(Course::Analytic {
                function: Arc::new(function),
                start,
                noise,
            }))
        }
        (None, Some(source)) => Ok(Arena::network(source.load()?)),
        (None, None) => Err(CliError::Usage(
            "give an experiment to race on, or a function of x and y with --function".to_owned(),
        )),
    }
}

/// The function that a name or a formula means.
///
/// # Errors
/// With what is wrong, and the names that there are.
pub(super) fn find_function(text: &str) -> Result<Analytic, CliError> {
    Analytic::find(text).map_err(|error| {
        let names = crate::landscape::Builtin::ALL.map(|b| b.name());
        CliError::Usage(format!(
            "--function {text:?}: {error}\nBuilt in are {}",
            names.join(", ")
        ))
    })
}
