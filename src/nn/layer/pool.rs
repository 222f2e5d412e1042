//! Pooling layers.

use super::{Below, LayerState, Pass};
use crate::nn::kernel::{self, Window};
use crate::nn::{Real, Shape};

/// A window that slides over each channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pool {
    /// Rows and columns of the window.
    pub size: [usize; 2],
    /// Rows and columns from one window to the next.
    pub stride: [usize; 2],
    /// Rows and columns by which windows reach over the edges, less than the
    /// window, so that none misses the input. Pixels beyond are no candidates for the largest.
    pub padding: [usize; 2],
    /// Whether a mean counts the zeros beyond the edges (PyTorch's default) or
    /// leaves them out (ONNX's).
    pub count_padding: bool,
}

impl Pool {
    /// A square window that moves by its own size.
    pub fn square(size: usize) -> Self {
        Pool {
            size: [size; 2],
            stride: [size; 2],
            padding: [0; 2],
            count_padding: true,
        }
    }

    /// One window over all of `input`.
    pub(super) fn global(input: Shape) -> Self {
        let size = [input.height, input.width];
        Pool {
            size,
            stride: size,
            ..Pool::square(1)
        }
    }

    pub(super) fn output_shape(&self, input: Shape) -> Result<Shape, String> {
        if self.size.contains(&0) || self.stride.contains(&0) {
            return Err("window and stride need at least 1 pixel".into());
        }
        if self.padding[0] >= self.size[0] || self.padding[1] >= self.size[1] {
            return Err(format!(
                "a padding of {} x {} leaves windows of {} x {} beyond the edge; give less than the \
                 window",
                self.padding[0], self.padding[1], self.size[0], self.size[1]
            ));
        }
        let along = |axis: usize, values: usize| {
            (values + 2 * self.padding[axis])
                .checked_sub(self.size[axis])
                .map(|room| room / self.stride[axis] + 1)
        };
        match (along(0, input.height), along(1, input.width)) {
            (Some(h), Some(w)) => Ok(Shape::image(input.channels, h, w)),
            _ => Err(format!(
                "a window of {} x {} does not fit into the input {input}",
                self.size[0], self.size[1]
            )),
        }
    }

    pub(super) fn window(&self, input: Shape, output: Shape) -> Window {
        Window {
            input,
            output,
            size: self.size,
            stride: self.stride,
            padding: self.padding,
            count_padding: self.count_padding,
        }
    }
}

pub(super) fn maximum<R: Real>(pass: Pass, window: &Window, x: &[R], state: &mut LayerState<R>) {
    let LayerState { z, picked, .. } = state;
    kernel::maximum(pass.arch, window, x, z, picked, pass.padded);
}

pub(super) fn maximum_back<R: Real>(
    pass: Pass,
    state: &LayerState<R>,
    delta: &[R],
    below: Option<Below<'_, R>>,
) {
    if let Some(below) = below {
        kernel::maximum_back(&state.picked, delta, below.values, below.add, pass.padded);
    }
}

pub(super) fn average<R: Real>(pass: Pass, window: &Window, x: &[R], z: &mut [R]) {
    kernel::average(pass.arch, window, x, z, pass.padded);
}

pub(super) fn average_back<R: Real>(
    pass: Pass,
    window: &Window,
    delta: &[R],
    below: Option<Below<'_, R>>,
) {
    if let Some(below) = below {
        kernel::average_back(
            pass.arch,
            window,
            delta,
            below.values,
            below.add,
            pass.padded,
        );
    }
}
