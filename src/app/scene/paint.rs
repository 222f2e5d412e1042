//! Colour, size and thickness from the numbers of the run.
//!
//! A neuron's colour is the diverging map of its activation, its bias or its
//! error signal, a connection's that of its weight, gradient or last change;
//! the cells of an image show their values from the background's colour to the
//! text's. Each is measured against a scale that holds still under small
//! changes: see [`Scales`].

mod connections;
mod neurons;

pub(super) use connections::{ConnectionPainter, paint_connections};
pub(super) use neurons::{NeuronPainter, paint_neurons};

use super::super::state::{ConnectionValue, NetworkView, NeuronValue};
use super::super::theme::{Palette, Theme, linear};
use super::super::training::Training;
use super::parts::{Connection, Neuron, Standing};
use super::scale::{Ramp, robust_max, settle};
use crate::colormap::Diverging;
use crate::nn::{Activation, Connections, Network, ParamRole};
use crate::train::Problem;
use bevy::prelude::*;

/// A scale follows what it fits when that has moved away by this factor.
const SLACK: f32 = 1.2;
/// Gradients of small batches jump about; their scale follows more slowly.
const NOISY_SLACK: f32 = 2.0;
/// How far a receded colour goes toward a dark background and a light one, on which
/// pale colours are lost sooner.
const FADE: [f32; 2] = [0.86, 0.62];
/// At most so many samples are looked through for the range of an input.
const SAMPLES: usize = 2000;

/// What is drawn in the theme in use, as tables in linear light.
#[derive(Resource, Debug, Clone)]
pub(super) struct Colors {
    signed: Ramp,
    grey: Ramp,
    background: LinearRgba,
    fade: f32,
    /// Of what is chosen.
    pub(super) accent: LinearRgba,
    /// Of connections without a weight, and of those that stand out.
    neutral: [LinearRgba; 2],
}

impl Colors {
    fn new(palette: &Palette) -> Self {
        let low = palette.background.blend(palette.faint, 0.22);
        let grey = Diverging {
            negative: low,
            zero: low.blend(palette.text, 0.5),
            positive: palette.text,
        };
        Colors {
            signed: Ramp::new(&palette.diverging),
            grey: Ramp::new(&grey),
            background: linear(palette.background),
            fade: FADE[usize::from(linear(palette.background).luminance() > 0.5)],
            accent: linear(palette.accent),
            neutral: [
                linear(palette.background.blend(palette.faint, 0.6)),
                linear(palette.text),
            ],
        }
    }

    /// Of a pulse that carries such a share of the most.
    pub(super) fn pulse(&self, share: f32) -> LinearRgba {
        self.signed.at(share.signum() * (0.55 + 0.45 * share.abs()))
    }

    /// Of a way of the chain rule that is not the strongest.
    pub(super) fn other_way(&self) -> LinearRgba {
        self.neutral[1]
    }

    /// How far what has receded goes toward the background.
    pub(super) fn fade(&self) -> f32 {
        self.fade
    }

    fn seen(&self, color: LinearRgba, standing: Standing) -> LinearRgba {
        match standing {
            Standing::Receded => color.mix(&self.background, self.fade),
            _ => color,
        }
    }
}

impl Default for Colors {
    fn default() -> Self {
        Colors::new(&Theme::default().palette())
    }
}

/// What counts as full strength, for each value that can be shown.
#[derive(Resource, Debug, Clone, Default)]
pub(super) struct Scales {
    /// Per input: the value of full strength, in scaled units.
    inputs: Vec<f32>,
    /// The range of an image's raw values.
    pixels: (f32, f32),
    /// Per layer.
    activations: Vec<f32>,
    /// Over all layers, so that layers can be compared.
    bias: f32,
    error_signal: f32,
    /// Per layer: weight, gradient, last change.
    connections: Vec<[f32; 3]>,
}

impl Scales {
    /// Looks through the training part for the inputs' ranges.
    pub(super) fn for_problem(problem: &Problem, image: bool) -> Self {
        let x = &problem.train.x;
        let layers = problem.network.layers().len();
        let mut scales = Scales {
            inputs: vec![0.0; problem.network.inputs()],
            pixels: (f32::INFINITY, f32::NEG_INFINITY),
            activations: vec![0.0; layers],
            connections: vec![[0.0; 3]; layers],
            ..default()
        };
        for row in x.rows().into_iter().take(SAMPLES) {
            for (j, (&value, most)) in row.iter().zip(&mut scales.inputs).enumerate() {
                *most = most.max(value.abs());
                if image {
                    let raw = problem.data.scaler.unscaled(problem.feature_of(j), value);
                    scales.pixels.0 = scales.pixels.0.min(raw);
                    scales.pixels.1 = scales.pixels.1.max(raw);
                }
            }
        }
        scales
    }
}

/// Rebuilds the colour tables in another theme.
pub(super) fn follow_theme(theme: Res<Theme>, mut colors: ResMut<Colors>) {
    if theme.is_changed() {
        *colors = Colors::new(&theme.palette());
    }
}

/// Lets the scales of what is shown follow the numbers.
pub(super) fn fit_scales(
    training: Res<Training>,
    view: Res<NetworkView>,
    mut scales: ResMut<Scales>,
) {
    if training.is_changed() || view.is_changed() {
        scales.fit(&training, &view);
    }
}

impl Scales {
    /// Follows the numbers of what is shown.
    pub(super) fn fit(&mut self, training: &Training, view: &NetworkView) {
        let scales = self;
        let network = &training.problem.network;
        let layout = network.layout();
        let snapshot = &training.snapshot;
        let which = view.connections as usize;
        let (values, slack) = connection_values(training, view.connections);
        for (layer, scale) in scales.connections.iter_mut().enumerate() {
            let values = values.get(layout.weight(layer)).unwrap_or_default();
            scale[which] = settle(scale[which], robust_max(values), slack);
        }
        match view.neurons {
            NeuronValue::Activation => {
                let layers = network.layers().iter().zip(&snapshot.probe.a);
                for ((layer, a), scale) in layers.zip(&mut scales.activations) {
                    *scale = match layer.activation() {
                        Activation::Sigmoid | Activation::Tanh | Activation::Softmax => 1.0,
                        _ => settle(*scale, robust_max(a), SLACK),
                    };
                }
            }
            NeuronValue::Bias => {
                let biases = layout.tensors().iter();
                let most = biases
                    .filter(|t| matches!(t.role, ParamRole::Bias | ParamRole::Shift))
                    .filter_map(|t| snapshot.params.get(t.range.clone()))
                    .map(robust_max)
                    .fold(0.0, f32::max);
                scales.bias = settle(scales.bias, most, SLACK);
            }
            NeuronValue::ErrorSignal => {
                let most = snapshot.probe.delta.iter();
                let most = most.map(|delta| robust_max(delta)).fold(0.0, f32::max);
                scales.error_signal = settle(scales.error_signal, most, NOISY_SLACK);
            }
        }
    }

    /// Gives networks that stand side by side one scale for each quantity, the largest
    /// that any of their layers has.
    pub(super) fn unite(all: &mut [&mut Scales]) {
        let largest = |of: &dyn Fn(&Scales) -> f32| all.iter().map(|s| of(s)).fold(0.0, f32::max);
        let most = |values: &[f32]| values.iter().copied().fold(0.0, f32::max);
        let activations = largest(&|s| most(&s.activations));
        let (bias, error_signal) = (largest(&|s| s.bias), largest(&|s| s.error_signal));
        let connections: [f32; 3] = std::array::from_fn(|which| {
            largest(&|s| s.connections.iter().map(|c| c[which]).fold(0.0, f32::max))
        });
        for scales in all {
            scales.activations.fill(activations);
            scales.connections.fill(connections);
            (scales.bias, scales.error_signal) = (bias, error_signal);
        }
    }
}

pub(super) fn connection_values(training: &Training, value: ConnectionValue) -> (&[f32], f32) {
    let snapshot = &training.snapshot;
    match value {
        ConnectionValue::Weight => (&snapshot.params, SLACK),
        ConnectionValue::Gradient => (&snapshot.gradient, NOISY_SLACK),
        ConnectionValue::LastChange => (&snapshot.update, NOISY_SLACK),
    }
}

/// The index in the parameter vector of the weight that a connection stands for.
pub fn connection_parameter(network: &Network, connection: Connection) -> Option<usize> {
    let connections = Connections::of(network, connection.layer, connection.source)?;
    let index = connections.number(connection.from, connection.to)?;
    connections.get(index)?.parameter
}

/// What a neuron shows: for an input its value, whatever is chosen, as it has
/// neither a bias nor an error signal.
pub fn neuron_value(training: &Training, value: NeuronValue, neuron: Neuron) -> Option<f32> {
    let Neuron { column, unit } = neuron;
    let probe = &training.snapshot.probe;
    let Some(layer) = column.checked_sub(1) else {
        return probe.input.get(unit).copied();
    };
    match value {
        NeuronValue::Activation => probe.a.get(layer)?.get(unit).copied(),
        NeuronValue::ErrorSignal => probe.delta.get(layer)?.get(unit).copied(),
        NeuronValue::Bias => {
            let bias = training.problem.network.bias_of(layer, unit)?;
            training.snapshot.params.get(bias).copied()
        }
    }
}

fn share_of(value: f32, scale: f32) -> f32 {
    if scale > 0.0 { value / scale } else { 0.0 }
}
