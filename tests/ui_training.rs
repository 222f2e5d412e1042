//! The training panel without a window: every control changes the experiment
//! as it says, and a run that has stopped says why.
#![cfg(feature = "app")]
#![allow(clippy::unwrap_used)] // a test fails by panicking

mod desk;

use desk::{Desk, SPIRAL, loaded};
use gradscape::app::{Choices, Language, Texts};
use gradscape::experiment::{
    Batch, EarlyStopping, Experiment, OptimizerConfig, OptimizerName, ScheduleName,
};
use gradscape::optim::Method;
use gradscape::train::{Session, StopReason, TrainCommand};
use std::sync::Arc;

fn desk(text: &str, language: Language) -> (Desk, Texts) {
    let choices = Choices {
        language,
        ..Choices::default()
    };
    let mut desk = Desk::new(text, [1280.0, 3000.0], choices);
    desk.frames(2);
    desk.click("training/more");
    desk.frames(4);
    (desk, Texts::new(language))
}

/// The experiment once the hand rests.
fn edited(desk: &mut Desk) -> Experiment {
    let intents = desk.frames(8);
    loaded(&intents).expect("an edit").clone()
}

#[test]
fn each_constant_of_the_optimiser_is_written_into_the_experiment() {
    let (mut desk, texts) = desk(SPIRAL, Language::English);
    for (label, value) in [("beta1", "0.8"), ("beta2", "0.95"), ("epsilon", "1e-6")] {
        desk.enter(texts.get(&format!("training_panel.{label}")), value);
    }
    let optimizer = edited(&mut desk).training.optimizer;
    assert_eq!(optimizer.beta1, Some(0.8));
    assert_eq!(optimizer.beta2, Some(0.95));
    assert_eq!(optimizer.epsilon, Some(1e-6));
}

#[test]
fn an_optimiser_from_the_menu_shows_its_rule_and_only_its_constants() {
    for language in Language::ALL {
        let (mut desk, texts) = desk(SPIRAL, language);
        for (name, label) in [
            (OptimizerName::Momentum, "momentum"),
            (OptimizerName::Rprop, "eta_plus"),
            (OptimizerName::Lbfgs, "history"),
            (OptimizerName::NAdam, "momentum_decay"),
        ] {
            let file = OptimizerConfig::new(name, 1.0).kind().name();
            let title = texts.get(&format!("optimizer.{file}")).to_owned();
            desk.pick(texts.get("training_panel.optimizer"), &title);
            let experiment = edited(&mut desk);
            assert_eq!(experiment.training.optimizer.name, name);
            assert_eq!(experiment.validate(), Ok(()));
            let rule = texts.get(&format!("update_rule.{file}")).to_owned();
            let first = rule.split([',', ';', '，', '；']).next().unwrap();
            assert!(desk.says(first), "{file}");
            assert!(
                desk.find(texts.get(&format!("training_panel.{label}")))
                    .is_some()
            );
            let full = matches!(experiment.training.optimizer.kind(), Method::FullBatch(_));
            assert_eq!(desk.says(texts.get("training_panel.full_note")), full);
            if full {
                assert_eq!(experiment.training.batch, Batch::Full);
                // And nothing undoes it.
                desk.click_beside(texts.get("training_panel.batch"));
                assert_eq!(desk.panels.draft.experiment.training.batch, Batch::Full);
            }
        }
    }
}

#[test]
fn schedule_penalties_clipping_and_stopping_are_written_into_the_experiment() {
    let (mut desk, texts) = desk(SPIRAL, Language::English);
    let t = |key: &str| texts.get(&format!("training_panel.{key}")).to_owned();
    desk.pick(&t("schedule"), texts.get("schedule.cosine"));
    desk.frames(2);
    desk.enter(&t("minimum"), "0.001");
    desk.enter(&t("warmup"), "25");
    desk.enter(&t("l1"), "0.002");
    desk.enter(&t("l2"), "0.003");
    desk.enter(&t("label_smoothing"), "0.1");
    for key in ["clip_norm", "clip_value", "early_stopping"] {
        desk.click_beside(&t(key));
        desk.frames(2);
    }
    desk.enter(&t("stop_patience"), "7");
    let training = edited(&mut desk).training;
    assert_eq!(training.schedule.name, ScheduleName::Cosine);
    assert_eq!(training.schedule.minimum, Some(0.001));
    assert_eq!(training.schedule.warmup_steps, Some(25));
    assert_eq!([training.l1, training.l2], [0.002, 0.003]);
    assert_eq!(training.label_smoothing, 0.1);
    assert_eq!([training.clip_norm, training.clip_value], [Some(1.0); 2]);
    let stopping = EarlyStopping {
        patience: 7,
        min_delta: 0.0,
    };
    assert_eq!(training.early_stopping, Some(stopping));
    let title = texts.with("training_panel.more_used", &[("n", &7)]);
    assert!(desk.find(&title).is_some(), "seven things are in use");
    desk.click_beside(&t("early_stopping"));
    assert_eq!(edited(&mut desk).training.early_stopping, None);
}

#[test]
fn weight_decay_is_offered_to_the_optimisers_that_have_it() {
    let (mut desk, texts) = desk(SPIRAL, Language::English);
    let label = texts.get("training_panel.weight_decay");
    assert!(desk.find(label).is_none(), "Adam has none");
    let adamw = texts.get("optimizer.adamw");
    desk.pick(texts.get("training_panel.optimizer"), adamw);
    desk.frames(3);
    desk.enter(label, "0.05");
    assert_eq!(
        edited(&mut desk).training.optimizer.weight_decay,
        Some(0.05)
    );
}

#[test]
fn the_rate_in_force_follows_the_schedule() {
    let text = format!("{SPIRAL}schedule = {{ name = \"step\", every = 1, factor = 0.5 }}\n");
    let (mut desk, _) = desk(&text, Language::English);
    let mut session = Session::new(Arc::clone(&desk.training.problem));
    (0..3).for_each(|_| session.command(TrainCommand::Epoch));
    desk.training.snapshot = session.snapshot();
    desk.frames(2);
    let [base, now] = [
        desk.training.snapshot.base_learning_rate,
        desk.training.snapshot.learning_rate,
    ];
    assert_eq!(now, base / 8.0);
    assert!(desk.find("0.00125").is_some(), "{now}");
}

#[test]
fn a_run_that_stopped_says_why_until_it_is_read() {
    for language in Language::ALL {
        let text = format!("{SPIRAL}early_stopping = {{ patience = 1, min_delta = 10.0 }}\n");
        let (mut desk, texts) = desk(&text, language);
        assert!(!desk.says(texts.get("stopped.title")));
        let mut session = Session::new(Arc::clone(&desk.training.problem));
        session.command(TrainCommand::Start);
        while session.advance() {}
        desk.training.snapshot = session.snapshot();
        let stop = desk.training.snapshot.stop.clone().unwrap();
        let StopReason::NoProgress { best_epoch, .. } = stop else {
            panic!("{stop:?}")
        };
        desk.frames(3);
        assert!(desk.find(texts.get("stopped.title")).is_some());
        assert!(desk.find(texts.get("stopped.epoch")).is_some());
        let beginning = texts.with(
            "stopped.no_progress",
            &[
                ("epoch", &(best_epoch + 1)),
                ("epochs", &1),
                ("best_epoch", &best_epoch),
            ],
        );
        let beginning = beginning.split("{best}").next().unwrap().to_owned();
        assert!(desk.says(&beginning), "{beginning}");
        desk.click("stopped/close");
        desk.frames(2);
        assert!(!desk.says(&beginning));
        assert!(
            desk.find(texts.get("stopped.epoch")).is_some(),
            "the bar still does"
        );
    }
}

#[test]
fn a_solver_that_gives_up_says_why() {
    let text = "[data]\nsource = \"plane\"\n[network]\nloss = \"half-squared-error\"\n\
                [training]\nbatch = \"full\"\nepochs = 200\n\
                optimizer = { name = \"levenberg-marquardt\" }\n";
    let (mut desk, texts) = desk(text, Language::English);
    let mut session = Session::new(Arc::clone(&desk.training.problem));
    session.command(TrainCommand::Start);
    while session.advance() {}
    desk.training.snapshot = session.snapshot();
    let stop = desk.training.snapshot.stop.clone();
    assert!(matches!(stop, Some(StopReason::Solver { .. })), "{stop:?}");
    desk.frames(3);
    assert!(desk.says(&format!("{}:", texts.get("optimizer.levenberg-marquardt"))));
    // It has no rate to set, and none to look for.
    assert!(desk.says(texts.get("run.own_rate")));
    assert!(desk.find(texts.get("range_test.find")).is_none());
}
