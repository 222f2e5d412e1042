//! What the user has chosen of functions and races.

use crate::experiment::{OptimizerConfig, OptimizerName};
use crate::landscape::{Analytic, Builtin};
use bevy::prelude::*;
use serde::{Deserialize, Serialize};

/// At most so many optimisers race: as many as have a colour and a letter each.
pub const MOST_RACERS: usize = 8;
/// At most so many steps are kept of a race.
pub const MOST_STEPS: u64 = 20_000;

/// What is shown and raced on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ground {
    /// The network's error surface.
    #[default]
    Network,
    /// A function of x and y.
    Function,
}

/// Which surface is shown, and who races on it.
#[derive(Resource, Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ArenaView {
    /// The network's surface, or a function.
    pub ground: Ground,
    /// The function: the name of a built-in one, or a formula.
    pub function: String,
    /// The ranges of x and of y, where they are not the function's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<[[f64; 2]; 2]>,
    /// Whether a function's height is logarithmic.
    pub log_height: bool,
    /// Whether a race is shown.
    pub racing: bool,
    /// Where a race on a function starts, where that is not the function's own start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<[f64; 2]>,
    /// One learning rate for all; where there is none, each has its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub same_rate: Option<f64>,
    /// A race ends after so many steps.
    pub steps: u64,
    /// Steps a second.
    pub speed: f64,
    /// Who races, each with its constants, the learning rate among them.
    pub racers: Vec<OptimizerConfig>,
}

impl Default for ArenaView {
    /// The race that teaches at first sight: down a ravine that is twenty times
    /// steeper across than along.
    fn default() -> Self {
        let racer = |name, rate| OptimizerConfig::new(name, rate);
        ArenaView {
            ground: Ground::Network,
            function: Builtin::Ravine.name().to_owned(),
            domain: None,
            log_height: false,
            racing: false,
            start: None,
            same_rate: None,
            steps: 300,
            speed: 12.0,
            racers: vec![
                racer(OptimizerName::Sgd, 0.9),
                racer(OptimizerName::Momentum, 0.1),
                racer(OptimizerName::RmsProp, 0.2),
                racer(OptimizerName::Adam, 0.5),
            ],
        }
    }
}

impl ArenaView {
    /// The function that is chosen, over the ranges that are; where what is
    /// written is no function, the ravine.
    pub fn analytic(&self) -> Analytic {
        let function =
            Analytic::find(&self.function).unwrap_or_else(|_| Analytic::from(Builtin::Ravine));
        match self.domain.filter(is_domain) {
            Some(domain) => function.with_domain(domain),
            None => function,
        }
    }

    /// Shows a built-in function as it looks best.
    pub fn choose_builtin(&mut self, function: Builtin) {
        self.function = function.name().to_owned();
        self.log_height = matches!(
            function,
            Builtin::Rosenbrock | Builtin::Beale | Builtin::Himmelblau
        );
        self.forget_place();
    }

    /// Shows what was typed.
    pub fn choose_formula(&mut self, formula: &str) {
        self.function = formula.to_owned();
        self.log_height = false;
        self.forget_place();
    }

    /// Another function has other ranges and another start.
    fn forget_place(&mut self) {
        self.ground = Ground::Function;
        (self.domain, self.start) = (None, None);
    }

    /// A racer as it races: with the rate that is the same for all, if there is one.
    pub fn as_raced(&self, racer: OptimizerConfig) -> OptimizerConfig {
        match self.same_rate {
            Some(rate) if racer.kind().has_rate() => OptimizerConfig {
                learning_rate: rate,
                ..racer
            },
            _ => racer,
        }
    }

    /// Whether the plane of the network's surface has to stay where it is.
    pub fn holds_plane(&self) -> bool {
        self.racing && self.ground == Ground::Network
    }

    /// The same with every number in its range.
    pub(crate) fn sane(mut self) -> Self {
        let fresh = ArenaView::default();
        if Analytic::find(&self.function).is_err() {
            self.function = fresh.function;
        }
        self.domain = self.domain.filter(is_domain);
        self.start = self.start.filter(|s| s.iter().all(|v| v.is_finite()));
        let is_rate = |rate: &f64| rate.is_finite() && *rate > 0.0;
        self.same_rate = self.same_rate.filter(is_rate);
        self.racers.truncate(MOST_RACERS);
        self.racers
            .retain(|r| !r.kind().has_rate() || is_rate(&r.learning_rate));
        if self.racers.is_empty() {
            self.racers = fresh.racers;
        }
        self.steps = self.steps.clamp(10, MOST_STEPS);
        if !(self.speed.is_finite() && self.speed > 0.0) {
            self.speed = fresh.speed;
        }
        self
    }
}

/// Whether these are two ranges with something between their ends.
fn is_domain(domain: &[[f64; 2]; 2]) -> bool {
    let is_range = |[low, high]: &[f64; 2]| low.is_finite() && high.is_finite() && low < high;
    domain.iter().all(is_range)
}

pub use crate::compare::letter;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonsense_in_a_settings_file_becomes_the_usual_race() {
        let broken = ArenaView {
            function: "x +".into(),
            domain: Some([[1.0, 1.0], [0.0, f64::NAN]]),
            start: Some([f64::INFINITY, 0.0]),
            same_rate: Some(-1.0),
            steps: u64::MAX,
            speed: f64::NAN,
            racers: vec![OptimizerConfig::new(OptimizerName::Sgd, f64::NAN); 40],
            ..ArenaView::default()
        };
        let sane = broken.sane();
        let fresh = ArenaView::default();
        assert_eq!(sane.function, fresh.function);
        assert_eq!(sane.racers, fresh.racers);
        assert_eq!(
            (sane.domain, sane.start, sane.same_rate),
            (None, None, None)
        );
        assert_eq!((sane.steps, sane.speed), (MOST_STEPS, fresh.speed));
        assert_eq!(fresh.clone().sane(), fresh);
    }

    #[test]
    fn another_function_brings_its_own_ranges_and_start() {
        let mut view = ArenaView {
            domain: Some([[0.0, 1.0]; 2]),
            start: Some([0.5, 0.5]),
            ..ArenaView::default()
        };
        assert_eq!(view.analytic().domain(), [[0.0, 1.0]; 2]);
        view.choose_builtin(Builtin::Himmelblau);
        assert_eq!(view.analytic().domain(), Builtin::Himmelblau.domain());
        assert_eq!((view.start, view.ground), (None, Ground::Function));
    }
}
