//! `gradscape race`, `functions` and `surface --function` from outside.
#![allow(clippy::unwrap_used)]

mod command;

use command::{gradscape, succeeds};
use std::path::Path;

fn fails(dir: &Path, args: &[&str]) -> String {
    let output = gradscape(dir, args);
    assert_eq!(output.status.code(), Some(2), "{args:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_race_on_a_function_writes_its_table_its_paths_and_its_pictures() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let args = "race --function ravine --optimizers sgd,momentum:momentum=0,adam --rate 0.1 \
                --steps 40 --target 1 --out r.csv --out r.json --out r.png --out r.svg \
                --losses l.svg --theme light --grid 31 --json";
    let args: Vec<&str> = args.split_whitespace().collect();
    let result = json(&succeeds(dir, &args));
    assert_eq!(
        (&result["course"], &result["steps"]),
        (&"ravine".into(), &40.into())
    );
    let standings = result["standings"].as_array().unwrap();
    assert_eq!(standings.len(), 3);
    // The bowl's closed form: (1 - 0.1 * 2 l)^40 times the start.
    let (x, y) = (-9.0 * 0.99_f64.powi(40), 2.5 * 0.8_f64.powi(40));
    let expected = 0.05 * x * x + y * y;
    let of = |name: &str| standings.iter().find(|s| s["name"] == name).unwrap();
    let loss = of("sgd")["loss"].as_f64().unwrap();
    assert!((loss - expected).abs() < 1e-12, "{loss} {expected}");
    assert_eq!(of("sgd")["loss"], of("momentum momentum=0")["loss"]);
    let distance = of("sgd")["distance"].as_f64().unwrap();
    assert!((distance - x.hypot(y)).abs() < 1e-12);
    let mut table = csv::Reader::from_path(dir.join("r.csv")).unwrap();
    let head: Vec<String> = table.headers().unwrap().iter().map(str::to_owned).collect();
    assert_eq!(head, ["racer", "step", "loss", "x", "y", "slice_loss"]);
    assert_eq!(table.records().count(), 3 * 41);
    let whole = json(&std::fs::read_to_string(dir.join("r.json")).unwrap());
    assert_eq!(whole["paths"][0]["points"].as_array().unwrap().len(), 41);
    assert_eq!(whole["standings"], result["standings"]);
    assert!(
        std::fs::read(dir.join("r.png"))
            .unwrap()
            .starts_with(b"\x89PNG")
    );
    let picture = std::fs::read_to_string(dir.join("r.svg")).unwrap();
    assert!(picture.contains("momentum momentum=0: ") && picture.contains("0.05*x^2 + y^2"));
    assert!(
        std::fs::read_to_string(dir.join("l.svg"))
            .unwrap()
            .contains(">adam<")
    );
}

#[test]
fn a_race_on_a_network_has_its_paths_in_one_plane_with_their_true_losses() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let args = "race xor --optimizers sgd,adam --rates 0.1,0.01 --steps 60 --out r.csv \
                --out r.svg --losses l.svg --grid 9 --json";
    let args: Vec<&str> = args.split_whitespace().collect();
    let result = json(&succeeds(dir, &args));
    let mut table = csv::Reader::from_path(dir.join("r.csv")).unwrap();
    let rows: Vec<(String, u64, f64, f64, f64, f64)> =
        table.deserialize().map(|row| row.unwrap()).collect();
    let starts: Vec<_> = rows.iter().filter(|row| row.1 == 0).collect();
    assert_eq!(starts.len(), 2);
    // Both begin in the plane's middle, where its loss is the true one.
    for start in &starts {
        assert!(start.3.abs() < 1e-9 && start.4.abs() < 1e-9);
        assert_eq!(start.2, start.5);
    }
    for standing in result["standings"].as_array().unwrap() {
        let last = rows.iter().rfind(|row| row.0 == standing["name"]).unwrap();
        assert_eq!(Some(last.2), standing["loss"].as_f64());
    }
    let picture = std::fs::read_to_string(dir.join("r.svg")).unwrap();
    assert!(picture.contains("of all paths lie in it"));
}

#[test]
fn a_functions_surface_goes_through_the_same_files() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let args = [
        "surface",
        "--function",
        "x^2 + 10*y",
        "--grid",
        "5",
        "--range",
        "-1:1",
    ];
    let files = ["--out", "s.csv", "--out", "s.npz", "--out", "s.png"];
    let said = succeeds(dir, &[&args[..], &files].concat());
    assert!(said.contains("25 points"), "{said}");
    let mut table = csv::Reader::from_path(dir.join("s.csv")).unwrap();
    for row in table.records() {
        let row = row.unwrap();
        let value = |i: usize| -> f64 { row[i].parse().unwrap() };
        assert_eq!(value(2), value(0) * value(0) + 10.0 * value(1));
    }
    let file = std::fs::File::open(dir.join("s.npz")).unwrap();
    let mut npz = ndarray_npy::NpzReader::new(file).unwrap();
    let names = npz.names().unwrap();
    assert!(names.iter().all(|n| !n.contains("center")), "{names:?}");
}

#[test]
fn the_list_has_every_function_with_its_minima() {
    let dir = tempfile::tempdir().unwrap();
    let said = succeeds(dir.path(), &["functions"]);
    assert!(
        said.contains("rosenbrock\n  (1 - x)^2")
            && said.contains("0.000000 at (3.000000, 0.500000)")
    );
    let lines = succeeds(dir.path(), &["functions", "--json"]);
    let objects: Vec<_> = lines.lines().map(json).collect();
    assert_eq!(objects.len(), 13);
    let himmelblau = objects.iter().find(|o| o["name"] == "himmelblau").unwrap();
    assert_eq!(himmelblau["minima"].as_array().unwrap().len(), 4);
    // The documentation has them all.
    let docs = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/functions.md"));
    let docs = docs.unwrap();
    for object in &objects {
        assert!(docs.contains(&format!("| `{}` |", object["name"].as_str().unwrap())));
    }
}

#[test]
fn what_makes_no_sense_is_wrong_usage_with_a_reason() {
    let dir = tempfile::tempdir().unwrap();
    for (args, said) in [
        ("race", "<EXPERIMENT|DIR|MODEL>"),
        ("race --function foo", "\"foo\" at character 1 is unknown"),
        ("race xor --function bowl", "cannot be used with"),
        ("race xor --start 1,2", "cannot be used with"),
        (
            "race --function bowl --optimizers sgd,best",
            "\"best\" is none of",
        ),
        (
            "race --function bowl --optimizers levenberg-marquardt",
            "residuals",
        ),
        ("race --function bowl --start 1", "two numbers"),
        ("race --function ln(x)+y --start -1,0", "no place"),
        ("race --function bowl --out r.doc", "races are written as"),
        ("surface --out s.csv", "<EXPERIMENT|DIR|MODEL>"),
        (
            "surface --function bowl --scope layers:0 --out s.csv",
            "cannot be used with",
        ),
        (
            "surface xor --function bowl --out s.csv",
            "cannot be used with",
        ),
    ] {
        let words: Vec<&str> = args.split_whitespace().collect();
        let error = fails(dir.path(), &words);
        assert!(error.contains(said), "{args}: {error}");
    }
}
