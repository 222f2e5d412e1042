//! The bundled lessons: that what they say is so, and that a wrong lesson is told
//! what is wrong.
#![allow(clippy::unwrap_used)] // a test fails by panicking

use gradscape::lesson::{LESSONS, Lesson};
use gradscape::train::micro::{Event, Micro, MicroCommand, Of, check};
use gradscape::train::{Problem, Session, TrainCommand};
use std::path::Path;
use std::sync::Arc;

fn problem(lesson: &Lesson, scene: usize) -> Arc<Problem> {
    let experiment = lesson.experiment_of(scene).unwrap();
    Arc::new(Problem::new(&experiment).unwrap())
}

fn micro(session: &mut Session) -> Micro {
    session.snapshot().micro.expect("it is in an iteration")
}

/// As many digits as were printed.
fn assert_prints(value: f32, printed: &str) {
    let decimals = printed.split_once('.').unwrap().1.len();
    let value = f64::from(value);
    let expected: f64 = printed.parse().unwrap();
    // Single precision has some seven digits.
    let slack = 0.5 * 10f64.powi(-(decimals as i32)) + 2.4e-7 * expected.abs().max(0.05);
    assert!((value - expected).abs() <= slack, "{value} for {printed}");
}

/// Matt Mazur's numbers (2015), each at the event where it comes about, by what the
/// scene shows.
#[test]
fn mazurs_numbers_are_found_at_their_events() {
    let lesson = Lesson::find("back-propagation").unwrap();
    let problem = problem(&lesson, 0);
    let mut session = Session::new(Arc::clone(&problem));
    session.command(TrainCommand::Micro(MicroCommand::Enter));
    let mut seen = Vec::new();
    while micro(&mut session).next().is_some() {
        session.command(TrainCommand::Micro(MicroCommand::Forward));
        let micro = micro(&mut session);
        let (trace, event) = (&micro.trace, micro.last().unwrap());
        let sample = &trace.sample;
        match event {
            Event::Sum { layer: 0 } => assert_prints(sample.z[0][0], "0.3775"),
            Event::Activation { layer: 0 } => {
                assert_prints(sample.a[0][0], "0.593269992");
                assert_prints(sample.a[0][1], "0.596884378");
            }
            Event::Sum { layer: 1 } => assert_prints(sample.z[1][0], "1.105905967"),
            Event::Activation { layer: 1 } => assert_prints(sample.a[1][0], "0.75136507"),
            Event::Loss => assert_prints(sample.loss as f32, "0.298371109"),
            Event::Gradient { layer: 1 } => assert_prints(trace.data_gradient[6], "0.082167041"),
            Event::Gradient { layer: 0 } => assert_prints(trace.data_gradient[0], "0.000438568"),
            Event::Update => {
                let after = [
                    (0, "0.149780716"),
                    (1, "0.19956143"),
                    (2, "0.24975114"),
                    (3, "0.29950229"),
                    (6, "0.35891648"),
                    (7, "0.408666186"),
                    (8, "0.511301270"),
                    (9, "0.561370121"),
                ];
                for (index, printed) in after {
                    assert_prints(session.snapshot().params[index], printed);
                }
                // Biases stay, as in the article.
                for bias in [4, 5, 10, 11] {
                    assert_eq!(trace.after[bias], trace.before[bias]);
                }
            }
            _ => {}
        }
        seen.push(event);
    }
    assert_eq!(seen.len(), 11);
    // What follows from all weights at once, unlike the article's later figures.
    session.command(TrainCommand::Step);
    assert_prints(session.snapshot().batch_loss as f32, "0.2910277737");
    let mut session = Session::new(problem);
    session.command(TrainCommand::Epochs(9_999));
    session.command(TrainCommand::Step);
    let snapshot = session.snapshot();
    assert!((snapshot.batch_loss / 3.510_187_783e-5 - 1.0).abs() < 2e-3);
    assert_prints(snapshot.probe.a[1][0], "0.0159");
    assert_prints(snapshot.probe.a[1][1], "0.9841");
}

#[test]
fn every_scene_can_be_brought_about_and_its_events_are_there() {
    for bundled in LESSONS {
        let lesson = Lesson::find(bundled.name).unwrap();
        assert!(lesson.scenes.len() >= 2, "{}", bundled.name);
        for (index, scene) in lesson.scenes.iter().enumerate() {
            let mut session = Session::new(problem(&lesson, index));
            session.command(TrainCommand::Epochs(scene.epochs.min(100)));
            let snapshot = session.snapshot();
            assert!(snapshot.divergence.is_none(), "{} {index}", bundled.name);
            let Some(events) = scene.events else { continue };
            session.command(TrainCommand::Micro(MicroCommand::Enter));
            let reveal = scene.question.as_ref().map_or(0, |q| q.reveal);
            for _ in 0..events + reveal {
                session.command(TrainCommand::Micro(MicroCommand::Forward));
            }
            let micro = micro(&mut session);
            assert_eq!(micro.done, events + reveal, "{} {index}", bundled.name);
        }
    }
}

/// The check beside the formula, of every parameter of every lesson's networks.
#[test]
fn finite_differences_agree_in_every_lesson() {
    let (mut compared, mut corners) = (0, 0);
    for bundled in LESSONS {
        let lesson = Lesson::find(bundled.name).unwrap();
        for index in 0..lesson.scenes.len() {
            let problem = problem(&lesson, index);
            let mut session = Session::new(Arc::clone(&problem));
            session.command(TrainCommand::Micro(MicroCommand::Enter));
            let trace = micro(&mut session).trace;
            for parameter in 0..problem.network.layout().trainable() {
                let check = check(&problem, &trace, Of::Parameter(parameter)).unwrap();
                let Some([left, right]) = check.corner else {
                    assert!(check.agrees(), "{} {index}: {check:?}", bundled.name);
                    compared += 1;
                    continue;
                };
                // Biases of 0 under black pixels: z is 0, where ReLU has its corner.
                assert_eq!(bundled.name, "digits", "{check:?}");
                let slack = 1e-4;
                let (low, high) = (left.min(right) - slack, left.max(right) + slack);
                assert!((low..=high).contains(&check.derivative), "{check:?}");
                corners += 1;
            }
        }
    }
    assert!(compared > 10_000 && corners < 50, "{compared} {corners}");
}

#[test]
fn what_the_captions_claim_is_so() {
    let loss_after = |lesson: &Lesson, scene: usize| {
        let mut session = Session::new(problem(lesson, scene));
        session.command(TrainCommand::Epochs(lesson.scenes[scene].epochs));
        let rows = session.take_outbox().rows;
        rows.last().unwrap().train_loss
    };
    let xor = Lesson::find("xor").unwrap();
    assert!(loss_after(&xor, 0) < 0.1);
    assert!((loss_after(&xor, 1) - std::f64::consts::LN_2).abs() < 1e-3);
    assert!((loss_after(&xor, 2) - 0.003).abs() < 0.001);
    let vanishing = Lesson::find("vanishing-gradients").unwrap();
    assert!((loss_after(&vanishing, 2) - 0.69).abs() < 0.02);
    assert!((loss_after(&vanishing, 4) - 0.11).abs() < 0.01);
    assert!((loss_after(&vanishing, 5) - 0.25).abs() < 0.01);
    // The error signal of six sigmoid layers shrinks by more than 1000 on its way.
    let mut session = Session::new(problem(&vanishing, 1));
    session.command(TrainCommand::Micro(MicroCommand::Enter));
    let sample = micro(&mut session).trace.sample.clone();
    let most = |values: &[f32]| values.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
    assert!(most(&sample.delta[6]) > 1000.0 * most(&sample.delta[0]));
    // And of the sample that is shown: 0.49 becomes 0.00006, and 0.07 with ReLU.
    let shown = |scene: usize| Session::new(problem(&vanishing, scene)).snapshot().probe;
    let (sigmoid, relu) = (shown(1).delta, shown(3).delta);
    assert_prints(most(&sigmoid[6]), "0.49");
    assert_prints(most(&sigmoid[0]), "0.00006");
    assert_prints(most(&relu[0]), "0.07");
    let overfitting = Lesson::find("overfitting").unwrap();
    let rows = |scene: usize| {
        let mut session = Session::new(problem(&overfitting, scene));
        session.command(TrainCommand::Epochs(300));
        let rows = session.take_outbox().rows;
        let validation: Vec<f64> = rows.iter().filter_map(|r| r.validation_loss).collect();
        let best = validation.iter().copied().fold(f64::INFINITY, f64::min);
        (
            rows.last().unwrap().train_loss,
            best,
            *validation.last().unwrap(),
        )
    };
    let (train, best, last) = rows(0);
    assert!((train - 0.011).abs() < 0.001, "{train}");
    assert!(last > 1.7 * best, "{best} {last}");
    assert!((last - 0.66).abs() < 0.02, "{last}");
    let (train, best, last) = rows(1);
    assert!(train > 0.01 && last < 1.1 * best, "{train} {best} {last}");
    assert!((last - 0.28).abs() < 0.02, "{last}");
    let (_, best, last) = rows(2);
    assert!(last > 1.1 * best, "{best} {last}");
    assert!((last - 0.40).abs() < 0.02, "{last}");
    let exploding = Lesson::find("exploding-gradients").unwrap();
    let mut wild = Session::new(problem(&exploding, 0));
    wild.command(TrainCommand::Step);
    wild.command(TrainCommand::Step);
    assert!(wild.snapshot().divergence.is_some());
    let mut wild = Session::new(problem(&exploding, 0));
    wild.command(TrainCommand::Micro(MicroCommand::Enter));
    let loss = micro(&mut wild).trace.sample.loss;
    assert!((loss - 19_691.0).abs() < 1.0, "{loss}");
    let clipped = loss_after(&exploding, 2);
    assert!((clipped - 0.7).abs() < 0.1, "{clipped}");
    let methods = Lesson::find("levenberg-marquardt").unwrap();
    assert!((loss_after(&methods, 0) - 0.21).abs() < 0.005);
    assert!((loss_after(&methods, 1) - 0.045).abs() < 0.001);
    assert!((loss_after(&methods, 2) - 0.045).abs() < 0.001);
    let noise = Lesson::find("noise").unwrap();
    assert!((loss_after(&noise, 0) - 1.28).abs() < 0.005);
    assert!((loss_after(&noise, 1) - 0.224).abs() < 0.001);
    assert!((loss_after(&noise, 2) - 0.230).abs() < 0.001);
    // The answer before training, of the sample that the events are of.
    let digits = Lesson::find("digits").unwrap();
    let mut session = Session::new(problem(&digits, 2));
    session.command(TrainCommand::Micro(MicroCommand::Enter));
    let sample = micro(&mut session).trace.sample.clone();
    assert_prints(sample.loss as f32, "2.965");
    assert!(sample.a[1].iter().all(|a| (0.05..0.195).contains(a)));
    // What all ways of the chain rule come to, without residual connections and with.
    let chain = Lesson::find("chain-rule").unwrap();
    let together = |scene: usize| {
        let mut session = Session::new(problem(&chain, scene));
        session.command(TrainCommand::Micro(MicroCommand::Enter));
        let sample = micro(&mut session).trace.sample.clone();
        sample.delta[0][0] * sample.input[0]
    };
    assert_prints(together(5), "0.0000034");
    assert_prints(together(6), "-0.0053");
    // The first sample's first input is 1: it is not for want of an input that the
    // gradient is zero.
    let symmetry = Lesson::find("symmetry").unwrap();
    let mut session = Session::new(problem(&symmetry, 1));
    session.command(TrainCommand::Micro(MicroCommand::Enter));
    let trace = micro(&mut session).trace;
    assert_eq!((trace.sample.input[0], trace.gradient[0]), (1.0, 0.0));
    let neuron = Lesson::find("single-neuron").unwrap();
    let mut session = Session::new(problem(&neuron, 0));
    session.command(TrainCommand::Micro(MicroCommand::Enter));
    let trace = micro(&mut session).trace;
    assert_prints(trace.sample.z[0][0], "-1.0");
    assert_prints(trace.sample.a[0][0], "0.2689");
    assert_prints(trace.sample.loss as f32, "0.2672");
    assert!(trace.gradient[0] < 0.0);
}

#[test]
fn a_lesson_that_cannot_be_is_told_where_and_why() {
    let good = "title = { en = \"A\", zh = \"甲\" }\nsummary = { en = \"B\", zh = \"乙\" }\n\
                [[scene]]\ntitle = { en = \"C\", zh = \"丙\" }\n\
                caption = { en = \"D\", zh = \"丁\" }\nexperiment = \"xor\"\n";
    let parse = |text: &str| Lesson::parse(text, "mine.toml", Path::new(""));
    let lesson = parse(good).unwrap();
    assert_eq!(lesson.scenes[0].caption.zh, "丁");
    assert_eq!(lesson.experiment_of(0).unwrap().data.source, "xor");
    let wrong = |from: &str, to: &str| parse(&good.replace(from, to)).unwrap_err().to_string();
    let cases = [
        (
            "experiment = \"xor\"",
            "experiment = \"nix\"",
            "scene 1 (C), experiment: \"nix\"",
        ),
        ("zh = \"丁\"", "zh = \" \"", "empty in one of the languages"),
        ("caption =", "captoin =", "captoin"),
        (
            "experiment = \"xor\"",
            "experiment = \"xor\"\nepochs = 99999",
            "epochs: 99999",
        ),
        (
            "experiment = \"xor\"",
            "experiment = \"xor\"\nsurface = { directions = \"up\" }",
            "surface.directions",
        ),
        (
            "experiment = \"xor\"",
            "experiment = \"xor\"\nrace = { function = \"x+\" }",
            "race.function",
        ),
        (
            "experiment = \"xor\"",
            "experiment = \"xor\"\n[scene.question]\ntext = { en = \"a\", zh = \"b\" }\n\
             answers = [{ en = \"a\", zh = \"b\" }]\nright = 1\nwhy = { en = \"a\", zh = \"b\" }",
            "question: 1 answers",
        ),
        (
            "[[scene]]",
            "[experiments.bad]\nnetwork = { loss = \"none\" }\n[[scene]]",
            "experiments.bad",
        ),
    ];
    for (from, to, said) in cases {
        let message = wrong(from, to);
        assert!(message.contains("mine.toml"), "{message}");
        assert!(message.contains(said), "{message} for {said}");
    }
    let unknown = Lesson::find("nothing").unwrap_err().to_string();
    assert!(unknown.contains("back-propagation"), "{unknown}");
    let missing = Lesson::find("missing.toml").unwrap_err().to_string();
    assert!(missing.contains("missing.toml"), "{missing}");
}
