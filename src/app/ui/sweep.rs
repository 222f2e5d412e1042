//! The sweep: what is varied, its progress, and its pictures, over the scene.

use super::icons::Icon;
use super::learning::named;
use super::panels::Panels;
use super::stage::{Intent, Stage};
use super::sweep_form::{Dial, Setting, add_button, dials};
use super::sweep_picture;
use super::widgets::{complaint, remark, small_icon};
use crate::app::search::{SearchCommand, SweepPlan, SweepTrial};
use crate::experiment::{Experiment, OptimizerConfig};
use crate::search::{MOST_RUNS, Plan, rank};
use crate::train::RunState;
use bevy_egui::egui::{
    self, Align, Area, DragValue, Frame, Id, Layout, Order, Rect, RichText, ScrollArea, Ui, vec2,
};

/// What a sweep is asked for, and whether it is on the screen.
#[derive(Debug, Clone, PartialEq)]
pub struct SweepForm {
    /// Whether it is shown.
    pub open: bool,
    /// The settings with their values.
    pub dials: Vec<Dial>,
    /// Epochs of each run; as many as the experiment has, if not set.
    pub epochs: Option<usize>,
    /// How many runs at a time.
    pub jobs: usize,
}

impl Default for SweepForm {
    fn default() -> Self {
        SweepForm {
            open: false,
            dials: Vec::new(),
            epochs: None,
            jobs: 1,
        }
    }
}

/// The experiment that these settings are varied around.
pub(super) fn base(experiment: &Experiment, dials: &[Dial]) -> Experiment {
    let mut base = experiment.clone();
    if dials.iter().any(|dial| dial.setting == Setting::Optimizer) {
        // Constants of one optimiser mean nothing to another.
        let optimizer = &mut base.training.optimizer;
        *optimizer = OptimizerConfig::new(optimizer.name, optimizer.learning_rate);
    }
    base
}

pub(super) fn show(ui: &mut Ui, panels: &mut Panels, stage: &mut Stage<'_>, free: Rect) {
    if !panels.sweep.open {
        return;
    }
    let rect = free.shrink(1.0);
    Area::new(Id::new("gradscape sweep"))
        .order(Order::Middle)
        .fixed_pos(rect.min)
        .movable(false)
        .constrain(false)
        .default_size(rect.size())
        .show(ui.ctx(), |ui| {
            ui.set_min_size(rect.size());
            ui.set_max_size(rect.size());
            ui.set_clip_rect(rect);
            let fill = ui.visuals().panel_fill;
            Frame::new().fill(fill).inner_margin(14).show(ui, |ui| {
                ui.set_min_size(ui.available_size());
                ui.spacing_mut().item_spacing = vec2(8.0, 6.0);
                head(ui, panels, stage);
                ScrollArea::vertical()
                    .id_salt("sweep")
                    .auto_shrink([false, false])
                    .show(ui, |ui| {
                        ui.set_max_width(ui.available_width() - 4.0);
                        body(ui, panels, stage);
                    });
            });
        });
}

fn head(ui: &mut Ui, panels: &mut Panels, stage: &Stage<'_>) {
    ui.horizontal(|ui| {
        ui.heading(stage.t("sweep.title"));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let tip = stage.t("sweep.close");
            if small_icon(ui, "sweep/close", Icon::Cross, tip, true).clicked() {
                panels.sweep.open = false;
            }
            let text = RichText::new(stage.t("sweep.note")).small().weak();
            ui.add(egui::Label::new(text).truncate());
        });
    });
}

fn body(ui: &mut Ui, panels: &mut Panels, stage: &mut Stage<'_>) {
    let mut experiment = stage.training.problem.experiment.clone();
    let rate = stage.training.snapshot.base_learning_rate;
    experiment.training.optimizer.learning_rate = rate;
    let form = &mut panels.sweep;
    if form.dials.is_empty() {
        let first = Setting::all(&experiment).into_iter().take(2);
        form.dials.extend(first.map(|s| s.dial(&experiment)));
    }
    if let Some(epochs) = form.epochs {
        experiment.training.epochs = epochs;
    }
    dials(ui, stage, &experiment, &mut form.dials);
    actions(ui, panels, stage, &experiment);
    let Some(trial) = &panels.searches.sweep else {
        return;
    };
    if let Some(error) = trial.error() {
        complaint(ui, &stage.palette, error);
    }
    let Some(plan) = trial.plan() else { return };
    best(ui, stage, plan, trial);
    if let Some(run) = sweep_picture::show(ui, stage, plan, trial.rows()) {
        load(stage, plan, run);
    }
}

/// How many runs the settings make, if all can be read.
fn runs(dials: &[Dial]) -> Option<usize> {
    dials
        .iter()
        .try_fold(1_usize, |all, dial| all.checked_mul(dial.count()?))
}

fn actions(ui: &mut Ui, panels: &mut Panels, stage: &mut Stage<'_>, experiment: &Experiment) {
    let trial = panels.searches.sweep.as_ref();
    let running = trial.is_some_and(SweepTrial::is_running);
    let form = &mut panels.sweep;
    let count = runs(&form.dials);
    ui.horizontal_wrapped(|ui| {
        add_button(ui, stage, experiment, &mut form.dials);
        ui.weak(stage.t("sweep.epochs"));
        let mut epochs = experiment.training.epochs;
        let drag = DragValue::new(&mut epochs).range(1..=1_000_000).speed(0.5);
        if ui.add(drag).changed() {
            form.epochs = Some(epochs);
        }
        let most = SweepPlan::most_jobs();
        if most > 1 {
            ui.weak(stage.t("sweep.jobs"));
            ui.add(DragValue::new(&mut form.jobs).range(1..=most).speed(0.05));
        }
        let said = match count {
            Some(n) if n <= MOST_RUNS => stage.texts.with("sweep.runs", &[("n", &n)]),
            Some(n) => stage
                .texts
                .with("sweep.too_many", &[("n", &n), ("most", &MOST_RUNS)]),
            None => stage.t("sweep.unreadable").to_owned(),
        };
        ui.label(said);
        if running {
            let cancel = egui::Button::new(stage.t("sweep.cancel"));
            if named(ui, "sweep/cancel", cancel).clicked() {
                let command = SearchCommand::CancelSweep;
                stage.intents.push(Intent::Search(command));
            }
        } else {
            let possible = count.is_some_and(|n| n <= MOST_RUNS);
            let fill = ui.visuals().selection.bg_fill;
            let start = egui::Button::new(RichText::new(stage.t("sweep.start")).strong());
            let start = start.fill(fill);
            let response = ui
                .add_enabled_ui(possible, |ui| named(ui, "sweep/start", start))
                .inner;
            let vary = form.dials.iter().map(Dial::vary).collect::<Result<_, _>>();
            if let (true, Ok(vary)) = (response.clicked(), vary) {
                let plan = SweepPlan {
                    base: base(experiment, &form.dials),
                    vary,
                    jobs: form.jobs,
                };
                let command = SearchCommand::Sweep(Box::new(plan));
                stage.intents.push(Intent::Search(command));
            }
        }
    });
    if let Some(trial) = trial {
        progress(ui, stage, trial);
    }
}

fn progress(ui: &mut Ui, stage: &Stage<'_>, trial: &SweepTrial) {
    let Some(plan) = trial.plan() else {
        if trial.is_running() {
            remark(ui, stage.t("sweep.preparing"));
        }
        return;
    };
    let (done, all) = (trial.rows().len(), plan.cases().len());
    if trial.is_running() {
        let text = stage
            .texts
            .with("sweep.progress", &[("n", &done), ("m", &all)]);
        let bar = egui::ProgressBar::new(trial.progress())
            .desired_height(18.0)
            .corner_radius(4)
            .text(RichText::new(text).size(12.5));
        ui.add(bar);
    } else if trial.is_cancelled() {
        let text = stage
            .texts
            .with("sweep.cancelled", &[("n", &done), ("m", &all)]);
        remark(ui, &text);
    }
}

/// The best run in words, and the way to it.
fn best(ui: &mut Ui, stage: &mut Stage<'_>, plan: &Plan, trial: &SweepTrial) {
    let ranked = rank(trial.rows());
    let Some(best) = ranked.first().filter(|row| !row.diverged()) else {
        if !ranked.is_empty() && !trial.is_running() {
            remark(ui, stage.t("sweep.all_diverged"));
        }
        return;
    };
    let run = best.run;
    ui.horizontal(|ui| {
        let text = stage.t("sweep.load_best");
        let tip = stage.t("sweep.load_tip");
        let button = named(ui, "sweep/load_best", egui::Button::new(text));
        if button.on_hover_text(tip).clicked() {
            load(stage, plan, run);
        }
        let words = sweep_picture::summary(stage, plan, best);
        ui.add(egui::Label::new(RichText::new(words).size(13.5)).truncate());
    });
}

/// Loads the experiment of a run, to be trained anew in the window.
fn load(stage: &mut Stage<'_>, plan: &Plan, run: usize) {
    let Some(case) = run.checked_sub(1).and_then(|i| plan.cases().get(i)) else {
        return;
    };
    stage.intents.push(Intent::Load {
        experiment: Box::new(case.experiment.clone()),
        start: stage.training.snapshot.state == RunState::Running,
    });
}
