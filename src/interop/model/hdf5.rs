//! What Keras keeps in HDF5: groups with attributes, and datasets of floats in them.

use super::bytes::{MOST_WHOLE, count};
use super::graph::{Numbers, Tensor};
use hdf5_pure::{AttrValue, DType, Dataset, File, Group};
use std::collections::BTreeMap;

/// How deep groups may be nested; Keras needs about ten levels.
const MOST_DEPTH: usize = 24;

/// The most groups and datasets that are looked at.
const MOST_PARTS: usize = 50_000;

/// How many bytes more than the file has a packed dataset may unpack to.
const HEADROOM: usize = 48 << 20;

/// A file of HDF5 as far as models are concerned.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// Texts among the attributes of the root: the description of the model.
    pub(super) texts: BTreeMap<String, String>,
    /// Datasets with their paths as their names.
    pub(super) tensors: Vec<Tensor>,
    /// The attribute `name` of a group, by its path.
    pub(super) names: BTreeMap<String, String>,
}

/// Reads the datasets below the groups for which `wanted` holds, by their paths.
pub(super) fn read(bytes: Vec<u8>, wanted: &dyn Fn(&str) -> bool) -> Result<Tree, String> {
    let mut walk = Walk {
        wanted,
        left: bytes.len() + HEADROOM,
        length: bytes.len(),
        parts: 0,
        tree: Tree::default(),
    };
    let file = File::from_bytes(bytes).map_err(fault)?;
    let (wanted, found) = (file.superblock().eof_address, walk.length);
    if wanted > found as u64 {
        return Err(format!(
            "is cut off: it says that it has {wanted} bytes, and {found} are there"
        ));
    }
    let root = file.root();
    for (name, value) in root.attrs().map_err(fault)? {
        if let Some(text) = text(&value) {
            walk.tree.texts.insert(name, text);
        }
    }
    walk.group(&root, "", 0)?;
    Ok(walk.tree)
}

fn fault(error: hdf5_pure::Error) -> String {
    format!("is not an HDF5 file that can be read: {error}")
}

struct Walk<'a> {
    wanted: &'a dyn Fn(&str) -> bool,
    /// Bytes that may still be unpacked.
    left: usize,
    /// Of the file.
    length: usize,
    parts: usize,
    tree: Tree,
}

impl Walk<'_> {
    fn count(&mut self, depth: usize) -> Result<(), String> {
        self.parts += 1;
        if depth > MOST_DEPTH || self.parts > MOST_PARTS {
            return Err(format!(
                "has groups nested more deeply than {MOST_DEPTH} levels, or more than {MOST_PARTS} parts"
            ));
        }
        Ok(())
    }

    fn group(&mut self, group: &Group, path: &str, depth: usize) -> Result<(), String> {
        self.count(depth)?;
        let join = |name: &str| match path {
            "" => name.to_owned(),
            _ => format!("{path}/{name}"),
        };
        for name in group.datasets().map_err(fault)? {
            let inner = join(&name);
            self.count(depth)?;
            let dataset = group.dataset(&name).map_err(fault)?;
            let tensor = self.dataset(&inner, &dataset);
            let tensor = tensor.map_err(|error| format!("the dataset {inner:?} {error}"))?;
            self.tree.tensors.push(tensor);
        }
        for name in group.groups().map_err(fault)? {
            let inner = join(&name);
            if !(self.wanted)(&inner) {
                continue;
            }
            let child = group.group(&name).map_err(fault)?;
            // Only a group of variables has a name of its own; other attributes may be long.
            if name == "vars"
                && let Some(own) = child.attrs().map_err(fault)?.get("name").and_then(text)
            {
                self.tree.names.insert(inner.clone(), own);
            }
            self.group(&child, &inner, depth + 1)?;
        }
        Ok(())
    }

    fn dataset(&mut self, name: &str, dataset: &Dataset) -> Result<Tensor, String> {
        let cannot = |error: hdf5_pure::Error| format!("cannot be read: {error}");
        let sides = dataset.shape().map_err(cannot)?;
        let sides = sides.iter().map(|&n| usize::try_from(n));
        let shape: Vec<usize> = sides
            .collect::<Result<_, _>>()
            .map_err(|_| "has an impossible shape".to_owned())?;
        let kind = dataset.dtype().map_err(cannot)?;
        let width = match kind {
            DType::I32 | DType::I64 if count(&shape).is_none_or(|n| n > MOST_WHOLE) => {
                return Ok(Tensor {
                    name: name.to_owned(),
                    shape,
                    numbers: Numbers::Unread("too many whole numbers".to_owned()),
                });
            }
            DType::F32 | DType::F64 | DType::I32 | DType::I64 => {
                dataset.element_size().map_err(cannot)? as usize
            }
            other => {
                return Ok(Tensor {
                    name: name.to_owned(),
                    shape,
                    numbers: Numbers::Unread(other.to_string()),
                });
            }
        };
        let packed = !dataset.filters().is_empty();
        let bytes = count(&shape).and_then(|n| n.checked_mul(width));
        let bytes = bytes.filter(|&n| n <= if packed { self.left } else { self.length });
        let Some(bytes) = bytes else {
            return Err(format!(
                "has the shape {shape:?}, more than a file of {} bytes can hold",
                self.length
            ));
        };
        self.left = self.left.saturating_sub(bytes);
        let numbers = match kind {
            DType::F32 => Numbers::Floats(dataset.read_f32().map_err(cannot)?),
            DType::F64 => {
                let all = dataset.read_f64().map_err(cannot)?;
                Numbers::Floats(all.into_iter().map(|x| x as f32).collect())
            }
            _ => Numbers::Whole(dataset.read_i64().map_err(cannot)?),
        };
        let found = match &numbers {
            Numbers::Floats(all) => all.len(),
            Numbers::Whole(all) => all.len(),
            Numbers::Unread(_) => 0,
        };
        if count(&shape) != Some(found) {
            return Err(format!("has {found} numbers for the shape {shape:?}"));
        }
        Ok(Tensor {
            name: name.to_owned(),
            shape,
            numbers,
        })
    }
}

/// A text, however the file holds it.
fn text(value: &AttrValue) -> Option<String> {
    match value {
        AttrValue::String(text)
        | AttrValue::AsciiString(text)
        | AttrValue::VarLenString(text)
        | AttrValue::VarLenAsciiString(text) => Some(text.clone()),
        AttrValue::StringSized { value, .. } | AttrValue::AsciiStringSized { value, .. } => {
            Some(value.clone())
        }
        _ => None,
    }
}
