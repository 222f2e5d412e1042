//! What is the same for some samples at every point of a plane.

use super::fused::tile;
use super::{Role, Sweep};
use crate::nn::aligned::Aligned;
use crate::nn::layer::{LayerKind, LayerState, TangentState, add};
use crate::nn::network::activations;
use crate::nn::{Real, Source, Workspace};
use ndarray::ArrayView2;

/// What is kept of one layer, `[units, padded]` each.
#[derive(Debug, Clone)]
pub(super) enum Kept<R> {
    /// Nothing.
    Nothing,
    /// Its activations.
    Fixed(Vec<R>),
    /// `C`, `D` and `E` of its pre-activations `C + x D + y E`.
    Affine([Aligned<R>; 3]),
}

/// What is the same for some samples at every point of a plane. For a fused pass
/// the arrays are cut into tiles of some samples, one behind the other.
#[derive(Debug, Clone)]
pub struct Chunk<R> {
    pub(super) rows: usize,
    pub(super) padded: usize,
    pub(super) input: Vec<R>,
    pub(super) target: Aligned<R>,
    pub(super) kept: Vec<Kept<R>>,
}

impl<R: Real> Sweep<'_, R> {
    /// Computes what stays the same for the samples `x` `[n, inputs]` with targets
    /// `y` `[n, outputs]`, n at least 1. The products are formed as a forward pass
    /// of these samples forms them.
    pub fn chunk(&self, x: ArrayView2<'_, R>, y: ArrayView2<'_, R>) -> Chunk<R> {
        let network = self.network;
        let layers = network.layers();
        let mut workspace = Workspace::new(network, x.nrows());
        workspace.load_all(x);
        workspace.load_all_targets(y);
        let (rows, padded) = (workspace.rows, workspace.padded);
        let mut kept: Vec<Kept<R>> = layers.iter().map(|_| Kept::Nothing).collect();
        let mut tangent = TangentState::default();
        for (index, layer) in layers.iter().enumerate() {
            if self.roles[index] == Role::Moving {
                continue;
            }
            let pass = workspace.pass(index);
            let Workspace { layers, input, .. } = &mut workspace;
            let (done, rest) = layers.split_at_mut(index);
            let state = &mut rest[0];
            state.resize(layer, padded, false);
            let x = activations(layer.sources()[0], &input.values, done);
            if let LayerKind::Add = layer.kind() {
                for (s, &source) in layer.sources().iter().enumerate() {
                    let x = activations(source, &input.values, done);
                    add::gather(s == 0, x, &mut state.z);
                }
            } else {
                layer.forward(pass, &self.center, x, state);
            }
            if self.roles[index] == Role::Fixed {
                let LayerState { z, a, .. } = state;
                layer.activation().apply(pass.arch, z, a, padded);
                continue;
            }
            let products = self.along.each_ref().map(|v| {
                tangent.z.clear();
                tangent.z.resize(state.z.len(), R::zero());
                layer.forward_tangent(pass, &self.center, v, x, None, state, &mut tangent);
                std::mem::take(&mut tangent.z)
            });
            let [along_x, along_y] = products.each_ref().map(|v| v[..].into());
            kept[index] = Kept::Affine([state.z[..].into(), along_x, along_y]);
        }
        let read = |source: Source| {
            let mut readers = layers.iter().zip(&self.roles);
            readers.any(|(l, &role)| role == Role::Moving && l.sources().contains(&source))
        };
        for (index, kept) in kept.iter_mut().enumerate() {
            if self.roles[index] == Role::Fixed && read(Source::Layer(index)) {
                *kept = Kept::Fixed(std::mem::take(&mut workspace.layers[index].a));
            }
        }
        let input = if read(Source::Input) {
            std::mem::take(&mut workspace.input.values)
        } else {
            Vec::new()
        };
        let mut target = Aligned::from(&workspace.target.values[..]);
        if let Some(first) = self.fused {
            let tile = tile::<R>(&layers[first..]);
            target = tiled(&target, padded, tile);
            if let Kept::Affine(products) = &mut kept[first] {
                for values in products {
                    *values = tiled(values, padded, tile);
                }
            }
        }
        Chunk {
            rows,
            padded,
            input,
            target,
            kept,
        }
    }
}

/// `[units, padded]` as tiles `[units, tile]` one behind the other, the last
/// narrower.
fn tiled<R: Real>(values: &[R], padded: usize, tile: usize) -> Aligned<R> {
    let mut out = Aligned::default();
    out.resize(values.len());
    let mut left = &mut out[..];
    for start in (0..padded).step_by(tile) {
        let end = (start + tile).min(padded);
        for row in values.chunks_exact(padded) {
            let (piece, rest) = left.split_at_mut(end - start);
            piece.copy_from_slice(&row[start..end]);
            left = rest;
        }
    }
    out
}
