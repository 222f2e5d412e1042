//! The buffers that a pass fills, kept between passes so that a step of
//! training allocates nothing.

use super::{Network, Real};
use ndarray::{Array2, ArrayView2, s};

/// One layer's values for up to `rows` samples, each `[rows, units]`.
#[derive(Debug, Clone)]
pub struct LayerState<R> {
    /// Pre-activations.
    pub z: Array2<R>,
    /// Activations.
    pub a: Array2<R>,
    /// Error signals `dL/dz`, filled by the backward pass.
    pub delta: Array2<R>,
}

/// The values of every layer in the last pass.
#[derive(Debug, Clone)]
pub struct Workspace<R> {
    pub(super) layers: Vec<LayerState<R>>,
    pub(super) rows: usize,
    capacity: usize,
}

impl<R: Real> Workspace<R> {
    /// Buffers for batches of up to `capacity` samples through `network`.
    pub fn new(network: &Network, capacity: usize) -> Self {
        let layers = network
            .layers()
            .iter()
            .map(|layer| {
                let zeros = || Array2::zeros((capacity, layer.outputs()));
                LayerState {
                    z: zeros(),
                    a: zeros(),
                    delta: zeros(),
                }
            })
            .collect();
        Workspace {
            layers,
            rows: 0,
            capacity,
        }
    }

    /// The most samples that fit.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// The number of layers.
    pub fn n_layers(&self) -> usize {
        self.layers.len()
    }

    /// Pre-activations of `layer` in the last pass, `[n, units]`.
    pub fn z(&self, layer: usize) -> ArrayView2<'_, R> {
        self.layers[layer].z.slice(s![..self.rows, ..])
    }

    /// Activations of `layer` in the last pass, `[n, units]`.
    pub fn a(&self, layer: usize) -> ArrayView2<'_, R> {
        self.layers[layer].a.slice(s![..self.rows, ..])
    }

    /// Error signals of `layer` in the last backward pass, `[n, units]`:
    /// `dL/dz` with L the mean over the batch.
    pub fn delta(&self, layer: usize) -> ArrayView2<'_, R> {
        self.layers[layer].delta.slice(s![..self.rows, ..])
    }

    /// The network's output in the last pass, `[n, outputs]`.
    pub fn output(&self) -> ArrayView2<'_, R> {
        self.a(self.layers.len() - 1)
    }
}
