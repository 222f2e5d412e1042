//! The sum of several sources, each of which gets the whole error signal.

use super::Below;
use crate::nn::Real;

/// Adds one more source to the sum; the first is copied.
pub(in crate::nn) fn gather<R: Real>(first: bool, x: &[R], z: &mut [R]) {
    if first {
        z.copy_from_slice(x);
    } else {
        for (z, &x) in z.iter_mut().zip(x) {
            *z += x;
        }
    }
}

pub(super) fn backward<R: Real>(delta: &[R], below: Option<Below<'_, R>>) {
    if let Some(below) = below {
        gather(!below.add, delta, below.values);
    }
}
