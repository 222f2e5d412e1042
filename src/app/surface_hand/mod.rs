//! The hand on the error surface: what it points at is read out, a click puts
//! the weights there, and the ball can be dragged.
//!
//! `pointer` turns the mouse into a ray in the coordinates of the surface;
//! everything after that knows no window. `touch` finds the place and has the
//! loss and the slope there computed exactly (`probe`, off the frame), `draw`
//! and `tooltip` show them, `grip` moves the weights and `weights` hands them to
//! the run and takes them back.

mod draw;
mod grip;
mod pointer;
mod probe;
mod tooltip;
mod touch;
mod weights;

pub use grip::{Drag, SurfaceClicked};
pub use pointer::SurfacePointer;
pub use touch::{Exact, Touch, Touched};
pub use weights::{Earlier, WeightsWish};

use super::picture::not_picturing;
use super::plugins::GradscapeSystems;
use bevy::prelude::*;
use bevy_egui::EguiPrimaryContextPass;

/// The hand with mouse, tooltip and all.
pub(super) fn plugin(app: &mut App) {
    app.add_plugins(HandPlugin)
        .add_systems(
            Update,
            pointer::point
                .run_if(not_picturing)
                .before(touch::touch)
                .in_set(GradscapeSystems::Input),
        )
        .add_systems(EguiPrimaryContextPass, tooltip::show.run_if(not_picturing));
}

/// The hand, moved by whoever writes [`SurfacePointer`].
pub struct HandPlugin;

impl Plugin for HandPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<SurfacePointer>()
            .init_resource::<Touched>()
            .init_resource::<Drag>()
            .init_resource::<Earlier>()
            .add_message::<SurfaceClicked>()
            .add_message::<WeightsWish>()
            .add_observer(weights::forget)
            .add_systems(Startup, probe::start)
            .add_systems(
                Update,
                (
                    touch::touch,
                    probe::look_closely,
                    grip::click,
                    grip::drag,
                    weights::take,
                )
                    .chain()
                    .in_set(GradscapeSystems::Input),
            )
            .add_systems(
                Update,
                draw::lay_out
                    .after(super::scene::SurfaceLaid)
                    .in_set(GradscapeSystems::Scene),
            );
    }
}

#[cfg(test)]
mod tests;
