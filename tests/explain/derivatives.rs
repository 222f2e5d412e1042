//! The gradient of any unit by the input, for every layer kind.

use crate::{dense, spec};
use gradscape::nn::layer::{BatchNorm, Conv, LayerNorm, Pool};
use gradscape::nn::{
    Activation, Init, LayerKind, LayerSpec, Loss, Network, ParamRole, Readout, ReadoutError,
    ReadoutGradient, Real, Shape, Source, Stage, Workspace,
};
use gradscape::rng::{Stream, stream};
use ndarray::Array2;
use rand::RngExt;

const SAMPLES: usize = 3;

/// A network at some weights with some samples.
struct Case {
    name: &'static str,
    network: Network,
    params: Vec<f64>,
    x: Array2<f64>,
}

impl Case {
    fn new(name: &'static str, input: Shape, specs: &[LayerSpec], loss: Loss) -> Self {
        let network = Network::new(input, specs, loss).unwrap();
        let mut rng = stream(11, Stream::Init);
        let mut params: Vec<f64> = network.initialise(Init::Xavier, 1.0, 0.1, &mut rng);
        for tensor in network.layout().tensors() {
            for p in &mut params[tensor.range.clone()] {
                let jitter = rng.random::<f64>() - 0.5;
                *p += match tensor.role {
                    ParamRole::RunningVariance => 0.6 + jitter,
                    _ => 0.4 * jitter,
                };
            }
        }
        let x = Array2::from_shape_fn((SAMPLES, network.inputs()), |_| {
            2.0 * rng.random::<f64>() - 1.0
        });
        Case {
            name,
            network,
            params,
            x,
        }
    }

    fn gradient<R: Real>(&self, readout: &Readout) -> (Array2<f64>, Vec<Array2<f64>>) {
        let params: Vec<R> = self.params.iter().map(|&p| R::of(p)).collect();
        let x = self.x.mapv(R::of);
        let mut workspace = Workspace::new(&self.network, SAMPLES);
        let mut buffers = ReadoutGradient::default();
        let mut arrived = vec![Array2::zeros((0, 0)); self.network.layers().len()];
        // What is there before must not matter, nor what was looked at.
        for readout in [&Readout::logit(&self.network, 0).unwrap(), readout] {
            self.network.forward(&params, x.view(), &mut workspace);
            let (ws, buffers) = (&mut workspace, &mut buffers);
            self.network
                .readout_gradient(&params, readout, ws, buffers, |layer, values| {
                    arrived[layer] = values.mapv(|v| v.wide());
                });
        }
        let values = buffers.values(&self.network, &workspace);
        (values.mapv(|v| v.wide()), arrived)
    }

    fn value(&self, readout: &Readout, x: &Array2<f64>, row: usize) -> f64 {
        let mut workspace = Workspace::new(&self.network, SAMPLES);
        self.network.forward(&self.params, x.view(), &mut workspace);
        readout.value(&workspace, row)
    }

    /// Differences, or `None` beside a corner.
    fn difference(&self, readout: &Readout, row: usize, input: usize) -> Option<f64> {
        let at = |h: f64| {
            let mut x = self.x.clone();
            x[[row, input]] += h;
            self.value(readout, &x, row)
        };
        let central = |h: f64| (at(h) - at(-h)) / (2.0 * h);
        let (wide, narrow) = (central(2e-5), central(1e-5));
        let fine = (4.0 * narrow - wide) / 3.0;
        ((wide - narrow).abs() < 1e-6 * (1.0 + fine.abs())).then_some(fine)
    }

    fn readouts(&self) -> Vec<Readout> {
        let mut all = Vec::new();
        for (index, layer) in self.network.layers().iter().enumerate() {
            for stage in [Stage::Sum, Stage::Activation] {
                let unit = layer.outputs() / 2;
                all.push(Readout::unit(&self.network, index, unit, stage).unwrap());
                let channel = layer.output_shape().channels - 1;
                all.push(Readout::channel(&self.network, index, channel, stage).unwrap());
            }
        }
        let last = self.network.layers().len() - 1;
        let terms = vec![(0, 2.0), (self.network.outputs() - 1, -1.0), (0, 0.5)];
        all.push(Readout::weighted(&self.network, last, Stage::Sum, terms).unwrap());
        all
    }

    fn check(&self) {
        for readout in self.readouts() {
            let what = format!("{}, {readout:?}", self.name);
            let (ours, _) = self.gradient::<f64>(&readout);
            let (single, _) = self.gradient::<f32>(&readout);
            let mut skipped = 0;
            for ((row, input), &value) in ours.indexed_iter() {
                let off = (single[[row, input]] - value).abs();
                assert!(off < 1e-4 * (1.0 + value.abs()), "{what}: {off} at f32");
                match self.difference(&readout, row, input) {
                    Some(d) => assert!(
                        (value - d).abs() < 1e-6 * (1.0 + d.abs()),
                        "{what}, sample {row}, input {input}: {value} for {d}"
                    ),
                    None => skipped += 1,
                }
            }
            assert!(
                skipped <= ours.len() / 4,
                "{what}: {skipped} beside corners"
            );
        }
    }
}

fn conv(filters: usize, change: impl Fn(&mut Conv)) -> LayerKind {
    let mut conv = Conv::square(filters, 3);
    change(&mut conv);
    LayerKind::Conv(conv)
}

#[test]
fn derivatives_by_the_input_are_those_of_differences_for_every_layer_kind() {
    let image = Shape::image(2, 7, 6);
    let mut padded_mean = Pool::square(3);
    padded_mean.padding = [1, 1];
    padded_mean.stride = [2, 2];
    padded_mean.count_padding = false;
    let end = || dense(3, Activation::Softmax);
    let loss = Loss::SoftmaxCrossEntropy;
    let of = |name, kinds: Vec<LayerSpec>| {
        let specs: Vec<LayerSpec> = kinds.into_iter().chain([end()]).collect();
        Case::new(name, image, &specs, loss).check();
    };
    of(
        "dense",
        vec![dense(5, Activation::Tanh), dense(4, Activation::Gelu)],
    );
    let plain = conv(4, |_| ());
    let strided = conv(4, |c| (c.stride, c.padding, c.groups) = ([2, 1], [1, 2], 2));
    of("convolution", vec![spec(plain, Activation::Silu)]);
    of("strided convolution", vec![spec(strided, Activation::Relu)]);
    let pools = [
        ("largest", LayerKind::MaxPool(Pool::square(2))),
        ("mean", LayerKind::AvgPool(Pool::square(2))),
        ("padded mean", LayerKind::AvgPool(padded_mean)),
        ("mean of all", LayerKind::GlobalAvgPool),
    ];
    for (name, pool) in pools {
        let first = spec(plain, Activation::Tanh);
        of(name, vec![first, spec(pool, Activation::Sigmoid)]);
    }
    let flat = spec(LayerKind::Flatten, Activation::Softplus);
    of("flatten", vec![spec(plain, Activation::Tanh), flat]);
    for (name, kind) in [
        ("dropout", LayerKind::Dropout { rate: 0.4 }),
        ("batch norm", LayerKind::BatchNorm(BatchNorm::default())),
        ("layer norm", LayerKind::LayerNorm(LayerNorm::default())),
        ("prelu", LayerKind::PRelu { slope: 0.3 }),
    ] {
        let after = spec(plain, Activation::Tanh);
        of(name, vec![spec(kind, Activation::Softplus), after]);
    }
}

#[test]
fn derivatives_go_through_sums_and_what_nobody_looks_at_is_left_out() {
    let mut sum = spec(LayerKind::Add, Activation::Tanh);
    // The sample goes in twice, and so does the first layer.
    sum.sources = vec![Source::Input, Source::Layer(0), Source::Layer(1)];
    let mut again = spec(LayerKind::Add, Activation::Linear);
    again.sources = vec![Source::Layer(2), Source::Layer(0), Source::Layer(3)];
    let specs = [
        dense(4, Activation::Tanh),
        dense(4, Activation::Sigmoid),
        sum,
        dense(4, Activation::LeakyRelu),
        again,
        dense(2, Activation::Linear),
    ];
    let case = Case::new("sums", Shape::flat(4), &specs, Loss::MeanSquaredError);
    case.check();
    // Layer 1 is not below layer 0, and layer 2 is above it.
    let readout = Readout::unit(&case.network, 0, 1, Stage::Activation).unwrap();
    let params = &case.params;
    let mut workspace = Workspace::new(&case.network, SAMPLES);
    let mut buffers = ReadoutGradient::default();
    let network = &case.network;
    network.forward(params, case.x.view(), &mut workspace);
    let mut told = Vec::new();
    network.readout_gradient(
        params,
        &readout,
        &mut workspace,
        &mut buffers,
        |layer, _| {
            told.push(layer);
        },
    );
    assert!(told.is_empty(), "{told:?}");
    for layer in 1..6 {
        assert!(workspace.delta(layer).iter().all(|&d| d == 0.0), "{layer}");
    }
    assert!(workspace.delta(0).iter().any(|&d| d != 0.0));
}

#[test]
fn what_is_not_there_is_an_error_that_counts_what_is() {
    let network = Network::dense(3, &[(2, Activation::Linear)], Loss::MeanSquaredError).unwrap();
    let unit = |layer, unit| Readout::unit(&network, layer, unit, Stage::Sum).unwrap_err();
    assert_eq!(
        unit(1, 0),
        ReadoutError::Layer {
            layer: 2,
            layers: 1
        }
    );
    assert!(
        unit(0, 2).to_string().contains("it has 2"),
        "{}",
        unit(0, 2)
    );
    let channel = Readout::channel(&network, 0, 5, Stage::Sum).unwrap_err();
    assert!(channel.to_string().contains("channel 5 of layer 1"));
    assert!(Readout::logit(&network, 2).is_err());
}
