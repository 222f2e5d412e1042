//! The panels while something is shown in blocks: looking for names, a model that is not run,
//! and opening files off the frame.

#![cfg(feature = "app")]
#![allow(clippy::unwrap_used)]

mod desk;

use bevy_egui::egui::{Event, Key, Modifiers};
use desk::{Desk, SPIRAL, train_commands};
use gradscape::app::ui::Intent;
use gradscape::app::{Blocks, Choices, Language, Theme, ViewMode};
use gradscape::insight::model_inputs::{Given, fill_inputs};
use gradscape::insight::outline::{Foreign, Found, Part, read_model};
use gradscape::interop::Runnable;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

fn foreign() -> Arc<Foreign> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models/opaque.onnx");
    match read_model(&path, |_| true) {
        Some(Ok(Found::Foreign(foreign))) => foreign,
        other => panic!("{other:?}"),
    }
}

fn desk_with_model(language: Language, size: [f32; 2]) -> Desk {
    let choices = Choices {
        language,
        theme: Theme::LIGHT,
        ..Choices::default()
    };
    let mut desk = Desk::new(SPIRAL, size, choices);
    desk.blocks.show_foreign(foreign());
    desk.frames(3);
    desk
}

fn notices(intents: &[Intent]) -> Vec<&str> {
    let notices = intents.iter().filter_map(|intent| match intent {
        Intent::Notify(notice) => Some(notice.message.as_str()),
        _ => None,
    });
    notices.collect()
}

fn ctrl_f(desk: &mut Desk) {
    let modifiers = Modifiers {
        ctrl: true,
        command: true,
        ..Modifiers::NONE
    };
    let key = Event::Key {
        key: Key::F,
        physical_key: None,
        pressed: true,
        repeat: false,
        modifiers,
    };
    desk.frame(vec![Event::ModifiersChanged(modifiers), key]);
    desk.frame(vec![Event::ModifiersChanged(Modifiers::NONE)]);
    desk.frames(2);
}

#[test]
fn ctrl_f_finds_by_name_and_enter_goes_there() {
    let mut desk = desk_with_model(Language::English, [1280.0, 900.0]);
    desk.blocks.close_all();
    ctrl_f(&mut desk);
    desk.frame(vec![Event::Text("conv2".into())]);
    desk.frames(2);
    desk.press(Key::ArrowDown);
    desk.press(Key::Enter);
    let second = desk.blocks.outline().unwrap().find("conv2", 9)[1].part;
    assert_eq!(desk.blocks.selected(), Some(second));
    assert!(desk.blocks.shown().parts.contains(&second), "it is on show");
    // The field is gone, and keys mean what they did.
    desk.frames(2);
    assert!(!desk.panels.finder.open);
    ctrl_f(&mut desk);
    desk.press(Key::Escape);
    desk.frames(2);
    assert!(!desk.panels.finder.open);
}

#[test]
fn in_a_small_network_a_layer_is_found_and_its_first_neuron_selected() {
    let mut desk = Desk::new(SPIRAL, [1280.0, 900.0], Choices::default());
    desk.frames(3);
    ctrl_f(&mut desk);
    desk.frame(vec![Event::Text("dense_2".into())]);
    desk.frames(2);
    desk.press(Key::Enter);
    let selected = desk.selection.selected;
    assert_eq!(
        selected,
        Some(gradscape::app::Item::Neuron { column: 2, unit: 0 })
    );
}

#[test]
fn a_model_that_is_not_run_says_why_instead_of_doing_anything() {
    let mut desk = desk_with_model(Language::English, [1280.0, 900.0]);
    for key in [
        Key::Space,
        Key::S,
        Key::E,
        Key::R,
        Key::Q,
        Key::Num2,
        Key::K,
        Key::F9,
    ] {
        let intents = desk.press(key);
        assert!(train_commands(&intents).is_empty(), "{key:?}");
        let said = notices(&intents);
        assert_eq!(said.len(), 1, "{key:?}: {said:?}");
        assert!(
            said[0].contains("the engine does not have"),
            "{key:?}: {said:?}"
        );
    }
    assert!(!desk.panels.range.open && !desk.panels.sweep.open);
    // The modes of the bar as well.
    desk.choices.mode = ViewMode::Both;
    let intents = desk.frames(1);
    assert_eq!(desk.choices.mode, ViewMode::Network);
    assert_eq!(notices(&intents).len(), 1);
}

#[test]
fn what_is_selected_of_a_model_is_described_and_fits_in_both_languages() {
    for language in Language::ALL {
        for size in [[1280.0, 2000.0], [1920.0, 2000.0]] {
            let mut desk = desk_with_model(language, size);
            let outline = Arc::clone(desk.blocks.outline().unwrap());
            let lstm = outline
                .nodes()
                .iter()
                .position(|n| n.operator == "LSTM")
                .unwrap();
            desk.blocks.reveal(Part::Node(lstm));
            desk.frames(3);
            let texts = desk.texts();
            let has = |wanted: &str| texts.iter().any(|(text, ..)| text.contains(wanted));
            assert!(has("/rnn/LSTM") && has("108"), "name and parameters");
            assert!(has("the engine has no LSTM"), "the reason");
            assert!(has("4×1×12") || has("1×12×4"), "shapes of its weights");
            for (text, rect, clip, _) in &texts {
                let inside = rect.right() <= clip.right() + 1.0 && rect.left() >= clip.left() - 1.0;
                assert!(
                    inside || !clip.intersects(*rect),
                    "{language:?} {size:?}: {text:?} at {rect:?} is cut by {clip:?}"
                );
            }
        }
    }
}

#[test]
fn a_model_is_run_forward_and_its_nodes_say_what_they_gave() {
    let mut desk = desk_with_model(Language::English, [1280.0, 1400.0]);
    desk.click_beginning("Run forward");
    let until = Instant::now() + Duration::from_secs(60);
    while desk.find("Nodes that were run").is_none() {
        assert!(Instant::now() < until, "nothing came of it");
        std::thread::sleep(Duration::from_millis(5));
        desk.frames(1);
    }
    // The same as on the command line, from the same file.
    let path = foreign().path.clone();
    let model = Runnable::open(&path).unwrap();
    let given = Given::default();
    let (inputs, said) = fill_inputs(&model.ports().unwrap(), given).unwrap();
    let run = model.run(&inputs, &mut |_, _| true).unwrap();
    assert!(run.ran() > 0);
    let texts = |desk: &Desk| -> Vec<String> {
        let texts = desk.texts().into_iter();
        texts.map(|(text, ..)| text).collect()
    };
    let left = texts(&desk);
    let ran = format!("{} / {}", run.ran(), run.nodes.len());
    assert!(left.contains(&ran), "{ran}: {left:?}");
    assert!(left.contains(&said[0]), "{said:?}: {left:?}");
    let outline = Arc::clone(desk.blocks.outline().unwrap());
    let node = outline.nodes().iter().position(|n| n.operator == "LSTM");
    desk.blocks.reveal(Part::Node(node.unwrap()));
    desk.frames(3);
    let name = &outline.nodes()[node.unwrap()].name;
    let own = run.nodes.iter().find(|ran| ran.name == *name).unwrap();
    let own = &own.values.as_ref().unwrap()[0];
    let sides: Vec<String> = own.shape.iter().map(usize::to_string).collect();
    let card = texts(&desk);
    assert!(card.contains(&sides.join("×")), "{sides:?}: {card:?}");
    // In three digits.
    let mean = own.mean.unwrap();
    let near = |text: &String| {
        let value: Option<f64> = text.replace('−', "-").parse().ok();
        value.is_some_and(|value| (value - mean).abs() <= 5e-3 * mean.abs())
    };
    assert!(card.iter().any(near), "{mean}: {card:?}");
}

#[test]
fn enter_opens_and_closes_what_is_selected() {
    let mut desk = desk_with_model(Language::English, [1280.0, 900.0]);
    desk.blocks.close_all();
    let block = desk
        .blocks
        .shown()
        .parts
        .iter()
        .find_map(|part| match part {
            Part::Block(block) => Some(*block),
            Part::Node(_) => None,
        })
        .unwrap();
    desk.blocks.select(Some(Part::Block(block)));
    desk.press(Key::Enter);
    assert!(desk.blocks.is_open(block));
    desk.press(Key::Enter);
    assert!(!desk.blocks.is_open(block));
    assert_eq!(desk.blocks.selected(), Some(Part::Block(block)));
}

#[test]
fn opening_a_file_shows_how_far_it_is_and_can_be_given_up() {
    let mut desk = Desk::new(SPIRAL, [1280.0, 900.0], Choices::default());
    desk.opening = Some(("resnet.onnx".to_owned(), "model.translating", 0.5));
    desk.frames(3);
    assert!(desk.find("comparing with the engine").is_some());
    let intents = desk.click_beginning("Give up");
    assert!(intents.iter().any(|i| matches!(i, Intent::CancelOpening)));
}

#[test]
fn the_network_comes_back_when_it_is_asked_for() {
    let mut desk = desk_with_model(Language::English, [1280.0, 900.0]);
    let intents = desk.click_beginning("Back to the network");
    assert!(intents.iter().any(|i| matches!(i, Intent::LeaveModel)));
    desk.blocks = Blocks::default();
    desk.frames(2);
    assert!(desk.find("Back to the network").is_none());
}
