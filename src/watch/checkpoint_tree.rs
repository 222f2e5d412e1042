//! Folders of safetensors files below one that is watched, each of them a run.

use super::WatchError;
use super::below::{files_below, name_below};
use super::checkpoints::{CheckpointFolder, FILES_AT_ONCE, is_checkpoint};
use super::news::{News, Poll};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// The most folders that are followed.
const MOST_FOLDERS: usize = 2_000;

/// Follows all folders with safetensors files in and below a folder, those that come later
/// too. A run is called by its folder's path below the root; files in the root itself by the
/// root's name.
#[derive(Debug)]
pub struct CheckpointTree {
    root: PathBuf,
    folders: BTreeMap<PathBuf, CheckpointFolder>,
    /// Of how many folders this look has been shown, where it did not come to the end.
    turn: usize,
    said_full: bool,
}

impl CheckpointTree {
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
        Ok(CheckpointTree {
            root: root.to_owned(),
            folders: BTreeMap::new(),
            turn: 0,
            said_full: false,
        })
    }

    /// Reads the files that have come or changed and are complete, of one folder after the
    /// other.
    pub fn poll(&mut self) -> Poll {
        let mut poll = Poll::default();
        if self.turn == 0 {
            self.find(&mut poll);
        }
        let mut frames = 0;
        for folder in self.folders.values_mut().skip(self.turn) {
            let found = folder.poll();
            self.turn += usize::from(!found.more);
            let is_frame = |news: &&News| matches!(news, News::Tensors(_));
            frames += found.news.iter().filter(is_frame).count();
            poll.news.extend(found.news);
            if found.more || frames >= FILES_AT_ONCE {
                poll.more = true;
                return poll;
            }
        }
        self.turn = 0;
        poll
    }

    /// Adds the folders that are not known yet.
    fn find(&mut self, poll: &mut Poll) {
        let (root, folders) = (&self.root, &mut self.folders);
        let mut full = false;
        let is_all = files_below(root, &mut |folder, entry, _| {
            if !is_checkpoint(&entry.path()) || folders.contains_key(folder) {
                return ControlFlow::Continue(());
            }
            if folders.len() >= MOST_FOLDERS {
                full = true;
                return ControlFlow::Break(());
            }
            let opened = match folder == root {
                true => CheckpointFolder::open(folder),
                false => CheckpointFolder::named(folder, &name_below(root, folder)),
            };
            // What is gone by now may be there at the next look.
            if let Ok(opened) = opened {
                folders.insert(folder.to_owned(), opened);
            }
            ControlFlow::Continue(())
        });
        if (full || !is_all) && !std::mem::replace(&mut self.said_full, true) {
            poll.news.push(News::Word(format!(
                "{}: holds more folders or files than are followed; name a folder further down",
                self.root.display()
            )));
        }
    }
}
