//! The program: parses its arguments, does what they say, shows an error once
//! and turns it into an exit status. Everything else is in the library.
#![allow(clippy::print_stderr)] // the one place where errors are shown

use clap::Parser;
use gradscape::cli::{Cli, CliError, run};
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if !matches!(error, CliError::OutputClosed | CliError::SaidElsewhere(_)) {
                eprintln!("error: {error}");
            }
            ExitCode::from(error.status())
        }
    }
}
