//! A graph of layers and a loss: forward pass and back-propagation.

use super::chain::{ChainForward, ChainGradient};
use super::kernel::PAD;
use super::layer::{Below, Layer, LayerKind, LayerState, Pass, Source, add};
use super::loss::Lanes;
use super::spec::{LayerSpec, NetworkError, describe, place};
use super::{Activation, Init, Layout, Loss, ParamRole, Real, Shape, Workspace};
use ndarray::ArrayView2;
use std::ops::Range;

/// Bytes for what a pass keeps of its samples, and how many numbers it keeps of each value: two
/// of the pass forward, two of the pass back.
const PASS_BYTES: usize = 256 << 20;
const KEPT: usize = 4;

/// A feed-forward network: what it computes, not its weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    input: Shape,
    layers: Vec<Layer>,
    loss: Loss,
    layout: Layout,
    // Whether it is a chain of dense layers.
    pub(super) chain: bool,
}

impl Network {
    /// A chain of dense layers, each given by its units and activation.
    pub fn dense(
        inputs: usize,
        layers: &[(usize, Activation)],
        loss: Loss,
    ) -> Result<Self, NetworkError> {
        let spec = |&(units, activation)| LayerSpec::new(LayerKind::Dense { units }, activation);
        let specs: Vec<_> = layers.iter().map(spec).collect();
        Self::new(Shape::flat(inputs), &specs, loss)
    }

    /// A directed acyclic graph of layers, each of which reads earlier ones; the
    /// last is the output.
    pub fn new(input: Shape, specs: &[LayerSpec], loss: Loss) -> Result<Self, NetworkError> {
        let Some(last) = specs.last() else {
            return Err(NetworkError::Empty);
        };
        if input.size() == 0 {
            return Err(NetworkError::Empty);
        }
        if !loss.accepts(last.activation) {
            return Err(NetworkError::LossMismatch {
                loss,
                activation: last.activation,
            });
        }
        let mut layers: Vec<Layer> = Vec::with_capacity(specs.len());
        for (index, spec) in specs.iter().enumerate() {
            let layer = place(input, &layers, index, spec)?;
            if spec.activation == Activation::Softmax && index + 1 < specs.len() {
                return Err(NetworkError::HiddenSoftmax {
                    layer: describe(index, spec),
                });
            }
            layers.push(layer);
        }
        let mut read = vec![false; layers.len()];
        // Backwards, as the error signals travel: the first to reach a layer
        // writes, the others add.
        for index in (0..layers.len()).rev() {
            if !read[index] && index + 1 < layers.len() {
                return Err(NetworkError::Unread {
                    layer: describe(index, &specs[index]),
                });
            }
            for s in 0..layers[index].sources().len() {
                if let Source::Layer(from) = layers[index].sources()[s] {
                    layers[index].adds[s] = std::mem::replace(&mut read[from], true);
                }
            }
        }
        let mut layout = Layout::default();
        for (index, layer) in layers.iter_mut().enumerate() {
            layer.lay_out(index, &mut layout);
        }
        for (index, layer) in layers.iter_mut().enumerate() {
            layer.lay_out_statistics(index, &mut layout);
        }
        let mut network = Network {
            input,
            layers,
            loss,
            layout,
            chain: false,
        };
        network.chain = network.is_dense_chain();
        Ok(network)
    }

    /// The number of values in a sample.
    pub fn inputs(&self) -> usize {
        self.input.size()
    }

    /// How a sample's values lie.
    pub fn input_shape(&self) -> Shape {
        self.input
    }

    /// The number of values that come out.
    pub fn outputs(&self) -> usize {
        self.layers.last().map_or(0, Layer::outputs)
    }

    /// The layers, each behind those that it reads; the input is not one of them.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Whether each layer is fully connected and reads the one before it.
    pub fn is_dense_chain(&self) -> bool {
        self.layers.iter().enumerate().all(|(i, layer)| {
            let before = i.checked_sub(1).map_or(Source::Input, Source::Layer);
            matches!(layer.kind(), LayerKind::Dense { .. }) && layer.sources() == [before]
        })
    }

    /// Whether some layer looks at rows and columns.
    pub fn sees_images(&self) -> bool {
        self.layers.iter().any(|layer| {
            matches!(
                layer.kind(),
                LayerKind::Conv(_)
                    | LayerKind::MaxPool(_)
                    | LayerKind::AvgPool(_)
                    | LayerKind::GlobalAvgPool
            )
        })
    }

    /// Whether training and inference compute different functions.
    pub fn depends_on_mode(&self) -> bool {
        self.layers.iter().any(|layer| match layer.kind() {
            LayerKind::Dropout { rate } => *rate > 0.0,
            LayerKind::BatchNorm(_) => true,
            _ => false,
        })
    }

    /// Whether, while training, a sample's output depends on the others' in its
    /// batch.
    pub fn mixes_samples(&self) -> bool {
        let mixes = |l: &Layer| matches!(l.kind(), LayerKind::BatchNorm(_));
        self.layers.iter().any(mixes)
    }

    /// Units per column of a picture: the inputs, then each layer.
    pub fn widths(&self) -> Vec<usize> {
        std::iter::once(self.inputs())
            .chain(self.layers.iter().map(Layer::outputs))
            .collect()
    }

    /// The loss.
    pub fn loss_kind(&self) -> Loss {
        self.loss
    }

    /// Where each parameter lies.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// How many samples, at most `most`, should pass through at once where all that a pass
    /// forward and back keeps of them shall take about 256 MB: of a network whose samples have
    /// millions of values fewer, but as many as a kernel takes side by side.
    pub fn samples_at_once(&self, most: usize) -> usize {
        let layers = self.layers.iter().map(Layer::outputs);
        let values = self.inputs() + layers.sum::<usize>();
        let fitting = PASS_BYTES / (KEPT * size_of::<f32>() * values.max(1));
        (fitting - fitting % PAD).max(PAD).min(most)
    }

    /// Multiply-adds of a forward pass of one sample.
    pub fn multiply_adds(&self) -> usize {
        self.layers.iter().map(Layer::multiply_adds).sum()
    }

    /// Initial parameters: weights by `init` (scaled by `scale`, see
    /// [`Init::default_scale`]), every bias `bias`, gains 1, shifts 0.
    pub fn initialise<R: Real>(
        &self,
        init: Init,
        scale: f64,
        bias: f64,
        rng: &mut crate::rng::Rng,
    ) -> Vec<R> {
        let mut params = vec![R::zero(); self.layout.len()];
        for tensor in self.layout.tensors() {
            let slice = &mut params[tensor.range.clone()];
            match tensor.role {
                ParamRole::Weight => init.fill(scale, &tensor.shape, rng, slice),
                ParamRole::Bias => slice.fill(R::of(bias)),
                ParamRole::Gain | ParamRole::RunningVariance => slice.fill(R::one()),
                ParamRole::Shift | ParamRole::RunningMean => {}
                ParamRole::Slope => {
                    if let LayerKind::PRelu { slope } = self.layers[tensor.layer].kind() {
                        slice.fill(R::of(*slope));
                    }
                }
            }
        }
        params
    }

    /// The part of the parameter vector that training moves in `layer`.
    pub fn layer_range(&self, layer: usize) -> Range<usize> {
        self.layers[layer].own.clone()
    }

    /// Forward pass of `x` `[n, inputs]`, n from 1 to the workspace's capacity.
    /// Afterwards `workspace` holds every layer's `z` and `a`.
    pub fn forward<R: Real>(
        &self,
        params: &[R],
        x: ArrayView2<'_, R>,
        workspace: &mut Workspace<R>,
    ) {
        workspace.load_all(x);
        self.forward_loaded(params, workspace);
    }

    /// Forward pass of the samples that were [loaded](Workspace::load).
    pub fn forward_loaded<R: Real>(&self, params: &[R], workspace: &mut Workspace<R>) {
        if self.is_small_chain(workspace.padded) {
            workspace.arch.dispatch(ChainForward {
                network: self,
                params,
                workspace,
            });
            return;
        }
        for (index, layer) in self.layers.iter().enumerate() {
            let pass = workspace.pass(index);
            let Workspace { layers, input, .. } = workspace;
            let (done, rest) = layers.split_at_mut(index);
            let state = &mut rest[0];
            state.resize(layer, pass.padded, false);
            if let LayerKind::Add = layer.kind() {
                for (s, &source) in layer.sources().iter().enumerate() {
                    add::gather(
                        s == 0,
                        activations(source, &input.values, done),
                        &mut state.z,
                    );
                }
            } else {
                let x = activations(layer.sources()[0], &input.values, done);
                layer.forward(pass, params, x, state);
            }
            let LayerState { z, a, .. } = state;
            layer.activation().apply(pass.arch, z, a, pass.padded);
        }
    }

    /// The sum of the samples' losses for targets `y` `[n, outputs]` after a
    /// forward pass, accumulated in `f64`.
    pub fn loss_sum<R: Real>(&self, workspace: &mut Workspace<R>, y: ArrayView2<'_, R>) -> f64 {
        workspace.load_all_targets(y);
        self.loss_sum_loaded(workspace)
    }

    /// The same for targets that were [loaded](Workspace::load_targets).
    pub fn loss_sum_loaded<R: Real>(&self, workspace: &mut Workspace<R>) -> f64 {
        let Workspace {
            layers,
            target,
            losses,
            rows,
            padded,
            arch,
            ..
        } = workspace;
        let Some(state) = layers.last() else {
            return 0.0;
        };
        losses.resize(*padded, R::zero());
        self.loss
            .values(*arch, &state.z, &state.a, &target.values, losses);
        Lanes::total(&losses[..*rows])
    }

    /// The loss of sample `row` of the last pass, after its
    /// [sum](Self::loss_sum_loaded).
    pub fn loss_of<R: Real>(&self, workspace: &Workspace<R>, row: usize) -> f64 {
        workspace.losses[..workspace.rows][row].wide()
    }

    /// Back-propagation: forward pass of the batch, then backwards from the
    /// error signal at the output. Writes the gradient of the batch's mean
    /// loss over `gradient` (as long as `params`; 0 for statistics) and returns
    /// that mean loss.
    pub fn gradient<R: Real>(
        &self,
        params: &[R],
        x: ArrayView2<'_, R>,
        y: ArrayView2<'_, R>,
        workspace: &mut Workspace<R>,
        gradient: &mut [R],
    ) -> f64 {
        workspace.load_all(x);
        workspace.load_all_targets(y);
        self.gradient_loaded(params, workspace, gradient)
    }

    /// The same for samples and targets that were loaded.
    pub fn gradient_loaded<R: Real>(
        &self,
        params: &[R],
        workspace: &mut Workspace<R>,
        gradient: &mut [R],
    ) -> f64 {
        if self.is_small_chain(workspace.padded) {
            return workspace.arch.dispatch(ChainGradient {
                network: self,
                params,
                workspace,
                gradient,
            });
        }
        self.forward_loaded(params, workspace);
        let loss = self.loss_sum_loaded(workspace) / workspace.rows as f64;
        self.backward_loaded(params, workspace, gradient);
        loss
    }

    /// The same, layer by layer, and tells on the way what arrives at each hidden
    /// layer: its number from 0 and `dL/da` of its activations `[n, units]`.
    pub fn gradient_traced<R: Real>(
        &self,
        params: &[R],
        workspace: &mut Workspace<R>,
        gradient: &mut [R],
        arrives: impl FnMut(usize, ArrayView2<'_, R>),
    ) -> f64 {
        self.forward_loaded(params, workspace);
        let loss = self.loss_sum_loaded(workspace) / workspace.rows as f64;
        self.output_delta(workspace);
        self.backward_traced(params, workspace, gradient, arrives);
        loss
    }

    /// The backward pass alone, after [`forward`](Self::forward) of the batch
    /// whose targets are `y`.
    pub fn backward<R: Real>(
        &self,
        params: &[R],
        y: ArrayView2<'_, R>,
        workspace: &mut Workspace<R>,
        gradient: &mut [R],
    ) {
        workspace.load_all_targets(y);
        self.backward_loaded(params, workspace, gradient);
    }

    /// The same for targets that were loaded.
    pub fn backward_loaded<R: Real>(
        &self,
        params: &[R],
        workspace: &mut Workspace<R>,
        gradient: &mut [R],
    ) {
        self.output_delta(workspace);
        self.backward_from_output(params, workspace, gradient);
    }

    /// Backwards from the output layer's error signal `dL/dz`, which is there.
    pub(super) fn backward_from_output<R: Real>(
        &self,
        params: &[R],
        workspace: &mut Workspace<R>,
        gradient: &mut [R],
    ) {
        self.backward_traced(params, workspace, gradient, |_, _| {});
    }

    /// The same; tells what arrives at each hidden layer.
    fn backward_traced<R: Real>(
        &self,
        params: &[R],
        workspace: &mut Workspace<R>,
        gradient: &mut [R],
        mut arrives: impl FnMut(usize, ArrayView2<'_, R>),
    ) {
        gradient[self.layout.trainable()..].fill(R::zero());
        let last = self.layers.len() - 1;
        for (index, layer) in self.layers.iter().enumerate().rev() {
            if index < last {
                arrives(index, workspace.delta(index));
            }
            let pass = workspace.pass(index);
            let Workspace { layers, input, .. } = workspace;
            let (done, rest) = layers.split_at_mut(index);
            let state = &mut rest[0];
            if index < last {
                let LayerState { delta, z, a, .. } = state;
                layer.activation().back(pass.arch, delta, z, a, pass.padded);
            }
            for (s, &source) in layer.sources().iter().enumerate() {
                let (x, below) = match source {
                    Source::Input => (&input.values, None),
                    Source::Layer(from) => {
                        let below = &mut done[from];
                        below.delta.resize(below.a.len(), R::zero());
                        let values = Below {
                            values: &mut below.delta,
                            add: layer.adds[s],
                        };
                        (&below.a, Some(values))
                    }
                };
                let own = &mut gradient[layer.own.clone()];
                layer.backward(pass, params, x, state, own, below);
            }
        }
    }

    /// `dL/dz` of the output layer for the mean loss of the batch.
    pub(super) fn output_delta<R: Real>(&self, workspace: &mut Workspace<R>) {
        let last = self.layers.len() - 1;
        let activation = self.layers[last].activation();
        let share = R::one() / R::of(workspace.rows as f64);
        let Workspace {
            layers,
            target,
            rows,
            padded,
            arch,
            ..
        } = workspace;
        let LayerState { z, a, delta, .. } = &mut layers[last];
        delta.resize(a.len(), R::zero());
        let target = &target.values;
        self.loss
            .delta(*arch, activation, z, a, target, share, delta, *padded);
        clear_padding(delta, *rows, *padded);
    }

    /// Moves the statistics in `params` towards those of the batch that was last
    /// passed forward in [`Mode::Training`](super::Mode::Training).
    pub fn gather_statistics<R: Real>(&self, workspace: &Workspace<R>, params: &mut [R]) {
        for (layer, state) in self.layers.iter().zip(&workspace.layers) {
            if let LayerKind::BatchNorm(norm) = layer.kind() {
                let samples = workspace.rows * layer.input_shape().pixels();
                norm.gather(samples, state, &mut params[layer.statistics.clone()]);
            }
        }
    }
}

/// Sets the samples beyond the first `n` to 0.
pub(super) fn clear_padding<R: Real>(values: &mut [R], n: usize, padded: usize) {
    for row in values.chunks_exact_mut(padded) {
        row[n..].fill(R::zero());
    }
}

/// A source's activations.
pub(super) fn activations<'a, R>(
    source: Source,
    input: &'a [R],
    layers: &'a [LayerState<R>],
) -> &'a [R] {
    match source {
        Source::Input => input,
        Source::Layer(from) => &layers[from].a,
    }
}

impl<R: Real> Workspace<R> {
    pub(super) fn pass(&self, layer: usize) -> Pass {
        Pass {
            arch: self.arch,
            n: self.rows,
            padded: self.padded,
            mode: self.mode,
            layer,
        }
    }
}
