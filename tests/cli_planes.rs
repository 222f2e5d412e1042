//! `surface` with its planes, scopes and measures, `line` and `curvature`, as
//! other programs see them.
#![allow(clippy::unwrap_used)] // a test fails by panicking

mod command;

use command::{fails, succeeds};
use ndarray::{Array1, Array2};
use ndarray_npy::NpzReader;
use serde_json::Value;
use std::fs::{self, File};
use std::path::Path;

fn json(dir: &Path, args: &[&str]) -> Value {
    let text = succeeds(dir, &[args, &["--json"]].concat());
    serde_json::from_str(&text).unwrap()
}

fn npz(path: &Path) -> NpzReader<File> {
    NpzReader::new(File::open(path).unwrap()).unwrap()
}

const TINY: &str = r#"
seed = 3
data = { source = "xor", samples = 60, validation = 0.25 }
training = { optimizer = { name = "adam", learning_rate = 0.05 }, batch = 16, epochs = 40, l2 = 0.003 }
[network]
layers = [{ dense = 4 }]
loss = "cross-entropy"
"#;

/// A folder with `tiny.toml` and a run of it in it.
fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("tiny.toml"), TINY).unwrap();
    succeeds(dir.path(), &["train", "tiny.toml", "--out", "run"]);
    dir
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value}"))
}

#[test]
fn a_surface_of_any_plane_and_measure_says_what_it_is_of() {
    let dir = folder();
    let dir = dir.path();
    let surface = |args: &[&str]| {
        let common = ["surface", "run", "--grid", "7", "--out", "s.svg"];
        let object = json(dir, &[&common, args].concat());
        (object, fs::read_to_string(dir.join("s.svg")).unwrap())
    };
    let (object, svg) = surface(&["--directions", "hessian:ends"]);
    assert_eq!(object["directions"], "hessian:ends");
    assert_eq!(object["measure"], "loss");
    assert_eq!(object["samples"], 45);
    let [most, least] = [0, 1].map(|k| number(&object["eigenvalues"][k]));
    assert!(most > least && most > 0.0);
    assert!(object["shares"].is_null());
    assert!(svg.contains("smallest eigenvalue") && svg.contains("training loss of 45 samples"));

    let (object, svg) = surface(&["--directions", "path", "--scope", "layers:0"]);
    let shares = [0, 1].map(|k| number(&object["shares"][k]));
    assert!(shares[0] > shares[1] && shares[0] + shares[1] < 1.0 + 1e-9);
    assert_eq!(object["scope"], "layers:0");
    assert!(svg.contains("only layers:0 moves"));

    let (object, svg) = surface(&[
        "--measure",
        "accuracy",
        "--over",
        "validation",
        "--directions",
        "gradient",
    ]);
    assert_eq!(
        (&object["measure"], &object["over"]),
        (&"accuracy".into(), &"validation".into())
    );
    assert!((0.0..=1.0).contains(&number(&object["center_loss"])));
    assert!(svg.contains("accuracy surface") && svg.contains("steepest descent"));

    // Two random directions hold next to nothing of a path through 17 parameters.
    let (object, svg) = surface(&["--directions", "random:1"]);
    assert!(number(&object["share_in_plane"]) < 0.5);
    assert_eq!(object["misleads"], "share");
    assert!(svg.contains("which says little about it"));

    // The penalty is l2 / 2 times the weights' squares, which the gradient's
    // command leaves out.
    let (bare, _) = surface(&[]);
    let (with, svg) = surface(&["--penalties"]);
    assert!(number(&with["center_loss"]) > number(&bare["center_loss"]) + 0.01);
    assert!(svg.contains("loss with penalties"));

    let (one, svg) = surface(&["--over", "batch"]);
    assert_eq!(one["samples"], 16);
    assert!(svg.contains("step 1&#39;s batch") || svg.contains("step 1's batch"));
    let (three, _) = surface(&["--over", "batch", "--batch-of", "3"]);
    // 45 samples in batches of 16: the third has 13.
    assert_eq!(three["samples"], 13);
    assert_ne!(one["center_loss"], three["center_loss"]);

    let (object, svg) = surface(&["--directions", "checkpoints:initial,40,last"]);
    assert_eq!(object["checkpoint_steps"][0], 0);
    assert!(svg.contains("from step 0 (0) to step"));
    fs::copy(
        dir.join("run/weights.safetensors"),
        dir.join("end.safetensors"),
    )
    .unwrap();
    let (object, svg) = surface(&["--checkpoints", "initial", "40", "end.safetensors"]);
    assert!(object["checkpoint_steps"].is_null());
    assert!(svg.contains("from the initial weights (0) to end.safetensors (1)"));
}

#[test]
fn flags_that_do_not_go_together_are_told_apart() {
    let dir = folder();
    let dir = dir.path();
    let refused = |status: i32, args: &[&str]| {
        let common = ["surface", "run", "--grid", "5", "--out", "s.csv"];
        fails(dir, status, &[&common, args].concat())
    };
    for (status, args, expected) in [
        (2, &["--batch-of", "3"][..], "--over batch"),
        (
            2,
            &["--measure", "accuracy", "--penalties"],
            "an accuracy has none",
        ),
        (
            1,
            &["--over", "batch", "--batch-of", "5000"],
            "makes 120 steps",
        ),
        (2, &["--scope", "layers"], "names no parameters"),
        (
            1,
            &["--scope", "layers:9"],
            "those with parameters are 0, 1",
        ),
        (2, &["--directions", "hesse"], "names no directions"),
        (
            2,
            &["--directions", "path", "--checkpoints", "1", "2", "3"],
            "cannot be used with",
        ),
        (
            1,
            &["--checkpoints", "1", "2", "none.safetensors"],
            "none.safetensors",
        ),
    ] {
        let error = refused(status, args);
        assert!(error.contains(expected), "{args:?}: {error}");
    }
    let error = fails(
        dir,
        1,
        &[
            "surface",
            "tiny.toml",
            "--directions",
            "checkpoints:0,1,2",
            "--out",
            "s.csv",
        ],
    );
    assert!(
        error.contains("needs a folder that `train` wrote"),
        "{error}"
    );
    let error = fails(dir, 1, &["line", "tiny.toml", "--out", "l.csv"]);
    assert!(error.contains("are the same weights"), "{error}");
}

#[test]
fn a_line_s_files_agree_and_its_ends_are_the_run_s() {
    let dir = folder();
    let dir = dir.path();
    let files = [
        "--out", "l.csv", "--out", "l.npz", "--out", "l.svg", "--out", "l.png",
    ];
    let args = ["line", "run", "--points", "21", "--range", "-0.5:1.5"];
    let object = json(dir, &[&args[..], &files].concat());
    assert_eq!(object["points"], 21);
    let history = fs::read_to_string(dir.join("run/history.jsonl")).unwrap();
    let rows: Vec<Value> = history
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    let mut file = npz(&dir.join("l.npz"));
    let column =
        |file: &mut NpzReader<File>, name: &str| -> Array1<f64> { file.by_name(name).unwrap() };
    let t = column(&mut file, "t");
    let loss = column(&mut file, "train_loss");
    let accuracy = column(&mut file, "validation_accuracy");
    for (at, row) in [(5, &rows[0]), (15, &rows[rows.len() - 1])] {
        assert_eq!(t[at], [0.0, 1.0][at / 10]);
        assert_eq!(loss[at], number(&row["train_loss"]));
        assert_eq!(accuracy[at], number(&row["validation_accuracy"]));
    }
    let text = fs::read_to_string(dir.join("l.csv")).unwrap();
    let mut lines = text.lines();
    assert_eq!(
        lines.next().unwrap(),
        "t,train_loss,train_accuracy,validation_loss,validation_accuracy"
    );
    for (k, line) in lines.enumerate() {
        let cells: Vec<f64> = line.split(',').map(|c| c.parse().unwrap()).collect();
        assert_eq!((cells[0], cells[1], cells[4]), (t[k], loss[k], accuracy[k]));
    }
    let svg = fs::read_to_string(dir.join("l.svg")).unwrap();
    assert!(svg.contains("from the initial weights (0) to the last weights (1)"));
    assert!(fs::read(dir.join("l.png")).unwrap().starts_with(b"\x89PNG"));
    let above = (0..=10).map(|k| {
        let share = k as f64 / 10.0;
        loss[5 + k] - (1.0 - share) * loss[5] - share * loss[15]
    });
    let barrier = above.fold(f64::NEG_INFINITY, f64::max);
    assert!((number(&object["barrier"]) - barrier).abs() < 1e-12);
}

#[test]
fn curvature_agrees_with_the_whole_hessian_of_derivatives() {
    let dir = folder();
    let dir = dir.path();
    succeeds(
        dir,
        &["derivatives", "run", "--of", "hessian", "--out", "h.npz"],
    );
    let values: Array1<f64> = npz(&dir.join("h.npz")).by_name("eigenvalues").unwrap();
    let hessian: Array2<f64> = npz(&dir.join("h.npz")).by_name("hessian").unwrap();
    let files = ["--out", "c.npz", "--out", "c.csv", "--out", "c.svg"];
    let args = ["curvature", "run", "--top", "5", "--probes", "400"];
    let object = json(dir, &[&args[..], &files].concat());
    assert_eq!(object["parameters"], 17);
    let last = values.len() - 1;
    assert!((number(&object["largest_eigenvalue"]) / values[last] - 1.0).abs() < 1e-9);
    assert!((number(&object["smallest_eigenvalue"]) - values[0]).abs() < 1e-9);
    assert_eq!(object["sharpness"], object["largest_eigenvalue"]);
    let mut sorted = values.to_vec();
    sorted.sort_by(|a, b| b.abs().total_cmp(&a.abs()));
    let mut file = npz(&dir.join("c.npz"));
    let found: Array1<f64> = file.by_name("eigenvalues").unwrap();
    let vectors: Array2<f64> = file.by_name("eigenvectors").unwrap();
    for (k, expected) in sorted.iter().take(5).enumerate() {
        assert!((found[k] / expected - 1.0).abs() < 1e-8);
        assert_eq!(found[k], number(&object["eigenvalues"][k]));
        let vector = vectors.row(k);
        let miss = hessian.dot(&vector) - found[k] * &vector;
        assert!(miss.dot(&miss).sqrt() < 1e-8 * values[last]);
    }
    let trace = hessian.diag().sum();
    let off = (number(&object["trace"]) - trace).abs();
    assert!(off < 4.0 * number(&object["trace_standard_error"]));
    let text = fs::read_to_string(dir.join("c.csv")).unwrap();
    assert!(text.starts_with("eigenvalue,density,standard_error\n"));
    let svg = fs::read_to_string(dir.join("c.svg")).unwrap();
    assert!(svg.contains("spectrum of the Hessian") && svg.contains("17 parameters"));
    let words = succeeds(
        dir,
        &["curvature", "run", "--at", "initial", "--probes", "0"],
    );
    assert!(words.contains("a slope: downhill"), "{words}");
    let error = fails(
        dir,
        2,
        &["curvature", "run", "--probes", "0", "--out", "d.png"],
    );
    assert!(error.contains("leaves out"), "{error}");
}
