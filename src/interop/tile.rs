//! A surface as far as it is known, as safetensors: heights beside a mask of
//! those that are computed, the plane, the path, and what the surface is of.

use super::{InteropError, read_bytes};
use crate::landscape::tiles::{Progress, Tile, bits, from_bits};
use crate::landscape::{Axis, Plane};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::path::Path;

/// Everything that determines a surface: names of what does, and what it is or a
/// mark of it.
pub type Identity = BTreeMap<String, String>;

/// The key of the metadata. One key, because their order in the file is not
/// determined.
const KEY: &str = "gradscape-surface";

/// What the file says in words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TileHead {
    /// Which part, `I/N`.
    pub tile: String,
    /// What determines the surface.
    pub identity: Identity,
    /// What to write on pictures of it.
    pub caption: serde_json::Value,
}

/// A surface as far as it is known, with all that is needed to draw it.
#[derive(Debug, Clone)]
pub struct TileFile {
    /// What it says in words.
    pub head: TileHead,
    /// The plane.
    pub plane: Plane,
    /// What is known.
    pub progress: Progress,
}

/// The bytes of a tile file.
///
/// # Errors
/// When there is no such file of these.
pub fn tile_bytes(
    path: &Path,
    head: &TileHead,
    plane: &Plane,
    progress: &Progress,
) -> Result<Vec<u8>, InteropError> {
    let failed = |message: String| InteropError::format(path, message);
    let head = serde_json::to_string(head).map_err(|error| failed(error.to_string()))?;
    let doubles = |values: &mut dyn Iterator<Item = f64>| -> Vec<u8> {
        values.flat_map(f64::to_le_bytes).collect()
    };
    let mask = |known: &mut dyn Iterator<Item = bool>| -> Vec<u8> { known.map(u8::from).collect() };
    let or_nan = |value: &Option<f64>| value.unwrap_or(f64::NAN);
    let (nx, ny, k) = (progress.x.n, progress.y.n, progress.path.len());
    let points: Vec<u8> = progress
        .path
        .iter()
        .flat_map(|point| match point {
            Some(point) => {
                let [_, rest @ ..] = bits(point).map(u64::to_le_bytes);
                let step = (point.step as f64).to_le_bytes();
                let [a, b, c, d, e, f, g] = rest;
                [step, a, b, c, d, e, f, g]
            }
            None => [f64::NAN.to_le_bytes(); 8],
        })
        .flatten()
        .collect();
    let mut blocks: Vec<(&str, Dtype, Vec<usize>, Vec<u8>)> = vec![
        (
            "x",
            Dtype::F64,
            vec![nx],
            doubles(&mut progress.x.values().into_iter()),
        ),
        (
            "y",
            Dtype::F64,
            vec![ny],
            doubles(&mut progress.y.values().into_iter()),
        ),
        (
            "loss",
            Dtype::F64,
            vec![ny, nx],
            doubles(&mut progress.cells.iter().map(or_nan)),
        ),
        (
            "computed",
            Dtype::U8,
            vec![ny, nx],
            mask(&mut progress.cells.iter().map(Option::is_some)),
        ),
        ("path", Dtype::F64, vec![k, 8], points),
        (
            "path_computed",
            Dtype::U8,
            vec![k],
            mask(&mut progress.path.iter().map(Option::is_some)),
        ),
        (
            "center_loss",
            Dtype::F64,
            vec![1],
            doubles(&mut std::iter::once(or_nan(&progress.center))),
        ),
        (
            "center_computed",
            Dtype::U8,
            vec![1],
            mask(&mut std::iter::once(progress.center.is_some())),
        ),
    ];
    for (name, vector) in [
        ("center", plane.center()),
        ("direction_x", plane.direction_x()),
        ("direction_y", plane.direction_y()),
    ] {
        let bytes = vector.iter().flat_map(|v| v.to_le_bytes()).collect();
        blocks.push((name, Dtype::F32, vec![vector.len()], bytes));
    }
    let views = blocks
        .iter()
        .map(|(name, dtype, shape, bytes)| {
            TensorView::new(*dtype, shape.clone(), bytes).map(|view| (*name, view))
        })
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| failed(error.to_string()))?;
    let metadata = HashMap::from([(KEY.to_owned(), head)]);
    safetensors::serialize(views, Some(metadata)).map_err(|error| failed(error.to_string()))
}

/// Writes a tile file, or leaves the earlier one as it was.
///
/// # Errors
/// When it cannot be written.
pub fn write_tile(
    path: &Path,
    head: &TileHead,
    plane: &Plane,
    progress: &Progress,
) -> Result<(), InteropError> {
    let bytes = tile_bytes(path, head, plane, progress)?;
    let io = |error| InteropError::io(path, error);
    let new = crate::files::NewFile::create(path).map_err(io)?;
    new.file().write_all(&bytes).map_err(io)?;
    new.finish().map_err(io)
}

/// Reads a tile file.
///
/// # Errors
/// When it is none, or what is in it does not go together.
pub fn read_tile(path: &Path) -> Result<TileFile, InteropError> {
    parse(path, &read_bytes(path)?)
}

fn parse(path: &Path, bytes: &[u8]) -> Result<TileFile, InteropError> {
    let foreign = |why: &str| {
        InteropError::format(
            path,
            format!("is not a tile that `gradscape surface --tile` wrote: {why}"),
        )
    };
    let (_, metadata) =
        SafeTensors::read_metadata(bytes).map_err(|error| foreign(&error.to_string()))?;
    let head = metadata.metadata().as_ref().and_then(|map| map.get(KEY));
    let head = head.ok_or_else(|| foreign("it does not say what surface it is of"))?;
    let head: TileHead = serde_json::from_str(head).map_err(|error| foreign(&error.to_string()))?;
    if head.tile.parse::<Tile>().is_err() {
        return Err(foreign("it does not say which tile it is"));
    }
    let file = SafeTensors::deserialize(bytes).map_err(|error| foreign(&error.to_string()))?;
    let raw = |name: &str, dtype: Dtype, shape: Option<&[usize]>| {
        let view = file
            .tensor(name)
            .map_err(|_| InteropError::array(path, name, "is not there"))?;
        if view.dtype() != dtype || shape.is_some_and(|shape| view.shape() != shape) {
            let (dtype, found) = (view.dtype(), view.shape());
            let message = format!("a {dtype:?} of the shape {found:?} is not what belongs here");
            return Err(InteropError::array(path, name, message));
        }
        Ok(view.data().to_vec())
    };
    let doubles = |name: &str, shape: Option<&[usize]>| {
        raw(name, Dtype::F64, shape).map(|bytes| -> Vec<f64> {
            let (words, _) = bytes.as_chunks::<8>();
            words.iter().map(|&word| f64::from_le_bytes(word)).collect()
        })
    };
    let mask = |name: &str, shape: &[usize]| raw(name, Dtype::U8, Some(shape));
    let axis = |name: &str| {
        let values = doubles(name, None)?;
        let (lo, hi) = (values.first().copied(), values.last().copied());
        let ends = (lo.unwrap_or(f64::NAN), hi.unwrap_or(f64::NAN));
        Axis::new(ends.0, ends.1, values.len())
            .map_err(|error| InteropError::array(path, name, error.to_string()))
    };
    let (x, y) = (axis("x")?, axis("y")?);
    let known = |values: Vec<f64>, mask: Vec<u8>| -> Vec<Option<f64>> {
        let pairs = values.into_iter().zip(mask);
        pairs
            .map(|(value, known)| (known != 0).then_some(value))
            .collect()
    };
    let grid = [y.n, x.n];
    let cells = known(doubles("loss", Some(&grid))?, mask("computed", &grid)?);
    let points = doubles("path", None)?;
    let k = points.len() / 8;
    let points = if points.is_empty() {
        points
    } else {
        doubles("path", Some(&[k, 8]))?
    };
    let path_mask = mask("path_computed", &[k])?;
    let (rows, _) = points.as_chunks::<8>();
    let path_points = rows.iter().zip(path_mask).map(|(row, known)| {
        let mut numbers = row.map(f64::to_bits);
        numbers[0] = row[0] as u64;
        (known != 0).then(|| from_bits(numbers))
    });
    let path_points = path_points.collect();
    let center = known(
        doubles("center_loss", Some(&[1]))?,
        mask("center_computed", &[1])?,
    );
    let vector = |name: &str| {
        raw(name, Dtype::F32, None).map(|bytes| -> Vec<f32> {
            let (words, _) = bytes.as_chunks::<4>();
            words.iter().map(|&word| f32::from_le_bytes(word)).collect()
        })
    };
    let plane = Plane::new(
        vector("center")?,
        vector("direction_x")?,
        vector("direction_y")?,
    )
    .map_err(|error| InteropError::array(path, "direction_x", error.to_string()))?;
    Ok(TileFile {
        head,
        plane,
        progress: Progress {
            x,
            y,
            cells,
            path: path_points,
            center: center.first().copied().flatten(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::landscape::tiles::Found;

    fn example() -> TileFile {
        let axis = |n| Axis::new(-1.0, 0.7, n).unwrap();
        let mut progress = Progress::new(axis(5), axis(4), 3);
        progress.set(2, Found::Height(f64::NAN));
        progress.set(3, Found::Height(-0.0));
        progress.set(7, Found::Height(f64::INFINITY));
        progress.set(21, Found::Point(from_bits([1 << 40, 1, 2, 3, 4, 5, 6, 7])));
        TileFile {
            head: TileHead {
                tile: "2/3".to_owned(),
                identity: Identity::from([("grid".to_owned(), "5x4".to_owned())]),
                caption: serde_json::json!({ "title": "t" }),
            },
            plane: Plane::new(vec![1.0, 2.0], vec![1.0, 0.0], vec![0.1, 3.0]).unwrap(),
            progress,
        }
    }

    #[test]
    fn a_tile_is_read_back_to_the_bit_and_what_is_not_computed_is_a_nan_in_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.safetensors");
        let tile = example();
        write_tile(&path, &tile.head, &tile.plane, &tile.progress).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let loss = file.tensor("loss").unwrap();
        let (words, _) = loss.data().as_chunks::<8>();
        let finite = words.iter().filter(|w| f64::from_le_bytes(**w).is_finite());
        assert_eq!(finite.count(), 1);
        let read = read_tile(&path).unwrap();
        assert_eq!((&read.head, &read.plane), (&tile.head, &tile.plane));
        let missing = tile.progress.missing(Tile::WHOLE);
        assert_eq!(read.progress.missing(Tile::WHOLE), missing);
        assert_eq!(missing.len(), 20);
        let again = tile_bytes(&path, &read.head, &read.plane, &read.progress).unwrap();
        assert_eq!(again, bytes);
    }

    #[test]
    fn a_damaged_tile_is_an_error_and_never_a_panic() {
        let path = Path::new("t.safetensors");
        let tile = example();
        let bytes = tile_bytes(path, &tile.head, &tile.plane, &tile.progress).unwrap();
        assert!(parse(path, &bytes).is_ok());
        for cut in 0..bytes.len() {
            assert!(parse(path, &bytes[..cut]).is_err(), "{cut}");
        }
        for place in 0..bytes.len() {
            let mut other = bytes.clone();
            other[place] ^= 0x15;
            let _ = parse(path, &other);
        }
    }
}
