//! A folder into which another program saves its weights as safetensors files.

use super::WatchError;
use super::frame::MOST_BODY;
use super::news::{Begun, Group, Logged, News, Poll, TensorFrame};
use super::record::SNAPSHOTS;
use crate::interop::count_tensors;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::fs::{File, Metadata};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// The longest header of a file that is looked at, which is also safetensors' own limit.
const MOST_HEADER: u64 = 100_000_000;
/// So many files are read in one look.
pub(super) const FILES_AT_ONCE: usize = 4;
/// The most entries of the folder that are looked at.
const MOST_ENTRIES: usize = 20_000;
/// So many looks a file that does not grow may be incomplete before it is said to be.
const PATIENCE: u32 = 8;

/// Follows the safetensors files of a folder in the order of their steps, which their
/// metadata (`step`) or else the last number of their names say.
#[derive(Debug)]
pub struct CheckpointFolder {
    root: PathBuf,
    run: Arc<str>,
    /// What is known of each file.
    seen: HashMap<PathBuf, Seen>,
    begun: bool,
    said_full: bool,
    /// The step of a file that says none.
    next: i64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Seen {
    mark: Mark,
    /// Looks at which it was the same and incomplete; none once it is done with.
    waiting: Option<u32>,
}

/// What changes when a file is written to.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Mark {
    length: u64,
    modified: Option<SystemTime>,
}

impl Mark {
    fn of(meta: &Metadata) -> Self {
        Mark {
            length: meta.len(),
            modified: meta.modified().ok(),
        }
    }
}

/// What a file's head says.
struct Head {
    /// Bytes of the whole file.
    length: u64,
    step: Option<i64>,
    /// Whether the names of all tensors begin with what they are, as a stream's do.
    grouped: bool,
    metadata: BTreeMap<String, String>,
}

impl CheckpointFolder {
    /// Follows the folder `root`, which has to be there; its files need not.
    ///
    /// # Errors
    /// When there is no such folder.
    pub fn open(root: &Path) -> Result<Self, WatchError> {
        if !root.is_dir() {
            return Err(WatchError::Folder {
                path: root.to_owned(),
                message: "there is no such folder".to_owned(),
            });
        }
        // `.` has a name of its own too.
        let whole = root.canonicalize().unwrap_or_else(|_| root.to_owned());
        let name = whole.file_name().unwrap_or(root.as_os_str());
        Self::named(root, &name.to_string_lossy())
    }

    /// The same of a folder whose run is called `run`.
    pub(super) fn named(root: &Path, run: &str) -> Result<Self, WatchError> {
        Ok(CheckpointFolder {
            root: root.to_owned(),
            run: Arc::from(run),
            seen: HashMap::new(),
            begun: false,
            said_full: false,
            next: 0,
        })
    }

    /// Reads the files that have come or changed and are complete.
    pub fn poll(&mut self) -> Poll {
        let mut poll = Poll::default();
        let mut ready = self.ready(&mut poll);
        ready.sort_by(|(a, x, _), (b, y, _)| (x.step, a).cmp(&(y.step, b)));
        poll.more = ready.len() > FILES_AT_ONCE;
        for (path, head, mark) in ready
            .iter()
            .take(FILES_AT_ONCE)
            .map(|(path, head, mark)| (path.clone(), head, *mark))
        {
            self.seen.insert(
                path.clone(),
                Seen {
                    mark,
                    waiting: None,
                },
            );
            self.read(&path, head, &mut poll);
        }
        poll
    }

    /// The files that are complete and were not read as they are now.
    fn ready(&mut self, poll: &mut Poll) -> Vec<(PathBuf, Head, Mark)> {
        let mut ready = Vec::new();
        let Ok(entries) = std::fs::read_dir(&self.root) else {
            return ready;
        };
        for (k, entry) in entries.flatten().enumerate() {
            if k >= MOST_ENTRIES {
                if !std::mem::replace(&mut self.said_full, true) {
                    poll.news.push(News::Word(format!(
                        "{}: only {MOST_ENTRIES} of its entries are looked at",
                        self.root.display()
                    )));
                }
                break;
            }
            let path = entry.path();
            if !is_checkpoint(&path) {
                continue;
            }
            let Ok(meta) = std::fs::metadata(&path) else {
                continue;
            };
            let mark = Mark::of(&meta);
            let before = self.seen.get(&path).filter(|seen| seen.mark == mark);
            let looks = match before {
                Some(Seen { waiting: None, .. }) => continue,
                Some(Seen {
                    waiting: Some(n), ..
                }) => n + 1,
                None => 0,
            };
            let found = head(&path, mark.length);
            if let Ok(Some(head)) = found {
                ready.push((path, head, mark));
                continue;
            }
            let waiting = (looks < PATIENCE).then_some(looks);
            if waiting.is_none() {
                let why = match found {
                    Err(why) => why,
                    Ok(_) => "is incomplete and does not grow any more".to_owned(),
                };
                poll.news
                    .push(News::Word(format!("{}: {why}", path.display())));
            }
            self.seen.insert(path, Seen { mark, waiting });
        }
        ready
    }

    fn read(&mut self, path: &Path, head: &Head, poll: &mut Poll) {
        let read = if head.length > MOST_BODY {
            Err(format!(
                "has {} bytes; at most {MOST_BODY} are read",
                head.length
            ))
        } else {
            std::fs::read(path).map_err(|error| error.to_string())
        };
        let bytes = read.and_then(|bytes| count_tensors(&bytes).map(|_| bytes));
        let bytes = match bytes {
            Ok(bytes) => bytes,
            Err(why) => {
                return poll
                    .news
                    .push(News::Word(format!("{}: {why}", path.display())));
            }
        };
        let step = head.step.unwrap_or(self.next);
        self.next = self.next.max(step.saturating_add(1));
        if !std::mem::replace(&mut self.begun, true) {
            let told = head.metadata.get("gradscape.structure");
            // What is no JSON is as good as nothing said.
            let told = told.and_then(|text| serde_json::from_str(text).ok());
            poll.news.push(News::Begun(Begun {
                run: Arc::clone(&self.run),
                framework: head.metadata.get("framework").cloned().unwrap_or_default(),
                structure: told.or_else(|| structure_beside(&self.root)),
            }));
        }
        let modified = std::fs::metadata(path)
            .and_then(|meta| meta.modified())
            .ok();
        let since = modified.and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
        let wall_time = since.map_or(0.0, |since| since.as_secs_f64());
        for (tag, value) in &head.metadata {
            if tag != "step"
                && let Ok(value) = value.parse()
            {
                poll.news.push(News::Metric(Logged {
                    run: Arc::clone(&self.run),
                    tag: Arc::from(tag.as_str()),
                    step,
                    wall_time,
                    value,
                }));
            }
        }
        poll.news.push(News::Tensors(TensorFrame {
            run: Arc::clone(&self.run),
            step,
            wall_time,
            body: Arc::from(bytes),
            grouped: head.grouped,
        }));
    }
}

/// Whether a name is one of a safetensors file that is not hidden.
pub(super) fn is_checkpoint(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    let hidden = name.to_string_lossy().starts_with('.');
    !hidden && path.extension().is_some_and(|e| e == "safetensors")
}

/// What the network of a run consists of that was kept in `snapshots/RUN`: that lies in
/// `structure-RUN.json` beside `snapshots`.
fn structure_beside(folder: &Path) -> Option<Value> {
    let folder = folder.canonicalize().ok()?;
    let (name, above) = (folder.file_name()?, folder.parent()?);
    if above.file_name()? != SNAPSHOTS {
        return None;
    }
    let file = format!("structure-{}.json", name.to_string_lossy());
    let file = File::open(above.parent()?.join(file)).ok()?;
    let mut text = Vec::new();
    file.take(MOST_HEADER).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

/// What the head of a file says; none while the file is not complete.
fn head(path: &Path, length: u64) -> Result<Option<Head>, String> {
    let io = |error: std::io::Error| error.to_string();
    if length < 8 {
        return Ok(None);
    }
    let mut file = File::open(path).map_err(io)?;
    let mut size = [0; 8];
    file.read_exact(&mut size).map_err(io)?;
    let size = u64::from_le_bytes(size);
    if size > MOST_HEADER {
        return Err(format!(
            "is not a safetensors file: its header would have {size} bytes"
        ));
    }
    if length - 8 < size {
        return Ok(None);
    }
    let mut text = Vec::new();
    file.take(size).read_to_end(&mut text).map_err(io)?;
    let header: BTreeMap<String, Value> = serde_json::from_slice(&text)
        .map_err(|error| format!("is not a safetensors file: its header is no JSON: {error}"))?;
    let mut end = 0;
    let mut metadata = BTreeMap::new();
    let group = |name: &String| {
        let of = name.split_once('/').map(|(group, _)| group);
        Group::ALL.iter().any(|group| Some(group.name()) == of)
    };
    let mut names = header.keys().filter(|name| *name != "__metadata__");
    let grouped =
        header.len() > usize::from(header.contains_key("__metadata__")) && names.all(group);
    for (name, value) in header {
        if name == "__metadata__" {
            let texts = value.as_object().into_iter().flatten();
            metadata = texts
                .filter_map(|(key, text)| Some((key.clone(), text.as_str()?.to_owned())))
                .collect();
        } else if let Some(offset) = value["data_offsets"][1].as_u64() {
            end = end.max(offset);
        }
    }
    let whole = end.saturating_add(8 + size);
    if length < whole {
        return Ok(None);
    }
    let named = path
        .file_stem()
        .and_then(|stem| last_number(&stem.to_string_lossy()));
    let told = metadata
        .get("step")
        .and_then(|step| step.trim().parse().ok());
    Ok(Some(Head {
        length,
        step: told.or(named),
        grouped,
        metadata,
    }))
}

/// `model-step-000120` as 120.
fn last_number(name: &str) -> Option<i64> {
    let end = name.rfind(|c: char| c.is_ascii_digit())? + 1;
    let begin = name[..end]
        .rfind(|c: char| !c.is_ascii_digit())
        .map_or(0, |at| {
            at + name[at..].chars().next().map_or(1, char::len_utf8)
        });
    name[begin..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::last_number;

    #[test]
    fn the_last_number_of_a_name_is_its_step() {
        assert_eq!(last_number("model-step-000120"), Some(120));
        assert_eq!(last_number("epoch=3-step=400-ü"), Some(400));
        assert_eq!(last_number("ü7"), Some(7));
        assert_eq!(last_number("best"), None);
        assert_eq!(last_number("99999999999999999999"), None);
    }
}
