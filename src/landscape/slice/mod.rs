//! A measure of a network over a plane through its parameters.
//!
//! What is the same at every point of the plane is computed once, when it is first
//! needed ([`Sweep`](crate::nn::Sweep)); a point at the origin is what
//! [`Gauge::at`] says of the centre, to the last bit.

use super::field::HeightField;
use super::measure::{Gauge, Quantity};
use super::plane::Plane;
use crate::nn::{Chunk, Sweep, SweepBuffers, Tally};
use crate::optim::Regulariser;
use crate::train::Evaluator;
use ndarray::{ArrayView1, s};
use rayon::prelude::*;
use std::borrow::Cow;
use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// The most numbers that are kept of the samples; of more, what is the same at
/// every point is computed for a block of points at a time. 256 MB.
const KEPT: usize = 64 << 20;

/// Multiply-adds of a block of points.
const BLOCK_WORK: usize = 200_000_000;

/// A measure of a network over a plane through its parameters.
#[derive(Debug)]
pub struct Slice<'a> {
    gauge: Gauge<'a>,
    plane: &'a Plane,
    sweep: Sweep<'a, f32>,
    // What is the same at every point, a chunk of an evaluation each; none where
    // that is too much to keep.
    chunks: Vec<OnceLock<Chunk<f32>>>,
}

/// What one thread needs for the heights of a [`Slice`].
#[derive(Debug)]
pub struct SliceBuffers {
    sweep: SweepBuffers<f32>,
    points: Vec<[f32; 2]>,
    sums: Vec<f64>,
    // The parameters of a point, where penalties count.
    params: Vec<f32>,
}

impl<'a> Slice<'a> {
    /// What `gauge` measures, over `plane`.
    pub fn new(gauge: Gauge<'a>, plane: &'a Plane) -> Self {
        let sweep = Sweep::new(
            gauge.network(),
            Cow::Borrowed(plane.center()),
            Cow::Borrowed(plane.direction_x()),
            Cow::Borrowed(plane.direction_y()),
        );
        let samples = gauge.samples().len();
        let kept = sweep.kept_per_sample().saturating_mul(samples);
        let chunks = if kept <= KEPT {
            samples.div_ceil(Evaluator::chunk(gauge.network()))
        } else {
            0
        };
        Slice {
            gauge,
            plane,
            sweep,
            chunks: (0..chunks).map(|_| OnceLock::new()).collect(),
        }
    }

    /// The height over `(x, y)` and its derivatives along the two directions:
    /// the gradient with respect to all parameters, by back-propagation, times
    /// each direction. `None` for the accuracy, which has no derivative.
    pub fn gradient(&self, x: f64, y: f64) -> Option<(f64, [f64; 2])> {
        let params = self.plane.point(x, y);
        let (height, gradient) = self.gauge.loss_and_gradient_at(&params)?;
        let along = |direction: &[f32]| -> f64 {
            let products = gradient.iter().zip(direction);
            products.map(|(&g, &d)| f64::from(g) * f64::from(d)).sum()
        };
        let (u, v) = (self.plane.direction_x(), self.plane.direction_y());
        Some((height, [along(u), along(v)]))
    }

    /// The samples of each chunk.
    fn ranges(&self) -> impl Iterator<Item = Range<usize>> {
        let n = self.gauge.samples().len();
        let chunk = Evaluator::chunk(self.gauge.network());
        let starts = (0..n).step_by(chunk);
        starts.map(move |start| start..(start + chunk).min(n))
    }

    /// What is the same at every point for the samples in `range`.
    fn chunk(&self, range: Range<usize>) -> Chunk<f32> {
        let samples = self.gauge.samples();
        let x = samples.x.slice(s![range.clone(), ..]);
        self.sweep.chunk(x, samples.y.slice(s![range, ..]))
    }

    fn is_penalised(&self) -> bool {
        self.gauge.penalty() != Regulariser::default()
    }
}

impl HeightField for Slice<'_> {
    type Buffers = SliceBuffers;

    fn buffers(&self) -> SliceBuffers {
        let params = if self.is_penalised() {
            self.plane.center().to_vec()
        } else {
            Vec::new()
        };
        let chunk = Evaluator::chunk(self.gauge.network());
        let chunk = self.gauge.samples().len().clamp(1, chunk);
        SliceBuffers {
            sweep: self.sweep.buffers(chunk),
            points: Vec::new(),
            sums: Vec::new(),
            params,
        }
    }

    fn heights(&self, points: &[[f64; 2]], buffers: &mut SliceBuffers, heights: &mut [f64]) {
        let SliceBuffers {
            sweep,
            points: single,
            sums,
            params,
        } = buffers;
        let samples = self.gauge.samples();
        let encoding = self.gauge.encoding();
        single.clear();
        single.extend(points.iter().map(|p| p.map(|v| v as f32)));
        self.sweep.place(single, sweep);
        heights.fill(0.0);
        for (index, range) in self.ranges().enumerate() {
            let fresh;
            let chunk = match self.chunks.get(index) {
                Some(chunk) => chunk.get_or_init(|| self.chunk(range.clone())),
                None => {
                    fresh = self.chunk(range.clone());
                    &fresh
                }
            };
            let right = |i: usize, output: ArrayView1<'_, f32>| {
                let target = encoding.class(samples.y.row(range.start + i));
                target.is_some() && target == encoding.class(output)
            };
            let tally = match self.gauge.quantity() {
                Quantity::Loss => Tally::Loss,
                Quantity::Accuracy => Tally::Right(&right),
            };
            sums.clear();
            sums.resize(points.len(), 0.0);
            self.sweep.add(chunk, &tally, sweep, sums);
            for (height, sum) in heights.iter_mut().zip(&*sums) {
                *height += sum;
            }
        }
        for (height, &[x, y]) in heights.iter_mut().zip(points) {
            *height /= samples.len() as f64;
            if self.is_penalised() {
                self.plane.write_point(x, y, params);
                let layout = self.gauge.network().layout();
                *height += self.gauge.penalty().penalty(layout, params);
            }
        }
    }

    fn block(&self) -> usize {
        let samples = self.gauge.samples().len().max(1);
        let work = self.sweep.multiply_adds().saturating_mul(samples);
        (BLOCK_WORK / work.max(1)).clamp(self.least_block(), 64)
    }

    fn least_block(&self) -> usize {
        // Where nothing is kept, fewer points than these would cost more for what
        // they share than it saves them.
        if self.chunks.is_empty() { 4 } else { 1 }
    }

    fn prepare(&self, cancel: &AtomicBool) {
        let ranges: Vec<Range<usize>> = self.ranges().collect();
        let chunks = self.chunks.par_iter().zip(ranges);
        chunks.for_each(|(chunk, range)| {
            if !cancel.load(Ordering::Relaxed) {
                chunk.get_or_init(|| self.chunk(range));
            }
        });
    }
}

#[cfg(test)]
mod tests;
