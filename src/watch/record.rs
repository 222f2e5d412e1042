//! Keeps everything that is received in a folder, exactly.

use super::WatchError;
use super::news::News;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The table of all numbers: `run`, `tag`, `step`, `wall_time`, `value`.
const HISTORY: &str = "history.csv";
/// The folder of all tensors.
pub(super) const SNAPSHOTS: &str = "snapshots";

/// A folder that is being filled: `history.csv` with every number, `structure-RUN.json` with
/// what networks consist of, and `snapshots/RUN/step-N.safetensors`, byte for byte as sent.
pub struct Recorder {
    dir: PathBuf,
    history: csv::Writer<File>,
    /// The folder of each run.
    folders: BTreeMap<Arc<str>, String>,
    frames: u64,
    rows: u64,
}

impl Recorder {
    /// Begins in `dir`, which is made if need be.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn create(dir: &Path) -> Result<Self, WatchError> {
        let keep = |path: &Path| {
            let path = path.to_owned();
            move |source| WatchError::Keep { path, source }
        };
        let snapshots = dir.join(SNAPSHOTS);
        std::fs::create_dir_all(&snapshots).map_err(keep(&snapshots))?;
        let file = dir.join(HISTORY);
        let mut history = csv::Writer::from_writer(File::create(&file).map_err(keep(&file))?);
        history
            .write_record(["run", "tag", "step", "wall_time", "value"])
            .map_err(|error| keep(&file)(error.into()))?;
        Ok(Recorder {
            dir: dir.to_owned(),
            history,
            folders: BTreeMap::new(),
            frames: 0,
            rows: 0,
        })
    }

    /// Keeps something new.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn see(&mut self, news: &News) -> Result<(), WatchError> {
        match news {
            News::Metric(metric) => {
                self.rows += 1;
                let [step, wall, value] = [
                    metric.step.to_string(),
                    metric.wall_time.to_string(),
                    metric.value.to_string(),
                ];
                let file = self.dir.join(HISTORY);
                self.history
                    .write_record([&*metric.run, &*metric.tag, &step, &wall, &value])
                    .map_err(|error| WatchError::Keep {
                        path: file,
                        source: error.into(),
                    })
            }
            News::Tensors(frame) => {
                self.frames += 1;
                let folder = self.folder(&frame.run);
                let folder = self.dir.join(SNAPSHOTS).join(folder);
                std::fs::create_dir_all(&folder).map_err(|source| WatchError::Keep {
                    path: folder.clone(),
                    source,
                })?;
                let file = folder.join(format!("step-{:08}.safetensors", frame.step));
                self.write(&file, &frame.body)
            }
            News::Begun(begun) => {
                let Some(structure) = &begun.structure else {
                    return Ok(());
                };
                let folder = self.folder(&begun.run);
                let file = self.dir.join(format!("structure-{folder}.json"));
                self.write(&file, structure.to_string().as_bytes())
            }
            News::Histogram(_) | News::Text(_) | News::Ended { .. } | News::Word(_) => Ok(()),
        }
    }

    /// How many numbers and how many sets of tensors were kept.
    pub fn kept(&self) -> (u64, u64) {
        (self.rows, self.frames)
    }

    /// Brings everything onto the disk.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn flush(&mut self) -> Result<(), WatchError> {
        let path = self.dir.join(HISTORY);
        self.history
            .flush()
            .map_err(|source| WatchError::Keep { path, source })
    }

    /// A file that is there is whole. It is not waited for until it is on the disk: many
    /// come in a second.
    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), WatchError> {
        let part = path.with_extension("part");
        std::fs::write(&part, bytes)
            .and_then(|()| std::fs::rename(&part, path))
            .map_err(|source| WatchError::Keep {
                path: path.to_owned(),
                source,
            })
    }

    /// A name for a run's folder that every system takes, each once.
    fn folder(&mut self, run: &Arc<str>) -> String {
        if let Some(name) = self.folders.get(run) {
            return name.clone();
        }
        let plain = |c: char| match c {
            c if c.is_alphanumeric() || c == '-' || c == '_' => c,
            _ => '-',
        };
        let mut name: String = run.chars().take(80).map(plain).collect();
        if name.chars().all(|c| c == '-') {
            "run".clone_into(&mut name);
        }
        while self.folders.values().any(|other| *other == name) {
            name.push('-');
        }
        self.folders.insert(Arc::clone(run), name.clone());
        name
    }
}
