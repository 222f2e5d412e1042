//! Numbers that stopped being finite: what is said of them, and finding where
//! it began.

use crate::nn::{Layout, ParamPlace, Workspace, arch};

/// Where numbers first stopped being finite.
#[derive(Debug, Clone, PartialEq)]
pub struct Divergence {
    /// The first step, from 1, that could not be made or led to numbers that
    /// are not finite; the trainer is back before it.
    pub step: u64,
    /// The first layer whose pre-activations or gradients are not finite.
    pub layer: usize,
    /// The first parameter of that layer that is to blame, where one is.
    pub parameter: Option<ParamPlace>,
    /// What was not finite.
    pub what: NonFinite,
}

/// What was not a finite number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NonFinite {
    /// A pre-activation or the loss, on the way forward.
    Forward,
    /// A gradient, on the way back.
    Gradient,
    /// A parameter, after the update.
    Update,
}

/// The place of the first value that is not finite.
pub(super) fn first_bad_parameter(layout: &Layout, values: &[f32]) -> Option<ParamPlace> {
    let index = values.iter().position(|v| !v.is_finite())?;
    layout.place(index)
}

/// The first layer with a pre-activation that is not finite, and the largest
/// weight into that unit. Where all are finite and only the loss is not, the
/// output layer and the largest weight into its largest unit.
pub(super) fn first_bad_unit(
    layout: &Layout,
    workspace: &Workspace<f32>,
    params: &[f32],
) -> (usize, Option<ParamPlace>) {
    let layers = workspace.n_layers();
    let bad = (0..layers).find_map(|layer| {
        let z = workspace.z(layer);
        let unit = z
            .rows()
            .into_iter()
            .find_map(|row| row.iter().position(|v| !v.is_finite()))?;
        Some((layer, unit))
    });
    let (layer, unit) = bad.unwrap_or_else(|| (layers - 1, largest_unit(workspace, layers - 1)));
    let range = layout.weight(layer);
    let inputs = range.len() / workspace.z(layer).ncols().max(1);
    let row = range.start + unit * inputs;
    let largest = (row..row + inputs).max_by(|&a, &b| params[a].abs().total_cmp(&params[b].abs()));
    (layer, largest.and_then(|index| layout.place(index)))
}

/// The unit of `layer` with the largest activation of any sample.
fn largest_unit(workspace: &Workspace<f32>, layer: usize) -> usize {
    let a = workspace.a(layer);
    let largest = a
        .indexed_iter()
        .max_by(|(_, a), (_, b)| a.abs().total_cmp(&b.abs()));
    largest.map_or(0, |((_, unit), _)| unit)
}

/// Whether no value is infinite or undefined.
pub(super) fn all_finite(values: &[f32]) -> bool {
    const EXPONENT: u32 = 0x7f80_0000;
    // Without an early end: unlike a search this vectorises.
    let bad = || {
        let exponents = values.iter().map(|v| v.to_bits() & EXPONENT);
        exponents.fold(0, |bad, e| bad | u32::from(e == EXPONENT))
    };
    arch().dispatch(bad) == 0
}
