//! Real samples beside an input that was made up: those most like it, and those that a
//! readout answers to most.

use super::model::Model;
use crate::nn::{Readout, Real};
use ndarray::{ArrayView1, ArrayView2};

/// By what two inputs are alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Likeness {
    /// The straight distance: for tables and points.
    Distance,
    /// The correlation of their values, which does not mind contrast: for pictures.
    Correlation,
}

/// A sample with how far it is: its distance, or 1 minus its correlation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Near {
    /// Which row.
    pub row: usize,
    /// How far.
    pub far: f64,
}

/// The `count` rows of `samples` most like `x`, the nearest first.
pub fn nearest<R: Real>(
    samples: ArrayView2<'_, R>,
    x: ArrayView1<'_, R>,
    likeness: Likeness,
    count: usize,
) -> Vec<Near> {
    let mut all: Vec<Near> = samples
        .rows()
        .into_iter()
        .enumerate()
        .map(|(row, sample)| Near {
            row,
            far: match likeness {
                Likeness::Distance => distance(sample, x),
                Likeness::Correlation => 1.0 - correlation(sample, x),
            },
        })
        .collect();
    all.sort_by(|a, b| a.far.total_cmp(&b.far));
    all.truncate(count);
    all
}

/// The `count` rows of `samples` with the largest readouts, the largest first, each with
/// its readout.
pub fn strongest<R: Real>(
    model: &mut Model<'_, R>,
    readout: &Readout,
    samples: ArrayView2<'_, R>,
    count: usize,
) -> Vec<(usize, f64)> {
    let values = model.values(readout, samples);
    let mut all: Vec<(usize, f64)> = values.into_iter().enumerate().collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1));
    all.truncate(count);
    all
}

fn distance<R: Real>(a: ArrayView1<'_, R>, b: ArrayView1<'_, R>) -> f64 {
    let squares = a.iter().zip(b).map(|(a, b)| (a.wide() - b.wide()).powi(2));
    squares.sum::<f64>().sqrt()
}

fn correlation<R: Real>(a: ArrayView1<'_, R>, b: ArrayView1<'_, R>) -> f64 {
    let mean = |v: ArrayView1<'_, R>| v.iter().map(|v| v.wide()).sum::<f64>() / v.len() as f64;
    let (ma, mb) = (mean(a), mean(b));
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (a.wide() - ma, b.wide() - mb);
        ab += a * b;
        aa += a * a;
        bb += b * b;
    }
    if aa * bb > 0.0 {
        ab / (aa * bb).sqrt()
    } else {
        0.0
    }
}
