//! `gradscape runs tag`, `comment`, `rename` and `delete`.

use crate::cli::source::find_run;
use crate::cli::{CliError, Out};
use crate::run::{RunFile, RunNotes, catalogue::remove};
use clap::Args;
use serde::Serialize;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;

/// Mark a run with words of your own
#[derive(Args, Debug, Clone)]
pub(super) struct TagArgs {
    /// A .gsrun file, an id or the beginning of one, or a name
    #[arg(value_name = "RUN")]
    run: String,
    /// The marks
    #[arg(value_name = "TAG", required = true)]
    tags: Vec<String>,
    /// Take them away instead
    #[arg(long)]
    remove: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Say something about a run
#[derive(Args, Debug, Clone)]
pub(super) struct CommentArgs {
    /// A .gsrun file, an id or the beginning of one, or a name
    #[arg(value_name = "RUN")]
    run: String,
    /// What there is to say, in place of what was said before
    #[arg(value_name = "TEXT")]
    text: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Call a run something else; its id stays
#[derive(Args, Debug, Clone)]
pub(super) struct RenameArgs {
    /// A .gsrun file, an id or the beginning of one, or a name
    #[arg(value_name = "RUN")]
    run: String,
    /// The new name
    #[arg(value_name = "NAME")]
    name: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Delete runs for good
#[derive(Args, Debug, Clone)]
pub(super) struct DeleteArgs {
    /// .gsrun files, ids or beginnings of them, or names
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<String>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Print one JSON object
    #[arg(long, requires = "yes")]
    json: bool,
}

/// What `--json` prints of a run that was changed.
#[derive(Serialize)]
struct NotesObject<'a> {
    id: &'a str,
    name: &'a str,
    tags: &'a [String],
    comment: &'a str,
}

/// What `--json` prints of runs that were deleted.
#[derive(Serialize)]
struct DeletedObject<'a> {
    deleted: &'a [PathBuf],
}

/// Changes what is said about a run, and says what is said now.
fn change(
    run: &str,
    json: bool,
    change: impl FnOnce(&RunNotes) -> Result<(), crate::run::RunError>,
) -> Result<(), CliError> {
    let mut out = Out::stdout(json);
    let path = find_run(run)?;
    change(&RunNotes::open(&path)?)?;
    let run = RunFile::open(&path)?;
    let info = run.info();
    out.object(&NotesObject {
        id: &info.id,
        name: &info.name,
        tags: &info.tags,
        comment: &info.comment,
    })?;
    let mut said = format!("{} {}", info.id, info.name);
    if !info.tags.is_empty() {
        said += &format!("; tags {}", info.tags.join(", "));
    }
    if !info.comment.is_empty() {
        said += &format!("; {}", info.comment);
    }
    out.say(said)
}

pub(super) fn tag(args: &TagArgs) -> Result<(), CliError> {
    change(&args.run, args.json, |notes| {
        args.tags.iter().try_for_each(|tag| match args.remove {
            true => notes.untag(tag),
            false => notes.tag(tag),
        })
    })
}

pub(super) fn comment(args: &CommentArgs) -> Result<(), CliError> {
    change(&args.run, args.json, |notes| notes.comment(&args.text))
}

pub(super) fn rename(args: &RenameArgs) -> Result<(), CliError> {
    change(&args.run, args.json, |notes| notes.rename(&args.name))
}

pub(super) fn delete(args: &DeleteArgs) -> Result<(), CliError> {
    let mut out = Out::stdout(args.json);
    let mut files = Vec::new();
    for name in &args.runs {
        let path = find_run(name)?;
        // A file that is no run is never deleted.
        let run = RunFile::open(&path)?;
        if files.contains(&path) {
            continue;
        }
        out.say(format!(
            "{} {}, {}",
            run.info().id,
            run.info().name,
            path.display()
        ))?;
        files.push(path);
    }
    if !args.yes && !confirmed(files.len())? {
        return out.say("nothing is deleted");
    }
    for path in &files {
        remove(path)?;
    }
    out.object(&DeletedObject { deleted: &files })?;
    out.say(format!("deleted: {}", files.len()))
}

/// Asks whoever sits at the terminal.
fn confirmed(count: usize) -> Result<bool, CliError> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return Err(CliError::Usage(
            "nobody is there to be asked; add --yes to delete".to_owned(),
        ));
    }
    let ask = || -> std::io::Result<String> {
        let mut stderr = std::io::stderr();
        write!(stderr, "Delete {count} for good? [y/N] ")?;
        stderr.flush()?;
        let mut answer = String::new();
        stdin.read_line(&mut answer)?;
        Ok(answer)
    };
    let answer = ask().map_err(CliError::Output)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
