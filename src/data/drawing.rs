//! What a hand has drawn, as pixels like those that a network of digits was trained
//! on.

use super::dataset::ImageShape;
use super::prepared::Prepared;
use ndarray::ArrayView2;

/// Lines that were drawn with a pen, in the order in which they were.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Drawing {
    /// Each from pen down to pen up: points in a square from the upper left corner
    /// `[0, 0]` to the lower right one `[1, 1]`.
    pub strokes: Vec<Vec<[f32; 2]>>,
}

/// How a drawing is brought into an image.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fit {
    /// As it was drawn.
    Square,
    /// Its box as large as the image allows and in the middle, as the bitmaps behind
    /// the small digits were (E. Alpaydin, C. Kaynak, "Optical Recognition of
    /// Handwritten Digits", UCI, 1998).
    Whole,
    /// Its box 20 of 28 pixels, its centre of mass in the middle, as in MNIST
    /// (Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits").
    Mass,
}

/// Samples along each side of a pixel.
const FINE: usize = 4;

impl Drawing {
    /// Whether there is nothing on the paper.
    pub fn is_empty(&self) -> bool {
        self.strokes.iter().all(Vec::is_empty)
    }

    /// A drawing as a sample of `data`, scaled as these are; none where these are no
    /// pictures in grey or nothing was drawn. `x` has scaled samples of them,
    /// `[samples, features]`: what is brightest there is white.
    pub fn input(&self, data: &Prepared, x: ArrayView2<'_, f32>) -> Option<Vec<f32>> {
        let image = data.image.filter(|image| image.channels == 1)?;
        if self.is_empty() {
            return None;
        }
        let fit = match image.height {
            _ if data.name.contains("fashion") => Fit::Square,
            0..=16 => Fit::Whole,
            _ => Fit::Mass,
        };
        let pixels = x.rows().into_iter().flat_map(|row| {
            let unscaled = row.into_iter().enumerate();
            unscaled.map(|(j, &value)| data.scaler.unscaled(j, value))
        });
        let white = pixels.fold(0.0_f32, f32::max);
        let ink = self.ink(image, fit);
        let scaled = ink.into_iter().enumerate();
        Some(
            scaled
                .map(|(j, ink)| data.scaler.scaled(j, white * ink))
                .collect(),
        )
    }

    /// How much of each pixel is ink, row by row, from 0 to 1.
    fn ink(&self, image: ImageShape, fit: Fit) -> Vec<f32> {
        let (w, h) = (image.width as f32, image.height as f32);
        // With these, drawn digits have as much ink as those of the data.
        let pen = match fit {
            Fit::Whole => h / 6.1,
            Fit::Mass | Fit::Square => h / 10.4,
        };
        let all = || self.strokes.iter().flatten();
        let edge = |axis: usize| {
            let values = || all().map(move |p| p[axis]);
            [
                values().fold(f32::INFINITY, f32::min),
                values().fold(f32::NEG_INFINITY, f32::max),
            ]
        };
        let [x, y] = [edge(0), edge(1)];
        let middle = [0.5 * (x[0] + x[1]), 0.5 * (y[0] + y[1])];
        let span = (x[1] - x[0]).max(y[1] - y[0]).max(1e-3);
        let (scale, middle) = match fit {
            Fit::Square => (h, [0.5 * w / h, 0.5]),
            Fit::Whole => ((h.min(w) - pen) / span, middle),
            Fit::Mass => ((h * 20.0 / 28.0 - pen) / span, middle),
        };
        let strokes: Vec<Vec<[f32; 2]>> = self
            .strokes
            .iter()
            .map(|stroke| {
                let place = |p: &[f32; 2]| {
                    [
                        (p[0] - middle[0]) * scale + 0.5 * w,
                        (p[1] - middle[1]) * scale + 0.5 * h,
                    ]
                };
                stroke.iter().map(place).collect()
            })
            .collect();
        let ink = paint(image, &strokes, pen, [0.0, 0.0]);
        if fit != Fit::Mass {
            return ink;
        }
        let sum: f32 = ink.iter().sum();
        let center = |coordinate: fn(usize, usize) -> usize| {
            let weighted = ink.iter().enumerate();
            let weighted = weighted.map(|(i, v)| v * (coordinate(i, image.width) as f32 + 0.5));
            weighted.sum::<f32>() / sum.max(f32::MIN_POSITIVE)
        };
        let shift = [
            0.5 * w - center(|i, width| i % width),
            0.5 * h - center(|i, width| i / width),
        ];
        paint(image, &strokes, pen, shift)
    }
}

/// The share of each pixel that a round pen of width `pen` covers.
fn paint(image: ImageShape, strokes: &[Vec<[f32; 2]>], pen: f32, shift: [f32; 2]) -> Vec<f32> {
    let (w, h) = (image.width, image.height);
    let mut fine = vec![false; w * h * FINE * FINE];
    let (fine_w, fine_h) = (w * FINE, h * FINE);
    let radius = 0.5 * pen * FINE as f32;
    for stroke in strokes {
        let at = |i: usize| {
            let p: [f32; 2] = stroke[i];
            [
                (p[0] + shift[0]) * FINE as f32,
                (p[1] + shift[1]) * FINE as f32,
            ]
        };
        for i in 0..stroke.len() {
            let (a, b) = (at(i.saturating_sub(1)), at(i));
            let range = |axis: usize, most: usize| {
                let least = a[axis].min(b[axis]) - radius;
                let greatest = a[axis].max(b[axis]) + radius;
                let clamp = |v: f32| v.clamp(0.0, most as f32) as usize;
                clamp(least.floor())..clamp(greatest.ceil() + 1.0).min(most)
            };
            for y in range(1, fine_h) {
                for x in range(0, fine_w) {
                    let p = [x as f32 + 0.5, y as f32 + 0.5];
                    if distance(p, a, b) <= radius {
                        fine[y * fine_w + x] = true;
                    }
                }
            }
        }
    }
    let share = |pixel: usize| {
        let (y, x) = (pixel / w * FINE, pixel % w * FINE);
        let rows = (y..y + FINE).flat_map(|y| &fine[y * fine_w + x..][..FINE]);
        rows.filter(|covered| **covered).count() as f32 / (FINE * FINE) as f32
    };
    (0..w * h).map(share).collect()
}

/// From a point to a line from `a` to `b`.
fn distance(p: [f32; 2], a: [f32; 2], b: [f32; 2]) -> f32 {
    let (ab, ap) = ([b[0] - a[0], b[1] - a[1]], [p[0] - a[0], p[1] - a[1]]);
    let length = ab[0] * ab[0] + ab[1] * ab[1];
    let along = if length > 0.0 {
        ((ap[0] * ab[0] + ap[1] * ab[1]) / length).clamp(0.0, 1.0)
    } else {
        0.0
    };
    (ap[0] - along * ab[0]).hypot(ap[1] - along * ab[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(side: usize) -> ImageShape {
        ImageShape {
            width: side,
            height: side,
            channels: 1,
        }
    }

    fn bar(x: f32) -> Drawing {
        Drawing {
            strokes: vec![vec![[x, 0.3], [x, 0.6]]],
        }
    }

    #[test]
    fn where_and_how_large_it_was_drawn_does_not_matter() {
        let large = Drawing {
            strokes: vec![vec![[0.5, 0.1], [0.5, 0.9]]],
        };
        for (side, fit) in [(8, Fit::Whole), (28, Fit::Mass)] {
            let one = bar(0.2).ink(image(side), fit);
            assert_eq!(one, bar(0.8).ink(image(side), fit));
            let other = large.ink(image(side), fit);
            let off = one.iter().zip(&other).map(|(a, b)| (a - b).abs());
            assert!(off.fold(0.0, f32::max) < 0.26);
        }
        assert_ne!(
            bar(0.2).ink(image(28), Fit::Square),
            bar(0.8).ink(image(28), Fit::Square)
        );
    }

    #[test]
    fn its_box_is_that_of_the_data_and_its_mass_in_the_middle() {
        let ink = bar(0.3).ink(image(28), Fit::Mass);
        let rows: Vec<usize> = (0..28)
            .filter(|y| ink[y * 28..][..28].iter().any(|v| *v > 0.0))
            .collect();
        let tall = rows.last().unwrap() - rows[0] + 1;
        assert!((20..=21).contains(&tall), "{tall}");
        let sum: f32 = ink.iter().sum();
        let x: f32 = ink
            .iter()
            .enumerate()
            .map(|(i, v)| v * (i % 28) as f32)
            .sum();
        assert!((x / sum - 13.5).abs() < 0.1);
        let small = bar(0.3).ink(image(8), Fit::Whole);
        assert!(small[3] > 0.0 && small[7 * 8 + 3] > 0.0);
    }

    #[test]
    fn a_dot_and_nothing_are_no_trouble() {
        let dot = Drawing {
            strokes: vec![vec![[0.9, 0.9]]],
        };
        let ink = dot.ink(image(28), Fit::Mass);
        assert!(ink.iter().all(|v| v.is_finite()));
        assert!(ink.iter().sum::<f32>() > 1.0);
        assert!(Drawing::default().is_empty());
        let far = Drawing {
            strokes: vec![vec![[-900.0, 4.0], [f32::MAX, 1.0]]],
        };
        assert_eq!(far.ink(image(8), Fit::Square).len(), 64);
    }
}
