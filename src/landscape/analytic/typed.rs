//! A formula that somebody typed, evaluated by the expression library exmex, to
//! which it is handed with every bracket written: with numbers for its value,
//! and with [`Jet`]s for its gradient and Hessian. (exmex can also differentiate
//! symbolically; but at two derivatives a dozen brackets inside each other
//! exhaust a thread's stack, and it knows no `abs`, `min` and `max`.)

use super::elementary::Differentiated;
use super::error::ExpressionError;
use super::jet::Jet;
use super::syntax::{Node, read};
use exmex::FlatEx;
use exmex::prelude::*;

/// A formula for numbers and for their derivatives.
#[derive(Debug, Clone)]
pub(super) struct Typed {
    value: FlatEx<f64>,
    jet: FlatEx<Jet, Differentiated>,
    uses: [bool; 2],
}

impl Typed {
    /// Reads a formula.
    pub(super) fn parse(text: &str) -> Result<Self, ExpressionError> {
        let node = read(text)?;
        check_finite(&node)?;
        let text = written(&node);
        let refused = |error: exmex::ExError| ExpressionError::Refused {
            message: error.to_string(),
        };
        let value = FlatEx::parse(&text).map_err(refused)?;
        Ok(Typed {
            uses: ["x", "y"].map(|name| value.var_names().iter().any(|n| n == name)),
            jet: FlatEx::parse(&text).map_err(refused)?,
            value,
        })
    }

    /// The value at (x, y).
    pub(super) fn value(&self, x: f64, y: f64) -> f64 {
        let value = self.with_variables(x, y, |v| self.value.eval(v));
        value.unwrap_or(f64::NAN)
    }

    /// Value, gradient and Hessian at (x, y).
    pub(super) fn jet(&self, x: f64, y: f64) -> Jet {
        let jet = self.with_variables(Jet::x(x), Jet::y(y), |v| self.jet.eval(v));
        jet.unwrap_or(Jet::constant(f64::NAN))
    }

    /// Hands over those of the variables that occur, which is how exmex numbers
    /// them.
    fn with_variables<V, T>(&self, x: V, y: V, f: impl FnOnce(&[V]) -> T) -> T {
        match self.uses {
            [true, true] => f(&[x, y]),
            [true, false] => f(&[x]),
            [false, true] => f(&[y]),
            [false, false] => f(&[]),
        }
    }
}

fn check_finite(node: &Node) -> Result<(), ExpressionError> {
    match node {
        Node::Number(value) if !value.is_finite() => {
            Err(ExpressionError::NotFinite { value: *value })
        }
        Node::Number(_) | Node::X | Node::Y => Ok(()),
        Node::Minus(a) => check_finite(a),
        Node::Binary(_, a, b) => check_finite(a).and_then(|()| check_finite(b)),
        Node::Call(_, arguments) => arguments.iter().try_for_each(check_finite),
    }
}

/// The formula as exmex reads it. Its precedences differ (there `-x^2` is
/// `(-x)^2`) and it knows no `1e-3`, so that brackets are written around
/// everything and numbers without exponents.
fn written(node: &Node) -> String {
    match node {
        Node::Number(v) if v.is_sign_negative() => format!("(-{})", -v),
        Node::Number(v) => format!("{v}"),
        Node::X => "x".to_owned(),
        Node::Y => "y".to_owned(),
        Node::Minus(a) => format!("(-({}))", written(a)),
        Node::Binary(op, a, b) => format!("(({}){op}({}))", written(a), written(b)),
        Node::Call(function, arguments) => match &arguments[..] {
            [a, b] => format!("(({}){}({}))", written(a), function.name, written(b)),
            _ => {
                let inside: Vec<String> = arguments.iter().map(written).collect();
                format!("{}({})", function.name, inside.join(","))
            }
        },
    }
}
