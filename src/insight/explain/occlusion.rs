//! Occlusion: what the readout loses when a part of the sample is covered.

use crate::insight::model::Model;
use crate::insight::picture::Picture;
use crate::nn::{Readout, Real};
use ndarray::ArrayView1;

/// A window that covers part of a picture, in all of its channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Rows and columns of the window.
    pub size: [usize; 2],
    /// Rows and columns from one place to the next.
    pub stride: [usize; 2],
}

impl Window {
    /// About a fifth of the picture a side, moved by a third of itself.
    pub fn fitting(picture: Picture) -> Self {
        let size = |length: usize| (length as f64 / 5.0).round().max(1.0) as usize;
        let size = [size(picture.shape.height), size(picture.shape.width)];
        Window {
            size,
            stride: size.map(|s| (s / 3).max(1)),
        }
    }

    /// Rows and columns where windows begin, so that the last reach the edges.
    pub fn places(&self, picture: Picture) -> Vec<[usize; 2]> {
        let along = |length: usize, axis: usize| -> Vec<usize> {
            let last = length.saturating_sub(self.size[axis]);
            let stride = self.stride[axis].max(1);
            let mut starts: Vec<usize> = (0..=last).step_by(stride).collect();
            if starts.last() != Some(&last) {
                starts.push(last);
            }
            starts
        };
        let columns = along(picture.shape.width, 1);
        let rows = along(picture.shape.height, 0);
        let places = rows.into_iter();
        places
            .flat_map(|row| columns.iter().map(move |&column| [row, column]))
            .collect()
    }

    /// The values under a window that begins at a place.
    pub fn covers(&self, picture: Picture, [top, left]: [usize; 2]) -> Vec<usize> {
        let shape = picture.shape;
        let rows = top..(top + self.size[0]).min(shape.height);
        let columns = left..(left + self.size[1]).min(shape.width);
        let pixels = rows.flat_map(|row| columns.clone().map(move |column| (row, column)));
        pixels
            .flat_map(|(row, column)| {
                (0..shape.channels).map(move |channel| picture.index(channel, row, column))
            })
            .collect()
    }
}

/// What the readout loses when each value alone takes the baseline's: for tables,
/// where the baseline is the mean sample.
pub fn occlude_each<R: Real>(
    model: &mut Model<'_, R>,
    readout: &Readout,
    x: ArrayView1<'_, R>,
    baseline: ArrayView1<'_, R>,
) -> Vec<f64> {
    let parts: Vec<Vec<usize>> = (0..x.len()).map(|i| vec![i]).collect();
    lost(model, readout, x, baseline, &parts)
}

/// What the readout loses when a window of the picture takes the baseline's values:
/// for each value the mean over the windows that cover it (Zeiler and Fergus 2014,
/// arXiv:1311.2901, section 4.2; the mean as in Captum).
pub fn occlude_windows<R: Real>(
    model: &mut Model<'_, R>,
    readout: &Readout,
    x: ArrayView1<'_, R>,
    baseline: ArrayView1<'_, R>,
    picture: Picture,
    window: Window,
) -> Vec<f64> {
    let places = window.places(picture).into_iter();
    let parts: Vec<Vec<usize>> = places.map(|at| window.covers(picture, at)).collect();
    let lost = lost(model, readout, x, baseline, &parts);
    let mut sum = vec![0.0; x.len()];
    let mut count = vec![0.0_f64; x.len()];
    for (part, lost) in parts.iter().zip(lost) {
        for &i in part {
            sum[i] += lost;
            count[i] += 1.0;
        }
    }
    sum.iter().zip(count).map(|(s, n)| s / n.max(1.0)).collect()
}

/// The readout for the sample minus that without each part.
fn lost<R: Real>(
    model: &mut Model<'_, R>,
    readout: &Readout,
    x: ArrayView1<'_, R>,
    baseline: ArrayView1<'_, R>,
    parts: &[Vec<usize>],
) -> Vec<f64> {
    let whole = model.value(readout, x);
    let mut lost = vec![0.0; parts.len()];
    model.each(
        parts.len(),
        x,
        |k, mut row| parts[k].iter().for_each(|&i| row[i] = baseline[i]),
        |k, workspace, row| lost[k] = whole - readout.value(workspace, row),
    );
    lost
}
