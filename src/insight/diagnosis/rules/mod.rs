//! The rules, a few kinds a file: each raises what meets its thresholds, by itself. What
//! follows from what is decided here.

mod course;
mod data;
mod fit;
mod flow;
mod rate;
mod units;

use super::course::Course;
use super::{Cure, Facts, Finding, Thresholds};
use crate::insight::health::{Health, LayerHealth};
use crate::train::{HistoryRow, Problem, RunState, Snapshot};

/// A run so far.
#[derive(Debug, Clone, Copy)]
pub struct Observed<'a> {
    /// What is learnt.
    pub problem: &'a Problem,
    /// What its data say.
    pub facts: &'a Facts,
    /// What the epochs came to, oldest first.
    pub rows: &'a [HistoryRow],
    /// Where the run is.
    pub snapshot: &'a Snapshot,
    /// Its health on the way, oldest first: from before the first step on.
    pub health: &'a [Health],
    /// From where on a number counts.
    pub thresholds: &'a Thresholds,
}

/// What is wrong with a run, causes first; nothing where all is well, or where it is too
/// early to say. The same run gives the same findings. A second at most: where nothing
/// moves it takes some products with the Hessian.
pub fn diagnose(observed: &Observed<'_>) -> Vec<Finding> {
    let case = Case::new(observed);
    let found: Vec<Finding> = [
        data::unscaled(&case),
        units::symmetry(&case),
        units::saturation(&case),
        units::dead(&case),
        flow::exploding(&case),
        flow::vanishing(&case),
        rate::divergence(&case),
        rate::high(&case),
        rate::low(&case),
        course::oscillation(&case),
        data::imbalance(&case),
        course::plateau(&case),
        fit::underfitting(&case),
        fit::overfitting(&case),
        data::leakage(&case),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mut found = told_with_their_causes(&case, found);
    for finding in &mut found {
        finding.cures.retain(|cure| cure.fits(observed.problem));
    }
    found
}

/// The findings that follow from no other, each with the kinds of those that follow from
/// it, or from what follows from it.
fn told_with_their_causes(case: &Case<'_>, found: Vec<Finding>) -> Vec<Finding> {
    let leads_to = |a: &Finding, b: &Finding| case.leads_to(a, b);
    let is_root = |b: &&Finding| !found.iter().any(|a| leads_to(a, b));
    let roots: Vec<&Finding> = found.iter().filter(is_root).collect();
    let told = roots.into_iter().map(|root| {
        let (mut reached, mut next) = (vec![root], 0);
        while let Some(cause) = reached.get(next).copied() {
            let effects = found.iter().filter(|f| leads_to(cause, f));
            let new: Vec<&Finding> = effects.filter(|f| !reached.contains(f)).collect();
            reached.extend(new);
            next += 1;
        }
        let mut explains: Vec<_> = reached[1..].iter().map(|f| f.kind).collect();
        explains.sort_unstable();
        Finding {
            explains,
            ..root.clone()
        }
    });
    told.collect()
}

/// A run, and what several rules ask of it.
struct Case<'a> {
    problem: &'a Problem,
    facts: &'a Facts,
    snapshot: &'a Snapshot,
    health: &'a [Health],
    thresholds: &'a Thresholds,
    course: Course<'a>,
    /// By how much the network stays behind its samples' neighbours.
    lag: f64,
}

impl<'a> Case<'a> {
    fn new(observed: &Observed<'a>) -> Self {
        let rows = kept(observed);
        let course = Course::new(rows, observed.thresholds.stretch as usize);
        let facts = observed.facts;
        let score = course.recent(|row| {
            row.train_accuracy
                .or_else(|| Some(facts.skill(row.train_loss)))
        });
        let lag = match (facts.neighbours, score) {
            (Some(neighbours), Some(score)) => neighbours - score,
            // Nothing is known of what can be learnt.
            _ => 0.0,
        };
        Case {
            problem: observed.problem,
            facts,
            snapshot: observed.snapshot,
            health: observed.health,
            thresholds: observed.thresholds,
            course,
            lag,
        }
    }

    fn diverged(&self) -> bool {
        self.snapshot.state == RunState::Diverged
    }

    /// That the network has not learnt what can be learnt; a run that diverged has not.
    fn lags(&self) -> Option<Vec<super::Evidence>> {
        let lag = super::Evidence::at_least("lag", self.lag, self.thresholds.lag);
        match lag {
            Some(lag) => Some(vec![lag]),
            None => self.diverged().then(Vec::new),
        }
    }

    /// The layers before the output that have weights, first to last, in the newest record.
    fn hidden(&self) -> Vec<(usize, &'a LayerHealth)> {
        let Some(now) = self.health.last() else {
            return Vec::new();
        };
        let mut layers: Vec<_> = now.weighted().collect();
        layers.pop();
        layers
    }

    /// The records of the later half of the run.
    fn late(&self) -> &'a [Health] {
        &self.health[self.health.len() / 2..]
    }

    /// Whether `effect` follows from `cause`. Units that stopped working on the way did so by
    /// steps that were too large, and those that never worked did not.
    fn leads_to(&self, cause: &Finding, effect: &Finding) -> bool {
        use super::Kind;
        let is_unit = |f: &Finding| matches!(f.kind, Kind::Saturation | Kind::DeadUnits);
        let is_rate = |f: &Finding| {
            use Kind::{Divergence, ExplodingGradient, LearningRateHigh};
            matches!(f.kind, Divergence | ExplodingGradient | LearningRateHigh)
        };
        if is_unit(cause) && is_rate(effect) && !units::from_start(self, cause) {
            return false;
        }
        if is_rate(cause) && is_unit(effect) && units::from_start(self, effect) {
            return false;
        }
        cause.kind.explains().contains(&effect.kind)
    }
}

/// The rows up to the weights that the run has: with early stopping those are the best,
/// and what came later is undone.
fn kept<'a>(observed: &Observed<'a>) -> &'a [HistoryRow] {
    let rows = observed.rows;
    let stopping = observed
        .problem
        .experiment
        .training
        .early_stopping
        .is_some();
    if !stopping || observed.snapshot.state != RunState::Finished {
        return rows;
    }
    let loss = |row: &HistoryRow| row.validation_loss.unwrap_or(f64::INFINITY);
    let best = rows
        .iter()
        .enumerate()
        .min_by(|a, b| loss(a.1).total_cmp(&loss(b.1)));
    best.map_or(rows, |(index, _)| &rows[..=index])
}

/// The middle one of `values`, the mean of two; none of none.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.retain(|v| !v.is_nan());
    values.sort_by(f64::total_cmp);
    let n = values.len();
    match n {
        0 => None,
        _ if n % 2 == 1 => Some(values[n / 2]),
        _ => Some(0.5 * (values[n / 2 - 1] + values[n / 2])),
    }
}

/// A learning rate that is so many powers of ten lower or higher.
fn times_ten(power: f64) -> Cure {
    Cure::LearningRate {
        factor: 10f64.powf(power),
    }
}
