//! The components that a drawn network is made of: plain numbers, no asset.

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
#[require(NetworkPart, Ends, Tint, Thickness, Sign, Standing)]
pub struct Connection {
    /// The layer that owns the weight, from 0.
    pub layer: usize,
    /// The unit of the column before.
    pub from: usize,
    /// The unit of this layer.
    pub to: usize,
}

/// A number of its own for each neuron, and one for each connection, from 0:
/// its place in the buffer that is drawn.
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
