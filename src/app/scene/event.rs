//! What an event of an iteration touches, and the numbers that it has come to.

use crate::nn::{Layer, Network};
use crate::train::micro::{Event, Micro};

/// What a neuron's number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quantity {
    /// An input, scaled.
    Input,
    /// A pre-activation `z`.
    Sum,
    /// An activation `a`.
    Activation,
    /// `dL/da`.
    Passed,
    /// An error signal `dL/dz`.
    Signal,
}

impl Quantity {
    /// Whether it is a derivative of the loss.
    pub fn is_derivative(self) -> bool {
        matches!(self, Quantity::Passed | Quantity::Signal)
    }
}

/// The numbers of the shown sample in `column` that are there after `done` events,
/// the newest kind of them; none before the column was reached.
pub(super) fn values(micro: &Micro, done: usize, column: usize) -> Option<(Quantity, &[f32])> {
    let sample = &micro.trace.sample;
    let Some(layer) = column.checked_sub(1) else {
        return Some((Quantity::Input, &sample.input));
    };
    micro.trace.events[..done].iter().rev().find_map(|event| {
        let (quantity, all) = match event {
            Event::Sum { layer: at } if *at == layer => (Quantity::Sum, &sample.z),
            Event::Activation { layer: at } if *at == layer => (Quantity::Activation, &sample.a),
            Event::PassBack { layer: at } if *at == layer => (Quantity::Passed, &sample.passed),
            Event::Signal { layer: at } if *at == layer => (Quantity::Signal, &sample.delta),
            _ => return None,
        };
        Some((quantity, &all[layer][..]))
    })
}

/// What counts as full strength of a quantity in a column: of derivatives over all
/// layers, so that one sees them vanish.
pub(super) fn strongest(micro: &Micro, quantity: Quantity, column: usize) -> f32 {
    let sample = &micro.trace.sample;
    let most = |values: &[f32]| values.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
    let layer = column.saturating_sub(1);
    match quantity {
        Quantity::Input => most(&sample.input),
        Quantity::Sum => most(&sample.z[layer]),
        Quantity::Activation => most(&sample.a[layer]),
        Quantity::Passed | Quantity::Signal => {
            let all = sample.passed.iter().chain(&sample.delta);
            all.map(|values| most(values)).fold(0.0, f32::max)
        }
    }
}

/// What a connection shows of its weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OfWeight {
    /// The weight itself.
    Weight,
    /// The batch's gradient.
    Gradient,
    /// What the update adds.
    Change,
}

/// What the connections into `layer` show in the event that happened last.
pub(super) fn of_weights(micro: &Micro, layer: usize) -> OfWeight {
    match micro.last() {
        Some(Event::Update) => OfWeight::Change,
        Some(Event::Gradient { layer: at }) if at == layer => OfWeight::Gradient,
        Some(Event::Adjust) => OfWeight::Gradient,
        _ => OfWeight::Weight,
    }
}

/// The parts of the network that an event concerns.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Touched {
    /// Column by column.
    pub(super) columns: Vec<bool>,
    /// Layer by layer: its connections from every source, or from one column alone.
    pub(super) layers: Vec<Option<Sources>>,
}

/// From where connections are touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sources {
    All,
    Column(usize),
}

impl Touched {
    /// Those of `event`; of none, the inputs.
    pub(super) fn by(network: &Network, event: Option<Event>) -> Self {
        let layers = network.layers();
        let mut touched = Touched {
            columns: vec![false; layers.len() + 1],
            layers: vec![None; layers.len()],
        };
        let sources = |layer: &Layer| -> Vec<usize> {
            let sources = layer.sources().iter();
            sources.map(|source| source.column()).collect()
        };
        match event {
            None => touched.columns[0] = true,
            Some(Event::Sum { layer } | Event::Gradient { layer }) => {
                touched.columns[layer + 1] = true;
                touched.layers[layer] = Some(Sources::All);
                for column in sources(&layers[layer]) {
                    touched.columns[column] = true;
                }
            }
            Some(Event::Activation { layer } | Event::Signal { layer }) => {
                touched.columns[layer + 1] = true;
            }
            Some(Event::Loss) => touched.columns[layers.len()] = true,
            Some(Event::PassBack { layer }) => {
                touched.columns[layer + 1] = true;
                for (reader, this) in layers.iter().enumerate() {
                    if sources(this).contains(&(layer + 1)) {
                        touched.columns[reader + 1] = true;
                        touched.layers[reader] = Some(Sources::Column(layer + 1));
                    }
                }
            }
            Some(Event::Adjust | Event::Update) => {
                for (layer, this) in touched.layers.iter_mut().enumerate() {
                    if !network.layer_range(layer).is_empty() {
                        *this = Some(Sources::All);
                        touched.columns[layer + 1] = true;
                    }
                }
            }
        }
        touched
    }

    /// Whether it concerns the connections into `layer` from `column`.
    pub(super) fn has(&self, layer: usize, column: usize) -> bool {
        match self.layers.get(layer) {
            Some(Some(Sources::All)) => true,
            Some(Some(Sources::Column(from))) => *from == column,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::{Activation, LayerKind, LayerSpec, Loss, Shape, Source};

    fn dense(units: usize) -> LayerSpec {
        LayerSpec::new(LayerKind::Dense { units }, Activation::Tanh)
    }

    #[test]
    fn an_event_touches_its_layer_and_what_it_reads_or_is_read_by() {
        let add = LayerSpec {
            sources: vec![Source::Layer(0), Source::Layer(1)],
            ..LayerSpec::new(LayerKind::Add, Activation::Linear)
        };
        let specs = [dense(3), dense(3), add, dense(1)];
        let network = Network::new(Shape::flat(2), &specs, Loss::MeanSquaredError).unwrap();
        let by = |event| Touched::by(&network, Some(event));
        let sum = by(Event::Sum { layer: 2 });
        assert_eq!(sum.columns, [false, true, true, true, false]);
        assert!(sum.has(2, 1) && sum.has(2, 2) && !sum.has(3, 3));
        // What comes back to the first layer comes through the second and past it.
        let back = by(Event::PassBack { layer: 0 });
        assert_eq!(back.columns, [false, true, true, true, false]);
        assert!(back.has(1, 1) && back.has(2, 1) && !back.has(2, 2));
        let update = by(Event::Update);
        assert!(update.has(0, 0) && update.has(3, 3) && !update.has(2, 1));
    }
}
