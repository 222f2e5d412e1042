//! The inside of the network below the scene, live: structure, weights and filters as
//! images, feature maps, histograms, and how right it is case by case.

use super::doctor::{self, Doctor};
use super::format::{number, percent};
use super::icons::Icon;
use super::panels::Panels;
use super::samples::refill;
use super::stage::Stage;
use super::widgets::{remark, segmented, small_icon};
use crate::app::theme::color32;
use crate::app::{Item, Theme};
use crate::figure::HeatColors;
use crate::insight::histogram::Histogram;
use crate::insight::scores::{Answers, Confusion, Roc};
use crate::insight::structure::{Structure, bytes, grouped, shape};
use crate::insight::tiles::{self, Tile};
use crate::train::{Samples, WatchedPart};
use bevy_egui::egui::{
    self, Align, Color32, ColorImage, Layout, Panel, Pos2, Rect, RichText, ScrollArea, Sense,
    Stroke, TextureHandle, TextureOptions, Ui, pos2, vec2,
};
use std::sync::Arc;

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
    /// How numbers are spread.
    Histograms,
    /// Which class is taken for which.
    Scores,
    /// Gradients through all layers over time.
    Flow,
    /// What is wrong, and what to try.
    Diagnosis,
}

/// What a histogram counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Counted {
    /// Weights.
    #[default]
    Weights,
    /// Biases.
    Biases,
    /// The last step's gradient.
    Gradients,
    /// What the last step added.
    Updates,
}

/// The panel, and what it keeps from frame to frame.
#[derive(Default)]
pub struct Inside {
    /// Whether it is open.
    pub open: bool,
    /// What is looked at.
    pub tab: Tab,
    colors: HeatColors,
    own_scale: bool,
    log: bool,
    counted: Counted,
    part: WatchedPart,
    sheet: Option<(SheetKey, Vec<Image>)>,
    scores: Option<(ScoresKey, Scores)>,
    doctor: Doctor,
}

/// What a sheet of images is made from: the run's state, what is shown of it, how.
type SheetKey = (usize, u64, Tab, HeatColors, bool, Theme);
/// What scores are made from.
type ScoresKey = (usize, WatchedPart, usize);

/// A matrix with its texture.
struct Image {
    tile: Tile,
    range: [f32; 2],
    texture: TextureHandle,
}

struct Scores {
    confusion: Option<Confusion>,
    curves: Vec<(usize, Roc)>,
}

/// The panel's height at first, and at most as a share of the window.
const HEIGHT: f32 = 270.0;
const MOST: f32 = 0.62;
/// Matrices with more cells than this are not drawn; the command line can.
const MOST_CELLS: usize = 1_500_000;
/// At most so many samples are scored in one frame.
const MOST_SCORED: usize = 2000;
/// Bins of a histogram.
const BINS: usize = 48;

pub(super) fn show(root: &mut Ui, panels: &mut Panels, stage: &mut Stage<'_>) {
    if !panels.inside.open || root.available_height() < 260.0 {
        return;
    }
    panels.inside.doctor.follow(stage, root.ctx());
    let most = MOST * root.available_height();
    Panel::bottom("gradscape inside")
        .resizable(true)
        .default_size(HEIGHT.min(most))
        .size_range(140.0..=most)
        .show(root, |ui| {
            head(ui, &mut panels.inside, stage);
            ui.separator();
            let inside = &mut panels.inside;
            match inside.tab {
                Tab::Structure => structure(ui, stage),
                Tab::Weights | Tab::Filters | Tab::Features => sheet(ui, inside, stage),
                Tab::Histograms => histograms(ui, inside, stage),
                Tab::Scores => scores(ui, inside, stage),
                Tab::Flow => doctor::flow(ui, &inside.doctor, stage),
                Tab::Diagnosis => doctor::show(ui, &mut inside.doctor, stage),
            }
        });
}

fn head(ui: &mut Ui, inside: &mut Inside, stage: &Stage<'_>) {
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let tip = stage.t("inside.close");
            if small_icon(ui, "inside/close", Icon::Cross, tip, true).clicked() {
                inside.open = false;
            }
            // The tabs scroll where the scene is narrow.
            ScrollArea::horizontal()
                .id_salt("inside tabs")
                .auto_shrink([false, true])
                .show(ui, |ui| {
                    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                        let tabs = [
                            (Tab::Structure, None, stage.t("inside.structure")),
                            (Tab::Weights, None, stage.t("inside.weights")),
                            (Tab::Filters, None, stage.t("inside.filters")),
                            (Tab::Features, None, stage.t("inside.features")),
                            (Tab::Histograms, None, stage.t("inside.histograms")),
                            (Tab::Scores, None, stage.t("inside.scores")),
                            (Tab::Flow, None, stage.t("inside.flow")),
                            (Tab::Diagnosis, None, stage.t("inside.diagnosis")),
                        ];
                        segmented(ui, "inside/tab", &mut inside.tab, &tabs);
                    });
                });
        });
    });
    ui.horizontal_wrapped(|ui| options(ui, inside, stage));
}

/// How what is looked at is shown.
fn options(ui: &mut Ui, inside: &mut Inside, stage: &Stage<'_>) {
    match inside.tab {
        Tab::Structure | Tab::Flow | Tab::Diagnosis => {}
        Tab::Weights | Tab::Filters | Tab::Features => {
            let maps = [
                (HeatColors::Diverging, None, stage.t("inside.diverging")),
                (HeatColors::Sequential, None, stage.t("inside.sequential")),
                (HeatColors::Hot, None, stage.t("inside.hot")),
            ];
            segmented(ui, "inside/map", &mut inside.colors, &maps);
            ui.checkbox(&mut inside.own_scale, stage.t("inside.own_scale"));
        }
        Tab::Histograms => {
            let counted = [
                (Counted::Weights, None, stage.t("inside.weights")),
                (Counted::Biases, None, stage.t("inside.biases")),
                (Counted::Gradients, None, stage.t("inside.gradients")),
                (Counted::Updates, None, stage.t("inside.updates")),
            ];
            segmented(ui, "inside/counted", &mut inside.counted, &counted);
            ui.checkbox(&mut inside.log, stage.t("inside.log"));
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

/// The table of layers; a click lights the layer's first neuron.
fn structure(ui: &mut Ui, stage: &mut Stage<'_>) {
    let structure = Structure::of(&stage.training.problem.network);
    let headings = [
        "inside.layer",
        "inside.kind",
        "inside.in",
        "inside.out",
        "inside.parameters",
        "inside.multiply_adds",
        "inside.memory",
    ];
    let mut chosen = None;
    ScrollArea::both()
        .id_salt("structure")
        .auto_shrink([false, false])
        .show(ui, |ui| {
            egui::Grid::new("structure")
                .num_columns(headings.len())
                .spacing([22.0, 5.0])
                .striped(true)
                .show(ui, |ui| {
                    for heading in headings {
                        ui.label(RichText::new(stage.t(heading)).weak());
                    }
                    ui.end_row();
                    for (column, row) in structure.rows.iter().enumerate() {
                        let name = egui::Label::new(&row.name).sense(Sense::click());
                        if ui.add(name).clicked() {
                            chosen = Some(Item::Neuron { column, unit: 0 });
                        }
                        let what = [row.kind, &row.detail, row.activation].into_iter();
                        let what: Vec<&str> = what.filter(|t| !t.is_empty()).collect();
                        ui.label(what.join(", ").replace('_', " "));
                        ui.label(shape(&row.input));
                        ui.label(shape(&row.output));
                        ui.label(grouped(row.parameters + row.statistics));
                        ui.label(grouped(row.multiply_adds));
                        let memory = row.parameter_bytes + row.activation_bytes;
                        ui.label(bytes(memory));
                        ui.end_row();
                    }
                    ui.label(RichText::new(stage.t("inside.total")).strong());
                    ui.label(structure.loss);
                    ui.label("");
                    ui.label("");
                    let all = structure.parameters + structure.statistics;
                    ui.label(RichText::new(grouped(all)).strong());
                    ui.label(RichText::new(grouped(structure.multiply_adds)).strong());
                    let memory = structure.parameter_bytes + structure.activation_bytes;
                    ui.label(RichText::new(bytes(memory)).strong());
                    ui.end_row();
                });
        });
    if chosen.is_some() {
        stage.selection.selected = chosen;
    }
}

/// The matrices of a tab.
fn tiles_of(tab: Tab, stage: &Stage<'_>) -> Vec<Tile> {
    let training = stage.training;
    let problem = &training.problem;
    let network = &problem.network;
    let layers = 0..network.layers().len();
    let params = &training.snapshot.params;
    match tab {
        Tab::Weights => tiles::weights(network, params, layers),
        Tab::Filters => tiles::filters(problem, params, layers),
        _ => tiles::features_of(network, &training.snapshot.probe.a, layers),
    }
}

fn sheet(ui: &mut Ui, inside: &mut Inside, stage: &Stage<'_>) {
    let training = stage.training;
    let key: SheetKey = (
        Arc::as_ptr(&training.problem) as usize,
        training.snapshot.revision,
        inside.tab,
        inside.colors,
        inside.own_scale,
        stage.choices.theme,
    );
    if inside.sheet.as_ref().is_none_or(|(known, _)| *known != key) {
        let old = inside.sheet.take().map(|(_, images)| images);
        let tiles = tiles_of(inside.tab, stage);
        let images = dress(ui, inside, stage, tiles, old.unwrap_or_default());
        inside.sheet = Some((key, images));
    }
    let Some((_, images)) = &inside.sheet else {
        return;
    };
    if images.is_empty() {
        remark(ui, stage.t("inside.nothing"));
        return;
    }
    let tall = (ui.available_height() - 34.0).max(60.0);
    let many = images.len() > 12;
    ScrollArea::both()
        .id_salt("sheet")
        .auto_shrink([false, false])
        .show(ui, |ui| {
            ui.horizontal_wrapped(|ui| {
                for image in images {
                    let side = if many { 0.36 * tall } else { tall };
                    picture(ui, stage, image, side);
                }
            });
        });
}

/// Tiles with textures, those of before filled anew where they fit.
fn dress(
    ui: &Ui,
    inside: &Inside,
    stage: &Stage<'_>,
    tiles: Vec<Tile>,
    old: Vec<Image>,
) -> Vec<Image> {
    let colors = inside.colors;
    let mut style = stage.choices.theme.tone.style();
    style.diverging = stage.palette.diverging;
    let tiles: Vec<Tile> = tiles
        .into_iter()
        .filter(|tile| tile.values.len() <= MOST_CELLS && !tile.values.is_empty())
        .collect();
    let shared = colors.range(tiles.iter().flat_map(|tile| &tile.values));
    let mut old = old.into_iter();
    tiles
        .into_iter()
        .map(|tile| {
            let range = match inside.own_scale {
                true => colors.range(tile.values.iter()),
                false => shared,
            };
            let pixels = tile.values.iter();
            let pixels = pixels.map(|&v| color32(colors.at(&style, v, range)));
            let image = ColorImage::new([tile.columns, tile.rows], pixels.collect());
            let options = TextureOptions::NEAREST;
            let texture = match old.next() {
                Some(Image { mut texture, .. }) => {
                    refill(&mut texture, image, options);
                    texture
                }
                None => ui.ctx().load_texture("inside", image, options),
            };
            Image {
                tile,
                range,
                texture,
            }
        })
        .collect()
}

/// One image with its title and its scale; under the pointer its number.
fn picture(ui: &mut Ui, stage: &Stage<'_>, image: &Image, tall: f32) {
    let Tile { rows, columns, .. } = image.tile;
    let cell = (tall / rows.max(1) as f32).min(2.4 * tall / columns.max(1) as f32);
    let size = vec2(cell * columns as f32, cell * rows as f32);
    let size = size.max(vec2(0.3 * tall, 0.12 * tall));
    ui.vertical(|ui| {
        ui.set_width(size.x.max(64.0));
        ui.spacing_mut().item_spacing.y = 2.0;
        ui.add(egui::Label::new(RichText::new(&image.tile.title).size(12.0)).truncate());
        let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
        let uv = Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0));
        ui.painter()
            .image(image.texture.id(), rect, uv, Color32::WHITE);
        let [low, high] = image.range.map(|v| number(v.into(), 3));
        let scale = RichText::new(format!("{low} … {high}")).size(11.0);
        ui.label(scale.color(color32(stage.palette.faint)));
        let Some(at) = response.hover_pos() else {
            return;
        };
        let share = (at - rect.min) / rect.size();
        let column = ((share.x * columns as f32) as usize).min(columns.saturating_sub(1));
        let row = ((share.y * rows as f32) as usize).min(rows.saturating_sub(1));
        if let Some(&value) = image.tile.values.get(row * columns + column) {
            let value = number(value.into(), 5);
            let values: [(&str, &dyn std::fmt::Display); 3] = [
                ("row", &(row + 1)),
                ("column", &(column + 1)),
                ("v", &value),
            ];
            response.on_hover_text(stage.texts.with("inside.cell", &values));
        }
    });
}

fn histograms(ui: &mut Ui, inside: &Inside, stage: &Stage<'_>) {
    let training = stage.training;
    let network = &training.problem.network;
    let snapshot = &training.snapshot;
    let values: &[f32] = match inside.counted {
        Counted::Weights | Counted::Biases => &snapshot.params,
        Counted::Gradients => &snapshot.gradient,
        Counted::Updates => &snapshot.update,
    };
    let biases = inside.counted == Counted::Biases;
    let all = tiles::tensors(network, values, 0..network.layers().len(), biases);
    if all.is_empty() {
        remark(ui, stage.t("inside.nothing"));
        return;
    }
    let tall = (ui.available_height() - 12.0).max(80.0);
    let wide = (ui.available_width() / all.len() as f32 - 10.0).clamp(170.0, 420.0);
    ScrollArea::horizontal()
        .id_salt("histograms")
        .auto_shrink([false, false])
        .show(ui, |ui| {
            ui.horizontal(|ui| {
                for (name, values) in &all {
                    let histogram = Histogram::of(values, BINS, None);
                    bars(ui, stage, name, &histogram, inside.log, vec2(wide, tall));
                }
            });
        });
}

/// One histogram: bars, its range, how many numbers, and the most in a bin.
fn bars(
    ui: &mut Ui,
    stage: &Stage<'_>,
    name: &str,
    histogram: &Histogram,
    log: bool,
    size: egui::Vec2,
) {
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let painter = ui.painter();
    let font = egui::FontId::proportional(12.0);
    let (text, faint) = (color32(stage.palette.text), color32(stage.palette.faint));
    let top = format!("{name}  ·  {}", grouped(histogram.total as usize));
    painter.text(rect.min, egui::Align2::LEFT_TOP, top, font.clone(), text);
    let plot = Rect::from_min_max(rect.min + vec2(0.0, 20.0), rect.max - vec2(0.0, 18.0));
    painter.line_segment(
        [plot.left_bottom(), plot.right_bottom()],
        Stroke::new(1.0, faint),
    );
    let most = histogram.counts.iter().copied().max().unwrap_or(1).max(1);
    let height = |count: u64| -> f32 {
        let share = match log {
            true => ((1 + count) as f32).ln() / ((1 + most) as f32).ln(),
            false => count as f32 / most as f32,
        };
        share * plot.height()
    };
    let wide = plot.width() / histogram.counts.len() as f32;
    let color = color32(stage.palette.training);
    for (bin, &count) in histogram.counts.iter().enumerate() {
        if count == 0 {
            continue;
        }
        let x = plot.left() + wide * bin as f32;
        // Whatever is there is to be seen.
        let y = plot.bottom() - height(count).max(1.5);
        let bar = Rect::from_min_max(pos2(x + 0.5, y), pos2(x + wide - 0.5, plot.bottom()));
        painter.rect_filled(bar, 0.0, color);
    }
    let [low, high] = histogram.range;
    if low < 0.0 && high > 0.0 {
        let x = plot.left() + plot.width() * (-low / (high - low)) as f32;
        let zero = [pos2(x, plot.top()), pos2(x, plot.bottom())];
        painter.line_segment(zero, Stroke::new(1.0, faint.gamma_multiply(0.6)));
    }
    let ends = [
        (rect.left_bottom(), egui::Align2::LEFT_BOTTOM, low),
        (rect.right_bottom(), egui::Align2::RIGHT_BOTTOM, high),
    ];
    for (at, align, value) in ends {
        painter.text(at, align, number(value, 3), font.clone(), faint);
    }
    if let Some(at) = response.hover_pos().filter(|at| plot.contains(*at)) {
        let bin = (((at.x - plot.left()) / wide) as usize).min(histogram.counts.len() - 1);
        let [from, to] = [bin, bin + 1].map(|k| number(histogram.edge(k), 3));
        let values: [(&str, &dyn std::fmt::Display); 3] =
            [("from", &from), ("to", &to), ("n", &histogram.counts[bin])];
        response.on_hover_text(stage.texts.with("inside.bin", &values));
    }
}

fn scores(ui: &mut Ui, inside: &mut Inside, stage: &mut Stage<'_>) {
    let training = stage.training;
    let problem = &training.problem;
    let samples: &Samples = match inside.part {
        WatchedPart::Validation if !problem.validation.is_empty() => &problem.validation,
        _ => &problem.train,
    };
    let key = (
        Arc::as_ptr(&training.snapshot.params).cast::<f32>() as usize,
        inside.part,
        samples.len(),
    );
    if inside
        .scores
        .as_ref()
        .is_none_or(|(known, _)| *known != key)
    {
        let some: Vec<usize> = (0..samples.len().min(MOST_SCORED)).collect();
        let answers = Answers::of(problem, &training.snapshot.params, &samples.select(&some));
        let classes = answers.shares.first().map_or(0, Vec::len);
        let curves = (0..classes.min(10)).filter_map(|k| Some((k, answers.roc(k)?)));
        let scores = Scores {
            confusion: answers.confusion(),
            curves: curves.collect(),
        };
        inside.scores = Some((key, scores));
    }
    let Some((_, scores)) = &inside.scores else {
        return;
    };
    let Some(confusion) = &scores.confusion else {
        remark(ui, stage.t("inside.no_classes"));
        return;
    };
    let names = problem.data.task.names();
    ScrollArea::both()
        .id_salt("scores")
        .auto_shrink([false, false])
        .show(ui, |ui| {
            ui.horizontal_top(|ui| {
                matrix(ui, stage, confusion, names);
                ui.add_space(24.0);
                table(ui, stage, confusion, names, &scores.curves);
            });
        });
}

/// The confusion matrix: rows are true classes, columns answers.
fn matrix(ui: &mut Ui, stage: &Stage<'_>, confusion: &Confusion, names: &[String]) {
    let n = confusion.counts.len();
    let cell = ((ui.available_height() - 24.0) / (n + 1) as f32).clamp(18.0, 46.0);
    let label = 78.0;
    let size = vec2(label + cell * n as f32, cell * (n + 1) as f32);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let painter = ui.painter();
    let font = egui::FontId::proportional((0.5 * cell).clamp(9.0, 14.0));
    let text = color32(stage.palette.text);
    let name = |k: usize| names.get(k).map_or("?", String::as_str);
    let corner = rect.min + vec2(label, cell);
    let clip = |name: &str| name.chars().take(9).collect::<String>();
    for (row, counts) in confusion.counts.iter().enumerate() {
        let y = corner.y + cell * row as f32;
        let all: usize = counts.iter().sum();
        let at = pos2(corner.x - 6.0, y + 0.5 * cell);
        let align = egui::Align2::RIGHT_CENTER;
        painter.text(at, align, clip(name(row)), font.clone(), text);
        let at = pos2(corner.x + cell * (row as f32 + 0.5), corner.y - 4.0);
        let head: String = name(row).chars().take(3).collect();
        painter.text(at, egui::Align2::CENTER_BOTTOM, head, font.clone(), text);
        for (column, &count) in counts.iter().enumerate() {
            let share = count as f32 / all.max(1) as f32;
            let x = corner.x + cell * column as f32;
            let place = Rect::from_min_size(pos2(x, y), vec2(cell - 1.0, cell - 1.0));
            let end = match row == column {
                true => stage.palette.training,
                false => stage.palette.warning,
            };
            let fill = stage.palette.panel.blend(end, 0.08 + 0.8 * share.sqrt());
            painter.rect_filled(place, 2.0, color32(fill));
            if count > 0 {
                let at = place.center();
                let said = count.to_string();
                painter.text(at, egui::Align2::CENTER_CENTER, said, font.clone(), text);
            }
        }
    }
    if let Some(at) = response.hover_pos() {
        let (column, row) = ((at.x - corner.x) / cell, (at.y - corner.y) / cell);
        if column >= 0.0 && row >= 0.0 {
            let (row, column) = (row as usize, column as usize);
            let count = confusion.counts.get(row).and_then(|r| r.get(column));
            if let Some(count) = count {
                let (truth, said) = (name(row), name(column));
                let values: [(&str, &dyn std::fmt::Display); 3] =
                    [("n", count), ("truth", &truth), ("said", &said)];
                response.on_hover_text(stage.texts.with("inside.confused", &values));
            }
        }
    }
}

/// The scores of each class.
fn table(
    ui: &mut Ui,
    stage: &Stage<'_>,
    confusion: &Confusion,
    names: &[String],
    curves: &[(usize, Roc)],
) {
    egui::Grid::new("class scores")
        .num_columns(6)
        .spacing([18.0, 4.0])
        .show(ui, |ui| {
            for heading in [
                "inside.class",
                "inside.precision",
                "inside.recall",
                "F1",
                "AUC",
                "n",
            ] {
                let text = match heading.contains('.') {
                    true => stage.texts.get(heading),
                    false => heading,
                };
                ui.label(RichText::new(text).weak());
            }
            ui.end_row();
            for (k, score) in confusion.scores().iter().enumerate() {
                ui.label(names.get(k).map_or("?", String::as_str));
                for share in [score.precision, score.recall, score.f1] {
                    ui.label(percent(share));
                }
                let curve = curves.iter().find(|(class, _)| *class == k);
                ui.label(curve.map_or("–".to_owned(), |(_, roc)| format!("{:.4}", roc.area)));
                ui.label(score.support.to_string());
                ui.end_row();
            }
        });
}
