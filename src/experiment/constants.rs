//! Constants that only some of a table's names have: who has them, and in which
//! range they may lie.

use crate::data::ConfigError;

/// A range of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Range {
    /// 0 to below 1.
    BelowOne,
    /// 0 to 1.
    Share,
    /// Above 0 and below 1.
    Inside,
    /// 0 and above.
    FromZero,
    /// Above 0.
    AboveZero,
    /// Above 1.
    AboveOne,
    /// 1 and above.
    FromOne,
    /// 1 to 100.
    OneToHundred,
}

impl Range {
    fn holds(self, v: f64) -> bool {
        v.is_finite()
            && match self {
                Range::BelowOne => (0.0..1.0).contains(&v),
                Range::Share => (0.0..=1.0).contains(&v),
                Range::Inside => v > 0.0 && v < 1.0,
                Range::FromZero => v >= 0.0,
                Range::AboveZero => v > 0.0,
                Range::AboveOne => v > 1.0,
                Range::FromOne => v >= 1.0,
                Range::OneToHundred => (1.0..=100.0).contains(&v),
            }
    }

    fn words(self) -> &'static str {
        match self {
            Range::BelowOne => "from 0 up to, not including, 1",
            Range::Share => "from 0 to 1",
            Range::Inside => "above 0 and below 1",
            Range::FromZero => "of at least 0",
            Range::AboveZero => "above 0",
            Range::AboveOne => "above 1",
            Range::FromOne => "of at least 1",
            Range::OneToHundred => "from 1 to 100",
        }
    }

    /// Refuses a value of `key` outside the range.
    pub(super) fn check(self, key: &str, value: f64) -> Result<(), ConfigError> {
        if self.holds(value) {
            return Ok(());
        }
        Err(ConfigError::new(
            key,
            format!("{value}; give a number {}", self.words()),
        ))
    }
}

/// A constant as it was given, and the names that have it.
pub(super) type Constant<'a, N> = (&'static str, Option<f64>, &'a [N], Range);

/// Refuses constants of `table` that `chosen` does not have, or out of range.
pub(super) fn check<N: Copy + PartialEq>(
    table: &str,
    chosen: N,
    title: impl Fn(N) -> &'static str,
    constants: &[Constant<'_, N>],
) -> Result<(), ConfigError> {
    for &(name, value, owners, range) in constants {
        let Some(value) = value else { continue };
        let key = format!("{table}.{name}");
        if !owners.contains(&chosen) {
            let owners: Vec<_> = owners.iter().map(|&o| title(o)).collect();
            return Err(ConfigError::new(
                key,
                format!(
                    "{} has no such constant; {name} belongs to {}",
                    title(chosen),
                    owners.join(", ")
                ),
            ));
        }
        range.check(&key, value)?;
    }
    Ok(())
}
