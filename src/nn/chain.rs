//! The passes of a chain of small dense layers in one piece.
//!
//! A network of a few dozen units takes less time to compute than it takes to
//! find out, layer by layer, which kernel to call. Here the instruction set is
//! chosen once and every kernel of the pass becomes part of one function. The
//! kernels are the same as those of every other network, and so are the results.

use super::activation::{Apply, Back};
use super::kernel::{LARGE, Outer, Product, Start};
use super::layer::{Layer, LayerState};
use super::loss::{Lanes, Values};
use super::network::clear_padding;
use super::{Network, Real, Workspace};
use pulp::{Simd, WithSimd};

impl Network {
    /// Whether a pass over `padded` samples is worth making in one piece.
    pub(super) fn is_small_chain(&self, padded: usize) -> bool {
        self.chain
            && self
                .layers()
                .iter()
                .all(|l| l.inputs() * l.outputs() * padded < LARGE)
    }
}

/// The forward pass of a chain.
pub(super) struct ChainForward<'a, R> {
    pub(super) network: &'a Network,
    pub(super) params: &'a [R],
    pub(super) workspace: &'a mut Workspace<R>,
}

impl<R: Real> WithSimd for ChainForward<'_, R> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Workspace {
            layers,
            input,
            padded,
            ..
        } = self.workspace;
        for (index, layer) in self.network.layers().iter().enumerate() {
            let (done, rest) = layers.split_at_mut(index);
            let x = done.last().map_or(&input.values, |below| &below.a);
            let state = &mut rest[0];
            state.resize(layer, *padded, false);
            let own = &self.params[layer.own.clone()];
            let (w, b) = own.split_at(layer.inputs() * layer.outputs());
            Product {
                w,
                rows: layer.outputs(),
                columns: layer.inputs(),
                row_stride: layer.inputs(),
                column_stride: 1,
                start: Start::Rows(b),
                x,
                out: &mut state.z,
                padded: *padded,
            }
            .with_simd(simd);
            Apply {
                activation: layer.activation(),
                z: &state.z,
                a: &mut state.a,
                padded: *padded,
            }
            .with_simd(simd);
        }
    }
}

/// Forward pass, losses and backward pass of a chain; gives the mean loss.
pub(super) struct ChainGradient<'a, R> {
    pub(super) network: &'a Network,
    pub(super) params: &'a [R],
    pub(super) workspace: &'a mut Workspace<R>,
    pub(super) gradient: &'a mut [R],
}

impl<R: Real> WithSimd for ChainGradient<'_, R> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f64 {
        let ChainGradient {
            network,
            params,
            workspace,
            gradient,
        } = self;
        ChainForward {
            network,
            params,
            workspace,
        }
        .with_simd(simd);
        let Workspace {
            layers,
            input,
            target,
            losses,
            rows,
            padded,
            ..
        } = workspace;
        let (rows, padded) = (*rows, *padded);
        let last = layers.len() - 1;
        let LayerState { z, a, delta, .. } = &mut layers[last];
        losses.resize(padded, R::zero());
        Values {
            loss: network.loss_kind(),
            z,
            a,
            t: &target.values,
            out: losses,
        }
        .with_simd(simd);
        let sum = Lanes::total(&losses[..rows]);

        delta.resize(a.len(), R::zero());
        let share = R::one() / R::of(rows as f64);
        let loss = network.loss_kind();
        let factor = share * loss.slope_factor::<R>(network.outputs());
        for ((d, &a), &t) in delta.iter_mut().zip(a.iter()).zip(&target.values) {
            *d = (a - t) * factor;
        }
        if loss.is_squared() {
            back(simd, &network.layers()[last], &mut layers[last], padded);
        }
        clear_padding(&mut layers[last].delta, rows, padded);

        for (index, layer) in network.layers().iter().enumerate().rev() {
            let (done, rest) = layers.split_at_mut(index);
            let state = &mut rest[0];
            if index < last {
                back(simd, layer, state, padded);
            }
            let weights = layer.inputs() * layer.outputs();
            let own = &params[layer.own.clone()];
            let (dw, db) = gradient[layer.own.clone()].split_at_mut(weights);
            let x = done.last().map_or(&input.values, |below| &below.a);
            Outer {
                delta: &state.delta,
                x,
                dw,
                db: Some(db),
                inputs: layer.inputs(),
                add: false,
                padded,
            }
            .with_simd(simd);
            if let Some(below) = done.last_mut() {
                below.delta.resize(below.a.len(), R::zero());
                Product {
                    w: &own[..weights],
                    rows: layer.inputs(),
                    columns: layer.outputs(),
                    row_stride: 1,
                    column_stride: layer.inputs(),
                    start: Start::Zero,
                    x: &state.delta,
                    out: &mut below.delta,
                    padded,
                }
                .with_simd(simd);
            }
        }
        sum / rows as f64
    }
}

/// `dL/dz` from `dL/da`.
#[inline(always)]
fn back<R: Real, S: Simd>(simd: S, layer: &Layer, state: &mut LayerState<R>, padded: usize) {
    let LayerState { z, a, delta, .. } = state;
    Back {
        activation: layer.activation(),
        gradient: delta,
        z,
        a,
        padded,
    }
    .with_simd(simd);
}
