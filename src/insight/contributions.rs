//! Where an answer comes from: what each value of the sample contributes to it through
//! all ways of the network, and the strongest of these ways, unit by unit.
//!
//! A unit's pre-activation is a sum, `z_j = sum_i w_ij a_i + b_j`, and its activation is
//! `a_j = f(0) + s_j z_j` with `s_j = (f(z_j) - f(0)) / z_j`, the slope of the chord.
//! Put into each other from the answer down, this makes the answer a sum over all ways
//! from a value of the sample, each `x_i` times the weights and chords on it, and of
//! what the biases (and `f(0)`) contribute. Nothing is approximated: the parts add up to
//! the answer. It is layer-wise relevance propagation in its plain form (Bach et al.
//! 2015, doi:10.1371/journal.pone.0130140, equation 56) with the biases' part kept apart; for
//! ReLU networks a value's part is its gradient times the value.

use super::model::Model;
use crate::nn::{
    Activation, Connections, Layer, LayerKind, Network, Readout, Real, Stage, Workspace,
};
use ndarray::{ArrayView1, Axis};

/// A step of a way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PathLink {
    /// The layer that reads.
    pub layer: usize,
    /// Which of its sources.
    pub source: usize,
    /// The unit that is read.
    pub from: usize,
    /// The unit that reads.
    pub to: usize,
    /// What the value is multiplied by: a weight, or what stands in its place.
    pub factor: f64,
}

/// A way from a value of the sample to the readout.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    /// Which value of the sample.
    pub input: usize,
    /// From the sample up.
    pub links: Vec<PathLink>,
    /// Columns (0 is the sample, layer `k` is `k + 1`) and units that it passes.
    pub units: Vec<(usize, usize)>,
    /// What comes this way.
    pub value: f64,
}

/// Where a readout comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Contributions {
    /// For each value of the sample what comes from it, by all ways.
    pub inputs: Vec<f64>,
    /// What comes from biases, shifts and activations of 0.
    pub offsets: f64,
    /// The readout, to which the two add up.
    pub readout: f64,
    /// For each column up to the readout's (0 is the sample, layer `k` is `k + 1`) what
    /// comes through each of its units, by all ways: its activation times what the ways
    /// from it multiply that by. Those of the sample are `inputs`.
    pub units: Vec<Vec<f64>>,
    /// The strongest ways by size, each from another value of the sample.
    pub paths: Vec<Path>,
    /// How many ways there are.
    pub ways: f64,
}

/// What one of a column's units passes on to the readout.
struct Share {
    /// By all ways.
    all: f64,
    /// By the strongest.
    best: f64,
    /// How many ways.
    ways: f64,
    /// Where the strongest goes: layer, source, unit there, factor.
    next: Option<(usize, usize, usize, f64)>,
}

/// Follows the readout for `x` back to the sample; `paths` strongest ways are kept.
pub fn contributions<R: Real>(
    model: &mut Model<'_, R>,
    readout: &Readout,
    x: ArrayView1<'_, R>,
    paths: usize,
) -> Contributions {
    let (network, params) = (model.network(), model.params());
    let workspace = model.pass(readout, x.insert_axis(Axis(0)), |_, _| {});
    let scene = Scene {
        network,
        params,
        input: x.iter().map(|v| v.wide()).collect(),
        workspace,
    };
    scene.follow(readout, paths)
}

/// One sample's way through a network.
struct Scene<'a, R> {
    network: &'a Network,
    params: &'a [R],
    input: Vec<f64>,
    workspace: &'a Workspace<R>,
}

impl<R: Real> Scene<'_, R> {
    fn z(&self, layer: usize, unit: usize) -> f64 {
        self.workspace.z(layer)[[0, unit]].wide()
    }

    fn a(&self, column: usize, unit: usize) -> f64 {
        match column.checked_sub(1) {
            None => self.input[unit],
            Some(layer) => self.workspace.a(layer)[[0, unit]].wide(),
        }
    }

    fn follow(&self, readout: &Readout, paths: usize) -> Contributions {
        let top = readout.layer();
        let none = || Share {
            all: 0.0,
            best: 0.0,
            ways: 0.0,
            next: None,
        };
        let widths = self.network.widths();
        let columns = widths.iter().take(top + 2);
        let mut shares: Vec<Vec<Share>> = columns
            .map(|&width| (0..width).map(|_| none()).collect())
            .collect();
        for &(unit, weight) in readout.terms() {
            let share = &mut shares[top + 1][unit];
            (share.all, share.best, share.ways) = (share.all + weight, weight, 1.0);
        }
        let mut offsets = 0.0;
        let mut units = vec![Vec::new(); top + 2];
        for layer in (0..=top).rev() {
            let before = layer == top && readout.stage() == Stage::Sum;
            let through = |(unit, share): (usize, &Share)| {
                let value = if before {
                    self.z(layer, unit)
                } else {
                    self.a(layer + 1, unit)
                };
                share.all * value
            };
            units[layer + 1] = shares[layer + 1].iter().enumerate().map(through).collect();
            // Of activations until here, of pre-activations from here on.
            if !before {
                let activation = self.network.layers()[layer].activation();
                for (unit, share) in shares[layer + 1].iter_mut().enumerate() {
                    let (z, a) = (self.z(layer, unit), self.a(layer + 1, unit));
                    let chord = chord(activation, z, a);
                    offsets += share.all * (a - chord * z);
                    share.all *= chord;
                    share.best *= chord;
                }
            }
            let (below, rest) = shares.split_at_mut(layer + 1);
            offsets += self.pass(layer, &rest[0], below);
        }
        let inputs: Vec<f64> = self
            .input
            .iter()
            .zip(&shares[0])
            .map(|(x, s)| x * s.all)
            .collect();
        units[0].clone_from(&inputs);
        let strength = |i: &usize| (self.input[*i] * shares[0][*i].best).abs();
        let mut order: Vec<usize> = (0..inputs.len()).filter(|i| strength(i) > 0.0).collect();
        order.sort_by(|a, b| strength(b).total_cmp(&strength(a)));
        order.truncate(paths);
        Contributions {
            paths: order.iter().map(|&i| self.path(i, &shares)).collect(),
            ways: shares[0].iter().map(|s| s.ways).sum(),
            readout: readout.value(self.workspace, 0),
            units,
            inputs,
            offsets,
        }
    }

    /// From what the units of `layer` pass on by their pre-activations to what those
    /// that they read pass on; gives what comes from the layer's own constants.
    fn pass(&self, layer: usize, units: &[Share], below: &mut [Vec<Share>]) -> f64 {
        let this = &self.network.layers()[layer];
        let live = |share: &Share| share.ways > 0.0;
        let mut explained = vec![0.0; units.len()];
        for (source, connections) in self.network.connections(layer).iter().enumerate() {
            let column = this.sources()[source].column();
            let factors = Factors::of(self, layer, column, connections);
            for (to, share) in units.iter().enumerate().filter(|(_, s)| live(s)) {
                let taken = factors.taken(self, to);
                for index in connections.into_unit(to) {
                    let Some(link) = connections.get(index) else {
                        continue;
                    };
                    if taken.is_some_and(|taken| taken != link.from) {
                        continue;
                    }
                    let factor = factors.at(self, link.from, to, link.parameter);
                    explained[to] += factor * self.a(column, link.from);
                    let value = &mut below[column][link.from];
                    value.all += factor * share.all;
                    value.ways += share.ways;
                    let best = factor * share.best;
                    if value.next.is_none() || best.abs() > value.best.abs() {
                        value.best = best;
                        value.next = Some((layer, source, to, factor));
                    }
                }
            }
        }
        let constants = units.iter().enumerate().filter(|(_, s)| live(s));
        constants
            .map(|(unit, share)| share.all * (self.z(layer, unit) - explained[unit]))
            .sum()
    }

    fn path(&self, input: usize, shares: &[Vec<Share>]) -> Path {
        let (mut units, mut links) = (vec![(0, input)], Vec::new());
        let mut at = &shares[0][input];
        let mut from = input;
        while let Some((layer, source, to, factor)) = at.next {
            links.push(PathLink {
                layer,
                source,
                from,
                to,
                factor,
            });
            units.push((layer + 1, to));
            from = to;
            at = &shares[layer + 1][to];
        }
        Path {
            input,
            links,
            units,
            value: self.input[input] * shares[0][input].best,
        }
    }
}

/// `(f(z) - f(0)) / z`; at 0 the slope.
fn chord(activation: Activation, z: f64, a: f64) -> f64 {
    if z.abs() < 1e-9 {
        activation.slope(z, a)
    } else {
        (a - activation.value(0.0)) / z
    }
}

/// What a layer multiplies the values of one source by.
struct Factors<'a, R> {
    layer: &'a Layer,
    index: usize,
    column: usize,
    connections: &'a Connections,
    params: &'a [R],
    /// Of a normalisation: for each unit its gain over the deviation.
    scales: Vec<f64>,
}

impl<'a, R: Real> Factors<'a, R> {
    fn of(scene: &Scene<'a, R>, index: usize, column: usize, connections: &'a Connections) -> Self {
        let layer = &scene.network.layers()[index];
        Factors {
            layer,
            index,
            column,
            connections,
            params: scene.params,
            scales: scales(scene, layer, index, column),
        }
    }

    /// Of a maximum, the unit that it was taken from: the first of several.
    fn taken(&self, scene: &Scene<'_, R>, to: usize) -> Option<usize> {
        if !matches!(self.layer.kind(), LayerKind::MaxPool(_)) {
            return None;
        }
        let z = scene.z(self.index, to);
        let window = self.connections.into_unit(to);
        let mut links = window.filter_map(|index| self.connections.get(index));
        links
            .find(|link| scene.a(self.column, link.from) == z)
            .map(|link| link.from)
    }

    fn at(&self, scene: &Scene<'_, R>, from: usize, to: usize, parameter: Option<usize>) -> f64 {
        match self.layer.kind() {
            LayerKind::Dense { .. } | LayerKind::Conv(_) => {
                parameter.map_or(0.0, |index| self.params[index].wide())
            }
            LayerKind::AvgPool(pool) if pool.count_padding => {
                1.0 / (pool.size[0] * pool.size[1]) as f64
            }
            LayerKind::AvgPool(_) | LayerKind::GlobalAvgPool => {
                1.0 / self.connections.into_unit(to).len().max(1) as f64
            }
            // Straight lines through zero on either side.
            LayerKind::PRelu { .. } => {
                let (a, z) = (scene.a(self.column, from), scene.z(self.index, to));
                if a == 0.0 { 0.0 } else { z / a }
            }
            LayerKind::BatchNorm(_) | LayerKind::LayerNorm(_) => self.scales[to],
            LayerKind::MaxPool(_)
            | LayerKind::Flatten
            | LayerKind::Dropout { .. }
            | LayerKind::Add => 1.0,
        }
    }
}

fn scales<R: Real>(scene: &Scene<'_, R>, layer: &Layer, index: usize, column: usize) -> Vec<f64> {
    use crate::nn::ParamRole;
    let block = |role| -> Vec<f64> {
        let tensor = scene.network.layout().tensor(index, role);
        let range = tensor.map_or(0..0, |t| t.range.clone());
        scene.params[range].iter().map(|p| p.wide()).collect()
    };
    match layer.kind() {
        LayerKind::BatchNorm(norm) => {
            let (gains, variances) = (block(ParamRole::Gain), block(ParamRole::RunningVariance));
            let pixels = layer.input_shape().pixels();
            let channel = |c: usize| gains[c] / (variances[c] + norm.epsilon).sqrt();
            (0..layer.outputs())
                .map(|unit| channel(unit / pixels))
                .collect()
        }
        LayerKind::LayerNorm(norm) => {
            let values: Vec<f64> = (0..layer.inputs()).map(|i| scene.a(column, i)).collect();
            let n = values.len() as f64;
            let mean = values.iter().sum::<f64>() / n;
            let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
            let deviation = (variance + norm.epsilon).sqrt();
            block(ParamRole::Gain)
                .iter()
                .map(|g| g / deviation)
                .collect()
        }
        _ => Vec::new(),
    }
}
