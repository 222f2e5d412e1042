//! `gradscape functions`: the functions of x and y that are built in.

use super::{CliError, Out};
use crate::landscape::{Analytic, Axis, Builtin};
use clap::Args;
use serde::Serialize;

/// List the functions of x and y that are built in
///
/// `race --function` and `surface --function` take these names, or any formula
/// in x and y.
#[derive(Args, Debug, Clone)]
pub struct FunctionsArgs {
    /// Print one JSON object a function
    #[arg(long)]
    json: bool,
}

/// What `--json` prints for each.
#[derive(Serialize)]
struct FunctionObject {
    name: &'static str,
    formula: &'static str,
    domain: [[f64; 2]; 2],
    start: [f64; 2],
    minima: Vec<MinimumObject>,
    source: &'static str,
}

#[derive(Serialize)]
struct MinimumObject {
    at: [f64; 2],
    value: f64,
}

/// Obeys `gradscape functions`.
///
/// # Errors
/// When nobody reads.
pub fn run(args: &FunctionsArgs) -> Result<(), CliError> {
    let mut out = Out::stdout(args.json);
    for function in Builtin::ALL {
        let ([x, y], start) = (function.domain(), function.start());
        let minima = function.minima();
        out.object(&FunctionObject {
            name: function.name(),
            formula: function.formula(),
            domain: [x, y],
            start,
            minima: minima
                .iter()
                .map(|m| MinimumObject {
                    at: m.at,
                    value: m.value,
                })
                .collect(),
            source: function.source(),
        })?;
        let listed: Vec<String> = minima
            .iter()
            .map(|m| format!("{:.6} at ({:.6}, {:.6})", m.value, m.at[0], m.at[1]))
            .collect();
        out.say(format!(
            "{}\n  {}\n  x {}:{}, y {}:{}, start {},{}\n  minima: {}\n  {}",
            function.name(),
            function.formula(),
            x[0],
            x[1],
            y[0],
            y[1],
            start[0],
            start[1],
            if listed.is_empty() {
                "none; it has no bottom".to_owned()
            } else {
                listed.join("; ")
            },
            function.source()
        ))?;
    }
    out.say("\nAny formula in x and y will do as well, such as 'sin(x) + 0.1*y^2'.")
}

/// The axes of a function's picture: its own domain, or `range` for both.
///
/// # Errors
/// When `n` points make no axis.
pub(super) fn axes(
    function: &Analytic,
    n: usize,
    range: Option<Axis>,
) -> Result<[Axis; 2], CliError> {
    let domain = match range {
        Some(range) => [[range.lo, range.hi]; 2],
        None => function.domain(),
    };
    let [x, y] = domain.map(|[lo, hi]| Axis::new(lo, hi, n));
    Ok([x?, y?])
}
