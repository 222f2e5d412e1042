//! Numbers that run away: where that leaves a run, what is blamed, and how the
//! run goes on.
#![allow(clippy::unwrap_used)] // a test fails by panicking

use gradscape::experiment::Experiment;
use gradscape::nn::ParamRole;
use gradscape::train::{Evaluator, NonFinite, Problem, RunState, Session, TrainCommand};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Runs until numbers run away and checks where that left the run.
fn diverge(session: &mut Session, what: &str) -> NonFinite {
    session.command(TrainCommand::Start);
    while session.advance() {}
    assert_eq!(session.state(), RunState::Diverged, "{what}");
    let snapshot = session.snapshot();
    let divergence = snapshot.divergence.clone().unwrap();
    let network = &session.trainer().problem().network;
    assert!(divergence.layer < network.layers().len(), "{what}");
    let parameter = divergence.parameter.unwrap();
    assert_eq!(parameter.layer, divergence.layer, "{what}");
    assert!(network.layout().index(parameter).is_some(), "{what}");

    // Frozen on the last step whose numbers were finite.
    assert_eq!(snapshot.step + 1, divergence.step, "{what}");
    let steps = session.trainer().steps_per_epoch();
    assert_eq!(snapshot.epoch, snapshot.step as usize / steps, "{what}");
    assert!(snapshot.params.iter().all(|p| p.is_finite()), "{what}");
    let mut evaluator = Evaluator::new(network);
    let train = &session.trainer().problem().train;
    let loss = evaluator.loss(network, &snapshot.params, train);
    assert!(loss.is_finite(), "{what}: {loss}");
    let news = session.take_outbox();
    assert!(news.rows.iter().all(|r| r.train_loss.is_finite()), "{what}");
    assert!(news.rows.iter().all(|r| r.step <= snapshot.step), "{what}");
    assert!(news.points.iter().all(|p| p.loss.is_finite()), "{what}");

    // Nothing moves it.
    for command in [TrainCommand::Start, TrainCommand::Step, TrainCommand::Epoch] {
        session.command(command);
        assert!(!session.advance(), "{what}");
    }
    assert_eq!(session.trainer().params(), &*snapshot.params, "{what}");
    divergence.what
}

#[test]
fn numbers_that_run_away_freeze_the_run_and_a_rewind_heals_it() {
    let mut kinds = BTreeSet::new();
    // Squared errors overflow with their loss; cross-entropy stays finite long
    // enough for a gradient to overflow first.
    let fitting = ("plane", "half-squared-error", 1);
    let telling = ("circle", "cross-entropy", 3);
    let tasks = [
        ("linear", fitting),
        ("relu", fitting),
        ("softplus", fitting),
        ("gelu", fitting),
        ("relu", telling),
    ];
    for (activation, (source, loss, depth)) in tasks {
        for optimizer in ["sgd", "momentum", "nesterov", "rmsprop", "adam"] {
            for rate in ["10.0", "1e4", "1e12", "1e30", "1e38"] {
                for batch in ["\"full\"", "1", "7"] {
                    let what = format!("{activation}, {loss}, {optimizer}, {rate}, batch {batch}");
                    let layer = format!("{{ dense = 5, activation = \"{activation}\" }}");
                    let text = format!(
                        "[data]\nsource = \"{source}\"\nsamples = 20\n[network]\n\
                         layers = [{}]\n\
                         loss = \"{loss}\"\n[training]\nbatch = {batch}\n\
                         epochs = 60\n\
                         optimizer = {{ name = \"{optimizer}\", learning_rate = {rate} }}",
                        vec![layer; depth].join(", ")
                    );
                    let experiment = Experiment::parse(&text, &what).unwrap();
                    let mut session = Session::new(Arc::new(Problem::new(&experiment).unwrap()));
                    // What normalises its steps may survive a large one, and so may
                    // dead ReLUs.
                    let may_survive =
                        matches!(optimizer, "rmsprop" | "adam") || loss == "cross-entropy";
                    if may_survive || rate == "10.0" {
                        session.command(TrainCommand::Start);
                        while session.advance() {}
                        if session.state() == RunState::Finished {
                            continue;
                        }
                        session.command(TrainCommand::Reset);
                    }
                    kinds.insert(format!("{:?}", diverge(&mut session, &what)));

                    session.command(TrainCommand::Rewind);
                    assert_eq!(session.state(), RunState::Paused, "{what}");
                    assert_eq!(session.snapshot().divergence, None, "{what}");
                    while session.trainer().epoch() > 0 {
                        session.command(TrainCommand::Rewind);
                    }
                    session.command(TrainCommand::SetLearningRate(1e-4));
                    session.command(TrainCommand::Epoch);
                    assert_eq!(session.state(), RunState::Paused, "{what}");
                    assert_eq!(session.trainer().epoch(), 1, "{what}");
                }
            }
        }
    }
    let all = ["Forward", "Gradient", "Update"].map(String::from);
    assert_eq!(kinds, BTreeSet::from(all));
}

#[test]
fn the_blame_goes_to_the_layer_where_it_began() {
    let experiment = Experiment::parse(
        "[data]\nsource = \"spiral\"\nsamples = 90\n\
         [network]\nlayers = [{ dense = 6 }, { dense = 4, activation = \"relu\" }]\n\
         loss = \"cross-entropy\"",
        "spiral.toml",
    )
    .unwrap();
    let problem = Arc::new(Problem::new(&experiment).unwrap());
    let layout = problem.network.layout().clone();
    for layer in 0..3 {
        let mut session = Session::new(Arc::clone(&problem));
        let mut params = session.trainer().params().to_vec();
        // Positive inputs to every layer from here on, so that none is idle.
        for tensor in layout.tensors() {
            if tensor.role == ParamRole::Bias || tensor.layer > 0 {
                params[tensor.range.clone()].fill(1.0);
            }
        }
        let culprit = layout.weight(layer).start;
        params[culprit] = f32::INFINITY;
        session.command(TrainCommand::SetParams(params.into()));
        session.command(TrainCommand::Step);
        let divergence = session.snapshot().divergence.unwrap();
        assert_eq!(divergence.layer, layer);
        let parameter = divergence.parameter.unwrap();
        assert_eq!(layout.index(parameter), Some(culprit));
        // Given weights are no step that could be taken back.
        assert_eq!((session.trainer().steps(), divergence.step), (0, 1));
    }
}
