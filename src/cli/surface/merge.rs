//! `gradscape surface merge`: the parts of a surface, made one.

use super::job::difference;
use super::picture::Caption;
use super::{FileArgs, Whole, deliver};
use crate::cli::{CliError, Out};
use crate::interop::{TileFile, read_tile};
use crate::landscape::tiles::{Progress, Tile};
use clap::Args;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What is merged.
#[derive(Args, Debug, Clone)]
pub struct MergeArgs {
    /// What `surface --tile` wrote, in any order
    #[arg(required = true, value_name = "TILE")]
    tiles: Vec<PathBuf>,
    /// Leave what is missing out, as NaN, instead of refusing
    #[arg(long)]
    partial: bool,
    #[command(flatten)]
    files: FileArgs,
}

/// Obeys `gradscape surface merge`.
///
/// # Errors
/// When a tile cannot be read, is of another surface, or, unless `--partial`,
/// something is missing.
pub fn run(args: &MergeArgs) -> Result<(), CliError> {
    let begin = Instant::now();
    let mut out = Out::stdout(args.files.json);
    let mut whole: Option<TileFile> = None;
    let mut present = Vec::new();
    for path in &args.tiles {
        let tile = read_tile(path)?;
        present.push(tile.head.tile.clone());
        match &mut whole {
            None => whole = Some(tile),
            Some(whole) => absorb(whole, &tile, path, &args.tiles[0])?,
        }
    }
    let Some(mut whole) = whole else {
        return Err(CliError::Usage("no tiles are named".to_owned()));
    };
    let missing = whole.progress.missing(Tile::WHOLE);
    if !missing.is_empty() {
        let what = lacking(&whole.progress, &missing, &present);
        if !args.partial {
            return Err(CliError::Failed(format!(
                "{what}; compute the rest, or add --partial to leave it out"
            )));
        }
        out.say(format!("{what}; left out"))?;
    }
    let caption: Caption = serde_json::from_value(whole.head.caption.clone()).map_err(|error| {
        CliError::Failed(format!("{}: the caption: {error}", args.tiles[0].display()))
    })?;
    whole.head.tile = Tile::WHOLE.to_string();
    let known = Whole {
        caption: &caption,
        plane: &whole.plane,
        computed: &super::Computed::from_progress(&whole.progress),
        kept: Some((&whole.head, &whole.progress)),
    };
    deliver(&args.files, &known, begin, &mut out)
}

fn absorb(
    whole: &mut TileFile,
    tile: &TileFile,
    path: &Path,
    first: &Path,
) -> Result<(), CliError> {
    let other = difference(&tile.head.identity, &whole.head.identity);
    // Of one surface, by their words; but a file may have been tampered with.
    let fits = |a: &Progress, b: &Progress| {
        (a.x, a.y, a.path.len()) == (b.x, b.y, b.path.len())
            && whole.plane.center().len() == tile.plane.center().len()
    };
    let same_shape = fits(&whole.progress, &tile.progress);
    if let Some(what) = other.or_else(|| (!same_shape).then(|| "grid".to_owned())) {
        return Err(CliError::Failed(format!(
            "{}: is of another surface than {}: they differ in {what}; merge the tiles of one surface at a time",
            path.display(),
            first.display()
        )));
    }
    whole
        .progress
        .absorb(&tile.progress)
        .map_err(|error| CliError::Failed(format!("{}: {error}", path.display())))
}

/// Says what is missing: which tiles, where all are parts of as many.
fn lacking(progress: &Progress, missing: &[usize], present: &[String]) -> String {
    let tiles: Vec<Tile> = present.iter().filter_map(|t| t.parse().ok()).collect();
    let all = format!("{} of {} values are missing", missing.len(), progress.len());
    let of = tiles.first().map_or(1, Tile::of);
    if of == 1 || tiles.iter().any(|tile| tile.of() != of) {
        return all;
    }
    let mut counts = vec![0_usize; of];
    missing.iter().for_each(|item| counts[item % of] += 1);
    let (mut absent, mut unfinished) = (Vec::new(), Vec::new());
    for (k, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        if tiles.iter().any(|tile| tile.index() == k + 1) {
            unfinished.push(format!("{}/{of} ({count})", k + 1));
        } else {
            absent.push(format!("{}/{of}", k + 1));
        }
    }
    let mut words = all;
    for (what, names) in [
        ("these tiles are not among the files", absent),
        ("these are not finished", unfinished),
    ] {
        if !names.is_empty() {
            words += &format!("; {what}: {}", names.join(", "));
        }
    }
    words
}
