//! NumPy archives: tensors, arrays, and a run's path.

use super::{InteropError, MAX_BYTES, Values};
use crate::data::npy::NpyBytes;
use crate::files::NewFile;
use crate::nn::Layout;
use crate::train::PathPoint;
use ndarray::{Array2, ArrayD, ArrayView1, ArrayViewD, arr0};
use ndarray_npy::NpzWriter;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;
use zip::ZipArchive;

/// Writes an archive, whole or not at all.
pub(super) fn archive(
    path: &Path,
    fill: impl FnOnce(&mut NpzWriter<&File>) -> Result<(), ndarray_npy::WriteNpzError>,
) -> Result<(), InteropError> {
    let io = |error| InteropError::io(path, error);
    let new = NewFile::create(path).map_err(io)?;
    let mut npz = NpzWriter::new(new.file());
    fill(&mut npz)
        .and_then(|()| npz.finish().map(drop))
        .map_err(|error| InteropError::format(path, error.to_string()))?;
    new.finish().map_err(io)
}

/// Writes what [`write_tensors`](super::write_tensors) does as an archive: an
/// array for each tensor, under the same names.
///
/// # Errors
/// When the file cannot be written, or `values` is not as long as the layout.
pub fn write_tensor_arrays(
    path: &Path,
    layout: &Layout,
    values: Values<'_>,
    scalars: &[(&str, f64)],
) -> Result<(), InteropError> {
    values.fit(path, layout)?;
    archive(path, |npz| {
        for (name, value) in scalars {
            npz.add_array(*name, &arr0(*value))?;
        }
        for tensor in layout.tensors() {
            let (name, shape, part) = (tensor.key(), &tensor.shape[..], tensor.range.clone());
            match values {
                Values::Single(v) => npz.add_array(name, &shaped(&v[part], shape))?,
                Values::Double(v) => npz.add_array(name, &shaped(&v[part], shape))?,
            }
        }
        Ok(())
    })
}

/// Writes arrays under their names.
///
/// # Errors
/// When the file cannot be written.
pub fn write_arrays(path: &Path, arrays: &[(String, ArrayD<f64>)]) -> Result<(), InteropError> {
    archive(path, |npz| {
        for (name, array) in arrays {
            npz.add_array(name.as_str(), array)?;
        }
        Ok(())
    })
}

pub(super) fn shaped<'a, A>(values: &'a [A], shape: &[usize]) -> ArrayViewD<'a, A> {
    let flat = ArrayView1::from(values).into_dyn();
    // Cannot fail: a tensor's range is as long as its shape says.
    flat.clone().into_shape_with_order(shape).unwrap_or(flat)
}

/// Writes `steps` and `epochs` `[k]` as u64, `losses` `[k]` as f64 and `params`
/// `[k, parameters]` as f32.
///
/// # Errors
/// When the file cannot be written, or two points differ in length.
pub fn write_path(path: &Path, points: &[PathPoint]) -> Result<(), InteropError> {
    let width = points.first().map_or(0, |p| p.params.len());
    let flat: Vec<f32> = points
        .iter()
        .flat_map(|p| p.params.iter().copied())
        .collect();
    let params = Array2::from_shape_vec((points.len(), width), flat)
        .map_err(|error| InteropError::array(path, "params", error.to_string()))?;
    let steps: Vec<u64> = points.iter().map(|p| p.step).collect();
    let epochs: Vec<u64> = points.iter().map(|p| p.epoch as u64).collect();
    let losses: Vec<f64> = points.iter().map(|p| p.loss).collect();
    archive(path, |npz| {
        npz.add_array("steps", &ArrayView1::from(&steps))?;
        npz.add_array("epochs", &ArrayView1::from(&epochs))?;
        npz.add_array("losses", &ArrayView1::from(&losses))?;
        npz.add_array("params", &params)
    })
}

/// Reads what [`write_path`] wrote, for a network of `parameters` parameters.
///
/// # Errors
/// When an array is missing, or their shapes do not go together.
pub fn read_path(path: &Path, parameters: usize) -> Result<Vec<PathPoint>, InteropError> {
    let file = File::open(path).map_err(|error| InteropError::io(path, error))?;
    let size = file
        .metadata()
        .map_err(|error| InteropError::io(path, error))?
        .len();
    if size > MAX_BYTES {
        return Err(InteropError::format(path, "is too large for a run's path"));
    }
    let mut archive = ZipArchive::new(BufReader::new(file))
        .map_err(|error| InteropError::format(path, format!("is not an NPZ archive: {error}")))?;
    let mut array = |name: &str| -> Result<ArrayD<f64>, InteropError> {
        NpyBytes::read(path, &mut archive, name)
            .and_then(|bytes| bytes.values(path, name, |v| v))
            // The reader's error already names the file.
            .map_err(|error| InteropError::Format {
                path: path.to_owned(),
                message: error
                    .to_string()
                    .trim_start_matches(&format!("{}: ", path.display()))
                    .to_owned(),
            })
    };
    let (steps, epochs, losses) = (array("steps")?, array("epochs")?, array("losses")?);
    let params = array("params")?;
    let k = steps.len();
    if epochs.len() != k || losses.len() != k || params.shape() != [k, parameters] {
        return Err(InteropError::array(
            path,
            "params",
            format!(
                "the shape {:?} does not go with {k} points of a network with {parameters} parameters",
                params.shape()
            ),
        ));
    }
    let columns = steps.iter().zip(&epochs).zip(&losses);
    Ok(columns
        .zip(params.rows())
        .map(|(((&step, &epoch), &loss), row)| PathPoint {
            step: step as u64,
            epoch: epoch as usize,
            loss,
            params: row.iter().map(|&v| v as f32).collect::<Arc<[f32]>>(),
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points() -> Vec<PathPoint> {
        (0..4_u64)
            .map(|i| PathPoint {
                step: 3 * i,
                epoch: i as usize,
                params: Arc::from([0.1 * i as f32, -1.5, 3e-9]),
                loss: 1.0 / (i + 1) as f64,
            })
            .collect()
    }

    #[test]
    fn a_path_is_read_back_as_it_was_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("path.npz");
        write_path(&path, &points()).unwrap();
        let read = read_path(&path, 3).unwrap();
        assert_eq!(read.len(), 4);
        for (a, b) in read.iter().zip(points()) {
            assert_eq!((a.step, a.epoch, a.loss), (b.step, b.epoch, b.loss));
            assert_eq!(a.params, b.params);
        }
        assert!(read_path(&path, 4).is_err());
    }

    #[test]
    fn a_damaged_path_is_an_error_and_never_a_panic() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("path.npz");
        write_path(&path, &points()).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for cut in (0..whole.len()).step_by(37) {
            std::fs::write(&path, &whole[..cut]).unwrap();
            assert!(read_path(&path, 3).is_err());
        }
    }
}
