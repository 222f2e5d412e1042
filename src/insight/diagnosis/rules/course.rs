//! A loss that goes up and down, and one that goes nowhere.

use super::super::neighbours::spread_over;
use super::super::{Cure, Evidence, Finding, Kind};
use super::{Case, times_ten};
use crate::landscape::curvature::{Effort, Symmetric, ends};
use crate::nn::Init;
use crate::rng::{Stream, stream};
use crate::train::FullHessian;

/// Samples over which the loss's bend is measured.
const BEND_SAMPLES: usize = 256;

/// A loss that turns every other epoch by a good deal, and does not fall meanwhile.
pub(super) fn oscillation(case: &Case<'_>) -> Option<Finding> {
    let thresholds = case.thresholds;
    let (turns, size) = case.course.swing()?;
    let progress = case.course.progress()?;
    // What falls by more than it swings is on its way.
    let swing = size / case.facts.baseline;
    let evidence = vec![
        Evidence::at_least("reversals", turns, thresholds.reversals)?,
        Evidence::at_least("swing", swing, thresholds.swing)?,
        Evidence::at_most("falling", progress, thresholds.falling)?,
    ];
    let cures = vec![
        times_ten(-1.0),
        Cure::Cosine,
        Cure::LargerBatch { factor: 8 },
        Cure::ClipNorm { norm: 1.0 },
    ];
    Some(Finding::new(Kind::Oscillation, evidence, cures))
}

/// That the loss has not fallen for a stretch, though there is more to learn.
pub(super) fn stands_still(case: &Case<'_>) -> Option<Vec<Evidence>> {
    let mut evidence = case.lags()?;
    let progress = case.course.progress()?;
    evidence.insert(
        0,
        Evidence::at_most("progress", progress, case.thresholds.progress)?,
    );
    let (_, size) = case.course.swing()?;
    let loss = case.course.recent(|row| Some(row.train_loss))?;
    evidence.push(Evidence::at_most(
        "flutter",
        size / loss,
        case.thresholds.flutter,
    )?);
    (!case.diverged()).then_some(evidence)
}

/// No progress where the loss still bends down in some direction: no minimum, a saddle
/// (Fukumizu and Amari 2000; Dauphin et al. 2014).
pub(super) fn plateau(case: &Case<'_>) -> Option<Finding> {
    let mut evidence = stands_still(case)?;
    evidence.push(Evidence::at_least(
        "bend",
        bend(case)?,
        case.thresholds.bend,
    )?);
    let cures = vec![
        Cure::Adam { rate: 0.01 },
        times_ten(1.0),
        Cure::Init { init: Init::Xavier },
    ];
    Some(Finding::new(Kind::Plateau, evidence, cures))
}

/// The Hessian with the penalty's, as what it does to a vector.
struct Bends<'a> {
    hessian: FullHessian<'a, f64>,
    l2: f64,
    v: Vec<f64>,
    // Which parameters the penalty is on.
    weights: Vec<std::ops::Range<usize>>,
}

impl Symmetric for Bends<'_> {
    fn size(&self) -> usize {
        self.hessian.size()
    }

    fn product(&mut self, v: &[f64], out: &mut [f64]) -> bool {
        self.v[..v.len()].copy_from_slice(v);
        out.copy_from_slice(&self.hessian.product(&self.v));
        for range in &self.weights {
            out[range.clone()]
                .iter_mut()
                .zip(&v[range.clone()])
                .for_each(|(o, v)| *o += self.l2 * v);
        }
        true
    }
}

/// How much the loss bends down in the direction in which it does most, as a share of the
/// most that it bends up. None where numbers are not finite.
fn bend(case: &Case<'_>) -> Option<f64> {
    let (network, train) = (&case.problem.network, &case.problem.train);
    let part = train.select(&spread_over(train.len(), BEND_SAMPLES));
    let (x, y) = (part.x.mapv(f64::from), part.y.mapv(f64::from));
    let params: Vec<f64> = case.snapshot.params.iter().map(|&p| f64::from(p)).collect();
    let mut bends = Bends {
        hessian: FullHessian::new(network, &params, x.view(), y.view()),
        l2: case.problem.experiment.training.l2,
        v: vec![0.0; params.len()],
        weights: (0..network.layers().len())
            .map(|l| network.layout().weight(l))
            .collect(),
    };
    if params.is_empty() || part.is_empty() {
        return None;
    }
    let effort = Effort {
        tolerance: 0.05,
        vectors: 40,
    };
    let mut rng = stream(case.problem.experiment.seed, Stream::Curvature);
    let found = ends(&mut bends, 1, effort, &mut rng, &|_| {})?;
    let (down, up) = (-found.smallest?.value, found.largest?.value);
    (up > 0.0).then(|| down / up)
}
