//! `gradscape surface --tile I/N`: one part of a surface, into a file that is
//! gone on with by whoever starts the same command again.

use super::job::Job;
use super::keep::Keeper;
use super::output::ending;
use crate::cli::interrupt::Interrupt;
use crate::cli::{CliError, Out};
use crate::landscape::tiles::Tile;
use clap::Args;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How a surface is divided, and where its parts are kept.
#[derive(Args, Debug, Clone)]
pub struct ShareArgs {
    /// Compute the I-th of N parts, from 1, into the .safetensors that --out names; `surface merge` makes the parts one
    ///
    /// Started again after whatever ended it, it goes on where it was. Any N, any
    /// order and any number of threads give the same bytes after merging.
    #[arg(long, value_name = "I/N", conflicts_with = "tile_dir", value_parser = tile)]
    pub tile: Option<Tile>,
    /// Keep what is computed in this folder, and go on with what is in it, whoever computed it
    #[arg(long, value_name = "DIR")]
    pub tile_dir: Option<PathBuf>,
    /// Write what is computed to the tile's file after this many seconds
    ///
    /// Less often where writing would take more than a twentieth of the time.
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    pub flush_every: Duration,
}

fn tile(text: &str) -> Result<Tile, String> {
    text.parse()
        .map_err(|error: crate::landscape::tiles::TileError| error.to_string())
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().map_err(|_| "not a number".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

/// What `--json` prints.
#[derive(Serialize)]
struct TileObject<'a> {
    tile: String,
    values: usize,
    computed: usize,
    missing: usize,
    seconds: f64,
    file: &'a Path,
}

/// The one file of a tile.
///
/// # Errors
/// When there are several, or it is another kind of file.
pub(super) fn file_of(files: &[PathBuf]) -> Result<&Path, CliError> {
    match files {
        [file] if ending(file).as_deref() == Some("safetensors") => Ok(file),
        _ => Err(CliError::Usage(
            "--tile takes one --out with the ending .safetensors; `gradscape surface merge` makes the other files of it"
                .to_owned(),
        )),
    }
}

/// Computes what is missing of `tile` in `file`.
///
/// # Errors
/// When the file is of something else or cannot be written, or it is interrupted.
pub(super) fn run(
    job: &Job<'_>,
    tile: Tile,
    file: &Path,
    share: &ShareArgs,
    interrupt: &Interrupt,
    out: &mut Out,
    begin: Instant,
) -> Result<(), CliError> {
    let stop = interrupt.flag();
    let keeper = Keeper::in_file(file, job.head(tile)?, job, share.flush_every, stop)?;
    let items = keeper.progress().missing(tile);
    compute(job, &items, &keeper, stop, out);
    let (progress, computed) = keeper.finish()?;
    let missing = progress.missing(tile).len();
    let values = (0..progress.len()).filter(|&k| tile.has(k)).count();
    if missing > 0 {
        return Err(interrupted(values - missing, values, file));
    }
    let seconds = begin.elapsed().as_secs_f64();
    out.object(&TileObject {
        tile: tile.to_string(),
        values,
        computed,
        missing,
        seconds,
        file,
    })?;
    out.say(format!(
        "tile {tile}: {computed} values in {seconds:.2} s, {} were there; written to {}",
        values - computed,
        file.display()
    ))
}

/// Computes `items` with a bar; ends early when it is told to stop.
pub(super) fn compute(
    job: &Job<'_>,
    items: &[usize],
    keeper: &Keeper<'_>,
    stop: &std::sync::atomic::AtomicBool,
    out: &mut Out,
) {
    let bar = out.start_bar(items.len() as u64, "surface");
    job.fill(
        items,
        stop,
        || keeper.block(),
        |found| {
            keeper.take(found);
            bar.inc(found.len() as u64);
        },
    );
    out.end_bar();
}

/// Says what an interrupted command has kept.
pub(super) fn interrupted(known: usize, of: usize, place: &Path) -> CliError {
    CliError::Interrupted(format!(
        "interrupted; {known} of {of} values are in {}, and the same command goes on from there",
        place.display()
    ))
}
