//! Diagnosis beside the run: what is wrong, by which numbers, what to try. Worked out on a
//! thread of its own, with the measurements that it is made from.

use super::super::stage::{Intent, Stage};
use crate::app::theme::color32;
use crate::app::{Item, Training};
use crate::insight::diagnosis::{Facts, Finding, Observed, Severity, Thresholds, diagnose, words};
use crate::insight::health::{HealthLog, HealthMeter, SAMPLES};
use crate::train::{HistoryRow, PathPoint, Problem, RunState, Snapshot};
use bevy_egui::egui::{self, DragValue, RichText, ScrollArea, Sense, Ui};
use crossbeam_channel::{Receiver, bounded};
use std::sync::Arc;

/// What is known of the run's health.
#[derive(Default)]
pub struct Doctor {
    /// Of which run: its problem and its generation.
    of: Option<(usize, u64)>,
    facts: Option<Arc<Facts>>,
    pub(super) log: HealthLog,
    /// None until somebody has looked for them.
    findings: Option<Vec<Finding>>,
    thresholds: Thresholds,
    /// What was looked at last.
    seen: Option<Seen>,
    /// Counts changes of thresholds.
    turned: u32,
    job: Option<Receiver<Report>>,
}

/// The moment of a look: the epoch, at rest the step as well; the count of changed
/// thresholds; and whether findings were wanted.
type Seen = (usize, Option<u64>, u32, bool);

/// What a look at the run came to.
struct Report {
    of: (usize, u64),
    facts: Arc<Facts>,
    log: HealthLog,
    /// None where they were not wanted.
    findings: Option<Vec<Finding>>,
    /// Whether it was of an earlier step, of which nothing is kept.
    past: bool,
}

/// A look at the run.
struct Look {
    of: (usize, u64),
    problem: Arc<Problem>,
    facts: Option<Arc<Facts>>,
    log: HealthLog,
    rows: Vec<HistoryRow>,
    snapshot: Snapshot,
    /// Points of the recorded path from which the past is measured, where nothing is known
    /// of it: an epoch each.
    past: Vec<PathPoint>,
    thresholds: Thresholds,
    /// Whether more than the health is wanted.
    diagnose: bool,
    /// Whether the snapshot is of an earlier step.
    is_past: bool,
}

impl Look {
    fn take(mut self) -> Report {
        let problem = &self.problem;
        let facts = self
            .facts
            .take()
            .unwrap_or_else(|| Arc::new(Facts::of(problem)));
        let snapshot = &self.snapshot;
        let known = self.log.records().last();
        let is_new = known.is_none_or(|last| last.step != snapshot.step);
        if is_new && self.log.wants(snapshot.epoch) {
            let at = (snapshot.epoch, snapshot.step);
            let mut meter = HealthMeter::new(problem, SAMPLES);
            for point in &self.past {
                // What its step added is not recorded.
                let at = (point.epoch, point.step);
                let health = meter.measure(problem, at, &point.params, &[]);
                self.log.push(health);
            }
            let health = meter.measure(problem, at, &snapshot.params, &snapshot.update);
            self.log.push(health);
        }
        let findings = self.diagnose.then(|| {
            diagnose(&Observed {
                problem,
                facts: &facts,
                rows: &self.rows,
                snapshot,
                health: self.log.records(),
                thresholds: &self.thresholds,
            })
        });
        Report {
            of: self.of,
            facts,
            log: self.log,
            findings,
            past: self.is_past,
        }
    }
}

impl Doctor {
    /// Whether something is being worked out.
    pub(super) fn is_busy(&self) -> bool {
        self.job.is_some()
    }

    /// Takes what a look came to, and looks again where the run has gone on.
    /// `diagnose` says whether findings are wanted, too.
    pub fn follow(&mut self, stage: &Stage<'_>, ctx: &egui::Context, diagnose: bool) {
        let training = stage.training;
        let snapshot = &training.snapshot;
        let of = (Arc::as_ptr(&training.problem) as usize, snapshot.generation);
        if self.of != Some(of) {
            *self = Doctor {
                of: Some(of),
                thresholds: self.thresholds,
                ..Doctor::default()
            };
        }
        if let Some(report) = self.job.as_ref().and_then(|job| job.try_recv().ok()) {
            self.job = None;
            if report.of == of {
                self.facts = Some(report.facts);
                if !report.past {
                    self.log = report.log;
                }
                self.findings = report.findings;
            }
        }
        let at_rest = snapshot.state != RunState::Running;
        let step = at_rest.then_some(snapshot.step);
        let now = (snapshot.epoch, step, self.turned, diagnose);
        if self.job.is_some() || self.seen == Some(now) || stage.loading {
            return;
        }
        self.seen = Some(now);
        let is_past = training.shows_past();
        // What came after the step that is shown is not known then.
        let mut log = HealthLog::default();
        let mut rows = training.history.rows().to_vec();
        if is_past {
            let known = self.log.records().iter();
            for health in known.filter(|health| health.step < snapshot.step) {
                log.push(health.clone());
            }
            rows.retain(|row| row.step <= snapshot.step);
        } else {
            log.clone_from(&self.log);
        }
        let look = Look {
            of,
            problem: Arc::clone(&training.problem),
            facts: self.facts.clone(),
            rows,
            snapshot: snapshot.clone(),
            past: match log.records().is_empty() {
                true => past(training),
                false => Vec::new(),
            },
            log,
            thresholds: self.thresholds,
            diagnose,
            is_past,
        };
        let (sender, receiver) = bounded(1);
        let ctx = ctx.clone();
        let spawned = std::thread::Builder::new()
            .name("diagnosis".into())
            .spawn(move || {
                // Nobody waits for it any more where another run was begun.
                let _ = sender.send(look.take());
                ctx.request_repaint();
            });
        self.job = spawned.ok().map(|_| receiver);
    }
}

/// What of the past is measured anew when somebody begins to look: so many epochs.
const PAST: usize = 32;

/// The first recorded point of some epochs before the present one, about evenly chosen,
/// that before training among them.
fn past(training: &Training) -> Vec<PathPoint> {
    let mut points: Vec<&PathPoint> = Vec::new();
    for point in training.path.points() {
        let is_new = points.last().is_none_or(|last| point.epoch > last.epoch);
        if is_new && point.epoch < training.snapshot.epoch {
            points.push(point);
        }
    }
    let stride = points.len().div_ceil(PAST).max(1);
    points.into_iter().step_by(stride).cloned().collect()
}

/// The findings, causes first.
pub(super) fn show(ui: &mut Ui, doctor: &mut Doctor, stage: &mut Stage<'_>) {
    let findings = match &doctor.findings {
        Some(findings) if !findings.is_empty() => findings.clone(),
        known => {
            let key = match known {
                None => "inside.looking",
                Some(_) => "diagnosis.none",
            };
            ui.label(RichText::new(stage.t(key)).size(16.0));
            return;
        }
    };
    let mut turned = None;
    ScrollArea::vertical()
        .id_salt("findings")
        .auto_shrink([false, false])
        .show(ui, |ui| {
            for (k, finding) in findings.iter().enumerate() {
                if k > 0 {
                    ui.separator();
                }
                turned = one(ui, stage, finding, &doctor.thresholds).or(turned);
            }
        });
    if let Some((name, value)) = turned {
        // A threshold of that name there is; out of its range it stays as it is.
        if doctor.thresholds.set(name, value).is_ok() {
            doctor.turned += 1;
        }
    }
}

/// One finding. Gives a threshold that was changed.
fn one(
    ui: &mut Ui,
    stage: &mut Stage<'_>,
    finding: &Finding,
    thresholds: &Thresholds,
) -> Option<(&'static str, f64)> {
    let texts = stage.texts;
    let word = |key: &str| texts.get(key).to_owned();
    let color = match finding.severity {
        Severity::Severe => stage.palette.warning,
        Severity::Warning => stage.palette.accent,
        Severity::Suspicion => stage.palette.text,
    };
    let mut title = word(&words::title(finding.kind));
    if let Some(layer) = finding.layer {
        title += "  ·  ";
        title += &texts.with("diagnosis.layer", &[("n", &(layer + 1))]);
    }
    if let Some(name) = &finding.feature {
        title += "  ·  ";
        title += &texts.with("diagnosis.input", &[("name", name)]);
    }
    if let Some(name) = &finding.class {
        title += "  ·  ";
        title += &texts.with("diagnosis.class", &[("name", name)]);
    }
    let title = RichText::new(title)
        .strong()
        .size(16.0)
        .color(color32(color));
    let heading = ui.add(egui::Label::new(title).sense(Sense::click()));
    if heading.clicked() {
        // The layer is lit in the scene.
        stage.selection.selected = finding.layer.map(|layer| Item::Neuron {
            column: layer + 1,
            unit: 0,
        });
    }
    ui.label(word(&words::meaning(finding.kind)));
    let mut turned = None;
    for evidence in &finding.evidence {
        ui.horizontal_wrapped(|ui| {
            ui.label(RichText::new(word(&words::evidence(evidence.name))).weak());
            let value = words::number(evidence.value);
            let threshold = words::number(evidence.threshold);
            let values: [(&str, &dyn std::fmt::Display); 2] =
                [("value", &value), ("threshold", &threshold)];
            ui.label(texts.with(words::comparison(evidence.comparison), &values));
            let mut now = thresholds.get(evidence.name).unwrap_or(evidence.threshold);
            let speed = 0.01 * now.abs().max(1e-6);
            let drag = DragValue::new(&mut now).speed(speed);
            let drag = ui.add(drag).on_hover_text(texts.get("diagnosis.threshold"));
            if drag.changed() {
                turned = Some((evidence.name, now));
            }
        });
    }
    if !finding.explains.is_empty() {
        let kinds = finding.explains.iter();
        let kinds: Vec<String> = kinds.map(|kind| word(&words::title(*kind))).collect();
        let kinds = kinds.join(", ");
        ui.label(RichText::new(texts.with("diagnosis.explains", &[("kinds", &kinds)])).weak());
    }
    let problem = Arc::clone(&stage.training.problem);
    ui.horizontal_wrapped(|ui| {
        ui.label(texts.get("diagnosis.what"));
        for cure in finding.cures.iter().filter(|cure| cure.fits(&problem)) {
            let mut said = word(&words::cure(cure));
            for (name, value) in cure.values() {
                said = said.replace(&format!("{{{name}}}"), &value);
            }
            let tip = texts.get("diagnosis.apply");
            if ui.button(said).on_hover_text(tip).clicked() {
                stage.intents.push(Intent::Load {
                    experiment: Box::new(cure.apply(&problem.experiment)),
                    start: true,
                });
            }
        }
    });
    ui.label(
        RichText::new(word(&words::sources(finding.kind)))
            .small()
            .weak(),
    );
    turned
}
