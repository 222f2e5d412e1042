//! The kinds of layer that the network editor can add, and what it takes a new
//! one to be.

use crate::experiment::{Experiment, Extent, LayerConfig, PlainKind};
use crate::nn::{Activation, Shape, Source};

/// A kind of layer in the menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Dense,
    Conv,
    MaxPool,
    AvgPool,
    Dropout,
    Plain(PlainKind),
}

impl Kind {
    /// In the order of the menu.
    pub(super) const ALL: [Kind; 10] = [
        Kind::Dense,
        Kind::Conv,
        Kind::MaxPool,
        Kind::AvgPool,
        Kind::Plain(PlainKind::GlobalAvgPool),
        Kind::Plain(PlainKind::Flatten),
        Kind::Dropout,
        Kind::Plain(PlainKind::BatchNorm),
        Kind::Plain(PlainKind::LayerNorm),
        Kind::Plain(PlainKind::Prelu),
    ];

    /// As in experiment files.
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Dense => "dense",
            Kind::Conv => "conv",
            Kind::MaxPool => "max_pool",
            Kind::AvgPool => "avg_pool",
            Kind::Dropout => "dropout",
            Kind::Plain(PlainKind::Flatten) => "flatten",
            Kind::Plain(PlainKind::GlobalAvgPool) => "global_avg_pool",
            Kind::Plain(PlainKind::BatchNorm) => "batch_norm",
            Kind::Plain(PlainKind::LayerNorm) => "layer_norm",
            Kind::Plain(PlainKind::Prelu) => "prelu",
        }
    }

    /// The kind of a layer; `None` for a sum, which the menu does not have, as it
    /// needs the names of others.
    pub(super) fn of(layer: &LayerConfig) -> Option<Kind> {
        if layer.dense.is_some() {
            Some(Kind::Dense)
        } else if layer.conv.is_some() {
            Some(Kind::Conv)
        } else if layer.max_pool.is_some() {
            Some(Kind::MaxPool)
        } else if layer.avg_pool.is_some() {
            Some(Kind::AvgPool)
        } else if layer.dropout.is_some() {
            Some(Kind::Dropout)
        } else {
            layer.kind.map(Kind::Plain)
        }
    }

    pub(super) fn is_of(self, layer: &LayerConfig) -> bool {
        Kind::of(layer) == Some(self)
    }

    /// A new layer of this kind, like the last one of its kind where there is one.
    pub(super) fn layer(self, like: Option<&LayerConfig>) -> LayerConfig {
        if let Some(like) = like {
            return LayerConfig {
                name: None,
                from: None,
                ..like.clone()
            };
        }
        let two = Some(Extent::Both(2));
        let empty = LayerConfig::default();
        match self {
            Kind::Dense => LayerConfig::dense(8, Activation::Tanh),
            Kind::Conv => LayerConfig {
                conv: Some(6),
                kernel: Some(Extent::Both(3)),
                padding: Some(Extent::Both(1)),
                activation: Some(Activation::Relu),
                ..empty
            },
            Kind::MaxPool => LayerConfig {
                max_pool: two,
                ..empty
            },
            Kind::AvgPool => LayerConfig {
                avg_pool: two,
                ..empty
            },
            Kind::Dropout => LayerConfig {
                dropout: Some(0.5),
                ..empty
            },
            Kind::Plain(kind) => LayerConfig::plain(kind),
        }
    }
}

/// Whether the editor offers an activation for a layer: where something is
/// computed that one may want to bend, or where the file has one.
pub(super) fn activation_applies(layer: &LayerConfig) -> bool {
    let bends = match Kind::of(layer) {
        None | Some(Kind::Dense | Kind::Conv) => true,
        Some(Kind::Plain(PlainKind::BatchNorm | PlainKind::LayerNorm)) => true,
        Some(_) => false,
    };
    bends || layer.activation.is_some()
}

/// What comes out of each hidden layer for inputs of this shape; `None` from the
/// first that does not fit on.
pub(super) fn output_shapes(experiment: &Experiment, input: Shape) -> Vec<Option<Shape>> {
    let Ok(specs) = experiment.network.hidden() else {
        return Vec::new();
    };
    let mut shapes: Vec<Option<Shape>> = Vec::with_capacity(specs.len());
    for (index, spec) in specs.iter().enumerate() {
        let before = index.checked_sub(1).map_or(Source::Input, Source::Layer);
        let source = spec.sources.first().copied().unwrap_or(before);
        let read = match source {
            Source::Input => Some(input),
            Source::Layer(k) => shapes.get(k).copied().flatten(),
        };
        shapes.push(read.and_then(|shape| spec.kind.output_shape(shape).ok()));
    }
    shapes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_makes_a_layer_of_itself_that_the_core_takes() {
        for kind in Kind::ALL {
            let layer = kind.layer(None);
            assert_eq!(Kind::of(&layer), Some(kind));
            let text = "[data]\nsource = \"digits\"\n[network]\nloss = \"cross-entropy\"\n";
            let mut experiment = Experiment::parse(text, "test").unwrap();
            experiment.network.layers.push(layer);
            let spec = &experiment.network.hidden().unwrap()[0];
            assert_eq!(spec.kind.name(), kind.name());
            let shapes = output_shapes(&experiment, Shape::image(1, 8, 8));
            assert!(shapes[0].is_some(), "{kind:?} fits an image of digits");
        }
    }

    #[test]
    fn shapes_end_at_the_layer_that_does_not_fit() {
        let text = "[data]\nsource = \"digits\"\n[network]\nloss = \"cross-entropy\"\nlayers = [{ conv = 4, kernel = 3 }, { max_pool = 9 }, \"flatten\"]\n";
        let experiment = Experiment::parse(text, "test").unwrap();
        let shapes = output_shapes(&experiment, Shape::image(1, 8, 8));
        assert_eq!(shapes, [Some(Shape::image(4, 6, 6)), None, None]);
    }
}
