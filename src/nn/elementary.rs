//! Elementary functions at single precision without branches, so that a loop
//! over them becomes vector instructions of whatever set runs it. The error
//! bounds are those that the tests below measure over all of `f32`'s range.

use pulp::{Scalar, Simd};

/// `exp x`: `x = k ln 2 + r` and a polynomial in `r` (the coefficients are
/// those of Cephes' `expf`, Moshier 1989). Within 1.2e-7 relative where the
/// result is a normal number; NaN stays NaN.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    // Past these ends the result is infinite or 0 at single precision.
    let x = if x > 89.0 { 89.0 } else { x };
    let x = if x < -104.0 { -104.0 } else { x };
    // Adding and subtracting 1.5 * 2^23 rounds to a whole number.
    const ROUND: f32 = 12_582_912.0;
    let k = (x * std::f32::consts::LOG2_E + ROUND) - ROUND;
    // ln 2 in two parts, the first with trailing zeros, so that k times it is exact.
    let r = (x - k * 0.693_359_4) + k * 2.121_944_4e-4;
    let p = 1.987_569_1e-4;
    let p = p * r + 1.398_199_9e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_5e-1;
    let p = p * r + 0.5;
    let e = (p * r) * r + r + 1.0;
    // Two factors, because 2^k alone can leave the range of normal numbers.
    // NaN becomes some whole number here; e carries it on.
    let k = (k + ROUND).to_bits() as i32 - ROUND.to_bits() as i32;
    let half = k >> 1;
    let power = |k: i32| f32::from_bits(((k + 127) << 23) as u32);
    e * power(half) * power(k - half)
}

/// `tanh x`: `x` times a rational function of `x^2` with both degrees 4 that is 1 at
/// 0 (the coefficients are those of least relative error up to where the range is
/// cut). Within 3e-7 relative; NaN stays NaN.
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    // A scalar is a vector of one lane.
    tanh_lanes(Scalar, x)
}

/// [`tanh`] of every lane, with fused products where the machine has them.
#[inline(always)]
pub fn tanh_lanes<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let c = |v: f32| simd.splat_f32s(v);
    let fused = |a, b, c| simd.mul_add_e_f32s(a, b, c);
    let end = c(7.998_811_7);
    let x_ = simd.max_f32s(simd.neg_f32s(end), simd.min_f32s(end, x));
    let s = simd.mul_f32s(x_, x_);
    // The numerator is negative, as `quotient` wants it.
    let p = fused(c(-1.529_481_3e-8), s, c(-2.194_065_7e-5));
    let p = fused(fused(p, s, c(-3.574_401_4e-3)), s, c(-0.134_468_69));
    let p = fused(p, s, c(-1.0));
    let q = fused(c(8.548_604e-7), s, c(3.415_866e-4));
    let q = fused(fused(q, s, c(2.617_513_6e-2)), s, c(0.467_802));
    let q = fused(q, s, c(1.0));
    let t = quotient(simd, simd.mul_f32s(x_, p), q);
    if is_wide::<S>() {
        // Of two numbers with NaN among them, the smaller and the larger are here
        // the second, so that NaN has come through.
        return t;
    }
    // NaN is equal to nothing.
    simd.select_f32s(simd.equal_f32s(x, x), t, x)
}

/// Whether vectors have 64 bytes: AVX-512.
#[inline(always)]
fn is_wide<S: Simd>() -> bool {
    std::mem::size_of::<S::f32s>() == 64
}

/// `-p / q` for normal numbers `q > 0` far from both ends of the range.
///
/// Many machines divide the widest vectors so slowly that it would take longer than
/// all the rest of [`tanh_lanes`]. These are divided by products: a first guess at
/// `-1/q` from the bits of `q`, within 6 %, one step of third order, within 2e-4, and
/// the remainder of the division with what that leaves. As fused products round once,
/// what comes out is within a rounding of the quotient.
#[inline(always)]
fn quotient<S: Simd>(simd: S, p: S::f32s, q: S::f32s) -> S::f32s {
    if !is_wide::<S>() {
        return simd.neg_f32s(simd.div_f32s(p, q));
    }
    let fused = |a, b, c| simd.mul_add_e_f32s(a, b, c);
    let bits = simd.transmute_u32s_f32s(q);
    let guess = simd.sub_u32s(simd.splat_u32s(0xfef3_1000), bits);
    let r = simd.transmute_f32s_u32s(guess);
    let e = fused(q, r, simd.splat_f32s(1.0));
    let r = fused(fused(e, e, e), r, r);
    let t = simd.mul_f32s(p, r);
    fused(fused(q, t, p), r, t)
}

/// `ln(1 + y)` for `y >= 0`: `1 + y = (1 + f) 2^e` with `f` from -1/4 to 1/2
/// and `ln(1 + f) = 2 artanh(f / (2 + f))` by its series. Within 2e-7 relative;
/// NaN stays NaN, infinity becomes NaN.
#[inline(always)]
pub fn ln_1p(y: f32) -> f32 {
    let e = (((1.0 + y) * (4.0 / 3.0)).to_bits() >> 23) as i32 - 127;
    let power = f32::from_bits(((e + 127) << 23) as u32);
    let inverse = f32::from_bits(((127 - e) << 23) as u32);
    // Not (1 + y) / 2^e - 1, which would round y away where it is small.
    let f = (y - (power - 1.0)) * inverse;
    let s = f / (2.0 + f);
    let q = s * s;
    let p = 1.0 / 9.0;
    let p = p * q + 1.0 / 7.0;
    let p = p * q + 1.0 / 5.0;
    let p = p * q + 1.0 / 3.0;
    let t = s + s;
    e as f32 * std::f32::consts::LN_2 + (t * (p * q) + t)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One value through the vectors of this machine.
    fn vector_tanh(x: f32) -> f32 {
        struct Op([f32; 16]);
        impl pulp::WithSimd for Op {
            type Output = f32;
            #[inline(always)]
            fn with_simd<S: Simd>(self, simd: S) -> f32 {
                let x = S::as_simd_f32s(&self.0).0[0];
                simd.reduce_max_f32s(tanh_lanes(simd, x))
            }
        }
        crate::nn::arch().dispatch(Op([x; 16]))
    }

    /// The largest relative error over a sweep of all floats in `range`, and where.
    fn worst(
        range: std::ops::RangeInclusive<f32>,
        ours: fn(f32) -> f32,
        exact: fn(f64) -> f64,
    ) -> (f64, f32) {
        let mut worst = (0.0, 0.0);
        // An odd stride through all bit patterns.
        let patterns = (0..=u32::MAX).step_by(997);
        for x in patterns.map(f32::from_bits).filter(|x| range.contains(x)) {
            let want = exact(f64::from(x));
            let error =
                (f64::from(ours(x)) - want).abs() / want.abs().max(f64::from(f32::MIN_POSITIVE));
            if error > worst.0 {
                worst = (error, x);
            }
        }
        worst
    }

    #[test]
    fn errors_stay_within_the_stated_bounds() {
        let (error, x) = worst(-87.3..=88.7, exp, f64::exp);
        assert!(error < 1.2e-7, "exp {x}: {error:e}");
        let (error, x) = worst(-50.0..=50.0, tanh, f64::tanh);
        assert!(error < 3e-7, "tanh {x}: {error:e}");
        let (error, x) = worst(-50.0..=50.0, vector_tanh, f64::tanh);
        assert!(error < 3e-7, "tanh of vectors, {x}: {error:e}");
        let (error, x) = worst(0.0..=1e30, ln_1p, f64::ln_1p);
        assert!(error < 2e-7, "ln_1p {x}: {error:e}");
    }

    #[test]
    fn ends_and_nan() {
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(f32::NEG_INFINITY), 0.0);
        assert_eq!(exp(f32::INFINITY), f32::INFINITY);
        assert!(exp(f32::NAN).is_nan() && tanh(f32::NAN).is_nan() && ln_1p(f32::NAN).is_nan());
        assert!(tanh(1e30) <= 1.0 && tanh(1e30) > 0.999_999);
        assert_eq!(tanh(f32::INFINITY), -tanh(f32::NEG_INFINITY));
        assert_eq!(tanh(-0.0).to_bits(), (-0.0_f32).to_bits());
        assert_eq!(tanh(1e-30), 1e-30);
        assert_eq!(ln_1p(0.0), 0.0);
        assert!(!ln_1p(f32::INFINITY).is_finite());
    }
}
