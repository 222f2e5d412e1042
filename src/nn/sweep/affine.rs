//! `C + x D + y E`, and what a unit makes of it.

use crate::nn::Real;
use pulp::{Simd, WithSimd};

/// `z = C + x D + y E`: pre-activations, or the parameters at a point themselves.
pub(super) struct Affine<'a, R> {
    /// `C`, `D` and `E`.
    pub(super) products: [&'a [R]; 3],
    /// `x` and `y`.
    pub(super) point: [R; 2],
    /// Whether the negative ones become 0, as ReLU has it.
    pub(super) rectified: bool,
    pub(super) z: &'a mut [R],
}

impl<R: Real> WithSimd for Affine<'_, R> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let [x, y] = self.point;
        // What does not fill a vector.
        let lanes = std::mem::size_of::<R::Lanes<S>>() / std::mem::size_of::<R>();
        let [c, d, e] = self.products;
        for i in self.z.len() / lanes * lanes..self.z.len() {
            let z = x.mul_add(d[i], y.mul_add(e[i], c[i]));
            self.z[i] = if self.rectified && z <= R::zero() {
                R::zero()
            } else {
                z
            };
        }
        let [c, d, e] = [R::lanes::<S>(c), R::lanes::<S>(d), R::lanes::<S>(e)];
        let (x, y) = (R::splat(simd, x), R::splat(simd, y));
        let z = R::lanes_mut::<S>(self.z);
        let rows = z.iter_mut().zip(c).zip(d).zip(e);
        if self.rectified {
            for (((z, &c), &d), &e) in rows {
                let sum = R::fused(simd, x, d, R::fused(simd, y, e, c));
                *z = R::rectified(simd, sum);
            }
        } else {
            for (((z, &c), &d), &e) in rows {
                *z = R::fused(simd, x, d, R::fused(simd, y, e, c));
            }
        }
    }
}
