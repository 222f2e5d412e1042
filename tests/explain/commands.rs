//! The two subcommands as other programs see them.

use crate::command::{fails, succeeds};
use serde_json::Value;
use std::sync::LazyLock;

/// A folder with the runs `conv` and `iris`.
static RUNS: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let dir = tempfile::tempdir().unwrap();
    let train = |name: &str, epochs: &str, out: &str| {
        succeeds(
            dir.path(),
            &["train", name, "--epochs", epochs, "--out", out],
        );
    };
    train("digits-conv", "3", "conv");
    train("iris", "20", "flowers");
    dir
});

fn floats(value: &Value) -> Vec<f64> {
    let values = value.as_array().unwrap().iter();
    values.map(|v| v.as_f64().unwrap()).collect()
}

#[test]
fn an_explanation_is_an_object_whose_numbers_add_up() {
    let dir = RUNS.path();
    let text = succeeds(
        dir,
        &[
            "explain", "conv", "--sample", "2", "--json", "--out", "why.png",
        ],
    );
    let object: Value = serde_json::from_str(&text).unwrap();
    let methods = object["attributions"].as_array().unwrap();
    assert_eq!(methods.len(), 6);
    for method in methods {
        assert_eq!(floats(&method["values"]).len(), 64, "{}", method["method"]);
    }
    let sum = object["completeness"]["sum"].as_f64().unwrap();
    let difference = object["completeness"]["difference"].as_f64().unwrap();
    assert!((sum - difference).abs() < 1e-3);
    let ways = &object["contributions"];
    let total = floats(&ways["inputs"]).iter().sum::<f64>() + ways["offsets"].as_f64().unwrap();
    assert!((total - object["readout"].as_f64().unwrap()).abs() < 1e-6);
    let paths = ways["paths"].as_array().unwrap();
    assert_eq!(
        paths[0]["units"].as_array().unwrap().len(),
        6,
        "a unit a column"
    );
    let sentence = object["sentence"].as_str().unwrap();
    assert!(sentence.starts_with(&format!("It says {}", object["says"].as_str().unwrap())));
    let png = std::fs::read(dir.join("why.png")).unwrap();
    assert!(png.starts_with(b"\x89PNG") && png.len() > 20_000);
}

#[test]
fn a_person_reads_a_sentence_the_check_and_the_strongest_ways() {
    let dir = RUNS.path();
    let args = [
        "explain", "flowers", "--sample", "1", "--out", "why.svg", "--theme", "light",
    ];
    let text = succeeds(dir, &args);
    assert!(
        text.contains("It says ") && text.contains("strongest ways"),
        "{text}"
    );
    assert!(
        text.contains("petal") && text.contains("integrated gradients sum to"),
        "{text}"
    );
    let svg = std::fs::read_to_string(dir.join("why.svg")).unwrap();
    assert!(svg.contains("petal length") && svg.contains("Occlusion") && !svg.contains("NaN"));
    assert!(!svg.contains("Grad-CAM"));
    let other = [
        "explain", "flowers", "--sample", "1", "--target", "setosa", "--json",
    ];
    let object: Value = serde_json::from_str(&succeeds(dir, &other)).unwrap();
    assert_eq!(object["target"], "setosa");
}

#[test]
fn what_cannot_be_explained_is_an_error_that_says_what_can() {
    let dir = RUNS.path();
    let error = fails(dir, 1, &["explain", "flowers", "--sample", "999"]);
    assert!(
        error.contains("sample 999") && error.contains("validation part has"),
        "{error}"
    );
    let error = fails(
        dir,
        1,
        &["explain", "flowers", "--sample", "0", "--target", "rose"],
    );
    assert!(error.contains("setosa"), "{error}");
    let error = fails(
        dir,
        1,
        &[
            "explain", "flowers", "--sample", "0", "--method", "grad-cam",
        ],
    );
    assert!(error.contains("convolution"), "{error}");
    fails(
        dir,
        2,
        &["explain", "flowers", "--sample", "0", "--method", "guess"],
    );
    fails(
        dir,
        2,
        &["explain", "flowers", "--sample", "0", "--out", "why.pdf"],
    );
    let error = fails(
        dir,
        2,
        &["maximise", "conv", "--unit", "x:y", "--out", "x.png"],
    );
    assert!(error.contains("LAYER:UNIT"), "{error}");
    let error = fails(
        dir,
        1,
        &["maximise", "conv", "--unit", "9:0", "--out", "x.png"],
    );
    assert!(error.contains("layer 9"), "{error}");
    assert!(!dir.join("x.png").exists());
}

#[test]
fn maximisation_writes_the_same_for_the_same_seed() {
    let dir = RUNS.path();
    let run = |unit: &str, seed: &str, out: &str| -> Value {
        let args = [
            "maximise", "conv", "--unit", unit, "--seed", seed, "--out", out, "--json",
        ];
        let mut object: Value = serde_json::from_str(&succeeds(dir, &args)).unwrap();
        object["file"].take();
        object
    };
    let first = run("7", "1", "a.png");
    assert_eq!(first, run("7", "1", "b.png"));
    assert_ne!(first["input"], run("7", "2", "c.png")["input"]);
    let read = |name: &str| std::fs::read(dir.join(name)).unwrap();
    assert_eq!(read("a.png"), read("b.png"));
    let (value, real) = (&first["value"], &first["best_real_value"]);
    assert!(value.as_f64() > real.as_f64(), "{value} {real}");
    assert_eq!(floats(&first["input"]).len(), 64);
    let channel = run("parts:c2", "1", "d.svg");
    assert_eq!(channel["unit"], "channel 2 of layer 3 (conv)");
    run("3:5", "1", "e.svg");
}

#[test]
fn all_classes_go_into_one_picture_and_tables_into_a_table() {
    let dir = RUNS.path();
    let text = succeeds(
        dir,
        &[
            "maximise", "conv", "--unit", "classes", "--steps", "20", "--out", "all.svg",
        ],
    );
    assert_eq!(text.lines().count(), 11, "{text}");
    let svg = std::fs::read_to_string(dir.join("all.svg")).unwrap();
    assert_eq!(svg.matches("<image").count(), 10);
    succeeds(
        dir,
        &[
            "maximise",
            "flowers",
            "--unit",
            "virginica",
            "--out",
            "flower.svg",
        ],
    );
    let svg = std::fs::read_to_string(dir.join("flower.svg")).unwrap();
    assert!(svg.contains("petal length") && svg.contains("virginica"));
}
