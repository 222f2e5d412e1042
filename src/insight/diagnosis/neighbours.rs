//! How well the nearest neighbours of a sample answer for it: what the data allow, found
//! without any network. The error of one neighbour is at most twice the least possible
//! (Cover and Hart 1967); we take the vote, or the mean, of five.

use crate::train::{Encoding, Samples};
use ndarray::{Array2, ArrayView1};

/// Neighbours that are asked.
const ASKED: usize = 5;
/// Samples of the training part that can be neighbours, and samples that are answered for.
const KNOWN: usize = 600;
const QUERIES: usize = 250;

/// What neighbours are looked for among, and for whom.
pub(super) struct Neighbours {
    known: Samples,
    queries: Samples,
    encoding: Encoding,
    // The queries are the known samples themselves.
    own: bool,
}

impl Neighbours {
    /// For the samples of `validation` among those of `train`, or, without any, for those
    /// of `train` among the others. Each input is divided by its spread, unless `together`:
    /// pixels have one size.
    pub(super) fn new(
        train: &Samples,
        validation: &Samples,
        encoding: Encoding,
        together: bool,
    ) -> Self {
        let mut known = train.select(&spread_over(train.len(), KNOWN));
        let own = validation.is_empty();
        let asked = if own { &known } else { validation };
        let mut queries = asked.select(&spread_over(asked.len(), QUERIES));
        let factors = factors(&known.x, together);
        for x in [&mut known.x, &mut queries.x] {
            for mut row in x.rows_mut() {
                row.iter_mut().zip(&factors).for_each(|(v, f)| *v *= f);
            }
        }
        Neighbours {
            known,
            queries,
            encoding,
            own,
        }
    }

    /// The score of the answers by the inputs `features`: the share of right ones, or of
    /// the variance of values explained. None where there is nobody to ask.
    pub(super) fn score(&self, features: &[usize]) -> Option<f64> {
        if self.known.len() <= ASKED || self.queries.is_empty() || features.is_empty() {
            return None;
        }
        let (outputs, n) = (self.known.y.ncols(), self.queries.len());
        let pick = |x: &Array2<f32>| x.select(ndarray::Axis(1), features);
        let (known, queries) = (pick(&self.known.x), pick(&self.queries.x));
        let mean: Vec<f64> = (0..outputs)
            .map(|k| self.queries.y.column(k).iter().map(|&v| f64::from(v)).sum::<f64>() / n as f64)
            .collect();
        let (mut right, mut missed, mut spread) = (0, 0.0, 0.0);
        for (index, query) in queries.rows().into_iter().enumerate() {
            let near = self.nearest(&known, query);
            let target = self.queries.y.row(index);
            match self.encoding {
                Encoding::Values => {
                    for k in 0..outputs {
                        let sum: f64 = near.iter().map(|&i| f64::from(self.known.y[[i, k]])).sum();
                        missed += (sum / near.len() as f64 - f64::from(target[k])).powi(2);
                        spread += (f64::from(target[k]) - mean[k]).powi(2);
                    }
                }
                _ => right += usize::from(self.vote(&near) == self.encoding.class(target)),
            }
        }
        Some(match self.encoding {
            Encoding::Values if spread > 0.0 => 1.0 - missed / spread,
            Encoding::Values => 0.0,
            _ => right as f64 / n as f64,
        })
    }

    /// The nearest known samples, the nearest first.
    fn nearest(&self, known: &Array2<f32>, query: ArrayView1<'_, f32>) -> Vec<usize> {
        let mut best: Vec<(f32, usize)> = Vec::with_capacity(ASKED + 2);
        let wanted = ASKED + usize::from(self.own);
        for (index, row) in known.rows().into_iter().enumerate() {
            let distance: f32 = row.iter().zip(query).map(|(a, b)| (a - b) * (a - b)).sum();
            if best.len() < wanted || distance < best[best.len() - 1].0 {
                let at = best.partition_point(|(d, _)| *d <= distance);
                best.insert(at, (distance, index));
                best.truncate(wanted);
            }
        }
        // A sample is its own nearest.
        best.iter().skip(usize::from(self.own)).map(|(_, i)| *i).collect()
    }

    /// The class that most have; of several the one whose first is nearer.
    fn vote(&self, near: &[usize]) -> Option<usize> {
        let classes: Vec<Option<usize>> = near
            .iter()
            .map(|&i| self.encoding.class(self.known.y.row(i)))
            .collect();
        let votes = |class: &Option<usize>| classes.iter().filter(|c| *c == class).count();
        let most = classes.iter().map(votes).max()?;
        classes.iter().find(|class| votes(class) == most).copied().flatten()
    }
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
            let variance =
                column.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n;
            let factor = 1.0 / variance.sqrt();
            if factor.is_finite() { factor as f32 } else { 0.0 }
        })
        .collect()
}
