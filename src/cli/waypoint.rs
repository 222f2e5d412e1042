//! Weights named on the command line: the initial ones, the last, those of a
//! step, or a file's.

use super::CliError;
use super::source::Source;
use crate::interop::read_params;
use std::path::PathBuf;
use std::str::FromStr;

/// Weights as they are named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waypoint {
    /// Those that the experiment's seed gives.
    Initial,
    /// Those of the command's EXPERIMENT or DIR, or of `--weights`.
    Last,
    /// Those of the recorded place nearest to a step.
    Step(u64),
    /// A file's.
    File(PathBuf),
}

impl FromStr for Waypoint {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "initial" => Waypoint::Initial,
            "last" => Waypoint::Last,
            _ => match text.parse() {
                Ok(step) => Waypoint::Step(step),
                Err(_) => Waypoint::File(PathBuf::from(text)),
            },
        })
    }
}

/// Weights, and how to call them.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// The weights.
    pub params: Vec<f32>,
    /// Such as `the initial weights`.
    pub name: String,
    /// The step, where it is one of the recorded path.
    pub step: Option<u64>,
}

impl Waypoint {
    /// Finds or reads the weights.
    ///
    /// # Errors
    /// When there is no recorded path, or a file cannot be read or does not fit.
    pub fn find(&self, source: &Source) -> Result<Place, CliError> {
        let place =
            |params: Vec<f32>, name: String, step: Option<u64>| Place { params, name, step };
        Ok(match self {
            Waypoint::Initial => place(
                source.problem.initial_params(),
                "the initial weights".to_owned(),
                None,
            ),
            Waypoint::Last => {
                let name = match (source.given, source.path.is_empty()) {
                    (true, false) => "the last weights",
                    (true, true) => "the given weights",
                    (false, _) => "the initial weights",
                };
                place(source.params.clone(), name.to_owned(), None)
            }
            Waypoint::Step(step) => {
                let nearest = source.path.iter().min_by_key(|p| p.step.abs_diff(*step));
                let point = nearest.ok_or_else(|| {
                    CliError::Failed(format!(
                        "step {step}: there is no recorded path to take it from; name a folder \
                         that `train` wrote"
                    ))
                })?;
                let name = format!("step {}", point.step);
                place(point.params.to_vec(), name, Some(point.step))
            }
            Waypoint::File(file) => {
                let layout = source.problem.network.layout();
                let name = file.file_name().map_or_else(
                    || file.display().to_string(),
                    |name| name.to_string_lossy().into_owned(),
                );
                place(read_params(file, layout)?, name, None)
            }
        })
    }
}
