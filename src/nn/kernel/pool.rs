//! Pooling: the largest or the mean value of a window that slides over each
//! channel. Plain loops over runs of samples, which the compiler vectorises
//! for the set that runs them.

use crate::nn::{Real, Shape};
use pulp::{Arch, Simd, WithSimd};
use std::ops::Range;

/// A window that slides over a feature map, cut off at its edges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// What is read.
    pub input: Shape,
    /// What is written.
    pub output: Shape,
    /// Rows and columns of the window.
    pub size: [usize; 2],
    /// Pixels from one window to the next.
    pub stride: [usize; 2],
    /// Rows and columns by which the first window reaches over the edge.
    pub padding: [usize; 2],
    /// Whether a mean divides by the window's full size at an edge too.
    pub count_padding: bool,
}

impl Window {
    /// The input rows (`axis` 0) or columns (1) under output `at`.
    pub fn span(&self, axis: usize, at: usize) -> Range<usize> {
        let end = [self.input.height, self.input.width][axis];
        let start = at * self.stride[axis];
        let last = (start + self.size[axis]).saturating_sub(self.padding[axis]);
        start.saturating_sub(self.padding[axis])..last.min(end)
    }

    /// Calls `f(output, input, whether it is the window's first, share)` for every output pixel and every input pixel
    /// under its window, window by window, row by row.
    #[inline(always)]
    fn each<R: Real>(&self, mut f: impl FnMut(usize, usize, bool, R)) {
        for c in 0..self.output.channels {
            for oy in 0..self.output.height {
                for ox in 0..self.output.width {
                    let out = (c * self.output.height + oy) * self.output.width + ox;
                    let mut first = true;
                    let share = self.share(oy, ox);
                    for y in self.span(0, oy) {
                        for x in self.span(1, ox) {
                            f(
                                out,
                                (c * self.input.height + y) * self.input.width + x,
                                first,
                                share,
                            );
                            first = false;
                        }
                    }
                }
            }
        }
    }

    /// What a mean over the window at row `y` and column `x` multiplies by.
    fn share<R: Real>(&self, y: usize, x: usize) -> R {
        let values = if self.count_padding {
            self.size[0] * self.size[1]
        } else {
            self.span(0, y).len() * self.span(1, x).len()
        };
        R::one() / R::of(values.max(1) as f64)
    }
}

/// The largest value of each window and its input pixel; the first of equals.
/// NaN wins, so that it is not hidden.
pub fn maximum<R: Real>(
    arch: Arch,
    window: &Window,
    x: &[R],
    z: &mut [R],
    from: &mut [u32],
    padded: usize,
) {
    struct Op<'a, R>(&'a Window, &'a [R], &'a mut [R], &'a mut [u32], usize);
    impl<R: Real> WithSimd for Op<'_, R> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) {
            let Op(window, x, z, from, p) = self;
            window.each::<R>(|out, input, first, _| {
                let x = &x[input * p..][..p];
                let z = &mut z[out * p..][..p];
                let from = &mut from[out * p..][..p];
                if first {
                    z.copy_from_slice(x);
                    from.fill(input as u32);
                } else {
                    for ((z, from), &x) in z.iter_mut().zip(from).zip(x) {
                        // Not `x <= z`: NaN must get through.
                        #[allow(clippy::neg_cmp_op_on_partial_ord)]
                        let better = !(x <= *z) && !z.is_nan();
                        *z = if better { x } else { *z };
                        *from = if better { input as u32 } else { *from };
                    }
                }
            });
        }
    }
    arch.dispatch(Op(window, x, z, from, padded));
}

/// Adds the error signal of each window to the pixel that it took. `below` is
/// cleared first unless `add`.
pub fn maximum_back<R: Real>(from: &[u32], delta: &[R], below: &mut [R], add: bool, padded: usize) {
    if !add {
        below.fill(R::zero());
    }
    for (delta, from) in delta.chunks_exact(padded).zip(from.chunks_exact(padded)) {
        for (lane, (&d, &from)) in delta.iter().zip(from).enumerate() {
            below[from as usize * padded + lane] += d;
        }
    }
}

/// The values of `x` at the pixels that were taken.
pub fn maximum_select<R: Real>(from: &[u32], x: &[R], z: &mut [R], padded: usize) {
    for (z, from) in z.chunks_exact_mut(padded).zip(from.chunks_exact(padded)) {
        for (lane, (z, &from)) in z.iter_mut().zip(from).enumerate() {
            *z = x[from as usize * padded + lane];
        }
    }
}

/// The mean of each window.
pub fn average<R: Real>(arch: Arch, window: &Window, x: &[R], z: &mut [R], padded: usize) {
    struct Op<'a, R>(&'a Window, &'a [R], &'a mut [R], usize);
    impl<R: Real> WithSimd for Op<'_, R> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) {
            let Op(window, x, z, p) = self;
            z.fill(R::zero());
            window.each::<R>(|out, input, _, share| {
                let x = &x[input * p..][..p];
                for (z, &x) in z[out * p..][..p].iter_mut().zip(x) {
                    *z += share * x;
                }
            });
        }
    }
    arch.dispatch(Op(window, x, z, padded));
}

/// Spreads the error signal of each window evenly over its pixels. `below` is
/// cleared first unless `add`.
pub fn average_back<R: Real>(
    arch: Arch,
    window: &Window,
    delta: &[R],
    below: &mut [R],
    add: bool,
    padded: usize,
) {
    struct Op<'a, R>(&'a Window, &'a [R], &'a mut [R], usize);
    impl<R: Real> WithSimd for Op<'_, R> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) {
            let Op(window, delta, below, p) = self;
            window.each::<R>(|out, input, _, share| {
                let delta = &delta[out * p..][..p];
                for (b, &d) in below[input * p..][..p].iter_mut().zip(delta) {
                    *b += share * d;
                }
            });
        }
    }
    if !add {
        below.fill(R::zero());
    }
    arch.dispatch(Op(window, delta, below, padded));
}
