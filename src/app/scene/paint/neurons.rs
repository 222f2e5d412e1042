//! The colours and sizes of neurons.

use super::super::super::micro::Playing;
use super::super::super::state::{NetworkView, NeuronValue};
use super::super::super::training::Training;
use super::super::event;
use super::super::parts::{Neuron, Shape, Standing, Tint};
use super::super::scale::signed_root;
use super::super::spawn::NetworkLayout;
use super::{Colors, Scales, neuron_value, share_of};
use crate::train::micro::{Event, Micro};
use bevy::prelude::*;

/// Colours neurons, and makes those with large values slightly larger.
pub(in crate::app::scene) fn paint_neurons(
    training: Res<Training>,
    view: Res<NetworkView>,
    layout: Res<NetworkLayout>,
    scales: Res<Scales>,
    colors: Res<Colors>,
    playing: Res<Playing>,
    mut neurons: Query<(&Neuron, &Shape, Ref<Standing>, &mut Tint, &mut Transform)>,
) {
    let all = training.is_changed()
        || view.is_changed()
        || layout.is_changed()
        || scales.is_changed()
        || colors.is_changed()
        || playing.is_changed();
    let painter = NeuronPainter::new(&training, &view, &layout, &scales, &colors, &playing);
    for (neuron, shape, standing, mut tint, mut transform) in &mut neurons {
        if !(all || standing.is_changed()) {
            continue;
        }
        let (color, scale) = painter.look(neuron, *shape, *standing);
        tint.set_if_neq(Tint(color));
        if transform.scale != scale {
            transform.scale = scale;
        }
    }
}

/// What all neurons of a network are painted by.
pub(in crate::app::scene) struct NeuronPainter<'a> {
    training: &'a Training,
    view: &'a NetworkView,
    layout: &'a NetworkLayout,
    scales: &'a Scales,
    colors: &'a Colors,
    playing: &'a Playing,
    events: Option<EventColors<'a>>,
}

impl<'a> NeuronPainter<'a> {
    pub(in crate::app::scene) fn new(
        training: &'a Training,
        view: &'a NetworkView,
        layout: &'a NetworkLayout,
        scales: &'a Scales,
        colors: &'a Colors,
        playing: &'a Playing,
    ) -> Self {
        let events = training.snapshot.micro.as_ref();
        let events = events.map(|micro| EventColors::new(micro, playing, layout.columns.len()));
        NeuronPainter {
            training,
            view,
            layout,
            scales,
            colors,
            playing,
            events,
        }
    }

    /// A neuron's colour and size.
    pub(in crate::app::scene) fn look(
        &self,
        neuron: &Neuron,
        shape: Shape,
        standing: Standing,
    ) -> (LinearRgba, Vec3) {
        let &NeuronPainter { scales, colors, .. } = self;
        let column = self.layout.columns.get(neuron.column);
        let radius = column.map_or(0.0, |column| column.radius);
        let is_pixel = shape == Shape::Cell && neuron.column == 0;
        if let Some(events) = self.events.as_ref().filter(|_| !is_pixel) {
            let (color, t) = events.of(neuron, colors);
            let size = match shape {
                Shape::Cell => 1.0,
                Shape::Ball => 0.88 + 0.24 * t.abs().min(1.0),
            };
            return (colors.seen(color, standing), Vec3::splat(radius * size));
        }
        let value = neuron_value(self.training, self.view.neurons, *neuron).unwrap_or(0.0);
        let (color, size) = match shape {
            Shape::Cell if neuron.column == 0 => {
                let problem = &self.training.problem;
                let feature = problem.feature_of(neuron.unit);
                let raw = problem.data.scaler.unscaled(feature, value);
                let (low, high) = scales.pixels;
                let t = share_of(raw - low, high - low);
                (colors.grey.at(2.0 * t - 1.0), 1.0)
            }
            Shape::Cell => {
                let t = neuron_share(scales, self.view.neurons, *neuron, value);
                (colors.signed.at(t), 1.0)
            }
            Shape::Ball => {
                let t = neuron_share(scales, self.view.neurons, *neuron, value);
                (colors.signed.at(t), 0.88 + 0.24 * t.abs().min(1.0))
            }
        };
        let dark = colors.grey.at(-1.0);
        let color = dark.mix(&color, reached(self.playing, neuron.column));
        (colors.seen(color, standing), Vec3::splat(radius * size))
    }
}

/// How far a column has its values while the watched sample is on its way: 1 where
/// nothing is.
fn reached(playing: &Playing, column: usize) -> f32 {
    match playing.event {
        Some(Event::Sum { layer }) if column == layer + 1 => {
            ((playing.t - ARRIVES) / (1.0 - ARRIVES)).clamp(0.0, 1.0)
        }
        Some(Event::Sum { layer }) if column > layer + 1 => 0.0,
        _ => 1.0,
    }
}

/// What share of an event passes before what travels along connections has arrived.
const ARRIVES: f32 = 0.6;

/// The colours of neurons while an iteration is gone through event by event.
struct EventColors<'a> {
    /// For each column what is shown before the event and behind it, each with
    /// what counts as full strength.
    columns: Vec<[Option<(event::Quantity, &'a [f32], f32)>; 2]>,
    /// How far the new has come in the place of the old.
    t: f32,
}

impl<'a> EventColors<'a> {
    fn new(micro: &'a Micro, playing: &Playing, columns: usize) -> Self {
        let before = micro.done.saturating_sub(1);
        let at = |done: usize, column: usize| {
            let (quantity, values) = event::values(micro, done, column)?;
            Some((quantity, values, event::strongest(micro, quantity, column)))
        };
        let pair = |column| [at(before, column), at(micro.done, column)];
        // What travels along connections has to arrive first.
        let t = match playing.event {
            Some(Event::Sum { .. } | Event::PassBack { .. }) => {
                (playing.t - ARRIVES) / (1.0 - ARRIVES)
            }
            _ => playing.t,
        };
        EventColors {
            columns: (0..columns).map(pair).collect(),
            t: t.clamp(0.0, 1.0),
        }
    }

    /// Its colour, and its value as a share of full strength.
    fn of(&self, neuron: &Neuron, colors: &Colors) -> (LinearRgba, f32) {
        let one = |shown: &Option<(event::Quantity, &[f32], f32)>| match shown {
            None => (colors.grey.at(-1.0), 0.0),
            Some((quantity, values, most)) => {
                let share = share_of(values.get(neuron.unit).copied().unwrap_or(0.0), *most);
                let share = if quantity.is_derivative() {
                    signed_root(share)
                } else {
                    share
                };
                (colors.signed.at(share), share)
            }
        };
        let Some([before, after]) = self.columns.get(neuron.column) else {
            return (colors.grey.at(-1.0), 0.0);
        };
        let (from, to) = (one(before), one(after));
        (from.0.mix(&to.0, self.t), from.1 + self.t * (to.1 - from.1))
    }
}

fn neuron_share(scales: &Scales, shown: NeuronValue, neuron: Neuron, value: f32) -> f32 {
    let Some(layer) = neuron.column.checked_sub(1) else {
        return share_of(
            value,
            scales.inputs.get(neuron.unit).copied().unwrap_or(0.0),
        );
    };
    match shown {
        NeuronValue::Activation => {
            share_of(value, scales.activations.get(layer).copied().unwrap_or(0.0))
        }
        NeuronValue::Bias => share_of(value, scales.bias),
        // Error signals span orders of magnitude between layers.
        NeuronValue::ErrorSignal => signed_root(share_of(value, scales.error_signal)),
    }
}
