//! Which slice of the flat parameter vector is which layer's weight or bias.

use std::ops::Range;

/// What a block of parameters does in its layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ParamRole {
    /// Multiplies an input; shape `[out, in]`, of a convolution
    /// `[filters, channels, rows, columns]`.
    Weight,
    /// Is added to a pre-activation; shape `[out]`.
    Bias,
    /// Multiplies a normalised value; shape `[values]` (gamma).
    Gain,
    /// Is added to a normalised value; shape `[values]` (beta).
    Shift,
    /// The slope of a learnt ReLU below zero; shape `[channels]`.
    Slope,
    /// A mean gathered while training; no optimiser moves it.
    RunningMean,
    /// A variance gathered while training; no optimiser moves it.
    RunningVariance,
}

impl ParamRole {
    /// As in file keys, which are PyTorch's.
    pub fn name(self) -> &'static str {
        match self {
            ParamRole::Weight | ParamRole::Gain | ParamRole::Slope => "weight",
            ParamRole::Bias | ParamRole::Shift => "bias",
            ParamRole::RunningMean => "running_mean",
            ParamRole::RunningVariance => "running_var",
        }
    }
}

/// One named block of the parameter vector, stored row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParamTensor {
    /// The layer it belongs to, from 0.
    pub layer: usize,
    /// Its part in that layer.
    pub role: ParamRole,
    /// Its shape, outermost dimension first.
    pub shape: Vec<usize>,
    /// Its place in the flat vector.
    pub range: Range<usize>,
}

impl ParamTensor {
    /// Such as `layers.K.weight`: the key in safetensors files.
    pub fn key(&self) -> String {
        format!("layers.{}.{}", self.layer, self.role.name())
    }
}

/// One parameter, found again from its index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParamPlace {
    /// The layer, from 0.
    pub layer: usize,
    /// Weight, bias or another.
    pub role: ParamRole,
    /// The unit of this layer that it acts on.
    pub unit: usize,
    /// The input that a weight multiplies (of a convolution, which of the
    /// filter's weights); `None` for everything else.
    pub input: Option<usize>,
}

/// Where everything lies in the parameter vector: for each layer its weights,
/// row by row, then its biases; behind all of them, not moved by optimisers, the
/// statistics that batch normalisation gathers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Layout {
    tensors: Vec<ParamTensor>,
    len: usize,
    trainable: usize,
}

impl Layout {
    /// Appends a block behind the last one.
    pub(super) fn push(&mut self, layer: usize, role: ParamRole, shape: Vec<usize>) {
        self.push_statistic(layer, role, shape);
        self.trainable = self.len;
    }

    /// Appends a block that training does not move. None of the others may follow.
    pub(super) fn push_statistic(&mut self, layer: usize, role: ParamRole, shape: Vec<usize>) {
        let size: usize = shape.iter().product();
        let range = self.len..self.len + size;
        self.len = range.end;
        self.tensors.push(ParamTensor {
            layer,
            role,
            shape,
            range,
        });
    }

    /// The length of the parameter vector.
    pub fn len(&self) -> usize {
        self.len
    }

    /// How many of its values, the first ones, an optimiser moves. The rest are
    /// statistics.
    pub fn trainable(&self) -> usize {
        self.trainable
    }

    /// Whether there are no parameters at all.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The blocks in order.
    pub fn tensors(&self) -> &[ParamTensor] {
        &self.tensors
    }

    /// The block of `role` in `layer`.
    pub fn tensor(&self, layer: usize, role: ParamRole) -> Option<&ParamTensor> {
        self.tensors
            .iter()
            .find(|t| t.layer == layer && t.role == role)
    }

    /// The place of `layer`'s weights; empty where it has none.
    pub fn weight(&self, layer: usize) -> Range<usize> {
        self.tensor(layer, ParamRole::Weight)
            .map_or(0..0, |t| t.range.clone())
    }

    /// The place of `layer`'s biases; empty where it has none.
    pub fn bias(&self, layer: usize) -> Range<usize> {
        self.tensor(layer, ParamRole::Bias)
            .map_or(0..0, |t| t.range.clone())
    }

    /// Which parameter lies at `index`, or `None` past the end.
    pub fn place(&self, index: usize) -> Option<ParamPlace> {
        let after = self.tensors.partition_point(|t| t.range.end <= index);
        let tensor = self.tensors.get(after)?;
        let offset = index - tensor.range.start;
        let row: usize = tensor.shape[1..].iter().product();
        Some(ParamPlace {
            layer: tensor.layer,
            role: tensor.role,
            unit: offset / row,
            input: (tensor.role == ParamRole::Weight).then_some(offset % row),
        })
    }

    /// The index of the parameter at `place`, or `None` if there is no such one.
    pub fn index(&self, place: ParamPlace) -> Option<usize> {
        let tensor = self.tensor(place.layer, place.role)?;
        let row: usize = tensor.shape[1..].iter().product();
        let input = place.input.unwrap_or(0);
        (place.unit < tensor.shape[0] && input < row)
            .then(|| tensor.range.start + place.unit * row + input)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn place_and_index_are_inverse() {
        let mut layout = Layout::default();
        layout.push(0, ParamRole::Weight, vec![3, 2]);
        layout.push(0, ParamRole::Bias, vec![3]);
        layout.push(1, ParamRole::Weight, vec![1, 3]);
        layout.push(1, ParamRole::Bias, vec![1]);
        assert_eq!(layout.len(), 13);
        for index in 0..13 {
            let place = layout.place(index).unwrap();
            assert_eq!(layout.index(place), Some(index), "{place:?}");
        }
        assert_eq!(layout.place(13), None);
        let place = layout.place(5).unwrap();
        assert_eq!((place.unit, place.input), (2, Some(1)));
        assert_eq!(layout.tensors()[2].key(), "layers.1.weight");
    }
}
