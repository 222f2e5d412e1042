//! Reads a run's file, also while it is being written.

use super::event::{EventKind, RunEvent};
use super::info::{Parent, RunInfo, SavedState};
use super::item::{SavedWeights, StepMetrics};
use super::recorder::number;
use super::thinning::Thinning;
use super::{RunError, finding, schema};
use crate::experiment::Experiment;
use crate::insight::diagnosis::Finding;
use crate::train::HistoryRow;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, params};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The ending of a run's file.
pub const EXTENSION: &str = "gsrun";

/// How long a reader waits for a writer that is at work.
const BUSY: Duration = Duration::from_secs(5);

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
    db: Connection,
    path: PathBuf,
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
    /// When the file cannot be read, or this version does not know the experiment's keys.
    pub fn experiment(&self) -> Result<Experiment, RunError> {
        let text = self.experiment_text()?;
        let origin = self.path.display().to_string();
        Experiment::parse(&text, &origin).map_err(|source| RunError::Experiment {
            path: self.path.clone(),
            source,
        })
    }

    /// What the epochs came to, oldest first. A loss that is not there was not finite.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn epochs(&self) -> Result<Vec<HistoryRow>, RunError> {
        self.all(
            "SELECT epoch, step, train_loss, train_accuracy, validation_loss,
                 validation_accuracy, learning_rate, gradient_norm
             FROM epochs ORDER BY epoch",
            [],
            read_epoch,
        )
    }

    /// The newest epoch.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn last_epoch(&self) -> Result<Option<HistoryRow>, RunError> {
        let mut rows = self.all(
            "SELECT epoch, step, train_loss, train_accuracy, validation_loss,
                 validation_accuracy, learning_rate, gradient_norm
             FROM epochs ORDER BY epoch DESC LIMIT 1",
            [],
            read_epoch,
        )?;
        Ok(rows.pop())
    }

    /// When each epoch was done, in milliseconds since 1970, with its number.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn epoch_times(&self) -> Result<Vec<(usize, i64)>, RunError> {
        let sql = "SELECT epoch, time_ms FROM epochs ORDER BY epoch";
        self.all(sql, [], |row| Ok((count(row, 0)?, row.get(1)?)))
    }

    /// Metrics of single steps, rising: all of them where they are at most `most`, else
    /// every so many, so that they are.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn steps(&self, most: usize) -> Result<Vec<StepMetrics>, RunError> {
        let rows: i64 = self.one("SELECT count(*) FROM steps", |row| row.get(0))?;
        let stride = (rows as u64).div_ceil(most.max(1) as u64).max(1);
        self.all(
            "SELECT step, loss, learning_rate, gradient_norm
             FROM (SELECT *, row_number() OVER (ORDER BY step) AS place FROM steps)
             WHERE (place - 1) % ?1 = 0 ORDER BY step",
            [number(stride)],
            |row| {
                Ok(StepMetrics {
                    step: step(row, 0)?,
                    loss: row.get(1)?,
                    learning_rate: row.get(2)?,
                    gradient_norm: row.get(3)?,
                })
            },
        )
    }

    /// The last step of which something is recorded.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn last_step(&self) -> Result<u64, RunError> {
        self.one(
            "SELECT max(coalesce((SELECT max(step) FROM steps), 0),
                 coalesce((SELECT max(step) FROM epochs), 0),
                 coalesce((SELECT max(step) FROM snapshots), 0))",
            |row| step(row, 0),
        )
    }

    /// The steps after which the weights are there, rising.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn snapshot_steps(&self) -> Result<Vec<u64>, RunError> {
        let sql = "SELECT step FROM snapshots ORDER BY step";
        self.all(sql, [], |row| step(row, 0))
    }

    /// The weights after `step` steps, or the last ones before that, exactly as they were.
    ///
    /// # Errors
    /// When the file cannot be read, there are none, or they are damaged.
    pub fn snapshot(&self, step: u64) -> Result<Vec<f32>, RunError> {
        Ok(self.weights(step)?.params.to_vec())
    }

    /// The same with what belongs to them.
    ///
    /// # Errors
    /// As of [`snapshot`](Self::snapshot).
    pub fn weights(&self, at: u64) -> Result<SavedWeights, RunError> {
        let found = self.db.prepare_cached(
            "SELECT step, epoch, loss, length(params) FROM snapshots WHERE step <= ?1
             ORDER BY step DESC LIMIT 1",
        );
        let found = found.and_then(|mut sql| {
            sql.query_row([number(at)], |row| {
                Ok((
                    step(row, 0)?,
                    count(row, 1)?,
                    row.get(2)?,
                    row.get::<_, i64>(3)?,
                ))
            })
            .optional()
        });
        let found = found.map_err(|error| RunError::database(&self.path, error))?;
        let Some((at, epoch, loss, length)) = found else {
            return Err(self.damaged(format!(
                "it has no weights of step {at} or before; `gradscape runs show` lists those it has"
            )));
        };
        let expected = 4 * self.info.parameters as i64;
        if length != expected {
            return Err(self.damaged(format!(
                "the weights of step {at} have {length} bytes, and {expected} are those of its \
                 {} parameters",
                self.info.parameters
            )));
        }
        let sql = "SELECT params FROM snapshots WHERE step = ?1";
        let read = self.db.prepare_cached(sql).and_then(|mut sql| {
            sql.query_row([number(at)], |row| {
                let bytes = row.get_ref(0)?.as_blob()?;
                Ok(bytes.chunks_exact(4).map(from_bytes).collect())
            })
        });
        Ok(SavedWeights {
            step: at,
            epoch,
            loss,
            params: read.map_err(|error| RunError::database(&self.path, error))?,
        })
    }

    /// What happened to the run, in order.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn events(&self) -> Result<Vec<RunEvent>, RunError> {
        self.all(
            "SELECT time_ms, step, epoch, kind, detail FROM events ORDER BY id",
            [],
            |row| {
                let (kind, detail): (String, String) = (row.get(3)?, row.get(4)?);
                Ok(RunEvent {
                    time_ms: row.get(0)?,
                    step: step(row, 1)?,
                    epoch: count(row, 2)?,
                    kind: EventKind::named(&kind),
                    detail: serde_json::from_str(&detail).unwrap_or_default(),
                })
            },
        )
    }

    /// What the diagnosis found at the run's end, causes first; nothing where it found
    /// nothing, or the run did not come to an end. What this version does not know is
    /// left out.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn findings(&self) -> Result<Vec<Finding>, RunError> {
        let sql = "SELECT detail FROM findings ORDER BY id";
        let texts: Vec<String> = self.all(sql, [], |row| row.get(0))?;
        Ok(texts
            .iter()
            .filter_map(|text| finding::parse(text))
            .collect())
    }

    fn damaged(&self, what: String) -> RunError {
        RunError::damaged(&self.path, what)
    }

    fn one<T>(
        &self,
        sql: &str,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, RunError> {
        let found = self.db.query_row(sql, [], read);
        found.map_err(|error| RunError::database(&self.path, error))
    }

    fn all<T>(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, RunError> {
        let rows = self.db.prepare(sql).and_then(|mut statement| {
            let rows = statement.query_map(params, read)?;
            rows.collect()
        });
        rows.map_err(|error| RunError::database(&self.path, error))
    }
}

fn from_bytes(bytes: &[u8]) -> f32 {
    bytes.try_into().map_or(f32::NAN, f32::from_le_bytes)
}

/// Opens for reading only. In a folder that cannot be written SQLite cannot share a file
/// with its writer, and nobody writes there: it is read as it is.
fn open(path: &Path) -> Result<Connection, RunError> {
    let meta = std::fs::metadata(path).map_err(|source| RunError::io(path, source))?;
    if !meta.is_file() {
        return Err(RunError::NotARun {
            path: path.to_owned(),
        });
    }
    let read_only = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = connect(path, read_only);
    match db.and_then(|db| probe(&db).map(|()| db)) {
        Ok(db) => Ok(db),
        Err(error) => {
            let log = PathBuf::from(format!("{}-wal", path.display()));
            let unshared = matches!(
                error.sqlite_error_code(),
                Some(rusqlite::ErrorCode::CannotOpen | rusqlite::ErrorCode::ReadOnly)
            );
            let is_whole = std::fs::metadata(log).map_or(true, |meta| meta.len() == 0);
            if !(unshared && is_whole) {
                return Err(RunError::database(path, error));
            }
            let name = encoded(path);
            let flags = read_only | OpenFlags::SQLITE_OPEN_URI;
            let db = Connection::open_with_flags(format!("file:{name}?immutable=1"), flags);
            db.and_then(|db| probe(&db).map(|()| db))
                .map_err(|error| RunError::database(path, error))
        }
    }
}

/// A path within an address of SQLite.
fn encoded(path: &Path) -> String {
    let mut name = String::new();
    for c in path.to_string_lossy().chars() {
        match c {
            '%' => name.push_str("%25"),
            '?' => name.push_str("%3f"),
            '#' => name.push_str("%23"),
            c => name.push(c),
        }
    }
    name
}

fn connect(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let db = Connection::open_with_flags(path, flags)?;
    db.busy_timeout(BUSY)?;
    // A file is somebody else's: it cannot make the program call what it likes.
    db.pragma_update(None, "trusted_schema", false)?;
    Ok(db)
}

/// Whether it can be read at all; that is seen at the first look only.
fn probe(db: &Connection) -> rusqlite::Result<()> {
    db.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
}

/// Opens for writing, migrated.
pub(super) fn open_for_writing(path: &Path) -> Result<Connection, RunError> {
    std::fs::metadata(path).map_err(|source| RunError::io(path, source))?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = connect(path, flags).and_then(|db| probe(&db).map(|()| db));
    let db = db.map_err(|error| RunError::database(path, error))?;
    let version = schema::version(&db, path)?;
    schema::migrate(&db, version, path)?;
    Ok(db)
}

/// An earlier version's file brought to today's, or a copy of it where it cannot be
/// written.
fn migrated(path: &Path, version: i64) -> Result<Connection, RunError> {
    if open_for_writing(path).is_ok() {
        return open(path);
    }
    let source = path.to_str().ok_or_else(|| {
        RunError::damaged(
            path,
            "its name is not UTF-8, and it cannot be brought to today's form",
        )
    })?;
    let copy = || -> rusqlite::Result<Connection> {
        let db = Connection::open_in_memory()?;
        schema::migrate_to(&db, 0, version)?;
        db.execute(
            "ATTACH ?1 AS old",
            [format!("file:{}?immutable=1", encoded(Path::new(source)))],
        )?;
        let names: Vec<String> = db
            .prepare("SELECT name FROM main.sqlite_schema WHERE type = 'table'")?
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        for name in names {
            db.execute_batch(&format!("INSERT INTO main.{name} SELECT * FROM old.{name}"))?;
        }
        db.execute_batch("DETACH old")?;
        Ok(db)
    };
    let db = copy().map_err(|error| RunError::database(path, error))?;
    schema::migrate(&db, version, path)?;
    Ok(db)
}

fn read_info(db: &Connection, path: &Path, version: i64) -> Result<RunInfo, RunError> {
    let read = || -> rusqlite::Result<Result<RunInfo, String>> {
        let mut info = db.query_row(
            "SELECT id, name, state, created_ms, updated_ms, finished_ms, seed, data,
                 parameters, training_samples, validation_samples, steps_per_epoch,
                 parent_id, parent_step, comment
             FROM run",
            [],
            |row| read_run(row, version),
        )?;
        if let Ok(info) = &mut info {
            let mut sql = db.prepare("SELECT key, value FROM environment")?;
            let entries = sql.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            info.environment = entries.collect::<rusqlite::Result<_>>()?;
            let mut sql = db.prepare("SELECT tag FROM tags ORDER BY tag")?;
            let tags = sql.query_map([], |row| row.get(0))?;
            info.tags = tags.collect::<rusqlite::Result<_>>()?;
            let mut sql = db.prepare("SELECT what, every, most, rule FROM thinning")?;
            let rules = sql.query_map([], |row| {
                Ok(Thinning {
                    what: row.get(0)?,
                    every: step(row, 1)?,
                    most: step(row, 2)?,
                    rule: row.get(3)?,
                })
            })?;
            info.thinning = rules.collect::<rusqlite::Result<_>>()?;
        }
        Ok(info)
    };
    match read() {
        Ok(Ok(info)) => Ok(info),
        Ok(Err(what)) => Err(RunError::damaged(path, what)),
        Err(rusqlite::Error::QueryReturnedNoRows) => {
            Err(RunError::damaged(path, "its table `run` is empty"))
        }
        Err(error) => Err(RunError::database(path, error)),
    }
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
        thinning: Vec::new(),
        schema: version,
    }))
}

fn read_epoch(row: &Row<'_>) -> rusqlite::Result<HistoryRow> {
    let number = |at: usize| row.get::<_, Option<f64>>(at);
    Ok(HistoryRow {
        epoch: count(row, 0)?,
        step: step(row, 1)?,
        train_loss: number(2)?.unwrap_or(f64::NAN),
        train_accuracy: number(3)?,
        validation_loss: number(4)?,
        validation_accuracy: number(5)?,
        learning_rate: number(6)?.unwrap_or(f64::NAN),
        gradient_norm: number(7)?,
    })
}

/// A count of steps; one below 0 is none.
fn step(row: &Row<'_>, at: usize) -> rusqlite::Result<u64> {
    Ok(row.get::<_, i64>(at)?.max(0) as u64)
}

fn count(row: &Row<'_>, at: usize) -> rusqlite::Result<usize> {
    Ok(step(row, at)? as usize)
}

/// What people say about a run, in its file.
#[derive(Debug)]
pub struct RunNotes {
    db: Connection,
    path: PathBuf,
}

impl RunNotes {
    /// Opens a run to write about it; also while it is being recorded.
    ///
    /// # Errors
    /// When it is no run, or cannot be written.
    pub fn open(path: &Path) -> Result<Self, RunError> {
        Ok(RunNotes {
            db: open_for_writing(path)?,
            path: path.to_owned(),
        })
    }

    /// Calls it `name`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn rename(&self, name: &str) -> Result<(), RunError> {
        self.run("UPDATE run SET name = ?1", name)
    }

    /// Puts `comment` in the place of what was said before.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn comment(&self, comment: &str) -> Result<(), RunError> {
        self.run("UPDATE run SET comment = ?1", comment)
    }

    /// Marks it with `tag`; once is enough.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn tag(&self, tag: &str) -> Result<(), RunError> {
        self.run("INSERT OR IGNORE INTO tags (tag) VALUES (?1)", tag)
    }

    /// Takes the mark `tag` away, if it is there.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn untag(&self, tag: &str) -> Result<(), RunError> {
        self.run("DELETE FROM tags WHERE tag = ?1", tag)
    }

    fn run(&self, sql: &str, value: &str) -> Result<(), RunError> {
        let done = self.db.execute(sql, params![value]);
        done.map(|_| ())
            .map_err(|error| RunError::database(&self.path, error))
    }
}
