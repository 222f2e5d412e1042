//! How training, frames and error surfaces get on with each other in real time:
//! what `cargo bench --bench frames -- live` prints.

use super::capture::{CaptureError, Shot, Studio};
use super::surface::ErrorSurface;
use super::training::{Command, Drive, Training};
use crate::train::TrainCommand;
use std::time::{Duration, Instant};

/// What a while of live training came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Live {
    /// Training steps a second.
    pub steps: f64,
    /// Frames a second.
    pub frames: f64,
    /// The slowest frame, in seconds.
    pub slowest: f64,
    /// Surfaces a second that were shown.
    pub surfaces: f64,
    /// Points a side of the surface shown last.
    pub side: usize,
}

/// The shortest time from one frame to the next, as in the window.
const FRAME: Duration = Duration::from_millis(16);

/// Trains in real time for so many seconds and counts, after a while to settle.
pub fn live(shot: &Shot, seconds: f64) -> Result<Live, CaptureError> {
    let mut studio = Studio::driven(shot, Drive::Thread)?;
    studio.settle();
    let start = Command(TrainCommand::Start);
    studio.app().world_mut().write_message(start);
    let run = |studio: &mut Studio, seconds: f64| {
        let begun = Instant::now();
        let (mut frames, mut slowest) = (0, 0.0_f64);
        while begun.elapsed().as_secs_f64() < seconds {
            let frame = Instant::now();
            studio.update();
            slowest = slowest.max(frame.elapsed().as_secs_f64());
            frames += 1;
            std::thread::sleep(FRAME.saturating_sub(frame.elapsed()));
        }
        (begun.elapsed().as_secs_f64(), frames, slowest)
    };
    let count = |studio: &mut Studio| {
        let world = studio.app().world();
        let steps = world.resource::<Training>().snapshot.step;
        let shown = world.resource::<ErrorSurface>();
        let side = shown.surface.as_ref().map_or(0, |s| s.x.len());
        (steps, shown.revision, side)
    };
    run(&mut studio, 0.25 * seconds);
    let before = count(&mut studio);
    let (took, frames, slowest) = run(&mut studio, seconds);
    let after = count(&mut studio);
    Ok(Live {
        steps: (after.0 - before.0) as f64 / took,
        frames: f64::from(frames) / took,
        slowest,
        surfaces: (after.1 - before.1) as f64 / took,
        side: after.2,
    })
}
