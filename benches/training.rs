//! How fast the core is, at sizes for which other programs have been timed
//! (`benches/README.md`): `cargo bench --no-default-features --bench training`.
//!
//! Criterion prints the rate in elements a second: epochs, samples or points
//! of a surface, as the group's name says.
#![allow(missing_docs)] // what criterion's macros make has no documentation
#![allow(clippy::unwrap_used)] // a benchmark fails by panicking

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gradscape::experiment::Experiment;
use gradscape::landscape::{Axis, Directions, Gauge, Slice, evaluate};
use gradscape::nn::layer::{Conv, Pool};
use gradscape::nn::{Activation, LayerKind, LayerSpec, Loss, Network, Shape};
use gradscape::train::{Encoding, Problem, Samples, Session, StepOutcome, TrainCommand, Trainer};
use ndarray::Array2;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// A problem in the plane with half of its samples to train on.
fn circle(samples: usize, hidden: &[usize], training: &str) -> Problem {
    let layers: Vec<_> = hidden
        .iter()
        .map(|n| format!("{{ dense = {n} }}"))
        .collect();
    let text = format!(
        "[data]\nsource = \"circle\"\nsamples = {}\nvalidation = 0.5\n\
         [network]\nlayers = [{}]\nloss = \"half-squared-error\"\n[training]\n{training}",
        2 * samples,
        layers.join(", ")
    );
    Problem::new(&Experiment::parse(&text, "bench.toml").unwrap()).unwrap()
}

/// 784-128-64-10 on `samples` pictures of waves, as large as MNIST's.
fn pictures(samples: usize) -> Problem {
    let mut problem = circle(
        2,
        &[1],
        "batch = 64\noptimizer = { name = \"adam\", learning_rate = 0.001 }",
    );
    let layers = [
        (128, Activation::Relu),
        (64, Activation::Relu),
        (10, Activation::Softmax),
    ];
    problem.network = Network::dense(784, &layers, Loss::SoftmaxCrossEntropy).unwrap();
    problem.encoding = Encoding::OneHot;
    problem.train = Samples {
        x: Array2::from_shape_fn((samples, 784), |(i, k)| {
            0.5 + 0.5 * ((i % 10 + 1) as f32 * k as f32 * 0.01 + i as f32).sin()
        }),
        y: Array2::from_shape_fn((samples, 10), |(i, k)| f32::from(u8::from(i % 10 == k))),
    };
    problem.validation = Samples {
        x: Array2::zeros((0, 784)),
        y: Array2::zeros((0, 10)),
    };
    problem
}

/// The network of LeCun et al. 1998 with rectifiers, on the same pictures.
fn lenet(samples: usize) -> Problem {
    let mut problem = pictures(samples);
    let conv = |filters, padding| {
        let conv = Conv {
            padding: [padding; 2],
            ..Conv::square(filters, 5)
        };
        LayerSpec::new(LayerKind::Conv(conv), Activation::Relu)
    };
    let plain = |kind| LayerSpec::new(kind, Activation::Linear);
    let dense = |units, activation| LayerSpec::new(LayerKind::Dense { units }, activation);
    let layers = [
        conv(6, 2),
        plain(LayerKind::MaxPool(Pool::square(2))),
        conv(16, 0),
        plain(LayerKind::MaxPool(Pool::square(2))),
        plain(LayerKind::Flatten),
        dense(120, Activation::Relu),
        dense(84, Activation::Relu),
        dense(10, Activation::Softmax),
    ];
    let input = Shape::image(1, 28, 28);
    problem.network = Network::new(input, &layers, Loss::SoftmaxCrossEntropy).unwrap();
    problem
}

fn epoch(trainer: &mut Trainer) {
    while let StepOutcome::Stepped {
        epoch_done: false, ..
    } = trainer.step()
    {}
}

const PLAYGROUND: &str = "batch = 10\noptimizer = { name = \"sgd\", learning_rate = 0.03 }";

fn epochs(c: &mut Criterion) {
    let mut group = c.benchmark_group("epochs of 250 samples, batch 10");
    group.throughput(Throughput::Elements(1));
    let deep = "[data]\nsource = \"circle\"\nsamples = 500\nvalidation = 0.5\n\
         features = [\"x1\", \"x2\", \"x1^2\", \"x2^2\", \"x1*x2\", \"sin(x1)\", \"sin(x2)\"]\n\
         [network]\nloss = \"half-squared-error\"\nlayers = [{ dense = 8 }, { dense = 8 }, \
         { dense = 8 }, { dense = 8 }, { dense = 8 }, { dense = 8 }]\n[training]\n";
    let deep = Experiment::parse(&format!("{deep}{PLAYGROUND}"), "bench.toml").unwrap();
    for (name, problem) in [
        ("2-4-2-1", circle(250, &[4, 2], PLAYGROUND)),
        ("7-8-8-8-8-8-8-1", Problem::new(&deep).unwrap()),
    ] {
        let problem = Arc::new(problem);
        let mut trainer = Trainer::new(Arc::clone(&problem));
        group.bench_function(name, |b| b.iter(|| epoch(&mut trainer)));
        // What a user sees: with the losses of both parts and the path.
        let mut session = Session::new(problem);
        group.bench_function(format!("{name} with history and path"), |b| {
            b.iter(|| {
                session.command(TrainCommand::Epoch);
                black_box(session.take_outbox());
            });
        });
    }
}

fn samples(c: &mut Criterion) {
    const SAMPLES: usize = 1280;
    let mut group = c.benchmark_group("samples, batch 64, Adam");
    group.throughput(Throughput::Elements(SAMPLES as u64));
    group.sample_size(20);
    for (name, problem) in [
        ("784-128-64-10", pictures(SAMPLES)),
        ("LeNet 6c5-16c5-120-84-10", lenet(SAMPLES)),
    ] {
        let params = problem.network.initialise(
            gradscape::nn::Init::He,
            1.0,
            0.0,
            &mut gradscape::rng::stream(1, gradscape::rng::Stream::Init),
        );
        let mut trainer = Trainer::with_params(Arc::new(problem), params, 1);
        group.bench_function(name, |b| b.iter(|| epoch(&mut trainer)));
    }
}

fn surfaces(c: &mut Criterion) {
    let mut group = c.benchmark_group("points of a surface");
    group.sample_size(10);
    group.measurement_time(Duration::from_secs(4));
    for (name, problem, side) in [
        ("2-8-8-1, 250 samples", circle(250, &[8, 8], PLAYGROUND), 51),
        (
            "2-8-8-1, 500 samples",
            circle(500, &[8, 8], PLAYGROUND),
            101,
        ),
        ("784-128-64-10, 1000 samples", pictures(1000), 11),
    ] {
        group.throughput(Throughput::Elements(side * side));
        let center = Trainer::new(Arc::new(problem.clone())).params().to_vec();
        let plane = Directions::Random { seed: 1 }
            .plane(problem.network.layout(), &center)
            .unwrap();
        let axis = Axis::new(-1.0, 1.0, side as usize).unwrap();
        group.bench_function(name, |b| {
            b.iter(|| {
                let never = AtomicBool::new(false);
                evaluate(
                    &Slice::new(Gauge::training_loss(&problem), &plane),
                    axis,
                    axis,
                    &never,
                    |_| {},
                    |_| {},
                )
            });
        });
    }
}

criterion_group!(benches, epochs, samples, surfaces);
criterion_main!(benches);
