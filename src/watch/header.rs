//! The JSON headers of the protocol.

use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// The version of the protocol that is spoken.
pub const PROTOCOL: u32 = 1;

/// What a sender says, beside the tensors.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Header {
    /// The first frame of a connection.
    Hello {
        /// The version of the protocol; [`PROTOCOL`] is spoken.
        protocol: u32,
        /// The run's name.
        run: String,
        /// What trains it.
        #[serde(default)]
        framework: String,
        /// What the network consists of.
        #[serde(default)]
        structure: Option<Value>,
    },
    /// Numbers, and tensors if the body holds any.
    Frame {
        /// Steps completed.
        step: i64,
        /// When, in seconds since 1970.
        wall: f64,
        /// The numbers logged since the last frame.
        #[serde(default)]
        rows: Vec<Row>,
        /// How many frames with tensors the sender has left out so far.
        #[serde(default)]
        dropped_frames: u64,
        /// How many rows the sender has left out so far.
        #[serde(default)]
        dropped_rows: u64,
    },
    /// The run has ended.
    Bye {},
}

/// The numbers of one step: `[step, wall, {tag: number}]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Row(pub i64, pub f64, pub BTreeMap<String, Number>);

/// A number; those that JSON does not have are the texts `NaN`, `Infinity` and `-Infinity`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Number(pub f64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seen;
        impl Visitor<'_> for Seen {
            type Value = Number;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, or \"NaN\", \"Infinity\" or \"-Infinity\"")
            }
            fn visit_f64<E: Error>(self, x: f64) -> Result<Number, E> {
                Ok(Number(x))
            }
            fn visit_i64<E: Error>(self, x: i64) -> Result<Number, E> {
                Ok(Number(x as f64))
            }
            fn visit_u64<E: Error>(self, x: u64) -> Result<Number, E> {
                Ok(Number(x as f64))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Number, E> {
                match text {
                    "NaN" => Ok(Number(f64::NAN)),
                    "Infinity" => Ok(Number(f64::INFINITY)),
                    "-Infinity" => Ok(Number(f64::NEG_INFINITY)),
                    other => Err(E::invalid_value(serde::de::Unexpected::Str(other), &self)),
                }
            }
        }
        deserializer.deserialize_any(Seen)
    }
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Answer<'a> {
    /// To a hello.
    Welcome {
        protocol: u32,
        max_header: u32,
        max_body: u64,
    },
    /// To what is refused; the connection is closed behind it.
    Error { message: &'a str },
}
