//! What of a capture's flags depends on the network: what of it can be shown, and which
//! networks can stand beside it.

use super::CaptureArgs;
use crate::cli::CliError;
use crate::cli::source::find_experiment;
use crate::compare::{self, Variant};
use crate::experiment::Experiment;
use crate::train::Problem;

/// The networks that stand beside that of `problem`.
pub(super) fn networks(names: &[String], problem: &Problem) -> Result<Vec<Experiment>, CliError> {
    if names.len() >= compare::MOST {
        let most = compare::MOST - 1;
        let message = format!("--with: no more than {most} networks stand beside another");
        return Err(CliError::Usage(message));
    }
    let found = names.iter().map(|name| {
        let experiment = match Variant::named(name) {
            Some(variant) => variant.of(&problem.experiment).ok_or_else(|| {
                CliError::Usage(format!(
                    "--with {name}: that changes nothing of this network"
                ))
            })?,
            None => find_experiment(name)?,
        };
        match compare::beside(&experiment, problem) {
            Ok(_) => Ok(experiment),
            Err(why) => Err(CliError::Failed(format!("--with {name}: {why}"))),
        }
    });
    found.collect()
}

/// Whether there is something to show of what is wanted of the network.
pub(super) fn check_views(args: &CaptureArgs, problem: &Problem) -> Result<(), CliError> {
    if args.fields && !problem.data.is_plane() {
        return Err(CliError::Usage(
            "--fields: only data with two inputs have a plane to show neurons' fields over"
                .to_owned(),
        ));
    }
    let Some([column, unit]) = args.select else {
        return Ok(());
    };
    let network = &problem.network;
    let units = match column.checked_sub(1) {
        None => Some(network.inputs()),
        Some(layer) => network.layers().get(layer).map(|layer| layer.outputs()),
    };
    match units {
        Some(units) if unit < units => Ok(()),
        Some(units) => Err(CliError::Usage(format!(
            "--select {column},{unit}: column {column} has {units} units, 0 to {}",
            units.saturating_sub(1)
        ))),
        None => Err(CliError::Usage(format!(
            "--select {column},{unit}: the columns are 0 (the inputs) to {}",
            network.layers().len()
        ))),
    }
}
