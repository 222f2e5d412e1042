//! How the values of a sample lie in a picture, for whatever looks at neighbourhoods.

use crate::nn::Shape;
use crate::train::Problem;

/// Channels, rows and columns of a sample, and their order in its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Picture {
    /// Channels, rows, columns.
    pub shape: Shape,
    /// Whether a pixel's channels lie side by side, instead of a channel's pixels.
    pub interleaved: bool,
}

impl Picture {
    /// A picture whose channels lie one after the other, as convolutions see it.
    pub fn of_shape(shape: Shape) -> Option<Self> {
        (shape.height > 1 || shape.width > 1).then_some(Picture {
            shape,
            interleaved: false,
        })
    }

    /// How the samples of `problem` lie; `None` where they are no pictures.
    pub fn of(problem: &Problem) -> Option<Self> {
        match problem.data.image {
            Some(image)
                if image.channels * image.height * image.width == problem.network.inputs() =>
            {
                Some(Picture {
                    shape: Shape::image(image.channels, image.height, image.width),
                    interleaved: !problem.is_channels_first(),
                })
            }
            _ => Self::of_shape(problem.network.input_shape()),
        }
    }

    /// Where a value lies in the sample.
    pub fn index(&self, channel: usize, row: usize, column: usize) -> usize {
        let Shape {
            channels,
            height,
            width,
        } = self.shape;
        if self.interleaved {
            (row * width + column) * channels + channel
        } else {
            (channel * height + row) * width + column
        }
    }

    /// One number a pixel, row by row: the sum of `values` over the channels.
    pub fn flattened(&self, values: &[f64]) -> Vec<f64> {
        let Shape {
            channels,
            height,
            width,
        } = self.shape;
        let pixels = (0..height * width).map(|pixel| (pixel / width, pixel % width));
        let sum = |(row, column)| {
            let over = 0..channels;
            over.map(|channel| values[self.index(channel, row, column)])
                .sum()
        };
        pixels.map(sum).collect()
    }
}
