//! Recorded runs as other programs see them: what `train` records, and what `runs` makes
//! of it.
#![allow(clippy::unwrap_used)]

mod command;

use command::{fails, succeeds};
use gradscape::run::{EventKind, RunFile, SavedState};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

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

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn recorded(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir.join(".runs")).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|e| e.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn train_records_its_run_says_where_and_the_file_is_what_the_folder_has() {
    let dir = folder();
    let dir = dir.path();
    let said = succeeds(
        dir,
        &[
            "train",
            "tiny.toml",
            "--out",
            "run",
            "--tag",
            "first",
            "--tag",
            "b",
        ],
    );
    let files = recorded(dir);
    assert_eq!(files.len(), 1, "{files:?}");
    assert!(
        said.contains("recorded as ") && said.contains(files[0].to_str().unwrap()),
        "{said}"
    );
    let run = RunFile::open(&files[0]).unwrap();
    assert_eq!(run.info().state, SavedState::Finished);
    assert_eq!(run.info().tags, ["b", "first"]);
    let summary = json(&fs::read_to_string(dir.join("run/summary.json")).unwrap());
    let rows = run.epochs().unwrap();
    assert_eq!(summary["epochs"], rows.last().unwrap().epoch);
    assert_eq!(
        summary["train_loss"].as_f64().unwrap(),
        rows.last().unwrap().train_loss
    );
    assert_eq!(run.last_step().unwrap(), summary["steps"].as_u64().unwrap());

    // A recorded run stands wherever the folder does.
    let file = files[0].to_str().unwrap();
    let id = files[0].file_stem().unwrap().to_str().unwrap();
    for name in [file, id] {
        succeeds(dir, &["gradient", name, "--out", "a.safetensors"]);
        succeeds(dir, &["gradient", "run", "--out", "b.safetensors"]);
        let bytes = |name: &str| fs::read(dir.join(name)).unwrap();
        assert_eq!(bytes("a.safetensors"), bytes("b.safetensors"), "{name}");
        let line = |source: &str, out: &str| {
            succeeds(
                dir,
                &[
                    "line", source, "--from", "0", "--to", "last", "--points", "5", "--out", out,
                ],
            )
        };
        line(name, "a.csv");
        line("run", "b.csv");
        assert_eq!(bytes("a.csv"), bytes("b.csv"), "{name}");
        succeeds(dir, &["figure", "curves", name, "--out", "curves.svg"]);
        succeeds(dir, &["inspect", name]);
        succeeds(dir, &["data", file]);
    }
    succeeds(
        dir,
        &[
            "gradient",
            file,
            "--at-step",
            "3",
            "--out",
            "early.safetensors",
        ],
    );
    assert_ne!(
        fs::read(dir.join("early.safetensors")).unwrap(),
        fs::read(dir.join("a.safetensors")).unwrap()
    );
    fails(
        dir,
        2,
        &[
            "gradient",
            "tiny.toml",
            "--at-step",
            "3",
            "--out",
            "x.safetensors",
        ],
    );
}

#[test]
fn whoever_does_not_want_a_record_gets_none_and_another_file_is_never_written_over() {
    let dir = folder();
    let dir = dir.path();
    succeeds(dir, &["train", "tiny.toml", "--out", "run", "--no-record"]);
    assert!(!dir.join(".runs").exists());
    succeeds(
        dir,
        &[
            "train",
            "tiny.toml",
            "--record",
            "mine.gsrun",
            "--snapshot-every",
            "2",
        ],
    );
    assert!(!dir.join(".runs").exists());
    let before = fs::read(dir.join("mine.gsrun")).unwrap();
    let steps = RunFile::open(&dir.join("mine.gsrun"))
        .unwrap()
        .snapshot_steps()
        .unwrap();
    assert_eq!(steps, [0, 1, 2, 4, 6, 8, 10, 12, 14, 16, 18]);
    let error = fails(dir, 1, &["train", "tiny.toml", "--record", "mine.gsrun"]);
    assert!(
        error.contains("mine.gsrun") && error.contains("already"),
        "{error}"
    );
    assert_eq!(fs::read(dir.join("mine.gsrun")).unwrap(), before);
}

#[test]
fn a_branch_goes_on_from_the_step_with_what_is_changed_and_knows_its_parent() {
    let dir = folder();
    let dir = dir.path();
    succeeds(
        dir,
        &[
            "train",
            "tiny.toml",
            "--record",
            "trunk.gsrun",
            "--snapshot-every",
            "1",
        ],
    );
    let said = succeeds(
        dir,
        &[
            "train",
            "trunk.gsrun",
            "--from",
            "7",
            "--learning-rate",
            "0.5",
            "--set",
            "training.optimizer.name=sgd",
            "--epochs",
            "4",
            "--record",
            "branch.gsrun",
        ],
    );
    assert!(said.contains("goes on from step 7 of trunk"), "{said}");
    assert!(
        said.contains("what adam had gathered is of no use to sgd"),
        "{said}"
    );
    let trunk = RunFile::open(&dir.join("trunk.gsrun")).unwrap();
    let branch = RunFile::open(&dir.join("branch.gsrun")).unwrap();
    let parent = branch.info().parent.clone().unwrap();
    assert_eq!((parent.id.as_str(), parent.step), ("trunk", 7));
    assert_eq!(branch.snapshot_steps().unwrap()[0], 7);
    assert_eq!(branch.snapshot(7).unwrap(), trunk.snapshot(7).unwrap());
    assert_ne!(branch.snapshot(8).unwrap(), trunk.snapshot(8).unwrap());
    assert_eq!(branch.last_epoch().unwrap().unwrap().epoch, 4);
    let optimizer = branch.experiment().unwrap().training.optimizer;
    assert_eq!(
        (optimizer.kind().name(), optimizer.learning_rate),
        ("sgd", 0.5)
    );
    assert_eq!(branch.events().unwrap()[0].kind, EventKind::Branched);

    // With nothing changed it is the run itself.
    succeeds(
        dir,
        &[
            "train",
            "tiny.toml",
            "--record",
            "a.gsrun",
            "--snapshot-every",
            "1",
        ],
    );
    let said = succeeds(
        dir,
        &[
            "train",
            "a.gsrun",
            "--from",
            "8",
            "--record",
            "b.gsrun",
            "--snapshot-every",
            "1",
        ],
    );
    assert!(said.contains("bit for bit"), "{said}");
    let (a, b) = (
        RunFile::open(&dir.join("a.gsrun")).unwrap(),
        RunFile::open(&dir.join("b.gsrun")).unwrap(),
    );
    for step in [8, 9, 13, 18] {
        assert_eq!(
            a.snapshot(step).unwrap(),
            b.snapshot(step).unwrap(),
            "step {step}"
        );
    }
    fails(
        dir,
        1,
        &[
            "train",
            "a.gsrun",
            "--from",
            "8",
            "--set",
            "network.layers[0].dense=5",
        ],
    );
    fails(dir, 2, &["train", "a.gsrun", "--from", "8", "--seed", "5"]);
    fails(dir, 2, &["train", "tiny.toml", "--from", "8"]);
    let error = fails(dir, 1, &["train", "a.gsrun", "--set", "training.batch=0"]);
    assert!(error.contains("training.batch"), "{error}");
}

#[test]
fn runs_are_listed_shown_compared_renamed_and_deleted() {
    let dir = folder();
    let dir = dir.path();
    assert!(succeeds(dir, &["runs"]).contains("no runs in"));
    for (name, rate) in [("slow", "0.001"), ("fast", "0.1")] {
        succeeds(
            dir,
            &[
                "train",
                "tiny.toml",
                "--name",
                name,
                "--learning-rate",
                rate,
            ],
        );
    }
    fs::write(dir.join(".runs/broken.gsrun"), "no run").unwrap();
    let said = succeeds(dir, &["runs"]);
    assert!(said.contains("slow") && said.contains("finished"), "{said}");
    assert!(
        said.contains("broken.gsrun: this is no recorded run"),
        "{said}"
    );
    let list = json(&succeeds(dir, &["runs", "list", "--json"]));
    assert_eq!(list["runs"].as_array().unwrap().len(), 2);
    assert_eq!(list["unreadable"].as_array().unwrap().len(), 1);
    assert_eq!(
        json(&succeeds(dir, &["runs", "--search", "SLO", "--json"]))["runs"][0]["name"],
        "slow"
    );

    let shown = json(&succeeds(dir, &["runs", "show", "slow", "--json"]));
    assert_eq!(shown["name"], "slow");
    assert_eq!(shown["last"]["epoch"], 6);
    assert!(
        shown["experiment"]
            .as_str()
            .unwrap()
            .contains("learning_rate = 0.001")
    );
    assert!(succeeds(dir, &["runs", "show", "slow"]).contains("learning_rate = 0.001"));
    let text = succeeds(dir, &["runs", "show", "slow", "--experiment"]);
    fs::write(dir.join("again.toml"), text).unwrap();
    succeeds(dir, &["train", "again.toml", "--record", "again.gsrun"]);
    let last = |run: &str| json(&succeeds(dir, &["runs", "show", run, "--json"]))["last"].clone();
    assert_eq!(last("again.gsrun"), last("slow"));

    let compared = json(&succeeds(
        dir,
        &["runs", "compare", "slow", "fast", "--json"],
    ));
    assert_eq!(compared["differences"].as_array().unwrap().len(), 1);
    assert_eq!(
        compared["differences"][0]["key"],
        "training.optimizer.learning_rate"
    );
    assert_eq!(compared["runs"][1]["name"], "fast");
    let table = succeeds(dir, &["runs", "compare", "slow", "fast"]);
    assert!(
        table.contains("lowest loss") && table.contains("0.001"),
        "{table}"
    );
    for (what, of) in [
        ("curves", "loss"),
        ("curves", "gradient-norm"),
        ("histogram", "loss"),
        ("parallel", "loss"),
    ] {
        let args = [
            "runs", "compare", "slow", "fast", "--what", what, "--of", of, "--out", "p.svg",
        ];
        succeeds(dir, &args);
        let svg = fs::read_to_string(dir.join("p.svg")).unwrap();
        assert!(
            svg.contains("slow") && svg.contains("fast") && !svg.contains("NaN"),
            "{what}"
        );
    }

    succeeds(dir, &["runs", "tag", "slow", "good", "odd"]);
    succeeds(dir, &["runs", "tag", "slow", "odd", "--remove"]);
    succeeds(dir, &["runs", "comment", "slow", "the rate is too small"]);
    let renamed = json(&succeeds(
        dir,
        &["runs", "rename", "slow", "snail", "--json"],
    ));
    assert_eq!(
        (&renamed["name"], &renamed["tags"][0]),
        (&"snail".into(), &"good".into())
    );
    assert_eq!(renamed["comment"], "the rate is too small");
    assert!(fails(dir, 1, &["runs", "show", "slow"]).contains("gradscape runs"));
    let error = fails(dir, 1, &["runs", "show", "2"]);
    assert!(error.contains("2 runs begin so"), "{error}");

    assert!(fails(dir, 2, &["runs", "delete", "snail"]).contains("--yes"));
    succeeds(dir, &["runs", "delete", "snail", "--yes"]);
    let left = recorded(dir);
    assert_eq!(left.len(), 2, "{left:?}");
    fails(dir, 1, &["runs", "delete", ".runs/broken.gsrun", "--yes"]);
    assert_eq!(recorded(dir).len(), 2);
}

#[test]
fn a_run_that_diverges_is_recorded_with_why() {
    let dir = folder();
    let dir = dir.path();
    let args = [
        "train",
        "tiny.toml",
        "--record",
        "wild.gsrun",
        "--set",
        "training.optimizer.name=sgd",
    ];
    let error = fails(dir, 1, &[&args[..], &["--learning-rate", "1e38"]].concat());
    assert!(error.contains("wild.gsrun"), "{error}");
    let run = RunFile::open(&dir.join("wild.gsrun")).unwrap();
    assert_eq!(run.info().state, SavedState::Diverged);
    assert_eq!(
        run.events().unwrap().last().unwrap().kind,
        EventKind::Diverged
    );
    assert!(succeeds(dir, &["runs", "show", "wild.gsrun"]).contains("diverged"));
}

#[test]
fn a_recorded_run_is_diagnosed_as_it_was() {
    let dir = folder();
    let dir = dir.path();
    let trunk = [
        "train",
        "tiny.toml",
        "--record",
        "trunk.gsrun",
        "--snapshot-every",
        "1",
    ];
    succeeds(dir, &trunk);
    let branch = [
        "train",
        "trunk.gsrun",
        "--from",
        "9",
        "--learning-rate",
        "4",
        "--epochs",
        "9",
        "--record",
        "branch.gsrun",
    ];
    succeeds(dir, &branch);
    let row = RunFile::open(&dir.join("branch.gsrun")).unwrap();
    let row = row.last_epoch().unwrap().unwrap();
    let said = json(&succeeds(dir, &["diagnose", "branch.gsrun", "--json"]));
    assert_eq!(said["made"], "recorded");
    assert_eq!(said["run"], "branch");
    assert_eq!(said["epochs"], 9);
    assert_eq!(said["steps"].as_u64(), Some(row.step));
    assert_eq!(said["train_loss"].as_f64(), Some(row.train_loss));
    assert_eq!(said["validation_loss"].as_f64(), row.validation_loss);
    assert_eq!(said["updates_measured"], true);
    let found = RunFile::open(&dir.join("branch.gsrun")).unwrap();
    let kinds: Vec<String> = found
        .findings()
        .unwrap()
        .iter()
        .map(|finding| finding.kind.key().to_owned())
        .collect();
    let told: Vec<&str> = said["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["kind"].as_str().unwrap())
        .collect();
    assert_eq!(told, kinds);
    let people = succeeds(dir, &["diagnose", "branch.gsrun"]);
    assert!(
        people.contains("as it was recorded (branch); nothing was trained")
            && people.contains("went on from step 9 of trunk"),
        "{people}"
    );
    // Other thresholds: what was kept is looked at afterwards, and that is said.
    let args = ["diagnose", "branch.gsrun", "--threshold", "dead=0.5"];
    let people = succeeds(dir, &args);
    assert!(
        people.contains("nothing is said about the learning rate"),
        "{people}"
    );
    // Trained again it is another run.
    let again = json(&succeeds(
        dir,
        &["diagnose", "branch.gsrun", "--again", "--json"],
    ));
    assert_eq!(again["made"], "trained");
    assert_ne!(again["train_loss"], said["train_loss"]);
    let error = fails(dir, 2, &["diagnose", "branch.gsrun", "--epochs", "3"]);
    assert!(error.contains("--again"), "{error}");
    // A folder that `train` wrote.
    succeeds(dir, &["train", "tiny.toml", "--no-record", "--out", "run"]);
    let said = json(&succeeds(dir, &["diagnose", "run", "--json"]));
    assert_eq!(
        (&said["made"], &said["updates_measured"]),
        (&"folder".into(), &false.into())
    );
}

#[test]
fn a_branch_says_where_it_begins_and_begins_nowhere_else() {
    let dir = folder();
    let dir = dir.path();
    let trunk = [
        "train",
        "tiny.toml",
        "--record",
        "trunk.gsrun",
        "--snapshot-every",
        "4",
    ];
    succeeds(dir, &trunk);
    let error = fails(dir, 1, &["train", "trunk.gsrun", "--from", "99999"]);
    for part in ["no step 99999", "ends after step 18", "16, 18"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    let told = succeeds(
        dir,
        &[
            "train",
            "trunk.gsrun",
            "--from",
            "7",
            "--json",
            "--no-record",
            "--out",
            "b",
        ],
    );
    for line in told.lines() {
        let epoch = json(line);
        assert_eq!(epoch["from"]["id"], "trunk", "{line}");
        assert_eq!(epoch["from"]["step"], 4, "{line}");
    }
    // --epochs counts those of the run too.
    let error = fails(
        dir,
        2,
        &["train", "trunk.gsrun", "--from", "18", "--epochs", "6"],
    );
    assert!(
        error.contains("6 epochs in all") && error.contains("more than 6"),
        "{error}"
    );
    let plain = json(
        succeeds(dir, &["train", "tiny.toml", "--json"])
            .lines()
            .last()
            .unwrap(),
    );
    assert!(plain.get("from").is_none());
}

#[test]
fn a_run_that_is_not_clear_is_asked_about_everywhere() {
    let dir = folder();
    let dir = dir.path();
    for name in ["alpha", "alpha"] {
        succeeds(dir, &["train", "tiny.toml", "--name", name]);
    }
    let files = recorded(dir);
    let id = |path: &PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let ids: Vec<String> = files.iter().map(id).collect();
    let shared: String = ids[0]
        .chars()
        .zip(ids[1].chars())
        .take_while(|(a, b)| a == b)
        .map(|(a, _)| a)
        .collect();
    // Of both an id only where one is called by the whole of what they share.
    let prefix = match ids.contains(&shared) {
        true => &shared[..shared.len() - 1],
        false => &shared[..],
    };
    for args in [
        &["runs", "show", prefix][..],
        &["train", prefix, "--from", "3"],
        &["diagnose", prefix],
        &["report", prefix, "--out", "r.html"],
        &["export", prefix, "--out", "m.onnx"],
    ] {
        let error = fails(dir, 1, args);
        assert!(error.contains("2 runs begin so"), "{args:?}: {error}");
    }
    let newest = {
        let begun = |path: &PathBuf| RunFile::open(path).unwrap().info().created_ms;
        files
            .iter()
            .max_by_key(|path| (begun(path), (*path).clone()))
            .unwrap()
    };
    // Which was written to last does not say which is the newest.
    for path in files.iter().filter(|path| *path != newest) {
        succeeds(dir, &["runs", "comment", path.to_str().unwrap(), "older"]);
    }
    let said = command::gradscape(dir, &["diagnose", "alpha", "--json"]);
    let note = String::from_utf8(said.stderr).unwrap();
    let expected = format!("of 2 runs called alpha the newest, {}", id(newest));
    assert_eq!(note.matches(&expected).count(), 1, "{note}");
    assert_eq!(
        json(&String::from_utf8(said.stdout).unwrap())["run"],
        id(newest).as_str()
    );
    for path in files.iter().filter(|path| *path != newest) {
        fs::remove_file(path).unwrap();
    }
    let said = command::gradscape(dir, &["runs"]);
    let text = String::from_utf8(said.stdout).unwrap();
    assert!(
        text.contains("\n1 run in ") && text.contains("valid. loss"),
        "{text}"
    );
}
