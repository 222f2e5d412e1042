//! What a model is run on: a sample of data, arrays, one number, or a ramp.

use super::run::RunArgs;
use crate::cli::CliError;
use crate::data::{DataConfig, Prepared, prepare};
use crate::experiment::ExperimentError;
use crate::interop::{InputSides, InputValues, RunInput, RunPort, read_input_arrays};
use std::path::Path;

/// The seed by which data are divided, as in an experiment that says none.
const SEED: u64 = 7;

/// A sample of data for a model.
pub(super) struct Sample {
    values: Vec<f32>,
    /// In the order of channels, if it is an image of several.
    pub(super) names: Vec<String>,
    pub(super) label: Option<String>,
    said: String,
}

pub(super) fn find_sample(source: &str, index: usize) -> Result<Sample, CliError> {
    let config = DataConfig::of(source);
    let data = prepare(&config, SEED, Path::new("")).map_err(ExperimentError::Data)?;
    let (name, part) = match data.validation.is_empty() {
        true => ("training", &data.train),
        false => ("validation", &data.validation),
    };
    if index >= part.len() {
        return Err(CliError::Failed(format!(
            "sample {index} is asked for, and the {name} part of {source} has {}; count them from 0",
            part.len()
        )));
    }
    let row: Vec<f32> = part.x.row(index).to_vec();
    let label = part.target.labels().map(|labels| labels[index]);
    let names = match data.task.is_classification() {
        true => data.task.names().to_vec(),
        false => Vec::new(),
    };
    Ok(Sample {
        values: channels_first(&data, row),
        label: label.and_then(|k| names.get(k).cloned()),
        names,
        said: format!("sample {index} of the {name} part of {source}"),
    })
}

/// Data have images pixel by pixel, models channel by channel.
fn channels_first(data: &Prepared, row: Vec<f32>) -> Vec<f32> {
    match data.image {
        Some(image) if image.channels > 1 => {
            let pixels = image.height * image.width;
            (0..row.len())
                .map(|k| row[k % pixels * image.channels + k / pixels])
                .collect()
        }
        _ => row,
    }
}

/// A value for each input, and what it is in words.
pub(super) fn fill(
    ports: &[RunPort],
    sides: &[InputSides],
    sample: Option<&Sample>,
    args: &RunArgs,
) -> Result<(Vec<RunInput>, Vec<String>), String> {
    let names = || {
        ports
            .iter()
            .map(|port| port.name.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let asked = sides.iter().filter_map(|input| input.name.as_deref());
    let asked = asked.chain(args.set.iter().map(|(name, _)| name.as_str()));
    for name in asked {
        if !ports.iter().any(|port| port.name == name) {
            return Err(format!("has no input {name:?}; its inputs are {}", names()));
        }
    }
    let mut arrays = match &args.run {
        Some(Some(path)) => read_input_arrays(path).map_err(|error| error.to_string())?,
        _ => Vec::new(),
    };
    let mut inputs = Vec::with_capacity(ports.len());
    let mut said = Vec::with_capacity(ports.len());
    for (k, port) in ports.iter().enumerate() {
        let given = sides.iter().find(|input| match &input.name {
            Some(name) => *name == port.name,
            None => k == 0,
        });
        let array = arrays.iter().position(|(name, ..)| *name == port.name);
        let set = args.set.iter().find(|(name, _)| *name == port.name);
        let (shape, values, what) = if let Some(at) = array {
            let (_, shape, values) = arrays.swap_remove(at);
            (shape, InputValues::Each(values), "as given".to_owned())
        } else {
            let shape = shape_of(port, given, sample.filter(|_| k == 0))?;
            match (set, sample.filter(|_| k == 0)) {
                (Some((_, number)), _) => (shape, InputValues::All(*number), number.to_string()),
                (None, Some(sample)) => (
                    shape,
                    InputValues::Each(sample.values.clone()),
                    sample.said.clone(),
                ),
                (None, None) if port.float => {
                    let n: usize = shape.iter().product();
                    let step = 1.0 / n.saturating_sub(1).max(1) as f32;
                    let ramp = (0..n).map(|i| i as f32 * step).collect();
                    (
                        shape,
                        InputValues::Each(ramp),
                        "a ramp from 0 to 1".to_owned(),
                    )
                }
                (None, None) => (shape, InputValues::All(0.0), "zeros".to_owned()),
            }
        };
        let list: Vec<String> = shape.iter().map(usize::to_string).collect();
        said.push(format!("{}: {}, {what}", port.name, list.join(" × ")));
        inputs.push(RunInput {
            name: port.name.clone(),
            shape,
            values,
        });
    }
    match arrays.first() {
        Some((name, ..)) => Err(format!("has no input {name:?}; its inputs are {}", names())),
        None => Ok((inputs, said)),
    }
}

/// The most values of an input that nobody gave: they are made up here.
const MOST_VALUES: usize = 1 << 27;

/// All sides of an input: one sample where that is open.
fn shape_of(
    port: &RunPort,
    given: Option<&InputSides>,
    sample: Option<&Sample>,
) -> Result<Vec<usize>, String> {
    let known = port.shape.clone();
    let first = known
        .as_ref()
        .and_then(|shape| *shape.first()?)
        .unwrap_or(1);
    let shape = match (given, known) {
        (Some(given), _) => std::iter::once(first)
            .chain(given.sides.iter().copied())
            .collect(),
        (None, Some(known)) => {
            let open = known.iter().skip(1).filter(|side| side.is_none()).count();
            let rest: usize = known.iter().skip(1).flatten().product();
            let mut shape: Vec<usize> = known.iter().map(|side| side.unwrap_or(1)).collect();
            match (open, sample) {
                (0, _) => {}
                // One open side takes what the sample has.
                (1, Some(sample)) if rest > 0 && sample.values.len().is_multiple_of(rest) => {
                    let at = known.iter().skip(1).position(Option::is_none);
                    shape[at.map_or(0, |at| at + 1)] = sample.values.len() / rest;
                }
                _ => {
                    return Err(format!(
                        "its input {:?} has open sides, {}; say them with --input {}={}",
                        port.name,
                        sides(&known),
                        port.name,
                        vec!["N"; known.len() - 1].join(",")
                    ));
                }
            }
            shape
        }
        (None, None) => match sample {
            Some(sample) => vec![1, sample.values.len()],
            None => {
                return Err(format!(
                    "the shape of its input {:?} is not in the file; say it with --input {}=N,...",
                    port.name, port.name
                ));
            }
        },
    };
    let size = shape
        .iter()
        .try_fold(1_usize, |n: usize, &side| n.checked_mul(side));
    match (size, sample) {
        (Some(n), Some(sample)) if n != sample.values.len() => Err(format!(
            "its input {:?} takes {n} values, and {} are {}",
            port.name,
            sample.said,
            sample.values.len()
        )),
        (Some(n), _) if n <= MOST_VALUES => Ok(shape),
        _ => Err(format!(
            "its input {:?} takes more than {MOST_VALUES} values",
            port.name
        )),
    }
}

fn sides(known: &[Option<usize>]) -> String {
    let each = known
        .iter()
        .map(|side| side.map_or("?".to_owned(), |n| n.to_string()));
    each.collect::<Vec<_>>().join(" × ")
}
