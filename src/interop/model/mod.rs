//! Models of other programs, in: a graph whatever the format ([`ForeignModel`]), and what
//! our engine makes of it ([`translate`]).
//!
//! Every length that a file states is checked against the file before memory is taken for
//! it, and nothing in a file is executed.

mod archive;
mod bytes;
mod experiment;
mod graph;
mod groups;
mod guess;
mod hdf5;
mod keras;
mod keras_layers;
mod live;
mod onnx;
mod onnx_operators;
mod pickle;
mod protobuf;
mod pytorch;
mod shared;
mod table;
mod tensors;
mod translate;
mod weights;

pub use experiment::{experiment_of, experiment_of_file};
pub use graph::{Attribute, ForeignModel, ModelFormat, Node, Numbers, Port, Side, Tensor, Weight};
pub use live::{LiveModel, tensors_of};
pub use table::{ModelRow, ModelTable};
pub use translate::{Status, Translated, Translation, translate};
pub use weights::read_weights;

use super::{InteropError, read_bytes};
use std::path::Path;

/// What a model's name may end in.
const ENDINGS: [&str; 10] = [
    "onnx",
    "h5",
    "hdf5",
    "keras",
    "pt",
    "pth",
    "bin",
    "ckpt",
    "safetensors",
    "npz",
];

/// The most layers of a file without a graph.
const MOST_GROUPS: usize = 10_000;

/// Whether the name of a file says that it is a model.
pub fn is_model(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| ENDINGS.contains(&ending.to_ascii_lowercase().as_str()))
}

/// Opens a model, whatever its format, which its first bytes say and else its name.
///
/// # Errors
/// When the file cannot be read, is of no format that is known, or is damaged.
pub fn open_model(path: &Path) -> Result<ForeignModel, InteropError> {
    let bytes = read_bytes(path)?;
    parse(path, bytes).map_err(|error| InteropError::format(path, error))
}

/// What lies in a file.
enum Contents {
    Graph(ForeignModel),
    Tensors(ModelFormat, Vec<Tensor>),
}

fn contents(path: &Path, bytes: Vec<u8>) -> Result<Contents, String> {
    let ending = path.extension().and_then(|ending| ending.to_str());
    let ending = ending.unwrap_or_default().to_ascii_lowercase();
    if bytes.is_empty() {
        return Err("is empty".to_owned());
    }
    if bytes.starts_with(b"\x89HDF\r\n\x1a\n") {
        return Ok(Contents::Graph(guarded(move || keras::h5(bytes))?));
    }
    if bytes.starts_with(b"PK\x03\x04") {
        let names = archive::Archive::open(&bytes)?.names();
        if names.iter().any(|name| name == "config.json") && ending != "npz" {
            return Ok(Contents::Graph(guarded(move || keras::keras(&bytes))?));
        }
        return Ok(if names.iter().any(|name| name.ends_with("data.pkl")) {
            Contents::Tensors(ModelFormat::PyTorch, pytorch::zipped(&bytes)?)
        } else {
            Contents::Tensors(ModelFormat::Npz, tensors::npz(&bytes)?)
        });
    }
    if pytorch::is_legacy(&bytes) {
        return Ok(Contents::Tensors(
            ModelFormat::PyTorch,
            pytorch::legacy(&bytes)?,
        ));
    }
    match ending.as_str() {
        "onnx" => Ok(Contents::Graph(onnx::parse(&bytes)?)),
        "safetensors" => Ok(Contents::Tensors(
            ModelFormat::Safetensors,
            tensors::safetensors(&bytes)?,
        )),
        "h5" | "hdf5" => Err("is not an HDF5 file: it does not begin as one".to_owned()),
        "keras" | "npz" => Err("is not a zip archive: it does not begin as one".to_owned()),
        "pt" | "pth" | "bin" | "ckpt" => Err(
            "is no file that torch.save wrote: neither a zip archive nor the older form".to_owned(),
        ),
        _ => Err(format!(
            "is no model that is known; models end in {}",
            ENDINGS.join(", ")
        )),
    }
}

/// Runs a reader that stands on a library for HDF5, which a damaged file may make panic.
fn guarded<T>(read: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(read));
    outcome.unwrap_or_else(|_| Err("is a damaged HDF5 file".to_owned()))
}

fn parse(path: &Path, bytes: Vec<u8>) -> Result<ForeignModel, String> {
    Ok(match contents(path, bytes)? {
        Contents::Graph(model) => model,
        Contents::Tensors(format, tensors) => {
            if tensors.is_empty() {
                return Err("holds no tensors".to_owned());
            }
            let groups = groups::groups(format, tensors);
            if groups.len() > MOST_GROUPS {
                let found = groups.len();
                return Err(format!(
                    "has {found} layers with weights; at most {MOST_GROUPS} are read"
                ));
            }
            guess::graph(format, groups)
        }
    })
}
