//! Random directions that are to a network's weights as large as these are:
//! filter normalisation (Li et al. 2018, arXiv:1712.09913, section 4).

use crate::nn::{Layout, ParamRole};
use crate::rng::Rng;
use rand::RngExt;
use rand_distr::StandardNormal;

/// A Gaussian direction whose part in each unit's or filter's weights is as long
/// as those weights are at `center`. What is a single number a unit does not
/// move: biases, gains, shifts, slopes; nor what batch normalisation gathered.
pub(super) fn filter_normalised(layout: &Layout, center: &[f32], rng: &mut Rng) -> Vec<f32> {
    let mut direction = vec![0.0_f32; layout.len()];
    for tensor in layout.tensors() {
        if tensor.role != ParamRole::Weight {
            continue;
        }
        let row: usize = tensor.shape[1..].iter().product();
        let rows = direction[tensor.range.clone()].chunks_exact_mut(row);
        for (d, w) in rows.zip(center[tensor.range.clone()].chunks_exact(row)) {
            d.iter_mut().for_each(|v| *v = rng.sample(StandardNormal));
            let scale = norm(w) / norm(d).max(f64::MIN_POSITIVE);
            d.iter_mut()
                .for_each(|v| *v = (f64::from(*v) * scale) as f32);
        }
    }
    direction
}

fn norm(row: &[f32]) -> f64 {
    row.iter()
        .map(|&v| f64::from(v).powi(2))
        .sum::<f64>()
        .sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::landscape::Directions;
    use crate::nn::{Activation, Init, LayerKind, LayerSpec, Loss, Network, Shape};
    use crate::rng::{Stream, stream};

    #[test]
    fn random_directions_have_the_norms_of_the_weights_rows_and_leave_biases() {
        let network = Network::dense(
            3,
            &[(4, Activation::Tanh), (2, Activation::Linear)],
            Loss::HalfSquaredError,
        )
        .unwrap();
        let layout = network.layout();
        let center: Vec<f32> = (0..layout.len()).map(|i| 0.3 * i as f32 - 2.0).collect();
        let plane = Directions::Random { seed: 5 }
            .plane(layout, &center)
            .unwrap();
        for direction in [plane.direction_x(), plane.direction_y()] {
            for tensor in layout.tensors() {
                let part = &direction[tensor.range.clone()];
                if tensor.role == ParamRole::Bias {
                    assert!(part.iter().all(|&v| v == 0.0));
                    continue;
                }
                let row = tensor.shape[1];
                let weights = center[tensor.range.clone()].chunks(row);
                for (d, w) in part.chunks(row).zip(weights) {
                    assert!((norm(d) / norm(w) - 1.0).abs() < 1e-6);
                }
            }
        }
    }

    /// A filter is a row: all its channels and places together. What belongs to a
    /// normalisation or a learnt ReLU does not move, nor what was gathered.
    #[test]
    fn random_directions_scale_whole_filters_and_leave_normalisations() {
        use crate::nn::layer::{BatchNorm, Conv};
        let specs = [
            LayerSpec::new(LayerKind::Conv(Conv::square(3, 2)), Activation::Linear),
            LayerSpec::new(
                LayerKind::BatchNorm(BatchNorm::default()),
                Activation::Linear,
            ),
            LayerSpec::new(LayerKind::PRelu { slope: 0.25 }, Activation::Linear),
            LayerSpec::new(LayerKind::Flatten, Activation::Linear),
            LayerSpec::new(LayerKind::Dense { units: 2 }, Activation::Linear),
        ];
        let network = Network::new(Shape::image(2, 4, 4), &specs, Loss::HalfSquaredError).unwrap();
        let layout = network.layout();
        let mut rng = stream(2, Stream::Init);
        let center: Vec<f32> = network.initialise(Init::Xavier, 1.0, 0.1, &mut rng);
        let plane = Directions::Random { seed: 1 }
            .plane(layout, &center)
            .unwrap();
        let mut moved = 0;
        for tensor in layout.tensors() {
            let (d, w) = (
                &plane.direction_x()[tensor.range.clone()],
                &center[tensor.range.clone()],
            );
            if tensor.role != ParamRole::Weight {
                assert!(d.iter().all(|&v| v == 0.0), "{}", tensor.key());
                continue;
            }
            let row = d.len() / tensor.shape[0];
            moved += tensor.shape[0];
            for (d, w) in d.chunks(row).zip(w.chunks(row)) {
                assert!((norm(d) / norm(w) - 1.0).abs() < 1e-6, "{}", tensor.key());
            }
        }
        assert_eq!(moved, 3 + 2);
    }
}
