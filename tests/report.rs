//! A run as one page and as files for other programs: what goes in comes out, text stays
//! text, pages stay small, and one opens in a real browser without a network.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod browser;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use browser::{browser, open_page};
use gradscape::experiment::Experiment;
use gradscape::interop::{EventValue, events_of_bytes};
use gradscape::run::{
    Clock, MakeRecorder, Recorder, Recording, RunFile, RunStart, Tap, TapOptions,
};
use gradscape::train::{Observer, Problem, Session, TrainCommand};
use serde_json::Value;
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// Text that would do harm if it were taken for markup.
const NASTY: &str = "a<b> & \"c\" </script><img src=http://example.org/x onerror=alert(1)> '@DATA@";

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Place(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs the program here; what it printed as errors where it failed.
    fn run(&self, args: &[&str]) -> Result<String, String> {
        let output = Command::new(env!("CARGO_BIN_EXE_gradscape"))
            .args(args)
            .env("GRADSCAPE_RUNS_DIR", self.path("runs"))
            .current_dir(self.0.path())
            .output()
            .unwrap();
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }

    fn experiment(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }
}

/// What the scripts of a page read.
fn data(page: &str) -> Value {
    let (_, after) = page.split_once("id=\"data\">").unwrap();
    serde_json::from_str(after.split_once("</script>").unwrap().0).unwrap()
}

/// The numbers of a packed array.
fn numbers(packed: &Value) -> Vec<f64> {
    let bytes = STANDARD.decode(packed["d"].as_str().unwrap()).unwrap();
    match packed["t"].as_str().unwrap() {
        "f8" => parts(&bytes, f64::from_le_bytes),
        "f4" => parts(&bytes, |b| f64::from(f32::from_le_bytes(b))),
        "u4" => parts(&bytes, |b| f64::from(u32::from_le_bytes(b))),
        "u2" => parts(&bytes, |b| f64::from(u16::from_le_bytes(b))),
        other => panic!("{other}"),
    }
}

fn parts<const N: usize>(bytes: &[u8], read: fn([u8; N]) -> f64) -> Vec<f64> {
    let parts = bytes.chunks_exact(N);
    parts.map(|part| read(part.try_into().unwrap())).collect()
}

const NOTED: &str = "seed = 9007199254740993\n[data]\nsource = \"iris\"\n[network]\n\
    layers = [{ dense = 6, activation = \"tanh\" }]\nloss = \"cross-entropy\"\n[training]\n\
    optimizer = { name = \"adam\", learning_rate = 0.02 }\nepochs = 12\n";

#[test]
fn a_report_of_a_folder_says_what_the_folder_says_to_the_last_bit() {
    let place = Place::new();
    let text = format!("name = '''{NASTY}'''\n{NOTED}");
    place.experiment("e.toml", &text);
    place.run(&["train", "e.toml", "--out", "run"]).unwrap();
    let told = place
        .run(&["report", "run", "--out", "r.html", "--grid", "9"])
        .unwrap();
    assert!(told.contains("written to r.html"), "{told}");
    let page = fs::read_to_string(place.path("r.html")).unwrap();
    let data = data(&page);

    let history = fs::read_to_string(place.path("run/history.jsonl")).unwrap();
    let rows: Vec<Value> = history
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(rows.len(), 13);
    for key in [
        "epoch",
        "step",
        "train_loss",
        "train_accuracy",
        "validation_loss",
        "validation_accuracy",
    ] {
        let theirs: Vec<f64> = rows.iter().map(|row| row[key].as_f64().unwrap()).collect();
        assert_eq!(numbers(&data["curves"][key]), theirs, "{key}");
    }
    // A folder has no learning rates, and none are made up.
    assert!(data["curves"]["learning_rate"].is_null() && data["curves"]["steps"].is_null());
    assert_eq!(data["run"]["updates_measured"], false);

    // The weights of the last moment are those of the file.
    let bytes = fs::read(place.path("run/weights.safetensors")).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let maps = data["weights"]["maps"].as_array().unwrap();
    assert_eq!(maps.len(), 2);
    for map in maps {
        let weights = tensors
            .iter()
            .filter(|(_, view)| view.shape().len() == 2)
            .map(|(_, view)| parts(view.data(), |b| f64::from(f32::from_le_bytes(b))))
            .find(|w| w.len() == map["range"][1].as_u64().unwrap() as usize)
            .unwrap();
        let values = numbers(&map["values"]);
        assert_eq!(values[values.len() - weights.len()..], weights[..]);
    }
    // The confusion matrix has all samples of its part, and as many right as the history.
    for (part, rows_of) in [
        ("train", "train_accuracy"),
        ("validation", "validation_accuracy"),
    ] {
        let parts = data["answers"]["parts"].as_array().unwrap();
        let found = parts.iter().find(|p| p["part"] == part).unwrap();
        let counts = numbers(&found["confusion"]);
        let all: f64 = counts.iter().sum();
        let right: f64 = (0..3).map(|k| counts[4 * k]).sum();
        assert_eq!(all, found["samples"][0].as_f64().unwrap());
        let share = rows.last().unwrap()[rows_of].as_f64().unwrap();
        assert!((right / all - share).abs() < 1e-12, "{part}");
    }
    assert_eq!(data["run"]["seed"], "9007199254740993");
    assert!(
        data["run"]["provenance"][1]
            .as_str()
            .unwrap()
            .contains("Fisher")
    );

    // What a user wrote is text, everywhere.
    assert_eq!(data["run"]["name"], NASTY);
    let toml = data["run"]["experiment"].as_str().unwrap();
    assert_eq!(Experiment::parse(toml, "t").unwrap().name.unwrap(), NASTY);
    assert_eq!(page.matches("</script").count(), 2);
    assert!(!page.contains("<img"));
    let (head, rest) = page.split_once("id=\"data\">").unwrap();
    let (_, own) = rest.split_once("</script>").unwrap();
    for part in [head, own] {
        assert!(!part.contains("src=\"") && !part.contains("<link") && !part.contains("url("));
    }
    assert!(page.contains("default-src 'none'") && page.contains("a&lt;b&gt; &amp; &quot;c&quot;"));
}

#[test]
fn a_run_that_is_made_for_its_report_has_its_steps_and_its_diagnosis() {
    let place = Place::new();
    let text = NOTED.replace("0.02", "30.0").replace("adam", "sgd");
    place.experiment("e.toml", &text);
    let args = [
        "report", "e.toml", "--out", "r.html", "--grid", "0", "--json",
    ];
    let told: Value = serde_json::from_str(&place.run(&args).unwrap()).unwrap();
    let page = fs::read_to_string(place.path("r.html")).unwrap();
    assert_eq!(told["bytes"], page.len());
    assert_eq!(told["surface"], false);
    let data = data(&page);
    assert!(data["relief"].is_null());
    let steps = numbers(&data["curves"]["steps"]["step"]);
    let rates = numbers(&data["curves"]["steps"]["learning_rate"]);
    assert_eq!(steps[..3], [1.0, 2.0, 3.0]);
    assert!(rates.iter().all(|rate| *rate == 30.0));
    // The words of whatever was found are there in both languages.
    let findings = data["findings"].as_array().unwrap();
    assert!(!findings.is_empty());
    assert_eq!(told["findings"], findings.len());
    for finding in findings {
        let kind = finding["kind"].as_str().unwrap();
        for language in ["en", "zh"] {
            let words = &data["words"][language];
            assert!(words[format!("diagnosis.{kind}.meaning")].is_string());
            for cure in finding["cures"].as_array().unwrap() {
                let key = cure[0].as_str().unwrap();
                assert!(words[format!("diagnosis.cure.{key}")].is_string(), "{key}");
            }
        }
    }
}

#[test]
fn pages_are_small_and_say_where_they_left_something_out() {
    let place = Place::new();
    let size = |name: &str| fs::metadata(place.path(name)).unwrap().len();
    place
        .run(&["report", "spiral", "--epochs", "60", "--out", "s.html"])
        .unwrap();
    assert!(size("s.html") < 500_000, "{}", size("s.html"));
    place.experiment(
        "wide.toml",
        "[data]\nsource = \"digits\"\nlimit = 100\n[network]\n\
         layers = [{ dense = 900 }, { dense = 900 }]\nloss = \"cross-entropy\"\n[training]\nepochs = 1\n",
    );
    place
        .run(&["report", "wide.toml", "--out", "w.html", "--grid", "5"])
        .unwrap();
    assert!(size("w.html") < 2_000_000, "{}", size("w.html"));
    let data = data(&fs::read_to_string(place.path("w.html")).unwrap());
    let maps = data["weights"]["maps"].as_array().unwrap();
    let reduced: Vec<bool> = maps
        .iter()
        .map(|m| m["reduced"] != serde_json::json!([1, 1]))
        .collect();
    assert_eq!(reduced, [true, true, false]);
    assert_eq!(maps[1]["block"], serde_json::json!([900, 900]));
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_trained() {
    let place = Place::new();
    let error = place
        .run(&["report", "iris", "--out", "r.pdf"])
        .unwrap_err();
    assert!(error.contains(".html"), "{error}");
    let error = place
        .run(&["report", "iris", "--out", "r.html", "--grid", "3"])
        .unwrap_err();
    assert!(error.contains("from 5"), "{error}");
    let error = place
        .run(&["report", "nothing", "--out", "r.html"])
        .unwrap_err();
    assert!(error.contains("nothing"), "{error}");
    place
        .run(&["train", "iris", "--epochs", "1", "--out", "run"])
        .unwrap();
    let error = place
        .run(&["report", "run", "--epochs", "3", "--out", "r.html"])
        .unwrap_err();
    assert!(error.contains("--again"), "{error}");
    let error = place
        .run(&["export-run", "run", "--out", "a.doc"])
        .unwrap_err();
    assert!(error.contains(".surface."), "{error}");
    assert!(!place.path("r.html").exists());
}

/// Records a run of `text` into `path` as the window does.
fn record(path: &Path, text: &str) {
    let problem = Arc::new(Problem::new(&Experiment::parse(text, "t").unwrap()).unwrap());
    let mut session = Session::new(Arc::clone(&problem));
    let options = TapOptions::default();
    let (plan, start) = (
        options.plan(&problem),
        RunStart::of(&problem, "the-id", 5_000),
    );
    let file = path.to_owned();
    let make: MakeRecorder = Box::new(move |_| Recorder::create(&file, &start, &plan));
    let clock: Clock = Arc::new(|| 65_000);
    let (recording, sink) =
        Recording::spawn(Arc::clone(&problem), make, false, 3, Arc::clone(&clock)).unwrap();
    session.observe(Box::new(Tap::new(&session, options, clock, sink)) as Box<dyn Observer>);
    session.command(TrainCommand::Start);
    while session.advance() {}
    drop(session.unobserve());
    assert_eq!(recording.join().error, None);
}

#[test]
fn a_report_of_a_runs_file_has_its_steps_its_events_and_its_weights() {
    let place = Place::new();
    let path = place.path("run.gsrun");
    record(&path, &format!("name = \"noted\"\n{NOTED}"));
    place
        .run(&["report", "run.gsrun", "--out", "r.html", "--grid", "9"])
        .unwrap();
    let run = RunFile::open(&path).unwrap();
    let data = data(&fs::read_to_string(place.path("r.html")).unwrap());
    let rows = run.epochs().unwrap();
    let losses: Vec<f64> = rows.iter().map(|row| row.train_loss).collect();
    assert_eq!(numbers(&data["curves"]["train_loss"]), losses);
    let rates: Vec<f64> = rows.iter().map(|row| row.learning_rate).collect();
    assert_eq!(numbers(&data["curves"]["learning_rate"]), rates);
    let norms = numbers(&data["curves"]["steps"]["gradient_norm"]);
    let theirs = run.steps(usize::MAX).unwrap();
    assert_eq!(norms.len(), theirs.len());
    assert_eq!(norms[4], f64::from(theirs[4].gradient_norm.unwrap() as f32));
    let last = run.snapshot(u64::MAX).unwrap();
    for map in data["weights"]["maps"].as_array().unwrap() {
        let at = |k: usize| map["range"][k].as_u64().unwrap() as usize;
        let weights: Vec<f64> = last[at(0)..at(0) + at(1)]
            .iter()
            .map(|&w| f64::from(w))
            .collect();
        let values = numbers(&map["values"]);
        assert_eq!(values[values.len() - weights.len()..], weights[..]);
    }
    let kinds: Vec<&str> = data["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["kind"].as_str().unwrap())
        .collect();
    assert!(
        kinds.contains(&"started") && kinds.contains(&"finished"),
        "{kinds:?}"
    );
    assert_eq!(data["run"]["origin"], "file");
    assert_eq!(data["run"]["seconds"], 60.0);
    assert_eq!(data["run"]["made"], "1970-01-01T00:00:05Z");
}

#[test]
fn everything_of_a_run_is_written_and_read_back() {
    let place = Place::new();
    place.experiment("e.toml", NOTED);
    let args = [
        "export-run",
        "e.toml",
        "--out",
        "all",
        "--grid",
        "9",
        "--json",
    ];
    let told: Value = serde_json::from_str(&place.run(&args).unwrap()).unwrap();
    assert_eq!(told["left_out"], serde_json::json!([]));
    for file in told["files"].as_array().unwrap() {
        let path = place.path(file.as_str().unwrap());
        assert!(path.exists(), "{}", path.display());
    }
    let mut reader = csv::Reader::from_path(place.path("all/history.csv")).unwrap();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 13);
    let mut reader = csv::Reader::from_path(place.path("all/history.steps.csv")).unwrap();
    let steps: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();

    // The same in NumPy's arrays.
    let file = fs::File::open(place.path("all/run.npz")).unwrap();
    let mut npz = ndarray_npy::NpzReader::new(file).unwrap();
    let losses: ndarray::Array1<f64> = npz.by_name("epochs/train_loss").unwrap();
    let in_table: Vec<f64> = rows.iter().map(|row| row[2].parse().unwrap()).collect();
    assert_eq!(losses.to_vec(), in_table);
    let norms: ndarray::Array1<f64> = npz.by_name("steps/gradient_norm").unwrap();
    let in_table: Vec<f64> = steps.iter().map(|row| row[3].parse().unwrap()).collect();
    assert_eq!(norms.to_vec(), in_table);
    let params: ndarray::Array2<f32> = npz.by_name("path/params").unwrap();
    let names: Vec<String> = npz.names().unwrap();
    let weights: usize = names
        .iter()
        .filter(|name| name.starts_with("weights/"))
        .map(|name| {
            let array: ndarray::ArrayD<f32> = npz.by_name(name).unwrap();
            array.len()
        })
        .sum();
    assert_eq!(weights, params.ncols());

    // Event files have the same numbers, in single precision.
    let files: Vec<&str> = told["files"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|file| file.as_str())
        .filter(|file| file.ends_with("tensorboard/run.tfevents"))
        .collect();
    let (events, faults) = events_of_bytes(&fs::read(place.path(files[0])).unwrap());
    assert!(faults.is_empty());
    // A folder for TensorBoard has nothing else in it.
    let folder = place.path("all/tensorboard");
    assert_eq!(fs::read_dir(folder).unwrap().count(), 1);
    let of = |tag: &str| -> Vec<f64> {
        let values = events.iter().filter(|event| event.tag == tag);
        let values = values.map(|event| match event.value {
            EventValue::Scalar(value) => value,
            _ => panic!("{tag} is no number"),
        });
        values.collect()
    };
    let single: Vec<f64> = losses.iter().map(|&v| f64::from(v as f32)).collect();
    assert_eq!(of("loss/train"), single);
    let single: Vec<f64> = norms.iter().map(|&v| f64::from(v as f32)).collect();
    assert_eq!(of("step/gradient_norm"), single);
    let histograms: Vec<f64> = events
        .iter()
        .filter_map(|event| match &event.value {
            EventValue::Histogram(histogram) => Some(histogram.total()),
            _ => None,
        })
        .collect();
    let tensors = names
        .iter()
        .filter(|name| name.starts_with("weights/"))
        .count();
    assert_eq!(histograms.len() % tensors, 0);
    let moments = (histograms.len() / tensors) as f64;
    assert_eq!(
        histograms.iter().sum::<f64>(),
        moments * params.ncols() as f64
    );

    // Meshes are whole: their indices name corners that are there.
    for name in ["all/network.glb", "all/path.surface.glb"] {
        let bytes = fs::read(place.path(name)).unwrap();
        let length = u32::from_le_bytes(bytes[12..16].try_into().unwrap()) as usize;
        let root: gltf_json::Root = serde_json::from_slice(&bytes[20..20 + length]).unwrap();
        assert!(!root.meshes.is_empty(), "{name}");
        assert_eq!(bytes.len() % 4, 0);
    }
    for name in [
        "curves",
        "picture.network",
        "layers.weights",
        "layers.histograms",
        "validation.confusion",
    ] {
        let svg = fs::read_to_string(place.path(&format!("all/{name}.svg"))).unwrap();
        assert!(svg.contains("<svg") && !svg.contains("NaN"), "{name}");
    }
}

#[test]
fn what_a_folder_does_not_have_is_left_out_by_name() {
    let place = Place::new();
    place
        .run(&["train", "sine", "--epochs", "3", "--out", "run"])
        .unwrap();
    let args = ["export-run", "run", "--out", "all", "--grid", "9", "--json"];
    let told: Value = serde_json::from_str(&place.run(&args).unwrap()).unwrap();
    let left: Vec<&str> = told["left_out"]
        .as_array()
        .unwrap()
        .iter()
        .map(|why| why.as_str().unwrap())
        .collect();
    assert!(
        left.iter().any(|why| why.starts_with("history.steps.csv")),
        "{left:?}"
    );
    assert!(
        left.iter()
            .any(|why| why.starts_with("validation.confusion.svg")),
        "{left:?}"
    );
    let error = place
        .run(&["export-run", "run", "--out", "a.steps.csv"])
        .unwrap_err();
    assert!(error.contains("single steps"), "{error}");
}

/// Opens a page without a network and returns what the browser prints.
fn open(browser: &Path, page: &Path, dir: &Path, args: &[&str]) -> String {
    open_page(
        browser,
        page,
        dir,
        &[&["--virtual-time-budget=8000"], args].concat(),
    )
}

/// The page with a script before all others that notes what goes wrong and, once it is
/// drawn, does `act`.
fn watched(page: &str, act: &str) -> String {
    let script = format!(
        "<script>const noted = document.documentElement.dataset;\
         addEventListener('securitypolicyviolation', e => noted.kept = e.blockedURI);\
         addEventListener('error', e => noted.error = e.message);\
         addEventListener('unhandledrejection', e => noted.error = String(e.reason));\
         for (const name of ['error', 'warn']) console[name] = (...all) => noted.error = all.join(' ');\
         const again = setInterval(() => {{ if (noted.drawn !== 'yes') return; clearInterval(again);\
         noted.loads = performance.getEntriesByType('resource').length; {act} }}, 50);\
         </script><meta name=\"viewport\""
    );
    let page = page.replacen("<meta name=\"viewport\"", &script, 1);
    assert!(page.contains(&script));
    page
}

#[test]
fn a_page_opens_in_a_browser_in_both_languages_and_asks_for_nothing() {
    let Some(browser) = browser() else { return };
    let place = Place::new();
    let dir = place.0.path();
    place.experiment("e.toml", &format!("name = '''{NASTY}'''\n{NOTED}"));
    place
        .run(&[
            "report", "e.toml", "--out", "r.html", "--theme", "light", "--lang", "en",
        ])
        .unwrap();
    let page = fs::read_to_string(place.path("r.html")).unwrap();
    let losses = numbers(&data(&page)["curves"]["train_loss"]);
    let copy = dir.join("watched.html");
    let root = |document: &str| {
        let (_, root) = document.split_once("<html").unwrap();
        root.split_once('>').unwrap().0.to_owned()
    };
    let no_fault = |root: &str| {
        assert!(root.contains("data-drawn=\"yes\""), "{root}");
        assert!(root.contains("data-surface=\"deep\""), "{root}");
        assert!(root.contains("data-loads=\"0\""), "{root}");
        assert!(
            !root.contains("data-kept") && !root.contains("data-error"),
            "{root}"
        );
    };

    fs::write(&copy, watched(&page, "")).unwrap();
    let english = open(
        &browser,
        &copy,
        dir,
        &["--dump-dom", "--window-size=1440,1000"],
    );
    no_fault(&root(&english));
    assert!(root(&english).contains("lang=\"en\""));
    assert!(english.contains(">Error surface</h2>") && english.contains(">Make it again</h2>"));
    // Numbers on the page are the run's.
    let last = losses.last().unwrap();
    assert!(
        english.contains(&format!("data-value=\"{last}\"")),
        "{last}"
    );
    let counts = english.matches("data-count=").count();
    assert_eq!(counts, 2 * 9, "a matrix of three classes for each part");
    // The name is in the page once more than it was, as text.
    assert!(english.contains("a&lt;b&gt; &amp; \"c\" &lt;/script&gt;&lt;img"));
    assert!(!english.contains("<img"));

    let act = "document.getElementById('lang-zh').click();\
        document.getElementById('theme').click();\
        document.getElementById('moment').value = 0;\
        document.getElementById('moment').dispatchEvent(new Event('input'));";
    fs::write(&copy, watched(&page, act)).unwrap();
    let chinese = open(
        &browser,
        &copy,
        dir,
        &["--dump-dom", "--window-size=390,844"],
    );
    no_fault(&root(&chinese));
    assert!(root(&chinese).contains("lang=\"zh-CN\""));
    assert!(chinese.contains(">误差曲面</h2>") && !chinese.contains(">Error surface</h2>"));
    assert!(
        chinese.contains("第 0 轮 · 第 0 步"),
        "the slider moves the moment"
    );

    // The surface is drawn: many colours, most of them green, and a red path.
    let alone = watched(
        &page,
        "document.getElementById('play').parentElement.remove();\
         for (const id of ['summary', 'curves']) document.getElementById(id).remove();",
    );
    fs::write(&copy, alone).unwrap();
    let picture = dir.join("s.png");
    let shot = format!("--screenshot={}", picture.display());
    open(&browser, &copy, dir, &[&shot, "--window-size=1200,900"]);
    let file = std::io::BufReader::new(fs::File::open(picture).unwrap());
    let mut reader = png::Decoder::new(file).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    let (samples, width) = (info.color_type.samples(), info.width as usize);
    let inside: Vec<[u8; 3]> = pixels
        .chunks(samples)
        .enumerate()
        .filter(|(k, _)| (100..950).contains(&(k % width)) && (180..700).contains(&(k / width)))
        .map(|(_, p)| [p[0], p[1], p[2]])
        .collect();
    let colours: HashSet<&[u8; 3]> = inside.iter().collect();
    assert!(colours.len() > 300, "{}", colours.len());
    let count = |is: fn(&&[u8; 3]) -> bool| inside.iter().filter(is).count();
    let green = count(|[r, g, b]| *g > 90 && g > r && *g > b.saturating_add(20));
    let red = count(|[r, g, b]| *r > 180 && *g < 60 && *b < 120);
    assert!(green > 1000 && red > 50, "{green} {red}");
}
