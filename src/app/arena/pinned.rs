//! A surface that stays to be compared with: as it was when it was pinned.

use crate::app::surface::{ErrorSurface, PlaneFacts};
use crate::app::surface_words;
use crate::landscape::{PathOnPlane, Surface};
use crate::train::Jumps;
use bevy::prelude::*;
use std::sync::Arc;

/// Keep the surface on the screen beside the live one, or no longer.
#[derive(Message, Debug, Clone, Copy, PartialEq, Eq)]
pub enum PinCommand {
    /// In place of any that was kept before.
    Pin,
    /// The live one alone.
    Unpin,
    /// Whichever changes something.
    Toggle,
}

/// What says which surface is which.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PinnedTitle {
    /// The function, where it is one's.
    pub function: Option<String>,
    /// The experiment.
    pub experiment: String,
    /// Units from layer to layer.
    pub widths: Vec<usize>,
    /// Which kind of plane, by its name in the language files.
    pub plane: Option<&'static str>,
    /// Steps made when it was computed.
    pub step: u64,
    /// The loss at the weights then.
    pub loss: f64,
    /// The number of the network that it is of among those side by side, where it is live
    /// and not pinned.
    pub beside: Option<usize>,
}

impl PinnedTitle {
    /// Of what is shown now.
    pub fn of(shown: &ErrorSurface) -> Self {
        let problem = shown.problem.as_ref();
        let newest = shown.newest();
        PinnedTitle {
            function: shown.function.as_ref().map(|f| f.name().to_owned()),
            experiment: problem.map_or_else(String::new, |p| p.experiment.title().to_owned()),
            widths: problem.map_or_else(Vec::new, |p| p.network.widths()),
            plane: shown.facts.as_ref().map(|facts| match facts.stands_in {
                true => "random",
                false => surface_words::plane_kind(facts.directions),
            }),
            step: newest.map_or(0, |p| p.step),
            loss: newest.map_or(shown.center_loss, |p| p.true_loss),
            beside: None,
        }
    }
}

/// A surface as it was.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Its heights.
    pub surface: Arc<Surface>,
    /// The path to it.
    pub path: PathOnPlane,
    /// Where on the path the weights were put rather than stepped.
    pub jumps: Arc<Jumps>,
    /// What its axes' numbers add to the coordinates.
    pub origin: (f64, f64),
    /// What its axes are called, where they are parameters.
    pub parameters: [Option<String>; 2],
    /// What is known about its plane.
    pub facts: Option<PlaneFacts>,
    /// What it is of.
    pub title: PinnedTitle,
}

/// The surface that is kept beside the live one, if there is one.
#[derive(Resource, Debug, Default)]
pub struct Pinned {
    /// Counts what was kept: another number, another picture.
    pub revision: u64,
    /// The surface.
    pub kept: Option<Kept>,
}

impl Kept {
    /// What is shown now, if something is.
    pub(in crate::app) fn of(shown: &ErrorSurface) -> Option<Self> {
        Some(Kept {
            surface: Arc::clone(shown.surface.as_ref()?),
            path: shown.path.clone(),
            jumps: Arc::clone(&shown.jumps),
            origin: (shown.axis_origin(0), shown.axis_origin(1)),
            parameters: [shown.parameter_name(0), shown.parameter_name(1)],
            facts: shown.facts.clone(),
            title: PinnedTitle::of(shown),
        })
    }
}

/// Keeps the surface that is shown, or lets it go.
pub(super) fn obey(
    mut wishes: MessageReader<PinCommand>,
    mut pinned: ResMut<Pinned>,
    shown: Res<ErrorSurface>,
) {
    for wish in wishes.read() {
        let pin = match wish {
            PinCommand::Pin => true,
            PinCommand::Unpin => false,
            PinCommand::Toggle => pinned.kept.is_none(),
        };
        pinned.kept = Kept::of(&shown).filter(|_| pin);
        pinned.revision += 1;
    }
}
