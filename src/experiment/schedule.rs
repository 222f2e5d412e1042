//! The `schedule` and `early_stopping` tables of `[training]`.

use super::constants::{Range, check};
use crate::data::ConfigError;
use crate::optim::{Plateau, Rule, Schedule};
use serde::{Deserialize, Serialize};

/// A rule for the learning rate by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)] // the variants are the names
pub enum ScheduleName {
    #[default]
    Constant,
    Step,
    Exponential,
    Cosine,
    OneCycle,
    Plateau,
}

impl ScheduleName {
    /// All of them, in the order of a menu.
    pub const ALL: [ScheduleName; 6] = [
        ScheduleName::Constant,
        ScheduleName::Step,
        ScheduleName::Exponential,
        ScheduleName::Cosine,
        ScheduleName::OneCycle,
        ScheduleName::Plateau,
    ];
}

/// `schedule = { name = "cosine", warmup_steps = 100 }`: only constants that
/// the named rule has are allowed; the others keep their defaults.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduleConfig {
    /// Which rule.
    pub name: ScheduleName,
    /// Steps of a linear warm-up; any rule but the one-cycle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warmup_steps: Option<usize>,
    /// Step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<usize>,
    /// Step, exponential, plateau.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factor: Option<f64>,
    /// Cosine, plateau.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<f64>,
    /// One-cycle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warm_share: Option<f64>,
    /// One-cycle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub divide_first: Option<f64>,
    /// One-cycle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub divide_last: Option<f64>,
    /// Plateau.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patience: Option<usize>,
    /// Plateau.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// Plateau.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cooldown: Option<usize>,
}

impl ScheduleConfig {
    /// The named rule with its default constants.
    pub fn new(name: ScheduleName) -> Self {
        ScheduleConfig {
            name,
            ..ScheduleConfig::default()
        }
    }

    /// Whether the rate never changes.
    pub fn is_constant(&self) -> bool {
        self.schedule().is_constant()
    }

    /// The schedule that is meant.
    pub fn schedule(&self) -> Schedule {
        let minimum = self.minimum.unwrap_or(0.0);
        let rule = match self.name {
            ScheduleName::Constant => Rule::Constant,
            ScheduleName::Step => Rule::Step {
                every: self.every.unwrap_or(30),
                factor: self.factor.unwrap_or(0.1),
            },
            ScheduleName::Exponential => Rule::Exponential {
                factor: self.factor.unwrap_or(0.95),
            },
            ScheduleName::Cosine => Rule::Cosine { minimum },
            ScheduleName::OneCycle => Rule::OneCycle {
                warm_share: self.warm_share.unwrap_or(0.3),
                divide_first: self.divide_first.unwrap_or(25.0),
                divide_last: self.divide_last.unwrap_or(1e4),
            },
            ScheduleName::Plateau => Rule::Plateau {
                factor: self.factor.unwrap_or(0.1),
                minimum,
            },
        };
        Schedule {
            rule,
            warmup_steps: self.warmup_steps.unwrap_or(0),
        }
    }

    /// What watches the losses for the rule that heeds them.
    pub fn plateau(&self) -> Option<Plateau> {
        (self.name == ScheduleName::Plateau).then(|| {
            Plateau::new(
                self.patience.unwrap_or(10),
                self.threshold.unwrap_or(1e-4),
                self.cooldown.unwrap_or(0),
            )
        })
    }

    pub(super) fn validate(&self, learning_rate: f64) -> Result<(), ConfigError> {
        use ScheduleName as N;
        let number = |n: Option<usize>| n.map(|n| n as f64);
        let constants = [
            (
                "warmup_steps",
                number(self.warmup_steps),
                &[N::Constant, N::Step, N::Exponential, N::Cosine, N::Plateau][..],
                Range::FromOne,
            ),
            ("every", number(self.every), &[N::Step], Range::FromOne),
            (
                "factor",
                self.factor,
                &[N::Step, N::Exponential, N::Plateau],
                Range::Inside,
            ),
            (
                "minimum",
                self.minimum,
                &[N::Cosine, N::Plateau],
                Range::FromZero,
            ),
            ("warm_share", self.warm_share, &[N::OneCycle], Range::Inside),
            (
                "divide_first",
                self.divide_first,
                &[N::OneCycle],
                Range::FromOne,
            ),
            (
                "divide_last",
                self.divide_last,
                &[N::OneCycle],
                Range::FromOne,
            ),
            (
                "patience",
                number(self.patience),
                &[N::Plateau],
                Range::FromZero,
            ),
            ("threshold", self.threshold, &[N::Plateau], Range::BelowOne),
            (
                "cooldown",
                number(self.cooldown),
                &[N::Plateau],
                Range::FromZero,
            ),
        ];
        let title = |name| Self::new(name).schedule().rule.name();
        check("training.schedule", self.name, title, &constants)?;
        match self.minimum {
            Some(minimum) if minimum > learning_rate => Err(ConfigError::new(
                "training.schedule.minimum",
                format!("{minimum} is above the learning rate, {learning_rate}, that it ends"),
            )),
            _ => Ok(()),
        }
    }
}

/// `early_stopping = { patience = 20, min_delta = 1e-4 }`: the run ends when
/// the validation loss has not fallen for so many epochs, and takes the best
/// weights back.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlyStopping {
    /// Epochs in a row without a better validation loss that end the run.
    pub patience: usize,
    /// How much lower than the best a loss has to be to be better.
    #[serde(default)]
    pub min_delta: f64,
}

impl EarlyStopping {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        let key = |name| format!("training.early_stopping.{name}");
        Range::FromOne.check(&key("patience"), self.patience as f64)?;
        Range::FromZero.check(&key("min_delta"), self.min_delta)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_files_are_those_of_the_rules() {
        for name in ScheduleName::ALL {
            let config = ScheduleConfig::new(name);
            assert_eq!(
                serde_json::to_value(name).unwrap(),
                config.schedule().rule.name()
            );
            assert_eq!(config.plateau().is_some(), name == ScheduleName::Plateau);
            assert_eq!(config.is_constant(), name == ScheduleName::Constant);
        }
    }
}
