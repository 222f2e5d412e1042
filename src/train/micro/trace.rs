//! What an iteration computes on its way.

use super::event::Event;
use std::sync::Arc;

/// One sample's way through the network and back.
#[derive(Debug, Clone, PartialEq)]
pub struct Passes {
    /// Its row in the training part.
    pub row: usize,
    /// Its inputs, scaled.
    pub input: Vec<f32>,
    /// Its encoded target, smoothed where training smooths it.
    pub target: Vec<f32>,
    /// Pre-activations, per layer.
    pub z: Vec<Vec<f32>>,
    /// Activations, per layer.
    pub a: Vec<Vec<f32>>,
    /// `dL/da` for this sample's own loss, per layer; empty for the output, where
    /// loss and activation are differentiated together.
    pub passed: Vec<Vec<f32>>,
    /// Error signals `dL/dz` for this sample's own loss, per layer.
    pub delta: Vec<Vec<f32>>,
    /// Its loss.
    pub loss: f64,
}

/// A vector of the optimiser's, as long as the parameters that are trained.
#[derive(Debug, Clone, PartialEq)]
pub struct Moment {
    /// Its name, as in the update rule.
    pub name: &'static str,
    /// Before the update.
    pub before: Arc<[f32]>,
    /// Behind it.
    pub after: Arc<[f32]>,
}

/// One iteration with all that it computes.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// The number of the step that it makes, from 1.
    pub step: u64,
    /// What happens, in order.
    pub events: Vec<Event>,
    /// The batch: rows of the training part.
    pub rows: Vec<usize>,
    /// Which sample of the batch is shown.
    pub shown: usize,
    /// The shown sample's passes, within those of its batch.
    pub sample: Passes,
    /// The mean loss of the batch.
    pub loss: f64,
    /// The gradient of that.
    pub data_gradient: Arc<[f32]>,
    /// The same with penalties, clipped: what the optimiser is given.
    pub gradient: Arc<[f32]>,
    /// The parameters before the update.
    pub before: Arc<[f32]>,
    /// The parameters behind it.
    pub after: Arc<[f32]>,
    /// The step size.
    pub rate: f64,
    /// The optimiser's memory; empty for methods that keep none, and for those
    /// that iterate over all samples.
    pub moments: Vec<Moment>,
}
