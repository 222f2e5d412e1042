//! The floating-point type that the core is generic over: `f32` trains, `f64`
//! checks, through the same code.

use ndarray::NdFloat;
use num_traits::FromPrimitive;

/// `f32` or `f64`.
pub trait Real: NdFloat + FromPrimitive + Default + std::iter::Sum {
    /// The nearest value of this type to `value`.
    fn of(value: f64) -> Self;
    /// This value as an `f64`, exactly.
    fn wide(self) -> f64;
}

impl Real for f32 {
    fn of(value: f64) -> Self {
        value as f32
    }
    fn wide(self) -> f64 {
        f64::from(self)
    }
}

impl Real for f64 {
    fn of(value: f64) -> Self {
        value
    }
    fn wide(self) -> f64 {
        self
    }
}
