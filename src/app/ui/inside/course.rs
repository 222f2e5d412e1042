//! The course of training, large: losses, accuracy, learning rate and the gradient's norm,
//! smoothed over the raw lines, on linear or logarithmic axes; what is under the pointer,
//! and what was pinned.

use super::super::charts::{decades, even, thin};
use super::super::format::{count, number, percent};
use super::super::stage::Stage;
use super::super::widgets::{remark, segmented};
use crate::app::Training;
use crate::app::theme::color32;
use crate::insight::smoothing::smoothed;
use crate::train::HistoryRow;
use bevy_egui::egui::{self, Color32, RichText, ScrollArea, Ui, vec2};
use egui_plot::{AxisHints, Line, LineStyle, Plot, PlotPoints, VLine};

/// What is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Figure {
    /// Losses of both parts.
    #[default]
    Loss,
    /// Accuracies of both parts.
    Accuracy,
    /// The learning rate.
    Rate,
    /// The norm of the last step's gradient.
    Norm,
}

/// What is drawn, and how.
#[derive(Default)]
pub struct Course {
    /// What is drawn.
    pub figure: Figure,
    /// How much of the average before is in each value of a smoothed curve; 0 is none.
    pub smooth: f64,
    log: [bool; 2],
    /// Epochs that were pinned, in the order in which they were, and of which run.
    pub pins: Vec<usize>,
    of: Option<(usize, u64)>,
}

/// No more than this many are pinned; the oldest goes.
const PINS: usize = 6;
/// As wide is what stands beside the curves, in points.
const TABLE: f32 = 232.0;

type Value = fn(&HistoryRow) -> Option<f64>;

impl Figure {
    /// The values of the training part and of what is held back.
    fn values(self) -> [Value; 2] {
        match self {
            Figure::Loss => [|row| Some(row.train_loss), |row| row.validation_loss],
            Figure::Accuracy => [|row| row.train_accuracy, |row| row.validation_accuracy],
            Figure::Rate => [|row| Some(row.learning_rate), |_| None],
            Figure::Norm => [|row| row.gradient_norm, |_| None],
        }
    }

    fn said(self, value: f64) -> String {
        match self {
            Figure::Accuracy => percent(value),
            _ => number(value, 4),
        }
    }
}

pub(super) fn options(ui: &mut Ui, course: &mut Course, stage: &Stage<'_>) {
    let rows = stage.training.history.rows();
    let mut figures = vec![(Figure::Loss, None, stage.t("curves.loss"))];
    if rows.iter().any(|row| row.train_accuracy.is_some()) {
        figures.push((Figure::Accuracy, None, stage.t("curves.accuracy")));
    } else if course.figure == Figure::Accuracy {
        course.figure = Figure::Loss;
    }
    figures.push((Figure::Rate, None, stage.t("course.rate")));
    figures.push((Figure::Norm, None, stage.t("course.norm")));
    segmented(ui, "course/figure", &mut course.figure, &figures);
    ui.weak(stage.t("course.smooth"));
    ui.spacing_mut().slider_width = 110.0;
    ui.add(egui::Slider::new(&mut course.smooth, 0.0..=0.99).fixed_decimals(2));
    ui.checkbox(&mut course.log[0], stage.t("course.log_x"));
    ui.checkbox(&mut course.log[1], stage.t("course.log_y"));
    if !course.pins.is_empty() && ui.button(stage.t("course.unpin")).clicked() {
        course.pins.clear();
    }
}

pub(super) fn show(ui: &mut Ui, course: &mut Course, stage: &Stage<'_>) {
    let snapshot = &stage.training.snapshot;
    let problem = std::sync::Arc::as_ptr(&stage.training.problem) as usize;
    let of = Some((problem, snapshot.generation));
    if course.of != of {
        course.of = of;
        course.pins.clear();
    }
    let rows = stage.training.history.rows();
    if rows.is_empty() {
        remark(ui, stage.t("inside.nothing"));
        return;
    }
    let tall = (ui.available_height() - 4.0).max(80.0);
    ui.horizontal_top(|ui| {
        let wide = (ui.available_width() - TABLE - 12.0).max(160.0);
        let pointed = ui
            .allocate_ui(vec2(wide, tall), |ui| chart(ui, course, stage, tall))
            .inner;
        ui.allocate_ui(vec2(TABLE, tall), |ui| {
            ui.vertical(|ui| table(ui, course, stage, pointed));
        });
    });
}

/// A curve: how it was, and smoothed; by the logarithm where axes are so.
struct Curve {
    raw: Vec<[f64; 2]>,
    smooth: Option<Vec<[f64; 2]>>,
}

fn curve(training: &Training, value: Value, course: &Course, pixels: usize) -> Curve {
    let rows = training.history.rows();
    let known: Vec<(usize, f64)> = rows
        .iter()
        .filter_map(|row| Some((training.place_of(row), value(row)?)))
        .filter(|(_, value)| value.is_finite())
        .collect();
    let values: Vec<f64> = known.iter().map(|(_, value)| *value).collect();
    let points = |values: &[f64]| {
        let both = known.iter().zip(values);
        let both = both.map(|((epoch, _), value)| {
            let axis = |v: f64, log: bool| if log { v.log10() } else { v };
            [
                axis(*epoch as f64, course.log[0]),
                axis(*value, course.log[1]),
            ]
        });
        let finite: Vec<[f64; 2]> = both.filter(|p| p.iter().all(|v| v.is_finite())).collect();
        thin(&finite, pixels)
    };
    Curve {
        raw: points(&values),
        smooth: (course.smooth > 0.0).then(|| points(&smoothed(&values, course.smooth))),
    }
}

/// Draws the curves; gives the epoch under the pointer. A click pins it, or lets it go.
fn chart(ui: &mut Ui, course: &mut Course, stage: &Stage<'_>, tall: f32) -> Option<usize> {
    let training = stage.training;
    let rows = training.history.rows();
    let pixels = (ui.available_width() * ui.pixels_per_point()) as usize;
    let curves = course.figure.values();
    let curves = curves.map(|value| curve(training, value, course, pixels));
    let figure = course.figure;
    let [log_x, log_y] = course.log;
    let tick = egui::FontId::proportional(11.5);
    let grid = ui.visuals().text_color().gamma_multiply(0.25);
    let plain = move |v: f64, log: bool| if log { 10f64.powf(v) } else { v };
    let mut plot = Plot::new("course")
        .height(tall)
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .allow_axis_zoom_drag(false)
        .allow_double_click_reset(false)
        .show_background(false)
        .show_x(false)
        .show_y(false)
        .set_margin_fraction(vec2(0.0, 0.06))
        .auto_bounds(true)
        .grid_color(grid)
        .label_formatter(|_| None)
        .custom_x_axes(vec![
            AxisHints::new_x()
                .label(stage.t(stage.axis()))
                .tick_label_font(tick.clone())
                .formatter(move |mark, _| count(plain(mark.value, log_x).round() as u64)),
        ])
        .custom_y_axes(vec![
            AxisHints::new_y()
                .tick_label_font(tick)
                .min_thickness(50.0)
                .formatter(move |mark, _| match figure {
                    Figure::Accuracy => percent(plain(mark.value, log_y)),
                    _ => number(plain(mark.value, log_y), 3),
                }),
        ]);
    plot = match log_x {
        true => plot.x_grid_spacer(decades),
        false => plot
            .include_x(0.0)
            .x_grid_spacer(|input| even(input, 8.0, 1.0)),
    };
    plot = match log_y {
        true => plot.y_grid_spacer(decades),
        false => plot.y_grid_spacer(|input| even(input, 6.0, 0.0)),
    };
    let styles = [
        (stage.palette.training, LineStyle::Solid),
        (stage.palette.validation, LineStyle::Dashed { length: 7.0 }),
    ];
    let faint = color32(stage.palette.faint);
    let accent = color32(stage.palette.accent);
    let pins = course.pins.clone();
    let shown = plot.show(ui, |plot| {
        for (curve, (color, style)) in curves.iter().zip(styles) {
            let color: Color32 = color32(color);
            let line = |points: &[[f64; 2]]| Line::new("", PlotPoints::from(points.to_vec()));
            match &curve.smooth {
                Some(smooth) => {
                    // The raw line stays to be seen.
                    let raw = color.gamma_multiply(0.35);
                    plot.line(line(&curve.raw).color(raw).width(1.0));
                    plot.line(line(smooth).color(color).width(2.4).style(style));
                }
                None => plot.line(line(&curve.raw).color(color).width(2.2).style(style)),
            }
        }
        let at = |epoch: usize| match log_x {
            true => (epoch as f64).log10(),
            false => epoch as f64,
        };
        for &epoch in &pins {
            plot.vline(VLine::new("", at(epoch)).color(accent).width(1.5));
        }
        let pointed = plot.pointer_coordinate().and_then(|point| {
            let epoch = plain(point.x, log_x);
            let apart = |row: &&HistoryRow| (training.place_of(row) as f64 - epoch).abs();
            let near = rows.iter().min_by(|a, b| apart(a).total_cmp(&apart(b)));
            near.map(|row| training.place_of(row))
        });
        if let Some(epoch) = pointed {
            plot.vline(VLine::new("", at(epoch)).color(faint).width(1.0));
        }
        pointed
    });
    let pointed = shown.inner.filter(|_| shown.response.hovered());
    if let Some(epoch) = pointed.filter(|_| shown.response.clicked()) {
        toggle(&mut course.pins, epoch);
    }
    pointed
}

/// Pins an epoch, or lets it go.
fn toggle(pins: &mut Vec<usize>, epoch: usize) {
    if let Some(at) = pins.iter().position(|pin| *pin == epoch) {
        pins.remove(at);
        return;
    }
    pins.push(epoch);
    if pins.len() > PINS {
        pins.remove(0);
    }
}

/// The values at the epoch under the pointer, else at the newest, and at those pinned.
fn table(ui: &mut Ui, course: &Course, stage: &Stage<'_>, pointed: Option<usize>) {
    let rows = stage.training.history.rows();
    let place = |row: &HistoryRow| stage.training.place_of(row);
    let newest = rows.last().map(place);
    let pins = course.pins.iter().copied().map(|epoch| (epoch, true));
    let first = pointed.or(newest).map(|epoch| (epoch, false));
    let [train, validation] = course.figure.values();
    let both = rows.iter().any(|row| validation(row).is_some());
    ScrollArea::vertical()
        .id_salt("course table")
        .auto_shrink([false, false])
        .show(ui, |ui| {
            egui::Grid::new("course table")
                .striped(true)
                .spacing(vec2(14.0, 4.0))
                .show(ui, |ui| {
                    ui.weak(stage.t(stage.axis()));
                    let (one, two) = (stage.palette.training, stage.palette.validation);
                    let name = match course.figure {
                        Figure::Loss | Figure::Accuracy => "curves.training",
                        Figure::Rate => "course.rate",
                        Figure::Norm => "course.norm",
                    };
                    ui.label(RichText::new(stage.t(name)).color(color32(one)));
                    if both {
                        let name = RichText::new(stage.t("curves.validation"));
                        ui.label(name.color(color32(two)));
                    }
                    ui.end_row();
                    for (epoch, pinned) in first.into_iter().chain(pins) {
                        let Some(row) = rows.iter().find(|row| place(row) == epoch) else {
                            continue;
                        };
                        let said = RichText::new(count(epoch as u64));
                        ui.label(match pinned {
                            true => said.color(color32(stage.palette.accent)),
                            false => said,
                        });
                        let shown = |value: Option<f64>| match value {
                            Some(value) if value.is_finite() => course.figure.said(value),
                            _ => "–".to_owned(),
                        };
                        ui.label(shown(train(row)));
                        if both {
                            ui.label(shown(validation(row)));
                        }
                        ui.end_row();
                    }
                });
            remark(ui, stage.t("course.pin"));
        });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_come_and_go_and_the_oldest_gives_way() {
        let mut pins = Vec::new();
        (0..=PINS).for_each(|epoch| toggle(&mut pins, epoch));
        assert_eq!(pins, (1..=PINS).collect::<Vec<_>>());
        toggle(&mut pins, 3);
        assert!(!pins.contains(&3));
    }
}
