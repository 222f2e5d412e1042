//! `gradscape runs`: the recorded runs.

mod compare;
mod list;
mod notes;
mod show;

use super::source::find_run;
use super::{CliError, Out};
use crate::run::{Catalogue, RunFile};
use clap::{Args, Subcommand};

/// List, show, compare, tag and delete recorded runs
#[derive(Args, Debug, Clone)]
#[command(args_conflicts_with_subcommands = true)]
pub struct RunsArgs {
    #[command(subcommand)]
    command: Option<RunsCommand>,
    #[command(flatten)]
    list: list::ListArgs,
}

#[derive(Subcommand, Debug, Clone)]
enum RunsCommand {
    List(list::ListArgs),
    Show(show::ShowArgs),
    Compare(compare::CompareArgs),
    Tag(notes::TagArgs),
    Comment(notes::CommentArgs),
    Rename(notes::RenameArgs),
    Delete(notes::DeleteArgs),
}

/// Obeys `gradscape runs`.
///
/// # Errors
/// When there is no such run, or a file cannot be read or written.
pub fn run(args: &RunsArgs) -> Result<(), CliError> {
    match &args.command {
        None => list::run(&args.list),
        Some(RunsCommand::List(args)) => list::run(args),
        Some(RunsCommand::Show(args)) => show::run(args),
        Some(RunsCommand::Compare(args)) => compare::run(args),
        Some(RunsCommand::Tag(args)) => notes::tag(args),
        Some(RunsCommand::Comment(args)) => notes::comment(args),
        Some(RunsCommand::Rename(args)) => notes::rename(args),
        Some(RunsCommand::Delete(args)) => notes::delete(args),
    }
}

fn open(name: &str) -> Result<RunFile, CliError> {
    Ok(RunFile::open(&find_run(name)?)?)
}

fn catalogue() -> Result<Catalogue, CliError> {
    Catalogue::standard().ok_or_else(|| {
        CliError::Failed(
            "this system tells of no folder for data; set GRADSCAPE_RUNS_DIR to a folder for runs"
                .to_owned(),
        )
    })
}

/// A moment in the local time zone: `2026-11-28 13:05`.
fn local_time(ms: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(ms).unwrap_or_default();
    let time = time.to_zoned(jiff::tz::TimeZone::system());
    time.strftime("%Y-%m-%d %H:%M").to_string()
}

/// Bytes in the largest unit that leaves a whole number before the point.
fn size_text(bytes: u64) -> String {
    let size = bytes as f64;
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", size / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", size / 1e6),
        _ => format!("{:.2} GB", size / 1e9),
    }
}

fn loss_text(loss: f64) -> String {
    match loss {
        loss if loss > 0.0 && loss < 1e-4 => format!("{loss:.3e}"),
        loss => format!("{loss:.5}"),
    }
}

fn share_text(share: f64) -> String {
    format!("{:.2} %", 100.0 * share)
}

/// Rows of words as columns, each as wide as its widest; `right` says which stand to the
/// right.
fn columns(rows: &[Vec<String>], right: &[bool]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |k: usize| {
        let cells = rows.iter().filter_map(|row| row.get(k));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..count).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().enumerate().map(|(k, cell)| {
            let pad = " ".repeat(widths[k] - cell.chars().count());
            match right.get(k) {
                Some(true) => format!("{pad}{cell}"),
                _ => format!("{cell}{pad}"),
            }
        });
        let line: Vec<String> = cells.collect();
        line.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Says `text`, and nothing where there is none.
fn say(out: &mut Out, text: &str) -> Result<(), CliError> {
    match text.is_empty() {
        true => Ok(()),
        false => out.say(text),
    }
}
