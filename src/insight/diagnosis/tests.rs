//! That there are words for all that can be said, and that cures do what they say.

use super::{Comparison, Cure, Facts, Kind, Thresholds, words};
use crate::data::Scale;
use crate::experiment::Experiment;
use crate::nn::{Activation, Init};
use crate::train::{Evaluator, Problem};
use std::collections::BTreeSet;

const DEEP: &str = "[data]\nsource = \"circle\"\nsamples = 60\n[network]\nlayers = \
    [{ dense = 6, activation = \"sigmoid\" }, { dense = 6, activation = \"sigmoid\" }]\n\
    loss = \"cross-entropy\"\nbias = -1.0\n[training]\nl2 = 0.1\n\
    optimizer = { name = \"sgd\", learning_rate = 0.1 }\n";

fn cures() -> Vec<Cure> {
    vec![
        Cure::LearningRate { factor: 0.1 },
        Cure::LearningRate { factor: 10.0 },
        Cure::Cosine,
        Cure::Adam { rate: 0.01 },
        Cure::ClipNorm { norm: 1.0 },
        Cure::Activation {
            activation: Activation::Relu,
            init: Init::He,
        },
        Cure::Init { init: Init::He },
        Cure::BatchNorm,
        Cure::Residual,
        Cure::Scale,
        Cure::L2 { factor: 0.01 },
        Cure::Dropout { rate: 0.3 },
        Cure::EarlyStopping { patience: 10 },
        Cure::Unregularised,
        Cure::Wider { factor: 4 },
        Cure::LargerBatch { factor: 8 },
        Cure::Longer { factor: 4 },
        Cure::WithoutInput {
            name: "x2".to_owned(),
            others: vec!["x1".to_owned()],
        },
    ]
}

fn keys() -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for kind in Kind::ALL {
        keys.extend([
            words::title(kind),
            words::meaning(kind),
            words::sources(kind),
        ]);
    }
    keys.extend(cures().iter().map(words::cure));
    keys.extend(Thresholds::NAMES.iter().map(|name| words::evidence(name)));
    for side in [Comparison::AtLeast, Comparison::AtMost] {
        keys.insert(words::comparison(side).to_owned());
    }
    keys.extend(
        [
            "what",
            "layer",
            "input",
            "class",
            "threshold",
            "explains",
            "apply",
        ]
        .map(|k| format!("diagnosis.{k}")),
    );
    keys.extend(["suspicion", "warning", "severe", "none"].map(|k| format!("diagnosis.{k}")));
    keys
}

#[test]
fn there_are_words_in_both_languages_for_all_that_can_be_said_and_no_others() {
    for text in [
        include_str!("../../../assets/lang/en.toml"),
        include_str!("../../../assets/lang/zh.toml"),
    ] {
        let found: BTreeSet<String> = words::strings(text).into_keys().collect();
        let wrong: Vec<_> = found.symmetric_difference(&keys()).cloned().collect();
        assert!(wrong.is_empty(), "{wrong:?}");
    }
}

#[test]
fn a_cures_words_have_its_numbers() {
    for cure in cures() {
        let text = words::cure_in_english(&cure);
        assert!(!text.contains(['{', '}']), "{text}");
    }
}

/// Each makes another experiment that can be read back and built.
#[test]
fn every_cure_makes_an_experiment_that_is_written_read_and_built() {
    let experiment = Experiment::parse(DEEP, "deep").unwrap();
    let problem = Problem::new(&experiment).unwrap();
    for cure in cures() {
        assert!(cure.fits(&problem), "{cure:?}");
        let cured = cure.apply(&experiment);
        let text = cured.to_toml().unwrap();
        let again = Experiment::parse(&text, "cured").unwrap();
        assert_eq!(again, cured, "{text}");
        Problem::new(&again).unwrap();
        // The same again changes nothing more, or the same once more.
        let idempotent = matches!(cure, Cure::Cosine | Cure::Init { .. } | Cure::Scale);
        if idempotent {
            assert_eq!(cure.apply(&cured), cured);
            assert!(!cure.fits(&Problem::new(&cured).unwrap()));
        }
    }
}

#[test]
fn cures_change_what_they_say() {
    let experiment = Experiment::parse(DEEP, "deep").unwrap();
    let kinds = |cure: Cure| -> Vec<String> {
        let problem = Problem::new(&cure.apply(&experiment)).unwrap();
        let layers = problem.network.layers().iter();
        layers
            .map(|l| format!("{} {}", l.kind().name(), l.activation()))
            .collect()
    };
    assert_eq!(
        kinds(Cure::BatchNorm),
        [
            "dense linear",
            "batch_norm sigmoid",
            "dense linear",
            "batch_norm sigmoid",
            "dense sigmoid"
        ]
    );
    assert_eq!(
        kinds(Cure::Residual),
        [
            "dense sigmoid",
            "dense sigmoid",
            "add linear",
            "dense sigmoid"
        ]
    );
    let relu = Cure::Activation {
        activation: Activation::Relu,
        init: Init::He,
    };
    assert_eq!(kinds(relu), ["dense relu", "dense relu", "dense sigmoid"]);
    let cured = Cure::Init { init: Init::He }.apply(&experiment);
    assert_eq!((cured.network.init, cured.network.bias), (Init::He, 0.0));
    let cured = Cure::Scale.apply(&experiment);
    assert_eq!(cured.data.scale, Scale::Standard);
    let cured = Cure::Unregularised.apply(&experiment);
    assert_eq!(cured.training.l2, 0.0);
}

fn problem(text: &str) -> Problem {
    Problem::new(&Experiment::parse(text, "test").unwrap()).unwrap()
}

/// A network of one layer with weights 0 gives the same answer to everything; its bias is
/// set to the best one.
#[test]
fn the_best_constant_answers_loss_is_that_of_a_network_without_weights() {
    for (text, best) in [
        (
            "[data]\nsource = \"breast-cancer\"\n[network]\nloss = \"cross-entropy\"",
            "logit",
        ),
        (
            "[data]\nsource = \"wine\"\n[network]\nloss = \"cross-entropy\"",
            "log",
        ),
        (
            "[data]\nsource = \"sine\"\n[network]\nloss = \"half-squared-error\"",
            "mean",
        ),
        (
            "[data]\nsource = \"plane\"\n[network]\nloss = \"mean-squared-error\"",
            "mean",
        ),
    ] {
        let problem = problem(text);
        let means = problem.train.y.mean_axis(ndarray::Axis(0)).unwrap();
        let mut params = vec![0.0; problem.network.layout().len()];
        for (param, mean) in params[problem.network.layout().bias(0)]
            .iter_mut()
            .zip(means)
        {
            *param = match best {
                "logit" => (mean / (1.0 - mean)).ln(),
                "log" => mean.ln(),
                _ => mean,
            };
        }
        let mut evaluator = Evaluator::new(&problem.network);
        let loss = evaluator.loss(&problem.network, &params, &problem.train);
        let facts = Facts::of(&problem);
        assert!(
            (facts.baseline - loss).abs() < 1e-5 * loss,
            "{} {loss}",
            facts.baseline
        );
        assert!(facts.skill(loss).abs() < 1e-5);
    }
}

#[test]
fn neighbours_score_well_on_iris_and_no_input_of_it_gives_the_answer_away() {
    // Five neighbours of Fisher's iris, each sample left out in turn: right some 96 times of 100.
    let iris =
        problem("[data]\nsource = \"iris\"\nvalidation = 0\n[network]\nloss = \"cross-entropy\"");
    let facts = Facts::of(&iris);
    let score = facts.neighbours.unwrap();
    assert!((0.94..0.98).contains(&score), "{score}");
    assert_eq!(facts.classes, [50, 50, 50]);
    for (size, spread) in facts.sizes.iter().zip(&facts.spreads) {
        assert!((size - 1.0).abs() < 1e-3 && (spread - 1.0).abs() < 1e-3);
    }
    let leak = facts.leak.unwrap();
    assert!(leak.alone < 0.985 && leak.alone > 0.9, "{leak:?}");
    // The plane through points is found by none of its coordinates alone.
    let plane = problem("[data]\nsource = \"plane\"\n[network]\nloss = \"half-squared-error\"");
    let facts = Facts::of(&plane);
    assert!(facts.neighbours.unwrap() > 0.95);
    assert!(facts.leak.unwrap().alone < 0.7);
}
