//! The gradient over a whole part of the data, in bounded memory.

use crate::nn::{Network, Real, Workspace};
use ndarray::{ArrayView2, s};

/// Samples that pass through the network at once, at most; the losses are summed in the
/// same chunks as an evaluation's, and so come out the same to the last bit.
const CHUNK: usize = 128;

/// The mean data loss over inputs `x` `[n, inputs]` and encoded targets `y`
/// `[n, outputs]`, without penalties on weights, and its gradient with respect
/// to `params`. Computed in `R` a chunk at a time; the chunks are summed in f64.
/// The loss is NaN and the gradient zero when there are no samples.
pub fn full_gradient<R: Real>(
    network: &Network,
    params: &[R],
    x: ArrayView2<'_, R>,
    y: ArrayView2<'_, R>,
) -> (f64, Vec<R>) {
    let n = x.nrows();
    let at_once = network.samples_at_once(CHUNK);
    let mut workspace = Workspace::new(network, at_once.min(n.max(1)));
    let mut chunk = vec![R::zero(); params.len()];
    let mut total = vec![0.0_f64; params.len()];
    let mut loss = 0.0;
    for start in (0..n).step_by(at_once) {
        let end = (start + at_once).min(n);
        let (x, y) = (x.slice(s![start..end, ..]), y.slice(s![start..end, ..]));
        network.forward(params, x, &mut workspace);
        loss += network.loss_sum(&mut workspace, y);
        network.backward_loaded(params, &mut workspace, &mut chunk);
        let share = (end - start) as f64;
        for (t, &g) in total.iter_mut().zip(&chunk) {
            *t += share * g.wide();
        }
    }
    let n = n as f64;
    let gradient = total
        .iter()
        .map(|&t| R::of(if n > 0.0 { t / n } else { 0.0 }));
    (loss / n, gradient.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::{Activation, Loss};
    use ndarray::Array2;

    #[test]
    fn chunks_add_up_to_the_gradient_of_all_samples_at_once() {
        let layers = [(4, Activation::Tanh), (2, Activation::Softmax)];
        let network = Network::dense(3, &layers, Loss::SoftmaxCrossEntropy).unwrap();
        let n = 300;
        let params: Vec<f64> = (0..network.layout().len())
            .map(|i| (0.7 * i as f64).sin())
            .collect();
        let x = Array2::from_shape_fn((n, 3), |(i, j)| ((i * 3 + j) as f64).cos());
        let y = Array2::from_shape_fn((n, 2), |(i, k)| f64::from(u8::from(i % 2 == k)));
        let (loss, gradient) = full_gradient(&network, &params, x.view(), y.view());
        let mut workspace = Workspace::new(&network, n);
        let mut whole = vec![0.0; params.len()];
        let expected = network.gradient(&params, x.view(), y.view(), &mut workspace, &mut whole);
        assert!((loss - expected).abs() < 1e-14);
        for (a, b) in gradient.iter().zip(&whole) {
            assert!((a - b).abs() < 1e-14, "{a} {b}");
        }
    }
}
