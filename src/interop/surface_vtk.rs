//! A surface as a legacy VTK file (VTK User's Guide, "VTK File Formats"), which
//! ParaView, VisIt and the vtk libraries read: polygonal data, binary, big-endian.

use super::surface_mesh::SurfaceMesh;
use super::{InteropError, SurfaceFile};
use crate::landscape::PlanePoint;
use std::path::Path;

/// The whole file. Points are (x, y, loss), the path's after the surface's; cells
/// are the path's line and the surface's quads; every point carries `loss`,
/// `log10_loss` (where all are above 0), `gap`, `step` (-1 on the surface) and
/// `part` (0 the surface, 1 the path).
pub(super) fn bytes(path: &Path, file: &SurfaceFile<'_>) -> Result<Vec<u8>, InteropError> {
    let mesh = SurfaceMesh::new(file.surface(), |loss| loss);
    if mesh.faces.is_empty() {
        return Err(InteropError::format(
            path,
            "no four neighbouring points of this surface are finite; choose a smaller range",
        ));
    }
    let on_path: Vec<&PlanePoint> = file
        .path()
        .iter()
        .filter(|p| [p.x, p.y, p.true_loss].iter().all(|v| v.is_finite()))
        .collect();
    let (n, k) = (mesh.points.len(), on_path.len());
    let mut vtk = Vtk {
        bytes: header(&file.figure.title),
    };
    vtk.line(&format!("POINTS {} double", n + k));
    let path_points = on_path.iter().map(|p| [p.x, p.y, p.true_loss]);
    vtk.doubles(mesh.points.iter().copied().chain(path_points).flatten());
    if k > 0 {
        vtk.line(&format!("LINES 1 {}", k + 1));
        vtk.ints([k].into_iter().chain(n..n + k));
    }
    vtk.line(&format!(
        "POLYGONS {} {}",
        mesh.faces.len(),
        5 * mesh.faces.len()
    ));
    vtk.ints(mesh.faces.iter().flat_map(|face| {
        let [a, b, c, d] = face.map(|v| v as usize);
        [4, a, b, c, d]
    }));
    vtk.line(&format!("POINT_DATA {}", n + k));
    let losses = || {
        let surface = mesh.points.iter().map(|p| p[2]);
        surface.chain(on_path.iter().map(|p| p.true_loss))
    };
    vtk.scalars("loss", "double");
    vtk.doubles(losses());
    if losses().all(|loss| loss > 0.0) {
        vtk.scalars("log10_loss", "double");
        vtk.doubles(losses().map(f64::log10));
    }
    let surface = || std::iter::repeat_n(0.0, n);
    vtk.scalars("gap", "double");
    vtk.doubles(surface().chain(on_path.iter().map(|p| p.gap())));
    vtk.scalars("step", "double");
    vtk.doubles(
        surface()
            .map(|v| v - 1.0)
            .chain(on_path.iter().map(|p| p.step as f64)),
    );
    vtk.scalars("part", "int");
    vtk.ints(std::iter::repeat_n(0, n).chain(std::iter::repeat_n(1, k)));
    Ok(vtk.bytes)
}

/// The first lines: the title is one line of at most 255 characters.
fn header(title: &str) -> Vec<u8> {
    let title: String = title
        .chars()
        .map(|c| {
            if c.is_ascii() && !c.is_ascii_control() {
                c
            } else {
                ' '
            }
        })
        .take(255)
        .collect();
    let title = if title.trim().is_empty() {
        "gradscape"
    } else {
        &title
    };
    format!("# vtk DataFile Version 3.0\n{title}\nBINARY\nDATASET POLYDATA\n").into_bytes()
}

struct Vtk {
    bytes: Vec<u8>,
}

impl Vtk {
    fn line(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
        self.bytes.push(b'\n');
    }

    fn scalars(&mut self, name: &str, kind: &str) {
        self.line(&format!("SCALARS {name} {kind} 1\nLOOKUP_TABLE default"));
    }

    fn doubles(&mut self, values: impl Iterator<Item = f64>) {
        values.for_each(|v| self.bytes.extend(v.to_be_bytes()));
        self.bytes.push(b'\n');
    }

    fn ints(&mut self, values: impl Iterator<Item = usize>) {
        // Cannot be too large: a grid has far fewer than 2^31 points.
        values.for_each(|v| self.bytes.extend((v as i32).to_be_bytes()));
        self.bytes.push(b'\n');
    }
}
