//! The folder that runs are recorded into, and what can be done with those in it.

use super::file::{EXTENSION, RunFile, is_run_file};
use super::{RunError, RunInfo};
use crate::train::HistoryRow;
use serde::Serialize;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Names another folder for runs.
pub const FOLDER_VARIABLE: &str = "GRADSCAPE_RUNS_DIR";

/// A folder of runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalogue {
    dir: PathBuf,
}

/// A run in the list.
#[derive(Debug, Clone, Serialize)]
pub struct Listed {
    /// Its file.
    pub path: PathBuf,
    /// What it takes on the disk.
    pub bytes: u64,
    /// What it is.
    #[serde(flatten)]
    pub info: RunInfo,
    /// The last step of which something is recorded.
    pub steps: u64,
    /// The newest epoch.
    pub last: Option<HistoryRow>,
}

/// A file that cannot be listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unreadable {
    /// Which.
    pub path: PathBuf,
    /// Why.
    pub error: String,
}

/// A run that was found by what somebody said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its file.
    pub path: PathBuf,
    /// How many runs there are of the name by which it was found, this one among them; 1
    /// where a path or an id was said.
    pub alike: usize,
}

impl Found {
    fn one(path: &Path) -> Self {
        Found {
            path: path.to_owned(),
            alike: 1,
        }
    }

    /// Its id.
    pub fn id(&self) -> String {
        id_of(&self.path)
    }
}

/// A file's name without its ending.
fn id_of(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default();
    stem.to_string_lossy().into_owned()
}

/// What is in the folder.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Listing {
    /// The runs, the newest first.
    pub runs: Vec<Listed>,
    /// Files with a run's ending that are none, or cannot be read.
    pub unreadable: Vec<Unreadable>,
    /// Older files that were not looked at.
    pub left_out: usize,
    /// What all files of runs take on the disk.
    pub bytes: u64,
}

impl Catalogue {
    /// The user's own: the folder that `GRADSCAPE_RUNS_DIR` names, else `runs` in the
    /// user's folder for data. None where the system tells of no such folder.
    pub fn standard() -> Option<Self> {
        match std::env::var_os(FOLDER_VARIABLE).filter(|folder| !folder.is_empty()) {
            Some(folder) => Some(Catalogue::at(folder)),
            None => directories::ProjectDirs::from("", "", "gradscape")
                .map(|dirs| Catalogue::at(dirs.data_dir().join("runs"))),
        }
    }

    /// Of a folder, which need not be there yet.
    pub fn at(dir: impl Into<PathBuf>) -> Self {
        Catalogue { dir: dir.into() }
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Takes a name for a run's file that begins at `created_ms` and is called `title`,
    /// and makes the folder where it is missing. The file is there, and empty; its name
    /// without the ending is the run's id.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn claim(&self, created_ms: i64, title: &str) -> Result<PathBuf, RunError> {
        fs::create_dir_all(&self.dir).map_err(|error| RunError::io(&self.dir, error))?;
        let time = jiff::Timestamp::from_millisecond(created_ms).unwrap_or_default();
        let time = time.strftime("%Y%m%d-%H%M%S");
        let base = format!("{time}-{}", slug(title));
        for number in 1..1000 {
            let name = match number {
                1 => format!("{base}.{EXTENSION}"),
                n => format!("{base}-{n}.{EXTENSION}"),
            };
            let path = self.dir.join(name);
            match File::create_new(&path) {
                Ok(_) => return Ok(path),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(RunError::io(&path, error)),
            }
        }
        Err(RunError::Unknown(format!(
            "{}: a thousand runs called {base} are there already",
            self.dir.display()
        )))
    }

    /// The runs, the newest at most `most`; files that cannot be read are told, and those
    /// that are not even begun passed over.
    ///
    /// # Errors
    /// When the folder is there and cannot be read.
    pub fn list(&self, most: usize) -> Result<Listing, RunError> {
        let mut listing = Listing::default();
        let mut files = self.files()?;
        listing.bytes = files.iter().map(|(_, path)| size(path)).sum();
        files.sort_by(|a, b| b.cmp(a));
        listing.left_out = files.len().saturating_sub(most);
        for (_, path) in files.into_iter().take(most) {
            match look_at(&path) {
                Ok(run) => listing.runs.push(run),
                Err(error) => listing.unreadable.push(Unreadable {
                    path,
                    error: error.to_string(),
                }),
            }
        }
        listing
            .runs
            .sort_by(|a, b| (b.info.created_ms, &b.info.id).cmp(&(a.info.created_ms, &a.info.id)));
        Ok(listing)
    }

    /// The files with a run's ending and something in them, with the time of their last
    /// change.
    fn files(&self) -> Result<Vec<(std::time::SystemTime, PathBuf)>, RunError> {
        let entries = match fs::read_dir(&self.dir) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(|error| RunError::io(&self.dir, error))?,
        };
        let files = entries.flatten().filter_map(|entry| {
            let path = entry.path();
            // A name that cannot be asked about is left to the one who opens it.
            let meta = fs::metadata(&path).ok()?;
            let is_run = is_run_file(&path) && meta.is_file() && meta.len() > 0;
            let changed = meta.modified().unwrap_or(std::time::UNIX_EPOCH);
            is_run.then_some((changed, path))
        });
        Ok(files.collect())
    }

    /// The run that `text` means: a path, an id or the only beginning of one, or a name,
    /// of several runs of that name the one that was begun last.
    ///
    /// # Errors
    /// [`RunError::Unknown`] when there is none, [`RunError::Ambiguous`] when several ids
    /// begin so; the message lists some.
    pub fn find(&self, text: &str) -> Result<Found, RunError> {
        let path = Path::new(text);
        if path.is_file() {
            return Ok(Found::one(path));
        }
        let mut files = self.files()?;
        files.sort_by(|a, b| b.cmp(a));
        if let Some((_, path)) = files.iter().find(|(_, path)| id_of(path) == text) {
            return Ok(Found::one(path));
        }
        let begins = |path: &Path| !text.is_empty() && id_of(path).starts_with(text);
        let begun: Vec<&PathBuf> = files.iter().map(|(_, p)| p).filter(|p| begins(p)).collect();
        match begun[..] {
            [one] => return Ok(Found::one(one)),
            [] => {}
            _ => {
                let ids: Vec<String> = begun.iter().take(5).map(|p| id_of(p)).collect();
                return Err(RunError::Ambiguous(format!(
                    "{text}: {} runs begin so: {}{}; say more of the one you mean",
                    begun.len(),
                    ids.join(", "),
                    if begun.len() > 5 { ", ..." } else { "" }
                )));
            }
        }
        let mut named = Vec::new();
        for (_, path) in files {
            let run = RunFile::open(&path).ok();
            if let Some(run) = run.filter(|run| run.info().name == text) {
                named.push((run.info().created_ms, path));
            }
        }
        let alike = named.len();
        if let Some((_, path)) = named.into_iter().max() {
            return Ok(Found { path, alike });
        }
        Err(RunError::Unknown(format!(
            "{text}: there is no such file, and no run of that id or name in {}; \
             `gradscape runs` lists those that are there",
            self.dir.display()
        )))
    }
}

/// A run's file with what a list says of it.
///
/// # Errors
/// When it cannot be read.
pub fn look_at(path: &Path) -> Result<Listed, RunError> {
    let run = RunFile::open(path)?;
    Ok(Listed {
        bytes: size(path),
        steps: run.last_step()?,
        last: run.last_epoch()?,
        info: run.info().clone(),
        path: path.to_owned(),
    })
}

/// Deletes a run's file with what SQLite keeps beside it.
///
/// # Errors
/// When it is no run's file by its ending, or cannot be deleted.
pub fn remove(path: &Path) -> Result<(), RunError> {
    if !is_run_file(path) {
        return Err(RunError::NotARun {
            path: path.to_owned(),
        });
    }
    fs::remove_file(path).map_err(|error| RunError::io(path, error))?;
    for beside in beside(path) {
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(RunError::io(&beside, error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// What SQLite keeps beside a file that is written: the log and its index.
fn beside(path: &Path) -> [PathBuf; 2] {
    ["-wal", "-shm"].map(|ending| PathBuf::from(format!("{}{ending}", path.display())))
}

fn size(path: &Path) -> u64 {
    let [log, _] = beside(path);
    let size = |path: &Path| fs::metadata(path).map_or(0, |meta| meta.len());
    size(path) + size(&log)
}

/// A title as part of a file's name: its letters and digits, in small.
fn slug(title: &str) -> String {
    let stem = Path::new(title).file_name();
    let stem = stem.map_or_else(|| title.to_owned(), |s| s.to_string_lossy().into_owned());
    let mut slug = String::new();
    for c in stem.chars().take(40) {
        match c.to_lowercase().next() {
            Some(c) if c.is_alphanumeric() => slug.push(c),
            _ if !slug.ends_with('-') => slug.push('-'),
            _ => {}
        }
    }
    let slug = slug.trim_matches('-');
    match slug.is_empty() {
        true => "run".to_owned(),
        false => slug.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_say_when_and_what_and_are_never_given_twice() {
        let dir = tempfile::tempdir().unwrap();
        let runs = Catalogue::at(dir.path().join("deep/runs"));
        let name = |path: PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
        let first = name(runs.claim(0, "Breast cancer / 2").unwrap());
        assert_eq!(first, "19700101-000000-2.gsrun");
        let second = name(runs.claim(1_764_330_000_123, "Über moons!").unwrap());
        assert_eq!(second, "20251128-114000-über-moons.gsrun");
        let third = name(runs.claim(1_764_330_000_999, "Über moons!").unwrap());
        assert_eq!(third, "20251128-114000-über-moons-2.gsrun");
        assert_eq!(slug("  "), "run");
    }

    #[test]
    fn what_is_no_run_is_told_and_never_deleted() {
        let dir = tempfile::tempdir().unwrap();
        let runs = Catalogue::at(dir.path());
        fs::write(dir.path().join("letter.gsrun"), "dear").unwrap();
        fs::write(dir.path().join("empty.gsrun"), "").unwrap();
        fs::write(dir.path().join("letter.txt"), "dear").unwrap();
        let listing = runs.list(10).unwrap();
        assert_eq!(listing.runs.len(), 0);
        assert_eq!(listing.unreadable.len(), 1);
        assert!(
            listing.unreadable[0].error.contains("no recorded run"),
            "{listing:?}"
        );
        assert!(remove(&dir.path().join("letter.txt")).is_err());
        assert!(
            runs.find("absent")
                .unwrap_err()
                .to_string()
                .contains("gradscape runs")
        );
        assert_eq!(
            Catalogue::at(dir.path().join("none"))
                .list(3)
                .unwrap()
                .bytes,
            0
        );
    }
}
