//! A click puts the weights where the pointer is; the ball can be dragged.

use super::pointer::SurfacePointer;
use super::touch::Touched;
use super::weights::{Earlier, WeightsWish};
use crate::app::format::number;
use crate::app::scene::{SurfaceStanding, coordinates};
use crate::app::state::{SURFACE_MAX, SURFACE_MIN};
use crate::app::surface::ErrorSurface;
use crate::app::text::Texts;
use crate::app::training::{Command, Notice, Notices, Training};
use crate::landscape::Plane;
use crate::train::{RunState, TrainCommand};
use bevy::prelude::*;
use std::sync::Arc;

/// A press and release farther apart than this, in points, is a drag.
const STILL: f32 = 4.0;
/// Frames after which weights that were sent are no longer waited for.
const PATIENCE: u32 = 30;

/// The surface was clicked, at coordinates of its plane.
#[derive(Message, Debug, Clone, Copy, PartialEq)]
pub struct SurfaceClicked {
    /// Along the first direction.
    pub x: f64,
    /// Along the second direction.
    pub y: f64,
}

/// The ball in the hand, if it is.
#[derive(Resource, Debug, Default)]
pub struct Drag(Option<Held>);

impl Drag {
    /// Whether the ball is being dragged: the camera stays, and so does the plane.
    pub fn is_held(&self) -> bool {
        self.0.is_some()
    }
}

#[derive(Debug)]
struct Held {
    /// The weights at the beginning, and the plane along which they move.
    params: Arc<[f32]>,
    plane: Arc<Plane>,
    /// Where the hand took hold.
    from: (f64, f64),
    /// The height at which it moves where there is no surface under it.
    height: f32,
    /// Whether training goes on afterwards.
    resume: bool,
    /// The weights sent last, and for how many frames they were waited for.
    sent: Option<Arc<[f32]>>,
    waited: u32,
}

impl Held {
    /// The weights when the hand is at (x, y): moved by the difference in the
    /// plane, so that what lies outside of it stays.
    fn moved_to(&self, (x, y): (f64, f64)) -> Arc<[f32]> {
        let (dx, dy) = ((x - self.from.0) as f32, (y - self.from.1) as f32);
        let directions = self
            .plane
            .direction_x()
            .iter()
            .zip(self.plane.direction_y());
        let moved = self.params.iter().zip(directions);
        moved.map(|(&p, (&u, &v))| p + (dx * u + dy * v)).collect()
    }
}

/// A click that is no drag is told to all; where the surface is a network's, the
/// network takes the weights of the point.
pub(super) fn click(
    pointer: Res<SurfacePointer>,
    touched: Res<Touched>,
    shown: Res<ErrorSurface>,
    training: Res<Training>,
    texts: Res<Texts>,
    mut down: Local<Option<Vec2>>,
    mut clicks: MessageWriter<SurfaceClicked>,
    mut wishes: MessageWriter<WeightsWish>,
    mut notices: ResMut<Notices>,
) {
    if pointer.pressed {
        *down = touched
            .surface
            .filter(|_| !touched.ball)
            .map(|_| pointer.at);
    }
    if !pointer.released {
        return;
    }
    let still = down
        .take()
        .is_some_and(|down| down.distance(pointer.at) <= STILL);
    let Some(touch) = touched.surface.filter(|_| still) else {
        return;
    };
    clicks.write(SurfaceClicked {
        x: touch.x,
        y: touch.y,
    });
    let (Some(plane), Some(problem)) = (&shown.plane, &shown.problem) else {
        return;
    };
    // A surface of the network that is being replaced.
    if !Arc::ptr_eq(problem, &training.problem) {
        return;
    }
    wishes.write(WeightsWish::Take {
        params: plane.point(touch.x, touch.y).into(),
        keep: true,
    });
    let of = |axis: usize, v: f64| number(v + shown.axis_origin(axis), 4);
    let loss = number(touch.exact.map_or(touch.drawn, |e| e.loss), 4);
    let (x, y) = (of(0, touch.x), of(1, touch.y));
    let values: [(&str, &dyn std::fmt::Display); 3] = [("x", &x), ("y", &y), ("loss", &loss)];
    let key = if training.snapshot.state == RunState::Running {
        "hover.taken_running"
    } else {
        "hover.taken"
    };
    notices.0.push(Notice {
        message: texts.with(key, &values),
        error: false,
    });
}

/// Moves the weights with the ball, no faster than the run takes them.
pub(super) fn drag(
    pointer: Res<SurfacePointer>,
    touched: Res<Touched>,
    standing: Res<SurfaceStanding>,
    shown: Res<ErrorSurface>,
    training: Res<Training>,
    mut drag: ResMut<Drag>,
    mut earlier: ResMut<Earlier>,
    mut wishes: MessageWriter<WeightsWish>,
    mut commands: MessageWriter<Command>,
) {
    let place = under(&pointer, &touched, &standing, drag.0.as_ref());
    if pointer.pressed
        && touched.ball
        && !training.shows_past()
        && let (Some(plane), Some(newest), Some(frame)) =
            (&shown.plane, shown.newest(), &standing.frame)
        && plane.center().len() == training.snapshot.params.len()
    {
        let resume = training.snapshot.state == RunState::Running;
        if resume {
            commands.write(Command(TrainCommand::Pause));
        }
        drag.0 = Some(Held {
            params: Arc::clone(&training.snapshot.params),
            plane: Arc::clone(plane),
            from: place.unwrap_or((newest.x, newest.y)),
            height: frame
                .height(newest.slice_loss)
                .clamp(SURFACE_MIN.y, SURFACE_MAX.y),
            resume,
            sent: None,
            waited: 0,
        });
        return;
    }
    if drag.0.is_none() {
        return;
    }
    let mut ends = pointer.released;
    if let Some(held) = &mut drag.0 {
        if held.sent.is_none() && held.params != training.snapshot.params {
            // The last steps before training paused.
            held.params = Arc::clone(&training.snapshot.params);
        }
        held.waited += 1;
        let arrived = held
            .sent
            .as_ref()
            .is_none_or(|sent| *sent == training.snapshot.params || held.waited > PATIENCE);
        let paused = training.snapshot.state != RunState::Running;
        if let Some(place) = place.filter(|_| (arrived && paused) || ends) {
            let params = held.moved_to(place);
            let last = held.sent.as_ref().unwrap_or(&held.params);
            if params != *last && params.iter().all(|p| p.is_finite()) {
                if held.sent.is_none() {
                    earlier.keep(Arc::clone(&held.params));
                }
                wishes.write(WeightsWish::Take {
                    params: Arc::clone(&params),
                    keep: false,
                });
                held.sent = Some(params);
                held.waited = 0;
            }
        }
        // The network was replaced meanwhile.
        ends |= held.params.len() != training.snapshot.params.len();
    }
    if ends && drag.0.take().is_some_and(|held| held.resume) {
        commands.write(Command(TrainCommand::Start));
    }
}

/// The coordinates under the pointer: on the surface, or where there is none, at
/// the height where the ball was taken, held inside the plane that is shown.
fn under(
    pointer: &SurfacePointer,
    touched: &Touched,
    standing: &SurfaceStanding,
    held: Option<&Held>,
) -> Option<(f64, f64)> {
    if let Some(touch) = &touched.surface {
        return Some((touch.x, touch.y));
    }
    let (ray, frame, height) = (pointer.ray?, standing.frame.as_ref()?, held?.height);
    let along = (height - ray.origin.y) / ray.direction.y;
    if !(along.is_finite() && along > 0.0) {
        return None;
    }
    let place = (ray.origin + along * ray.direction).clamp(SURFACE_MIN, SURFACE_MAX);
    Some(coordinates(frame, place))
}
