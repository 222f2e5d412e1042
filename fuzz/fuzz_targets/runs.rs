#![no_main]
//! Recorded runs: SQLite files.

use gradscape::experiment::Experiment;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

/// What the runs that are given to begin with say that they are of.
static KNOWN: LazyLock<String> = LazyLock::new(|| {
    let experiment = Experiment::parse(include_str!("../run.toml"), "run.toml");
    let experiment = experiment.expect("it is valid").with_absolute_paths();
    experiment.to_toml().expect("it can be written")
});

fuzz_target!(|bytes: &[u8]| gradscape_fuzz::run(bytes, &KNOWN));
