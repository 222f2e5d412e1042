//! A folder of TensorBoard event files, each of its folders a run.

use super::WatchError;
use super::below::{MOST_DEPTH, name_below};
use super::news::{Begun, Logged, News, Poll};
use crate::interop::{EventReader, EventValue, NAME_PART};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The most event files, and the most entries of folders that are looked at.
const MOST_FILES: usize = 2_000;
const MOST_ENTRIES: usize = 100_000;
/// So many files' news come from one look; the others' turn comes at the next.
const FILES_AT_ONCE: usize = 16;
/// The most names of curves that are kept to be shared.
const MOST_TAGS: usize = 10_000;

/// Follows all event files below a folder, those that come later too.
#[derive(Debug)]
pub struct LogFolder {
    root: PathBuf,
    files: BTreeMap<PathBuf, File>,
    /// The file whose turn is next, and how many in a row had nothing new.
    turn: usize,
    quiet: usize,
    begun: HashSet<Arc<str>>,
    tags: HashMap<String, Arc<str>>,
    said_full: bool,
}

#[derive(Debug)]
struct File {
    run: Arc<str>,
    reader: EventReader,
    /// What was said of it last, so that it is said once.
    said: Option<String>,
}

impl LogFolder {
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
        Ok(LogFolder {
            root: root.to_owned(),
            files: BTreeMap::new(),
            turn: 0,
            quiet: 0,
            begun: HashSet::new(),
            tags: HashMap::new(),
            said_full: false,
        })
    }

    /// Looks for new files and reads on in all of them.
    pub fn poll(&mut self) -> Poll {
        let mut poll = Poll::default();
        self.find(&mut poll);
        let many = self.files.len();
        let turns = many.min(FILES_AT_ONCE);
        // Each file in its turn, so that a long one does not keep others waiting.
        let paths: Vec<PathBuf> = self.files.keys().cloned().collect();
        for k in 0..turns {
            self.read(&paths[(self.turn + k) % many], &mut poll);
        }
        if many > 0 {
            self.turn = (self.turn + turns) % many;
        }
        self.quiet = match poll.news.is_empty() {
            true => (self.quiet + turns).min(many),
            false => 0,
        };
        poll.more |= many > FILES_AT_ONCE && self.quiet < many;
        poll
    }

    fn read(&mut self, path: &Path, poll: &mut Poll) {
        let Some(file) = self.files.get_mut(path) else {
            return;
        };
        let growth = match file.reader.poll() {
            Ok(growth) => growth,
            Err(error) => {
                // It may be there again at the next look.
                let message = error.to_string();
                if file.said.as_ref() != Some(&message) {
                    file.said = Some(message.clone());
                    poll.news.push(News::Word(message));
                }
                return;
            }
        };
        let is_new = !growth.events.is_empty() && self.begun.insert(Arc::clone(&file.run));
        if growth.restarted || is_new {
            poll.news.push(News::Begun(Begun {
                run: Arc::clone(&file.run),
                framework: String::new(),
                structure: None,
            }));
        }
        for fault in growth.faults {
            poll.news
                .push(News::Word(format!("{}: {fault}", path.display())));
        }
        for event in growth.events {
            let tag = match self.tags.get(&event.tag) {
                Some(tag) => Arc::clone(tag),
                None => {
                    let tag: Arc<str> = Arc::from(event.tag.as_str());
                    if self.tags.len() >= MOST_TAGS {
                        self.tags.clear();
                    }
                    self.tags.insert(event.tag, Arc::clone(&tag));
                    tag
                }
            };
            let run = Arc::clone(&file.run);
            let (step, wall_time) = (event.step, event.wall_time);
            poll.news.push(match event.value {
                EventValue::Scalar(value) => News::Metric(Logged {
                    run,
                    tag,
                    step,
                    wall_time,
                    value,
                }),
                EventValue::Histogram(value) => News::Histogram(Logged {
                    run,
                    tag,
                    step,
                    wall_time,
                    value,
                }),
                EventValue::Text(value) => News::Text(Logged {
                    run,
                    tag,
                    step,
                    wall_time,
                    value,
                }),
            });
        }
        poll.more |= growth.more;
    }

    /// Adds the event files that are not known yet.
    fn find(&mut self, poll: &mut Poll) {
        let mut entries = 0;
        let mut folders = vec![(self.root.clone(), 0)];
        while let Some((folder, depth)) = folders.pop() {
            // What cannot be listed now may be listed at the next look.
            let Ok(found) = std::fs::read_dir(&folder) else {
                continue;
            };
            for entry in found.flatten() {
                entries += 1;
                if entries > MOST_ENTRIES {
                    return self.say_full(poll);
                }
                let (path, Ok(kind)) = (entry.path(), entry.file_type()) else {
                    continue;
                };
                if kind.is_dir() && depth < MOST_DEPTH {
                    folders.push((path, depth + 1));
                } else if kind.is_file()
                    && entry.file_name().to_string_lossy().contains(NAME_PART)
                    && !self.files.contains_key(&path)
                {
                    if self.files.len() >= MOST_FILES {
                        return self.say_full(poll);
                    }
                    let run = self.run_of(&folder);
                    let reader = EventReader::new(&path);
                    let said = None;
                    self.files.insert(path, File { run, reader, said });
                }
            }
        }
    }

    fn say_full(&mut self, poll: &mut Poll) {
        if !std::mem::replace(&mut self.said_full, true) {
            poll.news.push(News::Word(format!(
                "{}: holds more than the {MOST_FILES} event files or {MOST_ENTRIES} entries that \
                 are followed; name a folder further down",
                self.root.display()
            )));
        }
    }

    /// The path of a folder below the root, as TensorBoard names runs.
    fn run_of(&self, folder: &Path) -> Arc<str> {
        Arc::from(name_below(&self.root, folder))
    }
}
