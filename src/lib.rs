//! gradscape shows a back-propagation network from the inside, live and in 3D,
//! beside the error surface that its optimiser descends.
//!
//! The modules below the `app` feature compute and know nothing of Bevy or
//! egui; the module `app` draws. `ARCHITECTURE.md` says who may know whom.

pub mod cli;
pub mod colormap;
pub mod compare;
pub mod data;
pub mod digest;
pub mod experiment;
pub mod figure;
pub mod files;
pub mod insight;
pub mod interop;
pub mod landscape;
pub mod lesson;
pub mod nn;
pub mod optim;
pub mod race;
pub mod rng;
pub mod run;
pub mod search;
pub mod train;
pub mod watch;

#[cfg(feature = "app")]
pub mod app;
