//! Back-propagation beside what a derivative is: the gradient that the network
//! computes and differences of its loss, over random networks, data and
//! penalties, for every activation, loss and depth.
#![allow(clippy::unwrap_used)] // a test fails by panicking

use gradscape::nn::{Activation, Loss, Network, Real, Workspace};
use gradscape::optim::Regulariser;
use ndarray::{Array2, ArrayView2, Axis, s};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// The largest step of the differences.
const STEP: f64 = 4e-3;

/// A network at one place of its parameter space, with a batch and penalties.
#[derive(Debug, Clone)]
struct Situation {
    network: Network,
    params: Vec<f64>,
    x: Array2<f64>,
    y: Array2<f64>,
    penalty: Regulariser,
}

impl Situation {
    fn loss(&self, params: &[f64]) -> f64 {
        let mut workspace = Workspace::new(&self.network, self.x.nrows());
        self.network.forward(params, self.x.view(), &mut workspace);
        let sum = self.network.loss_sum(&mut workspace, self.y.view());
        sum / self.x.nrows() as f64 + self.penalty.penalty(self.network.layout(), params)
    }

    fn gradient<R: Real>(&self) -> Vec<R> {
        let params: Vec<R> = self.params.iter().map(|&p| R::of(p)).collect();
        let (x, y) = (self.x.mapv(R::of), self.y.mapv(R::of));
        let mut gradient = gradient_of(&self.network, &params, x.view(), y.view());
        self.penalty
            .add_gradient(self.network.layout(), &params, &mut gradient);
        gradient
    }

    /// The derivative of the loss by one parameter, by Richardson extrapolation
    /// of central differences with steps h, h/2 and h/4, to the sixth order.
    /// For losses and steps of the size met here the method's error is below
    /// 1e-10, and so is what the rounding of the loss makes of it.
    fn difference(&self, index: usize) -> f64 {
        let central = |h: f64| {
            let mut params = self.params.clone();
            params[index] = self.params[index] + h;
            let above = self.loss(&params);
            params[index] = self.params[index] - h;
            (above - self.loss(&params)) / (2.0 * h)
        };
        let (d1, d2, d4) = (central(STEP), central(STEP / 2.0), central(STEP / 4.0));
        let (e2, e4) = ((4.0 * d2 - d1) / 3.0, (4.0 * d4 - d2) / 3.0);
        (16.0 * e4 - e2) / 15.0
    }

    /// Whether the loss is smooth as far as the differences reach: no unit with
    /// a kink, and under L1 no weight, changes sides within a step. As long as
    /// none does, pre-activations are affine in one parameter, so that the two
    /// ends of the interval speak for all of it.
    fn is_smooth(&self) -> bool {
        let sides = self.sides(&self.params);
        (0..self.params.len()).all(|index| {
            [-STEP, STEP].into_iter().all(|h| {
                let mut params = self.params.clone();
                params[index] += h;
                self.sides(&params) == sides
            })
        })
    }

    /// On which side of its kink each such unit, and under L1 each weight, is.
    fn sides(&self, params: &[f64]) -> Vec<bool> {
        let mut workspace = Workspace::new(&self.network, self.x.nrows());
        self.network.forward(params, self.x.view(), &mut workspace);
        let mut sides = Vec::new();
        for (k, layer) in self.network.layers().iter().enumerate() {
            if let Activation::Relu | Activation::LeakyRelu = layer.activation() {
                sides.extend(workspace.z(k).iter().map(|&z| z > 0.0));
            }
        }
        if self.penalty.l1 > 0.0 {
            sides.extend(params.iter().map(|&p| p > 0.0));
        }
        sides
    }
}

fn gradient_of<R: Real>(
    network: &Network,
    params: &[R],
    x: ArrayView2<'_, R>,
    y: ArrayView2<'_, R>,
) -> Vec<R> {
    let mut workspace = Workspace::new(network, x.nrows());
    // What is there before must not matter.
    let mut gradient = vec![R::of(1e30); params.len()];
    network.gradient(params, x, y, &mut workspace, &mut gradient);
    gradient
}

/// The largest difference between two gradients, relative to the larger one's
/// largest component: the scale on which an optimiser sees an error.
fn relative_error(a: &[f64], b: &[f64]) -> f64 {
    let scale = a.iter().chain(b).fold(0.0_f64, |m, v| m.max(v.abs()));
    let worst = a
        .iter()
        .zip(b)
        .fold(0.0_f64, |m, (a, b)| m.max((a - b).abs()));
    worst / scale.max(f64::MIN_POSITIVE)
}

/// Networks of `depth` layers whose hidden units all have `hidden`.
fn situations(
    depth: usize,
    hidden: Activation,
    output: Activation,
    loss: Loss,
) -> impl Strategy<Value = Situation> {
    let widths = prop::collection::vec(1..5usize, depth + 1);
    let penalties = prop_oneof![
        Just(Regulariser { l1: 0.0, l2: 0.0 }),
        (0.0..0.1_f64, 0.0..0.5_f64).prop_map(|(l1, l2)| Regulariser { l1, l2 }),
    ];
    (widths, 1..7usize, penalties).prop_flat_map(move |(mut widths, samples, penalty)| {
        if output == Activation::Softmax {
            widths[depth] = widths[depth].max(2);
        }
        let layers: Vec<_> = widths[1..]
            .iter()
            .enumerate()
            .map(|(k, &units)| (units, if k + 1 == depth { output } else { hidden }))
            .collect();
        let network = Network::dense(widths[0], &layers, loss).unwrap();
        let (inputs, outputs) = (network.inputs(), network.outputs());
        let numbers = |n: usize| prop::collection::vec(-1.5..1.5_f64, n);
        (
            numbers(network.layout().len()),
            numbers(samples * inputs),
            numbers(samples * outputs),
        )
            .prop_map(move |(params, x, y)| Situation {
                network: network.clone(),
                params,
                x: Array2::from_shape_vec((samples, inputs), x).unwrap(),
                y: targets(loss, Array2::from_shape_vec((samples, outputs), y).unwrap()),
                penalty,
            })
    })
}

/// Makes of numbers within 1.5 of 0 targets for which the loss is defined.
fn targets(loss: Loss, mut y: Array2<f64>) -> Array2<f64> {
    match loss {
        Loss::HalfSquaredError | Loss::MeanSquaredError => {}
        // Any probability, which includes the classes 0 and 1.
        Loss::BinaryCrossEntropy => y.mapv_inplace(|v| (0.5 + v).clamp(0.0, 1.0)),
        // Any distribution over the classes, most of them certain.
        Loss::SoftmaxCrossEntropy => {
            for mut row in y.rows_mut() {
                let top = row.iter().copied().fold(f64::MIN, f64::max);
                let certain = top > 0.2;
                row.mapv_inplace(|v| {
                    if certain {
                        f64::from(u8::from(v == top))
                    } else {
                        v + 1.6
                    }
                });
                let sum = row.sum();
                row.mapv_inplace(|v| v / sum);
            }
        }
    }
    y
}

/// Runs `check` on random situations for every loss with every output
/// activation that it accepts, every hidden activation and 1 to 4 layers.
fn in_every_situation(cases: u32, check: impl Fn(&Situation) -> Result<(), TestCaseError>) {
    let mut kinds = 0;
    for loss in Loss::ALL {
        for output in Activation::ALL {
            if !loss.accepts(output) {
                continue;
            }
            for depth in 1..=4 {
                for hidden in Activation::ALL {
                    // Softmax cannot be hidden; one layer has nothing hidden.
                    if hidden == Activation::Softmax || (depth == 1 && hidden != Activation::Linear)
                    {
                        continue;
                    }
                    let config = Config {
                        cases,
                        max_global_rejects: 1_000_000,
                        failure_persistence: None,
                        ..Config::default()
                    };
                    let strategy = situations(depth, hidden, output, loss);
                    if let Err(error) = TestRunner::new_with_rng(
                        config,
                        proptest::test_runner::TestRng::deterministic_rng(
                            proptest::test_runner::RngAlgorithm::ChaCha,
                        ),
                    )
                    .run(&strategy, |situation| check(&situation))
                    {
                        panic!("{loss}, {depth} layers of {hidden}, output {output}: {error}");
                    }
                    kinds += 1;
                }
            }
        }
    }
    // 9 output activations for each of two losses, 1 for each of the others;
    // 1 network without hidden layers and 8 activations at 3 depths.
    assert_eq!(kinds, 20 * 25);
}

#[test]
fn gradients_are_the_derivatives_of_the_loss_to_1e_7_relative() {
    in_every_situation(12, |situation| {
        prop_assume!(situation.is_smooth());
        let analytic = situation.gradient::<f64>();
        let numeric: Vec<f64> = (0..analytic.len())
            .map(|index| situation.difference(index))
            .collect();
        // Every component by itself; below 1e-3 what counts is the accuracy of
        // the differences.
        for (index, (a, n)) in analytic.iter().zip(&numeric).enumerate() {
            let error = (a - n).abs();
            prop_assert!(
                error <= 1e-7 * n.abs().max(1e-3),
                "parameter {index}: {a} for {n}, off by {error:e}"
            );
        }
        Ok(())
    });
}

#[test]
fn single_precision_gradients_are_the_double_ones_within_rounding() {
    in_every_situation(12, |situation| {
        // At a kink rounding decides which side counts.
        prop_assume!(situation.is_smooth());
        let double = situation.gradient::<f64>();
        let single: Vec<f64> = situation
            .gradient::<f32>()
            .into_iter()
            .map(f64::from)
            .collect();
        let largest = double.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
        let error = relative_error(&double, &single) * largest;
        // Targets and inputs are of size 1, activations behind several layers
        // larger; what cancels between them leaves their rounding behind,
        // however small the gradient.
        let allowed = 64.0 * f64::from(f32::EPSILON) * largest.max(1.0);
        prop_assert!(error <= allowed, "off by {error:e} at {largest}");
        Ok(())
    });
}

#[test]
fn a_batch_s_gradient_is_the_mean_of_its_samples_gradients() {
    in_every_situation(4, |situation| {
        let Situation {
            network, params, ..
        } = situation;
        let n = situation.x.nrows();
        let whole = gradient_of(network, params, situation.x.view(), situation.y.view());
        let mut mean = vec![0.0; params.len()];
        for row in 0..n {
            let one = gradient_of(
                network,
                params,
                situation.x.slice(s![row..=row, ..]),
                situation.y.slice(s![row..=row, ..]),
            );
            for (m, g) in mean.iter_mut().zip(one) {
                *m += g / n as f64;
            }
        }
        let error = relative_error(&whole, &mean);
        prop_assert!(error <= 1e-13, "off by {error:e}");
        Ok(())
    });
}

#[test]
fn batches_weighted_by_their_sizes_add_up_to_the_whole_gradient() {
    in_every_situation(4, |situation| {
        let Situation {
            network,
            params,
            x,
            y,
            ..
        } = situation;
        let n = x.nrows();
        let whole = gradient_of(network, params, x.view(), y.view());
        // One workspace for all batches, the last of which may be smaller:
        // what a larger batch left behind must not count.
        let mut workspace = Workspace::new(network, 4);
        let mut sum = vec![0.0; params.len()];
        for start in (0..n).step_by(4) {
            let end = (start + 4).min(n);
            let mut gradient = vec![0.0; params.len()];
            network.gradient(
                params,
                x.slice(s![start..end, ..]),
                y.slice(s![start..end, ..]),
                &mut workspace,
                &mut gradient,
            );
            for (m, g) in sum.iter_mut().zip(gradient) {
                *m += g * (end - start) as f64 / n as f64;
            }
        }
        let error = relative_error(&whole, &sum);
        prop_assert!(error <= 1e-13, "off by {error:e}");
        Ok(())
    });
}

#[test]
fn the_order_of_memory_of_inputs_and_targets_does_not_matter() {
    in_every_situation(1, |situation| {
        let Situation {
            network,
            params,
            x,
            y,
            ..
        } = situation;
        let plain = gradient_of(network, params, x.view(), y.view());
        let turned = |m: &Array2<f64>| m.t().as_standard_layout().into_owned();
        let (xt, yt) = (turned(x), turned(y));
        let strided = gradient_of(network, params, xt.t(), yt.t());
        prop_assert!(relative_error(&plain, &strided) <= 1e-13);
        prop_assert_eq!(xt.len_of(Axis(1)), x.nrows());
        Ok(())
    });
}
