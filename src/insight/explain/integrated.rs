//! Integrated gradients, with the check that comes with them: the attributions add up
//! to the difference between the sample's readout and the baseline's.

use crate::insight::model::Model;
use crate::nn::{Readout, Real};
use ndarray::{Array2, ArrayView1};

/// How the integral is taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IntegratedGradients {
    /// Equal parts of the straight line from the baseline to the sample to begin with;
    /// the gradient is taken in the middle of each.
    pub steps: usize,
    /// How far the sum may be from the difference of the readouts. Parts of the line
    /// along which the gradient jumps are halved until it is not. 0 for none.
    pub tolerance: f64,
    /// No more gradients than this.
    pub most: usize,
}

impl Default for IntegratedGradients {
    fn default() -> Self {
        IntegratedGradients {
            steps: 128,
            tolerance: 1e-4,
            most: 8192,
        }
    }
}

/// Attributions with their completeness check.
#[derive(Debug, Clone, PartialEq)]
pub struct Integrated {
    /// One for each value of the sample.
    pub values: Vec<f64>,
    /// The readout for the sample.
    pub at_sample: f64,
    /// The readout for the baseline.
    pub at_baseline: f64,
    /// How many gradients were taken.
    pub gradients: usize,
}

impl Integrated {
    /// What the attributions sum to.
    pub fn sum(&self) -> f64 {
        self.values.iter().sum()
    }

    /// The difference of the readouts, which the sum should be.
    pub fn difference(&self) -> f64 {
        self.at_sample - self.at_baseline
    }

    /// How far the two are apart.
    pub fn gap(&self) -> f64 {
        (self.sum() - self.difference()).abs()
    }
}

/// A part of the line, from share `from` to share `to` of the way.
#[derive(Debug, Clone)]
struct Part {
    from: f64,
    to: f64,
    /// The readout at both ends and in the middle.
    ends: [f64; 2],
    middle: f64,
    /// The gradient in the middle.
    gradient: Vec<f64>,
    /// What the readout rises by that the gradient does not explain.
    gap: f64,
}

impl IntegratedGradients {
    /// `(x_i - x'_i) int_0^1 d readout / dx_i (x' + t (x - x')) dt` with `x'` the
    /// baseline (Sundararajan, Taly and Yan 2017, arXiv:1703.01365, equation 1).
    pub fn explain<R: Real>(
        &self,
        model: &mut Model<'_, R>,
        readout: &Readout,
        x: ArrayView1<'_, R>,
        baseline: ArrayView1<'_, R>,
    ) -> Integrated {
        let steps = self.steps.max(1);
        let mut line = Line {
            model,
            readout,
            baseline,
            way: (&x - &baseline).to_vec(),
        };
        let bounds: Vec<f64> = (0..=steps).map(|k| k as f64 / steps as f64).collect();
        let ends = line.values(&bounds);
        let spans: Vec<_> = (0..steps)
            .map(|k| (bounds[k], bounds[k + 1], [ends[k], ends[k + 1]]))
            .collect();
        let mut parts = line.parts(&spans);
        let mut gradients = parts.len();
        loop {
            let gap: f64 = parts.iter().map(|p| p.gap.abs()).sum();
            let share = 0.5 * self.tolerance / parts.len() as f64;
            let is_rough = |p: &Part| p.gap.abs() > share;
            let rough = parts.iter().filter(|p| is_rough(p)).count();
            let allowed = self.tolerance > 0.0 && gradients + 2 * rough <= self.most;
            if gap <= self.tolerance || rough == 0 || !allowed {
                break;
            }
            let (rough, fine): (Vec<Part>, Vec<Part>) = parts.into_iter().partition(is_rough);
            let halves: Vec<_> = rough
                .iter()
                .flat_map(|p| {
                    let half = 0.5 * (p.from + p.to);
                    [
                        (p.from, half, [p.ends[0], p.middle]),
                        (half, p.to, [p.middle, p.ends[1]]),
                    ]
                })
                .collect();
            gradients += halves.len();
            parts = fine;
            parts.extend(line.parts(&halves));
        }
        let mut values = vec![0.0; x.len()];
        for part in &parts {
            let width = part.to - part.from;
            for (v, g) in values.iter_mut().zip(&part.gradient) {
                *v += width * g;
            }
        }
        for (v, way) in values.iter_mut().zip(&line.way) {
            *v *= way.wide();
        }
        Integrated {
            values,
            at_sample: ends[steps],
            at_baseline: ends[0],
            gradients,
        }
    }
}

/// The straight line from the baseline to the sample.
struct Line<'m, 'n, 'a, R> {
    model: &'m mut Model<'n, R>,
    readout: &'a Readout,
    baseline: ArrayView1<'a, R>,
    way: Vec<R>,
}

impl<R: Real> Line<'_, '_, '_, R> {
    fn points(&self, at: &[f64]) -> Array2<R> {
        Array2::from_shape_fn((at.len(), self.way.len()), |(k, i)| {
            self.baseline[i] + R::of(at[k]) * self.way[i]
        })
    }

    fn values(&mut self, at: &[f64]) -> Vec<f64> {
        let points = self.points(at);
        self.model.values(self.readout, points.view())
    }

    fn parts(&mut self, spans: &[(f64, f64, [f64; 2])]) -> Vec<Part> {
        let middles: Vec<f64> = spans.iter().map(|s| 0.5 * (s.0 + s.1)).collect();
        let points = self.points(&middles);
        let (values, gradients) = self.model.gradients(self.readout, points.view());
        let parts = spans.iter().zip(values).zip(gradients.rows());
        parts
            .map(|((&(from, to, ends), middle), gradient)| {
                let gradient: Vec<f64> = gradient.iter().map(|g| g.wide()).collect();
                let along = gradient.iter().zip(&self.way);
                let slope: f64 = along.map(|(g, way)| g * way.wide()).sum();
                Part {
                    from,
                    to,
                    ends,
                    middle,
                    gap: ends[1] - ends[0] - (to - from) * slope,
                    gradient,
                }
            })
            .collect()
    }
}
