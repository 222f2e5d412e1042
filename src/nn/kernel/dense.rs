//! The three products of a fully connected layer. Small ones are computed here
//! with the samples across the lanes; large ones by the library.

use super::{Start, add_row_sums};
use crate::nn::Real;
use crate::nn::real::Matrix;
use pulp::{Arch, Simd, WithSimd};

/// From this many multiply-adds on, the library's blocking and packing pay.
pub const LARGE: usize = 1 << 16;

/// Up to so many inputs a unit's sum is formed here, input by input from the
/// bias, however many units and samples there are: its value does not depend on
/// how the samples are divided, and the inputs of a tile fit into the first cache.
pub const DEEP: usize = 256;

/// `z = start + W x` for `w` `[units, inputs]`, `x` `[inputs, padded]`, `z`
/// `[units, padded]`.
pub fn dense<R: Real>(
    arch: Arch,
    w: &[R],
    start: Start<'_, R>,
    x: &[R],
    z: &mut [R],
    padded: usize,
) {
    let (units, inputs) = (z.len() / padded, x.len() / padded);
    if inputs > DEEP && units * inputs * padded >= LARGE {
        match start {
            Start::Rows(b) => {
                for (row, &b) in z.chunks_exact_mut(padded).zip(b) {
                    row.fill(b);
                }
            }
            Start::Zero => z.fill(R::zero()),
            Start::Out => {}
        }
        by_library(w, units, inputs, x, z, padded, false);
    } else {
        arch.dispatch(Product {
            w,
            rows: units,
            columns: inputs,
            row_stride: inputs,
            column_stride: 1,
            start,
            x,
            out: z,
            padded,
        });
    }
}

/// `below = W^T delta`, or `below += W^T delta`.
pub fn dense_back<R: Real>(
    arch: Arch,
    w: &[R],
    delta: &[R],
    below: &mut [R],
    add: bool,
    padded: usize,
) {
    let (units, inputs) = (delta.len() / padded, below.len() / padded);
    if units * inputs * padded >= LARGE {
        if !add {
            below.fill(R::zero());
        }
        by_library(w, units, inputs, delta, below, padded, true);
    } else {
        arch.dispatch(Product {
            w,
            rows: inputs,
            columns: units,
            row_stride: 1,
            column_stride: inputs,
            start: if add { Start::Out } else { Start::Zero },
            x: delta,
            out: below,
            padded,
        });
    }
}

/// `dw = delta x^T` and `db =` the sums of delta's rows; both are added to
/// where `add` says so. Padded samples must have `delta = 0`.
pub fn dense_weights<R: Real>(
    arch: Arch,
    delta: &[R],
    x: &[R],
    dw: &mut [R],
    db: Option<&mut [R]>,
    add: bool,
    padded: usize,
) {
    let (units, inputs) = (delta.len() / padded, x.len() / padded);
    let large = units * inputs * padded >= LARGE;
    if large {
        // Column-major throughout: dw^T = x delta^T.
        R::product(
            Matrix {
                values: &mut *dw,
                rows: inputs,
                columns: units,
                by_column: true,
            },
            add,
            Matrix {
                values: x,
                rows: inputs,
                columns: padded,
                by_column: false,
            },
            Matrix {
                values: delta,
                rows: padded,
                columns: units,
                by_column: true,
            },
        );
    }
    arch.dispatch(Outer {
        delta,
        x,
        dw: if large { &mut [] } else { dw },
        db,
        inputs,
        add,
        padded,
    });
}

/// `out^T += x^T W^T` (or with W for W^T), column-major, the samples being rows.
fn by_library<R: Real>(
    w: &[R],
    units: usize,
    inputs: usize,
    x: &[R],
    out: &mut [R],
    padded: usize,
    back: bool,
) {
    let (depth, columns) = if back {
        (units, inputs)
    } else {
        (inputs, units)
    };
    R::product(
        Matrix {
            values: out,
            rows: padded,
            columns,
            by_column: true,
        },
        true,
        Matrix {
            values: x,
            rows: padded,
            columns: depth,
            by_column: true,
        },
        Matrix {
            values: w,
            rows: depth,
            columns,
            by_column: !back,
        },
    );
}

/// `out[r] = start + sum_c w[r, c] x[c]`, rows of `padded` samples.
pub struct Product<'a, R> {
    pub w: &'a [R],
    pub rows: usize,
    pub columns: usize,
    pub row_stride: usize,
    pub column_stride: usize,
    pub start: Start<'a, R>,
    pub x: &'a [R],
    pub out: &'a mut [R],
    pub padded: usize,
}

impl<R: Real> WithSimd for Product<'_, R> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let width = R::lanes::<S>(&self.x[..self.padded.min(self.x.len())]).len();
        let mut row = 0;
        while row < self.rows {
            let left = self.rows - row;
            let taken = if left >= 4 {
                self.across::<S, 4>(simd, row, width);
                4
            } else if left >= 2 {
                self.across::<S, 2>(simd, row, width);
                2
            } else {
                self.across::<S, 1>(simd, row, width);
                1
            };
            row += taken;
        }
    }
}

impl<R: Real> Product<'_, R> {
    /// `M` rows, all samples.
    #[inline(always)]
    fn across<S: Simd, const M: usize>(&mut self, simd: S, row: usize, width: usize) {
        let mut v = 0;
        while v < width {
            let left = width - v;
            if left >= 4 {
                self.block::<S, M, 4>(simd, row, v, width);
                v += 4;
            } else if left >= 2 {
                self.block::<S, M, 2>(simd, row, v, width);
                v += 2;
            } else {
                self.block::<S, M, 1>(simd, row, v, width);
                v += 1;
            }
        }
    }

    /// `M` rows by `N` vectors, in registers.
    #[inline(always)]
    fn block<S: Simd, const M: usize, const N: usize>(
        &mut self,
        simd: S,
        row: usize,
        v: usize,
        width: usize,
    ) {
        let zero = R::splat(simd, R::zero());
        let mut sums = [[zero; N]; M];
        match self.start {
            Start::Zero => {}
            Start::Rows(values) => {
                for m in 0..M {
                    sums[m] = [R::splat(simd, values[row + m]); N];
                }
            }
            Start::Out => {
                let out = R::lanes::<S>(self.out);
                for m in 0..M {
                    let at = (row + m) * width + v;
                    sums[m].copy_from_slice(&out[at..at + N]);
                }
            }
        }
        let x = R::lanes::<S>(self.x).chunks_exact(width);
        if self.column_stride == 1 {
            // Rows as slices of one length: the loop checks no index.
            let w: [&[R]; M] =
                std::array::from_fn(|m| &self.w[(row + m) * self.row_stride..][..self.columns]);
            for (c, x) in (0..self.columns).zip(x) {
                let x = &x[v..v + N];
                for m in 0..M {
                    let w = R::splat(simd, w[m][c]);
                    for n in 0..N {
                        sums[m][n] = R::fused(simd, w, x[n], sums[m][n]);
                    }
                }
            }
        } else {
            for (c, x) in (0..self.columns).zip(x) {
                let x = &x[v..v + N];
                for m in 0..M {
                    let w = self.w[(row + m) * self.row_stride + c * self.column_stride];
                    let w = R::splat(simd, w);
                    for n in 0..N {
                        sums[m][n] = R::fused(simd, w, x[n], sums[m][n]);
                    }
                }
            }
        }
        let out = R::lanes_mut::<S>(self.out);
        for m in 0..M {
            let at = (row + m) * width + v;
            out[at..at + N].copy_from_slice(&sums[m]);
        }
    }
}

/// Weight and bias gradients of a fully connected layer.
pub struct Outer<'a, R> {
    pub delta: &'a [R],
    pub x: &'a [R],
    pub dw: &'a mut [R],
    pub db: Option<&'a mut [R]>,
    pub inputs: usize,
    pub add: bool,
    pub padded: usize,
}

impl<R: Real> WithSimd for Outer<'_, R> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        if let Some(db) = self.db.take() {
            if !self.add {
                db.fill(R::zero());
            }
            add_row_sums(simd, self.delta, self.padded, db);
        }
        if self.dw.is_empty() {
            return;
        }
        let units = self.dw.len() / self.inputs;
        let mut unit = 0;
        while unit < units {
            if units - unit >= 4 {
                self.across::<S, 4>(simd, unit);
                unit += 4;
            } else if units - unit >= 2 {
                self.across::<S, 2>(simd, unit);
                unit += 2;
            } else {
                self.across::<S, 1>(simd, unit);
                unit += 1;
            }
        }
    }
}

impl<R: Real> Outer<'_, R> {
    #[inline(always)]
    fn across<S: Simd, const M: usize>(&mut self, simd: S, unit: usize) {
        let mut input = 0;
        while input < self.inputs {
            if self.inputs - input >= 4 {
                self.block::<S, M, 4>(simd, unit, input);
                input += 4;
            } else {
                self.block::<S, M, 1>(simd, unit, input);
                input += 1;
            }
        }
    }

    #[inline(always)]
    fn block<S: Simd, const M: usize, const N: usize>(
        &mut self,
        simd: S,
        unit: usize,
        input: usize,
    ) {
        let p = self.padded;
        let zero = R::splat(simd, R::zero());
        let mut sums = [[zero; N]; M];
        let delta: [_; M] =
            std::array::from_fn(|m| R::lanes::<S>(&self.delta[(unit + m) * p..][..p]));
        let x: [_; N] = std::array::from_fn(|n| R::lanes::<S>(&self.x[(input + n) * p..][..p]));
        for v in 0..delta[0].len() {
            for m in 0..M {
                for n in 0..N {
                    sums[m][n] = R::fused(simd, delta[m][v], x[n][v], sums[m][n]);
                }
            }
        }
        for m in 0..M {
            for n in 0..N {
                let g = &mut self.dw[(unit + m) * self.inputs + input + n];
                let sum = R::across(simd, sums[m][n]);
                *g = if self.add { *g + sum } else { sum };
            }
        }
    }
}
