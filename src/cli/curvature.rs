//! `gradscape curvature`: how the loss bends at the weights, and what kind of
//! place they are.

use super::interrupt::Interrupt;
use super::run_folder::write;
use super::source::SourceArgs;
use super::surface::{OverArgs, ThemeName, ending};
use super::waypoint::Waypoint;
use super::{CliError, Out};
use crate::figure::{DensityFigure, tick_label, write_figure};
use crate::interop::write_arrays;
use crate::landscape::curvature::{
    CriticalPoint, Curvature, CurvatureError, CurvatureOptions, Density, FLAT, STILL,
};
use crate::landscape::{Over, Quantity, Scope};
use clap::Args;
use ndarray::{Array1, Array2, ArrayD};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// The radius of the ball of the epsilon-sharpness, as in Keskar et al. (2017).
const EPSILON: f64 = 1e-3;

/// Compute the curvature of the loss at the weights: eigenvalues of the Hessian, its trace and its spectral density
///
/// From exact products with the Hessian, in double precision: eigenvalues by
/// Lanczos, the trace by Hutchinson, the density by stochastic Lanczos quadrature.
/// The weights are the initial ones of an experiment, the last ones of a run, or
/// those of --weights or --at. Says what kind of place they are: a minimum, a
/// saddle, a plateau or a slope.
#[derive(Args, Debug, Clone)]
pub struct CurvatureArgs {
    #[command(flatten)]
    source: SourceArgs,
    /// At which weights: `initial`, `last`, a STEP of a run, or a FILE
    #[arg(long, value_name = "PLACE", default_value = "last")]
    at: Waypoint,
    /// Find the K eigenvalues that are largest in absolute value
    #[arg(long, value_name = "K", default_value = "10", value_parser = clap::value_parser!(u64).range(1..=1000))]
    top: u64,
    /// Use N random vectors for trace and density, at least 2; 0 leaves both out
    #[arg(long, value_name = "N", default_value = "10", value_parser = probes)]
    probes: usize,
    /// Make N Lanczos steps from each of them; 0 leaves the density out
    #[arg(long, value_name = "N", default_value = "80", value_parser = clap::value_parser!(u64).range(..=10_000))]
    steps: u64,
    /// Let these parameters alone move: layers, `layers:0,2`, or `parameters:0,5-9`, counted from 0
    #[arg(long, value_name = "SCOPE", default_value = "all")]
    scope: Scope,
    #[command(flatten)]
    over: OverArgs,
    /// Write this file: .csv (density), .npz (everything), .png or .svg; may be given several times
    #[arg(long, value_name = "FILE", value_parser = output)]
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
        _ => Err("curvatures are written as .csv, .npz, .png or .svg".to_owned()),
    }
}

fn probes(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(n) if n != 1 && n <= 100_000 => Ok(n),
        _ => Err("give 0, or a number from 2 on, so that there is a standard error".to_owned()),
    }
}

/// What `--json` prints.
#[derive(Serialize)]
struct CurvatureObject<'a> {
    place: &'a str,
    scope: String,
    over: Over,
    penalties: bool,
    samples: usize,
    parameters: usize,
    loss: f64,
    gradient_norm: f64,
    weights_norm: f64,
    point: CriticalPoint,
    relative_gain: f64,
    relative_bend: f64,
    eigenvalues: &'a [f64],
    residuals: Vec<f64>,
    converged: bool,
    largest_eigenvalue: f64,
    smallest_eigenvalue: f64,
    sharpness: f64,
    epsilon: f64,
    epsilon_sharpness: f64,
    trace: Option<f64>,
    trace_standard_error: Option<f64>,
    probes: usize,
    products: usize,
    seconds: f64,
    files: &'a [PathBuf],
}

/// Obeys `gradscape curvature`.
///
/// # Errors
/// When something cannot be read or written, numbers are not finite, or it is
/// interrupted.
pub fn run(args: &CurvatureArgs) -> Result<(), CliError> {
    let begin = Instant::now();
    let mut out = Out::stdout(args.json);
    let source = args.source.load()?;
    let place = args.at.find(&source)?;
    let measured = args.over.read(&source, Quantity::Loss)?;
    let gauge = measured.gauge(&source)?;
    let options = CurvatureOptions {
        top: args.top as usize,
        probes: args.probes,
        steps: args.steps as usize,
        seed: source.problem.experiment.seed,
        ..CurvatureOptions::default()
    };
    let draws = options.probes > 0 && options.steps > 0;
    let needs_density = |file: &&PathBuf| ending(file).as_deref() != Some("npz");
    if let Some(file) = args.out.iter().find(needs_density)
        && !draws
    {
        return Err(CliError::Usage(format!(
            "{} shows the spectral density, which --probes 0 or --steps 0 leaves out",
            file.display()
        )));
    }
    let moving = args.scope.indices(source.problem.network.layout());
    let moving = moving.map_err(CurvatureError::Scope)?.len();
    let interrupt = Interrupt::listen();
    let bar = out.start_bar(options.products(moving) as u64, "products");
    let progress = |n: usize| {
        bar.set_length(bar.length().unwrap_or(0).max(n as u64));
        bar.set_position(n as u64);
    };
    let cancel = interrupt.flag();
    let found = Curvature::new(
        gauge,
        &place.params,
        &args.scope,
        options,
        cancel,
        &progress,
    );
    out.end_bar();
    let found = match found {
        Err(CurvatureError::Cancelled) => Err(CliError::Failed(
            "interrupted; nothing is written".to_owned(),
        )),
        found => Ok(found?),
    }?;
    let values: Vec<f64> = found.ends.top.iter().map(|p| p.value).collect();
    let words = measured.words(&gauge);
    for file in &args.out {
        match (ending(file).as_deref(), &found.density) {
            (Some("npz"), _) => write_arrays(file, &arrays(&found))?,
            (Some("csv"), Some(density)) => write_csv(file, density)?,
            (_, Some(density)) => {
                let figure = DensityFigure {
                    density,
                    size: found.size,
                    eigenvalues: &values,
                    title: format!(
                        "{}: spectrum of the Hessian",
                        source.problem.experiment.title()
                    ),
                    subtitle: subtitle(&found, density, &place.name, &words),
                    tone: args.theme.into(),
                };
                write_figure(file, figure.draw()?, 1.5)?;
            }
            (_, None) => {}
        }
    }
    let evidence = &found.evidence;
    let bend = evidence.bend(evidence.largest.abs().max(evidence.smallest.abs()));
    let seconds = begin.elapsed().as_secs_f64();
    out.object(&CurvatureObject {
        place: &place.name,
        scope: args.scope.to_string(),
        over: measured.measure.over,
        penalties: measured.measure.penalties,
        samples: gauge.samples().len(),
        parameters: found.size,
        loss: evidence.loss,
        gradient_norm: evidence.gradient_norm,
        weights_norm: evidence.length_scale,
        point: found.point(),
        relative_gain: evidence.relative_gain(),
        relative_bend: bend,
        eigenvalues: &values,
        residuals: found.ends.top.iter().map(|p| p.residual).collect(),
        converged: found.ends.converged,
        largest_eigenvalue: evidence.largest,
        smallest_eigenvalue: evidence.smallest,
        sharpness: found.sharpness(),
        epsilon: EPSILON,
        epsilon_sharpness: found.epsilon_sharpness(EPSILON),
        trace: found.trace.map(|t| t.value),
        trace_standard_error: found.trace.map(|t| t.standard_error),
        probes: args.probes,
        products: found.products,
        seconds,
        files: &args.out,
    })?;
    report(&found, &place.name, &words, &mut out)?;
    out.say(format!(
        "{} products with the Hessian in {seconds:.2} s",
        found.products
    ))?;
    for file in &args.out {
        out.say(format!("written to {}", file.display()))?;
    }
    Ok(())
}

fn report(found: &Curvature, place: &str, words: &str, out: &mut Out) -> Result<(), CliError> {
    let evidence = &found.evidence;
    out.say(format!(
        "{words} at {place}: {:.6}; gradient of length {}; {} parameters move",
        evidence.loss,
        short(evidence.gradient_norm),
        found.size
    ))?;
    out.say(verdict(found))?;
    for (k, pair) in found.ends.top.iter().enumerate() {
        let (value, residual) = (pair.value, pair.residual);
        out.say(format!(
            "{:>5}  {value:>14.6e}  residual {residual:.1e}",
            k + 1
        ))?;
    }
    if !found.ends.converged {
        out.say(
            "the search ended before all eigenvalues were as good as was asked for: the residuals \
             say how far off they may be",
        )?;
    }
    out.say(format!(
        "largest {}, smallest {}",
        short(evidence.largest),
        short(evidence.smallest)
    ))?;
    if let Some(trace) = found.trace {
        out.say(format!(
            "trace {:.6e}, standard error {:.1e}",
            trace.value, trace.standard_error
        ))?;
    }
    out.say(format!(
        "sharpness {} (the largest eigenvalue); epsilon-sharpness {} for a radius of {EPSILON}",
        short(found.sharpness()),
        short(found.epsilon_sharpness(EPSILON))
    ))
}

/// What kind of place it is, and why.
fn verdict(found: &Curvature) -> String {
    let evidence = &found.evidence;
    let point = found.point();
    let gain = format!(
        "downhill {} of the loss's scale can be gained within the weights' length",
        share(evidence.relative_gain())
    );
    match point {
        CriticalPoint::Slope => format!(
            "a slope: {gain} (a critical point: at most {})",
            share(STILL)
        ),
        CriticalPoint::Plateau => format!(
            "a plateau: {gain}, and over that length it bends by no more than {}",
            share(FLAT)
        ),
        CriticalPoint::Minimum => format!("a minimum: {gain}, and no direction bends down"),
        CriticalPoint::Maximum => format!("a maximum: {gain}, and no direction bends up"),
        CriticalPoint::Saddle => {
            format!("a saddle: {gain}, and it bends up one way and down another")
        }
    }
}

fn subtitle(found: &Curvature, density: &Density, place: &str, words: &str) -> String {
    let trace = match found.trace {
        Some(trace) => format!(
            "; trace {} ± {}",
            short(trace.value),
            short(trace.standard_error)
        ),
        None => String::new(),
    };
    format!(
        "{words} at {place}: {:.4}; {} parameters; {}\n{} probes of {} Lanczos steps, bell curves \
         of width {}{trace}",
        found.evidence.loss,
        found.size,
        found.point().name(),
        density.probes(),
        density.steps,
        short(density.width)
    )
}

/// In three digits.
fn short(value: f64) -> String {
    tick_label(format!("{value:.2e}").parse().unwrap_or(value))
}

fn share(value: f64) -> String {
    format!("{} %", short(100.0 * value))
}

fn write_csv(path: &Path, density: &Density) -> Result<(), CliError> {
    let mut text = "eigenvalue,density,standard_error\n".to_owned();
    let rows = density.at.iter().zip(&density.density);
    for ((at, value), error) in rows.zip(&density.standard_error) {
        text += &format!("{at},{value},{error}\n");
    }
    write(path, text.as_bytes())
}

fn arrays(found: &Curvature) -> Vec<(String, ArrayD<f64>)> {
    let top = &found.ends.top;
    let list = |values: Vec<f64>| Array1::from(values).into_dyn();
    let vectors = Array2::from_shape_fn((top.len(), found.size), |(k, i)| top[k].vector[i]);
    let mut arrays = vec![
        ("eigenvalues", list(top.iter().map(|p| p.value).collect())),
        ("eigenvectors", vectors.into_dyn()),
        ("residuals", list(top.iter().map(|p| p.residual).collect())),
        (
            "ends",
            list(vec![found.evidence.smallest, found.evidence.largest]),
        ),
        ("gradient", list(found.gradient.clone())),
    ];
    if let Some(trace) = found.trace {
        arrays.push(("trace", list(vec![trace.value, trace.standard_error])));
    }
    if let Some(density) = &found.density {
        arrays.push(("density_at", list(density.at.clone())));
        arrays.push(("density", list(density.density.clone())));
        let errors = density.standard_error.clone();
        arrays.push(("density_standard_error", list(errors)));
    }
    let named = arrays.into_iter();
    named
        .map(|(name, array)| (name.to_owned(), array))
        .collect()
}
