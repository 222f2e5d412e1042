//! `gradscape data`: a data set at a glance.

use super::samples::sample;
use super::source::find;
use super::{CliError, Out};
use crate::data::{ColumnRef, DataConfig, Label, source_info, source_kind, summarise};
use crate::experiment::ExperimentError;
use crate::run::is_run_file;
use clap::Args;
use std::path::Path;

/// Say what is in a data set
///
/// Counts, ranges, classes, missing values, licence and citation of the whole
/// set, before it is split and scaled.
#[derive(Args, Debug, Clone)]
pub struct DataArgs {
    /// A built-in data set, a CSV, NPZ or IDX file, or an experiment file or sample (its data)
    #[arg(value_name = "NAME|FILE")]
    source: String,
    /// CSV: the column to predict, by name or index; NPZ: the array of labels
    #[arg(long, value_name = "COLUMN", allow_hyphen_values = true)]
    label: Option<String>,
    /// The seed of a generated data set
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Obeys `gradscape data`.
///
/// # Errors
/// When there is no such data, or it cannot be read.
pub fn run(args: &DataArgs) -> Result<(), CliError> {
    let mut out = Out::stdout(args.json);
    // A data set goes before a sample of its name.
    let is_sample = source_info(&args.source).is_none() && sample(&args.source).is_some();
    let is_experiment = is_sample
        || args.source.to_ascii_lowercase().ends_with(".toml")
        || is_run_file(Path::new(&args.source));
    let (mut config, seed, base) = if is_experiment {
        let (experiment, _) = find(&args.source)?;
        (experiment.data, experiment.seed, experiment.base)
    } else {
        source_kind(&args.source).map_err(|error| CliError::Failed(error.message))?;
        (DataConfig::of(&args.source), 7, Path::new("").to_owned())
    };
    if let Some(label) = &args.label {
        config.label = Some(Label::One(match label.parse() {
            Ok(index) => ColumnRef::Index(index),
            Err(_) => ColumnRef::Name(label.clone()),
        }));
    }
    let summary =
        summarise(&config, args.seed.unwrap_or(seed), &base).map_err(ExperimentError::Data)?;
    out.object(&summary)?;
    out.say(summary.to_string().trim_end())
}
