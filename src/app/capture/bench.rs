//! How long frames take, for `cargo bench --bench frames`.

use super::{CaptureError, Shot, Sight, Studio};
use crate::app::state::{Item, Selection};
use std::time::Instant;

/// How long frames took, in seconds, without reading them back, with something selected
/// where that is wanted: for `cargo bench --bench frames`.
pub fn bench(shot: &Shot, frames: usize, selected: Option<Item>) -> Result<Vec<f64>, CaptureError> {
    let mut studio = Studio::new(shot)?;
    studio.app.world_mut().resource_mut::<Selection>().selected = selected;
    studio.settle();
    studio.advance(true);
    let mut seconds = Vec::with_capacity(frames);
    for _ in 0..frames {
        let begun = Instant::now();
        studio.update();
        seconds.push(begun.elapsed().as_secs_f64());
    }
    Ok(seconds)
}

/// How long the first frame took, and each of the following while the camera turns, in
/// seconds, of a network or a model that is looked at so: for `cargo bench --bench frames`.
pub fn bench_orbit(
    shot: &Shot,
    sight: &Sight,
    frames: usize,
) -> Result<(f64, Vec<f64>), CaptureError> {
    let begun = Instant::now();
    let mut studio = Studio::new(shot)?;
    studio.update();
    let first = begun.elapsed().as_secs_f64();
    studio.look_at(sight)?;
    let mut seconds = Vec::with_capacity(frames);
    for _ in 0..frames {
        studio.turn(360.0 / frames as f32);
        let begun = Instant::now();
        studio.update();
        seconds.push(begun.elapsed().as_secs_f64());
    }
    Ok((first, seconds))
}
