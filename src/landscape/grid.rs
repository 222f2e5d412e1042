//! The coordinates at which a surface is computed.

use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// The most points of one surface: a bound on memory and on mistakes.
pub const MAX_POINTS: usize = 4096 * 4096;

/// Evenly spaced coordinates from `lo` to `hi`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Axis {
    /// The first coordinate.
    pub lo: f64,
    /// The last coordinate.
    pub hi: f64,
    /// How many there are, at least 2.
    pub n: usize,
}

/// Why coordinates make no axis.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GridError {
    /// Not two numbers.
    #[error("{0:?} is no range; give LO:HI, two numbers with LO below HI, such as -1:1")]
    Syntax(String),
    /// Upside down, or not finite.
    #[error("the range {lo}:{hi} is empty; give LO:HI with LO below HI")]
    Empty {
        /// The lower end given.
        lo: f64,
        /// The upper end given.
        hi: f64,
    },
    /// Fewer than 2 points on a side, or too many in all.
    #[error("a grid of {0} points a side; give 2 to 4096")]
    Size(usize),
}

impl Axis {
    /// An axis, if it makes sense.
    pub fn new(lo: f64, hi: f64, n: usize) -> Result<Self, GridError> {
        if !(lo.is_finite() && hi.is_finite() && lo < hi) {
            return Err(GridError::Empty { lo, hi });
        }
        if !(2..=4096).contains(&n) {
            return Err(GridError::Size(n));
        }
        Ok(Axis { lo, hi, n })
    }

    /// The coordinate of point `i`. The ends are exact; a range that is
    /// symmetric about zero with an odd number of points has an exact 0 in the
    /// middle.
    pub fn at(&self, i: usize) -> f64 {
        if i == 0 {
            return self.lo;
        }
        if i + 1 == self.n {
            return self.hi;
        }
        let last = (self.n - 1) as f64;
        ((last - i as f64) * self.lo + i as f64 * self.hi) / last
    }

    /// All coordinates.
    pub fn values(&self) -> Vec<f64> {
        (0..self.n).map(|i| self.at(i)).collect()
    }
}

/// The range of an axis, `LO:HI`.
impl FromStr for Axis {
    type Err = GridError;

    fn from_str(text: &str) -> Result<Self, GridError> {
        let bad = || GridError::Syntax(text.to_owned());
        let (lo, hi) = text.split_once(':').ok_or_else(bad)?;
        let parse = |s: &str| s.trim().parse::<f64>().map_err(|_| bad());
        Axis::new(parse(lo)?, parse(hi)?, 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_and_middle_are_exact() {
        for (range, n) in [(1.0, 51), (0.7, 101), (3.3, 7)] {
            let axis = Axis::new(-range, range, n).unwrap();
            assert_eq!(axis.at(0), -range);
            assert_eq!(axis.at(n - 1), range);
            assert_eq!(axis.at((n - 1) / 2), 0.0);
        }
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(Axis::new(1.0, 1.0, 5).is_err());
        assert!(Axis::new(f64::NAN, 1.0, 5).is_err());
        assert!(Axis::new(-1.0, 1.0, 1).is_err());
        assert!("-1".parse::<Axis>().is_err());
        assert_eq!("-1.5:2".parse::<Axis>().unwrap().hi, 2.0);
    }
}
