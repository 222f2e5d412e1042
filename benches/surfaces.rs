//! Points of an error surface a second, at the sizes for which other programs have
//! been timed (`benches/README.md`):
//! `cargo bench --no-default-features --bench surfaces`.
//!
//! Each case is computed again and again for some seconds and shows the median, by
//! the clock and, on Linux, by the time that the processors spent on it: on a machine
//! that others use too, the second says more. An argument picks the cases whose name
//! contains it; `RAYON_NUM_THREADS` is the number of threads.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used)] // a benchmark fails by panicking
#![allow(clippy::print_stdout)]

use gradscape::landscape::{Axis, Directions, Gauge, HeightField, Slice, evaluate};
use gradscape::nn::layer::{Conv, Pool};
use gradscape::nn::{Activation, Init, LayerKind, LayerSpec, Loss, Network, Shape};
use gradscape::rng::{Stream, stream};
use gradscape::train::Samples;
use ndarray::Array2;
use std::fs;
use std::hint::black_box;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

struct Case {
    name: &'static str,
    network: Network,
    samples: usize,
    side: usize,
    seconds: u64,
}

fn tanh(samples: usize, side: usize, name: &'static str) -> Case {
    let layers = [8, 8, 1].map(|units| (units, Activation::Tanh));
    Case {
        name,
        network: Network::dense(2, &layers, Loss::HalfSquaredError).unwrap(),
        samples,
        side,
        seconds: 3,
    }
}

fn pictures() -> Case {
    let layers = [
        (128, Activation::Relu),
        (64, Activation::Relu),
        (10, Activation::Softmax),
    ];
    Case {
        name: "784-128-64-10 relu, 1000 samples, 51x51",
        network: Network::dense(784, &layers, Loss::SoftmaxCrossEntropy).unwrap(),
        samples: 1000,
        side: 51,
        seconds: 4,
    }
}

fn lenet() -> Case {
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
    Case {
        name: "LeNet 6c5-16c5-120-84-10, 1000 samples, 9x9",
        network: Network::new(input, &layers, Loss::SoftmaxCrossEntropy).unwrap(),
        samples: 1000,
        side: 9,
        seconds: 4,
    }
}

/// Seconds that processors have spent on this process, on Linux.
fn processor_time() -> Option<f64> {
    let mut total = 0.0;
    for task in fs::read_dir("/proc/self/task").ok()? {
        let text = fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        total += text.split_whitespace().next()?.parse::<f64>().ok()?;
    }
    Some(total * 1e-9)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn run(case: &Case) {
    let network = &case.network;
    let mut rng = stream(1, Stream::Init);
    let center: Vec<f32> = network.initialise(Init::Xavier, 1.0, 0.0, &mut rng);
    let outputs = network.outputs();
    let samples = Samples {
        x: Array2::from_shape_fn((case.samples, network.inputs()), |(i, k)| {
            ((i % 10 + 1) as f32 * k as f32 * 0.01 + i as f32).sin()
        }),
        y: Array2::from_shape_fn((case.samples, outputs), |(i, k)| match outputs {
            1 => [-1.0, 1.0][i % 2],
            _ => f32::from(u8::from(i % 10 == k)),
        }),
    };
    let plane = Directions::Random { seed: 1 }
        .plane(network.layout(), &center)
        .unwrap();
    let axis = Axis::new(-1.0, 1.0, case.side).unwrap();
    let gauge = Gauge::loss(network, &samples);
    let points = (case.side * case.side) as f64;
    let begun = Instant::now();
    let (mut clock, mut processor) = (Vec::new(), Vec::new());
    while clock.len() < 3 || begun.elapsed() < Duration::from_secs(case.seconds) {
        let (start, spent) = (Instant::now(), processor_time());
        let slice = Slice::new(gauge, &plane);
        let go = AtomicBool::new(false);
        black_box(evaluate(&slice, axis, axis, &go, |_| {}, |_| {}));
        clock.push(points / start.elapsed().as_secs_f64());
        if let (Some(before), Some(after)) = (spent, processor_time()) {
            processor.push(points / (after - before));
        }
    }
    print!("{}: {:.0} points/s", case.name, median(clock));
    if !processor.is_empty() {
        print!(", {:.0} a second of processor time", median(processor));
    }
    println!(", blocks of {}", Slice::new(gauge, &plane).block());
}

fn main() {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with('-'))
        .collect();
    println!("{} threads", rayon::current_num_threads());
    for case in [
        tanh(250, 51, "2-8-8-1 tanh, 250 samples, 51x51"),
        tanh(500, 101, "2-8-8-1 tanh, 500 samples, 101x101"),
        pictures(),
        lenet(),
    ] {
        if wanted.is_empty() || wanted.iter().any(|w| case.name.contains(w.as_str())) {
            run(&case);
        }
    }
}
