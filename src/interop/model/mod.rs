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
mod onnx_tensor;
mod pickle;
pub(super) mod protobuf;
mod pytorch;
mod run;
mod shared;
mod sides;
mod table;
mod tensors;
mod translate;
mod weights;

pub use experiment::{experiment_of, experiment_of_file};
pub use graph::{Attribute, ForeignModel, ModelFormat, Node, Numbers, Port, Side, Tensor, Weight};
pub use live::{LiveModel, count_tensors, tensors_of};
pub use run::{InputValues, NodeValue, RanNode, Run, RunInput, RunPort, Runnable};
pub use sides::InputSides;
pub use table::{ModelRow, ModelTable};
pub use translate::{Status, Translated, Translation, translate};
pub use weights::read_weights;

use super::{InteropError, read_bytes};
use std::path::Path;

/// What a model's name may end in.
pub const MODEL_ENDINGS: [&str; 11] = [
    "onnx",
    "h5",
    "hdf5",
    "keras",
    "pt",
    "pth",
    "jit",
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
    ending.is_some_and(|ending| MODEL_ENDINGS.contains(&ending.to_ascii_lowercase().as_str()))
}

/// Opens a model, whatever its format, which its first bytes say and else its name.
///
/// # Errors
/// When the file cannot be read, is of no format that is known, or is damaged.
pub fn open_model(path: &Path) -> Result<ForeignModel, InteropError> {
    open_model_for(path, &[])
}

/// The same, where somebody says how large what it reads is: sides that the file leaves open,
/// and the images of weights without a graph.
///
/// # Errors
/// As of [`open_model`]; for an input that is not there or has other sides.
pub fn open_model_for(path: &Path, inputs: &[InputSides]) -> Result<ForeignModel, InteropError> {
    let bytes = read_bytes(path)?;
    parse(path, bytes, inputs).map_err(|error| InteropError::format(path, error))
}

/// The model in `bytes`, which came from a file or went by the name of one.
///
/// # Errors
/// When they are of no format that is known, or damaged.
pub fn read_model(path: &Path, bytes: Vec<u8>) -> Result<ForeignModel, InteropError> {
    parse(path, bytes, &[]).map_err(|error| InteropError::format(path, error))
}

/// The arrays of an NPZ archive by name, with their sides, as single precision.
///
/// # Errors
/// When the file cannot be read or is no such archive.
pub fn read_input_arrays(path: &Path) -> Result<Vec<(String, Vec<usize>, Vec<f32>)>, InteropError> {
    let fault = |message: String| InteropError::format(path, message);
    let arrays = tensors::npz_floats(&read_bytes(path)?).map_err(fault)?;
    let floats = arrays.into_iter().filter_map(|array| match array.numbers {
        Numbers::Floats(all) => Some((array.name, array.shape, all)),
        _ => None,
    });
    Ok(floats.collect())
}

/// What lies in a file.
enum Contents {
    Graph(ForeignModel),
    Tensors(Tensors),
}

/// Weights without a graph.
struct Tensors {
    format: ModelFormat,
    all: Vec<Tensor>,
    /// Whether the file says the order of its layers.
    ordered: bool,
}

impl Tensors {
    fn in_order(format: ModelFormat, all: Vec<Tensor>) -> Contents {
        Contents::Tensors(Tensors {
            format,
            all,
            ordered: true,
        })
    }
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
            Tensors::in_order(ModelFormat::PyTorch, pytorch::zipped(&bytes)?)
        } else {
            Tensors::in_order(ModelFormat::Npz, tensors::npz(&bytes)?)
        });
    }
    if pytorch::is_legacy(&bytes) {
        return Ok(Tensors::in_order(
            ModelFormat::PyTorch,
            pytorch::legacy(&bytes)?,
        ));
    }
    match ending.as_str() {
        "onnx" => Ok(Contents::Graph(onnx::parse(&bytes)?)),
        "safetensors" => Ok(Contents::Tensors(tensors::safetensors(&bytes)?)),
        "h5" | "hdf5" => Err("is not an HDF5 file: it does not begin as one".to_owned()),
        "keras" | "npz" => Err("is not a zip archive: it does not begin as one".to_owned()),
        "pt" | "pth" | "jit" | "bin" | "ckpt" => Err(
            "is no file that torch.save wrote, which is what a name with this ending says: neither a \
             zip archive nor the older form. Another model has the ending of its own format, such \
             as .onnx"
                .to_owned(),
        ),
        _ => Err(format!(
            "is no model that is known; models end in {}",
            MODEL_ENDINGS.join(", ")
        )),
    }
}

/// Runs a reader that stands on a library for HDF5, which a damaged file may make panic.
fn guarded<T>(read: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(read));
    outcome.unwrap_or_else(|_| Err("is a damaged HDF5 file".to_owned()))
}

fn parse(path: &Path, bytes: Vec<u8>, inputs: &[InputSides]) -> Result<ForeignModel, String> {
    Ok(match contents(path, bytes)? {
        Contents::Graph(mut model) => {
            sides::set(&mut model, inputs)?;
            model
        }
        Contents::Tensors(tensors) => {
            if tensors.all.is_empty() {
                return Err("holds no tensors".to_owned());
            }
            let format = tensors.format;
            let groups = groups::groups(tensors);
            if groups.len() > MOST_GROUPS {
                let found = groups.len();
                return Err(format!(
                    "has {found} layers with weights; at most {MOST_GROUPS} are read"
                ));
            }
            let given = sides::of_images(inputs)?;
            let mut model = guess::graph(format, groups, given);
            sides::set(&mut model, inputs)?;
            model
        }
    })
}
