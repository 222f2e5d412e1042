//! The chain rule as a path: from the loss back to one parameter, the factors along
//! the strongest of all ways.

use super::Trace;
use crate::nn::{Activation, Connections, Layer, LayerKind, Loss, Network};

/// What a factor of the chain rule is a derivative of, and by what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Derivative {
    /// `dE/da` of a unit where the chain begins.
    LossByActivation {
        /// Its column.
        column: usize,
        /// Which unit.
        unit: usize,
    },
    /// `dE/dz` of a unit where the chain begins: where loss and activation are
    /// differentiated together.
    LossBySum {
        /// Its column.
        column: usize,
        /// Which unit.
        unit: usize,
    },
    /// `da/dz` of a unit.
    Slope {
        /// Its column.
        column: usize,
        /// Which unit.
        unit: usize,
    },
    /// `dz/da`, of a unit by one that it reads: a weight, where there is one.
    Connection {
        /// The layer that reads.
        layer: usize,
        /// Which of its sources.
        source: usize,
        /// The unit that is read.
        from: usize,
        /// The unit that reads.
        to: usize,
    },
    /// `dz/dw` of a weight: what it is multiplied by.
    Value {
        /// The column of what goes in.
        column: usize,
        /// Which unit.
        unit: usize,
    },
    /// `dz/db` of a bias: 1.
    One,
}

/// A factor of the chain rule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChainFactor {
    /// What it is.
    pub of: Derivative,
    /// Its value.
    pub value: f64,
}

/// The strongest way from the shown sample's loss to a parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Chain {
    /// Which parameter.
    pub parameter: usize,
    /// From the loss to the parameter.
    pub factors: Vec<ChainFactor>,
    /// Columns and units that it passes, from the first to the unit that the
    /// parameter belongs to, and behind it, of a weight, the unit that goes in.
    pub units: Vec<(usize, usize)>,
    /// The product of the factors.
    pub value: f64,
    /// The sum over all ways: the derivative of the shown sample's loss.
    pub total: f64,
    /// How many ways there are.
    pub ways: f64,
    /// The columns and units that the other ways pass, and their products, the strongest
    /// first; empty where there are more than [`Chain::MOST_OTHERS`].
    pub others: Vec<(Vec<(usize, usize)>, f64)>,
}

impl Chain {
    /// So many other ways are told one by one.
    pub const MOST_OTHERS: usize = 7;

    /// The connections that it passes, from the first on: the layer that reads, which
    /// of its sources, the unit that is read and the one that reads. The last is that
    /// of the parameter itself, where it is a weight.
    pub fn connections(&self) -> impl Iterator<Item = (usize, usize, usize, usize)> + '_ {
        let own = match (self.factors.last().map(|f| f.of), &self.units[..]) {
            (Some(Derivative::Value { .. }), [.., (column, to), (_, from)]) => {
                Some((column - 1, 0, *from, *to))
            }
            _ => None,
        };
        let passed = self.factors.iter().filter_map(|factor| match factor.of {
            Derivative::Connection {
                layer,
                source,
                from,
                to,
            } => Some((layer, source, from, to)),
            _ => None,
        });
        passed.chain(own)
    }
}

/// The strongest way to `dE/dz` of each unit of a layer.
struct Best {
    value: Vec<f64>,
    /// The unit that it comes from: the reading layer, which of its sources, and the
    /// unit there; none where the chain begins.
    from: Vec<Option<(usize, usize, usize)>>,
    ways: Vec<f64>,
}

impl Trace {
    /// The chain rule for one parameter and the shown sample.
    ///
    /// A way begins at the loss. Where a layer mixes what it reads (a normalisation,
    /// a softmax between layers), it begins below that, at the derivative that came
    /// through it. None for parameters of such layers.
    pub fn chain(&self, network: &Network, parameter: usize) -> Option<Chain> {
        let layer = network.layout().place(parameter)?.layer;
        let this = network.layers().get(layer)?;
        if !matches!(this.kind(), LayerKind::Dense { .. } | LayerKind::Conv(_)) {
            return None;
        }
        let best = self.best_ways(network, layer);
        let delta = |unit: usize| f64::from(self.sample.delta[layer][unit]);
        // Every place where it is used: its unit, and what goes in there.
        let mut places: Vec<(usize, Option<usize>)> = Vec::new();
        let connections = network.connections(layer).into_iter().next()?;
        let column = this.sources()[0].column();
        let links = (0..connections.len()).filter_map(|i| connections.get(i));
        for link in links.filter(|link| link.parameter == Some(parameter)) {
            places.push((link.to, Some(link.from)));
        }
        let biased = |&unit: &usize| network.bias_of(layer, unit) == Some(parameter);
        places.extend((0..this.outputs()).filter(biased).map(|unit| (unit, None)));
        let last = |from: Option<usize>| from.map_or(1.0, |from| self.out_of(column, from));
        let total = places.iter().map(|&(u, from)| delta(u) * last(from)).sum();
        let ways = places.iter().map(|&(u, _)| best[0].ways[u]).sum();
        let value_at = |&(u, from): &(usize, Option<usize>)| best[0].value[u] * last(from);
        let strength = |place: &(usize, Option<usize>)| value_at(place).abs();
        // The first of several that are equally strong.
        let strongest = places.iter().rev();
        let chosen = strongest.max_by(|a, b| strength(a).total_cmp(&strength(b)))?;
        let (mut factors, mut units) = self.walk(network, layer, &best, chosen.0);
        units.extend(chosen.1.map(|from| (column, from)));
        factors.push(match chosen.1 {
            Some(unit) => ChainFactor {
                of: Derivative::Value { column, unit },
                value: self.out_of(column, unit),
            },
            None => ChainFactor {
                of: Derivative::One,
                value: 1.0,
            },
        });
        let mut others = Vec::new();
        if ways <= (Chain::MOST_OTHERS + 1) as f64 {
            for &(unit, from) in &places {
                let end = from.map(|from| (column, from));
                let mut way = Vec::new();
                self.every_way(
                    network,
                    layer,
                    unit,
                    last(from),
                    &mut way,
                    &mut |way, value| {
                        let way = way.iter().rev().copied().chain(end).collect();
                        others.push((way, value));
                    },
                );
            }
            others.retain(|(way, _): &(Vec<_>, f64)| *way != units);
            others.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
        }
        Some(Chain {
            parameter,
            others,
            value: factors.iter().map(|f| f.value).product(),
            factors,
            units,
            total,
            ways,
        })
    }

    /// Tells `found` of every way from the loss to `dE/dz` of a unit, by the units from
    /// there upwards, and its product with `value`.
    fn every_way(
        &self,
        network: &Network,
        layer: usize,
        unit: usize,
        value: f64,
        way: &mut Vec<(usize, usize)>,
        found: &mut impl FnMut(&[(usize, usize)], f64),
    ) {
        way.push((layer + 1, unit));
        let readers = readers(network, layer);
        if self.begins(network, layer, &readers) {
            found(way, value * f64::from(self.sample.delta[layer][unit]));
        } else {
            let value = value * self.slope(network, layer, unit);
            for reader in &readers {
                for index in reader.connections.out_of(unit) {
                    let Some(link) = reader.connections.get(index) else {
                        continue;
                    };
                    let passes = self.passes(network, reader, unit, link.to, link.parameter);
                    if let Some(factor) = passes {
                        let value = value * factor;
                        self.every_way(network, reader.layer, link.to, value, way, found);
                    }
                }
            }
        }
        way.pop();
    }

    /// What goes out of a unit.
    fn out_of(&self, column: usize, unit: usize) -> f64 {
        f64::from(match column.checked_sub(1) {
            None => self.sample.input[unit],
            Some(layer) => self.sample.a[layer][unit],
        })
    }

    /// The strongest ways to every layer from `lowest` up; the first is of `lowest`.
    fn best_ways(&self, network: &Network, lowest: usize) -> Vec<Best> {
        let layers = network.layers();
        let mut all: Vec<Best> = Vec::new();
        for layer in (lowest..layers.len()).rev() {
            let readers = readers(network, layer);
            let best = if self.begins(network, layer, &readers) {
                let delta = &self.sample.delta[layer];
                Best {
                    value: delta.iter().map(|&d| f64::from(d)).collect(),
                    from: vec![None; delta.len()],
                    ways: vec![1.0; delta.len()],
                }
            } else {
                self.ways_through(network, layer, &readers, &all, lowest)
            };
            // The lowest layer is the first.
            all.insert(0, best);
        }
        all
    }

    /// Whether ways begin at a layer: at the output, and where a reader mixes.
    fn begins(&self, network: &Network, layer: usize, readers: &[Reader]) -> bool {
        let softmax = network.layers()[layer].activation() == Activation::Softmax;
        let mixes = |reader: &Reader| !is_separate(network.layers()[reader.layer].kind());
        readers.is_empty() || softmax || readers.iter().any(mixes)
    }

    fn ways_through(
        &self,
        network: &Network,
        layer: usize,
        readers: &[Reader],
        above: &[Best],
        lowest: usize,
    ) -> Best {
        let n = network.layers()[layer].outputs();
        let mut best = Best {
            value: vec![0.0; n],
            from: vec![None; n],
            ways: vec![0.0; n],
        };
        for reader in readers {
            // `above` begins with the layer behind this one.
            let ways = &above[reader.layer - layer - 1];
            debug_assert!(reader.layer > layer && layer >= lowest);
            for to in 0..reader.connections.units() {
                for index in reader.connections.into_unit(to) {
                    let Some(link) = reader.connections.get(index) else {
                        continue;
                    };
                    let Some(factor) = self.passes(network, reader, link.from, to, link.parameter)
                    else {
                        continue;
                    };
                    best.ways[link.from] += ways.ways[to];
                    let value = ways.value[to] * factor;
                    let known = best.value[link.from].abs();
                    if best.from[link.from].is_none() || value.abs() > known {
                        best.value[link.from] = value;
                        best.from[link.from] = Some((reader.layer, reader.source, to));
                    }
                }
            }
        }
        for (unit, value) in best.value.iter_mut().enumerate() {
            *value *= self.slope(network, layer, unit);
        }
        best
    }

    /// `dz/da` of a reader's unit by one that it reads; none where a window's maximum
    /// is another.
    fn passes(
        &self,
        network: &Network,
        reader: &Reader,
        from: usize,
        to: usize,
        parameter: Option<usize>,
    ) -> Option<f64> {
        let this = &network.layers()[reader.layer];
        let column = this.sources()[reader.source].column();
        let (a, z) = (
            self.out_of(column, from),
            f64::from(self.sample.z[reader.layer][to]),
        );
        match this.kind() {
            LayerKind::Dense { .. } | LayerKind::Conv(_) => {
                parameter.map(|index| f64::from(self.before[index]))
            }
            LayerKind::MaxPool(_) => {
                let connections = &reader.connections;
                let window = connections.into_unit(to);
                let mut values = window.filter_map(|index| connections.get(index));
                let first = values.find(|link| self.out_of(column, link.from) == z)?;
                (first.from == from).then_some(1.0)
            }
            LayerKind::AvgPool(pool) if pool.count_padding => {
                Some(1.0 / (pool.size[0] * pool.size[1]) as f64)
            }
            LayerKind::AvgPool(_) | LayerKind::GlobalAvgPool => {
                Some(1.0 / reader.connections.into_unit(to).len().max(1) as f64)
            }
            // Straight lines through zero on either side.
            LayerKind::Dropout { .. } | LayerKind::PRelu { .. } => {
                Some(if a == 0.0 { 0.0 } else { z / a })
            }
            _ => Some(1.0),
        }
    }

    fn slope(&self, network: &Network, layer: usize, unit: usize) -> f64 {
        let (z, a) = (self.sample.z[layer][unit], self.sample.a[layer][unit]);
        let kind = network.layers()[layer].activation();
        kind.slope(f64::from(z), f64::from(a))
    }

    /// The factors and the units of the strongest way to `unit` of `layer`.
    fn walk(
        &self,
        network: &Network,
        layer: usize,
        best: &[Best],
        unit: usize,
    ) -> (Vec<ChainFactor>, Vec<(usize, usize)>) {
        // From the parameter upwards, then turned about.
        let (mut factors, mut units) = (Vec::new(), Vec::new());
        let (mut at, mut unit) = (layer, unit);
        loop {
            let column = at + 1;
            units.push((column, unit));
            let Some((reader, source, to)) = best[at - layer].from[unit] else {
                factors.extend(self.beginning(network, at, unit).into_iter().rev());
                break;
            };
            let slope = Derivative::Slope { column, unit };
            self.push_slope(network, at, unit, slope, &mut factors);
            let this = Reader::of(network, reader, source);
            let number = this.connections.number(unit, to);
            let parameter = number.and_then(|n| this.connections.get(n)?.parameter);
            let value = self.passes(network, &this, unit, to, parameter);
            factors.push(ChainFactor {
                of: Derivative::Connection {
                    layer: reader,
                    source,
                    from: unit,
                    to,
                },
                value: value.unwrap_or(0.0),
            });
            (at, unit) = (reader, to);
        }
        factors.reverse();
        units.reverse();
        (factors, units)
    }

    fn push_slope(
        &self,
        network: &Network,
        layer: usize,
        unit: usize,
        of: Derivative,
        factors: &mut Vec<ChainFactor>,
    ) {
        if network.layers()[layer].activation() != Activation::Linear {
            factors.push(ChainFactor {
                of,
                value: self.slope(network, layer, unit),
            });
        }
    }

    /// The first factors of a way that begins at a unit.
    fn beginning(&self, network: &Network, layer: usize, unit: usize) -> Vec<ChainFactor> {
        let column = layer + 1;
        let is_output = column == network.layers().len();
        let kind = network.layers()[layer].activation();
        let together = match network.loss_kind() {
            Loss::HalfSquaredError | Loss::MeanSquaredError => false,
            Loss::SoftmaxCrossEntropy | Loss::BinaryCrossEntropy => is_output,
        };
        if together || kind == Activation::Softmax {
            return vec![ChainFactor {
                of: Derivative::LossBySum { column, unit },
                value: f64::from(self.sample.delta[layer][unit]),
            }];
        }
        let by_activation = if is_output {
            // The derivative of the loss as `nn::Loss` defines it.
            let (a, t) = (
                f64::from(self.sample.a[layer][unit]),
                f64::from(self.sample.target[unit]),
            );
            match network.loss_kind() {
                Loss::MeanSquaredError => 2.0 * (a - t) / self.sample.target.len() as f64,
                _ => a - t,
            }
        } else {
            f64::from(self.sample.passed[layer][unit])
        };
        let mut factors = vec![ChainFactor {
            of: Derivative::LossByActivation { column, unit },
            value: by_activation,
        }];
        let slope = Derivative::Slope { column, unit };
        self.push_slope(network, layer, unit, slope, &mut factors);
        factors
    }
}

/// A layer that reads another, by one of its sources.
struct Reader {
    layer: usize,
    source: usize,
    connections: Connections,
}

impl Reader {
    fn of(network: &Network, layer: usize, source: usize) -> Self {
        let mut all = network.connections(layer);
        Reader {
            layer,
            source,
            connections: all.swap_remove(source),
        }
    }
}

/// Who reads `layer`.
fn readers(network: &Network, layer: usize) -> Vec<Reader> {
    let all = network.layers().iter().enumerate().skip(layer + 1);
    let sources = |(reader, this): (usize, &Layer)| {
        let sources = this.sources().iter().enumerate();
        let ours = sources.filter(|(_, source)| source.column() == layer + 1);
        let ours: Vec<usize> = ours.map(|(source, _)| source).collect();
        ours.into_iter()
            .map(move |source| Reader::of(network, reader, source))
    };
    all.flat_map(sources).collect()
}

/// Whether what a layer makes of a value does not depend on the others.
fn is_separate(kind: &LayerKind) -> bool {
    !matches!(kind, LayerKind::BatchNorm(_) | LayerKind::LayerNorm(_))
}
