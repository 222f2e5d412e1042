//! The panel with the inside of the network, on a bare egui context.

#![cfg(feature = "app")]
#![allow(clippy::unwrap_used)]

mod desk;

use bevy_egui::egui::{Event, Key};
use desk::{Desk, SPIRAL};
use gradscape::app::ui::Tab;
use gradscape::app::{Choices, Item, Language};
use gradscape::train::{Session, TrainCommand};
use std::sync::Arc;

const DIGITS: &str = "seed = 7\n[data]\nsource = \"digits\"\nlimit = 200\n[network]\n\
    layers = [{ conv = 3, kernel = 3, activation = \"relu\" }, \"flatten\", { dense = 8 }]\n\
    loss = \"cross-entropy\"\n";

fn desk(text: &str, language: Language) -> Desk {
    let choices = Choices {
        language,
        ..Choices::default()
    };
    let mut desk = Desk::new(text, [1600.0, 1000.0], choices);
    let mut session = Session::new(Arc::clone(&desk.training.problem));
    session.command(TrainCommand::Epochs(2));
    desk.training.snapshot = session.snapshot();
    desk.press(Key::Backtick);
    desk.frames(3);
    desk
}

#[test]
fn a_key_opens_it_and_takes_room_from_the_scene() {
    let mut desk = desk(DIGITS, Language::English);
    assert!(desk.panels.inside.open);
    let with = desk.free.height();
    desk.press(Key::Backtick);
    desk.frames(3);
    assert!(!desk.panels.inside.open);
    assert!(desk.free.height() > with + 150.0);
}

#[test]
fn every_tab_shows_the_networks_own_things_in_both_languages() {
    for language in Language::ALL {
        let mut desk = desk(DIGITS, language);
        let mut look = |tab: Tab, says: &str| {
            desk.panels.inside.tab = tab;
            desk.frames(3);
            assert!(desk.says(says), "{tab:?} {language:?}: {says}");
        };
        // 3 filters of 3x3 with biases; 108 into 8; 8 into 10.
        look(Tab::Structure, "conv, 3×3, relu");
        look(Tab::Structure, "3 × 6 × 6");
        look(Tab::Structure, "992");
        look(Tab::Weights, "dense 3: 8 × 108");
        look(Tab::Filters, "conv 1, 3");
        look(Tab::Features, "conv 1, 2");
        look(Tab::Features, "conv 1, 3");
        look(Tab::Features, "flatten 2: 108 units");
        look(Tab::Batch, "dense 3: 8 units");
        look(Tab::Batch, "100");
        look(Tab::Histograms, "dense 4  ·  80");
        look(Tab::Scores, "F1");
    }
}

#[test]
fn a_flat_layer_is_bars_that_say_their_values() {
    let mut desk = desk(SPIRAL, Language::English);
    desk.panels.inside.tab = Tab::Features;
    desk.frames(3);
    let title = desk.place("dense 2: 3 units");
    let bars = title.left_bottom() + bevy_egui::egui::vec2(5.0, 40.0);
    desk.frame(vec![Event::PointerMoved(bars)]);
    desk.frames(12);
    let value = desk.training.snapshot.probe.a[1][0];
    // Cut, not rounded, as five digits may round the other way.
    let digits = format!("{:.6}", value.abs());
    let says = desk
        .texts()
        .into_iter()
        .find(|(t, ..)| t.starts_with("unit 1: "));
    let (text, ..) = says.expect("a value under the pointer");
    let sign = if value < 0.0 { "−" } else { "" };
    let shown = format!("unit 1: {sign}{}", &digits[..4]);
    assert!(text.starts_with(&shown), "{text} {value}");
}

#[test]
fn images_follow_the_run_and_scores_its_answers() {
    let mut desk = desk(DIGITS, Language::English);
    desk.panels.inside.tab = Tab::Scores;
    desk.frames(2);
    let before: Vec<String> = desk.texts().into_iter().map(|(t, ..)| t).collect();
    let mut session = Session::new(Arc::clone(&desk.training.problem));
    session.command(TrainCommand::Epochs(30));
    desk.training.snapshot = session.snapshot();
    desk.frames(2);
    let after: Vec<String> = desk.texts().into_iter().map(|(t, ..)| t).collect();
    assert_ne!(before, after);
}

#[test]
fn a_layer_of_the_table_is_lit_in_the_scene() {
    let mut desk = desk(SPIRAL, Language::English);
    desk.panels.inside.tab = Tab::Structure;
    desk.frames(3);
    desk.click_beginning("dense_2");
    assert_eq!(
        desk.selection.selected,
        Some(Item::Neuron { column: 2, unit: 0 })
    );
}
