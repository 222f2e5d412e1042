//! Every random number of an experiment comes from its one seed, through a
//! stream of its own for each purpose, so that changing how many numbers one
//! purpose draws never changes another.

use rand::SeedableRng;
pub use rand_chacha::ChaCha8Rng as Rng;

/// What a stream of random numbers is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum Stream {
    /// Positions and noise of generated data.
    Data = 1,
    /// Which samples are held back for validation.
    Split = 2,
    /// Initial weights.
    Init = 3,
    /// The order of the samples within each epoch.
    Shuffle = 4,
    /// Random directions through parameter space.
    Directions = 5,
    /// Where searches for eigenvalues begin, and probes of the Hessian.
    Curvature = 6,
    /// Noise on the gradients of a function that optimisers race on.
    Noise = 7,
    /// Noise on a sample that is explained.
    Explanation = 20,
    /// Where activation maximisation begins, and how it moves its picture about.
    Maximisation = 21,
}

/// The generator of `stream` for an experiment's `seed` (ChaCha8, whose output
/// is specified and the same on every platform).
pub fn stream(seed: u64, stream: Stream) -> Rng {
    let mut rng = Rng::seed_from_u64(seed);
    rng.set_stream(stream as u64);
    rng
}
