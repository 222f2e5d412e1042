//! From the `[data]` table to a data set in memory, whatever the source.

use std::path::Path;

use super::config::DataConfig;
use super::dataset::Dataset;
use super::error::DataError;
use super::source::{SourceKind, source_kind};
use super::split::draw;
use super::{assets, embedded, generators, idx, npz, table};
use crate::rng::{Rng, Stream, stream};

/// Loads or draws the data that `config` describes, limited but neither split
/// nor scaled. A relative path starts from `base`, the experiment file's folder.
///
/// # Errors
/// When the config does not hold together, or what a file holds is not what it
/// should be; see [`DataError`].
pub fn load(config: &DataConfig, seed: u64, base: &Path) -> Result<Dataset, DataError> {
    load_with(config, seed, base, &mut stream(seed, Stream::Split))
}

/// [`load`], with the rows that a limit keeps drawn from `rng`.
pub(super) fn load_with(
    config: &DataConfig,
    seed: u64,
    base: &Path,
    rng: &mut Rng,
) -> Result<Dataset, DataError> {
    config.validate()?;
    let path = base.join(&config.source);
    let data = match source_kind(&config.source)? {
        SourceKind::Generated => generators::generate(config, seed)?,
        SourceKind::Embedded => embedded::load(config)?,
        SourceKind::Asset => assets::load(&config.source)?,
        SourceKind::Csv => table::load(&path, config)?,
        SourceKind::Npz => npz::load(&path, config)?,
        SourceKind::Idx => idx::load(&path, config, base)?,
    };
    Ok(match config.limit {
        Some(limit) if limit < data.n_samples() => limited(&data, limit, rng),
        _ => data,
    })
}

/// At most `limit` samples, classes and a fixed validation part in proportion.
fn limited(data: &Dataset, limit: usize, rng: &mut Rng) -> Dataset {
    let n = data.n_samples();
    let n_validation = data.fixed_validation.unwrap_or(0);
    let keep_validation = (limit as f64 * n_validation as f64 / n as f64).round() as usize;
    let first = n - n_validation;
    let train: Vec<usize> = (0..first).collect();
    let validation: Vec<usize> = (first..n).collect();
    let mut rows = draw(&data.target.select(&train), limit - keep_validation, 0, rng);
    let drawn = draw(&data.target.select(&validation), keep_validation, 0, rng);
    rows.extend(drawn.into_iter().map(|row| first + row));
    let mut kept = data.select(&rows);
    kept.fixed_validation = data.fixed_validation.map(|_| keep_validation);
    kept
}

/// The last part of a path, as the name of its data.
pub(super) fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}
