//! `gradscape maximise`: the input that a unit, a channel or a class answers to most.

mod figure;

use super::explain::{class, picture};
use super::interrupt::Interrupt;
use super::source::{Source, SourceArgs};
use super::surface::ThemeName;
use super::{CliError, Out};
use crate::figure::{Svg, write_figure};
use crate::insight::explain::readout_of;
use crate::insight::maximise::{Ascent, Maximised, Plan, Space, maximise};
use crate::insight::model::Model;
use crate::insight::nearest::{Likeness, nearest, strongest};
use crate::nn::{Readout, ReadoutError, Stage};
use crate::train::Problem;
use clap::Args;
use figure::Figure;
use ndarray::ArrayView1;
use serde::Serialize;
use std::ops::ControlFlow;
use std::path::PathBuf;

/// Find the input that a unit, a channel or a class answers to most
///
/// Adam on the input, within the data's own range; of pictures with total variation, a
/// norm, a shrinking blur, and motions that the result has to withstand. The same seed
/// gives the same result. Of classes it is the logit that is maximised, of other units
/// the value before the activation function.
#[derive(Args, Debug, Clone)]
pub struct MaximiseArgs {
    /// An experiment file, a folder that `train` wrote, the name of a sample, or a model
    #[arg(value_name = "EXPERIMENT|DIR|MODEL")]
    source: String,
    /// The data of a model: a built-in name, or a CSV, NPZ or IDX file
    #[arg(long, value_name = "SOURCE")]
    data: Option<String>,
    /// Take these weights (safetensors, or a model) instead of the initial ones, or of a run's last
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
    /// What answers: a class by name or number, `classes` for all of them, LAYER:UNIT, or LAYER:cN for channel N; layers by name or from 1, units and channels from 0
    #[arg(long, value_name = "UNIT")]
    unit: String,
    /// Start and motions follow from this
    #[arg(long, value_name = "N", default_value = "7")]
    seed: u64,
    /// Make so many steps
    #[arg(long, value_name = "N", default_value = "512", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    steps: u32,
    /// Without penalties, blur and motions: what the network alone asks for
    #[arg(long)]
    bare: bool,
    /// Draw a picture: .png or .svg
    #[arg(long, value_name = "FILE", value_parser = picture)]
    out: PathBuf,
    /// The colours of a picture
    #[arg(long, default_value = "dark")]
    theme: ThemeName,
    /// Print the result as a JSON object a unit
    #[arg(long)]
    json: bool,
}

/// What is to be maximised, and how.
#[derive(Debug, Clone)]
pub(super) struct Wish {
    /// As `--unit`.
    pub unit: String,
    /// Start and motions follow from this.
    pub seed: u64,
    /// Steps of the ascent.
    pub steps: u32,
    /// Whether without penalties, blur and motions.
    pub bare: bool,
    /// The colours of the picture.
    pub theme: ThemeName,
}

impl Wish {
    /// As the command has it by default.
    pub(super) fn of(unit: &str, theme: ThemeName) -> Self {
        Wish {
            unit: unit.to_owned(),
            seed: 7,
            steps: 512,
            bare: false,
            theme,
        }
    }
}

/// What `--json` prints.
#[derive(Serialize)]
struct MaximiseObject<'a> {
    unit: &'a str,
    seed: u64,
    steps: usize,
    value: f64,
    best_real_value: f64,
    best_real_sample: usize,
    input: &'a [f64],
    raw: &'a [f64],
    nearest: Vec<usize>,
    file: &'a PathBuf,
}

/// Real samples beside the result.
const BESIDE: usize = 5;

/// Something that answers.
struct Goal {
    name: String,
    readout: Readout,
}

impl From<ReadoutError> for CliError {
    fn from(error: ReadoutError) -> Self {
        CliError::Failed(error.to_string())
    }
}

/// Obeys `gradscape maximise`.
///
/// # Errors
/// When something cannot be read or written, there is no such unit, or it is
/// interrupted.
pub fn run(args: &MaximiseArgs) -> Result<(), CliError> {
    let mut out = Out::stdout(args.json);
    let source = SourceArgs {
        source: args.source.clone(),
        data: args.data.clone(),
        weights: args.weights.clone(),
        ..SourceArgs::default()
    }
    .load()?;
    let wish = Wish {
        unit: args.unit.clone(),
        seed: args.seed,
        steps: args.steps,
        bare: args.bare,
        theme: args.theme,
    };
    let (goals, results) = climb(&mut out, &source, &wish)?;
    let picture = drawn(&source, &wish, &goals, &results)?;
    write_figure(&args.out, picture, 1.5)?;
    for (goal, result) in goals.iter().zip(&results) {
        let (best_row, best) = result.strongest.first().copied().unwrap_or((0, f64::NAN));
        out.object(&MaximiseObject {
            unit: &goal.name,
            seed: args.seed,
            steps: result.found.values.len(),
            value: result.found.value,
            best_real_value: best,
            best_real_sample: best_row,
            input: &result.found.input,
            raw: &result.found.raw,
            nearest: result.nearest.clone(),
            file: &args.out,
        })?;
        out.say(format!(
            "{}: {:.4} after {} steps; of {} training samples the highest is {best:.4}, sample \
             {best_row}",
            goal.name,
            result.found.value,
            result.found.values.len(),
            source.problem.train.len(),
        ))?;
    }
    if !source.given {
        out.say(
            "these are the initial weights; name a folder that `train` wrote, or give --weights",
        )?;
    }
    out.say(format!("written to {}", args.out.display()))
}

/// Climbs to what each goal of `wish` answers to most.
fn climb(
    out: &mut Out,
    source: &Source,
    wish: &Wish,
) -> Result<(Vec<Goal>, Vec<Outcome>), CliError> {
    let problem = &*source.problem;
    let goals = goals(problem, &wish.unit)?;
    let params: Vec<f64> = source.params.iter().map(|&p| f64::from(p)).collect();
    let samples = problem.train.x.mapv(f64::from);
    let space = Space::<f64>::of(problem);
    let mut plan = Plan {
        steps: wish.steps as usize,
        ..Plan::fitting(&space, wish.seed)
    };
    if wish.bare {
        plan.regularisers = crate::insight::regularisers::Regularisers::NONE;
    }
    let interrupt = Interrupt::listen();
    let bar = out.start_bar((goals.len() * plan.steps) as u64, "climbing");
    let mut results: Vec<Outcome> = Vec::new();
    for goal in &goals {
        let model = Model::new(&problem.network, &params);
        let ascent = Ascent::new(model.clone(), goal.readout.clone(), space.clone(), plan);
        let found = maximise(ascent, |_| {
            bar.inc(1);
            if interrupt.is_raised() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        if found.cancelled {
            out.end_bar();
            return Err(CliError::Failed(
                "interrupted; nothing is written".to_owned(),
            ));
        }
        let mut model = model;
        let x = ArrayView1::from(&found.input);
        let likeness = if space.picture.is_some() {
            Likeness::Correlation
        } else {
            Likeness::Distance
        };
        let near = nearest(samples.view(), x, likeness, BESIDE);
        results.push(Outcome {
            nearest: near.iter().map(|n| n.row).collect(),
            strongest: strongest(&mut model, &goal.readout, samples.view(), BESIDE),
            found,
        });
    }
    out.end_bar();
    Ok((goals, results))
}

/// The picture of what `wish` leads to: for `gradscape figure`.
///
/// # Errors
/// When there is no such unit, or it is interrupted.
pub(super) fn picture_of(out: &mut Out, source: &Source, wish: &Wish) -> Result<Svg, CliError> {
    let (goals, results) = climb(out, source, wish)?;
    drawn(source, wish, &goals, &results)
}

fn drawn(
    source: &Source,
    wish: &Wish,
    goals: &[Goal],
    results: &[Outcome],
) -> Result<Svg, CliError> {
    let figure = Figure {
        problem: &source.problem,
        source,
        goals,
        results,
        wish,
    };
    figure.draw()
}

/// What came of one goal.
struct Outcome {
    found: Maximised<f64>,
    nearest: Vec<usize>,
    strongest: Vec<(usize, f64)>,
}

fn goals(problem: &Problem, text: &str) -> Result<Vec<Goal>, CliError> {
    let network = &problem.network;
    let of_class = |k: usize| -> Result<Goal, CliError> {
        let names = problem.data.task.names();
        Ok(Goal {
            name: names.get(k).cloned().unwrap_or_default(),
            readout: readout_of(network, problem.encoding, k)?,
        })
    };
    if text == "classes" {
        return (0..problem.data.n_targets()).map(of_class).collect();
    }
    let Some((layer, unit)) = text.rsplit_once(':') else {
        return Ok(vec![of_class(class(problem, text)?)?]);
    };
    let named = network
        .layers()
        .iter()
        .position(|l| l.name() == Some(layer));
    let numbered = || layer.parse::<usize>().ok().and_then(|k| k.checked_sub(1));
    let usage = || {
        CliError::Usage(format!(
            "--unit {text}: LAYER:UNIT or LAYER:cN, the layer by its name or its number from 1"
        ))
    };
    let index = named.or_else(numbered).ok_or_else(usage)?;
    let (name, readout) = match unit.strip_prefix('c') {
        Some(channel) => {
            let channel = channel.parse().map_err(|_| usage())?;
            let readout = Readout::channel(network, index, channel, Stage::Sum)?;
            (format!("channel {channel}"), readout)
        }
        None => {
            let unit = unit.parse().map_err(|_| usage())?;
            (
                format!("unit {unit}"),
                Readout::unit(network, index, unit, Stage::Sum)?,
            )
        }
    };
    let kind = network.layers()[index].kind().name();
    Ok(vec![Goal {
        name: format!("{name} of layer {} ({kind})", index + 1),
        readout,
    }])
}
