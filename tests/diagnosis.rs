//! Runs that are ill, each in its own way, and runs that are well: that a diagnosis tells
//! the one from the other, and that what it suggests helps.
#![allow(clippy::unwrap_used)] // a test fails by panicking

use gradscape::experiment::Experiment;
use gradscape::insight::diagnosis::{Checkup, Finding, Kind, Thresholds};
use gradscape::train::Evaluator;
use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Output};

/// A run that is ill.
struct Ill {
    kind: Kind,
    experiment: String,
    // The place, among those suggested, of the cure that is tried.
    cure: usize,
}

fn ill(kind: Kind, cure: usize, data: &str, network: &str, training: &str) -> Ill {
    Ill {
        kind,
        experiment: format!(
            "seed = 7\n[data]\nvalidation = 0.3\n{data}\n[network]\nloss = \"cross-entropy\"\n\
             {network}\n[training]\nbatch = 16\n{training}\n"
        ),
        cure,
    }
}

fn layers(number: usize, units: usize, activation: &str) -> String {
    let layer = format!("{{ dense = {units}, activation = \"{activation}\" }}");
    format!("layers = [{}]", vec![layer; number].join(", "))
}

/// A number from 0 to 1 that looks random.
fn noise(i: usize, k: usize) -> f64 {
    let x = (i * 12 + k) as f64;
    (x.sin() * 43_758.545_3).abs().fract()
}

/// About normal, of deviation 1.
fn normal(i: usize, k: usize) -> f64 {
    (0..4).map(|j| noise(i, 20 * k + j)).sum::<f64>() * 1.732 - 3.464
}

/// One in twenty is of another class, and lies aside.
fn rare_class() -> String {
    let mut table = "x,y,class\n".to_owned();
    for i in 0..400 {
        let is_rare = i % 20 == 0;
        let (centre, size) = if is_rare { (2.5, 0.4) } else { (0.0, 1.0) };
        let [x, y] = [1, 2].map(|k| centre + size * normal(i, k));
        let class = if is_rare { "rare" } else { "common" };
        writeln!(table, "{x:.3},{y:.3},{class}").unwrap();
    }
    format!("source = \"rare.csv\"\nlabel = \"class\"\ntable = \"\"\"\n{table}\"\"\"")
}

/// Three measurements that say a little, and a code that was written down with the answer.
fn leaking() -> String {
    let mut table = "age,dose,weight,outcome_code,answer\n".to_owned();
    for i in 0..240 {
        let answer = i % 2;
        let shift = 0.8 * answer as f64;
        let [a, b, c] = [1, 2, 3].map(|k| shift + normal(i, k));
        let code = 10.0 * answer as f64 + normal(i, 4);
        let name = ["no", "yes"][answer];
        writeln!(table, "{a:.3},{b:.3},{c:.3},{code:.3},{name}").unwrap();
    }
    format!("source = \"leak.csv\"\nlabel = \"answer\"\ntable = \"\"\"\n{table}\"\"\"")
}

const SGD: &str = "optimizer = { name = \"sgd\", learning_rate = 0.1 }\nepochs = 60";
const ADAM: &str = "optimizer = { name = \"adam\", learning_rate = 0.01 }\nepochs = 60";

/// One for each kind at least.
fn ill_runs() -> Vec<Ill> {
    let circle = "source = \"circle\"\nsamples = 300\nscale = \"standard\"";
    let xor = "source = \"xor\"\nsamples = 300\nscale = \"standard\"";
    let sgd = |rate: f64, epochs: usize| {
        format!("optimizer = {{ name = \"sgd\", learning_rate = {rate} }}\nepochs = {epochs}")
    };
    let squares = "loss = \"half-squared-error\"";
    let mut runs = vec![
        ill(
            Kind::VanishingGradient,
            0,
            circle,
            &layers(6, 8, "sigmoid"),
            SGD,
        ),
        ill(
            Kind::ExplodingGradient,
            0,
            circle,
            &format!("{}\ninit = \"he\"\ninit_scale = 2.5", layers(8, 16, "relu")),
            &sgd(0.01, 60),
        ),
        ill(
            Kind::DeadUnits,
            0,
            "source = \"iris\"",
            &format!("{}\ninit = \"he\"\nbias = -6.0", layers(1, 16, "relu")),
            ADAM,
        ),
        ill(
            Kind::Saturation,
            0,
            circle,
            &format!(
                "{}\ninit = \"normal\"\ninit_scale = 30.0",
                layers(2, 12, "sigmoid")
            ),
            SGD,
        ),
        ill(
            Kind::Saturation,
            0,
            "source = \"spiral\"\nsamples = 300\nscale = \"standard\"",
            &format!(
                "{}\ninit = \"uniform\"\ninit_scale = 20.0",
                layers(2, 8, "tanh")
            ),
            &sgd(0.02, 60),
        ),
        ill(
            Kind::Overfitting,
            0,
            "source = \"moons\"\nsamples = 80\nnoise = 0.35\nscale = \"standard\"",
            &format!("{}\ninit = \"he\"", layers(2, 64, "relu")),
            "optimizer = { name = \"adam\", learning_rate = 0.005 }\nepochs = 120",
        ),
        ill(Kind::Underfitting, 0, circle, "layers = []", ADAM),
        ill(
            Kind::Underfitting,
            0,
            "source = \"moons\"\nsamples = 300\nscale = \"standard\"",
            &layers(1, 16, "tanh"),
            "optimizer = { name = \"adam\", learning_rate = 0.01 }\nepochs = 60\nl2 = 1.0",
        ),
        ill(
            Kind::Plateau,
            0,
            xor,
            &format!(
                "{}\ninit = \"normal\"\ninit_scale = 0.001",
                layers(1, 6, "tanh")
            ),
            &sgd(0.05, 60),
        ),
        ill(
            Kind::LearningRateLow,
            0,
            "source = \"iris\"",
            &layers(1, 8, "tanh"),
            &sgd(0.0002, 60),
        ),
        ill(
            Kind::LearningRateHigh,
            0,
            circle,
            &layers(2, 8, "tanh"),
            "optimizer = { name = \"adam\", learning_rate = 3.0 }\nepochs = 60",
        ),
        ill(
            Kind::Symmetry,
            0,
            xor,
            &format!("{}\ninit = \"zero\"", layers(1, 6, "sigmoid")),
            "optimizer = { name = \"adam\", learning_rate = 0.02 }\nepochs = 60",
        ),
        ill(
            Kind::UnscaledInputs,
            0,
            "source = \"wine\"\nscale = \"none\"",
            &layers(1, 8, "tanh"),
            ADAM,
        ),
        ill(
            Kind::ClassImbalance,
            0,
            &rare_class(),
            &layers(1, 8, "tanh"),
            &sgd(0.01, 40),
        ),
        ill(
            Kind::LabelLeakage,
            0,
            &leaking(),
            &layers(1, 6, "tanh"),
            "optimizer = { name = \"adam\", learning_rate = 0.01 }\nepochs = 40\nl2 = 0.01",
        ),
    ];
    for (kind, data, network, training) in [
        (
            Kind::Oscillation,
            "source = \"gauss-regression\"\nsamples = 300\nscale = \"standard\"",
            layers(1, 16, "tanh"),
            sgd(0.3, 100),
        ),
        (
            Kind::Divergence,
            "source = \"plane\"\nsamples = 300",
            format!("{}\ninit = \"he\"", layers(1, 8, "relu")),
            sgd(0.3, 30),
        ),
    ] {
        let mut run = ill(kind, 0, data, &network, &training);
        run.experiment = run.experiment.replace("loss = \"cross-entropy\"", squares);
        runs.push(run);
    }
    runs
}

fn experiment(text: &str) -> Experiment {
    Experiment::parse(text, "test").unwrap()
}

fn trained(experiment: &Experiment) -> Checkup {
    let mut checkup = Checkup::new(experiment).unwrap();
    while checkup.advance() {}
    checkup
}

fn kinds(findings: &[Finding]) -> Vec<Kind> {
    findings.iter().map(|finding| finding.kind).collect()
}

/// The validation loss at the weights that a run has in the end.
fn validation_loss(checkup: &mut Checkup) -> f64 {
    let snapshot = checkup.snapshot();
    let problem = checkup.problem();
    let mut evaluator = Evaluator::new(&problem.network);
    evaluator.loss(&problem.network, &snapshot.params, &problem.validation)
}

#[test]
fn every_ill_run_raises_its_diagnosis_and_no_other_and_a_cure_helps() {
    let mut wrong = String::new();
    let mut seen = Vec::new();
    for run in ill_runs() {
        seen.push(run.kind);
        let ill = experiment(&run.experiment);
        let mut checkup = trained(&ill);
        let findings = checkup.diagnose(&Thresholds::default());
        let before = validation_loss(&mut checkup);
        if kinds(&findings) != [run.kind] {
            writeln!(wrong, "{:?}: {findings:#?}", run.kind).unwrap();
            continue;
        }
        let finding = &findings[0];
        assert!(
            !finding.evidence.is_empty() && !finding.cures.is_empty(),
            "{finding:?}"
        );
        for (index, cure) in finding.cures.iter().enumerate() {
            let cured = cure.apply(&ill);
            let mut checkup = trained(&cured);
            let after = validation_loss(&mut checkup);
            let left = kinds(&checkup.diagnose(&Thresholds::default()));
            println!(
                "{:<20} {cure:?}: {before:.4} -> {after:.4}, left {left:?}",
                run.kind.key()
            );
            // Without the leak there is no more to be known than there is.
            let helps = after < before || run.kind == Kind::LabelLeakage;
            let gone = !left.contains(&run.kind);
            if index == run.cure && !(gone && helps) {
                writeln!(
                    wrong,
                    "{:?}: {cure:?} left {left:?}, {before} -> {after}",
                    run.kind
                )
                .unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(Kind::ALL.iter().all(|kind| seen.contains(kind)), "{seen:?}");
}

/// All built-in data, at settings that suit them.
fn well_runs() -> Vec<(&'static str, String)> {
    let plane = "noise = 0.05\nscale = \"standard\"\nsamples = 400";
    let circles = ["circle", "xor", "gauss", "moons"].map(|source| {
        (
            source,
            plane,
            layers(1, 16, "tanh"),
            "cross-entropy",
            0.01,
            50,
        )
    });
    let hills = ["plane", "gauss-regression"].map(|source| {
        (
            source,
            plane,
            layers(2, 16, "relu"),
            "half-squared-error",
            0.01,
            60,
        )
    });
    let tables =
        [("iris", 0.01), ("wine", 0.01), ("breast-cancer", 0.003)].map(|(source, rate)| {
            (
                source,
                "scale = \"standard\"",
                layers(1, 8, "tanh"),
                "cross-entropy",
                rate,
                40,
            )
        });
    let images = ["digits", "mnist", "fashion-mnist"].map(|source| {
        (
            source,
            "limit = 700",
            layers(1, 32, "relu"),
            "cross-entropy",
            0.003,
            12,
        )
    });
    let others = [
        (
            "spiral",
            "scale = \"standard\"\nsamples = 600",
            layers(2, 8, "tanh"),
            "cross-entropy",
            0.02,
            300,
        ),
        (
            "sine",
            "noise = 0.05",
            layers(2, 16, "tanh"),
            "mean-squared-error",
            0.01,
            200,
        ),
    ];
    let all = circles
        .into_iter()
        .chain(hills)
        .chain(tables)
        .chain(images)
        .chain(others);
    all.map(|(source, data, layers, loss, rate, epochs)| {
        let init = if layers.contains("relu") {
            "he"
        } else {
            "xavier"
        };
        (
            source,
            format!(
                "seed = 7\n[data]\nsource = \"{source}\"\nvalidation = 0.3\n{data}\n\
                 [network]\nloss = \"{loss}\"\ninit = \"{init}\"\n{layers}\n[training]\n\
                 optimizer = {{ name = \"adam\", learning_rate = {rate} }}\nbatch = 16\n\
                 epochs = {epochs}\nl2 = 0.0005\n"
            ),
        )
    })
    .collect()
}

#[test]
fn nothing_is_said_of_runs_that_are_well_neither_at_the_end_nor_on_the_way() {
    let mut wrong = String::new();
    let runs = well_runs();
    assert_eq!(runs.len(), gradscape::data::sources().len());
    for (source, text) in runs {
        let mut checkup = Checkup::new(&experiment(&text)).unwrap();
        loop {
            let goes_on = checkup.advance();
            let epoch = checkup.snapshot().epoch;
            if epoch % 10 == 0 || !goes_on {
                for finding in checkup.diagnose(&Thresholds::default()) {
                    writeln!(
                        wrong,
                        "{source}, epoch {epoch}: {:?} {:?}",
                        finding.kind, finding.evidence
                    )
                    .unwrap();
                }
            }
            if !goes_on {
                break;
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn a_threshold_decides_what_is_said() {
    let run = &ill_runs()[2];
    let mut checkup = trained(&experiment(&run.experiment));
    let mut thresholds = Thresholds::default();
    let found = checkup.diagnose(&thresholds);
    assert_eq!(kinds(&found), [Kind::DeadUnits]);
    assert_eq!(found[0].layer, Some(0));
    assert_eq!(found[0].evidence[0].name, "dead");
    assert_eq!(found[0].evidence[0].threshold, 0.4);
    thresholds.set("dead", 1.5).unwrap();
    let found = checkup.diagnose(&thresholds);
    assert!(!kinds(&found).contains(&Kind::DeadUnits), "{found:?}");
    // Everything hangs on there being something left to be learnt.
    thresholds.set("lag", 2.0).unwrap();
    assert_eq!(checkup.diagnose(&thresholds), []);
}

#[test]
fn the_same_run_gives_the_same_findings() {
    let run = &ill_runs()[8];
    let found = || trained(&experiment(&run.experiment)).diagnose(&Thresholds::default());
    assert_eq!(found(), found());
}

fn gradscape(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gradscape"))
        .args(args)
        .current_dir(dir)
        .output()
        .unwrap()
}

fn succeeds(dir: &Path, args: &[&str]) -> String {
    let output = gradscape(dir, args);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{args:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

fn fails(dir: &Path, status: i32, args: &[&str], said: &str) {
    let output = gradscape(dir, args);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(status), "{args:?}: {error}");
    assert!(error.contains(said), "{error}");
}

#[test]
fn the_command_says_what_is_wrong_and_writes_a_cure_that_helps() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    assert!(succeeds(dir, &["diagnose", "iris", "--epochs", "40"]).contains("nothing found"));
    std::fs::write(dir.join("dead.toml"), &ill_runs()[2].experiment).unwrap();
    let text = succeeds(
        dir,
        &[
            "diagnose",
            "dead.toml",
            "--out",
            "cured.toml",
            "--cure",
            "2",
        ],
    );
    for said in [
        "Dead ReLU units",
        "layer 1",
        "(dead = at least 0.4)",
        "Sources:",
        "leaky-relu",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert!(succeeds(dir, &["diagnose", "cured.toml"]).contains("nothing found"));
    let text = succeeds(
        dir,
        &["diagnose", "dead.toml", "--json", "--threshold", "dead=0.9"],
    );
    let object: serde_json::Value = serde_json::from_str(&text).unwrap();
    let finding = &object["findings"][0];
    assert_eq!(finding["kind"], "dead-units");
    assert_eq!(finding["evidence"][0]["threshold"], 0.9);
    assert_eq!(finding["evidence"][0]["comparison"], "at-least");
    assert_eq!(finding["cures"][0]["cure"], "init");
    assert_eq!(object["thresholds"]["dead"], 0.9);
    assert_eq!(
        finding["try_this"].as_array().unwrap().len(),
        finding["cures"].as_array().unwrap().len()
    );
}

#[test]
fn what_cannot_be_obeyed_is_refused_with_what_can() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    fails(
        dir,
        2,
        &["diagnose", "iris", "--threshold", "deaf=1"],
        "saturated",
    );
    fails(
        dir,
        2,
        &["diagnose", "iris", "--threshold", "dead=x"],
        "finite number",
    );
    fails(dir, 2, &["diagnose", "iris", "--cure", "1"], "--out");
    let cured = ["diagnose", "iris", "--epochs", "40", "--out", "c.toml"];
    fails(dir, 1, &cured, "nothing was found");
    assert!(!dir.join("c.toml").exists());
    std::fs::write(dir.join("dead.toml"), &ill_runs()[2].experiment).unwrap();
    let cured = ["diagnose", "dead.toml", "--out", "c.toml", "--cure", "99"];
    fails(dir, 1, &cured, "a number from 1 to");
}
