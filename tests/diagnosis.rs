//! Runs that are ill, each in its own way, and runs that are well: that a diagnosis tells
//! the one from the other, and that what it suggests helps.
#![allow(clippy::unwrap_used)] // a test fails by panicking

mod runs;

mod command;

use command::{gradscape, succeeds};
use gradscape::experiment::Experiment;
use gradscape::insight::diagnosis::{Checkup, Finding, Kind, Thresholds};
use gradscape::train::Evaluator;
use runs::{ill_held_out, ill_runs, well_held_out, well_runs};
use std::fmt::Write;
use std::path::Path;

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
#[allow(clippy::print_stdout)] // what every cure came to, for who asks with --nocapture
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
            if epoch.is_multiple_of(10) || !goes_on {
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

/// Of the runs that no threshold was set by: those that come out otherwise than they should,
/// by their place. `docs/diagnosis.md` names them. Nothing may be added here to make a
/// changed threshold pass.
const MISSED: [(usize, &[Kind]); 6] = [
    // Units die on the way, and are named beside.
    (1, &[Kind::DeadUnits, Kind::ExplodingGradient]),
    // It learns all the same.
    (2, &[]),
    // The loss is ten times a constant answer's: the stronger word for too high a rate.
    (9, &[Kind::Divergence]),
    // It stays behind its neighbours by less than `lag`.
    (11, &[]),
    // The rare class is recognised.
    (12, &[]),
    // It diverges instead of swinging. (At first a wrong symmetry was raised beside: see the
    // docs.)
    (14, &[Kind::Divergence]),
];
const ACCUSED: [(usize, &[Kind]); 1] = [
    // It was thought to be well and does not learn: 58 % of what is held back.
    (6, &[Kind::Underfitting]),
];
/// Those that are still ill, or whose validation loss has not fallen, after the first cure.
const NOT_CURED: [usize; 1] = [5];

#[test]
#[allow(clippy::print_stdout)] // what each came to, for who asks with --nocapture
fn on_runs_that_no_threshold_was_set_by_the_diagnosis_is_as_right_as_the_docs_say() {
    let mut wrong = String::new();
    let mut check = |place: usize, name: &str, found: &[Kind], right: &[Kind], known| {
        let known: &[(usize, &[Kind])] = known;
        println!("{name}: {found:?}");
        let exception = known.iter().find(|(k, _)| *k == place);
        if found != exception.map_or(right, |(_, kinds)| *kinds) {
            writeln!(wrong, "{place}, {name}: {found:?}").unwrap();
        }
    };
    let mut not_cured = Vec::new();
    for (place, run) in ill_held_out().iter().enumerate() {
        let ill = experiment(&run.experiment);
        let mut checkup = trained(&ill);
        let findings = checkup.diagnose(&Thresholds::default());
        let name = format!("ill, {}", run.kind.key());
        check(place, &name, &kinds(&findings), &[run.kind], &MISSED);
        let before = validation_loss(&mut checkup);
        let finding = findings.iter().find(|finding| finding.kind == run.kind);
        if let Some(cure) = finding.and_then(|finding| finding.cures.first()) {
            let mut checkup = trained(&cure.apply(&ill));
            let after = validation_loss(&mut checkup);
            let left = kinds(&checkup.diagnose(&Thresholds::default()));
            println!("    {cure:?}: {before:.4} -> {after:.4}, left {left:?}");
            let helps = after < before || run.kind == Kind::LabelLeakage;
            if left.contains(&run.kind) || !helps {
                not_cured.push(place);
            }
        }
    }
    for (place, (name, text)) in well_held_out().iter().enumerate() {
        let found = kinds(&trained(&experiment(text)).diagnose(&Thresholds::default()));
        check(place, &format!("well, {name}"), &found, &[], &ACCUSED);
    }
    assert_eq!(not_cured, NOT_CURED);
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

/// For whoever sets a threshold: how often the same holds for other seeds, which give other
/// samples, splits, weights and orders.
#[test]
#[ignore = "takes minutes: cargo test --test diagnosis seeds -- --ignored --nocapture"]
#[allow(clippy::print_stdout)] // figures are what it is for
fn over_many_seeds() {
    let seeds = 1..=20;
    let found = |text: &str, seed: u64| {
        let mut experiment = experiment(text);
        experiment.seed = seed;
        kinds(&trained(&experiment).diagnose(&Thresholds::default()))
    };
    let (mut right, mut all) = (0, 0);
    for run in ill_runs() {
        for seed in seeds.clone() {
            let found = found(&run.experiment, seed);
            all += 1;
            right += usize::from(found == [run.kind]);
            if found != [run.kind] {
                println!("{} with seed {seed}: {found:?}", run.kind.key());
            }
        }
    }
    println!("ill: {right} of {all} with their diagnosis alone");
    assert!(100 * right >= 95 * all);
    let (mut quiet, mut all) = (0, 0);
    for (source, text) in well_runs() {
        for seed in seeds.clone() {
            let found = found(&text, seed);
            all += 1;
            quiet += usize::from(found.is_empty());
            if !found.is_empty() {
                println!("{source} with seed {seed}: {found:?}");
            }
        }
    }
    println!("well: {quiet} of {all} quiet");
    assert!(100 * quiet >= 95 * all);
}
