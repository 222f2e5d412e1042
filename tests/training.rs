//! What a run promises: which samples a step sees, that a seed determines
//! everything, and what commands do.
#![allow(clippy::unwrap_used)] // a test fails by panicking

use gradscape::experiment::Experiment;
use gradscape::nn::{Activation, Loss, Network, ParamRole};
use gradscape::train::{
    Encoding, History, HistoryRow, Problem, RunState, Samples, Session, StepOutcome, TrainCommand,
    Trainer,
};
use ndarray::Array2;
use std::collections::BTreeSet;
use std::sync::Arc;

fn problem(training: &str) -> Arc<Problem> {
    let text = format!(
        "[data]\nsource = \"spiral\"\nsamples = 90\nnoise = 0.1\nvalidation = 0.2\n\
         [network]\nlayers = [{{ dense = 6 }}, {{ dense = 4, activation = \"relu\" }}]\n\
         loss = \"cross-entropy\"\n[training]\n{training}"
    );
    let experiment = Experiment::parse(&text, "spiral.toml").unwrap();
    Arc::new(Problem::new(&experiment).unwrap())
}

/// Linear regression in which sample `i` is the `i`-th unit vector: after a
/// step of its batch alone, a weight's gradient says whether it was there.
fn one_input_per_sample(samples: usize, batch: &str) -> Arc<Problem> {
    let experiment = Experiment::parse(
        &format!(
            "[data]\nsource = \"sine\"\n[network]\nloss = \"half-squared-error\"\n[training]\n\
             batch = {batch}\noptimizer = {{ name = \"sgd\", learning_rate = 0.001 }}"
        ),
        "samples.toml",
    )
    .unwrap();
    let mut problem = Problem::new(&experiment).unwrap();
    problem.network =
        Network::dense(samples, &[(1, Activation::Linear)], Loss::HalfSquaredError).unwrap();
    problem.encoding = Encoding::Values;
    problem.train = Samples {
        x: Array2::eye(samples),
        // Far from every output, so that no error is ever zero.
        y: Array2::from_elem((samples, 1), 100.0),
    };
    problem.validation = Samples {
        x: Array2::zeros((0, samples)),
        y: Array2::zeros((0, 1)),
    };
    Arc::new(problem)
}

/// The samples of each batch of `epochs` epochs.
fn batches(trainer: &mut Trainer, epochs: usize) -> Vec<Vec<Vec<usize>>> {
    let samples = trainer.problem().train.len();
    (0..epochs)
        .map(|_| {
            let mut batches = Vec::new();
            loop {
                let outcome = trainer.step();
                let gradient = &trainer.gradient()[..samples];
                let seen: Vec<_> = (0..samples).filter(|&i| gradient[i] != 0.0).collect();
                batches.push(seen);
                match outcome {
                    StepOutcome::Stepped {
                        epoch_done: true, ..
                    } => return batches,
                    StepOutcome::Stepped { .. } => {}
                    other => panic!("{other:?}"),
                }
            }
        })
        .collect()
}

/// Runs to the end and gives the history as it would be written to a file.
fn history(session: &mut Session) -> String {
    session.command(TrainCommand::Start);
    while session.advance() {}
    written(&session.take_outbox().rows)
}

fn written(rows: &[HistoryRow]) -> String {
    rows.iter()
        .map(|row| serde_json::to_string(row).unwrap() + "\n")
        .collect()
}

#[test]
fn every_epoch_sees_every_sample_once_in_a_fresh_order() {
    let mut trainer = Trainer::new(one_input_per_sample(50, "8"));
    let epochs = batches(&mut trainer, 6);
    let everyone: Vec<usize> = (0..50).collect();
    for epoch in &epochs {
        let sizes: Vec<_> = epoch.iter().map(Vec::len).collect();
        assert_eq!(sizes, [8, 8, 8, 8, 8, 8, 2]);
        let mut seen = epoch.concat();
        seen.sort_unstable();
        assert_eq!(seen, everyone);
    }
    let orders: BTreeSet<_> = epochs.iter().collect();
    assert_eq!(orders.len(), 6, "two epochs had the same order");
    assert_eq!(trainer.steps_per_epoch(), 7);
    assert_eq!((trainer.epoch(), trainer.steps()), (6, 42));
}

#[test]
fn a_partial_batch_counts_its_own_samples() {
    let problem = one_input_per_sample(5, "3");
    let mut trainer = Trainer::new(Arc::clone(&problem));
    for size in [3.0_f32, 2.0] {
        let before = trainer.params().to_vec();
        trainer.step();
        let (weights, bias) = trainer.gradient().split_at(5);
        let mut sum = 0.0;
        for (i, &gradient) in weights.iter().enumerate().filter(|(_, g)| **g != 0.0) {
            let error = before[i] + before[5] - 100.0;
            assert!((gradient - error / size).abs() < 1e-4, "{gradient}");
            sum += gradient;
        }
        assert!((bias[0] - sum).abs() < 1e-4);
    }
}

#[test]
fn learning_one_by_one_makes_a_step_for_every_sample() {
    let mut trainer = Trainer::new(one_input_per_sample(12, "1"));
    for epoch in batches(&mut trainer, 3) {
        assert_eq!(epoch.len(), 12);
        assert!(epoch.iter().all(|batch| batch.len() == 1));
        let seen: BTreeSet<_> = epoch.concat().into_iter().collect();
        assert_eq!(seen.len(), 12);
    }
}

#[test]
fn a_full_batch_is_one_step_an_epoch_and_its_loss_the_training_loss() {
    let problem = problem("batch = \"full\"");
    let mut trainer = Trainer::new(Arc::clone(&problem));
    for epoch in 1..=5 {
        let before = trainer.train_loss();
        let StepOutcome::Stepped { loss, epoch_done } = trainer.step() else {
            panic!("diverged");
        };
        assert!((loss - before).abs() < 1e-6 * before);
        assert!(epoch_done);
        assert_eq!(trainer.epoch(), epoch);
    }
    let samples = problem.train.len();
    let mut larger = Trainer::new(one_input_per_sample(7, "1000"));
    assert_eq!(batches(&mut larger, 1)[0], [[0, 1, 2, 3, 4, 5, 6]]);
    assert_eq!(samples, 72);
}

#[test]
fn the_same_seed_gives_the_same_history_byte_for_byte() {
    let training = "batch = 7\nepochs = 20\noptimizer = { name = \"adam\", learning_rate = 0.02 }";
    let first = history(&mut Session::new(problem(training)));
    assert_eq!(first.lines().count(), 21);
    assert_eq!(first, history(&mut Session::new(problem(training))));

    // On several threads at once as well.
    let threads: Vec<_> = (0..4)
        .map(|_| std::thread::spawn(move || history(&mut Session::new(problem(training)))))
        .collect();
    for thread in threads {
        assert_eq!(first, thread.join().unwrap());
    }
}

#[test]
fn after_a_reset_history_repeats_itself_byte_for_byte() {
    for optimizer in [
        "sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw",
    ] {
        let mut session = Session::new(problem(&format!(
            "batch = 7\nepochs = 4\noptimizer = {{ name = \"{optimizer}\", learning_rate = 0.01 }}"
        )));
        let first = history(&mut session);
        session.command(TrainCommand::Reset);
        assert_eq!(session.state(), RunState::Idle);
        assert_eq!(first, history(&mut session), "{optimizer}");

        // From the middle of an epoch, too.
        session.command(TrainCommand::Reset);
        (0..5).for_each(|_| session.command(TrainCommand::Step));
        session.command(TrainCommand::Reset);
        assert_eq!(first, history(&mut session), "{optimizer}");
    }
}

#[test]
fn another_seed_gives_other_weights_and_another_order_and_the_old_one_comes_back() {
    let mut session = Session::new(problem("batch = 7\nepochs = 3"));
    let start = session.trainer().params().to_vec();
    let first = history(&mut session);
    session.command(TrainCommand::Reseed(8));
    assert_ne!(start, session.trainer().params());
    assert_ne!(first, history(&mut session));
    session.command(TrainCommand::Reseed(7));
    assert_eq!(start, session.trainer().params());
    assert_eq!(first, history(&mut session));
}

#[test]
fn steps_and_epochs_by_hand_are_those_of_a_run() {
    let training = "batch = 7\nepochs = 6";
    let all = history(&mut Session::new(problem(training)));
    let mut session = Session::new(problem(training));
    let steps = session.trainer().steps_per_epoch();
    for step in 1..=steps {
        session.command(TrainCommand::Step);
        assert_eq!(session.trainer().steps(), step as u64);
        assert_eq!(session.state(), RunState::Paused);
    }
    assert_eq!(session.trainer().epoch(), 1);
    // From the middle of an epoch to its end, then a whole one.
    session.command(TrainCommand::Step);
    for epoch in 2..=3 {
        session.command(TrainCommand::Epoch);
        assert_eq!(session.trainer().epoch(), epoch);
        assert_eq!(session.trainer().steps(), (epoch * steps) as u64);
        assert_eq!(session.state(), RunState::Paused);
    }
    let mut rows = session.take_outbox().rows;
    session.command(TrainCommand::Start);
    while session.advance() {}
    rows.extend(session.take_outbox().rows);
    assert_eq!(session.state(), RunState::Finished);
    assert_eq!(written(&rows), all);
}

#[test]
fn a_rewind_goes_back_one_epoch_and_the_future_is_the_same_again() {
    let mut session = Session::new(problem("batch = 7\nepochs = 6"));
    let mut history = History::default();
    let mut take = |session: &mut Session| {
        let rows = session.take_outbox().rows;
        rows.into_iter().for_each(|row| history.push(row));
        written(history.rows())
    };
    session.command(TrainCommand::Start);
    while session.advance() {}
    let first = take(&mut session);
    let end = session.trainer().params().to_vec();
    session.command(TrainCommand::Rewind);
    assert_eq!(session.trainer().epoch(), 5);
    assert_eq!(session.state(), RunState::Paused);
    assert_ne!(session.trainer().params(), end);
    session.command(TrainCommand::Rewind);
    assert_eq!(session.trainer().epoch(), 4);
    let steps = session.trainer().steps();
    assert!(
        session
            .trajectory()
            .points()
            .iter()
            .all(|p| p.step <= steps)
    );
    session.command(TrainCommand::Start);
    while session.advance() {}
    assert_eq!(take(&mut session), first);
    assert_eq!(session.trainer().params(), end);
}

#[test]
fn a_run_can_be_rewound_to_its_start_and_no_further() {
    let mut session = Session::new(problem("batch = 7\nepochs = 100"));
    let start = session.trainer().params().to_vec();
    session.command(TrainCommand::Start);
    while session.advance() {}
    for _ in 0..200 {
        let epoch = session.trainer().epoch();
        session.command(TrainCommand::Rewind);
        assert!(session.trainer().epoch() < epoch.max(1));
    }
    assert_eq!(session.trainer().epoch(), 0);
    assert_eq!(session.trainer().params(), start);
}

#[test]
fn weights_of_another_length_are_refused() {
    let mut session = Session::new(problem("batch = 7"));
    let (before, length) = (
        session.trainer().params().to_vec(),
        session.trainer().params().len(),
    );
    for wrong in [0, length - 1, length + 1] {
        session.command(TrainCommand::SetParams(vec![0.5; wrong].into()));
        assert_eq!(session.trainer().params(), before);
    }
    session.command(TrainCommand::SetParams(vec![0.5; length].into()));
    assert_eq!(session.trainer().params(), vec![0.5; length]);
}

fn loss_at(session: &Session) -> f64 {
    let problem = session.trainer().problem();
    let mut evaluator = gradscape::train::Evaluator::new(&problem.network);
    evaluator.loss(&problem.network, session.trainer().params(), &problem.train)
}

#[test]
fn weights_that_are_set_begin_a_path_of_their_own_at_their_own_loss() {
    let mut session = Session::new(problem("batch = 7"));
    (0..3).for_each(|_| session.command(TrainCommand::Step));
    let length = session.trainer().params().len();
    session.take_outbox();
    session.command(TrainCommand::SetParams(vec![0.5; length].into()));
    let points = session.take_outbox().points;
    let (step, loss) = (session.trainer().steps(), loss_at(&session));
    assert_eq!(
        (points.len(), points[0].step, points[0].loss),
        (1, step, loss)
    );
    assert_eq!(points[0].params[..], vec![0.5; length]);
    session.command(TrainCommand::Step);
    let jumps = session.snapshot().jumps;
    assert!(!jumps.joins(step - 1, step) && jumps.joins(step, step + 1));
    session.command(TrainCommand::Reset);
    assert!(session.snapshot().jumps.joins(0, step));
}

#[test]
fn weights_that_are_set_before_the_first_step_are_the_start() {
    let mut session = Session::new(problem("batch = 7"));
    let length = session.trainer().params().len();
    session.command(TrainCommand::SetParams(vec![0.25; length].into()));
    let news = session.take_outbox();
    let last = news.rows.last().unwrap();
    assert_eq!((last.epoch, last.step), (0, 0));
    assert_eq!(session.trajectory().points().len(), 1);
    assert_eq!(last.train_loss, session.trajectory().points()[0].loss);
}

#[test]
fn a_step_size_that_makes_no_sense_is_refused_and_another_takes_effect() {
    let mut session = Session::new(problem(
        "batch = \"full\"\noptimizer = { name = \"sgd\", learning_rate = 0.1 }",
    ));
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        session.command(TrainCommand::SetLearningRate(bad));
        assert_eq!(session.trainer().learning_rate(), 0.1);
    }
    session.command(TrainCommand::Step);
    session.command(TrainCommand::SetLearningRate(0.2));
    session.command(TrainCommand::Step);
    let snapshot = session.snapshot();
    for (update, gradient) in snapshot.update.iter().zip(&*snapshot.gradient) {
        assert!((update + 0.2 * gradient).abs() < 1e-6);
    }
}

#[test]
fn penalties_and_weight_decay_shrink_weights() {
    let weights = |training: &str| {
        let mut session = Session::new(problem(training));
        history(&mut session);
        let layout = session.trainer().problem().network.layout().clone();
        layout
            .tensors()
            .iter()
            .filter(|tensor| tensor.role == ParamRole::Weight)
            .flat_map(|tensor| session.trainer().params()[tensor.range.clone()].to_vec())
            .collect::<Vec<f32>>()
    };
    let squares = |training: &str| weights(training).iter().map(|w| w * w).sum::<f32>();
    let free = squares("batch = 7\nepochs = 40");
    assert!(squares("batch = 7\nepochs = 40\nl2 = 0.05") < 0.5 * free);
    assert!(squares("batch = 7\nepochs = 40\nl1 = 0.02") < 0.5 * free);
    let decay = "batch = 7\nepochs = 40\n\
                 optimizer = { name = \"adamw\", learning_rate = 0.01, weight_decay = 1.0 }";
    assert!(squares(decay) < 0.5 * free);
    // L1 empties weights, L2 only makes them smaller.
    let sgd = "batch = \"full\"\nepochs = 2000\n\
               optimizer = { name = \"sgd\", learning_rate = 0.05 }";
    let near_zero = |penalty: &str| {
        let weights = weights(&format!("{sgd}\n{penalty}"));
        weights.iter().filter(|w| w.abs() < 2e-3).count()
    };
    assert!(near_zero("l1 = 0.01") > 10 + near_zero("l2 = 0.01"));
}

#[test]
fn a_long_path_keeps_its_start_and_stays_bounded() {
    let mut session = Session::new(problem("batch = 20\nepochs = 4000"));
    history(&mut session);
    let points = session.trajectory().points();
    assert!((512..=2048).contains(&points.len()), "{}", points.len());
    assert_eq!(points[0].step, 0);
    let stride = session.trajectory().stride();
    assert!(points.windows(2).all(|w| w[1].step - w[0].step == stride));
    assert!(points.last().unwrap().step + stride > session.trainer().steps());
}
