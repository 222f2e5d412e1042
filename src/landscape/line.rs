//! Loss and accuracy along the straight line between two weight vectors
//! (Goodfellow, Vinyals and Saxe 2015, arXiv:1412.6544).

use super::grid::Axis;
use crate::train::{Evaluator, Problem, Score};
use rayon::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};

/// The line `from + t (to - from)`: at `t` = 0 the one, at 1 the other, both to
/// the last bit.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    from: Vec<f32>,
    to: Vec<f32>,
}

/// Why two weight vectors have no line between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// Not the same number of parameters.
    #[error("the two have {0} and {1} parameters; give weights of the same network")]
    Lengths(usize, usize),
    /// They are the same.
    #[error("both ends of the line are the same weights; give two different ones")]
    Same,
}

/// A place on a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LinePoint {
    /// The coordinate `t`.
    pub at: f64,
    /// Over the training part.
    pub train: Score,
    /// Over the validation part, where there is one.
    pub validation: Option<Score>,
}

impl Line {
    /// The line between two weight vectors of one network.
    ///
    /// # Errors
    /// When there is none.
    pub fn new(from: Vec<f32>, to: Vec<f32>) -> Result<Self, LineError> {
        if from.len() != to.len() {
            return Err(LineError::Lengths(from.len(), to.len()));
        }
        if from == to {
            return Err(LineError::Same);
        }
        Ok(Line { from, to })
    }

    /// The distance from one end to the other.
    pub fn length(&self) -> f64 {
        let pairs = self.from.iter().zip(&self.to);
        let squares = pairs.map(|(&a, &b)| (f64::from(b) - f64::from(a)).powi(2));
        squares.sum::<f64>().sqrt()
    }

    /// Writes the parameters at `t` over `params`. What batch normalisation has
    /// gathered is taken between the ends as well.
    pub fn write_point(&self, t: f64, params: &mut [f32]) {
        for ((p, &a), &b) in params.iter_mut().zip(&self.from).zip(&self.to) {
            // Not a + t (b - a), which would miss b.
            *p = ((1.0 - t) * f64::from(a) + t * f64::from(b)) as f32;
        }
    }

    /// The scores of `problem`'s network at the points of `axis`, on the current
    /// rayon pool. `done` counts points as they are finished. `None` if `cancel`
    /// was set meanwhile.
    pub fn scores(
        &self,
        problem: &Problem,
        axis: Axis,
        cancel: &AtomicBool,
        done: impl Fn(usize) + Sync,
    ) -> Option<Vec<LinePoint>> {
        let (network, encoding) = (&problem.network, problem.encoding);
        let unknown = Score {
            loss: f64::NAN,
            accuracy: None,
        };
        let points: Vec<LinePoint> = axis
            .values()
            .into_par_iter()
            .map_init(
                || (Evaluator::new(network), vec![0.0; self.from.len()]),
                |(evaluator, params), at| {
                    let mut point = LinePoint {
                        at,
                        train: unknown,
                        validation: None,
                    };
                    if !cancel.load(Ordering::Relaxed) {
                        self.write_point(at, params);
                        let mut score =
                            |samples| evaluator.score(network, params, samples, encoding);
                        point.train = score(&problem.train).unwrap_or(unknown);
                        point.validation = score(&problem.validation);
                        done(1);
                    }
                    point
                },
            )
            .collect();
        (!cancel.load(Ordering::Relaxed)).then_some(points)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_a_line_are_its_ends_to_the_last_bit() {
        let (from, to) = (vec![0.1, -3.0e7, 1e-20], vec![0.3, 1.0, -7.7]);
        let line = Line::new(from.clone(), to.clone()).unwrap();
        let mut params = vec![0.0; 3];
        line.write_point(0.0, &mut params);
        assert_eq!(params, from);
        line.write_point(1.0, &mut params);
        assert_eq!(params, to);
        let line = Line::new(vec![0.0, 1.0], vec![3.0, 5.0]).unwrap();
        assert_eq!(line.length(), 5.0);
        assert_eq!(
            Line::new(vec![1.0], vec![1.0, 2.0]),
            Err(LineError::Lengths(1, 2))
        );
        assert_eq!(Line::new(vec![1.0], vec![1.0]), Err(LineError::Same));
    }
}
