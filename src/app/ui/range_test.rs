//! The learning-rate range test: its curve as it grows, and a click that takes
//! a rate over.

use super::constants::short;
use super::icons::Icon;
use super::learning::named;
use super::overlays::card;
use super::panels::Panels;
use super::stage::{Intent, Stage};
use super::widgets::{complaint, remark, small_icon};
use super::{charts, optimizer, top};
use crate::app::search::{RangePlan, RangeTrial, SearchCommand};
use crate::app::theme::color32;
use crate::search::RangeEnd;
use bevy_egui::egui::{self, Align, Align2, DragValue, Layout, Rect, RichText, Ui, vec2};
use egui_plot::{
    AxisHints, Line, LineStyle, MarkerShape, Plot, PlotBounds, PlotPoint, PlotPoints, Points, Text,
    VLine,
};
use std::sync::Arc;

/// What the range test is asked for, and whether it is on the screen.
#[derive(Debug, Clone, PartialEq)]
pub struct RangeForm {
    /// Whether it is shown.
    pub open: bool,
    /// The first rate.
    pub from: f64,
    /// The last.
    pub to: f64,
    /// In so many steps.
    pub steps: usize,
    /// Whether a test is to begin.
    begin: bool,
}

impl Default for RangeForm {
    fn default() -> Self {
        RangeForm {
            open: false,
            from: 1e-6,
            to: 10.0,
            steps: 300,
            begin: false,
        }
    }
}

impl RangeForm {
    /// Shows it, and begins where there is no curve of this problem yet.
    pub fn open(&mut self) {
        self.open = true;
        self.begin = true;
    }
}

pub(super) fn show(ui: &mut Ui, panels: &mut Panels, stage: &mut Stage<'_>, free: Rect) {
    if !panels.range.open {
        return;
    }
    if std::mem::take(&mut panels.range.begin) && !has_curve(panels, stage) {
        begin(panels, stage);
    }
    let width = (free.width() - 48.0).clamp(260.0, 640.0);
    let height = (free.height() - 210.0).clamp(130.0, 300.0);
    let at = free.center_top() + vec2(0.0, 14.0);
    card(ui, "range test", Align2::CENTER_TOP, at, width, |ui| {
        ui.spacing_mut().item_spacing = vec2(8.0, 6.0);
        ui.horizontal(|ui| {
            ui.heading(stage.t("range_test.title"));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let tip = stage.t("toast.close");
                if small_icon(ui, "range_test/close", Icon::Cross, tip, true).clicked() {
                    panels.range.open = false;
                }
            });
        });
        let method = stage.training.problem.experiment.training.optimizer;
        if !method.kind().heeds_rate() {
            let name = optimizer::title(stage, method.name);
            let text = stage.texts.with("range_test.no_rate", &[("name", &name)]);
            ui.add(egui::Label::new(text).wrap());
            return;
        }
        report(ui, stage, panels);
        if let Some(rate) = plot(ui, stage, panels, height) {
            top::set_rate(ui, stage, panels, rate);
        }
        controls(ui, stage, panels);
    });
}

/// Whether the test on the screen is one of this problem that was not stopped.
fn has_curve(panels: &Panels, stage: &Stage<'_>) -> bool {
    panels
        .searches
        .range
        .as_ref()
        .is_some_and(|trial| is_of(trial, stage) && (trial.is_running() || trial.end().is_some()))
}

fn is_of(trial: &RangeTrial, stage: &Stage<'_>) -> bool {
    Arc::ptr_eq(&trial.plan().problem, &stage.training.problem)
}

fn begin(panels: &Panels, stage: &mut Stage<'_>) {
    let form = &panels.range;
    let heeds = stage.training.problem.experiment.training.optimizer.kind();
    if !heeds.heeds_rate() {
        return;
    }
    let plan = RangePlan {
        problem: Arc::clone(&stage.training.problem),
        from: form.from,
        to: form.to,
        steps: form.steps,
    };
    let command = SearchCommand::TestRange(plan);
    stage.intents.push(Intent::Search(command));
}

/// What the test says so far, in words.
fn report(ui: &mut Ui, stage: &Stage<'_>, panels: &Panels) {
    let Some(trial) = &panels.searches.range else {
        ui.label("");
        return;
    };
    let texts = stage.texts;
    if let Some(error) = trial.error() {
        complaint(ui, &stage.palette, error);
        return;
    }
    let steps = trial.curve().len();
    let all = trial.plan().steps;
    let said = match (trial.is_running(), trial.end(), trial.suggestion()) {
        (true, ..) => texts.with("range_test.running", &[("n", &steps), ("m", &all)]),
        (_, None, _) => texts.with("range_test.cancelled", &[("n", &steps), ("m", &all)]),
        (_, Some(_), Some(s)) => {
            let rate = short(s.rate);
            texts.with("range_test.suggested", &[("rate", &rate)])
        }
        (_, Some(RangeEnd::Diverged { .. }), None) => texts.get("range_test.no_fall").to_owned(),
        (_, Some(RangeEnd::Finished), None) => texts.get("range_test.flat").to_owned(),
    };
    ui.add(egui::Label::new(said).wrap());
    if trial.end() == Some(RangeEnd::Finished) && trial.suggestion().is_some() {
        let to = short(trial.plan().to);
        remark(ui, &texts.with("range_test.unbroken", &[("to", &to)]));
    }
    if !is_of(trial, stage) {
        remark(ui, texts.get("range_test.earlier"));
    }
}

fn points(trial: &RangeTrial, value: impl Fn(usize) -> f64) -> Vec<PlotPoint> {
    let curve = trial.curve().iter().enumerate();
    curve
        .map(|(i, p)| PlotPoint::new(p.rate.log10(), value(i)))
        .filter(|p| p.y.is_finite())
        .collect()
}

/// The lowest and the highest loss shown: of the rise at the end no more than
/// leaves the fall before it legible.
fn heights(trial: &RangeTrial) -> Option<[f64; 2]> {
    let smoothed = || trial.curve().iter().map(|p| p.smoothed);
    let low = smoothed().fold(f64::INFINITY, f64::min);
    let high = smoothed().fold(f64::NEG_INFINITY, f64::max);
    let first = smoothed().next()?;
    let fall = (first - low).max(0.0);
    let high = high.min(first + (2.0 * fall).max(0.15 * first.abs()));
    let raw = trial.curve().iter().map(|p| p.loss);
    let low = raw.fold(low, f64::min);
    let margin = 0.08 * (high - low).max(1e-9 * high.abs()).max(1e-12);
    Some([low - margin, high + 2.5 * margin])
}

/// Draws the curve; returns the rate of a click on it.
fn plot(ui: &mut Ui, stage: &Stage<'_>, panels: &Panels, height: f32) -> Option<f64> {
    let trial = panels.searches.range.as_ref();
    let (from, to) = trial.map_or((panels.range.from, panels.range.to), |t| {
        (t.plan().from, t.plan().to)
    });
    let [low, high] = trial.and_then(heights).unwrap_or([0.0, 1.0]);
    let tick = egui::FontId::proportional(12.0);
    let (rate_word, loss_word) = (stage.t("range_test.rate"), stage.t("surface.loss"));
    let plot = Plot::new("range test")
        .height(height)
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .allow_axis_zoom_drag(false)
        .allow_double_click_reset(false)
        .show_background(false)
        .grid_color(ui.visuals().text_color().gamma_multiply(0.22))
        .custom_x_axes(vec![
            AxisHints::new_x()
                .label(RichText::new(rate_word).size(12.5))
                .label_spacing(egui::Rangef::new(34.0, 60.0))
                .tick_label_font(tick.clone())
                .formatter(|mark, _| power(mark.value)),
        ])
        .custom_y_axes(vec![
            AxisHints::new_y()
                .label(RichText::new(loss_word).size(12.5))
                .label_spacing(egui::Rangef::new(16.0, 24.0))
                .tick_label_font(tick)
                .min_thickness(40.0)
                .formatter(|mark, _| short(mark.value)),
        ])
        .x_grid_spacer(charts::decades)
        .y_grid_spacer(|input| charts::even(input, 5.0, 0.0))
        .label_formatter(|_| None);
    let shown = plot.show(ui, |plot| {
        plot.set_plot_bounds(PlotBounds::from_min_max(
            [from.log10(), low],
            [to.log10(), high],
        ));
        if let Some(trial) = trial {
            curve(plot, stage, trial);
            marks(plot, stage, trial, [low, high]);
        }
        let now = stage.training.snapshot.base_learning_rate;
        if (from..=to).contains(&now) {
            let faint = color32(stage.palette.faint);
            let at = low + 0.05 * (high - low);
            let line = VLine::new("now", now.log10()).color(faint).width(1.2);
            plot.vline(line.style(LineStyle::dotted_dense()));
            let text = stage.texts.with("range_test.now", &[("rate", &short(now))]);
            label(plot, now.log10(), at, text, faint, now > (from * to).sqrt());
        }
        let rate = plot
            .pointer_coordinate()
            .and_then(|at| pointed(at.x, [from, to]));
        let rate = rate.filter(|_| plot.response().hovered());
        if let Some(rate) = rate {
            let text = stage
                .texts
                .with("range_test.click", &[("rate", &short(rate))]);
            let ink = color32(stage.palette.text);
            let y = high - 0.28 * (high - low);
            label(plot, rate.log10(), y, text, ink, rate > (from * to).sqrt());
        }
        rate
    });
    shown.inner.filter(|_| shown.response.clicked())
}

/// The rate at a place of the axis, to two digits.
fn pointed(x: f64, [from, to]: [f64; 2]) -> Option<f64> {
    let rate = 10f64.powf(x);
    let inside = (from..=to).contains(&rate);
    format!("{rate:.1e}").parse().ok().filter(|_| inside)
}

fn power(exponent: f64) -> String {
    if (exponent - exponent.round()).abs() > 1e-6 {
        return String::new();
    }
    short(10f64.powi(exponent.round() as i32))
}

fn curve(plot: &mut egui_plot::PlotUi<'_>, stage: &Stage<'_>, trial: &RangeTrial) {
    let color = color32(stage.palette.training);
    let raw = points(trial, |i| trial.curve()[i].loss);
    let smooth = points(trial, |i| trial.curve()[i].smoothed);
    let (raw, smooth) = (PlotPoints::Owned(raw), PlotPoints::Owned(smooth));
    let faint = color.gamma_multiply(0.4);
    plot.line(Line::new("raw", raw).color(faint).width(1.0));
    plot.line(Line::new("smoothed", smooth).color(color).width(2.6));
}

/// Steepest and diverging point, and the suggestion, each with its name.
fn marks(
    plot: &mut egui_plot::PlotUi<'_>,
    stage: &Stage<'_>,
    trial: &RangeTrial,
    [low, high]: [f64; 2],
) {
    let texts = stage.texts;
    let span = high - low;
    let middle = (trial.plan().from * trial.plan().to).sqrt();
    let accent = color32(stage.palette.accent);
    let warning = color32(stage.palette.warning);
    if let Some(suggestion) = trial.suggestion() {
        let rate = suggestion.rate;
        let line = VLine::new("suggested", rate.log10());
        plot.vline(line.color(accent).width(1.8));
        let text = texts.with("range_test.mark", &[("rate", &short(rate))]);
        label(
            plot,
            rate.log10(),
            high - 0.06 * span,
            text,
            accent,
            rate > middle,
        );
        if let Some(p) = suggestion.steepest.and_then(|i| trial.curve().get(i)) {
            let at = [p.rate.log10(), p.smoothed];
            let dot = Points::new("steepest", vec![at]).radius(5.0);
            let ink = color32(stage.palette.text);
            plot.points(dot.color(ink).shape(MarkerShape::Diamond));
            let text = texts.with("range_test.steepest", &[("rate", &short2(p.rate))]);
            // Below a falling curve there is room to the left.
            label(plot, at[0], at[1] - 0.07 * span, text, ink, true);
        }
    }
    if let Some(RangeEnd::Diverged { rate }) = trial.end() {
        let line = VLine::new("diverged", rate.log10()).color(warning);
        plot.vline(line.width(1.6).style(LineStyle::dashed_loose()));
        let text = texts.with("range_test.diverged", &[("rate", &short2(rate))]);
        label(
            plot,
            rate.log10(),
            high - 0.16 * span,
            text,
            warning,
            rate > middle,
        );
    }
}

/// In three digits.
fn short2(rate: f64) -> String {
    short(format!("{rate:.2e}").parse().unwrap_or(rate))
}

/// A name beside a mark, on the side where there is room.
fn label(
    plot: &mut egui_plot::PlotUi<'_>,
    x: f64,
    y: f64,
    text: String,
    color: egui::Color32,
    left: bool,
) {
    let (text, anchor) = if left {
        (format!("{text} "), Align2::RIGHT_CENTER)
    } else {
        (format!(" {text}"), Align2::LEFT_CENTER)
    };
    let text = RichText::new(text).size(12.5).color(color);
    plot.text(Text::new("", PlotPoint::new(x, y), text).anchor(anchor));
}

fn controls(ui: &mut Ui, stage: &mut Stage<'_>, panels: &mut Panels) {
    let running = panels
        .searches
        .range
        .as_ref()
        .is_some_and(RangeTrial::is_running);
    ui.horizontal_wrapped(|ui| {
        let form = &mut panels.range;
        ui.weak(stage.t("range_test.from"));
        ui.add(rate_drag(&mut form.from, 1e-12, form.to / 2.0));
        ui.weak(stage.t("range_test.to"));
        ui.add(rate_drag(&mut form.to, form.from * 2.0, 1e6));
        ui.weak(stage.t("range_test.steps"));
        ui.add(
            DragValue::new(&mut form.steps)
                .range(20..=100_000)
                .speed(2.0),
        );
        if running {
            let cancel = egui::Button::new(stage.t("range_test.cancel"));
            if named(ui, "range_test/cancel", cancel).clicked() {
                stage
                    .intents
                    .push(Intent::Search(SearchCommand::CancelRange));
            }
        } else {
            let again = egui::Button::new(stage.t("range_test.again"));
            if named(ui, "range_test/again", again).clicked() {
                begin(panels, stage);
            }
        }
        let trial = panels.searches.range.as_ref().filter(|_| !running);
        if let Some(suggestion) = trial.and_then(RangeTrial::suggestion) {
            let rate = short(suggestion.rate);
            let text = stage.texts.with("range_test.take", &[("rate", &rate)]);
            let fill = ui.visuals().selection.bg_fill;
            let button = egui::Button::new(RichText::new(text).strong()).fill(fill);
            let response = named(ui, "range_test/take", button);
            if response
                .on_hover_text(stage.t("range_test.take_tip"))
                .clicked()
            {
                top::set_rate(ui, stage, panels, suggestion.rate);
            }
        }
    });
}

pub(super) fn rate_drag(value: &mut f64, least: f64, most: f64) -> DragValue<'_> {
    let speed = (0.03 * *value).max(1e-12);
    DragValue::new(value)
        .range(least..=most)
        .speed(speed)
        .max_decimals(15)
        .custom_formatter(|v, _| short(v))
        .custom_parser(|text| text.trim().replace('−', "-").parse().ok())
}
