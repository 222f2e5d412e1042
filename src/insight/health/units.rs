//! Counting over a layer's units: how large, how often at rest, how often the same.

use crate::nn::{Activation, Layer};
use ndarray::ArrayView2;

/// The share of the steepest slope below which an activation counts as saturated.
pub const SATURATED_SLOPE: f64 = 0.1;
/// How much two units' weights may differ, as a share of the largest of one, and count
/// as the same: the rounding of single precision.
const SAME: f64 = 1e-6;

/// What a layer's samples add up to.
pub(super) struct Tally {
    // The values of one unit (filter) that lie side by side.
    pixels: usize,
    awake: Vec<bool>,
    activation: f64,
    delta: f64,
    values: usize,
    flat: usize,
    function: Activation,
}

impl Tally {
    pub(super) fn new(layer: &Layer) -> Self {
        let shape = layer.output_shape();
        Tally {
            pixels: shape.pixels().max(1),
            awake: vec![false; shape.channels],
            activation: 0.0,
            delta: 0.0,
            values: 0,
            flat: 0,
            function: layer.activation(),
        }
    }

    /// Takes in activations and error signals `[n, values]` of n samples' mean loss.
    pub(super) fn add(&mut self, a: ArrayView2<'_, f32>, delta: ArrayView2<'_, f32>) {
        // The loss's mean has divided each sample's error signal by this.
        let samples = a.nrows() as f64;
        let steepest = match self.function {
            Activation::Sigmoid => 0.25,
            _ => 1.0,
        };
        let counts_flat = matches!(self.function, Activation::Sigmoid | Activation::Tanh);
        // Column by column: that is how the values lie.
        for (index, column) in a.columns().into_iter().enumerate() {
            let awake = &mut self.awake[index / self.pixels];
            for &a in column {
                *awake |= a != 0.0;
                let wide = f64::from(a);
                self.activation += wide * wide;
                if counts_flat {
                    let slope = self.function.slope(wide, wide);
                    self.flat += usize::from(slope < SATURATED_SLOPE * steepest);
                }
            }
        }
        for &d in delta.t() {
            self.delta += (samples * f64::from(d)).powi(2);
        }
        self.values += a.len();
    }

    pub(super) fn activation(&self) -> f64 {
        (self.activation / self.values.max(1) as f64).sqrt()
    }

    pub(super) fn delta(&self) -> f64 {
        (self.delta / self.values.max(1) as f64).sqrt()
    }

    pub(super) fn dead(&self) -> f64 {
        let dead = self.awake.iter().filter(|awake| !**awake).count();
        dead as f64 / self.awake.len().max(1) as f64
    }

    pub(super) fn saturated(&self, function: Activation) -> Option<f64> {
        matches!(function, Activation::Sigmoid | Activation::Tanh)
            .then(|| self.flat as f64 / self.values.max(1) as f64)
    }
}

/// The share of `units` units that have the same weights and bias as another one. `weights`
/// lie unit by unit; `biases` may be missing.
pub(super) fn identical_share(weights: &[f32], biases: &[f32], units: usize) -> f64 {
    let inputs = weights.len() / units;
    let row = |unit: usize| &weights[unit * inputs..][..inputs];
    let bias = |unit: usize| biases.get(unit).map_or(0.0, |&b| f64::from(b));
    // Those that are the same lie side by side once units are in the order of any one
    // function of their weights.
    let place = |unit: usize| {
        let weights = row(unit).iter().enumerate();
        let sum: f64 = weights
            .map(|(i, &w)| f64::from(w) * (i as f64 + 1.0).sin())
            .sum();
        sum + bias(unit) * 0.577
    };
    let mut order: Vec<(f64, usize)> = (0..units).map(|unit| (place(unit), unit)).collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    let same = |a: usize, b: usize| {
        let largest = row(a)
            .iter()
            .fold(bias(a).abs(), |m, w| m.max(f64::from(w.abs())));
        let near = |(a, b): (&f32, &f32)| f64::from((a - b).abs()) <= SAME * largest;
        (bias(a) - bias(b)).abs() <= SAME * largest && row(a).iter().zip(row(b)).all(near)
    };
    let mut twin = vec![false; units];
    for pair in order.windows(2) {
        if same(pair[0].1, pair[1].1) {
            twin[pair[0].1] = true;
            twin[pair[1].1] = true;
        }
    }
    twin.iter().filter(|twin| **twin).count() as f64 / units as f64
}
