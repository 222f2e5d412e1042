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

    /// The height over `(x, y)` and its derivatives along the two directions:
    /// the gradient with respect to all parameters, by back-propagation, times
    /// each direction. `None` for the accuracy, which has no derivative.
    pub fn gradient(&self, x: f64, y: f64) -> Option<(f64, [f64; 2])> {
        let params = self.plane.point(x, y);
        let (height, gradient) = self.gauge.loss_and_gradient_at(&params)?;
        let along = |direction: &[f32]| -> f64 {
            let products = gradient.iter().zip(direction);
            products.map(|(&g, &d)| f64::from(g) * f64::from(d)).sum()
        };
        let (u, v) = (self.plane.direction_x(), self.plane.direction_y());
        Some((height, [along(u), along(v)]))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Experiment;
    use crate::landscape::{Directions, Measure, Quantity};
    use crate::train::Problem;

    #[test]
    fn the_gradient_is_the_slope_of_the_surface_and_contains_the_penalty() {
        let text = "[data]\nsource = \"circle\"\nsamples = 300\n[network]\n\
                    layers = [{ dense = 5 }, { dense = 3 }]\nloss = \"cross-entropy\"\n\
                    [training]\nl2 = 0.1";
        let problem = Problem::new(&Experiment::parse(text, "test").unwrap()).unwrap();
        let center = problem.initial_params();
        let plane = Directions::Random { seed: 4 }
            .plane(problem.network.layout(), &center)
            .unwrap();
        for penalties in [false, true] {
            let measure = Measure {
                penalties,
                ..Measure::default()
            };
            let slice = Slice::new(Gauge::new(&problem, measure, None).unwrap(), &plane);
            let mut buffers = slice.buffers();
            let mut at = |x: f64, y: f64| {
                let mut height = [0.0];
                slice.heights(&[[x, y]], &mut buffers, &mut height);
                height[0]
            };
            for (x, y) in [(0.0, 0.0), (0.4, -0.7), (-1.1, 0.3)] {
                let (height, [dx, dy]) = slice.gradient(x, y).unwrap();
                assert!((height - at(x, y)).abs() <= 1e-6 * height, "{height}");
                // Fourth-order differences at single precision.
                let h = 0.02;
                let slope = |f: &mut dyn FnMut(f64) -> f64| {
                    (8.0 * (f(h) - f(-h)) - (f(2.0 * h) - f(-2.0 * h))) / (12.0 * h)
                };
                let (ex, ey) = (slope(&mut |d| at(x + d, y)), slope(&mut |d| at(x, y + d)));
                let size = dx.hypot(dy).max(0.1);
                assert!((dx - ex).abs() < 1e-4 * size, "{x} {y}: {dx} for {ex}");
                assert!((dy - ey).abs() < 1e-4 * size, "{x} {y}: {dy} for {ey}");
            }
        }
        let measure = Measure {
            quantity: Quantity::Accuracy,
            ..Measure::default()
        };
        let gauge = Gauge::new(&problem, measure, None).unwrap();
        assert_eq!(Slice::new(gauge, &plane).gradient(0.0, 0.0), None);
    }
}
