//! What `gradscape train` says about the optimiser: the update and the rate in
//! force, why a run ended early, and what it refuses before it writes anything.
#![allow(clippy::unwrap_used)] // a test fails by panicking

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

/// Trains on the sine with `training`, into the folder `run`.
fn train(dir: &Path, network: &str, training: &str) -> Output {
    let text = format!(
        "[data]\nsource = \"sine\"\nsamples = 60\nvalidation = 0.25\nnoise = 0.3\n[network]\n{network}\n\
         loss = \"half-squared-error\"\n[training]\n{training}"
    );
    std::fs::write(dir.join("e.toml"), text).unwrap();
    Command::new(env!("CARGO_BIN_EXE_gradscape"))
        .args(["train", "e.toml", "--out", "run"])
        .current_dir(dir)
        .env("GRADSCAPE_RUNS_DIR", dir.join(".runs"))
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{error}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn summary(dir: &Path) -> Value {
    let text = std::fs::read_to_string(dir.join("run/summary.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn the_update_and_the_rate_in_force_are_printed() {
    let dir = tempfile::tempdir().unwrap();
    for (training, expected) in [
        (
            "optimizer = { name = \"momentum\", learning_rate = 0.05 }\n\
             schedule = { name = \"cosine\", minimum = 0.001, warmup_steps = 4 }\n",
            [
                "v <- m v + g, w <- w - lr v",
                "rate: 0.05, along a cosine down to 0.001, after a linear warm-up of 4 steps",
            ],
        ),
        (
            "optimizer = { name = \"adam\", learning_rate = 0.02 }\n",
            ["m <- b1 m + (1 - b1) g", "rate: 0.02, constant"],
        ),
        (
            "optimizer = { name = \"lbfgs\" }\nbatch = \"full\"\n",
            ["d = -H g", "rate: found in each step"],
        ),
        (
            "optimizer = { name = \"rprop\", learning_rate = 0.02 }\n",
            ["sign(g) s", "rate: 0.02 at first, then adapted"],
        ),
    ] {
        let layers = "layers = [{ dense = 3 }]";
        let text = stdout(&train(dir.path(), layers, &format!("{training}epochs = 3")));
        for part in expected {
            assert!(text.contains(part), "no {part:?} in: {text}");
        }
        assert_eq!(summary(dir.path())["stopped"], Value::Null);
    }
}

#[test]
fn a_run_that_ends_early_says_why_and_whose_weights_it_leaves() {
    let dir = tempfile::tempdir().unwrap();
    let text = stdout(&train(
        dir.path(),
        "",
        "optimizer = { name = \"levenberg-marquardt\" }\nbatch = \"full\"\nepochs = 300",
    ));
    assert!(text.contains("levenberg-marquardt: "), "{text}");
    assert!(text.contains("stopped after epoch"), "{text}");
    let report = summary(dir.path());
    assert_eq!(report["outcome"], "finished");
    assert!(report["stopped"].as_str().unwrap().contains("levenberg"));
    assert!(report["epochs"].as_u64().unwrap() < 300);

    let text = stdout(&train(
        dir.path(),
        "layers = [{ dense = 30 }]",
        "optimizer = { name = \"adam\", learning_rate = 0.05 }\nbatch = 8\nepochs = 3000\n\
         early_stopping = { patience = 30 }",
    ));
    let report = summary(dir.path());
    let best = report["best_weights_epoch"].as_u64().unwrap();
    assert_eq!(report["epochs"].as_u64().unwrap(), best + 30);
    assert_eq!(report["best_validation_loss_epoch"], best);
    assert_eq!(report["best_validation_loss"], report["validation_loss"]);
    for part in [
        "did not get better for 30 epochs".to_owned(),
        format!("the weights are those after epoch {best}"),
    ] {
        assert!(text.contains(&part), "no {part:?} in: {text}");
    }
}

#[test]
fn what_cannot_make_a_step_is_refused_before_anything_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let output = train(
        dir.path(),
        "layers = [{ dense = 90 }, { dense = 90 }]",
        "optimizer = { name = \"levenberg-marquardt\" }\nbatch = \"full\"",
    );
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    for part in ["training.optimizer.name", "8461 parameters", "5000"] {
        assert!(error.contains(part), "{error}");
    }
    assert!(!dir.path().join("run").exists());
}
