//! Functions of x and y in place of the network's surface, races of optimisers
//! on either, and a second surface to compare with.
//!
//! [`ArenaView`] is what was chosen; the [`Arena`] is what a thread of its own
//! has made of it, at the step that is looked at. Scene and panels read both and
//! send [`RaceCommand`]s.

mod choice;
mod heat;
mod pinned;
mod replay;
mod runner;
mod tags;
mod terrain;
mod thinker;

pub use choice::{ArenaView, Ground, MOST_RACERS, MOST_STEPS, letter};
pub use heat::Lap;
pub(super) use pinned::Kept;
pub use pinned::{PinCommand, Pinned, PinnedTitle};
pub use replay::{Arena, Lane, RaceCommand, Standing};

use super::plugins::GradscapeSystems;
use super::scene::Tags;
use super::surface::draw_surface;
use super::surface_hand::SurfaceClicked;
use super::training::{Notices, receive_training};
use bevy::prelude::*;
use bevy_egui::EguiPrimaryContextPass;

/// Functions, races and the pinned surface, without anything that shows them but
/// what is written beside the racers. Needs the
/// [`Training`](super::training::Training) resource.
pub struct ArenaPlugin;

impl Plugin for ArenaPlugin {
    fn build(&self, app: &mut App) {
        build(app);
    }
}

fn build(app: &mut App) {
    app.init_resource::<ArenaView>()
        .init_resource::<Arena>()
        .init_resource::<Pinned>()
        .init_resource::<Tags>()
        .init_resource::<Notices>()
        .init_resource::<terrain::Terrain>()
        .init_resource::<replay::Track>()
        .add_message::<RaceCommand>()
        .add_message::<PinCommand>()
        .add_message::<SurfaceClicked>()
        .add_systems(Startup, (terrain::start, replay::start))
        .add_systems(
            Update,
            terrain::show
                .in_set(GradscapeSystems::Receive)
                .after(receive_training)
                .before(draw_surface),
        )
        .add_systems(EguiPrimaryContextPass, tags::draw)
        .add_systems(
            Update,
            (replay::hear_clicks, replay::obey, replay::run, pinned::obey)
                .chain()
                .in_set(GradscapeSystems::Receive)
                .after(draw_surface),
        );
}
