//! The curvature of the loss at one place: the ends of the Hessian's spectrum.

mod hessian;
mod lanczos;

pub use hessian::LossHessian;
pub use lanczos::{BYTES, Effort, Eigenpair, Ends, Symmetric, WHOLE, ends};
