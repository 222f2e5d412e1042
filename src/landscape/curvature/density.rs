//! How many eigenvalues a matrix has where: its spectral density by stochastic
//! Lanczos quadrature (Ubaru, Chen and Saad 2017; for networks Ghorbani,
//! Krishnan and Xiao 2019, arXiv:1901.10159, algorithm 1).

use super::estimate::{Estimate, rademacher};
use super::krylov::{Krylov, Step, Symmetric, affordable};
use crate::rng::Rng;

/// Points at which the density is given.
const POINTS: usize = 1024;
/// The width of the bell curves, as a share of the spectrum's.
const WIDTH: f64 = 1.0 / 250.0;
/// So many widths beyond the outermost eigenvalue the density ends.
const MARGIN: f64 = 5.0;

/// A spectral density with its error: the share of eigenvalues per unit, so that
/// its integral is 1. Each probe's random vector of -1 and 1 weighs the
/// eigenvalues by its squared components, which come to the same for all of them
/// on average; its Lanczos process gives nodes and weights that have the same
/// first `2 steps - 1` moments, and each node is drawn as a bell curve (a Gaussian
/// with `width` as its standard deviation).
#[derive(Debug, Clone, PartialEq)]
pub struct Density {
    /// Where, in ascending order and evenly spaced.
    pub at: Vec<f64>,
    /// The density there, a mean over the probes.
    pub density: Vec<f64>,
    /// The standard error of that mean.
    pub standard_error: Vec<f64>,
    /// The standard deviation of the bell curves.
    pub width: f64,
    /// Lanczos steps of a probe, at most.
    pub steps: usize,
    // Of each probe, its nodes (eigenvalue, weight); weights add up to 1.
    nodes: Vec<Vec<(f64, f64)>>,
}

impl Density {
    /// Of `matrix`, from `probes` random vectors, at least two, with up to `steps`
    /// Lanczos steps each (fewer where memory or the matrix ends before). `done`
    /// is told after each product how many were made. `None` where it was called
    /// off or numbers are not finite.
    pub fn new(
        matrix: &mut impl Symmetric,
        probes: usize,
        steps: usize,
        rng: &mut Rng,
        done: &dyn Fn(usize),
    ) -> Option<Self> {
        let size = matrix.size();
        let steps = steps.min(affordable(size)).min(size).max(1);
        let (mut nodes, mut made) = (Vec::new(), 0);
        for _ in 0..probes.max(2) {
            let mut krylov = Krylov::new(rademacher(size, rng))?;
            loop {
                let outcome = krylov.step(matrix, &[]);
                if outcome == Step::Cancelled {
                    return None;
                }
                made += 1;
                done(made);
                if outcome == Step::Closed || krylov.steps() == steps {
                    break;
                }
            }
            let ritz = krylov.ritz()?;
            let weights = ritz.first.iter().map(|f| f * f);
            nodes.push(ritz.values.iter().copied().zip(weights).collect());
        }
        Some(Self::from_nodes(nodes, steps))
    }

    fn from_nodes(nodes: Vec<Vec<(f64, f64)>>, steps: usize) -> Self {
        let all = nodes.iter().flatten().map(|n| n.0);
        let lo = all.clone().fold(f64::INFINITY, f64::min);
        let hi = all.fold(f64::NEG_INFINITY, f64::max);
        // A spectrum of a single value is drawn as narrow as its size allows.
        let reach = (hi - lo).max(1e-6 * hi.abs().max(lo.abs())).max(1e-12);
        let width = WIDTH * reach;
        let (first, last) = (lo - MARGIN * width, hi + MARGIN * width);
        let step = (last - first) / (POINTS - 1) as f64;
        let at: Vec<f64> = (0..POINTS).map(|i| first + i as f64 * step).collect();
        let bell = |t: f64| (-0.5 * t * t).exp() / (width * std::f64::consts::TAU.sqrt());
        let of_probe = |probe: &Vec<(f64, f64)>| -> Vec<f64> {
            let value = |&t: &f64| probe.iter().map(|&(v, w)| w * bell((t - v) / width)).sum();
            at.iter().map(value).collect()
        };
        let curves: Vec<Vec<f64>> = nodes.iter().map(of_probe).collect();
        let mut density = Density {
            density: Vec::with_capacity(POINTS),
            standard_error: Vec::with_capacity(POINTS),
            width,
            steps,
            nodes,
            at,
        };
        for i in 0..POINTS {
            let values: Vec<f64> = curves.iter().map(|c| c[i]).collect();
            let estimate = Estimate::of(&values);
            density.density.push(estimate.value);
            density.standard_error.push(estimate.standard_error);
        }
        density
    }

    /// How many random vectors it is from.
    pub fn probes(&self) -> usize {
        self.nodes.len()
    }

    /// The share of eigenvalues up to `value`, without the bell curves.
    pub fn share_below(&self, value: f64) -> Estimate {
        self.mean(|v| if v <= value { 1.0 } else { 0.0 })
    }

    /// The mean of the eigenvalues' `power`-th powers; its error is that of the
    /// probes alone up to a power of `2 steps - 1`. The first one times the
    /// number of rows is the trace.
    pub fn moment(&self, power: i32) -> Estimate {
        self.mean(|v| v.powi(power))
    }

    fn mean(&self, of: impl Fn(f64) -> f64) -> Estimate {
        let probe = |nodes: &Vec<(f64, f64)>| nodes.iter().map(|&(v, w)| w * of(v)).sum();
        let values: Vec<f64> = self.nodes.iter().map(probe).collect();
        Estimate::of(&values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Stream, stream};

    struct Diagonal(Vec<f64>);

    impl Symmetric for Diagonal {
        fn size(&self) -> usize {
            self.0.len()
        }

        fn product(&mut self, v: &[f64], out: &mut [f64]) -> bool {
            let products = self.0.iter().zip(v).map(|(d, v)| d * v);
            out.iter_mut().zip(products).for_each(|(o, p)| *o = p);
            true
        }
    }

    /// On a diagonal every vector of -1 and 1 weighs all eigenvalues the same, so
    /// that one probe is as good as all.
    #[test]
    fn a_diagonal_has_its_density_without_an_error() {
        for values in [vec![2.0; 5], vec![-1.0, 0.0, 0.0, 3.0], vec![0.0; 3]] {
            let mut matrix = Diagonal(values.clone());
            let mut rng = stream(0, Stream::Curvature);
            let density = Density::new(&mut matrix, 3, 80, &mut rng, &|_| {}).unwrap();
            let step = density.at[1] - density.at[0];
            let integral: f64 = density.density.iter().sum::<f64>() * step;
            assert!((integral - 1.0).abs() < 1e-5, "{integral}");
            let n = values.len() as f64;
            for at in [-2.0, -0.5, 0.5, 2.5] {
                let share = density.share_below(at);
                let exact = values.iter().filter(|v| **v <= at).count() as f64 / n;
                assert!((share.value - exact).abs() < 1e-12);
                assert!(share.standard_error < 1e-12);
            }
            let mean = values.iter().sum::<f64>() / n;
            assert!((density.moment(1).value - mean).abs() < 1e-12);
        }
    }
}
