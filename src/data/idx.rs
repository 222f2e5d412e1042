//! IDX files, the format of the MNIST distribution, plain or compressed by gzip.
//!
//! Two zero bytes, the type of the values, the number of dimensions, the
//! dimensions as 32-bit numbers with the highest byte first, then the values.
//! Source: the description on the page of Y. LeCun, C. Cortes and C. Burges,
//! "The MNIST database of handwritten digits".

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use ndarray::Array2;

use super::config::DataConfig;
use super::dataset::{Dataset, ImageShape, Target};
use super::error::DataError;
use super::labels;
use super::npy::unpacked_bound;

/// The most values that are read from one file: 1 GiB of features.
const MAX_VALUES: usize = 1 << 28;

/// One array from an IDX file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct IdxArray {
    pub(super) shape: Vec<usize>,
    pub(super) values: Vec<f32>,
}

/// The samples and labels that `config` names, with the source at `path`.
pub(super) fn load(path: &Path, config: &DataConfig, base: &Path) -> Result<Dataset, DataError> {
    let label_path = match &config.labels {
        Some(labels) => base.join(labels),
        None => sibling_of_labels(path)?,
    };
    let (features, image) = read_samples(path)?;
    let numbers = read_labels(&label_path, features.nrows())?;
    let target = labels::from_numbers(&numbers, "y", config.task)
        .map_err(|fault| DataError::file(&label_path, fault.message))?;
    let names = match image {
        Some(image) => image.pixel_names(),
        None => (0..features.ncols()).map(|j| format!("c{j}")).collect(),
    };
    Ok(Dataset::from_columns(
        super::load::file_name(path),
        features,
        names,
        target,
        image,
    ))
}

/// Images and labels of classes 0 to `names.len() - 1`.
pub(super) fn load_classes(
    images: &Path,
    labels: &Path,
    names: &[&str],
) -> Result<(Array2<f32>, ImageShape, Target), DataError> {
    let (features, image) = read_samples(images)?;
    let image = image.ok_or_else(|| DataError::file(images, "holds no images"))?;
    let numbers = read_labels(labels, features.nrows())?;
    if let Some(bad) = numbers
        .iter()
        .find(|&&label| label < 0.0 || label >= names.len() as f64)
    {
        return Err(DataError::file(
            labels,
            format!("label {bad} is not one of 0 to {}", names.len() - 1),
        ));
    }
    let target = Target::Classes {
        labels: numbers.iter().map(|&label| label as usize).collect(),
        names: names.iter().map(|&name| name.to_owned()).collect(),
    };
    Ok((features, image, target))
}

/// The file of labels that belongs to a file of images by its name.
fn sibling_of_labels(path: &Path) -> Result<PathBuf, DataError> {
    let name = super::load::file_name(path);
    let guess = name
        .replace("images", "labels")
        .replace("idx3", "idx1")
        .replace("idx4", "idx1");
    let sibling = path.with_file_name(&guess);
    if guess == name || !sibling.is_file() {
        let tried = if guess == name {
            String::new()
        } else {
            format!(" ({guess} is not there)")
        };
        return Err(DataError::file(
            path,
            format!("no file of labels was found beside it{tried}; name it with data.labels"),
        ));
    }
    Ok(sibling)
}

fn read_samples(path: &Path) -> Result<(Array2<f32>, Option<ImageShape>), DataError> {
    let array = read(path)?;
    let (n, image) = match array.shape[..] {
        [n, _] => (n, None),
        [n, height, width] => (
            n,
            Some(ImageShape {
                height,
                width,
                channels: 1,
            }),
        ),
        [n, height, width, channels @ 1..=4] => (
            n,
            Some(ImageShape {
                height,
                width,
                channels,
            }),
        ),
        _ => {
            return Err(DataError::file(
                path,
                format!(
                    "has the shape {:?}; samples need [samples, features], [samples, height, width] \
                     or [samples, height, width, channels] with at most 4 channels",
                    array.shape
                ),
            ));
        }
    };
    let width = array.shape[1..].iter().product();
    if n == 0 || width == 0 {
        return Err(DataError::file(path, "holds no samples"));
    }
    let features = Array2::from_shape_vec((n, width), array.values)
        .map_err(|error| DataError::file(path, error.to_string()))?;
    Ok((features, image))
}

fn read_labels(path: &Path, n: usize) -> Result<Vec<f64>, DataError> {
    let array = read(path)?;
    if array.shape != [n] {
        return Err(DataError::file(
            path,
            format!(
                "has the shape {:?}, but the {n} samples need one label each: [{n}]",
                array.shape
            ),
        ));
    }
    Ok(array.values.iter().map(|&value| f64::from(value)).collect())
}

/// Reads one IDX file. Memory grows with what the file really holds, never with
/// what its header claims.
pub(super) fn read(path: &Path) -> Result<IdxArray, DataError> {
    let io = |error| DataError::io(path, error);
    let mut file = BufReader::new(File::open(path).map_err(io)?);
    let is_gzip = file.fill_buf().map_err(io)?.starts_with(&[0x1f, 0x8b]);
    if is_gzip {
        let size = file.get_ref().metadata().map_err(io)?.len();
        let most = unpacked_bound(size);
        let mut bounded = MultiGzDecoder::new(file).take(most);
        let array = parse(path, &mut bounded);
        if bounded.limit() == 0 {
            return Err(DataError::file(
                path,
                format!("unpacks to more than the {most} bytes that are read of a file of {size}"),
            ));
        }
        array
    } else {
        parse(path, file)
    }
}

fn parse(path: &Path, mut reader: impl Read) -> Result<IdxArray, DataError> {
    let bad = |message: String| DataError::file(path, message);
    let mut magic = [0; 4];
    fill(path, &mut reader, &mut magic)?;
    let [0, 0, kind, n_dimensions] = magic else {
        return Err(bad(
            "is not an IDX file: it does not begin with two zero bytes".to_owned(),
        ));
    };
    let width = match kind {
        0x08 | 0x09 => 1,
        0x0b => 2,
        0x0c | 0x0d => 4,
        0x0e => 8,
        _ => {
            return Err(bad(format!(
                "is not an IDX file: {kind:#04x} is not a type of values"
            )));
        }
    };
    if !(1..=4).contains(&n_dimensions) {
        return Err(bad(format!(
            "has {n_dimensions} dimensions; 1 to 4 can be read"
        )));
    }
    let mut shape = Vec::new();
    for _ in 0..n_dimensions {
        let mut dimension = [0; 4];
        fill(path, &mut reader, &mut dimension)?;
        shape.push(u32::from_be_bytes(dimension) as usize);
    }
    let n_values = shape
        .iter()
        .try_fold(1_usize, |product, &dimension| {
            product.checked_mul(dimension)
        })
        .filter(|&n| n <= MAX_VALUES)
        .ok_or_else(|| {
            bad(format!(
                "claims the shape {shape:?}, more than the {MAX_VALUES} values that can be read"
            ))
        })?;
    let expected = n_values * width;
    let mut bytes = Vec::new();
    let found = reader
        .by_ref()
        .take(expected as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| DataError::io(path, error))?;
    if found < expected {
        return Err(bad(format!(
            "ends early: the shape {shape:?} needs {expected} bytes of values and {found} are there"
        )));
    }
    if found > expected {
        return Err(bad(format!(
            "goes on after the {expected} bytes of values that the shape {shape:?} needs"
        )));
    }
    let values = decode(kind, &bytes);
    if let Some(index) = values.iter().position(|value| !value.is_finite()) {
        return Err(bad(format!(
            "value {} (counted from 0) is {}, not a finite number",
            index, values[index]
        )));
    }
    Ok(IdxArray { shape, values })
}

/// `kind` has been checked to be one of the six types.
fn decode(kind: u8, bytes: &[u8]) -> Vec<f32> {
    match kind {
        0x08 => bytes.iter().map(|&byte| f32::from(byte)).collect(),
        0x09 => bytes.iter().map(|&byte| f32::from(byte as i8)).collect(),
        0x0b => chunks(bytes)
            .map(|b| f32::from(i16::from_be_bytes(b)))
            .collect(),
        0x0c => chunks(bytes)
            .map(|b| i32::from_be_bytes(b) as f32)
            .collect(),
        0x0d => chunks(bytes).map(f32::from_be_bytes).collect(),
        _ => chunks(bytes)
            .map(|b| f64::from_be_bytes(b) as f32)
            .collect(),
    }
}

fn chunks<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> {
    bytes.as_chunks::<N>().0.iter().copied()
}

fn fill(path: &Path, reader: &mut impl Read, buffer: &mut [u8]) -> Result<(), DataError> {
    reader
        .read_exact(buffer)
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => DataError::file(path, "ends within its header"),
            _ => DataError::io(path, error),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn idx(kind: u8, shape: &[u32], values: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 0, kind, shape.len() as u8];
        bytes.extend(shape.iter().flat_map(|d| d.to_be_bytes()));
        bytes.extend(values);
        bytes
    }

    fn parse_bytes(bytes: &[u8]) -> Result<IdxArray, String> {
        parse(Path::new("test-idx"), bytes).map_err(|error| error.to_string())
    }

    #[test]
    fn every_type_of_values_is_read_with_the_highest_byte_first() {
        let cases: [(u8, Vec<u8>); 6] = [
            (0x08, vec![255, 3]),
            (0x09, vec![0xff, 3]),
            (0x0b, [(-1_i16).to_be_bytes(), 3_i16.to_be_bytes()].concat()),
            (0x0c, [(-1_i32).to_be_bytes(), 3_i32.to_be_bytes()].concat()),
            (0x0d, [(-1_f32).to_be_bytes(), 3_f32.to_be_bytes()].concat()),
            (0x0e, [(-1_f64).to_be_bytes(), 3_f64.to_be_bytes()].concat()),
        ];
        for (kind, bytes) in cases {
            let first = if kind == 0x08 { 255.0 } else { -1.0 };
            let array = parse_bytes(&idx(kind, &[2], &bytes)).expect("valid");
            assert_eq!(
                array,
                IdxArray {
                    shape: vec![2],
                    values: vec![first, 3.0]
                }
            );
        }
    }

    #[test]
    fn a_file_that_ends_early_or_goes_on_is_refused() {
        let whole = idx(0x08, &[2, 3], &[1, 2, 3, 4, 5, 6]);
        assert!(parse_bytes(&whole).is_ok());
        assert!(
            parse_bytes(&whole[..15])
                .expect_err("short")
                .contains("ends early")
        );
        assert!(
            parse_bytes(&whole[..6])
                .expect_err("short")
                .contains("header")
        );
        assert!(
            parse_bytes(&[whole, vec![0]].concat())
                .expect_err("long")
                .contains("goes on")
        );
    }

    #[test]
    fn an_absurd_header_is_refused_before_any_memory_is_taken() {
        let error = parse_bytes(&idx(0x0e, &[u32::MAX; 4], &[])).expect_err("absurd");
        assert!(error.contains("more than"), "{error}");
        // Just below the limit, but nothing behind it: refused for what is there.
        let error = parse_bytes(&idx(0x08, &[1 << 28], &[1, 2])).expect_err("empty");
        assert!(error.contains("2 are there"), "{error}");
        assert!(
            parse_bytes(&idx(0x07, &[1], &[1]))
                .expect_err("type")
                .contains("0x07")
        );
        assert!(
            parse_bytes(b"not idx at all")
                .expect_err("magic")
                .contains("zero bytes")
        );
    }

    #[test]
    fn a_value_that_is_not_finite_is_refused_with_its_place() {
        let bytes = [1_f32.to_be_bytes(), f32::NAN.to_be_bytes()].concat();
        assert!(
            parse_bytes(&idx(0x0d, &[2], &bytes))
                .expect_err("NaN")
                .contains("value 1")
        );
    }

    #[test]
    fn images_find_their_labels_by_name_or_by_option() {
        let dir = tempfile::tempdir().expect("temporary folder");
        let images = dir.path().join("t-images-idx3-ubyte");
        std::fs::write(&images, idx(0x08, &[2, 1, 2], &[0, 9, 8, 7])).expect("writable");
        let config = DataConfig::of("t-images-idx3-ubyte");
        let missing = load(&images, &config, dir.path())
            .expect_err("no labels")
            .to_string();
        assert!(missing.contains("data.labels"), "{missing}");
        std::fs::write(
            dir.path().join("t-labels-idx1-ubyte"),
            idx(0x08, &[2], &[4, 2]),
        )
        .expect("writable");
        let data = load(&images, &config, dir.path()).expect("valid");
        assert_eq!(
            data.image,
            Some(ImageShape {
                height: 1,
                width: 2,
                channels: 1
            })
        );
        assert_eq!(data.target.labels(), Some(&[1, 0][..]));
        assert_eq!(data.features.row(0).to_vec(), [0.0, 9.0]);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(kind: u8, shape: Vec<u8>, rest: Vec<u8>) {
            let shape: Vec<u32> = shape.iter().map(|&d| u32::from(d)).collect();
            let _ = parse_bytes(&idx(kind, &shape, &rest));
            let _ = parse_bytes(&rest);
        }
    }
}
