//! A picture turned, stretched and moved: a linear map of its pixels, and the same map
//! backwards for derivatives.

use super::picture::Picture;
use crate::nn::Real;

/// How a picture is moved about its middle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Motion {
    /// Rows and columns.
    pub shift: [f64; 2],
    /// Degrees, counterclockwise.
    pub turn: f64,
    /// Above 1 for larger.
    pub stretch: f64,
}

/// A motion of pictures of one shape, blended between four pixels; what comes in from
/// beyond the edges takes a given value.
#[derive(Debug, Clone)]
pub struct Warp {
    picture: Picture,
    /// For each pixel those that it is made of, with their weights.
    taps: Vec<[(usize, f64); 4]>,
}

impl Warp {
    /// The motion for pictures of this shape.
    pub fn new(picture: Picture, motion: Motion) -> Self {
        let (height, width) = (picture.shape.height, picture.shape.width);
        let middle = [(height as f64 - 1.0) / 2.0, (width as f64 - 1.0) / 2.0];
        let (sin, cos) = motion.turn.to_radians().sin_cos();
        let taps = (0..height * width).map(|pixel| {
            // Backwards: where does this pixel come from?
            let row = (pixel / width) as f64 - middle[0] - motion.shift[0];
            let column = (pixel % width) as f64 - middle[1] - motion.shift[1];
            let row_from = (cos * row + sin * column) / motion.stretch + middle[0];
            let column_from = (cos * column - sin * row) / motion.stretch + middle[1];
            let (top, left) = (row_from.floor(), column_from.floor());
            let (down, along) = (row_from - top, column_from - left);
            let tap = |dy: f64, dx: f64, weight: f64| {
                let (y, x) = (top + dy, left + dx);
                let inside = y >= 0.0 && x >= 0.0 && y < height as f64 && x < width as f64;
                if inside {
                    (y as usize * width + x as usize, weight)
                } else {
                    (0, 0.0)
                }
            };
            [
                tap(0.0, 0.0, (1.0 - down) * (1.0 - along)),
                tap(0.0, 1.0, (1.0 - down) * along),
                tap(1.0, 0.0, down * (1.0 - along)),
                tap(1.0, 1.0, down * along),
            ]
        });
        Warp {
            picture,
            taps: taps.collect(),
        }
    }

    fn each(&self, mut f: impl FnMut(usize, &dyn Fn(usize) -> usize, &[(usize, f64); 4])) {
        let (width, channels) = (self.picture.shape.width, self.picture.shape.channels);
        for channel in 0..channels {
            let place = |pixel: usize| self.picture.index(channel, pixel / width, pixel % width);
            for (pixel, taps) in self.taps.iter().enumerate() {
                f(place(pixel), &place, taps);
            }
        }
    }

    /// The picture `x` moved; what comes in has `outside`'s value of that place.
    pub fn apply<R: Real>(&self, x: &[R], outside: &[R]) -> Vec<R> {
        let mut moved = vec![R::zero(); x.len()];
        self.each(|to, place, taps| {
            let inside: f64 = taps.iter().map(|t| t.1).sum();
            let sum: f64 = taps
                .iter()
                .map(|&(from, w)| w * x[place(from)].wide())
                .sum();
            moved[to] = R::of(sum + (1.0 - inside) * outside[to].wide());
        });
        moved
    }

    /// Derivatives by the moved picture as derivatives by the picture.
    pub fn back(&self, gradient: &[f64]) -> Vec<f64> {
        let mut own = vec![0.0; gradient.len()];
        self.each(|to, place, taps| {
            for &(from, weight) in taps {
                if weight != 0.0 {
                    own[place(from)] += weight * gradient[to];
                }
            }
        });
        own
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::Shape;

    fn picture() -> Picture {
        Picture::of_shape(Shape::image(2, 5, 7)).unwrap()
    }

    fn motion(shift: [f64; 2], turn: f64, stretch: f64) -> Motion {
        Motion {
            shift,
            turn,
            stretch,
        }
    }

    #[test]
    fn a_shift_moves_pixels_and_brings_in_the_outside() {
        let warp = Warp::new(picture(), motion([1.0, 0.0], 0.0, 1.0));
        let x: Vec<f64> = (0..70).map(f64::from).collect();
        let moved = warp.apply(&x, &[-1.0; 70]);
        assert_eq!(moved[..7], [-1.0; 7]);
        assert_eq!(moved[7..35], x[..28]);
        assert_eq!(moved[42..70], x[35..63]);
    }

    #[test]
    fn derivatives_go_back_the_way_that_pixels_came() {
        let warp = Warp::new(picture(), motion([0.3, -1.2], 20.0, 1.1));
        let x: Vec<f64> = (0..70).map(|i| (1.3 * f64::from(i)).sin()).collect();
        let g: Vec<f64> = (0..70).map(|i| (0.7 * f64::from(i)).cos()).collect();
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let forward = dot(&warp.apply(&x, &[0.0; 70]), &g);
        assert!((forward - dot(&x, &warp.back(&g))).abs() < 1e-12);
    }
}
