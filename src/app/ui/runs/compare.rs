//! Recorded runs side by side: curves, figures and differences, histograms.

use super::RunsPanel;
use crate::app::format::{count, number, percent};
use crate::app::theme::color32;
use crate::app::ui::charts::{decades, even, thin};
use crate::app::ui::stage::Stage;
use crate::app::ui::widgets::segmented;
use crate::run::{ComparedRun, CurveOf, RunFigures};
use bevy_egui::egui::{self, Color32, RichText, ScrollArea, Ui, vec2};
use egui_plot::{AxisHints, Line, Plot, PlotPoints, Polygon};

/// The width of the names beside a picture.
const NAMES: f32 = 220.0;

/// What each run is called, in its colour.
fn names(ui: &mut Ui, runs: &RunsPanel, stage: &Stage<'_>) {
    ScrollArea::vertical()
        .id_salt("compared names")
        .auto_shrink([false, true])
        .show(ui, |ui| {
            for (k, name) in runs.compared.names.iter().enumerate() {
                ui.horizontal(|ui| {
                    let color = color32(stage.palette.racer(k));
                    let (rect, _) = ui.allocate_exact_size(vec2(22.0, 16.0), egui::Sense::hover());
                    let middle = rect.center().y;
                    let stroke = egui::Stroke::new(4.0, color);
                    ui.painter().hline(rect.x_range(), middle, stroke);
                    ui.add(egui::Label::new(name).truncate());
                });
            }
        });
}

fn with_names(ui: &mut Ui, runs: &RunsPanel, stage: &Stage<'_>, picture: impl FnOnce(&mut Ui)) {
    let size = ui.available_size();
    ui.horizontal_top(|ui| {
        let width = (size.x - NAMES - 16.0).max(120.0);
        ui.allocate_ui(vec2(width, size.y), |ui| {
            ui.set_min_size(vec2(width, size.y));
            picture(ui);
        });
        ui.allocate_ui(vec2(NAMES, size.y), |ui| {
            ui.vertical(|ui| names(ui, runs, stage));
        });
    });
}

pub(super) fn curves(ui: &mut Ui, runs: &mut RunsPanel, stage: &Stage<'_>) {
    let mut curve = runs.curve.unwrap_or(CurveOf::Loss);
    let kinds = [
        (CurveOf::Loss, None, stage.t("runs.of_loss")),
        (CurveOf::TrainLoss, None, stage.t("figure.train_loss")),
        (CurveOf::Accuracy, None, stage.t("curves.accuracy")),
        (CurveOf::BatchLoss, None, stage.t("runs.of_batch_loss")),
        (CurveOf::LearningRate, None, stage.t("runs.of_rate")),
        (CurveOf::GradientNorm, None, stage.t("runs.of_gradient")),
    ];
    segmented(ui, "runs/curve", &mut curve, &kinds);
    runs.curve = Some(curve);
    let log = curve != CurveOf::Accuracy;
    let runs = &*runs;
    with_names(ui, runs, stage, |ui| {
        let pixels = (ui.available_width() * ui.pixels_per_point()) as usize;
        let lines = runs.compared.runs.iter().map(|run| {
            let points = run.curve(curve).into_iter().filter_map(|(step, y)| {
                let y = if log { y.log10() } else { y };
                y.is_finite().then_some([step as f64, y])
            });
            thin(&points.collect::<Vec<_>>(), pixels)
        });
        let lines: Vec<Vec<[f64; 2]>> = lines.collect();
        let shown = move |y: f64| match log {
            true => number(10f64.powf(y), 3),
            false => percent(y),
        };
        let plot = plot(ui, "compared curves", stage.t("figure.step"), shown);
        let plot = match log {
            true => plot.y_grid_spacer(decades),
            false => plot.y_grid_spacer(|input| even(input, 5.0, 0.0)),
        };
        plot.show(ui, |plot| {
            for (k, points) in lines.iter().enumerate() {
                let color = color32(stage.palette.racer(k));
                let points = PlotPoints::from(points.clone());
                plot.line(
                    Line::new(format!("run {k}"), points)
                        .color(color)
                        .width(2.2),
                );
            }
        });
    });
}

fn plot<'a>(ui: &Ui, name: &'a str, x: &str, shown: impl Fn(f64) -> String + 'a) -> Plot<'a> {
    let tick = egui::FontId::proportional(12.5);
    let grid = ui.visuals().text_color().gamma_multiply(0.25);
    Plot::new(name)
        .height((ui.available_height() - 6.0).max(60.0))
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .show_background(false)
        .set_margin_fraction(vec2(0.0, 0.06))
        .auto_bounds(true)
        .grid_color(grid)
        .x_grid_spacer(|input| even(input, 7.0, 0.0))
        .custom_x_axes(vec![
            AxisHints::new_x()
                .label(x.to_owned())
                .tick_label_font(tick.clone()),
        ])
        .custom_y_axes(vec![
            AxisHints::new_y()
                .tick_label_font(tick)
                .min_thickness(52.0)
                .formatter(move |mark, _| shown(mark.value)),
        ])
}

type Shown = fn(&RunFigures) -> Option<String>;

fn figures() -> [(&'static str, Shown); 10] {
    [
        ("runs.epochs", |f| Some(count(f.epochs as u64))),
        ("figure.step", |f| Some(count(f.steps))),
        ("runs.seconds", |f| Some(number(f.seconds, 3))),
        ("compare.parameters", |f| Some(count(f.parameters as u64))),
        ("compare.train_loss", |f| f.train_loss.map(|v| number(v, 4))),
        ("compare.validation_loss", |f| {
            f.validation_loss.map(|v| number(v, 4))
        }),
        ("compare.train_accuracy", |f| f.train_accuracy.map(percent)),
        ("compare.validation_accuracy", |f| {
            f.validation_accuracy.map(percent)
        }),
        ("compare.best", |f| {
            let (loss, epoch) = f.best?;
            Some(format!("{} ({epoch})", number(loss, 4)))
        }),
        ("runs.id", |f| Some(f.id.clone())),
    ]
}

/// A row for each run: what it came to, and in what it differs.
pub(super) fn table(ui: &mut Ui, runs: &RunsPanel, stage: &Stage<'_>) {
    let compared = &runs.compared;
    let all: Vec<&ComparedRun> = compared.runs.iter().collect();
    ScrollArea::both()
        .id_salt("compared table")
        .auto_shrink([false, false])
        .show(ui, |ui| {
            egui::Grid::new("compared table")
                .striped(true)
                .spacing(vec2(20.0, 5.0))
                .show(ui, |ui| {
                    ui.label("");
                    for (k, name) in compared.names.iter().enumerate() {
                        let color: Color32 = color32(stage.palette.racer(k));
                        ui.label(RichText::new(name).strong().color(color));
                    }
                    ui.end_row();
                    for (key, shown) in figures() {
                        let values: Vec<Option<String>> =
                            all.iter().map(|run| shown(&run.figures)).collect();
                        if values.iter().any(Option::is_some) {
                            row(ui, RichText::new(stage.t(key)), &values);
                        }
                    }
                    for difference in &compared.differences {
                        let key = RichText::new(&difference.key).monospace().size(13.0);
                        row(ui, key, &difference.values);
                    }
                });
        });
}

fn row(ui: &mut Ui, name: RichText, values: &[Option<String>]) {
    ui.label(name.weak());
    for value in values {
        ui.label(value.as_deref().unwrap_or("–"));
    }
    ui.end_row();
}

pub(super) fn histograms(ui: &mut Ui, runs: &RunsPanel, stage: &Stage<'_>) {
    ui.weak(stage.t("runs.histograms_note"));
    with_names(ui, runs, stage, |ui| {
        let plot = plot(ui, "compared histograms", stage.t("runs.value"), percent);
        let plot = plot
            .y_grid_spacer(|input| even(input, 5.0, 0.0))
            .include_y(0.0);
        plot.show(ui, |plot| {
            for (k, histogram) in runs.compared.histograms.iter().enumerate() {
                let [lo, hi] = histogram.range;
                let total = histogram.total.max(1) as f64;
                let bins = histogram.counts.len() as f64;
                let edge = |bin: usize| lo + (hi - lo) * bin as f64 / bins;
                let mut outline = vec![[lo, 0.0]];
                for (bin, &count) in histogram.counts.iter().enumerate() {
                    let share = count as f64 / total;
                    outline.push([edge(bin), share]);
                    outline.push([edge(bin + 1), share]);
                }
                outline.push([hi, 0.0]);
                let color = color32(stage.palette.racer(k));
                let area = PlotPoints::from(outline.clone());
                let area = Polygon::new(format!("area {k}"), area)
                    .fill_color(color.gamma_multiply(0.13))
                    .stroke(egui::Stroke::NONE);
                plot.polygon(area);
                let line = PlotPoints::from(outline);
                plot.line(Line::new(format!("run {k}"), line).color(color).width(2.0));
            }
        });
    });
}
