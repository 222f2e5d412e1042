//! The formulas of the built-in functions, each written once for numbers and
//! for their derivatives. Sources: [`Builtin::source`].

use super::builtin::Builtin;
use super::jet::Scalar;
use std::f64::consts::TAU;

/// `function` at (x, y).
pub(super) fn at<S: Scalar>(function: Builtin, x: S, y: S) -> S {
    match function {
        Builtin::LocalMinimum => {
            let z = y * 1.4;
            bowl(x, z) - pit(x - 1.0, z) * 2.0 - pit(x + 1.0, z) * 6.0
        }
        Builtin::Bowl => bowl(x, y),
        Builtin::SineSaddle => x.sin() + y.square(),
        Builtin::EllipticBowl => {
            let (x, y) = (x * 0.5, y * 0.5);
            x.square() + y.square() * 0.5 - (-(x.square() + y.square() * 5.0)).exp()
        }
        Builtin::Hills => {
            let z = y * 1.4;
            bowl(x, z) + pit(x - 1.0, z) * 2.0 + pit(x + 1.0, z) * 6.0 - pit(x - 1.0, z + 1.0) * 2.0
        }
        // With r = 10 |(x, y)|: 0.01 r^2 - sin r / r. The original adds 0.01 to
        // r so as not to divide by 0, which leaves a spike in the middle.
        Builtin::Plateau => bowl(x, y) - (bowl(x, y) * 100.0).sinc_of_root(),
        Builtin::Rosenbrock => (-x + 1.0).square() + (y - x.square()).square() * 100.0,
        Builtin::Beale => {
            let term = |c: f64, power: S| (x * power - x + c).square();
            term(1.5, y) + term(2.25, y * y) + term(2.625, y * y * y)
        }
        Builtin::Himmelblau => (x.square() + y - 11.0).square() + (x + y.square() - 7.0).square(),
        Builtin::Rastrigin => {
            let wave = |v: S| v.square() - (v * TAU).cos() * 10.0;
            wave(x) + wave(y) + 20.0
        }
        Builtin::Saddle => x.square() - y.square(),
        Builtin::MonkeySaddle => x * x.square() - x * y.square() * 3.0,
        Builtin::Ravine => x.square() * 0.05 + y.square(),
    }
}

fn bowl<S: Scalar>(x: S, y: S) -> S {
    x.square() + y.square()
}

/// `exp(-(x^2 + y^2) / 0.2)`
fn pit<S: Scalar>(x: S, y: S) -> S {
    (bowl(x, y) * -5.0).exp()
}
