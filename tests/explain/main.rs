//! Why a network says what it says, beside differences, closed forms and independent
//! libraries: derivatives by the input, attributions, contributions, similarity of
//! layers, activation maximisation, and the two subcommands. The reference is
//! `tests/reference/explain.json`; `explain.py` beside it made it and says how.
#![allow(clippy::unwrap_used)] // a test fails by panicking

#[path = "../command/mod.rs"]
mod command;
mod commands;
mod derivatives;
mod maximise;
mod methods;
mod reference;

use gradscape::experiment::Experiment;
use gradscape::experiment::samples::sample;
use gradscape::nn::layer::{Conv, Pool};
use gradscape::nn::{Activation, LayerKind, LayerSpec, Loss, Network, Real, Shape};
use gradscape::train::{Problem, Trainer};
use safetensors::SafeTensors;
use std::sync::Arc;

fn spec(kind: LayerKind, activation: Activation) -> LayerSpec {
    LayerSpec::new(kind, activation)
}

fn dense(units: usize, activation: Activation) -> LayerSpec {
    spec(LayerKind::Dense { units }, activation)
}

/// The LeNet of tests/reference, with its weights in the order of its layout.
fn lenet<R: Real>() -> (Network, Vec<R>) {
    let pool = || spec(LayerKind::MaxPool(Pool::square(2)), Activation::Linear);
    let conv = |filters| {
        spec(
            LayerKind::Conv(Conv::square(filters, 5)),
            Activation::Linear,
        )
    };
    let specs = [
        conv(6),
        pool(),
        conv(16),
        pool(),
        spec(LayerKind::Flatten, Activation::Linear),
        dense(120, Activation::Relu),
        dense(84, Activation::Relu),
        dense(10, Activation::Softmax),
    ];
    let input = Shape::image(1, 28, 28);
    let network = Network::new(input, &specs, Loss::SoftmaxCrossEntropy).unwrap();
    let bytes = include_bytes!("../reference/lenet_mnist.safetensors");
    let file = SafeTensors::deserialize(bytes).unwrap();
    let mut params = vec![R::zero(); network.layout().len()];
    for tensor in network.layout().tensors() {
        let name = match tensor.layer {
            0 => "conv1",
            2 => "conv2",
            5 => "fc1",
            6 => "fc2",
            _ => "fc3",
        };
        let view = file
            .tensor(&format!("{name}.{}", tensor.role.name()))
            .unwrap();
        assert_eq!(view.shape(), tensor.shape);
        let values = view.data().chunks_exact(4);
        let values = values.map(|b| f32::from_le_bytes(b.try_into().unwrap()));
        for (p, v) in params[tensor.range.clone()].iter_mut().zip(values) {
            *p = R::of(f64::from(v));
        }
    }
    (network, params)
}

/// A sample's problem and its weights after some epochs.
fn trained(name: &str, epochs: usize) -> (Arc<Problem>, Vec<f64>) {
    let experiment = Experiment::parse(sample(name).unwrap().toml, name).unwrap();
    trained_for(&experiment, epochs)
}

fn trained_for(experiment: &Experiment, epochs: usize) -> (Arc<Problem>, Vec<f64>) {
    let problem = Arc::new(Problem::new(experiment).unwrap());
    let mut trainer = Trainer::new(Arc::clone(&problem));
    while trainer.epoch() < epochs {
        trainer.step();
    }
    let params = trainer.params().iter().map(|&p| f64::from(p)).collect();
    (problem, params)
}

fn assert_close(what: &str, ours: &[f64], theirs: &[f64], tolerance: f64) {
    assert_eq!(ours.len(), theirs.len(), "{what}");
    for (i, (a, b)) in ours.iter().zip(theirs).enumerate() {
        assert!((a - b).abs() <= tolerance, "{what}, {i}: {a} for {b}");
    }
}
