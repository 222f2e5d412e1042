//! Units that do not work: copies, saturated ones, dead ones.

use super::super::{Cure, Evidence, Finding, Kind};
use super::{Case, times_ten};
use crate::insight::health::LayerHealth;
use crate::nn::{Activation, Init};

/// A layer whose units are copies of each other (Rumelhart, Hinton and Williams 1986,
/// *Parallel Distributed Processing*, chapter 8: the symmetry has to be broken).
pub(super) fn symmetry(case: &Case<'_>) -> Option<Finding> {
    let mut evidence = case.lags()?;
    let hidden = case.hidden();
    let (layer, share) = worst(&hidden, |health| health.identical)?;
    // Weights that have flown off to the same huge values are copies by the divergence.
    let least = case.thresholds.identical;
    if case.diverged() && !starts_with(case, layer, |health| health.identical, least) {
        return None;
    }
    evidence.insert(0, Evidence::at_least("identical", share, least)?);
    Some(Finding::new(Kind::Symmetry, evidence, inits(case)).in_layer(layer))
}

/// A layer most of whose activations are at the flat ends (Glorot and Bengio 2010).
pub(super) fn saturation(case: &Case<'_>) -> Option<Finding> {
    let mut evidence = case.lags()?;
    let hidden = case.hidden();
    let (layer, share) = worst(&hidden, |health| health.saturated)?;
    evidence.insert(
        0,
        Evidence::at_least("saturated", share, case.thresholds.saturated)?,
    );
    let relu = Cure::Activation {
        activation: Activation::Relu,
        init: Init::He,
    };
    let init = Cure::Init { init: Init::Xavier };
    let is_sigmoid = case.problem.network.layers()[layer].activation() == Activation::Sigmoid;
    let mut cures = match is_sigmoid {
        true => vec![relu, init, Cure::BatchNorm],
        false => vec![init, relu, Cure::BatchNorm],
    };
    if !starts_with(case, layer, |health| health.saturated, 0.5 * share) {
        cures.insert(0, times_ten(-1.0));
    }
    Some(Finding::new(Kind::Saturation, evidence, cures).in_layer(layer))
}

/// A layer many of whose ReLU units are 0 for every sample (CS231n; Lu et al. 2020,
/// arXiv:1903.06733).
pub(super) fn dead(case: &Case<'_>) -> Option<Finding> {
    let mut evidence = case.lags()?;
    let now = case.health.last()?;
    let relus: Vec<_> = now.layers.iter().enumerate().collect();
    let (layer, share) = worst(&relus, |health| health.dead)?;
    evidence.insert(0, Evidence::at_least("dead", share, case.thresholds.dead)?);
    let mut cures = vec![
        Cure::Init { init: Init::He },
        Cure::Activation {
            activation: Activation::LeakyRelu,
            init: Init::He,
        },
        Cure::BatchNorm,
    ];
    if !starts_with(case, layer, |health| health.dead, 0.5 * share) {
        cures.insert(0, times_ten(-1.0));
    }
    Some(Finding::new(Kind::DeadUnits, evidence, cures).in_layer(layer))
}

/// Whether what a finding tells of units was so before the first step: beyond its
/// threshold then.
pub(super) fn from_start(case: &Case<'_>, finding: &Finding) -> bool {
    let (Some(layer), Some(evidence)) = (finding.layer, finding.evidence.first()) else {
        return false;
    };
    match finding.kind {
        Kind::Saturation => starts_with(case, layer, |h| h.saturated, evidence.threshold),
        Kind::DeadUnits => starts_with(case, layer, |h| h.dead, evidence.threshold),
        _ => false,
    }
}

/// Whether `share` or more was there before the first step.
fn starts_with(
    case: &Case<'_>,
    layer: usize,
    figure: impl Fn(&LayerHealth) -> Option<f64>,
    share: f64,
) -> bool {
    let first = case.health.first().filter(|first| first.step == 0);
    let first = first.and_then(|first| figure(first.layers.get(layer)?));
    first.is_some_and(|first| first >= share)
}

/// The first of the layers with the largest of a figure.
fn worst(
    layers: &[(usize, &LayerHealth)],
    figure: impl Fn(&LayerHealth) -> Option<f64>,
) -> Option<(usize, f64)> {
    let all = layers
        .iter()
        .filter_map(|(index, health)| Some((*index, figure(health)?)));
    all.reduce(|a, b| if b.1 > a.1 { b } else { a })
}

/// Initial weights that go with the activations: He's for ReLU, else Xavier's.
fn inits(case: &Case<'_>) -> Vec<Cure> {
    let layers = case.problem.network.layers();
    let bends = |layer: &&crate::nn::Layer| {
        matches!(layer.activation(), Activation::Relu | Activation::LeakyRelu)
    };
    let (he, xavier) = (
        Cure::Init { init: Init::He },
        Cure::Init { init: Init::Xavier },
    );
    match layers.iter().any(|layer| bends(&layer)) {
        true => vec![he, xavier],
        false => vec![xavier, he],
    }
}
