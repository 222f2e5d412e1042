//! What keeps activation maximisation from answering with noise that only the network
//! sees: penalties, and a picture that has to work wherever it is moved.
//!
//! Values are shares of their range here, 0 to 1. A penalty's weight says how strong it
//! pulls beside the readout's gradient, which is brought to a root mean square of 1 as
//! in keras-vis, so that the same weights serve any network.

use super::picture::Picture;
use super::warp::Motion;
use crate::rng::Rng;
use rand::RngExt;

/// The penalties and motions of one ascent; 0 turns each off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Regularisers {
    /// Weight of the total variation, `sum ((dx)^2 + (dy)^2)^(beta / 2)` over neighbouring
    /// pixels (Mahendran and Vedaldi 2015, arXiv:1412.0035, section 3).
    pub total_variation: f64,
    /// Its exponent, 1 to 2: 2 smooths, 1 leaves edges.
    pub beta: f64,
    /// Weight of the norm, `sum |u - u0|^p / p` about the baseline.
    pub norm: f64,
    /// Its exponent: 1 leaves only what is worth it, 6 (keras-vis) cuts off what is large.
    pub power: f64,
    /// The blur's standard deviation at the beginning, in pixels; it shrinks to 0
    /// (Yosinski et al. 2015, arXiv:1506.06579, section 3.2).
    pub blur: f64,
    /// Steps from one blur to the next.
    pub blur_every: usize,
    /// The picture is moved by up to so many pixels before every step (Mordvintsev et
    /// al. 2015; Olah, Mordvintsev and Schubert 2017, doi:10.23915/distill.00007).
    pub jitter: f64,
    /// And turned by up to so many degrees.
    pub turn: f64,
    /// And stretched by up to this share.
    pub stretch: f64,
}

impl Regularisers {
    /// None.
    pub const NONE: Regularisers = Regularisers {
        total_variation: 0.0,
        beta: 2.0,
        norm: 0.0,
        power: 2.0,
        blur: 0.0,
        blur_every: 4,
        jitter: 0.0,
        turn: 0.0,
        stretch: 0.0,
    };

    /// For pictures: motions as in Lucid, in proportion to the picture, and penalties of
    /// keras-vis's kinds, of a strength that leaves strokes of digits.
    pub fn for_picture(picture: Picture) -> Self {
        let side = picture.shape.height.max(picture.shape.width) as f64;
        Regularisers {
            total_variation: 0.5,
            beta: 2.0,
            norm: 0.7,
            power: 1.0,
            blur: 0.02 * side,
            blur_every: 4,
            jitter: 0.06 * side,
            turn: 8.0,
            stretch: 0.08,
        }
    }

    /// What is left of them when a share `done` of the steps was made: the penalties fade
    /// to a third, motions and blur to a tenth, so that what comes out fits the network
    /// closely where it is.
    #[must_use]
    pub fn fading(self, done: f64) -> Self {
        let to = |end: f64| 1.0 + (end - 1.0) * done;
        let (penalties, left) = (to(0.35), to(0.1));
        Regularisers {
            total_variation: penalties * self.total_variation,
            norm: penalties * self.norm,
            blur: left * self.blur,
            jitter: left * self.jitter,
            turn: left * self.turn,
            stretch: left * self.stretch,
            ..self
        }
    }

    /// Whether the picture is moved at all.
    pub fn moves(&self) -> bool {
        self.jitter > 0.0 || self.turn > 0.0 || self.stretch > 0.0
    }

    /// The next motion.
    pub fn motion(&self, rng: &mut Rng) -> Motion {
        let mut about = |most: f64| most * (2.0 * rng.random::<f64>() - 1.0);
        Motion {
            shift: [about(self.jitter), about(self.jitter)],
            turn: about(self.turn),
            stretch: 1.0 + about(self.stretch),
        }
    }

    /// What the penalties come to at `u`, about the baseline `u0`.
    pub fn penalty(&self, picture: Option<Picture>, u: &[f64], u0: &[f64]) -> f64 {
        let mut sum = 0.0;
        if self.norm > 0.0 {
            let values = u.iter().zip(u0);
            let norm: f64 = values.map(|(u, u0)| (u - u0).abs().powf(self.power)).sum();
            sum += self.norm * norm / self.power;
        }
        if let Some(picture) = picture.filter(|_| self.total_variation > 0.0) {
            let mut variation = 0.0;
            pairs(picture, u, |_, _, _, squared| {
                variation += squared.powf(0.5 * self.beta);
            });
            sum += self.total_variation * variation;
        }
        sum
    }

    /// Takes the penalties' derivatives from `gradient`.
    pub fn pull(&self, picture: Option<Picture>, u: &[f64], u0: &[f64], gradient: &mut [f64]) {
        if self.norm > 0.0 {
            for ((g, u), u0) in gradient.iter_mut().zip(u).zip(u0) {
                let d: f64 = u - u0;
                if d != 0.0 {
                    *g -= self.norm * d.signum() * d.abs().powf(self.power - 1.0);
                } else if self.power == 1.0 {
                    // A corner: nothing moves that is not worth its price.
                    *g = g.signum() * (g.abs() - self.norm).max(0.0);
                }
            }
        }
        if let Some(picture) = picture.filter(|_| self.total_variation > 0.0) {
            pairs(picture, u, |at, right, below, squared| {
                // d/du (dx^2 + dy^2)^(beta/2) = beta (..)^(beta/2 - 1) (dx, dy)
                let slope = self.beta * (squared + 1e-12).powf(0.5 * self.beta - 1.0);
                for to in [right, below].into_iter().flatten() {
                    let pull = self.total_variation * slope * (u[to] - u[at]);
                    gradient[to] -= pull;
                    gradient[at] += pull;
                }
            });
        }
    }
}

/// Calls `f(place, right of it, below it, dx^2 + dy^2)` for every pixel and channel.
fn pairs(picture: Picture, u: &[f64], mut f: impl FnMut(usize, Option<usize>, Option<usize>, f64)) {
    let shape = picture.shape;
    for channel in 0..shape.channels {
        for row in 0..shape.height {
            for column in 0..shape.width {
                let at = picture.index(channel, row, column);
                let right =
                    (column + 1 < shape.width).then(|| picture.index(channel, row, column + 1));
                let below =
                    (row + 1 < shape.height).then(|| picture.index(channel, row + 1, column));
                let squares = [right, below].into_iter().flatten();
                let squared = squares.map(|to| (u[to] - u[at]).powi(2)).sum();
                f(at, right, below, squared);
            }
        }
    }
}

/// Blurs every channel by a Gaussian of standard deviation `sigma` pixels; beyond the
/// edges lies what is at them.
pub fn blur(picture: Picture, sigma: f64, u: &mut [f64]) {
    let reach = (3.0 * sigma).ceil() as isize;
    if reach < 1 {
        return;
    }
    let weight = |d: isize| (-0.5 * (d as f64 / sigma).powi(2)).exp();
    let total: f64 = (-reach..=reach).map(weight).sum();
    let shape = picture.shape;
    for channel in 0..shape.channels {
        for upright in [true, false] {
            let (lines, length) = if upright {
                (shape.width, shape.height)
            } else {
                (shape.height, shape.width)
            };
            for line in 0..lines {
                let place = |at: usize| match upright {
                    true => picture.index(channel, at, line),
                    false => picture.index(channel, line, at),
                };
                let before: Vec<f64> = (0..length).map(|at| u[place(at)]).collect();
                for at in 0..length {
                    let near = |d: isize| (at as isize + d).clamp(0, length as isize - 1) as usize;
                    let sum: f64 = (-reach..=reach).map(|d| weight(d) * before[near(d)]).sum();
                    u[place(at)] = sum / total;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::Shape;

    #[test]
    fn the_pull_is_the_penaltys_derivative() {
        let picture = Picture::of_shape(Shape::image(2, 4, 3));
        let rules = Regularisers {
            total_variation: 0.7,
            beta: 1.5,
            norm: 0.9,
            power: 6.0,
            ..Regularisers::NONE
        };
        let u: Vec<f64> = (0..24)
            .map(|i| 0.5 + 0.4 * (1.9 * f64::from(i)).sin())
            .collect();
        let u0 = vec![0.1; 24];
        let mut pull = vec![0.0; 24];
        rules.pull(picture, &u, &u0, &mut pull);
        for i in 0..24 {
            let at = |h: f64| {
                let mut u = u.clone();
                u[i] += h;
                rules.penalty(picture, &u, &u0)
            };
            let slope = (at(1e-5) - at(-1e-5)) / 2e-5;
            assert!((slope + pull[i]).abs() < 1e-8, "{i}: {slope} {}", pull[i]);
        }
    }

    #[test]
    fn a_blur_keeps_the_sum_of_what_is_far_from_the_edges() {
        let picture = Picture::of_shape(Shape::image(1, 15, 15)).unwrap();
        let mut u = vec![0.0; 225];
        u[7 * 15 + 7] = 1.0;
        blur(picture, 1.2, &mut u);
        assert!((u.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!(u[7 * 15 + 7] < 0.2 && u[7 * 15 + 8] == u[6 * 15 + 7]);
    }
}
