//! The one place that writes to the terminal: lines for people or for programs
//! on standard output, progress on standard error.

use super::CliError;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};
use serde::Serialize;
use std::io::{ErrorKind, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};

/// A line on standard error, for people and beside what programs read. Nobody has to read it.
pub fn note(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Standard output, and whether a person or a program reads it.
pub struct Out {
    writer: Box<dyn Write>,
    json: bool,
    bar: Option<ProgressBar>,
}

impl Out {
    /// The process's own standard output.
    pub fn stdout(json: bool) -> Self {
        Out {
            writer: Box::new(std::io::stdout()),
            json,
            bar: None,
        }
    }

    /// Where nothing is shown: another process speaks for this one.
    pub fn silent() -> Self {
        Out {
            writer: Box::new(std::io::sink()),
            json: true,
            bar: None,
        }
    }

    /// Whether a program reads.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// A line for a person; nothing where a program reads.
    ///
    /// # Errors
    /// [`CliError::OutputClosed`] once nobody reads any more.
    pub fn say(&mut self, line: impl std::fmt::Display) -> Result<(), CliError> {
        if self.json {
            return Ok(());
        }
        self.write(format!("{line}\n").as_bytes())
    }

    /// An object for a program, on a line of its own; nothing where a person reads.
    ///
    /// # Errors
    /// [`CliError::OutputClosed`] once nobody reads any more.
    pub fn object(&mut self, value: &impl Serialize) -> Result<(), CliError> {
        if !self.json {
            return Ok(());
        }
        let mut line =
            serde_json::to_string(value).map_err(|error| CliError::Failed(error.to_string()))?;
        line.push('\n');
        self.write(line.as_bytes())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), CliError> {
        let writer = &mut self.writer;
        let mut put = || writer.write_all(bytes).and_then(|()| writer.flush());
        let done = match &self.bar {
            Some(bar) => bar.suspend(put),
            None => put(),
        };
        done.map_err(|error| match error.kind() {
            ErrorKind::BrokenPipe => CliError::OutputClosed,
            _ => CliError::Output(error),
        })
    }

    /// Shows a bar of `len` parts on standard error, if that is a terminal and
    /// a person reads. Lines that are said meanwhile stand above it.
    pub fn start_bar(&mut self, len: u64, what: &str) -> ProgressBar {
        let told = super::interrupt::is_led();
        let bar = if told {
            let target = ProgressDrawTarget::term_like_with_hz(Box::new(Lines::default()), 10);
            ProgressBar::with_draw_target(Some(len), target)
        } else if !self.json && std::io::stderr().is_terminal() {
            ProgressBar::new(len)
        } else {
            ProgressBar::hidden()
        };
        let template = match told {
            true => "progress {pos}/{len}",
            false => "{msg} [{bar:30}] {pos}/{len} {elapsed_precise} (about {eta} left)",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_message(what.to_owned());
        self.bar = Some(bar.clone());
        bar
    }

    /// Takes the bar away.
    pub fn end_bar(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

/// Progress for another program: each state a line on standard error.
#[derive(Debug, Default)]
struct Lines(Mutex<String>);

impl TermLike for Lines {
    fn width(&self) -> u16 {
        200
    }
    fn move_cursor_up(&self, _: usize) -> std::io::Result<()> {
        Ok(())
    }
    fn move_cursor_down(&self, _: usize) -> std::io::Result<()> {
        Ok(())
    }
    fn move_cursor_right(&self, _: usize) -> std::io::Result<()> {
        Ok(())
    }
    fn move_cursor_left(&self, _: usize) -> std::io::Result<()> {
        Ok(())
    }
    fn write_line(&self, line: &str) -> std::io::Result<()> {
        self.write_str(line)
    }
    fn write_str(&self, text: &str) -> std::io::Result<()> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push_str(text);
        Ok(())
    }
    fn clear_line(&self) -> std::io::Result<()> {
        Ok(())
    }
    fn flush(&self) -> std::io::Result<()> {
        let waiting = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        match waiting.trim() {
            "" => Ok(()),
            line => writeln!(std::io::stderr(), "{line}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_closed_pipe_is_no_failure() {
        let mut out = Out {
            writer: Box::new(Closed),
            json: false,
            bar: None,
        };
        let error = out.say("line").unwrap_err();
        assert_eq!(error.status(), 0);
    }
}
