//! The program as other programs see it.
#![allow(dead_code)] // not every test needs all of it

use std::path::Path;
use std::process::{Command, Output};

/// Runs it in a folder, and what it records goes into `.runs` there.
pub fn gradscape(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gradscape"))
        .args(args)
        .current_dir(dir)
        .env("GRADSCAPE_RUNS_DIR", dir.join(".runs"))
        .output()
        .unwrap()
}

/// The standard output of a command that has to succeed.
pub fn succeeds(dir: &Path, args: &[&str]) -> String {
    let output = gradscape(dir, args);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{args:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

/// The message of a command that has to fail with `status`.
pub fn fails(dir: &Path, status: i32, args: &[&str]) -> String {
    let output = gradscape(dir, args);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(status), "{args:?}: {error}");
    assert_eq!(error.matches("error:").count(), 1, "{args:?}: {error}");
    error
}
