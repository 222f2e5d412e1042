#![no_main]
//! Experiment files.

use gradscape::experiment::Experiment;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        match Experiment::parse(text, "fuzz.toml") {
            // What is valid can be written, and then it is read as valid again.
            Ok(experiment) => {
                let text = experiment.to_toml().expect("a valid experiment is written");
                Experiment::parse(&text, "again.toml").expect("what was written is read");
            }
            Err(error) => assert!(error.to_string().contains("fuzz.toml"), "{error}"),
        }
    }
});
