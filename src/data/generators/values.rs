//! Problems that ask for a number: a plane, six hills and hollows, and a sine.

use rand::RngExt;
use rand_distr::StandardNormal;

use super::{DOMAIN, jitter};
use crate::rng::Rng;

type Samples = Vec<([f64; 2], f64)>;

const REACH: f64 = DOMAIN as f64;

/// A plane through the origin, `(x1 + x2) / 10`. Noise takes the value at a
/// place up to `6 noise` away along each axis.
pub(super) fn plane(n: usize, noise: f64, rng: &mut Rng) -> Samples {
    scattered(n, noise, rng, |[x, y]| (x + y) / 10.0)
}

/// Three hills and three hollows of radius 2 in a chequered pattern: at each
/// place the strongest counts, falling in a straight line from ±1 at its centre
/// to 0. Noise as for [`plane`].
pub(super) fn gauss(n: usize, noise: f64, rng: &mut Rng) -> Samples {
    scattered(n, noise, rng, hills)
}

fn hills([x, y]: [f64; 2]) -> f64 {
    const HILLS: [(f64, f64, f64); 6] = [
        (-4.0, 2.5, 1.0),
        (0.0, 2.5, -1.0),
        (4.0, 2.5, 1.0),
        (-4.0, -2.5, -1.0),
        (0.0, -2.5, 1.0),
        (4.0, -2.5, -1.0),
    ];
    HILLS.iter().fold(0.0, |strongest: f64, &(cx, cy, sign)| {
        let height = sign * (1.0 - libm::hypot(x - cx, y - cy) / 2.0).max(0.0);
        if height.abs() > strongest.abs() {
            height
        } else {
            strongest
        }
    })
}

/// `sin x` at `n` places evenly spaced over ±6, ends included. Noise adds a
/// normal amount of deviation `noise` to the value.
pub(super) fn sine(n: usize, noise: f64, rng: &mut Rng) -> Samples {
    (0..n)
        .map(|i| {
            let x = REACH * (2.0 * i as f64 / (n - 1).max(1) as f64 - 1.0);
            let error: f64 = rng.sample(StandardNormal);
            ([x, 0.0], libm::sin(x) + noise * error)
        })
        .collect()
}

/// `n` places drawn evenly from the square, each with the value of `f` nearby.
fn scattered(n: usize, noise: f64, rng: &mut Rng, f: impl Fn([f64; 2]) -> f64) -> Samples {
    (0..n)
        .map(|_| {
            let [x, y] = jitter(rng, REACH);
            let [dx, dy] = jitter(rng, REACH * noise);
            ([x, y], f([x + dx, y + dy]))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Stream, stream};

    #[test]
    fn the_plane_is_a_tenth_of_the_sum() {
        for ([x, y], value) in plane(100, 0.0, &mut stream(1, Stream::Data)) {
            assert!(x.abs() <= 6.0 && y.abs() <= 6.0);
            assert!((value - (x + y) / 10.0).abs() < 1e-15);
        }
    }

    #[test]
    fn hills_have_their_height_at_the_centre_half_of_it_half_way_and_none_beyond() {
        let expected = [
            ([-4.0, 2.5], 1.0),
            ([0.0, 2.5], -1.0),
            ([0.0, -1.5], 0.5),
            ([4.0, -3.5], -0.5),
            ([0.0, 0.0], 0.0),
        ];
        for (place, value) in expected {
            assert!((hills(place) - value).abs() < 1e-15, "{place:?}");
        }
    }

    #[test]
    fn the_sine_runs_from_end_to_end() {
        let samples = sine(13, 0.0, &mut stream(1, Stream::Data));
        for (i, ([x, _], value)) in samples.into_iter().enumerate() {
            assert!((x - (i as f64 - 6.0)).abs() < 1e-12 && (value - x.sin()).abs() < 1e-12);
        }
    }

    #[test]
    fn noise_changes_values_but_not_places() {
        let draw = |noise| sine(50, noise, &mut stream(9, Stream::Data));
        let (clean, noisy) = (draw(0.0), draw(0.2));
        assert!(clean.iter().zip(&noisy).all(|(a, b)| a.0 == b.0));
        assert!(
            clean
                .iter()
                .zip(&noisy)
                .any(|(a, b)| (a.1 - b.1).abs() > 0.05)
        );
    }
}
