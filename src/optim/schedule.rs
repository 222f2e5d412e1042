//! How the learning rate changes while a network learns. A rate is a pure
//! function of the base rate and of how far training is; the one rule that
//! looks at losses, reduction on a plateau, gets from its
//! [`Plateau`](super::Plateau) how often it has been reduced.
//!
//! The definitions are PyTorch's; `e` counts completed epochs and `s` completed
//! steps, both from 0, and `T` is the number of steps that were planned.

use std::f64::consts::PI;

/// A rule for the learning rate, `b` being the base rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rule {
    /// `b`.
    Constant,
    /// `b f^floor(e / n)` (`StepLR`).
    Step {
        /// `n`: epochs between two reductions.
        every: usize,
        /// `f`.
        factor: f64,
    },
    /// `b f^e` (`ExponentialLR`).
    Exponential {
        /// `f`.
        factor: f64,
    },
    /// `m + (b - m) (1 + cos(pi s / T)) / 2` (Loshchilov and Hutter 2017,
    /// equation 5, without restarts; `CosineAnnealingLR` stepped every batch).
    /// After `T` steps it stays at `m`.
    Cosine {
        /// `m`: the last rate, at most the base rate.
        minimum: f64,
    },
    /// Up from `b / d` to `b` during the share `w` of the run, and down to
    /// `b / (d f)`, both along half a cosine (Smith and Topin 2019;
    /// `OneCycleLR`, whose two phases end at steps `w T - 1` and `T - 1`).
    OneCycle {
        /// `w`: the share of the steps on the way up.
        warm_share: f64,
        /// `d`.
        divide_first: f64,
        /// `f`.
        divide_last: f64,
    },
    /// `max(m, b f^r)` after `r` reductions (`ReduceLROnPlateau`), but never
    /// above `b`.
    Plateau {
        /// `f`.
        factor: f64,
        /// `m`.
        minimum: f64,
    },
}

/// A rule, preceded by a linear warm-up: for the first `w` steps the rule's
/// rate is multiplied by `(s + 1) / w` (`LinearLR` from `1 / w` over `w - 1`
/// steps, chained with the rule's own scheduler).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedule {
    /// The rule.
    pub rule: Rule,
    /// `w`: the steps of the warm-up.
    pub warmup_steps: usize,
}

impl Default for Schedule {
    fn default() -> Self {
        Schedule {
            rule: Rule::Constant,
            warmup_steps: 0,
        }
    }
}

/// How far training is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Steps completed.
    pub step: u64,
    /// Epochs completed.
    pub epoch: usize,
    /// Steps that the run was planned to have.
    pub planned_steps: u64,
    /// How often a plateau has reduced the rate.
    pub reductions: u32,
}

impl Schedule {
    /// The rate of the step that comes after `at`.
    pub fn rate(&self, base: f64, at: Progress) -> f64 {
        let done = at.step as f64 + 1.0;
        let warm = self.warmup_steps as f64;
        let warmth = if done < warm { done / warm } else { 1.0 };
        warmth * self.rule.rate(base, at)
    }

    /// Whether the rate never changes.
    pub fn is_constant(&self) -> bool {
        *self == Schedule::default()
    }
}

impl Rule {
    /// The name used in experiment files.
    pub fn name(self) -> &'static str {
        match self {
            Rule::Constant => "constant",
            Rule::Step { .. } => "step",
            Rule::Exponential { .. } => "exponential",
            Rule::Cosine { .. } => "cosine",
            Rule::OneCycle { .. } => "one-cycle",
            Rule::Plateau { .. } => "plateau",
        }
    }

    fn rate(self, base: f64, at: Progress) -> f64 {
        match self {
            Rule::Constant => base,
            Rule::Step { every, factor } => base * power(factor, at.epoch / every.max(1)),
            Rule::Exponential { factor } => base * power(factor, at.epoch),
            Rule::Cosine { minimum } => {
                let share = at.step as f64 / at.planned_steps.max(1) as f64;
                between(base, minimum.min(base), share)
            }
            Rule::OneCycle {
                warm_share,
                divide_first,
                divide_last,
            } => {
                let first = base / divide_first;
                let last = first / divide_last;
                let end = at.planned_steps as f64 - 1.0;
                let top = warm_share * at.planned_steps as f64 - 1.0;
                let step = at.step as f64;
                if step <= top {
                    between(first, base, step / top)
                } else {
                    between(base, last, (step - top) / (end - top))
                }
            }
            Rule::Plateau { factor, minimum } => {
                (base * power(factor, at.reductions as usize)).max(minimum.min(base))
            }
        }
    }
}

fn power(factor: f64, times: usize) -> f64 {
    factor.powi(i32::try_from(times).unwrap_or(i32::MAX))
}

/// From `from` to `to` along half a cosine; `share` beyond 0 to 1 (or of a way
/// without length) is held at the nearer end.
fn between(from: f64, to: f64, share: f64) -> f64 {
    let share = if share.is_nan() {
        1.0
    } else {
        share.clamp(0.0, 1.0)
    };
    to + (from - to) * 0.5 * (1.0 + (PI * share).cos())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(step: u64, steps_per_epoch: u64, planned_steps: u64) -> Progress {
        Progress {
            step,
            epoch: (step / steps_per_epoch) as usize,
            planned_steps,
            reductions: 0,
        }
    }

    fn rule(rule: Rule) -> Schedule {
        Schedule {
            rule,
            warmup_steps: 0,
        }
    }

    #[test]
    fn steps_and_exponentials_change_between_epochs_only() {
        let step = rule(Rule::Step {
            every: 2,
            factor: 0.1,
        });
        let rates: Vec<f64> = (0..10).map(|s| step.rate(1.0, at(s, 2, 10))).collect();
        let expected = [1.0, 1.0, 1.0, 1.0, 0.1, 0.1, 0.1, 0.1, 0.01, 0.01];
        for (a, b) in rates.iter().zip(expected) {
            assert!((a - b).abs() < 1e-15);
        }
        let exponential = rule(Rule::Exponential { factor: 0.5 });
        assert_eq!(exponential.rate(8.0, at(7, 2, 10)), 1.0);
    }

    #[test]
    fn a_cosine_ends_at_its_minimum_and_stays_there() {
        let cosine = rule(Rule::Cosine { minimum: 0.01 });
        assert_eq!(cosine.rate(0.5, at(0, 5, 100)), 0.5);
        assert!((cosine.rate(0.5, at(50, 5, 100)) - 0.255).abs() < 1e-15);
        for step in [100, 101, 1000] {
            assert_eq!(cosine.rate(0.5, at(step, 5, 100)), 0.01);
        }
        // A base rate that was set below the minimum is never raised.
        assert_eq!(cosine.rate(0.001, at(30, 5, 100)), 0.001);
    }

    #[test]
    fn one_cycle_starts_low_peaks_once_and_ends_lowest_for_any_length() {
        let cycle = rule(Rule::OneCycle {
            warm_share: 0.3,
            divide_first: 25.0,
            divide_last: 1e4,
        });
        let rates: Vec<f64> = (0..=100).map(|s| cycle.rate(1.0, at(s, 10, 100))).collect();
        assert!((rates[0] - 0.04).abs() < 1e-15);
        assert!((rates[29] - 1.0).abs() < 1e-15);
        assert!((rates[99] - 4e-6).abs() < 1e-15);
        assert_eq!(rates[100], rates[99]);
        assert!(rates[..30].windows(2).all(|w| w[0] < w[1]));
        assert!(rates[29..100].windows(2).all(|w| w[0] > w[1]));
        for planned in 0..8 {
            for step in 0..10 {
                let rate = cycle.rate(1.0, at(step, 1, planned));
                assert!(
                    rate.is_finite() && rate > 0.0 && rate <= 1.0,
                    "{planned} {step}"
                );
            }
        }
    }

    #[test]
    fn a_warm_up_multiplies_the_rule_and_ends() {
        let schedule = Schedule {
            rule: Rule::Exponential { factor: 0.5 },
            warmup_steps: 4,
        };
        let rates: Vec<f64> = (0..6).map(|s| schedule.rate(1.0, at(s, 3, 6))).collect();
        assert_eq!(rates, [0.25, 0.5, 0.75, 0.5, 0.5, 0.5]);
    }

    #[test]
    fn a_plateau_reduces_down_to_its_minimum() {
        let plateau = rule(Rule::Plateau {
            factor: 0.1,
            minimum: 0.005,
        });
        let rate = |reductions| {
            let at = Progress {
                reductions,
                ..Progress::default()
            };
            plateau.rate(1.0, at)
        };
        assert_eq!(rate(0), 1.0);
        assert!((rate(2) - 0.01).abs() < 1e-15);
        assert_eq!(rate(3), 0.005);
        assert_eq!(rate(u32::MAX), 0.005);
    }
}
