//! The network on screen, changed in one thing: what one would like to compare it with.

use crate::experiment::{Experiment, LayerConfig};
use crate::nn::Activation;

/// One thing that is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Variant {
    /// Nothing.
    Same,
    /// Its last hidden layer twice.
    Deeper,
    /// Without its last hidden layer.
    Shallower,
    /// Twice as many units in each hidden dense layer.
    Wider,
    /// Half as many.
    Narrower,
    /// Another activation in its hidden layers.
    Activation(Activation),
    /// A tenth of the learning rate.
    Slower,
}

impl Variant {
    /// All of them, in the order of a menu.
    pub const ALL: [Variant; 9] = [
        Variant::Same,
        Variant::Deeper,
        Variant::Shallower,
        Variant::Wider,
        Variant::Narrower,
        Variant::Activation(Activation::Relu),
        Variant::Activation(Activation::Tanh),
        Variant::Activation(Activation::Sigmoid),
        Variant::Slower,
    ];

    /// Its name, on a command line and in the language files.
    pub fn name(self) -> &'static str {
        match self {
            Variant::Same => "same",
            Variant::Deeper => "deeper",
            Variant::Shallower => "shallower",
            Variant::Wider => "wider",
            Variant::Narrower => "narrower",
            Variant::Activation(activation) => activation.name(),
            Variant::Slower => "slower",
        }
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Variant::ALL.into_iter().find(|v| v.name() == name)
    }

    /// `experiment` changed so; none where there is nothing to change. It is called after
    /// the network it comes from.
    pub fn of(self, experiment: &Experiment) -> Option<Experiment> {
        let mut other = experiment.clone();
        let layers = &mut other.network.layers;
        match self {
            Variant::Same => {}
            Variant::Deeper => {
                let last = layers.iter().rposition(|layer| layer.dense.is_some());
                let twin = last.map_or_else(first_layer, |at| LayerConfig {
                    name: None,
                    from: None,
                    ..layers[at].clone()
                });
                layers.insert(last.map_or(layers.len(), |at| at + 1), twin);
            }
            Variant::Shallower => {
                let last = layers.iter().rposition(|layer| layer.dense.is_some())?;
                // Others may read it by its name.
                if layers[last].name.is_some() {
                    return None;
                }
                layers.remove(last);
            }
            Variant::Wider => scale(layers, |units| 2 * units)?,
            Variant::Narrower => scale(layers, |units| (units / 2).max(1))?,
            Variant::Activation(activation) => {
                for layer in layers {
                    if units(layer).is_some() {
                        layer.activation = Some(activation);
                    }
                }
            }
            Variant::Slower => {
                let optimizer = &mut other.training.optimizer;
                if !optimizer.kind().has_rate() {
                    return None;
                }
                optimizer.learning_rate /= 10.0;
            }
        }
        let same = other == *experiment && self != Variant::Same;
        (!same).then_some(other)
    }
}

fn first_layer() -> LayerConfig {
    LayerConfig {
        dense: Some(8),
        activation: Some(Activation::Tanh),
        ..LayerConfig::default()
    }
}

/// How many units or filters a layer of weights has.
fn units(layer: &mut LayerConfig) -> Option<&mut usize> {
    layer.dense.as_mut().or(layer.conv.as_mut())
}

/// Changes the size of every hidden layer of weights; none where there is no such layer.
fn scale(layers: &mut [LayerConfig], to: impl Fn(usize) -> usize) -> Option<()> {
    let mut any = None;
    for size in layers.iter_mut().filter_map(units) {
        *size = to(*size);
        any = Some(());
    }
    any
}

#[cfg(test)]
mod tests {
    use super::*;

    fn experiment(layers: &str) -> Experiment {
        let text = format!(
            "[data]\nsource = \"moons\"\n[network]\nlayers = [{layers}]\n\
             loss = \"cross-entropy\"\n[training]\n\
             optimizer = {{ name = \"sgd\", learning_rate = 0.1 }}"
        );
        Experiment::parse(&text, "v.toml").unwrap()
    }

    fn widths(experiment: &Experiment) -> Vec<usize> {
        let layers = experiment.network.layers.iter();
        layers.filter_map(|layer| layer.dense).collect()
    }

    #[test]
    fn each_changes_what_it_says_and_gives_a_network_that_can_be_built() {
        let base = experiment(
            "{ dense = 6, activation = \"tanh\" }, { dense = 4, activation = \"tanh\" }",
        );
        let changed = |variant: Variant| variant.of(&base).unwrap();
        assert_eq!(changed(Variant::Same), base);
        assert_eq!(widths(&changed(Variant::Deeper)), [6, 4, 4]);
        assert_eq!(widths(&changed(Variant::Shallower)), [6]);
        assert_eq!(widths(&changed(Variant::Wider)), [12, 8]);
        assert_eq!(widths(&changed(Variant::Narrower)), [3, 2]);
        let relu = changed(Variant::Activation(Activation::Relu));
        let layers = &relu.network.layers;
        assert!(layers.iter().all(|l| l.activation() == Activation::Relu));
        let rate = changed(Variant::Slower).training.optimizer.learning_rate;
        assert!((rate - 0.01).abs() < 1e-12);
        for variant in Variant::ALL {
            if let Some(other) = variant.of(&base) {
                assert!(crate::train::Problem::new(&other).is_ok(), "{variant:?}");
            }
        }
    }

    #[test]
    fn what_would_change_nothing_is_none() {
        let tanh = experiment("{ dense = 6, activation = \"tanh\" }");
        assert_eq!(Variant::Activation(Activation::Tanh).of(&tanh), None);
        let none = experiment("");
        assert_eq!(Variant::Wider.of(&none), None);
        assert_eq!(Variant::Shallower.of(&none), None);
        assert_eq!(widths(&Variant::Deeper.of(&none).unwrap()), [8]);
    }
}
