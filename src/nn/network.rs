//! A chain of layers and a loss: forward pass and back-propagation.

use super::layer::{Dense, Layer};
use super::{Activation, Init, Layout, Loss, ParamRole, Real, Workspace};
use ndarray::{ArrayView2, s};
use std::ops::Range;

/// Why a network cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// There is nothing to compute.
    #[error("a network needs at least one layer and one input")]
    Empty,
    /// A layer without units.
    #[error("layer {layer} has no units; give it at least 1")]
    NoUnits {
        /// The layer, from 0.
        layer: usize,
    },
    /// Softmax normalises over classes and belongs at the end.
    #[error("layer {layer} uses softmax, which only the output layer can; use another activation")]
    HiddenSoftmax {
        /// The layer, from 0.
        layer: usize,
    },
    /// A loss whose formula does not hold for this output.
    #[error(
        "the loss {loss} needs another output activation than {activation} (binary cross-entropy: sigmoid, softmax cross-entropy: softmax)"
    )]
    LossMismatch {
        /// The loss.
        loss: Loss,
        /// The output layer's activation.
        activation: Activation,
    },
}

/// A feed-forward network: what it computes, not its weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    inputs: usize,
    layers: Vec<Layer>,
    loss: Loss,
    layout: Layout,
}

impl Network {
    /// A chain of dense layers, each given by its units and activation.
    pub fn dense(
        inputs: usize,
        layers: &[(usize, Activation)],
        loss: Loss,
    ) -> Result<Self, NetworkError> {
        let Some(&(_, output)) = layers.last() else {
            return Err(NetworkError::Empty);
        };
        if inputs == 0 {
            return Err(NetworkError::Empty);
        }
        if !loss.accepts(output) {
            return Err(NetworkError::LossMismatch {
                loss,
                activation: output,
            });
        }
        let mut layout = Layout::default();
        let mut built = Vec::with_capacity(layers.len());
        let mut width = inputs;
        for (index, &(units, activation)) in layers.iter().enumerate() {
            if units == 0 {
                return Err(NetworkError::NoUnits { layer: index });
            }
            if activation == Activation::Softmax && index + 1 < layers.len() {
                return Err(NetworkError::HiddenSoftmax { layer: index });
            }
            let layer = Layer::Dense(Dense {
                inputs: width,
                units,
                activation,
            });
            layer.lay_out(index, &mut layout);
            built.push(layer);
            width = units;
        }
        Ok(Network {
            inputs,
            layers: built,
            loss,
            layout,
        })
    }

    /// The number of values in a sample.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// The number of values that come out.
    pub fn outputs(&self) -> usize {
        self.layers.last().map_or(0, Layer::outputs)
    }

    /// The layers, first to last; the input is not one of them.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Units per column of a picture: the inputs, then each layer.
    pub fn widths(&self) -> Vec<usize> {
        std::iter::once(self.inputs)
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

    /// Initial parameters: weights by `init` (scaled by `scale`, see
    /// [`Init::default_scale`]), every bias `bias`.
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
                ParamRole::Weight => {
                    init.fill(scale, tensor.shape[0], tensor.shape[1], rng, slice);
                }
                ParamRole::Bias => slice.fill(R::of(bias)),
            }
        }
        params
    }

    /// The part of the parameter vector that belongs to `layer`.
    pub fn layer_range(&self, layer: usize) -> Range<usize> {
        self.layout.weight(layer).start..self.layout.bias(layer).end
    }

    /// Forward pass of `x` `[n, inputs]`, n at most the workspace's capacity.
    /// Afterwards `workspace` holds every layer's `z` and `a`.
    pub fn forward<R: Real>(
        &self,
        params: &[R],
        x: ArrayView2<'_, R>,
        workspace: &mut Workspace<R>,
    ) {
        workspace.rows = x.nrows();
        for (index, layer) in self.layers.iter().enumerate() {
            let (done, rest) = workspace.layers.split_at_mut(index);
            let input = match done.last() {
                None => x.view(),
                Some(previous) => previous.a.slice(s![..x.nrows(), ..]),
            };
            layer.forward(&params[self.layer_range(index)], input, &mut rest[0]);
        }
    }

    /// The sum of the samples' losses for targets `y` `[n, outputs]` after a
    /// forward pass, accumulated in `f64`.
    pub fn loss_sum<R: Real>(&self, workspace: &Workspace<R>, y: ArrayView2<'_, R>) -> f64 {
        let last = self.layers.len() - 1;
        let (z, a) = (workspace.z(last), workspace.a(last));
        let mut sum = 0.0;
        for ((z, a), t) in z.rows().into_iter().zip(a.rows()).zip(y.rows()) {
            if let (Some(z), Some(a), Some(t)) = (z.as_slice(), a.as_slice(), t.as_slice()) {
                sum += self.loss.value(z, a, t);
            } else {
                // A strided target (a transposed view, say) is copied.
                sum += self.loss.value(&z.to_vec(), &a.to_vec(), &t.to_vec());
            }
        }
        sum
    }

    /// Back-propagation: forward pass of the batch, then backwards from the
    /// error signal at the output. Writes the gradient of the batch's mean
    /// loss over `gradient` (as long as `params`) and returns that mean loss.
    pub fn gradient<R: Real>(
        &self,
        params: &[R],
        x: ArrayView2<'_, R>,
        y: ArrayView2<'_, R>,
        workspace: &mut Workspace<R>,
        gradient: &mut [R],
    ) -> f64 {
        self.forward(params, x, workspace);
        let loss = self.loss_sum(workspace, y) / x.nrows() as f64;
        self.backward(params, x, y, workspace, gradient);
        loss
    }

    /// The backward pass alone, after [`forward`](Self::forward) of the same batch.
    pub fn backward<R: Real>(
        &self,
        params: &[R],
        x: ArrayView2<'_, R>,
        y: ArrayView2<'_, R>,
        workspace: &mut Workspace<R>,
        gradient: &mut [R],
    ) {
        let n = x.nrows();
        self.output_delta(y, workspace);
        for index in (0..self.layers.len()).rev() {
            let range = self.layer_range(index);
            let (done, rest) = workspace.layers.split_at_mut(index);
            let (input, below) = match done.last_mut() {
                None => (x.view(), None),
                Some(previous) => (
                    previous.a.slice(s![..n, ..]),
                    Some(previous.delta.slice_mut(s![..n, ..])),
                ),
            };
            self.layers[index].backward(
                &params[range.clone()],
                input,
                &rest[0],
                &mut gradient[range],
                below,
            );
            if let Some(previous) = done.last_mut() {
                let below = &self.layers[index - 1];
                let values = below.outputs() * n;
                if let (Some(d), Some(z), Some(a)) = (
                    previous.delta.as_slice_mut(),
                    previous.z.as_slice(),
                    previous.a.as_slice(),
                ) {
                    below.activation().back_rows(
                        &mut d[..values],
                        &z[..values],
                        &a[..values],
                        below.outputs(),
                    );
                }
            }
        }
    }

    /// `dL/dz` of the output layer for the mean loss of the batch.
    fn output_delta<R: Real>(&self, y: ArrayView2<'_, R>, workspace: &mut Workspace<R>) {
        let n = workspace.rows;
        let last = self.layers.len() - 1;
        let activation = self.layers[last].activation();
        let state = &mut workspace.layers[last];
        let share = R::one() / R::of(n as f64);
        let rows = state.delta.outer_iter_mut().take(n);
        for (((mut d, z), a), t) in rows
            .zip(state.z.outer_iter())
            .zip(state.a.outer_iter())
            .zip(y.outer_iter())
        {
            let (Some(d), Some(z), Some(a)) = (d.as_slice_mut(), z.as_slice(), a.as_slice()) else {
                continue;
            };
            match t.as_slice() {
                Some(t) => self.loss.delta(activation, z, a, t, d),
                // A strided target (a transposed view, say) is copied.
                None => self.loss.delta(activation, z, a, &t.to_vec(), d),
            }
            d.iter_mut().for_each(|d| *d *= share);
        }
    }
}
