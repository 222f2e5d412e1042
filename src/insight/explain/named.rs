//! What the parts of a sample are called: as data, for whoever has words of its own, and
//! in English.

use std::fmt;

/// What a part of a sample is.
#[derive(Debug, Clone, PartialEq)]
pub enum Named {
    /// Ink of a picture: "the bar at the top".
    Ink {
        /// What it looks like.
        shape: Ink,
        /// Where it is within all of the picture's ink.
        place: Place,
    },
    /// A column of a table or a coordinate, which takes its average when it is left out;
    /// both in the data's own units.
    Value {
        /// The column's name.
        name: String,
        /// What it is.
        value: f32,
        /// What it is on average.
        average: f32,
    },
}

/// What ink looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ink {
    /// A stroke that lies.
    Bar,
    /// A stroke that stands.
    Upright,
    /// A stroke between the two.
    Slanting,
    /// Something large.
    Part,
    /// Something small.
    Piece,
}

/// A ninth of a picture's ink.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the names say it
pub enum Place {
    UpperLeft,
    Top,
    UpperRight,
    Left,
    Middle,
    Right,
    LowerLeft,
    Bottom,
    LowerRight,
}

impl Ink {
    /// All of them.
    pub const ALL: [Ink; 5] = [Ink::Bar, Ink::Upright, Ink::Slanting, Ink::Part, Ink::Piece];

    /// A word for programs.
    pub fn name(self) -> &'static str {
        match self {
            Ink::Bar => "bar",
            Ink::Upright => "upright",
            Ink::Slanting => "slanting",
            Ink::Part => "part",
            Ink::Piece => "piece",
        }
    }
}

impl fmt::Display for Ink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Ink::Bar => "bar",
            Ink::Upright => "upright stroke",
            Ink::Slanting => "slanting stroke",
            Ink::Part => "part",
            Ink::Piece => "piece",
        })
    }
}

impl Place {
    /// All of them, row by row from the top.
    pub const ALL: [[Place; 3]; 3] = [
        [Place::UpperLeft, Place::Top, Place::UpperRight],
        [Place::Left, Place::Middle, Place::Right],
        [Place::LowerLeft, Place::Bottom, Place::LowerRight],
    ];

    /// A word for programs.
    pub fn name(self) -> &'static str {
        match self {
            Place::UpperLeft => "upper-left",
            Place::Top => "top",
            Place::UpperRight => "upper-right",
            Place::Left => "left",
            Place::Middle => "middle",
            Place::Right => "right",
            Place::LowerLeft => "lower-left",
            Place::Bottom => "bottom",
            Place::LowerRight => "lower-right",
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Place::UpperLeft => "at the upper left",
            Place::Top => "at the top",
            Place::UpperRight => "at the upper right",
            Place::Left => "on the left",
            Place::Middle => "in the middle",
            Place::Right => "on the right",
            Place::LowerLeft => "at the lower left",
            Place::Bottom => "at the bottom",
            Place::LowerRight => "at the lower right",
        })
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Named::Ink { shape, place } => write!(f, "the {shape} {place}"),
            Named::Value {
                name,
                value,
                average,
            } => write!(
                f,
                "{name} ({}, on average {})",
                Short(value),
                Short(average)
            ),
        }
    }
}

/// A number by its first three digits that mean something.
pub struct Short<T>(pub T);

impl<T: std::fmt::LowerExp + std::fmt::Display> std::fmt::Display for Short<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match format!("{:.2e}", self.0).parse::<f64>() {
            Ok(rounded) => write!(f, "{rounded}"),
            Err(_) => write!(f, "{}", self.0),
        }
    }
}
