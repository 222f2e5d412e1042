//! Layer kinds, one file each. A kind states its shapes, its parameters and
//! its passes: forward, backward, and both once more for directional
//! derivatives (Pearlmutter's R-operator). [`Network`](super::Network) strings
//! layers together.
//!
//! Within a pass every array is `[values, samples]`, samples side by side.

pub(super) mod add;
mod conv;
mod dense;
mod dropout;
mod norm;
mod pool;
mod prelu;

pub use conv::Conv;
pub use norm::{BatchNorm, LayerNorm};
pub use pool::Pool;

use super::{Activation, Layout, Mode, Real, Shape};
use pulp::Arch;
use std::ops::Range;

/// What a layer does with its input.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LayerKind {
    /// Fully connected: every unit sees every input. `z = W x + b`
    Dense {
        /// Units, which are also the values out.
        units: usize,
    },
    /// Convolution in two dimensions.
    Conv(Conv),
    /// The largest value of each window.
    MaxPool(Pool),
    /// The mean of each window.
    AvgPool(Pool),
    /// The mean of each channel.
    GlobalAvgPool,
    /// An image as a plain vector.
    Flatten,
    /// While training, each value is left out with probability `rate`, and the
    /// others grow to make up for it (Srivastava et al. 2014, "inverted").
    Dropout {
        /// The share that is left out, from 0 to below 1.
        rate: f64,
    },
    /// Normalisation over the batch, channel by channel.
    BatchNorm(BatchNorm),
    /// Normalisation over the values of each sample.
    LayerNorm(LayerNorm),
    /// The sum of several layers' outputs: a residual connection.
    Add,
    /// `z` above 0, a learnt slope times `z` below, one slope a channel
    /// (He et al. 2015).
    PRelu {
        /// What every slope starts at.
        slope: f64,
    },
}

impl LayerKind {
    /// The name used in experiment files.
    pub fn name(&self) -> &'static str {
        match self {
            LayerKind::Dense { .. } => "dense",
            LayerKind::Conv(_) => "conv",
            LayerKind::MaxPool(_) => "max_pool",
            LayerKind::AvgPool(_) => "avg_pool",
            LayerKind::GlobalAvgPool => "global_avg_pool",
            LayerKind::Flatten => "flatten",
            LayerKind::Dropout { .. } => "dropout",
            LayerKind::BatchNorm(_) => "batch_norm",
            LayerKind::LayerNorm(_) => "layer_norm",
            LayerKind::Add => "add",
            LayerKind::PRelu { .. } => "prelu",
        }
    }

    /// What comes out for `input`, or why it does not fit.
    pub fn output_shape(&self, input: Shape) -> Result<Shape, String> {
        match self {
            LayerKind::Dense { units: 0 } => Err("it has no units; give it at least 1".into()),
            LayerKind::Dense { units } => Ok(Shape::flat(*units)),
            LayerKind::Conv(conv) => conv.output_shape(input),
            LayerKind::MaxPool(pool) | LayerKind::AvgPool(pool) => pool.output_shape(input),
            LayerKind::GlobalAvgPool => Ok(Shape::flat(input.channels)),
            LayerKind::Flatten => Ok(Shape::flat(input.size())),
            LayerKind::Dropout { rate } if !(0.0..1.0).contains(rate) => Err(format!(
                "a rate of {rate}; give a number from 0 up to, not including, 1"
            )),
            LayerKind::Dropout { .. }
            | LayerKind::BatchNorm(_)
            | LayerKind::LayerNorm(_)
            | LayerKind::Add
            | LayerKind::PRelu { .. } => Ok(input),
        }
    }
}

/// Where a layer reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// The sample.
    Input,
    /// An earlier layer's activations, by its number from 0.
    Layer(usize),
}

/// One layer of a network, in its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    kind: LayerKind,
    activation: Activation,
    name: Option<String>,
    sources: Vec<Source>,
    input: Shape,
    output: Shape,
    pub(super) own: Range<usize>,
    pub(super) statistics: Range<usize>,
    // For each source whether a later layer has written to its error signal by
    // the time the backward pass gets here.
    pub(super) adds: Vec<bool>,
}

impl Layer {
    pub(super) fn new(
        kind: LayerKind,
        activation: Activation,
        name: Option<String>,
        sources: Vec<Source>,
        input: Shape,
        output: Shape,
    ) -> Self {
        let adds = vec![false; sources.len()];
        Layer {
            kind,
            activation,
            name,
            sources,
            input,
            output,
            own: 0..0,
            statistics: 0..0,
            adds,
        }
    }

    /// What it does.
    pub fn kind(&self) -> &LayerKind {
        &self.kind
    }

    /// What is applied to the pre-activation.
    pub fn activation(&self) -> Activation {
        self.activation
    }

    /// What the experiment calls it.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Where it reads: one place, or several for [`LayerKind::Add`].
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// What goes in (from each source).
    pub fn input_shape(&self) -> Shape {
        self.input
    }

    /// What comes out.
    pub fn output_shape(&self) -> Shape {
        self.output
    }

    /// The number of values that go in, per sample.
    pub fn inputs(&self) -> usize {
        self.input.size()
    }

    /// The number of values that come out, per sample.
    pub fn outputs(&self) -> usize {
        self.output.size()
    }

    /// Multiply-adds of a forward pass of one sample.
    pub fn multiply_adds(&self) -> usize {
        match &self.kind {
            LayerKind::Dense { .. } => self.inputs() * self.outputs(),
            LayerKind::Conv(conv) => conv.fan_in(self.input) * self.outputs(),
            LayerKind::BatchNorm(_) | LayerKind::LayerNorm(_) | LayerKind::PRelu { .. } => {
                self.outputs()
            }
            LayerKind::AvgPool(pool) => pool.size[0] * pool.size[1] * self.outputs(),
            LayerKind::GlobalAvgPool => self.inputs(),
            LayerKind::MaxPool(_)
            | LayerKind::Flatten
            | LayerKind::Dropout { .. }
            | LayerKind::Add => 0,
        }
    }

    /// Appends the blocks that training moves.
    pub(super) fn lay_out(&mut self, index: usize, layout: &mut Layout) {
        let start = layout.len();
        match &self.kind {
            LayerKind::Dense { units } => dense::lay_out(index, *units, self.input, layout),
            LayerKind::Conv(conv) => conv.lay_out(index, self.input, layout),
            LayerKind::BatchNorm(_) => norm::lay_out(index, self.input.channels, layout),
            LayerKind::LayerNorm(_) => norm::lay_out(index, self.input.size(), layout),
            LayerKind::PRelu { .. } => prelu::lay_out(index, self.input.channels, layout),
            LayerKind::MaxPool(_)
            | LayerKind::AvgPool(_)
            | LayerKind::GlobalAvgPool
            | LayerKind::Flatten
            | LayerKind::Dropout { .. }
            | LayerKind::Add => {}
        }
        self.own = start..layout.len();
    }

    /// Appends the blocks that are gathered while training.
    pub(super) fn lay_out_statistics(&mut self, index: usize, layout: &mut Layout) {
        let start = layout.len();
        if let LayerKind::BatchNorm(_) = self.kind {
            norm::lay_out_statistics(index, self.input.channels, layout);
        }
        self.statistics = start..layout.len();
    }

    /// The window of a pooling layer.
    fn window(&self) -> crate::nn::kernel::Window {
        match &self.kind {
            LayerKind::MaxPool(pool) | LayerKind::AvgPool(pool) => {
                pool.window(self.input, self.output)
            }
            _ => Pool::global(self.input).window(self.input, self.output),
        }
    }

    /// Forward pass of one source into `state.z`. The activation is not applied.
    pub(super) fn forward<R: Real>(
        &self,
        pass: Pass,
        params: &[R],
        x: &[R],
        state: &mut LayerState<R>,
    ) {
        let own = &params[self.own.clone()];
        match &self.kind {
            LayerKind::Dense { .. } => dense::forward(pass, own, x, state),
            LayerKind::Conv(conv) => conv.forward(pass, self.input, self.output, own, x, state),
            LayerKind::MaxPool(_) => pool::maximum(pass, &self.window(), x, state),
            LayerKind::AvgPool(_) | LayerKind::GlobalAvgPool => {
                pool::average(pass, &self.window(), x, &mut state.z);
            }
            LayerKind::Flatten => state.z.copy_from_slice(x),
            LayerKind::Dropout { rate } => dropout::forward(pass, *rate, x, state),
            LayerKind::BatchNorm(norm) => {
                let statistics = &params[self.statistics.clone()];
                norm.forward(pass, own, statistics, x, state);
            }
            LayerKind::LayerNorm(norm) => norm.forward(pass, own, x, state),
            LayerKind::Add => unreachable!("a sum reads several sources; see `add`"),
            LayerKind::PRelu { .. } => prelu::forward(pass, own, x, state),
        }
    }

    /// Backward pass: from `state.delta = dL/dz` the gradient of this layer's
    /// parameters, written over `gradient`, and `dL/dx`, into `below`.
    pub(super) fn backward<R: Real>(
        &self,
        pass: Pass,
        params: &[R],
        x: &[R],
        state: &mut LayerState<R>,
        gradient: &mut [R],
        below: Option<Below<'_, R>>,
    ) {
        let own = &params[self.own.clone()];
        match &self.kind {
            LayerKind::Dense { .. } => {
                dense::backward(pass, own, x, &state.delta, gradient, below);
            }
            LayerKind::Conv(conv) => {
                let shape = conv.shape(self.input, self.output);
                conv.backward(pass, shape, own, x, state, gradient, below);
            }
            LayerKind::MaxPool(_) => pool::maximum_back(pass, state, &state.delta, below),
            LayerKind::AvgPool(_) | LayerKind::GlobalAvgPool => {
                pool::average_back(pass, &self.window(), &state.delta, below);
            }
            LayerKind::Flatten | LayerKind::Add => add::backward(&state.delta, below),
            LayerKind::Dropout { .. } => dropout::backward(pass, state, &state.delta, below),
            LayerKind::BatchNorm(norm) => norm.backward(pass, own, state, gradient, below),
            LayerKind::LayerNorm(norm) => norm.backward(pass, own, state, gradient, below),
            LayerKind::PRelu { .. } => {
                prelu::backward(pass, own, x, &state.delta, gradient, below);
            }
        }
    }

    /// The forward pass of directional derivatives: `tangent.z = R{z}` for
    /// parameters that move along `v` and an input that moves along `rx`.
    pub(super) fn forward_tangent<R: Real>(
        &self,
        pass: Pass,
        params: &[R],
        v: &[R],
        x: &[R],
        rx: Option<&[R]>,
        state: &LayerState<R>,
        tangent: &mut TangentState<R>,
    ) {
        let (own, v_own) = (&params[self.own.clone()], &v[self.own.clone()]);
        match &self.kind {
            LayerKind::Dense { .. } => {
                dense::forward_tangent(pass, own, v_own, x, rx, &mut tangent.z);
            }
            LayerKind::Conv(conv) => {
                let shape = conv.shape(self.input, self.output);
                conv.forward_tangent(pass, shape, own, v_own, x, rx, state, tangent);
            }
            LayerKind::PRelu { .. } => {
                prelu::forward_tangent(pass, own, v_own, x, rx, &mut tangent.z);
            }
            LayerKind::BatchNorm(norm) => {
                norm.forward_tangent(pass, own, v_own, rx, state, tangent);
            }
            LayerKind::LayerNorm(norm) => {
                norm.forward_tangent(pass, own, v_own, rx, state, tangent);
            }
            _ => match rx {
                None => tangent.z.fill(R::zero()),
                Some(rx) => match &self.kind {
                    LayerKind::MaxPool(_) => {
                        let z = &mut tangent.z;
                        crate::nn::kernel::maximum_select(&state.picked, rx, z, pass.padded);
                    }
                    LayerKind::AvgPool(_) | LayerKind::GlobalAvgPool => {
                        pool::average(pass, &self.window(), rx, &mut tangent.z);
                    }
                    LayerKind::Dropout { .. } => {
                        dropout::mask(pass, state, rx, &mut tangent.z, false);
                    }
                    _ => tangent.z.copy_from_slice(rx),
                },
            },
        }
    }

    /// The backward pass of directional derivatives: from `state.delta` and
    /// `tangent.delta = R{dL/dz}` the `R{}` of the parameters' gradient, written
    /// over `out`, and of `dL/dx`, into `below`.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn backward_tangent<R: Real>(
        &self,
        pass: Pass,
        params: &[R],
        v: &[R],
        x: &[R],
        rx: Option<&[R]>,
        state: &LayerState<R>,
        tangent: &mut TangentState<R>,
        out: &mut [R],
        below: Option<Below<'_, R>>,
    ) {
        let (own, v_own) = (&params[self.own.clone()], &v[self.own.clone()]);
        match &self.kind {
            LayerKind::Dense { .. } => {
                dense::backward_tangent(pass, own, v_own, x, rx, state, tangent, out, below);
            }
            LayerKind::Conv(conv) => {
                let shape = conv.shape(self.input, self.output);
                conv.backward_tangent(pass, shape, own, v_own, x, rx, state, tangent, out, below);
            }
            LayerKind::MaxPool(_) => pool::maximum_back(pass, state, &tangent.delta, below),
            LayerKind::AvgPool(_) | LayerKind::GlobalAvgPool => {
                pool::average_back(pass, &self.window(), &tangent.delta, below);
            }
            LayerKind::Flatten | LayerKind::Add => add::backward(&tangent.delta, below),
            LayerKind::Dropout { .. } => dropout::backward(pass, state, &tangent.delta, below),
            LayerKind::BatchNorm(norm) => {
                norm.backward_tangent(pass, own, v_own, state, tangent, out, below);
            }
            LayerKind::LayerNorm(norm) => {
                norm.backward_tangent(pass, own, v_own, state, tangent, out, below);
            }
            LayerKind::PRelu { .. } => {
                prelu::backward_tangent(pass, own, v_own, x, rx, state, tangent, out, below);
            }
        }
    }
}

/// What a pass is over and how it is computed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pass {
    pub(super) arch: Arch,
    /// Samples.
    pub(super) n: usize,
    /// Samples with padding.
    pub(super) padded: usize,
    pub(super) mode: Mode,
    /// Distinguishes layers where they draw random numbers.
    pub(super) layer: usize,
}

/// Where a backward pass writes `dL/dx`.
pub(super) struct Below<'a, R> {
    pub(super) values: &'a mut [R],
    /// Whether to add to what is there.
    pub(super) add: bool,
}

impl<R: Real> Below<'_, R> {
    /// Writes or adds `f(i)` to every value.
    fn put(&mut self, f: impl Fn(usize) -> R) {
        for i in 0..self.values.len() {
            self.put_at(i, f(i));
        }
    }

    /// Writes or adds one value.
    #[inline(always)]
    fn put_at(&mut self, i: usize, value: R) {
        let b = &mut self.values[i];
        *b = if self.add { *b + value } else { value };
    }
}

/// One layer's values, `[values, padded samples]` each.
#[derive(Debug, Clone, Default)]
pub(super) struct LayerState<R> {
    pub(super) z: Vec<R>,
    pub(super) a: Vec<R>,
    /// `dL/da`, then `dL/dz`.
    pub(super) delta: Vec<R>,
    /// What the kind keeps between its passes: the padded input of a
    /// convolution, dropout's mask, the normalised values.
    pub(super) kept: Vec<R>,
    /// A convolution's weights, rearranged.
    pub(super) packed: Vec<R>,
    /// The input pixel that each output of a max pool took.
    pub(super) picked: Vec<u32>,
    /// Batch normalisation: mean, variance and deviation of each channel;
    /// layer normalisation: the deviation of each sample.
    pub(super) moments: Vec<R>,
}

impl<R: Real> LayerState<R> {
    pub(super) fn resize(&mut self, layer: &Layer, padded: usize, back: bool) {
        let size = layer.outputs() * padded;
        self.z.resize(size, R::zero());
        self.a.resize(size, R::zero());
        if back {
            self.delta.resize(size, R::zero());
        }
        match layer.kind() {
            LayerKind::Conv(conv) => {
                let kept = conv.kept(layer.input_shape()) * padded;
                if self.kept.len() != kept {
                    // The rim has to be 0, and lies elsewhere now.
                    self.kept.clear();
                    self.kept.resize(kept, R::zero());
                }
            }
            LayerKind::Dropout { .. } => self.kept.resize(size, R::zero()),
            LayerKind::MaxPool(_) => self.picked.resize(size, 0),
            LayerKind::BatchNorm(_) => {
                self.kept.resize(size, R::zero());
                self.moments
                    .resize(3 * layer.input_shape().channels, R::zero());
            }
            LayerKind::LayerNorm(_) => {
                self.kept.resize(size, R::zero());
                self.moments.resize(padded, R::zero());
            }
            _ => {}
        }
    }
}

/// One layer's directional derivatives.
#[derive(Debug, Clone, Default)]
pub(super) struct TangentState<R> {
    pub(super) z: Vec<R>,
    pub(super) a: Vec<R>,
    pub(super) delta: Vec<R>,
    pub(super) kept: Vec<R>,
    pub(super) packed: Vec<R>,
    pub(super) moments: Vec<R>,
}
