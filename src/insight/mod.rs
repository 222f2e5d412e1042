//! What training means: pictures of what a network has learnt.

pub mod field;
pub mod histogram;
pub mod salient;
pub mod scores;
pub mod structure;
pub mod tiles;
