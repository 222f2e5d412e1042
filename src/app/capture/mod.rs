//! Frames without a window: the same scene, drawn into an image, a fixed
//! number of training steps a frame, so that a capture is the same every time.

mod bench;
mod shot;
mod studio;

pub use bench::{bench, bench_orbit};
pub use shot::{CaptureError, Frame, Shot, Sight};
pub use studio::Studio;
pub(super) use studio::{LOG_FILTER, target_image};

use super::lecture::{self, Lecture};
use super::state::Item;
use super::training::Drive;
use crate::lesson::Lesson;
use bevy::prelude::*;
use std::sync::Arc;

/// How many updates a frame that was drawn, or a scene of a lesson, is waited for.
const PATIENCE: usize = 60;

/// Draws the frames in order, giving each to `sink` as it is done; an error
/// from the sink stops the work.
pub fn capture(
    shot: &Shot,
    sink: impl FnMut(usize, Frame) -> Result<(), String>,
) -> Result<(), CaptureError> {
    capture_selected(shot, None, sink)
}

/// The same with something selected, as by a click.
pub fn capture_selected(
    shot: &Shot,
    selected: Option<Item>,
    sink: impl FnMut(usize, Frame) -> Result<(), String>,
) -> Result<(), CaptureError> {
    let sight = Sight {
        selected,
        ..Sight::default()
    };
    capture_sight(shot, &sight, sink)
}

/// The same with more than that.
pub fn capture_sight(
    shot: &Shot,
    sight: &Sight,
    sink: impl FnMut(usize, Frame) -> Result<(), String>,
) -> Result<(), CaptureError> {
    capture_told(shot, sight, |_| true, sink)
}

/// The same; `told` is given the number of epochs that have been trained before the first
/// frame, and says whether to go on.
pub fn capture_told(
    shot: &Shot,
    sight: &Sight,
    told: impl FnMut(usize) -> bool,
    mut sink: impl FnMut(usize, Frame) -> Result<(), String>,
) -> Result<(), CaptureError> {
    let mut studio = Studio::told(shot, Drive::Frame { steps: shot.steps }, told)?;
    studio.look_at(sight)?;
    let (mut taken, mut waited) = (0, 0);
    for index in 0..shot.frames {
        studio.advance(index > 0 && !shot.replay);
        if shot.replay {
            studio.show_moment(index, shot.frames);
        }
        if index > 0 {
            studio.turn(shot.orbit / (shot.frames - 1).max(1) as f32);
        }
        studio.shoot();
        studio.update();
        while let Some(frame) = studio.take() {
            sink(taken, frame?).map_err(CaptureError::Sink)?;
            taken += 1;
        }
    }
    studio.advance(false);
    while taken < shot.frames {
        studio.update();
        while let Some(frame) = studio.take() {
            sink(taken, frame?).map_err(CaptureError::Sink)?;
            taken += 1;
        }
        waited += 1;
        if waited > PATIENCE {
            return Err(CaptureError::NoFrame(waited));
        }
    }
    Ok(())
}

/// Draws each scene of a lesson as it is when it has been brought about, giving it
/// to `sink` with its number from 0. `shot` says how large, in which theme and
/// language.
pub fn capture_lesson(
    shot: &Shot,
    lesson: &Arc<Lesson>,
    mut sink: impl FnMut(usize, Frame) -> Result<(), String>,
) -> Result<(), CaptureError> {
    let mut studio = Studio::new(shot)?;
    studio.app.insert_resource(Lecture {
        lesson: Some(Arc::clone(lesson)),
        ..Lecture::default()
    });
    studio.advance(false);
    for scene in 0..lesson.scenes.len() {
        studio.app.world_mut().resource_mut::<Lecture>().scene = scene;
        // Loading takes one update, each group of events another.
        for _ in 0..PATIENCE {
            studio.update();
            if lecture::is_settled(studio.app.world().resource()) {
                break;
            }
        }
        for _ in 0..studio::SETTLE {
            studio.update();
        }
        let frame = studio.picture()?;
        sink(scene, frame).map_err(CaptureError::Sink)?;
    }
    Ok(())
}
