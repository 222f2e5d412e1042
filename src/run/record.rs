//! A run's file as a record: what reports and exports are made of.

use super::recorder::DIAGNOSIS;
use super::{EventKind, RunError, RunEvent, RunFile, SavedState};
use crate::insight::recording::StepRow;
use crate::insight::run_record::{
    self, End, FoundRecord, Origin, Outcome, RunRecord, diagnose_afterwards, evenly,
};
use crate::train::{HistoryRow, PathPoint, Problem};
use std::sync::Arc;

/// Steps of which figures are read, at most.
const STEPS: usize = 20_000;
/// Bytes that the weights on the way may take, and how many of them are read at least
/// and at most.
const BYTES: usize = 64 << 20;
const POINTS: [usize; 2] = [16, 2048];

impl RunFile {
    /// All that is known of the run, in bounded memory: of many snapshots evenly chosen
    /// ones. A run that did not come to its end is diagnosed now, from what is there.
    ///
    /// # Errors
    /// When the file cannot be read, its experiment or its data cannot be had, or it has no
    /// weights.
    pub fn record(&self) -> Result<RunRecord, RunError> {
        let info = self.info();
        let experiment = self.experiment()?;
        let problem = Problem::new(&experiment).map_err(|source| RunError::Experiment {
            path: self.path().to_owned(),
            source,
        })?;
        let problem = Arc::new(problem);
        if problem.network.layout().len() != info.parameters {
            return Err(RunError::damaged(
                self.path(),
                format!(
                    "it has weights of {} parameters, and its experiment is a network of {}",
                    info.parameters,
                    problem.network.layout().len()
                ),
            ));
        }
        let rows = self.epochs()?;
        let path = self.path_of(&rows)?;
        let per_epoch = info.steps_per_epoch.max(1) as f64;
        let known = |value: Option<f64>| value.unwrap_or(f64::NAN);
        let steps = self.steps(STEPS)?.into_iter().map(|step| StepRow {
            step: step.step,
            epoch: step.step as f64 / per_epoch,
            learning_rate: known(step.learning_rate),
            gradient_norm: known(step.gradient_norm),
            batch_loss: known(step.loss),
        });
        let happened = self.events()?;
        let stopped = |event: &RunEvent| {
            event.kind == EventKind::Finished && event.detail["reason"].is_string()
        };
        let outcome = match info.state {
            SavedState::Finished if happened.iter().any(stopped) => Outcome::Stopped,
            SavedState::Finished => Outcome::Finished,
            SavedState::Diverged => Outcome::Diverged,
            SavedState::Open | SavedState::Interrupted => Outcome::Interrupted,
        };
        let looked_at = !info.environment.contains_key(DIAGNOSIS);
        let ended = looked_at && matches!(info.state, SavedState::Finished | SavedState::Diverged);
        // Nobody looks at a run that was watched: the data are not those that it learns.
        let is_watched = info.watched.is_some();
        let findings = match ended {
            _ if is_watched => None,
            true => Some(self.findings()?.iter().map(FoundRecord::from).collect()),
            false => Some(diagnose_afterwards(&problem, &rows, &path, outcome)),
        };
        let environment = info.environment.iter();
        let comment = Some(info.comment.trim()).filter(|comment| !comment.is_empty());
        Ok(RunRecord {
            name: info.name.clone(),
            origin: match is_watched {
                true => Origin::Watched,
                false => Origin::File,
            },
            seed: info.seed,
            made: time(info.created_ms),
            steps: steps.collect(),
            findings,
            updates_measured: ended && !is_watched,
            events: events(&happened, &rows),
            outcome,
            seconds: info
                .finished_ms
                .map(|end| (end - info.created_ms) as f64 / 1000.0),
            version: info
                .environment
                .get("gradscape")
                .cloned()
                .unwrap_or_default(),
            environment: environment.map(|(k, v)| (k.clone(), v.clone())).collect(),
            comments: comment.map(str::to_owned).into_iter().collect(),
            tags: info.tags.clone(),
            rows,
            path,
            problem,
        })
    }

    /// Weights on the way. A loss that was not recorded is that of the epoch which ended
    /// with the step, else NaN.
    fn path_of(&self, rows: &[HistoryRow]) -> Result<Vec<PathPoint>, RunError> {
        let steps = self.snapshot_steps()?;
        let most = BYTES / (4 * self.info().parameters.max(1));
        let chosen = evenly(steps.len(), most.clamp(POINTS[0], POINTS[1]));
        let points: Result<Vec<PathPoint>, RunError> = chosen
            .into_iter()
            .map(|k| {
                let saved = self.weights(steps[k])?;
                let row = rows.iter().find(|row| row.step == saved.step);
                let loss = saved.loss.or_else(|| row.map(|row| row.train_loss));
                Ok(PathPoint {
                    step: saved.step,
                    epoch: saved.epoch,
                    params: saved.params,
                    loss: loss.unwrap_or(f64::NAN),
                })
            })
            .collect();
        let points = points?;
        match points.is_empty() {
            false => Ok(points),
            true => Err(RunError::damaged(
                self.path(),
                "it has no weights; it was ended before the first were recorded".to_owned(),
            )),
        }
    }
}

/// Milliseconds since 1970 as RFC 3339, in whole seconds.
fn time(ms: i64) -> Option<String> {
    let time = jiff::Timestamp::from_second(ms.div_euclid(1000)).ok()?;
    Some(time.to_string())
}

/// What the file says happened, and what its epochs say, by the step.
fn events(happened: &[RunEvent], rows: &[HistoryRow]) -> Vec<run_record::RunEvent> {
    let mut all: Vec<run_record::RunEvent> = happened
        .iter()
        .flat_map(|event| told(event, rows))
        .collect();
    let derived = run_record::events(
        rows,
        &End {
            epoch: 0,
            step: 0,
            stop: None,
            best: None,
            divergence: None,
            outcome: Outcome::Stopped,
        },
    );
    all.extend(derived.into_iter().filter(|e| e.kind != "started"));
    all.sort_by_key(|event| event.step);
    all
}

/// An event with the numbers of its sentence, and what follows from it.
fn told(event: &RunEvent, rows: &[HistoryRow]) -> Vec<run_record::RunEvent> {
    let made = |kind: &str, values: Vec<(String, String)>| run_record::RunEvent {
        step: event.step,
        epoch: Some(event.epoch),
        kind: kind.to_owned(),
        values,
        text: String::new(),
    };
    let one = |name: &str, value: String| vec![(name.to_owned(), value)];
    let detail = &event.detail;
    match event.kind {
        EventKind::Started => {
            let loss = rows.first().map(|row| row.train_loss.to_string());
            vec![made("started", one("loss", loss.unwrap_or_default()))]
        }
        EventKind::Finished => {
            let mut all = match detail["reason"].as_str() {
                Some(reason) => vec![made("stopped", one("reason", reason.to_owned()))],
                None => vec![made("finished", Vec::new())],
            };
            if let Some(best) = detail["best_epoch"].as_u64() {
                all.push(made("taken-back", one("epoch", best.to_string())));
            }
            all
        }
        EventKind::Diverged => match detail["layer"].as_u64() {
            Some(layer) => vec![made("diverged", one("layer", (layer + 1).to_string()))],
            None => vec![made("diverged-somewhere", Vec::new())],
        },
        _ => {
            let values = detail.as_object().into_iter().flatten();
            let values = values.map(|(name, value)| {
                let text = value.as_str().map(str::to_owned);
                (name.clone(), text.unwrap_or_else(|| value.to_string()))
            });
            vec![made(event.kind.name(), values.collect())]
        }
    }
}
