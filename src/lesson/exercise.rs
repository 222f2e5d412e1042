//! Exercises that check themselves: an experiment that does not do what it should, what
//! may be changed of it, and what it has to come to. In `assets/exercises.toml`.

use super::{Both, LessonError, ViewName};
use crate::experiment::{Experiment, ExperimentError};
use crate::nn::Network;
use crate::train::{HistoryRow, RunState, Snapshot, StopReason};
use serde::Deserialize;
use std::collections::BTreeMap;

/// An exercise.
#[derive(Debug, Clone, PartialEq)]
pub struct Exercise {
    /// What to call it by.
    pub name: String,
    /// A heading.
    pub title: Both,
    /// What is to be reached, and by what.
    pub task: Both,
    /// What helps who is stuck.
    pub hint: Both,
    /// Why it works, once it does.
    pub solved: Both,
    /// How it is shown.
    pub view: ViewName,
    /// What may be changed: the beginnings of keys of the experiment; `weights` where
    /// these may be set by hand.
    pub may_change: Vec<String>,
    /// What is to be reached.
    pub goal: Goal,
    /// Where it begins.
    pub experiment: Experiment,
}

/// What is to be reached: all that is given, in one epoch.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Goal {
    /// That numbers run away.
    pub diverges: bool,
    /// A training loss of at most this.
    pub train_loss: Option<f64>,
    /// A share of right answers in the training part of at least this.
    pub train_accuracy: Option<f64>,
    /// The same of the validation part.
    pub validation_loss: Option<f64>,
    /// See `validation_loss`.
    pub validation_accuracy: Option<f64>,
    /// At most so many units in all layers before the output.
    pub hidden_neurons: Option<usize>,
    /// In one of so many epochs; 0 is before any training.
    pub within_epochs: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    exercise: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    title: Both,
    task: Both,
    hint: Both,
    solved: Both,
    #[serde(default)]
    view: ViewName,
    may_change: Vec<String>,
    goal: Goal,
    experiment: toml::Table,
}

/// How an exercise stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// It is solved: in this epoch.
    Solved {
        /// Which epoch.
        epoch: usize,
    },
    /// Something was changed that may not be: its keys.
    Forbidden(Vec<String>),
    /// The goal has not been reached.
    Open(Vec<Short>),
}

/// What is still missing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Short {
    /// It does not diverge.
    Finite,
    /// It does, and should not.
    Diverged,
    /// The figure that is nearest to what is wanted so far, and what is wanted.
    Figure {
        /// Which one.
        figure: Figure,
        /// The best so far; none before the first.
        best: Option<f64>,
        /// What is wanted.
        wanted: f64,
    },
    /// There are more hidden neurons than may be.
    HiddenNeurons {
        /// So many there are.
        now: usize,
        /// So many there may be.
        most: usize,
    },
    /// It was reached, but in a later epoch than it should.
    TooLate {
        /// In which.
        epoch: usize,
        /// By which it should.
        within: usize,
    },
}

/// A figure of an epoch that a goal is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    /// The mean loss over the training part.
    TrainLoss,
    /// The share of right answers there.
    TrainAccuracy,
    /// The mean loss over the validation part.
    ValidationLoss,
    /// The share of right answers there.
    ValidationAccuracy,
}

impl Figure {
    const ALL: [Figure; 4] = [
        Figure::TrainLoss,
        Figure::TrainAccuracy,
        Figure::ValidationLoss,
        Figure::ValidationAccuracy,
    ];

    /// Its name in a goal.
    pub fn name(self) -> &'static str {
        match self {
            Figure::TrainLoss => "train_loss",
            Figure::TrainAccuracy => "train_accuracy",
            Figure::ValidationLoss => "validation_loss",
            Figure::ValidationAccuracy => "validation_accuracy",
        }
    }

    /// Whether the smaller is the better.
    pub fn is_loss(self) -> bool {
        matches!(self, Figure::TrainLoss | Figure::ValidationLoss)
    }

    fn of(self, row: &HistoryRow) -> Option<f64> {
        match self {
            Figure::TrainLoss => Some(row.train_loss),
            Figure::TrainAccuracy => row.train_accuracy,
            Figure::ValidationLoss => row.validation_loss,
            Figure::ValidationAccuracy => row.validation_accuracy,
        }
    }

    fn wanted(self, goal: &Goal) -> Option<f64> {
        match self {
            Figure::TrainLoss => goal.train_loss,
            Figure::TrainAccuracy => goal.train_accuracy,
            Figure::ValidationLoss => goal.validation_loss,
            Figure::ValidationAccuracy => goal.validation_accuracy,
        }
    }

    fn reaches(self, value: f64, wanted: f64) -> bool {
        if self.is_loss() {
            value <= wanted
        } else {
            value >= wanted
        }
    }
}

/// A run that is judged.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// What it was run from.
    pub experiment: &'a Experiment,
    /// Its network.
    pub network: &'a Network,
    /// Where it is.
    pub snapshot: &'a Snapshot,
    /// What its epochs came to.
    pub rows: &'a [HistoryRow],
}

/// Keys that may always be changed: a name is nothing, and the goal says itself how
/// many epochs there are.
const FREE: [&str; 2] = ["name", "training.epochs"];

impl Exercise {
    /// All that come with the program, in the order in which they build on one
    /// another.
    ///
    /// # Errors
    /// When the file is wrong, which a test rules out.
    pub fn all() -> Result<Vec<Exercise>, LessonError> {
        Exercise::parse(include_str!("../../assets/exercises.toml"), "exercises")
    }

    /// The exercises that `text` has.
    ///
    /// # Errors
    /// When it is no TOML, has a key too many or too few, or an experiment that is
    /// wrong.
    pub fn parse(text: &str, origin: &str) -> Result<Vec<Exercise>, LessonError> {
        let syntax = |message: String| LessonError::Syntax {
            origin: origin.to_owned(),
            message,
        };
        let file: File = toml::from_str(text).map_err(|e| syntax(e.to_string()))?;
        file.exercise
            .into_iter()
            .map(|entry| {
                let wrong = |error: ExperimentError| LessonError::Experiment {
                    origin: origin.to_owned(),
                    name: entry.name.clone(),
                    error: Box::new(error),
                };
                let text = entry.experiment.to_string();
                let experiment = Experiment::parse(&text, &entry.name).map_err(wrong)?;
                if entry.goal == Goal::default() {
                    return Err(syntax(format!("{}: it has no goal", entry.name)));
                }
                Ok(Exercise {
                    name: entry.name,
                    title: entry.title,
                    task: entry.task,
                    hint: entry.hint,
                    solved: entry.solved,
                    view: entry.view,
                    may_change: entry.may_change,
                    goal: entry.goal,
                    experiment,
                })
            })
            .collect()
    }

    /// How a run stands against the goal.
    pub fn judge(&self, attempt: &Attempt<'_>) -> Verdict {
        let forbidden = self.forbidden(attempt);
        if !forbidden.is_empty() {
            return Verdict::Forbidden(forbidden);
        }
        let mut short = Vec::new();
        let goal = &self.goal;
        let hidden = hidden_neurons(attempt.network);
        if let Some(most) = goal.hidden_neurons.filter(|most| hidden > *most) {
            short.push(Short::HiddenNeurons { now: hidden, most });
        }
        let diverged = attempt.snapshot.state == RunState::Diverged;
        if goal.diverges {
            if !diverged {
                short.push(Short::Finite);
            }
            return match short.is_empty() {
                true => Verdict::Solved {
                    epoch: attempt.snapshot.epoch,
                },
                false => Verdict::Open(short),
            };
        }
        let within = goal.within_epochs.unwrap_or(usize::MAX);
        let reaches = |row: &&HistoryRow| {
            Figure::ALL.iter().all(|figure| {
                let wanted = figure.wanted(goal);
                wanted.is_none_or(|wanted| {
                    let value = figure.of(row);
                    value.is_some_and(|value| figure.reaches(value, wanted))
                })
            })
        };
        match attempt.rows.iter().find(reaches) {
            Some(row) if row.epoch > within => short.push(Short::TooLate {
                epoch: row.epoch,
                within,
            }),
            Some(row) if short.is_empty() => return Verdict::Solved { epoch: row.epoch },
            Some(_) => {}
            None => short.extend(self.figures_short(attempt, within)),
        }
        if diverged {
            short.push(Short::Diverged);
        }
        Verdict::Open(short)
    }

    fn figures_short(&self, attempt: &Attempt<'_>, within: usize) -> Vec<Short> {
        let rows = attempt.rows.iter().filter(|row| row.epoch <= within);
        let figures = Figure::ALL.into_iter();
        figures
            .filter_map(|figure| {
                let wanted = figure.wanted(&self.goal)?;
                let values = rows.clone().filter_map(|row| figure.of(row));
                let best = values.reduce(|a, b| match figure.is_loss() {
                    true => a.min(b),
                    false => a.max(b),
                });
                let reached = best.is_some_and(|best| figure.reaches(best, wanted));
                // Reached, but not together with the others.
                (!reached).then_some(Short::Figure {
                    figure,
                    best,
                    wanted,
                })
            })
            .collect()
    }

    /// The keys that were changed and may not be.
    fn forbidden(&self, attempt: &Attempt<'_>) -> Vec<String> {
        let snapshot = attempt.snapshot;
        let mut now = attempt.experiment.clone();
        // What can be changed while it runs.
        now.seed = snapshot.seed;
        if now.training.optimizer.kind().has_rate() {
            now.training.optimizer.learning_rate = snapshot.base_learning_rate;
        }
        let (before, now) = (leaves(&self.experiment), leaves(&now));
        let mut keys: Vec<String> = before
            .iter()
            .filter(|(key, value)| now.get(*key) != Some(value))
            .chain(now.iter().filter(|(key, _)| !before.contains_key(*key)))
            .map(|(key, _)| key.clone())
            .collect();
        // Early stopping puts weights back, and that is no hand.
        let taken_back = matches!(snapshot.stop, Some(StopReason::NoProgress { .. }));
        if !snapshot.jumps.is_empty() && !taken_back {
            keys.push("weights".to_owned());
        }
        keys.retain(|key| !self.may_change(key));
        keys.sort();
        keys.dedup();
        keys
    }

    fn may_change(&self, key: &str) -> bool {
        // In a file a hand sets them there.
        let key = if key == "network.weights" {
            "weights"
        } else {
            key
        };
        let allowed = self.may_change.iter().map(String::as_str);
        allowed.chain(FREE).any(|allowed| {
            let rest = key.strip_prefix(allowed);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
    }
}

/// Units of all layers of weights before the output.
fn hidden_neurons(network: &Network) -> usize {
    let layers = network.layers();
    let hidden = layers.iter().take(layers.len().saturating_sub(1));
    hidden.map(|layer| layer.outputs()).sum()
}

/// Every value of an experiment by its key, `network.layers[0].dense`.
fn leaves(experiment: &Experiment) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    // An experiment that was read can be written.
    let table = toml::Table::try_from(experiment).unwrap_or_default();
    for (key, value) in &table {
        collect(key, value, &mut all);
    }
    all
}

fn collect(key: &str, value: &toml::Value, all: &mut BTreeMap<String, String>) {
    match value {
        toml::Value::Table(table) => {
            for (name, value) in table {
                collect(&format!("{key}.{name}"), value, all);
            }
        }
        toml::Value::Array(values) if values.iter().any(toml::Value::is_table) => {
            for (index, value) in values.iter().enumerate() {
                collect(&format!("{key}[{index}]"), value, all);
            }
        }
        // As text: 1 and 1.0 of the same field cannot both be.
        other => {
            all.insert(key.to_owned(), other.to_string());
        }
    }
}
