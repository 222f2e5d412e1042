//! What a run came to: the lines that a person reads and `summary.json`.

use super::train::Ending;
use crate::nn::ParamPlace;
use crate::train::{Divergence, HistoryRow, NonFinite, Problem, Score};
use serde::Serialize;

/// The figures of a run, as in `summary.json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunReport {
    /// The experiment's name, else its data's source.
    pub name: String,
    /// `finished`, `interrupted` or `diverged`.
    pub outcome: &'static str,
    /// Where numbers stopped being finite, if they did.
    pub divergence: Option<DivergenceReport>,
    /// Units per column, inputs first.
    pub network: Vec<usize>,
    /// The number of parameters.
    pub parameters: usize,
    /// Samples of the training part.
    pub training_samples: usize,
    /// Samples of the validation part.
    pub validation_samples: usize,
    /// The seed.
    pub seed: u64,
    /// Epochs completed.
    pub epochs: usize,
    /// Steps completed.
    pub steps: u64,
    /// At the last weights, as in the history.
    pub train_loss: f64,
    /// See `train_loss`.
    pub train_accuracy: Option<f64>,
    /// See `train_loss`.
    pub validation_loss: Option<f64>,
    /// See `train_loss`.
    pub validation_accuracy: Option<f64>,
    /// The smallest validation loss after any epoch, and the first epoch with it.
    pub best_validation_loss: Option<f64>,
    /// See `best_validation_loss`.
    pub best_validation_loss_epoch: Option<usize>,
    /// The greatest validation accuracy after any epoch, and the first epoch with it.
    pub best_validation_accuracy: Option<f64>,
    /// See `best_validation_accuracy`.
    pub best_validation_accuracy_epoch: Option<usize>,
    /// Wall time of training and evaluation.
    pub seconds: f64,
    /// The program's version.
    pub version: &'static str,
}

/// A divergence as in `summary.json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DivergenceReport {
    /// The step that was being made, from 1.
    pub step: u64,
    /// The first layer to blame, from 0.
    pub layer: usize,
    /// The first parameter to blame, where one is.
    pub parameter: Option<String>,
    /// The same in words.
    pub message: String,
}

impl RunReport {
    /// A run at its start.
    pub fn new(problem: &Problem) -> Self {
        RunReport {
            name: problem.experiment.title().to_owned(),
            outcome: "interrupted",
            divergence: None,
            network: problem.network.widths(),
            parameters: problem.network.layout().len(),
            training_samples: problem.train.len(),
            validation_samples: problem.validation.len(),
            seed: problem.experiment.seed,
            epochs: 0,
            steps: 0,
            train_loss: f64::NAN,
            train_accuracy: None,
            validation_loss: None,
            validation_accuracy: None,
            best_validation_loss: None,
            best_validation_loss_epoch: None,
            best_validation_accuracy: None,
            best_validation_accuracy_epoch: None,
            seconds: 0.0,
            version: env!("CARGO_PKG_VERSION"),
        }
    }

    /// Takes an epoch into account.
    pub fn see(&mut self, row: &HistoryRow) {
        if let Some(loss) = row.validation_loss
            && self.best_validation_loss.is_none_or(|best| loss < best)
        {
            self.best_validation_loss = Some(loss);
            self.best_validation_loss_epoch = Some(row.epoch);
        }
        if let Some(accuracy) = row.validation_accuracy
            && self
                .best_validation_accuracy
                .is_none_or(|best| accuracy > best)
        {
            self.best_validation_accuracy = Some(accuracy);
            self.best_validation_accuracy_epoch = Some(row.epoch);
        }
    }

    /// Takes the scores of the last weights.
    pub fn end(
        &mut self,
        epochs: usize,
        steps: u64,
        train: Score,
        validation: Option<Score>,
        seconds: f64,
    ) {
        self.epochs = epochs;
        self.steps = steps;
        self.train_loss = train.loss;
        self.train_accuracy = train.accuracy;
        self.validation_loss = validation.map(|v| v.loss);
        self.validation_accuracy = validation.and_then(|v| v.accuracy);
        self.seconds = seconds;
    }

    /// Takes how the run ended.
    pub fn set_ending(&mut self, ending: &Ending, problem: &Problem) {
        self.outcome = match ending {
            Ending::Finished => "finished",
            Ending::Interrupted => "interrupted",
            Ending::Diverged(_) => "diverged",
        };
        self.divergence = match ending {
            Ending::Diverged(divergence) => Some(DivergenceReport {
                step: divergence.step,
                layer: divergence.layer,
                parameter: divergence.parameter.map(|p| parameter_name(&p)),
                message: describe(divergence, problem),
            }),
            _ => None,
        };
    }

    /// The result in a few lines.
    pub fn verdict(&self) -> String {
        let mut lines = vec![format!(
            "training    loss {:.5}{}",
            self.train_loss,
            share(self.train_accuracy)
        )];
        if let Some(loss) = self.validation_loss {
            lines.push(format!(
                "validation  loss {loss:.5}{}",
                share(self.validation_accuracy)
            ));
        }
        if let (Some(best), Some(epoch)) =
            (self.best_validation_loss, self.best_validation_loss_epoch)
        {
            lines.push(format!("best        loss {best:.5} after epoch {epoch}"));
        }
        if let (Some(best), Some(epoch)) = (
            self.best_validation_accuracy,
            self.best_validation_accuracy_epoch,
        ) {
            lines.push(format!(
                "best        accuracy {:.2} % after epoch {epoch}",
                100.0 * best
            ));
        }
        lines.push(format!(
            "{} epochs, {} steps in {:.2} s",
            self.epochs, self.steps, self.seconds
        ));
        lines.join("\n")
    }
}

fn share(accuracy: Option<f64>) -> String {
    accuracy.map_or(String::new(), |a| format!(", accuracy {:.2} %", 100.0 * a))
}

/// What is about to be trained.
pub fn headline(problem: &Problem) -> String {
    let widths: Vec<String> = problem
        .network
        .widths()
        .iter()
        .map(usize::to_string)
        .collect();
    let training = &problem.experiment.training;
    format!(
        "{}: {} training and {} validation samples; network {} with {} parameters; {}, {} epochs, seed {}",
        problem.experiment.title(),
        problem.train.len(),
        problem.validation.len(),
        widths.join("-"),
        problem.network.layout().len(),
        training.optimizer.kind().name(),
        training.epochs,
        problem.experiment.seed,
    )
}

/// The heading over [`epoch_line`].
pub fn table_head() -> String {
    format!(
        "{:>6} {:>9} {:>11} {:>9} {:>11} {:>9} {:>9}",
        "epoch", "step", "train loss", "accuracy", "valid. loss", "accuracy", "seconds"
    )
}

/// An epoch as a line of a table.
pub fn epoch_line(row: &HistoryRow, seconds: f64) -> String {
    let loss = |v: Option<f64>| v.map_or("-".to_owned(), |v| format!("{v:.5}"));
    let percent = |v: Option<f64>| v.map_or("-".to_owned(), |v| format!("{:.2} %", 100.0 * v));
    format!(
        "{:>6} {:>9} {:>11} {:>9} {:>11} {:>9} {:>9.2}",
        row.epoch,
        row.step,
        loss(Some(row.train_loss)),
        percent(row.train_accuracy),
        loss(row.validation_loss),
        percent(row.validation_accuracy),
        seconds
    )
}

/// A parameter by its file key and place, `layers.1.weight[3, 5]`.
pub fn parameter_name(place: &ParamPlace) -> String {
    let (layer, role) = (place.layer, place.role.name());
    match place.input {
        Some(input) => format!("layers.{layer}.{role}[{}, {input}]", place.unit),
        None => format!("layers.{layer}.{role}[{}]", place.unit),
    }
}

/// Where numbers stopped being finite, in words.
pub fn describe(divergence: &Divergence, problem: &Problem) -> String {
    let what = match divergence.what {
        NonFinite::Forward => "the loss",
        NonFinite::Gradient => "a gradient",
        NonFinite::Update => "a parameter",
    };
    let parameter = divergence
        .parameter
        .map_or(String::new(), |p| format!(" at {}", parameter_name(&p)));
    format!(
        "{what} was no longer finite in step {}, first in layer {} of {}{parameter}",
        divergence.step,
        divergence.layer,
        problem.network.layers().len(),
    )
}
