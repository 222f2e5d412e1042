//! Products with the Hessian over a whole part of the data, in bounded memory.

use crate::nn::{Network, Real, Tangents, Workspace};
use ndarray::{Array2, ArrayView2, s};

/// Samples that pass through the network at once.
const CHUNK: usize = 128;

/// The Hessian of the mean data loss (without penalties) at one place, as what it
/// does to a vector. Computed in `R` a chunk at a time; the chunks are summed in
/// f64.
pub struct FullHessian<'a, R> {
    network: &'a Network,
    params: &'a [R],
    x: ArrayView2<'a, R>,
    y: ArrayView2<'a, R>,
    workspace: Workspace<R>,
    tangents: Tangents<R>,
    gradient: Vec<R>,
    chunk: Vec<R>,
}

impl<'a, R: Real> FullHessian<'a, R> {
    /// At `params` over inputs `x` `[n, inputs]` and encoded targets `y`
    /// `[n, outputs]`, n at least 1.
    pub fn new(
        network: &'a Network,
        params: &'a [R],
        x: ArrayView2<'a, R>,
        y: ArrayView2<'a, R>,
    ) -> Self {
        FullHessian {
            network,
            params,
            x,
            y,
            workspace: Workspace::new(network, network.samples_at_once(CHUNK)),
            tangents: Tangents::new(network),
            gradient: vec![R::zero(); params.len()],
            chunk: vec![R::zero(); params.len()],
        }
    }

    /// The number of rows: the parameters that training moves.
    pub fn size(&self) -> usize {
        self.network.layout().trainable()
    }

    /// `H v`, exactly ([`Network::hessian_vector`]); `v` is as long as the
    /// parameter vector, of which the statistics are ignored.
    pub fn product(&mut self, v: &[R]) -> Vec<f64> {
        let n = self.x.nrows();
        let mut total = vec![0.0; self.size()];
        let at_once = self.network.samples_at_once(CHUNK);
        for start in (0..n).step_by(at_once) {
            let end = (start + at_once).min(n);
            self.network.hessian_vector(
                self.params,
                self.x.slice(s![start..end, ..]),
                self.y.slice(s![start..end, ..]),
                v,
                &mut self.workspace,
                &mut self.tangents,
                &mut self.gradient,
                &mut self.chunk,
            );
            let share = (end - start) as f64 / n as f64;
            for (t, &h) in total.iter_mut().zip(&self.chunk) {
                *t += share * h.wide();
            }
        }
        total
    }

    /// The whole matrix, a product a column; symmetric within rounding.
    pub fn matrix(&mut self) -> Array2<f64> {
        let size = self.size();
        let mut v = vec![R::zero(); self.params.len()];
        let mut matrix = Array2::zeros((size, size));
        for j in 0..size {
            v[j] = R::one();
            let column = self.product(&v);
            v[j] = R::zero();
            matrix
                .column_mut(j)
                .assign(&ndarray::ArrayView1::from(&column));
        }
        matrix
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::{Activation, Loss};

    #[test]
    fn chunks_add_up_to_the_hessian_of_all_samples_at_once() {
        let layers = [(4, Activation::Tanh), (2, Activation::Softmax)];
        let network = Network::dense(3, &layers, Loss::SoftmaxCrossEntropy).unwrap();
        let n = 300;
        let params: Vec<f64> = (0..network.layout().len())
            .map(|i| (0.7 * i as f64).sin())
            .collect();
        let x = Array2::from_shape_fn((n, 3), |(i, j)| ((i * 3 + j) as f64).cos());
        let y = Array2::from_shape_fn((n, 2), |(i, k)| f64::from(u8::from(i % 2 == k)));
        let mut workspace = Workspace::new(&network, n);
        let whole = network.hessian(&params, x.view(), y.view(), &mut workspace);
        let parts = FullHessian::new(&network, &params, x.view(), y.view()).matrix();
        assert!(whole.iter().any(|h| h.abs() > 1e-3));
        for (a, b) in parts.iter().zip(&whole) {
            assert!((a - b).abs() < 1e-14, "{a} {b}");
        }
    }
}
