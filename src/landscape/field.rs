//! Whatever has a height over each point of a plane.

use std::sync::atomic::AtomicBool;

/// A function of two coordinates that is computed many points at a time. What it
/// gives for a point depends on nothing but the point: not on which others are
/// asked for with it, nor on the thread.
pub trait HeightField: Sync {
    /// What one thread needs to compute.
    type Buffers: Send;

    /// Buffers for one thread.
    fn buffers(&self) -> Self::Buffers;

    /// The heights over `points` `(x, y)`, as many as `heights` takes.
    fn heights(&self, points: &[[f64; 2]], buffers: &mut Self::Buffers, heights: &mut [f64]);

    /// How many points are best asked for at once: enough to share what they have
    /// in common, few enough that somebody who cancels need not wait.
    fn block(&self) -> usize {
        16
    }

    /// How many points at a time it takes at the least for what they share to be
    /// worth computing.
    fn least_block(&self) -> usize {
        1
    }

    /// Computes, on the current rayon pool, what all points have in common; else
    /// the first points to be asked for do. Stops early if `cancel` is set.
    fn prepare(&self, _cancel: &AtomicBool) {}
}
