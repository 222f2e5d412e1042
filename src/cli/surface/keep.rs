//! A tile's file, brought up to date every few seconds while it is computed.

use super::job::{Job, difference};
use crate::cli::CliError;
use crate::files::NewFile;
use crate::interop::{InteropError, TileHead, read_tile, tile_bytes};
use crate::landscape::Plane;
use crate::landscape::tiles::{Found, Progress};
use std::fs::{File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Writing takes at most about this share of the time.
const SHARE: u32 = 20;
/// A thread reports after about this many seconds, or after one point: then is
/// when it can be stopped.
const REPORT: f64 = 1.0;
/// What is known of a surface, and the file that it goes into, if it does.
pub(super) struct Keeper<'a> {
    place: Option<Place<'a>>,
    state: Mutex<State>,
    stop: &'a AtomicBool,
    block: AtomicUsize,
    begin: Instant,
}

/// The file, and what is in it besides what is known.
struct Place<'a> {
    file: PathBuf,
    head: TileHead,
    plane: &'a Plane,
    every: Duration,
}

struct State {
    progress: Progress,
    // Keeps others from writing the file; it is the file itself.
    lock: Option<File>,
    written: Instant,
    cost: Duration,
    computed: usize,
    unwritten: usize,
    fault: Option<CliError>,
}

impl<'a> Keeper<'a> {
    /// Keeps what is found in memory, beginning with `progress`.
    pub fn in_memory(progress: Progress, stop: &'a AtomicBool) -> Self {
        Keeper {
            place: None,
            state: Mutex::new(State {
                progress,
                lock: None,
                written: Instant::now(),
                cost: Duration::ZERO,
                computed: 0,
                unwritten: 0,
                fault: None,
            }),
            stop,
            block: AtomicUsize::new(1),
            begin: Instant::now(),
        }
    }

    /// Keeps what is found in `file` too, and begins with what is in it. What is
    /// written there at once tells whether it can be.
    ///
    /// # Errors
    /// When there is a file that is none of this surface or is in use, or it
    /// cannot be written.
    pub fn in_file(
        file: &Path,
        head: TileHead,
        job: &Job<'a>,
        every: Duration,
        stop: &'a AtomicBool,
    ) -> Result<Self, CliError> {
        let (progress, lock) = match open(file)? {
            Some(lock) => (earlier(file, &head)?, Some(lock)),
            None => (job.nothing(), None),
        };
        let mut keeper = Self::in_memory(progress, stop);
        keeper.place = Some(Place {
            file: file.to_owned(),
            head,
            plane: job.plane,
            every,
        });
        let mut state = keeper.state();
        state.lock = lock;
        keeper.write(&mut state)?;
        drop(state);
        Ok(keeper)
    }

    /// What is known now.
    pub fn progress(&self) -> Progress {
        self.state().progress.clone()
    }

    /// How many items a thread should take at a time.
    pub fn block(&self) -> usize {
        self.block.load(Ordering::Relaxed)
    }

    /// Takes in what a thread found, and writes it when it is time. Where it
    /// cannot be written, everybody is stopped.
    pub fn take(&self, found: &[(usize, Found)]) {
        let mut state = self.state();
        for &(item, value) in found {
            state.progress.set(item, value);
        }
        state.computed += found.len();
        state.unwritten += found.len();
        let rate = state.computed as f64 / self.begin.elapsed().as_secs_f64();
        let block = REPORT * rate / rayon::current_num_threads() as f64;
        self.block.store((block as usize).max(1), Ordering::Relaxed);
        let Some(place) = &self.place else { return };
        let due = state.written.elapsed() >= place.every.max(SHARE * state.cost);
        if !due || state.fault.is_some() {
            return;
        }
        if let Err(fault) = self.write(&mut state) {
            state.fault = Some(fault);
            self.stop.store(true, Ordering::Relaxed);
        }
    }

    /// Writes what is not written yet. Gives everything known, and how many
    /// items were computed here.
    ///
    /// # Errors
    /// When the file cannot be, or could not be, written.
    pub fn finish(self) -> Result<(Progress, usize), CliError> {
        let mut state = self.state();
        if let Some(fault) = state.fault.take() {
            return Err(fault);
        }
        if state.unwritten > 0 && self.place.is_some() {
            self.write(&mut state)?;
        }
        drop(state);
        let state = self
            .state
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        Ok((state.progress, state.computed))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A thread that panicked has left whole items.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, state: &mut State) -> Result<(), CliError> {
        let Some(place) = &self.place else {
            return Ok(());
        };
        let begin = Instant::now();
        let bytes = tile_bytes(&place.file, &place.head, place.plane, &state.progress)?;
        let io = |error| CliError::io(&place.file, error);
        let new = NewFile::create(&place.file).map_err(io)?;
        // Locked before it is in its place: whoever opens it finds it so.
        let lock = new.file().try_clone().map_err(io)?;
        hold(&place.file, &lock)?;
        new.file().write_all(&bytes).map_err(io)?;
        new.finish().map_err(io)?;
        state.lock = Some(lock);
        state.unwritten = 0;
        state.written = Instant::now();
        state.cost = begin.elapsed();
        Ok(())
    }
}

/// The file, locked; `None` where there is none.
fn open(file: &Path) -> Result<Option<File>, CliError> {
    match File::open(file) {
        Ok(opened) => {
            hold(file, &opened)?;
            if is_still(file, &opened) {
                Ok(Some(opened))
            } else {
                Err(in_use(file))
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(CliError::io(file, error)),
    }
}

/// Locks the file; file systems that have no locks do without.
fn hold(path: &Path, file: &File) -> Result<(), CliError> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(in_use(path)),
        Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
    }
}

fn in_use(path: &Path) -> CliError {
    CliError::Failed(format!(
        "{}: another process is computing this file; wait for it, or name another file",
        path.display()
    ))
}

/// Whether the file of that name is still the one that was opened: whoever
/// writes it puts another in its place.
#[cfg(unix)]
fn is_still(path: &Path, opened: &File) -> bool {
    use std::os::unix::fs::MetadataExt;
    let place = |meta: std::fs::Metadata| (meta.dev(), meta.ino());
    let (named, own) = (std::fs::metadata(path), opened.metadata());
    named.is_ok_and(|named| own.is_ok_and(|own| place(named) == place(own)))
}

#[cfg(not(unix))]
fn is_still(_: &Path, _: &File) -> bool {
    true
}

/// What an earlier process left in `file`.
fn earlier(file: &Path, head: &TileHead) -> Result<Progress, CliError> {
    let advice = "it is left as it is; name another file, or remove it";
    let there = read_tile(file).map_err(|error| match error {
        InteropError::Io { .. } => error.into(),
        _ => CliError::Failed(format!("{error}; {advice}")),
    })?;
    let place = file.display();
    if let Some(what) = difference(&head.identity, &there.head.identity) {
        return Err(CliError::Failed(format!(
            "{place}: holds a tile of another surface, with another {what}; {advice}"
        )));
    }
    if there.head.tile != head.tile {
        return Err(CliError::Failed(format!(
            "{place}: holds tile {}, not {}; {advice}",
            there.head.tile, head.tile
        )));
    }
    Ok(there.progress)
}
