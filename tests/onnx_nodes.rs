//! Operators beside ONNX: its one-node models, as `tests/onnx/convert.py` took
//! them out, give their expected outputs. `tests/onnx/COVERAGE.md` names each model
//! and why those that are missing are.
#![allow(clippy::unwrap_used)] // a test fails by panicking

use gradscape::nn::layer::{BatchNorm, Conv, Pool};
use gradscape::nn::{
    Activation, LayerKind, LayerSpec, Loss, Mode, Network, ParamRole, Shape, Workspace,
};
use gradscape::optim::OptimizerKind;
use ndarray::{Array2, ArrayD, ArrayView2, Axis, Ix2, IxDyn};
use ndarray_npy::NpzReader;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::io::Cursor;

#[derive(Deserialize)]
struct Entry {
    name: String,
    op: String,
    attributes: Map<String, Value>,
    inputs: usize,
    outputs: usize,
}

/// A node with its data.
struct Node {
    name: String,
    op: String,
    attributes: Map<String, Value>,
    inputs: Vec<ArrayD<f32>>,
    outputs: Vec<ArrayD<f32>>,
}

fn nodes() -> Vec<Node> {
    let entries: Vec<Entry> = serde_json::from_str(include_str!("onnx/nodes.json")).unwrap();
    let mut npz = NpzReader::new(Cursor::new(&include_bytes!("onnx/nodes.npz")[..])).unwrap();
    let mut read = |name: &str, what: &str, n: usize| -> Vec<ArrayD<f32>> {
        (0..n)
            .map(|i| npz.by_name(&format!("{name}/{what}_{i}.npy")).unwrap())
            .collect()
    };
    entries
        .into_iter()
        .map(|entry| Node {
            inputs: read(&entry.name, "input", entry.inputs),
            outputs: read(&entry.name, "output", entry.outputs),
            name: entry.name,
            op: entry.op,
            attributes: entry.attributes,
        })
        .collect()
}

/// Samples in rows: the first axis is the samples', the others are flattened.
fn rows(array: &ArrayD<f32>) -> Array2<f32> {
    let values = array.shape()[1..].iter().product();
    let shape = (array.shape()[0], values);
    Array2::from_shape_vec(shape, array.iter().copied().collect()).unwrap()
}

impl Node {
    fn number(&self, key: &str, default: f64) -> f64 {
        self.attributes
            .get(key)
            .map_or(default, |v| v.as_f64().unwrap())
    }

    fn pair(&self, key: &str, default: usize) -> [usize; 2] {
        match self.attributes.get(key) {
            None => [default; 2],
            Some(value) => serde_json::from_value(value.clone()).unwrap(),
        }
    }

    /// How a sample of the first input lies: `[n, channels, rows, columns]`.
    fn image(&self) -> Shape {
        let shape = self.inputs[0].shape();
        Shape::image(shape[1], shape[2], shape[3])
    }

    fn kernel(&self) -> [usize; 2] {
        let shape = self.inputs.get(1).map(|w| w.shape().to_vec());
        let from_weights = shape.map_or([0; 2], |s| [s[s.len() - 2], s[s.len() - 1]]);
        match self.attributes.contains_key("kernel_shape") {
            true => self.pair("kernel_shape", 0),
            false => from_weights,
        }
    }

    fn pool(&self) -> Pool {
        Pool {
            size: self.kernel(),
            stride: self.pair("strides", 1),
            padding: self.pair("pads", 0),
            count_padding: self.number("count_include_pad", 0.0) != 0.0,
        }
    }

    /// Compares with output `index`, whose values lie in the same order.
    fn check<'a>(&self, index: usize, ours: impl IntoIterator<Item = &'a f32>) {
        let theirs = self.outputs[index].iter();
        let ours: Vec<f32> = ours.into_iter().copied().collect();
        assert_eq!(ours.len(), theirs.len(), "{}: output {index}", self.name);
        for (i, (&a, &b)) in ours.iter().zip(theirs).enumerate() {
            // Single precision; sums of many products lose a few bits more.
            let allowed = 2e-6 * f64::from(b).abs().max(1.0);
            let off = (f64::from(a) - f64::from(b)).abs();
            assert!(
                off <= allowed,
                "{}: output {index}, {i}: {a} for {b}",
                self.name
            );
        }
    }

    /// The output of one layer of `kind` that reads `x`.
    fn layer(
        &self,
        kind: LayerKind,
        activation: Activation,
        input: Shape,
        params: &[f32],
        x: ArrayView2<'_, f32>,
    ) -> Array2<f32> {
        let (network, mut workspace) = alone(kind, activation, input, x.nrows());
        assert_eq!(params.len(), network.layout().len(), "{}", self.name);
        network.forward(params, x, &mut workspace);
        workspace.output().to_owned()
    }

    fn elementwise(&self, activation: Activation) {
        let x = rows(&self.inputs[0]);
        let input = Shape::flat(x.ncols());
        let ours = self.layer(LayerKind::Flatten, activation, input, &[], x.view());
        self.check(0, ours.iter());
    }

    fn unchanged_but(&self, kind: LayerKind) {
        let shape = self.inputs[0].shape();
        let input = match shape.len() {
            4 => self.image(),
            n => Shape::flat(shape[1..n].iter().product()),
        };
        let x = rows(&self.inputs[0]);
        self.check(
            0,
            self.layer(kind, Activation::Linear, input, &[], x.view())
                .iter(),
        );
    }

    fn prelu(&self, slopes: Vec<f32>) {
        // One sample each of whose values has a slope of its own.
        let n = self.inputs[0].len();
        let x = Array2::from_shape_vec((1, n), self.inputs[0].iter().copied().collect()).unwrap();
        let slopes: Vec<f32> = slopes.iter().copied().cycle().take(n).collect();
        let kind = LayerKind::PRelu { slope: 0.25 };
        let ours = self.layer(kind, Activation::Linear, Shape::flat(n), &slopes, x.view());
        self.check(0, ours.iter());
    }

    fn conv(&self) {
        let w = &self.inputs[1];
        let conv = Conv {
            filters: w.shape()[0],
            kernel: self.kernel(),
            stride: self.pair("strides", 1),
            padding: self.pair("pads", 0),
            dilation: self.pair("dilations", 1),
            groups: self.number("group", 1.0) as usize,
            bias: self.inputs.len() > 2,
        };
        let params: Vec<f32> = self.inputs[1..].iter().flatten().copied().collect();
        let (kind, input) = (LayerKind::Conv(conv), self.image());
        let x = rows(&self.inputs[0]);
        self.check(
            0,
            self.layer(kind, Activation::Linear, input, &params, x.view())
                .iter(),
        );
    }

    /// `alpha A B + beta C`: a dense layer whose weights are alpha B transposed.
    fn gemm(&self) {
        let matrix = |i: usize| self.inputs[i].view().into_dimensionality::<Ix2>().unwrap();
        let turned = |key: &str| self.number(key, 0.0) != 0.0;
        let (a, b) = (matrix(0), matrix(1));
        let x = if turned("transA") {
            a.reversed_axes()
        } else {
            a
        };
        let w = if turned("transB") {
            b
        } else {
            b.reversed_axes()
        };
        let alpha = self.number("alpha", 1.0) as f32;
        let beta = self.number("beta", 1.0) as f32;
        let units = w.nrows();
        let bias = self
            .inputs
            .get(2)
            .map(|c| c.iter().map(|c| beta * c).collect::<Vec<_>>());
        let bias = bias.unwrap_or(vec![0.0]);
        let mut params: Vec<f32> = w.iter().map(|w| alpha * w).collect();
        params.extend(bias.iter().cycle().take(units));
        let input = Shape::flat(w.ncols());
        let kind = LayerKind::Dense { units };
        self.check(
            0,
            self.layer(kind, Activation::Linear, input, &params, x)
                .iter(),
        );
    }

    fn batch_norm(&self) {
        let epsilon = self.number("epsilon", 1e-5);
        let kept = self.number("momentum", 0.9);
        let kind = LayerKind::BatchNorm(BatchNorm {
            momentum: 1.0 - kept,
            epsilon,
        });
        let x = rows(&self.inputs[0]);
        let input = self.image();
        let (network, mut workspace) = alone(kind, Activation::Linear, input, x.nrows());
        let training = self.number("training_mode", 0.0) != 0.0;
        if training {
            workspace.set_mode(Mode::Training { seed: 0 });
        }
        // Gain, shift, mean, variance: in ONNX's order as in ours.
        let start: Vec<f32> = self.inputs[1..].iter().flatten().copied().collect();
        network.forward(&start, x.view(), &mut workspace);
        self.check(0, workspace.output().iter());
        if training {
            let mut params = start.clone();
            network.gather_statistics(&workspace, &mut params);
            let place = |role| network.layout().tensor(0, role).unwrap().range.clone();
            self.check(1, &params[place(ParamRole::RunningMean)]);
            // ONNX gathers the variance of the batch, this program as PyTorch does
            // the unbiased estimate, which is n / (n - 1) times that.
            let n = (x.nrows() * input.pixels()) as f64;
            let variances = place(ParamRole::RunningVariance).map(|i| {
                let stays = kept * f64::from(start[i]);
                (stays + (f64::from(params[i]) - stays) * (n - 1.0) / n) as f32
            });
            self.check(2, &variances.collect::<Vec<_>>());
        } else {
            assert_eq!(self.outputs.len(), 1, "{}", self.name);
        }
    }

    /// Classes in columns, everything else in rows.
    fn classes(array: &ArrayD<f32>, axis: usize) -> Array2<f32> {
        let mut order: Vec<usize> = (0..array.ndim()).filter(|&k| k != axis).collect();
        order.push(axis);
        let moved = array.view().permuted_axes(IxDyn(&order));
        let classes = array.shape()[axis];
        let n = array.len() / classes;
        Array2::from_shape_vec((n, classes), moved.iter().copied().collect()).unwrap()
    }

    fn axis(&self) -> usize {
        let dimensions = self.inputs[0].ndim() as i64;
        self.attributes
            .get("axis")
            .map_or(-1, |a| a.as_i64().unwrap())
            .rem_euclid(dimensions) as usize
    }

    fn softmax(&self) {
        let x = Self::classes(&self.inputs[0], self.axis());
        let input = Shape::flat(x.ncols());
        let ours = self.layer(
            LayerKind::Flatten,
            Activation::Softmax,
            input,
            &[],
            x.view(),
        );
        let theirs = Self::classes(&self.outputs[0], self.axis());
        self.reordered(theirs).check(0, ours.iter());
    }

    /// The loss of a class as the right one is the negative logarithm.
    fn log_softmax(&self) {
        let x = Self::classes(&self.inputs[0], self.axis());
        let theirs = Self::classes(&self.outputs[0], self.axis());
        self.reordered(theirs)
            .check(0, log_probabilities(&x).iter());
    }

    fn cross_entropy(&self) {
        let x = Self::classes(&self.inputs[0], 1);
        let right: Vec<usize> = self.inputs[1].iter().map(|&k| k as usize).collect();
        let y = Array2::from_shape_fn(x.dim(), |(i, k)| f32::from(u8::from(right[i] == k)));
        let (network, mut workspace) = output(x.ncols(), x.nrows());
        let losses: Vec<f32> = if self.attributes["reduction"] == "mean" {
            network.forward(&[], x.view(), &mut workspace);
            vec![(network.loss_sum(&mut workspace, y.view()) / x.nrows() as f64) as f32]
        } else {
            assert_eq!(self.attributes["reduction"], "none");
            (0..x.nrows())
                .map(|i| {
                    let row = |m: &Array2<f32>| m.select(Axis(0), &[i]);
                    network.forward(&[], row(&x).view(), &mut workspace);
                    network.loss_sum(&mut workspace, row(&y).view()) as f32
                })
                .collect()
        };
        self.check(0, &losses);
        if let Some(theirs) = self.outputs.get(1) {
            let mut other = self.reordered(Self::classes(theirs, 1));
            other.name = format!("{} (logarithms)", self.name);
            other.check(0, log_probabilities(&x).iter());
        }
    }

    /// The same node with its output in another order.
    fn reordered(&self, output: Array2<f32>) -> Node {
        Node {
            name: self.name.clone(),
            op: self.op.clone(),
            attributes: Map::new(),
            inputs: Vec::new(),
            outputs: vec![output.into_dyn()],
        }
    }

    /// Inputs are R, T, then all X, all G and the optimiser's state; outputs all
    /// new X, then the new state. `prime` is a gradient with which a step at rate 0
    /// brings a fresh optimiser to a given state.
    fn optimizer(&self, kind: OptimizerKind, prime: impl Fn(f32) -> f32) {
        let rate = f64::from(*self.inputs[0].first().unwrap());
        assert_eq!(self.inputs[1].first(), Some(&0.0), "{}: T", self.name);
        let tensors = (self.inputs.len() - 2) / 3;
        let decay = self.number("norm_coefficient", 0.0) as f32;
        for t in 0..tensors {
            let at = |group: usize| self.inputs[2 + group * tensors + t].iter().copied();
            let mut x: Vec<f32> = at(0).collect();
            let mut optimizer = kind.build::<f32>(x.len());
            optimizer.step(&mut x, &at(2).map(&prime).collect::<Vec<_>>(), 0.0);
            let gradient: Vec<f32> = x.iter().zip(at(1)).map(|(x, g)| g + decay * x).collect();
            optimizer.step(&mut x, &gradient, rate);
            self.check(t, &x);
            let moments = optimizer.moments();
            assert_eq!(moments.len(), 1);
            self.check(tensors + t, moments[0].1);
        }
    }

    fn run(&self) {
        match self.op.as_str() {
            "Adagrad" => {
                let epsilon = self.number("epsilon", 0.0);
                self.optimizer(OptimizerKind::AdaGrad { epsilon }, f32::sqrt);
            }
            "Momentum" => {
                let momentum = self.number("alpha", 0.0);
                let kind = match self.attributes["mode"].as_str().unwrap() {
                    "nesterov" => OptimizerKind::Nesterov { momentum },
                    _ => OptimizerKind::Momentum { momentum },
                };
                self.optimizer(kind, |v| v);
            }
            "AveragePool" => self.unchanged_but(LayerKind::AvgPool(self.pool())),
            "MaxPool" => self.unchanged_but(LayerKind::MaxPool(self.pool())),
            "GlobalAveragePool" => self.unchanged_but(LayerKind::GlobalAvgPool),
            "Flatten" => self.unchanged_but(LayerKind::Flatten),
            "Dropout" => {
                let rate = self
                    .inputs
                    .get(1)
                    .map_or(0.5, |r| f64::from(*r.first().unwrap()));
                self.unchanged_but(LayerKind::Dropout { rate });
            }
            "BatchNormalization" => self.batch_norm(),
            "Conv" => self.conv(),
            "Gemm" | "MatMul" => self.gemm(),
            "PRelu" => self.prelu(self.inputs[1].iter().copied().collect()),
            "LeakyRelu" => {
                let slope = self.number("alpha", 0.01);
                self.prelu(vec![slope as f32]);
                if slope as f32 == 0.01 {
                    self.elementwise(Activation::LeakyRelu);
                }
            }
            "Relu" => self.elementwise(Activation::Relu),
            "Sigmoid" => self.elementwise(Activation::Sigmoid),
            "Softplus" => self.elementwise(Activation::Softplus),
            "Tanh" => self.elementwise(Activation::Tanh),
            "Softmax" => self.softmax(),
            "LogSoftmax" => self.log_softmax(),
            "SoftmaxCrossEntropyLoss" => self.cross_entropy(),
            other => panic!("{}: no test for {other}", self.name),
        }
    }
}

/// A network of one layer.
fn alone(
    kind: LayerKind,
    activation: Activation,
    input: Shape,
    n: usize,
) -> (Network, Workspace<f32>) {
    let loss = match activation {
        Activation::Softmax => Loss::SoftmaxCrossEntropy,
        _ => Loss::HalfSquaredError,
    };
    let network = Network::new(input, &[LayerSpec::new(kind, activation)], loss).unwrap();
    let workspace = Workspace::new(&network, n);
    (network, workspace)
}

/// Softmax and cross-entropy with nothing before them.
fn output(classes: usize, n: usize) -> (Network, Workspace<f32>) {
    alone(
        LayerKind::Flatten,
        Activation::Softmax,
        Shape::flat(classes),
        n,
    )
}

fn log_probabilities(x: &Array2<f32>) -> Array2<f32> {
    let (network, mut workspace) = output(x.ncols(), 1);
    Array2::from_shape_fn(x.dim(), |(i, class)| {
        network.forward(&[], x.select(Axis(0), &[i]).view(), &mut workspace);
        let y = Array2::from_shape_fn((1, x.ncols()), |(_, k)| f32::from(u8::from(k == class)));
        -network.loss_sum(&mut workspace, y.view()) as f32
    })
}

#[test]
fn the_one_node_models_give_their_outputs() {
    for node in nodes() {
        node.run();
    }
}

#[test]
fn the_page_counts_the_models_that_are_run() {
    let mut counts = BTreeMap::<String, usize>::new();
    for node in nodes() {
        *counts.entry(node.op).or_default() += 1;
    }
    let page = include_str!("onnx/COVERAGE.md");
    let total: usize = counts.values().sum();
    assert!(
        page.contains(&format!("`tests/onnx_nodes.rs` runs {total}:")),
        "{total}"
    );
    for (op, count) in counts {
        let line = page
            .lines()
            .find(|l| l.starts_with(&format!("| {op} | ")))
            .unwrap();
        assert_eq!(line.matches(", ").count() + 1, count, "{line}");
    }
}
