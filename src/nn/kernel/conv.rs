//! Convolution without rearranging the input: for every output pixel the
//! taps' inputs are contiguous runs of samples, so a block of channels times a
//! block of vectors stays in registers while the taps pass by.

use super::{Start, add_row_sums};
use crate::nn::{Real, Shape};
use pulp::{Arch, Simd, WithSimd};
use std::ops::Range;

/// Shapes of a convolution. `input` includes the padding already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConvShape {
    /// What is read.
    pub input: Shape,
    /// What is written.
    pub output: Shape,
    /// Rows and columns of the kernel.
    pub kernel: [usize; 2],
    /// Pixels from one output to the next.
    pub stride: [usize; 2],
    /// Pixels from one tap to the next.
    pub dilation: [usize; 2],
    /// Channels are split into so many parts that do not mix.
    pub groups: usize,
}

impl ConvShape {
    /// Input channels of a group.
    #[inline(always)]
    fn group_inputs(&self) -> usize {
        self.input.channels / self.groups
    }

    /// Output channels of a group.
    #[inline(always)]
    fn group_outputs(&self) -> usize {
        self.output.channels / self.groups
    }

    #[inline(always)]
    fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// Weights of an output channel.
    #[inline(always)]
    fn fan_in(&self) -> usize {
        self.group_inputs() * self.taps()
    }
}

/// `z[o] = start + sum over taps of w[o, tap] x[tap]` (cross-correlation, as
/// every framework calls convolution), `w` `[out, in / groups, rows, columns]`.
/// `packed` is scratch that keeps its memory.
pub fn convolve<R: Real>(
    arch: Arch,
    shape: ConvShape,
    w: &[R],
    start: Start<'_, R>,
    x: &[R],
    z: &mut [R],
    packed: &mut Vec<R>,
    padded: usize,
) {
    arch.dispatch(Forward {
        shape,
        w,
        start,
        x,
        z,
        packed,
        padded,
    });
}

/// `dL/dx` from `delta = dL/dz`, for the input without its padding of `margin`
/// rows and columns: written over `below` `[in, rows, columns]` or added to it.
#[allow(clippy::too_many_arguments)]
pub fn convolve_back<R: Real>(
    arch: Arch,
    shape: ConvShape,
    margin: [usize; 2],
    w: &[R],
    delta: &[R],
    below: &mut [R],
    add: bool,
    packed: &mut Vec<R>,
    padded: usize,
) {
    arch.dispatch(Back {
        shape,
        margin,
        w,
        delta,
        below,
        add,
        packed,
        padded,
    });
}

/// `dL/dw` and `dL/db`, written or added. Padded samples must have `delta = 0`.
#[allow(clippy::too_many_arguments)]
pub fn convolve_weights<R: Real>(
    arch: Arch,
    shape: ConvShape,
    delta: &[R],
    x: &[R],
    dw: &mut [R],
    db: Option<&mut [R]>,
    add: bool,
    padded: usize,
) {
    arch.dispatch(Weights {
        shape,
        delta,
        x,
        dw,
        db,
        add,
        padded,
    });
}

/// Calls `$f::<M>` on blocks of 4, 2 and 1 of `$count` rows.
macro_rules! by_rows {
    ($count:expr, |$at:ident| $self:ident.$f:ident($($arg:expr),*)) => {
        let count = $count;
        let mut $at = 0;
        while $at < count {
            if count - $at >= 4 {
                $self.$f::<S, 4>($($arg),*);
                $at += 4;
            } else if count - $at >= 2 {
                $self.$f::<S, 2>($($arg),*);
                $at += 2;
            } else {
                $self.$f::<S, 1>($($arg),*);
                $at += 1;
            }
        }
    };
}

/// Runs `$op::<M, N>` on blocks of 4, 2 and 1 of `$width` vectors, each in a
/// function of its own, so that its registers hold its sums and nothing else.
macro_rules! by_vectors {
    ($simd:ident, $width:expr, |$at:ident| $op:ident { $($field:ident: $value:expr),* $(,)? }) => {
        let width = $width;
        let mut $at = 0;
        while $at < width {
            if width - $at >= 4 {
                $simd.vectorize($op::<_, M, 4> { $($field: $value),* });
                $at += 4;
            } else if width - $at >= 2 {
                $simd.vectorize($op::<_, M, 2> { $($field: $value),* });
                $at += 2;
            } else {
                $simd.vectorize($op::<_, M, 1> { $($field: $value),* });
                $at += 1;
            }
        }
    };
}

struct Forward<'a, R> {
    shape: ConvShape,
    w: &'a [R],
    start: Start<'a, R>,
    x: &'a [R],
    z: &'a mut [R],
    packed: &'a mut Vec<R>,
    padded: usize,
}

impl<R: Real> WithSimd for Forward<'_, R> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        for group in 0..self.shape.groups {
            by_rows!(self.shape.group_outputs(), |o| self.rows(simd, group, o));
        }
    }
}

impl<R: Real> Forward<'_, R> {
    #[inline(always)]
    fn rows<S: Simd, const M: usize>(&mut self, simd: S, group: usize, o: usize) {
        let first = group * self.shape.group_outputs() + o;
        let fan_in = self.shape.fan_in();
        // The block's weights, tap by tap.
        self.packed.clear();
        for tap in 0..fan_in {
            let taps = (first..first + M).map(|o| self.w[o * fan_in + tap]);
            self.packed.extend(taps);
        }
        let width = R::lanes::<S>(&self.x[..self.padded]).len();
        for y in 0..self.shape.output.height {
            by_vectors!(simd, width, |v| ForwardRow {
                shape: &self.shape,
                w: &self.packed[..],
                start: self.start,
                x: self.x,
                z: &mut *self.z,
                group: group,
                first: first,
                y: y,
                v: v,
                width: width,
            });
        }
    }
}

/// `M` channels of a row of outputs, `N` vectors of samples.
struct ForwardRow<'a, R, const M: usize, const N: usize> {
    shape: &'a ConvShape,
    w: &'a [R],
    start: Start<'a, R>,
    x: &'a [R],
    z: &'a mut [R],
    group: usize,
    first: usize,
    y: usize,
    v: usize,
    width: usize,
}

impl<R: Real, const M: usize, const N: usize> WithSimd for ForwardRow<'_, R, M, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (shape, width) = (self.shape, self.width);
        let x = R::lanes::<S>(self.x);
        let z = R::lanes_mut::<S>(self.z);
        let plane = shape.input.pixels() * width;
        let (down, across) = (
            shape.dilation[0] * shape.input.width * width,
            shape.dilation[1] * width,
        );
        let corner = self.group * shape.group_inputs() * plane
            + self.y * shape.stride[0] * shape.input.width * width
            + self.v;
        for ox in 0..shape.output.width {
            let pixel = self.y * shape.output.width + ox;
            let place =
                |m: usize| ((self.first + m) * shape.output.pixels() + pixel) * width + self.v;
            let mut sums = [[R::splat(simd, R::zero()); N]; M];
            match self.start {
                Start::Zero => {}
                Start::Rows(b) => {
                    for m in 0..M {
                        sums[m] = [R::splat(simd, b[self.first + m]); N];
                    }
                }
                Start::Out => {
                    for m in 0..M {
                        sums[m].copy_from_slice(&z[place(m)..place(m) + N]);
                    }
                }
            }
            let mut taps = self.w.chunks_exact(M);
            let left = corner + ox * shape.stride[1] * width;
            for channel in 0..shape.group_inputs() {
                for ky in 0..shape.kernel[0] {
                    let row = &x[left + channel * plane + ky * down..];
                    for kx in 0..shape.kernel[1] {
                        let Some(w) = taps.next() else { break };
                        let x = &row[kx * across..][..N];
                        for m in 0..M {
                            let w = R::splat(simd, w[m]);
                            for n in 0..N {
                                sums[m][n] = R::fused(simd, w, x[n], sums[m][n]);
                            }
                        }
                    }
                }
            }
            for m in 0..M {
                z[place(m)..place(m) + N].copy_from_slice(&sums[m]);
            }
        }
    }
}

struct Back<'a, R> {
    shape: ConvShape,
    margin: [usize; 2],
    w: &'a [R],
    delta: &'a [R],
    below: &'a mut [R],
    add: bool,
    packed: &'a mut Vec<R>,
    padded: usize,
}

impl<R: Real> WithSimd for Back<'_, R> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        for group in 0..self.shape.groups {
            by_rows!(self.shape.group_inputs(), |c| self.rows(simd, group, c));
        }
    }
}

impl<R: Real> Back<'_, R> {
    #[inline(always)]
    fn rows<S: Simd, const M: usize>(&mut self, simd: S, group: usize, channel: usize) {
        let shape = self.shape;
        let (taps, fan_in) = (shape.taps(), shape.fan_in());
        self.packed.clear();
        for o in 0..shape.group_outputs() {
            let filter = (group * shape.group_outputs() + o) * fan_in + channel * taps;
            for tap in 0..taps {
                let weights = (0..M).map(|m| self.w[filter + m * taps + tap]);
                self.packed.extend(weights);
            }
        }
        let width = R::lanes::<S>(&self.delta[..self.padded]).len();
        for y in self.margin[0]..shape.input.height - self.margin[0] {
            by_vectors!(simd, width, |v| BackRow {
                shape: &self.shape,
                margin: self.margin,
                w: &self.packed[..],
                delta: self.delta,
                below: &mut *self.below,
                add: self.add,
                group: group,
                first: group * shape.group_inputs() + channel,
                y: y,
                v: v,
                width: width,
            });
        }
    }
}

/// `M` channels of a row of inputs, `N` vectors of samples.
struct BackRow<'a, R, const M: usize, const N: usize> {
    shape: &'a ConvShape,
    margin: [usize; 2],
    w: &'a [R],
    delta: &'a [R],
    below: &'a mut [R],
    add: bool,
    group: usize,
    first: usize,
    y: usize,
    v: usize,
    width: usize,
}

impl<R: Real, const M: usize, const N: usize> WithSimd for BackRow<'_, R, M, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (shape, width) = (self.shape, self.width);
        let columns = shape.input.width - 2 * self.margin[1];
        let rows = shape.input.height - 2 * self.margin[0];
        let delta = R::lanes::<S>(self.delta);
        let below = R::lanes_mut::<S>(self.below);
        let plane = shape.output.pixels() * width;
        let outputs = self.group * shape.group_outputs() * plane + self.v;
        let row_taps = taps_of(self.y, 0, shape);
        for x in 0..columns {
            let pixel = (self.y - self.margin[0]) * columns + x;
            let place = |m: usize| ((self.first + m) * rows * columns + pixel) * width + self.v;
            let mut sums = [[R::splat(simd, R::zero()); N]; M];
            if self.add {
                for m in 0..M {
                    sums[m].copy_from_slice(&below[place(m)..place(m) + N]);
                }
            }
            let x = x + self.margin[1];
            let column_taps = taps_of(x, 1, shape);
            for o in 0..shape.group_outputs() {
                let filter = &self.w[o * shape.taps() * M..];
                for ky in row_taps.clone() {
                    let Some(oy) = source(self.y, ky, 0, shape) else {
                        continue;
                    };
                    let row = &delta[outputs + o * plane + oy * shape.output.width * width..];
                    let filter = &filter[ky * shape.kernel[1] * M..];
                    for kx in column_taps.clone() {
                        let Some(ox) = source(x, kx, 1, shape) else {
                            continue;
                        };
                        let d = &row[ox * width..][..N];
                        let w = &filter[kx * M..][..M];
                        for m in 0..M {
                            let w = R::splat(simd, w[m]);
                            for n in 0..N {
                                sums[m][n] = R::fused(simd, w, d[n], sums[m][n]);
                            }
                        }
                    }
                }
            }
            for m in 0..M {
                below[place(m)..place(m) + N].copy_from_slice(&sums[m]);
            }
        }
    }
}

/// The taps along `axis` (0 for rows) by which input `at` may be read: those
/// that put the window within the output.
#[inline(always)]
fn taps_of(at: usize, axis: usize, shape: &ConvShape) -> Range<usize> {
    let (stride, dilation) = (shape.stride[axis], shape.dilation[axis]);
    let outputs = [shape.output.height, shape.output.width][axis];
    // at - tap * dilation lies from 0 to (outputs - 1) * stride
    let last = (at / dilation + 1).min(shape.kernel[axis]);
    let first = at.saturating_sub((outputs - 1) * stride).div_ceil(dilation);
    first..last
}

/// The output row (`axis` 0) or column (1) that reads input `at` with one of
/// [`taps_of`] it, if one does: strides skip some.
#[inline(always)]
fn source(at: usize, tap: usize, axis: usize, shape: &ConvShape) -> Option<usize> {
    let start = at - tap * shape.dilation[axis];
    match shape.stride[axis] {
        1 => Some(start),
        stride => start.is_multiple_of(stride).then(|| start / stride),
    }
}

struct Weights<'a, R> {
    shape: ConvShape,
    delta: &'a [R],
    x: &'a [R],
    dw: &'a mut [R],
    db: Option<&'a mut [R]>,
    add: bool,
    padded: usize,
}

impl<R: Real> WithSimd for Weights<'_, R> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        if let Some(db) = self.db.take() {
            if !self.add {
                db.fill(R::zero());
            }
            let run = self.shape.output.pixels() * self.padded;
            add_row_sums(simd, self.delta, run, db);
        }
        for group in 0..self.shape.groups {
            by_rows!(self.shape.group_outputs(), |o| self.rows(simd, group, o));
        }
    }
}

impl<R: Real> Weights<'_, R> {
    #[inline(always)]
    fn rows<S: Simd, const M: usize>(&mut self, simd: S, group: usize, o: usize) {
        let first = group * self.shape.group_outputs() + o;
        for channel in 0..self.shape.group_inputs() {
            for ky in 0..self.shape.kernel[0] {
                let mut kx = 0;
                while kx < self.shape.kernel[1] {
                    let tap = [ky, kx];
                    let plane = group * self.shape.group_inputs() + channel;
                    match self.shape.kernel[1] - kx {
                        3.. => {
                            self.block::<S, M, 3>(simd, first, channel, plane, tap);
                            kx += 3;
                        }
                        2 => {
                            self.block::<S, M, 2>(simd, first, channel, plane, tap);
                            kx += 2;
                        }
                        _ => {
                            self.block::<S, M, 1>(simd, first, channel, plane, tap);
                            kx += 1;
                        }
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn block<S: Simd, const M: usize, const N: usize>(
        &mut self,
        simd: S,
        first: usize,
        channel: usize,
        plane: usize,
        tap: [usize; 2],
    ) {
        let shape = self.shape;
        let sums = simd.vectorize(TapSums::<R, M, N> {
            shape: &shape,
            delta: self.delta,
            x: self.x,
            first,
            plane,
            tap,
            padded: self.padded,
        });
        for (m, sums) in sums.iter().enumerate() {
            let start = (first + m) * shape.fan_in()
                + channel * shape.taps()
                + tap[0] * shape.kernel[1]
                + tap[1];
            for (g, &sum) in self.dw[start..start + N].iter_mut().zip(sums) {
                *g = if self.add { *g + sum } else { sum };
            }
        }
    }
}

/// The gradients of `N` taps beside each other in `M` filters: delta times
/// input, summed over pixels and samples.
struct TapSums<'a, R, const M: usize, const N: usize> {
    shape: &'a ConvShape,
    delta: &'a [R],
    x: &'a [R],
    first: usize,
    plane: usize,
    tap: [usize; 2],
    padded: usize,
}

impl<R: Real, const M: usize, const N: usize> WithSimd for TapSums<'_, R, M, N> {
    type Output = [[R; N]; M];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> [[R; N]; M] {
        let shape = self.shape;
        let (input, output) = (shape.input, shape.output);
        let run = output.pixels() * self.padded;
        let delta: [_; M] =
            std::array::from_fn(|m| R::lanes::<S>(&self.delta[(self.first + m) * run..][..run]));
        let x = R::lanes::<S>(self.x);
        let width = delta[0].len() / output.pixels();
        let across = shape.dilation[1] * width;
        // Without a stride a row of outputs reads a row of inputs as one run.
        let (runs, length) = match shape.stride[1] {
            1 => (1, output.width * width),
            _ => (output.width, width),
        };
        let mut sums = [[R::splat(simd, R::zero()); N]; M];
        for oy in 0..output.height {
            let row = (self.plane * input.height
                + oy * shape.stride[0]
                + self.tap[0] * shape.dilation[0])
                * input.width;
            for run in 0..runs {
                let left = row + run * shape.stride[1] + self.tap[1] * shape.dilation[1];
                let at = (oy * output.width + run) * width;
                let delta: [_; M] = std::array::from_fn(|m| &delta[m][at..at + length]);
                let x: [_; N] = std::array::from_fn(|n| &x[left * width + n * across..][..length]);
                for v in 0..length {
                    for n in 0..N {
                        for m in 0..M {
                            sums[m][n] = R::fused(simd, delta[m][v], x[n][v], sums[m][n]);
                        }
                    }
                }
            }
        }
        sums.map(|row| row.map(|sum| R::across(simd, sum)))
    }
}
