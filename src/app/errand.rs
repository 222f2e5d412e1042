//! A command of the program's own in a process of its own: what takes minutes (a film, a
//! report) never holds the window up, shows how far it is, and can be called off.

use crossbeam_channel::{Receiver, TryRecvError, bounded};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

/// What makes a command write its progress line by line, and end when its standard input
/// ends; the command line knows it by this name.
pub const PROGRESS_VARIABLE: &str = "GRADSCAPE_PROGRESS";
/// What such a line begins with.
pub const PROGRESS_MARK: &str = "progress ";
/// The most bytes of a command's words that are kept.
const WORDS: usize = 4096;

/// How far it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ErrandProgress {
    /// Parts done.
    pub done: u64,
    /// Parts in all; 0 before it is known.
    pub of: u64,
}

/// A command at work. Dropped, it is called off.
#[derive(Debug)]
pub struct Errand {
    /// The file that is made.
    pub path: PathBuf,
    input: Option<ChildStdin>,
    progress: Arc<Mutex<ErrandProgress>>,
    end: Receiver<Result<(), String>>,
}

impl Errand {
    /// Starts `program` with these arguments, to make `path`. `wake` is called on another
    /// thread when there is something new.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(
        program: &Path,
        args: &[String],
        path: PathBuf,
        wake: impl Fn() + Send + 'static,
    ) -> std::io::Result<Self> {
        let mut child = Command::new(program)
            .args(args)
            .env(PROGRESS_VARIABLE, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let input = child.stdin.take();
        let words = child.stderr.take();
        let progress = Arc::new(Mutex::new(ErrandProgress::default()));
        let (sender, end) = bounded(1);
        let shared = Arc::clone(&progress);
        std::thread::Builder::new()
            .name("errand".into())
            .spawn(move || {
                let said = words.map_or_else(String::new, |words| follow(words, &shared, &wake));
                // The window may be gone.
                let _ = sender.send(verdict(child, &said));
                wake();
            })?;
        Ok(Errand {
            path,
            input,
            progress,
            end,
        })
    }

    /// How far it is.
    pub fn progress(&self) -> ErrandProgress {
        self.progress
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Calls it off. It ends by itself, and leaves no file that is not whole.
    pub fn cancel(&mut self) {
        self.input = None;
    }

    /// What came of it, once it has ended.
    pub fn end(&self) -> Option<Result<(), String>> {
        match self.end.try_recv() {
            Ok(result) => Some(result),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(Err("the command was lost".to_owned())),
        }
    }
}

/// Reads a command's progress until it has no more to say; the rest of what it said.
fn follow(words: ChildStderr, progress: &Mutex<ErrandProgress>, wake: &impl Fn()) -> String {
    let mut said = String::new();
    // A line that has no end is cut, not kept.
    let mut lines = BufReader::new(words);
    loop {
        let mut line = Vec::new();
        let read = lines
            .by_ref()
            .take(WORDS as u64)
            .read_until(b'\n', &mut line);
        if read.map_or(true, |n| n == 0) {
            return said;
        }
        let line = String::from_utf8_lossy(&line);
        match line.strip_prefix(PROGRESS_MARK).and_then(parts) {
            Some(now) => {
                *progress.lock().unwrap_or_else(PoisonError::into_inner) = now;
                wake();
            }
            None if said.len() < WORDS => said.push_str(&line),
            None => {}
        }
    }
}

/// `12/60` as numbers.
fn parts(text: &str) -> Option<ErrandProgress> {
    let (done, of) = text.trim().split_once('/')?;
    Some(ErrandProgress {
        done: done.parse().ok()?,
        of: of.parse().ok()?,
    })
}

fn verdict(mut child: Child, said: &str) -> Result<(), String> {
    match child.wait() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => {
            let said = said.trim();
            let said = said.strip_prefix("error: ").unwrap_or(said);
            Err(match said.is_empty() {
                true => status.to_string(),
                false => said.to_owned(),
            })
        }
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    fn ended(errand: &Errand) -> Result<(), String> {
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            if let Some(end) = errand.end() {
                return end;
            }
            assert!(Instant::now() < until, "it does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn shell(script: &str) -> Errand {
        let args = ["-c".to_owned(), script.to_owned()];
        Errand::start(Path::new("sh"), &args, "file".into(), || {}).unwrap()
    }

    #[test]
    fn progress_and_complaints_are_told_apart() {
        let errand = shell("echo 'progress 3/8' >&2; echo 'error: no such run' >&2; exit 1");
        assert_eq!(ended(&errand), Err("no such run".to_owned()));
        assert_eq!(errand.progress(), ErrandProgress { done: 3, of: 8 });
        assert_eq!(ended(&shell("echo 'progress a/b' >&2")), Ok(()));
    }

    #[test]
    fn one_that_is_called_off_sees_its_input_end() {
        let mut errand = shell("cat; echo 'called off' >&2; exit 1");
        assert_eq!(errand.end(), None);
        errand.cancel();
        assert_eq!(ended(&errand), Err("called off".to_owned()));
    }
}
