//! A run with all that is known of it, wherever it comes from: what a report and exports
//! are made of.

use super::diagnosis::{Comparison, Facts, Finding, Observed, Thresholds, diagnose};
use super::health::{Health, HealthMeter, SAMPLES};
use super::recording::{Recording, StepRow, Wanted};
use crate::train::{
    Divergence, HistoryRow, PathPoint, Problem, RunState, Session, StopReason, TrainCommand,
};
use serde::Serialize;
use std::sync::Arc;

/// Where a record comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The run was made for this record: everything was measured on the way.
    Trained,
    /// A folder that `train` wrote: the epochs and the path, no single steps.
    Folder,
    /// A file of a run.
    File,
    /// The same of a run that another program trained: network and losses beside weights are
    /// computed with data of ours, optimiser and seed are not known, and an epoch is a row of
    /// its curve.
    Watched,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// All epochs are done.
    Finished,
    /// It ended by itself before its last epoch.
    Stopped,
    /// Numbers stopped being finite.
    Diverged,
    /// The user had enough, or the record ends in the middle.
    Interrupted,
}

/// Something that happened at a step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunEvent {
    /// Steps completed when it happened.
    pub step: u64,
    /// Epochs completed, if that is known.
    pub epoch: Option<usize>,
    /// What, in a word that language files have sentences for: `best-loss`, `stopped`.
    pub kind: String,
    /// Numbers and names of the sentence.
    pub values: Vec<(String, String)>,
    /// What was said of it, in whatever language; may be empty.
    pub text: String,
}

/// A finding of the diagnosis in names and numbers alone.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FoundRecord {
    /// The kind's name in files.
    pub kind: String,
    /// `suspicion`, `warning` or `severe`.
    pub severity: String,
    /// The layer where it shows, from 0.
    pub layer: Option<usize>,
    /// The input that it is about.
    pub feature: Option<String>,
    /// The class that it is about.
    pub class: Option<String>,
    /// The numbers that say so.
    pub evidence: Vec<EvidenceRecord>,
    /// What to try: the end of the words' key, and what stands in their braces.
    pub cures: Vec<(String, Vec<(String, String)>)>,
    /// Kinds that follow from it.
    pub explains: Vec<String>,
}

/// One number and what it is held against.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EvidenceRecord {
    /// The name of number and threshold.
    pub name: String,
    /// The number.
    pub value: f64,
    /// Whether it is at least the threshold, else at most.
    pub at_least: bool,
    /// The threshold.
    pub threshold: f64,
}

impl From<&Finding> for FoundRecord {
    fn from(finding: &Finding) -> Self {
        let owned = |values: Vec<(&'static str, String)>| {
            let values = values.into_iter();
            values.map(|(name, value)| (name.to_owned(), value))
        };
        FoundRecord {
            kind: finding.kind.key().to_owned(),
            severity: match finding.severity {
                super::diagnosis::Severity::Suspicion => "suspicion",
                super::diagnosis::Severity::Warning => "warning",
                super::diagnosis::Severity::Severe => "severe",
            }
            .to_owned(),
            layer: finding.layer,
            feature: finding.feature.clone(),
            class: finding.class.clone(),
            evidence: finding
                .evidence
                .iter()
                .map(|evidence| EvidenceRecord {
                    name: evidence.name.to_owned(),
                    value: evidence.value,
                    at_least: evidence.comparison == Comparison::AtLeast,
                    threshold: evidence.threshold,
                })
                .collect(),
            cures: finding
                .cures
                .iter()
                .map(|cure| (cure.key().to_owned(), owned(cure.values()).collect()))
                .collect(),
            explains: finding
                .explains
                .iter()
                .map(|k| k.key().to_owned())
                .collect(),
        }
    }
}

/// A run with all that is known of it.
#[derive(Debug, Clone)]
pub struct RunRecord {
    /// What to call it.
    pub name: String,
    /// Where it comes from.
    pub origin: Origin,
    /// Network and data.
    pub problem: Arc<Problem>,
    /// The seed of its initial weights and batches; that of the experiment unless it was
    /// begun anew with another.
    pub seed: u64,
    /// When it was made, RFC 3339.
    pub made: Option<String>,
    /// One row an epoch, oldest first. A learning rate of NaN is not known.
    pub rows: Vec<HistoryRow>,
    /// Figures of single steps; empty where they are not known.
    pub steps: Vec<StepRow>,
    /// Weights on the way, oldest first; never empty. The last are those that the run
    /// ended with.
    pub path: Vec<PathPoint>,
    /// What is wrong with the run; none where nobody looked.
    pub findings: Option<Vec<FoundRecord>>,
    /// Whether the updates of the layers were measured on the way: without them the
    /// diagnosis says nothing about learning rates.
    pub updates_measured: bool,
    /// What happened, oldest first.
    pub events: Vec<RunEvent>,
    /// How it ended.
    pub outcome: Outcome,
    /// Wall time of training, in seconds.
    pub seconds: Option<f64>,
    /// The program that made it.
    pub version: String,
    /// Where it was made: names and values.
    pub environment: Vec<(String, String)>,
    /// What people wrote about it.
    pub comments: Vec<String>,
    /// Words that it is found by.
    pub tags: Vec<String>,
}

/// What [`Recorder::record`] cannot know.
#[derive(Debug, Clone, Default)]
pub struct Circumstances {
    /// When, RFC 3339.
    pub made: Option<String>,
    /// Wall time in seconds.
    pub seconds: Option<f64>,
    /// Where: names and values.
    pub environment: Vec<(String, String)>,
}

/// Trains a problem and keeps all that a [`RunRecord`] has. A state machine: whoever
/// drives it brings the clock.
pub struct Recorder {
    recording: Recording,
}

impl Recorder {
    /// The experiment's own run, at its start.
    pub fn new(problem: Arc<Problem>) -> Self {
        let epochs = problem.experiment.training.epochs;
        let wanted = Wanted {
            health: true,
            distributions: false,
            path: true,
        };
        Recorder {
            recording: Recording::new(problem, None, epochs, wanted),
        }
    }

    /// Makes one step. Returns whether the run may go on.
    pub fn advance(&mut self) -> bool {
        self.recording.advance()
    }

    /// Steps that the whole run has.
    pub fn total_steps(&self) -> usize {
        self.recording.total_steps()
    }

    /// What was recorded so far, diagnosed.
    pub fn record(mut self, circumstances: Circumstances) -> RunRecord {
        let recording = &mut self.recording;
        let problem = Arc::clone(recording.problem());
        let session = recording.session();
        let snapshot = session.snapshot();
        let (stop, best) = (session.stop().cloned(), session.best_epoch());
        let mut path = session.trajectory().points().to_vec();
        let rows = recording.history().rows().to_vec();
        let (epoch, step) = (snapshot.epoch, snapshot.step);
        let is_last = |last: &PathPoint| last.step >= step && last.params == snapshot.params;
        if !path.last().is_some_and(is_last) {
            let loss = rows.last().map_or(f64::NAN, |row| row.train_loss);
            path.retain(|point| point.step < step);
            path.push(PathPoint {
                step,
                epoch,
                params: Arc::clone(&snapshot.params),
                loss,
            });
        }
        let findings = diagnose(&Observed {
            problem: &problem,
            facts: &Facts::of(&problem),
            rows: &rows,
            snapshot: &snapshot,
            health: recording.health().map_or(&[], |log| log.records()),
            thresholds: &Thresholds::default(),
        });
        let outcome = match (&snapshot.divergence, &stop) {
            (Some(_), _) => Outcome::Diverged,
            (None, Some(_)) => Outcome::Stopped,
            (None, None) if epoch >= problem.experiment.training.epochs => Outcome::Finished,
            (None, None) => Outcome::Interrupted,
        };
        let end = End {
            epoch,
            step,
            stop: stop.as_ref(),
            best,
            divergence: snapshot.divergence.as_ref(),
            outcome,
        };
        RunRecord {
            name: problem.experiment.title().to_owned(),
            origin: Origin::Trained,
            seed: problem.experiment.seed,
            made: circumstances.made,
            events: events(&rows, &end),
            rows,
            steps: recording.steps().to_vec(),
            path,
            findings: Some(findings.iter().map(FoundRecord::from).collect()),
            updates_measured: true,
            outcome,
            seconds: circumstances.seconds,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            environment: circumstances.environment,
            comments: Vec::new(),
            tags: Vec::new(),
            problem,
        }
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy)]
pub struct End<'a> {
    /// Epochs completed.
    pub epoch: usize,
    /// Steps completed.
    pub step: u64,
    /// Why before its last epoch.
    pub stop: Option<&'a StopReason>,
    /// The epoch whose weights were taken back.
    pub best: Option<usize>,
    /// What was not finite.
    pub divergence: Option<&'a Divergence>,
    /// In a word.
    pub outcome: Outcome,
}

/// What the rows and the end of a run say happened, oldest first.
pub fn events(rows: &[HistoryRow], end: &End<'_>) -> Vec<RunEvent> {
    let event = |kind: &str, step, epoch, values: &[(&str, String)]| RunEvent {
        step,
        epoch: Some(epoch),
        kind: kind.to_owned(),
        values: values
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect(),
        text: String::new(),
    };
    let mut all = Vec::new();
    if let Some(first) = rows.first() {
        let loss = first.train_loss.to_string();
        all.push(event("started", first.step, first.epoch, &[("loss", loss)]));
    }
    let rows = rows.get(1..).unwrap_or_default();
    let lowest = |of: fn(&HistoryRow) -> Option<f64>| {
        let known = rows.iter().filter_map(|row| Some((row, of(row)?)));
        // The first of several that are as good.
        known.reduce(|a, b| if b.1 < a.1 { b } else { a })
    };
    if let Some((row, loss)) = lowest(|row| row.validation_loss) {
        let values = [("loss", loss.to_string())];
        all.push(event("best-loss", row.step, row.epoch, &values));
    }
    if let Some((row, wrong)) = lowest(|row| row.validation_accuracy.map(|v| -v)) {
        let values = [("accuracy", (-wrong).to_string())];
        all.push(event("best-accuracy", row.step, row.epoch, &values));
    }
    let (step, epoch) = (end.step, end.epoch);
    if let Some(divergence) = end.divergence {
        let layer = (divergence.layer + 1).to_string();
        let values = [("layer", layer)];
        all.push(event("diverged", divergence.step, epoch, &values));
    }
    match end.stop {
        Some(StopReason::NoProgress { epochs, .. }) => {
            let values = [("epochs", epochs.to_string())];
            all.push(event("no-progress", step, epoch, &values));
        }
        Some(reason) => {
            let values = [("reason", reason.to_string())];
            all.push(event("stopped", step, epoch, &values));
        }
        None => {}
    }
    if let Some(best) = end.best {
        all.push(event(
            "taken-back",
            step,
            epoch,
            &[("epoch", best.to_string())],
        ));
    }
    match end.outcome {
        Outcome::Finished => all.push(event("finished", step, epoch, &[])),
        Outcome::Interrupted => all.push(event("interrupted", step, epoch, &[])),
        Outcome::Stopped | Outcome::Diverged => {}
    }
    all.sort_by_key(|event| event.step);
    all
}

/// Weights on the way that are looked at once more for a diagnosis.
const LOOKED_AT: usize = 32;

/// What can be said afterwards of a run of which the epochs and the path are known: all but
/// what needs the update of a single step.
pub fn diagnose_afterwards(
    problem: &Arc<Problem>,
    rows: &[HistoryRow],
    path: &[PathPoint],
    outcome: Outcome,
) -> Vec<FoundRecord> {
    let found = look_back(problem, rows, path, outcome, &Thresholds::default());
    found.iter().map(FoundRecord::from).collect()
}

/// The same, held against `thresholds`.
pub fn look_back(
    problem: &Arc<Problem>,
    rows: &[HistoryRow],
    path: &[PathPoint],
    outcome: Outcome,
    thresholds: &Thresholds,
) -> Vec<Finding> {
    let Some(last) = path.last() else {
        return Vec::new();
    };
    let mut session = Session::without_path(Arc::clone(problem));
    session.command(TrainCommand::SetParams(Arc::clone(&last.params)));
    let mut snapshot = session.snapshot();
    (snapshot.epoch, snapshot.step) = (last.epoch, last.step);
    snapshot.state = match outcome {
        Outcome::Diverged => RunState::Diverged,
        Outcome::Finished | Outcome::Stopped => RunState::Finished,
        Outcome::Interrupted => RunState::Paused,
    };
    let mut meter = HealthMeter::new(problem, SAMPLES);
    let chosen = evenly(path.len(), LOOKED_AT);
    let health: Vec<Health> = chosen
        .into_iter()
        .map(|k| {
            let point = &path[k];
            // The update of the step is not known.
            meter.measure(problem, (point.epoch, point.step), &point.params, &[])
        })
        .collect();
    diagnose(&Observed {
        problem,
        facts: &Facts::of(problem),
        rows,
        snapshot: &snapshot,
        health: &health,
        thresholds,
    })
}

/// At most `most` (at least 2) of the places `0..n`, evenly spread, the first and the last
/// among them.
pub fn evenly(n: usize, most: usize) -> Vec<usize> {
    let most = most.max(2);
    if n <= most {
        return (0..n).collect();
    }
    (0..most).map(|k| k * (n - 1) / (most - 1)).collect()
}

impl RunRecord {
    /// The weights that the run ended with.
    pub fn params(&self) -> &[f32] {
        self.path.last().map_or(&[], |point| &point.params)
    }

    /// The last row.
    pub fn last_row(&self) -> Option<&HistoryRow> {
        self.rows.last()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Experiment;

    fn record() -> RunRecord {
        let text = "[data]\nsource = \"circle\"\nsamples = 100\nvalidation = 0.2\n[network]\n\
            layers = [{ dense = 4 }]\nloss = \"cross-entropy\"\n[training]\nbatch = 10\nepochs = 12\n";
        let problem = Arc::new(Problem::new(&Experiment::parse(text, "test").unwrap()).unwrap());
        let mut recorder = Recorder::new(problem);
        while recorder.advance() {}
        recorder.record(Circumstances::default())
    }

    #[test]
    fn a_record_is_the_run_itself_with_its_path_and_its_ends() {
        let record = record();
        let mut session = Session::new(Arc::clone(&record.problem));
        session.command(TrainCommand::Epochs(12));
        assert_eq!(record.rows, session.take_outbox().rows);
        assert_eq!(record.params(), session.trainer().params());
        assert_eq!(&*record.path[0].params, &*record.problem.initial_params());
        assert_eq!((record.rows.len(), record.steps.len()), (13, 96));
        assert_eq!(record.outcome, Outcome::Finished);
        let kinds: Vec<&str> = record.events.iter().map(|e| e.kind.as_str()).collect();
        assert_eq!(kinds.first(), Some(&"started"));
        assert!(kinds.contains(&"best-loss") && kinds.contains(&"finished"));
        let best = record
            .events
            .iter()
            .find(|e| e.kind == "best-loss")
            .unwrap();
        let least = record.rows[1..]
            .iter()
            .filter_map(|row| row.validation_loss);
        let least = least.fold(f64::INFINITY, f64::min);
        assert_eq!(best.values[0].1, least.to_string());
    }

    #[test]
    fn places_are_evenly_spread_and_keep_both_ends() {
        assert_eq!(evenly(3, 5), [0, 1, 2]);
        assert_eq!(evenly(9, 3), [0, 4, 8]);
        assert_eq!(evenly(0, 3), Vec::<usize>::new());
        assert_eq!(evenly(100, 1), [0, 99]);
    }
}
