//! Networks side by side in the window: the tab that compares them, and the sheets,
//! distributions and curves beside it, on a bare egui context.

#![cfg(feature = "app")]
#![allow(clippy::unwrap_used)]

mod desk;

use bevy_egui::egui::Key;
use desk::{Desk, SPIRAL};
use gradscape::app::ui::{Figure, Intent, Over, Tab};
use gradscape::app::{Choices, Language, RivalWish, Training};
use gradscape::compare::{Outcome, Variant, beside};
use gradscape::insight::distributions::Quantity;
use gradscape::train::{Session, TrainCommand};
use std::sync::Arc;

/// A desk whose network has learnt for some epochs, with two others beside it.
fn desk(language: Language) -> Desk {
    let choices = Choices {
        language,
        ..Choices::default()
    };
    let mut desk = Desk::new(SPIRAL, [1900.0, 2200.0], choices);
    let mut leader = Session::new(Arc::clone(&desk.training.problem));
    leader.command(TrainCommand::Epochs(3));
    let experiment = &desk.training.problem.experiment;
    let others = [Variant::Deeper, Variant::Wider].map(|variant| {
        let other = variant.of(experiment).unwrap();
        Arc::new(beside(&other, &desk.training.problem).unwrap())
    });
    for problem in others {
        let mut run = Training::at_start(Arc::clone(&problem));
        let mut session = Session::new(problem);
        assert!(session.keep_level(&leader, usize::MAX));
        run.snapshot = session.snapshot();
        for row in session.take_outbox().rows {
            run.history.push(row);
        }
        desk.rivals.list.push(run);
    }
    desk.training.snapshot = leader.snapshot();
    let news = leader.take_outbox();
    news.rows
        .into_iter()
        .for_each(|row| desk.training.history.push(row));
    news.points
        .into_iter()
        .for_each(|point| desk.training.path.push(point));
    desk.press(Key::Backtick);
    desk.frames(3);
    desk
}

fn look(desk: &mut Desk, tab: Tab) {
    desk.panels.inside.tab = tab;
    // What is worked out on a thread comes within these.
    for _ in 0..200 {
        desk.frames(1);
        std::thread::sleep(std::time::Duration::from_millis(5));
        if !desk.says("Looking") && !desk.says("正在查看") {
            break;
        }
    }
    desk.frames(2);
}

#[test]
fn the_table_says_what_each_is_what_differs_and_what_each_came_to() {
    for language in Language::ALL {
        let mut desk = desk(language);
        look(&mut desk, Tab::Compare);
        for widths in ["2-4-3-1", "2-4-3-3-1", "2-8-6-1"] {
            assert!(desk.says(widths), "{widths} {language:?}");
        }
        assert!(desk.says("network.layers"), "{language:?}");
        for run in &desk.rivals.list {
            let outcome = Outcome::of(&run.problem, run.history.rows()).unwrap();
            assert_eq!(outcome.epochs, 3);
            assert!(desk.says(&outcome.parameters.to_string()));
        }
    }
}

#[test]
fn a_network_is_taken_away_by_its_cross_and_all_by_a_button() {
    let mut desk = desk(Language::English);
    look(&mut desk, Tab::Compare);
    let intents = desk.click("compare/remove 1");
    assert!(
        intents
            .iter()
            .any(|i| matches!(i, Intent::Rival(RivalWish::Remove(1))))
    );
}

#[test]
fn sheets_show_every_network_and_likeness_goes_between_two() {
    let mut desk = desk(Language::English);
    look(&mut desk, Tab::Weights);
    // 3 x 4 of the one on screen, 6 x 8 of the wider one beside it.
    assert!(desk.says("dense 2: 3 × 4"));
    assert!(desk.says("dense 2: 6 × 8"));
    look(&mut desk, Tab::Similarity);
    desk.click("similarity/against 1");
    look(&mut desk, Tab::Similarity);
    assert!(desk.says("B 4"), "the deeper one has four layers");
    desk.click("similarity/against 2");
    look(&mut desk, Tab::Similarity);
    assert!(desk.says("C 3"));
}

#[test]
fn distributions_over_time_begin_at_step_0_however_late_one_looks() {
    let mut desk = desk(Language::English);
    desk.panels.inside.spreads.over = Over::Ridges;
    look(&mut desk, Tab::Histograms);
    let steps: Vec<u64> = desk
        .panels
        .inside
        .spreads
        .log
        .moments()
        .iter()
        .map(|m| m.step)
        .collect();
    assert_eq!(steps[0], 0);
    assert_eq!(*steps.last().unwrap(), desk.training.snapshot.step);
    // What is drawn of the newest moment is what its weights are.
    let last = desk.panels.inside.spreads.log.moments().last().unwrap();
    let spread = last.spread(Quantity::Weights, 0).unwrap();
    let layout = desk.training.problem.network.layout();
    let weights = &desk.training.snapshot.params[layout.weight(0)];
    assert_eq!(spread.total, weights.len() as u64);
    let least = weights.iter().copied().fold(f32::INFINITY, f32::min);
    assert_eq!(spread.range().unwrap()[0], f64::from(least));
    assert!(desk.says("8 numbers"));
    desk.panels.inside.spreads.over = Over::Bands;
    desk.panels.inside.spreads.quantity = Quantity::Activations;
    desk.frames(2);
    assert!(desk.says("dense 1"));
}

#[test]
fn large_curves_say_the_newest_epoch_and_those_pinned() {
    let mut desk = desk(Language::English);
    look(&mut desk, Tab::Curves);
    let rows = desk.training.history.rows().to_vec();
    let said = |loss: f64| gradscape::app::ui::number(loss, 4);
    assert!(desk.says(&said(rows[3].train_loss)));
    assert!(!desk.says(&said(rows[1].train_loss)));
    desk.panels.inside.course.pins = vec![1];
    desk.frames(2);
    assert!(desk.says(&said(rows[1].train_loss)));
    desk.panels.inside.course.figure = Figure::Norm;
    desk.frames(2);
    assert!(desk.says(&said(rows[3].gradient_norm.unwrap())));
    assert_eq!(rows[0].gradient_norm, None);
}
