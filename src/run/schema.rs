//! The tables of a run's file, and how a file of an earlier version comes to have them.
//! `docs/runs.md` describes every column.

use super::RunError;
use rusqlite::Connection;
use std::path::Path;

/// `GSRN` in the header of the file: a SQLite file of something else is none of ours.
pub(super) const APPLICATION_ID: i32 = 0x4753_524e;

/// The steps from no tables at all to today's: entry k leads from version k to k + 1.
/// What is released is never changed; a change is another entry.
const MIGRATIONS: [&str; 3] = [
    // 1: what a run is, and what it measures.
    "CREATE TABLE run (
        id TEXT NOT NULL,
        name TEXT NOT NULL,
        state TEXT NOT NULL,
        created_ms INTEGER NOT NULL,
        updated_ms INTEGER NOT NULL,
        finished_ms INTEGER,
        seed TEXT NOT NULL,
        data TEXT NOT NULL,
        experiment TEXT NOT NULL,
        parameters INTEGER NOT NULL,
        training_samples INTEGER NOT NULL,
        validation_samples INTEGER NOT NULL,
        steps_per_epoch INTEGER NOT NULL,
        parent_id TEXT,
        parent_step INTEGER
    ) STRICT;
    CREATE TABLE environment (
        key TEXT NOT NULL PRIMARY KEY,
        value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE steps (
        step INTEGER PRIMARY KEY,
        loss REAL,
        learning_rate REAL,
        gradient_norm REAL
    ) STRICT;
    CREATE TABLE epochs (
        epoch INTEGER PRIMARY KEY,
        step INTEGER NOT NULL,
        time_ms INTEGER NOT NULL,
        train_loss REAL,
        train_accuracy REAL,
        validation_loss REAL,
        validation_accuracy REAL,
        learning_rate REAL,
        gradient_norm REAL
    ) STRICT;
    CREATE TABLE snapshots (
        step INTEGER PRIMARY KEY,
        epoch INTEGER NOT NULL,
        loss REAL,
        params BLOB NOT NULL
    ) STRICT;
    CREATE TABLE events (
        id INTEGER PRIMARY KEY,
        time_ms INTEGER NOT NULL,
        step INTEGER NOT NULL,
        epoch INTEGER NOT NULL,
        kind TEXT NOT NULL,
        detail TEXT NOT NULL
    ) STRICT;
    CREATE TABLE thinning (
        what TEXT NOT NULL PRIMARY KEY,
        every INTEGER NOT NULL,
        most INTEGER NOT NULL,
        rule TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;",
    // 2: what people and the diagnosis say about it.
    "ALTER TABLE run ADD COLUMN comment TEXT NOT NULL DEFAULT '';
    CREATE TABLE tags (
        tag TEXT NOT NULL PRIMARY KEY
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE findings (
        id INTEGER PRIMARY KEY,
        step INTEGER NOT NULL,
        kind TEXT NOT NULL,
        severity TEXT NOT NULL,
        title TEXT NOT NULL,
        detail TEXT NOT NULL
    ) STRICT;",
    // 3: runs that were watched, and what an optimiser has gathered.
    "ALTER TABLE run ADD COLUMN watched TEXT;
    CREATE TABLE metrics (
        run TEXT NOT NULL,
        tag TEXT NOT NULL,
        step INTEGER NOT NULL,
        time_ms INTEGER NOT NULL,
        value REAL,
        PRIMARY KEY (run, tag, step)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE optimizer_states (
        step INTEGER PRIMARY KEY,
        optimizer TEXT NOT NULL,
        state BLOB NOT NULL
    ) STRICT;",
];

/// Today's version.
pub(super) const VERSION: i64 = MIGRATIONS.len() as i64;

/// The file's version, where it is a run's.
///
/// # Errors
/// Where it is not, or newer than is known here.
pub(super) fn version(db: &Connection, path: &Path) -> Result<i64, RunError> {
    let number = |name: &str| -> Result<i64, RunError> {
        db.pragma_query_value(None, name, |row| row.get(0))
            .map_err(|error| RunError::database(path, error))
    };
    let version = number("user_version")?;
    if number("application_id")? != i64::from(APPLICATION_ID) || version < 1 {
        return Err(RunError::NotARun {
            path: path.to_owned(),
        });
    }
    if version > VERSION {
        return Err(RunError::Newer {
            path: path.to_owned(),
            found: version,
            known: VERSION,
        });
    }
    Ok(version)
}

/// Refuses a file whose tables are not plain ones: what a view, a virtual table or a
/// generated column gives is whatever the file's author wished, without end if he did.
///
/// # Errors
/// When it has any of them, or cannot be read.
pub(super) fn check_plain(db: &Connection, path: &Path) -> Result<(), RunError> {
    let odd: i64 = db
        .query_row(
            "SELECT (SELECT count(*) FROM sqlite_schema
                     WHERE type NOT IN ('table', 'index') OR rootpage < 1)
                  + (SELECT count(*) FROM sqlite_schema AS made, pragma_table_xinfo(made.name) AS c
                     WHERE made.type = 'table' AND c.hidden <> 0)",
            [],
            |row| row.get(0),
        )
        .map_err(|error| RunError::database(path, error))?;
    match odd {
        0 => Ok(()),
        _ => Err(RunError::damaged(
            path,
            "it holds more than plain tables (views, triggers, computed columns), which no \
             recorded run does",
        )),
    }
}

/// Makes today's tables in an empty file, within a transaction of the caller's.
pub(super) fn create(db: &Connection) -> rusqlite::Result<()> {
    for step in MIGRATIONS {
        db.execute_batch(step)?;
    }
    db.pragma_update(None, "application_id", APPLICATION_ID)?;
    db.pragma_update(None, "user_version", VERSION)
}

/// Takes a file from version `from` to today's, a step at a time, each of them wholly or
/// not at all.
///
/// # Errors
/// When it cannot be written.
pub(super) fn migrate(db: &Connection, from: i64, path: &Path) -> Result<(), RunError> {
    migrate_to(db, from, VERSION).map_err(|error| RunError::database(path, error))
}

pub(super) fn migrate_to(db: &Connection, from: i64, to: i64) -> rusqlite::Result<()> {
    for version in from..to {
        let Some(step) = MIGRATIONS.get(version as usize) else {
            break;
        };
        let (id, next) = (APPLICATION_ID, version + 1);
        db.execute_batch(&format!(
            "BEGIN IMMEDIATE; {step} PRAGMA application_id = {id}; \
             PRAGMA user_version = {next}; COMMIT;"
        ))
        .inspect_err(|_| {
            // What it began is undone; where even that fails, SQLite does it on closing.
            let _ = db.execute_batch("ROLLBACK");
        })?;
    }
    Ok(())
}
