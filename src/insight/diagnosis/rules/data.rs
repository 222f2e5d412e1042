//! Data that make learning hard, or look too easy.

use super::super::neighbours::spread_over;
use super::super::{Cure, Evidence, Finding, Kind};
use super::Case;
use crate::nn::Workspace;

/// Samples of a class that are asked whether they are recognised.
const ASKED: usize = 256;

/// Inputs that are very large, or very different in size (LeCun et al. 1998, "Efficient
/// BackProp", section 4.3).
pub(super) fn unscaled(case: &Case<'_>) -> Option<Finding> {
    let lags = case.lags()?;
    let facts = case.facts;
    let thresholds = case.thresholds;
    let by_size = |a: &(usize, f64), b: &(usize, f64)| a.1.total_cmp(&b.1);
    let (feature, size) = facts.sizes.iter().copied().enumerate().max_by(by_size)?;
    let varying = facts.spreads.iter().copied().filter(|spread| *spread > 0.0);
    let (least, most) = varying.fold((f64::INFINITY, 0.0_f64), |(l, m), s| (l.min(s), m.max(s)));
    let mut evidence: Vec<Evidence> = [
        Evidence::at_least("size", size, thresholds.size),
        Evidence::at_least("spread", most / least, thresholds.spread),
    ]
    .into_iter()
    .flatten()
    .collect();
    if evidence.is_empty() {
        return None;
    }
    evidence.extend(lags);
    let mut finding = Finding::new(Kind::UnscaledInputs, evidence, vec![Cure::Scale]);
    finding.feature = name(case, feature);
    Some(finding)
}

/// A rare class that is not recognised (He and Garcia 2009, "Learning from imbalanced data").
pub(super) fn imbalance(case: &Case<'_>) -> Option<Finding> {
    // At first every network answers the commonest class.
    let has_ended = case.snapshot.epoch >= case.snapshot.target_epoch;
    if !case.course.is_long() && !has_ended {
        return None;
    }
    let classes = &case.facts.classes;
    let all: usize = classes.iter().sum();
    let (rarest, count) = classes
        .iter()
        .copied()
        .enumerate()
        .min_by_key(|(_, n)| *n)?;
    let rarity = (count * classes.len()) as f64 / all.max(1) as f64;
    let evidence = vec![
        Evidence::at_most("rarity", rarity, case.thresholds.rarity)?,
        Evidence::at_most("recall", recall(case, rarest)?, case.thresholds.recall)?,
    ];
    // An experiment cannot weight classes; what is left is to learn more of what there is.
    let cures = vec![
        Cure::Adam { rate: 0.01 },
        Cure::Longer { factor: 4 },
        Cure::Wider { factor: 4 },
    ];
    let mut finding = Finding::new(Kind::ClassImbalance, evidence, cures);
    finding.class = case.problem.data.task.names().get(rarest).cloned();
    Some(finding)
}

/// The share of the training part's samples of `class` that are recognised.
fn recall(case: &Case<'_>, class: usize) -> Option<f64> {
    let problem = case.problem;
    let of_class = |row: &usize| problem.encoding.class(problem.train.y.row(*row)) == Some(class);
    let rows: Vec<usize> = (0..problem.train.len()).filter(of_class).collect();
    let chosen = spread_over(rows.len(), ASKED);
    let rows: Vec<usize> = chosen.into_iter().map(|place| rows[place]).collect();
    let mut workspace = Workspace::new(&problem.network, 64);
    let mut right = 0;
    for rows in rows.chunks(64) {
        workspace.load(problem.train.x.view(), rows);
        problem
            .network
            .forward_loaded(&case.snapshot.params, &mut workspace);
        let outputs = workspace.output();
        let found = outputs.rows().into_iter();
        right += found
            .filter(|o| problem.encoding.class(o.view()) == Some(class))
            .count();
    }
    (!rows.is_empty()).then(|| right as f64 / rows.len() as f64)
}

/// One input that answers nearly everything alone, while the others do not (Kaufman et al.
/// 2012, "Leakage in data mining").
pub(super) fn leakage(case: &Case<'_>) -> Option<Finding> {
    let leak = case.facts.leak?;
    let evidence = vec![
        Evidence::at_least("leak", leak.alone, case.thresholds.leak)?,
        Evidence::at_least(
            "leak-lead",
            leak.alone - leak.others,
            case.thresholds.leak_lead,
        )?,
    ];
    let names = &case.problem.data.feature_names;
    let feature = name(case, leak.feature)?;
    let cure = Cure::WithoutInput {
        others: names
            .iter()
            .filter(|name| **name != feature)
            .cloned()
            .collect(),
        name: feature.clone(),
    };
    let mut finding = Finding::new(Kind::LabelLeakage, evidence, vec![cure]);
    finding.feature = Some(feature);
    Some(finding)
}

fn name(case: &Case<'_>, input: usize) -> Option<String> {
    let names = &case.problem.data.feature_names;
    names.get(case.problem.feature_of(input)).cloned()
}
