//! The folder that `train` writes: what lies in it, and when it may be written to.

use super::CliError;
use crate::experiment::Experiment;
use crate::interop::{write_params, write_path};
use crate::nn::Layout;
use crate::train::{HistoryRow, PathPoint};
use serde::Serialize;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// The experiment, with paths made absolute and `--seed` and `--epochs` applied.
pub const EXPERIMENT: &str = "experiment.toml";
/// The weights at the end.
pub const WEIGHTS: &str = "weights.safetensors";
/// One JSON object an epoch.
pub const HISTORY_JSON: &str = "history.jsonl";
/// The same as a table.
pub const HISTORY_CSV: &str = "history.csv";
/// The path through parameter space.
pub const PATH: &str = "path.npz";
/// What the run came to.
pub const SUMMARY: &str = "summary.json";

/// Where a run's files grow until all of them are complete.
const UNFINISHED: &str = ".unfinished";

/// A run's folder that is being written. An earlier run in it stays whole until
/// [`finish`](Self::finish).
pub struct RunFolder {
    dir: PathBuf,
    growing: PathBuf,
    json: BufWriter<File>,
    csv: csv::Writer<File>,
}

impl RunFolder {
    /// Whether `dir` holds a run: its experiment and its weights.
    pub fn is_run(dir: &Path) -> bool {
        dir.join(EXPERIMENT).is_file() && dir.join(WEIGHTS).is_file()
    }

    /// Makes `dir` ready for a run of `experiment`. A folder with anything in it
    /// but an earlier run is left alone unless `force`.
    ///
    /// # Errors
    /// When the folder may not or cannot be written.
    pub fn create(dir: &Path, experiment: &Experiment, force: bool) -> Result<Self, CliError> {
        std::fs::create_dir_all(dir).map_err(|error| CliError::io(dir, error))?;
        let entries = std::fs::read_dir(dir).map_err(|error| CliError::io(dir, error))?;
        let is_own = |entry: std::io::Result<std::fs::DirEntry>| {
            entry.is_ok_and(|entry| entry.file_name() == UNFINISHED)
        };
        let was_run = dir.join(EXPERIMENT).is_file() && dir.join(HISTORY_JSON).is_file();
        if !was_run && !force && !entries.into_iter().all(is_own) {
            return Err(CliError::Failed(format!(
                "{}: the folder holds files that are not an earlier run's; name another, or add --force to write into it",
                dir.display()
            )));
        }
        let growing = dir.join(UNFINISHED);
        // What a run that was killed left behind.
        if growing.exists() {
            std::fs::remove_dir_all(&growing).map_err(|error| CliError::io(&growing, error))?;
        }
        std::fs::create_dir(&growing).map_err(|error| CliError::io(&growing, error))?;
        let text = with_absolute_paths(experiment)
            .to_toml()
            .map_err(|error| CliError::Failed(format!("experiment.toml: {error}")))?;
        write(&growing.join(EXPERIMENT), text.as_bytes())?;
        let create = |name: &str| {
            let file = growing.join(name);
            File::create(&file).map_err(|error| CliError::io(&file, error))
        };
        Ok(RunFolder {
            dir: dir.to_owned(),
            json: BufWriter::new(create(HISTORY_JSON)?),
            csv: csv::Writer::from_writer(create(HISTORY_CSV)?),
            growing,
        })
    }

    /// Adds an epoch to both histories.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn push(&mut self, row: &HistoryRow) -> Result<(), CliError> {
        let file = self.growing.join(HISTORY_JSON);
        let line =
            serde_json::to_string(row).map_err(|error| CliError::Failed(error.to_string()))?;
        writeln!(self.json, "{line}").map_err(|error| CliError::io(&file, error))?;
        let file = self.growing.join(HISTORY_CSV);
        self.csv
            .serialize(row)
            .map_err(|error| CliError::Failed(format!("{}: {error}", file.display())))
    }

    /// Writes what is known at the end and puts everything in its place: first
    /// all files are complete on the disk, then each replaces the earlier run's.
    ///
    /// # Errors
    /// When a file cannot be written; an earlier run is then still there.
    pub fn finish(
        self,
        layout: &Layout,
        params: &[f32],
        path: &[PathPoint],
        summary: &impl Serialize,
    ) -> Result<(), CliError> {
        let growing = self.growing;
        write_params(&growing.join(WEIGHTS), layout, params)?;
        write_path(&growing.join(PATH), path)?;
        let text = serde_json::to_string_pretty(summary)
            .map_err(|error| CliError::Failed(error.to_string()))?;
        write(&growing.join(SUMMARY), format!("{text}\n").as_bytes())?;
        let json = self.json.into_inner().map_err(|error| error.into_error());
        let csv = self.csv.into_inner().map_err(|error| error.into_error());
        for (name, file) in [(HISTORY_JSON, json), (HISTORY_CSV, csv)] {
            file.and_then(|file| file.sync_all())
                .map_err(|error| CliError::io(&growing.join(name), error))?;
        }
        // The weights first: they are what cannot be had again.
        for name in [
            WEIGHTS,
            EXPERIMENT,
            PATH,
            HISTORY_JSON,
            HISTORY_CSV,
            SUMMARY,
        ] {
            let place = self.dir.join(name);
            std::fs::rename(growing.join(name), &place)
                .map_err(|error| CliError::io(&place, error))?;
        }
        std::fs::remove_dir(&growing).map_err(|error| CliError::io(&growing, error))
    }
}

/// Writes a whole file, or leaves the earlier one as it was.
///
/// # Errors
/// When it cannot be written.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    crate::files::replace(path, bytes).map_err(|error| CliError::io(path, error))
}

/// The same experiment, readable from any folder.
pub fn with_absolute_paths(experiment: &Experiment) -> Experiment {
    experiment.with_absolute_paths()
}

/// The rows of a folder's [`HISTORY_JSON`], in which learning rates are not: they are NaN.
///
/// # Errors
/// When it cannot be read; names the line.
pub fn read_history(path: &Path) -> Result<Vec<HistoryRow>, CliError> {
    let text = std::fs::read_to_string(path).map_err(|error| CliError::io(path, error))?;
    let lines = text.lines().enumerate();
    let rows = lines.filter(|(_, line)| !line.trim().is_empty());
    rows.map(|(number, line)| {
        let row: Result<HistoryRow, _> = serde_json::from_str(line);
        match row {
            Ok(mut row) => {
                row.learning_rate = f64::NAN;
                Ok(row)
            }
            Err(error) => Err(CliError::Failed(format!(
                "{}, line {}: {error}",
                path.display(),
                number + 1
            ))),
        }
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn experiment(source: &str) -> Experiment {
        let text =
            format!("data = {{ source = \"{source}\" }}\nnetwork = {{ loss = \"cross-entropy\" }}");
        Experiment::parse(&text, "test").unwrap()
    }

    #[test]
    fn other_peoples_folders_are_left_alone_and_earlier_runs_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        drop(RunFolder::create(&dir.join("new/deep"), &experiment("iris"), false).unwrap());
        drop(RunFolder::create(&dir.join("new/deep"), &experiment("iris"), false).unwrap());
        std::fs::write(dir.join("letter.txt"), "dear").unwrap();
        assert!(RunFolder::create(dir, &experiment("iris"), false).is_err());
        assert!(RunFolder::create(dir, &experiment("iris"), true).is_ok());
        assert_eq!(std::fs::read(dir.join("letter.txt")).unwrap(), b"dear");
    }

    #[test]
    fn a_copied_experiment_finds_its_files_from_anywhere() {
        let mut e = experiment("my/table.csv");
        e.base = PathBuf::from("/somewhere");
        assert_eq!(
            with_absolute_paths(&e).data.source,
            "/somewhere/my/table.csv"
        );
        let e = experiment("iris");
        assert_eq!(with_absolute_paths(&e).data.source, "iris");
    }
}
