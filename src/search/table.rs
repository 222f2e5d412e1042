//! The results of a search as a table, and which of them is best.

use super::run::{Outcome, Status, score};
use super::{Plan, SearchError};
use crate::train::HistoryRow;
use serde::Serialize;

/// One run as a row of `sweep.csv`. The field names are those of the columns.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// Its number, from 1.
    pub run: usize,
    /// The varied values, in the order of the settings.
    #[serde(skip)]
    pub values: Vec<String>,
    /// `finished` or `diverged`.
    pub status: &'static str,
    /// The step in which numbers stopped being finite.
    pub diverged_step: Option<u64>,
    /// The number of parameters.
    pub parameters: usize,
    /// Whole epochs.
    pub epochs: usize,
    /// Steps in them.
    pub steps: u64,
    /// At the end of the last whole epoch, as in a run's history.
    pub train_loss: f64,
    /// See `train_loss`.
    pub train_accuracy: Option<f64>,
    /// See `train_loss`.
    pub validation_loss: Option<f64>,
    /// See `train_loss`.
    pub validation_accuracy: Option<f64>,
    /// The epoch with the smallest validation loss, or training loss where
    /// there is no validation part.
    pub best_epoch: usize,
    /// At the end of that epoch.
    pub best_train_loss: f64,
    /// See `best_train_loss`.
    pub best_train_accuracy: Option<f64>,
    /// See `best_train_loss`.
    pub best_validation_loss: Option<f64>,
    /// See `best_train_loss`.
    pub best_validation_accuracy: Option<f64>,
    /// Wall time.
    pub seconds: f64,
}

const BEFORE: [&str; 1] = ["run"];
const BEHIND: [&str; 15] = [
    "status",
    "diverged_step",
    "parameters",
    "epochs",
    "steps",
    "train_loss",
    "train_accuracy",
    "validation_loss",
    "validation_accuracy",
    "best_epoch",
    "best_train_loss",
    "best_train_accuracy",
    "best_validation_loss",
    "best_validation_accuracy",
    "seconds",
];

impl Row {
    /// What run number `run` with these `values` came to.
    pub fn new(run: usize, values: Vec<String>, outcome: &Outcome, seconds: f64) -> Self {
        let Outcome { last, best, .. } = outcome;
        let (status, diverged_step) = match outcome.status {
            Status::Finished => ("finished", None),
            Status::Diverged { step } => ("diverged", Some(step)),
        };
        Row {
            run,
            values,
            status,
            diverged_step,
            parameters: outcome.parameters,
            epochs: last.epoch,
            steps: last.step,
            train_loss: last.train_loss,
            train_accuracy: last.train_accuracy,
            validation_loss: last.validation_loss,
            validation_accuracy: last.validation_accuracy,
            best_epoch: best.epoch,
            best_train_loss: best.train_loss,
            best_train_accuracy: best.train_accuracy,
            best_validation_loss: best.validation_loss,
            best_validation_accuracy: best.validation_accuracy,
            seconds,
        }
    }

    /// Whether its numbers stopped being finite.
    pub fn diverged(&self) -> bool {
        self.diverged_step.is_some()
    }

    /// What runs are compared by: the best validation loss, or training loss
    /// where there is no validation part.
    pub fn score(&self) -> f64 {
        score(&HistoryRow {
            epoch: self.best_epoch,
            step: 0,
            train_loss: self.best_train_loss,
            train_accuracy: None,
            validation_loss: self.best_validation_loss,
            validation_accuracy: None,
            learning_rate: f64::NAN,
            gradient_norm: None,
        })
    }

    fn cells(&self) -> Vec<String> {
        fn text<T: ToString>(value: Option<T>) -> String {
            value.map_or(String::new(), |v| v.to_string())
        }
        let mut cells = vec![self.run.to_string()];
        cells.extend(self.values.iter().cloned());
        cells.extend([
            self.status.to_owned(),
            text(self.diverged_step),
            self.parameters.to_string(),
            self.epochs.to_string(),
            self.steps.to_string(),
            self.train_loss.to_string(),
            text(self.train_accuracy),
            text(self.validation_loss),
            text(self.validation_accuracy),
            self.best_epoch.to_string(),
            self.best_train_loss.to_string(),
            text(self.best_train_accuracy),
            text(self.best_validation_loss),
            text(self.best_validation_accuracy),
            format!("{:.3}", self.seconds),
        ]);
        cells
    }

    /// The row that `cells` are, for a search over so many `settings`.
    fn parse(cells: &csv::StringRecord, settings: usize) -> Option<Self> {
        fn maybe<T: std::str::FromStr>(text: &str) -> Option<Option<T>> {
            if text.is_empty() {
                return Some(None);
            }
            text.parse().ok().map(Some)
        }
        let cell = |i: usize| cells.get(BEFORE.len() + settings + i);
        if cells.len() != BEFORE.len() + settings + BEHIND.len() {
            return None;
        }
        let diverged_step = maybe(cell(1)?)?;
        let status = match (cell(0)?, diverged_step) {
            ("finished", None) => "finished",
            ("diverged", Some(_)) => "diverged",
            _ => return None,
        };
        Some(Row {
            run: cells.get(0)?.parse().ok()?,
            values: (0..settings)
                .map(|i| cells.get(BEFORE.len() + i).map(str::to_owned))
                .collect::<Option<_>>()?,
            status,
            diverged_step,
            parameters: cell(2)?.parse().ok()?,
            epochs: cell(3)?.parse().ok()?,
            steps: cell(4)?.parse().ok()?,
            train_loss: cell(5)?.parse().ok()?,
            train_accuracy: maybe(cell(6)?)?,
            validation_loss: maybe(cell(7)?)?,
            validation_accuracy: maybe(cell(8)?)?,
            best_epoch: cell(9)?.parse().ok()?,
            best_train_loss: cell(10)?.parse().ok()?,
            best_train_accuracy: maybe(cell(11)?)?,
            best_validation_loss: maybe(cell(12)?)?,
            best_validation_accuracy: maybe(cell(13)?)?,
            seconds: cell(14)?.parse().ok()?,
        })
    }
}

/// The rows that are there so far, by the number of their run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    rows: Vec<Row>,
}

impl Table {
    /// Adds a row in its place.
    pub fn insert(&mut self, row: Row) {
        let at = self.rows.partition_point(|r| r.run < row.run);
        self.rows.insert(at, row);
    }

    /// The rows, by run.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The numbers of the plan's runs that have no row yet.
    pub fn missing(&self, plan: &Plan) -> Vec<usize> {
        let there = |run: usize| self.rows.binary_search_by_key(&run, |r| r.run).is_ok();
        let runs = plan.cases().iter().map(|case| case.run);
        runs.filter(|&run| !there(run)).collect()
    }

    /// The first line of the file, with its line break.
    pub fn head(plan: &Plan) -> String {
        let keys = plan.vary().iter().map(|v| v.key().to_owned());
        let fixed = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        let mut cells = fixed(&BEFORE);
        cells.extend(keys);
        cells.extend(fixed(&BEHIND));
        line(&cells)
    }

    /// A row's line of the file, with its line break.
    pub fn line(row: &Row) -> String {
        line(&row.cells())
    }

    /// The whole file.
    pub fn to_csv(&self, plan: &Plan) -> String {
        let mut text = Table::head(plan);
        text.extend(self.rows.iter().map(Table::line));
        text
    }

    /// Reads a file back. A last line that was cut off while it was written is
    /// left out, and so are second rows of a run.
    ///
    /// # Errors
    /// When the file is not one of this plan's.
    pub fn parse(text: &str, plan: &Plan) -> Result<Self, SearchError> {
        let head = Table::head(plan);
        // A head that is cut off is a table without rows.
        if head.starts_with(text) {
            return Ok(Table::default());
        }
        let Some(body) = text.strip_prefix(&head) else {
            return Err(SearchError::Table(
                "its first line is not that of this sweep's table".to_owned(),
            ));
        };
        let whole = body.rfind('\n').map_or(0, |end| end + 1);
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(&body.as_bytes()[..whole]);
        let mut table = Table::default();
        for record in reader.records() {
            let record = record.map_err(|error| SearchError::Table(error.to_string()))?;
            let line = record.position().map_or(0, csv::Position::line) + 1;
            let row = Row::parse(&record, plan.vary().len());
            let own = row.filter(|row| {
                let case = row.run.checked_sub(1).and_then(|i| plan.cases().get(i));
                case.is_some_and(|case| case.texts() == row.values)
            });
            let row = own.ok_or_else(|| {
                SearchError::Table(format!("line {line} is not a row of this sweep"))
            })?;
            if table.rows.iter().all(|r| r.run != row.run) {
                table.insert(row);
            }
        }
        Ok(table)
    }
}

fn line(cells: &[String]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Writing into memory cannot fail, and text in is text out.
    let _ = writer.write_record(cells);
    let bytes = writer.into_inner().unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The rows from best to worst: by [`Row::score`], those that diverged last.
pub fn rank(rows: &[Row]) -> Vec<&Row> {
    let mut ranked: Vec<&Row> = rows.iter().collect();
    ranked.sort_by(|a, b| {
        let key = |row: &Row| (row.diverged(), row.score().is_nan());
        key(a)
            .cmp(&key(b))
            .then(a.score().total_cmp(&b.score()))
            .then(a.run.cmp(&b.run))
    });
    ranked
}
