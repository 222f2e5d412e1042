//! What a model of another program is run on: a sample of data, arrays, one number, or a ramp.

use crate::data::{DataConfig, DataError, Prepared, prepare};
use crate::interop::{InputSides, InputValues, RunInput, RunPort};
use std::path::Path;

/// The seed by which data are divided, as in an experiment that says none.
const SEED: u64 = 7;

/// A sample of data for a model.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelSample {
    /// Its values, channel by channel if it is an image of several.
    values: Vec<f32>,
    /// The names of the classes; empty where the data have none.
    pub names: Vec<String>,
    /// The name of its class, where the data say it.
    pub label: Option<String>,
    said: String,
}

/// Why there is no such sample.
#[derive(Debug)]
pub enum SampleError {
    /// The data cannot be read.
    Data(DataError),
    /// The data have fewer samples; what is wrong, in words.
    Index(String),
}

impl std::fmt::Display for SampleError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            SampleError::Data(error) => error.fmt(f),
            SampleError::Index(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for SampleError {}

/// Sample `index` of the validation part of a built-in data set or of a file; of the training
/// part where nothing is held back.
///
/// # Errors
/// When the data cannot be read, or have fewer samples.
pub fn find_sample(source: &str, index: usize) -> Result<ModelSample, SampleError> {
    let config = DataConfig::of(source);
    let data = prepare(&config, SEED, Path::new("")).map_err(SampleError::Data)?;
    let (name, part) = match data.validation.is_empty() {
        true => ("training", &data.train),
        false => ("validation", &data.validation),
    };
    if index >= part.len() {
        return Err(SampleError::Index(format!(
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
    Ok(ModelSample {
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

/// An array for an input: its name, all its sides, its values row by row.
pub type InputArray = (String, Vec<usize>, Vec<f32>);

/// What somebody gave for a run.
#[derive(Debug, Clone, Default)]
pub struct Given<'a> {
    /// Sides that the file leaves open.
    pub sides: &'a [InputSides],
    /// What goes into the first input.
    pub sample: Option<&'a ModelSample>,
    /// Arrays for inputs by their names.
    pub arrays: Vec<InputArray>,
    /// Inputs that are filled with one number.
    pub filled: &'a [(String, f32)],
    /// Where sides are given, for messages: `--input`.
    pub option: &'a str,
}

/// A value for each input, and what it is in words: what is given, and a ramp from 0 to 1 or
/// zeros for the others.
///
/// # Errors
/// When a name is not that of an input, a side is open, or what is given does not fit; in words
/// that go on from the name of the model.
pub fn fill_inputs(
    ports: &[RunPort],
    given: Given<'_>,
) -> Result<(Vec<RunInput>, Vec<String>), String> {
    let Given {
        sides,
        sample,
        mut arrays,
        filled,
        option,
    } = given;
    let names = || {
        ports
            .iter()
            .map(|port| port.name.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let asked = sides.iter().filter_map(|input| input.name.as_deref());
    let asked = asked.chain(filled.iter().map(|(name, _)| name.as_str()));
    for name in asked {
        if !ports.iter().any(|port| port.name == name) {
            return Err(format!("has no input {name:?}; its inputs are {}", names()));
        }
    }
    let mut inputs = Vec::with_capacity(ports.len());
    let mut said = Vec::with_capacity(ports.len());
    for (k, port) in ports.iter().enumerate() {
        let given = sides.iter().find(|input| match &input.name {
            Some(name) => *name == port.name,
            None => k == 0,
        });
        let array = arrays.iter().position(|(name, ..)| *name == port.name);
        let set = filled.iter().find(|(name, _)| *name == port.name);
        let (shape, values, what) = if let Some(at) = array {
            let (_, shape, values) = arrays.swap_remove(at);
            (shape, InputValues::Each(values), "as given".to_owned())
        } else {
            let shape = shape_of(port, given, sample.filter(|_| k == 0), option)?;
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
    sample: Option<&ModelSample>,
    option: &str,
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
                        "its input {:?} has open sides, {}; say them with {option} {}={}",
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
                    "the shape of its input {:?} is not in the file; say it with {option} {}=N,...",
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

/// The places with the largest values of an output that has one row of several, as those of
/// classes do: at most `most`, the largest first. None of any other output.
pub fn top_places(shape: &[usize], values: &[f64], most: usize) -> Vec<usize> {
    let long = shape.iter().filter(|&&side| side != 1).count();
    if long != 1 || values.len() < 2 {
        return Vec::new();
    }
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
    order.truncate(most);
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(shape: Option<&[Option<usize>]>) -> RunPort {
        RunPort {
            name: "image".to_owned(),
            shape: shape.map(<[_]>::to_vec),
            float: true,
        }
    }

    #[test]
    fn sides_that_are_open_are_asked_for_in_the_words_of_whoever_asks() {
        let ports = [port(Some(&[None, Some(3), None, None]))];
        let given = Given {
            option: "the field",
            ..Given::default()
        };
        let why = fill_inputs(&ports, given.clone()).unwrap_err();
        assert!(why.contains("the field image=N,N,N"), "{why}");
        let sides = ["3,2,2".parse().unwrap()];
        let (inputs, said) = fill_inputs(
            &ports,
            Given {
                sides: &sides,
                ..given
            },
        )
        .unwrap();
        assert_eq!(inputs[0].shape, [1, 3, 2, 2]);
        let InputValues::Each(values) = &inputs[0].values else {
            panic!("{inputs:?}")
        };
        assert_eq!((values[0], values[11]), (0.0, 1.0));
        assert_eq!(said, ["image: 1 × 3 × 2 × 2, a ramp from 0 to 1"]);
    }

    #[test]
    fn a_sample_takes_the_one_open_side() {
        let sample = find_sample("digits", 3).unwrap();
        let ports = [port(Some(&[None, Some(1), Some(8), None]))];
        let given = Given {
            sample: Some(&sample),
            ..Given::default()
        };
        let (inputs, _) = fill_inputs(&ports, given).unwrap();
        assert_eq!(inputs[0].shape, [1, 1, 8, 8]);
        assert_eq!(sample.names.len(), 10);
        assert!(find_sample("digits", 99_999).is_err());
    }

    #[test]
    fn the_largest_places_come_first_and_images_have_none() {
        assert_eq!(top_places(&[1, 4], &[0.1, 3.0, -2.0, 0.5], 2), [1, 3]);
        assert!(top_places(&[1, 2, 2], &[0.1, 3.0, -2.0, 0.5], 2).is_empty());
    }
}
