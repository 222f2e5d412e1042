//! What a number of an iteration is made of: the sum behind it, term by term, and
//! where each factor comes from.

use super::Trace;
use crate::nn::{LayerKind, Network, Source};

/// Where a number stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The value that goes out of a unit of a column; column 0 has the inputs.
    Value {
        /// Which column.
        column: usize,
        /// Which unit.
        unit: usize,
    },
    /// The error signal of a unit.
    Signal {
        /// Its column.
        column: usize,
        /// Which unit.
        unit: usize,
    },
    /// The parameter with this index, before the update.
    Parameter(usize),
}

/// A number with its place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Factor {
    /// Where it stands.
    pub origin: Origin,
    /// What it is.
    pub value: f32,
}

/// A product of one or two numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// The numbers.
    pub factors: Vec<Factor>,
    /// Their product.
    pub value: f64,
}

impl Term {
    fn new(factors: Vec<Factor>) -> Self {
        let value = factors.iter().map(|f| f64::from(f.value)).product();
        Term { factors, value }
    }
}

/// A sum that makes a number of the network's.
#[derive(Debug, Clone, PartialEq)]
pub struct Sum {
    /// Its terms; largest first where there are more than [`Sum::IN_ORDER`].
    pub terms: Vec<Term>,
    /// The number that the network has computed, in single precision.
    pub result: f32,
}

impl Sum {
    /// Up to so many terms stay in the order of the units.
    pub const IN_ORDER: usize = 6;

    fn new(mut terms: Vec<Term>, result: f32) -> Self {
        if terms.len() > Sum::IN_ORDER {
            terms.sort_by(|a, b| b.value.abs().total_cmp(&a.value.abs()));
        }
        Sum { terms, result }
    }
}

impl Trace {
    fn value(&self, column: usize, unit: usize) -> Factor {
        let values = match column.checked_sub(1) {
            None => &self.sample.input,
            Some(layer) => &self.sample.a[layer],
        };
        Factor {
            origin: Origin::Value { column, unit },
            value: values[unit],
        }
    }

    fn signal(&self, layer: usize, unit: usize) -> Factor {
        let column = layer + 1;
        Factor {
            origin: Origin::Signal { column, unit },
            value: self.sample.delta[layer][unit],
        }
    }

    fn parameter(&self, index: usize) -> Factor {
        Factor {
            origin: Origin::Parameter(index),
            value: self.before[index],
        }
    }

    /// `z = sum w x + b` of a unit; none where it is no weighted sum (a maximum, a
    /// normalisation).
    pub fn weighted_sum(&self, network: &Network, layer: usize, unit: usize) -> Option<Sum> {
        let this = network.layers().get(layer).filter(|l| is_sum(l.kind()))?;
        let result = *self.sample.z[layer].get(unit)?;
        let mut terms = Vec::new();
        for (source, connections) in network.connections(layer).into_iter().enumerate() {
            let column = this.sources()[source].column();
            for link in connections
                .into_unit(unit)
                .filter_map(|i| connections.get(i))
            {
                let weight = link.parameter.map(|index| self.parameter(index));
                let value = self.value(column, link.from);
                terms.push(Term::new(weight.into_iter().chain([value]).collect()));
            }
        }
        let bias = network.bias_of(layer, unit);
        terms.extend(bias.map(|index| Term::new(vec![self.parameter(index)])));
        Some(Sum::new(terms, result))
    }

    /// `dL/da = sum w delta` of a hidden unit, over all units that read it; none
    /// where one of them is no weighted sum.
    pub fn passed_back(&self, network: &Network, layer: usize, unit: usize) -> Option<Sum> {
        let result = *self.sample.passed.get(layer)?.get(unit)?;
        let mut terms = Vec::new();
        for (reader, this) in network.layers().iter().enumerate() {
            for (source, connections) in network.connections(reader).into_iter().enumerate() {
                if this.sources()[source] != Source::Layer(layer) {
                    continue;
                }
                if !is_sum(this.kind()) {
                    return None;
                }
                for link in connections.out_of(unit).filter_map(|i| connections.get(i)) {
                    let weight = link.parameter.map(|index| self.parameter(index));
                    let signal = self.signal(reader, link.to);
                    terms.push(Term::new(weight.into_iter().chain([signal]).collect()));
                }
            }
        }
        Some(Sum::new(terms, result))
    }

    /// What the shown sample adds to the gradient of a parameter of a weighted sum:
    /// `delta x` of a weight, a term for each place where it is used; `delta` of a
    /// bias. The result is the gradient of the batch's mean loss.
    pub fn gradient_terms(&self, network: &Network, index: usize) -> Option<Sum> {
        let place = network.layout().place(index)?;
        let layer = place.layer;
        let this = network.layers().get(layer).filter(|l| is_sum(l.kind()))?;
        let result = *self.data_gradient.get(index)?;
        let mut terms = Vec::new();
        let column = this.sources()[0].column();
        let connections = network.connections(layer).into_iter().next()?;
        let links = (0..connections.len()).filter_map(|i| connections.get(i));
        for link in links.filter(|link| link.parameter == Some(index)) {
            let pair = vec![self.signal(layer, link.to), self.value(column, link.from)];
            terms.push(Term::new(pair));
        }
        if terms.is_empty() {
            let units = (0..this.outputs()).filter(|&u| network.bias_of(layer, u) == Some(index));
            terms.extend(units.map(|unit| Term::new(vec![self.signal(layer, unit)])));
        }
        (!terms.is_empty()).then(|| Sum::new(terms, result))
    }
}

/// Whether a layer of this kind makes weighted sums of what it reads.
fn is_sum(kind: &LayerKind) -> bool {
    matches!(
        kind,
        LayerKind::Dense { .. } | LayerKind::Conv(_) | LayerKind::Flatten | LayerKind::Add
    )
}
