//! What the pointer touches on the error surface.

use super::grip::Drag;
use super::pointer::SurfacePointer;
use crate::app::scene::{Ball, Relief, SurfaceStanding, coordinates, loss_at, meet};
use bevy::prelude::*;

/// The place on the surface under the pointer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Touch {
    /// Coordinate along the first direction.
    pub x: f64,
    /// Coordinate along the second direction.
    pub y: f64,
    /// The loss that the surface shows there.
    pub drawn: f64,
    /// Where that is, in the coordinates of the surface's root.
    pub place: Vec3,
    /// The loss and the slope there, as soon as they are known.
    pub exact: Option<Exact>,
}

/// Loss and slope at a point of the plane, from the network itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exact {
    /// The loss.
    pub loss: f64,
    /// Its derivatives along the two directions.
    pub gradient: [f64; 2],
}

/// What the pointer touches.
#[derive(Resource, Debug, Clone, Copy, PartialEq, Default)]
pub struct Touched {
    /// The place on the surface.
    pub surface: Option<Touch>,
    /// Whether the ball of the current weights is under the pointer.
    pub ball: bool,
}

/// How far along `ray` the ball of the current weights lies, if it is drawn and
/// the ray meets it.
fn ball_under(ray: &Ray3d, balls: &Query<(&Ball, &Transform, &Visibility)>) -> Option<f32> {
    let newest = balls.iter().find(|(ball, ..)| **ball == Ball::Newest);
    let (_, place, visibility) = newest?;
    if *visibility == Visibility::Hidden {
        return None;
    }
    // A little larger than it is: balls are small, hands tremble.
    crate::app::pick::ray_ball(ray, place.translation, 1.3 * place.scale.x)
}

pub(super) fn touch(
    pointer: Res<SurfacePointer>,
    standing: Res<SurfaceStanding>,
    drag: Res<Drag>,
    reliefs: Query<&Relief>,
    balls: Query<(&Ball, &Transform, &Visibility)>,
    mut touched: ResMut<Touched>,
) {
    let found = |ray: &Ray3d| {
        let (frame, relief) = (standing.frame.as_ref()?, reliefs.single().ok()?);
        let place = meet(ray, relief)?;
        let (x, y) = coordinates(frame, place);
        let (frame_x, frame_y) = (frame.x, frame.y);
        let exact = touched
            .surface
            .filter(|t| (t.x, t.y) == (x, y))
            .and_then(|t| t.exact);
        Some(Touch {
            x: x.clamp(frame_x.0, frame_x.1),
            y: y.clamp(frame_y.0, frame_y.1),
            drawn: loss_at(frame, place.y),
            place,
            exact,
        })
    };
    let wanted = match pointer.ray {
        Some(ray) if drag.is_held() || !pointer.occupied => {
            let surface = found(&ray);
            let before = |t: &Touch| t.place.distance(ray.origin);
            let ball = ball_under(&ray, &balls)
                .is_some_and(|along| surface.as_ref().is_none_or(|t| along < before(t) + 0.2));
            Touched { surface, ball }
        }
        _ => Touched::default(),
    };
    touched.set_if_neq(wanted);
}
