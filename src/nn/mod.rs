//! Feed-forward networks as mathematics: parameters in one flat vector,
//! a forward pass, a loss and back-propagation.
//!
//! A [`Network`] holds no weights. It describes a function of a parameter
//! vector, of inputs and of targets; everything that varies is an argument.
//! That is what lets optimisers, error surfaces, files and undo treat a state
//! of training as one `Vec` of numbers.
//!
//! Notation, as in Bishop, *Pattern Recognition and Machine Learning* (2006),
//! section 5.3, with the layer as a superscript: `z = W x + b` is a layer's
//! pre-activation, `a = f(z)` its activation and `delta = dL/dz` its error
//! signal.

mod activation;
mod aligned;
mod arch;
mod chain;
mod connections;
mod derivatives;
pub mod elementary;
mod init;
mod kernel;
pub mod layer;
mod layout;
mod loss;
mod network;
mod readout;
mod readout_gradient;
mod real;
mod shape;
mod spec;
mod sweep;
mod workspace;

pub use activation::Activation;
pub use arch::arch;
pub use connections::{Connections, Link};
pub use derivatives::Tangents;
pub use init::Init;
pub use layer::{Layer, LayerKind, Source};
pub use layout::{Layout, ParamPlace, ParamRole, ParamTensor};
pub use loss::Loss;
pub use network::Network;
pub use readout::{Readout, ReadoutError, Stage};
pub use readout_gradient::ReadoutGradient;
pub use real::{Matrix, Real};
pub use shape::Shape;
pub use spec::{LayerSpec, NetworkError};
pub use sweep::{Chunk, Sweep, SweepBuffers, Tally};
pub use workspace::{Mode, Workspace};
