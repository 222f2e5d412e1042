//! `gradscape report`: a run as one page that needs nothing else.

use super::interrupt::Interrupt;
use super::run_folder::write;
use super::run_source::{RunArgs, interrupted};
use super::surface::{ThemeName, ending};
use super::{CliError, Out};
use crate::files::folder_is_there;
use crate::insight::run_record::RunRecord;
use crate::interop::report::{Relief, ReliefError, ReportOptions, report_page};
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Write a run as one page: curves, surface, weights, scores, diagnosis, how to make it again
///
/// The page works offline in any browser, in both languages and both themes, and loads
/// nothing. A folder keeps no figures of single steps; with --again its experiment is
/// trained once more, and they are there too. See docs/report.md.
#[derive(Args, Debug, Clone)]
pub struct ReportArgs {
    #[command(flatten)]
    run: RunArgs,
    /// Write this page
    #[arg(long, value_name = "FILE.html", value_parser = page)]
    out: PathBuf,
    /// The language that it opens in [default: the reader's own]
    #[arg(long, value_enum)]
    lang: Option<LanguageName>,
    /// The theme that it opens in [default: the reader's own]
    #[arg(long)]
    theme: Option<ThemeName>,
    /// Compute the error surface at N by N points; 0 for none
    #[arg(long, value_name = "N", default_value = "49", value_parser = grid)]
    grid: usize,
    /// Print the result as a JSON object
    #[arg(long)]
    json: bool,
}

/// `--lang`.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum LanguageName {
    /// English
    En,
    /// Simplified Chinese
    Zh,
}

/// The most points a side: more make a page heavy and no picture clearer.
const MOST: usize = 121;

fn page(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match ending(&path).as_deref() {
        Some("html" | "htm") => Ok(path),
        _ => Err("a report is written as .html".to_owned()),
    }
}

fn grid(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(n @ (0 | 5..=MOST)) => Ok(n),
        _ => Err(format!("0, or a whole number from 5 to {MOST}")),
    }
}

/// What `--json` prints.
#[derive(Serialize)]
struct ReportObject<'a> {
    file: &'a Path,
    bytes: usize,
    name: &'a str,
    epochs: usize,
    surface: bool,
    findings: usize,
}

/// Obeys `gradscape report`.
///
/// # Errors
/// When the run cannot be read or made, the page cannot be written, or it is interrupted.
pub fn run(args: &ReportArgs) -> Result<(), CliError> {
    let mut out = Out::stdout(args.json);
    folder_is_there(&args.out).map_err(|error| CliError::io(&args.out, error))?;
    let interrupt = Interrupt::listen();
    let record = args.run.record(&mut out, &interrupt)?;
    let relief = match args.grid {
        0 => None,
        n => relief(&record, n, &interrupt, &mut out)?,
    };
    let options = ReportOptions {
        language: args.lang.map(|language| match language {
            LanguageName::En => "en",
            LanguageName::Zh => "zh",
        }),
        tone: args.theme.map(Into::into),
    };
    let bytes = report_page(&args.out, &record, relief.as_ref(), options)?;
    if interrupt.is_raised() {
        return Err(interrupted());
    }
    write(&args.out, &bytes)?;
    out.object(&ReportObject {
        file: &args.out,
        bytes: bytes.len(),
        name: &record.name,
        epochs: record.last_row().map_or(0, |row| row.epoch),
        surface: relief.is_some(),
        findings: record.findings.as_ref().map_or(0, Vec::len),
    })?;
    out.say(format!(
        "written to {} ({} kB)",
        args.out.display(),
        bytes.len().div_ceil(1000)
    ))
}

/// The surface of a run, with a bar; none, and a line that says why, where it has no plane.
///
/// # Errors
/// When it is interrupted.
pub(super) fn relief(
    record: &RunRecord,
    n: usize,
    interrupt: &Interrupt,
    out: &mut Out,
) -> Result<Option<Relief>, CliError> {
    let bar = out.start_bar((n * n) as u64, "surface");
    let computed = Relief::compute(record, n, interrupt.flag(), |done| bar.inc(done as u64));
    out.end_bar();
    match computed {
        Ok(relief) => Ok(Some(relief)),
        Err(ReliefError::Cancelled) => Err(interrupted()),
        Err(ReliefError::None(why)) => {
            out.say(format!("no error surface: {why}"))?;
            Ok(None)
        }
    }
}
