//! Another program's weights for a network that is known.

use super::groups::{Group, groups};
use super::{Contents, ModelFormat, Tensor, contents, translate};
use crate::interop::{InteropError, read_bytes, read_params};
use crate::nn::{Layout, ParamRole, ParamTensor};
use std::path::Path;

/// Reads parameters for `layout` from a model of any format. Where the file has a graph,
/// the network that it becomes has to have the same parameters; where it has names alone,
/// its layers are taken in order, and each of a layer's blocks by what its name says
/// (`weight`, `bias`, `running_mean`, `running_var`). Files of our own are read by their
/// keys, see [`read_params`].
///
/// # Errors
/// When the file cannot be read, a block has another shape, or there are more or fewer.
pub fn read_weights(path: &Path, layout: &Layout) -> Result<Vec<f32>, InteropError> {
    let fault = |message: String| InteropError::format(path, message);
    if !super::is_model(path) {
        return read_params(path, layout);
    }
    match contents(path, read_bytes(path)?).map_err(&fault)? {
        Contents::Graph(model) => {
            let found = translate(&model).result.map_err(&fault)?;
            let (theirs, ours) = (found.network.layout().tensors(), layout.tensors());
            let shapes = |all: &[ParamTensor]| -> Vec<Vec<usize>> {
                all.iter().map(|t| t.shape.clone()).collect()
            };
            if shapes(theirs) == shapes(ours) {
                return Ok(found.params);
            }
            Err(fault(format!(
                "has parameters of the shapes {:?}, and the network needs {:?}",
                shapes(theirs),
                shapes(ours)
            )))
        }
        // Our own files name the layers by their numbers.
        Contents::Tensors(tensors)
            if tensors.format == ModelFormat::Safetensors
                && tensors.all.iter().any(|t| t.name.starts_with("layers.")) =>
        {
            read_params(path, layout)
        }
        Contents::Tensors(tensors) => by_order(layout, &groups(tensors)).map_err(&fault),
    }
}

/// The groups in their order as the layers of `layout` that have parameters.
fn by_order(layout: &Layout, groups: &[Group]) -> Result<Vec<f32>, String> {
    let mut layers: Vec<usize> = layout.tensors().iter().map(|tensor| tensor.layer).collect();
    layers.sort_unstable();
    layers.dedup();
    let groups: Vec<&Group> = groups
        .iter()
        .filter(|g| g.tensors.iter().any(|t| t.parameters() > 0))
        .collect();
    if groups.len() != layers.len() {
        let names: Vec<&str> = groups.iter().map(|g| g.name.as_str()).take(12).collect();
        return Err(format!(
            "has {} layers with weights ({}), and the network {}",
            groups.len(),
            names.join(", "),
            layers.len()
        ));
    }
    let mut params = vec![0.0; layout.len()];
    for tensor in layout.tensors() {
        let at = layers.partition_point(|&layer| layer < tensor.layer);
        let name = tensor.role.name();
        let found = groups[at]
            .tensors
            .iter()
            .find(|t| leaf_is(t, name, tensor.role));
        let found = found.ok_or_else(|| {
            format!(
                "{} has no {name}; the network needs {:?}",
                groups[at].name, tensor.shape
            )
        })?;
        let values = found.floats().filter(|_| fits(&found.shape, &tensor.shape));
        let values = values.ok_or_else(|| {
            format!(
                "{} has the shape {:?}; the network needs {:?}",
                found.name, found.shape, tensor.shape
            )
        })?;
        if let Some(bad) = values.iter().position(|v| !v.is_finite()) {
            return Err(format!(
                "{}: value {bad} is {}; weights have to be finite",
                found.name, values[bad]
            ));
        }
        params[tensor.range.clone()].copy_from_slice(values);
    }
    Ok(params)
}

fn leaf_is(tensor: &Tensor, name: &str, role: ParamRole) -> bool {
    let leaf = tensor
        .name
        .rsplit(['.', '/'])
        .next()
        .unwrap_or(&tensor.name);
    leaf == name
        || match role {
            ParamRole::Gain => leaf == "gamma",
            ParamRole::Shift => leaf == "beta",
            _ => false,
        }
}

/// Whether a block of one shape can be taken for one of another: sides of 1 do not count.
fn fits(theirs: &[usize], ours: &[usize]) -> bool {
    let long =
        |shape: &[usize]| -> Vec<usize> { shape.iter().copied().filter(|&n| n != 1).collect() };
    long(theirs) == long(ours)
}
