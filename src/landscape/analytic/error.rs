//! What is wrong with a formula, where, and what is possible.

use super::syntax::{MOST_CHARACTERS, MOST_DEPTH, names};

/// Why a text is no function of x and y. Places count characters from 1.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ExpressionError {
    /// Nothing is there.
    #[error("the formula is empty; write one in x and y, such as sin(x) + 0.1*y^2")]
    Empty,
    /// Too many characters.
    #[error("the formula has {characters} characters; at most {MOST_CHARACTERS} are read")]
    TooLong {
        /// How many there are.
        characters: usize,
    },
    /// Too many brackets, signs and powers inside each other.
    #[error("at character {at} more than {MOST_DEPTH} brackets and signs are inside each other")]
    TooDeep {
        /// Where.
        at: usize,
    },
    /// Not a character of formulas.
    #[error("{found:?} at character {at} belongs to no formula")]
    Character {
        /// Where.
        at: usize,
        /// What stands there.
        found: char,
    },
    /// Digits and dots that are no number.
    #[error("{text:?} at character {at} is no number")]
    Number {
        /// Where.
        at: usize,
        /// What stands there.
        text: String,
    },
    /// Not a name that there is.
    #[error("{name:?} at character {at} is unknown; there are {}", names())]
    UnknownName {
        /// Where.
        at: usize,
        /// What stands there.
        name: String,
    },
    /// Something is missing.
    #[error("{}: {missing} is missing", place(*at, found.as_deref()))]
    Unexpected {
        /// Where.
        at: usize,
        /// What stands there; nothing at the end.
        found: Option<String>,
        /// What should be there.
        missing: &'static str,
    },
    /// Too few or too many arguments.
    #[error("{name} at character {at} takes {wanted} arguments, and {given} are given")]
    Arguments {
        /// Where.
        at: usize,
        /// The function.
        name: &'static str,
        /// How many it takes.
        wanted: usize,
        /// How many are there.
        given: usize,
    },
    /// A number within it is infinite or undefined.
    #[error("the formula contains {value}, which is no finite number (such as 1/0 or ln(-1))")]
    NotFinite {
        /// What a part of it came to.
        value: f64,
    },
    /// The evaluation refuses.
    #[error("the formula cannot be evaluated: {message}")]
    Refused {
        /// Why.
        message: String,
    },
}

fn place(at: usize, found: Option<&str>) -> String {
    match found {
        Some(found) => format!("before {found:?} at character {at}"),
        None => "at the end of the formula".to_owned(),
    }
}
