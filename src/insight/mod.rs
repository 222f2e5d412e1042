//! What training means: pictures of what a network has learnt, and why it says what
//! it says.

pub mod contributions;
pub mod explain;
pub mod field;
pub mod maximise;
pub mod model;
pub mod nearest;
pub mod picture;
pub mod regularisers;
pub mod salient;
pub mod similarity;
pub mod warp;
