//! The slider through time and the keys of the hand, on a bare egui context.

#![cfg(feature = "app")]
#![allow(clippy::unwrap_used)]

mod desk;

use bevy_egui::egui::Key;
use desk::{Desk, SPIRAL};
use gradscape::app::ui::Intent;
use gradscape::app::{Choices, Language, ReplayWish, WeightsWish};
use gradscape::train::PathPoint;

/// A desk in front of a run with a path of five points, ten steps apart.
fn desk(choices: Choices) -> Desk {
    let mut desk = Desk::new(SPIRAL, [1280.0, 720.0], choices);
    let params = desk.training.snapshot.params.clone();
    for step in [10, 20, 30, 40] {
        desk.training.path.push(PathPoint {
            step,
            epoch: step as usize / 10,
            params: params.clone(),
            loss: 1.0,
        });
    }
    desk.training.snapshot.step = 40;
    desk.training.snapshot.epoch = 4;
    desk
}

fn replay(intents: &[Intent]) -> Vec<ReplayWish> {
    let wishes = intents.iter().filter_map(|i| match i {
        Intent::Replay(wish) => Some(*wish),
        _ => None,
    });
    wishes.collect()
}

#[test]
fn without_a_path_there_is_no_slider_and_with_one_there_is() {
    let mut bare = Desk::new(SPIRAL, [1280.0, 720.0], Choices::default());
    bare.frames(3);
    let height = bare.free.height();
    let mut desk = desk(Choices::default());
    desk.frames(3);
    assert!(desk.free.height() < height - 20.0);
    assert!(desk.says("step 40") && desk.says("epoch 4"));
    assert!(!desk.says("Back to now"));
}

#[test]
fn keys_step_through_the_path_and_lead_back() {
    let mut desk = desk(Choices::default());
    desk.frames(2);
    let earlier = ReplayWish::Show {
        step: 30,
        playing: false,
    };
    assert_eq!(replay(&desk.press(Key::Comma)), [earlier]);
    assert_eq!(replay(&desk.press(Key::Period)), []);
    assert_eq!(replay(&desk.press(Key::Backspace)), []);
    desk.training.show_past(30, false);
    let last = ReplayWish::Show {
        step: 40,
        playing: false,
    };
    assert_eq!(replay(&desk.press(Key::Period)), [last]);
    assert_eq!(replay(&desk.press(Key::Backspace)), [ReplayWish::Now]);
    assert_eq!(replay(&desk.press(Key::C)), [ReplayWish::GoOn]);
}

#[test]
fn the_replay_begins_at_the_start_goes_on_by_itself_and_ends_at_the_end() {
    let mut desk = desk(Choices::default());
    desk.frames(2);
    let wishes = replay(&desk.press(Key::P));
    let first = ReplayWish::Show {
        step: 0,
        playing: true,
    };
    assert_eq!(wishes, [first]);
    let mut seen = vec![0];
    desk.training.show_past(0, true);
    // Twenty seconds at a tenth of a second a frame.
    for _ in 0..230 {
        for wish in replay(&desk.frame(Vec::new())) {
            if let ReplayWish::Show { step, playing } = wish {
                seen.push(step);
                desk.training.show_past(step, playing);
            }
        }
    }
    assert_eq!(seen, [0, 10, 20, 30, 40]);
    assert!(!desk.panels.timeline.playing && !desk.training.is_moving());
}

#[test]
fn nobody_takes_the_past_for_the_present_in_either_language() {
    for (language, badge, back) in [
        (
            Language::English,
            "The past: step 20 of 40, epoch 2",
            "Back to now",
        ),
        (
            Language::Chinese,
            "过去：第 20 步，共 40 步，第 2 轮",
            "回到现在",
        ),
    ] {
        let mut desk = desk(Choices {
            language,
            ..Choices::default()
        });
        desk.training.show_past(25, false);
        desk.frames(3);
        assert!(desk.says(badge), "{language:?}");
        let at = desk.place(back).center();
        assert_eq!(replay(&desk.click_at(at)), [ReplayWish::Now]);
    }
}

#[test]
fn a_key_takes_the_earlier_weights_back_and_another_lets_the_camera_follow() {
    let mut desk = desk(Choices::default());
    let intents = desk.press(Key::U);
    assert!(matches!(intents[..], [Intent::Weights(WeightsWish::Undo)]));
    assert!(!desk.choices.surface.camera_follows);
    desk.press(Key::J);
    assert!(desk.choices.surface.camera_follows);
}
