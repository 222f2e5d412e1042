//! Event by event, and lessons, by their keys, on a bare egui context.

#![cfg(feature = "app")]
#![allow(clippy::unwrap_used)]

mod desk;

use bevy_egui::egui::Key;
use desk::{Desk, SPIRAL};
use gradscape::app::{Choices, Language, Lecture};
use gradscape::lesson::Lesson;
use gradscape::train::micro::MicroCommand;
use gradscape::train::{Session, TrainCommand};
use std::sync::Arc;

/// A desk in front of a run that is so many events into its first step.
fn desk(events: usize) -> Desk {
    let mut desk = Desk::new(SPIRAL, [1280.0, 720.0], Choices::default());
    let mut session = Session::new(Arc::clone(&desk.training.problem));
    session.command(TrainCommand::Micro(MicroCommand::Enter));
    for _ in 0..events {
        session.command(TrainCommand::Micro(MicroCommand::Forward));
    }
    desk.training.snapshot = session.snapshot();
    desk.choices.walk.on = true;
    desk
}

#[test]
fn keys_ask_for_events_and_another_pace() {
    let mut desk = desk(3);
    desk.frames(2);
    desk.press(Key::ArrowRight);
    assert_eq!(desk.choices.walk.steps, 1);
    desk.press(Key::ArrowLeft);
    desk.press(Key::ArrowLeft);
    assert_eq!(desk.choices.walk.steps, -1);
    let pace = desk.choices.walk.pace;
    desk.press(Key::ArrowUp);
    assert!(desk.choices.walk.pace > pace);
    desk.press(Key::Space);
    assert!(desk.choices.walk.walking);
    desk.press(Key::ArrowRight);
    assert!(
        !desk.choices.walk.walking,
        "a single event stops the motion"
    );
    desk.press(Key::Escape);
    assert!(!desk.choices.walk.on);
}

#[test]
fn each_event_says_what_happens() {
    let said = |events: usize, text: &str| {
        let mut desk = desk(events);
        desk.frames(3);
        assert!(desk.says(text), "{text}");
    };
    said(0, "Before step 1");
    said(1, "Forwards · hidden layer 1: weighted sums");
    said(2, "Forwards · hidden layer 1: activation");
    said(6, "Forwards · output layer: activation");
    said(7, "The loss");
    said(8, "Backwards · output layer: error signals");
    said(9, "Backwards · output layer: gradient");
    said(10, "Backwards · error back to hidden layer 2");
    // And a derivative is checked.
    said(9, "Finite difference");
    said(16, "Update: the weights move");
}

fn lecture(name: &str, language: Language) -> Desk {
    let choices = Choices {
        lecture: Lecture::of(Lesson::find(name).unwrap(), None),
        language,
        ..Choices::default()
    };
    Desk::new(SPIRAL, [1280.0, 720.0], choices)
}

#[test]
fn a_lesson_goes_on_and_back_and_jumps_by_keys_alone() {
    let mut desk = lecture("back-propagation", Language::English);
    desk.frames(3);
    assert!(desk.says("A network that is wrong"));
    desk.press(Key::PageDown);
    desk.press(Key::PageDown);
    assert_eq!(desk.choices.lecture.scene, 2);
    desk.press(Key::PageUp);
    assert_eq!(desk.choices.lecture.scene, 1);
    desk.press(Key::Num4);
    assert_eq!(desk.choices.lecture.scene, 3);
    assert_eq!(
        desk.choices.mode,
        Choices::default().mode,
        "digits are the lesson's"
    );
    desk.press(Key::PageUp);
    desk.press(Key::PageUp);
    desk.press(Key::PageUp);
    desk.press(Key::PageUp);
    assert_eq!(
        desk.choices.lecture.scene, 0,
        "there is nothing before the first"
    );
    desk.press(Key::B);
    assert!(desk.choices.lecture.black);
    desk.press(Key::PageDown);
    assert!(!desk.choices.lecture.black, "the next scene is to be seen");
    desk.press(Key::PageUp);
    desk.press(Key::N);
    desk.frames(2);
    assert!(desk.says("Matt Mazur"));
}

#[test]
fn a_right_and_a_wrong_answer_are_told_apart_and_the_event_shows_it() {
    for (key, given) in [(Key::Num2, 1), (Key::Num1, 0)] {
        let mut desk = lecture("back-propagation", Language::English);
        desk.choices.lecture.scene = 4;
        desk.frames(3);
        assert!(!desk.says("Its gradient is 0.0822"));
        desk.press(key);
        assert_eq!(desk.choices.lecture.scene, 4, "a digit answers");
        assert_eq!(desk.choices.lecture.answers[&4], given);
        assert_eq!(desk.choices.walk.steps, 1, "the event is the answer");
        desk.frames(2);
        assert!(desk.says("Its gradient is 0.0822"));
        assert!(desk.says("✔ 2  smaller"));
        assert_eq!(desk.says("× 1  larger"), given == 0);
        desk.press(Key::Num1);
        assert_eq!(desk.choices.lecture.scene, 0, "once answered, digits jump");
    }
}

#[test]
fn captions_of_every_scene_are_whole_in_both_languages_and_leave_room_for_the_scene() {
    use gradscape::lesson::LESSONS;
    for size in [[1280.0, 720.0], [1920.0, 1080.0], [1024.0, 768.0]] {
        for language in Language::ALL {
            for bundled in LESSONS {
                let lesson = Lesson::find(bundled.name).unwrap();
                for (index, scene) in lesson.scenes.iter().enumerate() {
                    let mut desk = lecture(bundled.name, language);
                    desk.size = size.into();
                    desk.choices.lecture.scene = index;
                    desk.choices.walk.on = scene.events.is_some();
                    desk.frames(3);
                    let caption = match language {
                        Language::English => &scene.caption.en,
                        Language::Chinese => &scene.caption.zh,
                    };
                    let place = format!("{} {index} {language:?} {size:?}", bundled.name);
                    assert!(desk.says_whole(caption), "{place}");
                    let share = desk.free.height() / desk.size.y;
                    assert!(share > 0.3, "{place}: {share}");
                }
            }
        }
    }
}
