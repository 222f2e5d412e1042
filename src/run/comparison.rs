//! Recorded runs side by side: what each came to, in which keys their experiments differ,
//! and their curves.

use super::file::RunFile;
use super::info::SavedState;
use super::{RunError, StepMetrics};
use crate::compare::{Difference, differences};
use crate::experiment::Experiment;
use crate::figure::{ParallelAxis, ParallelMarks};
use crate::train::HistoryRow;
use serde::Serialize;

/// The figures of a recorded run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunFigures {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// How far it came.
    pub state: SavedState,
    /// Parameters of the network.
    pub parameters: usize,
    /// Epochs completed.
    pub epochs: usize,
    /// Steps completed.
    pub steps: u64,
    /// From its first epoch's record to its last, in seconds.
    pub seconds: f64,
    /// The last training loss.
    pub train_loss: Option<f64>,
    /// The last training accuracy.
    pub train_accuracy: Option<f64>,
    /// The last validation loss.
    pub validation_loss: Option<f64>,
    /// The last validation accuracy.
    pub validation_accuracy: Option<f64>,
    /// The lowest validation loss (training loss where there is none), and its epoch.
    pub best: Option<(f64, usize)>,
}

/// A quantity whose course can be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CurveOf {
    /// The validation loss, or the training loss of a run that holds nothing back.
    Loss,
    /// The training loss.
    TrainLoss,
    /// The validation accuracy, or the training accuracy.
    Accuracy,
    /// The loss of each step's batch.
    BatchLoss,
    /// The learning rate of each step.
    LearningRate,
    /// The gradient's norm of each step.
    GradientNorm,
}

/// A recorded run among others.
#[derive(Debug, Clone)]
pub struct ComparedRun {
    /// What it came to.
    pub figures: RunFigures,
    /// What it ran.
    pub experiment: Experiment,
    /// Its epochs, oldest first.
    pub rows: Vec<HistoryRow>,
    /// Its steps, at most so many as were asked for.
    pub steps: Vec<StepMetrics>,
}

impl ComparedRun {
    /// Reads a run; of its steps at most `most`.
    ///
    /// # Errors
    /// When the file or its experiment cannot be read.
    pub fn read(run: &RunFile, most: usize) -> Result<Self, RunError> {
        let info = run.info();
        let rows = run.epochs()?;
        let last = rows.last().copied();
        let losses = rows.iter().filter_map(|row| {
            let loss = row.validation_loss.unwrap_or(row.train_loss);
            loss.is_finite().then_some((loss, row.epoch))
        });
        let times = run.epoch_times()?;
        let (begin, end) = (times.first(), times.last());
        let seconds = begin.zip(end).map(|(begin, end)| end.1 - begin.1);
        Ok(ComparedRun {
            figures: RunFigures {
                id: info.id.clone(),
                name: info.name.clone(),
                state: info.state,
                parameters: info.parameters,
                epochs: last.map_or(0, |row| row.epoch),
                steps: run.last_step()?,
                seconds: seconds.unwrap_or(0) as f64 / 1000.0,
                train_loss: last.map(|row| row.train_loss).filter(|v| v.is_finite()),
                train_accuracy: last.and_then(|row| row.train_accuracy),
                validation_loss: last.and_then(|row| row.validation_loss),
                validation_accuracy: last.and_then(|row| row.validation_accuracy),
                best: losses.min_by(|a, b| a.0.total_cmp(&b.0)),
            },
            experiment: run.experiment()?,
            rows,
            steps: run.steps(most)?,
        })
    }

    /// The course of a quantity, as steps and values; what is not known is left out.
    pub fn curve(&self, of: CurveOf) -> Vec<(u64, f64)> {
        let row = |value: fn(&HistoryRow) -> Option<f64>| -> Vec<(u64, f64)> {
            let rows = self.rows.iter();
            rows.filter_map(|row| Some((row.step, value(row)?)))
                .collect()
        };
        let step = |value: fn(&StepMetrics) -> Option<f64>| -> Vec<(u64, f64)> {
            let steps = self.steps.iter();
            steps
                .filter_map(|step| Some((step.step, value(step)?)))
                .collect()
        };
        match of {
            CurveOf::Loss => row(|r| r.validation_loss.or(Some(r.train_loss))),
            CurveOf::TrainLoss => row(|r| Some(r.train_loss)),
            CurveOf::Accuracy => row(|r| r.validation_accuracy.or(r.train_accuracy)),
            CurveOf::BatchLoss => step(|s| s.loss),
            CurveOf::LearningRate => step(|s| s.learning_rate),
            CurveOf::GradientNorm => step(|s| s.gradient_norm),
        }
    }
}

/// The keys in which the experiments of `runs` differ.
pub fn differing_keys(runs: &[ComparedRun]) -> Vec<Difference> {
    let experiments: Vec<&Experiment> = runs.iter().map(|run| &run.experiment).collect();
    differences(&experiments)
}

/// The axes of parallel coordinates: one for each key in which the runs differ, and last
/// what they came to, by which they are coloured.
pub fn axes(runs: &[ComparedRun]) -> Vec<ParallelAxis> {
    let mut axes: Vec<ParallelAxis> = differing_keys(runs).into_iter().map(key_axis).collect();
    let mut result = |name: &str, value: &dyn Fn(&RunFigures) -> Option<f64>| {
        let values: Vec<Option<f64>> = runs.iter().map(|run| value(&run.figures)).collect();
        if values.iter().any(Option::is_some) {
            axes.push(ParallelAxis {
                name: name.to_owned(),
                marks: ParallelMarks::Numbers(values),
            });
        }
    };
    result("accuracy", &|f| f.validation_accuracy.or(f.train_accuracy));
    let is_held_back = runs.iter().any(|run| run.figures.validation_loss.is_some());
    let name = match is_held_back {
        true => "best validation loss",
        false => "best training loss",
    };
    result(name, &|f| Some(f.best?.0));
    axes
}

fn key_axis(difference: Difference) -> ParallelAxis {
    let parsed = difference
        .values
        .iter()
        .map(|value| value.as_deref().map(str::parse::<f64>).transpose());
    let numbers: Result<Vec<Option<f64>>, _> = parsed.collect();
    let marks = match numbers {
        Ok(numbers) if numbers.iter().flatten().all(|v| v.is_finite()) => {
            ParallelMarks::Numbers(numbers)
        }
        _ => {
            let mut words: Vec<String> = Vec::new();
            let places = difference.values.into_iter().map(|value| {
                let value = value?;
                let known = words.iter().position(|word| *word == value);
                Some(known.unwrap_or_else(|| {
                    words.push(value);
                    words.len() - 1
                }))
            });
            let places = places.collect();
            ParallelMarks::Words { words, places }
        }
    };
    ParallelAxis {
        name: difference.key,
        marks,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_an_axis_of_numbers_and_anything_else_one_of_words() {
        let difference = |values: &[Option<&str>]| Difference {
            key: "k".to_owned(),
            values: values.iter().map(|v| v.map(str::to_owned)).collect(),
        };
        let numbers = key_axis(difference(&[Some("0.1"), None, Some("1e-3")]));
        let expected = ParallelMarks::Numbers(vec![Some(0.1), None, Some(1e-3)]);
        assert_eq!(numbers.marks, expected);
        let words = key_axis(difference(&[Some("adam"), Some("8"), Some("adam"), None]));
        let expected = ParallelMarks::Words {
            words: vec!["adam".to_owned(), "8".to_owned()],
            places: vec![Some(0), Some(1), Some(0), None],
        };
        assert_eq!(words.marks, expected);
    }
}
