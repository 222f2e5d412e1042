//! A chain of dense layers at many points in one piece. A tile of samples goes
//! through all layers while its values are in the fastest cache, and all points
//! of a block while the tile's products are in the next.

use super::affine::Affine;
use super::chunk::{Chunk, Kept};
use super::{Tally, count, is_elementwise};
use crate::nn::activation::{Apply, apply_in_place};
use crate::nn::aligned::Aligned;
use crate::nn::kernel::{PAD, Product, Start};
use crate::nn::loss::{Lanes, Values};
use crate::nn::{Activation, Layer, Loss, Real};
use pulp::{Simd, WithSimd};

/// Bytes of a tile's widest layer: the size of a first cache.
const TILE_BYTES: usize = 32 << 10;

/// Samples of a tile for a chain of dense `layers`, a multiple of [`PAD`].
pub(super) fn tile<R>(layers: &[Layer]) -> usize {
    let widest = layers.iter().map(Layer::outputs).max().unwrap_or(1);
    let samples = TILE_BYTES / std::mem::size_of::<R>() / widest.max(1);
    (samples / PAD).clamp(1, 8) * PAD
}

/// Buffers of a tile.
#[derive(Debug, Clone, Default)]
pub(super) struct Scratch<R> {
    // Two layers, in turn.
    values: [Aligned<R>; 2],
    output: Aligned<R>,
    losses: Aligned<R>,
    sums: Vec<Lanes>,
}

/// The layers from an affine one on, at several points.
pub(super) struct Fused<'a, R> {
    /// The affine layer and the dense ones behind it.
    pub(super) layers: &'a [Layer],
    pub(super) loss: Loss,
    pub(super) chunk: &'a Chunk<R>,
    pub(super) points: &'a [[R; 2]],
    /// The parameters of the dense layers at each point, `apart` one behind the other.
    pub(super) params: &'a [R],
    pub(super) apart: usize,
    pub(super) scratch: &'a mut Scratch<R>,
    pub(super) tally: &'a Tally<'a, R>,
    /// For each point a number that is added to.
    pub(super) out: &'a mut [f64],
}

impl<R: Real> WithSimd for Fused<'_, R> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Fused {
            layers,
            loss,
            chunk,
            points,
            params,
            apart,
            scratch,
            tally,
            out,
        } = self;
        let affine = chunk.kept.iter().find_map(|kept| match kept {
            Kept::Affine(products) => Some(products),
            _ => None,
        });
        let (Some(products), Some((first, dense))) = (affine, layers.split_first()) else {
            return;
        };
        let tile = tile::<R>(layers);
        let widest = layers.iter().map(Layer::outputs).max().unwrap_or(0);
        let outputs = layers.last().map_or(0, Layer::outputs);
        let Scratch {
            values,
            output,
            losses,
            sums,
        } = scratch;
        for buffer in values.iter_mut() {
            buffer.resize(widest * tile);
        }
        output.resize(outputs * tile);
        losses.resize(tile);
        sums.clear();
        sums.resize(points.len(), Lanes::default());
        let [even, odd] = values;
        for start in (0..chunk.padded).step_by(tile) {
            let width = tile.min(chunk.padded - start);
            let rows = width.min(chunk.rows - start);
            let part = |units: usize| units * start..units * (start + width);
            let target = &chunk.target[part(outputs)];
            for (index, &point) in points.iter().enumerate() {
                let (mut a, mut z) = (&mut even[..], &mut odd[..]);
                let hidden = !dense.is_empty();
                let rectified = hidden && first.activation() == Activation::Relu;
                let at = part(first.outputs());
                let x = &mut a[..at.len()];
                Affine {
                    products: products.each_ref().map(|p| &p[at.clone()]),
                    point,
                    rectified,
                    z: &mut *x,
                }
                .with_simd(simd);
                if hidden && !rectified {
                    apply_in_place(simd, first.activation(), x);
                }
                let (mut below, mut below_is_raw) = (first, false);
                let mut params = &params[index * apart..][..apart];
                for layer in dense {
                    let inputs = layer.inputs();
                    let x = &mut a[..inputs * width];
                    if below_is_raw {
                        apply_in_place(simd, below.activation(), x);
                    }
                    below_is_raw = true;
                    let (w, rest) = params.split_at(inputs * layer.outputs());
                    let (b, rest) = rest.split_at(layer.outputs());
                    Product {
                        w,
                        rows: layer.outputs(),
                        columns: inputs,
                        row_stride: inputs,
                        column_stride: 1,
                        start: Start::Rows(b),
                        x,
                        out: &mut z[..layer.outputs() * width],
                        padded: width,
                    }
                    .with_simd(simd);
                    std::mem::swap(&mut a, &mut z);
                    (below, params) = (layer, rest);
                }
                let z = &mut a[..outputs * width];
                let a = &mut output[..outputs * width];
                // The cross-entropies are computed from pre-activations.
                if !matches!(tally, Tally::Loss) || loss.is_squared() {
                    Apply {
                        activation: below.activation(),
                        z,
                        a,
                        padded: width,
                    }
                    .with_simd(simd);
                }
                match tally {
                    Tally::Loss => {
                        Values {
                            loss,
                            z,
                            a,
                            t: target,
                            out: &mut losses[..width],
                        }
                        .with_simd(simd);
                        sums[index].add(&losses[..rows]);
                    }
                    Tally::Right(right) => out[index] += count(a, start, rows, width, *right),
                }
            }
        }
        debug_assert!(
            layers[..layers.len() - 1]
                .iter()
                .all(|l| is_elementwise(l.activation()))
        );
        for (out, sums) in out.iter_mut().zip(sums) {
            *out += sums.sum();
        }
    }
}
