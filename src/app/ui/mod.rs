//! The panels: experiment, run, curves, data, selection, view.
//!
//! A panel is a function that draws into an `egui::Ui` and reads a [`Stage`];
//! what it wants done it puts there as an [`Intent`]. No panel knows Bevy, so
//! all of them run without a window. [`UiPlugin`] gives them the resources of
//! the app and carries out what they ask for.

mod answers;
mod branch;
mod charts;
mod constants;
mod curvature;
mod draft;
mod draw;
mod edit;
mod events;
mod exercise;
mod experiment;
mod field_pixels;
mod files;
mod formula;
mod function;
mod icons;
mod inside;
mod insight;
mod keys;
mod layer_kinds;
mod learning;
mod lecture;
mod line;
mod math;
mod model;
mod network;
mod optimizer;
mod overlays;
mod panels;
mod picture;
mod plugin;
mod presenter;
mod race;
mod range_test;
mod regularise;
mod runs;
mod samples;
mod selected;
mod stage;
mod stopped;
mod surface_choice;
mod surface_export;
mod surface_facts;
mod sweep;
mod sweep_form;
mod sweep_picture;
mod sweep_scatter;
mod timeline;
mod top;
mod typing;
mod view_options;
mod widgets;

use super::format;

pub use super::format::number;
pub use branch::BranchForm;
pub use draft::Draft;
pub use draw::Drawer;
pub use exercise::Exercises;
pub use function::FunctionForm;
pub use inside::{Elsewhere, Figure, Inside, Over, Tab};
pub use keys::{Action, SHORTCUTS, Shortcut};
pub use line::LineForm;
pub use model::Finder;
pub use panels::{Panels, open_panels, show};
pub use plugin::{FirstTab, UiPlugin};
pub(in crate::app) use plugin::{inside_is_busy, recorded};
pub use range_test::RangeForm;
pub use runs::RunsPanel;
pub use stage::{Intent, Stage};
pub use sweep::SweepForm;
pub use sweep_form::{Dial, Setting, Values};
pub use widgets::control_id;
