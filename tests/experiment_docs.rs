//! `docs/experiment.md` against the program: its examples are valid, and no key
//! is left out.

#![allow(clippy::unwrap_used)] // a test fails by panicking

use gradscape::cli::samples::SAMPLES;
use gradscape::data::sources;
use gradscape::experiment::Experiment;
use gradscape::nn::{Activation, Init};
use gradscape::optim::OptimizerKind;

const DOCS: &str = include_str!("../docs/experiment.md");

/// The code blocks in TOML.
fn blocks() -> Vec<&'static str> {
    DOCS.split("```toml\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect()
}

/// The keys that a table allows, from the error for one that it does not.
fn keys_beside(table: &str) -> Vec<String> {
    let text = match table {
        "" => "zzz = 1".to_owned(),
        "layer" => "[network]\nlayers = [{ zzz = 1 }]".to_owned(),
        "optimizer" => "[training]\noptimizer = { zzz = 1 }".to_owned(),
        table => format!("[{table}]\nzzz = 1"),
    };
    let error = Experiment::parse(&text, "docs").unwrap_err().to_string();
    let expected = error.split("expected").nth(1).unwrap_or_default();
    let keys: Vec<String> = expected
        .split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect();
    assert!(keys.len() > 1, "{error}");
    keys
}

#[test]
fn every_example_is_a_valid_experiment() {
    assert!(blocks().len() >= 5);
    for block in blocks() {
        if let Err(error) = Experiment::parse(block, "docs/experiment.md") {
            panic!("{error}\n{block}");
        }
    }
}

#[test]
fn every_key_has_a_line_and_is_used_in_an_example_or_has_a_default() {
    for table in ["", "data", "network", "layer", "training", "optimizer"] {
        for key in keys_beside(table) {
            let documented = DOCS.lines().any(|line| {
                line.starts_with(&format!("| `{key}` |"))
                    || line.starts_with(&format!("| `[{key}]` |"))
            });
            assert!(
                documented,
                "{table}.{key} has no line in docs/experiment.md"
            );
        }
    }
}

#[test]
fn every_name_that_is_allowed_is_named() {
    let names = Activation::ALL
        .iter()
        .map(|a| a.name())
        .chain(Init::ALL.iter().map(|i| i.name()))
        .chain(sources().iter().map(|s| s.name));
    for name in names {
        assert!(DOCS.contains(&format!("`{name}`")), "{name}");
    }
    for kind in OptimizerKind::ALL {
        assert!(
            DOCS.contains(&format!("`\"{}\"`", kind.name())),
            "{}",
            kind.name()
        );
    }
}

#[test]
fn the_page_on_commands_names_every_sample() {
    let page = include_str!("../docs/commands.md");
    for sample in &SAMPLES {
        assert!(page.contains(sample.name), "{}", sample.name);
    }
}
