//! The panels: experiment, run, curves, data, selection, view.
//!
//! A panel is a function that draws into an `egui::Ui` and reads a [`Stage`];
//! what it wants done it puts there as an [`Intent`]. No panel knows Bevy, so
//! all of them run without a window. [`UiPlugin`] gives them the resources of
//! the app and carries out what they ask for.

mod charts;
mod draft;
mod experiment;
mod files;
mod icons;
mod insight;
mod keys;
mod layer_kinds;
mod learning;
mod network;
mod overlays;
mod panels;
mod plugin;
mod samples;
mod selected;
mod stage;
mod top;
mod typing;
mod view_options;
mod widgets;

use super::format;

pub use draft::Draft;
pub use keys::{Action, SHORTCUTS, Shortcut};
pub use panels::{Panels, open_panels, show};
pub use plugin::UiPlugin;
pub use stage::{Intent, Stage};
pub use widgets::control_id;
