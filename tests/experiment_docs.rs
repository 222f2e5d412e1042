//! `docs/experiment.md` against the program: its examples are valid, and no key
//! is left out.

#![allow(clippy::unwrap_used)] // a test fails by panicking

use gradscape::cli::samples::SAMPLES;
use gradscape::data::sources;
use gradscape::experiment::{
    Experiment, OptimizerConfig, OptimizerName, ScheduleConfig, ScheduleName,
};
use gradscape::nn::{Activation, Init, LayerKind, LayerSpec, Loss, Network, Shape};
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

/// What the examples give to layers, by key.
fn layers_of_examples() -> Vec<toml::Table> {
    let layers = |block: &str| -> Vec<toml::Table> {
        let file: toml::Table = block.parse().unwrap();
        let layers = file["network"]
            .get("layers")
            .and_then(|l| l.as_array())
            .cloned();
        let table = |layer: toml::Value| match layer {
            toml::Value::Table(table) => table,
            name => toml::Table::from_iter([("kind".to_owned(), name)]),
        };
        layers.unwrap_or_default().into_iter().map(table).collect()
    };
    blocks().into_iter().flat_map(layers).collect()
}

#[test]
fn every_key_and_every_kind_of_a_layer_is_in_an_example_and_in_a_table() {
    let examples = layers_of_examples();
    for key in keys_beside("layer") {
        let shown = examples.iter().any(|layer| layer.contains_key(&key));
        assert!(shown, "no example has a layer with {key}");
    }
    let error = Experiment::parse("[network]\nlayers = [\"zzz\"]", "docs").unwrap_err();
    let error = error.to_string();
    let kinds: Vec<&str> = error.split('`').skip(3).step_by(2).collect();
    assert!(kinds.contains(&"flatten") && kinds.len() == 5, "{error}");
    for kind in kinds {
        let shown = examples
            .iter()
            .any(|l| l.get("kind").and_then(|k| k.as_str()) == Some(kind));
        assert!(shown, "no example has a layer {kind}");
        assert!(
            DOCS.lines()
                .any(|l| l.starts_with(&format!("| `{kind}` |"))),
            "{kind}"
        );
    }
}

/// The shape that the page's formula gives is the one that the network has.
#[test]
fn the_example_of_layers_is_a_network_of_the_shapes_that_the_page_describes() {
    let block = blocks()
        .into_iter()
        .find(|b| b.contains("global_avg_pool"))
        .unwrap();
    let experiment = Experiment::parse(block, "docs/experiment.md").unwrap();
    let [channels, rows, columns] = experiment.network.input.unwrap();
    let mut layers = experiment.network.hidden().unwrap();
    let units = LayerKind::Dense { units: 10 };
    layers.push(LayerSpec::new(units, Activation::Softmax));
    let input = Shape::image(channels, rows, columns);
    let network = Network::new(input, &layers, Loss::SoftmaxCrossEntropy).unwrap();
    let shape = |kind: &str| {
        let layer = network
            .layers()
            .iter()
            .rfind(|l| l.kind().name() == kind)
            .unwrap();
        layer.output_shape().to_string()
    };
    // floor((28 - 2) / 2) + 1 and floor((14 + 2 - 3) / 2) + 1.
    assert_eq!(shape("max_pool"), "8x14x14");
    assert_eq!(shape("avg_pool"), "16x7x7");
    assert_eq!(shape("global_avg_pool"), "16");
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
        // Layers have keys of the same names; theirs come before.
        let (_, training) = DOCS.split_once("## `[training]`").unwrap();
        let line = training
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
