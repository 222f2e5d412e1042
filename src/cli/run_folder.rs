//! The folder that `train` writes: what lies in it, and when it may be written to.

use super::CliError;
use crate::data::{SourceKind, source_kind};
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

/// A run's folder that is being written.
pub struct RunFolder {
    dir: PathBuf,
    json: BufWriter<File>,
    csv: csv::Writer<File>,
}

impl RunFolder {
    /// Whether `dir` holds a run: its experiment and its weights.
    pub fn is_run(dir: &Path) -> bool {
        dir.join(EXPERIMENT).is_file() && dir.join(WEIGHTS).is_file()
    }

    /// Makes `dir` ready for a run of `experiment`. An earlier run's files are
    /// removed; a folder with anything else in it is left alone unless `force`.
    ///
    /// # Errors
    /// When the folder may not or cannot be written.
    pub fn create(dir: &Path, experiment: &Experiment, force: bool) -> Result<Self, CliError> {
        std::fs::create_dir_all(dir).map_err(|error| CliError::io(dir, error))?;
        let mut entries = std::fs::read_dir(dir).map_err(|error| CliError::io(dir, error))?;
        let was_run = dir.join(EXPERIMENT).is_file() && dir.join(HISTORY_JSON).is_file();
        if entries.next().is_some() && !was_run && !force {
            return Err(CliError::Failed(format!(
                "{}: the folder holds files that are not an earlier run's; name another, or add --force to write into it",
                dir.display()
            )));
        }
        for name in [WEIGHTS, PATH, SUMMARY] {
            let file = dir.join(name);
            if file.exists() {
                std::fs::remove_file(&file).map_err(|error| CliError::io(&file, error))?;
            }
        }
        let text = with_absolute_paths(experiment)
            .to_toml()
            .map_err(|error| CliError::Failed(format!("experiment.toml: {error}")))?;
        write(&dir.join(EXPERIMENT), text.as_bytes())?;
        let create = |name: &str| {
            let file = dir.join(name);
            File::create(&file).map_err(|error| CliError::io(&file, error))
        };
        Ok(RunFolder {
            dir: dir.to_owned(),
            json: BufWriter::new(create(HISTORY_JSON)?),
            csv: csv::Writer::from_writer(create(HISTORY_CSV)?),
        })
    }

    /// Adds an epoch to both histories.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn push(&mut self, row: &HistoryRow) -> Result<(), CliError> {
        let file = self.dir.join(HISTORY_JSON);
        let line =
            serde_json::to_string(row).map_err(|error| CliError::Failed(error.to_string()))?;
        writeln!(self.json, "{line}").map_err(|error| CliError::io(&file, error))?;
        let file = self.dir.join(HISTORY_CSV);
        self.csv
            .serialize(row)
            .map_err(|error| CliError::Failed(format!("{}: {error}", file.display())))
    }

    /// Writes what is known at the end.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn finish(
        mut self,
        layout: &Layout,
        params: &[f32],
        path: &[PathPoint],
        summary: &impl Serialize,
    ) -> Result<(), CliError> {
        let file = self.dir.join(HISTORY_JSON);
        self.json
            .flush()
            .map_err(|error| CliError::io(&file, error))?;
        let file = self.dir.join(HISTORY_CSV);
        self.csv
            .flush()
            .map_err(|error| CliError::io(&file, error))?;
        write_path(&self.dir.join(PATH), path)?;
        let text = serde_json::to_string_pretty(summary)
            .map_err(|error| CliError::Failed(error.to_string()))?;
        write(&self.dir.join(SUMMARY), format!("{text}\n").as_bytes())?;
        // Last: with its weights a folder counts as a run.
        write_params(&self.dir.join(WEIGHTS), layout, params)?;
        Ok(())
    }
}

/// Writes a whole file.
///
/// # Errors
/// When it cannot be written.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    std::fs::write(path, bytes).map_err(|error| CliError::io(path, error))
}

/// The same experiment, readable from any folder.
fn with_absolute_paths(experiment: &Experiment) -> Experiment {
    let mut experiment = experiment.clone();
    let base = experiment.base.clone();
    let absolute = |path: &str| {
        let joined = base.join(path);
        let path = std::path::absolute(&joined).unwrap_or(joined);
        path.to_string_lossy().into_owned()
    };
    let kind = source_kind(&experiment.data.source);
    if let Ok(SourceKind::Csv | SourceKind::Npz | SourceKind::Idx) = kind {
        experiment.data.source = absolute(&experiment.data.source);
    }
    experiment.data.labels = experiment.data.labels.as_deref().map(absolute);
    experiment
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
