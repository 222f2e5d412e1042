//! What a run is: its name, its state, where it was made, from what.

use super::thinning::Thinning;
use crate::digest::Digest;
use crate::experiment::Experiment;
use crate::train::Problem;
use serde::Serialize;
use std::collections::BTreeMap;

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SavedState {
    /// It is being recorded, or whoever recorded it was ended before it could say so.
    Open,
    /// It came to its end.
    Finished,
    /// It ended because numbers stopped being finite.
    Diverged,
    /// It was left before its end.
    Interrupted,
}

impl SavedState {
    /// All of them.
    pub const ALL: [SavedState; 4] = [
        SavedState::Open,
        SavedState::Finished,
        SavedState::Diverged,
        SavedState::Interrupted,
    ];

    /// Its name in the file.
    pub fn name(self) -> &'static str {
        match self {
            SavedState::Open => "open",
            SavedState::Finished => "finished",
            SavedState::Diverged => "diverged",
            SavedState::Interrupted => "interrupted",
        }
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        SavedState::ALL.into_iter().find(|s| s.name() == name)
    }
}

/// The run and the step that a run went on from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Parent {
    /// The other run's [`RunInfo::id`].
    pub id: String,
    /// Steps completed there.
    pub step: u64,
}

/// What a run is, as its file says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunInfo {
    /// What it is known by; never changes.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// How far it has come.
    pub state: SavedState,
    /// When it began, in milliseconds since 1970 (UTC).
    pub created_ms: i64,
    /// When something was last recorded of it.
    pub updated_ms: i64,
    /// When it came to its end.
    pub finished_ms: Option<i64>,
    /// The seed of its initial weights and batches.
    pub seed: u64,
    /// What it learns: the experiment's data source.
    pub data: String,
    /// Parameters of the network.
    pub parameters: usize,
    /// Samples of the training part.
    pub training_samples: usize,
    /// Samples of the validation part.
    pub validation_samples: usize,
    /// Steps in one epoch.
    pub steps_per_epoch: usize,
    /// Where it was made; see [`environment`].
    pub environment: BTreeMap<String, String>,
    /// What it was marked with.
    pub tags: Vec<String>,
    /// What people say about it.
    pub comment: String,
    /// Where it went on from, if it did.
    pub parent: Option<Parent>,
    /// Where another program's run was watched; none for one of ours.
    pub watched: Option<String>,
    /// What is not kept any more.
    pub thinning: Vec<Thinning>,
    /// The version of the schema that the file had when it was opened.
    pub schema: i64,
}

/// What a run's file says from its beginning on.
#[derive(Debug, Clone, PartialEq)]
pub struct RunStart {
    /// See [`RunInfo::id`].
    pub id: String,
    /// See [`RunInfo::name`].
    pub name: String,
    /// See [`RunInfo::created_ms`].
    pub created_ms: i64,
    /// The experiment; paths in it are best absolute. None for a run that was watched,
    /// whose network is not known (yet).
    pub experiment: Option<Experiment>,
    /// See [`RunInfo::seed`].
    pub seed: u64,
    /// See [`RunInfo::parameters`].
    pub parameters: usize,
    /// See [`RunInfo::training_samples`].
    pub training_samples: usize,
    /// See [`RunInfo::validation_samples`].
    pub validation_samples: usize,
    /// See [`RunInfo::steps_per_epoch`].
    pub steps_per_epoch: usize,
    /// See [`RunInfo::environment`].
    pub environment: BTreeMap<String, String>,
    /// See [`RunInfo::parent`].
    pub parent: Option<Parent>,
    /// See [`RunInfo::watched`].
    pub watched: Option<String>,
}

impl RunStart {
    /// A run of `problem`, begun at `created_ms`, that is to be known by `id`.
    pub fn of(problem: &Problem, id: &str, created_ms: i64) -> Self {
        RunStart {
            id: id.to_owned(),
            name: problem.experiment.title().to_owned(),
            created_ms,
            experiment: Some(problem.experiment.with_absolute_paths()),
            seed: problem.experiment.seed,
            parameters: problem.network.layout().len(),
            training_samples: problem.train.len(),
            validation_samples: problem.validation.len(),
            steps_per_epoch: problem.steps_per_epoch(),
            environment: environment(problem),
            parent: None,
            watched: None,
        }
    }

    /// A run that another program trains, watched at `source`, of whose network nothing is
    /// known (yet).
    pub fn watched(source: &str, name: &str, id: &str, created_ms: i64) -> Self {
        RunStart {
            id: id.to_owned(),
            name: name.to_owned(),
            created_ms,
            experiment: None,
            seed: 0,
            parameters: 0,
            training_samples: 0,
            validation_samples: 0,
            steps_per_epoch: 1,
            environment: machine(),
            parent: None,
            watched: Some(source.to_owned()),
        }
    }
}

/// Where a run is made: `gradscape` (the version), `os`, `architecture`, `cpu`, `threads`
/// and `data_digest`, a mark of the encoded samples by which other data are told apart
/// ([`Digest`]).
pub fn environment(problem: &Problem) -> BTreeMap<String, String> {
    let mut digest = Digest::default();
    for part in [&problem.train, &problem.validation] {
        digest = digest.number(part.len() as u64);
        digest = digest.floats(part.x.iter().copied());
        digest = digest.floats(part.y.iter().copied());
    }
    let mut entries = machine();
    entries.insert("data_digest".to_owned(), digest.finish());
    entries
}

/// The machine and the program.
fn machine() -> BTreeMap<String, String> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let entries = [
        ("gradscape", env!("CARGO_PKG_VERSION").to_owned()),
        ("os", std::env::consts::OS.to_owned()),
        ("architecture", std::env::consts::ARCH.to_owned()),
        ("cpu", cpu()),
        ("threads", threads.to_string()),
    ];
    let entries = entries.into_iter().map(|(k, v)| (k.to_owned(), v));
    entries.collect()
}

/// The processor's name, where the system tells it.
fn cpu() -> String {
    let told = std::fs::read_to_string("/proc/cpuinfo").ok();
    let name = told.as_deref().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    });
    name.or_else(|| std::env::var("PROCESSOR_IDENTIFIER").ok())
        .unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}

impl RunInfo {
    /// Whether `text` is in its name, id, data, comment or a tag, in small or capital
    /// letters.
    pub fn mentions(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        let said = [&self.name, &self.id, &self.data, &self.comment];
        let mut said = said.into_iter().chain(&self.tags);
        said.any(|word| word.to_lowercase().contains(&text))
    }
}
