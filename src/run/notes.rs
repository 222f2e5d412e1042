//! What people say about a run, in its file.

use super::RunError;
use super::open::open_for_writing;
use rusqlite::{Connection, params};
use std::path::{Path, PathBuf};

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
