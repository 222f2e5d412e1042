//! The range test and the sweep of the window, without one: they run to their
//! end with the results of the core, can be stopped, and a click takes over
//! what they found.
#![cfg(feature = "app")]
#![allow(clippy::unwrap_used)] // a test fails by panicking

mod desk;

use bevy_egui::egui::{Key, Pos2};
use desk::{Desk, SPIRAL, loaded, train_commands};
use gradscape::app::ui::{Dial, Intent, Setting, Values};
use gradscape::app::{Choices, Language, SearchCommand, Searches, Texts, Wake};
use gradscape::search::{Plan, RangeTest, Row, Run, rank};
use gradscape::train::TrainCommand;
use std::sync::Arc;
use std::time::Duration;

fn quiet() -> Wake {
    Arc::new(|| {})
}

/// Carries out the wishes for searches, as the window does.
fn obey(desk: &mut Desk, intents: &[Intent]) -> usize {
    let mut heard = 0;
    for intent in intents {
        if let Intent::Search(command) = intent {
            desk.panels.searches.obey(command.clone(), quiet());
            heard += 1;
        }
    }
    heard
}

fn wait(desk: &mut Desk, until: impl Fn(&Searches) -> bool) {
    for _ in 0..60_000 {
        desk.panels.searches.receive();
        if until(&desk.panels.searches) {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("nothing came");
}

fn range_done(searches: &Searches) -> bool {
    searches.range.as_ref().is_some_and(|r| !r.is_running())
}

fn sweep_done(searches: &Searches) -> bool {
    searches.sweep.as_ref().is_some_and(|s| !s.is_running())
}

fn new_desk(text: &str, language: Language) -> (Desk, Texts) {
    let choices = Choices {
        language,
        ..Choices::default()
    };
    let mut desk = Desk::new(text, [1280.0, 1400.0], choices);
    desk.frames(3);
    (desk, Texts::new(language))
}

#[test]
fn the_range_test_ends_with_the_curve_of_the_core_and_a_click_takes_its_rate() {
    for language in Language::ALL {
        let (mut desk, texts) = new_desk(SPIRAL, language);
        let mut intents = desk.press(Key::Q);
        intents.extend(desk.frames(1));
        assert_eq!(obey(&mut desk, &intents), 1, "it begins by itself, once");
        wait(&mut desk, range_done);
        let trial = desk.panels.searches.range.as_ref().unwrap();
        let plan = trial.plan().clone();
        let mut test = RangeTest::new(&plan.problem, plan.from, plan.to, plan.steps).unwrap();
        while test.advance() {}
        assert_eq!(trial.curve(), test.curve());
        assert_eq!(trial.end(), test.end());
        assert_eq!(trial.suggestion(), test.suggestion());
        let suggested = trial.suggestion().expect("a spiral can be learnt").rate;
        desk.frames(2);
        let text = texts.with("range_test.take", &[("rate", &suggested)]);
        let button = desk.place(&text);
        let intents = desk.click_at(button.center());
        assert_eq!(
            train_commands(&intents),
            [&TrainCommand::SetLearningRate(suggested)]
        );
        let draft = &desk.panels.draft.experiment;
        assert_eq!(draft.training.optimizer.learning_rate, suggested);
        // Shown again, it has its curve still.
        desk.press(Key::Q);
        let mut intents = desk.press(Key::Q);
        intents.extend(desk.frames(2));
        assert_eq!(obey(&mut desk, &intents), 0);
        desk.press(Key::Escape);
        assert!(!desk.panels.range.open);
    }
}

#[test]
fn a_click_on_the_curve_takes_the_rate_under_it() {
    let (mut desk, _) = new_desk(SPIRAL, Language::English);
    let mut intents = desk.press(Key::Q);
    intents.extend(desk.frames(1));
    obey(&mut desk, &intents);
    wait(&mut desk, range_done);
    desk.frames(3);
    // Between the labels of two powers of ten on the axis of rates.
    let [a, b] = ["1e−4", "0.001"].map(|text| desk.place(text));
    let at = Pos2::new((a.center().x + b.center().x) / 2.0, a.top() - 60.0);
    let intents = desk.click_at(at);
    let [TrainCommand::SetLearningRate(rate)] = train_commands(&intents)[..] else {
        panic!("{intents:?}")
    };
    let middle = 10f64.powf(-3.5);
    assert!((rate / middle).log10().abs() < 0.1, "{rate}");
}

#[test]
fn a_range_test_that_is_stopped_keeps_its_curve_and_grows_no_further() {
    let (mut desk, texts) = new_desk(SPIRAL, Language::English);
    desk.panels.range.steps = 100_000;
    let mut intents = desk.press(Key::Q);
    intents.extend(desk.frames(1));
    obey(&mut desk, &intents);
    wait(&mut desk, |s| !s.range.as_ref().unwrap().curve().is_empty());
    desk.frames(2);
    let button = desk.place(texts.get("range_test.cancel"));
    let intents = desk.click_at(button.center());
    assert!(matches!(
        intents[..],
        [Intent::Search(SearchCommand::CancelRange)]
    ));
    obey(&mut desk, &intents);
    let trial = desk.panels.searches.range.as_ref().unwrap();
    let length = trial.curve().len();
    assert!(!trial.is_running() && trial.end().is_none() && length < 100_000);
    desk.panels.searches.receive();
    desk.frames(2);
    let said = texts.with("range_test.cancelled", &[("n", &length), ("m", &100_000)]);
    assert!(desk.says(&said), "{said}");
}

#[test]
fn an_optimiser_without_a_rate_is_told_so_and_nothing_begins() {
    let text = "[data]\nsource = \"plane\"\n[network]\nloss = \"half-squared-error\"\n\
                [training]\nbatch = \"full\"\noptimizer = { name = \"lbfgs\" }\n";
    let (mut desk, texts) = new_desk(text, Language::English);
    let mut intents = desk.press(Key::Q);
    intents.extend(desk.frames(2));
    assert_eq!(obey(&mut desk, &intents), 0);
    let said = texts.with("range_test.no_rate", &[("name", &"L-BFGS")]);
    assert!(desk.says(&said));
}

/// A sweep of four short runs, one of which diverges.
fn short_sweep(desk: &mut Desk) {
    desk.press(Key::G);
    desk.panels.sweep.epochs = Some(2);
    desk.panels.sweep.dials = vec![
        Dial {
            setting: Setting::LearningRate,
            values: Values::List("0.01, 0.1".to_owned()),
        },
        Dial {
            setting: Setting::Units(0),
            values: Values::List("2, 5".to_owned()),
        },
    ];
    desk.frames(3);
}

fn start(desk: &mut Desk, texts: &Texts) -> usize {
    let button = desk.place(texts.get("sweep.start"));
    let intents = desk.click_at(button.center());
    obey(desk, &intents)
}

/// All but the wall time.
fn timeless(rows: &[Row]) -> Vec<Row> {
    let still = |row: &Row| Row {
        seconds: 0.0,
        ..row.clone()
    };
    rows.iter().map(still).collect()
}

#[test]
fn a_sweep_ends_with_the_table_of_the_core_and_a_click_loads_its_best_run() {
    for language in Language::ALL {
        let (mut desk, texts) = new_desk(SPIRAL, language);
        short_sweep(&mut desk);
        assert!(desk.says(&texts.with("sweep.runs", &[("n", &4)])));
        assert_eq!(start(&mut desk, &texts), 1);
        wait(&mut desk, sweep_done);
        let trial = desk.panels.searches.sweep.as_ref().unwrap();
        assert_eq!(trial.error(), None);
        assert_eq!(trial.progress(), 1.0);
        let mut base = desk.training.problem.experiment.clone();
        base.training.epochs = 2;
        let vary = [
            "training.optimizer.learning_rate=0.01,0.1",
            "network.layers[0].dense=2,5",
        ];
        let plan = Plan::new(&base, &vary.map(|v| v.parse().unwrap())).unwrap();
        let expected: Vec<Row> = plan
            .cases()
            .iter()
            .map(|case| {
                let mut run = Run::new(plan.problem(case).unwrap());
                while run.advance() {}
                Row::new(case.run, case.texts(), &run.outcome(), 0.0)
            })
            .collect();
        assert_eq!(timeless(trial.rows()), expected);
        let best = rank(&expected)[0].run;
        desk.frames(3);
        let button = desk.place(texts.get("sweep.load_best"));
        let intents = desk.click_at(button.center());
        assert_eq!(
            loaded(&intents).unwrap(),
            &plan.cases()[best - 1].experiment
        );
    }
}

#[test]
fn a_click_on_the_end_of_a_line_loads_that_run() {
    let (mut desk, texts) = new_desk(SPIRAL, Language::English);
    short_sweep(&mut desk);
    start(&mut desk, &texts);
    wait(&mut desk, sweep_done);
    desk.frames(3);
    let trial = desk.panels.searches.sweep.as_ref().unwrap();
    let worst = *rank(trial.rows()).last().unwrap();
    let worst = trial.plan().unwrap().cases()[worst.run - 1]
        .experiment
        .clone();
    // The axis of losses is under its title, the greatest loss at its top.
    let title = texts.get("figure.validation_loss");
    let titles = desk.texts().into_iter().filter(|(t, ..)| t == title);
    let axis = titles
        .map(|(_, rect, ..)| rect)
        .find(|rect| desk.free.contains(rect.center()))
        .unwrap();
    let at = axis.center_bottom() + bevy_egui::egui::vec2(-7.0, 9.0);
    let intents = desk.click_at(at);
    assert_eq!(loaded(&intents), Some(&worst));
}

#[test]
fn a_sweep_that_is_stopped_keeps_its_finished_runs_and_begins_no_other() {
    let (mut desk, texts) = new_desk(SPIRAL, Language::English);
    short_sweep(&mut desk);
    desk.panels.sweep.dials[1].values = Values::List("2..100".to_owned());
    desk.panels.sweep.epochs = Some(50);
    desk.frames(2);
    start(&mut desk, &texts);
    wait(&mut desk, |s| !s.sweep.as_ref().unwrap().rows().is_empty());
    desk.frames(2);
    let button = desk.place(texts.get("sweep.cancel"));
    let intents = desk.click_at(button.center());
    assert_eq!(obey(&mut desk, &intents), 1);
    let trial = desk.panels.searches.sweep.as_ref().unwrap();
    let rows = trial.rows().len();
    assert!((1..198).contains(&rows) && trial.is_cancelled() && !trial.is_running());
    desk.frames(3);
    let trial = desk.panels.searches.sweep.as_ref().unwrap();
    assert_eq!(trial.rows().len(), rows);
    let said = texts.with("sweep.cancelled", &[("n", &rows), ("m", &198)]);
    assert!(desk.says(&said), "{said}");
}

#[test]
fn values_that_cannot_be_read_start_nothing_and_a_bad_one_is_named() {
    let (mut desk, texts) = new_desk(SPIRAL, Language::English);
    short_sweep(&mut desk);
    desk.panels.sweep.dials[1].values = Values::List("2,,5".to_owned());
    desk.frames(2);
    assert!(desk.says(texts.get("sweep.unreadable")));
    assert_eq!(start(&mut desk, &texts), 0);
    desk.panels.sweep.dials[1].values = Values::List("2, many".to_owned());
    desk.frames(2);
    assert_eq!(start(&mut desk, &texts), 1);
    wait(&mut desk, sweep_done);
    let error = desk.panels.searches.sweep.as_ref().unwrap().error();
    let error = error.unwrap().to_owned();
    assert!(error.contains("many"), "{error}");
    desk.frames(2);
    assert!(desk.says("many"));
}

#[test]
fn nothing_of_the_searches_is_cut_at_the_side_in_any_language() {
    for language in Language::ALL {
        let (mut desk, texts) = new_desk(SPIRAL, language);
        desk.size = [1280.0, 2600.0].into();
        desk.frames(2);
        desk.click("training/more");
        short_sweep(&mut desk);
        start(&mut desk, &texts);
        wait(&mut desk, sweep_done);
        let mut intents = desk.press(Key::Q);
        intents.extend(desk.frames(1));
        obey(&mut desk, &intents);
        wait(&mut desk, range_done);
        desk.frames(4);
        for (text, rect, clip, elided) in desk.texts() {
            let own = text.contains('/') || text.contains('…') || text.contains(" · ");
            assert!(!elided || own, "{language:?}: shortened {text:?}");
            if own || !clip.intersects(rect) {
                continue;
            }
            assert!(
                rect.right() <= clip.right() + 1.0 && rect.left() >= clip.left() - 1.0,
                "{language:?}: {text:?} at {rect:?} is cut by {clip:?}"
            );
        }
    }
}
