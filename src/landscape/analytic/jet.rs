//! Numbers that carry their first and second derivatives by x and y along
//! (forward differentiation, second order), so that a formula is written once
//! and its gradient and Hessian are exact.

use std::ops::{Add, Mul, Neg, Sub};

/// What the built-in formulas are written in: plain numbers, or [`Jet`]s.
pub(super) trait Scalar:
    Copy
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Neg<Output = Self>
    + Add<f64, Output = Self>
    + Sub<f64, Output = Self>
    + Mul<f64, Output = Self>
{
    fn exp(self) -> Self;
    fn sin(self) -> Self;
    fn cos(self) -> Self;
    /// `sin(r) / r` of `r = sqrt(self)`, which is smooth at 0.
    fn sinc_of_root(self) -> Self;
    fn square(self) -> Self {
        self * self
    }
}

/// A value with its first and second derivatives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Jet {
    /// The value.
    pub value: f64,
    /// By x and by y.
    pub gradient: [f64; 2],
    /// By x twice, by x and y, by y twice.
    pub second: [f64; 3],
}

impl Jet {
    /// A number that depends on nothing.
    pub(super) fn constant(value: f64) -> Self {
        Jet {
            value,
            gradient: [0.0; 2],
            second: [0.0; 3],
        }
    }

    /// Whether it depends on nothing.
    pub(super) fn is_constant(&self) -> bool {
        self.gradient == [0.0; 2] && self.second == [0.0; 3]
    }

    /// The first variable.
    pub(super) fn x(value: f64) -> Self {
        Jet {
            value,
            gradient: [1.0, 0.0],
            second: [0.0; 3],
        }
    }

    /// The second variable.
    pub(super) fn y(value: f64) -> Self {
        Jet {
            value,
            gradient: [0.0, 1.0],
            second: [0.0; 3],
        }
    }

    /// The matrix of second derivatives, row by row.
    pub fn hessian(&self) -> [[f64; 2]; 2] {
        let [xx, xy, yy] = self.second;
        [[xx, xy], [xy, yy]]
    }

    /// `f(self)` where `f`, `f'` and `f''` at the value are given. What does not
    /// depend on a variable does not even where `f'` is infinite.
    pub(super) fn chain(self, f: f64, first: f64, second: f64) -> Self {
        let times = |a: f64, b: f64| if b == 0.0 { 0.0 } else { a * b };
        let [x, y] = self.gradient;
        let [xx, xy, yy] = self.second;
        Jet {
            value: f,
            gradient: [times(first, x), times(first, y)],
            second: [
                times(second, x * x) + times(first, xx),
                times(second, x * y) + times(first, xy),
                times(second, y * y) + times(first, yy),
            ],
        }
    }

    fn zip(self, other: Jet, op: impl Fn(f64, f64) -> f64) -> Self {
        Jet {
            value: op(self.value, other.value),
            gradient: std::array::from_fn(|i| op(self.gradient[i], other.gradient[i])),
            second: std::array::from_fn(|i| op(self.second[i], other.second[i])),
        }
    }
}

impl Add for Jet {
    type Output = Jet;
    fn add(self, other: Jet) -> Jet {
        self.zip(other, |a, b| a + b)
    }
}

impl Sub for Jet {
    type Output = Jet;
    fn sub(self, other: Jet) -> Jet {
        self.zip(other, |a, b| a - b)
    }
}

impl Neg for Jet {
    type Output = Jet;
    fn neg(self) -> Jet {
        self * -1.0
    }
}

impl Mul for Jet {
    type Output = Jet;
    fn mul(self, other: Jet) -> Jet {
        let (a, b) = (self.value, other.value);
        let ([ax, ay], [bx, by]) = (self.gradient, other.gradient);
        let ([axx, axy, ayy], [bxx, bxy, byy]) = (self.second, other.second);
        Jet {
            value: a * b,
            gradient: [a * bx + ax * b, a * by + ay * b],
            second: [
                a * bxx + 2.0 * ax * bx + axx * b,
                a * bxy + ax * by + ay * bx + axy * b,
                a * byy + 2.0 * ay * by + ayy * b,
            ],
        }
    }
}

impl Add<f64> for Jet {
    type Output = Jet;
    fn add(mut self, c: f64) -> Jet {
        self.value += c;
        self
    }
}

impl Sub<f64> for Jet {
    type Output = Jet;
    fn sub(mut self, c: f64) -> Jet {
        self.value -= c;
        self
    }
}

impl Mul<f64> for Jet {
    type Output = Jet;
    fn mul(self, c: f64) -> Jet {
        self.zip(self, |a, _| c * a)
    }
}

impl Scalar for Jet {
    fn exp(self) -> Self {
        let e = self.value.exp();
        self.chain(e, e, e)
    }
    fn sin(self) -> Self {
        let (s, c) = self.value.sin_cos();
        self.chain(s, c, -s)
    }
    fn cos(self) -> Self {
        let (s, c) = self.value.sin_cos();
        self.chain(c, -s, -c)
    }
    fn sinc_of_root(self) -> Self {
        let [f, first, second] = sinc_of_root(self.value);
        self.chain(f, first, second)
    }
}

impl Scalar for f64 {
    fn exp(self) -> Self {
        f64::exp(self)
    }
    fn sin(self) -> Self {
        f64::sin(self)
    }
    fn cos(self) -> Self {
        f64::cos(self)
    }
    fn sinc_of_root(self) -> Self {
        sinc_of_root(self)[0]
    }
}

/// `f(s) = sin(sqrt s) / sqrt s` with its first two derivatives. From
/// `f = sum of (-s)^k / (2k + 1)!`; beyond 1 in closed form, where nothing
/// cancels: `f' = (cos r - f) / (2 s)`, `f'' = -(f + 6 f') / (4 s)` (from the
/// equation `4 s f'' + 6 f' + f = 0` that the series fulfils).
fn sinc_of_root(s: f64) -> [f64; 3] {
    if s > 1.0 {
        let r = s.sqrt();
        let f = r.sin() / r;
        let first = (r.cos() - f) / (2.0 * s);
        return [f, first, -(f + 6.0 * first) / (4.0 * s)];
    }
    // Coefficients c_k of s^k; the last is below 1e-19.
    let (mut sums, mut c) = ([0.0; 3], 1.0);
    let mut powers = [1.0, 0.0, 0.0];
    for k in 0..11 {
        let n = f64::from(k);
        for (sum, power) in sums.iter_mut().zip(powers) {
            *sum += c * power;
        }
        c /= -(2.0 * n + 2.0) * (2.0 * n + 3.0);
        // s^(k+1) and its derivatives, from those of s^k.
        powers = [
            powers[0] * s,
            powers[1] * s + powers[0],
            powers[2] * s + 2.0 * powers[1],
        ];
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_and_closed_form_of_the_plateau_meet() {
        let (below, above) = (sinc_of_root(1.0), sinc_of_root(1.0 + 1e-13));
        for (a, b) in below.iter().zip(above) {
            assert!((a - b).abs() < 1e-13, "{a} {b}");
        }
        assert_eq!(sinc_of_root(0.0), [1.0, -1.0 / 6.0, 1.0 / 60.0]);
    }

    #[test]
    fn a_polynomial_is_differentiated_as_by_hand() {
        // x^3 y + 2 y: by x 3 x^2 y, by y x^3 + 2, seconds 6 x y, 3 x^2, 0.
        let (x, y) = (Jet::x(2.0), Jet::y(5.0));
        let jet = x * x * x * y + y * 2.0;
        assert_eq!((jet.value, jet.gradient), (50.0, [60.0, 10.0]));
        assert_eq!(jet.hessian(), [[60.0, 12.0], [12.0, 0.0]]);
    }
}
