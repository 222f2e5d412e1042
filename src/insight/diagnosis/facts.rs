//! What the data alone say of what can be learnt from them.

use super::neighbours::Neighbours;
use crate::nn::Loss;
use crate::train::{Encoding, Problem};
use ndarray::ArrayView1;

/// Inputs beyond so many are not searched for one that gives the answer away.
const SEARCHED: usize = 200;

/// What the data of a problem say, whatever the network. Computed once.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// The mean data loss over the training part of the best constant answer.
    pub baseline: f64,
    /// The score of the nearest neighbours, see [`Thresholds::lag`](super::Thresholds::lag).
    pub neighbours: Option<f64>,
    /// Samples of the training part in each class; none for real values.
    pub classes: Vec<usize>,
    /// RMS of each input of the training part, as the network sees it.
    pub sizes: Vec<f64>,
    /// Standard deviation of each input of the training part.
    pub spreads: Vec<f64>,
    /// The input that answers best alone.
    pub leak: Option<Leak>,
}

/// How well one input answers alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Leak {
    /// Which input of the network.
    pub feature: usize,
    /// The score of that input alone.
    pub alone: f64,
    /// The score of all others together.
    pub others: f64,
}

impl Facts {
    /// What the data of `problem` say. Looks at up to 500 samples for neighbours, for each
    /// input.
    pub fn of(problem: &Problem) -> Self {
        let x = &problem.train.x;
        let is_image = problem.data.image.is_some();
        let neighbours = Neighbours::new(&problem.train, problem.encoding, is_image);
        let all: Vec<usize> = (0..x.ncols()).collect();
        let moments: Vec<(f64, f64)> = x.columns().into_iter().map(mean_and_deviation).collect();
        Facts {
            baseline: baseline(problem),
            neighbours: neighbours.score(&all),
            classes: classes(problem),
            sizes: moments
                .iter()
                .map(|(mean, deviation)| mean.hypot(*deviation))
                .collect(),
            spreads: match is_image {
                // Pixels share a scale.
                true => {
                    let squares = moments.iter().map(|(_, deviation)| deviation * deviation);
                    let n = moments.len().max(1) as f64;
                    vec![(squares.sum::<f64>() / n).sqrt(); moments.len()]
                }
                false => moments.iter().map(|(_, deviation)| *deviation).collect(),
            },
            leak: (!is_image && (2..=SEARCHED).contains(&all.len()))
                .then(|| leak(&neighbours, &all))
                .flatten(),
        }
    }

    /// The share of the constant answer's loss that a loss of `loss` has explained.
    pub fn skill(&self, loss: f64) -> f64 {
        1.0 - loss / self.baseline
    }
}

fn mean_and_deviation(column: ArrayView1<'_, f32>) -> (f64, f64) {
    let n = column.len().max(1) as f64;
    let mean = column.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    let variance = column
        .iter()
        .map(|&v| (f64::from(v) - mean).powi(2))
        .sum::<f64>()
        / n;
    (mean, variance.sqrt())
}

/// The mean loss of the best constant answer: the entropy of the classes' shares, or the
/// variance of the targets.
fn baseline(problem: &Problem) -> f64 {
    let moments = problem
        .train
        .y
        .columns()
        .into_iter()
        .map(mean_and_deviation);
    let entropy = |p: f64| if p > 0.0 { -p * p.ln() } else { 0.0 };
    let loss = problem.network.loss_kind();
    match loss {
        Loss::BinaryCrossEntropy => moments.map(|(p, _)| entropy(p) + entropy(1.0 - p)).sum(),
        Loss::SoftmaxCrossEntropy => moments.map(|(p, _)| entropy(p)).sum(),
        _ => {
            let factor = loss.square_factor(problem.network.outputs()).unwrap_or(1.0);
            moments
                .map(|(_, deviation)| factor * deviation * deviation)
                .sum()
        }
    }
}

fn classes(problem: &Problem) -> Vec<usize> {
    if problem.encoding == Encoding::Values {
        return Vec::new();
    }
    let mut counts = vec![0; problem.data.task.names().len()];
    for row in problem.train.y.rows() {
        if let Some(count) = problem.encoding.class(row).and_then(|c| counts.get_mut(c)) {
            *count += 1;
        }
    }
    counts
}

fn leak(neighbours: &Neighbours, all: &[usize]) -> Option<Leak> {
    let scores = all
        .iter()
        .filter_map(|&f| Some((f, neighbours.score(&[f])?)));
    let (feature, alone) = scores.max_by(|a, b| a.1.total_cmp(&b.1))?;
    let others: Vec<usize> = all.iter().copied().filter(|&f| f != feature).collect();
    Some(Leak {
        feature,
        alone,
        others: neighbours.score(&others)?,
    })
}
