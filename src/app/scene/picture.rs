//! A picture of numbers that stands in the scene: a plain component, drawn by `render`.

use super::super::state::SceneView;
use super::parts::NetworkPart;
use bevy::prelude::*;

/// A sheet of coloured cells.
#[derive(Component, Debug, Clone, PartialEq, Default)]
#[require(NetworkPart)]
pub struct Picture {
    /// In which view it is seen.
    pub view: SceneView,
    /// Cells in a row.
    pub columns: usize,
    /// The colour of each cell as sRGB bytes, row by row from the top; where the fourth is
    /// 0 there is none.
    pub cells: Vec<[u8; 4]>,
    /// Its middle in world space.
    pub center: Vec3,
    /// From its middle to its right edge; of one that faces the eye only the length counts.
    pub right: Vec3,
    /// From its middle to its upper edge; the same.
    pub up: Vec3,
    /// Whether it faces the eye, wherever that is.
    pub faces_eye: bool,
    /// Whether colours pass into each other from cell to cell.
    pub smooth: bool,
    /// The colour of the frame around it, in linear light.
    pub frame: LinearRgba,
    /// The width of that frame in world units.
    pub rim: f32,
    /// How far it is drawn in front of its middle, in world units.
    pub lift: f32,
    /// How far its colours go toward the background, 0 to 1.
    pub fade: f32,
    /// What is marked on a fixed sheet: the first row and column, and those behind the last.
    pub mark: Option<[usize; 4]>,
    /// Where on one that faces the eye a dot is: columns from the left, rows from the top.
    pub dot: Option<[f32; 2]>,
}

impl Picture {
    /// Cells from top to bottom.
    pub fn rows(&self) -> usize {
        self.cells.len().checked_div(self.columns).unwrap_or(0)
    }

    /// How far along `ray` it meets a fixed sheet, and in which row and column; `None` where
    /// it misses it.
    pub fn meet(&self, ray: &Ray3d) -> Option<(f32, [usize; 2])> {
        let normal = self.right.cross(self.up);
        let slope = normal.dot(*ray.direction);
        if self.faces_eye || slope.abs() < 1e-9 || self.cells.is_empty() {
            return None;
        }
        let along = normal.dot(self.center - ray.origin) / slope;
        let off = ray.origin + along * ray.direction - self.center;
        let x = off.dot(self.right) / self.right.length_squared();
        let y = off.dot(self.up) / self.up.length_squared();
        if along <= 0.0 || x.abs() > 1.0 || y.abs() > 1.0 {
            return None;
        }
        let at = |share: f32, cells: usize| {
            ((share * cells as f32) as usize).min(cells.saturating_sub(1))
        };
        let row = at(0.5 * (1.0 - y), self.rows());
        let column = at(0.5 * (1.0 + x), self.columns);
        Some((along, [row, column]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ray_finds_the_cell_that_it_meets() {
        let picture = Picture {
            columns: 4,
            cells: vec![[0; 4]; 8],
            center: Vec3::new(0.0, 0.0, -5.0),
            right: 2.0 * Vec3::X,
            up: Vec3::Y,
            ..default()
        };
        let at = |x: f32, y: f32| {
            let ray = Ray3d::new(Vec3::new(x, y, 0.0), Dir3::NEG_Z);
            picture.meet(&ray)
        };
        assert_eq!(at(-1.9, 0.9), Some((5.0, [0, 0])));
        assert_eq!(at(0.1, -0.5), Some((5.0, [1, 2])));
        assert_eq!(at(1.99, -0.99), Some((5.0, [1, 3])));
        assert_eq!(at(2.1, 0.0), None);
        assert_eq!(at(0.0, 1.1), None);
        let away = Ray3d::new(Vec3::ZERO, Dir3::Z);
        assert_eq!(picture.meet(&away), None);
    }
}
