//! A surface as a file: which endings there are, and what all of them are made of.

use super::{
    InteropError, surface_csv, surface_glb, surface_hdf5, surface_html, surface_npz, surface_vtk,
};
use crate::figure::{ContourFigure, write_figure};
use crate::landscape::{Measure, PathOnPlane, Plane, PlanePoint, Surface};
use std::path::Path;

/// All that a surface's files are made of. Formats take from it what they have a
/// place for.
#[derive(Debug, Clone)]
pub struct SurfaceFile<'a> {
    /// The surface and the path over it, what they are called, and how they look.
    pub figure: ContourFigure<'a>,
    /// The plane through parameter space; an analytic function has none.
    pub plane: Option<&'a Plane>,
    /// What the heights measure.
    pub measure: Measure,
}

impl<'a> SurfaceFile<'a> {
    /// The surface.
    pub fn surface(&self) -> &'a Surface {
        self.figure.surface
    }

    /// The path's points, oldest first; none without a path.
    pub fn path(&self) -> &'a [PlanePoint] {
        self.figure
            .path
            .map_or(&[], |PathOnPlane { points }| points)
    }
}

/// A format that surfaces are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SurfaceFormat {
    /// The path as a table.
    PathCsv,
    /// The surface as a table.
    Csv,
    /// NumPy arrays.
    Npz,
    /// A picture in pixels.
    Png,
    /// A picture in lines.
    Svg,
    /// A model in three dimensions, binary glTF.
    Glb,
    /// A page that turns in a browser.
    Html,
    /// Polygons for ParaView and its kin, legacy VTK.
    Vtk,
    /// HDF5 as loss-landscape writes it.
    Hdf5,
}

impl SurfaceFormat {
    /// All of them. An ending that is part of another stands behind it.
    pub const ALL: [SurfaceFormat; 9] = [
        SurfaceFormat::PathCsv,
        SurfaceFormat::Csv,
        SurfaceFormat::Npz,
        SurfaceFormat::Png,
        SurfaceFormat::Svg,
        SurfaceFormat::Glb,
        SurfaceFormat::Html,
        SurfaceFormat::Vtk,
        SurfaceFormat::Hdf5,
    ];

    /// How names of such files end.
    pub fn ending(self) -> &'static str {
        match self {
            SurfaceFormat::PathCsv => ".path.csv",
            SurfaceFormat::Csv => ".csv",
            SurfaceFormat::Npz => ".npz",
            SurfaceFormat::Png => ".png",
            SurfaceFormat::Svg => ".svg",
            SurfaceFormat::Glb => ".glb",
            SurfaceFormat::Html => ".html",
            SurfaceFormat::Vtk => ".vtk",
            SurfaceFormat::Hdf5 => ".h5",
        }
    }

    /// The format that a file's name asks for.
    ///
    /// # Errors
    /// When it ends in none of them.
    pub fn of(path: &Path) -> Result<Self, InteropError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.to_ascii_lowercase();
        let found = Self::ALL.into_iter().find(|f| name.ends_with(f.ending()));
        found.ok_or_else(|| InteropError::Ending {
            path: path.to_owned(),
        })
    }

    /// All endings, for people: `.csv, .npz or .png`.
    pub fn endings() -> String {
        let [first @ .., last] = Self::ALL.map(Self::ending);
        format!("{} or {last}", first.join(", "))
    }
}

/// Writes a surface in the format that the file's name asks for, whole or not at
/// all.
///
/// # Errors
/// For another ending, for a path's file without a path, where nothing finite is
/// to be drawn, and when the file cannot be written.
pub fn write_surface_file(path: &Path, file: &SurfaceFile<'_>) -> Result<(), InteropError> {
    let bytes = match SurfaceFormat::of(path)? {
        SurfaceFormat::PathCsv => surface_csv::path_table(path, file)?,
        SurfaceFormat::Csv => surface_csv::table(path, file)?,
        SurfaceFormat::Npz => return surface_npz::write(path, file),
        SurfaceFormat::Png => return Ok(write_figure(path, file.figure.draw()?, 2.0)?),
        SurfaceFormat::Svg => return Ok(write_figure(path, file.figure.draw()?, 1.0)?),
        SurfaceFormat::Glb => surface_glb::bytes(path, file)?,
        SurfaceFormat::Html => surface_html::bytes(path, file)?,
        SurfaceFormat::Vtk => surface_vtk::bytes(path, file)?,
        SurfaceFormat::Hdf5 => surface_hdf5::bytes(path, file)?,
    };
    crate::files::replace(path, &bytes).map_err(|error| InteropError::io(path, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_asks_for_the_longest_ending_that_it_has() {
        let of = |name: &str| SurfaceFormat::of(Path::new(name)).ok();
        assert_eq!(of("a/run.path.csv"), Some(SurfaceFormat::PathCsv));
        assert_eq!(of("a.path/run.CSV"), Some(SurfaceFormat::Csv));
        assert_eq!(of("a.csv/run"), None);
        for format in SurfaceFormat::ALL {
            assert_eq!(of(&format!("s{}", format.ending())), Some(format));
        }
    }

    #[test]
    fn an_unknown_ending_is_answered_with_all_that_are_known() {
        let error = SurfaceFormat::of(Path::new("s.doc"))
            .unwrap_err()
            .to_string();
        for format in SurfaceFormat::ALL {
            assert!(error.contains(format.ending()), "{error}");
        }
    }
}
