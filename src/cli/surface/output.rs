//! A surface's files: which endings there are, and what writes each.

use super::Computed;
use crate::cli::CliError;
use crate::cli::run_folder::write;
use crate::figure::{ContourFigure, write_figure};
use crate::interop::write_surface;
use crate::landscape::{Plane, Surface};
use std::path::{Path, PathBuf};

/// A file to write, if its ending is one of a surface.
pub(super) fn output(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match ending(&path).as_deref() {
        Some("csv" | "npz" | "png" | "svg") => Ok(path),
        _ => Err("surfaces are written as .csv, .npz, .png or .svg".to_owned()),
    }
}

/// The ending of a file's name, in small letters.
pub fn ending(path: &Path) -> Option<String> {
    let ending = path.extension()?.to_str()?;
    Some(ending.to_ascii_lowercase())
}

/// Writes `computed` to `file` in the format that its ending names.
///
/// # Errors
/// When the file cannot be written.
pub(super) fn write_output(
    file: &Path,
    computed: &Computed,
    plane: &Plane,
    figure: &ContourFigure<'_>,
) -> Result<(), CliError> {
    match ending(file).as_deref() {
        Some("csv") => write_csv(file, &computed.surface),
        Some("npz") => Ok(write_surface(file, &computed.surface, plane)?),
        _ => Ok(write_figure(file, figure.draw()?, 1.0)?),
    }
}

/// Columns `x`, `y` and `loss`, x running fastest.
fn write_csv(path: &Path, surface: &Surface) -> Result<(), CliError> {
    let failed = |error: csv::Error| CliError::Failed(format!("{}: {error}", path.display()));
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["x", "y", "loss"]).map_err(failed)?;
    for (row, &y) in surface.loss.rows().into_iter().zip(&surface.y) {
        for (&loss, &x) in row.iter().zip(&surface.x) {
            writer.serialize((x, y, loss)).map_err(failed)?;
        }
    }
    let bytes = writer
        .into_inner()
        .map_err(|error| CliError::io(path, error.into_error()))?;
    write(path, &bytes)
}
