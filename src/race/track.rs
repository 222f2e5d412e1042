//! The path of a ball, bounded.

/// One place on a ball's path.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BallPoint {
    /// Steps completed.
    pub step: u64,
    /// x and y.
    pub at: [f64; 2],
    /// The value there.
    pub value: f64,
}

/// The most points.
const MOST: usize = 8192;

/// A bounded record of the path: when it is full every second point goes and
/// from then on points are taken twice as far apart.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct BallTrack {
    points: Vec<BallPoint>,
    stride: u64,
}

impl BallTrack {
    pub(super) fn new() -> Self {
        BallTrack {
            points: Vec::new(),
            stride: 1,
        }
    }

    /// Adds the newest point, if one is due.
    pub(super) fn push(&mut self, point: BallPoint) {
        if !point.step.is_multiple_of(self.stride) {
            return;
        }
        self.points.push(point);
        if self.points.len() > MOST {
            self.stride *= 2;
            let stride = self.stride;
            self.points.retain(|p| p.step.is_multiple_of(stride));
        }
    }

    /// The points, oldest first.
    pub(super) fn points(&self) -> &[BallPoint] {
        &self.points
    }

    /// Forgets what came after `step`.
    pub(super) fn truncate_after(&mut self, step: u64) {
        self.points.retain(|p| p.step <= step);
    }
}
