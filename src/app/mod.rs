//! The window and every rendered picture: the only code that knows Bevy and egui.
//!
//! [`GradscapePlugins`] adds the whole scene to a Bevy app. The flow of a frame
//! is the order of [`GradscapeSystems`]: what the training thread sent is taken
//! in, entities are laid out anew where the network changed, components follow
//! the numbers, and the render files write them to the GPU.

mod arena;
mod background;
mod ball_camera;
mod blocks;
mod camera;
pub mod capture;
mod chain;
mod errand;
mod format;
mod framing;
pub mod graphics;
mod labels;
mod lecture;
pub mod live;
mod micro;
mod pick;
mod picture;
mod plugins;
mod presenter;
mod quiet;
mod render;
mod replay;
mod rivals;
pub mod run;
mod runs;
pub mod scene;
mod search;
mod settings;
mod state;
mod study;
mod surface;
mod surface_hand;
mod surface_words;
mod text;
mod theme;
mod training;
pub mod ui;
mod viewport;
mod watch;
mod ways;

pub use arena::{
    Arena, ArenaPlugin, ArenaView, Ground, Lane, Lap, MOST_RACERS, MOST_STEPS, PinCommand, Pinned,
    PinnedTitle, RaceCommand, Standing, letter,
};
pub use blocks::{Blocks, MOST_UNFOLDED, OpenFile, OpeningFile, OpeningStage, Plate, is_large};
pub use camera::CameraSettings;
pub use chain::ChainShown;
pub use errand::{Errand, ErrandProgress};
pub use labels::{Label, ViewCamera};
pub use lecture::Lecture;
pub use micro::{Gait, Playing, Walk};
pub use picture::{PictureWish, Picturing};
pub use plugins::{GradscapePlugins, GradscapeSystems};
pub use presenter::{Motion, PointerAs, Presenter};
pub use replay::ReplayWish;
pub use rivals::{MOST_RIVALS, RivalWish, Rivals, RivalsReplaced};
pub use runs::{Origin, RunKeeper};
pub use search::{RangePlan, RangeTrial, SearchCommand, Searches, SweepPlan, SweepTrial, Wake};
pub use settings::{Choices, Progress, Settings, SettingsError, SettingsPlugin, settings_path};
pub use state::{
    CameraRequest, ConnectionValue, HeatView, HoldView, Item, NetworkBounds, NetworkView,
    NeuronValue, SceneView, Selection, SurfaceView, ViewMode, ViewRect,
};
pub use study::{CurvatureHere, LineHere, Study, StudyWish};
pub use surface::{ErrorSurface, PlaneFacts};
pub use surface_hand::{
    Drag, Earlier, Exact, HandPlugin, SurfaceClicked, SurfacePointer, Touch, Touched, WeightsWish,
};
pub use text::{Language, Texts, font_definitions};
pub use theme::{Palette, Signs, Theme};
pub use training::{
    Command, Drive, FrameGate, LoadExperiment, NetworkReplaced, Notice, Notices, Training,
};
pub use ui::UiPlugin;
pub use watch::{WatchWish, Watching};
pub use ways::{LitWays, WaysShown};
