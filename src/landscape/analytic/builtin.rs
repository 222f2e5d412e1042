//! The built-in functions: their names, formulas, sources, where to look at
//! them, and the minima that are known.

use super::formulas;
use super::jet::Jet;
use std::f64::consts::FRAC_PI_2;

/// A function of x and y that comes with the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Builtin {
    /// A deep and a shallow hollow in a bowl.
    LocalMinimum,
    /// A round bowl.
    Bowl,
    /// A sine along x in a valley along y.
    SineSaddle,
    /// An oblong pit in a bowl.
    EllipticBowl,
    /// Two hills and a hollow in a bowl.
    Hills,
    /// Rings around a pit.
    Plateau,
    /// A bent valley.
    Rosenbrock,
    /// A valley with steep corners.
    Beale,
    /// Four minima of the same depth.
    Himmelblau,
    /// A bowl with a minimum about every pair of whole numbers.
    Rastrigin,
    /// Up along x, down along y.
    Saddle,
    /// Three valleys and three ridges that meet.
    MonkeySaddle,
    /// A quadratic twenty times steeper across than along.
    Ravine,
}

/// A minimum that is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Minimum {
    /// Where it is.
    pub at: [f64; 2],
    /// The value there.
    pub value: f64,
}

/// A minimum at `(x, y)` of the given value.
const fn low(x: f64, y: f64, value: f64) -> Minimum {
    Minimum { at: [x, y], value }
}

impl Builtin {
    /// All of them, in the order of a menu: first those of
    /// gradient_descent_viz, then the classics.
    pub const ALL: [Builtin; 13] = [
        Builtin::LocalMinimum,
        Builtin::Bowl,
        Builtin::SineSaddle,
        Builtin::EllipticBowl,
        Builtin::Hills,
        Builtin::Plateau,
        Builtin::Rosenbrock,
        Builtin::Beale,
        Builtin::Himmelblau,
        Builtin::Rastrigin,
        Builtin::Saddle,
        Builtin::MonkeySaddle,
        Builtin::Ravine,
    ];

    /// The name by which it is asked for.
    pub fn name(self) -> &'static str {
        match self {
            Builtin::LocalMinimum => "local-minimum",
            Builtin::Bowl => "bowl",
            Builtin::SineSaddle => "sine-saddle",
            Builtin::EllipticBowl => "elliptic-bowl",
            Builtin::Hills => "hills",
            Builtin::Plateau => "plateau",
            Builtin::Rosenbrock => "rosenbrock",
            Builtin::Beale => "beale",
            Builtin::Himmelblau => "himmelblau",
            Builtin::Rastrigin => "rastrigin",
            Builtin::Saddle => "saddle",
            Builtin::MonkeySaddle => "monkey-saddle",
            Builtin::Ravine => "ravine",
        }
    }

    /// The formula, as [`Analytic::parse`](super::Analytic::parse) reads it.
    pub fn formula(self) -> &'static str {
        match self {
            Builtin::LocalMinimum => {
                "x^2 + 1.96*y^2 - 2*exp(-5*((x - 1)^2 + 1.96*y^2)) \
                 - 6*exp(-5*((x + 1)^2 + 1.96*y^2))"
            }
            Builtin::Bowl => "x^2 + y^2",
            Builtin::SineSaddle => "sin(x) + y^2",
            Builtin::EllipticBowl => "x^2/4 + y^2/8 - exp(-x^2/4 - 5*y^2/4)",
            Builtin::Hills => {
                "x^2 + 1.96*y^2 + 2*exp(-5*((x - 1)^2 + 1.96*y^2)) \
                 + 6*exp(-5*((x + 1)^2 + 1.96*y^2)) - 2*exp(-5*((x - 1)^2 + (1.4*y + 1)^2))"
            }
            Builtin::Plateau => "x^2 + y^2 - sin(10*sqrt(x^2 + y^2))/(10*sqrt(x^2 + y^2))",
            Builtin::Rosenbrock => "(1 - x)^2 + 100*(y - x^2)^2",
            Builtin::Beale => "(1.5 - x + x*y)^2 + (2.25 - x + x*y^2)^2 + (2.625 - x + x*y^3)^2",
            Builtin::Himmelblau => "(x^2 + y - 11)^2 + (x + y^2 - 7)^2",
            Builtin::Rastrigin => "20 + x^2 - 10*cos(2*pi*x) + y^2 - 10*cos(2*pi*y)",
            Builtin::Saddle => "x^2 - y^2",
            Builtin::MonkeySaddle => "x^3 - 3*x*y^2",
            Builtin::Ravine => "0.05*x^2 + y^2",
        }
    }

    /// Where it comes from.
    pub fn source(self) -> &'static str {
        match self {
            Builtin::LocalMinimum
            | Builtin::Bowl
            | Builtin::SineSaddle
            | Builtin::EllipticBowl
            | Builtin::Hills
            | Builtin::Plateau => "gradient_descent_viz (L. Jiang)",
            Builtin::Rosenbrock => "Rosenbrock 1960, The Computer Journal 3(3), equation 5",
            Builtin::Beale => {
                "Beale 1958; Moré, Garbow and Hillstrom 1981, ACM TOMS 7(1), problem 5"
            }
            Builtin::Himmelblau => "Himmelblau 1972, Applied Nonlinear Programming",
            Builtin::Rastrigin => "Rastrigin 1974, Systems of Extremal Control",
            Builtin::Saddle => "the hyperbolic paraboloid",
            Builtin::MonkeySaddle => {
                "Hilbert and Cohn-Vossen 1932, Anschauliche Geometrie (the real part of (x + iy)^3)"
            }
            Builtin::Ravine => "a quadratic of condition number 20",
        }
    }

    /// The ranges of x and of y that show it well.
    pub fn domain(self) -> [[f64; 2]; 2] {
        let both = |reach: f64| [[-reach, reach]; 2];
        match self {
            Builtin::LocalMinimum
            | Builtin::Bowl
            | Builtin::Hills
            | Builtin::Plateau
            | Builtin::Saddle => both(2.0),
            Builtin::MonkeySaddle => both(1.5),
            Builtin::SineSaddle => [[-3.0, 3.0], [-2.0, 2.0]],
            Builtin::EllipticBowl => both(4.0),
            Builtin::Rosenbrock => [[-2.0, 2.0], [-1.0, 3.0]],
            Builtin::Beale => both(4.5),
            Builtin::Himmelblau => both(5.0),
            Builtin::Rastrigin => both(5.12),
            Builtin::Ravine => [[-10.0, 10.0], [-3.0, 3.0]],
        }
    }

    /// A point from which the way down is worth watching.
    pub fn start(self) -> [f64; 2] {
        match self {
            // gradient_descent_viz starts at (1.5, 1.5).
            Builtin::LocalMinimum | Builtin::Bowl | Builtin::Hills | Builtin::Plateau => [1.5, 1.5],
            Builtin::SineSaddle => [1.5, 1.5],
            Builtin::EllipticBowl => [3.0, 3.0],
            // Of Rosenbrock's paper.
            Builtin::Rosenbrock => [-1.2, 1.0],
            // Of the collection of Moré, Garbow and Hillstrom.
            Builtin::Beale => [1.0, 1.0],
            Builtin::Himmelblau => [0.0, 0.0],
            Builtin::Rastrigin => [3.3, -2.4],
            // A little off the ridge: on it, every optimiser without noise stays.
            Builtin::Saddle => [1.6, 0.01],
            Builtin::MonkeySaddle => [1.2, 0.02],
            Builtin::Ravine => [-9.0, 2.5],
        }
    }

    /// The minima that are known, the deepest first; Rastrigin's is the deepest
    /// of its many. None where there is no bottom.
    pub fn minima(self) -> &'static [Minimum] {
        match self {
            Builtin::LocalMinimum => {
                const {
                    &[
                        low(-0.967_577_446_455_459_8, 0.0, -5.032_339_968_658_435),
                        low(0.905_317_860_600_848_2, 0.0, -1.092_732_038_481_015_2),
                    ]
                }
            }
            Builtin::Hills => {
                const {
                    &[
                        low(
                            0.900_306_522_299_307_3,
                            -0.653_401_158_303_948_6,
                            -0.158_808_610_034_414_6,
                        ),
                        low(
                            0.041_507_125_699_561_81,
                            -0.000_640_377_637_654_304_1,
                            0.048_284_960_796_130_93,
                        ),
                    ]
                }
            }
            Builtin::Bowl | Builtin::Ravine | Builtin::Rastrigin => const { &[low(0.0, 0.0, 0.0)] },
            Builtin::SineSaddle => const { &[low(-FRAC_PI_2, 0.0, -1.0)] },
            Builtin::EllipticBowl | Builtin::Plateau => const { &[low(0.0, 0.0, -1.0)] },
            Builtin::Rosenbrock => const { &[low(1.0, 1.0, 0.0)] },
            Builtin::Beale => const { &[low(3.0, 0.5, 0.0)] },
            Builtin::Himmelblau => {
                const {
                    &[
                        low(3.0, 2.0, 0.0),
                        low(-2.805_118_086_952_745, 3.131_312_518_250_573, 0.0),
                        low(-3.779_310_253_377_747, -3.283_185_991_286_169_4, 0.0),
                        low(3.584_428_340_330_491_7, -1.848_126_526_964_403_6, 0.0),
                    ]
                }
            }
            Builtin::Saddle | Builtin::MonkeySaddle => &[],
        }
    }

    /// The value at (x, y).
    pub fn value(self, x: f64, y: f64) -> f64 {
        formulas::at(self, x, y)
    }

    /// Value, gradient and Hessian at (x, y).
    pub(super) fn jet(self, x: f64, y: f64) -> Jet {
        formulas::at(self, Jet::x(x), Jet::y(y))
    }
}
