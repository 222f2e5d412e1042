//! A surface's files: which endings there are, and what writes each.

use crate::cli::CliError;
use crate::figure::ContourFigure;
use crate::interop::{SurfaceFile, SurfaceFormat, write_surface_file};
use crate::landscape::{Measure, Plane};
use crate::train::PathPoint;
use std::path::{Path, PathBuf};

/// A file to write, if its ending is one of a surface.
pub(super) fn output(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match SurfaceFormat::of(&path) {
        Ok(_) => Ok(path),
        Err(_) if ending(&path).as_deref() == Some("safetensors") => Ok(path),
        Err(_) => Err(format!(
            "surfaces are written as .safetensors, {}",
            SurfaceFormat::endings()
        )),
    }
}

/// What `--help` says of `--out`.
pub(super) fn output_help() -> String {
    format!(
        "Write this file, as its name ends: .safetensors, {}; may be given several times",
        SurfaceFormat::endings()
    )
}

/// Finds out before anything is computed what could not be written after it.
///
/// # Errors
/// When a path is to be written and there is none.
pub(super) fn check(files: &[PathBuf], path: &[PathPoint]) -> Result<(), CliError> {
    let wanted = files
        .iter()
        .find(|file| SurfaceFormat::of(file).ok() == Some(SurfaceFormat::PathCsv));
    match wanted {
        Some(file) if path.is_empty() => Err(CliError::Failed(format!(
            "{}: there is no path to write; give a folder that `train` wrote",
            file.display()
        ))),
        _ => Ok(()),
    }
}

/// The ending of a file's name, in small letters.
pub fn ending(path: &Path) -> Option<String> {
    let ending = path.extension()?.to_str()?;
    Some(ending.to_ascii_lowercase())
}

/// Writes a surface to `file` in the format that its ending names.
///
/// # Errors
/// When the file cannot be written.
pub(super) fn write_output(
    file: &Path,
    plane: &Plane,
    figure: &ContourFigure<'_>,
    measure: Measure,
) -> Result<(), CliError> {
    let surface_file = SurfaceFile {
        figure: figure.clone(),
        plane: Some(plane),
        measure,
    };
    Ok(write_surface_file(file, &surface_file)?)
}
