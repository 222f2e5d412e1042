//! Convolution without rearranging the input: for every output pixel the
//! taps' inputs are contiguous runs of samples, so a block of channels times a
//! block of vectors stays in registers while the taps pass by.

use super::{Start, add_row_sums};
use crate::nn::{Real, Shape};
use pulp::{Arch, Simd, WithSimd};

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
    fn group_inputs(&self) -> usize {
        self.input.channels / self.groups
    }

    /// Output channels of a group.
    fn group_outputs(&self) -> usize {
        self.output.channels / self.groups
    }

    fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// Weights of an output channel.
    fn fan_in(&self) -> usize {
        self.group_inputs() * self.taps()
    }
}

/// `z[o] = start + sum over taps of w[o, tap] x[tap]` (cross-correlation, as
/// every framework calls convolution), `w` `[out, in / groups, rows, columns]`.
pub fn convolve<R: Real>(
    arch: Arch,
    shape: ConvShape,
    w: &[R],
    start: Start<'_, R>,
    x: &[R],
    z: &mut [R],
    padded: usize,
) {
    arch.dispatch(Forward {
        shape,
        w,
        start,
        x,
        z,
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
    padded: usize,
) {
    arch.dispatch(Back {
        shape,
        margin,
        w,
        delta,
        below,
        add,
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

/// Calls `$self.$f::<S, M>($($arg),*)` on blocks of 4, 2 and 1 rows of `$count`.
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

/// The same for blocks of vectors, `M` rows being given.
macro_rules! by_vectors {
    ($count:expr, |$at:ident| $self:ident.$f:ident($($arg:expr),*)) => {
        let count = $count;
        let mut $at = 0;
        while $at < count {
            if count - $at >= 4 {
                $self.$f::<S, M, 4>($($arg),*);
                $at += 4;
            } else if count - $at >= 2 {
                $self.$f::<S, M, 2>($($arg),*);
                $at += 2;
            } else {
                $self.$f::<S, M, 1>($($arg),*);
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
        let out = self.shape.output;
        let width = R::lanes::<S>(&self.x[..self.padded]).len();
        for y in 0..out.height {
            for x in 0..out.width {
                by_vectors!(width, |v| self.block(simd, group, o, [y, x], v, width));
            }
        }
    }

    #[inline(always)]
    fn block<S: Simd, const M: usize, const N: usize>(
        &mut self,
        simd: S,
        group: usize,
        o: usize,
        at: [usize; 2],
        v: usize,
        width: usize,
    ) {
        let shape = self.shape;
        let fan_in = shape.fan_in();
        let first = group * shape.group_outputs() + o;
        let pixel = at[0] * shape.output.width + at[1];
        let place = |m: usize| ((first + m) * shape.output.pixels() + pixel) * width + v;
        let mut sums = [[R::splat(simd, R::zero()); N]; M];
        match self.start {
            Start::Zero => {}
            Start::Rows(b) => {
                for m in 0..M {
                    sums[m] = [R::splat(simd, b[first + m]); N];
                }
            }
            Start::Out => {
                let z = R::lanes::<S>(self.z);
                for m in 0..M {
                    sums[m].copy_from_slice(&z[place(m)..place(m) + N]);
                }
            }
        }
        let w: [&[R]; M] = std::array::from_fn(|m| &self.w[(first + m) * fan_in..][..fan_in]);
        let x = R::lanes::<S>(self.x);
        let (top, left) = (at[0] * shape.stride[0], at[1] * shape.stride[1]);
        let mut tap = 0;
        for channel in 0..shape.group_inputs() {
            let plane = (group * shape.group_inputs() + channel) * shape.input.height;
            for ky in 0..shape.kernel[0] {
                let row = (plane + top + ky * shape.dilation[0]) * shape.input.width + left;
                for kx in 0..shape.kernel[1] {
                    let start = (row + kx * shape.dilation[1]) * width + v;
                    let x = &x[start..start + N];
                    for m in 0..M {
                        let w = R::splat(simd, w[m][tap]);
                        for n in 0..N {
                            sums[m][n] = R::fused(simd, w, x[n], sums[m][n]);
                        }
                    }
                    tap += 1;
                }
            }
        }
        let z = R::lanes_mut::<S>(self.z);
        for m in 0..M {
            z[place(m)..place(m) + N].copy_from_slice(&sums[m]);
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
        let input = self.shape.input;
        let width = R::lanes::<S>(&self.delta[..self.padded]).len();
        for y in self.margin[0]..input.height - self.margin[0] {
            for x in self.margin[1]..input.width - self.margin[1] {
                by_vectors!(width, |v| self.block(
                    simd,
                    group,
                    channel,
                    [y, x],
                    v,
                    width
                ));
            }
        }
    }

    #[inline(always)]
    fn block<S: Simd, const M: usize, const N: usize>(
        &mut self,
        simd: S,
        group: usize,
        channel: usize,
        at: [usize; 2],
        v: usize,
        width: usize,
    ) {
        let shape = self.shape;
        let (rows, columns) = (
            shape.input.height - 2 * self.margin[0],
            shape.input.width - 2 * self.margin[1],
        );
        let pixel = (at[0] - self.margin[0]) * columns + at[1] - self.margin[1];
        let first = group * shape.group_inputs() + channel;
        let place = |m: usize| ((first + m) * rows * columns + pixel) * width + v;
        let mut sums = [[R::splat(simd, R::zero()); N]; M];
        if self.add {
            let below = R::lanes::<S>(self.below);
            for m in 0..M {
                sums[m].copy_from_slice(&below[place(m)..place(m) + N]);
            }
        }
        let delta = R::lanes::<S>(self.delta);
        let (taps, fan_in) = (shape.taps(), shape.fan_in());
        for o in 0..shape.group_outputs() {
            let output = group * shape.group_outputs() + o;
            for ky in 0..shape.kernel[0] {
                let Some(y) = source(at[0], ky, 0, &shape) else {
                    continue;
                };
                for kx in 0..shape.kernel[1] {
                    let Some(x) = source(at[1], kx, 1, &shape) else {
                        continue;
                    };
                    let start = (output * shape.output.pixels() + y * shape.output.width + x)
                        * width
                        + v;
                    let d = &delta[start..start + N];
                    let tap = output * fan_in + channel * taps + ky * shape.kernel[1] + kx;
                    for m in 0..M {
                        let w = R::splat(simd, self.w[tap + m * taps]);
                        for n in 0..N {
                            sums[m][n] = R::fused(simd, w, d[n], sums[m][n]);
                        }
                    }
                }
            }
        }
        let below = R::lanes_mut::<S>(self.below);
        for m in 0..M {
            below[place(m)..place(m) + N].copy_from_slice(&sums[m]);
        }
    }
}

/// The output row (`axis` 0) or column (1) that reads input `at` with `tap`.
#[inline(always)]
fn source(at: usize, tap: usize, axis: usize, shape: &ConvShape) -> Option<usize> {
    let start = at.checked_sub(tap * shape.dilation[axis])?;
    let stride = shape.stride[axis];
    let out = if stride == 1 {
        start
    } else if start.is_multiple_of(stride) {
        start / stride
    } else {
        return None;
    };
    let end = [shape.output.height, shape.output.width][axis];
    (out < end).then_some(out)
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
        for channel in 0..self.shape.group_inputs() {
            for ky in 0..self.shape.kernel[0] {
                let mut kx = 0;
                while kx < self.shape.kernel[1] {
                    let left = self.shape.kernel[1] - kx;
                    if left >= 5 {
                        self.block::<S, M, 5>(simd, group, o, channel, [ky, kx]);
                        kx += 5;
                    } else if left >= 3 {
                        self.block::<S, M, 3>(simd, group, o, channel, [ky, kx]);
                        kx += 3;
                    } else {
                        self.block::<S, M, 1>(simd, group, o, channel, [ky, kx]);
                        kx += 1;
                    }
                }
            }
        }
    }

    /// `M` output channels by `N` taps beside each other.
    #[inline(always)]
    fn block<S: Simd, const M: usize, const N: usize>(
        &mut self,
        simd: S,
        group: usize,
        o: usize,
        channel: usize,
        tap: [usize; 2],
    ) {
        let shape = self.shape;
        let (input, output) = (shape.input, shape.output);
        let first = group * shape.group_outputs() + o;
        let run = output.pixels() * self.padded;
        let delta: [_; M] =
            std::array::from_fn(|m| R::lanes::<S>(&self.delta[(first + m) * run..][..run]));
        let x = R::lanes::<S>(self.x);
        let width = delta[0].len() / output.pixels();
        let plane = (group * shape.group_inputs() + channel) * input.height;
        let mut sums = [[R::splat(simd, R::zero()); N]; M];
        for oy in 0..output.height {
            let row = plane + oy * shape.stride[0] + tap[0] * shape.dilation[0];
            for ox in 0..output.width {
                let left = row * input.width + ox * shape.stride[1] + tap[1] * shape.dilation[1];
                let at = (oy * output.width + ox) * width;
                for v in 0..width {
                    let d: [_; M] = std::array::from_fn(|m| delta[m][at + v]);
                    for n in 0..N {
                        let x = x[(left + n * shape.dilation[1]) * width + v];
                        for m in 0..M {
                            sums[m][n] = R::fused(simd, d[m], x, sums[m][n]);
                        }
                    }
                }
            }
        }
        let fan_in = shape.fan_in();
        for m in 0..M {
            let start = (first + m) * fan_in
                + channel * shape.taps()
                + tap[0] * shape.kernel[1]
                + tap[1];
            for n in 0..N {
                let g = &mut self.dw[start + n];
                let sum = R::across(simd, sums[m][n]);
                *g = if self.add { *g + sum } else { sum };
            }
        }
    }
}
