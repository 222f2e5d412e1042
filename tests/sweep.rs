//! Searches on the command line: the table that survives a kill, other people's
//! folders, files that are whole or not there.

#![allow(clippy::unwrap_used)] // a test fails by panicking

use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

const TINY: &str = r#"
seed = 3
data = { source = "xor", samples = 60, validation = 0.25 }
training = { optimizer = { name = "adam", learning_rate = 0.05 }, batch = 16, epochs = 6 }
[network]
layers = [{ dense = 4 }]
loss = "cross-entropy"
"#;

fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("tiny.toml"), TINY).unwrap();
    dir
}

fn command(dir: &Path, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gradscape"));
    command.args(line.split(' ')).current_dir(dir);
    command.env("GRADSCAPE_RUNS_DIR", dir.join(".runs"));
    command
}

fn output(dir: &Path, line: &str) -> Output {
    command(dir, line).output().unwrap()
}

fn succeeds(dir: &Path, line: &str) -> String {
    let output = output(dir, line);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{line}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

fn fails(dir: &Path, status: i32, line: &str) -> String {
    let output = output(dir, line);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(status), "{line}: {error}");
    assert_eq!(error.matches("error:").count(), 1, "{line}: {error}");
    error
}

#[test]
fn a_mistake_leaves_no_folder_behind() {
    let dir = folder();
    fails(
        dir.path(),
        1,
        "sweep tiny.toml --vary training.batch=0 --out s",
    );
    fails(
        dir.path(),
        2,
        "sweep tiny.toml --vary training.batch --out s",
    );
    fails(dir.path(), 2, "sweep tiny.toml --out s");
    assert!(!dir.path().join("s").exists());
}

const GRID: &str =
    "--vary training.optimizer.learning_rate=1e-3..1:log:4 --vary training.batch=4,full --seeds 2";

/// The table without the last column, the seconds.
fn table(dir: &Path, out: &str) -> Vec<String> {
    let text = fs::read_to_string(dir.join(out).join("sweep.csv")).unwrap();
    assert!(text.ends_with('\n'));
    let lines = text
        .lines()
        .map(|line| line.rsplit_once(',').unwrap().0.to_owned());
    lines.collect()
}

#[test]
fn the_table_is_the_same_for_any_number_of_jobs_and_the_best_run_can_be_repeated() {
    let dir = folder();
    let dir = dir.path();
    for jobs in ["1", "2", "3"] {
        succeeds(
            dir,
            &format!("sweep tiny.toml {GRID} --jobs {jobs} --out s{jobs}"),
        );
    }
    let one = table(dir, "s1");
    assert_eq!(one.len(), 17);
    assert!(one[0].starts_with("run,training.optimizer.learning_rate,training.batch,seed,status,"));
    assert!(one[1].starts_with("1,0.001,4,3,finished,,17,6,"));
    for other in ["s2", "s3"] {
        assert_eq!(table(dir, other), one);
        let best = |out: &str| fs::read_to_string(dir.join(out).join("best.toml")).unwrap();
        assert_eq!(best(other), best("s1"));
    }
    // The column of best validation losses, and what `train` makes of the best.
    let mut rows = csv::Reader::from_path(dir.join("s1/sweep.csv")).unwrap();
    let column = rows
        .headers()
        .unwrap()
        .iter()
        .position(|h| h == "best_validation_loss");
    let losses = rows
        .records()
        .map(|r| r.unwrap()[column.unwrap()].parse::<f64>().unwrap());
    let least = losses.fold(f64::INFINITY, f64::min);
    succeeds(dir, "train s1/best.toml --out best");
    let summary = fs::read_to_string(dir.join("best/summary.json")).unwrap();
    let summary: Value = serde_json::from_str(&summary).unwrap();
    assert_eq!(summary["best_validation_loss"].as_f64().unwrap(), least);
}

#[test]
fn a_torn_table_is_gone_on_with_and_rows_that_are_there_are_not_made_again() {
    let dir = folder();
    let dir = dir.path();
    let line = format!("sweep tiny.toml {GRID} --out s");
    succeeds(dir, &line);
    let whole = table(dir, "s");
    let file = dir.join("s/sweep.csv");
    let text = fs::read_to_string(&file).unwrap();
    let marked = |line: &str| format!("{},77.5", line.rsplit_once(',').unwrap().0);
    let lines: Vec<&str> = text.lines().collect();
    // Out of order, as jobs leave them, the last one cut off in a number.
    for torn in ["", &lines[9][..lines[9].len() / 2], lines[9]] {
        let kept = [lines[0].to_owned(), marked(lines[5]), marked(lines[2])];
        fs::write(&file, format!("{}\n{torn}", kept.join("\n"))).unwrap();
        let said = succeeds(dir, &line);
        assert!(
            said.contains("16 runs") && said.contains("2 of them already done"),
            "{said}"
        );
        assert_eq!(table(dir, "s"), whole);
        let seconds = fs::read_to_string(&file).unwrap();
        let ends = |line: &&str| line.ends_with(",77.500");
        let old: Vec<&str> = seconds.lines().filter(ends).collect();
        assert_eq!(old.len(), 2);
        assert!(old[0].starts_with("2,") && old[1].starts_with("5,"));
    }
    assert!(succeeds(dir, &line).contains("16 of them already done"));
    // A head that is cut off is a table without rows; a foreign line is an error.
    fs::write(&file, &lines[0][..20]).unwrap();
    succeeds(dir, &line);
    assert_eq!(table(dir, "s"), whole);
    fs::write(
        &file,
        format!("{}\n{}\n", lines[0], lines[3].replacen("3,", "4,", 1)),
    )
    .unwrap();
    assert!(fails(dir, 1, &line).contains("line 2 is not a row of this sweep"));
}

/// Waits until `done` holds; a child that ends before makes it fail.
fn wait_until(child: &mut Child, done: impl Fn() -> bool) {
    while !done() {
        assert!(child.try_wait().unwrap().is_none(), "ended too early");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

fn start(dir: &Path, line: &str) -> Child {
    let mut command = command(dir, line);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

#[cfg(unix)]
#[test]
fn a_sweep_that_is_killed_or_interrupted_ends_where_an_undisturbed_one_does() {
    let dir = folder();
    let dir = dir.path();
    let line = |out: &str| {
        format!("sweep tiny.toml --vary seed=1..40 --epochs 20000 --jobs 2 --out {out}")
    };
    succeeds(dir, &line("whole"));
    let rows = || fs::read_to_string(dir.join("s/sweep.csv")).map_or(0, |t| t.lines().count());
    let mut child = start(dir, &line("s"));
    wait_until(&mut child, || rows() > 3);
    // While it works the folder is its own.
    assert!(fails(dir, 1, &line("s")).contains("another sweep is writing"));
    child.kill().unwrap();
    child.wait().unwrap();
    let before = rows();
    assert!((4..41).contains(&before), "{before}");
    let mut child = start(dir, &line("s"));
    wait_until(&mut child, || rows() > before + 1);
    let id = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &id])
            .status()
            .unwrap()
            .success()
    );
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(1));
    let error = String::from_utf8(ended.stderr).unwrap();
    assert!(
        error.contains("of 40 runs are done, and the same command goes on"),
        "{error}"
    );
    succeeds(dir, &line("s"));
    assert_eq!(table(dir, "s"), table(dir, "whole"));
}

#[test]
fn another_sweeps_folder_is_refused_and_left_as_it_was() {
    let dir = folder();
    let dir = dir.path();
    let mine = "sweep tiny.toml --vary training.batch=4,8 --out s";
    succeeds(dir, mine);
    let before = fs::read(dir.join("s/sweep.csv")).unwrap();
    fs::write(
        dir.join("other.toml"),
        TINY.replace("samples = 60", "samples = 61"),
    )
    .unwrap();
    for (line, why) in [
        (
            "sweep tiny.toml --vary training.batch=4,9 --out s",
            "other values",
        ),
        (
            "sweep tiny.toml --vary training.epochs=4,8 --out s",
            "it varies training.batch, not",
        ),
        (
            "sweep other.toml --vary training.batch=4,8 --out s",
            "another experiment",
        ),
        (
            "sweep tiny.toml --vary training.batch=4,8 --epochs 3 --out s",
            "another experiment",
        ),
    ] {
        let error = fails(dir, 1, line);
        assert!(error.contains(why) && error.contains("--force"), "{error}");
        assert_eq!(fs::read(dir.join("s/sweep.csv")).unwrap(), before);
    }
    succeeds(
        dir,
        "sweep tiny.toml --vary training.batch=4,9 --out s --force",
    );
    assert!(table(dir, "s")[2].starts_with("2,9,"));
    fs::create_dir(dir.join("mine")).unwrap();
    fs::write(dir.join("mine/letter.txt"), "dear").unwrap();
    let line = "sweep tiny.toml --vary training.batch=4,8 --out mine";
    assert!(fails(dir, 1, line).contains("not a sweep's"));
    succeeds(dir, &format!("{line} --force"));
    assert_eq!(fs::read(dir.join("mine/letter.txt")).unwrap(), b"dear");
}

#[test]
fn runs_that_diverge_are_rows_with_their_step_ranked_last_and_drawn_apart() {
    let dir = folder();
    let dir = dir.path();
    let text = TINY
        .replace(
            "name = \"adam\", learning_rate = 0.05",
            "name = \"sgd\", learning_rate = 0.1",
        )
        .replace("{ dense = 4 }", "{ dense = 4, activation = \"relu\" }")
        .replace("cross-entropy", "half-squared-error\"\noutput = \"linear");
    fs::write(dir.join("wild.toml"), text).unwrap();
    let text = succeeds(
        dir,
        "sweep wild.toml --vary training.optimizer.learning_rate=1e25,0.01,0.1 --json --out s",
    );
    let lines: Vec<Value> = text
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    let wild = lines.iter().find(|l| l["run"] == 1).unwrap();
    assert_eq!(wild["status"], "diverged");
    assert!(wild["diverged_step"].as_u64().unwrap() >= 1);
    assert_eq!(wild["set"]["training.optimizer.learning_rate"], 1e25);
    let end = lines.last().unwrap();
    assert_eq!((&end["runs"], &end["diverged"]), (&3.into(), &1.into()));
    assert_ne!(end["best_run"], 1);
    let svg = fs::read_to_string(dir.join("s/sweep.svg")).unwrap();
    for text in [">diverged<", ">learning_rate<", "best validation loss"] {
        assert!(svg.contains(text), "{text}");
    }
    let line = "sweep wild.toml --vary training.optimizer.learning_rate=1e25,1e26 --out all";
    assert!(fails(dir, 1, line).contains("all 2 runs diverged"));
    assert!(dir.join("all/sweep.csv").exists() && !dir.join("all/best.toml").exists());
}

#[test]
fn recorded_runs_of_a_sweep_have_a_tag_and_their_settings_and_are_gone_on_with() {
    let dir = folder();
    let root = dir.path();
    let sweep = "sweep tiny.toml --vary training.optimizer.learning_rate=0.01,0.1 --seeds 2 \
                 --out s --record";
    let text = succeeds(root, sweep);
    assert!(text.contains("gradscape runs list --search"), "{text}");
    let listed = |args: &str| -> Vec<Value> {
        let text = succeeds(root, args);
        let all: Value = serde_json::from_str(&text).unwrap();
        all["runs"].as_array().unwrap().clone()
    };
    let runs = listed("runs list --json");
    assert_eq!(runs.len(), 4);
    let mut names = Vec::new();
    for run in &runs {
        assert_eq!(run["tags"], serde_json::json!(["sweep s"]));
        assert_eq!(
            (&run["state"], &run["last"]["epoch"]),
            (&"finished".into(), &6.into())
        );
        names.push(run["name"].as_str().unwrap().to_owned());
    }
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 4);
    // The same losses as in the sweep's table.
    let rows = table(root, "s");
    for run in &runs {
        let loss = run["last"]["train_loss"].as_f64().unwrap().to_string();
        assert!(
            rows.iter().any(|row| row.contains(&loss)),
            "{loss} {rows:?}"
        );
    }
    let ids: Vec<&str> = runs.iter().map(|run| run["id"].as_str().unwrap()).collect();
    let compare = format!("runs compare {} --json", ids.join(" "));
    let compared: Value = serde_json::from_str(&succeeds(root, &compare)).unwrap();
    let keys = compared["differences"].to_string();
    for key in ["training.optimizer.learning_rate", "seed"] {
        assert!(keys.contains(key), "{keys}");
    }
    let what = compare.replace("--json", "--what parallel --out p.svg");
    succeeds(root, &what);
    assert!(
        fs::read_to_string(root.join("p.svg"))
            .unwrap()
            .contains("learning_rate")
    );
    // A report of one looks afterwards for what is wrong with it, which nobody did before.
    succeeds(root, &format!("report {} --out r.html", ids[0]));
    // Nothing is left to be done, and nothing is recorded again.
    succeeds(root, sweep);
    assert_eq!(listed("runs list --json").len(), 4);
    // Networks side by side, with a tag of one's own.
    succeeds(
        root,
        "compare tiny.toml deeper --epochs 2 --record --tag pair",
    );
    assert_eq!(listed("runs list --search pair --json").len(), 2);
}

#[test]
fn range_test_writes_a_curve_and_pictures_and_names_the_rate() {
    let dir = folder();
    let dir = dir.path();
    let text = succeeds(dir, "range-test tiny.toml --steps 200 --out r --json");
    let object: Value = serde_json::from_str(&text).unwrap();
    let suggested = object["suggested_rate"].as_f64().unwrap();
    let lowest = object["lowest_rate"].as_f64().unwrap();
    assert!((suggested / (lowest / 10.0) - 1.0).abs() < 0.06, "{object}");
    let mut rows = csv::Reader::from_path(dir.join("r/range-test.csv")).unwrap();
    assert_eq!(
        rows.headers().unwrap(),
        vec!["step", "learning_rate", "loss", "smoothed_loss"]
    );
    let rows: Vec<(u64, f64, f64, f64)> = rows.deserialize().map(Result::unwrap).collect();
    assert_eq!(rows.len() as u64, object["steps"].as_u64().unwrap());
    assert!(rows.windows(2).all(|w| w[0].1 < w[1].1));
    let least = rows[10..]
        .iter()
        .min_by(|a, b| a.3.total_cmp(&b.3))
        .unwrap();
    assert_eq!(least.1, lowest);
    let svg = fs::read_to_string(dir.join("r/range-test.svg")).unwrap();
    assert!(svg.contains("suggested") && svg.contains("learning rate (log)"));
    assert!(
        fs::read(dir.join("r/range-test.png"))
            .unwrap()
            .starts_with(b"\x89PNG")
    );
    let said = succeeds(dir, "range-test tiny.toml --steps 200");
    assert!(
        said.contains(&format!("name = \"adam\", learning_rate = {suggested}")),
        "{said}"
    );
    fails(dir, 2, "range-test tiny.toml --from 1 --to 0.1");
    fails(dir, 2, "range-test tiny.toml --steps 3");
    // Nothing is learnt at rates as small as these.
    assert!(fails(dir, 1, "range-test tiny.toml --from 1e-12 --to 1e-11").contains("--to"));
}

/// An earlier run's files stay until all new ones are complete.
#[cfg(unix)]
#[test]
fn a_run_that_is_killed_leaves_the_earlier_run_in_its_folder() {
    let dir = folder();
    let dir = dir.path();
    succeeds(dir, "train tiny.toml --out run");
    let files = [
        "weights.safetensors",
        "experiment.toml",
        "history.jsonl",
        "summary.json",
    ];
    let read = || files.map(|f| fs::read(dir.join("run").join(f)).unwrap());
    let before = read();
    let growing = dir.join("run/.unfinished/history.jsonl");
    let mut child = start(dir, "train tiny.toml --out run --epochs 10000000");
    wait_until(&mut child, || growing.metadata().is_ok_and(|m| m.len() > 0));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(read(), before);
    succeeds(dir, "gradient run --out g.safetensors");
    succeeds(dir, "train tiny.toml --out run --epochs 2");
    assert!(!dir.join("run/.unfinished").exists());
    assert_ne!(read(), before);
}

#[test]
fn a_samples_name_means_the_sample_even_beside_a_run_of_that_name() {
    let dir = folder();
    let dir = dir.path();
    for _ in 0..2 {
        succeeds(dir, "train iris --out iris --epochs 1");
    }
    let text = succeeds(dir, "train iris --out again --json");
    assert!(
        text.lines().count() > 1,
        "trained the run and not the sample"
    );
    let text = succeeds(dir, "train ./iris --out folder --json");
    assert_eq!(text.lines().count(), 1);
    assert!(succeeds(dir, "data hills").contains("gauss-regression"));
}

#[test]
fn a_gradient_as_an_archive_holds_the_same_numbers() {
    use ndarray::{Array0, Array1, Array2};
    let dir = folder();
    let dir = dir.path();
    succeeds(dir, "gradient tiny.toml --double --out g.safetensors");
    succeeds(dir, "gradient tiny.toml --double --out g.npz");
    let bytes = fs::read(dir.join("g.safetensors")).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let numbers = |name: &str| -> Vec<f64> {
        let data = tensors.tensor(name).unwrap().data().chunks_exact(8);
        data.map(|b| f64::from_le_bytes(b.try_into().unwrap()))
            .collect()
    };
    let mut npz = ndarray_npy::NpzReader::new(fs::File::open(dir.join("g.npz")).unwrap()).unwrap();
    let weight: Array2<f64> = npz.by_name("layers.0.weight").unwrap();
    assert_eq!(weight.dim(), (4, 2));
    assert_eq!(
        weight.iter().copied().collect::<Vec<_>>(),
        numbers("layers.0.weight")
    );
    let bias: Array1<f64> = npz.by_name("layers.1.bias").unwrap();
    assert_eq!(bias.to_vec(), numbers("layers.1.bias"));
    let loss: Array0<f64> = npz.by_name("loss").unwrap();
    assert_eq!(vec![loss[()]], numbers("loss"));
    fails(dir, 2, "gradient tiny.toml --out g.csv");
}
