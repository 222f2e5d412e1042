//! Colour, size and thickness from the numbers of the run.
//!
//! A neuron's colour is the diverging map of its activation, its bias or its
//! error signal, a connection's that of its weight, gradient or last change;
//! the cells of an image show their values from the background's colour to the
//! text's. Each is measured against a scale that holds still under small
//! changes: see [`Scales`].

use super::super::micro::Playing;
use super::super::state::{ConnectionValue, NetworkView, NeuronValue};
use super::super::theme::{Palette, Theme, linear};
use super::super::training::Training;
use super::super::ways::WaysShown;
use super::drawn::{DrawnConnections, DrawnPair};
use super::event;
use super::parts::{Connection, Learnt, Neuron, Shape, Sign, Standing, Thickness, Tint};
use super::scale::{Ramp, robust_max, settle, signed_root};
use super::spawn::NetworkLayout;
use super::ways;
use super::weight_maps::Folding;
use crate::colormap::Diverging;
use crate::nn::{Activation, Connections, Network, ParamRole};
use crate::train::Problem;
use crate::train::micro::{Event, Micro};
use bevy::prelude::*;

/// A scale follows what it fits when that has moved away by this factor.
const SLACK: f32 = 1.2;
/// Gradients of small batches jump about; their scale follows more slowly.
const NOISY_SLACK: f32 = 2.0;
/// The thickest ribbon as a share of the smaller of its neurons' radii.
const THICK: f32 = 0.42;
/// From so many ribbons in a layer pair on they become thinner.
const MANY: f32 = 400.0;
/// The strength of a connection without a weight, and of one that arches over
/// other columns.
const UNWEIGHTED: f32 = 0.12;
const ARCHED: f32 = 0.5;
/// Of a feature map's cells at least so much counts for the thickness.
const LEAST_RADIUS: f32 = 0.13;
/// The thinnest ribbon as a share of the thickest.
const THIN: f32 = 0.06;
/// The ribbon of the strongest way of an answer, and how much of it is left of the
/// weakest, both as shares of the thickest where there is no crowd.
const WAY: f32 = 1.15;
const WEAKEST_WAY: f32 = 0.16;
/// However small the units are, a way's ribbon is measured by this, in world units.
const LEAST_WAY: f32 = 0.075;
/// How much thicker a raised ribbon is, as a share of the thickest.
const RAISED: f32 = 0.2;
/// How much thinner it is where a map stands.
const COVERED: f32 = 0.65;
/// How far the weakest of a crowd goes toward the background.
const HAZE: f32 = 0.8;
/// The floor of a crowd is at most this.
const MOST_FLOOR: f32 = 0.9;
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

/// Colours neurons, and makes those with large values slightly larger.
pub(super) fn paint_neurons(
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
pub(super) struct NeuronPainter<'a> {
    training: &'a Training,
    view: &'a NetworkView,
    layout: &'a NetworkLayout,
    scales: &'a Scales,
    colors: &'a Colors,
    playing: &'a Playing,
    events: Option<EventColors<'a>>,
}

impl<'a> NeuronPainter<'a> {
    pub(super) fn new(
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
    pub(super) fn look(
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

/// What all connections of a layer pair have in common.
struct PairStyle {
    scale: f32,
    thick: f32,
    /// The same where it does not stand in a crowd.
    alone: f32,
    /// The weakest share that is drawn, where the others are not; 0 where all are.
    floor: f32,
    /// The strength of connections without a weight.
    plain: f32,
}

impl PairStyle {
    fn share(&self, values: &[f32], weight: usize) -> f32 {
        share_of(values.get(weight).copied().unwrap_or(0.0), self.scale)
    }

    /// How strongly a share is drawn, 0 to 1. Of a crowd only strong ones are
    /// drawn at all: there the weakest drawn is 0 and the rest is spread out,
    /// so that the eye finds the strongest.
    fn strength(&self, share: f32) -> f32 {
        let strength = share.abs().min(1.0);
        if self.floor > 0.0 {
            ((strength - self.floor) / (1.0 - self.floor))
                .max(0.0)
                .powi(2)
        } else {
            strength
        }
    }
}

/// Colours connections and gives them their thickness.
pub(super) fn paint_connections(
    training: Res<Training>,
    view: Res<NetworkView>,
    layout: Res<NetworkLayout>,
    drawn: Res<DrawnConnections>,
    scales: Res<Scales>,
    colors: Res<Colors>,
    (playing, folding, lit): (Res<Playing>, Res<Folding>, Res<WaysShown>),
    mut connections: Query<(
        Ref<Connection>,
        &Learnt,
        Ref<Standing>,
        &mut Tint,
        &mut Thickness,
        &mut Sign,
    )>,
) {
    let all = training.is_changed()
        || view.is_changed()
        || layout.is_changed()
        || scales.is_changed()
        || colors.is_changed()
        || playing.is_changed()
        || folding.is_changed()
        || lit.is_changed();
    let changes = training.snapshot.micro.as_ref().map(Micro::changes);
    let changes = changes.unwrap_or_default();
    let painter = ConnectionPainter::new(
        (&training, &changes),
        &view,
        &layout,
        &drawn,
        &scales,
        &colors,
    );
    let micro = training.snapshot.micro.as_ref();
    let way = lit.0.as_deref().filter(|_| micro.is_none());
    for (connection, learnt, standing, mut tint, mut thickness, mut sign) in &mut connections {
        if !(all || connection.is_changed() || standing.is_changed()) {
            continue;
        }
        let way = way.and_then(|ways| ways.link(ways::link(&connection)));
        if let Some(look) = way.and_then(|share| painter.of_way(&connection, share as f32)) {
            tint.set_if_neq(look.0);
            thickness.set_if_neq(look.1);
            sign.set_if_neq(look.2);
        } else if let Some(look) = painter.look(&connection, *learnt, *standing) {
            tint.set_if_neq(look.0);
            // A map of the weights takes the place of the connections, but of those that
            // stand out, and these hide no more of it than they must.
            let hidden = folding.over(connection.layer);
            let share = match *standing {
                Standing::Raised => 1.0 - COVERED * hidden,
                _ => 1.0 - hidden,
            };
            thickness.set_if_neq(Thickness(share * look.1.0));
            sign.set_if_neq(look.2);
        }
    }
}

/// What all connections of a network are painted by.
pub(super) struct ConnectionPainter<'a> {
    drawn: &'a DrawnConnections,
    colors: &'a Colors,
    /// For each pair its values and its style.
    styles: Vec<(&'a [f32], PairStyle)>,
}

impl<'a> ConnectionPainter<'a> {
    /// `changes` is what the step of an iteration that is gone through event by event
    /// added to each parameter.
    pub(super) fn new(
        (training, changes): (&'a Training, &'a [f32]),
        view: &NetworkView,
        layout: &NetworkLayout,
        drawn: &'a DrawnConnections,
        scales: &Scales,
        colors: &'a Colors,
    ) -> Self {
        let usual = connection_values(training, view.connections).0;
        let micro = training.snapshot.micro.as_ref();
        let network = &training.problem.network;
        // What a layer's connections show, and what of it counts as full strength.
        let shown = |layer: usize| -> (&'a [f32], f32) {
            let Some(micro) = micro else {
                let scale = scales.connections.get(layer);
                let scale = scale.map_or(0.0, |scale| scale[view.connections as usize]);
                return (usual, scale);
            };
            let values = match event::of_weights(micro, layer) {
                event::OfWeight::Weight => &micro.trace.before[..],
                event::OfWeight::Gradient => &micro.trace.data_gradient[..],
                event::OfWeight::Change => changes,
            };
            let of_layer = values.get(network.layout().weight(layer));
            let most = robust_max(of_layer.unwrap_or_default());
            (values, most)
        };
        let style = |pair: &DrawnPair| {
            let (values, scale) = shown(pair.layer);
            let style = PairStyle {
                scale,
                thick: thickest(layout, pair) / crowd(pair),
                alone: thickest(layout, pair),
                floor: 0.0,
                plain: if pair.is_arched() { ARCHED } else { UNWEIGHTED },
            };
            if pair.shows_windows() || pair.shown.len() == pair.total() {
                return (values, style);
            }
            let weights = pair.shown.iter().filter_map(|&index| {
                let link = pair.connections.get(index as usize)?;
                link.parameter
            });
            let shares = weights.map(|weight| style.share(values, weight).abs());
            let floor = shares.fold(MOST_FLOOR, f32::min);
            (values, PairStyle { floor, ..style })
        };
        ConnectionPainter {
            drawn,
            colors,
            // Once for all connections of a pair: full strength takes all of its weights.
            styles: drawn.pairs.iter().map(style).collect(),
        }
    }

    /// The same of one that lies on a way of an answer, with its share of the strongest.
    fn of_way(&self, connection: &Connection, share: f32) -> Option<(Tint, Thickness, Sign)> {
        let (_, style) = self.styles.get(self.drawn.pair_of(connection)?)?;
        let width = WEAKEST_WAY + (1.0 - WEAKEST_WAY) * share.abs();
        let color = Tint(self.colors.pulse(share));
        Some((
            color,
            Thickness(WAY * style.alone.max(LEAST_WAY) * width),
            sign_of(share),
        ))
    }

    /// A connection's colour, thickness and sign.
    pub(super) fn look(
        &self,
        connection: &Connection,
        learnt: Learnt,
        standing: Standing,
    ) -> Option<(Tint, Thickness, Sign)> {
        let colors = self.colors;
        let (values, style) = self.styles.get(self.drawn.pair_of(connection)?)?;
        let t = learnt.0.map_or(0.0, |weight| style.share(values, weight));
        // Raised ones stand for themselves and not in a crowd.
        let strength = match standing {
            _ if learnt.0.is_none() => style.plain,
            Standing::Raised => t.abs().min(1.0),
            _ => style.strength(t),
        };
        let width = style.thick * (THIN + (1.0 - THIN) * strength);
        let width = match standing {
            Standing::Raised => 1.3 * width + RAISED * style.thick,
            Standing::Receded => 0.5 * width,
            Standing::Plain => width,
        };
        let mut color = if learnt.0.is_some() {
            colors.signed.at(signed_root(t))
        } else {
            colors.neutral[usize::from(standing == Standing::Raised)]
        };
        if style.floor > 0.0 && standing != Standing::Raised {
            color = color.mix(&colors.background, HAZE * (1.0 - strength));
        }
        Some((
            Tint(colors.seen(color, standing)),
            Thickness(width),
            sign_of(t),
        ))
    }
}

fn sign_of(value: f32) -> Sign {
    if value < 0.0 {
        Sign::Negative
    } else {
        Sign::Positive
    }
}

/// How much thinner the connections of a pair are, as they are many.
fn crowd(pair: &DrawnPair) -> f32 {
    (1.0 + pair.shown.len() as f32 / MANY).sqrt()
}

/// The thickness of the strongest connection of a layer pair where it is no crowd.
fn thickest(layout: &NetworkLayout, pair: &DrawnPair) -> f32 {
    // A cell lies beside the next one, and a window's connections end in few.
    let radius = |column: usize| {
        layout.columns.get(column).map_or(0.0, |c| {
            if c.arrangement.has_cells() && pair.shows_windows() {
                c.radius.max(LEAST_RADIUS)
            } else {
                c.radius
            }
        })
    };
    THICK * radius(pair.column).min(radius(pair.layer + 1))
}
