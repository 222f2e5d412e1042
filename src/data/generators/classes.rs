//! Problems with two classes in the plane. Samples alternate between class 1
//! and class 0, so that the classes differ by at most one in size.

use std::f64::consts::{PI, TAU};

use rand::RngExt;
use rand_distr::StandardNormal;

use super::{jitter, uniform};
use crate::rng::Rng;

type Samples = Vec<([f64; 2], usize)>;

/// The reach of circle, xor and spiral, inside the square of ±6.
const RADIUS: f64 = 5.0;

/// `n` samples; `draw` gets the class and the place within the class, 0 to below 1.
fn alternate(n: usize, mut draw: impl FnMut(usize, f64) -> [f64; 2]) -> Samples {
    let per_class = [n / 2, n - n / 2];
    (0..n)
        .map(|i| {
            let class = 1 - i % 2;
            (draw(class, (i / 2) as f64 / per_class[class] as f64), class)
        })
        .collect()
}

/// A disc of radius 2.5 (class 1) within a ring from 3.5 to 5 (class 0), even in
/// radius and angle. Noise moves a point by up to `5 noise` along each axis.
pub(super) fn circle(n: usize, noise: f64, rng: &mut Rng) -> Samples {
    alternate(n, |class, _| {
        let r = match class {
            1 => uniform(rng, 0.0, 0.5 * RADIUS),
            _ => uniform(rng, 0.7 * RADIUS, RADIUS),
        };
        let angle = uniform(rng, 0.0, TAU);
        let [dx, dy] = jitter(rng, RADIUS * noise);
        [r * libm::sin(angle) + dx, r * libm::cos(angle) + dy]
    })
}

/// Class 1 where the coordinates have the same sign. Without noise points keep
/// 0.3 away from the axes; noise moves a point by up to `5 noise` along each.
pub(super) fn xor(n: usize, noise: f64, rng: &mut Rng) -> Samples {
    const PADDING: f64 = 0.3;
    alternate(n, |class, _| {
        let x = uniform(rng, 0.0, RADIUS) + PADDING;
        let y = uniform(rng, 0.0, RADIUS) + PADDING;
        let sign_x = if rng.random::<bool>() { 1.0 } else { -1.0 };
        let sign_y = if class == 1 { sign_x } else { -sign_x };
        let [dx, dy] = jitter(rng, RADIUS * noise);
        [sign_x * x + dx, sign_y * y + dy]
    })
}

/// Normal clouds about (2, 2) (class 1) and (-2, -2), with variance
/// `0.5 + 7 noise` along each axis.
pub(super) fn gauss(n: usize, noise: f64, rng: &mut Rng) -> Samples {
    let deviation = (0.5 + 7.0 * noise).sqrt();
    alternate(n, |class, _| {
        let centre = if class == 1 { 2.0 } else { -2.0 };
        [
            centre + deviation * normal(rng),
            centre + deviation * normal(rng),
        ]
    })
}

/// Two arms half a turn apart that wind 1.75 times from the middle out to
/// radius 5. Noise moves a point by up to `noise` along each axis.
pub(super) fn spiral(n: usize, noise: f64, rng: &mut Rng) -> Samples {
    alternate(n, |class, place| {
        let start = if class == 1 { 0.0 } else { PI };
        let r = RADIUS * place;
        let angle = 1.75 * TAU * place + start;
        let [dx, dy] = jitter(rng, noise);
        [r * libm::sin(angle) + dx, r * libm::cos(angle) + dy]
    })
}

/// Two half circles of radius 3 that reach into one another, centred on the
/// origin. Noise moves a point by a normal amount of deviation `3 noise` along
/// each axis.
pub(super) fn moons(n: usize, noise: f64, rng: &mut Rng) -> Samples {
    const R: f64 = 3.0;
    alternate(n, |class, place| {
        let angle = PI * place;
        let (x, y) = match class {
            1 => (libm::cos(angle), libm::sin(angle)),
            _ => (1.0 - libm::cos(angle), 0.5 - libm::sin(angle)),
        };
        let dx = noise * normal(rng);
        let dy = noise * normal(rng);
        [R * (x - 0.5 + dx), R * (y - 0.25 + dy)]
    })
}

fn normal(rng: &mut Rng) -> f64 {
    rng.sample(StandardNormal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Stream, stream};

    fn rng(seed: u64) -> Rng {
        stream(seed, Stream::Data)
    }

    #[test]
    fn classes_are_equally_large_with_and_without_noise() {
        let generators: [fn(usize, f64, &mut Rng) -> Samples; 5] =
            [circle, xor, gauss, spiral, moons];
        for generator in generators {
            for (n, noise) in [(500, 0.0), (500, 0.5), (7, 1.0)] {
                let samples = generator(n, noise, &mut rng(1));
                let ones = samples.iter().filter(|(_, class)| *class == 1).count();
                assert_eq!((samples.len(), ones), (n, n - n / 2));
            }
        }
    }

    #[test]
    fn without_noise_the_circle_is_a_disc_in_a_ring() {
        for ([x, y], class) in circle(400, 0.0, &mut rng(2)) {
            let r = x.hypot(y);
            assert!(if class == 1 {
                r < 2.5
            } else {
                (3.5..=5.0).contains(&r)
            });
        }
    }

    #[test]
    fn without_noise_xor_is_the_sign_of_the_product_away_from_the_axes() {
        for ([x, y], class) in xor(400, 0.0, &mut rng(3)) {
            assert_eq!(class == 1, x * y > 0.0);
            assert!(x.abs() >= 0.3 && y.abs() >= 0.3 && x.abs() <= 5.3 && y.abs() <= 5.3);
        }
    }

    #[test]
    fn the_clouds_have_the_stated_centres_and_variance() {
        let samples = gauss(40_000, 0.1, &mut rng(4));
        let xs: Vec<f64> = samples
            .iter()
            .filter(|s| s.1 == 1)
            .map(|s| s.0[0])
            .collect();
        let mean = xs.iter().sum::<f64>() / xs.len() as f64;
        let variance = xs.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / xs.len() as f64;
        assert!(
            (mean - 2.0).abs() < 0.03 && (variance - 1.2).abs() < 0.05,
            "{mean} {variance}"
        );
    }

    #[test]
    fn the_arms_of_the_spiral_are_each_others_mirror_through_the_middle() {
        let samples = spiral(10, 0.0, &mut rng(5));
        for pair in samples.chunks(2) {
            let ([x, y], [u, v]) = (pair[0].0, pair[1].0);
            assert!((x + u).abs() < 1e-12 && (y + v).abs() < 1e-12);
        }
        // Place 1/5 on the arm of class 1: radius 1, angle 0.7 pi.
        let ([x, y], _) = samples[2];
        assert!(
            (x - 0.809_016_994_374_947_5).abs() < 1e-12
                && (y + 0.587_785_252_292_473).abs() < 1e-12
        );
    }

    #[test]
    fn moons_lie_on_two_half_circles() {
        for ([x, y], class) in moons(100, 0.0, &mut rng(6)) {
            let (cx, cy, side) = if class == 1 {
                (-1.5, -0.75, 1.0)
            } else {
                (1.5, 0.75, -1.0)
            };
            assert!(((x - cx).hypot(y - cy) - 3.0).abs() < 1e-12);
            assert!(side * (y - cy) >= -1e-12);
        }
    }
}
