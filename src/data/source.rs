//! Where data can come from: the names that are built in, and the kinds of file.

use std::path::Path;

use serde::Serialize;

use super::config::{ConfigError, TaskKind};

/// What kind of source a name or a path stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceKind {
    /// Drawn from a formula with the experiment's seed.
    Generated,
    /// Real data inside the program.
    Embedded,
    /// Real data in files beside the program.
    Asset,
    /// The user's text table.
    Csv,
    /// The user's NumPy archive.
    Npz,
    /// The user's file in the format of the MNIST distribution.
    Idx,
}

impl SourceKind {
    /// How an error calls a source of this kind.
    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::Generated => "a generated problem",
            Self::Embedded | Self::Asset => "built-in data",
            Self::Csv => "a CSV file",
            Self::Npz => "an NPZ file",
            Self::Idx => "an IDX file",
        }
    }

    /// What kind of file a path's name says it is.
    pub fn of_path(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.to_ascii_lowercase();
        let plain = name.strip_suffix(".gz").unwrap_or(&name);
        if [".csv", ".tsv", ".txt"]
            .iter()
            .any(|end| name.ends_with(end))
        {
            Some(Self::Csv)
        } else if name.ends_with(".npz") {
            Some(Self::Npz)
        } else if plain.ends_with("ubyte")
            || plain
                .rsplit(['.', '-', '_'])
                .next()
                .is_some_and(|end| end.starts_with("idx"))
        {
            Some(Self::Idx)
        } else {
            None
        }
    }
}

/// A data set that is there by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SourceInfo {
    /// The value of `data.source`.
    pub name: &'static str,
    /// How it comes about.
    pub kind: SourceKind,
    /// What it asks.
    pub task: TaskKind,
    /// The key of its one-line description in the language files.
    pub description: &'static str,
    /// How many samples it has, or has when `data.samples` is not set.
    pub samples: usize,
    /// The number of raw inputs: 2 for a problem in the plane.
    pub inputs: usize,
}

const fn generated(
    name: &'static str,
    task: TaskKind,
    description: &'static str,
    samples: usize,
    inputs: usize,
) -> SourceInfo {
    SourceInfo {
        name,
        kind: SourceKind::Generated,
        task,
        description,
        samples,
        inputs,
    }
}

const fn real(
    name: &'static str,
    kind: SourceKind,
    description: &'static str,
    samples: usize,
    inputs: usize,
) -> SourceInfo {
    SourceInfo {
        name,
        kind,
        task: TaskKind::Classification,
        description,
        samples,
        inputs,
    }
}

/// Playground's numbers of points: 500 to classify, 1,200 to fit.
static SOURCES: [SourceInfo; 14] = [
    generated("circle", TaskKind::Classification, "data.circle", 500, 2),
    generated("xor", TaskKind::Classification, "data.xor", 500, 2),
    generated("gauss", TaskKind::Classification, "data.gauss", 500, 2),
    generated("spiral", TaskKind::Classification, "data.spiral", 500, 2),
    generated("moons", TaskKind::Classification, "data.moons", 500, 2),
    generated("plane", TaskKind::Regression, "data.plane", 1200, 2),
    generated(
        "gauss-regression",
        TaskKind::Regression,
        "data.gauss-regression",
        1200,
        2,
    ),
    generated("sine", TaskKind::Regression, "data.sine", 200, 1),
    real("digits", SourceKind::Embedded, "data.digits", 1797, 64),
    real("iris", SourceKind::Embedded, "data.iris", 150, 4),
    real("wine", SourceKind::Embedded, "data.wine", 178, 13),
    real(
        "breast-cancer",
        SourceKind::Embedded,
        "data.breast-cancer",
        569,
        30,
    ),
    real("mnist", SourceKind::Asset, "data.mnist", 12_000, 784),
    real(
        "fashion-mnist",
        SourceKind::Asset,
        "data.fashion-mnist",
        12_000,
        784,
    ),
];

/// Every data set that is there by name, in the order in which to offer them.
pub fn sources() -> &'static [SourceInfo] {
    &SOURCES
}

/// The data set of this name, or `None` when it is not a built-in name.
pub fn source_info(name: &str) -> Option<&'static SourceInfo> {
    SOURCES.iter().find(|info| info.name == name)
}

/// The kind of `source`, a built-in name or a path.
///
/// # Errors
/// On `data.source`, when it is neither a name nor a path with a known ending.
pub fn source_kind(source: &str) -> Result<SourceKind, ConfigError> {
    if let Some(info) = source_info(source) {
        return Ok(info.kind);
    }
    SourceKind::of_path(Path::new(source)).ok_or_else(|| {
        let names: Vec<&str> = SOURCES.iter().map(|info| info.name).collect();
        ConfigError::new(
            "data.source",
            format!(
                "\"{source}\" is neither a built-in data set nor a kind of file that can be read; \
                 allowed: {}, or a path that ends in .csv, .tsv, .txt, .npz, -ubyte, -ubyte.gz or .idx",
                names.join(", ")
            ),
        )
    })
}
