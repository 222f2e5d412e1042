//! The program as other programs see it: exit statuses, JSON lines and files,
//! read back by independent code.

#![allow(clippy::unwrap_used)] // a test fails by panicking

mod command;

use command::{fails, succeeds};
use ndarray::{Array1, Array2};
use ndarray_npy::NpzReader;
use safetensors::{Dtype, SafeTensors};
use serde_json::Value;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    let chunks = bytes.chunks_exact(4);
    chunks
        .map(|b| f32::from_le_bytes(b.try_into().unwrap()))
        .collect()
}

/// All tensors of a safetensors file as one vector, in the documented order.
fn flat(file: &SafeTensors<'_>) -> Vec<f32> {
    (0..)
        .map(|k| format!("layers.{k}"))
        .take_while(|layer| file.tensor(&format!("{layer}.weight")).is_ok())
        .flat_map(|layer| {
            ["weight", "bias"].map(|role| file.tensor(&format!("{layer}.{role}")).unwrap())
        })
        .flat_map(|tensor| floats(tensor.data()))
        .collect()
}

fn npz(path: &Path) -> NpzReader<File> {
    NpzReader::new(File::open(path).unwrap()).unwrap()
}

const TINY: &str = r#"
seed = 3
data = { source = "xor", samples = 60, validation = 0.25 }
training = { optimizer = { name = "adam", learning_rate = 0.05 }, batch = 16, epochs = 6 }
[network]
layers = [{ dense = 4 }]
loss = "cross-entropy"
"#;

/// A folder with `tiny.toml` in it.
fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("tiny.toml"), TINY).unwrap();
    dir
}

#[test]
fn help_is_no_error_and_names_every_command() {
    let dir = folder();
    let help = succeeds(dir.path(), &["--help"]);
    for command in ["open", "train", "gradient", "surface", "capture", "data"] {
        assert!(help.contains(command), "{command}");
        let own = succeeds(dir.path(), &[command, "--help"]);
        assert!(own.contains("Usage"), "{command}");
    }
    assert!(succeeds(dir.path(), &["--version"]).contains(env!("CARGO_PKG_VERSION")));
}

#[test]
fn wrong_usage_has_status_2() {
    let dir = folder();
    for args in [
        &["fly"][..],
        &["train", "tiny.toml", "--no-record"],
        &["train", "tiny.toml", "--no-record", "--record", "a.gsrun"],
        &["train", "tiny.toml", "--record", "a.sqlite"],
        &["train", "tiny.toml", "--from", "5"],
        &["train", "tiny.toml", "--out", "o", "--epochs", "many"],
        &["surface", "tiny.toml"],
        &["surface", "tiny.toml", "--out", "s.doc"],
        &["surface", "tiny.toml", "--out", "s.csv", "--grid", "1"],
        &["surface", "tiny.toml", "--out", "s.csv", "--range", "1:-1"],
        &[
            "surface",
            "tiny.toml",
            "--out",
            "s.csv",
            "--directions",
            "weights:2,2",
        ],
        &[
            "surface",
            "tiny.toml",
            "--out",
            "s.csv",
            "--directions",
            "north",
        ],
        &["gradient", "tiny.toml"],
        &["capture", "tiny.toml", "--out", "c.png", "--size", "10"],
        &["capture", "tiny.toml", "--out", "c.avi"],
        &["data"],
    ] {
        fails(dir.path(), 2, args);
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn failures_have_status_1_and_say_what_is_wrong_and_what_is_there() {
    let dir = folder();
    let dir = dir.path();
    let error = fails(dir, 1, &["train", "nothing-so", "--out", "o"]);
    assert!(
        error.contains("nothing-so") && error.contains("breast-cancer"),
        "{error}"
    );
    fs::write(
        dir.join("bad.toml"),
        TINY.replace("samples = 60", "samples = 1"),
    )
    .unwrap();
    let error = fails(dir, 1, &["train", "bad.toml", "--out", "o"]);
    for part in ["bad.toml", "line 3", "data.samples", "2"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    fs::create_dir(dir.join("mine")).unwrap();
    fs::write(dir.join("mine/letter.txt"), "dear").unwrap();
    let error = fails(dir, 1, &["train", "tiny.toml", "--out", "mine"]);
    assert!(error.contains("--force"), "{error}");
    fails(dir, 1, &["surface", "mine", "--out", "s.csv"]);
    let path = [
        "surface",
        "tiny.toml",
        "--directions",
        "path",
        "--out",
        "s.csv",
    ];
    assert!(fails(dir, 1, &path).contains("train"));
    let error = fails(
        dir,
        1,
        &[
            "surface",
            "tiny.toml",
            "--directions",
            "weights:0,17",
            "--out",
            "s.csv",
        ],
    );
    assert!(
        error.contains("17 ") || error.contains("parameter 17"),
        "{error}"
    );
    fs::write(dir.join("w.safetensors"), "nonsense").unwrap();
    let weights = [
        "gradient",
        "tiny.toml",
        "--weights",
        "w.safetensors",
        "--out",
        "g",
    ];
    assert!(fails(dir, 1, &weights).contains("w.safetensors"));
    succeeds(dir, &["gradient", "iris", "--out", "w.safetensors"]);
    let error = fails(dir, 1, &weights);
    assert!(
        error.contains("layers.0.weight") && error.contains("[4, 2]"),
        "{error}"
    );
    assert!(fails(dir, 1, &["data", "nowhere.csv"]).contains("nowhere.csv"));
    assert!(fails(dir, 1, &["data", "irs"]).contains("iris"));
}

#[test]
fn train_prints_one_object_an_epoch_with_exactly_the_agreed_fields() {
    let dir = folder();
    let text = succeeds(
        dir.path(),
        &["train", "tiny.toml", "--out", "run", "--json"],
    );
    let fields = [
        "epoch",
        "step",
        "train_loss",
        "train_accuracy",
        "validation_loss",
        "validation_accuracy",
        "seconds",
    ];
    let mut seconds = 0.0;
    let mut lines = 0;
    for (index, line) in text.lines().enumerate() {
        let object = json(line);
        let mut names: Vec<&str> = object
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        let mut expected = fields;
        names.sort_unstable();
        expected.sort_unstable();
        assert_eq!(names, expected);
        assert_eq!(object["epoch"], index as u64 + 1);
        // 45 samples in batches of 16 are 3 steps.
        assert_eq!(object["step"], 3 * (index as u64 + 1));
        assert!(object["train_loss"].as_f64().unwrap() > 0.0);
        let accuracy = object["validation_accuracy"].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&accuracy));
        let now = object["seconds"].as_f64().unwrap();
        assert!(now >= seconds);
        seconds = now;
        lines += 1;
    }
    assert_eq!(lines, 6);

    let history = fs::read_to_string(dir.path().join("run/history.jsonl")).unwrap();
    assert_eq!(history.lines().count(), 7);
    let last = json(text.lines().last().unwrap());
    let kept = json(history.lines().last().unwrap());
    for field in &fields[..6] {
        assert_eq!(last[field], kept[field]);
    }
    let table = fs::read_to_string(dir.path().join("run/history.csv")).unwrap();
    assert_eq!(table.lines().next().unwrap(), fields[..6].join(","));
    assert!(table.lines().nth(1).unwrap().starts_with("0,0,"));
    assert_eq!(table.lines().count(), 8);
}

#[test]
fn regression_and_no_validation_part_give_null() {
    let dir = folder();
    let text = TINY
        .replace("\"xor\"", "\"plane\"")
        .replace("validation = 0.25", "validation = 0")
        .replace("cross-entropy", "mean-squared-error");
    fs::write(dir.path().join("plane.toml"), text).unwrap();
    let text = succeeds(
        dir.path(),
        &[
            "train",
            "plane.toml",
            "--out",
            "run",
            "--json",
            "--epochs",
            "1",
        ],
    );
    let object = json(text.lines().next().unwrap());
    for field in ["train_accuracy", "validation_loss", "validation_accuracy"] {
        assert!(
            object[field].is_null() && object.get(field).is_some(),
            "{field}"
        );
    }
}

#[test]
fn a_runs_folder_holds_weights_path_and_summary_that_agree() {
    let dir = folder();
    let dir = dir.path();
    succeeds(
        dir,
        &[
            "train",
            "tiny.toml",
            "--out",
            "run",
            "--seed",
            "9",
            "--epochs",
            "4",
        ],
    );
    let bytes = fs::read(dir.join("run/weights.safetensors")).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    for (name, shape) in [
        ("layers.0.weight", &[4, 2][..]),
        ("layers.0.bias", &[4]),
        ("layers.1.weight", &[1, 4]),
        ("layers.1.bias", &[1]),
    ] {
        let tensor = file.tensor(name).unwrap();
        assert_eq!((tensor.dtype(), tensor.shape()), (Dtype::F32, shape));
    }
    assert_eq!(file.len(), 4);
    let weights = flat(&file);

    let mut path = npz(&dir.join("run/path.npz"));
    let params: Array2<f32> = path.by_name("params").unwrap();
    let losses: Array1<f64> = path.by_name("losses").unwrap();
    let steps: Array1<u64> = path.by_name("steps").unwrap();
    let epochs: Array1<u64> = path.by_name("epochs").unwrap();
    let k = steps.len();
    assert_eq!((params.dim(), losses.len(), epochs.len()), ((k, 17), k, k));
    assert_eq!((steps[0], steps[k - 1], epochs[k - 1]), (0, 12, 4));
    assert_eq!(params.row(k - 1).to_vec(), weights);

    let summary = json(&fs::read_to_string(dir.join("run/summary.json")).unwrap());
    assert_eq!(summary["outcome"], "finished");
    assert_eq!(
        (&summary["epochs"], &summary["steps"]),
        (&4.into(), &12.into())
    );
    assert_eq!(
        (&summary["seed"], &summary["parameters"]),
        (&9.into(), &17.into())
    );
    assert_eq!(summary["train_loss"].as_f64().unwrap(), losses[k - 1]);

    let again = fs::read_to_string(dir.join("run/experiment.toml")).unwrap();
    fs::write(dir.join("copy.toml"), again).unwrap();
    succeeds(dir, &["train", "copy.toml", "--out", "copy"]);
    assert_eq!(
        fs::read(dir.join("copy/weights.safetensors")).unwrap(),
        bytes
    );
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_other_ones() {
    let dir = folder();
    let dir = dir.path();
    for (out, seed) in [("a", "5"), ("b", "5"), ("c", "6")] {
        succeeds(dir, &["train", "tiny.toml", "--out", out, "--seed", seed]);
    }
    for file in [
        "history.jsonl",
        "history.csv",
        "weights.safetensors",
        "path.npz",
        "experiment.toml",
    ] {
        let read = |run: &str| fs::read(dir.join(run).join(file)).unwrap();
        assert_eq!(read("a"), read("b"), "{file}");
        assert_ne!(read("a"), read("c"), "{file}");
    }
}

#[test]
fn the_gradient_agrees_with_central_differences_of_surfaces() {
    let dir = folder();
    let dir = dir.path();
    succeeds(dir, &["train", "tiny.toml", "--out", "run"]);
    for precision in [&["--double"][..], &[]] {
        let mut args = vec!["gradient", "run", "--out", "g.safetensors"];
        args.extend(precision);
        succeeds(dir, &args);
        let bytes = fs::read(dir.join("g.safetensors")).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let loss = file.tensor("loss").unwrap();
        assert_eq!((loss.dtype(), loss.shape()), (Dtype::F64, &[][..]));
        let loss = f64::from_le_bytes(loss.data().try_into().unwrap());
        let weight = file.tensor("layers.0.weight").unwrap();
        assert_eq!(weight.shape(), [4, 2]);
        let weight: Vec<f64> = if precision.is_empty() {
            assert_eq!(weight.dtype(), Dtype::F32);
            floats(weight.data()).into_iter().map(f64::from).collect()
        } else {
            assert_eq!(weight.dtype(), Dtype::F64);
            let chunks = weight.data().chunks_exact(8);
            chunks
                .map(|b| f64::from_le_bytes(b.try_into().unwrap()))
                .collect()
        };
        // Parameters 3 and 6 are layers.0.weight[1, 1] and [3, 0].
        let h = 1.0 / 64.0;
        let range = format!("{}:{}", -2.0 * h, 2.0 * h);
        let plane = [
            "--grid",
            "5",
            "--range",
            &range,
            "--directions",
            "weights:3,6",
        ];
        let mut args = vec!["surface", "run", "--out", "s.npz"];
        args.extend(plane);
        succeeds(dir, &args);
        let surface: Array2<f64> = npz(&dir.join("s.npz")).by_name("loss").unwrap();
        // The five-point formula, whose error is of fourth order in h.
        let slope =
            |at: &dyn Fn(usize) -> f64| (8.0 * (at(3) - at(1)) - (at(4) - at(0))) / (12.0 * h);
        let slope_x = slope(&|i| surface[[2, i]]);
        let slope_y = slope(&|j| surface[[j, 2]]);
        assert!(
            (slope_x - weight[3]).abs() < 1e-4,
            "{slope_x} {}",
            weight[3]
        );
        assert!(
            (slope_y - weight[6]).abs() < 1e-4,
            "{slope_y} {}",
            weight[6]
        );
        assert!((surface[[2, 2]] - loss).abs() < 1e-6, "{loss}");
    }
}

#[test]
fn a_surfaces_files_agree_and_its_middle_is_the_training_loss_to_the_last_bit() {
    let dir = folder();
    let dir = dir.path();
    succeeds(dir, &["train", "tiny.toml", "--out", "run"]);
    let text = succeeds(
        dir,
        &[
            "surface",
            "run",
            "--grid",
            "7",
            "--range",
            "-2:2",
            "--directions",
            "weights:1,4",
            "--out",
            "s.npz",
            "--out",
            "s.csv",
            "--json",
        ],
    );
    let summary = json(&fs::read_to_string(dir.join("run/summary.json")).unwrap());
    let loss = summary["train_loss"].as_f64().unwrap();
    let object = json(&text);
    assert_eq!(object["center_loss"].as_f64().unwrap(), loss);
    assert_eq!(object["points"], 49);

    let mut file = npz(&dir.join("s.npz"));
    let surface: Array2<f64> = file.by_name("loss").unwrap();
    let x: Array1<f64> = file.by_name("x").unwrap();
    let y: Array1<f64> = file.by_name("y").unwrap();
    assert_eq!(surface[[3, 3]], loss);
    assert_eq!((x[0], x[3], y[6]), (-2.0, 0.0, 2.0));
    let center: Array1<f32> = file.by_name("center").unwrap();
    let bytes = fs::read(dir.join("run/weights.safetensors")).unwrap();
    assert_eq!(
        center.to_vec(),
        flat(&SafeTensors::deserialize(&bytes).unwrap())
    );
    for (name, index) in [("direction_x", 1), ("direction_y", 4)] {
        let direction: Array1<f32> = file.by_name(name).unwrap();
        let expected: Vec<f32> = (0..17).map(|i| f32::from(u8::from(i == index))).collect();
        assert_eq!(direction.to_vec(), expected);
    }
    // An independent loss at a corner: the weights moved by hand, through `gradient`.
    let mut moved = bytes.clone();
    let value = |i: usize| center[i];
    for (index, by) in [(1, 2.0_f32), (4, -2.0)] {
        let tail = |v: f32| v.to_le_bytes();
        let old = tail(value(index));
        // Tensors are stored by name within a type: find the bytes themselves.
        let places: Vec<usize> = (0..moved.len() - 3)
            .filter(|&p| moved[p..p + 4] == old)
            .collect();
        assert_eq!(places.len(), 1);
        moved[places[0]..places[0] + 4].copy_from_slice(&tail(value(index) + by));
    }
    fs::write(dir.join("moved.safetensors"), moved).unwrap();
    let text = succeeds(
        dir,
        &[
            "gradient",
            "run",
            "--weights",
            "moved.safetensors",
            "--out",
            "g",
            "--json",
        ],
    );
    // A surface's first layer is the sum of three products, rounded in another order.
    let there = json(&text)["loss"].as_f64().unwrap();
    assert!((surface[[0, 6]] / there - 1.0).abs() < 1e-7);

    let mut rows = csv::Reader::from_path(dir.join("s.csv")).unwrap();
    assert_eq!(rows.headers().unwrap(), vec!["x", "y", "loss"]);
    let rows: Vec<(f64, f64, f64)> = rows.deserialize().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 49);
    for (k, row) in rows.into_iter().enumerate() {
        let (j, i) = (k / 7, k % 7);
        assert_eq!(row, (x[i], y[j], surface[[j, i]]));
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let dir = folder();
    let dir = dir.path();
    let mut files = Vec::new();
    for threads in ["1", "2", "5"] {
        let run = format!("run{threads}");
        let out = format!("s{threads}.npz");
        for args in [
            &["train", "tiny.toml", "--out", &run][..],
            &["surface", &run, "--grid", "21", "--out", &out],
        ] {
            let status = Command::new(env!("CARGO_BIN_EXE_gradscape"))
                .args(args)
                .env("RAYON_NUM_THREADS", threads)
                .env("GRADSCAPE_RUNS_DIR", dir.join(".runs"))
                .current_dir(dir)
                .stdout(Stdio::null())
                .status()
                .unwrap();
            assert!(status.success());
        }
        files.push((
            fs::read(dir.join(&run).join("history.jsonl")).unwrap(),
            fs::read(dir.join(&run).join("weights.safetensors")).unwrap(),
            fs::read(dir.join(&out)).unwrap(),
        ));
    }
    assert!(files.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn pictures_of_a_surface_are_pictures() {
    let dir = folder();
    let dir = dir.path();
    succeeds(dir, &["train", "tiny.toml", "--out", "run"]);
    succeeds(
        dir,
        &[
            "surface",
            "run",
            "--directions",
            "path",
            "--grid",
            "15",
            "--out",
            "s.png",
            "--out",
            "s.svg",
        ],
    );
    let file = std::io::BufReader::new(File::open(dir.join("s.png")).unwrap());
    let mut reader = png::Decoder::new(file).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    let colours: std::collections::HashSet<&[u8]> = pixels.chunks(4).collect();
    assert!(colours.len() > 500, "{}", colours.len());
    let svg = fs::read_to_string(dir.join("s.svg")).unwrap();
    assert!(svg.contains("</svg>") && svg.contains("after 6 epochs"));
}

#[test]
fn a_run_that_diverges_fails_names_the_place_and_keeps_finite_weights() {
    let dir = folder();
    let dir = dir.path();
    let text = TINY
        .replace(
            "name = \"adam\", learning_rate = 0.05",
            "name = \"sgd\", learning_rate = 1e25",
        )
        .replace("{ dense = 4 }", "{ dense = 4, activation = \"relu\" }")
        .replace("cross-entropy", "half-squared-error\"\noutput = \"linear");
    fs::write(dir.join("wild.toml"), text).unwrap();
    let error = fails(dir, 1, &["train", "wild.toml", "--out", "run"]);
    assert!(
        error.contains("step ") && error.contains("layer"),
        "{error}"
    );
    let bytes = fs::read(dir.join("run/weights.safetensors")).unwrap();
    let weights = flat(&SafeTensors::deserialize(&bytes).unwrap());
    assert!(weights.len() == 17 && weights.iter().all(|w| w.is_finite()));
    let summary = json(&fs::read_to_string(dir.join("run/summary.json")).unwrap());
    assert_eq!(summary["outcome"], "diverged");
    assert!(summary["divergence"]["layer"].is_u64());
}

#[test]
fn a_reader_that_goes_away_ends_training_quietly() {
    let dir = folder();
    let mut child = Command::new(env!("CARGO_BIN_EXE_gradscape"))
        .args([
            "train",
            "tiny.toml",
            "--no-record",
            "--out",
            "run",
            "--json",
            "--epochs",
            "100000",
        ])
        .current_dir(dir.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty());
    assert!(dir.path().join("run/weights.safetensors").is_file());
}

#[cfg(unix)]
#[test]
fn ctrl_c_keeps_what_was_reached() {
    use std::io::{BufRead, BufReader};
    let dir = folder();
    let mut child = Command::new(env!("CARGO_BIN_EXE_gradscape"))
        .args([
            "train",
            "tiny.toml",
            "--no-record",
            "--out",
            "run",
            "--json",
            "--epochs",
            "1000000",
        ])
        .current_dir(dir.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Once an epoch is printed the handler is installed.
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().is_ok());
    let kill = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    assert!(lines.all(|line| line.is_ok()));
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let summary = json(&fs::read_to_string(dir.path().join("run/summary.json")).unwrap());
    assert_eq!(summary["outcome"], "interrupted");
    assert!(dir.path().join("run/weights.safetensors").is_file());
}

#[test]
fn data_is_summed_up_for_people_and_for_programs() {
    let dir = folder();
    let dir = dir.path();
    assert!(succeeds(dir, &["data", "iris"]).contains("150"));
    let iris = json(&succeeds(dir, &["data", "iris", "--json"]));
    assert_eq!(iris["samples"], 150);
    assert_eq!(iris["classes"].as_array().unwrap().len(), 3);
    fs::write(dir.join("t.csv"), "a,kind,b\n1,x,2\n3,y,4\n5,x,6\n").unwrap();
    let table = json(&succeeds(
        dir,
        &["data", "t.csv", "--label", "kind", "--json"],
    ));
    assert_eq!(table["features"].as_array().unwrap().len(), 2);
    assert_eq!(table["classes"][0]["count"], 2);
    let tiny = json(&succeeds(dir, &["data", "tiny.toml", "--json"]));
    assert_eq!(tiny["samples"], 60);
}

/// The figures that the samples promise, as `train` prints them.
#[test]
fn digits_iris_and_spiral_reach_their_marks() {
    let dir = folder();
    let last = |name: &str| {
        let text = succeeds(dir.path(), &["train", name, "--out", name, "--json"]);
        json(text.lines().last().unwrap())
    };
    let accuracy = |row: &Value| row["validation_accuracy"].as_f64().unwrap();
    assert!(accuracy(&last("digits")) >= 0.96);
    assert!(accuracy(&last("iris")) >= 0.95);
    assert!(last("spiral")["validation_loss"].as_f64().unwrap() < 0.02);
}

#[cfg(not(feature = "app"))]
#[test]
fn a_build_without_graphics_says_so() {
    let dir = folder();
    for args in [&["open"][..], &["capture", "tiny.toml", "--out", "c.png"]] {
        assert!(fails(dir.path(), 1, args).contains("no graphics"));
    }
}

/// The main job on a machine without a display: everything it names is there.
#[test]
fn without_a_display_the_main_job_leaves_pictures_a_film_and_figures() {
    let dir = folder();
    let output = Command::new(env!("CARGO_BIN_EXE_gradscape"))
        .current_dir(dir.path())
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .env("GRADSCAPE_RUNS_DIR", dir.path().join("runs"))
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{error}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("No window: "), "{text}");
    let out = dir.path().join("gradscape-out");
    assert!(text.contains("gradscape-out/"), "{text}");
    for name in [
        "experiment.toml",
        "weights.safetensors",
        "history.csv",
        "history.jsonl",
        "path.npz",
        "summary.json",
    ] {
        assert!(fs::metadata(out.join(name)).unwrap().len() > 0, "{name}");
    }
    for name in ["network.png", "surface.png", "curves.png", "contour.png"] {
        let file = std::io::BufReader::new(File::open(out.join(name)).unwrap());
        let mut reader = png::Decoder::new(file).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        let colours: std::collections::HashSet<&[u8]> = pixels.chunks(4).collect();
        assert!(colours.len() > 100, "{name}: {}", colours.len());
    }
    let film = File::open(out.join("training.gif")).unwrap();
    let mut film = gif::DecodeOptions::new().read_info(film).unwrap();
    let mut frames = std::collections::HashSet::new();
    while let Some(frame) = film.read_next_frame().unwrap() {
        frames.insert(frame.buffer.to_vec());
    }
    assert!(frames.len() > 20, "{} different frames", frames.len());
    // The run is recorded as one of `train` is.
    let runs = gradscape::run::Catalogue::at(dir.path().join("runs"));
    let runs = runs.list(9).unwrap().runs;
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0].info.state, gradscape::run::SavedState::Finished);
    let history = fs::read_to_string(out.join("history.jsonl")).unwrap();
    let last = runs[0].last.unwrap();
    let row: Value = serde_json::from_str(history.lines().last().unwrap()).unwrap();
    assert_eq!(row["train_loss"], last.train_loss);
}

#[test]
fn a_name_that_means_nothing_is_answered_by_what_it_looks_like() {
    let dir = folder();
    let dir = dir.path();
    let error = fails(dir, 1, &["train", "sprial"]);
    assert!(error.contains("did you mean spiral?"), "{error}");
    assert!(!error.contains("breast-cancer"), "{error}");
    for args in [
        &["inspect", "nope.onnx"][..],
        &["inspect", "nope.h5", "--run"],
        &["inspect", "nope.h5", "--input", "3,8,8"],
        &["train", "deep/nope"],
        &["train", "nope.toml"],
        &["train", "nope.onnx", "--data", "iris"],
        &["diagnose", "nope.gsrun"],
        &["report", "nope.gsrun", "--out", "r.html"],
    ] {
        let error = fails(dir, 1, args);
        assert!(
            error.contains(&format!("{}: there is no such file", args[1])),
            "{error}"
        );
        assert!(!error.contains("spiral"), "{error}");
    }
}

#[test]
fn files_of_other_kinds_and_cut_ones_are_said_to_be_that() {
    let dir = folder();
    let dir = dir.path();
    fs::write(dir.join("x.tflite"), b"\x1c\0\0\0TFL3\xff\xfe").unwrap();
    let error = fails(dir, 1, &["inspect", "x.tflite"]);
    for part in ["x.tflite", ".toml", ".gsrun", ".onnx"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    succeeds(dir, &["train", "tiny.toml", "--no-record", "--out", "run"]);
    let whole = fs::read(dir.join("run/weights.safetensors")).unwrap();
    for length in [whole.len() - 4, 40, 5] {
        fs::write(dir.join("cut.safetensors"), &whole[..length]).unwrap();
        let error = fails(dir, 1, &["inspect", "cut.safetensors"]);
        assert!(error.contains("is cut"), "{length}: {error}");
        let args = [
            "gradient",
            "tiny.toml",
            "--weights",
            "cut.safetensors",
            "--out",
            "g",
        ];
        let error = fails(dir, 1, &args);
        assert!(error.contains("is cut"), "{length}: {error}");
    }
    fs::write(dir.join("cut.pt"), b"PK\x03\x04 and no end").unwrap();
    let error = fails(dir, 1, &["inspect", "cut.pt"]);
    assert!(error.contains("cut or damaged"), "{error}");
    fs::write(dir.join("m.bin"), b"\x08\x07\x12\x04test").unwrap();
    let error = fails(dir, 1, &["inspect", "m.bin"]);
    assert!(
        error.contains("torch.save") && error.contains(".onnx"),
        "{error}"
    );
}

#[test]
fn a_folder_that_is_missing_is_named_before_anything_is_trained() {
    let dir = folder();
    let dir = dir.path();
    for args in [
        &["train", "tiny.toml", "--record", "none/x.gsrun"][..],
        &["report", "tiny.toml", "--out", "none/x.html"],
        &["export", "tiny.toml", "--out", "none/x.onnx"],
        &["watch", ".", "--once", "--record", "none/x.gsrun"],
    ] {
        let out = command::gradscape(dir, args);
        let error = String::from_utf8(out.stderr).unwrap();
        assert_eq!(out.status.code(), Some(1), "{error}");
        assert!(error.contains("there is no folder none"), "{error}");
        assert_eq!(error.matches("none/x").count(), 1, "{error}");
        assert!(out.stdout.is_empty(), "{args:?}");
    }
}
