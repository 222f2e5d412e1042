//! What a run promises about its optimiser: full-batch methods, schedules,
//! early stopping, and that a rewind brings all of their state back.
#![allow(clippy::unwrap_used)] // a test fails by panicking

use gradscape::experiment::{
    Experiment, OptimizerConfig, OptimizerName, ScheduleConfig, ScheduleName,
};
use gradscape::train::{
    HistoryRow, Problem, RunState, Session, StepOutcome, StopReason, TrainCommand, Trainer,
};
use std::sync::Arc;

fn problem(text: &str) -> Arc<Problem> {
    let experiment = Experiment::parse(text, "test.toml").unwrap_or_else(|e| panic!("{e}"));
    Arc::new(Problem::new(&experiment).unwrap())
}

/// `sine` through 1-10-1 with tanh, all samples in every step.
fn sine(training: &str) -> Arc<Problem> {
    problem(&format!(
        "[data]\nsource = \"sine\"\nvalidation = 0.25\n[network]\nlayers = [{{ dense = 10 }}]\n\
         loss = \"half-squared-error\"\n[training]\nbatch = \"full\"\n{training}"
    ))
}

fn spiral(training: &str) -> Arc<Problem> {
    problem(&format!(
        "[data]\nsource = \"spiral\"\nsamples = 90\nnoise = 0.1\nvalidation = 0.2\n\
         [network]\nlayers = [{{ dense = 6 }}]\nloss = \"cross-entropy\"\n[training]\n{training}"
    ))
}

/// Runs to the end and gives the rows.
fn run(session: &mut Session) -> Vec<HistoryRow> {
    session.command(TrainCommand::Start);
    while session.advance() {}
    session.take_outbox().rows
}

fn last_loss(problem: Arc<Problem>) -> f64 {
    run(&mut Session::new(problem)).last().unwrap().train_loss
}

#[test]
#[allow(clippy::print_stdout)] // the figures, for who asks with --nocapture
fn levenberg_marquardt_beats_gradient_descent_by_orders_of_magnitude() {
    let epochs = "epochs = 200";
    let loss = |optimizer: &str| last_loss(sine(&format!("{epochs}\noptimizer = {optimizer}")));
    let lm = loss("{ name = \"levenberg-marquardt\" }");
    let lbfgs = loss("{ name = \"lbfgs\" }");
    let cg = loss("{ name = \"polak-ribiere\" }");
    // The best of a range of rates.
    let descent = ["0.01", "0.03", "0.1", "0.2"]
        .map(|rate| loss(&format!("{{ name = \"sgd\", learning_rate = {rate} }}")))
        .into_iter()
        .fold(f64::INFINITY, f64::min);
    println!("after 200 epochs: gd {descent:.2e} cg {cg:.2e} l-bfgs {lbfgs:.2e} lm {lm:.2e}");
    assert!(lm < 1e-4 * descent, "{lm} {descent}");
    assert!(lbfgs < 0.1 * descent, "{lbfgs} {descent}");
    assert!(cg < 0.5 * descent, "{cg} {descent}");
}

#[test]
fn full_batch_methods_never_raise_the_training_loss_they_minimise() {
    for name in [
        "fletcher-reeves",
        "polak-ribiere",
        "lbfgs",
        "levenberg-marquardt",
    ] {
        let optimizer = format!("optimizer = {{ name = \"{name}\" }}\nepochs = 60");
        let rows = run(&mut Session::new(sine(&optimizer)));
        assert!(rows.len() > 20, "{name}");
        for pair in rows.windows(2) {
            // The history is of the weights as rounded to single precision.
            let [a, b] = [pair[0].train_loss, pair[1].train_loss];
            assert!(b <= a * (1.0 + 1e-5) + 1e-12, "{name}: {a} to {b}");
        }
        let steps = rows.last().unwrap().step;
        assert_eq!(steps, rows.len() as u64 - 1, "a step is an epoch");
    }
}

#[test]
fn a_method_with_nothing_left_to_try_ends_the_run_and_says_why() {
    // No hidden layer: a least-squares line, which Newton's step solves.
    let line = "[data]\nsource = \"sine\"\n[network]\nloss = \"half-squared-error\"\n\
                [training]\nbatch = \"full\"\nepochs = 500\n";
    for name in [
        "fletcher-reeves",
        "polak-ribiere",
        "lbfgs",
        "levenberg-marquardt",
    ] {
        let mut session = Session::new(problem(&format!(
            "{line}optimizer = {{ name = \"{name}\" }}"
        )));
        let rows = run(&mut session);
        assert_eq!(session.state(), RunState::Finished, "{name}");
        assert!(rows.len() < 60, "{name}: {}", rows.len());
        let Some(StopReason::Solver { method, .. }) = session.snapshot().stop else {
            panic!("{name}: {:?}", session.stop());
        };
        assert_eq!(method, name);
        // To go on ends at once again, and moves nothing.
        let weights = session.trainer().params().to_vec();
        assert!(run(&mut session).is_empty());
        assert_eq!(session.state(), RunState::Finished);
        assert_eq!(session.trainer().params(), weights);
        // Other weights are another start.
        session.command(TrainCommand::SetParams(vec![1.0; weights.len()].into()));
        assert_eq!(session.stop(), None);
        session.command(TrainCommand::Step);
        assert_ne!(session.trainer().params(), vec![1.0; weights.len()]);
    }
}

#[test]
fn levenberg_marquardt_refuses_what_it_cannot_solve() {
    let text = |layers: &str| {
        format!(
            "[data]\nsource = \"sine\"\n[network]\nloss = \"half-squared-error\"\n\
             layers = [{layers}]\n[training]\nbatch = \"full\"\n\
             optimizer = {{ name = \"levenberg-marquardt\" }}"
        )
    };
    for (layers, parts) in [
        (
            "{ dense = 80 }, { dense = 80 }",
            ["line 8", "6721", "5000", "lbfgs"],
        ),
        (
            "{ dense = 8 }, { dropout = 0.5 }",
            ["line 8", "dropout", "batch normalisation", "adam"],
        ),
    ] {
        let experiment = Experiment::parse(&text(layers), "test.toml").unwrap();
        let message = Problem::new(&experiment).unwrap_err().to_string();
        for part in parts {
            assert!(message.contains(part), "{message}");
        }
    }
}

#[test]
fn a_rate_shown_is_the_one_that_the_next_step_makes() {
    for schedule in [
        "{ name = \"step\", every = 2, factor = 0.5 }",
        "{ name = \"exponential\", factor = 0.7, warmup_steps = 5 }",
        "{ name = \"cosine\", minimum = 0.001 }",
        "{ name = \"one-cycle\" }",
        "{ name = \"plateau\", patience = 0, threshold = 0.3 }",
    ] {
        let mut session = Session::new(spiral(&format!(
            "batch = 20\nepochs = 6\nschedule = {schedule}\n\
             optimizer = {{ name = \"sgd\", learning_rate = 0.1 }}"
        )));
        let mut rates = Vec::new();
        while session.state() != RunState::Finished {
            let rate = session.snapshot().learning_rate;
            assert_eq!(session.snapshot().base_learning_rate, 0.1);
            rates.push(rate);
            session.command(TrainCommand::Step);
            let snapshot = session.snapshot();
            for (update, gradient) in snapshot.update.iter().zip(&*snapshot.gradient) {
                assert!((f64::from(*update) + rate * f64::from(*gradient)).abs() < 1e-6);
            }
            assert_eq!(session.trainer().last_rate(), rate);
        }
        assert_eq!(rates.len(), 24);
        assert!(rates.iter().any(|&r| r != rates[0]), "{schedule}");
        let rows = session.take_outbox().rows;
        assert_eq!(rows[0].learning_rate, rates[0]);
        for row in &rows[1..] {
            assert_eq!(row.learning_rate, rates[row.step as usize - 1]);
        }
    }
}

#[test]
fn a_rate_set_by_hand_is_the_schedules_new_base() {
    let mut session = Session::new(spiral(
        "batch = \"full\"\nepochs = 10\nschedule = { name = \"exponential\", factor = 0.5 }\n\
         optimizer = { name = \"sgd\", learning_rate = 0.1 }",
    ));
    (0..3).for_each(|_| session.command(TrainCommand::Step));
    session.command(TrainCommand::SetLearningRate(0.8));
    let snapshot = session.snapshot();
    assert_eq!(
        (snapshot.base_learning_rate, snapshot.learning_rate),
        (0.8, 0.1)
    );
    // A method without a rate has none to set.
    let mut session = Session::new(sine("optimizer = { name = \"lbfgs\" }"));
    session.command(TrainCommand::SetLearningRate(0.8));
    assert_eq!(session.snapshot().base_learning_rate, 0.0);
}

/// Trains long enough for the validation loss to turn.
fn overfit(training: &str) -> Session {
    let text = format!(
        "[data]\nsource = \"spiral\"\nsamples = 60\nnoise = 0.6\nvalidation = 0.4\n[network]\n\
         layers = [{{ dense = 20 }}]\nloss = \"cross-entropy\"\n[training]\nbatch = 8\n\
         optimizer = {{ name = \"adam\", learning_rate = 0.02 }}\n{training}"
    );
    Session::new(problem(&text))
}

#[test]
fn early_stopping_ends_the_run_and_gives_the_best_weights_back() {
    let mut free = overfit("epochs = 200");
    let all = run(&mut free);
    let mut session =
        overfit("epochs = 200\nearly_stopping = { patience = 15, min_delta = 0.0001 }");
    let rows = run(&mut session);
    assert_eq!(session.state(), RunState::Finished);
    assert!(rows.len() < 150, "{}", rows.len());
    // Until then it is the run without it.
    assert_eq!(rows, all[..rows.len()]);

    // By hand: the epoch whose loss none of the next fifteen beats.
    let losses: Vec<f64> = rows.iter().map(|r| r.validation_loss.unwrap()).collect();
    let (mut best, mut best_epoch) = (f64::INFINITY, 0);
    for (epoch, &loss) in losses.iter().enumerate().skip(1) {
        if loss < best - 0.0001 {
            (best, best_epoch) = (loss, epoch);
        }
    }
    assert_eq!(rows.len() - 1, best_epoch + 15);
    let expected = StopReason::NoProgress {
        epochs: 15,
        best,
        best_epoch,
    };
    assert_eq!(session.stop(), Some(&expected));
    assert_eq!(session.best_epoch(), Some(best_epoch));

    // The weights are those of that epoch, to the bit.
    let mut again = overfit("epochs = 200");
    while again.trainer().epoch() < best_epoch {
        again.command(TrainCommand::Epoch);
    }
    assert_eq!(session.trainer().params(), again.trainer().params());
    let end = session.trajectory().points().last().unwrap();
    assert_eq!(&*end.params, again.trainer().params());

    // Going on waits anew.
    let epoch = session.trainer().epoch();
    session.command(TrainCommand::Start);
    assert_eq!(session.stop(), None);
    while session.advance() {}
    assert!(session.trainer().epoch() >= epoch + 15);
}

#[test]
fn a_run_that_reaches_its_last_epoch_has_its_best_weights_too() {
    let mut session = overfit("epochs = 60\nearly_stopping = { patience = 1000 }");
    let rows = run(&mut session);
    assert_eq!((rows.len(), session.stop()), (61, None));
    let best = rows[1..]
        .iter()
        .min_by(|a, b| {
            a.validation_loss
                .unwrap()
                .total_cmp(&b.validation_loss.unwrap())
        })
        .unwrap();
    assert!(best.epoch < 60);
    assert_eq!(session.best_epoch(), Some(best.epoch));
    let problem = Arc::clone(session.trainer().problem());
    let params = session.trainer().params().to_vec();
    let (_, validation) = Trainer::with_params(problem, params, 0).evaluate();
    assert_eq!(validation.unwrap().loss, best.validation_loss.unwrap());
    // A step beyond the end is one, and stays.
    let before = session.trainer().params().to_vec();
    session.command(TrainCommand::Step);
    assert_ne!(session.trainer().params(), before);
}

#[test]
fn early_stopping_without_samples_to_watch_is_refused() {
    let text = "[data]\nsource = \"sine\"\n[network]\nloss = \"half-squared-error\"\n\
                [training]\nearly_stopping = { patience = 3 }";
    let mut problem = Problem::clone(&problem(text));
    problem.validation = problem.validation.select(&[]);
    let mut trainer = Trainer::new(Arc::new(problem));
    let StepOutcome::Stopped(StopReason::Refused(error)) = trainer.step() else {
        panic!("it made a step");
    };
    assert_eq!(error.key, "training.early_stopping");
}

/// After a rewind into the middle of a run the future is the same again, bit
/// for bit, whatever the optimiser and the schedule have to remember.
#[test]
fn a_rewind_brings_back_everything_that_the_next_step_depends_on() {
    let replay = |what: &str, problem: Arc<Problem>| {
        let mut session = Session::new(problem);
        let first = run(&mut session);
        let (end, stop) = (session.trainer().params().to_vec(), session.stop().cloned());
        for back in 0..5 {
            session.command(TrainCommand::Rewind);
            assert_eq!(session.stop(), None, "{what}");
            let epoch = session.trainer().epoch();
            let again = run(&mut session);
            assert_eq!(again, first[epoch + 1..], "{what}, {back}");
            assert_eq!(session.trainer().params(), end, "{what}, {back}");
            assert_eq!(session.stop().cloned(), stop, "{what}, {back}");
            (0..back).for_each(|_| session.command(TrainCommand::Rewind));
        }
    };
    for name in OptimizerName::ALL {
        let mut config = OptimizerConfig::new(name, 0.01);
        if name == OptimizerName::AdaDelta {
            config.learning_rate = 1.0;
        }
        let mut experiment = sine("epochs = 9").experiment.clone();
        experiment.training.optimizer = config;
        let problem = Problem::new(&experiment).unwrap();
        replay(config.kind().name(), Arc::new(problem));
    }
    for name in ScheduleName::ALL {
        let mut experiment = overfit("epochs = 40")
            .trainer()
            .problem()
            .experiment
            .clone();
        experiment.training.schedule = ScheduleConfig::new(name);
        if name == ScheduleName::Plateau {
            experiment.training.schedule.patience = Some(2);
        }
        let problem = Problem::new(&experiment).unwrap();
        replay(
            experiment.training.schedule.schedule().rule.name(),
            Arc::new(problem),
        );
    }
    let stopping = overfit("epochs = 200\nearly_stopping = { patience = 15 }");
    let problem = Arc::clone(stopping.trainer().problem());
    replay("early stopping", problem);
}

#[test]
fn a_clipped_step_has_the_norm_that_was_asked_for() {
    let mut trainer = Trainer::new(spiral(
        "batch = 20\nclip_norm = 0.01\noptimizer = { name = \"sgd\", learning_rate = 0.5 }",
    ));
    let mut value = Trainer::new(spiral(
        "batch = 20\nclip_value = 0.003\noptimizer = { name = \"sgd\", learning_rate = 0.5 }",
    ));
    for _ in 0..20 {
        trainer.step();
        let norm = |v: &[f32]| v.iter().map(|&g| f64::from(g).powi(2)).sum::<f64>().sqrt();
        assert!((norm(trainer.gradient()) - 0.01).abs() < 1e-8);
        assert!((norm(&trainer.last_update()) - 0.005).abs() < 1e-6);
        value.step();
        let largest = value
            .gradient()
            .iter()
            .fold(0.0, |m: f32, g| m.max(g.abs()));
        assert_eq!(largest, 0.003);
    }
}
