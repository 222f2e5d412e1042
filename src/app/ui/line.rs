//! Loss and accuracy along the straight line between two places of the run.

use super::charts::even;
use super::format::number;
use super::learning::named;
use super::stage::{Intent, Stage};
use super::surface_choice::step_of_path;
use super::widgets::remark;
use crate::app::theme::color32;
use crate::app::{LineHere, StudyWish};
use crate::landscape::{LAST_STEP, LinePoint};
use bevy_egui::egui::{self, RichText, Ui, vec2};
use egui_plot::{AxisHints, Line, LineStyle, Plot, PlotPoint, PlotPoints, VLine};

use super::panels::Panels;

/// The ends of the line, as steps of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineForm {
    /// At 0.
    pub from: u64,
    /// At 1.
    pub to: u64,
}

impl Default for LineForm {
    fn default() -> Self {
        LineForm {
            from: 0,
            to: LAST_STEP,
        }
    }
}

pub(super) fn show(ui: &mut Ui, stage: &mut Stage<'_>, panels: &mut Panels) {
    let texts = stage.texts;
    let form = &mut panels.line;
    remark(ui, texts.get("line.note"));
    step_of_path(
        ui,
        stage,
        "line/from",
        texts.get("line.from"),
        &mut form.from,
    );
    step_of_path(ui, stage, "line/to", texts.get("line.to"), &mut form.to);
    ui.horizontal(|ui| {
        let there = stage.training.path.points().len() > 1;
        let busy = stage.surface.study.line_progress;
        let text = texts.get("line.draw");
        let button = egui::Button::new(text);
        let response =
            ui.add_enabled_ui(there && busy.is_none(), |ui| named(ui, "line/draw", button));
        if response.inner.clicked() && there {
            let (from, to) = (form.from, form.to);
            stage
                .intents
                .push(Intent::Study(StudyWish::Line { from, to }));
        }
        if let Some((done, all)) = busy {
            let bar = egui::ProgressBar::new(done as f32 / all.max(1) as f32);
            ui.add(bar.desired_height(8.0).fill(ui.visuals().hyperlink_color));
        }
    });
    let Some(line) = stage.surface.study.line.clone() else {
        return;
    };
    chart(ui, stage, &line, "loss", |p| p.map(|s| s.loss));
    if line.points.iter().any(|p| p.train.accuracy.is_some()) {
        chart(ui, stage, &line, "accuracy", |p| p.and_then(|s| s.accuracy));
    }
    super::charts::legend(ui, stage);
    let (from, to, length) = (line.from, line.to, number(line.length, 3));
    let values: [(&str, &dyn std::fmt::Display); 3] =
        [("from", &from), ("to", &to), ("length", &length)];
    remark(ui, &texts.with("line.ends", &values));
}

fn chart(
    ui: &mut Ui,
    stage: &Stage<'_>,
    line: &LineHere,
    name: &str,
    value: impl Fn(Option<crate::train::Score>) -> Option<f64>,
) {
    let is_loss = name == "loss";
    ui.label(RichText::new(stage.texts.get(&format!("curves.{name}"))).weak());
    let of = |score: &dyn Fn(&LinePoint) -> Option<crate::train::Score>| -> Vec<PlotPoint> {
        line.points
            .iter()
            .filter_map(|p| Some(PlotPoint::new(p.at, value(score(p))?)))
            .filter(|p| p.y.is_finite())
            .collect()
    };
    let train = of(&|p| Some(p.train));
    let validation = of(&|p| p.validation);
    let tick = egui::FontId::proportional(11.5);
    let text = move |v: f64| {
        if is_loss {
            number(v, 3)
        } else {
            format!("{:.0} %", 100.0 * v)
        }
    };
    let faint = color32(stage.palette.faint);
    let names = ["curves.training", "curves.validation"].map(|key| stage.texts.get(key).to_owned());
    let mut plot = Plot::new(("line", name))
        .height(if is_loss { 150.0 } else { 112.0 })
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .allow_axis_zoom_drag(false)
        .allow_double_click_reset(false)
        .show_background(false)
        .set_margin_fraction(vec2(0.0, 0.06))
        .grid_color(ui.visuals().text_color().gamma_multiply(0.25))
        .custom_x_axes(vec![
            AxisHints::new_x()
                .label_spacing(egui::Rangef::new(30.0, 60.0))
                .tick_label_font(tick.clone())
                .formatter(|mark, _| number(mark.value, 2)),
        ])
        .custom_y_axes(vec![
            AxisHints::new_y()
                .label_spacing(egui::Rangef::new(14.0, 22.0))
                .tick_label_font(tick)
                .min_thickness(42.0)
                .formatter(move |mark, _| text(mark.value)),
        ])
        .x_grid_spacer(|input| even(input, 5.0, 0.5))
        .y_grid_spacer(|input| even(input, 5.0, 0.0))
        .label_formatter(move |at| match at {
            egui_plot::HoverPosition::NearDataPoint {
                plot_name,
                position,
                ..
            } => Some(format!(
                "{plot_name}\n{}\n{}",
                number(position.x, 2),
                text(position.y)
            )),
            egui_plot::HoverPosition::Elsewhere { .. } => None,
        });
    if !is_loss {
        plot = plot.include_y(1.0);
    }
    plot.show(ui, |plot| {
        for end in [0.0, 1.0] {
            let mark = VLine::new("end", end).color(faint).width(1.2);
            plot.vline(mark.style(LineStyle::dotted_dense()));
        }
        let styles = [
            (&train, stage.palette.training, LineStyle::Solid),
            (
                &validation,
                stage.palette.validation,
                LineStyle::Dashed { length: 7.0 },
            ),
        ];
        for ((points, color, style), name) in styles.into_iter().zip(names) {
            if !points.is_empty() {
                let curve = Line::new(name, PlotPoints::Borrowed(points)).style(style);
                plot.line(curve.color(color32(color)).width(2.0));
            }
        }
    });
}
