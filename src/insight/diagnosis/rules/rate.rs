//! Steps of the wrong length.

use super::super::{Cure, Evidence, Finding, Kind};
use super::{Case, median, times_ten};
use crate::insight::health::{Health, LayerHealth};
use crate::nn::Init;

/// About how long a step should be as a share of the weights (Karpathy, CS231n); where steps
/// are too long, ten times that is a way back that does not take forever.
const RIGHT: f64 = 1e-3;

/// Numbers that are not finite any more, or a loss far above the first and above that of a
/// constant answer.
pub(super) fn divergence(case: &Case<'_>) -> Option<Finding> {
    let rows = case.course.rows;
    let (first, last) = (rows.first()?, rows.last()?);
    let (layer, value) = match &case.snapshot.divergence {
        Some(divergence) => (Some(divergence.layer), f64::INFINITY),
        None => (
            None,
            last.train_loss / case.facts.baseline.max(first.train_loss),
        ),
    };
    let evidence = Evidence::at_least("divergence", value, case.thresholds.divergence)?;
    let cures = vec![
        times_ten(-1.0),
        times_ten(-2.0),
        Cure::ClipNorm { norm: 1.0 },
        Cure::Adam { rate: 0.01 },
    ];
    let mut finding = Finding::new(Kind::Divergence, vec![evidence], cures);
    finding.layer = layer;
    Some(finding)
}

/// Steps that are so long that nothing is kept of what was learnt: in the later half of the
/// run, or in its first quarter. Held against the weights' natural size: where steps have
/// made weights huge, no step looks long beside them.
pub(super) fn high(case: &Case<'_>) -> Option<Finding> {
    let lags = case.lags()?;
    let by_record = |health: &Health| {
        let ratios = health
            .weighted()
            .filter_map(|(_, layer)| layer.step_ratio());
        ratios.reduce(f64::max)
    };
    let early = &case.health[..case.health.len().div_ceil(4)];
    let middle = |health: &[Health]| median(health.iter().filter_map(by_record).collect());
    let ratio = middle(early).into_iter().chain(middle(case.late()));
    let ratio = ratio.reduce(f64::max)?;
    let mut evidence = vec![Evidence::at_least(
        "update-high",
        ratio,
        case.thresholds.update_high,
    )?];
    evidence.extend(lags);
    let power = (10.0 * RIGHT / ratio).log10().floor().clamp(-4.0, -1.0);
    let cures = vec![times_ten(power), times_ten(power + 1.0), Cure::Cosine];
    let mut finding = Finding::new(Kind::LearningRateHigh, evidence, cures);
    finding.layer = largest(case).map(|(layer, _)| layer);
    Some(finding)
}

/// Steps that are so short, in every layer and all the time, that nothing comes of them.
pub(super) fn low(case: &Case<'_>) -> Option<Finding> {
    let lags = case.lags()?;
    if !case
        .problem
        .experiment
        .training
        .optimizer
        .kind()
        .heeds_rate()
        || case.diverged()
    {
        return None;
    }
    let by_record = |health: &Health| {
        let ratios = health
            .weighted()
            .filter_map(|(_, layer)| layer.update_ratio());
        ratios.reduce(f64::max)
    };
    let ratio = median(case.health.iter().filter_map(by_record).collect())?;
    let mut evidence = vec![Evidence::at_most(
        "update-low",
        ratio,
        case.thresholds.update_low,
    )?];
    evidence.extend(lags);
    let power = (RIGHT / ratio.max(1e-12)).log10().ceil().clamp(1.0, 5.0);
    let cures = vec![
        times_ten(power),
        Cure::Adam { rate: 0.01 },
        Cure::Init { init: Init::Xavier },
    ];
    Some(Finding::new(Kind::LearningRateLow, evidence, cures))
}

/// The layer that moved most in the newest record.
fn largest(case: &Case<'_>) -> Option<(usize, f64)> {
    let ratio = |(index, layer): (usize, &LayerHealth)| Some((index, layer.step_ratio()?));
    let ratios = case.health.last()?.weighted().filter_map(ratio);
    ratios.reduce(|a, b| if b.1 > a.1 { b } else { a })
}
