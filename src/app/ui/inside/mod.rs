//! The inside of the network below the scene, live: structure, weights and filters as
//! images, feature maps, histograms, and how right it is case by case.

mod bands;
mod bars;
mod batch;
mod climb;
mod compare;
mod course;
mod doctor;
mod elsewhere;
mod flow;
mod histograms;
mod map;
mod ridgeline;
mod ridges;
mod roc;
mod scores;
mod sheet;
mod similarity;
mod spreads;
mod structure;
mod why;

use super::icons::Icon;
use super::panels::Panels;
use super::stage::Stage;
use super::view_options;
use super::widgets::{segmented, segments, small_icon};
use crate::train::WatchedPart;
use batch::Batch;
use bevy_egui::egui::{Panel, Ui, vec2};
use climb::Climb;
use compare::Comparison;
use course::Course;
pub use course::Figure;
use doctor::Doctor;
pub use elsewhere::Elsewhere;
use flow::Flow;
use scores::{Scores, ScoresKey};
use sheet::{Image, SheetKey};
use similarity::Similarity;
pub use spreads::Over;
use spreads::Spreads;
use why::Why;

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Tab {
    /// Layers, shapes, costs.
    Structure,
    /// Weight matrices as images.
    #[default]
    Weights,
    /// The first weights in the shape of the image, and filters.
    Filters,
    /// What each layer makes of the watched sample.
    Features,
    /// What each layer makes of many samples.
    Batch,
    /// How numbers are spread.
    Histograms,
    /// Curves over the epochs, large.
    Curves,
    /// Which class is taken for which.
    Scores,
    /// Gradients through all layers over time.
    Flow,
    /// What is wrong, and what to try.
    Diagnosis,
    /// Why it says what it says of the sample.
    Explanation,
    /// What a class, a unit or a channel answers to most.
    Maximise,
    /// How alike any two layers are.
    Similarity,
    /// Networks side by side.
    Compare,
    /// Runs elsewhere that are watched.
    Elsewhere,
}

/// The panel, and what it keeps from frame to frame.
#[derive(Default)]
pub struct Inside {
    /// Whether it is open.
    pub open: bool,
    /// What is looked at.
    pub tab: Tab,
    log: bool,
    /// The curves, large.
    pub course: Course,
    /// How numbers are spread, now and over time.
    pub spreads: Spreads,
    part: WatchedPart,
    sheet: Option<(SheetKey, Vec<Image>)>,
    /// How many images of the sheet are of each network.
    of_network: Vec<usize>,
    batch: Batch,
    scores: Option<(ScoresKey, Scores)>,
    doctor: Doctor,
    /// What the flow is of.
    pub flow: Flow,
    /// Why it says what it says.
    pub why: Why,
    /// What it answers to most.
    pub climb: Climb,
    similarity: Similarity,
    comparison: Comparison,
    /// What is watched.
    pub elsewhere: Elsewhere,
}

impl Inside {
    /// Whether something is being worked out on a thread.
    pub fn is_busy(&self) -> bool {
        self.doctor.is_busy()
            || self.spreads.is_busy()
            || self.why.is_busy()
            || self.climb.is_climbing()
            || self.similarity.is_busy()
    }
}

/// The panel's height at first, as a share of the window and between two heights in
/// points, and at most as a share of the window.
const SHARE: f32 = 0.36;
const HEIGHT: [f32; 2] = [270.0, 460.0];
const MOST: f32 = 0.62;

pub(super) fn show(root: &mut Ui, panels: &mut Panels, stage: &mut Stage<'_>) {
    let inside = &mut panels.inside;
    let explains = inside.open && inside.tab == Tab::Explanation;
    inside.why.follow(stage, root.ctx(), explains);
    inside.climb.follow(stage, root.ctx(), inside.open);
    if inside.open && inside.tab == Tab::Similarity {
        inside.similarity.follow(stage, root.ctx());
    }
    if !panels.inside.open || root.available_height() < 260.0 {
        return;
    }
    if panels.inside.tab == Tab::Histograms && panels.inside.spreads.over != Over::Now {
        panels.inside.spreads.follow(stage, root.ctx());
    }
    let diagnose = panels.inside.tab == Tab::Diagnosis;
    panels.inside.doctor.follow(stage, root.ctx(), diagnose);
    let most = MOST * root.available_height();
    let height = (SHARE * root.available_height()).clamp(HEIGHT[0], HEIGHT[1]);
    Panel::bottom("gradscape inside")
        .resizable(true)
        .default_size(height.min(most))
        .size_range(140.0..=most)
        .show(root, |ui| {
            // However little there is to show, the panel keeps its height.
            ui.set_min_height(ui.available_height());
            head(ui, &mut panels.inside, stage);
            ui.separator();
            let inside = &mut panels.inside;
            match inside.tab {
                Tab::Structure => structure::show(ui, stage),
                Tab::Weights | Tab::Filters | Tab::Features => sheet::show(ui, inside, stage),
                Tab::Batch => batch::show(ui, &mut inside.batch, stage),
                Tab::Histograms if inside.spreads.over == Over::Now => {
                    histograms::show(ui, inside, stage);
                }
                Tab::Histograms => spreads::show(ui, &inside.spreads, inside.log, stage),
                Tab::Curves => course::show(ui, &mut inside.course, stage),
                Tab::Scores => scores::show(ui, inside, stage),
                Tab::Flow => flow::show(ui, &inside.doctor.log, inside.flow, stage),
                Tab::Diagnosis => doctor::show(ui, &mut inside.doctor, stage),
                Tab::Explanation => why::show(ui, &mut inside.why, stage),
                Tab::Maximise => climb::show(ui, &mut inside.climb, stage),
                Tab::Similarity => similarity::show(ui, &inside.similarity, stage),
                Tab::Compare => compare::show(ui, &mut inside.comparison, stage),
                Tab::Elsewhere => elsewhere::show(ui, &inside.elsewhere, stage),
            }
        });
}

fn head(ui: &mut Ui, inside: &mut Inside, stage: &mut Stage<'_>) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(2.0, 2.0);
        let tip = stage.t("inside.close");
        if small_icon(ui, "inside/close", Icon::Cross, tip, true).clicked() {
            inside.open = false;
        }
        let tabs = [
            (Tab::Structure, None, stage.t("inside.structure")),
            (Tab::Weights, None, stage.t("inside.weights")),
            (Tab::Filters, None, stage.t("inside.filters")),
            (Tab::Features, None, stage.t("inside.features")),
            (Tab::Batch, None, stage.t("inside.batch")),
            (Tab::Histograms, None, stage.t("inside.histograms")),
            (Tab::Curves, None, stage.t("inside.curves")),
            (Tab::Scores, None, stage.t("inside.scores")),
            (Tab::Flow, None, stage.t("inside.flow")),
            (Tab::Diagnosis, None, stage.t("inside.diagnosis")),
            (Tab::Explanation, None, stage.t("inside.explanation")),
            (Tab::Maximise, None, stage.t("inside.maximise")),
            (Tab::Similarity, None, stage.t("inside.similarity")),
            (Tab::Compare, None, stage.t("inside.compare")),
            (Tab::Elsewhere, None, stage.t("watch.tab")),
        ];
        segments(ui, "inside/tab", &mut inside.tab, &tabs);
    });
    ui.horizontal_wrapped(|ui| options(ui, inside, stage));
}

/// How what is looked at is shown.
fn options(ui: &mut Ui, inside: &mut Inside, stage: &mut Stage<'_>) {
    match inside.tab {
        Tab::Structure | Tab::Diagnosis => {}
        Tab::Flow => flow::options(ui, &mut inside.flow, stage),
        Tab::Similarity => similarity::options(ui, &mut inside.similarity, stage),
        Tab::Explanation => why::options(ui, &mut inside.why, stage),
        Tab::Maximise => climb::options(ui, &mut inside.climb, stage),
        Tab::Compare => compare::options(ui, &mut inside.comparison, stage),
        Tab::Elsewhere => elsewhere::options(ui, &mut inside.elsewhere, stage),
        Tab::Weights | Tab::Filters | Tab::Features => {
            let heat = &mut stage.choices.network.heat;
            view_options::heat(ui, stage.texts, "inside/map", heat);
        }
        Tab::Curves => course::options(ui, &mut inside.course, stage),
        Tab::Batch => batch::options(ui, &mut inside.batch, stage),
        Tab::Histograms => {
            spreads::options(ui, &mut inside.spreads, &mut inside.log, stage);
        }
        Tab::Scores => {
            let parts = [
                (WatchedPart::Train, None, stage.t("samples.train")),
                (WatchedPart::Validation, None, stage.t("samples.validation")),
            ];
            segmented(ui, "inside/part", &mut inside.part, &parts);
        }
    }
}
