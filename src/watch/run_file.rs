//! What is watched, as a recorded run: the numbers that are told, and the weights of the run
//! that is followed where a network of ours can be made of it.
//!
//! A state machine as the [`Recorder`](run::Recorder) below: whoever drives it brings the
//! clock and says when to commit.

use super::follow::{Followed, Follower};
use super::kin::Kin;
use super::news::{Metric, News};
use super::roles::Role;
use crate::run::{
    self, EventKind, Item, Kept, MOST_METRICS, MOST_STEPS, RunError, RunEvent, RunStart,
    SNAPSHOT_BYTES, SavedState, SavedWeights, SnapshotPlan, StepMetrics, ToldNumber,
};
use crate::train::{Evaluator, ForeignHistory, ForeignStep, Problem};
use serde_json::json;
use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

/// Milliseconds after which what was taken in is made safe.
const COMMIT_MS: i64 = 500;
/// The most curves that are recorded.
const MOST_CURVES: usize = 10_000;

/// What a run's file says where it cannot be helped: the data are ours.
const OUR_DATA: &str = "Surfaces, scores and losses of recorded weights are computed with these \
     data, which need not be those that the other program trains on.";

/// A run's file that is being filled with what is watched.
pub struct RunOfNews {
    recorder: run::Recorder,
    start: RunStart,
    /// The run that weights, steps and epochs are of.
    kin: Kin,
    /// What trains each run that has begun, where it said so.
    frameworks: HashMap<Arc<str>, String>,
    /// Whether its network is known, and whether another one has come since.
    network: Network,
    history: ForeignHistory,
    curves: HashMap<(Arc<str>, Arc<str>), u64>,
    metrics: Thinned,
    steps: Thinned,
    known_steps: BTreeSet<u64>,
    /// The step that was left out last.
    passed: Option<u64>,
    weights: Weights,
    evaluator: Option<Evaluator>,
    problem: Option<Arc<Problem>>,
    ended: bool,
    /// When the first thing came that is not safe yet.
    since: Option<i64>,
    /// What the user should be told, once.
    words: Vec<String>,
    said_curves: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Network {
    Unknown,
    Known,
    /// Another took its place: what comes is not of this file.
    Left,
}

/// How much of a table is kept.
#[derive(Debug)]
struct Thinned {
    what: Kept,
    every: u64,
    came: u64,
    kept: u64,
    most: u64,
}

impl Thinned {
    fn new(what: Kept, most: u64) -> Self {
        Thinned {
            what,
            every: 1,
            came: 0,
            kept: 0,
            most,
        }
    }

    /// Makes room for one more.
    fn room(&mut self) -> Option<Item> {
        self.kept += 1;
        if self.kept <= self.most {
            return None;
        }
        self.every *= 2;
        self.kept = self.kept.div_ceil(2);
        Some(Item::Halve {
            what: self.what,
            every: self.every,
        })
    }
}

/// Which weights are kept: of those that come, in their order, as of the steps of a run of
/// ours. How many steps lie between two is the other program's.
#[derive(Debug)]
struct Weights {
    plan: SnapshotPlan,
    /// The step of each one that came, by its number.
    came: u64,
    kept: HashMap<u64, u64>,
}

impl Weights {
    fn new(parameters: usize) -> Self {
        Weights {
            plan: SnapshotPlan::new(1, parameters, SNAPSHOT_BYTES),
            came: 0,
            kept: HashMap::new(),
        }
    }

    /// One more came. Returns the steps whose weights go instead.
    fn take(&mut self, step: u64) -> Vec<u64> {
        let number = self.came;
        self.came += 1;
        let gone = self.plan.keep(number);
        self.kept.insert(number, step);
        let gone: Vec<u64> = gone.iter().filter_map(|n| self.kept.remove(n)).collect();
        // A step may have come twice.
        let stays = |step: &u64| self.kept.values().any(|kept| kept == step);
        gone.into_iter().filter(|step| !stays(step)).collect()
    }
}

impl RunOfNews {
    /// Makes the file `path` of a run that is called `name` (until it says its own) and
    /// watched at `source`.
    ///
    /// # Errors
    /// When it is there, or cannot be written.
    pub fn create(path: &Path, source: &str, name: &str, now_ms: i64) -> Result<Self, RunError> {
        let id = path.file_stem().unwrap_or_default().to_string_lossy();
        let start = RunStart::watched(source, name, &id, now_ms);
        let plan = SnapshotPlan::new(1, 1, SNAPSHOT_BYTES);
        let mut recorder = run::Recorder::create(path, &start, &plan)?;
        recorder.take(&event(now_ms, 0, EventKind::Started, json!({})))?;
        recorder.commit(now_ms)?;
        Ok(RunOfNews {
            recorder,
            start,
            kin: Kin::default(),
            frameworks: HashMap::new(),
            network: Network::Unknown,
            history: ForeignHistory::default(),
            curves: HashMap::new(),
            metrics: Thinned::new(Kept::Metrics, MOST_METRICS),
            steps: Thinned::new(Kept::Steps, MOST_STEPS),
            known_steps: BTreeSet::new(),
            passed: None,
            weights: Weights::new(1),
            evaluator: None,
            problem: None,
            ended: false,
            since: None,
            words: Vec::new(),
            said_curves: false,
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        self.recorder.path()
    }

    /// Takes in something new, and what `follower`, who has seen it, made of it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn see(
        &mut self,
        news: &News,
        follower: &Follower,
        followed: &[Followed],
        now_ms: i64,
    ) -> Result<(), RunError> {
        self.since.get_or_insert(now_ms);
        match news {
            News::Metric(metric) => self.number(metric, now_ms)?,
            News::Begun(begun)
                if !begun.framework.is_empty() && self.frameworks.len() < MOST_CURVES =>
            {
                let run = Arc::clone(&begun.run);
                self.frameworks.insert(run, begun.framework.clone());
            }
            News::Ended { run } if self.kin.has(run) => {
                let finished = event(now_ms, self.last_step(), EventKind::Finished, json!({}));
                self.recorder.take(&finished)?;
                self.ended = true;
            }
            _ => {}
        }
        let Some(run) = follower.run().map(|begun| &begun.run) else {
            return Ok(());
        };
        for found in followed {
            match found {
                Followed::Network(problem) => {
                    if self.network == Network::Unknown && !self.kin.has(run) {
                        // Whose weights come is the one, whoever told numbers before.
                        self.leave()?;
                        let early = self.kin.follow(run);
                        self.name(run)?;
                        self.figures(early)?;
                    }
                    if self.kin.has(run) {
                        self.meet(problem, now_ms)?;
                    }
                }
                _ if self.kin.run().is_some() && !self.kin.has(run) => {}
                Followed::Step(step) if self.network == Network::Known => {
                    self.stand(step, now_ms)?;
                }
                Followed::Step(_) => {}
                Followed::Refused(why) if self.network == Network::Unknown => {
                    let entry = (run::NO_NETWORK.to_owned(), why.clone());
                    self.start.environment.extend([entry]);
                    self.recorder.describe(&self.start)?;
                }
                Followed::Refused(_) => {}
            }
        }
        Ok(())
    }

    /// What the user should be told since the last call.
    pub fn words(&mut self) -> Vec<String> {
        std::mem::take(&mut self.words)
    }

    /// Makes safe what was taken in, half a second after it was. To be called now and then,
    /// also where nothing is new.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn settle(&mut self, now_ms: i64) -> Result<(), RunError> {
        match self.since {
            Some(since) if now_ms - since >= COMMIT_MS => {
                self.since = None;
                self.tell(now_ms)?;
                self.recorder.commit(now_ms).map(drop)
            }
            _ => Ok(()),
        }
    }

    /// Ends the file. The run is finished where it said so, or all that there is was read
    /// (`is_all`), and else was left before its end.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn close(mut self, is_all: bool, now_ms: i64) -> Result<(), RunError> {
        self.tell(now_ms)?;
        if self.ended || is_all {
            self.recorder.set_state(SavedState::Finished, now_ms)?;
        }
        self.recorder.close(now_ms)
    }

    fn last_step(&self) -> u64 {
        self.known_steps.last().copied().unwrap_or(0)
    }

    /// A number goes among all that were told, and where it has a role into steps and epochs.
    fn number(&mut self, metric: &Metric, now_ms: i64) -> Result<(), RunError> {
        let value = Some(metric.value).filter(|value| value.is_finite());
        let known = self.curves.len();
        let name = (Arc::clone(&metric.run), Arc::clone(&metric.tag));
        if known >= MOST_CURVES && !self.curves.contains_key(&name) {
            if !std::mem::replace(&mut self.said_curves, true) {
                self.words.push(format!(
                    "more than {MOST_CURVES} curves; the numbers of further ones are not recorded"
                ));
            }
            return Ok(());
        }
        let number = self.curves.entry(name).or_default();
        let is_kept = number.is_multiple_of(self.metrics.every);
        *number += 1;
        if is_kept {
            if let Some(item) = self.metrics.room() {
                self.recorder.take(&item)?;
            }
            self.recorder.take(&Item::Told(vec![ToldNumber {
                run: Arc::clone(&metric.run),
                tag: Arc::clone(&metric.tag),
                step: metric.step,
                time_ms: milliseconds(metric.wall_time).unwrap_or(now_ms),
                value,
            }]))?;
        }
        if self.network == Network::Left {
            return Ok(());
        }
        let was_known = self.kin.run().is_some();
        let found = self.kin.see(metric);
        if !was_known && self.kin.run().is_some() {
            self.name(&metric.run)?;
        }
        if let Some(other) = self.kin.other(metric) {
            self.words.push(format!(
                "{other}: another run; of it numbers alone are recorded"
            ));
        }
        self.figures(found)
    }

    /// Calls the file what the run is called that it is of.
    fn name(&mut self, run: &Arc<str>) -> Result<(), RunError> {
        if let Some(stem) = self.kin.run().filter(|stem| !stem.is_empty()) {
            stem.clone_into(&mut self.start.name);
        }
        if let Some(framework) = self.frameworks.get(run) {
            let entry = ("framework".to_owned(), framework.clone());
            self.start.environment.extend([entry]);
        }
        self.recorder.describe(&self.start)
    }

    /// Lets go of the steps and epochs of the run that was thought to be the one.
    fn leave(&mut self) -> Result<(), RunError> {
        if !self.history.is_empty() {
            self.history = ForeignHistory::default();
            self.known_steps.clear();
            self.steps = Thinned::new(Kept::Steps, MOST_STEPS);
            self.recorder.take(&Item::EpochsAnew { from: 0 })?;
            self.recorder.take(&Item::StepsAnew)?;
        }
        Ok(())
    }

    /// Numbers with a role go into steps and epochs.
    fn figures(&mut self, found: Vec<(Role, Metric)>) -> Result<(), RunError> {
        for (role, metric) in found {
            let row = role.row(metric.step, metric.value);
            self.history.take(&row);
            if matches!(
                role,
                Role::TrainLoss | Role::LearningRate | Role::GradientNorm
            ) {
                self.step(&StepMetrics {
                    step: row.step,
                    loss: row.train_loss.filter(|v| v.is_finite()),
                    learning_rate: row.learning_rate.filter(|v| v.is_finite()),
                    gradient_norm: row.gradient_norm.filter(|v| v.is_finite()),
                })?;
            }
        }
        Ok(())
    }

    fn step(&mut self, metrics: &StepMetrics) -> Result<(), RunError> {
        if !self.known_steps.contains(&metrics.step) {
            if self.passed == Some(metrics.step) {
                return Ok(());
            }
            let number = self.steps.came;
            self.steps.came += 1;
            if !number.is_multiple_of(self.steps.every) {
                self.passed = Some(metrics.step);
                return Ok(());
            }
            if let Some(item) = self.steps.room() {
                self.recorder.take(&item)?;
                let all = std::mem::take(&mut self.known_steps);
                self.known_steps = all.into_iter().step_by(2).collect();
            }
            self.known_steps.insert(metrics.step);
        }
        self.recorder.take(&Item::Merge(*metrics))
    }

    /// A network of ours was made of what is followed.
    fn meet(&mut self, problem: &Arc<Problem>, now_ms: i64) -> Result<(), RunError> {
        if self.network != Network::Unknown {
            self.network = Network::Left;
            self.words.push(
                "the network has changed; of the new one numbers alone are recorded".to_owned(),
            );
            return Ok(());
        }
        self.network = Network::Known;
        let of = RunStart::of(problem, &self.start.id, self.start.created_ms);
        let mut experiment = problem.experiment.with_absolute_paths();
        // The weights are those of snapshots.
        experiment.network.weights = None;
        let environment = std::mem::take(&mut self.start.environment);
        self.start = RunStart {
            name: self.start.name.clone(),
            experiment: Some(experiment),
            environment: of.environment.into_iter().chain(environment).collect(),
            watched: self.start.watched.clone(),
            ..of
        };
        self.start.environment.remove(run::NO_NETWORK);
        self.weights = Weights::new(self.start.parameters);
        self.evaluator = Some(Evaluator::new(&problem.network));
        self.problem = Some(Arc::clone(problem));
        self.recorder.describe(&self.start)?;
        let data = &problem.experiment.data.source;
        self.recorder
            .comment(&format!("Data: {data}. {OUR_DATA}"))?;
        self.recorder.commit(now_ms).map(drop)
    }

    /// What is followed stands somewhere else.
    fn stand(&mut self, step: &ForeignStep, now_ms: i64) -> Result<(), RunError> {
        let Some((at, params)) = &step.place else {
            return Ok(());
        };
        let last = self.weights.kept.values().max().copied();
        if last.is_some_and(|last| *at < last) {
            self.rewind(*at, now_ms)?;
        }
        self.tell(now_ms)?;
        let loss = self.evaluator.as_mut().zip(self.problem.as_ref());
        let loss = loss
            .map(|(evaluator, problem)| evaluator.loss(&problem.network, params, &problem.train));
        let gone = self.weights.take(*at);
        if !gone.is_empty() {
            self.recorder.take(&Item::DropSnapshots(gone))?;
        }
        self.recorder.take(&Item::Snapshot(SavedWeights {
            step: *at,
            epoch: self.history.len().saturating_sub(1),
            loss: loss.filter(|loss| loss.is_finite()),
            params: Arc::clone(params),
        }))
    }

    /// The run elsewhere goes on from an earlier step: what was after it is not true any more.
    fn rewind(&mut self, step: u64, now_ms: i64) -> Result<(), RunError> {
        let from = self.last_step();
        self.recorder.take(&Item::ForgetAfter { step })?;
        let detail = json!({ "from": from });
        let rewound = event(now_ms, step, EventKind::Rewound, detail);
        self.recorder.take(&rewound)?;
        self.weights.kept.retain(|_, at| *at < step);
        drop(self.known_steps.split_off(&(step + 1)));
        self.steps.kept = self.known_steps.len() as u64;
        self.history.forget_from(step + 1);
        Ok(())
    }

    /// Writes the epochs that are new or stand elsewhere than before.
    fn tell(&mut self, now_ms: i64) -> Result<(), RunError> {
        let from = self.history.fresh();
        let rows: Vec<_> = self.history.tell().collect();
        if !rows.is_empty() {
            self.recorder.take(&Item::EpochsAnew { from })?;
        }
        for row in rows {
            self.recorder.take(&Item::Epoch(now_ms, Box::new(row)))?;
        }
        Ok(())
    }
}

fn event(time_ms: i64, step: u64, kind: EventKind, detail: serde_json::Value) -> Item {
    Item::Event(RunEvent {
        time_ms,
        step,
        epoch: 0,
        kind,
        detail,
    })
}

/// Seconds since 1970 as milliseconds, where that is a time.
fn milliseconds(seconds: f64) -> Option<i64> {
    let ms = seconds * 1000.0;
    (ms.is_finite() && ms > 0.0 && ms < i64::MAX as f64).then_some(ms as i64)
}
