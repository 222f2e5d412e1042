//! How a network's numbers are spread, layer by layer, and how that changes while it
//! learns: weights, biases, gradients, updates and activations.
//!
//! A [`DistributionMeter`] takes a [`Moment`], a [`DistributionLog`] keeps some tens of
//! them evenly over the run, [`on_one_axis`] brings the histograms of one layer at many
//! moments over the same bins without inventing a count.

mod counts;
mod log;
mod meter;

pub use counts::{FINEST, GridCounts, on_one_axis};
pub use log::{CAPACITY, DistributionLog};
pub use meter::{DistributionMeter, SAMPLES};

use super::histogram::Bands;
use serde::Serialize;

/// What is spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quantity {
    /// Weights, with the gains of normalisations and the slopes of learnt ReLUs.
    #[default]
    Weights,
    /// Biases, with the shifts of normalisations.
    Biases,
    /// The gradient of the samples' mean data loss with respect to the weights. Not that
    /// of one batch: moments can be compared, and there is one before the first step.
    Gradients,
    /// What the last step added to the weights; none before the first.
    Updates,
    /// Activations over samples and units.
    Activations,
}

impl Quantity {
    /// Every quantity, in the order in which they are offered.
    pub const ALL: [Quantity; 5] = [
        Quantity::Weights,
        Quantity::Biases,
        Quantity::Gradients,
        Quantity::Updates,
        Quantity::Activations,
    ];

    /// One of them in English, lower case.
    pub fn singular(self) -> &'static str {
        match self {
            Quantity::Weights => "weight",
            Quantity::Biases => "bias",
            Quantity::Gradients => "gradient",
            Quantity::Updates => "update",
            Quantity::Activations => "activation",
        }
    }
}

/// How the numbers of one layer are spread.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Spread {
    /// How many there are, those that are not finite among them.
    pub total: u64,
    /// How many of them are not finite.
    pub not_finite: u64,
    /// What lies below certain shares of the finite ones, from the least to the greatest;
    /// none where none is finite.
    pub bands: Option<Bands>,
    /// The finite ones in narrow bins.
    pub counts: GridCounts,
}

impl Spread {
    /// Of `values`; none of none.
    pub fn of(values: &[f32]) -> Option<Self> {
        if values.is_empty() {
            return None;
        }
        let counts = GridCounts::of(values, FINEST);
        Some(Spread {
            total: values.len() as u64,
            not_finite: values.len() as u64 - counts.total(),
            bands: Bands::of(values),
            counts,
        })
    }

    /// The least and the greatest of the finite ones.
    pub fn range(&self) -> Option<[f64; 2]> {
        let Bands(bands) = self.bands?;
        Some([bands[0], bands[8]])
    }
}

/// How all is spread after so many steps.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Moment {
    /// Epochs completed.
    pub epoch: usize,
    /// Steps completed.
    pub step: u64,
    /// How many samples the gradients are over.
    pub samples: usize,
    /// How many of those the activations are of; fewer in a large network, where all would
    /// be too many numbers.
    pub seen: usize,
    /// For each of [`Quantity::ALL`] an entry a layer.
    spreads: [Vec<Option<Spread>>; 5],
}

impl Moment {
    /// How `quantity` is spread in a layer, counted from 0; none where the layer has none
    /// of it, and of updates before the first step.
    pub fn spread(&self, quantity: Quantity, layer: usize) -> Option<&Spread> {
        self.spreads[quantity as usize].get(layer)?.as_ref()
    }

    /// How many layers the network has.
    pub fn layers(&self) -> usize {
        self.spreads[0].len()
    }
}

#[cfg(test)]
mod tests;
