//! Derivatives with respect to the input: from any value inside a network back to
//! the sample, by the backward passes that training uses.
//!
//! What training leaves out is the last step, from the first layer to the sample.
//! Here the pass begins where a [`Readout`] looks, and layers that it does not depend
//! on are passed over.

use super::layer::{Below, LayerState, Source};
use super::{Network, Readout, Real, Stage, Workspace};
use ndarray::ArrayView2;

/// The buffers of such passes, kept between them.
#[derive(Debug, Clone, Default)]
pub struct ReadoutGradient<R> {
    /// `[inputs, padded samples]`
    input: Vec<R>,
    /// What layers compute on the way, and nobody asks for: the parameters' gradient.
    params: Vec<R>,
    /// Of each layer, whether something has arrived at its error signal.
    reached: Vec<bool>,
}

impl<R: Real> ReadoutGradient<R> {
    /// The derivatives that the last pass found, `[n, inputs]`: each sample's readout
    /// by that sample's own values.
    pub fn values<'a>(&'a self, network: &Network, workspace: &Workspace<R>) -> ArrayView2<'a, R> {
        workspace.side_by_side(&self.input, network.inputs())
    }
}

impl Network {
    /// Backwards from `readout` to the input, after a forward pass of a batch through
    /// `workspace`, whose mode holds ([`Mode::Inference`](super::Mode::Inference)
    /// unless it was set). [`ReadoutGradient::values`] has the result, and
    /// [`Workspace::delta`] the derivative by each layer's `z`, 0 for layers that the
    /// readout does not depend on. `arrives` is told the derivative by each layer's
    /// activations `[n, units]` on the way, from the layer below the readout's down.
    ///
    /// Samples do not mix (but for batch normalisation while training): row `i` is the
    /// derivative of sample `i`'s own readout, not of a mean.
    pub fn readout_gradient<R: Real>(
        &self,
        params: &[R],
        readout: &Readout,
        workspace: &mut Workspace<R>,
        buffers: &mut ReadoutGradient<R>,
        mut arrives: impl FnMut(usize, ArrayView2<'_, R>),
    ) {
        let top = readout.layer();
        self.seed(readout, workspace);
        buffers.params.resize(params.len(), R::zero());
        buffers.input.clear();
        buffers
            .input
            .resize(self.inputs() * workspace.padded, R::zero());
        buffers.reached.clear();
        buffers.reached.resize(self.layers().len(), false);
        buffers.reached[top] = true;
        let mut input_reached = false;
        for (index, layer) in self.layers().iter().enumerate().rev() {
            if !buffers.reached[index] {
                let LayerState { delta, a, .. } = &mut workspace.layers[index];
                delta.clear();
                delta.resize(a.len(), R::zero());
                continue;
            }
            if index < top {
                arrives(index, workspace.delta(index));
            }
            let pass = workspace.pass(index);
            let Workspace { layers, input, .. } = &mut *workspace;
            let (done, rest) = layers.split_at_mut(index);
            let state = &mut rest[0];
            if index < top || readout.stage() == Stage::Activation {
                let LayerState { delta, z, a, .. } = state;
                layer.activation().back(pass.arch, delta, z, a, pass.padded);
            }
            for &source in layer.sources() {
                let (x, below) = match source {
                    Source::Input => {
                        let below = Below {
                            values: &mut buffers.input,
                            add: std::mem::replace(&mut input_reached, true),
                        };
                        (&input.values, below)
                    }
                    Source::Layer(from) => {
                        let state = &mut done[from];
                        state.delta.resize(state.a.len(), R::zero());
                        let below = Below {
                            values: &mut state.delta,
                            add: std::mem::replace(&mut buffers.reached[from], true),
                        };
                        (&state.a, below)
                    }
                };
                let own = &mut buffers.params[layer.own.clone()];
                layer.backward(pass, params, x, state, own, Some(below));
            }
        }
    }

    /// Writes the readout's weights where its derivative begins; 0 for the padding.
    fn seed<R: Real>(&self, readout: &Readout, workspace: &mut Workspace<R>) {
        let (rows, padded) = (workspace.rows, workspace.padded);
        let LayerState { delta, a, .. } = &mut workspace.layers[readout.layer()];
        delta.clear();
        delta.resize(a.len(), R::zero());
        for &(unit, weight) in readout.terms() {
            for value in &mut delta[unit * padded..][..rows] {
                *value += R::of(weight);
            }
        }
    }
}
