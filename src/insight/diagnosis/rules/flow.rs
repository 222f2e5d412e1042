//! Error signals that fade or grow on their way back through the layers.

use super::super::{Cure, Evidence, Finding, Kind};
use super::{Case, median, times_ten};
use crate::insight::health::Health;
use crate::nn::{Activation, Init};

/// The error signal of the first layer with weights over that of the last, with the first
/// layer; none with fewer than three, where there is no way to speak of.
fn ratio(health: &Health) -> Option<(usize, f64)> {
    let layers: Vec<_> = health.weighted().collect();
    let (first, last) = (layers.first()?, layers.last()?);
    (layers.len() > 2 && last.1.delta > 0.0).then(|| (first.0, first.1.delta / last.1.delta))
}

/// Error signals that fade (Hochreiter 1991; Bengio, Simard and Frasconi 1994; Glorot and
/// Bengio 2010): their ratio in the later half of the run, the middle one.
pub(super) fn vanishing(case: &Case<'_>) -> Option<Finding> {
    let mut evidence = case.lags()?;
    let late: Vec<_> = case.late().iter().filter_map(ratio).collect();
    let layer = late.first()?.0;
    let middle = median(late.iter().map(|(_, ratio)| *ratio).collect())?;
    evidence.insert(
        0,
        Evidence::at_most("vanishing", middle, case.thresholds.vanishing)?,
    );
    let mut cures = vec![
        Cure::Activation {
            activation: Activation::Relu,
            init: Init::He,
        },
        Cure::BatchNorm,
        Cure::Init { init: Init::Xavier },
    ];
    // Sums of sigmoids only grow, and their slopes fade all the same.
    let is_sigmoid = |l: &crate::nn::Layer| l.activation() == Activation::Sigmoid;
    let layers = case.problem.network.layers();
    if !layers[..layers.len() - 1].iter().any(is_sigmoid) {
        cures.push(Cure::Residual);
    }
    Some(Finding::new(Kind::VanishingGradient, evidence, cures).in_layer(layer))
}

/// Error signals that grow (Pascanu, Mikolov and Bengio 2013): their ratio at the start, or
/// the middle one of the later half of the run.
pub(super) fn exploding(case: &Case<'_>) -> Option<Finding> {
    let mut evidence = case.lags()?;
    let first = case.health.first().and_then(ratio);
    let late: Vec<_> = case.late().iter().filter_map(ratio).collect();
    let layer = first.or(late.first().copied())?.0;
    let middle = median(late.iter().map(|(_, ratio)| *ratio).collect());
    let ratio = first.map(|(_, ratio)| ratio).into_iter().chain(middle);
    let ratio = ratio.reduce(f64::max)?;
    evidence.insert(
        0,
        Evidence::at_least("exploding", ratio, case.thresholds.exploding)?,
    );
    let relu = |layer: &crate::nn::Layer| layer.activation() == Activation::Relu;
    let init = match case.problem.network.layers().iter().any(relu) {
        true => Init::He,
        false => Init::Xavier,
    };
    let cures = vec![
        Cure::Init { init },
        Cure::BatchNorm,
        Cure::ClipNorm { norm: 1.0 },
        times_ten(-1.0),
    ];
    Some(Finding::new(Kind::ExplodingGradient, evidence, cures).in_layer(layer))
}
