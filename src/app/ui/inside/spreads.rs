//! How a layer's numbers were spread over time: ridge lines and percentile bands, worked
//! out on a thread of its own while they are looked at.

use super::super::stage::Stage;
use super::super::widgets::{remark, segmented};
use super::{bands, ridges};
use crate::app::Training;
use crate::app::background;
use crate::insight::distributions::{
    DistributionLog, DistributionMeter, Moment, Quantity, SAMPLES, Spread,
};
use crate::insight::tiles::name_of;
use crate::train::{Problem, RunState};
use bevy_egui::egui::{self, DragValue, ScrollArea, Ui, vec2};
use crossbeam_channel::{Receiver, bounded};
use std::sync::Arc;

/// What of the distributions is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Over {
    /// The present alone.
    #[default]
    Now,
    /// A histogram for each of some moments, one in front of the other.
    Ridges,
    /// What lies below certain shares of the numbers, over the steps.
    Bands,
}

/// What of the past is measured anew when somebody begins to look: so many points of the
/// recorded path at most.
const PAST: usize = 32;

/// The distributions of a run.
#[derive(Default)]
pub struct Spreads {
    /// What is shown.
    pub over: Over,
    /// What is spread.
    pub quantity: Quantity,
    /// The steps that are shown; none is all.
    range: Option<[u64; 2]>,
    of: Option<(usize, u64)>,
    /// The moments that are known.
    pub log: DistributionLog,
    job: Option<Receiver<((usize, u64), DistributionLog)>>,
}

/// A moment that is to be measured.
struct Due {
    at: (usize, u64),
    params: Arc<[f32]>,
    update: Arc<[f32]>,
}

impl Spreads {
    /// Whether something is being worked out.
    pub(super) fn is_busy(&self) -> bool {
        self.job.is_some()
    }

    /// Takes what was measured, and has the next moment measured where one is due. The
    /// past comes from the weights of the recorded path: what a step added is not known
    /// of it.
    pub fn follow(&mut self, stage: &Stage<'_>, ctx: &egui::Context) {
        let training = stage.training;
        let snapshot = training.now_snapshot();
        let of = (Arc::as_ptr(&training.problem) as usize, snapshot.generation);
        if self.of != Some(of) {
            self.of = Some(of);
            self.log.clear();
            self.range = None;
        }
        if let Some((found, log)) = self.job.as_ref().and_then(|job| job.try_recv().ok()) {
            self.job = None;
            if found == of {
                self.log = log;
            }
        }
        if self.job.is_some() || stage.loading {
            return;
        }
        let mut due = match self.log.moments().is_empty() {
            true => past(training),
            false => Vec::new(),
        };
        // At rest the present is always there, while it runs at the log's own pace.
        let last = self.log.moments().last().map(|moment| moment.step);
        let at_rest = snapshot.state != RunState::Running;
        if last != Some(snapshot.step) && (at_rest || self.log.wants(snapshot.step)) {
            due.retain(|moment| moment.at.1 < snapshot.step);
            due.push(Due {
                at: (snapshot.epoch, snapshot.step),
                params: Arc::clone(&snapshot.params),
                update: Arc::clone(&snapshot.update),
            });
        }
        if due.is_empty() {
            return;
        }
        let (problem, log) = (Arc::clone(&training.problem), self.log.clone());
        let (sender, receiver) = bounded(1);
        let ctx = ctx.clone();
        let spawned = std::thread::Builder::new()
            .name("distributions".into())
            .spawn(move || {
                background::step_back();
                // Nobody waits for it any more where another run was begun.
                let _ = sender.send((of, measured(&problem, log, &due)));
                ctx.request_repaint();
            });
        self.job = spawned.ok().map(|_| receiver);
    }

    /// The moments of the steps that are shown, the first of all among them.
    fn shown(&self) -> Vec<&Moment> {
        let [from, to] = self.range.unwrap_or([0, u64::MAX]);
        self.log.between(from, to)
    }
}

fn measured(problem: &Problem, mut log: DistributionLog, due: &[Due]) -> DistributionLog {
    let mut meter = DistributionMeter::new(problem, SAMPLES);
    for Due { at, params, update } in due {
        log.push(meter.measure(problem, *at, params, update));
    }
    log
}

/// Points of the recorded path, about evenly over the steps, the first among them.
fn past(training: &Training) -> Vec<Due> {
    let points = training.path.points();
    let stride = points.len().div_ceil(PAST).max(1);
    points
        .iter()
        .step_by(stride)
        .map(|point| Due {
            at: (point.epoch, point.step),
            params: Arc::clone(&point.params),
            update: Arc::default(),
        })
        .collect()
}

/// What is shown of which numbers.
pub(super) fn options(ui: &mut Ui, spreads: &mut Spreads, log: &mut bool, stage: &Stage<'_>) {
    let quantities = Quantity::ALL.map(|quantity| {
        let key = match quantity {
            Quantity::Weights => "inside.weights",
            Quantity::Biases => "inside.biases",
            Quantity::Gradients => "inside.gradients",
            Quantity::Updates => "inside.updates",
            Quantity::Activations => "inside.activations",
        };
        (quantity, None, stage.t(key))
    });
    segmented(ui, "inside/counted", &mut spreads.quantity, &quantities);
    let over = [
        (Over::Now, None, stage.t("spreads.now")),
        (Over::Ridges, None, stage.t("spreads.ridges")),
        (Over::Bands, None, stage.t("spreads.bands")),
    ];
    segmented(ui, "inside/over", &mut spreads.over, &over);
    if spreads.over != Over::Bands {
        ui.checkbox(log, stage.t("inside.log"));
    }
    if spreads.over == Over::Now {
        return;
    }
    let last = spreads.log.moments().last().map_or(0, |moment| moment.step);
    let [mut from, mut to] = spreads.range.unwrap_or([0, last]);
    ui.weak(stage.t("spreads.steps"));
    let speed = (last as f64 / 300.0).max(0.2);
    let a = ui.add(DragValue::new(&mut from).range(0..=last).speed(speed));
    ui.weak("–");
    let b = ui.add(DragValue::new(&mut to).range(0..=last).speed(speed));
    if a.changed() || b.changed() {
        let all = from == 0 && to == last;
        spreads.range = (!all).then_some([from.min(to), to.max(from)]);
    }
}

/// One picture a layer.
pub(super) fn show(ui: &mut Ui, spreads: &Spreads, log: bool, stage: &Stage<'_>) {
    let moments = spreads.shown();
    if moments.is_empty() {
        remark(ui, stage.t("inside.looking"));
        return;
    }
    let network = &stage.training.problem.network;
    let layers = (0..network.layers().len()).filter_map(|layer| {
        let of_layer: Vec<(&Moment, &Spread)> = moments
            .iter()
            .filter_map(|moment| Some((*moment, moment.spread(spreads.quantity, layer)?)))
            .collect();
        let title = name_of(network, layer);
        (!of_layer.is_empty()).then_some((title, of_layer))
    });
    let layers: Vec<(String, Vec<(&Moment, &Spread)>)> = layers.collect();
    if layers.is_empty() {
        remark(ui, stage.t("inside.nothing"));
        return;
    }
    let tall = (ui.available_height() - 12.0).max(110.0);
    let wide = (ui.available_width() / layers.len() as f32 - 12.0).clamp(210.0, 460.0);
    ScrollArea::horizontal()
        .id_salt("spreads")
        .auto_shrink([false, false])
        .show(ui, |ui| {
            ui.horizontal(|ui| {
                for (title, of_layer) in &layers {
                    let size = vec2(wide, tall);
                    match spreads.over {
                        Over::Bands => bands::show(ui, stage, title, of_layer, size),
                        _ => ridges::show(ui, stage, title, of_layer, log, size),
                    }
                }
            });
        });
}
