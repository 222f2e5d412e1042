//! Reads a run's file, also while it is being written.

use super::info::{Parent, RunInfo, SavedState};
use super::open::{beside, migrated, open};
use super::thinning::{MOST_STEPS, Thinning};
use super::{RunError, schema};
use crate::experiment::Experiment;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use std::path::{Path, PathBuf};

/// The ending of a run's file.
pub const EXTENSION: &str = "gsrun";

/// The key of a watched run's environment that says why it has no network.
pub const NO_NETWORK: &str = "no_network";

/// The most rows of a table that are read; no recorder of ours keeps more.
pub(super) const MOST_ROWS: u64 = MOST_STEPS + 1;

/// The most parameters that weights in a file may have; more is no file of ours.
const MOST_PARAMETERS: i64 = 1 << 30;

/// Whether a path names a run's file, by its ending.
pub fn is_run_file(path: &Path) -> bool {
    path.extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case(EXTENSION))
}

/// A run's file that is open for reading. Each answer is of the moment in which it is
/// asked for: of a run that is being recorded the next one may tell more.
#[derive(Debug)]
pub struct RunFile {
    pub(super) db: Connection,
    pub(super) path: PathBuf,
    info: RunInfo,
}

impl RunFile {
    /// Opens a run for reading. A file of an earlier version is brought to today's first;
    /// where it cannot be written, that is done with a copy in memory.
    ///
    /// # Errors
    /// When it is no run, of a newer version, damaged, or cannot be read.
    pub fn open(path: &Path) -> Result<Self, RunError> {
        let db = open(path)?;
        let version = schema::version(&db, path)?;
        schema::check_plain(&db, path)?;
        check_whole(&db, path)?;
        let db = match version < schema::VERSION {
            true => {
                drop(db);
                migrated(path, version)?
            }
            false => db,
        };
        let info = read_info(&db, path, version)?;
        Ok(RunFile {
            db,
            path: path.to_owned(),
            info,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the run is, as it was when the file was opened.
    pub fn info(&self) -> &RunInfo {
        &self.info
    }

    /// The experiment, as TOML.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn experiment_text(&self) -> Result<String, RunError> {
        self.one("SELECT experiment FROM run", |row| row.get(0))
    }

    /// The experiment that was run.
    ///
    /// # Errors
    /// When the file cannot be read, there is none because the run was watched and no network
    /// could be made of it, or this version does not know the experiment's keys.
    pub fn experiment(&self) -> Result<Experiment, RunError> {
        let text = self.experiment_text()?;
        if let Some(watched) = self.info.watched.as_ref().filter(|_| text.is_empty()) {
            let why = self.info.environment.get(NO_NETWORK).cloned();
            return Err(RunError::NoNetwork {
                path: self.path.clone(),
                source_name: watched.clone(),
                why: why.unwrap_or_else(|| "no weights were told".to_owned()),
            });
        }
        let origin = self.path.display().to_string();
        Experiment::parse(&text, &origin).map_err(|source| RunError::Experiment {
            path: self.path.clone(),
            source,
        })
    }

    pub(super) fn damaged(&self, what: String) -> RunError {
        RunError::damaged(&self.path, what)
    }

    pub(super) fn one<T>(
        &self,
        sql: &str,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, RunError> {
        let found = self.db.query_row(sql, [], read);
        found.map_err(|error| RunError::database(&self.path, error))
    }

    pub(super) fn all<T>(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, RunError> {
        all(&self.db, &self.path, sql, params, read)
    }
}

/// All rows of a query, which are not more than a run has, and whose texts together are not
/// longer than the file: in a damaged one many rows can be one and the same.
fn all<T>(
    db: &Connection,
    path: &Path,
    sql: &str,
    params: impl rusqlite::Params,
    mut read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, RunError> {
    let most = size(db).map_err(|error| RunError::database(path, error))?;
    let mut bytes = 0;
    let mut found = Vec::new();
    let collect = || -> rusqlite::Result<bool> {
        let mut statement = db.prepare(sql)?;
        let columns = statement.column_count();
        let mut rows = statement.query(params)?;
        while let Some(row) = rows.next()? {
            for column in 0..columns {
                if let ValueRef::Text(text) | ValueRef::Blob(text) = row.get_ref(column)? {
                    bytes += text.len() as u64;
                }
            }
            if bytes > most || found.len() as u64 >= MOST_ROWS {
                return Ok(false);
            }
            found.push(read(row)?);
        }
        Ok(true)
    };
    match collect() {
        Ok(true) => Ok(found),
        Ok(false) => Err(RunError::damaged(
            path,
            "one of its tables holds more than can be in a file of its size",
        )),
        Err(error) => Err(RunError::database(path, error)),
    }
}

/// Refuses a file that ends before its last page does; one that is being written has what is
/// missing beside it.
fn check_whole(db: &Connection, path: &Path) -> Result<(), RunError> {
    let length = |path: &Path| std::fs::metadata(path).map_or(0, |meta| meta.len());
    let expected = size(db).map_err(|error| RunError::database(path, error))?;
    let (found, beside) = (length(path), length(&beside(path)));
    match beside == 0 && found < expected {
        false => Ok(()),
        true => Err(RunError::damaged(
            path,
            format!("it is cut off: it has {found} of {expected} bytes"),
        )),
    }
}

/// How many bytes a file has, with what lies beside it.
pub(super) fn size(db: &Connection) -> rusqlite::Result<u64> {
    let number = |name: &str| db.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let bytes = number("page_count")?.saturating_mul(number("page_size")?);
    Ok(bytes.max(0) as u64)
}

fn read_info(db: &Connection, path: &Path, version: i64) -> Result<RunInfo, RunError> {
    let found = db.query_row(
        "SELECT id, name, state, created_ms, updated_ms, finished_ms, seed, data,
             parameters, training_samples, validation_samples, steps_per_epoch,
             parent_id, parent_step, comment, watched
         FROM run",
        [],
        |row| read_run(row, version),
    );
    let mut info = match found {
        Ok(Ok(info)) => info,
        Ok(Err(what)) => return Err(RunError::damaged(path, what)),
        Err(rusqlite::Error::QueryReturnedNoRows) => {
            return Err(RunError::damaged(path, "its table `run` is empty"));
        }
        Err(error) => return Err(RunError::database(path, error)),
    };
    let sql = "SELECT key, value FROM environment";
    let entries = all(db, path, sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    info.environment = entries.into_iter().collect();
    let sql = "SELECT tag FROM tags ORDER BY tag";
    info.tags = all(db, path, sql, [], |row| row.get(0))?;
    let sql = "SELECT what, every, most, rule FROM thinning";
    info.thinning = all(db, path, sql, [], |row| {
        Ok(Thinning {
            what: row.get(0)?,
            every: step(row, 1)?,
            most: step(row, 2)?,
            rule: row.get(3)?,
        })
    })?;
    Ok(info)
}

fn read_run(row: &Row<'_>, version: i64) -> rusqlite::Result<Result<RunInfo, String>> {
    let (state, seed): (String, String) = (row.get(2)?, row.get(6)?);
    let Some(state) = SavedState::named(&state) else {
        return Ok(Err(format!("its state is {state:?}, which is none")));
    };
    let Ok(seed) = seed.parse() else {
        return Ok(Err(format!("its seed is {seed:?}, which is no number")));
    };
    let parameters: i64 = row.get(8)?;
    if !(0..=MOST_PARAMETERS).contains(&parameters) {
        return Ok(Err(format!(
            "it has {parameters} parameters, which cannot be"
        )));
    }
    let parent: Option<String> = row.get(12)?;
    let at: Option<i64> = row.get(13)?;
    Ok(Ok(RunInfo {
        id: row.get(0)?,
        name: row.get(1)?,
        state,
        created_ms: row.get(3)?,
        updated_ms: row.get(4)?,
        finished_ms: row.get(5)?,
        seed,
        data: row.get(7)?,
        parameters: parameters as usize,
        training_samples: count(row, 9)?,
        validation_samples: count(row, 10)?,
        steps_per_epoch: count(row, 11)?,
        environment: Default::default(),
        tags: Vec::new(),
        comment: row.get(14)?,
        parent: parent.map(|id| Parent {
            id,
            step: at.unwrap_or(0).max(0) as u64,
        }),
        watched: row.get(15)?,
        thinning: Vec::new(),
        schema: version,
    }))
}

/// A count of steps; one below 0 is none.
pub(super) fn step(row: &Row<'_>, at: usize) -> rusqlite::Result<u64> {
    Ok(row.get::<_, i64>(at)?.max(0) as u64)
}

pub(super) fn count(row: &Row<'_>, at: usize) -> rusqlite::Result<usize> {
    Ok(step(row, at)? as usize)
}
