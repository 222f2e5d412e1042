//! A process that is killed at any moment leaves everything that it had committed, and
//! weights that are those of training to the bit.
#![allow(clippy::unwrap_used)]
#![cfg(unix)]

use gradscape::experiment::Experiment;
use gradscape::rng::{Stream, stream};
use gradscape::run::RunFile;
use gradscape::train::{Problem, Trainer};
use rand::RngExt;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

const MOMENTS: usize = 50;
/// Milliseconds after the first commit within which a process is killed.
const WITHIN: u64 = 160;

const EXPERIMENT: &str = r#"
seed = 11
data = { source = "moons", samples = 100 }
training = { optimizer = { name = "adam", learning_rate = 0.01 }, batch = 5, epochs = 1000000 }
[network]
layers = [{ dense = 6, activation = "tanh" }]
loss = "cross-entropy"
"#;

/// What a process said to be safe when it was killed: the last step, and the last step
/// with weights.
struct Promise {
    step: u64,
    snapshot: Option<u64>,
}

/// Records into `file` and is killed `after` so many milliseconds.
fn killed(dir: &Path, file: &Path, after: u64) -> Promise {
    let mut child = Command::new(env!("CARGO_BIN_EXE_gradscape"))
        .args([
            "train",
            "e.toml",
            "--json",
            "--commit-marks",
            "--snapshot-every",
            "7",
        ])
        .arg("--record")
        .arg(file)
        .current_dir(dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let (begun, first) = sync_channel(1);
    let reader = std::thread::spawn(move || {
        let mut last = Promise {
            step: 0,
            snapshot: None,
        };
        for line in output.lines() {
            // The last line may be cut off.
            let Ok(value) = serde_json::from_str::<Value>(&line.unwrap_or_default()) else {
                continue;
            };
            if let Some(step) = value["committed_step"].as_u64() {
                last = Promise {
                    step,
                    snapshot: value["committed_snapshot"].as_u64(),
                };
                if step > 0 {
                    let _ = begun.try_send(());
                }
            }
        }
        last
    });
    first.recv_timeout(Duration::from_secs(60)).unwrap();
    std::thread::sleep(Duration::from_millis(after));
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap()
}

#[test]
fn killed_at_any_moment_nothing_committed_is_missing_and_weights_are_those_of_training() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    fs::write(dir.join("e.toml"), EXPERIMENT).unwrap();
    let mut moments = stream(50, Stream::Directions);
    let files: Vec<_> = (0..MOMENTS)
        .map(|k| dir.join(format!("run-{k}.gsrun")))
        .collect();
    let promises: Vec<Promise> = files
        .iter()
        .map(|file| killed(dir, file, moments.random_range(0..WITHIN)))
        .collect();

    // Training once more, in this process: the weights after every step.
    let experiment = Experiment::parse(EXPERIMENT, "e").unwrap();
    let mut trainer = Trainer::new(Arc::new(Problem::new(&experiment).unwrap()));
    let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<u32>>();
    let mut weights = vec![bits(trainer.params())];
    let (mut steps_seen, mut compared) = (0, 0);
    for (file, promise) in files.iter().zip(&promises) {
        let run = RunFile::open(file).unwrap();
        let last = run.last_step().unwrap();
        assert!(
            last >= promise.step,
            "{last} of {}: {}",
            promise.step,
            file.display()
        );
        let steps = run.steps(usize::MAX).unwrap();
        assert_eq!(steps.len() as u64, last, "every step is there");
        assert!(
            steps
                .iter()
                .zip(1..)
                .all(|(metrics, step)| metrics.step == step)
        );
        let snapshots = run.snapshot_steps().unwrap();
        assert!(
            snapshots.last() >= promise.snapshot.as_ref(),
            "{}",
            file.display()
        );
        let newest = *snapshots.last().unwrap();
        while weights.len() as u64 <= newest {
            trainer.step();
            weights.push(bits(trainer.params()));
        }
        for step in snapshots {
            let read = run.snapshot(step).unwrap();
            assert_eq!(bits(&read), weights[step as usize], "step {step}");
            compared += 1;
        }
        steps_seen += last;
    }
    // Moments of recording indeed.
    assert!(promises.iter().all(|promise| promise.step > 0));
    assert!(compared > 50 * MOMENTS, "{compared}");
    assert!(steps_seen > 1000 * MOMENTS as u64, "{steps_seen}");
}
