//! Writes a run's file, in small transactions: whatever ends the process, everything up
//! to the last commit is there.

use super::info::{RunStart, SavedState};
use super::item::{Item, SavedWeights, StepMetrics};
use super::schema;
use super::thinning::{Kept, MOST_EPOCHS, MOST_STEPS, SnapshotPlan};
use super::{EventKind, RunError, RunEvent, finding};
use crate::insight::diagnosis::Finding;
use crate::train::HistoryRow;
use rusqlite::{Connection, params};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a writer waits for another one, such as somebody who tags the run.
const BUSY: Duration = Duration::from_secs(10);

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
        let experiment = start.experiment.to_toml();
        let experiment =
            experiment.map_err(|e| RunError::damaged(path, format!("the experiment: {e}")))?;
        let recorder = Self::prepare(path).and_then(|db| {
            write_start(&db, start, &experiment, plan)?;
            Ok(db)
        });
        Ok(Recorder {
            db: recorder.map_err(|error| RunError::database(path, error))?,
            path: path.to_owned(),
            open: false,
            last_step: 0,
            committed: Committed::default(),
        })
    }

    fn prepare(path: &Path) -> rusqlite::Result<Connection> {
        let db = Connection::open(path)?;
        db.busy_timeout(BUSY)?;
        db.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
        // Safe against the end of the process at any moment; against that of the machine
        // the file stays whole, and may lack the last seconds.
        db.pragma_update(None, "synchronous", "normal")?;
        db.pragma_update(None, "journal_size_limit", 16 << 20)?;
        schema::migrate_to(&db, 0, schema::VERSION)?;
        Ok(db)
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
            Item::Epoch(time_ms, row) => write_epoch(db, *time_ms, row)?,
            Item::Snapshot(weights) => write_weights(db, weights)?,
            Item::Event(event) => write_event(db, event)?,
            Item::ForgetAfter { step } => {
                for table in ["steps", "epochs", "snapshots"] {
                    let sql = format!("DELETE FROM {table} WHERE step > ?1");
                    db.execute(&sql, [number(*step)])?;
                }
                self.last_step = self.last_step.min(*step);
            }
            Item::Thin { what, every } => {
                let column = match what {
                    Kept::Steps | Kept::Snapshots => "step",
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
                let mut delete = db.prepare_cached("DELETE FROM snapshots WHERE step = ?1")?;
                for step in steps {
                    delete.execute([number(*step)])?;
                }
            }
            Item::SnapshotEvery(every) => write_every(db, Kept::Snapshots, *every)?,
            Item::State { state, time_ms, .. } => {
                let finished = (*state != SavedState::Open).then_some(*time_ms);
                db.execute(
                    "UPDATE run SET state = ?1, finished_ms = ?2",
                    params![state.name(), finished],
                )?;
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
        let path = self.path;
        let closed = self.db.close().map_err(|(_, error)| error);
        closed.map_err(|error| RunError::database(&path, error))
    }
}

/// Says of a run that is still open that it was left before its end.
fn interrupt(db: &Connection, now_ms: i64) -> rusqlite::Result<()> {
    let was_open = db.execute(
        "UPDATE run SET state = ?1, finished_ms = ?2, updated_ms = ?2 WHERE state = ?3",
        params![
            SavedState::Interrupted.name(),
            now_ms,
            SavedState::Open.name()
        ],
    )?;
    if was_open > 0 {
        db.execute(
            "INSERT INTO events (time_ms, step, epoch, kind, detail)
             SELECT ?1, coalesce((SELECT max(step) FROM steps), 0),
                    coalesce((SELECT max(epoch) FROM epochs), 0), ?2, '{}'",
            params![now_ms, EventKind::Interrupted.name()],
        )?;
    }
    Ok(())
}

/// A count as SQLite has it. Counts of steps stay far below 2⁶³.
pub(super) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn write_start(
    db: &Connection,
    start: &RunStart,
    experiment: &str,
    plan: &SnapshotPlan,
) -> rusqlite::Result<()> {
    let all = db.unchecked_transaction()?;
    let parent = start.parent.as_ref();
    db.execute(
        "INSERT INTO run (id, name, state, created_ms, updated_ms, seed, data, experiment,
             parameters, training_samples, validation_samples, steps_per_epoch,
             parent_id, parent_step)
         VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        params![
            start.id,
            start.name,
            SavedState::Open.name(),
            start.created_ms,
            start.seed.to_string(),
            start.experiment.data.source,
            experiment,
            start.parameters as i64,
            start.training_samples as i64,
            start.validation_samples as i64,
            start.steps_per_epoch as i64,
            parent.map(|p| &p.id),
            parent.map(|p| number(p.step)),
        ],
    )?;
    for (key, value) in &start.environment {
        db.execute(
            "INSERT INTO environment (key, value) VALUES (?1, ?2)",
            params![key, value],
        )?;
    }
    let rules = [
        (
            Kept::Steps,
            1,
            MOST_STEPS,
            "every step at first; when there are more than `most`, every second one goes and \
             from then on they are kept twice as far apart",
        ),
        (
            Kept::Epochs,
            1,
            MOST_EPOCHS,
            "every epoch at first; when there are more than `most`, every second one goes and \
             from then on they are kept twice as far apart",
        ),
        (
            Kept::Snapshots,
            plan.every(),
            plan.most(),
            "after 0, 1, 2, 4, 8, ... steps and every `every` steps; when there are more than \
             `most`, `every` doubles and those in between go; the first and the newest always \
             stay",
        ),
    ];
    for (what, every, most, rule) in rules {
        db.execute(
            "INSERT INTO thinning (what, every, most, rule) VALUES (?1, ?2, ?3, ?4)",
            params![what.name(), number(every), number(most), rule],
        )?;
    }
    all.commit()
}

fn write_every(db: &Connection, what: Kept, every: u64) -> rusqlite::Result<()> {
    db.execute(
        "UPDATE thinning SET every = ?1 WHERE what = ?2",
        params![number(every), what.name()],
    )?;
    Ok(())
}

fn write_step(db: &Connection, step: &StepMetrics) -> rusqlite::Result<()> {
    let mut insert = db.prepare_cached(
        "INSERT OR REPLACE INTO steps (step, loss, learning_rate, gradient_norm)
         VALUES (?1, ?2, ?3, ?4)",
    )?;
    insert.execute(params![
        number(step.step),
        step.loss,
        step.learning_rate,
        step.gradient_norm
    ])?;
    Ok(())
}

fn write_epoch(db: &Connection, time_ms: i64, row: &HistoryRow) -> rusqlite::Result<()> {
    let mut insert = db.prepare_cached(
        "INSERT OR REPLACE INTO epochs (epoch, step, time_ms, train_loss, train_accuracy,
             validation_loss, validation_accuracy, learning_rate, gradient_norm)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    insert.execute(params![
        row.epoch as i64,
        number(row.step),
        time_ms,
        finite(row.train_loss),
        row.train_accuracy.and_then(finite),
        row.validation_loss.and_then(finite),
        row.validation_accuracy.and_then(finite),
        finite(row.learning_rate),
        row.gradient_norm.and_then(finite),
    ])?;
    Ok(())
}

/// What is not finite is no number in the file.
pub(super) fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

fn write_weights(db: &Connection, weights: &SavedWeights) -> rusqlite::Result<()> {
    let mut bytes = Vec::with_capacity(4 * weights.params.len());
    for value in weights.params.iter() {
        bytes.extend_from_slice(&value.to_le_bytes());
    }
    let mut insert = db.prepare_cached(
        "INSERT OR REPLACE INTO snapshots (step, epoch, loss, params) VALUES (?1, ?2, ?3, ?4)",
    )?;
    insert.execute(params![
        number(weights.step),
        weights.epoch as i64,
        weights.loss.and_then(finite),
        bytes
    ])?;
    Ok(())
}

fn write_event(db: &Connection, event: &RunEvent) -> rusqlite::Result<()> {
    let mut insert = db.prepare_cached(
        "INSERT INTO events (time_ms, step, epoch, kind, detail) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    insert.execute(params![
        event.time_ms,
        number(event.step),
        event.epoch as i64,
        event.kind.name(),
        event.detail.to_string()
    ])?;
    Ok(())
}
