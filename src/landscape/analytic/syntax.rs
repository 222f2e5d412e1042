//! Formulas as people write them, read into a tree: the usual precedences
//! (`-x^2` is `-(x^2)`, `2^3^2` is `2^(3^2)`), a place for every mistake, and
//! bounds on length and depth, so that no text can take long or panic.

use super::error::ExpressionError;
use super::tokens::{Token, tokens};
use std::f64::consts::{E, PI, TAU};

/// The most characters.
pub(super) const MOST_CHARACTERS: usize = 400;
/// The most brackets, signs and powers inside each other.
pub(super) const MOST_DEPTH: usize = 24;

/// A formula.
#[derive(Debug, Clone)]
pub(super) enum Node {
    Number(f64),
    X,
    Y,
    Minus(Box<Node>),
    /// One of `+ - * / ^`.
    Binary(char, Box<Node>, Box<Node>),
    Call(Function, Vec<Node>),
}

/// A function that formulas can use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Function {
    pub name: &'static str,
    pub arguments: usize,
    /// As it is where no derivative is taken.
    apply: fn(f64, f64) -> f64,
}

/// The functions, by name.
pub(super) const FUNCTIONS: [Function; 22] = [
    one("sin", |a, _| a.sin()),
    one("cos", |a, _| a.cos()),
    one("tan", |a, _| a.tan()),
    one("asin", |a, _| a.asin()),
    one("acos", |a, _| a.acos()),
    one("atan", |a, _| a.atan()),
    one("sinh", |a, _| a.sinh()),
    one("cosh", |a, _| a.cosh()),
    one("tanh", |a, _| a.tanh()),
    one("asinh", |a, _| a.asinh()),
    one("acosh", |a, _| a.acosh()),
    one("atanh", |a, _| a.atanh()),
    one("exp", |a, _| a.exp()),
    one("sqrt", |a, _| a.sqrt()),
    one("ln", |a, _| a.ln()),
    one("log", |a, _| a.ln()),
    one("log2", |a, _| a.log2()),
    one("log10", |a, _| a.log10()),
    one("abs", |a, _| a.abs()),
    two("min", f64::min),
    two("max", f64::max),
    two("pow", f64::powf),
];

const fn one(name: &'static str, apply: fn(f64, f64) -> f64) -> Function {
    Function {
        name,
        arguments: 1,
        apply,
    }
}

const fn two(name: &'static str, apply: fn(f64, f64) -> f64) -> Function {
    Function {
        name,
        arguments: 2,
        apply,
    }
}

/// The constants, by name.
const CONSTANTS: [(&str, f64); 5] = [("pi", PI), ("π", PI), ("tau", TAU), ("τ", TAU), ("e", E)];

/// What names there are, for messages.
pub(super) fn names() -> String {
    let functions: Vec<&str> = FUNCTIONS.iter().map(|f| f.name).collect();
    format!(
        "the variables x and y, the constants pi, tau and e, and the functions {}",
        functions.join(", ")
    )
}

/// Reads a formula.
pub(super) fn read(text: &str) -> Result<Node, ExpressionError> {
    let characters = text.chars().count();
    if characters > MOST_CHARACTERS {
        return Err(ExpressionError::TooLong { characters });
    }
    let tokens = tokens(text)?;
    if tokens.is_empty() {
        return Err(ExpressionError::Empty);
    }
    let mut reader = Reader {
        tokens: &tokens,
        next: 0,
        depth: 0,
        end: characters + 1,
    };
    let node = reader.sum()?;
    match reader.peek() {
        None => Ok(node),
        Some(Token::Close) => Err(reader.unexpected("an opening bracket for it")),
        Some(_) => Err(reader.unexpected("an operator such as * before it")),
    }
}

struct Reader<'a> {
    tokens: &'a [(usize, Token)],
    next: usize,
    depth: usize,
    // The place behind the last character.
    end: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(_, token)| token)
    }

    fn place(&self) -> usize {
        self.tokens.get(self.next).map_or(self.end, |(at, _)| *at)
    }

    fn is(&self, token: &Token) -> bool {
        self.peek() == Some(token)
    }

    fn unexpected(&self, missing: &'static str) -> ExpressionError {
        ExpressionError::Unexpected {
            at: self.place(),
            found: self.peek().map(Token::to_string),
            missing,
        }
    }

    /// One level further in, if there is room.
    fn deeper(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<Node, ExpressionError>,
    ) -> Result<Node, ExpressionError> {
        self.depth += 1;
        if self.depth > MOST_DEPTH {
            return Err(ExpressionError::TooDeep { at: self.place() });
        }
        let node = read(self);
        self.depth -= 1;
        node
    }

    fn sum(&mut self) -> Result<Node, ExpressionError> {
        let mut left = self.product()?;
        while let Some(Token::Operator(op @ ('+' | '-'))) = self.peek().cloned() {
            self.next += 1;
            left = binary(op, left, self.product()?);
        }
        Ok(left)
    }

    fn product(&mut self) -> Result<Node, ExpressionError> {
        let mut left = self.signed()?;
        while let Some(Token::Operator(op @ ('*' | '/'))) = self.peek().cloned() {
            self.next += 1;
            left = binary(op, left, self.signed()?);
        }
        Ok(left)
    }

    fn signed(&mut self) -> Result<Node, ExpressionError> {
        match self.peek() {
            Some(Token::Operator('-')) => {
                self.next += 1;
                let node = self.deeper(Self::signed)?;
                Ok(match node {
                    Node::Number(v) => Node::Number(-v),
                    node => Node::Minus(Box::new(node)),
                })
            }
            Some(Token::Operator('+')) => {
                self.next += 1;
                self.deeper(Self::signed)
            }
            _ => self.power(),
        }
    }

    fn power(&mut self) -> Result<Node, ExpressionError> {
        let base = self.atom()?;
        if !self.is(&Token::Operator('^')) {
            return Ok(base);
        }
        self.next += 1;
        // From the right, and 2^-x is allowed.
        let exponent = self.deeper(Self::signed)?;
        Ok(binary('^', base, exponent))
    }

    fn atom(&mut self) -> Result<Node, ExpressionError> {
        let at = self.place();
        match self.peek().cloned() {
            Some(Token::Number(v)) => {
                self.next += 1;
                Ok(Node::Number(v))
            }
            Some(Token::Open) => {
                self.next += 1;
                let node = self.deeper(Self::sum)?;
                self.close()?;
                Ok(node)
            }
            Some(Token::Name(name)) => {
                self.next += 1;
                self.named(at, &name)
            }
            _ => Err(self.unexpected("a number, x, y, a function or a bracket")),
        }
    }

    fn close(&mut self) -> Result<(), ExpressionError> {
        if self.is(&Token::Close) {
            self.next += 1;
            return Ok(());
        }
        Err(self.unexpected("a closing bracket, or an operator such as *"))
    }

    fn named(&mut self, at: usize, name: &str) -> Result<Node, ExpressionError> {
        let same = |other: &str| other.eq_ignore_ascii_case(name);
        if same("x") {
            return Ok(Node::X);
        }
        if same("y") {
            return Ok(Node::Y);
        }
        if let Some((_, value)) = CONSTANTS.iter().find(|(n, _)| same(n)) {
            return Ok(Node::Number(*value));
        }
        let Some(function) = FUNCTIONS.iter().find(|f| same(f.name)) else {
            return Err(ExpressionError::UnknownName {
                at,
                name: name.to_owned(),
            });
        };
        if !self.is(&Token::Open) {
            return Err(ExpressionError::Unexpected {
                at: self.place(),
                found: self.peek().map(Token::to_string),
                missing: "an opening bracket after the function's name",
            });
        }
        self.next += 1;
        let mut arguments = vec![self.deeper(Self::sum)?];
        while self.is(&Token::Comma) {
            self.next += 1;
            arguments.push(self.deeper(Self::sum)?);
        }
        self.close()?;
        if arguments.len() != function.arguments {
            return Err(ExpressionError::Arguments {
                at,
                name: function.name,
                wanted: function.arguments,
                given: arguments.len(),
            });
        }
        Ok(call(*function, arguments))
    }
}

/// The operation, or its value where both sides are numbers.
fn binary(op: char, left: Node, right: Node) -> Node {
    if let (Node::Number(a), Node::Number(b)) = (&left, &right) {
        return Node::Number(match op {
            '+' => a + b,
            '-' => a - b,
            '*' => a * b,
            '/' => a / b,
            _ => a.powf(*b),
        });
    }
    Node::Binary(op, Box::new(left), Box::new(right))
}

fn call(function: Function, arguments: Vec<Node>) -> Node {
    match arguments[..] {
        [Node::Number(a)] => return Node::Number((function.apply)(a, a)),
        [Node::Number(a), Node::Number(b)] => return Node::Number((function.apply)(a, b)),
        _ => {}
    }
    if function.name == "pow" {
        let mut sides = arguments.into_iter();
        if let (Some(base), Some(exponent)) = (sides.next(), sides.next()) {
            return binary('^', base, exponent);
        }
        return Node::Number(f64::NAN); // not reached: pow has two arguments
    }
    Node::Call(function, arguments)
}
