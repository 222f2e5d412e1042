//! Slices against the network evaluated anew at each point.

use super::*;
use crate::experiment::Experiment;
use crate::landscape::{Directions, Measure, Quantity};
use crate::train::{Problem, Trainer};
use std::sync::Arc;

#[test]
fn the_gradient_is_the_slope_of_the_surface_and_contains_the_penalty() {
    let text = "[data]\nsource = \"circle\"\nsamples = 300\n[network]\n\
                layers = [{ dense = 5 }, { dense = 3 }]\nloss = \"cross-entropy\"\n\
                [training]\nl2 = 0.1";
    let problem = Problem::new(&Experiment::parse(text, "test").unwrap()).unwrap();
    let center = problem.initial_params();
    let plane = Directions::Random { seed: 4 }
        .plane(problem.network.layout(), &center)
        .unwrap();
    for penalties in [false, true] {
        let measure = Measure {
            penalties,
            ..Measure::default()
        };
        let slice = Slice::new(Gauge::new(&problem, measure, None).unwrap(), &plane);
        let mut buffers = slice.buffers();
        let mut at = |x: f64, y: f64| {
            let mut height = [0.0];
            slice.heights(&[[x, y]], &mut buffers, &mut height);
            height[0]
        };
        for (x, y) in [(0.0, 0.0), (0.4, -0.7), (-1.1, 0.3)] {
            let (height, [dx, dy]) = slice.gradient(x, y).unwrap();
            assert!((height - at(x, y)).abs() <= 1e-6 * height, "{height}");
            // Fourth-order differences at single precision.
            let h = 0.02;
            let slope = |f: &mut dyn FnMut(f64) -> f64| {
                (8.0 * (f(h) - f(-h)) - (f(2.0 * h) - f(-2.0 * h))) / (12.0 * h)
            };
            let (ex, ey) = (slope(&mut |d| at(x + d, y)), slope(&mut |d| at(x, y + d)));
            let size = dx.hypot(dy).max(0.1);
            assert!((dx - ex).abs() < 1e-4 * size, "{x} {y}: {dx} for {ex}");
            assert!((dy - ey).abs() < 1e-4 * size, "{x} {y}: {dy} for {ey}");
        }
    }
    let measure = Measure {
        quantity: Quantity::Accuracy,
        ..Measure::default()
    };
    let gauge = Gauge::new(&problem, measure, None).unwrap();
    assert_eq!(Slice::new(gauge, &plane).gradient(0.0, 0.0), None);
}

/// A problem after some steps, so that statistics are gathered, and its weights.
fn trained(source: &str, layers: &str, loss: &str) -> (Problem, Vec<f32>) {
    let size = if source == "digits" {
        "limit"
    } else {
        "samples"
    };
    let text = format!(
        "seed = 3\n[data]\nsource = \"{source}\"\n{size} = 300\n[network]\nlayers = [{layers}]\n\
         loss = \"{loss}\"\n[training]\nbatch = 32\nl1 = 1e-4\nl2 = 1e-3"
    );
    let experiment = Experiment::parse(&text, "test").unwrap_or_else(|e| panic!("{e}"));
    let problem = Arc::new(Problem::new(&experiment).unwrap_or_else(|e| panic!("{e}")));
    let mut trainer = Trainer::new(Arc::clone(&problem));
    for _ in 0..6 {
        trainer.step();
    }
    let params = trainer.params().to_vec();
    ((*problem).clone(), params)
}

/// Chains and graphs of every kind of layer: those that have a pass of their own
/// for planes and those that have not.
const NETWORKS: [(&str, &str, &str); 7] = [
    (
        "digits",
        "{ dense = 24 }, { dense = 9, activation = \"relu\" }",
        "cross-entropy",
    ),
    ("moons", "", "mean-squared-error"),
    (
        "sine",
        "{ dense = 5, activation = \"softplus\" }, { dense = 6, activation = \"silu\" }, \
         { dense = 4, activation = \"sigmoid\" }",
        "half-squared-error",
    ),
    // Wide enough for products by the library.
    (
        "digits",
        "{ dense = 300, activation = \"relu\" }, { dense = 40, activation = \"relu\" }",
        "cross-entropy",
    ),
    (
        "digits",
        "{ conv = 5, kernel = 3, padding = 1, activation = \"linear\" }, \"batch_norm\", \
         { max_pool = 2 }, { conv = 6, kernel = 3, activation = \"relu\" }, \"flatten\", \
         { dropout = 0.3 }, { dense = 7 }",
        "cross-entropy",
    ),
    (
        "digits",
        "\"layer_norm\", { dense = 12, name = \"stem\" }, { dense = 12 }, \
         { add = \"stem\", name = \"block\" }, \"prelu\", { dense = 12 }, { add = \"block\" }",
        "cross-entropy",
    ),
    (
        "digits",
        "\"batch_norm\", { avg_pool = 2 }, { conv = 4, kernel = 3 }, \"global_avg_pool\"",
        "mean-squared-error",
    ),
];

/// All parameters, statistics among them; those of one layer; two parameters; and
/// the first layer's biases with the last one's weights.
fn planes(problem: &Problem, center: &[f32]) -> Vec<Plane> {
    let layout = problem.network.layout();
    let mut planes = vec![
        Directions::Random { seed: 1 }
            .plane(layout, center)
            .unwrap(),
        Directions::Weights(0, center.len() / 2)
            .plane(layout, center)
            .unwrap(),
    ];
    let last = layout.trainable() - 1;
    planes.push(
        Directions::Weights(last, last - 1)
            .plane(layout, center)
            .unwrap(),
    );
    for layer in 0..problem.network.layers().len() {
        let range = problem.network.layer_range(layer);
        if range.len() > 1 {
            let wave = |phase: f32| {
                let value = |i: usize| 0.2 * (1.3 * i as f32 + phase).sin();
                let within = |i| if range.contains(&i) { value(i) } else { 0.0 };
                (0..center.len()).map(within).collect()
            };
            planes.push(Plane::new(center.to_vec(), wave(0.0), wave(1.0)).unwrap());
        }
    }
    let wave = |phase: f32| {
        let value = |i: usize| 0.05 * (0.7 * i as f32 + phase).sin();
        (0..center.len()).map(value).collect()
    };
    planes.push(Plane::new(center.to_vec(), wave(0.0), wave(2.0)).unwrap());
    planes
}

const POINTS: [[f64; 2]; 6] = [
    [0.0, 0.0],
    [0.5, -0.25],
    [-1.0, 0.7],
    [0.0, 0.9],
    [1.1, 0.0],
    [-0.3, -0.4],
];

#[test]
fn a_slice_of_any_network_is_what_the_network_gives_at_each_point() {
    for (source, layers, loss) in NETWORKS {
        let (problem, center) = trained(source, layers, loss);
        let mut evaluator = Evaluator::new(&problem.network);
        for (index, plane) in planes(&problem, &center).iter().enumerate() {
            for (quantity, penalties) in [
                (Quantity::Loss, false),
                (Quantity::Loss, true),
                (Quantity::Accuracy, false),
            ] {
                let measure = Measure {
                    quantity,
                    penalties,
                    ..Measure::default()
                };
                let Ok(gauge) = Gauge::new(&problem, measure, None) else {
                    continue;
                };
                let slice = Slice::new(gauge, plane);
                let mut heights = [0.0; POINTS.len()];
                slice.heights(&POINTS, &mut slice.buffers(), &mut heights);
                for (&[x, y], height) in POINTS.iter().zip(heights) {
                    let expected = gauge.at(&plane.point(x, y), &mut evaluator);
                    let case = format!("{source} [{layers}], plane {index}, {measure:?}, {x} {y}");
                    if [x, y] == [0.0, 0.0] {
                        assert_eq!(height.to_bits(), expected.to_bits(), "{case}");
                    } else if quantity == Quantity::Accuracy {
                        // An answer on the border may fall to either side.
                        let one = 1.0 / problem.train.len() as f64;
                        assert!((height - expected).abs() < 1.5 * one, "{case}");
                    } else {
                        let error = (height - expected).abs();
                        assert!(error < 3e-6 * expected, "{case}: {height} for {expected}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_height_depends_on_its_point_alone_and_not_on_what_is_kept() {
    for (source, layers, loss) in NETWORKS {
        let (problem, center) = trained(source, layers, loss);
        for plane in planes(&problem, &center) {
            let gauge = Gauge::training_loss(&problem);
            let slice = Slice::new(gauge, &plane);
            let mut together = [0.0; POINTS.len()];
            slice.heights(&POINTS, &mut slice.buffers(), &mut together);
            let mut frugal = Slice::new(gauge, &plane);
            frugal.chunks.clear();
            let mut buffers = frugal.buffers();
            for (point, together) in POINTS.iter().zip(together).rev() {
                let mut alone = [0.0];
                frugal.heights(&[*point], &mut buffers, &mut alone);
                assert_eq!(
                    alone[0].to_bits(),
                    together.to_bits(),
                    "{source} [{layers}]"
                );
            }
        }
    }
}

#[test]
fn without_samples_there_is_no_height() {
    let (mut problem, center) = trained("moons", "{ dense = 3 }", "cross-entropy");
    problem.train = problem.train.select(&[]);
    let plane = &planes(&problem, &center)[0];
    let slice = Slice::new(Gauge::training_loss(&problem), plane);
    let mut height = [0.0];
    slice.heights(&[[0.5, 0.5]], &mut slice.buffers(), &mut height);
    assert!(height[0].is_nan());
}
