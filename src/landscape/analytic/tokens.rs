//! The smallest pieces of a formula, each with its place.

use super::error::ExpressionError;
use std::fmt;

/// A piece of a formula.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Number(f64),
    Name(String),
    /// One of `+ - * / ^`.
    Operator(char),
    Open,
    Close,
    Comma,
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Token::Number(v) => write!(f, "{v}"),
            Token::Name(name) => f.write_str(name),
            Token::Operator(op) => write!(f, "{op}"),
            Token::Open => f.write_str("("),
            Token::Close => f.write_str(")"),
            Token::Comma => f.write_str(","),
        }
    }
}

/// Divides a text into tokens with their places, from 1.
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, ExpressionError> {
    let chars: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let mut i = 0;
    while let Some(&c) = chars.get(i) {
        let at = i + 1;
        i += 1;
        let token = match c {
            c if c.is_whitespace() => continue,
            '(' | '[' => Token::Open,
            ')' | ']' => Token::Close,
            ',' => Token::Comma,
            '*' if chars.get(i) == Some(&'*') => {
                i += 1;
                Token::Operator('^')
            }
            '+' | '-' | '*' | '/' | '^' => Token::Operator(c),
            // As typesetting and other keyboards have them.
            '−' => Token::Operator('-'),
            '·' | '×' => Token::Operator('*'),
            '÷' => Token::Operator('/'),
            '²' | '³' => {
                found.push((at, Token::Operator('^')));
                Token::Number(if c == '²' { 2.0 } else { 3.0 })
            }
            c if c.is_ascii_digit() || c == '.' => {
                let end = number_end(&chars, at - 1);
                let text: String = chars[at - 1..end].iter().collect();
                i = end;
                match text.parse::<f64>() {
                    Ok(v) if v.is_finite() => Token::Number(v),
                    _ => return Err(ExpressionError::Number { at, text }),
                }
            }
            c if c.is_alphabetic() => {
                while chars
                    .get(i)
                    .is_some_and(|c| c.is_alphabetic() || c.is_ascii_digit() || *c == '_')
                {
                    i += 1;
                }
                Token::Name(chars[at - 1..i].iter().collect())
            }
            found => return Err(ExpressionError::Character { at, found }),
        };
        found.push((at, token));
    }
    Ok(found)
}

/// Where the number that begins at `start` ends: digits and dots, and an
/// exponent if one follows with its digits.
fn number_end(chars: &[char], start: usize) -> usize {
    let digit = |i: usize| chars.get(i).is_some_and(char::is_ascii_digit);
    let mut end = start;
    while digit(end) || chars.get(end) == Some(&'.') {
        end += 1;
    }
    if matches!(chars.get(end), Some('e' | 'E')) {
        let sign = usize::from(matches!(chars.get(end + 1), Some('+' | '-')));
        if digit(end + 1 + sign) {
            end += 1 + sign;
            while digit(end) {
                end += 1;
            }
        }
    }
    end
}
