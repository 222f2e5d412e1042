//! The same samples through a network at many points of a plane through its
//! parameters, `c + x u + y v`.
//!
//! Much of such a pass is the same at every point. A layer that neither moves nor
//! reads one that does is computed once. A layer that moves but reads only what
//! does not is affine in its own parameters, so that its pre-activation is
//! `z = C + x D + y E` with three products that are computed once: the first layer
//! of a network then costs two multiply-adds a unit and point instead of a row of
//! its weights. The rest is computed at each point, with the kernels of every
//! other pass: at the origin everything comes out as [`Network::forward`] has it,
//! to the last bit. What comes out for a point depends on nothing but the point.

mod affine;
mod chunk;
mod fused;

pub use chunk::Chunk;

use super::aligned::Aligned;
use super::kernel::{DEEP, PAD};
use super::layer::{LayerKind, LayerState, add};
use super::loss::{Lanes, Values};
use super::{Activation, Layer, Network, Real, Source, Workspace};
use affine::Affine;
use chunk::Kept;
use fused::{Fused, Scratch};
use ndarray::{ArrayView1, ArrayView2, ShapeBuilder};
use std::borrow::Cow;
use std::ops::Range;

/// What a layer does while the point moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Its output stays what it is.
    Fixed,
    /// Its input stays, and its pre-activation is affine in the coordinates.
    Affine,
    /// It has to be computed anew.
    Moving,
}

/// What is counted at each point.
pub enum Tally<'a, R> {
    /// The sum of the samples' losses.
    Loss,
    /// How many samples, by their number within the chunk and their output, are as
    /// they should be.
    Right(&'a (dyn Fn(usize, ArrayView1<'_, R>) -> bool + Sync)),
}

/// A network and a plane through its parameters.
#[derive(Debug, Clone)]
pub struct Sweep<'a, R: Real> {
    network: &'a Network,
    center: Cow<'a, [R]>,
    along: [Cow<'a, [R]>; 2],
    roles: Vec<Role>,
    // The layer from which on all is a chain of dense layers for the fused pass.
    fused: Option<usize>,
    // Centre and directions of the parameters of those behind it.
    dense: [Aligned<R>; 3],
}

/// What one thread needs for passes over a [`Sweep`].
#[derive(Debug, Clone)]
pub struct SweepBuffers<R> {
    workspace: Workspace<R>,
    // The parameters of one point, where there is no fused pass.
    params: Vec<R>,
    // The points, and the parameters of the fused layers at each.
    points: Vec<[R; 2]>,
    dense: Aligned<R>,
    scratch: Scratch<R>,
}

impl<'a, R: Real> Sweep<'a, R> {
    /// The plane through `center` along two directions, all three as long as the
    /// parameter vector of `network`.
    pub fn new(
        network: &'a Network,
        center: Cow<'a, [R]>,
        along_x: Cow<'a, [R]>,
        along_y: Cow<'a, [R]>,
    ) -> Self {
        let moves = |range: &Range<usize>| {
            let moves = |direction: &[R]| direction[range.clone()].iter().any(|&v| v != R::zero());
            moves(&along_x) || moves(&along_y)
        };
        let mut roles: Vec<Role> = Vec::with_capacity(network.layers().len());
        for layer in network.layers() {
            let rests = |source: &Source| match *source {
                Source::Input => true,
                Source::Layer(from) => roles[from] == Role::Fixed,
            };
            let role = match (moves(&layer.own), moves(&layer.statistics)) {
                _ if !layer.sources().iter().all(rests) => Role::Moving,
                (false, false) => Role::Fixed,
                (true, false) => Role::Affine,
                (_, true) => Role::Moving,
            };
            roles.push(role);
        }
        let fused = fused_from(network, &roles);
        let behind = fused.map_or(&[][..], |first| &network.layers()[first + 1..]);
        let dense = match (behind.first(), behind.last()) {
            (Some(a), Some(b)) => a.own.start..b.own.end,
            _ => 0..0,
        };
        let dense = [&center, &along_x, &along_y].map(|v| v[dense.clone()].into());
        Sweep {
            network,
            center,
            along: [along_x, along_y],
            roles,
            fused,
            dense,
        }
    }

    /// Multiply-adds of a point for one sample.
    pub fn multiply_adds(&self) -> usize {
        let layers = self.network.layers().iter().zip(&self.roles);
        layers
            .map(|(layer, role)| match role {
                Role::Fixed => 0,
                Role::Affine => 2 * layer.outputs(),
                Role::Moving => layer.multiply_adds(),
            })
            .sum()
    }

    /// Numbers that are kept for one sample.
    pub fn kept_per_sample(&self) -> usize {
        let layers = self.network.layers().iter().zip(&self.roles);
        let kept = layers.map(|(layer, role)| match role {
            Role::Fixed => layer.outputs(),
            Role::Affine => 3 * layer.outputs(),
            Role::Moving => 0,
        });
        kept.sum::<usize>() + self.network.inputs() + self.network.outputs()
    }

    /// Buffers for chunks of up to `samples` samples.
    pub fn buffers(&self, samples: usize) -> SweepBuffers<R> {
        SweepBuffers {
            workspace: Workspace::new(self.network, samples),
            params: match self.fused {
                Some(_) => Vec::new(),
                None => self.center.to_vec(),
            },
            points: Vec::new(),
            dense: Aligned::default(),
            scratch: Scratch::default(),
        }
    }

    /// Makes `points` those that [`add`](Self::add) is about.
    pub fn place(&self, points: &[[R; 2]], buffers: &mut SweepBuffers<R>) {
        let SweepBuffers {
            workspace,
            points: placed,
            dense,
            ..
        } = buffers;
        placed.clear();
        placed.extend_from_slice(points);
        let apart = self.apart();
        dense.resize(points.len() * apart);
        if apart > 0 {
            for (&point, z) in points.iter().zip(dense.chunks_exact_mut(apart)) {
                workspace.arch.dispatch(Affine {
                    products: self.dense.each_ref().map(|v| &**v),
                    point,
                    rectified: false,
                    z: &mut z[..self.dense[0].len()],
                });
            }
        }
    }

    /// From the fused layers' parameters at one point to those at the next, so that
    /// each begin a vector.
    fn apart(&self) -> usize {
        self.dense[0].len().next_multiple_of(PAD)
    }

    /// Adds to `out`, point by point, what `tally` says of the samples of `chunk`.
    pub fn add(
        &self,
        chunk: &Chunk<R>,
        tally: &Tally<'_, R>,
        buffers: &mut SweepBuffers<R>,
        out: &mut [f64],
    ) {
        if let Some(first) = self.fused {
            buffers.workspace.arch.dispatch(Fused {
                layers: &self.network.layers()[first..],
                params: &buffers.dense,
                apart: self.apart(),
                loss: self.network.loss_kind(),
                chunk,
                points: &buffers.points,
                scratch: &mut buffers.scratch,
                tally,
                out,
            });
            return;
        }
        for (index, out) in out.iter_mut().enumerate() {
            let point = buffers.points[index];
            self.pass(chunk, point, buffers);
            let Workspace {
                layers,
                losses,
                arch,
                ..
            } = &mut buffers.workspace;
            let Some(LayerState { z, a, .. }) = layers.last() else {
                return;
            };
            *out += match tally {
                Tally::Loss => {
                    losses.resize(chunk.padded, R::zero());
                    arch.dispatch(Values {
                        loss: self.network.loss_kind(),
                        z,
                        a,
                        t: &chunk.target,
                        out: losses,
                    });
                    Lanes::total(&losses[..chunk.rows])
                }
                Tally::Right(right) => count(a, 0, chunk.rows, chunk.padded, *right),
            };
        }
    }

    /// Centre and directions of the parameters in `range`.
    fn plane(&self, range: &Range<usize>) -> [&[R]; 3] {
        let [u, v] = &self.along;
        [
            &self.center[range.clone()],
            &u[range.clone()],
            &v[range.clone()],
        ]
    }

    /// All layers at `point` that do not stay as they are.
    fn pass(&self, chunk: &Chunk<R>, point: [R; 2], buffers: &mut SweepBuffers<R>) {
        let SweepBuffers {
            workspace, params, ..
        } = buffers;
        workspace.rows = chunk.rows;
        workspace.padded = chunk.padded;
        for (index, layer) in self.network.layers().iter().enumerate() {
            let pass = workspace.pass(index);
            let (done, rest) = workspace.layers.split_at_mut(index);
            let state = &mut rest[0];
            let input = |source: Source| match source {
                Source::Input => &chunk.input,
                Source::Layer(from) => match &chunk.kept[from] {
                    Kept::Fixed(a) => a,
                    _ => &done[from].a,
                },
            };
            match (&chunk.kept[index], self.roles[index]) {
                (Kept::Affine(products), _) => {
                    let size = layer.outputs() * chunk.padded;
                    state.z.resize(size, R::zero());
                    state.a.resize(size, R::zero());
                    pass.arch.dispatch(Affine {
                        products: products.each_ref().map(|p| &p[..]),
                        point,
                        rectified: false,
                        z: &mut state.z,
                    });
                }
                (_, Role::Fixed) => continue,
                _ => {
                    state.resize(layer, chunk.padded, false);
                    if let LayerKind::Add = layer.kind() {
                        for (s, &source) in layer.sources().iter().enumerate() {
                            add::gather(s == 0, input(source), &mut state.z);
                        }
                    } else {
                        for range in [&layer.own, &layer.statistics] {
                            pass.arch.dispatch(Affine {
                                products: self.plane(range),
                                point,
                                rectified: false,
                                z: &mut params[range.clone()],
                            });
                        }
                        layer.forward(pass, params, input(layer.sources()[0]), state);
                    }
                }
            }
            let LayerState { z, a, .. } = state;
            layer.activation().apply(pass.arch, z, a, chunk.padded);
        }
    }
}

/// The layer whose pre-activation is affine and behind which there is nothing but
/// a chain of dense layers, none of which is for the library.
fn fused_from(network: &Network, roles: &[Role]) -> Option<usize> {
    let first = roles.iter().position(|&role| role != Role::Fixed)?;
    if roles[first] != Role::Affine {
        return None;
    }
    let chained = |(index, layer): (usize, &Layer)| {
        matches!(layer.kind(), LayerKind::Dense { .. })
            && layer.sources() == [Source::Layer(index - 1)]
            && layer.inputs() <= DEEP
    };
    let mut behind = network.layers().iter().enumerate().skip(first + 1);
    behind.all(chained).then_some(first)
}

/// How many of `rows` samples from number `first` on, with outputs `a` `[units,
/// padded]`, are right.
fn count<R: Real>(
    a: &[R],
    first: usize,
    rows: usize,
    padded: usize,
    right: &(dyn Fn(usize, ArrayView1<'_, R>) -> bool + Sync),
) -> f64 {
    let units = a.len() / padded;
    let outputs = ArrayView2::from_shape((rows, units).strides((1, padded)), a)
        .expect("a layer's buffer holds `units` rows of `padded` samples");
    let samples = outputs.rows().into_iter().enumerate();
    samples.filter(|(i, o)| right(first + i, *o)).count() as f64
}

/// Whether `activation` looks at one unit at a time.
fn is_elementwise(activation: Activation) -> bool {
    activation != Activation::Softmax
}
