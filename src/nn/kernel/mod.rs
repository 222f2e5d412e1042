//! Inner loops over samples. A batch lies with its samples side by side,
//! `[features, samples]`, the number of samples padded to a multiple of
//! [`PAD`]; a vector register therefore holds the same feature of several
//! samples, and no layer, however small or oddly shaped, leaves lanes unused.
//!
//! Each kernel is a [`pulp::WithSimd`] operation: it is compiled once for each
//! instruction set and the set is chosen when a [`Workspace`](super::Workspace)
//! is made.

// The indices of a block of registers name its rows and columns.
#![allow(clippy::needless_range_loop)]

mod conv;
mod dense;
mod pool;

pub(super) use conv::{ConvShape, convolve, convolve_back, convolve_weights};
pub(super) use dense::{DEEP, LARGE, Outer, Product, dense, dense_back, dense_weights};
pub(super) use pool::{Window, average, average_back, maximum, maximum_back, maximum_select};

use super::Real;
use pulp::Simd;

/// Samples are padded to a multiple of this: the lanes of the widest registers.
pub(super) const PAD: usize = 16;

/// What a product is added to.
#[derive(Clone, Copy)]
pub(super) enum Start<'a, R> {
    /// Nothing.
    Zero,
    /// A value for each row.
    Rows(&'a [R]),
    /// What is there.
    Out,
}

impl<'a, R> Start<'a, R> {
    /// A value for each row where there are values.
    pub(super) fn rows(values: &'a [R]) -> Self {
        if values.is_empty() {
            Start::Zero
        } else {
            Start::Rows(values)
        }
    }
}

/// The sum over the samples of each row of `values`, added to `out`.
#[inline(always)]
pub(super) fn add_row_sums<R: Real, S: Simd>(simd: S, values: &[R], padded: usize, out: &mut [R]) {
    for (o, row) in out.iter_mut().zip(values.chunks_exact(padded)) {
        let mut sum = R::splat(simd, R::zero());
        for &v in R::lanes::<S>(row) {
            sum = R::plus(simd, sum, v);
        }
        *o += R::across(simd, sum);
    }
}
