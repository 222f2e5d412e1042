//! Measurements against closed forms and against the trainer's own gradient.

use super::units::identical_share;
use super::{Health, HealthLog, HealthMeter, SAMPLES};
use crate::experiment::Experiment;
use crate::train::{Problem, full_gradient};

fn problem(text: &str) -> Problem {
    Problem::new(&Experiment::parse(text, "test").unwrap()).unwrap()
}

fn health(problem: &Problem, params: &[f32]) -> Health {
    HealthMeter::new(problem, SAMPLES).measure(problem, (0, 0), params, &[])
}

const TWO: &str = "[data]\nsource = \"circle\"\nsamples = 250\nvalidation = 0.2\n[network]\n\
    layers = [{ dense = 5, activation = \"relu\" }, { dense = 4, activation = \"tanh\" }]\n\
    loss = \"cross-entropy\"\n";

#[test]
fn gradients_are_those_of_the_whole_training_part_where_it_is_small() {
    let problem = problem(TWO);
    let params = problem.initial_params();
    let found = health(&problem, &params);
    let (x, y) = (problem.train.x.view(), problem.train.y.view());
    let (loss, gradient) = full_gradient(&problem.network, &params, x, y);
    assert_eq!(found.samples, 200);
    assert!((found.loss - loss).abs() < 1e-6);
    for (index, layer) in found.layers.iter().enumerate() {
        let weights = problem.network.layout().weight(index);
        let n = weights.len() as f64;
        let sum: f64 = gradient[weights]
            .iter()
            .map(|g| f64::from(*g).powi(2))
            .sum();
        let expected = (sum / n).sqrt();
        assert!((layer.gradient.unwrap() - expected).abs() < 1e-6 * expected);
        assert_eq!(layer.update, None);
    }
}

#[test]
fn an_update_is_told_as_a_share_of_the_weights() {
    let problem = problem(TWO);
    let params = problem.initial_params();
    let update: Vec<f32> = params.iter().map(|p| 0.01 * p).collect();
    let mut meter = HealthMeter::new(&problem, SAMPLES);
    let found = meter.measure(&problem, (1, 7), &params, &update);
    for layer in &found.layers {
        assert!((layer.update_ratio().unwrap() - 0.01).abs() < 1e-6);
    }
}

/// Units 0 and 1 of five are pushed below zero; the tanh units see large sums.
#[test]
fn dead_and_saturated_units_are_counted() {
    let problem = problem(TWO);
    let mut params = problem.initial_params();
    let biases = problem.network.layout().bias(0);
    params[biases][..2].fill(-100.0);
    let weights = problem.network.layout().weight(1);
    params[weights]
        .iter_mut()
        .for_each(|w| *w = w.signum() * 100.0);
    let found = health(&problem, &params);
    assert_eq!(found.layers[0].dead, Some(0.4));
    assert_eq!(found.layers[0].saturated, None);
    assert!(found.layers[1].saturated.unwrap() > 0.8);
    assert_eq!(found.layers[1].dead, None);
}

#[test]
fn a_filter_is_dead_only_if_it_is_at_no_place_awake() {
    let problem = problem(
        "[data]\nsource = \"digits\"\nlimit = 300\n[network]\n\
         layers = [{ conv = 4, kernel = 3, activation = \"relu\" }, \"flatten\"]\n\
         loss = \"cross-entropy\"\n",
    );
    let mut params = problem.initial_params();
    let biases = problem.network.layout().bias(0);
    params[biases.start + 3] = -1e3;
    let found = health(&problem, &params);
    assert_eq!(found.layers[0].dead, Some(0.25));
    assert_eq!(found.weighted().map(|(i, _)| i).collect::<Vec<_>>(), [0, 2]);
}

#[test]
fn units_with_the_same_weights_are_found_whatever_their_order() {
    let rows = [[1.0, 2.0], [0.5, 0.1], [1.0, 2.0], [1.0, 2.1], [0.5, 0.1]];
    let weights: Vec<f32> = rows.concat();
    assert_eq!(identical_share(&weights, &[], 5), 0.8);
    // Another bias makes another unit.
    assert_eq!(
        identical_share(&weights, &[0.0, 0.0, 0.3, 0.0, 0.0], 5),
        0.4
    );
    assert_eq!(identical_share(&[0.0; 6], &[0.0; 3], 3), 1.0);
}

#[test]
fn a_log_stays_bounded_and_keeps_the_first_and_the_last() {
    let problem = problem(TWO);
    let one = health(&problem, &problem.initial_params());
    let mut log = HealthLog::default();
    for epoch in 0..1000 {
        if log.wants(epoch) || epoch == 999 {
            log.push(Health {
                epoch,
                ..one.clone()
            });
        }
    }
    let epochs: Vec<_> = log.records().iter().map(|r| r.epoch).collect();
    assert!(epochs.len() <= 64, "{epochs:?}");
    assert_eq!((epochs[0], *epochs.last().unwrap()), (0, 999));
}
