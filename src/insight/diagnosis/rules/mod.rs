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
    let mut found: Vec<Finding> = [
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
    let mut index = 0;
    while index < found.len() {
        let kind = found[index].kind;
        let follows = |other: &Finding| {
            kind.explains().contains(&other.kind) && !case.came_before(other, kind)
        };
        let (effects, rest): (Vec<_>, Vec<_>) = found.drain(index + 1..).partition(follows);
        found.extend(rest);
        let explained = effects.iter().flat_map(|f| std::iter::once(&f.kind).chain(&f.explains));
        let mut explained: Vec<_> = explained.copied().collect();
        explained.sort_unstable();
        explained.dedup();
        found[index].explains = explained;
        index += 1;
    }
    for finding in &mut found {
        finding.cures.retain(|cure| cure.fits(observed.problem));
    }
    found
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
            row.train_accuracy.or_else(|| Some(facts.skill(row.train_loss)))
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

    /// Whether what `finding` tells was so before the first step, and so has not come of
    /// steps that are too large.
    fn came_before(&self, finding: &Finding, cause: super::Kind) -> bool {
        use super::Kind;
        let by_steps = matches!(cause, Kind::Divergence | Kind::LearningRateHigh);
        by_steps && units::from_start(self, finding)
    }
}

/// The rows up to the weights that the run has: with early stopping those are the best,
/// and what came later is undone.
fn kept<'a>(observed: &Observed<'a>) -> &'a [HistoryRow] {
    let rows = observed.rows;
    let stopping = observed.problem.experiment.training.early_stopping.is_some();
    if !stopping || observed.snapshot.state != RunState::Finished {
        return rows;
    }
    let loss = |row: &HistoryRow| row.validation_loss.unwrap_or(f64::INFINITY);
    let best = rows.iter().enumerate().min_by(|a, b| loss(a.1).total_cmp(&loss(b.1)));
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
