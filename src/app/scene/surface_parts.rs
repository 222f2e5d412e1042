//! The plain components of the error surface's scene.

use super::surface_relief::Relief;
use crate::colormap::Rgb;
use bevy::prelude::*;

/// A straight line of constant width on the screen, with round ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stroke {
    /// One end, in the coordinates of the surface's root.
    pub from: Vec3,
    /// The other end.
    pub to: Vec3,
    /// Its colour.
    pub color: Rgb,
    /// In points.
    pub width: f32,
}

/// Many strokes that are drawn in this order, later ones over earlier ones.
#[derive(Component, Debug, Clone, PartialEq, Default)]
pub struct Strokes(pub Vec<Stroke>);

impl Strokes {
    /// Adds a line through `points`, clipped to the surface's box.
    pub fn polyline(&mut self, points: &[Vec3], color: Rgb, width: f32) {
        for pair in points.windows(2) {
            if let Some((from, to)) = super::surface_frame::clip_to_box(pair[0], pair[1]) {
                self.line(from, to, color, width);
            }
        }
    }

    /// Adds one line as it is.
    pub fn line(&mut self, from: Vec3, to: Vec3, color: Rgb, width: f32) {
        self.0.push(Stroke {
            from,
            to,
            color,
            width,
        });
    }
}

/// What a shiny ball marks.
#[derive(Component, Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ball {
    /// The weights now, at their true loss.
    Newest,
    /// Where the path began.
    Start,
}

/// The ball of the racer with this number.
#[derive(Component, Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RacerBall(pub usize);

/// The entity that everything of the pinned surface hangs under.
#[derive(Component, Debug, Clone, Copy, PartialEq, Eq)]
pub struct PinnedRoot;

/// The triangles of the pinned surface.
#[derive(Component, Debug, Clone, PartialEq, Default)]
pub struct PinnedRelief(pub Relief);

/// Text number so many of the pinned surface.
#[derive(Component, Debug, Clone, Copy, PartialEq, Eq)]
pub struct PinnedText(pub usize);

/// Text number so many of the surface.
#[derive(Component, Debug, Clone, Copy, PartialEq, Eq)]
pub struct SurfaceText(pub usize);

/// Which of the surface's strokes.
#[derive(Component, Debug, Clone, Copy, PartialEq, Eq)]
pub enum StrokeKind {
    /// Floor, walls, axes and the surface's rim.
    Axes,
    /// The path, its shadow and its gaps.
    Path,
    /// The path again, to be seen faintly where the surface hides it.
    Behind,
    /// The paths of a race.
    Racers,
    /// The same where the surface hides them.
    RacersBehind,
    /// Floor, walls, rim and path of the surface that is pinned.
    Pinned,
    /// What lies under the pointer.
    Hover,
    /// Contour lines on the floor.
    Levels,
}
