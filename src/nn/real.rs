//! The floating-point type that the core is generic over: `f32` trains, `f64`
//! checks, through the same code.
//!
//! Beside arithmetic the trait carries what a kernel needs: vectors of the
//! instruction set chosen at run time ([`pulp::Simd`]), the matrix product of
//! the linear-algebra library, and elementary functions that vectorise.

use super::elementary;
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use ndarray::NdFloat;
use num_traits::FromPrimitive;
use pulp::Simd;

/// `f32` or `f64`.
pub trait Real: NdFloat + FromPrimitive + Default + std::iter::Sum {
    /// A vector register of instruction set `S`.
    type Lanes<S: Simd>: Copy;

    /// The nearest value of this type to `value`.
    fn of(value: f64) -> Self;
    /// This value as an `f64`, exactly.
    fn wide(self) -> f64;

    /// `exp self`. At `f32` by [`elementary::exp`], which vectorises; at `f64`
    /// the library's.
    fn fast_exp(self) -> Self;
    /// `tanh self`, as [`fast_exp`](Self::fast_exp).
    fn fast_tanh(self) -> Self;
    /// `a = tanh z`, value by value.
    fn tanh_all<S: Simd>(simd: S, z: &[Self], a: &mut [Self]);
    /// `values = tanh values`, as [`tanh_all`](Self::tanh_all).
    fn tanh_in_place<S: Simd>(simd: S, values: &mut [Self]);
    /// `ln(1 + self)` for `self >= 0`, as [`fast_exp`](Self::fast_exp).
    fn fast_ln_1p(self) -> Self;

    /// `values` as vectors; what does not fill one is left out.
    fn lanes<S: Simd>(values: &[Self]) -> &[Self::Lanes<S>];
    /// `values` as vectors; what does not fill one is left out.
    fn lanes_mut<S: Simd>(values: &mut [Self]) -> &mut [Self::Lanes<S>];
    /// `value` in every lane.
    fn splat<S: Simd>(simd: S, value: Self) -> Self::Lanes<S>;
    /// `a + b`
    fn plus<S: Simd>(simd: S, a: Self::Lanes<S>, b: Self::Lanes<S>) -> Self::Lanes<S>;
    /// `a b + c`, in one rounding where the instruction set can.
    fn fused<S: Simd>(
        simd: S,
        a: Self::Lanes<S>,
        b: Self::Lanes<S>,
        c: Self::Lanes<S>,
    ) -> Self::Lanes<S>;
    /// 0 for what is not above 0, else `a`; NaN stays NaN.
    fn rectified<S: Simd>(simd: S, a: Self::Lanes<S>) -> Self::Lanes<S>;
    /// The sum of the lanes.
    fn across<S: Simd>(simd: S, a: Self::Lanes<S>) -> Self;

    /// `out = left right` or `out += left right`.
    fn product(out: Matrix<&mut [Self]>, add: bool, left: Matrix<&[Self]>, right: Matrix<&[Self]>);
}

/// A dense matrix in a slice.
#[derive(Debug, Clone, Copy)]
pub struct Matrix<S> {
    /// The values.
    pub values: S,
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub columns: usize,
    /// Whether a column's values lie side by side, instead of a row's.
    pub by_column: bool,
}

macro_rules! real {
    ($real:ident, $lanes:ident, $as_lanes:ident, $as_lanes_mut:ident, $splat:ident, $add:ident,
     $mul_add:ident, $at_most:ident, $select:ident, $sum:ident, $exp:expr, $tanh:expr, $tanh_all:expr, $tanh_in_place:expr,
     $ln_1p:expr) => {
        impl Real for $real {
            type Lanes<S: Simd> = S::$lanes;

            fn of(value: f64) -> Self {
                value as $real
            }
            fn wide(self) -> f64 {
                f64::from(self)
            }

            #[inline(always)]
            fn fast_exp(self) -> Self {
                $exp(self)
            }
            #[inline(always)]
            fn fast_tanh(self) -> Self {
                $tanh(self)
            }
            #[inline(always)]
            fn tanh_all<S: Simd>(simd: S, z: &[Self], a: &mut [Self]) {
                $tanh_all(simd, z, a);
            }
            #[inline(always)]
            fn tanh_in_place<S: Simd>(simd: S, values: &mut [Self]) {
                $tanh_in_place(simd, values);
            }
            #[inline(always)]
            fn fast_ln_1p(self) -> Self {
                $ln_1p(self)
            }

            #[inline(always)]
            fn lanes<S: Simd>(values: &[Self]) -> &[S::$lanes] {
                S::$as_lanes(values).0
            }
            #[inline(always)]
            fn lanes_mut<S: Simd>(values: &mut [Self]) -> &mut [S::$lanes] {
                S::$as_lanes_mut(values).0
            }
            #[inline(always)]
            fn splat<S: Simd>(simd: S, value: Self) -> S::$lanes {
                simd.$splat(value)
            }
            #[inline(always)]
            fn plus<S: Simd>(simd: S, a: S::$lanes, b: S::$lanes) -> S::$lanes {
                simd.$add(a, b)
            }
            #[inline(always)]
            fn fused<S: Simd>(simd: S, a: S::$lanes, b: S::$lanes, c: S::$lanes) -> S::$lanes {
                simd.$mul_add(a, b, c)
            }
            #[inline(always)]
            fn rectified<S: Simd>(simd: S, a: S::$lanes) -> S::$lanes {
                let zero = simd.$splat(0.0);
                simd.$select(simd.$at_most(a, zero), zero, a)
            }
            #[inline(always)]
            fn across<S: Simd>(simd: S, a: S::$lanes) -> Self {
                simd.$sum(a)
            }

            fn product(
                out: Matrix<&mut [Self]>,
                add: bool,
                left: Matrix<&[Self]>,
                right: Matrix<&[Self]>,
            ) {
                let accum = if add { Accum::Add } else { Accum::Replace };
                fn view(m: Matrix<&[$real]>) -> MatRef<'_, $real> {
                    if m.by_column {
                        MatRef::from_column_major_slice(m.values, m.rows, m.columns)
                    } else {
                        MatRef::from_row_major_slice(m.values, m.rows, m.columns)
                    }
                }
                let target = if out.by_column {
                    MatMut::from_column_major_slice_mut(out.values, out.rows, out.columns)
                } else {
                    MatMut::from_row_major_slice_mut(out.values, out.rows, out.columns)
                };
                matmul(target, accum, view(left), view(right), 1.0, Par::Seq);
            }
        }
    };
}

real!(
    f32,
    f32s,
    as_simd_f32s,
    as_mut_simd_f32s,
    splat_f32s,
    add_f32s,
    mul_add_e_f32s,
    less_than_or_equal_f32s,
    select_f32s,
    reduce_sum_f32s,
    elementary::exp,
    elementary::tanh,
    tanh_f32,
    tanh_f32_in_place,
    elementary::ln_1p
);
real!(
    f64,
    f64s,
    as_simd_f64s,
    as_mut_simd_f64s,
    splat_f64s,
    add_f64s,
    mul_add_e_f64s,
    less_than_or_equal_f64s,
    select_f64s,
    reduce_sum_f64s,
    f64::exp,
    f64::tanh,
    tanh_f64,
    tanh_f64_in_place,
    f64::ln_1p
);

#[inline(always)]
fn tanh_f32<S: Simd>(simd: S, z: &[f32], a: &mut [f32]) {
    let (z, z_rest) = S::as_simd_f32s(z);
    let (a, a_rest) = S::as_mut_simd_f32s(a);
    for (a, &z) in a.iter_mut().zip(z) {
        *a = elementary::tanh_lanes(simd, z);
    }
    for (a, &z) in a_rest.iter_mut().zip(z_rest) {
        *a = elementary::tanh(z);
    }
}

#[inline(always)]
fn tanh_f64<S: Simd>(_: S, z: &[f64], a: &mut [f64]) {
    for (a, &z) in a.iter_mut().zip(z) {
        *a = z.tanh();
    }
}

#[inline(always)]
fn tanh_f32_in_place<S: Simd>(simd: S, values: &mut [f32]) {
    let (lanes, rest) = S::as_mut_simd_f32s(values);
    for v in lanes {
        *v = elementary::tanh_lanes(simd, *v);
    }
    for v in rest {
        *v = elementary::tanh(*v);
    }
}

#[inline(always)]
fn tanh_f64_in_place<S: Simd>(_: S, values: &mut [f64]) {
    for v in values {
        *v = v.tanh();
    }
}
