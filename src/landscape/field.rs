//! Whatever has a height over each point of a plane.

use super::measure::Gauge;
use super::plane::Plane;
use crate::train::Evaluator;

/// A function of two coordinates that is computed many points at a time. What it
/// gives for a point depends on nothing but the point: not on which others are
/// asked for with it, nor on the thread.
pub trait HeightField: Sync {
    /// What one thread needs to compute.
    type Buffers: Send;

    /// Buffers for one thread.
    fn buffers(&self) -> Self::Buffers;

    /// The heights over `points` `(x, y)`, as many as `heights` takes.
    fn heights(&self, points: &[[f64; 2]], buffers: &mut Self::Buffers, heights: &mut [f64]);
}

/// A measure of a network over a plane through its parameters.
#[derive(Debug, Clone, Copy)]
pub struct Slice<'a> {
    gauge: Gauge<'a>,
    plane: &'a Plane,
}

impl<'a> Slice<'a> {
    /// What `gauge` measures, over `plane`.
    pub fn new(gauge: Gauge<'a>, plane: &'a Plane) -> Self {
        Slice { gauge, plane }
    }
}

impl HeightField for Slice<'_> {
    type Buffers = (Evaluator, Vec<f32>);

    fn buffers(&self) -> Self::Buffers {
        let params = vec![0.0; self.plane.center().len()];
        (Evaluator::new(self.gauge.network()), params)
    }

    fn heights(
        &self,
        points: &[[f64; 2]],
        (evaluator, params): &mut Self::Buffers,
        heights: &mut [f64],
    ) {
        for (&[x, y], height) in points.iter().zip(heights) {
            self.plane.write_point(x, y, params);
            *height = self.gauge.at(params, evaluator);
        }
    }
}
