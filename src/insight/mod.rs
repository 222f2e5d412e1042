//! What training means: pictures of what a network has learnt, and how well it is.

pub mod diagnosis;
pub mod field;
pub mod health;
pub mod histogram;
pub mod salient;
pub mod scores;
pub mod structure;
pub mod tiles;
