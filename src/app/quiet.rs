//! Lets a window at rest be at rest.
//!
//! bevy_egui 0.42 tells egui which modifier keys are held in every frame, and
//! egui asks for another frame after every event. Passing on only what changed
//! breaks the circle.

use bevy::ecs::entity::EntityHashMap;
use bevy::prelude::*;
use bevy_egui::{EguiInput, EguiPreUpdateSet, egui};

pub(super) fn plugin(app: &mut App) {
    app.add_systems(
        PreUpdate,
        drop_what_is_known
            .after(EguiPreUpdateSet::ProcessInput)
            .before(EguiPreUpdateSet::BeginPass),
    );
}

fn drop_what_is_known(
    mut inputs: Query<(Entity, &mut EguiInput)>,
    mut held: Local<EntityHashMap<egui::Modifiers>>,
) {
    for (context, mut input) in &mut inputs {
        input.0.events.retain(|event| match event {
            egui::Event::ModifiersChanged(now) => held.insert(context, *now) != Some(*now),
            _ => true,
        });
    }
}
