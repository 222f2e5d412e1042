//! The points of a surface that have no height.

use crate::landscape::Surface;

/// How many points of a surface cannot be drawn, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Missing {
    /// Without a value: not computed, or not a number.
    pub without_value: usize,
    /// Infinite: the network's output overflowed there.
    pub infinite: usize,
}

impl Missing {
    /// Counts them.
    pub fn of(surface: &Surface) -> Self {
        let count = |is: fn(f64) -> bool| surface.loss.iter().filter(|v| is(**v)).count();
        Missing {
            without_value: count(f64::is_nan),
            infinite: count(f64::is_infinite),
        }
    }

    /// What to call those without a value.
    pub fn without_value_words(self) -> String {
        format!("no value ({})", points(self.without_value))
    }

    /// What to call the infinite ones.
    pub fn infinite_words(self) -> String {
        format!("diverged, infinite ({})", points(self.infinite))
    }

    /// All of it in words; `None` where every point has a height.
    pub fn words(self) -> Option<String> {
        let parts = [
            (self.without_value > 0).then(|| self.without_value_words()),
            (self.infinite > 0).then(|| self.infinite_words()),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| format!("left out: {}", parts.join("; ")))
    }
}

fn points(n: usize) -> String {
    match n {
        1 => "1 point".to_owned(),
        n => format!("{n} points"),
    }
}
