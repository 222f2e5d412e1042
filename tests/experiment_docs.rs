//! `docs/experiment.md` against the program: its examples are valid, and no key
//! is left out.

#![allow(clippy::unwrap_used)] // a test fails by panicking

use gradscape::cli::samples::SAMPLES;
use gradscape::data::sources;
use gradscape::experiment::{
    Experiment, OptimizerConfig, OptimizerName, ScheduleConfig, ScheduleName,
};
use gradscape::nn::{Activation, Init};
use gradscape::optim::{OptimizerKind, SolverKind};

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
        "optimizer" | "schedule" | "early_stopping" => {
            format!("[training]\n{table} = {{ zzz = 1 }}")
        }
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
    let tables = [
        "",
        "data",
        "network",
        "layer",
        "training",
        "optimizer",
        "schedule",
        "early_stopping",
    ];
    for table in tables {
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
    let methods = OptimizerKind::ALL.map(|kind| kind.name()).into_iter();
    let names = methods
        .chain(SolverKind::ALL.map(|kind| kind.name()))
        .chain(ScheduleName::ALL.map(|name| ScheduleConfig::new(name).schedule().rule.name()));
    for name in names {
        assert!(DOCS.contains(&format!("`\"{name}\"`")), "{name}");
    }
}

/// The lines of the tables of constants, each with its default and its owners.
#[test]
fn every_constant_s_line_names_its_owners_and_no_other() {
    let methods = OptimizerName::ALL.map(|name| OptimizerConfig::new(name, 0.5));
    for key in keys_beside("optimizer") {
        if ["name", "learning_rate", "weight_decay"].contains(&key.as_str()) {
            continue;
        }
        let line = DOCS
            .lines()
            .find(|line| line.starts_with(&format!("| `{key}` |")))
            .unwrap();
        let owners = line.rsplit('|').nth(1).unwrap();
        for config in &methods {
            let name = config.kind().name();
            let rate = if config.kind().has_rate() {
                "learning_rate = 0.5, "
            } else {
                ""
            };
            // No constant allows -1; only an owner gets as far as the range.
            let value = if key == "history" { "1000" } else { "-1.0" };
            let text = format!(
                "data = {{ source = \"sine\" }}\nnetwork = {{ loss = \"mean-squared-error\" }}\n\
                 [training]\noptimizer = {{ name = \"{name}\", {rate}{key} = {value} }}"
            );
            let error = Experiment::parse(&text, "docs").unwrap_err().to_string();
            let owns = !error.contains("no such constant");
            let documented = owners.split('`').any(|word| word == name);
            assert_eq!(owns, documented, "{key} of {name}: {error}");
        }
    }
}

#[test]
fn the_page_on_commands_names_every_sample() {
    let page = include_str!("../docs/commands.md");
    for sample in &SAMPLES {
        assert!(page.contains(sample.name), "{}", sample.name);
    }
}
