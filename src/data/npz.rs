//! NumPy archives with an array of samples and one of labels.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use ndarray::{Array2, ArrayD};
use zip::ZipArchive;

use super::config::{ColumnRef, DataConfig, Label, TaskKind};
use super::dataset::{Dataset, ImageShape, Target};
use super::error::DataError;
use super::labels;
use super::npy::NpyBytes;

/// The samples and labels that `config` names in the archive at `path`.
pub(super) fn load(path: &Path, config: &DataConfig) -> Result<Dataset, DataError> {
    let inputs = config.inputs.as_deref().unwrap_or("x");
    let labels = match &config.label {
        Some(Label::One(ColumnRef::Name(name))) => name,
        _ => "y",
    };
    let file = File::open(path).map_err(|error| DataError::io(path, error))?;
    let mut archive = ZipArchive::new(BufReader::new(file))
        .map_err(|error| DataError::file(path, format!("is not an NPZ archive: {error}")))?;
    let x =
        NpyBytes::read(path, &mut archive, inputs)?.values(path, inputs, |value| value as f32)?;
    if let Some(bad) = x.iter().position(|value| !value.is_finite()) {
        return Err(not_finite(path, inputs, &x.shape()[1..], bad));
    }
    let y = NpyBytes::read(path, &mut archive, labels)?.values(path, labels, |value| value)?;
    if let Some(bad) = y.iter().position(|value| !value.is_finite()) {
        return Err(not_finite(path, labels, &y.shape()[1..], bad));
    }
    let (features, image) = samples(path, inputs, x)?;
    let target = target(path, labels, y, features.nrows(), config.task)?;
    let names = match image {
        Some(image) => image.pixel_names(),
        None => (0..features.ncols())
            .map(|j| format!("{inputs}{j}"))
            .collect(),
    };
    Ok(Dataset::from_columns(
        super::load::file_name(path),
        features,
        names,
        target,
        image,
    ))
}

fn samples(
    path: &Path,
    name: &str,
    x: ArrayD<f32>,
) -> Result<(Array2<f32>, Option<ImageShape>), DataError> {
    let shape = x.shape().to_vec();
    let image = match shape[..] {
        [_, _] => None,
        [_, height, width] => Some(ImageShape {
            height,
            width,
            channels: 1,
        }),
        [_, height, width, channels @ 1..=4] => Some(ImageShape {
            height,
            width,
            channels,
        }),
        _ => {
            return Err(DataError::file(
                path,
                format!(
                    "array \"{name}\" has the shape {shape:?}; samples need [samples, features], \
                     [samples, height, width] or [samples, height, width, channels]"
                ),
            ));
        }
    };
    let columns = shape[1..].iter().product();
    if x.is_empty() {
        return Err(DataError::file(
            path,
            format!("array \"{name}\" has the shape {shape:?} and no values"),
        ));
    }
    let flat = x.into_iter().collect();
    Array2::from_shape_vec((shape[0], columns), flat)
        .map(|features| (features, image))
        .map_err(|error| DataError::file(path, error.to_string()))
}

fn target(
    path: &Path,
    name: &str,
    y: ArrayD<f64>,
    n: usize,
    task: Option<TaskKind>,
) -> Result<Target, DataError> {
    let shape = y.shape().to_vec();
    let fault = |message: String| DataError::file(path, format!("array \"{name}\" {message}"));
    if shape.first() != Some(&n) || shape.len() > 2 || y.is_empty() {
        return Err(fault(format!(
            "has the shape {shape:?}; {n} samples need [{n}] or [{n}, outputs]"
        )));
    }
    let outputs = shape.get(1).copied().unwrap_or(1);
    let flat: Vec<f64> = y.into_iter().collect();
    if outputs == 1 {
        return labels::from_numbers(&flat, name, task).map_err(|error| fault(error.message));
    }
    if task == Some(TaskKind::Classification) {
        return Err(fault(format!(
            "has {outputs} columns; classification needs the number of a class for each sample"
        )));
    }
    let values = Array2::from_shape_fn((n, outputs), |(i, j)| flat[i * outputs + j] as f32);
    if values.iter().any(|value| !value.is_finite()) {
        return Err(fault("has values too large for 32-bit numbers".to_owned()));
    }
    Ok(Target::Values {
        values,
        names: (0..outputs).map(|j| format!("{name}{j}")).collect(),
    })
}

fn not_finite(path: &Path, name: &str, sample_shape: &[usize], index: usize) -> DataError {
    let width = sample_shape.iter().product::<usize>().max(1);
    DataError::file(
        path,
        format!(
            "array \"{name}\", sample {}, value {} (counted from 0): not a finite 32-bit number",
            index / width,
            index % width
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array1, Array3, array};
    use ndarray_npy::NpzWriter;
    use std::io::Write;

    fn written(fill: impl FnOnce(&mut NpzWriter<File>)) -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().expect("temporary folder");
        let path = dir.path().join("data.npz");
        let mut npz = NpzWriter::new_compressed(File::create(&path).expect("writable"));
        fill(&mut npz);
        npz.finish().expect("written");
        (dir, path)
    }

    fn load_error(path: &Path) -> String {
        load(path, &DataConfig::of("data.npz"))
            .expect_err("must be refused")
            .to_string()
    }

    #[test]
    fn arrays_come_back_as_they_were_written() {
        let (_dir, path) = written(|npz| {
            npz.add_array("x", &array![[1.5_f64, -2.0], [0.25, 4.0]])
                .expect("x");
            npz.add_array("y", &array![7_i64, 3]).expect("y");
        });
        let data = load(&path, &DataConfig::of("data.npz")).expect("valid");
        assert_eq!(data.features, array![[1.5_f32, -2.0], [0.25, 4.0]]);
        assert_eq!(
            data.target,
            Target::Classes {
                labels: vec![1, 0],
                names: vec!["3".into(), "7".into()]
            }
        );
        assert!(data.points.is_some(), "two columns are points in the plane");
    }

    #[test]
    fn images_and_named_arrays_of_bytes_are_read() {
        let (_dir, path) = written(|npz| {
            npz.add_array("img", &Array3::<u8>::from_elem((2, 3, 4), 9))
                .expect("img");
            npz.add_array("out", &array![[0.5_f32, 1.0], [2.0, 3.0]])
                .expect("out");
        });
        let config = DataConfig {
            inputs: Some("img".into()),
            label: Some("out".into()),
            ..DataConfig::of("data.npz")
        };
        let data = load(&path, &config).expect("valid");
        assert_eq!(
            data.image,
            Some(ImageShape {
                height: 3,
                width: 4,
                channels: 1
            })
        );
        assert_eq!(
            data.target.values(),
            Some(&array![[0.5_f32, 1.0], [2.0, 3.0]])
        );
        let error = load_error(&path);
        assert!(
            error.contains("img") && error.contains("data.inputs"),
            "{error}"
        );
    }

    #[test]
    fn a_value_that_is_not_finite_is_refused_with_its_place() {
        let (_dir, path) = written(|npz| {
            npz.add_array("x", &array![[1.0_f64, 2.0], [1.0, 1e300]])
                .expect("x");
            npz.add_array("y", &array![0_u8, 1]).expect("y");
        });
        let error = load_error(&path);
        assert!(error.contains("sample 1, value 1"), "{error}");
    }

    #[test]
    fn text_is_refused_by_its_type() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let path = dir.path().join("text.npz");
        write_raw(
            &path,
            "{'descr': '<U4', 'fortran_order': False, 'shape': (1,), }\n",
            &[0; 16],
        );
        assert!(load_error(&path).contains("<U4"));
    }

    proptest::proptest! {
        #[test]
        fn no_header_makes_the_reader_panic(header in ".{0,80}", shape in "[0-9,()]{0,20}", rest: Vec<u8>) {
            let dir = tempfile::tempdir().expect("temporary folder");
            let path = dir.path().join("any.npz");
            for header in [header, format!("{{'descr': '<f4', 'fortran_order': True, 'shape': {shape}, }}\n")] {
                write_raw(&path, &header, &rest);
                let _ = load(&path, &DataConfig::of("any.npz"));
            }
        }
    }

    fn write_raw(path: &Path, header: &str, values: &[u8]) {
        let mut zip = zip::ZipWriter::new(File::create(path).expect("writable"));
        zip.start_file("x.npy", zip::write::SimpleFileOptions::default())
            .expect("entry");
        zip.write_all(b"\x93NUMPY\x01\x00").expect("written");
        zip.write_all(&(header.len() as u16).to_le_bytes())
            .expect("written");
        zip.write_all(header.as_bytes()).expect("written");
        zip.write_all(values).expect("written");
        zip.finish().expect("written");
    }

    #[test]
    fn samples_and_labels_must_be_equally_many() {
        let (_dir, path) = written(|npz| {
            npz.add_array("x", &Array2::<f32>::zeros((3, 2)))
                .expect("x");
            npz.add_array("y", &Array1::<f32>::zeros(2)).expect("y");
        });
        assert!(load_error(&path).contains("3 samples"));
    }

    #[test]
    fn a_header_that_claims_more_than_is_there_is_refused() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let path = dir.path().join("absurd.npz");
        let header =
            "{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999, 99999999), }\n";
        write_raw(&path, header, &[]);
        assert!(load_error(&path).contains("0 bytes of values"));
        std::fs::write(&path, b"PK nonsense").expect("writable");
        assert!(load_error(&path).contains("not an NPZ archive"));
    }
}
