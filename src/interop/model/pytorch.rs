//! Weights that `torch.save` wrote: the zip archive of PyTorch 1.6 and later, and the
//! row of pickles of those before. Pickles are read as data and never executed.

use super::archive::Archive;
use super::bytes::{Element, count};
use super::graph::{Numbers, Tensor};
use super::pickle::{self, Id, Object, Pickle};
use super::tensors::strided;
use std::collections::{HashMap, HashSet};

/// The first pickle of a file in the old form holds this number.
const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

/// How deep modules and dictionaries may be nested.
const MOST_DEPTH: usize = 64;

/// How many objects are looked at: a pickle can refer to one object very often.
const MOST_VISITS: usize = 1_000_000;

/// The most numbers of tensors whose memory another one has as well: 16 million.
const MOST_SHARED: usize = 16 << 20;

/// Whether `bytes` begin as the old form does.
pub(super) fn is_legacy(bytes: &[u8]) -> bool {
    bytes.len() > 16
        && bytes[0] == 0x80
        && bytes[2..5] == [0x8a, 10, MAGIC[0]]
        && bytes[4..14] == MAGIC
}

/// The tensors of the old form, in the order of the file.
pub(super) fn legacy(bytes: &[u8]) -> Result<Vec<Tensor>, String> {
    let mut rest = bytes;
    for what in ["magic number", "protocol", "description of the system"] {
        pickle::read(&mut rest).map_err(|error| format!("its {what}: {error}"))?;
    }
    let objects = pickle::read(&mut rest)?;
    let keys = pickle::read(&mut rest).map_err(|error| format!("its list of storages: {error}"))?;
    let keys = keys
        .sequence(keys.root)
        .unwrap_or_default()
        .iter()
        .filter_map(|&k| keys.text(k))
        .map(str::to_owned)
        .collect::<Vec<_>>();
    let refs = references(&objects)?;
    let widths = storage_types(&objects, &refs);
    let mut storages = HashMap::new();
    for key in keys {
        let Some(element) = widths.get(&key) else {
            return Err(format!("nothing says of which type the storage {key:?} is"));
        };
        let (head, body) = rest
            .split_at_checked(8)
            .ok_or_else(|| format!("the storage {key:?} is cut off"))?;
        let numbers = head.iter().rev().fold(0_u64, |n, &b| n << 8 | u64::from(b));
        let length = usize::try_from(numbers)
            .ok()
            .and_then(|n| n.checked_mul(element.width()));
        let split = length.and_then(|length| body.split_at_checked(length));
        let (body, after) = split.ok_or_else(|| {
            let left = body.len();
            format!("the storage {key:?} has {numbers} numbers, and {left} bytes are left; the file is cut off or damaged")
        })?;
        storages.insert(key, body);
        rest = after;
    }
    tensors(&objects, &refs, |key| storages.get(key).copied())
}

/// The tensors of the zip form, in the order of the file.
pub(super) fn zipped(bytes: &[u8]) -> Result<Vec<Tensor>, String> {
    let mut archive = Archive::open(bytes)?;
    let names = archive.names();
    let Some(main) = names
        .iter()
        .find(|n| n.ends_with("/data.pkl") || *n == "data.pkl")
    else {
        return Err("is a zip archive without data.pkl; PyTorch's files have one".to_owned());
    };
    let root = main.strip_suffix("data.pkl").unwrap_or_default().to_owned();
    let order = format!("{root}byteorder");
    if names.contains(&order) && archive.take(&order)? != b"little" {
        return Err("has its numbers big end first; save it on another machine".to_owned());
    }
    let bytes = archive.take(main)?;
    let objects = pickle::read(&mut &*bytes)?;
    let refs = references(&objects)?;
    let mut storages: HashMap<String, Vec<u8>> = HashMap::new();
    for found in &refs {
        if let Some((key, _)) = storage(&objects, found.storage)
            && !storages.contains_key(key)
        {
            storages.insert(key.to_owned(), archive.take(&format!("{root}data/{key}"))?);
        }
    }
    tensors(&objects, &refs, |key| storages.get(key).map(Vec::as_slice))
}

/// The tensors that `refs` describe.
fn tensors<'a>(
    objects: &Pickle,
    refs: &[Reference],
    stored: impl Fn(&str) -> Option<&'a [u8]>,
) -> Result<Vec<Tensor>, String> {
    // Tensors may share a storage, but not so often that a small file fills the memory.
    let mut left = MOST_SHARED;
    let mut seen = HashSet::new();
    let mut all = Vec::with_capacity(refs.len());
    for found in refs {
        let tensor = found.tensor(objects, |key| {
            stored(key).ok_or_else(|| format!("is in the storage {key:?}, which the file lacks"))
        })?;
        if !seen.insert(storage_key(objects, found.storage)) {
            let size = tensor.shape.iter().product::<usize>();
            left = left.checked_sub(size).ok_or_else(|| {
                format!("the tensors that share memory have more than {MOST_SHARED} numbers")
            })?;
        }
        all.push(tensor);
    }
    Ok(all)
}

/// Whether the numbers of a tensor lie row by row without gaps.
fn by_rows(shape: &[usize], strides: &[usize]) -> bool {
    let mut step = 1;
    shape.iter().zip(strides).rev().all(|(&side, &stride)| {
        let fits = side == 1 || stride == step;
        step *= side;
        fits
    })
}

/// A tensor as the pickle describes it.
struct Reference {
    name: String,
    storage: Id,
    offset: Id,
    shape: Id,
    strides: Id,
}

impl Reference {
    fn tensor<'a>(
        &self,
        objects: &Pickle,
        bytes: impl Fn(&str) -> Result<&'a [u8], String>,
    ) -> Result<Tensor, String> {
        let fault = |message: String| format!("the tensor {:?} {message}", self.name);
        let sides = |id: Id| -> Option<Vec<usize>> {
            let all = objects.sequence(id)?.iter();
            all.map(|&n| usize::try_from(objects.whole(n)?).ok())
                .collect()
        };
        let parts = (
            sides(self.shape),
            sides(self.strides),
            objects.whole(self.offset),
        );
        let (Some(shape), Some(strides), Some(offset)) = parts else {
            return Err(fault("has no readable shape".to_owned()));
        };
        let found = storage(objects, self.storage);
        let (key, class) = found.ok_or_else(|| fault("does not say where it lies".to_owned()))?;
        let Some(element) = element(class) else {
            let numbers = Numbers::Unread(class.to_owned());
            let name = self.name.clone();
            return Ok(Tensor {
                name,
                shape,
                numbers,
            });
        };
        let bytes = bytes(key).map_err(&fault)?;
        let offset = usize::try_from(offset).ok();
        let there = bytes.len() / element.width();
        // The last number that is looked at has to be there, and no number is to be
        // repeated without end.
        let last = shape
            .iter()
            .zip(&strides)
            .try_fold(offset.unwrap_or(usize::MAX), |at, (&side, &stride)| {
                at.checked_add(side.saturating_sub(1).checked_mul(stride)?)
            });
        let total = count(&shape);
        let fits = shape.len() == strides.len()
            && total.is_some_and(|n| n <= there)
            && (total == Some(0) || last.is_some_and(|last| last < there));
        if !fits {
            return Err(fault(format!(
                "has the shape {shape:?} at {offset:?} of a storage of {there} numbers; the file is damaged"
            )));
        }
        let offset = offset.unwrap_or(0);
        let width = element.width();
        let window = match total {
            Some(0) => &bytes[..0],
            _ => &bytes[offset * width..(last.unwrap_or(0) + 1) * width],
        };
        let numbers =
            if total.is_some_and(|n| n * width == window.len()) && by_rows(&shape, &strides) {
                element.numbers(window)
            } else {
                // No more is decoded than the tensor has, however far apart it lies.
                let places = strided(shape.iter().zip(&strides));
                let gathered: Vec<u8> = places
                    .flat_map(|at| window[at * width..(at + 1) * width].iter().copied())
                    .collect();
                element.numbers(&gathered)
            };
        Ok(Tensor {
            name: self.name.clone(),
            shape,
            numbers,
        })
    }
}

/// The key of a storage alone.
fn storage_key(objects: &Pickle, id: Id) -> Option<&str> {
    storage(objects, id).map(|(key, _)| key)
}

/// Key and class of a storage: `("storage", torch.FloatStorage, key, place, length)`.
fn storage(objects: &Pickle, id: Id) -> Option<(&str, &str)> {
    let Object::Persistent(id) = objects.get(id) else {
        return None;
    };
    let parts = objects.sequence(*id)?;
    Some((
        objects.text(*parts.get(2)?)?,
        objects.global(*parts.get(1)?)?,
    ))
}

fn storage_types(objects: &Pickle, refs: &[Reference]) -> HashMap<String, Element> {
    let all = refs
        .iter()
        .filter_map(|found| storage(objects, found.storage));
    all.filter_map(|(key, class)| Some((key.to_owned(), element(class)?)))
        .collect()
}

fn element(class: &str) -> Option<Element> {
    Some(match class.rsplit('.').next()? {
        "FloatStorage" => Element::F32,
        "DoubleStorage" => Element::F64,
        "HalfStorage" => Element::F16,
        "BFloat16Storage" => Element::BF16,
        "LongStorage" => Element::I64,
        "IntStorage" => Element::I32,
        "ShortStorage" => Element::I16,
        "CharStorage" => Element::I8,
        "ByteStorage" | "BoolStorage" => Element::U8,
        _ => return None,
    })
}

/// The longest name of a tensor: the keys on the way to it, joined.
const LONGEST_NAME: usize = 4096;

/// Where training keeps the weights beside other things.
const INNER: [&str; 4] = ["state_dict", "model_state_dict", "model", "net"];

/// Every tensor with its name: of a dictionary of weights, of one within a checkpoint, or
/// of a whole module.
fn references(objects: &Pickle) -> Result<Vec<Reference>, String> {
    let mut walk = Walk {
        objects,
        found: Vec::new(),
        visits: 0,
    };
    let mut root = objects.root;
    if let Some(items) = dictionary(objects, root) {
        let inner = INNER.iter().find_map(|wanted| {
            let item = items
                .iter()
                .find(|(key, _)| objects.text(*key) == Some(wanted));
            item.map(|(_, value)| *value)
        });
        root = inner.unwrap_or(root);
    }
    walk.object(root, "", 0)?;
    if walk.found.is_empty() {
        return Err("holds no tensors".to_owned());
    }
    Ok(walk.found)
}

/// The entries of a dictionary or of what a class makes. Python 2 gave those of an
/// `OrderedDict` as its argument, a list of pairs.
fn dictionary(objects: &Pickle, id: Id) -> Option<Vec<(Id, Id)>> {
    match objects.get(id) {
        Object::Dict(items) => Some(items.clone()),
        Object::Call {
            callee,
            arguments,
            items,
            ..
        } if items.is_empty() && objects.global(*callee) == Some("collections.OrderedDict") => {
            let list = objects.sequence(*arguments)?.first()?;
            let pairs = objects.sequence(*list)?.iter();
            pairs
                .map(|&pair| match objects.sequence(pair)? {
                    [key, value] => Some((*key, *value)),
                    _ => None,
                })
                .collect()
        }
        Object::Call { items, .. } => Some(items.clone()),
        _ => None,
    }
}

struct Walk<'a> {
    objects: &'a Pickle,
    found: Vec<Reference>,
    visits: usize,
}

impl Walk<'_> {
    fn object(&mut self, id: Id, name: &str, depth: usize) -> Result<(), String> {
        self.visits += 1;
        if depth > MOST_DEPTH || self.visits > MOST_VISITS {
            return Err(format!(
                "is nested more deeply than {MOST_DEPTH} levels or has more than {MOST_VISITS} objects"
            ));
        }
        if name.len() > LONGEST_NAME {
            return Err(format!(
                "has a tensor with a name of more than {LONGEST_NAME} letters"
            ));
        }
        match self.objects.get(id) {
            Object::Dict(items) => self.items(items, name, depth),
            Object::List(all) | Object::Tuple(all) => {
                for (k, &value) in all.iter().enumerate() {
                    self.object(value, &joined(name, &k.to_string()), depth + 1)?;
                }
                Ok(())
            }
            Object::Call {
                callee,
                arguments,
                items,
                state,
            } => {
                let given = match items.is_empty() {
                    true => dictionary(self.objects, id),
                    false => None,
                };
                let items = given.as_ref().unwrap_or(items);
                let callee = self.objects.global(*callee).unwrap_or_default();
                let arguments = self.objects.sequence(*arguments).unwrap_or_default();
                match (callee, arguments) {
                    (
                        "torch._utils._rebuild_tensor_v2" | "torch._utils._rebuild_tensor",
                        [storage, offset, shape, strides, ..],
                    ) => {
                        self.found.push(Reference {
                            name: name.to_owned(),
                            storage: *storage,
                            offset: *offset,
                            shape: *shape,
                            strides: *strides,
                        });
                        Ok(())
                    }
                    (
                        "torch._utils._rebuild_parameter"
                        | "torch._utils._rebuild_parameter_with_state",
                        [tensor, ..],
                    ) => self.object(*tensor, name, depth + 1),
                    _ => {
                        self.items(items, name, depth)?;
                        match state {
                            Some(state) => self.object(*state, name, depth + 1),
                            None => Ok(()),
                        }
                    }
                }
            }
            _ => Ok(()),
        }
    }

    fn items(&mut self, items: &[(Id, Id)], name: &str, depth: usize) -> Result<(), String> {
        for &(key, value) in items {
            // These are where a module keeps its parts, and no names of its own.
            let name = match self.objects.text(key) {
                Some("_parameters" | "_modules" | "_buffers") => name.to_owned(),
                Some(key) => joined(name, key),
                None => match self.objects.whole(key) {
                    Some(key) => joined(name, &key.to_string()),
                    None => continue,
                },
            };
            self.object(value, &name, depth + 1)?;
        }
        Ok(())
    }
}

fn joined(name: &str, key: &str) -> String {
    if name.is_empty() {
        key.to_owned()
    } else {
        format!("{name}.{key}")
    }
}
