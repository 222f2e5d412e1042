//! The race's table and controls, and the choice of a function, on a bare egui
//! context.
#![cfg(feature = "app")]
#![allow(clippy::unwrap_used)] // a test fails by panicking

mod desk;

use bevy_egui::egui::{Event, Key, Pos2};
use desk::{Desk, SPIRAL, train_commands};
use gradscape::app::ui::{Intent, control_id};
use gradscape::app::{
    Choices, Ground, Lane, Language, Lap, PinCommand, RaceCommand, Texts, ViewMode,
};
use gradscape::landscape::{Analytic, Builtin};
use std::sync::Arc;

fn desk(language: Language) -> Desk {
    let choices = Choices {
        language,
        ..Choices::default()
    };
    let mut desk = Desk::new(SPIRAL, [1280.0, 1000.0], choices);
    desk.frames(3);
    desk
}

fn races(intents: &[Intent]) -> Vec<RaceCommand> {
    let race = |i: &Intent| match i {
        Intent::Race(command) => Some(*command),
        _ => None,
    };
    intents.iter().filter_map(race).collect()
}

/// Fills the table: racer k comes down to `losses[k]` in three steps.
fn run(desk: &mut Desk, losses: &[f64]) {
    let racers = desk.choices.arena.racers.clone();
    let lanes = racers.iter().zip(losses).map(|(&optimizer, &loss)| Lane {
        optimizer,
        laps: (0..4)
            .map(|k| {
                let value = 10.0 + (loss - 10.0) * f64::from(k) / 3.0;
                Lap {
                    x: 0.1,
                    y: 0.2,
                    loss: value,
                    slice: value,
                }
            })
            .collect(),
        end: None,
    });
    desk.arena.lanes = lanes.collect();
    desk.arena.function = Some(Arc::new(Analytic::from(Builtin::Ravine)));
    (desk.arena.at, desk.arena.computed) = (3, 3);
}

#[test]
fn one_key_opens_the_race_and_the_next_starts_it_and_leaves_the_run_alone() {
    let mut desk = desk(Language::English);
    desk.press(Key::A);
    desk.frames(2);
    assert!(desk.choices.arena.racing);
    assert_eq!(desk.choices.arena.ground, Ground::Function);
    assert_eq!(desk.choices.mode, ViewMode::Surface);
    for (key, command) in [
        (Key::Space, RaceCommand::Toggle),
        (Key::S, RaceCommand::Step(1)),
        (Key::B, RaceCommand::Step(-1)),
        (Key::R, RaceCommand::Restart),
    ] {
        let intents = desk.press(key);
        assert_eq!(races(&intents), [command], "{key:?}");
        assert!(train_commands(&intents).is_empty(), "{key:?}");
    }
    desk.press(Key::A);
    assert!(!desk.choices.arena.racing);
    assert_eq!(train_commands(&desk.press(Key::S)).len(), 1);
}

#[test]
fn the_table_lists_who_is_where_with_letters_and_the_lowest_first() {
    for language in Language::ALL {
        let mut desk = desk(language);
        desk.press(Key::A);
        run(&mut desk, &[3.0, 1.0, 0.25, 2.0]);
        desk.frames(2);
        let texts = Texts::new(language);
        let top = |name: &str| desk.place(texts.get(name)).top();
        let order = ["rmsprop", "momentum", "adam", "sgd"].map(|n| match n {
            "rmsprop" => top("optimizer.rmsprop"),
            "momentum" => top("optimizer.momentum"),
            // The left panel has the run's own optimiser too.
            "adam" => desk.place("D").top(),
            _ => desk.place("A").top(),
        });
        assert!(order.windows(2).all(|w| w[0] < w[1]), "{order:?}");
        for text in ["A", "B", "C", "D", "0.2500", "3.000"] {
            assert!(desk.find(text).is_some(), "no {text}");
        }
        // Far from (0, 0), by Pythagoras.
        assert!(desk.find("0.224").is_some(), "the distance to the minimum");
    }
}

#[test]
fn racers_come_and_go_and_one_rate_serves_all() {
    let mut desk = desk(Language::English);
    desk.press(Key::A);
    desk.frames(2);
    let before = desk.choices.arena.racers.clone();
    desk.click("race/remove 1");
    assert_eq!(desk.choices.arena.racers.len(), 3);
    assert_eq!(desk.choices.arena.racers[1], before[2]);
    let at = desk.place(Texts::new(Language::English).get("race.same_rate"));
    desk.click_at(at.center());
    assert_eq!(
        desk.choices.arena.same_rate,
        Some(before[0].learning_rate),
        "that of the first"
    );
    let first = desk.choices.arena.racers[2];
    let raced = desk.choices.arena.as_raced(first);
    assert_eq!(raced.learning_rate, before[0].learning_rate);
    desk.click_at(at.center());
    assert_eq!(desk.choices.arena.same_rate, None);
}

#[test]
fn a_formula_is_shown_as_it_is_typed_and_its_error_in_place() {
    let mut desk = desk(Language::English);
    desk.size.y = 1900.0;
    desk.press(Key::O);
    desk.frames(3);
    assert_eq!(desk.choices.arena.ground, Ground::Function);
    let at = desk
        .ctx
        .read_response(control_id("function/formula"))
        .expect("the field")
        .rect
        .center();
    desk.click_at(at);
    let select = Event::Key {
        key: Key::A,
        physical_key: None,
        pressed: true,
        repeat: false,
        modifiers: bevy_egui::egui::Modifiers::COMMAND,
    };
    desk.frame(vec![select]);
    desk.frame(vec![Event::Text("x^2 + cos(".into())]);
    desk.frames(2);
    let error = desk.panels.function.error.clone().expect("it is not whole");
    assert!(desk.says(&error), "{error}");
    assert_eq!(desk.choices.arena.function, "ravine", "the picture stays");
    desk.frame(vec![Event::Text("y)".into())]);
    desk.frames(2);
    assert_eq!(desk.panels.function.error, None);
    assert_eq!(desk.choices.arena.function, "x^2 + cos(y)");
}

#[test]
fn a_key_and_a_button_pin_the_surface() {
    let mut desk = desk(Language::English);
    let pins = |intents: Vec<Intent>| {
        let pin = |i: &Intent| matches!(i, Intent::Pin(PinCommand::Toggle));
        intents.iter().filter(|i| pin(i)).count()
    };
    assert_eq!(pins(desk.press(Key::V)), 1);
    desk.pinned = true;
    desk.frames(2);
}

#[test]
fn the_race_leaves_room_for_the_scene_in_every_window() {
    for size in [
        [1280.0, 720.0],
        [900.0, 560.0],
        [640.0, 400.0],
        [427.0, 320.0],
    ] {
        let mut desk = Desk::new(SPIRAL, size, Choices::default());
        desk.frames(2);
        desk.press(Key::A);
        run(&mut desk, &[3.0, 1.0, 0.25, 2.0]);
        desk.frames(3);
        let free = desk.free;
        assert!(
            free.height() >= 60.0 && free.width() >= 40.0,
            "{size:?} {free:?}"
        );
        assert!(free.min.cmpge(Pos2::ZERO), "{free:?}");
    }
}

trait AtLeast {
    fn cmpge(&self, other: Pos2) -> bool;
}

impl AtLeast for Pos2 {
    fn cmpge(&self, other: Pos2) -> bool {
        self.x >= other.x && self.y >= other.y
    }
}
