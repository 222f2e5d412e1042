//! A network at its weights, asked for numbers and derivatives of many inputs in
//! bounded memory.

use crate::nn::{Network, Readout, ReadoutGradient, Real, Workspace};
use ndarray::{Array2, ArrayView1, ArrayView2, ArrayViewMut1, Axis, s};

/// How many inputs go through the network at once.
const CHUNK: usize = 64;

/// A network at its weights, in inference mode, with the buffers that its passes need.
#[derive(Debug, Clone)]
pub struct Model<'a, R> {
    network: &'a Network,
    params: &'a [R],
    workspace: Workspace<R>,
    buffers: ReadoutGradient<R>,
}

impl<'a, R: Real> Model<'a, R> {
    /// `params` are as many as the network's layout has.
    pub fn new(network: &'a Network, params: &'a [R]) -> Self {
        Model {
            network,
            params,
            workspace: Workspace::new(network, network.samples_at_once(CHUNK)),
            buffers: ReadoutGradient::default(),
        }
    }

    /// The network.
    pub fn network(&self) -> &'a Network {
        self.network
    }

    /// Its parameters.
    pub fn params(&self) -> &'a [R] {
        self.params
    }

    /// Passes `count` inputs forward, each of which `fill` writes into a row that
    /// holds `base`. `take` is told an input's number, the workspace and the row in it.
    pub fn each(
        &mut self,
        count: usize,
        base: ArrayView1<'_, R>,
        mut fill: impl FnMut(usize, ArrayViewMut1<'_, R>),
        mut take: impl FnMut(usize, &Workspace<R>, usize),
    ) {
        let at_once = self.workspace.capacity();
        let mut x = Array2::zeros((at_once.min(count), base.len()));
        for start in (0..count).step_by(at_once) {
            let rows = at_once.min(count - start);
            for (row, mut x) in x.rows_mut().into_iter().take(rows).enumerate() {
                x.assign(&base);
                fill(start + row, x);
            }
            let (network, params) = (self.network, self.params);
            network.forward(params, x.slice(s![..rows, ..]), &mut self.workspace);
            for row in 0..rows {
                take(start + row, &self.workspace, row);
            }
        }
    }

    /// What the network answers for each row of `x`, `[samples, outputs]`.
    pub fn outputs(&mut self, x: ArrayView2<'_, R>) -> Array2<R> {
        let at_once = self.workspace.capacity();
        let mut outputs = Array2::zeros((x.nrows(), self.network.outputs()));
        for (chunk, mut out) in x
            .axis_chunks_iter(Axis(0), at_once)
            .zip(outputs.axis_chunks_iter_mut(Axis(0), at_once))
        {
            self.network
                .forward(self.params, chunk, &mut self.workspace);
            out.assign(&self.workspace.output());
        }
        outputs
    }

    /// What the network answers for one input.
    pub fn output(&mut self, x: ArrayView1<'_, R>) -> Vec<f64> {
        let outputs = self.outputs(x.insert_axis(Axis(0)));
        outputs.iter().map(|v| v.wide()).collect()
    }

    /// The readout's value for each row of `x`.
    pub fn values(&mut self, readout: &Readout, x: ArrayView2<'_, R>) -> Vec<f64> {
        let at_once = self.workspace.capacity();
        let mut values = Vec::with_capacity(x.nrows());
        for chunk in x.axis_chunks_iter(Axis(0), at_once) {
            self.network
                .forward(self.params, chunk, &mut self.workspace);
            values.extend((0..chunk.nrows()).map(|row| readout.value(&self.workspace, row)));
        }
        values
    }

    /// The readout's value for one input.
    pub fn value(&mut self, readout: &Readout, x: ArrayView1<'_, R>) -> f64 {
        let row = x.insert_axis(Axis(0));
        self.network.forward(self.params, row, &mut self.workspace);
        readout.value(&self.workspace, 0)
    }

    /// The readout's value for each row of `x`, and its derivatives by that row,
    /// `[samples, inputs]`.
    pub fn gradients(&mut self, readout: &Readout, x: ArrayView2<'_, R>) -> (Vec<f64>, Array2<R>) {
        let mut values = Vec::with_capacity(x.nrows());
        let mut gradients = Array2::zeros(x.dim());
        let at_once = self.workspace.capacity();
        for (chunk, mut out) in x
            .axis_chunks_iter(Axis(0), at_once)
            .zip(gradients.axis_chunks_iter_mut(Axis(0), at_once))
        {
            self.pass(readout, chunk, |_, _| {});
            values.extend((0..chunk.nrows()).map(|row| readout.value(&self.workspace, row)));
            out.assign(&self.buffers.values(self.network, &self.workspace));
        }
        (values, gradients)
    }

    /// The same for one input.
    pub fn gradient(&mut self, readout: &Readout, x: ArrayView1<'_, R>) -> (f64, Vec<f64>) {
        let (values, gradient) = self.gradients(readout, x.insert_axis(Axis(0)));
        (values[0], gradient.iter().map(|g| g.wide()).collect())
    }

    /// One pass of inputs, at most as many as pass at once, forwards and back from `readout`; gives the
    /// workspace, with each layer's values and `d readout / dz`. `arrives` is told
    /// `d readout / da` of each layer below the readout's.
    pub fn pass(
        &mut self,
        readout: &Readout,
        x: ArrayView2<'_, R>,
        arrives: impl FnMut(usize, ArrayView2<'_, R>),
    ) -> &Workspace<R> {
        let (network, params) = (self.network, self.params);
        network.forward(params, x, &mut self.workspace);
        let buffers = &mut self.buffers;
        network.readout_gradient(params, readout, &mut self.workspace, buffers, arrives);
        &self.workspace
    }
}
