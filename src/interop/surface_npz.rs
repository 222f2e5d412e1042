//! A surface, its plane and the path over it as a NumPy archive.

use super::{InteropError, SurfaceFile, npz::archive};
use crate::landscape::PlanePoint;
use ndarray::{Array1, ArrayView1};
use std::path::Path;

/// Writes `x` `[nx]`, `y` `[ny]` and `loss` `[ny, nx]` as f64; where there is a
/// plane its `center`, `direction_x` and `direction_y` `[parameters]` as f32;
/// where there is a path `path_step` as u64 and `path_x`, `path_y`,
/// `path_true_loss`, `path_slice_loss` and `path_distance_from_plane` as f64,
/// each `[points]`.
pub(super) fn write(path: &Path, file: &SurfaceFile<'_>) -> Result<(), InteropError> {
    let (surface, points) = (file.surface(), file.path());
    archive(path, |npz| {
        npz.add_array("x", &ArrayView1::from(&surface.x))?;
        npz.add_array("y", &ArrayView1::from(&surface.y))?;
        npz.add_array("loss", &surface.loss)?;
        if let Some(plane) = file.plane {
            for (name, vector) in [
                ("center", plane.center()),
                ("direction_x", plane.direction_x()),
                ("direction_y", plane.direction_y()),
            ] {
                npz.add_array(name, &ArrayView1::from(vector))?;
            }
        }
        if !points.is_empty() {
            let steps: Array1<u64> = points.iter().map(|p| p.step).collect();
            npz.add_array("path_step", &steps)?;
            let columns: [(&str, fn(&PlanePoint) -> f64); 5] = [
                ("path_x", |p| p.x),
                ("path_y", |p| p.y),
                ("path_true_loss", |p| p.true_loss),
                ("path_slice_loss", |p| p.slice_loss),
                ("path_distance_from_plane", |p| p.residual_squared.sqrt()),
            ];
            for (name, value) in columns {
                let column: Array1<f64> = points.iter().map(value).collect();
                npz.add_array(name, &column)?;
            }
        }
        Ok(())
    })
}
