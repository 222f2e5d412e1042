//! What a run came to: the lines that a person reads and `summary.json`.

use super::train::Ending;
use crate::experiment::ScheduleConfig;
use crate::nn::ParamPlace;
use crate::optim::Rule;
use crate::train::{Divergence, HistoryRow, NonFinite, Problem, Score, Session};
use serde::Serialize;

/// The figures of a run, as in `summary.json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunReport {
    /// The experiment's name, else its data's source.
    pub name: String,
    /// `finished`, `interrupted` or `diverged`.
    pub outcome: &'static str,
    /// Why it ended before its last epoch, if it did and numbers stayed finite.
    pub stopped: Option<String>,
    /// The epoch whose weights early stopping took back at the end, if it did.
    pub best_weights_epoch: Option<usize>,
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
            stopped: None,
            best_weights_epoch: None,
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
    pub fn set_ending(&mut self, ending: &Ending, session: &Session, problem: &Problem) {
        self.stopped = session.stop().map(ToString::to_string);
        self.best_weights_epoch = session.best_epoch();
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
        let mut lines = Vec::new();
        if let Some(reason) = &self.stopped {
            lines.push(format!("stopped after epoch {}: {reason}", self.epochs));
        }
        if let Some(epoch) = self.best_weights_epoch {
            lines.push(format!(
                "the weights are those after epoch {epoch}, the best"
            ));
        }
        lines.push(format!(
            "training    loss {}{}",
            loss_text(self.train_loss),
            share(self.train_accuracy)
        ));
        if let Some(loss) = self.validation_loss {
            lines.push(format!(
                "validation  loss {}{}",
                loss_text(loss),
                share(self.validation_accuracy)
            ));
        }
        if let (Some(best), Some(epoch)) =
            (self.best_validation_loss, self.best_validation_loss_epoch)
        {
            lines.push(format!(
                "best        loss {} after epoch {epoch}",
                loss_text(best)
            ));
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

/// Five decimals, or where that would leave no figure, a power of ten.
fn loss_text(loss: f64) -> String {
    if loss > 0.0 && loss < 1e-4 {
        format!("{loss:.3e}")
    } else {
        format!("{loss:.5}")
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

/// How the weights move: the update and the rate that is in force.
pub fn rule_lines(problem: &Problem) -> String {
    let training = &problem.experiment.training;
    let optimizer = &training.optimizer;
    let method = optimizer.kind();
    let mut lines = vec![format!("update: {}", method.update_rule())];
    if !method.has_rate() {
        lines.push("rate: found in each step".to_owned());
    } else if !method.heeds_rate() {
        lines.push(format!(
            "rate: {} at first, then adapted",
            optimizer.learning_rate
        ));
    } else {
        let words = schedule_words(&training.schedule);
        lines.push(format!("rate: {}, {words}", optimizer.learning_rate));
    }
    lines.join("\n")
}

fn schedule_words(config: &ScheduleConfig) -> String {
    let schedule = config.schedule();
    let rule = match schedule.rule {
        Rule::Constant => "constant".to_owned(),
        Rule::Step { every, factor } => format!("times {factor} every {every} epochs"),
        Rule::Exponential { factor } => format!("times {factor} every epoch"),
        Rule::Cosine { minimum } => format!("along a cosine down to {minimum}"),
        Rule::OneCycle {
            warm_share,
            divide_first,
            divide_last,
        } => format!(
            "one cycle: from a {divide_first}th up to it in {:.0} % of the steps, and down to a \
             {:.0}th",
            100.0 * warm_share,
            divide_first * divide_last
        ),
        Rule::Plateau { factor, minimum } => {
            let patience = config.plateau().map_or(0, |p| p.patience);
            format!("times {factor} after {patience} epochs without progress, down to {minimum}")
        }
    };
    match schedule.warmup_steps {
        0 => rule,
        steps => format!("{rule}, after a linear warm-up of {steps} steps"),
    }
}

/// The heading over [`epoch_line`].
pub fn table_head() -> String {
    format!(
        "{:>6} {:>9} {:>11} {:>9} {:>11} {:>9} {:>9} {:>9}",
        "epoch", "step", "train loss", "accuracy", "valid. loss", "accuracy", "rate", "seconds"
    )
}

/// An epoch as a line of a table.
pub fn epoch_line(row: &HistoryRow, seconds: f64) -> String {
    let loss = |v: Option<f64>| v.map_or("-".to_owned(), loss_text);
    let percent = |v: Option<f64>| v.map_or("-".to_owned(), |v| format!("{:.2} %", 100.0 * v));
    let rate = |v: f64| match v {
        0.0 => "-".to_owned(),
        v if (1e-3..1e4).contains(&v) => format!("{v:.4}"),
        v => format!("{v:.2e}"),
    };
    format!(
        "{:>6} {:>9} {:>11} {:>9} {:>11} {:>9} {:>9} {:>9.2}",
        row.epoch,
        row.step,
        loss(Some(row.train_loss)),
        percent(row.train_accuracy),
        loss(row.validation_loss),
        percent(row.validation_accuracy),
        rate(row.learning_rate),
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
