//! Several networks side by side: on the same data and the same batches, what differs
//! between them, and what each comes to.
//!
//! [`beside`] makes an experiment share another one's data; [`differences`] lists the
//! keys in which experiments differ; [`Outcome`] has the figures of a run, [`Variant`]
//! what one would like to compare a network with. How runs are
//! trained side by side is [`Session::keep_level`](crate::train::Session::keep_level).

mod differences;
mod outcome;
mod same_data;
mod variant;

pub use differences::{Difference, differences};
pub use outcome::Outcome;
pub use same_data::{Unlike, beside};
pub use variant::Variant;

/// The most networks that stand side by side.
pub const MOST: usize = 4;

/// What a network is called among those side by side: A, B, C, D.
pub fn letter(index: usize) -> char {
    char::from(b'A' + (index % 26) as u8)
}
