//! The components that a drawn network is made of: plain numbers, no asset.

use super::super::state::Item;
use bevy::prelude::*;

/// Marks every entity that belongs to the network on screen and goes with it.
#[derive(Component, Debug, Clone, Copy, Default)]
pub struct NetworkPart;

/// A neuron, or an input. Its `Transform` holds its place and, as scale, its
/// radius in world units.
#[derive(Component, Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[require(NetworkPart, Transform, Tint, Standing, Shape, Outline)]
pub struct Neuron {
    /// Its column: 0 for an input, k + 1 for a unit of layer k.
    pub column: usize,
    /// Its unit within the column, from 0.
    pub unit: usize,
}

/// One of the drawn connections. Where not all are drawn it is given another
/// weight to stand for now and then; it is never spawned for a weight.
#[derive(Component, Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[require(NetworkPart, Ends, Tint, Thickness, Sign, Standing, Learnt)]
pub struct Connection {
    /// The layer where it ends, from 0.
    pub layer: usize,
    /// Which of the layer's sources it comes from: 0 but for a sum's others.
    pub source: usize,
    /// The unit of the source.
    pub from: usize,
    /// The unit of this layer.
    pub to: usize,
}

impl Connection {
    /// It as something that can be pointed at.
    pub fn item(&self) -> Item {
        let &Connection {
            layer,
            source,
            from,
            to,
        } = self;
        Item::Connection {
            layer,
            source,
            from,
            to,
        }
    }
}

/// The index in the parameter vector of the weight that a connection stands
/// for; `None` where nothing is learnt.
#[derive(Component, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Learnt(pub Option<usize>);

/// A number of its own for each neuron, and one for each connection, from 0:
/// its place in the buffer that is drawn. An arch takes several, from this one on.
#[derive(Component, Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Slot(pub u32);

/// The colour, in linear light.
#[derive(Component, Debug, Clone, Copy, PartialEq)]
pub struct Tint(pub LinearRgba);

impl Default for Tint {
    fn default() -> Self {
        Tint(LinearRgba::NONE)
    }
}

/// The width of a connection in world units; nothing is drawn at 0.
#[derive(Component, Debug, Clone, Copy, PartialEq, Default)]
pub struct Thickness(pub f32);

/// The sign of the value shown: the cue beside colour.
#[derive(Component, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sign {
    /// Not below zero: a solid ribbon.
    #[default]
    Positive,
    /// Below zero: a dashed ribbon.
    Negative,
}

/// Where a connection starts and ends in world space: on the surfaces of its
/// two neurons.
#[derive(Component, Debug, Clone, Copy, PartialEq, Default)]
pub struct Ends {
    /// On the neuron of the column before.
    pub from: Vec3,
    /// On the neuron of the layer.
    pub to: Vec3,
    /// How far it rises above the straight line, in the middle: over the columns
    /// that it passes by. 0 for a straight one.
    pub lift: f32,
}

/// Straight pieces of an arch.
pub const ARCH_PIECES: usize = 24;

impl Ends {
    /// Of how many straight pieces it is drawn.
    pub fn pieces(&self) -> usize {
        if self.lift > 0.0 { ARCH_PIECES } else { 1 }
    }

    /// The point at `t`, 0 to 1. An arch rises and falls steeply and is flat
    /// between: `1 - (2t - 1)^4`.
    pub fn at(&self, t: f32) -> Vec3 {
        let rise = self.lift * (1.0 - (2.0 * t - 1.0).powi(4));
        self.from.lerp(self.to, t) + rise * Vec3::Y
    }

    /// Its straight pieces one after the other.
    pub fn lines(&self) -> impl Iterator<Item = (Vec3, Vec3)> + '_ {
        let n = self.pieces();
        let point = move |k: usize| self.at(k as f32 / n as f32);
        (0..n).map(move |k| (point(k), point(k + 1)))
    }
}

/// How an entity stands to what is selected or under the pointer.
#[derive(Component, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Standing {
    /// Nothing is selected.
    #[default]
    Plain,
    /// It is the selected item, its fan-in or its fan-out.
    Raised,
    /// It is none of that; drawn faintly and behind everything else.
    Receded,
}

/// What a neuron is drawn as.
#[derive(Component, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shape {
    /// A ball.
    #[default]
    Ball,
    /// A cell of an image, upright, lying in its column's plane.
    Cell,
}

/// A ring around a neuron in this colour (linear light); none where alpha is 0.
#[derive(Component, Debug, Clone, Copy, PartialEq)]
pub struct Outline(pub LinearRgba);

impl Default for Outline {
    fn default() -> Self {
        Outline(LinearRgba::NONE)
    }
}
