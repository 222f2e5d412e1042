//! A surface as binary glTF 2.0 (Khronos Group, ISO/IEC 12113): a lit mesh with
//! vertex colours, and the path and its gaps as lines.
//!
//! glTF's second axis points up, so a point of the surface lies at (x, height,
//! -y) with the height the loss or its decimal logarithm. Positions are in these
//! units; the node above them fits them into a box of 2 by 1 by 2 metres.

use super::glb::Glb;
use super::surface_mesh::{SurfaceMesh, stretches};
use super::{InteropError, SurfaceFile};
use crate::colormap::{Rgb, viridis};
use crate::figure::Scale;
use crate::landscape::PlanePoint;
use gltf_json::mesh::Mode;
use gltf_json::{Index, Mesh, Node, Scene};
use std::path::Path;

/// Width and depth of the box, in metres.
const SIDE: f64 = 2.0;
/// Its height.
const HEIGHT: f64 = 1.0;
/// Gaps are drawn at no more of the path's points than this.
const GAPS: usize = 60;
const PATH: Rgb = Rgb::hex(0xff2e55);
const GAP: Rgb = Rgb::hex(0xff9db0);

/// The whole file.
pub(super) fn bytes(path: &Path, file: &SurfaceFile<'_>) -> Result<Vec<u8>, InteropError> {
    let scale = file.figure.scale()?;
    let mesh = SurfaceMesh::new(file.surface(), |loss| scale.raw(loss));
    if mesh.faces.is_empty() {
        return Err(InteropError::format(
            path,
            "no four neighbouring points of this surface are finite; choose a smaller range",
        ));
    }
    let mut glb = Glb::default();
    let surface = glb.surface(&mesh, scale);
    let mut children = vec![glb.node("surface", surface)];
    let parts = stretches(file.surface(), file.path());
    if !parts.is_empty() {
        let lines = glb.path(&parts, scale);
        children.push(glb.node("path: true heights", lines));
        if let Some(gaps) = glb.gaps(&parts, scale) {
            children.push(glb.node("gaps: true heights to the plane's", gaps));
        }
    }
    let figure = &file.figure;
    let log = if scale.log { "log10 of " } else { "" };
    glb.place(
        children,
        &format!(
            "x: {}; y, upwards: {log}{}; -z: {}",
            figure.x_label, figure.height, figure.y_label
        ),
        &figure.title,
        file,
        scale,
    );
    glb.finish()
        .map_err(|error| InteropError::format(path, error.to_string()))
}

impl Glb {
    /// The surface, each corner with its position, normal and colour.
    fn surface(&mut self, mesh: &SurfaceMesh, scale: Scale) -> Index<Mesh> {
        let positions: Vec<[f32; 3]> = mesh
            .points
            .iter()
            .map(|&[x, y, loss]| at(x, y, scale.raw(loss)))
            .collect();
        // The graph of h(x, y) at (x, h, -y) has the normal (-dh/dx, 1, dh/dy).
        let normals: Vec<[f32; 3]> = mesh
            .slopes
            .iter()
            .map(|&[along_x, along_y]| {
                let length = (along_x * along_x + along_y * along_y + 1.0).sqrt();
                [-along_x, 1.0, along_y].map(|v| (v / length) as f32)
            })
            .collect();
        let colors: Vec<[f32; 3]> = mesh
            .points
            .iter()
            .map(|p| viridis(scale.share(p[2]) as f32).linear())
            .collect();
        let indices: Vec<u32> = mesh
            .faces
            .iter()
            .flat_map(|&[a, b, c, d]| [a, b, c, a, c, d])
            .collect();
        self.triangles("surface", (&positions, &normals, &colors), &indices)
    }

    /// The path at its true heights, a strip for each stretch.
    fn path(&mut self, parts: &[Vec<PlanePoint>], scale: Scale) -> Index<Mesh> {
        let material = self.glowing("path", PATH);
        let strips = parts
            .iter()
            .map(|part| {
                let points: Vec<[f32; 3]> = part
                    .iter()
                    .map(|p| at(p.x, p.y, scale.raw(p.true_loss)))
                    .collect();
                self.lines(Mode::LineStrip, &points, material)
            })
            .collect();
        self.mesh("path", strips)
    }

    /// A line from the true height to the plane's at some of the path's points.
    fn gaps(&mut self, parts: &[Vec<PlanePoint>], scale: Scale) -> Option<Index<Mesh>> {
        let points: Vec<&PlanePoint> = parts.iter().flatten().collect();
        let every = points.len().div_ceil(GAPS);
        let ends: Vec<[f32; 3]> = points
            .iter()
            .step_by(every)
            .chain(points.last())
            .filter(|p| p.slice_loss.is_finite() && p.gap() != 0.0)
            .flat_map(|p| [p.true_loss, p.slice_loss].map(|loss| at(p.x, p.y, scale.raw(loss))))
            .collect();
        if ends.is_empty() {
            return None;
        }
        let material = self.glowing("gaps", GAP);
        let lines = self.lines(Mode::Lines, &ends, material);
        Some(self.mesh("gaps", vec![lines]))
    }

    /// Puts everything into the box, under one node, in one scene.
    fn place(
        &mut self,
        children: Vec<Index<Node>>,
        name: &str,
        title: &str,
        file: &SurfaceFile<'_>,
        scale: Scale,
    ) {
        let surface = file.surface();
        let ends = |values: &[f64]| (values[0], values[values.len() - 1]);
        let fit = |(lo, hi): (f64, f64), size: f64| if hi > lo { size / (hi - lo) } else { 1.0 };
        let (x, y) = (ends(&surface.x), ends(&surface.y));
        let h = (scale.raw(scale.lo), scale.raw(scale.hi));
        let factors = [fit(x, SIDE), fit(h, HEIGHT), fit(y, SIDE)];
        let corner = [-(x.0 + x.1) / 2.0, -h.0, (y.0 + y.1) / 2.0];
        let node = self.root.push(Node {
            name: Some(name.to_owned()),
            children: Some(children),
            scale: Some(factors.map(|f| f as f32)),
            translation: Some(std::array::from_fn(|k| (factors[k] * corner[k]) as f32)),
            ..Default::default()
        });
        let scene = self.root.push(Scene {
            name: Some(title.to_owned()).filter(|t| !t.is_empty()),
            nodes: vec![node],
            extensions: None,
            extras: Default::default(),
        });
        self.root.scene = Some(scene);
    }
}

/// Where the plane's (x, y) at a height lies in glTF's axes.
fn at(x: f64, y: f64, height: f64) -> [f32; 3] {
    [x as f32, height as f32, -y as f32]
}
