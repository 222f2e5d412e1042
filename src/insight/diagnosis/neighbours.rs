//! How well the nearest neighbours of a sample answer for it: what the data allow, found
//! without any network. The error of one neighbour is at most twice the least possible
//! (Cover and Hart 1967); we take the vote, or the mean, of five.

use crate::train::{Encoding, Samples};
use ndarray::{Array2, Axis};

/// Neighbours that are asked.
const ASKED: usize = 5;
/// Samples of the training part that are looked at: each is answered for by the others.
const KNOWN: usize = 500;

/// What neighbours are looked for among.
pub(super) struct Neighbours {
    known: Samples,
    encoding: Encoding,
}

impl Neighbours {
    /// Among samples evenly spread over `train`. Each input is divided by its spread,
    /// unless `together`: pixels have one size.
    pub(super) fn new(train: &Samples, encoding: Encoding, together: bool) -> Self {
        let mut known = train.select(&spread_over(train.len(), KNOWN));
        let factors = factors(&known.x, together);
        for mut row in known.x.rows_mut() {
            row.iter_mut().zip(&factors).for_each(|(v, f)| *v *= f);
        }
        Neighbours { known, encoding }
    }

    /// The score of the answers by the inputs `features`: the share of right ones, or of
    /// the variance of values explained. None where there is nobody to ask.
    pub(super) fn score(&self, features: &[usize]) -> Option<f64> {
        let n = self.known.len();
        if n <= ASKED || features.is_empty() {
            return None;
        }
        let (x, y) = (self.known.x.select(Axis(1), features), &self.known.y);
        let wide = |v: &f32| f64::from(*v);
        let means = y.columns().into_iter();
        let means: Vec<f64> = means
            .map(|column| column.iter().map(wide).sum::<f64>() / n as f64)
            .collect();
        let (mut right, mut missed, mut spread) = (0, 0.0, 0.0);
        for index in 0..n {
            let near = nearest(&x, index);
            if self.encoding != Encoding::Values {
                right += usize::from(self.vote(&near) == self.encoding.class(y.row(index)));
                continue;
            }
            for (k, mean) in means.iter().enumerate() {
                let target = wide(&y[[index, k]]);
                let sum: f64 = near.iter().map(|&i| wide(&y[[i, k]])).sum();
                missed += (sum / near.len() as f64 - target).powi(2);
                spread += (target - mean).powi(2);
            }
        }
        Some(match self.encoding {
            Encoding::Values if spread > 0.0 => 1.0 - missed / spread,
            Encoding::Values => 0.0,
            _ => right as f64 / n as f64,
        })
    }

    /// The class that most have; of several the one whose first is nearer.
    fn vote(&self, near: &[usize]) -> Option<usize> {
        let classes: Vec<Option<usize>> = near
            .iter()
            .map(|&i| self.encoding.class(self.known.y.row(i)))
            .collect();
        let votes = |class: &Option<usize>| classes.iter().filter(|c| *c == class).count();
        let most = classes.iter().map(votes).max()?;
        classes
            .iter()
            .find(|class| votes(class) == most)
            .copied()
            .flatten()
    }
}

/// The samples of `x` nearest to its sample `index`, the nearest first; never itself.
fn nearest(x: &Array2<f32>, index: usize) -> Vec<usize> {
    let query = x.row(index);
    let mut best: Vec<(f32, usize)> = Vec::with_capacity(ASKED + 1);
    for (other, row) in x.rows().into_iter().enumerate() {
        let distance: f32 = row.iter().zip(query).map(|(a, b)| (a - b) * (a - b)).sum();
        let far = best.last().is_some_and(|(d, _)| *d <= distance);
        if other == index || (best.len() == ASKED && far) {
            continue;
        }
        let at = best.partition_point(|(d, _)| *d <= distance);
        best.insert(at, (distance, other));
        best.truncate(ASKED);
    }
    best.into_iter().map(|(_, i)| i).collect()
}

/// At most `most` of `n` places, evenly spread.
pub(super) fn spread_over(n: usize, most: usize) -> Vec<usize> {
    let wanted = n.min(most);
    (0..wanted).map(|i| i * n / wanted).collect()
}

/// One over the standard deviation of each input, or of all; 0 for one that never varies.
fn factors(x: &Array2<f32>, together: bool) -> Vec<f32> {
    if together {
        return vec![1.0; x.ncols()];
    }
    let n = x.nrows().max(1) as f64;
    x.columns()
        .into_iter()
        .map(|column| {
            let mean = column.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
            let variance = column
                .iter()
                .map(|&v| (f64::from(v) - mean).powi(2))
                .sum::<f64>()
                / n;
            let factor = 1.0 / variance.sqrt();
            if factor.is_finite() {
                factor as f32
            } else {
                0.0
            }
        })
        .collect()
}
