//! Runs elsewhere: what to watch, what became of it, and the curves and histograms that
//! other programs log.

use super::super::charts::{even, thin};
use super::super::format::{count, number};
use super::super::stage::{Intent, Stage};
use super::super::widgets::{complaint, control_id, remark};
use super::ridgeline;
use crate::app::WatchWish;
use crate::app::theme::color32;
use crate::watch::{HistogramSeries, Series, SourceKind};
use bevy_egui::egui::{self, RichText, ScrollArea, TextEdit, Ui, vec2};
use egui_plot::{AxisHints, Line, Plot, PlotPoints};
use std::fmt::Display;

/// The width of a curve and of a histogram, and of what is said beside them, in points.
const CHART: f32 = 250.0;
const WORDS: f32 = 250.0;
/// So many curves and histograms are drawn; the filter finds others.
const MOST: usize = 40;
/// So many words of what could not be read are shown.
const LAST: usize = 6;

/// What is asked for.
pub struct Elsewhere {
    /// What to watch.
    pub source: String,
    /// The data that the network is shown with; empty for those that fit.
    pub data: String,
    /// Part of the names that are shown.
    pub filter: String,
    wrong: Option<String>,
}

impl Default for Elsewhere {
    fn default() -> Self {
        Elsewhere {
            source: "tcp".to_owned(),
            data: String::new(),
            filter: String::new(),
            wrong: None,
        }
    }
}

pub(super) fn options(ui: &mut Ui, own: &mut Elsewhere, stage: &mut Stage<'_>) {
    let on = stage.watching.is_on();
    let (hint, data) = (stage.t("watch.source"), stage.t("watch.data"));
    ui.add_enabled_ui(!on, |ui| {
        let source = field(&mut own.source, hint, 300.0).id(control_id("watch/source"));
        let response = ui.add(source).on_hover_text(hint);
        let enter = response.lost_focus() && ui.input(|i| i.key_pressed(egui::Key::Enter));
        let response = ui.add(field(&mut own.data, data, 150.0));
        response.on_hover_text(stage.t("watch.data_tip"));
        let start = ui.push_id(control_id("watch/start"), |ui| {
            ui.button(stage.t("watch.start"))
        });
        if start.inner.clicked() || enter {
            begin(own, stage);
        }
    });
    let stop = ui.add_enabled(on, egui::Button::new(stage.t("watch.stop")));
    if stop.on_hover_text(stage.t("watch.stop_tip")).clicked() {
        stage.intents.push(Intent::Watch(WatchWish::Stop));
    }
    if !stage.watching.board.is_empty() {
        ui.add(field(&mut own.filter, stage.t("watch.filter"), 120.0));
    }
}

fn field<'t>(text: &'t mut String, hint: &str, width: f32) -> TextEdit<'t> {
    TextEdit::singleline(text)
        .hint_text(hint.to_owned())
        .desired_width(width)
}

fn begin(own: &mut Elsewhere, stage: &mut Stage<'_>) {
    let data = own.data.trim();
    match SourceKind::parse(own.source.trim(), None) {
        Ok(kind) => {
            own.wrong = None;
            let data = (!data.is_empty()).then(|| data.to_owned());
            stage
                .intents
                .push(Intent::Watch(WatchWish::Start(kind, data)));
        }
        Err(why) => own.wrong = Some(why),
    }
}

pub(super) fn show(ui: &mut Ui, own: &Elsewhere, stage: &Stage<'_>) {
    let tall = (ui.available_height() - 4.0).max(80.0);
    ui.horizontal_top(|ui| {
        ui.allocate_ui(vec2(WORDS, tall), |ui| {
            ui.set_min_size(vec2(WORDS, tall));
            ui.vertical(|ui| {
                ui.set_width(WORDS);
                ScrollArea::vertical()
                    .id_salt("watch words")
                    .show(ui, |ui| words(ui, own, stage));
            });
        });
        charts(ui, own, stage, tall);
    });
}

/// What became of it.
fn words(ui: &mut Ui, own: &Elsewhere, stage: &Stage<'_>) {
    let (watching, texts) = (stage.watching, stage.texts);
    if let Some(why) = &own.wrong {
        complaint(ui, &stage.palette, why);
    }
    let say = |ui: &mut Ui, key: &str, values: &[(&str, &dyn Display)]| {
        ui.add(egui::Label::new(texts.with(key, values)).wrap());
    };
    match (&watching.run, &watching.address, &watching.source) {
        (Some(run), ..) => {
            let name: &str = &run.run;
            ui.label(RichText::new(name).strong());
            if !run.framework.is_empty() {
                ui.label(RichText::new(&run.framework).weak());
            }
            if watching.frames > 0 {
                say(ui, "watch.frames", &[("n", &count(watching.frames))]);
            }
            if watching.ended {
                say(ui, "watch.ended", &[]);
            }
        }
        (None, Some(address), _) => say(ui, "watch.listening", &[("address", address)]),
        (None, None, Some(SourceKind::Folder(path))) => {
            say(ui, "watch.waiting", &[("path", &path.display())]);
        }
        _ => remark(ui, stage.t("watch.what")),
    }
    if let Some(why) = &watching.refused {
        complaint(
            ui,
            &stage.palette,
            &texts.with("watch.refused", &[("why", why)]),
        );
    } else if watching.run.is_some() && !watching.shows && watching.frames == 0 {
        remark(ui, stage.t("watch.no_weights"));
    }
    for note in &watching.notes {
        remark(ui, note);
    }
    for word in watching.board.words().iter().rev().take(LAST) {
        complaint(ui, &stage.palette, word);
    }
}

fn charts(ui: &mut Ui, own: &Elsewhere, stage: &Stage<'_>, tall: f32) {
    let wanted = own.filter.trim().to_lowercase();
    let name = |(run, tag): &(std::sync::Arc<str>, std::sync::Arc<str>)| match &**run {
        "." => tag.to_string(),
        run if stage.watching.run.as_ref().is_some_and(|r| *r.run == *run) => tag.to_string(),
        run => format!("{run}: {tag}"),
    };
    let matches = |name: &String| name.to_lowercase().contains(&wanted);
    let board = &stage.watching.board;
    let curves = board.series().map(|(key, series)| (name(key), series));
    let curves: Vec<_> = curves.filter(|(name, _)| matches(name)).collect();
    let histograms = board.histograms().map(|(key, series)| (name(key), series));
    let histograms: Vec<_> = histograms.filter(|(name, _)| matches(name)).collect();
    let left_out = (curves.len() + histograms.len()).saturating_sub(2 * MOST);
    ScrollArea::horizontal()
        .id_salt("watch charts")
        .auto_shrink([false, false])
        .show(ui, |ui| {
            ui.horizontal_top(|ui| {
                let size = vec2(CHART, tall - 12.0);
                for (name, series) in curves.iter().take(MOST) {
                    ui.allocate_ui(size, |ui| curve(ui, stage, name, series, size));
                }
                for (name, series) in histograms.iter().take(MOST) {
                    ui.allocate_ui(size, |ui| spread(ui, stage, name, series, size));
                }
                if left_out > 0 {
                    ui.weak(stage.texts.with("watch.more", &[("n", &left_out)]));
                }
            });
        });
}

/// A title that ends in its numbers, however long its name is.
fn title(ui: &mut Ui, name: &str, value: &str, stage: &Stage<'_>) {
    ui.horizontal(|ui| {
        let value = RichText::new(value).color(color32(stage.palette.training));
        let name = egui::Label::new(RichText::new(name).small()).truncate();
        let width = (ui.available_width() - 76.0).max(40.0);
        ui.allocate_ui(vec2(width, 16.0), |ui| {
            ui.set_min_width(width);
            ui.add(name)
        });
        ui.label(value);
    });
}

fn curve(ui: &mut Ui, stage: &Stage<'_>, name: &str, series: &Series, size: egui::Vec2) {
    ui.vertical(|ui| {
        ui.set_width(size.x);
        title(ui, name, &number(series.last, 4), stage);
        let points: Vec<[f64; 2]> = series
            .points
            .iter()
            .map(|&(step, value)| [step as f64, value])
            .filter(|point| point[1].is_finite())
            .collect();
        let pixels = (size.x * ui.pixels_per_point()) as usize;
        let points = thin(&points, pixels);
        // What never changes has room above and below.
        let (low, high) = points
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), p| {
                (a.min(p[1]), b.max(p[1]))
            });
        let pad = if low == high {
            0.1 * low.abs().max(1e-3)
        } else {
            0.0
        };
        let ends = if points.is_empty() {
            [0.0, 1.0]
        } else {
            [low - pad, high + pad]
        };
        let grid = ui.visuals().text_color().gamma_multiply(0.25);
        let tick = egui::FontId::proportional(11.0);
        let step = stage.t("figure.step").to_owned();
        Plot::new(("watch", name))
            .height((size.y - 26.0).max(40.0))
            .width(size.x)
            .allow_drag(false)
            .allow_zoom(false)
            .allow_scroll(false)
            .allow_boxed_zoom(false)
            .allow_axis_zoom_drag(false)
            .allow_double_click_reset(false)
            .show_background(false)
            .set_margin_fraction(vec2(0.0, 0.06))
            .auto_bounds(true)
            .include_y(ends[0])
            .include_y(ends[1])
            .grid_color(grid)
            .custom_x_axes(vec![
                AxisHints::new_x()
                    .label_spacing(egui::Rangef::new(40.0, 70.0))
                    .tick_label_font(tick.clone())
                    .formatter(|mark, _| match mark.value {
                        x if x >= 0.0 => count(x.round() as u64),
                        x => number(x, 3),
                    }),
            ])
            .custom_y_axes(vec![
                AxisHints::new_y()
                    .label_spacing(egui::Rangef::new(14.0, 22.0))
                    .tick_label_font(tick)
                    .min_thickness(42.0)
                    .formatter(|mark, _| number(mark.value, 3)),
            ])
            .x_grid_spacer(|input| even(input, 4.0, 1.0))
            .y_grid_spacer(|input| even(input, 4.0, 0.0))
            .label_formatter(move |at| match at {
                egui_plot::HoverPosition::NearDataPoint { position, .. } => Some(format!(
                    "{step} {}\n{}",
                    position.x.round(),
                    number(position.y, 5)
                )),
                egui_plot::HoverPosition::Elsewhere { .. } => None,
            })
            .show(ui, |plot| {
                let color = color32(stage.palette.training);
                let line = Line::new(name, PlotPoints::from(points));
                plot.line(line.color(color).width(1.8));
            });
    });
}

fn spread(ui: &mut Ui, stage: &Stage<'_>, name: &str, series: &HistogramSeries, size: egui::Vec2) {
    ui.vertical(|ui| {
        ui.set_width(size.x);
        let total = series.points.last().map_or(0.0, |(_, h)| h.total());
        title(ui, name, &count(total.round() as u64), stage);
        ridgeline::show(ui, stage, series, vec2(size.x, (size.y - 26.0).max(40.0)));
    });
}
