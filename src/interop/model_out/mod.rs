//! Networks of ours for other programs: ONNX with the whole graph, safetensors and NPZ with the
//! parameters under the names that PyTorch users know.

mod names;
mod notes;
mod onnx;
mod tensors;
mod wire;

pub use notes::model_notes;
pub(super) use onnx::bytes as onnx_bytes;
pub(super) use tensors::ORDER;

use super::InteropError;
use crate::nn::Network;
use std::path::Path;

/// What a network is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ModelOut {
    /// The graph with its parameters, `.onnx`.
    Onnx,
    /// The parameters by name, `.safetensors`.
    Safetensors,
    /// The parameters by name, `.npz`.
    Npz,
}

impl ModelOut {
    /// All of them, in the order of a menu.
    pub const ALL: [ModelOut; 3] = [ModelOut::Onnx, ModelOut::Safetensors, ModelOut::Npz];

    /// What its makers call it.
    pub fn name(self) -> &'static str {
        match self {
            ModelOut::Onnx => "ONNX",
            ModelOut::Safetensors => "safetensors",
            ModelOut::Npz => "NPZ",
        }
    }

    /// What its files end in, without the dot.
    pub fn ending(self) -> &'static str {
        match self {
            ModelOut::Onnx => "onnx",
            ModelOut::Safetensors => "safetensors",
            ModelOut::Npz => "npz",
        }
    }

    /// The format that a file's name asks for.
    pub fn of_path(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        Self::ALL
            .into_iter()
            .find(|format| format.ending() == ending)
    }
}

/// A network that is to be written.
#[derive(Debug, Clone)]
pub struct ModelFile<'a> {
    /// Its layers.
    pub network: &'a Network,
    /// Its parameters, in the order of its layout.
    pub params: &'a [f32],
    /// What it is called.
    pub title: &'a str,
    /// What whoever uses it should know, by key: how inputs were scaled, what the classes
    /// are called. NPZ has no place for it.
    pub notes: &'a [(String, String)],
}

impl ModelFile<'_> {
    /// The name of each layer as it stands in the file: its own, else its kind with its number
    /// from 1, the last layer's `output`; none twice.
    pub fn layer_names(&self) -> Vec<String> {
        names::layer_names(self.network)
    }

    /// The version of ONNX's operators that it needs: 17, and 20 for a network with GELU.
    pub fn opset(&self) -> i64 {
        onnx::opset(self.network)
    }
}

/// Writes `model` in the format that the name of `path` asks for.
///
/// # Errors
/// When that is none, `params` is not as long as the network's layout, the model does not go
/// into the format, or the file cannot be written.
pub fn write_model(path: &Path, model: &ModelFile<'_>) -> Result<(), InteropError> {
    let needed = model.network.layout().len();
    if model.params.len() != needed {
        let found = model.params.len();
        return Err(InteropError::format(
            path,
            format!("{found} values for {needed} parameters are not written"),
        ));
    }
    let io = |error| InteropError::io(path, error);
    match ModelOut::of_path(path) {
        Some(ModelOut::Onnx) => {
            let bytes = onnx::bytes(model).map_err(|fault| InteropError::format(path, fault))?;
            crate::files::replace(path, &bytes).map_err(io)
        }
        Some(ModelOut::Safetensors) => {
            let bytes = tensors::safetensors(model);
            let bytes = bytes.map_err(|fault| InteropError::format(path, fault))?;
            crate::files::replace(path, &bytes).map_err(io)
        }
        Some(ModelOut::Npz) => tensors::npz(path, model),
        None => Err(InteropError::format(
            path,
            "models are written as .onnx, .safetensors or .npz",
        )),
    }
}
