//! A surface that several processes compute together, or that one computes and
//! keeps while it does: what is known is looked up, the rest is shared out, and
//! the first process gets everything.

use super::job::Job;
use super::keep::Keeper;
use super::team::Team;
use super::tile::{ShareArgs, compute, interrupted};
use crate::cli::interrupt::Interrupt;
use crate::cli::{CliError, Out};
use crate::interop::{TileHead, read_tile};
use crate::landscape::tiles::{Found, Progress, Tile, bits, from_bits};
use std::path::{Path, PathBuf};

/// What this process begins with.
struct Start {
    head: TileHead,
    /// What the files of all processes say.
    known: Progress,
}

/// Computes `job` with everybody in `team`. The first process gets the surface,
/// the others get nothing.
///
/// # Errors
/// When the folder cannot be read or written or holds parts of another surface,
/// or the work is interrupted. Where all of them would say the same, the first does.
pub(super) fn run(
    job: &Job<'_>,
    team: &dyn Team,
    share: &ShareArgs,
    interrupt: &Interrupt,
    out: &mut Out,
) -> Result<Option<(TileHead, Progress)>, CliError> {
    let dir = share.tile_dir.as_deref();
    let start = agree(team, begin(job, dir), |start| {
        serde_json::to_string(&start.head.identity).unwrap_or_default()
    })?;
    let len = start.known.len();
    let mask = |progress: &Progress| -> Vec<u8> {
        (0..len)
            .map(|item| u8::from(progress.knows(item)))
            .collect()
    };
    let mut known = mask(&start.known);
    team.any(&mut known);
    let missing = (0..len).filter(|&item| known[item] == 0);
    let own: Vec<usize> = missing.skip(team.rank()).step_by(team.size()).collect();
    let stop = interrupt.flag();
    let place = dir.map(|dir| file_of(dir, team.rank()));
    let keeper = match &place {
        // Nobody writes a file for nothing.
        Some(file) if !own.is_empty() => {
            Keeper::in_file(file, start.head.clone(), job, share.flush_every, stop)
        }
        _ => Ok(Keeper::in_memory(job.nothing(), stop)),
    };
    let keeper = agree(team, keeper, |_| String::new())?;
    compute(job, &own, &keeper, stop, out);
    let (found, computed) = keeper.finish()?;
    if computed < own.len() {
        return Err(match dir {
            Some(_) if team.rank() > 0 => CliError::SaidElsewhere(3),
            Some(dir) => interrupted(start.known.count() + computed, len, dir),
            None => CliError::Failed("interrupted; nothing is written".to_owned()),
        });
    }
    let mut all = start.known;
    let conflict = |error: crate::landscape::tiles::TileError| CliError::Failed(error.to_string());
    all.absorb(&found).map_err(conflict)?;
    // Only what the first process lacks has to travel.
    let mut at_first = mask(&all);
    team.as_first(&mut at_first);
    let news: Vec<u8> = (0..len)
        .filter(|&item| at_first[item] == 0)
        .filter_map(|item| all.get(item).map(|found| (item, found)))
        .flat_map(|(item, found)| to_bytes(item, found))
        .collect();
    for bytes in team.collect(&news) {
        receive(&mut all, &bytes);
    }
    Ok((team.rank() == 0).then_some((start.head, all)))
}

/// The file that a process keeps its part in.
fn file_of(dir: &Path, rank: usize) -> PathBuf {
    dir.join(format!("process-{:04}.safetensors", rank + 1))
}

/// Reads what the folder's files know.
fn begin(job: &Job<'_>, dir: Option<&Path>) -> Result<Start, CliError> {
    let head = job.head(Tile::WHOLE)?;
    let mut known = job.nothing();
    if let Some(dir) = dir {
        std::fs::create_dir_all(dir).map_err(|error| CliError::io(dir, error))?;
        let entries = std::fs::read_dir(dir).map_err(|error| CliError::io(dir, error))?;
        let mut files = Vec::new();
        for entry in entries {
            let path = entry.map_err(|error| CliError::io(dir, error))?.path();
            if path
                .extension()
                .is_some_and(|ending| ending == "safetensors")
            {
                files.push(path);
            }
        }
        files.sort_unstable();
        for file in files {
            let tile = read_tile(&file)?;
            if let Some(what) = super::job::difference(&head.identity, &tile.head.identity) {
                return Err(CliError::Failed(format!(
                    "{}: holds a part of another surface, with another {what}; name another folder, or remove it",
                    file.display()
                )));
            }
            known
                .absorb(&tile.progress)
                .map_err(|error| CliError::Failed(format!("{}: {error}", file.display())))?;
        }
    }
    Ok(Start { head, known })
}

/// Goes on where every process can and all `say` the same; else the first says
/// why not and the others end quietly.
pub(super) fn agree<T>(
    team: &dyn Team,
    outcome: Result<T, CliError>,
    say: impl Fn(&T) -> String,
) -> Result<T, CliError> {
    if team.size() == 1 {
        return outcome;
    }
    let mut message = vec![u8::from(outcome.is_ok())];
    message.extend(match &outcome {
        Ok(value) => say(value).into_bytes(),
        Err(error) => error.to_string().into_bytes(),
    });
    let messages = team.collect(&message);
    let failing = messages.iter().position(|said| said.first() != Some(&1));
    let differing = messages.iter().position(|said| said != &messages[0]);
    let mut go = [u8::from(failing.is_none() && differing.is_none())];
    team.as_first(&mut go);
    let status = outcome.as_ref().err().map_or(1, CliError::status);
    match (go, outcome) {
        ([1], outcome) => outcome,
        _ if team.rank() > 0 => Err(CliError::SaidElsewhere(status)),
        (_, Err(own)) => Err(own),
        (_, Ok(_)) => {
            let rank = failing.or(differing).unwrap_or(0);
            let said = String::from_utf8_lossy(messages[rank].get(1..).unwrap_or_default());
            Err(CliError::Failed(match failing {
                Some(_) => format!("process {} of {}: {said}", rank + 1, team.size()),
                None => format!(
                    "process {} of {} has another surface than the first: its program, its files or its processor are others",
                    rank + 1,
                    team.size()
                ),
            }))
        }
    }
}

/// A number and what has it, for the way to another process.
fn to_bytes(item: usize, found: Found) -> Vec<u8> {
    let mut words = vec![item as u64];
    match found {
        Found::Height(value) | Found::Center(value) => words.push(value.to_bits()),
        Found::Point(point) => words.extend(bits(&point)),
    }
    words.into_iter().flat_map(u64::to_le_bytes).collect()
}

/// Takes in what [`to_bytes`] made.
fn receive(all: &mut Progress, bytes: &[u8]) {
    let (words, _) = bytes.as_chunks::<8>();
    let mut words = words.iter().map(|&word| u64::from_le_bytes(word));
    let (cells, points) = (all.cells.len(), all.path.len());
    while let (Some(item), Some(first)) = (words.next(), words.next()) {
        let item = item as usize;
        if (cells..cells + points).contains(&item) {
            let mut point = [first; 8];
            for word in &mut point[1..] {
                *word = words.next().unwrap_or_default();
            }
            all.set(item, Found::Point(from_bits(point)));
        } else if item < cells {
            all.set(item, Found::Height(f64::from_bits(first)));
        } else {
            all.set(item, Found::Center(f64::from_bits(first)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::landscape::Axis;

    #[test]
    fn what_travels_arrives_to_the_bit() {
        let axis = Axis::new(-1.0, 1.0, 3).unwrap();
        let mut sent = Progress::new(axis, axis, 2);
        sent.set(4, Found::Height(f64::NAN));
        sent.set(8, Found::Height(-0.0));
        sent.set(10, Found::Point(from_bits([7, 1, 2, 3, 4, 5, 6, 1 << 63])));
        sent.set(11, Found::Center(f64::INFINITY));
        let bytes: Vec<u8> = (0..sent.len())
            .filter_map(|item| sent.get(item).map(|found| to_bytes(item, found)))
            .flatten()
            .collect();
        let mut received = Progress::new(axis, axis, 2);
        receive(&mut received, &bytes);
        assert_eq!(received.count(), 4);
        // Equal to the bit, or this would be a conflict.
        received.absorb(&sent).unwrap();
        assert_eq!(received.count(), 4);
    }
}
