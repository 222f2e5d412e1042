//! `gradscape surface --function`: a function of x and y through the same files.

use super::{SurfaceArgs, is_kept, output};
use crate::cli::interrupt::Interrupt;
use crate::cli::race::find_function;
use crate::cli::{CliError, Out, functions};
use crate::figure::{ContourFigure, Heights, Tone};
use crate::interop::{SurfaceFile, write_surface_file};
use crate::landscape::{Measure, evaluate};
use serde::Serialize;
use std::path::PathBuf;
use std::time::Instant;

/// The flags that say something of a network.
pub(super) const NOT_WITH: [&str; 12] = [
    "source",
    "weights",
    "seed",
    "directions",
    "checkpoints",
    "scope",
    "measure",
    "over",
    "penalties",
    "batch_of",
    "tile",
    "tile_dir",
];

/// What `--json` prints.
#[derive(Serialize)]
struct FunctionSurfaceObject<'a> {
    function: &'a str,
    formula: &'a str,
    x: [f64; 2],
    y: [f64; 2],
    points: usize,
    min_value: Option<f64>,
    max_value: Option<f64>,
    seconds: f64,
    files: &'a [PathBuf],
}

/// Computes and writes it.
pub(super) fn run(
    args: &SurfaceArgs,
    text: &str,
    begin: Instant,
    out: &mut Out,
) -> Result<(), CliError> {
    output::check(&args.files.out, &[])?;
    if let Some(file) = args.files.out.iter().find(|file| is_kept(file)) {
        return Err(CliError::Usage(format!(
            "{}: only a network's surface is written as .safetensors",
            file.display()
        )));
    }
    let function = find_function(text)?;
    let [x, y] = functions::axes(&function, args.grid, args.range)?;
    let interrupt = Interrupt::listen();
    let bar = out.start_bar((x.n * y.n) as u64, "surface");
    let count = |n: usize| bar.inc(n as u64);
    let surface = evaluate(&function, x, y, interrupt.flag(), count, |_| {});
    out.end_bar();
    let surface =
        surface.ok_or_else(|| CliError::Failed("interrupted; nothing is written".to_owned()))?;
    let files = &args.files;
    let mut file = SurfaceFile {
        figure: ContourFigure {
            surface: &surface,
            path: None,
            title: function.name().to_owned(),
            subtitle: match function.builtin() {
                Some(builtin) => builtin.formula().to_owned(),
                None => String::new(),
            },
            x_label: "x".to_owned(),
            y_label: "y".to_owned(),
            height: "value".to_owned(),
            heights: Heights::default(),
            tone: Tone::default(),
        },
        plane: None,
        measure: Measure::default(),
    };
    files.dress(&mut file.figure);
    for path in &files.out {
        write_surface_file(path, &file)?;
    }
    let range = surface.range();
    out.object(&FunctionSurfaceObject {
        function: function.name(),
        formula: function.formula(),
        x: [x.lo, x.hi],
        y: [y.lo, y.hi],
        points: surface.loss.len(),
        min_value: range.map(|r| r.0),
        max_value: range.map(|r| r.1),
        seconds: begin.elapsed().as_secs_f64(),
        files: &files.out,
    })?;
    let (lo, hi) = range.unwrap_or((f64::NAN, f64::NAN));
    out.say(format!(
        "{}: {} points, values from {lo:.6} to {hi:.6}",
        function.name(),
        surface.loss.len()
    ))?;
    for path in &files.out {
        out.say(format!("written to {}", path.display()))?;
    }
    Ok(())
}
