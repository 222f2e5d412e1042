//! A weight in the hand, a guess before a step, paper to draw on, exercises, and a
//! presenter's keys, on a bare egui context.

#![cfg(feature = "app")]
#![allow(clippy::unwrap_used)]

mod desk;

use bevy_egui::egui::{Event, Key, Modifiers, PointerButton, Pos2};
use desk::{Desk, SPIRAL, loaded, train_commands};
use gradscape::app::ui::Intent;
use gradscape::app::{Choices, Item, Lecture, PointerAs, Training, WeightsWish};
use gradscape::lesson::{Exercise, Lesson};
use gradscape::train::micro::{Event as Micro, MicroCommand};
use gradscape::train::{History, Problem, Session, TrainCommand, WatchedPart};
use std::sync::Arc;

const WEIGHT: Item = Item::Connection {
    layer: 0,
    source: 0,
    from: 1,
    to: 2,
};

fn desk() -> Desk {
    let mut desk = Desk::new(SPIRAL, [1280.0, 800.0], Choices::default());
    desk.selection.selected = Some(WEIGHT);
    desk.frames(3);
    desk
}

/// The index of the weight in the hand.
fn parameter(desk: &Desk) -> usize {
    let network = &desk.training.problem.network;
    let connections = network.connections(0).swap_remove(0);
    let link = connections.get(connections.number(1, 2).unwrap()).unwrap();
    link.parameter.unwrap()
}

fn taken(intents: &[Intent]) -> Vec<(Arc<[f32]>, bool)> {
    let wishes = intents.iter().filter_map(|intent| match intent {
        Intent::Weights(WeightsWish::Take { params, keep }) => Some((Arc::clone(params), *keep)),
        _ => None,
    });
    wishes.collect()
}

/// What the run would be after these wishes.
fn obey(desk: &mut Desk, session: &mut Session, intents: &[Intent]) {
    for (params, _) in taken(intents) {
        session.command(TrainCommand::SetParams(params));
    }
    for command in train_commands(intents) {
        session.command(command.clone());
    }
    desk.training.snapshot = session.snapshot();
}

#[test]
fn a_key_moves_the_weight_in_the_hand_and_nothing_else() {
    let mut desk = desk();
    let at = parameter(&desk);
    let before = Arc::clone(&desk.training.snapshot.params);
    let intents = desk.press(Key::CloseBracket);
    let all = taken(&intents);
    let [(params, true)] = &all[..] else {
        panic!("one move, and it can be undone");
    };
    assert!(params[at] > before[at] && params[at] - before[at] < 0.08);
    // Round: keys and fingers agree.
    assert!((params[at] * 20.0 - (params[at] * 20.0).round()).abs() < 1e-5);
    let others = (0..before.len()).filter(|&k| k != at);
    assert!(others.into_iter().all(|k| params[k] == before[k]));
    // Output and loss follow, and the way back is offered.
    let mut session = Session::new(Arc::clone(&desk.training.problem));
    let loss = desk.training.snapshot.probe.loss;
    obey(&mut desk, &mut session, &intents);
    assert_ne!(desk.training.snapshot.probe.loss, loss);
    desk.frames(2);
    assert!(desk.says("Undo (U)"));
    assert!(desk.says(" → "), "before and after");
    let undone = desk.press(Key::U);
    assert!(matches!(undone[..], [Intent::Weights(WeightsWish::Undo)]));
}

#[test]
fn all_of_a_drag_is_one_move() {
    let mut desk = desk();
    let mut session = Session::new(Arc::clone(&desk.training.problem));
    let value = desk.training.snapshot.params[parameter(&desk)];
    let said = desk.place("Which way will it move? (Enter)");
    // The slider's line is above the figures and the question.
    let title = desk.place("Layer 1: weight 2 → 3");
    let y = title.bottom() + 20.0;
    assert!(y < said.top());
    let button = |pos, pressed| Event::PointerButton {
        pos,
        button: PointerButton::Primary,
        pressed,
        modifiers: Modifiers::NONE,
    };
    let from = Pos2::new(title.left() + 40.0, y);
    desk.frame(vec![Event::PointerMoved(from)]);
    let mut kept = 0;
    let mut intents = desk.frame(vec![button(from, true)]);
    for k in 0..6 {
        for (_, keep) in taken(&intents) {
            kept += usize::from(keep);
        }
        obey(&mut desk, &mut session, &intents);
        let to = from + bevy_egui::egui::vec2(12.0 * (k + 1) as f32, 0.0);
        intents = desk.frame(vec![Event::PointerMoved(to)]);
    }
    obey(&mut desk, &mut session, &intents);
    desk.frame(vec![button(from, false)]);
    assert_eq!(kept, 1, "one move to take back");
    assert_ne!(desk.training.snapshot.params[parameter(&desk)], value);
}

#[test]
fn a_right_and_a_wrong_guess_are_told_apart_by_the_step() {
    let mut probe = Session::new(desk().training.problem.clone());
    let before = probe.snapshot();
    probe.command(TrainCommand::Step);
    let at = parameter(&desk());
    let grows = probe.snapshot().params[at] > before.params[at];
    for (key, right) in [(Key::ArrowUp, grows), (Key::ArrowDown, !grows)] {
        let mut desk = desk();
        let mut session = Session::new(Arc::clone(&desk.training.problem));
        desk.press(Key::Enter);
        desk.frames(2);
        assert!(desk.says("Which way will the next step move it?"));
        let pace = desk.choices.walk.pace;
        let intents = desk.press(key);
        assert_eq!(desk.choices.walk.pace, pace, "the arrow was the answer");
        assert_eq!(train_commands(&intents), [&TrainCommand::Step]);
        assert!(!desk.says("of 1 right"), "not before the step");
        obey(&mut desk, &mut session, &intents);
        desk.frames(2);
        let score = if right {
            "1 of 1 right"
        } else {
            "0 of 1 right"
        };
        assert!(desk.says(score), "{key:?}");
        assert_eq!(desk.says("✔  "), right);
        assert!(desk.says("The gradient was"));
    }
}

#[test]
fn in_an_iteration_the_guess_is_shown_by_its_update() {
    let mut desk = desk();
    let mut session = Session::new(Arc::clone(&desk.training.problem));
    session.command(TrainCommand::Micro(MicroCommand::Enter));
    session.command(TrainCommand::Micro(MicroCommand::Forward));
    desk.training.snapshot = session.snapshot();
    desk.choices.walk.on = true;
    desk.frames(2);
    desk.press(Key::Enter);
    desk.press(Key::ArrowUp);
    let steps = desk.choices.walk.steps;
    let events = desk.training.snapshot.micro.as_ref().unwrap();
    assert_eq!(steps as usize, events.trace.events.len() - 1);
    for _ in 0..steps {
        session.command(TrainCommand::Micro(MicroCommand::Forward));
    }
    desk.training.snapshot = session.snapshot();
    let micro = desk.training.snapshot.micro.as_ref().unwrap();
    assert_eq!(micro.last(), Some(Micro::Update));
    desk.frames(2);
    assert!(desk.says("of 1 right"));
}

#[test]
fn keys_go_from_weight_to_weight() {
    let mut desk = desk();
    desk.selection.selected = None;
    let mut seen = Vec::new();
    for _ in 0..4 {
        desk.press(Key::Quote);
        seen.extend(desk.selection.selected);
    }
    assert_eq!(seen.len(), 4);
    assert!(seen.windows(2).all(|pair| pair[0] != pair[1]));
    desk.press(Key::Semicolon);
    assert_eq!(desk.selection.selected, Some(seen[2]));
}

#[test]
fn a_lessons_own_selection_is_not_in_the_hand_until_a_key_takes_it() {
    let lesson = Lesson::find("chain-rule").unwrap();
    let choices = Choices {
        lecture: Lecture::of(lesson, None),
        ..Choices::default()
    };
    let mut desk = Desk::new(SPIRAL, [1280.0, 800.0], choices);
    desk.selection.selected = Some(Item::Connection {
        layer: 1,
        source: 0,
        from: 0,
        to: 0,
    });
    desk.frames(3);
    assert!(!desk.says("Which way will it move?"));
    desk.press(Key::CloseBracket);
    desk.frames(2);
    assert!(desk.says("Which way will it move?"));
}

const DIGITS: &str = "seed = 7\n[data]\nsource = \"digits\"\n[network]\n\
                      layers = [{ dense = 32, activation = \"relu\" }]\n\
                      loss = \"cross-entropy\"\n[training]\nbatch = 32\n\
                      optimizer = { name = \"adam\", learning_rate = 0.003 }\n";

#[test]
fn what_is_drawn_with_the_mouse_is_recognised() {
    let mut desk = Desk::new(DIGITS, [1280.0, 800.0], Choices::default());
    let mut session = Session::new(Arc::clone(&desk.training.problem));
    session.command(TrainCommand::Epochs(15));
    desk.training.snapshot = session.snapshot();
    desk.frames(2);
    desk.press(Key::Backslash);
    desk.frames(2);
    let title = desk.place("Draw a picture");
    let corner = Pos2::new(title.left(), title.bottom() + 12.0);
    let paper = |x: f32, y: f32| corner + 232.0 * bevy_egui::egui::vec2(x, y);
    let draw = |desk: &mut Desk, session: &mut Session, strokes: &[&[(f32, f32)]]| {
        for stroke in strokes {
            let button = |pos, pressed| Event::PointerButton {
                pos,
                button: PointerButton::Primary,
                pressed,
                modifiers: Modifiers::NONE,
            };
            let at = paper(stroke[0].0, stroke[0].1);
            let mut all = desk.frame(vec![Event::PointerMoved(at)]);
            all.extend(desk.frame(vec![button(at, true)]));
            for pair in stroke.windows(2) {
                for k in 1..=6 {
                    let t = k as f32 / 6.0;
                    let x = pair[0].0 + t * (pair[1].0 - pair[0].0);
                    let y = pair[0].1 + t * (pair[1].1 - pair[0].1);
                    all.extend(desk.frame(vec![Event::PointerMoved(paper(x, y))]));
                }
            }
            all.extend(desk.frame(vec![button(at, false)]));
            obey(desk, session, &all);
        }
        let probe = &desk.training.snapshot.probe;
        assert_eq!(probe.watched.part, WatchedPart::Drawn);
        let output = probe.a.last().unwrap();
        (0..10)
            .max_by(|&a, &b| output[a].total_cmp(&output[b]))
            .unwrap()
    };
    let flow = desk.choices.walk.flow;
    let circle: Vec<(f32, f32)> = (0..=24)
        .map(|k| {
            let a = k as f32 / 24.0 * std::f32::consts::TAU;
            (0.5 + 0.2 * a.sin(), 0.5 - 0.32 * a.cos())
        })
        .collect();
    assert_eq!(draw(&mut desk, &mut session, &[&circle]), 0);
    assert_ne!(
        desk.choices.walk.flow, flow,
        "it goes through layer by layer"
    );
    desk.click("draw/clear");
    let seven: &[(f32, f32)] = &[(0.3, 0.2), (0.7, 0.2), (0.5, 0.6), (0.45, 0.85)];
    assert_eq!(draw(&mut desk, &mut session, &[seven]), 7);
    desk.frames(2);
    assert!(desk.says("7"));
    // Away again, and what was watched before is watched.
    let intents = desk.press(Key::Backslash);
    let back = train_commands(&intents);
    let [TrainCommand::Watch(watched)] = back[..] else {
        panic!("{back:?}");
    };
    assert_eq!(watched.part, WatchedPart::Train);
}

#[test]
fn there_is_no_paper_where_no_pictures_are_read() {
    let mut desk = desk();
    desk.press(Key::Backslash);
    desk.frames(2);
    assert!(!desk.says("Draw a picture"));
}

#[test]
fn an_exercise_says_what_is_missing_and_when_it_is_solved() {
    let all = Exercise::all().unwrap();
    let exercise = all.iter().find(|e| e.name == "diverge").unwrap();
    let mut desk = Desk::new(SPIRAL, [1280.0, 900.0], Choices::default());
    desk.choices.exercises.open = Some(exercise.name.clone());
    desk.frames(3);
    // Another experiment is on the screen.
    assert!(desk.says("Changed, and not allowed here"));
    let intents = desk.click("exercise/again");
    assert_eq!(loaded(&intents), Some(&exercise.experiment));

    let run = |rate: f64| {
        let problem = Arc::new(Problem::new(&exercise.experiment).unwrap());
        let mut session = Session::new(Arc::clone(&problem));
        session.command(TrainCommand::SetLearningRate(rate));
        session.command(TrainCommand::Epochs(200));
        let mut training = Training::at_start(problem);
        training.snapshot = session.snapshot();
        let mut history = History::default();
        let rows = session.take_outbox().rows;
        rows.into_iter().for_each(|row| history.push(row));
        training.history = history;
        training
    };
    desk.training = run(0.5);
    desk.frames(2);
    assert!(desk.says("it has not diverged"));
    assert!(desk.choices.exercises.solved.is_empty());
    desk.training = run(2.5);
    desk.frames(2);
    assert!(desk.says("Solved, in epoch"));
    assert!(desk.choices.exercises.solved.contains("diverge"));
    // What was solved stays so in the settings.
    let text = toml::to_string(&desk.choices).unwrap();
    let kept: Choices = toml::from_str(&text).unwrap();
    assert!(kept.exercises.solved.contains("diverge"));
    assert_eq!(kept.exercises.open, None);
}

#[test]
fn a_presenters_keys_do_what_the_help_says() {
    let mut desk = desk();
    let free = desk.free;
    desk.press(Key::F5);
    desk.frames(2);
    assert!(desk.choices.presenter.on);
    assert!(desk.free.width() > 1.5 * free.width(), "the scene alone");
    desk.press(Key::F2);
    assert_eq!(desk.choices.presenter.pointer, PointerAs::Laser);
    desk.press(Key::F3);
    assert_eq!(desk.choices.presenter.pointer, PointerAs::Spotlight);
    let theme = desk.choices.theme;
    desk.press(Key::F6);
    assert!(desk.choices.theme.contrast);
    desk.press(Key::F7);
    assert_ne!(desk.choices.theme.signs, theme.signs);
    desk.press(Key::F8);
    assert!(desk.choices.motion.reduced);
    desk.choices.walk.on = true;
    let intents = desk.press(Key::F4);
    assert!(train_commands(&intents).contains(&&TrainCommand::Reset));
    assert_eq!(desk.choices.presenter.pointer, PointerAs::Usual);
    assert!(!desk.choices.walk.on && desk.selection.selected.is_none());
    desk.press(Key::Escape);
    assert!(!desk.choices.presenter.on);
}
