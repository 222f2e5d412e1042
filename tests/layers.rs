//! Every layer kind's derivatives at f64 against differences: random shapes,
//! random places, chains and branches, training and inference.
#![allow(clippy::unwrap_used)]

use gradscape::nn::layer::{BatchNorm, Conv, LayerNorm, Pool};
use gradscape::nn::{
    Activation, Init, LayerKind, LayerSpec, Loss, Mode, Network, ParamRole, Shape, Source,
    Tangents, Workspace,
};
use gradscape::rng::{Rng, Stream, stream};
use ndarray::{Array2, s};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use rand::RngExt;

/// A network with a batch of samples and a place in parameter space.
struct Case {
    network: Network,
    params: Vec<f64>,
    x: Array2<f64>,
    y: Array2<f64>,
    mode: Mode,
}

impl Case {
    fn new(input: Shape, specs: &[LayerSpec], loss: Loss, n: usize, seed: u64, mode: Mode) -> Self {
        let network = Network::new(input, specs, loss).unwrap();
        let mut rng = stream(seed, Stream::Init);
        let mut params: Vec<f64> = network.initialise(Init::Xavier, 1.0, 0.1, &mut rng);
        for tensor in network.layout().tensors() {
            for p in &mut params[tensor.range.clone()] {
                let jitter = rng.random::<f64>() - 0.5;
                *p += match tensor.role {
                    ParamRole::RunningVariance => 0.5 + jitter,
                    _ => 0.4 * jitter,
                };
            }
        }
        let uniform = |rng: &mut Rng| 2.0 * rng.random::<f64>() - 1.0;
        let x = Array2::from_shape_fn((n, network.inputs()), |_| uniform(&mut rng));
        let outputs = network.outputs();
        let y = match loss {
            Loss::SoftmaxCrossEntropy => Array2::from_shape_fn((n, outputs), |(i, k)| {
                f64::from(u8::from((i * 7 + 3) % outputs == k))
            }),
            Loss::BinaryCrossEntropy => {
                Array2::from_shape_fn((n, outputs), |(i, k)| f64::from(u8::from((i + k) % 2 == 0)))
            }
            _ => Array2::from_shape_fn((n, outputs), |_| uniform(&mut rng)),
        };
        Case {
            network,
            params,
            x,
            y,
            mode,
        }
    }

    fn workspace(&self) -> Workspace<f64> {
        let mut workspace = Workspace::new(&self.network, self.x.nrows());
        workspace.set_mode(self.mode);
        workspace
    }

    fn gradient_at(&self, params: &[f64]) -> (f64, Vec<f64>) {
        let mut gradient = vec![f64::NAN; params.len()];
        let (x, y) = (self.x.view(), self.y.view());
        let loss = self
            .network
            .gradient(params, x, y, &mut self.workspace(), &mut gradient);
        (loss, gradient)
    }

    fn loss_at(&self, params: &[f64], x: &Array2<f64>) -> f64 {
        let mut workspace = self.workspace();
        self.network.forward(params, x.view(), &mut workspace);
        self.network.loss_sum(&mut workspace, self.y.view()) / x.nrows() as f64
    }

    fn hessian_vector(&self, v: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let mut gradient = vec![f64::NAN; v.len()];
        let mut out = vec![f64::NAN; v.len()];
        self.network.hessian_vector(
            &self.params,
            self.x.view(),
            self.y.view(),
            v,
            &mut self.workspace(),
            &mut Tangents::new(&self.network),
            &mut gradient,
            &mut out,
        );
        (gradient, out)
    }
}

/// The derivative of `f` at 0 by central differences of fourth order, or `None`
/// where two step sizes disagree: a corner of ReLU or a change of a maximum lies
/// between.
fn difference(f: impl Fn(f64) -> f64, scale: f64) -> Option<f64> {
    let estimate = |h: f64| (8.0 * (f(h) - f(-h)) - (f(2.0 * h) - f(-2.0 * h))) / (12.0 * h);
    let (wide, narrow) = (estimate(4e-5), estimate(1e-5));
    ((wide - narrow).abs() <= 1e-7 * (narrow.abs() + scale)).then_some(narrow)
}

/// Relative to the value, and for values that happen to be small to a thousandth
/// of the largest; below, what rounding of a loss of size 1 makes of a difference.
fn assert_close(what: &str, ours: &[f64], theirs: &[Option<f64>]) {
    let skipped = compare(what, ours, theirs);
    assert!(
        skipped <= ours.len() / 4 + 1,
        "{what}: {skipped} of {} skipped",
        ours.len()
    );
}

/// The same; gives the number of values that could not be compared.
fn compare(what: &str, ours: &[f64], theirs: &[Option<f64>]) -> usize {
    let largest = ours.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    let mut skipped = 0;
    for (i, (&a, b)) in ours.iter().zip(theirs).enumerate() {
        let Some(b) = b else {
            skipped += 1;
            continue;
        };
        let allowed = 1e-6 * a.abs().max(1e-3 * largest) + 1e-10;
        assert!((a - b).abs() <= allowed, "{what}, {i}: {a:e} for {b:e}");
    }
    skipped
}

fn check(what: &str, case: &Case) {
    let (_, gradient) = case.gradient_at(&case.params);
    let moved = case.network.layout().trainable();
    assert!(gradient[moved..].iter().all(|&g| g == 0.0), "{what}");
    let scale = gradient.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    let differences: Vec<_> = (0..moved)
        .map(|i| {
            let at = |h: f64| {
                let mut p = case.params.clone();
                p[i] += h;
                case.loss_at(&p, &case.x)
            };
            difference(at, scale)
        })
        .collect();
    assert_close(
        &format!("{what}: gradient"),
        &gradient[..moved],
        &differences,
    );

    // Where a corner lies beside one direction, another may be free of it.
    let what = format!("{what}: Hessian times v");
    assert!(
        (0..6).any(|try_| check_product(&what, case, &gradient, f64::from(try_))),
        "{what}: corners wherever one looks"
    );
}

/// Whether the product of the Hessian with some direction could be compared.
fn check_product(what: &str, case: &Case, gradient: &[f64], phase: f64) -> bool {
    let moved = case.network.layout().trainable();
    let v: Vec<f64> = (0..case.params.len())
        .map(|i| {
            if i < moved {
                (1.7 * i as f64 + phase).sin()
            } else {
                0.0
            }
        })
        .collect();
    let (same, product) = case.hessian_vector(&v);
    assert_eq!(same, gradient, "{what}");
    let moved_by = |h: f64| {
        let p: Vec<f64> = case.params.iter().zip(&v).map(|(p, v)| p + h * v).collect();
        case.gradient_at(&p).1
    };
    let (h, h2) = (4e-6, 8e-6);
    let (a, b, c, d) = (moved_by(h), moved_by(-h), moved_by(h2), moved_by(-h2));
    let largest = product.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    let differences: Vec<_> = (0..moved)
        .map(|i| {
            let wide = (c[i] - d[i]) / (2.0 * h2);
            let narrow = (a[i] - b[i]) / (2.0 * h);
            let fine = (4.0 * narrow - wide) / 3.0;
            ((wide - narrow).abs() <= 1e-7 * largest + 1e-10).then_some(fine)
        })
        .collect();
    compare(what, &product[..moved], &differences) <= moved / 4
}

fn layer(kind: LayerKind, activation: Activation) -> LayerSpec {
    LayerSpec::new(kind, activation)
}

fn dense(units: usize, activation: Activation) -> LayerSpec {
    layer(LayerKind::Dense { units }, activation)
}

/// The layers of one kind between others that give it something to do.
fn around(kind: usize, knobs: [usize; 6], activation: Activation) -> Vec<LayerSpec> {
    let [a, b, c, d, e, f] = knobs;
    let linear = Activation::Linear;
    let conv = |filters, activation| layer(LayerKind::Conv(Conv::square(filters, 2)), activation);
    let middle = match kind {
        0 => LayerKind::Conv(Conv {
            filters: 2 * (1 + a % 3),
            kernel: [1 + b % 3, 1 + c % 3],
            stride: [1 + d % 2, 1 + e % 3],
            padding: [f % 2, a % 3],
            dilation: [1 + (f % 2), 1 + (b % 2)],
            groups: 1 + c % 2,
            bias: d % 2 == 0,
        }),
        1 | 2 => {
            let pool = Pool {
                size: [1 + a % 3, 1 + b % 3],
                stride: [1 + c % 2, 1 + d % 3],
                padding: [(a % 3).div_ceil(2) * (e % 2), (b % 3).div_ceil(2) * (f % 2)],
                count_padding: f % 2 == 0,
            };
            if kind == 1 {
                LayerKind::MaxPool(pool)
            } else {
                LayerKind::AvgPool(pool)
            }
        }
        3 => LayerKind::GlobalAvgPool,
        4 => LayerKind::Flatten,
        5 => LayerKind::Dropout {
            rate: 0.1 * (a % 6) as f64,
        },
        6 => LayerKind::BatchNorm(BatchNorm::default()),
        7 => LayerKind::LayerNorm(LayerNorm::default()),
        8 => LayerKind::PRelu { slope: 0.25 },
        _ => LayerKind::Dense { units: 1 + a % 6 },
    };
    vec![conv(4, activation), layer(middle, linear), dense(3, linear)]
}

const SMOOTH: [Activation; 5] = [
    Activation::Tanh,
    Activation::Sigmoid,
    Activation::Softplus,
    Activation::Gelu,
    Activation::Silu,
];

proptest! {
    // The same cases each time: a step across a corner that happens to go
    // unnoticed must not fail some other day.
    #![proptest_config(ProptestConfig {
        cases: 120,
        rng_seed: RngSeed::Fixed(20),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Each kind, in both modes.
    #[test]
    fn every_layer_kind_s_derivatives_equal_differences(
        kind in 0..10usize,
        knobs in prop::array::uniform6(0..60usize),
        height in 5..9usize,
        width in 5..9usize,
        channels in 1..4usize,
        n in 2..20usize,
        smooth in 0..5usize,
        loss in 0..3usize,
        training in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let mut specs = around(kind, knobs, SMOOTH[smooth]);
        let (loss, output) = [
            (Loss::SoftmaxCrossEntropy, Activation::Softmax),
            (Loss::MeanSquaredError, Activation::Tanh),
            (Loss::BinaryCrossEntropy, Activation::Sigmoid),
        ][loss];
        specs.last_mut().unwrap().activation = output;
        let mode = if training { Mode::Training { seed } } else { Mode::Inference };
        let input = Shape::image(channels, height, width);
        // A window that does not fit is refused, which is tested elsewhere.
        prop_assume!(Network::new(input, &specs, loss).is_ok());
        let case = Case::new(input, &specs, loss, n, seed, mode);
        check(&format!("{:?}, {mode:?}", specs[1].kind), &case);
    }

    /// Branches: sums of two and three sources, one of them the input, with
    /// normalisation on the way.
    #[test]
    fn residual_networks_derivatives_equal_differences(
        n in 1..10usize,
        seed in any::<u64>(),
        training in any::<bool>(),
    ) {
        let activation = Activation::Tanh;
        let linear = Activation::Linear;
        let same = Conv { padding: [1, 1], ..Conv::square(2, 3) };
        let mut sum = layer(LayerKind::Add, activation);
        sum.sources = vec![Source::Layer(2), Source::Layer(0), Source::Input];
        let mut side = dense(3, activation);
        side.sources = vec![Source::Layer(3)];
        let mut last_sum = layer(LayerKind::Add, linear);
        last_sum.sources = vec![Source::Layer(5), Source::Layer(4)];
        let norm = if training && n > 1 {
            layer(LayerKind::BatchNorm(BatchNorm::default()), activation)
        } else {
            layer(LayerKind::LayerNorm(LayerNorm::default()), activation)
        };
        let specs = [
            layer(LayerKind::Conv(same), activation),
            norm,
            layer(LayerKind::Conv(same), linear),
            sum,
            dense(3, activation),
            side,
            last_sum,
            dense(2, Activation::Softmax),
        ];
        let mode = if training { Mode::Training { seed } } else { Mode::Inference };
        let input = Shape::image(2, 4, 5);
        let case = Case::new(input, &specs, Loss::SoftmaxCrossEntropy, n, seed, mode);
        check("residual", &case);
    }

    /// What is derived from gradients: of each sample, of the inputs, of the
    /// outputs, and the matrices made of them.
    #[test]
    fn derived_quantities_agree_with_each_other_and_with_differences(
        n in 1..8usize,
        seed in any::<u64>(),
        squared in any::<bool>(),
    ) {
        let (loss, output) = if squared {
            (Loss::HalfSquaredError, Activation::Softmax)
        } else {
            (Loss::SoftmaxCrossEntropy, Activation::Softmax)
        };
        let specs = [
            layer(LayerKind::Conv(Conv::square(2, 3)), Activation::Tanh),
            layer(LayerKind::BatchNorm(BatchNorm::default()), Activation::Linear),
            dense(3, output),
        ];
        let case = Case::new(Shape::image(1, 4, 4), &specs, loss, n, seed, Mode::Inference);
        let (network, params) = (&case.network, &case.params);
        let (x, y) = (case.x.view(), case.y.view());
        let mut workspace = case.workspace();
        let (loss, gradient) = case.gradient_at(params);
        let moved = network.layout().trainable();

        let mut mean = vec![0.0; params.len()];
        let mut mean_loss = 0.0;
        let mut outer = Array2::<f64>::zeros((moved, moved));
        network.sample_gradients(params, x, y, &mut workspace, |_, loss, g| {
            mean_loss += loss / n as f64;
            for i in 0..params.len() {
                mean[i] += g[i] / n as f64;
            }
            for i in 0..moved {
                for j in 0..moved {
                    outer[[i, j]] += g[i] * g[j] / n as f64;
                }
            }
        });
        prop_assert!((mean_loss - loss).abs() < 1e-13);
        for (a, b) in mean.iter().zip(&gradient) {
            prop_assert!((a - b).abs() < 1e-13, "{a} {b}");
        }
        let fisher = network.empirical_fisher(params, x, y, &mut workspace);
        for (a, b) in fisher.iter().zip(&outer) {
            prop_assert!((a - b).abs() < 1e-13, "{a} {b}");
        }

        let hessian = network.hessian(params, x, y, &mut workspace);
        let largest = hessian.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
        for i in 0..moved {
            for j in 0..i {
                let off = (hessian[[i, j]] - hessian[[j, i]]).abs();
                prop_assert!(off <= 1e-13 * largest.max(1.0), "{i} {j}: {off:e}");
            }
        }
        let v: Vec<f64> = (0..params.len()).map(|i| (i as f64).cos()).collect();
        let (_, product) = case.hessian_vector(&v);
        for i in 0..moved {
            let sum: f64 = (0..moved).map(|j| hessian[[i, j]] * v[j]).sum();
            prop_assert!((product[i] - sum).abs() <= 1e-11 * largest.max(1.0));
        }

        let one = case.x.slice(s![..1, ..]);
        let mut jacobian = vec![0.0; 3 * params.len()];
        network.output_jacobian(params, one, &mut workspace, &mut jacobian);
        for k in 0..3 {
            let row = &jacobian[k * params.len()..][..moved];
            let differences: Vec<_> = (0..moved)
                .map(|i| {
                    let at = |h: f64| {
                        let mut p = params.clone();
                        p[i] += h;
                        let mut workspace = case.workspace();
                        network.forward(&p, one, &mut workspace);
                        workspace.output()[[0, k]]
                    };
                    difference(at, 0.1)
                })
                .collect();
            assert_close("Jacobian", row, &differences);
        }

        let mut by_input = vec![0.0; network.inputs()];
        let target = case.y.slice(s![..1, ..]);
        network.input_gradient(params, one, target, &mut workspace, &mut by_input);
        let differences: Vec<_> = (0..network.inputs())
            .map(|i| {
                let at = |h: f64| {
                    let mut x = one.to_owned();
                    x[[0, i]] += h;
                    let mut workspace = case.workspace();
                    network.forward(params, x.view(), &mut workspace);
                    network.loss_sum(&mut workspace, target)
                };
                difference(at, 0.1)
            })
            .collect();
        assert_close("input gradient", &by_input, &differences);
    }
}

/// Samples do not influence each other, and neither does the padding: a batch
/// gives what its samples give alone, whatever its size.
#[test]
fn a_batch_is_its_samples() {
    let specs = [
        layer(LayerKind::Conv(Conv::square(3, 3)), Activation::Relu),
        layer(LayerKind::MaxPool(Pool::square(2)), Activation::Linear),
        dense(20, Activation::Sigmoid),
        dense(4, Activation::Softmax),
    ];
    let loss = Loss::SoftmaxCrossEntropy;
    for n in [1, 2, 15, 16, 17, 33, 64, 130] {
        let case = Case::new(Shape::image(1, 6, 6), &specs, loss, n, 5, Mode::Inference);
        let mut workspace = case.workspace();
        case.network
            .forward(&case.params, case.x.view(), &mut workspace);
        let together = workspace.output().to_owned();
        for i in 0..n {
            let x = case.x.slice(s![i..=i, ..]);
            case.network.forward(&case.params, x, &mut workspace);
            for k in 0..4 {
                let (a, b) = (together[[i, k]], workspace.output()[[0, k]]);
                assert!((a - b).abs() < 1e-14, "{n} {i} {k}: {a} {b}");
            }
        }
    }
}

/// Dropout's mask follows from the seed; about its rate is left out, the rest
/// grows to make up, and at inference nothing happens.
#[test]
fn dropout_keeps_the_mean_and_only_while_training() {
    let linear = Activation::Linear;
    let specs = [
        layer(LayerKind::Dropout { rate: 0.3 }, linear),
        dense(1, linear),
    ];
    let network = Network::new(Shape::flat(2000), &specs, Loss::HalfSquaredError).unwrap();
    let params = vec![0.0_f64; network.layout().len()];
    let x = Array2::<f64>::ones((8, 2000));
    let mut workspace = Workspace::new(&network, 8);
    let mut pass = |mode| {
        workspace.set_mode(mode);
        network.forward(&params, x.view(), &mut workspace);
        workspace.a(0).to_owned()
    };
    assert_eq!(pass(Mode::Inference), x);
    let once = pass(Mode::Training { seed: 3 });
    assert_eq!(once, pass(Mode::Training { seed: 3 }));
    assert_ne!(once, pass(Mode::Training { seed: 4 }));
    let kept = once.iter().filter(|&&v| v != 0.0).count() as f64 / 16_000.0;
    // Four standard deviations of a binomial share.
    assert!(
        (kept - 0.7).abs() < 4.0 * (0.21_f64 / 16_000.0).sqrt(),
        "{kept}"
    );
    assert!(
        once.iter()
            .all(|&v| v == 0.0 || (v - 1.0 / 0.7).abs() < 1e-15)
    );
}

#[test]
fn what_does_not_fit_is_refused_with_the_layer_and_both_shapes() {
    let linear = Activation::Linear;
    let conv = |filters, kernel| layer(LayerKind::Conv(Conv::square(filters, kernel)), linear);
    let refused = |specs: &[LayerSpec]| {
        let input = Shape::image(1, 8, 8);
        Network::new(input, specs, Loss::HalfSquaredError)
            .unwrap_err()
            .to_string()
    };
    let error = refused(&[conv(4, 5), conv(4, 5), dense(1, linear)]);
    for part in ["layer 2 (conv)", "5 x 5", "4x4x4"] {
        assert!(error.contains(part), "{error}");
    }
    let mut sum = layer(LayerKind::Add, linear);
    sum.sources = vec![Source::Layer(1), Source::Layer(0)];
    let error = refused(&[conv(4, 3), conv(4, 3), sum.clone(), dense(1, linear)]);
    for part in ["layer 3 (add)", "4x4x4", "4x6x6"] {
        assert!(error.contains(part), "{error}");
    }
    sum.sources = vec![Source::Layer(1), Source::Layer(5)];
    let error = refused(&[conv(4, 3), conv(4, 3), sum, dense(1, linear)]);
    assert!(
        error.contains("layer 3") && error.contains("layer 6"),
        "{error}"
    );
    let mut skip = dense(1, linear);
    skip.sources = vec![Source::Input];
    let error = refused(&[conv(4, 3), skip]);
    assert!(error.contains("nothing reads layer 1 (conv)"), "{error}");
}
