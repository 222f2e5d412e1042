//! Error surfaces: the loss over a plane through parameter space, and the
//! optimiser's path seen from that plane.
//!
//! Every point of a surface is `L(c + x u + y v)` with the centre `c` and the
//! directions `u`, `v` of a [`Plane`]. A surface shows a slice; training leaves
//! the slice, so a path is projected onto it by least squares and carries its
//! true loss beside the slice's.

mod analytic;
pub mod curvature;
mod curved;
mod directions;
mod field;
mod filter;
mod grid;
mod honesty;
mod line;
mod measure;
mod path;
mod plane;
mod principal;
mod scope;
mod slice;
mod span;
mod surface;
pub mod tiles;

pub use analytic::{Analytic, Builtin, ExpressionError, Jet, Minimum};
pub use directions::{Directions, DirectionsError, LAST_STEP};
pub use field::HeightField;
pub use grid::{Axis, GridError, MAX_POINTS};
pub use honesty::{LARGE_GAP, LITTLE_SHARE, Misleads, misleads};
pub use line::{Line, LineError, LinePoint};
pub use measure::{Gauge, Measure, MeasureError, Over, Quantity};
pub use path::{PathOnPlane, PlanePoint, path_on_plane};
pub use plane::{Plane, PlaneError, Projection};
pub use principal::principal_plane;
pub use scope::{Scope, ScopeError};
pub use slice::{Slice, SliceBuffers};
pub use span::{PlaneContext, Spanned, span, through_checkpoints};
pub use surface::{Surface, evaluate};
