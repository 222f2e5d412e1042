//! Tables of a surface and of the path over it, as comma-separated values.

use super::{InteropError, SurfaceFile};
use std::path::Path;

/// Columns `x`, `y` and `loss`, x running fastest.
pub(super) fn table(path: &Path, file: &SurfaceFile<'_>) -> Result<Vec<u8>, InteropError> {
    let surface = file.surface();
    let mut rows = Vec::with_capacity(surface.loss.len());
    for (row, &y) in surface.loss.rows().into_iter().zip(&surface.y) {
        rows.extend(row.iter().zip(&surface.x).map(|(&loss, &x)| (x, y, loss)));
    }
    written(path, &["x", "y", "loss"], &rows)
}

/// A row for each point of the path, oldest first.
pub(super) fn path_table(path: &Path, file: &SurfaceFile<'_>) -> Result<Vec<u8>, InteropError> {
    if file.path().is_empty() {
        return Err(InteropError::format(
            path,
            "there is no path to write; give the folder of a run",
        ));
    }
    let rows: Vec<_> = file
        .path()
        .iter()
        .map(|p| {
            let outside = p.residual_squared.sqrt();
            (
                p.step,
                p.x,
                p.y,
                p.true_loss,
                p.slice_loss,
                p.gap(),
                outside,
            )
        })
        .collect();
    let names = [
        "step",
        "x",
        "y",
        "true_loss",
        "slice_loss",
        "gap",
        "distance_from_plane",
    ];
    written(path, &names, &rows)
}

fn written(
    path: &Path,
    names: &[&str],
    rows: &[impl serde::Serialize],
) -> Result<Vec<u8>, InteropError> {
    let failed = |error: csv::Error| InteropError::format(path, error.to_string());
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(names).map_err(failed)?;
    for row in rows {
        writer.serialize(row).map_err(failed)?;
    }
    writer
        .into_inner()
        .map_err(|error| InteropError::io(path, error.into_error()))
}
