//! The path of the weights through parameter space.

use std::sync::Arc;

/// One place on the path.
#[derive(Debug, Clone)]
pub struct PathPoint {
    /// Steps completed.
    pub step: u64,
    /// Epochs completed.
    pub epoch: usize,
    /// The parameters there.
    pub params: Arc<[f32]>,
    /// The mean data loss over the whole training part there.
    pub loss: f64,
}

/// Bytes that the points of one path may take.
const BYTES: usize = 64 << 20;
/// The most points, and the fewest of large networks, as far as those take no more than
/// [`LARGE`] bytes, and of huge ones.
const MOST: usize = 2048;
const FEWEST: usize = 16;
const LARGE: usize = 512 << 20;
const FEWEST_HUGE: usize = 4;

/// A bounded record of the path: when it is full every second point goes and
/// from then on points are taken twice as far apart.
#[derive(Debug, Clone)]
pub struct Trajectory {
    points: Vec<PathPoint>,
    first_stride: u64,
    stride: u64,
    capacity: usize,
}

impl Trajectory {
    /// A path that takes a point every `stride` steps of a network with
    /// `params` parameters, at first.
    pub fn new(params: usize, stride: u64) -> Self {
        let bytes = 4 * params.max(1);
        let fewest = (LARGE / bytes).clamp(FEWEST_HUGE, FEWEST);
        let capacity = (BYTES / bytes).clamp(fewest, MOST);
        let stride = stride.max(1);
        Trajectory {
            points: Vec::new(),
            first_stride: stride,
            stride,
            capacity,
        }
    }

    /// Whether a point is due at `step`.
    pub fn wants(&self, step: u64) -> bool {
        step.is_multiple_of(self.stride)
    }

    /// Adds the newest point. Points of its step or later ones go: after a
    /// rewind the path branches off where it went back to.
    pub fn push(&mut self, point: PathPoint) {
        while self
            .points
            .last()
            .is_some_and(|last| last.step >= point.step)
        {
            self.points.pop();
        }
        self.points.push(point);
        if self.points.len() > self.capacity {
            self.stride *= 2;
            let stride = self.stride;
            let on_stride = |p: &PathPoint| p.step.is_multiple_of(stride);
            if self.points.iter().filter(|p| on_stride(p)).count() >= self.capacity / 4 {
                self.points.retain(on_stride);
            } else {
                // Steps that nobody here chose may all lie beside the stride.
                let mut number = 0;
                self.points.retain(|_| {
                    number += 1;
                    number % 2 == 1
                });
            }
        }
    }

    /// The points, oldest first.
    pub fn points(&self) -> &[PathPoint] {
        &self.points
    }

    /// How many steps lie between two points.
    pub fn stride(&self) -> u64 {
        self.stride
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.points.clear();
        self.stride = self.first_stride;
    }

    /// An empty path that thins as this one did from its start.
    pub fn emptied(&self) -> Self {
        Trajectory {
            points: Vec::new(),
            stride: self.first_stride,
            ..*self
        }
    }

    /// Forgets what came after `step`.
    pub fn truncate_after(&mut self, step: u64) {
        self.points.retain(|p| p.step <= step);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_earlier_step_replaces_what_came_after_it() {
        let mut path = Trajectory::new(1, 1);
        for (step, value) in [(0, 0.0), (1, 1.0), (2, 2.0), (1, 10.0), (2, 20.0)] {
            path.push(PathPoint {
                step,
                epoch: 0,
                params: Arc::from([value]),
                loss: 0.0,
            });
        }
        let seen: Vec<_> = path.points().iter().map(|p| p.params[0]).collect();
        assert_eq!(seen, [0.0, 10.0, 20.0]);
    }

    #[test]
    fn memory_stays_bounded_and_points_evenly_spaced() {
        let params = (BYTES / 4) / 20;
        let mut path = Trajectory::new(params, 3);
        for step in 0..3000u64 {
            if path.wants(step) {
                let params: Arc<[f32]> = Arc::from([step as f32]);
                path.push(PathPoint {
                    step,
                    epoch: 0,
                    params,
                    loss: 0.0,
                });
            }
        }
        let steps: Vec<_> = path.points().iter().map(|p| p.step).collect();
        assert!(steps.len() <= 20 && steps.len() > 10, "{steps:?}");
        assert!(
            steps.windows(2).all(|w| w[1] - w[0] == path.stride()),
            "{steps:?}"
        );
    }
}
