//! Parameters by name: safetensors and NPZ. Weights are `[out, in]` and `[filters, channels,
//! rows, columns]`, as PyTorch has them.

use super::ModelFile;
use super::names::key;
use crate::interop::InteropError;
use crate::interop::npz::{archive, shaped};
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use std::collections::HashMap;
use std::path::Path;

/// Under this key of the file's metadata stand the names of the layers in their order, a JSON
/// list. The format keeps none of its own.
pub(in crate::interop) const ORDER: &str = "gradscape.layers";

/// The bytes of a safetensors file.
pub(super) fn safetensors(model: &ModelFile<'_>) -> Result<Vec<u8>, String> {
    let names = model.layer_names();
    let layout = model.network.layout();
    let blocks: Vec<(String, &[usize], Vec<u8>)> = layout
        .tensors()
        .iter()
        .map(|tensor| {
            let values = &model.params[tensor.range.clone()];
            let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
            (key(&names, tensor), &tensor.shape[..], bytes)
        })
        .collect();
    let views = blocks
        .iter()
        .map(|(name, shape, bytes)| {
            TensorView::new(Dtype::F32, shape.to_vec(), bytes).map(|view| (name.as_str(), view))
        })
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| error.to_string())?;
    // What PyTorch's users look for first.
    let mut notes = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    notes.extend(model.notes.iter().cloned());
    let order = serde_json::to_string(&names).map_err(|error| error.to_string())?;
    notes.insert(ORDER.to_owned(), order);
    safetensors::serialize(views, Some(notes)).map_err(|error| error.to_string())
}

/// Writes an archive with an array for each block.
pub(super) fn npz(path: &Path, model: &ModelFile<'_>) -> Result<(), InteropError> {
    let names = model.layer_names();
    archive(path, |npz| {
        for tensor in model.network.layout().tensors() {
            let values = &model.params[tensor.range.clone()];
            npz.add_array(key(&names, tensor), &shaped(values, &tensor.shape))?;
        }
        Ok(())
    })
}
