//! Between the surface thread and the [`ErrorSurface`] resource.

use crate::landscape::{PathOnPlane, Plane, Surface};
use bevy::prelude::*;

/// The newest error surface and the path as its plane sees it.
#[derive(Resource, Debug, Default)]
pub struct ErrorSurface {
    /// The plane that `surface` and `path` lie in.
    pub plane: Option<Plane>,
    /// The newest surface, perhaps still a coarse one.
    pub surface: Option<Surface>,
    /// Which parameters the axes are, for a plane of two parameters.
    pub parameters: Option<(usize, usize)>,
    /// The path seen from the plane.
    pub path: PathOnPlane,
    /// The training loss at the plane's centre.
    pub center_loss: f64,
    /// Points done and points in all while a surface is being computed.
    pub progress: Option<(usize, usize)>,
}

pub(super) fn plugin(app: &mut App) {
    app.init_resource::<ErrorSurface>();
}
