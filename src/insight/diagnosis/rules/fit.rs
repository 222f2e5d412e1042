//! A network that does too little with its samples, and one that does too much.

use super::super::{Cure, Evidence, Finding, Kind};
use super::Case;
use super::course::stands_still;

/// No progress, though neighbours show that more can be learnt.
pub(super) fn underfitting(case: &Case<'_>) -> Option<Finding> {
    let evidence = stands_still(case)?;
    let training = &case.problem.experiment.training;
    let wider = Cure::Wider { factor: 4 };
    let penalty = training.l1 > 0.0 || training.l2 > 0.0;
    let cures = match penalty {
        true => vec![Cure::Unregularised, wider, Cure::Longer { factor: 4 }],
        false => vec![wider, Cure::Unregularised, Cure::Longer { factor: 4 }],
    };
    Some(Finding::new(Kind::Underfitting, evidence, cures))
}

/// A validation loss that has risen from its least value while the training loss fell
/// (Prechelt 1998, "Early stopping - but when?", its class GL).
pub(super) fn overfitting(case: &Case<'_>) -> Option<Finding> {
    let rise = case.course.rise()?;
    if !rise.train_fell {
        return None;
    }
    let thresholds = case.thresholds;
    let evidence = vec![
        Evidence::at_least("generalisation", rise.by, thresholds.generalisation)?,
        Evidence::at_least("gap", rise.gap, thresholds.gap)?,
    ];
    let l2 = case.problem.experiment.training.l2;
    let cures = vec![
        Cure::EarlyStopping { patience: 10 },
        Cure::L2 {
            factor: (10.0 * l2).max(0.01),
        },
        Cure::Dropout { rate: 0.3 },
    ];
    Some(Finding::new(Kind::Overfitting, evidence, cures))
}
