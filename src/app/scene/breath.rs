//! From one error surface to the next without a jump.
//!
//! While training runs, surfaces come some ten times a second and frames more
//! often. In between, what is drawn passes from the surface that was seen to the
//! new one, in about the time in which the next one comes. Axes, path and ball are
//! those of the new surface from the beginning.

use super::surface_relief::Relief;
use bevy::prelude::*;

/// How long a passage lasts, in seconds: as long as the next surface takes, within
/// these bounds.
const SHORTEST: f64 = 0.05;
/// See [`SHORTEST`]. A longer one would show what is no longer true.
const LONGEST: f64 = 0.25;

/// What is passing into what.
#[derive(Resource, Debug, Default)]
pub(super) struct Breath {
    /// The passage under way: from what, to what, begun when and how long, in
    /// seconds.
    passage: Option<(Relief, Relief, f64, f64)>,
    /// When the surface before came.
    came: Option<f64>,
}

impl Breath {
    /// Begins to pass from `relief` to `next` at `now`, in seconds; or puts `next`
    /// in its place where there is no way from one to the other.
    pub(super) fn begin(&mut self, relief: &mut Relief, next: Relief, now: f64) {
        let since = self.came.map_or(SHORTEST, |came| now - came);
        self.came = Some(now);
        if relief.indices != next.indices || relief.positions.len() != next.positions.len() {
            self.passage = None;
            *relief = next;
            return;
        }
        let lasts = since.clamp(SHORTEST, LONGEST);
        self.passage = Some((relief.clone(), next, now, lasts));
    }

    /// Puts `next` in the place of `relief` at once.
    pub(super) fn jump(&mut self, relief: &mut Relief, next: Relief) {
        self.passage = None;
        *relief = next;
    }

    /// Whether something passes.
    pub(super) fn is_on(&self) -> bool {
        self.passage.is_some()
    }

    /// Brings `relief` to where it is at `now`, in seconds.
    pub(super) fn go_on(&mut self, relief: &mut Relief, now: f64) {
        let Some((from, to, begun, lasts)) = &self.passage else {
            return;
        };
        let t = ((now - begun) / lasts) as f32;
        if t < 1.0 {
            relief.put_between(from, to, t.max(0.0));
        } else if let Some((_, to, ..)) = self.passage.take() {
            *relief = to;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relief(height: f32) -> Relief {
        Relief {
            positions: vec![[0.0, height, 0.0], [1.0, 2.0 * height, 0.0]],
            normals: vec![[0.0, 1.0, 0.0]; 2],
            levels: vec![[height, 0.0]; 2],
            indices: vec![0, 1, 0],
            columns: 2,
        }
    }

    #[test]
    fn it_passes_in_the_time_between_surfaces_and_ends_at_the_new_one() {
        let (mut breath, mut drawn) = (Breath::default(), relief(0.0));
        breath.begin(&mut drawn, relief(1.0), 5.0);
        breath.go_on(&mut drawn, 6.0);
        assert!(!breath.is_on());
        assert_eq!(drawn, relief(1.0));
        // The next comes 0.2 s after the first would have been over.
        let came = 5.2;
        breath.begin(&mut drawn, relief(3.0), came);
        assert_eq!(drawn, relief(1.0), "nothing jumps");
        breath.go_on(&mut drawn, came + 0.1);
        assert!((drawn.positions[1][1] - 4.0).abs() < 1e-5);
        assert!((drawn.levels[0][0] - 2.0).abs() < 1e-5);
        // Another on the way begins where this one is.
        breath.begin(&mut drawn, relief(0.0), came + 0.1);
        breath.go_on(&mut drawn, came + 0.15);
        assert!((drawn.positions[0][1] - 1.0).abs() < 1e-5);
        breath.go_on(&mut drawn, came + 0.21);
        assert_eq!(drawn, relief(0.0));
    }

    #[test]
    fn another_mesh_or_another_hole_has_no_way_to_pass_and_jumps() {
        let (mut breath, mut drawn) = (Breath::default(), relief(0.0));
        let holed = Relief {
            indices: vec![0; 3],
            ..relief(1.0)
        };
        breath.begin(&mut drawn, holed.clone(), 1.0);
        assert!(!breath.is_on());
        assert_eq!(drawn, holed);
    }
}
