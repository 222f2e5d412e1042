//! Functions of two variables given by a formula: the built-in ones, and any
//! that somebody types. They are looked at and descended like the loss of a
//! network with two parameters, and their derivatives are exact.

mod builtin;
mod elementary;
mod error;
mod formulas;
mod jet;
mod syntax;
mod tokens;
mod typed;

pub use builtin::{Builtin, Minimum};
pub use error::ExpressionError;
pub use jet::Jet;

use super::field::HeightField;
use crate::optim::Objective;
use typed::Typed;

/// A function of x and y.
#[derive(Debug, Clone)]
pub struct Analytic {
    formula: Formula,
    name: String,
    domain: [[f64; 2]; 2],
    start: [f64; 2],
}

#[derive(Debug, Clone)]
enum Formula {
    Builtin(Builtin),
    Typed(Box<Typed>),
}

/// How far a typed formula is shown to both sides of 0, where nothing is said.
const TYPED_REACH: f64 = 3.0;

impl From<Builtin> for Analytic {
    fn from(builtin: Builtin) -> Self {
        Analytic {
            formula: Formula::Builtin(builtin),
            name: builtin.name().to_owned(),
            domain: builtin.domain(),
            start: builtin.start(),
        }
    }
}

impl Analytic {
    /// The function that a text means: a built-in one by its name, else a
    /// formula.
    ///
    /// # Errors
    /// When it is neither; the error says what is wrong with the formula.
    pub fn find(text: &str) -> Result<Self, ExpressionError> {
        let name = text.trim();
        match Builtin::ALL.into_iter().find(|b| b.name() == name) {
            Some(builtin) => Ok(builtin.into()),
            None => Analytic::parse(text),
        }
    }

    /// The function that a formula in x and y describes, such as
    /// `sin(x) + 0.1*y^2`. It is shown from -3 to 3 and begins at (2, 2), unless
    /// [`with_domain`](Self::with_domain) and [`with_start`](Self::with_start)
    /// say otherwise.
    ///
    /// # Errors
    /// When it is not a formula, or is too long or too deep; the error says what,
    /// where, and what is possible.
    pub fn parse(text: &str) -> Result<Self, ExpressionError> {
        Ok(Analytic {
            formula: Formula::Typed(Box::new(Typed::parse(text)?)),
            name: text.trim().to_owned(),
            domain: [[-TYPED_REACH, TYPED_REACH]; 2],
            start: [2.0, 2.0],
        })
    }

    /// The same function, shown over other ranges of x and of y (low, high).
    pub fn with_domain(self, domain: [[f64; 2]; 2]) -> Self {
        Analytic { domain, ..self }
    }

    /// The same function with another start.
    pub fn with_start(self, start: [f64; 2]) -> Self {
        Analytic { start, ..self }
    }

    /// Its name; of a typed one, the formula.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Which built-in function it is, if it is one.
    pub fn builtin(&self) -> Option<Builtin> {
        match self.formula {
            Formula::Builtin(builtin) => Some(builtin),
            Formula::Typed(_) => None,
        }
    }

    /// The formula.
    pub fn formula(&self) -> &str {
        match self.formula {
            Formula::Builtin(builtin) => builtin.formula(),
            Formula::Typed(_) => &self.name,
        }
    }

    /// The ranges of x and of y that show it well, each low and high.
    pub fn domain(&self) -> [[f64; 2]; 2] {
        self.domain
    }

    /// Where a descent begins unless somebody says where.
    pub fn start(&self) -> [f64; 2] {
        self.start
    }

    /// The minima that are known, the deepest first; of a typed formula, none.
    pub fn minima(&self) -> &'static [Minimum] {
        self.builtin().map_or(&[], Builtin::minima)
    }

    /// How far (x, y) is from the nearest minimum that is known.
    pub fn distance_to_minimum(&self, [x, y]: [f64; 2]) -> Option<f64> {
        let distances = self
            .minima()
            .iter()
            .map(|m| (m.at[0] - x).hypot(m.at[1] - y));
        distances.min_by(f64::total_cmp)
    }

    /// The value at (x, y); not finite where the formula has none.
    pub fn value(&self, x: f64, y: f64) -> f64 {
        match &self.formula {
            Formula::Builtin(builtin) => builtin.value(x, y),
            Formula::Typed(typed) => typed.value(x, y),
        }
    }

    /// The derivatives by x and by y.
    pub fn gradient(&self, x: f64, y: f64) -> [f64; 2] {
        self.jet(x, y).gradient
    }

    /// The matrix of second derivatives, row by row.
    pub fn hessian(&self, x: f64, y: f64) -> [[f64; 2]; 2] {
        self.jet(x, y).hessian()
    }

    /// Value, gradient and second derivatives at once.
    pub fn jet(&self, x: f64, y: f64) -> Jet {
        match &self.formula {
            Formula::Builtin(builtin) => builtin.jet(x, y),
            Formula::Typed(typed) => typed.jet(x, y),
        }
    }
}

impl HeightField for Analytic {
    type Buffers = ();

    fn buffers(&self) -> Self::Buffers {}

    fn heights(&self, points: &[[f64; 2]], (): &mut (), heights: &mut [f64]) {
        for (&[x, y], height) in points.iter().zip(heights) {
            *height = self.value(x, y);
        }
    }
}

/// What a full-batch method minimises: two parameters, x and y.
impl Objective for &Analytic {
    fn parameters(&self) -> usize {
        2
    }

    fn loss(&mut self, p: &[f64]) -> f64 {
        self.value(p[0], p[1])
    }

    fn gradient(&mut self, p: &[f64], gradient: &mut [f64]) -> f64 {
        gradient.copy_from_slice(&Analytic::gradient(self, p[0], p[1]));
        self.value(p[0], p[1])
    }

    fn normal_equations(&mut self, _: &[f64], _: &mut [f64], _: &mut [f64]) -> Option<f64> {
        None
    }
}

#[cfg(test)]
mod tests;
