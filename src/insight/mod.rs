//! What training means: pictures of what a network has learnt.

pub mod field;
pub mod salient;
