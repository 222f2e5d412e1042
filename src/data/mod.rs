//! Data: generated problems, real data that ships with the program, and files
//! of the user's own, split into training and validation and scaled.
//!
//! [`DataConfig`] says which data; [`prepare`] turns it into [`Prepared`].
//! Nothing here knows of networks.

pub mod assets;
mod columns;
pub mod config;
pub mod dataset;
mod drawing;
mod embedded;
pub mod error;
pub mod features;
pub mod generators;
mod idx;
pub mod labels;
mod load;
pub(crate) mod npy;
mod npz;
pub mod prepared;
pub mod provenance;
mod records;
pub mod scale;
pub mod source;
pub mod split;
pub mod summary;
mod table;
mod validate;

pub use assets::asset_folders;
pub use config::{ColumnRef, ConfigError, DataConfig, Label, Missing, Scale, TaskKind};
pub use dataset::{Dataset, ImageShape, MissingValue, Target, Task};
pub use drawing::Drawing;
pub use error::DataError;
pub use features::InputFeature;
pub use load::load;
pub use prepared::{Part, Prepared, prepare};
pub use provenance::{Provenance, provenance};
pub use scale::Scaler;
pub use source::{SourceInfo, SourceKind, source_info, source_kind, sources};
pub use split::{Split, split};
pub use summary::{Summary, summarise};
