//! A surface as HDF5 with the names and shapes of `loss-landscape` (Li et al.
//! 2018, arXiv:1712.09913, their `plot_surface.py`), for its plotting programs.

use super::{InteropError, SurfaceFile};
use crate::landscape::{Over, Quantity};
use hdf5_pure::FileBuilder;
use std::path::Path;

/// What stands there for a point that was not computed.
const MISSING: f64 = -1.0;

/// The dataset that holds a measure: `train_loss`, `test_acc` and so on.
fn key(file: &SurfaceFile<'_>) -> String {
    let over = match file.measure.over {
        Over::Train => "train",
        Over::Validation => "test",
        Over::Batch => "batch",
    };
    match file.measure.quantity {
        Quantity::Loss => format!("{over}_loss"),
        Quantity::Accuracy => format!("{over}_acc"),
    }
}

/// The whole file: `xcoordinates` `[nx]`, `ycoordinates` `[ny]`, the heights
/// `[ny, nx]` (accuracies in percent, -1 where nothing was computed), an empty
/// `dir_file`, and for a path `proj_xcoord` and `proj_ycoord` `[points]`; all
/// numbers as f64.
pub(super) fn bytes(path: &Path, file: &SurfaceFile<'_>) -> Result<Vec<u8>, InteropError> {
    let surface = file.surface();
    let unit = match file.measure.quantity {
        Quantity::Loss => 1.0,
        Quantity::Accuracy => 100.0,
    };
    let heights: Vec<f64> = surface
        .loss
        .iter()
        .map(|v| if v.is_nan() { MISSING } else { unit * v })
        .collect();
    let (rows, columns) = surface.loss.dim();
    let mut hdf5 = FileBuilder::new();
    hdf5.create_dataset("dir_file")
        .with_vlen_strings(&[""])
        .with_shape(&[]);
    hdf5.create_dataset("xcoordinates")
        .with_f64_data(&surface.x);
    hdf5.create_dataset("ycoordinates")
        .with_f64_data(&surface.y);
    hdf5.create_dataset(&key(file))
        .with_f64_data(&heights)
        .with_shape(&[rows as u64, columns as u64]);
    if !file.path().is_empty() {
        let x: Vec<f64> = file.path().iter().map(|p| p.x).collect();
        let y: Vec<f64> = file.path().iter().map(|p| p.y).collect();
        hdf5.create_dataset("proj_xcoord").with_f64_data(&x);
        hdf5.create_dataset("proj_ycoord").with_f64_data(&y);
    }
    hdf5.finish()
        .map_err(|error| InteropError::format(path, error.to_string()))
}
