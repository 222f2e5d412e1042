//! Files that are there as a whole or not at all: what is written goes beside
//! the file under another name and takes its place when it is complete.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Whether a file can be made at `path`, as far as its folder goes.
///
/// # Errors
/// When there is no folder for it; names that.
pub fn folder_is_there(path: &Path) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    match folder {
        Some(folder) if !folder.is_dir() => Err(io::Error::new(
            io::ErrorKind::NotFound,
            format!("there is no folder {}", folder.display()),
        )),
        _ => Ok(()),
    }
}

/// A file in the making. Until [`finish`](Self::finish) an earlier file of that
/// name is left as it was; dropped before, nothing of this one remains.
#[derive(Debug)]
pub struct NewFile {
    file: File,
    // Where it is written and where it belongs, if those are two places.
    places: Option<(PathBuf, PathBuf)>,
}

impl NewFile {
    /// Begins a file that is to be at `path`. What is no plain file (a pipe, a
    /// terminal) is written to directly; a link is followed.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn create(path: &Path) -> io::Result<Self> {
        if fs::metadata(path).is_ok_and(|meta| !meta.is_file() && !meta.is_dir()) {
            let file = File::options().write(true).open(path)?;
            return Ok(NewFile { file, places: None });
        }
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let name = path
            .file_name()
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "names no file"))?;
        if path.is_dir() {
            return Err(io::Error::new(
                io::ErrorKind::IsADirectory,
                "is a folder; name a file",
            ));
        }
        folder_is_there(&path)?;
        let part = path.with_file_name(format!(".{}.part", name.to_string_lossy()));
        Ok(NewFile {
            file: File::create(&part)?,
            places: Some((part, path)),
        })
    }

    /// Where to write.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Where another program has to write it; that is another name than the file will
    /// have. `None` where it is written to something that is no plain file.
    pub fn path(&self) -> Option<&Path> {
        self.places.as_ref().map(|(part, _)| part.as_path())
    }

    /// Puts the file in its place, once all of it is on the disk.
    ///
    /// # Errors
    /// When it does not fit there; the earlier file then stays.
    pub fn finish(mut self) -> io::Result<()> {
        self.file.flush()?;
        if let Some((part, path)) = &self.places {
            self.file.sync_all()?;
            fs::rename(part, path)?;
            self.places = None;
        }
        Ok(())
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if let Some((part, _)) = &self.places {
            // Nothing can be done where even this fails.
            let _ = fs::remove_file(part);
        }
    }
}

/// Writes a whole file, or leaves the earlier one as it was.
///
/// # Errors
/// When it cannot be written.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = NewFile::create(path)?;
    new.file().write_all(bytes)?;
    new.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let entries = fs::read_dir(dir).unwrap();
        entries
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn an_unfinished_file_leaves_the_earlier_one_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        replace(&path, b"old").unwrap();
        let new = NewFile::create(&path).unwrap();
        new.file().write_all(b"ne").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old");
        drop(new);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(dir.path()), ["f"]);
        replace(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(names(dir.path()), ["f"]);
        assert!(replace(dir.path(), b"x").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_followed_and_stays_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("file"), dir.path().join("link"));
        fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        replace(&link, b"new").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert!(link.symlink_metadata().unwrap().is_symlink());
    }
}
