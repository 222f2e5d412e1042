//! Convolution in two dimensions.

use super::{Below, LayerState, Pass, TangentState};
use crate::nn::kernel::{ConvShape, Start, convolve, convolve_back, convolve_weights};
use crate::nn::{Layout, ParamRole, Real, Shape};

/// A bank of filters that slide over all input channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conv {
    /// Filters, which are also the channels out.
    pub filters: usize,
    /// Rows and columns of a filter.
    pub kernel: [usize; 2],
    /// Rows and columns from one output to the next.
    pub stride: [usize; 2],
    /// Rows and columns of zeros around the input.
    pub padding: [usize; 2],
    /// Rows and columns from one tap of a filter to the next.
    pub dilation: [usize; 2],
    /// Channels are split into so many groups that do not mix.
    pub groups: usize,
    /// Whether each filter has a bias.
    pub bias: bool,
}

impl Conv {
    /// Square filters with a bias, no padding, stride 1.
    pub fn square(filters: usize, kernel: usize) -> Self {
        Conv {
            filters,
            kernel: [kernel; 2],
            stride: [1; 2],
            padding: [0; 2],
            dilation: [1; 2],
            groups: 1,
            bias: true,
        }
    }

    pub(super) fn output_shape(&self, input: Shape) -> Result<Shape, String> {
        let zero = self.kernel.contains(&0)
            || self.stride.contains(&0)
            || self.dilation.contains(&0)
            || self.filters == 0
            || self.groups == 0;
        if zero {
            return Err("filters, kernel, stride, dilation and groups need at least 1".into());
        }
        for (what, channels) in [
            ("input channels", input.channels),
            ("filters", self.filters),
        ] {
            if !channels.is_multiple_of(self.groups) {
                return Err(format!(
                    "{channels} {what} cannot be split into {} groups",
                    self.groups
                ));
            }
        }
        let along = |axis: usize, values: usize| {
            let reach = (self.kernel[axis] - 1) * self.dilation[axis] + 1;
            (values + 2 * self.padding[axis])
                .checked_sub(reach)
                .map(|room| room / self.stride[axis] + 1)
        };
        match (along(0, input.height), along(1, input.width)) {
            (Some(h), Some(w)) => Ok(Shape::image(self.filters, h, w)),
            _ => Err(format!(
                "a kernel of {} x {} (dilation {} x {}, padding {} x {}) does not fit into the \
                 input {input}",
                self.kernel[0],
                self.kernel[1],
                self.dilation[0],
                self.dilation[1],
                self.padding[0],
                self.padding[1]
            )),
        }
    }

    /// Weights of one filter.
    pub fn fan_in(&self, input: Shape) -> usize {
        input.channels / self.groups * self.kernel[0] * self.kernel[1]
    }

    pub(super) fn lay_out(&self, index: usize, input: Shape, layout: &mut Layout) {
        let shape = vec![
            self.filters,
            input.channels / self.groups,
            self.kernel[0],
            self.kernel[1],
        ];
        layout.push(index, ParamRole::Weight, shape);
        if self.bias {
            layout.push(index, ParamRole::Bias, vec![self.filters]);
        }
    }

    fn padded_input(&self, input: Shape) -> Shape {
        Shape::image(
            input.channels,
            input.height + 2 * self.padding[0],
            input.width + 2 * self.padding[1],
        )
    }

    /// Values of the copy of the input with its padding; none without padding.
    pub(super) fn kept(&self, input: Shape) -> usize {
        if self.padding == [0; 2] {
            0
        } else {
            self.padded_input(input).size()
        }
    }

    pub(super) fn shape(&self, input: Shape, output: Shape) -> ConvShape {
        ConvShape {
            input: self.padded_input(input),
            output,
            kernel: self.kernel,
            stride: self.stride,
            dilation: self.dilation,
            groups: self.groups,
        }
    }

    fn split<'a, R>(&self, own: &'a [R]) -> (&'a [R], &'a [R]) {
        own.split_at(own.len() - if self.bias { self.filters } else { 0 })
    }

    /// Copies `x` into the middle of `to`, whose rim is and stays 0.
    fn pad<R: Real>(&self, shape: &ConvShape, x: &[R], to: &mut [R], padded: usize) {
        let rows = shape.input.height - 2 * self.padding[0];
        let run = (shape.input.width - 2 * self.padding[1]) * padded;
        for (i, row) in x.chunks_exact(run).enumerate() {
            let (channel, y) = (i / rows, i % rows + self.padding[0]);
            let start = (channel * shape.input.height + y) * shape.input.width + self.padding[1];
            to[start * padded..][..run].copy_from_slice(row);
        }
    }

    pub(super) fn forward<R: Real>(
        &self,
        pass: Pass,
        input: Shape,
        output: Shape,
        own: &[R],
        x: &[R],
        state: &mut LayerState<R>,
    ) {
        let shape = self.shape(input, output);
        let (w, b) = self.split(own);
        let LayerState {
            z, kept, packed, ..
        } = state;
        let x = if kept.is_empty() {
            x
        } else {
            self.pad(&shape, x, kept, pass.padded);
            kept
        };
        let start = Start::rows(b);
        convolve(pass.arch, shape, w, start, x, z, packed, pass.padded);
    }

    pub(super) fn backward<R: Real>(
        &self,
        pass: Pass,
        shape: ConvShape,
        own: &[R],
        x: &[R],
        state: &mut LayerState<R>,
        gradient: &mut [R],
        below: Option<Below<'_, R>>,
    ) {
        let (arch, padded) = (pass.arch, pass.padded);
        let (w, b) = self.split(own);
        let LayerState {
            delta,
            kept,
            packed,
            ..
        } = state;
        let (dw, db) = gradient.split_at_mut(w.len());
        let db = (!b.is_empty()).then_some(db);
        let x = if kept.is_empty() { x } else { kept };
        convolve_weights(arch, shape, delta, x, dw, db, false, padded);
        if let Some(Below { values, add }) = below {
            let margin = self.padding;
            convolve_back(arch, shape, margin, w, delta, values, add, packed, padded);
        }
    }

    /// As for a fully connected layer, convolution being linear in weights and
    /// input too: `R{z} = w * R{x} + v * x + v_b`
    #[allow(clippy::too_many_arguments)]
    pub(super) fn forward_tangent<R: Real>(
        &self,
        pass: Pass,
        shape: ConvShape,
        own: &[R],
        v: &[R],
        x: &[R],
        rx: Option<&[R]>,
        state: &LayerState<R>,
        tangent: &mut TangentState<R>,
    ) {
        let (arch, padded) = (pass.arch, pass.padded);
        let ((w, _), (vw, vb)) = (self.split(own), self.split(v));
        let x = if state.kept.is_empty() {
            x
        } else {
            &state.kept
        };
        let TangentState {
            z, kept, packed, ..
        } = tangent;
        convolve(arch, shape, vw, Start::rows(vb), x, z, packed, padded);
        if let Some(rx) = rx {
            let rx = self.padded_copy(&shape, rx, kept, padded);
            convolve(arch, shape, w, Start::Out, rx, z, packed, padded);
        }
    }

    fn padded_copy<'a, R: Real>(
        &self,
        shape: &ConvShape,
        x: &'a [R],
        kept: &'a mut Vec<R>,
        padded: usize,
    ) -> &'a [R] {
        if self.padding == [0; 2] {
            return x;
        }
        let len = shape.input.size() * padded;
        if kept.len() != len {
            kept.clear();
            kept.resize(len, R::zero());
        }
        self.pad(shape, x, kept, padded);
        kept
    }

    #[allow(clippy::too_many_arguments)]
    pub(super) fn backward_tangent<R: Real>(
        &self,
        pass: Pass,
        shape: ConvShape,
        own: &[R],
        v: &[R],
        x: &[R],
        rx: Option<&[R]>,
        state: &LayerState<R>,
        tangent: &mut TangentState<R>,
        out: &mut [R],
        below: Option<Below<'_, R>>,
    ) {
        let (arch, padded) = (pass.arch, pass.padded);
        let ((w, b), (vw, _)) = (self.split(own), self.split(v));
        let (dw, db) = out.split_at_mut(w.len());
        let db = (!b.is_empty()).then_some(db);
        let TangentState {
            delta,
            kept,
            packed,
            ..
        } = tangent;
        let x = if state.kept.is_empty() {
            x
        } else {
            &state.kept
        };
        convolve_weights(arch, shape, delta, x, dw, db, false, padded);
        if let Some(rx) = rx {
            let rx = self.padded_copy(&shape, rx, kept, padded);
            convolve_weights(arch, shape, &state.delta, rx, dw, None, true, padded);
        }
        if let Some(below) = below {
            let Below { values, add } = below;
            let (margin, signal) = (self.padding, &state.delta);
            convolve_back(arch, shape, margin, w, delta, values, add, packed, padded);
            convolve_back(
                arch, shape, margin, vw, signal, values, true, packed, padded,
            );
        }
    }
}
