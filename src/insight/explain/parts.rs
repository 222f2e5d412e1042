//! The parts of a sample that a sentence can name: windows of a picture by what is in
//! them and where, coordinates of a point, columns of a table.

use super::named::{Ink, Named, Place};
use crate::insight::picture::Picture;
use crate::train::Problem;
use ndarray::ArrayView1;

/// A part of a sample, and what takes its place when it is left out.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// What it is.
    pub what: Named,
    /// Which values of the sample change, and to what.
    pub replaced: Vec<(usize, f32)>,
    /// How much of the sample it is, from 0 to 1: of a picture its share of the ink.
    pub share: f64,
}

/// Sides of the windows of a picture, as shares of the picture's.
const SIDES: [f64; 4] = [0.22, 0.3, 0.4, 0.55];
/// Windows are moved by this share of the picture.
const STEP: f64 = 0.072;
/// A part with less of the ink than this is none.
const LEAST: f64 = 0.04;
/// A part with more of the ink than this says nothing.
const MOST: f64 = 0.5;

/// The parts of `x`, a sample of `problem` whose raw point, where the data are a problem
/// in the plane, is `point`.
pub fn parts_of(
    problem: &Problem,
    x: ArrayView1<'_, f32>,
    baseline: ArrayView1<'_, f32>,
    point: Option<[f32; 2]>,
) -> Vec<Part> {
    if let Some(picture) = Picture::of(problem).filter(|_| problem.data.image.is_some()) {
        return windows(picture, x, baseline);
    }
    if let (Some(point), Some(points)) = (point, &problem.data.points) {
        return coordinates(problem, x, point, points.view());
    }
    columns(problem, x, baseline)
}

fn columns(problem: &Problem, x: ArrayView1<'_, f32>, baseline: ArrayView1<'_, f32>) -> Vec<Part> {
    let names = &problem.data.feature_names;
    let unscaled = |unit: usize, value: f32| {
        let feature = problem.feature_of(unit);
        problem.data.scaler.unscaled(feature, value)
    };
    let part = |unit: usize| Part {
        what: Named::Value {
            name: names[problem.feature_of(unit)].clone(),
            value: unscaled(unit, x[unit]),
            average: unscaled(unit, baseline[unit]),
        },
        replaced: vec![(unit, baseline[unit])],
        share: 1.0 / x.len() as f64,
    };
    (0..x.len()).map(part).collect()
}

/// The two raw coordinates, each with every feature that is made of it.
fn coordinates(
    problem: &Problem,
    x: ArrayView1<'_, f32>,
    point: [f32; 2],
    points: ndarray::ArrayView2<'_, f32>,
) -> Vec<Part> {
    let mean = |axis: usize| points.column(axis).mean().unwrap_or(0.0);
    let part = |axis: usize| {
        let mut moved = point;
        moved[axis] = mean(axis);
        let mapped = problem.data.map_point(moved[0], moved[1])?;
        let changed = mapped.into_iter().enumerate().filter(|&(i, v)| x[i] != v);
        Some(Part {
            what: Named::Value {
                name: format!("x{}", axis + 1),
                value: point[axis],
                average: moved[axis],
            },
            replaced: changed.collect(),
            share: 0.5,
        })
    };
    (0..2).filter_map(part).collect()
}

/// Windows of many sizes all over the picture, named by the ink in them.
fn windows(picture: Picture, x: ArrayView1<'_, f32>, baseline: ArrayView1<'_, f32>) -> Vec<Part> {
    let (height, width) = (picture.shape.height, picture.shape.width);
    let differences: Vec<f64> = x
        .iter()
        .zip(baseline)
        .map(|(x, b)| f64::from((x - b).abs()))
        .collect();
    let ink = picture.flattened(&differences);
    let total: f64 = ink.iter().sum();
    let mut parts: Vec<Part> = Vec::new();
    let step = |length: usize| ((STEP * length as f64).round() as usize).max(1);
    let side = |share: f64, length: usize| ((share * length as f64).round() as usize).max(1);
    for (rows, columns) in SIDES.iter().flat_map(|&h| {
        SIDES
            .iter()
            .map(move |&w| (side(h, height), side(w, width)))
    }) {
        for top in (0..=height - rows.min(height)).step_by(step(height)) {
            for left in (0..=width - columns.min(width)).step_by(step(width)) {
                let frame = Frame {
                    top,
                    left,
                    rows,
                    columns,
                };
                let share = frame.ink(&ink, width) / total.max(f64::MIN_POSITIVE);
                if !(LEAST..=MOST).contains(&share) {
                    continue;
                }
                let pixels = frame.pixels(width);
                let values = pixels.flat_map(|pixel| {
                    (0..picture.shape.channels)
                        .map(move |c| picture.index(c, pixel / width, pixel % width))
                });
                let replaced: Vec<(usize, f32)> = values
                    .filter(|&i| x[i] != baseline[i])
                    .map(|i| (i, baseline[i]))
                    .collect();
                parts.push(Part {
                    what: frame.named(&ink, [height, width]),
                    replaced,
                    share,
                });
            }
        }
    }
    // Windows that cover the same ink are one part.
    parts.sort_by(|a, b| {
        a.replaced
            .partial_cmp(&b.replaced)
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    parts.dedup_by(|a, b| a.replaced == b.replaced);
    parts
}

/// A window.
#[derive(Debug, Clone, Copy)]
struct Frame {
    top: usize,
    left: usize,
    rows: usize,
    columns: usize,
}

impl Frame {
    fn pixels(self, width: usize) -> impl Iterator<Item = usize> + Clone {
        let rows = self.top..self.top + self.rows;
        rows.flat_map(move |row| {
            let columns = self.left..self.left + self.columns;
            columns.map(move |column| row * width + column)
        })
    }

    fn ink(self, ink: &[f64], width: usize) -> f64 {
        self.pixels(width).map(|pixel| ink[pixel]).sum()
    }

    /// What the ink in it looks like, and where it is in the whole picture's ink.
    fn named(self, ink: &[f64], size: [usize; 2]) -> Named {
        let own = Moments::of(self.pixels(size[1]), ink, size[1]);
        let whole = Moments::of(0..ink.len(), ink, size[1]);
        Named::Ink {
            shape: own.shape(size),
            place: whole.place(own.middle),
        }
    }
}

/// Where ink is, and how it spreads.
struct Moments {
    /// Row and column of its middle.
    middle: [f64; 2],
    /// Its standard deviation along its longer axis and along its shorter one.
    spread: [f64; 2],
    /// The direction of the longer axis: 0 lies, 90 stands, in degrees; positive ones
    /// rise to the right.
    angle: f64,
    /// First and last row, and first and last column with ink.
    bounds: [[f64; 2]; 2],
}

impl Moments {
    fn of(pixels: impl Iterator<Item = usize> + Clone, ink: &[f64], width: usize) -> Self {
        let strongest = pixels.clone().map(|p| ink[p]).fold(0.0, f64::max);
        let place = |p: usize| [(p / width) as f64, (p % width) as f64];
        let total: f64 = pixels
            .clone()
            .map(|p| ink[p])
            .sum::<f64>()
            .max(f64::MIN_POSITIVE);
        let mean = |axis: usize| {
            let sum: f64 = pixels.clone().map(|p| ink[p] * place(p)[axis]).sum();
            sum / total
        };
        let middle = [mean(0), mean(1)];
        let moment = |a: usize, b: usize| {
            let of = |p: usize| (place(p)[a] - middle[a]) * (place(p)[b] - middle[b]);
            pixels.clone().map(|p| ink[p] * of(p)).sum::<f64>() / total
        };
        let (rows, columns, both) = (moment(0, 0), moment(1, 1), moment(0, 1));
        let half = 0.5 * (rows + columns);
        let root = (0.25 * (columns - rows).powi(2) + both * both).sqrt();
        let mut bounds = [[f64::INFINITY, f64::NEG_INFINITY]; 2];
        for p in pixels.filter(|&p| ink[p] > 0.3 * strongest) {
            for (bound, at) in bounds.iter_mut().zip(place(p)) {
                *bound = [bound[0].min(at), bound[1].max(at)];
            }
        }
        Moments {
            middle,
            spread: [(half + root).sqrt(), (half - root).max(0.0).sqrt()],
            // Rows count downwards.
            angle: (0.5 * (-2.0 * both).atan2(columns - rows)).to_degrees(),
            bounds,
        }
    }

    /// A stroke by its direction, or a part.
    fn shape(&self, size: [usize; 2]) -> Ink {
        let side = size[0].max(size[1]) as f64;
        let [long, short] = self.spread;
        if long < 1.9 * short || short > 0.09 * side {
            return if short > 0.09 * side {
                Ink::Part
            } else {
                Ink::Piece
            };
        }
        match self.angle {
            a if a.abs() < 28.0 => Ink::Bar,
            a if a.abs() > 62.0 => Ink::Upright,
            _ => Ink::Slanting,
        }
    }

    /// Where a point is within this ink's bounds.
    fn place(&self, [row, column]: [f64; 2]) -> Place {
        let third = |at: f64, [least, most]: [f64; 2]| {
            let share = (at - least) / (most - least).max(1.0);
            usize::from(share > 0.36) + usize::from(share > 0.64)
        };
        Place::ALL[third(row, self.bounds[0])][third(column, self.bounds[1])]
    }
}
