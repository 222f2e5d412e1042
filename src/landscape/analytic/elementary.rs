//! The elementary functions of typed formulas for numbers that carry their
//! derivatives, and the operators by which exmex evaluates with them.

use super::jet::{Jet, Scalar};
use exmex::{BinOp, MakeOperators, Operator};
use std::f64::consts::{LN_2, LN_10};
use std::ops::Neg;
use std::str::FromStr;

impl Default for Jet {
    fn default() -> Self {
        Jet::constant(0.0)
    }
}

/// A number that depends on nothing.
impl FromStr for Jet {
    type Err = <f64 as FromStr>::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Jet::constant)
    }
}

/// The operators of formulas on [`Jet`]s, under exmex's names.
#[derive(Debug, Clone)]
pub(super) struct Differentiated;

impl MakeOperators<Jet> for Differentiated {
    fn make<'a>() -> Vec<Operator<'a, Jet>> {
        let operation = |apply, prio, is_commutative| BinOp {
            apply,
            prio,
            is_commutative,
        };
        let mut operators = vec![
            Operator::make_bin("^", operation(power, 4, false)),
            Operator::make_bin("*", operation(|a, b| a * b, 2, true)),
            Operator::make_bin("/", operation(quotient, 3, false)),
            Operator::make_bin_unary("+", operation(|a, b| a + b, 0, true), |a| a),
            Operator::make_bin_unary("-", operation(|a, b| a - b, 1, false), Jet::neg),
            // A number that is not one loses, as with f64's min and max.
            Operator::make_bin("min", operation(|a, b| pick(a, b, f64::min), 0, false)),
            Operator::make_bin("max", operation(|a, b| pick(a, b, f64::max), 0, false)),
        ];
        let unary: [(&'static str, fn(Jet) -> Jet); 19] = [
            ("sin", Scalar::sin),
            ("cos", Scalar::cos),
            ("tan", |a| {
                let t = a.value.tan();
                let first = 1.0 + t * t;
                a.chain(t, first, 2.0 * t * first)
            }),
            ("asin", |a| {
                let (v, root) = (a.value, (1.0 - a.value * a.value).sqrt());
                a.chain(v.asin(), 1.0 / root, v / root.powi(3))
            }),
            ("acos", |a| {
                let (v, root) = (a.value, (1.0 - a.value * a.value).sqrt());
                a.chain(v.acos(), -1.0 / root, -v / root.powi(3))
            }),
            ("atan", |a| {
                let (v, d) = (a.value, 1.0 + a.value * a.value);
                a.chain(v.atan(), 1.0 / d, -2.0 * v / (d * d))
            }),
            ("sinh", |a| {
                let (s, c) = (a.value.sinh(), a.value.cosh());
                a.chain(s, c, s)
            }),
            ("cosh", |a| {
                let (s, c) = (a.value.sinh(), a.value.cosh());
                a.chain(c, s, c)
            }),
            ("tanh", |a| {
                let t = a.value.tanh();
                let first = 1.0 - t * t;
                a.chain(t, first, -2.0 * t * first)
            }),
            ("asinh", |a| {
                let (v, root) = (a.value, (1.0 + a.value * a.value).sqrt());
                a.chain(v.asinh(), 1.0 / root, -v / root.powi(3))
            }),
            ("acosh", |a| {
                let (v, root) = (a.value, (a.value * a.value - 1.0).sqrt());
                a.chain(v.acosh(), 1.0 / root, -v / root.powi(3))
            }),
            ("atanh", |a| {
                let (v, d) = (a.value, 1.0 - a.value * a.value);
                a.chain(v.atanh(), 1.0 / d, 2.0 * v / (d * d))
            }),
            ("exp", Scalar::exp),
            ("sqrt", |a| {
                let root = a.value.sqrt();
                a.chain(root, 0.5 / root, -0.25 / (root * a.value))
            }),
            ("ln", |a| logarithm(a, a.value.ln(), 1.0)),
            ("log", |a| logarithm(a, a.value.ln(), 1.0)),
            ("log2", |a| logarithm(a, a.value.log2(), LN_2)),
            ("log10", |a| logarithm(a, a.value.log10(), LN_10)),
            // On its corner 0, which lies between the slopes at its two sides.
            ("abs", |a| {
                let sign = if a.value == 0.0 {
                    0.0
                } else {
                    a.value.signum()
                };
                a.chain(a.value.abs(), sign, 0.0)
            }),
        ];
        operators.extend(unary.map(|(name, f)| Operator::make_unary(name, f)));
        operators
    }
}

fn logarithm(a: Jet, value: f64, ln_base: f64) -> Jet {
    let v = a.value;
    a.chain(value, 1.0 / (v * ln_base), -1.0 / (v * v * ln_base))
}

fn pick(a: Jet, b: Jet, which: fn(f64, f64) -> f64) -> Jet {
    let chosen = which(a.value, b.value);
    if chosen == a.value || b.value.is_nan() {
        a
    } else {
        b
    }
}

/// `a / b = a (1 / b)`, but for the value, which is rounded once.
fn quotient(a: Jet, b: Jet) -> Jet {
    let v = b.value;
    let inverse = b.chain(1.0 / v, -1.0 / (v * v), 2.0 / (v * v * v));
    Jet {
        value: a.value / b.value,
        ..a * inverse
    }
}

/// `a^b`: for a constant exponent by the power rule, which holds for every
/// base; else `exp(b ln a)`, which has derivatives where the base is above 0.
fn power(a: Jet, b: Jet) -> Jet {
    let (base, n) = (a.value, b.value);
    let value = base.powf(n);
    if b.is_constant() {
        let first = if n == 0.0 {
            0.0
        } else {
            n * base.powf(n - 1.0)
        };
        let second = if n == 0.0 || n == 1.0 {
            0.0
        } else {
            n * (n - 1.0) * base.powf(n - 2.0)
        };
        return a.chain(value, first, second);
    }
    let exponent = b * logarithm(a, base.ln(), 1.0);
    exponent.chain(value, value, value)
}
