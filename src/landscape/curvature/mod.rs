//! The curvature of the loss at one place, from exact products with its Hessian:
//! the ends of the spectrum (Lanczos), the trace (Hutchinson), the spectral
//! density (stochastic Lanczos quadrature), and what kind of place it is.
//!
//! Everything is in double precision. Memory is bounded ([`BYTES`]): the larger
//! the network, the fewer Lanczos vectors there are, and residuals say what that
//! leaves to be desired.

mod critical;
mod density;
mod estimate;
mod hessian;
mod krylov;
mod lanczos;
mod measure;

pub use critical::{CriticalPoint, Evidence, FLAT, SIGNLESS, STILL, gain};
pub use density::Density;
pub use estimate::{Estimate, trace};
pub use hessian::LossHessian;
pub use krylov::{BYTES, Symmetric};
pub use lanczos::{Effort, Eigenpair, Ends, WHOLE, ends};
pub use measure::{Curvature, CurvatureError, CurvatureOptions};
