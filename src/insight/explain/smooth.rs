//! SmoothGrad: the gradient, averaged over noisy copies of the sample.

use crate::insight::model::Model;
use crate::nn::{Readout, Real};
use crate::rng::{Stream, stream};
use ndarray::{Array2, ArrayView1};
use rand_distr::{Distribution, StandardNormal};

/// How the copies are made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SmoothGrad {
    /// How many copies.
    pub copies: usize,
    /// The noise's standard deviation, as a share of the sample's largest value minus
    /// its least one.
    pub noise: f64,
    /// What the noise follows from.
    pub seed: u64,
}

impl Default for SmoothGrad {
    /// The noise of Smilkov et al., section 4.1 (10 to 20 % "balance the sharpness").
    fn default() -> Self {
        SmoothGrad {
            copies: 64,
            noise: 0.15,
            seed: 7,
        }
    }
}

impl SmoothGrad {
    /// `1/n sum_k d readout / dx (x + N(0, sigma^2))` (Smilkov et al. 2017,
    /// arXiv:1706.03825, section 3).
    pub fn explain<R: Real>(
        &self,
        model: &mut Model<'_, R>,
        readout: &Readout,
        x: ArrayView1<'_, R>,
    ) -> Vec<f64> {
        let values = || x.iter().map(|v| v.wide());
        let span =
            values().fold(f64::NEG_INFINITY, f64::max) - values().fold(f64::INFINITY, f64::min);
        let sigma = self.noise * span;
        let mut rng = stream(self.seed, Stream::Explanation);
        let copies = self.copies.max(1);
        let noisy = Array2::from_shape_fn((copies, x.len()), |(_, i)| {
            let normal: f64 = StandardNormal.sample(&mut rng);
            R::of(x[i].wide() + sigma * normal)
        });
        let (_, gradients) = model.gradients(readout, noisy.view());
        let column = |c: ArrayView1<'_, R>| c.iter().map(|g| g.wide()).sum::<f64>();
        let columns = gradients.columns().into_iter();
        columns.map(|c| column(c) / copies as f64).collect()
    }
}
