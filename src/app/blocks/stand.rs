//! Where plates stand: all turned the same way, as grids of neurons are, in the ranks and
//! rows that the outline's placing gives.

use crate::app::scene::row_direction;
use crate::insight::outline::{Gaps, NodeKind, Outline, OutlineNode, Part, Shown, Stroke, place};
use bevy::prelude::*;

/// Room for what is written below a plate.
const CAPTION: f32 = 1.7;
/// Free space between ranks, between plates above each other, between rows; a row that is
/// not wider than this is not broken, and how much wider than high the whole should be.
const GAPS: Gaps = Gaps {
    rank: 2.4,
    lane: CAPTION,
    row: CAPTION + 2.0,
    wide: 24.0,
    aspect: 1.5,
};
/// The height of a plate: at least, for each doubling of its rows, and at most.
const HIGH: [f32; 3] = [1.1, 0.5, 5.0];
/// Its thickness: at least, for each doubling of its channels, and at most.
const THICK: [f32; 3] = [0.22, 0.1, 1.5];

/// A part and the box that stands for it, which is turned: its sides run along
/// `row_direction`, up, and `deep_direction`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plate {
    /// The part.
    pub part: Part,
    /// Its middle.
    pub center: Vec3,
    /// Half its sides, in these directions.
    pub half: Vec3,
}

impl Plate {
    /// Where the line through its middle along x leaves it: to the right for 1, to the left
    /// for -1.
    pub fn side(&self, sign: f32) -> [f32; 2] {
        let along = [
            self.half.x / row_direction().x.abs(),
            self.half.z / deep_direction().x.abs(),
        ];
        [self.center.x + sign * along[0].min(along[1]), self.center.y]
    }

    /// Whether ways to the right begin at this place.
    pub fn touches(&self, [x, y]: [f32; 2]) -> bool {
        let off = Vec2::new(x - self.center.x - across(self.half), y - self.center.y);
        off.length() < 1e-2
    }

    /// The corners of an upright box around it.
    pub fn reach(&self) -> (Vec3, Vec3) {
        let half = upright(self.half);
        (self.center - half, self.center + half)
    }
}

/// The direction in which plates are thin: across their rows.
pub fn deep_direction() -> Vec3 {
    row_direction().cross(Vec3::Y)
}

/// Half the sides of the box along the axes around a turned one.
fn upright(half: Vec3) -> Vec3 {
    let (row, deep) = (row_direction().abs(), deep_direction().abs());
    half.x * row + Vec3::Y * half.y + half.z * deep
}

/// Half of how far a turned box reaches along x.
fn across(half: Vec3) -> f32 {
    upright(half).x
}

/// Plates for all shown parts, and the ways between them.
pub(super) fn stand(shown: &Shown, extents: impl Fn(Part) -> Vec3) -> (Vec<Plate>, Vec<Stroke>) {
    let halves: Vec<Vec3> = shown.parts.iter().map(|&part| extents(part)).collect();
    let sizes: Vec<[f32; 2]> = halves
        .iter()
        .map(|&h| [2.0 * across(h), 2.0 * h.y])
        .collect();
    let placed = place(&sizes, &shown.edges, &GAPS);
    let plates = shown.parts.iter().zip(&halves).zip(&placed.at);
    let plates = plates
        .map(|((&part, &half), &[x, y])| Plate {
            part,
            center: Vec3::new(x, y, 0.0),
            half,
        })
        .collect();
    (plates, placed.strokes)
}

fn grown([least, by, most]: [f32; 3], n: usize) -> f32 {
    (least + by * (n.max(1) as f32).log2()).min(most)
}

/// Half the sides of a node's plate: as high and as wide as its rows and columns are many,
/// as thick as its channels are.
fn of_node(node: &OutlineNode) -> Vec3 {
    let side = |at: usize| {
        node.output
            .as_ref()
            .and_then(|sides| sides[at])
            .unwrap_or(1)
    };
    let sides = node.output.as_ref().map_or(0, Vec::len);
    let [high, wide, thick] = match sides {
        0 => [1.6, 1.6, 0.3],
        1 => [grown(HIGH, side(0)), 0.5, 0.5],
        2 => [grown(HIGH, side(1)), grown(HIGH, side(0)), THICK[0]],
        n => [
            grown(HIGH, side(n - 2)),
            grown(HIGH, side(n - 1)),
            grown(THICK, side(0)),
        ],
    };
    let small = match node.kind {
        NodeKind::Merged => 0.72,
        _ => 1.0,
    };
    0.5 * small * Vec3::new(wide, high, thick)
}

/// Half the sides of the plate of a part of another program's model.
pub fn of_model(outline: &Outline, part: Part) -> Vec3 {
    of_part(outline, part, |node| of_node(&outline.nodes()[node]))
}

/// Half the sides of a part's plate, given those of nodes: a block is as high as the highest
/// of its nodes and the thicker the more there are.
pub fn of_part(outline: &Outline, part: Part, of_node: impl Fn(usize) -> Vec3) -> Vec3 {
    match part {
        Part::Node(node) => of_node(node),
        Part::Block(_) => {
            let nodes = outline.nodes_of(part);
            let most = nodes.iter().map(|&node| of_node(node));
            let most = most.fold(Vec3::ZERO, Vec3::max);
            let thick = 0.35 + 0.14 * (nodes.len() as f32).sqrt();
            Vec3::new(most.x + 0.2, most.y + 0.2, thick.max(most.z))
        }
    }
}
