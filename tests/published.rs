//! Numbers that others printed: each has to come out to its last digit.
#![allow(clippy::unwrap_used)] // a test fails by panicking

use gradscape::landscape::{Axis, Directions, Gauge, Slice, evaluate};
use gradscape::nn::{Activation, Loss, Network, ParamPlace, ParamRole, Real, Workspace};
use gradscape::optim::OptimizerKind;
use gradscape::train::Samples;
use ndarray::{Array2, array};
use std::sync::atomic::AtomicBool;

/// Whether `value` rounds to `printed`, a decimal number such as `-.0123` or
/// `3.51e-5`: they differ by at most half a unit of its last digit.
#[track_caller]
fn assert_prints(what: &str, value: f64, printed: &str) {
    let (mantissa, exponent) = printed.split_once('e').unwrap_or((printed, "0"));
    let decimals = mantissa.split_once('.').map_or(0, |(_, d)| d.len()) as i32;
    let unit = 10f64.powi(exponent.parse::<i32>().unwrap() - decimals);
    let expected: f64 = printed.parse().unwrap();
    assert!(
        (value - expected).abs() <= 0.5 * unit * (1.0 + 1e-9),
        "{what}: {value} for {printed}"
    );
}

#[test]
fn a_number_prints_as_another_up_to_half_a_unit_of_the_last_digit() {
    assert_prints("rounds up", 0.298_371_108_76, ".298371109");
    assert_prints("exponent", 3.510_187_782_8e-5, "3.510187783e-5");
    assert!(std::panic::catch_unwind(|| assert_prints("off", 0.123_41, ".1235")).is_err());
}

/// Matt Mazur, "A Step by Step Backpropagation Example" (2015): 2-2-2, logistic,
/// one sample, squared error halved. Each layer's units share a bias, which is
/// not trained.
mod mazur {
    use super::*;

    const RATE: f64 = 0.5;

    struct Example {
        network: Network,
        params: Vec<f64>,
        x: Array2<f64>,
        y: Array2<f64>,
        workspace: Workspace<f64>,
        gradient: Vec<f64>,
    }

    impl Example {
        fn new() -> Self {
            let network = Network::dense(
                2,
                &[(2, Activation::Sigmoid), (2, Activation::Sigmoid)],
                Loss::HalfSquaredError,
            )
            .unwrap();
            Example {
                params: vec![
                    0.15, 0.20, 0.25, 0.30, 0.35, 0.35, 0.40, 0.45, 0.50, 0.55, 0.60, 0.60,
                ],
                x: array![[0.05, 0.10]],
                y: array![[0.01, 0.99]],
                workspace: Workspace::new(&network, 1),
                gradient: vec![0.0; 12],
                network,
            }
        }

        /// The error at the current weights; fills `gradient`.
        fn propagate(&mut self) -> f64 {
            self.network.gradient(
                &self.params,
                self.x.view(),
                self.y.view(),
                &mut self.workspace,
                &mut self.gradient,
            )
        }

        /// Moves the weights, all at once, and leaves the biases.
        fn descend(&mut self) {
            for layer in 0..2 {
                self.gradient[self.network.layout().bias(layer)].fill(0.0);
            }
            OptimizerKind::Sgd
                .build::<f64>(12)
                .step(&mut self.params, &self.gradient, RATE);
        }

        /// The index of `w1` ... `w8`.
        fn weight(&self, number: usize) -> usize {
            let (layer, place) = ((number - 1) / 4, (number - 1) % 4);
            self.network
                .layout()
                .index(ParamPlace {
                    layer,
                    role: ParamRole::Weight,
                    unit: place / 2,
                    input: Some(place % 2),
                })
                .unwrap()
        }
    }

    #[test]
    fn the_forward_pass_comes_out() {
        let mut example = Example::new();
        let error = example.propagate();
        let (hidden, output) = (example.workspace.a(0), example.workspace.a(1));
        assert_prints("net h1", example.workspace.z(0)[[0, 0]], ".3775");
        assert_prints("out h1", hidden[[0, 0]], ".593269992");
        assert_prints("out h2", hidden[[0, 1]], ".596884378");
        assert_prints("net o1", example.workspace.z(1)[[0, 0]], "1.105905967");
        assert_prints("out o1", output[[0, 0]], ".75136507");
        assert_prints("E", error, ".298371109");
    }

    #[test]
    fn the_derivatives_come_out() {
        let mut example = Example::new();
        example.propagate();
        assert_prints("dE/dw5", example.gradient[example.weight(5)], ".082167041");
        assert_prints("dE/dw1", example.gradient[example.weight(1)], ".000438568");
    }

    #[test]
    fn the_weights_and_the_error_after_one_step_come_out() {
        let mut example = Example::new();
        example.propagate();
        example.descend();
        for (number, printed) in [
            (1, ".149780716"),
            (2, ".19956143"),
            (3, ".24975114"),
            (4, ".29950229"),
            (5, ".35891648"),
            (6, ".408666186"),
            (7, ".511301270"),
            (8, ".561370121"),
        ] {
            let value = example.params[example.weight(number)];
            assert_prints(&format!("w{number}"), value, printed);
        }
        // Not the article's .291027924, which is that of output weights that
        // moved before the hidden ones: here all move at once.
        let error = example.propagate();
        assert_prints("E after one step", error, ".2910277737");
    }

    #[test]
    fn ten_thousand_steps_come_out() {
        let mut example = Example::new();
        for _ in 0..10_000 {
            example.propagate();
            example.descend();
        }
        // The error of these same outputs, so after 10,000 updates; one update
        // earlier it is 3.510854812e-5.
        assert_prints("E", example.propagate(), "3.510187783e-5");
        let output = example.workspace.output();
        assert_prints("out o1", output[[0, 0]], ".015913620");
        assert_prints("out o2", output[[0, 1]], ".984064274");
    }
}

/// Hagan, Demuth, Beale and De Jesus, "Neural Network Design", chapter 12: the
/// squared error of a 1-2-1 network with logistic units in both layers, whose
/// targets are its own outputs at known weights.
mod hagan {
    use super::*;

    // The parameters' places in [W1_1, W1_2, b1_1, b1_2, W2_1, W2_2, b2].
    const W1_1: usize = 0;
    const B1_1: usize = 2;
    const B1_2: usize = 3;
    const W2_1: usize = 4;
    const OPTIMUM: [f64; 7] = [10.0, 10.0, -5.0, 5.0, 1.0, 1.0, -1.0];

    /// Two parameters, their values, and the sum of squares there.
    const PRINTED: [(usize, usize, f64, f64, &str); 8] = [
        (W1_1, W2_1, 10.0, 1.0, "0"),
        (W1_1, W2_1, -5.0, 15.0, "8.2541212443"),
        (W1_1, W2_1, 0.0, 0.0, ".7811820856"),
        (W1_1, W2_1, 4.0, 1.0, ".2235473119"),
        (W1_1, W2_1, 0.0, 5.0, ".7232921461"),
        (W1_1, B1_1, 20.0, -10.0, ".0036974350"),
        (B1_1, B1_2, 0.0, 0.0, ".2275979678"),
        (B1_1, B1_2, 5.0, -5.0, "0"),
    ];

    fn network() -> Network {
        Network::dense(
            1,
            &[(2, Activation::Sigmoid), (1, Activation::Sigmoid)],
            Loss::HalfSquaredError,
        )
        .unwrap()
    }

    /// p = -2 : 0.1 : 2, as a column.
    fn inputs<R: Real>() -> Array2<R> {
        Array2::from_shape_fn((41, 1), |(i, _)| R::of((i as f64 - 20.0) / 10.0))
    }

    fn outputs<R: Real>(params: &[R]) -> Array2<R> {
        let network = network();
        let mut workspace = Workspace::new(&network, 41);
        network.forward(params, inputs::<R>().view(), &mut workspace);
        workspace.output().to_owned()
    }

    fn optimum<R: Real>() -> Vec<R> {
        OPTIMUM.iter().map(|&v| R::of(v)).collect()
    }

    #[test]
    fn every_value_of_the_three_surfaces_comes_out() {
        let targets = outputs::<f64>(&OPTIMUM);
        for (i, j, x, y, printed) in PRINTED {
            let mut params = OPTIMUM;
            (params[i], params[j]) = (x, y);
            let network = network();
            let mut workspace = Workspace::new(&network, 41);
            network.forward(&params, inputs::<f64>().view(), &mut workspace);
            let sum = 2.0 * network.loss_sum(&mut workspace, targets.view());
            if printed == "0" {
                // Units that changed places add up in another order.
                assert!(sum < 1e-28, "{i}, {j} at {x}, {y}: {sum}");
            } else {
                assert_prints(&format!("{i}, {j} at {x}, {y}"), sum, printed);
            }
        }
    }

    /// Over the ranges that the book plots, single precision and all.
    #[test]
    fn computed_surfaces_pass_through_the_printed_values() {
        let network = network();
        let center = optimum::<f32>();
        let samples = Samples {
            x: inputs(),
            y: outputs(&center),
        };
        for (pair, (x_lo, x_hi), (y_lo, y_hi)) in [
            ((W1_1, W2_1), (-5.0, 15.0), (-5.0, 15.0)),
            ((W1_1, B1_1), (-10.0, 30.0), (-30.0, 20.0)),
            ((B1_1, B1_2), (-10.0, 10.0), (-10.0, 10.0)),
        ] {
            let (cx, cy) = (OPTIMUM[pair.0], OPTIMUM[pair.1]);
            let plane = Directions::Weights(pair.0, pair.1)
                .plane(network.layout(), &center)
                .unwrap();
            // A point on every whole number.
            let axis = |lo: f64, hi: f64, c: f64| {
                Axis::new(lo - c, hi - c, (hi - lo) as usize + 1).unwrap()
            };
            let (x_axis, y_axis) = (axis(x_lo, x_hi, cx), axis(y_lo, y_hi, cy));
            let surface = evaluate(
                &Slice::new(Gauge::loss(&network, &samples), &plane),
                x_axis,
                y_axis,
                &AtomicBool::new(false),
                |_| {},
                |_| {},
            )
            .unwrap();
            let sum_at = |x: f64, y: f64| {
                let at = |values: &[f64], v: f64| {
                    values.iter().position(|&w| (w - v).abs() < 1e-9).unwrap()
                };
                let (i, j) = (at(&surface.x, x - cx), at(&surface.y, y - cy));
                2.0 * 41.0 * surface.loss[[j, i]]
            };
            assert_eq!(sum_at(cx, cy), 0.0, "the minimum is exact");
            let mut seen = 0;
            for (_, _, x, y, printed) in PRINTED.iter().filter(|p| (p.0, p.1) == pair) {
                let expected: f64 = printed.parse().unwrap();
                let sum = sum_at(*x, *y);
                // 41 squares of differences between numbers of size 1, each
                // rounded to 6e-8.
                let allowed = 2e-6 * expected + 1e-12;
                assert!(
                    (sum - expected).abs() <= allowed,
                    "{x}, {y}: {sum} for {printed}"
                );
                seen += 1;
            }
            assert!(seen > 0);
        }
    }

    #[test]
    fn the_two_minima_of_the_third_surface_are_flat() {
        let network = network();
        let (x, targets) = (inputs::<f64>(), outputs::<f64>(&OPTIMUM));
        for (b1, b2) in [(-5.0, 5.0), (5.0, -5.0)] {
            let mut params = OPTIMUM;
            (params[B1_1], params[B1_2]) = (b1, b2);
            let mut workspace = Workspace::new(&network, 41);
            let mut gradient = [f64::NAN; 7];
            network.gradient(
                &params,
                x.view(),
                targets.view(),
                &mut workspace,
                &mut gradient,
            );
            assert!(gradient.iter().all(|g| g.abs() < 1e-15), "{gradient:?}");
        }
    }
}
