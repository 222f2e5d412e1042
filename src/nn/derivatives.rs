//! Derivatives beyond the gradient: of each sample's loss, of the outputs, and
//! of the gradient itself.
//!
//! The product of the Hessian with a vector is exact: Pearlmutter's R-operator
//! (1994, "Fast exact multiplication by the Hessian"), which carries the
//! derivative along a direction forward through the network and then backward
//! beside the error signals. It costs about two gradients.

use super::layer::{Below, LayerKind, LayerState, Source, TangentState, add};
use super::network::{activations, clear_padding};
use super::{Activation, Loss, Network, Real, Workspace};
use ndarray::{Array2, ArrayView2, s};

/// The buffers of directional derivatives, kept between passes.
#[derive(Debug, Clone)]
pub struct Tangents<R> {
    layers: Vec<TangentState<R>>,
}

impl<R: Real> Tangents<R> {
    /// Buffers for `network`.
    pub fn new(network: &Network) -> Self {
        Tangents {
            layers: vec![TangentState::default(); network.layers().len()],
        }
    }
}

/// What a source's activations change by; the sample itself does not change.
fn rates<R>(source: Source, layers: &[TangentState<R>]) -> Option<&[R]> {
    match source {
        Source::Input => None,
        Source::Layer(from) => Some(&layers[from].a),
    }
}

impl Network {
    /// `H v` with H the Hessian of the batch's mean loss in `params`: the
    /// derivative of the gradient along `v` (as long as `params`; statistics in
    /// it are ignored), written over `out`. The gradient is written over
    /// `gradient` on the way. In the workspace's mode; at the corners of ReLU the
    /// one-sided derivative that the gradient takes. Returns the mean loss.
    pub fn hessian_vector<R: Real>(
        &self,
        params: &[R],
        x: ArrayView2<'_, R>,
        y: ArrayView2<'_, R>,
        v: &[R],
        workspace: &mut Workspace<R>,
        tangents: &mut Tangents<R>,
        gradient: &mut [R],
        out: &mut [R],
    ) -> f64 {
        self.forward(params, x, workspace);
        let loss = self.loss_sum(workspace, y) / x.nrows() as f64;
        self.forward_tangent(params, v, workspace, tangents);
        self.output_delta(workspace);
        self.output_tangent(workspace, tangents);
        gradient[self.layout().trainable()..].fill(R::zero());
        out[self.layout().trainable()..].fill(R::zero());
        self.backward_tangent(params, v, workspace, tangents, gradient, out);
        loss
    }

    fn forward_tangent<R: Real>(
        &self,
        params: &[R],
        v: &[R],
        workspace: &Workspace<R>,
        tangents: &mut Tangents<R>,
    ) {
        let Workspace { layers, input, .. } = workspace;
        for (index, layer) in self.layers().iter().enumerate() {
            let pass = workspace.pass(index);
            let (done, rest) = tangents.layers.split_at_mut(index);
            let (state, tangent) = (&layers[index], &mut rest[0]);
            tangent.z.resize(state.z.len(), R::zero());
            if let LayerKind::Add = layer.kind() {
                tangent.z.fill(R::zero());
                for rates in layer.sources().iter().filter_map(|&s| rates(s, done)) {
                    add::gather(false, rates, &mut tangent.z);
                }
            } else {
                let source = layer.sources()[0];
                let x = activations(source, &input.values, layers);
                let rx = rates(source, done);
                layer.forward_tangent(pass, params, v, x, rx, state, tangent);
            }
            tangent.a.clear();
            tangent.a.extend_from_slice(&tangent.z);
            let TangentState { a, .. } = tangent;
            layer
                .activation()
                .back(pass.arch, a, &state.z, &state.a, pass.padded);
        }
    }

    /// `R{dL/dz}` of the output layer.
    fn output_tangent<R: Real>(&self, workspace: &Workspace<R>, tangents: &mut Tangents<R>) {
        let last = self.layers().len() - 1;
        let activation = self.layers()[last].activation();
        let (state, tangent) = (&workspace.layers[last], &mut tangents.layers[last]);
        let share = R::one() / R::of(workspace.rows as f64);
        let padded = workspace.padded;
        let factor = share * self.loss_kind().slope_factor::<R>(self.outputs());
        let TangentState {
            z: rz,
            a: ra,
            delta,
            ..
        } = tangent;
        delta.clear();
        // R{dL/da} of the squared errors, R{dL/dz} of the cross-entropies.
        delta.extend(ra.iter().map(|&ra| factor * ra));
        if self.loss_kind().is_squared() {
            let signal: Vec<R> = state
                .a
                .iter()
                .zip(&workspace.target.values)
                .map(|(&a, &t)| factor * (a - t))
                .collect();
            activation_tangent(activation, delta, &signal, rz, ra, state, padded);
        }
        clear_padding(delta, workspace.rows, padded);
    }

    fn backward_tangent<R: Real>(
        &self,
        params: &[R],
        v: &[R],
        workspace: &mut Workspace<R>,
        tangents: &mut Tangents<R>,
        gradient: &mut [R],
        out: &mut [R],
    ) {
        let last = self.layers().len() - 1;
        for (index, layer) in self.layers().iter().enumerate().rev() {
            let pass = workspace.pass(index);
            let Workspace { layers, input, .. } = workspace;
            let (done, rest) = layers.split_at_mut(index);
            let (rates_done, rates_rest) = tangents.layers.split_at_mut(index);
            let (state, tangent) = (&mut rest[0], &mut rates_rest[0]);
            if index < last {
                let TangentState {
                    z: rz,
                    a: ra,
                    delta,
                    ..
                } = tangent;
                let signal = std::mem::take(&mut state.delta);
                let activation = layer.activation();
                activation_tangent(activation, delta, &signal, rz, ra, state, pass.padded);
                state.delta = signal;
                let LayerState { delta, z, a, .. } = state;
                activation.back(pass.arch, delta, z, a, pass.padded);
            }
            for (s, &source) in layer.sources().iter().enumerate() {
                let own = &mut gradient[layer.own.clone()];
                let own_rates = &mut out[layer.own.clone()];
                let adds = layer.adds[s];
                match source {
                    Source::Input => {
                        let x = &input.values;
                        layer.backward(pass, params, x, state, own, None);
                        layer.backward_tangent(
                            pass, params, v, x, None, state, tangent, own_rates, None,
                        );
                    }
                    Source::Layer(from) => {
                        let LayerState { a: x, delta, .. } = &mut done[from];
                        let rate = &mut rates_done[from];
                        delta.resize(x.len(), R::zero());
                        rate.delta.resize(x.len(), R::zero());
                        let below = Below {
                            values: delta,
                            add: adds,
                        };
                        layer.backward(pass, params, x, state, own, Some(below));
                        let below = Below {
                            values: &mut rate.delta,
                            add: adds,
                        };
                        layer.backward_tangent(
                            pass,
                            params,
                            v,
                            x,
                            Some(&rate.a),
                            state,
                            tangent,
                            own_rates,
                            Some(below),
                        );
                    }
                }
            }
        }
    }

    /// The Hessian of the mean loss over `x` and `y`, `[parameters, parameters]`
    /// over the parameters that training moves, a column at a time; symmetric
    /// within rounding. Meant for small networks: it takes as many
    /// [products](Self::hessian_vector) as there are parameters.
    pub fn hessian<R: Real>(
        &self,
        params: &[R],
        x: ArrayView2<'_, R>,
        y: ArrayView2<'_, R>,
        workspace: &mut Workspace<R>,
    ) -> Array2<R> {
        let (len, moved) = (params.len(), self.layout().trainable());
        let mut tangents = Tangents::new(self);
        let (mut v, mut gradient, mut column) = (
            vec![R::zero(); len],
            vec![R::zero(); len],
            vec![R::zero(); len],
        );
        let mut hessian = Array2::zeros((moved, moved));
        for j in 0..moved {
            v[j] = R::one();
            self.hessian_vector(
                params,
                x,
                y,
                &v,
                workspace,
                &mut tangents,
                &mut gradient,
                &mut column,
            );
            v[j] = R::zero();
            for (h, &c) in hessian.column_mut(j).iter_mut().zip(&column) {
                *h = c;
            }
        }
        hessian
    }

    /// Calls `f(sample, loss, gradient)` for each sample's own loss. Their mean is
    /// the batch's gradient, unless batch normalisation mixes the samples.
    pub fn sample_gradients<R: Real>(
        &self,
        params: &[R],
        x: ArrayView2<'_, R>,
        y: ArrayView2<'_, R>,
        workspace: &mut Workspace<R>,
        mut f: impl FnMut(usize, f64, &[R]),
    ) {
        let mut gradient = vec![R::zero(); params.len()];
        for i in 0..x.nrows() {
            let (x, y) = (x.slice(s![i..=i, ..]), y.slice(s![i..=i, ..]));
            let loss = self.gradient(params, x, y, workspace, &mut gradient);
            f(i, loss, &gradient);
        }
    }

    /// The empirical Fisher matrix: the mean over the samples of `g g^T`, g being
    /// the gradient of a sample's loss, `[parameters, parameters]` over the
    /// parameters that training moves (Kunstner, Hennig and Balles 2019 on how it
    /// differs from the Fisher information).
    pub fn empirical_fisher<R: Real>(
        &self,
        params: &[R],
        x: ArrayView2<'_, R>,
        y: ArrayView2<'_, R>,
        workspace: &mut Workspace<R>,
    ) -> Array2<R> {
        let moved = self.layout().trainable();
        let mut fisher = Array2::zeros((moved, moved));
        let share = R::one() / R::of(x.nrows() as f64);
        self.sample_gradients(params, x, y, workspace, |_, _, g| {
            for (mut row, &gi) in fisher.outer_iter_mut().zip(g) {
                for (f, &gj) in row.iter_mut().zip(g) {
                    *f += share * gi * gj;
                }
            }
        });
        fisher
    }

    /// The Jacobian of one sample's outputs, `[outputs, parameters]` in row
    /// order, written over `jacobian`: each output's derivative by every
    /// parameter. `x` is `[1, inputs]`. Afterwards `workspace` holds the outputs.
    pub fn output_jacobian<R: Real>(
        &self,
        params: &[R],
        x: ArrayView2<'_, R>,
        workspace: &mut Workspace<R>,
        jacobian: &mut [R],
    ) {
        self.forward(params, x, workspace);
        let last = self.layers().len() - 1;
        let activation = self.layers()[last].activation();
        for (k, row) in jacobian.chunks_exact_mut(params.len()).enumerate() {
            let Workspace {
                layers,
                padded,
                arch,
                ..
            } = &mut *workspace;
            let LayerState { z, a, delta, .. } = &mut layers[last];
            delta.clear();
            delta.resize(a.len(), R::zero());
            delta[k * *padded] = R::one();
            activation.back(*arch, delta, z, a, *padded);
            self.backward_from_output(params, workspace, row);
        }
    }

    /// The derivative of one sample's loss by its inputs, written over `out`
    /// `[inputs]`. `x` is `[1, inputs]`, `y` `[1, outputs]`.
    pub fn input_gradient<R: Real>(
        &self,
        params: &[R],
        x: ArrayView2<'_, R>,
        y: ArrayView2<'_, R>,
        workspace: &mut Workspace<R>,
        out: &mut [R],
    ) {
        let mut gradient = vec![R::zero(); params.len()];
        self.gradient(params, x, y, workspace, &mut gradient);
        let padded = workspace.padded;
        let mut signal = vec![R::zero(); out.len() * padded];
        for (index, layer) in self.layers().iter().enumerate() {
            for &source in layer.sources() {
                if source == Source::Input {
                    let pass = workspace.pass(index);
                    let own = &mut gradient[layer.own.clone()];
                    let below = Below {
                        values: &mut signal,
                        add: true,
                    };
                    let Workspace { layers, input, .. } = &mut *workspace;
                    let x = &input.values;
                    layer.backward(pass, params, x, &mut layers[index], own, Some(below));
                }
            }
        }
        for (o, s) in out.iter_mut().zip(signal.chunks_exact(padded)) {
            *o = s[0];
        }
    }
}

/// Turns `rates = R{dL/da}` into `R{dL/dz}`, given `signal = dL/da`:
/// `R{dL/dz} = f'(z) R{dL/da} + f''(z) R{z} dL/da`, and its counterpart for
/// softmax.
fn activation_tangent<R: Real>(
    activation: Activation,
    rates: &mut [R],
    signal: &[R],
    rz: &[R],
    ra: &[R],
    state: &LayerState<R>,
    padded: usize,
) {
    if activation == Activation::Softmax {
        // dL/dz_i = a_i (s_i - sum_j a_j s_j)
        for lane in 0..padded {
            let at = || (lane..rates.len()).step_by(padded);
            let dot: R = at().map(|i| state.a[i] * signal[i]).sum();
            let moved: R = at()
                .map(|i| ra[i] * signal[i] + state.a[i] * rates[i])
                .sum();
            for i in (lane..rates.len()).step_by(padded) {
                rates[i] = ra[i] * (signal[i] - dot) + state.a[i] * (rates[i] - moved);
            }
        }
        return;
    }
    for (i, rate) in rates.iter_mut().enumerate() {
        let (z, a) = (state.z[i], state.a[i]);
        *rate = activation.slope(z, a) * *rate + activation.curvature(z, a) * rz[i] * signal[i];
    }
}

/// Losses whose residuals Levenberg-Marquardt can use.
impl Loss {
    /// `c` such that the loss of a sample is `c sum_k (a_k - t_k)^2`; `None` for
    /// the cross-entropies.
    pub fn square_factor(self, outputs: usize) -> Option<f64> {
        match self {
            Loss::HalfSquaredError => Some(0.5),
            Loss::MeanSquaredError => Some(1.0 / outputs as f64),
            Loss::BinaryCrossEntropy | Loss::SoftmaxCrossEntropy => None,
        }
    }
}
