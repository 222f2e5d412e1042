//! The plugin group and the order of everything that runs in a frame.

use super::{
    arena, ball_camera, blocks, camera, chain, labels, lecture, micro, pick, picture, presenter,
    quiet, render, replay, rivals, scene, state, study, surface, surface_hand, text, theme,
    training, watch,
};
use crate::train::Problem;
use bevy::app::PluginGroupBuilder;
use bevy::prelude::*;
use std::sync::Arc;

/// What a frame does, in this order, in `Update`.
#[derive(SystemSet, Debug, Clone, PartialEq, Eq, Hash)]
pub enum GradscapeSystems {
    /// Input becomes commands, settings and selection.
    Input,
    /// News from the training thread and the surface thread are taken in.
    Receive,
    /// Entities are despawned and spawned where the network or the surface
    /// changed its shape.
    Layout,
    /// Plain components (colour, thickness, position) follow the numbers.
    Scene,
    /// Plain components are written to meshes and shader buffers.
    Render,
}

/// The scene of gradscape as Bevy plugins: training, network, error surface,
/// cameras and labels, without panels. Add it after `DefaultPlugins` and
/// `EguiPlugin`.
#[derive(Clone)]
pub struct GradscapePlugins {
    /// What is learnt and shown.
    pub problem: Arc<Problem>,
    /// How training is driven.
    pub drive: training::Drive,
}

impl PluginGroup for GradscapePlugins {
    fn build(self) -> PluginGroupBuilder {
        PluginGroupBuilder::start::<Self>()
            .add(core_plugin)
            .add(training::TrainingPlugin {
                problem: self.problem,
                drive: self.drive,
            })
            .add(replay::plugin)
            .add(rivals::plugin)
            .add(watch::plugin)
            .add(micro::plugin)
            .add(chain::plugin)
            .add(lecture::plugin)
            .add(presenter::plugin)
            .add(surface::plugin)
            .add(arena::ArenaPlugin)
            .add(study::plugin)
            .add(blocks::plugin)
            .add(scene::NetworkScenePlugin)
            .add(scene::SurfaceScenePlugin)
            .add(render::plugin)
            .add(pick::plugin)
            .add(surface_hand::plugin)
            .add(camera::plugin)
            .add(ball_camera::plugin)
            .add(labels::plugin)
            .add(picture::plugin)
    }
}

fn core_plugin(app: &mut App) {
    use GradscapeSystems as Set;
    app.configure_sets(
        Update,
        (
            Set::Input,
            Set::Receive,
            Set::Layout,
            Set::Scene,
            Set::Render,
        )
            .chain(),
    );
    app.add_plugins((state::plugin, theme::plugin, text::plugin, quiet::plugin));
}
