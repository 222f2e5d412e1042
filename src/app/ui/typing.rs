//! Keys pressed while Ctrl is held are no text.
//!
//! bevy_egui takes the modifiers as they are at the end of a frame. Where Ctrl
//! and A were pressed and let go within one, Ctrl+A arrives as the letter a: a
//! number field gets it typed in instead of being selected. The messages say in
//! which order things happened.

use bevy::input::ButtonState;
use bevy::input::keyboard::{Key, KeyCode, KeyboardInput};
use bevy::prelude::*;
use bevy_egui::{EguiInput, EguiPreUpdateSet, egui};

pub(super) fn plugin(app: &mut App) {
    app.add_systems(
        PreUpdate,
        mend_shortcuts
            .after(EguiPreUpdateSet::ProcessInput)
            .before(EguiPreUpdateSet::BeginPass),
    );
}

fn mend_shortcuts(
    mut keys: MessageReader<KeyboardInput>,
    mut held: Local<[bool; 2]>,
    mut inputs: Query<&mut EguiInput>,
) {
    let letters = shortcuts(keys.read(), &mut held);
    if letters.is_empty() {
        return;
    }
    for mut input in &mut inputs {
        mend(&mut input.events, &letters);
    }
}

/// The letters that were pressed while Ctrl was held; `held` says for its left
/// and right key whether it is.
fn shortcuts<'a>(
    keys: impl Iterator<Item = &'a KeyboardInput>,
    held: &mut [bool; 2],
) -> Vec<String> {
    let mut letters = Vec::new();
    for key in keys {
        let down = key.state == ButtonState::Pressed;
        match (key.key_code, &key.logical_key) {
            (KeyCode::ControlLeft, _) => held[0] = down,
            (KeyCode::ControlRight, _) => held[1] = down,
            (_, Key::Character(text)) if down && (held[0] || held[1]) => {
                letters.push(text.to_string());
            }
            _ => {}
        }
    }
    letters
}

/// Takes each letter's text out of the events and gives its key the modifier.
fn mend(events: &mut Vec<egui::Event>, letters: &[String]) {
    for letter in letters {
        let is_text = |e: &egui::Event| matches!(e, egui::Event::Text(text) if text == letter);
        if let Some(at) = events.iter().position(is_text) {
            events.remove(at);
        }
        let wanted = egui::Key::from_name(&letter.to_uppercase());
        let plain = events.iter_mut().find_map(|event| match event {
            egui::Event::Key {
                key,
                pressed: true,
                modifiers,
                ..
            } if Some(*key) == wanted && !modifiers.command => Some(modifiers),
            _ => None,
        });
        if let Some(modifiers) = plain {
            modifiers.ctrl = true;
            modifiers.command = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(key_code: KeyCode, logical_key: Key, state: ButtonState) -> KeyboardInput {
        KeyboardInput {
            key_code,
            logical_key,
            state,
            text: None,
            repeat: false,
            window: Entity::PLACEHOLDER,
        }
    }

    fn event(modifiers: egui::Modifiers) -> egui::Event {
        egui::Event::Key {
            key: egui::Key::A,
            physical_key: None,
            pressed: true,
            repeat: false,
            modifiers,
        }
    }

    #[test]
    fn ctrl_a_within_one_frame_selects_and_types_nothing() {
        let letter = || Key::Character("a".into());
        let (down, up) = (ButtonState::Pressed, ButtonState::Released);
        let frame = [
            key(KeyCode::ControlLeft, Key::Control, down),
            key(KeyCode::KeyA, letter(), down),
            key(KeyCode::KeyA, letter(), up),
            key(KeyCode::ControlLeft, Key::Control, up),
            key(KeyCode::KeyB, Key::Character("b".into()), down),
        ];
        let mut held = [false; 2];
        let letters = shortcuts(frame.iter(), &mut held);
        assert_eq!(letters, ["a"]);
        assert_eq!(held, [false; 2]);
        let typed = |text: &str| egui::Event::Text(text.into());
        let mut events = vec![event(egui::Modifiers::NONE), typed("a"), typed("b")];
        mend(&mut events, &letters);
        let modifiers = egui::Modifiers {
            ctrl: true,
            command: true,
            ..egui::Modifiers::NONE
        };
        assert_eq!(events, [event(modifiers), typed("b")]);
    }
}
