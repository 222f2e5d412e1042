//! Other programs' file formats, one file each, in and out.
//!
//! The layouts written here are contracts: `docs/commands.md` states them, and
//! they are added to rather than renamed.

mod event_file;
mod glb;
mod html;
mod model;
mod model_out;
mod network_glb;
mod npz;
pub mod report;
mod run_events;
mod run_files;
mod safetensors;
mod surface_csv;
mod surface_file;
mod surface_glb;
mod surface_hdf5;
mod surface_html;
mod surface_mesh;
mod surface_npz;
mod surface_vtk;
mod tile;

pub use event_file::{
    Event, EventFault, EventHistogram, EventReader, EventValue, EventWriter, Growth, MOST_RECORD,
    NAME_PART, Piece, events_of_bytes, next_piece,
};
pub use model::{
    Attribute, ForeignModel, InputSides, InputValues, LiveModel, MODEL_ENDINGS, ModelFormat,
    ModelRow, ModelTable, Node, NodeValue, Numbers, Port, RanNode, Run, RunInput, RunPort,
    Runnable, Side, Status, Tensor, Translated, Translation, Weight, count_tensors, experiment_of,
    experiment_of_file, is_model, open_model, open_model_for, read_input_arrays, read_model,
    read_weights, tensors_of, translate,
};
pub use model_out::{ModelFile, ModelOut, model_notes, write_model};
pub use network_glb::{NetworkModel, write_network_glb};
pub use npz::{read_path, write_arrays, write_path, write_tensor_arrays};
pub use run_events::write_run_events;
pub use run_files::{write_epochs_csv, write_run_npz, write_steps_csv};
pub use safetensors::{Values, read_params, write_params, write_tensors};
pub use surface_file::{SurfaceFile, SurfaceFormat, write_surface_file};
pub use tile::{Identity, TileFile, TileHead, read_tile, tile_bytes, write_tile};

use crate::figure::FigureError;
use std::path::{Path, PathBuf};

/// The largest file of parameters or points that is read: 4 GiB.
const MAX_BYTES: u64 = 4 << 30;

/// Why a file cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum InteropError {
    /// The system refuses.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is not what it should be.
    #[error("{}: {message}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what was expected.
        message: String,
    },
    /// The name's ending says nothing that is known.
    #[error("{}: surfaces are written as {}", path.display(), SurfaceFormat::endings())]
    Ending {
        /// The file.
        path: PathBuf,
    },
    /// A picture cannot be drawn.
    #[error(transparent)]
    Figure(#[from] FigureError),
    /// One of its arrays is not what it should be.
    #[error("{}: {name}: {message}", path.display())]
    Array {
        /// The file.
        path: PathBuf,
        /// The array's name.
        name: String,
        /// What is wrong, and what was expected.
        message: String,
    },
}

impl InteropError {
    pub(super) fn io(path: &Path, source: std::io::Error) -> Self {
        InteropError::Io {
            path: path.to_owned(),
            source,
        }
    }

    fn format(path: &Path, message: impl Into<String>) -> Self {
        InteropError::Format {
            path: path.to_owned(),
            message: message.into(),
        }
    }

    fn array(path: &Path, name: &str, message: impl Into<String>) -> Self {
        InteropError::Array {
            path: path.to_owned(),
            name: name.to_owned(),
            message: message.into(),
        }
    }
}

/// The whole of a file that is not unreasonably large.
fn read_bytes(path: &Path) -> Result<Vec<u8>, InteropError> {
    let size = std::fs::metadata(path)
        .map_err(|error| InteropError::io(path, error))?
        .len();
    if size > MAX_BYTES {
        return Err(InteropError::format(
            path,
            format!("has {size} bytes; files of more than {MAX_BYTES} are not read"),
        ));
    }
    std::fs::read(path).map_err(|error| InteropError::io(path, error))
}
