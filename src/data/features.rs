//! The input features that a two-dimensional problem can be shown through:
//! the seven that TensorFlow Playground offers.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A function of the raw input `(x1, x2)` that the network sees as one input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum InputFeature {
    /// The first coordinate.
    #[serde(rename = "x1")]
    X1,
    /// The second coordinate.
    #[serde(rename = "x2")]
    X2,
    /// The first coordinate squared.
    #[serde(rename = "x1^2")]
    X1Squared,
    /// The second coordinate squared.
    #[serde(rename = "x2^2")]
    X2Squared,
    /// The product of the coordinates.
    #[serde(rename = "x1*x2")]
    X1X2,
    /// The sine of the first coordinate, in radians.
    #[serde(rename = "sin(x1)")]
    SinX1,
    /// The sine of the second coordinate, in radians.
    #[serde(rename = "sin(x2)")]
    SinX2,
}

impl InputFeature {
    /// All features of a problem in the plane, in Playground's order.
    pub const PLANE: [Self; 7] = [
        Self::X1,
        Self::X2,
        Self::X1Squared,
        Self::X2Squared,
        Self::X1X2,
        Self::SinX1,
        Self::SinX2,
    ];

    /// Those that a problem on a line can use, where `x` stands for `x1`.
    pub const LINE: [Self; 3] = [Self::X1, Self::X1Squared, Self::SinX1];

    /// The feature's value at `(x1, x2)`.
    pub fn apply(self, x1: f32, x2: f32) -> f32 {
        match self {
            Self::X1 => x1,
            Self::X2 => x2,
            Self::X1Squared => x1 * x1,
            Self::X2Squared => x2 * x2,
            Self::X1X2 => x1 * x2,
            Self::SinX1 => libm::sinf(x1),
            Self::SinX2 => libm::sinf(x2),
        }
    }

    /// The feature's name in a problem in the plane, as an experiment file has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::X1 => "x1",
            Self::X2 => "x2",
            Self::X1Squared => "x1^2",
            Self::X2Squared => "x2^2",
            Self::X1X2 => "x1*x2",
            Self::SinX1 => "sin(x1)",
            Self::SinX2 => "sin(x2)",
        }
    }

    /// The feature's name in a problem on a line, or `None` if it needs `x2`.
    pub fn line_name(self) -> Option<&'static str> {
        match self {
            Self::X1 => Some("x"),
            Self::X1Squared => Some("x^2"),
            Self::SinX1 => Some("sin(x)"),
            _ => None,
        }
    }

    /// The feature of a problem in the plane with this name; blanks and case do
    /// not matter, and `x1x2` and `sin x1` are understood as well.
    pub fn parse(text: &str) -> Option<Self> {
        let text = squeeze(text);
        Self::PLANE
            .into_iter()
            .find(|feature| squeeze(feature.name()) == text)
    }

    /// The feature of a problem on a line with this name, as [`Self::parse`].
    pub fn parse_line(text: &str) -> Option<Self> {
        let text = squeeze(text);
        Self::LINE
            .into_iter()
            .find(|feature| feature.line_name().map(squeeze).as_ref() == Some(&text))
    }
}

/// A name without what people write differently.
fn squeeze(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '*' | '(' | ')' | '·'))
        .map(|c| {
            if c == '²' {
                "^2".to_owned()
            } else {
                c.to_ascii_lowercase().to_string()
            }
        })
        .collect()
}

impl fmt::Display for InputFeature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_have_the_values_computed_by_hand() {
        let values: Vec<f32> = InputFeature::PLANE
            .iter()
            .map(|f| f.apply(3.0, -2.0))
            .collect();
        let expected = [3.0, -2.0, 9.0, 4.0, -6.0, 0.141_120_01, -0.909_297_4];
        for (value, expected) in values.iter().zip(expected) {
            assert!((value - expected).abs() < 1e-6, "{value} is not {expected}");
        }
    }

    #[test]
    fn every_feature_is_found_by_its_own_name_and_by_common_spellings() {
        for feature in InputFeature::PLANE {
            assert_eq!(InputFeature::parse(&feature.to_string()), Some(feature));
        }
        assert_eq!(InputFeature::parse("X1 x2"), Some(InputFeature::X1X2));
        assert_eq!(InputFeature::parse("sin x2"), Some(InputFeature::SinX2));
        assert_eq!(InputFeature::parse("x1²"), Some(InputFeature::X1Squared));
        assert_eq!(InputFeature::parse("x3"), None);
        assert_eq!(
            InputFeature::parse_line("sin(x)"),
            Some(InputFeature::SinX1)
        );
        assert_eq!(InputFeature::parse_line("x2"), None);
    }
}
