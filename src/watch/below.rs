//! A look at what lies in a folder and in those below it, within bounds.

use std::collections::VecDeque;
use std::fs::DirEntry;
use std::ops::ControlFlow;
use std::path::Path;

/// How many folders deep is looked.
pub const MOST_DEPTH: usize = 8;
/// The most entries that are looked at.
const MOST_ENTRIES: usize = 100_000;

/// Shows `visit` the files below `root`, those of upper folders first, with the folder that
/// each lies in and how deep that is. Links to folders are not followed, and what cannot be
/// listed is passed over. Returns whether that was all: neither were there too many entries
/// nor did `visit` break off.
pub(super) fn files_below(
    root: &Path,
    visit: &mut dyn FnMut(&Path, &DirEntry, usize) -> ControlFlow<()>,
) -> bool {
    let mut entries = 0;
    let mut folders = VecDeque::from([(root.to_owned(), 0)]);
    while let Some((folder, depth)) = folders.pop_front() {
        let Ok(found) = std::fs::read_dir(&folder) else {
            continue;
        };
        for entry in found.flatten() {
            entries += 1;
            if entries > MOST_ENTRIES {
                return false;
            }
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if depth < MOST_DEPTH {
                    folders.push_back((entry.path(), depth + 1));
                }
            } else if visit(&folder, &entry, depth).is_break() {
                return false;
            }
        }
    }
    true
}

/// The path of a folder below the root, as TensorBoard names runs.
pub(super) fn name_below(root: &Path, folder: &Path) -> String {
    let below = folder.strip_prefix(root).unwrap_or(folder);
    let name = below.to_string_lossy().replace('\\', "/");
    match name.is_empty() {
        true => ".".to_owned(),
        false => name,
    }
}
