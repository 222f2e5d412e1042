//! All that is said of the curvature at one place, in one go.

use super::critical::{CriticalPoint, Evidence, gain};
use super::density::Density;
use super::estimate::{Estimate, trace};
use super::hessian::LossHessian;
use super::krylov::{Krylov, Step, Symmetric, affordable, norm};
use super::lanczos::{Effort, Ends, ends};
use crate::landscape::curved::silent_loss;
use crate::landscape::{Gauge, Scope, ScopeError};
use crate::rng::{Stream, stream};
use std::sync::atomic::{AtomicBool, Ordering};

/// Lanczos steps from the gradient, to see what it leads to.
const GAIN_STEPS: usize = 30;

/// What to compute, and how well.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurvatureOptions {
    /// So many eigenvalues, the largest in absolute value.
    pub top: usize,
    /// So many random vectors for the trace and for the density; none of either
    /// for 0.
    pub probes: usize,
    /// Lanczos steps of each for the density; none for 0.
    pub steps: usize,
    /// What the random vectors follow from.
    pub seed: u64,
    /// How far the search for eigenvalues goes.
    pub effort: Effort,
}

impl Default for CurvatureOptions {
    /// Ten eigenvalues, ten probes of 80 steps.
    fn default() -> Self {
        CurvatureOptions {
            top: 10,
            probes: 10,
            steps: 80,
            seed: 0,
            effort: Effort::default(),
        }
    }
}

impl CurvatureOptions {
    /// The two ends of the spectrum and the name of the place alone: what can be
    /// had while training runs.
    pub fn quick() -> Self {
        CurvatureOptions {
            top: 2,
            probes: 0,
            steps: 0,
            effort: Effort {
                tolerance: 1e-3,
                vectors: 60,
            },
            ..Default::default()
        }
    }

    /// About how many products with the Hessian of `size` rows it takes.
    pub fn products(&self, size: usize) -> usize {
        let gain = GAIN_STEPS.min(size);
        let search = size.min(self.effort.vectors.max(super::WHOLE)) + self.top + 2;
        let probe = match self.steps {
            0 => 1,
            steps => steps.min(size),
        };
        let probes = if self.probes == 0 {
            0
        } else {
            self.probes.max(2)
        };
        gain + search + probes * probe
    }
}

/// Why there is no curvature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CurvatureError {
    /// What should move is not there.
    #[error(transparent)]
    Scope(#[from] ScopeError),
    /// Nothing moves, or there are no samples.
    #[error("there is nothing to differentiate: no parameters that move, or no samples")]
    Empty,
    /// Numbers are not finite here.
    #[error("the loss, its gradient or its Hessian is not finite here")]
    NotFinite,
    /// It was called off.
    #[error("called off")]
    Cancelled,
}

/// The curvature of the loss at one place.
#[derive(Debug, Clone, PartialEq)]
pub struct Curvature {
    /// How many parameters move: the rows of the Hessian.
    pub size: usize,
    /// The gradient with respect to these.
    pub gradient: Vec<f64>,
    /// The ends of the spectrum.
    pub ends: Ends,
    /// The trace, by Hutchinson.
    pub trace: Option<Estimate>,
    /// The spectral density.
    pub density: Option<Density>,
    /// What the name of the place follows from.
    pub evidence: Evidence,
    /// Products with the Hessian that it took.
    pub products: usize,
}

impl Curvature {
    /// The curvature of `gauge`'s loss at `params`, of what `scope` moves.
    /// `progress` is told after each product with the Hessian how many were made
    /// ([`CurvatureOptions::products`] says about how many there will be). The
    /// same seed gives the same numbers on any number of threads.
    ///
    /// # Errors
    /// When there is none, or it was called off.
    pub fn new(
        gauge: Gauge<'_>,
        params: &[f32],
        scope: &Scope,
        options: CurvatureOptions,
        cancel: &AtomicBool,
        progress: &dyn Fn(usize),
    ) -> Result<Self, CurvatureError> {
        let mut hessian = LossHessian::new(gauge, params, scope, cancel)?;
        let size = hessian.size();
        if size == 0 || gauge.samples().is_empty() {
            return Err(CurvatureError::Empty);
        }
        let stopped = || match cancel.load(Ordering::Relaxed) {
            true => CurvatureError::Cancelled,
            false => CurvatureError::NotFinite,
        };
        let (loss, gradient) = hessian.gradient().ok_or_else(stopped)?;
        if !(loss.is_finite() && norm(&gradient).is_finite()) {
            return Err(CurvatureError::NotFinite);
        }
        let weights = hessian.weights_norm();
        let length = if weights > 0.0 { weights } else { 1.0 };
        let (gain, mut products) =
            gain_from(&mut hessian, &gradient, length, progress).ok_or_else(stopped)?;
        let so_far = products;
        let step = |n: usize| progress(so_far + n);
        let mut rng = stream(options.seed, Stream::Curvature);
        let found = ends(&mut hessian, options.top, options.effort, &mut rng, &step);
        let found = found.ok_or_else(stopped)?;
        products += found.products;
        let so_far = products;
        let step = |n: usize| progress(so_far + n);
        let (mut density, mut estimate) = (None, None);
        if options.probes > 0 && options.steps > 0 {
            let (probes, steps) = (options.probes, options.steps);
            let counted = std::cell::Cell::new(0);
            let step = |n: usize| {
                counted.set(n);
                step(n);
            };
            let made = Density::new(&mut hessian, probes, steps, &mut rng, &step);
            let made = made.ok_or_else(stopped)?;
            let mean = made.moment(1);
            // The first product of each probe is Hutchinson's.
            estimate = Some(Estimate {
                value: size as f64 * mean.value,
                standard_error: size as f64 * mean.standard_error,
            });
            density = Some(made);
            products += counted.get();
        } else if options.probes > 0 {
            let made = trace(&mut hessian, options.probes, &mut rng, &step);
            estimate = Some(made.ok_or_else(stopped)?);
            products += options.probes.max(2);
        }
        let end = |pair: &Option<super::Eigenpair>| pair.as_ref().map_or(f64::NAN, |p| p.value);
        let (largest, smallest) = (end(&found.largest), end(&found.smallest));
        if !(largest.is_finite() && smallest.is_finite()) {
            return Err(CurvatureError::NotFinite);
        }
        Ok(Curvature {
            size,
            evidence: Evidence {
                loss,
                loss_scale: silent_loss(gauge, params).max(loss),
                length_scale: length,
                gradient_norm: norm(&gradient),
                // No loss of a network is below zero.
                gain: gain.min(loss),
                largest,
                smallest,
            },
            gradient,
            ends: found,
            trace: estimate,
            density,
            products,
        })
    }

    /// What kind of place this is.
    pub fn point(&self) -> CriticalPoint {
        self.evidence.point()
    }

    /// Sharpness: the largest eigenvalue. Gradient descent with a learning rate
    /// above 2 over it is thrown out of a minimum as sharp.
    pub fn sharpness(&self) -> f64 {
        self.evidence.largest
    }

    /// The epsilon-sharpness of Keskar et al. (2017, arXiv:1609.04836) in a ball of
    /// radius `epsilon`, to second order at a minimum: by how much of `1 + loss`
    /// the loss can rise, `largest epsilon^2 / (2 (1 + loss))` (Dinh et al. 2017,
    /// arXiv:1703.04933, section 2).
    pub fn epsilon_sharpness(&self, epsilon: f64) -> f64 {
        self.sharpness().max(0.0) * epsilon * epsilon / (2.0 * (1.0 + self.evidence.loss))
    }
}

/// What following the gradient can gain within `length`, by the Lanczos process
/// that begins with it; and the products that took.
fn gain_from(
    hessian: &mut LossHessian<'_>,
    gradient: &[f64],
    length: f64,
    progress: &dyn Fn(usize),
) -> Option<(f64, usize)> {
    let steps = GAIN_STEPS.min(affordable(gradient.len()));
    let Some(mut krylov) = Krylov::new(gradient.to_vec()) else {
        return Some((0.0, 0));
    };
    loop {
        match krylov.step(hessian, &[]) {
            Step::Cancelled => return None,
            Step::Grown if krylov.steps() < steps => progress(krylov.steps()),
            _ => break,
        }
    }
    let ritz = krylov.ritz()?;
    let slope = norm(gradient);
    let components = ritz.values.iter().zip(&ritz.first);
    let components: Vec<(f64, f64)> = components
        .map(|(&value, &first)| (value, slope * first))
        .collect();
    Some((gain(&components, length), krylov.steps()))
}
