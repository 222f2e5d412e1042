//! Networks trained side by side: each does bit for bit what it does alone, on the same
//! batches, and goes where the first one goes.
#![allow(clippy::unwrap_used)] // a test fails by panicking

use gradscape::compare::beside;
use gradscape::experiment::Experiment;
use gradscape::train::{Problem, RunState, Session, TrainCommand, Worker};
use std::sync::Arc;

fn experiment(layers: &str, training: &str) -> Experiment {
    let text = format!(
        "seed = 5\n[data]\nsource = \"spiral\"\nsamples = 80\nvalidation = 0.25\n[network]\n\
         layers = [{layers}]\nloss = \"cross-entropy\"\n[training]\nepochs = 6\n{training}"
    );
    Experiment::parse(&text, "beside.toml").unwrap()
}

const SGD: &str = "batch = 8\noptimizer = { name = \"sgd\", learning_rate = 0.05 }";
const ADAM: &str = "batch = 8\noptimizer = { name = \"adam\", learning_rate = 0.01 }";

/// The first network and two others on its data.
fn three() -> [Arc<Problem>; 3] {
    let first = Problem::new(&experiment("{ dense = 4 }", SGD)).unwrap();
    let deeper = beside(&experiment("{ dense = 4 }, { dense = 3 }", ADAM), &first).unwrap();
    let dropped = "{ dense = 9, activation = \"relu\" }, { dropout = 0.3 }";
    let dropped = beside(&experiment(dropped, SGD), &first).unwrap();
    [first, deeper, dropped].map(Arc::new)
}

fn level(others: &mut [Session], leader: &Session) {
    for other in others {
        assert!(other.keep_level(leader, usize::MAX));
    }
}

#[test]
fn what_stands_beside_learns_as_it_does_alone_from_the_same_batches() {
    let [first, deeper, dropped] = three();
    let mut leader = Session::new(first);
    let problems = [deeper, dropped];
    let mut others = problems.clone().map(Session::new);
    let mut alone = problems.map(Session::new);
    leader.command(TrainCommand::Start);
    alone
        .iter_mut()
        .for_each(|run| run.command(TrainCommand::Start));
    for step in 1..=20 {
        assert!(leader.advance());
        level(&mut others, &leader);
        for (other, alone) in others.iter_mut().zip(&mut alone) {
            assert!(alone.advance());
            let (other, alone) = (other.snapshot(), alone.snapshot());
            assert_eq!(other.params, alone.params, "step {step}");
            assert_eq!(other.step, step);
            assert_eq!(other.batch, leader.snapshot().batch, "step {step}");
            assert_eq!(other.state, RunState::Running);
        }
    }
    for (other, alone) in others.iter_mut().zip(&mut alone) {
        let (other, alone) = (other.take_outbox(), alone.take_outbox());
        assert_eq!(other.rows, alone.rows);
        assert_eq!(other.points.len(), alone.points.len());
    }
}

#[test]
fn a_run_that_joins_late_catches_up_by_so_many_steps_at_most() {
    let [first, deeper, _] = three();
    let mut leader = Session::new(first);
    leader.command(TrainCommand::Epochs(2));
    let steps = leader.snapshot().step;
    let mut other = Session::new(deeper);
    assert!(!other.keep_level(&leader, 3));
    assert_eq!(other.snapshot().step, 3);
    assert!(other.keep_level(&leader, usize::MAX));
    assert_eq!(other.snapshot().step, steps);
    assert_eq!(other.snapshot().state, RunState::Paused);
}

#[test]
fn what_begins_anew_or_goes_back_begins_anew_or_goes_back_with_the_first() {
    let [first, deeper, _] = three();
    let mut leader = Session::new(first);
    let mut others = [Session::new(deeper)];
    let start = others[0].snapshot().params;
    leader.command(TrainCommand::Epochs(3));
    level(&mut others, &leader);
    leader.command(TrainCommand::Rewind);
    level(&mut others, &leader);
    let back = others[0].snapshot();
    assert_eq!(back.step, leader.snapshot().step);
    leader.command(TrainCommand::Reset);
    level(&mut others, &leader);
    assert_eq!(others[0].snapshot().params, start);
    assert_eq!(
        others[0].snapshot().generation,
        leader.snapshot().generation
    );
    leader.command(TrainCommand::Reseed(77));
    level(&mut others, &leader);
    let fresh = others[0].snapshot();
    assert_eq!((fresh.seed, fresh.step), (77, 0));
    assert_ne!(fresh.params, start);
}

#[test]
fn with_other_batches_level_is_as_much_of_the_data() {
    let [first, deeper, _] = three();
    let mut full = deeper.experiment.clone();
    full.training.batch = gradscape::experiment::Batch::Full;
    let mut leader = Session::new(first);
    let mut other = Session::new(Arc::new(Problem::new(&full).unwrap()));
    leader.command(TrainCommand::Step);
    assert!(other.keep_level(&leader, usize::MAX));
    assert_eq!(other.snapshot().step, 0, "the epoch is not over");
    leader.command(TrainCommand::Epochs(2));
    assert!(other.keep_level(&leader, usize::MAX));
    assert_eq!(other.snapshot().epoch, leader.snapshot().epoch);
}

#[test]
fn the_training_thread_brings_news_of_all_of_one_set() {
    let [first, deeper, dropped] = three();
    let (sender, woken) = std::sync::mpsc::channel();
    let worker = Worker::spawn(first, move || {
        let _ = sender.send(());
    })
    .unwrap();
    assert!(worker.put_beside(9, vec![deeper, dropped]));
    assert!(worker.send(TrainCommand::Start));
    let mut rows = [0, 0];
    let mut steps = [0, 0];
    let mut own = None;
    let patience = std::time::Duration::from_secs(60);
    let is_done = |own: &Option<gradscape::train::Snapshot>, steps: &[u64; 2]| {
        own.as_ref()
            .is_some_and(|s| s.state == RunState::Finished && steps.iter().all(|n| *n == s.step))
    };
    while !is_done(&own, &steps) {
        woken.recv_timeout(patience).unwrap();
        own = worker.take().0.or(own);
        let (set, news) = worker.take_beside();
        assert!(set == 9 || news.is_empty());
        for (k, (snapshot, outbox)) in news.into_iter().enumerate() {
            rows[k] += outbox.rows.len();
            steps[k] = snapshot.map_or(steps[k], |s| s.step);
        }
    }
    // One before training and one for each of six epochs.
    assert_eq!(rows, [7, 7]);
}
