//! What training means: pictures of what a network has learnt, how well it is, and why
//! it says what it says.

pub mod contributions;
pub mod diagnosis;
pub mod distributions;
pub mod explain;
pub mod field;
pub mod health;
pub mod histogram;
pub mod maximise;
pub mod model;
pub mod model_inputs;
pub mod nearest;
pub mod neuron_field;
pub mod outline;
pub mod picture;
pub mod recording;
pub mod regularisers;
pub mod run_record;
pub mod salient;
pub mod same_samples;
mod sample_pass;
pub mod scores;
pub mod similarity;
pub mod smoothing;
pub mod structure;
pub mod tiles;
pub mod warp;
pub mod weight_map;
pub mod window;
