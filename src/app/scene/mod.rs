//! The network as entities and plain components: what is where, in which
//! colour, how thick. Nothing here draws or knows an asset.
//!
//! [`NetworkReplaced`](super::training::NetworkReplaced) lays everything out
//! anew; after that only components change: `drawn` decides which connections
//! are shown, `paint` gives colours and sizes, `captions` writes the labels.
//! All of them read [`Training`](super::training::Training) and the user's
//! choices, and do nothing in a frame in which none of those changed.

mod blocks;
mod breath;
mod captions;
mod chain;
mod choose;
mod drawn;
mod event;
mod fields;
mod focus;
mod layout;
mod map_places;
mod numbers;
mod paint;
mod parts;
mod picture;
mod pinned;
mod pulses;
mod racers;
mod rivals;
mod scale;
mod spawn;
mod surface;
mod surface_axes;
mod surface_frame;
mod surface_level;
mod surface_levels;
mod surface_parts;
mod surface_path;
mod surface_ray;
mod surface_relief;
mod ways;
mod weight_maps;

pub use blocks::{BlockLink, MOST_LINKS, Slab};
pub(super) use blocks::{Face, block_name, operator, shape_text};
pub use drawn::{DrawnConnections, DrawnPair};
pub use event::{OfWeight, Quantity};
pub use fields::{FieldOf, FieldScale, few_enough};
pub use layout::{
    Arrangement, Column, Plan, UNFOLDED_LIMIT, arrange, lay_out, plans, row_direction, visible,
};
pub use paint::{connection_parameter, neuron_value};
pub use parts::{
    Connection, Ends, Learnt, NetworkPart, Neuron, Outline, Shape, Sign, Slot, Standing, Thickness,
    Tint,
};
pub use picture::Picture;
pub use pulses::{Pulse, Pulses};
pub use racers::{Tag, TagKind, Tags};
pub use rivals::{RivalConnection, RivalNeuron, RivalScene, RivalStanding};
pub use spawn::NetworkLayout;
pub use surface::{SurfaceLaid, SurfaceScenePlugin, SurfaceStanding};
pub use surface_axes::Facing;
pub use surface_frame::{HeightScale, SurfaceFrame};
pub use surface_level::level_set;
pub use surface_levels::LevelName;
pub use surface_parts::{
    Ball, PinnedRelief, PinnedRoot, PinnedText, RacerBall, Stroke, StrokeKind, Strokes, SurfaceText,
};
pub use surface_ray::{coordinates, height_over, loss_at, meet};
pub use surface_relief::Relief;
pub use weight_maps::{Folding, MapText, WeightPanel};

use super::blocks::Blocks;
use super::camera::CameraSettings;
use super::chain::ChainShown;
use super::micro::Playing;
use super::plugins::GradscapeSystems;
use super::presenter::Motion;
use super::rivals::Rivals;
use super::state::{CameraRequest, HoldView, NetworkBounds, NetworkView, Selection};
use super::text::Texts;
use super::theme::Theme;
use bevy::prelude::*;

/// The network's entities, without anything that draws them. Needs the
/// [`Training`](super::training::Training) resource.
pub struct NetworkScenePlugin;

impl Plugin for NetworkScenePlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<NetworkView>()
            .init_resource::<NetworkBounds>()
            .init_resource::<Selection>()
            .init_resource::<Texts>()
            .init_resource::<Theme>()
            .init_resource::<NetworkLayout>()
            .init_resource::<DrawnConnections>()
            .init_resource::<focus::Lit>()
            .init_resource::<paint::Colors>()
            .init_resource::<paint::Scales>()
            .init_resource::<Playing>()
            .init_resource::<ChainShown>()
            .add_plugins(super::ways::plugin)
            .init_resource::<Motion>()
            .init_resource::<Rivals>()
            .init_resource::<RivalScene>()
            .init_resource::<Folding>()
            .init_resource::<Blocks>()
            .init_resource::<HoldView>()
            .init_resource::<CameraSettings>()
            .add_message::<CameraRequest>()
            .add_message::<bevy::window::RequestRedraw>()
            .add_observer(spawn::lay_out_network)
            .add_observer(rivals::lay_out_rivals)
            .add_systems(
                Update,
                (
                    spawn::make_room,
                    drawn::follow_budget,
                    drawn::choose_again,
                    weight_maps::fold,
                    focus::raise_what_is_selected,
                    paint::follow_theme,
                    paint::fit_scales,
                    rivals::fit_scales,
                    paint::paint_neurons,
                    paint::paint_connections,
                    (
                        weight_maps::paint,
                        weight_maps::place,
                        weight_maps::write,
                        fields::spawn,
                        fields::paint,
                        fields::frame,
                    )
                        .chain(),
                    captions::write_captions,
                    (rivals::paint, rivals::write_captions),
                    pulses::place,
                    numbers::write,
                    chain::write,
                    chain::keep_running,
                    ways::write,
                    ways::keep_running,
                    (blocks::follow, blocks::glide, blocks::fly, blocks::paint).chain(),
                )
                    .chain()
                    .in_set(GradscapeSystems::Scene),
            );
    }
}
