//! The inside of a network in numbers and pictures: structure, histograms, scores,
//! matrices.
#![allow(clippy::unwrap_used)] // a test fails by panicking

use gradscape::experiment::Experiment;
use gradscape::insight::histogram::{Bands, Histogram, SHARES};
use gradscape::insight::scores::Answers;
use gradscape::insight::structure::Structure;
use gradscape::insight::tiles;
use gradscape::train::{Evaluator, Problem, Session, TrainCommand};
use std::process::Command;
use std::sync::Arc;

fn problem(text: &str) -> Arc<Problem> {
    Arc::new(Problem::new(&Experiment::parse(text, "test").unwrap()).unwrap())
}

const CONV: &str = "seed = 5\n[data]\nsource = \"digits\"\nlimit = 300\nvalidation = 0.3\n\
    [network]\nlayers = [{ conv = 3, kernel = 3, activation = \"relu\", name = \"edges\" }, \
    \"batch_norm\", { max_pool = 2 }, \"flatten\", { dense = 6, name = \"mix\" }, \
    { dense = 6 }, { add = \"mix\" }]\nloss = \"cross-entropy\"\n[training]\nbatch = 20\n\
    optimizer = { name = \"adam\", learning_rate = 0.01 }\n";

#[test]
fn the_structure_counts_what_the_network_has() {
    let problem = problem(CONV);
    let network = &problem.network;
    let structure = Structure::of(network);
    // By hand: 3 filters of 3x3 and their biases, 6x6 out; gain and shift of 3 channels,
    // and as many statistics; 3x3x3 into 6, 6 into 6, 6 into 10.
    let rows: Vec<(usize, usize, usize)> = structure
        .rows
        .iter()
        .map(|r| (r.parameters, r.statistics, r.multiply_adds))
        .collect();
    let by_hand = [
        (0, 0, 0),
        (30, 0, 9 * 108),
        (6, 6, 108),
        (0, 0, 0),
        (0, 0, 0),
        (27 * 6 + 6, 0, 27 * 6),
        (42, 0, 36),
        (0, 0, 0),
        (70, 0, 60),
    ];
    assert_eq!(rows, by_hand);
    assert_eq!(structure.parameters, network.layout().trainable());
    assert_eq!(
        structure.parameters + structure.statistics,
        network.layout().len()
    );
    assert_eq!(structure.multiply_adds, network.multiply_adds());
    // A convolution's output and who reads what.
    assert_eq!(structure.rows[1].output, [3, 6, 6]);
    assert_eq!(structure.rows[7].reads, [6, 5]);
    assert_eq!(structure.rows[1].activation_bytes, 4 * 108);
    // Every row is in the table.
    for table in [structure.text(), structure.markdown()] {
        for row in &structure.rows {
            assert!(table.contains(&row.name), "{table}");
        }
        assert!(table.contains("total"));
    }
}

#[test]
fn histograms_count_as_numpy_does() {
    // numpy.histogram([...], bins=5): counts and edges printed by NumPy 2.4.
    let values = [0.1_f32, 0.2, 0.3, 0.4, 0.5, 0.5, 0.9, 1.0, -0.25, 0.0];
    let histogram = Histogram::of(&values, 5, None);
    assert_eq!(histogram.counts, [1, 3, 2, 2, 2]);
    assert_eq!(histogram.range, [-0.25, 1.0]);
    // numpy.histogram(values, bins=4, range=(0, 1)): the end belongs to the last bin.
    let histogram = Histogram::of(&values, 4, Some([0.0, 1.0]));
    assert_eq!(histogram.counts, [3, 2, 2, 2]);
    // numpy.histogram([2.0] * 3, bins=2): a unit about the value.
    let same = Histogram::of(&[2.0; 3], 2, None);
    assert_eq!((same.range, &same.counts[..]), ([1.5, 2.5], &[0, 3][..]));
    let odd = Histogram::of(&[1.0, f32::NAN, f32::INFINITY], 3, None);
    assert_eq!((odd.total, odd.not_finite), (3, 2));
    assert_eq!(odd.counts.iter().sum::<u64>(), 1);
    assert_eq!(Histogram::of(&[], 3, None).counts, [0, 0, 0]);
}

#[test]
fn bands_are_percentiles() {
    let values: Vec<f32> = (0..=1000).map(|k| k as f32).collect();
    let Bands(bands) = Bands::of(&values).unwrap();
    for (band, share) in bands.iter().zip(SHARES) {
        assert!((band - 1000.0 * share).abs() < 1e-9);
    }
    assert_eq!(Bands::of(&[f32::NAN]), None);
}

#[test]
fn scores_agree_with_the_accuracy_and_with_counting_by_hand() {
    let problem = problem(CONV);
    let mut session = Session::new(Arc::clone(&problem));
    session.command(TrainCommand::Epochs(4));
    let params = session.snapshot().params;
    let answers = Answers::of(&problem, &params, &problem.validation);
    let confusion = answers.confusion().unwrap();
    let right: usize = (0..10).map(|k| confusion.counts[k][k]).sum();
    let mut evaluator = Evaluator::new(&problem.network);
    let validation = &problem.validation;
    let score = evaluator.score(&problem.network, &params, validation, problem.encoding);
    let accuracy = right as f64 / validation.len() as f64;
    assert_eq!(score.unwrap().accuracy, Some(accuracy));
    let support: usize = confusion.scores().iter().map(|s| s.support).sum();
    assert_eq!(support, validation.len());

    // The area is the share of pairs in the right order, ties counted half (Hanley and
    // McNeil 1982): of nine pairs five are, and two are ties.
    let shares = [0.1_f32, 0.4, 0.35, 0.8, 0.4, 0.4];
    let by_hand = Answers {
        shares: shares.iter().map(|&s| vec![1.0 - s, s]).collect(),
        classes: vec![0, 0, 1, 1, 1, 0],
        values: Vec::new(),
        targets: Vec::new(),
        names: vec!["no".into(), "yes".into()],
    };
    let roc = by_hand.roc(1).unwrap();
    assert!((roc.area - 6.0 / 9.0).abs() < 1e-12, "{}", roc.area);
    assert_eq!(roc.points.first(), Some(&[0.0, 0.0]));
    assert_eq!(roc.points.last(), Some(&[1.0, 1.0]));
    // Of the three that are "yes" one is said to be; precision 1, recall 1/3.
    let scores = by_hand.confusion().unwrap().scores();
    assert_eq!((scores[1].precision, scores[1].support), (1.0, 3));
    assert!((scores[1].recall - 1.0 / 3.0).abs() < 1e-12);
    assert!((scores[1].f1 - 0.5).abs() < 1e-12);
}

#[test]
fn matrices_hold_the_networks_own_numbers() {
    let problem = problem(CONV);
    let network = &problem.network;
    let params = problem.initial_params();
    let all = 0..network.layers().len();
    let weights = tiles::weights(network, &params, all.clone());
    let shapes: Vec<(usize, usize)> = weights.iter().map(|t| (t.rows, t.columns)).collect();
    assert_eq!(shapes, [(3, 9), (6, 27), (6, 6), (10, 6)]);
    assert_eq!(weights[2].values[..], params[network.layout().weight(5)]);
    let filters = tiles::filters(&problem, &params, 0..1);
    assert_eq!(filters.len(), 3);
    assert_eq!(filters[1].values[..], weights[0].values[9..18]);
    // Feature maps are the activations that training sees.
    let one = problem.train.select(&[2]);
    let maps = tiles::features(network, &params, &one, 0..1);
    let mut workspace = gradscape::nn::Workspace::new(network, 1);
    network.forward(&params, one.x.view(), &mut workspace);
    let a: Vec<f32> = workspace.a(0).iter().copied().collect();
    let mapped: Vec<f32> = maps.iter().flat_map(|t| t.values.clone()).collect();
    assert_eq!(mapped, a);
    assert_eq!((maps.len(), maps[0].rows, maps[0].columns), (3, 6, 6));
}

#[test]
fn the_commands_write_every_kind_and_say_what_there_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("net.toml");
    std::fs::write(&file, CONV).unwrap();
    let run = |args: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_gradscape"))
            .args(args)
            .output()
            .unwrap()
    };
    let source = file.to_str().unwrap();
    for kind in [
        "structure",
        "weights",
        "filters",
        "activations",
        "features",
        "histogram",
        "confusion",
        "roc",
    ] {
        for ending in ["svg", "png"] {
            let out = folder.path().join(format!("{kind}.{ending}"));
            let path = out.to_str().unwrap();
            let done = run(&["figure", kind, source, "--epochs", "1", "--out", path]);
            let error = String::from_utf8_lossy(&done.stderr);
            assert!(done.status.success(), "{kind}: {error}");
            assert!(std::fs::metadata(&out).unwrap().len() > 1500, "{kind}");
        }
    }
    let wrong = |args: &[&str], part: &str| {
        let done = run(args);
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(
            !done.status.success() && said.contains(part),
            "{args:?}: {said}"
        );
    };
    let out = folder.path().join("x.png");
    let out = out.to_str().unwrap();
    wrong(&["figure", "residuals", source, "--out", out], "regression");
    wrong(
        &["figure", "weights", source, "--layer", "12", "--out", out],
        "1 to 8",
    );
    wrong(
        &["figure", "features", source, "--sample", "0", "--out", out],
        "1 to 210",
    );
    wrong(
        &["figure", "weights", source, "--out", "x.bmp"],
        ".png or .svg",
    );
    let table = run(&["inspect", source]);
    assert!(String::from_utf8_lossy(&table.stdout).contains("edges"));
    let json = run(&["inspect", source, "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["rows"].as_array().unwrap().len(), 9);
}
