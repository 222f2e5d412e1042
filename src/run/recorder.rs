//! Writes a run's file, in small transactions: whatever ends the process, everything up
//! to the last commit is there.

use super::info::{RunStart, SavedState};
use super::item::Item;
use super::schema;
use super::thinning::{Kept, SnapshotPlan};
use super::write::{
    data_of, interrupt, merge_step, number, write_environment, write_epoch, write_event,
    write_every, write_start, write_state, write_step, write_told, write_weights,
};
use super::{RunError, finding};
use crate::insight::diagnosis::Finding;
use rusqlite::{Connection, params};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a writer waits for another one, such as somebody who tags the run.
const BUSY: Duration = Duration::from_secs(10);

/// The key of the environment that says that a run was not diagnosed at its end.
pub(super) const DIAGNOSIS: &str = "diagnosis";

/// A run's file that is being written. A state machine: whoever drives it says when to
/// commit, and brings the clock.
#[derive(Debug)]
pub struct Recorder {
    db: Connection,
    path: PathBuf,
    open: bool,
    last_step: u64,
    committed: Committed,
}

/// What is safe in a run's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Committed {
    /// The last step of which the metrics are there.
    pub step: u64,
    /// The last step of which the weights are there.
    pub snapshot: Option<u64>,
}

impl Recorder {
    /// Makes the file of a run that begins; commits what `start` and `plan` say. A file of
    /// that name must not be there, or be empty.
    ///
    /// # Errors
    /// When it is there, or cannot be written.
    pub fn create(path: &Path, start: &RunStart, plan: &SnapshotPlan) -> Result<Self, RunError> {
        if path.metadata().is_ok_and(|meta| meta.len() > 0) {
            let source = std::io::Error::new(
                std::io::ErrorKind::AlreadyExists,
                "there is a file already; name another, or delete it first",
            );
            return Err(RunError::io(path, source));
        }
        let experiment = toml(start, path)?;
        let recorder = Self::prepare(path, |db| write_start(db, start, &experiment, plan));
        Ok(Recorder {
            db: recorder.map_err(|error| RunError::database(path, error))?,
            path: path.to_owned(),
            open: false,
            last_step: 0,
            committed: Committed::default(),
        })
    }

    /// A file with all tables and what `begin` puts into them, or an empty one: there is
    /// no moment at which it is a run by half.
    fn prepare(
        path: &Path,
        begin: impl FnOnce(&Connection) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<Connection> {
        let db = Connection::open(path)?;
        db.busy_timeout(BUSY)?;
        let all = db.unchecked_transaction()?;
        schema::create(&all)?;
        begin(&all)?;
        all.commit()?;
        db.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
        // Safe against the end of the process at any moment; against that of the machine
        // the file stays whole, and may lack the last seconds.
        db.pragma_update(None, "synchronous", "normal")?;
        db.pragma_update(None, "journal_size_limit", 16 << 20)?;
        Ok(db)
    }

    /// Says in place of what was said at the beginning what the run is: its experiment, its
    /// parameters and samples, and what is new of its environment. For a watched run whose
    /// network becomes known.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn describe(&mut self, start: &RunStart) -> Result<(), RunError> {
        let experiment = toml(start, &self.path)?;
        let done = self.begin().and_then(|()| {
            self.db.execute(
                "UPDATE run SET name = ?1, data = ?2, experiment = ?3, parameters = ?4,
                     training_samples = ?5, validation_samples = ?6, steps_per_epoch = ?7",
                params![
                    start.name,
                    data_of(start),
                    experiment,
                    start.parameters as i64,
                    start.training_samples as i64,
                    start.validation_samples as i64,
                    start.steps_per_epoch as i64,
                ],
            )?;
            self.db.execute("DELETE FROM environment", [])?;
            write_environment(&self.db, start)
        });
        done.map_err(|error| RunError::database(&self.path, error))
    }

    /// Says how far the run has come.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn set_state(&mut self, state: SavedState, time_ms: i64) -> Result<(), RunError> {
        let done = self
            .begin()
            .and_then(|()| write_state(&self.db, state, time_ms));
        done.map_err(|error| RunError::database(&self.path, error))
    }

    /// Says that nobody looked at the run's end for what is wrong with it, so that whoever
    /// wants to know looks afterwards.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn undiagnosed(&mut self) -> Result<(), RunError> {
        let done = self.begin().and_then(|()| {
            self.db.execute(
                "INSERT OR REPLACE INTO environment (key, value) VALUES (?1, 'left out')",
                [DIAGNOSIS],
            )
        });
        done.map(drop)
            .map_err(|error| RunError::database(&self.path, error))
    }

    /// Puts `comment` in the place of what was said about the run before.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn comment(&mut self, comment: &str) -> Result<(), RunError> {
        let done = self
            .begin()
            .and_then(|()| self.db.execute("UPDATE run SET comment = ?1", [comment]));
        done.map(drop)
            .map_err(|error| RunError::database(&self.path, error))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is safe.
    pub fn committed(&self) -> Committed {
        self.committed
    }

    /// Takes something in; it is safe after the next [`commit`](Self::commit).
    /// [`Item::Begin`], [`Item::Look`] and the snapshot of [`Item::State`] are for whoever
    /// drives this.
    ///
    /// # Errors
    /// When it cannot be written, such as on a full disk.
    pub fn take(&mut self, item: &Item) -> Result<(), RunError> {
        let done = self.begin().and_then(|()| self.write(item));
        done.map_err(|error| RunError::database(&self.path, error))
    }

    fn begin(&mut self) -> rusqlite::Result<()> {
        if !self.open {
            self.db.execute_batch("BEGIN IMMEDIATE")?;
            self.open = true;
        }
        Ok(())
    }

    fn write(&mut self, item: &Item) -> rusqlite::Result<()> {
        let db = &self.db;
        match item {
            Item::Steps(steps) => {
                for step in steps {
                    write_step(db, step)?;
                }
                if let Some(last) = steps.last() {
                    self.last_step = last.step;
                }
            }
            Item::Merge(step) => {
                merge_step(db, step)?;
                self.last_step = self.last_step.max(step.step);
            }
            Item::Told(numbers) => {
                for number in numbers {
                    write_told(db, number)?;
                }
            }
            Item::EpochsAnew { from } => {
                db.prepare_cached("DELETE FROM epochs WHERE epoch >= ?1")?
                    .execute([*from as i64])?;
            }
            Item::StepsAnew => {
                db.execute("DELETE FROM steps", [])?;
            }
            Item::Halve { what, every } => {
                let sql = match what {
                    Kept::Metrics => {
                        "DELETE FROM metrics WHERE (run, tag, step) IN (
                             SELECT run, tag, step FROM (
                                 SELECT run, tag, step, row_number() OVER (
                                     PARTITION BY run, tag ORDER BY step) AS place
                                 FROM metrics)
                             WHERE place % 2 = 0)"
                    }
                    Kept::Steps | Kept::Epochs | Kept::Snapshots => {
                        "DELETE FROM steps WHERE step IN (
                             SELECT step FROM (
                                 SELECT step, row_number() OVER (ORDER BY step) AS place FROM steps)
                             WHERE place % 2 = 0)"
                    }
                };
                db.execute(sql, [])?;
                write_every(db, *what, *every)?;
            }
            Item::Epoch(time_ms, row) => write_epoch(db, *time_ms, row)?,
            Item::Snapshot(weights) => write_weights(db, weights)?,
            Item::Memory(step, memory, gone) => {
                let sql = "DELETE FROM optimizer_states WHERE step = ?1";
                for step in gone {
                    db.prepare_cached(sql)?.execute([number(*step)])?;
                }
                db.prepare_cached(
                    "INSERT OR REPLACE INTO optimizer_states (step, optimizer, state)
                     VALUES (?1, ?2, ?3)",
                )?
                .execute(params![
                    number(*step),
                    memory.optimizer,
                    &*memory.bytes
                ])?;
            }
            Item::Event(event) => write_event(db, event)?,
            Item::ForgetAfter { step } => {
                for table in ["steps", "epochs", "snapshots", "optimizer_states"] {
                    let sql = format!("DELETE FROM {table} WHERE step > ?1");
                    db.execute(&sql, [number(*step)])?;
                }
                self.last_step = self.last_step.min(*step);
            }
            Item::Thin { what, every } => {
                let column = match what {
                    Kept::Steps | Kept::Snapshots | Kept::Metrics => "step",
                    Kept::Epochs => "epoch",
                };
                let table = what.name();
                db.execute(
                    &format!("DELETE FROM {table} WHERE {column} % ?1 <> 0"),
                    [number(*every)],
                )?;
                write_every(db, *what, *every)?;
            }
            Item::DropSnapshots(steps) => {
                for table in ["snapshots", "optimizer_states"] {
                    let sql = format!("DELETE FROM {table} WHERE step = ?1");
                    let mut delete = db.prepare_cached(&sql)?;
                    for step in steps {
                        delete.execute([number(*step)])?;
                    }
                }
            }
            Item::SnapshotEvery(every) => write_every(db, Kept::Snapshots, *every)?,
            Item::State { state, time_ms, .. } => {
                write_state(db, *state, *time_ms)?;
            }
            Item::Begin { .. } | Item::Look(_) => {}
        }
        Ok(())
    }

    /// Puts what a diagnosis found after `step` steps in the place of what it found before.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn findings(&mut self, step: u64, findings: &[Finding]) -> Result<(), RunError> {
        let done = self.begin().and_then(|()| {
            self.db.execute("DELETE FROM findings", [])?;
            let mut insert = self.db.prepare_cached(
                "INSERT INTO findings (step, kind, severity, title, detail)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?;
            for found in findings {
                let detail = serde_json::to_string(found).unwrap_or_default();
                let severity = serde_json::to_value(found.severity);
                let severity = severity.ok().and_then(|s| s.as_str().map(str::to_owned));
                insert.execute(params![
                    number(step),
                    found.kind.key(),
                    severity.unwrap_or_default(),
                    finding::title(found.kind),
                    detail
                ])?;
            }
            Ok(())
        });
        done.map_err(|error| RunError::database(&self.path, error))
    }

    /// Makes everything that was taken safe. `now_ms` is the time, in milliseconds since
    /// 1970. Returns what is safe now.
    ///
    /// # Errors
    /// When it cannot be written; what was taken since the last commit is then gone.
    pub fn commit(&mut self, now_ms: i64) -> Result<Committed, RunError> {
        if !self.open {
            return Ok(self.committed);
        }
        let done = self.seal(now_ms);
        if done.is_err() {
            // What is left of it is undone; on closing it would be as well.
            let _ = self.db.execute_batch("ROLLBACK");
        }
        self.open = false;
        self.committed = done.map_err(|error| RunError::database(&self.path, error))?;
        Ok(self.committed)
    }

    fn seal(&self, now_ms: i64) -> rusqlite::Result<Committed> {
        self.db
            .prepare_cached("UPDATE run SET updated_ms = ?1")?
            .execute([now_ms])?;
        let snapshot: Option<i64> = self
            .db
            .prepare_cached("SELECT max(step) FROM snapshots")?
            .query_row([], |row| row.get(0))?;
        self.db.execute_batch("COMMIT")?;
        Ok(Committed {
            step: self.last_step,
            snapshot: snapshot.map(|step| step as u64),
        })
    }

    /// Ends a run that did not say itself how it ended, and closes the file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn close(mut self, now_ms: i64) -> Result<(), RunError> {
        self.commit(now_ms)?;
        let closed = interrupt(&self.db, now_ms);
        closed.map_err(|error| RunError::database(&self.path, error))?;
        // One file again, that can be read where nothing can be written; unless somebody
        // reads it right now, who would be disturbed.
        let _ = self.db.busy_timeout(Duration::ZERO);
        let _ = self
            .db
            .pragma_update_and_check(None, "journal_mode", "delete", |_| Ok(()));
        let path = self.path;
        let closed = self.db.close().map_err(|(_, error)| error);
        closed.map_err(|error| RunError::database(&path, error))
    }
}

/// The experiment as the file has it; nothing where there is none.
fn toml(start: &RunStart, path: &Path) -> Result<String, RunError> {
    let text = start
        .experiment
        .as_ref()
        .map(|experiment| experiment.to_toml());
    let text = text.transpose();
    text.map(Option::unwrap_or_default)
        .map_err(|e| RunError::damaged(path, format!("the experiment: {e}")))
}
