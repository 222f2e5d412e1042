//! Opens a run's file, whatever it is and wherever it lies.

use super::file::MOST_ROWS;
use super::{RunError, schema};
use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a reader waits for a writer that is at work.
const BUSY: Duration = Duration::from_secs(5);

/// Opens for reading only. In a folder that cannot be written SQLite cannot share a file
/// with its writer, and nobody writes there: it is read as it is.
pub(super) fn open(path: &Path) -> Result<Connection, RunError> {
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
            let unshared = matches!(
                error.sqlite_error_code(),
                Some(rusqlite::ErrorCode::CannotOpen | rusqlite::ErrorCode::ReadOnly)
            );
            let is_whole = std::fs::metadata(beside(path)).map_or(true, |meta| meta.len() == 0);
            if unshared && !is_whole {
                return Err(RunError::damaged(
                    path,
                    "its last part lies beside it, in the file with -wal at the end of its name, \
                     and the folder cannot be written; copy both to one that can",
                ));
            }
            if !unshared {
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

/// Where the last part of a file lies that is being written.
pub(super) fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
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
pub(super) fn migrated(path: &Path, version: i64) -> Result<Connection, RunError> {
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
        let old: i64 = db.pragma_query_value(Some("old"), "page_count", |row| row.get(0))?;
        let page: i64 = db.pragma_query_value(Some("old"), "page_size", |row| row.get(0))?;
        let most = old.saturating_mul(page) / 2048 + 1000;
        db.pragma_update_and_check(None, "max_page_count", most, |_| Ok(()))?;
        let names: Vec<String> = db
            .prepare("SELECT name FROM main.sqlite_schema WHERE type = 'table'")?
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        for name in names {
            // What is larger than the file is not what the file has: pages that lead back to
            // themselves.
            db.execute_batch(&format!(
                "INSERT INTO main.{name} SELECT * FROM old.{name} LIMIT {MOST_ROWS}"
            ))?;
        }
        db.execute_batch("DETACH old")?;
        Ok(db)
    };
    let db = copy().map_err(|error| RunError::database(path, error))?;
    schema::migrate(&db, version, path)?;
    Ok(db)
}
