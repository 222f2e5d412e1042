//! Grad-CAM: which places of a picture a convolutional network looks at for an answer.

use crate::insight::model::Model;
use crate::nn::{LayerKind, Network, Readout, Real, Shape};
use ndarray::{Array2, ArrayView1, Axis};

/// A map of a layer's places, and the same over the picture.
#[derive(Debug, Clone, PartialEq)]
pub struct GradCam {
    /// The layer whose feature maps it is made of, from 0.
    pub layer: usize,
    /// Rows and columns of the layer's maps.
    pub size: [usize; 2],
    /// Row by row, nothing below 0.
    pub map: Vec<f64>,
    /// The same before values below 0 were cut off.
    pub uncut: Vec<f64>,
    /// What each feature map weighs: the mean of the readout's derivatives by it.
    pub weights: Vec<f64>,
}

/// The layer that Grad-CAM looks at unless told otherwise: the last one below the
/// readout's that sees the picture through convolutions and still has places. `None`
/// where there is no convolution.
pub fn grad_cam_layer(network: &Network, readout: &Readout) -> Option<usize> {
    let below = network.layers().iter().enumerate().take(readout.layer());
    below
        .filter(|(_, layer)| matches!(layer.kind(), LayerKind::Conv(_)))
        .map(|(index, _)| index)
        .next_back()
}

/// `relu(sum_k w_k A^k)` with `A^k` the feature maps (activations) of `layer` and
/// `w_k` the mean of `d readout / dA^k` over the places (Selvaraju et al. 2017,
/// arXiv:1610.02391, equations 1 and 2). `layer` lies below the readout's; what it
/// gives for a layer that the readout does not depend on is 0.
pub fn grad_cam<R: Real>(
    model: &mut Model<'_, R>,
    readout: &Readout,
    x: ArrayView1<'_, R>,
    layer: usize,
) -> GradCam {
    let shape = model.network().layers()[layer].output_shape();
    let mut derivatives = vec![0.0; shape.size()];
    let workspace = model.pass(readout, x.insert_axis(Axis(0)), |index, values| {
        if index == layer {
            let values = derivatives.iter_mut().zip(values.row(0));
            values.for_each(|(d, v)| *d = v.wide());
        }
    });
    let pixels = shape.pixels();
    let weights: Vec<f64> = derivatives
        .chunks_exact(pixels)
        .map(|channel| channel.iter().sum::<f64>() / pixels as f64)
        .collect();
    let activations = workspace.a(layer);
    let mut uncut = vec![0.0; pixels];
    for (channel, weight) in weights.iter().enumerate() {
        for (pixel, value) in uncut.iter_mut().enumerate() {
            *value += weight * activations[[0, channel * pixels + pixel]].wide();
        }
    }
    GradCam {
        layer,
        size: [shape.height, shape.width],
        map: uncut.iter().map(|v| v.max(0.0)).collect(),
        uncut,
        weights,
    }
}

impl GradCam {
    /// The map over a picture of so many rows and columns, row by row, blended between
    /// the places' centres.
    pub fn over(&self, picture: Shape) -> Vec<f64> {
        let map = Array2::from_shape_fn((self.size[0], self.size[1]), |(y, x)| {
            self.map[y * self.size[1] + x]
        });
        enlarged(&map, [picture.height, picture.width])
    }
}

/// Bilinear, between the centres of pixels (`align_corners = False` in PyTorch).
fn enlarged(map: &Array2<f64>, size: [usize; 2]) -> Vec<f64> {
    let place = |axis: usize, at: usize| -> (usize, usize, f64) {
        let length = map.len_of(Axis(axis));
        let scaled = (at as f64 + 0.5) * length as f64 / size[axis] as f64 - 0.5;
        let scaled = scaled.clamp(0.0, (length - 1) as f64);
        let low = scaled as usize;
        (low, (low + 1).min(length - 1), scaled - low as f64)
    };
    let mut values = Vec::with_capacity(size[0] * size[1]);
    for row in 0..size[0] {
        let (top, bottom, down) = place(0, row);
        for column in 0..size[1] {
            let (left, right, along) = place(1, column);
            let blend = |y: usize| (1.0 - along) * map[[y, left]] + along * map[[y, right]];
            values.push((1.0 - down) * blend(top) + down * blend(bottom));
        }
    }
    values
}
