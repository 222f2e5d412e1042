//! What a layer takes and gives per sample.

use std::fmt;

/// Values of one sample: channels of rows of columns, in this order (channels
/// outermost, as in PyTorch and ONNX). A plain vector has one row and one
/// column, its values being the channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Channels, or the values of a plain vector.
    pub channels: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

impl Shape {
    /// A plain vector of `values`.
    pub const fn flat(values: usize) -> Self {
        Shape::image(values, 1, 1)
    }

    /// An image or feature map.
    pub const fn image(channels: usize, height: usize, width: usize) -> Self {
        Shape {
            channels,
            height,
            width,
        }
    }

    /// The number of values.
    #[inline(always)]
    pub const fn size(self) -> usize {
        self.channels * self.height * self.width
    }

    /// Values of one channel.
    #[inline(always)]
    pub const fn pixels(self) -> usize {
        self.height * self.width
    }

    /// Whether it is a plain vector.
    pub const fn is_flat(self) -> bool {
        self.height == 1 && self.width == 1
    }
}

/// `10`, or `6x12x12` (channels, rows, columns).
impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_flat() {
            write!(f, "{}", self.channels)
        } else {
            write!(f, "{}x{}x{}", self.channels, self.height, self.width)
        }
    }
}
