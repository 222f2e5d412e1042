//! Distributions against NumPy's counts, and against the numbers of a network.

use super::{
    CAPACITY, DistributionLog, DistributionMeter, FINEST, Moment, Quantity, SAMPLES, Spread,
    on_one_axis,
};
use crate::experiment::Experiment;
use crate::insight::histogram::{Bands, Histogram};
use crate::train::{Problem, full_gradient};

/// As in NumPy: `x = (arange(600) * 7919 % 1009).astype(float32) / 1009 - 0.5`.
fn x() -> impl Iterator<Item = f32> {
    (0..600).map(|i| (i * 7919 % 1009) as f32 / 1009.0 - 0.5)
}

/// `numpy.histogram(8 * x**3, bins=16, range=(-1, 1))` and of `0.03 * x`, NumPy 2.4: two
/// lots of numbers of very different size over one axis.
#[test]
fn histograms_on_one_axis_count_as_numpy_does() {
    let wide: Vec<f32> = x().map(|x| x * x * x * 8.0).collect();
    let narrow: Vec<f32> = x().map(|x| x * 0.03).collect();
    let spreads = [&wide, &narrow].map(|values| Spread::of(values).unwrap());
    let both = on_one_axis(&[&spreads[0], &spreads[1]], 16);
    assert_eq!((both[0].range, both[1].range), ([-1.0, 1.0], [-1.0, 1.0]));
    assert_eq!(both[0].counts, WIDE);
    assert_eq!(both[1].counts, NARROW);
    // Alone the narrow one has an axis of its own.
    let alone = on_one_axis(&[&spreads[1]], 32);
    assert_eq!(alone[0].range, [-0.015625, 0.015625]);
    assert_eq!(alone[0].counts, ALONE);
}

#[test]
fn the_finest_counts_are_those_of_the_histogram_over_the_same_range() {
    for scale in [1.0_f32, 3e-9, 7e20] {
        let mut values: Vec<f32> = x().map(|x| (x * x * x + 0.1) * scale).collect();
        values.extend([f32::NAN, f32::INFINITY]);
        let spread = Spread::of(&values).unwrap();
        let counts = &spread.counts;
        let bins = counts.counts().len();
        assert!((FINEST / 2..=FINEST).contains(&bins), "{bins}");
        let same = Histogram::of(&values, bins, Some(counts.range()));
        assert_eq!(same.counts, counts.counts());
        assert_eq!((spread.total, spread.not_finite), (602, 2));
        assert_eq!(spread.bands, Bands::of(&values));
        let [low, high] = spread.range().unwrap();
        let [begin, end] = counts.range();
        assert!(begin <= low && high < end);
        assert!(low - begin < counts.width() && end - high <= counts.width());
    }
}

#[test]
fn numbers_that_are_all_the_same_and_none_at_all_have_an_axis() {
    for value in [0.0_f32, 2.5, -1e-12, f32::MAX] {
        let spread = Spread::of(&[value; 7]).unwrap();
        let histogram = &on_one_axis(&[&spread], 64)[0];
        let [low, high] = histogram.range;
        let value = f64::from(value);
        assert!(low < value && value < high, "{value}: {low} {high}");
        assert_eq!(histogram.counts.iter().sum::<u64>(), 7);
        assert_eq!(histogram.counts.iter().filter(|c| **c > 0).count(), 1);
    }
    let none = Spread::of(&[f32::NAN; 3]).unwrap();
    assert_eq!((none.not_finite, none.range()), (3, None));
    let one = Spread::of(&[1.0, 3.0]).unwrap();
    let both = on_one_axis(&[&none, &one], 8);
    assert_eq!(both[0].counts.iter().sum::<u64>(), 0);
    assert_eq!(both[1].counts.iter().sum::<u64>(), 2);
    assert_eq!(Spread::of(&[]), None);
    assert!(on_one_axis(&[], 8).is_empty());
}

fn problem(text: &str) -> Problem {
    Problem::new(&Experiment::parse(text, "test").unwrap()).unwrap()
}

const NORM: &str = "[data]\nsource = \"digits\"\nlimit = 120\nvalidation = 0.25\n[network]\n\
    layers = [{ conv = 2, kernel = 3, activation = \"relu\" }, \"batch_norm\", \"flatten\", \
    { dense = 5, activation = \"tanh\" }]\nloss = \"cross-entropy\"\n";
const PLAIN: &str = "[data]\nsource = \"circle\"\nsamples = 250\nvalidation = 0.2\n[network]\n\
    layers = [{ dense = 5, activation = \"relu\" }]\nloss = \"cross-entropy\"\n";

#[test]
fn a_moment_has_the_networks_own_numbers() {
    let problem = problem(PLAIN);
    let params = problem.initial_params();
    let update: Vec<f32> = params.iter().map(|p| 0.5 * p).collect();
    let mut meter = DistributionMeter::new(&problem, SAMPLES);
    let moment = meter.measure(&problem, (2, 9), &params, &update);
    assert_eq!((moment.epoch, moment.step, moment.layers()), (2, 9, 2));
    assert_eq!((moment.samples, moment.seen), (200, 200));
    let (x, y) = (problem.train.x.view(), problem.train.y.view());
    let gradient = full_gradient(&problem.network, &params, x, y).1;
    let mut workspace = crate::nn::Workspace::new(&problem.network, 200);
    problem.network.forward(&params, x, &mut workspace);
    for layer in 0..2 {
        let layout = problem.network.layout();
        let (weight, bias) = (layout.weight(layer), layout.bias(layer));
        let a: Vec<f32> = workspace.a(layer).iter().copied().collect();
        for (quantity, values) in [
            (Quantity::Weights, &params[weight.clone()]),
            (Quantity::Biases, &params[bias]),
            (Quantity::Updates, &update[weight.clone()]),
            (Quantity::Activations, &a),
        ] {
            assert_eq!(moment.spread(quantity, layer), Spread::of(values).as_ref());
        }
        // Summed in another order: the same but for rounding.
        let found = moment.spread(Quantity::Gradients, layer).unwrap();
        let Bands(expected) = Bands::of(&gradient[weight]).unwrap();
        let Bands(bands) = found.bands.unwrap();
        for (a, b) in bands.iter().zip(expected) {
            assert!((a - b).abs() < 1e-6, "{a} {b}");
        }
    }
    assert_eq!(moment.spread(Quantity::Weights, 2), None);
    let first = meter.measure(&problem, (0, 0), &params, &update);
    assert_eq!(first.spread(Quantity::Updates, 0), None);
    assert!(first.spread(Quantity::Gradients, 0).is_some());
}

#[test]
fn layers_without_a_quantity_have_none_of_it() {
    let problem = problem(NORM);
    let params = problem.initial_params();
    let moment = DistributionMeter::new(&problem, 50).measure(&problem, (0, 0), &params, &[]);
    let has = |quantity| -> Vec<bool> {
        (0..moment.layers())
            .map(|layer| moment.spread(quantity, layer).is_some())
            .collect()
    };
    // Gains and shifts count as weights and biases; flattening has neither.
    assert_eq!(has(Quantity::Weights), [true, true, false, true, true]);
    assert_eq!(has(Quantity::Biases), [true, true, false, true, true]);
    assert_eq!(has(Quantity::Activations), [true; 5]);
    let gains = moment.spread(Quantity::Weights, 1).unwrap();
    assert_eq!((gains.total, gains.range()), (2, Some([1.0, 1.0])));
    let maps = moment.spread(Quantity::Activations, 0).unwrap();
    assert_eq!(maps.total, 50 * 2 * 36);
}

fn at(step: u64) -> Moment {
    Moment {
        epoch: 0,
        step,
        samples: 0,
        seen: 0,
        spreads: Default::default(),
    }
}

fn steps(log: &DistributionLog) -> Vec<u64> {
    log.moments().iter().map(|m| m.step).collect()
}

#[test]
fn a_full_log_keeps_the_first_and_the_newest_and_lies_evenly() {
    let mut log = DistributionLog::default();
    for step in 0..5000 {
        if log.wants(step) {
            log.push(at(step));
            assert_eq!(steps(&log)[0], 0);
            assert_eq!(steps(&log).last(), Some(&step));
        }
        assert!(log.moments().len() <= CAPACITY);
    }
    let kept = steps(&log);
    assert_eq!(kept.len(), CAPACITY);
    let gaps: Vec<u64> = kept.windows(2).map(|w| w[1] - w[0]).collect();
    let even = 5000.0 / CAPACITY as f64;
    for gap in gaps {
        let ratio = gap as f64 / even;
        assert!((0.3..=2.2).contains(&ratio), "{gap} of {kept:?}");
    }
}

#[test]
fn a_rewind_drops_what_did_not_come_and_a_range_keeps_the_first() {
    let mut log = DistributionLog::default();
    (0..10).for_each(|k| log.push(at(10 * k)));
    assert!(!log.wants(90));
    assert!(log.wants(40));
    log.push(at(40));
    assert_eq!(steps(&log), [0, 10, 20, 30, 40]);
    let chosen: Vec<u64> = log.between(15, 30).iter().map(|m| m.step).collect();
    assert_eq!(chosen, [0, 20, 30]);
    log.clear();
    assert!(log.moments().is_empty() && log.wants(0));
}

const WIDE: [u64; 16] = [
    12, 15, 16, 19, 20, 29, 39, 149, 150, 40, 27, 21, 18, 17, 15, 13,
];
const NARROW: [u64; 16] = [0, 0, 0, 0, 0, 0, 0, 299, 301, 0, 0, 0, 0, 0, 0, 0];
const ALONE: [u64; 32] = [
    7, 19, 19, 20, 20, 20, 19, 20, 20, 19, 20, 19, 19, 19, 19, 20, 19, 20, 20, 20, 20, 20, 20, 19,
    20, 18, 20, 19, 19, 20, 19, 8,
];
