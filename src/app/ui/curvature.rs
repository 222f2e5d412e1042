//! How the loss bends at the current weights: eigenvalues, trace, density, and
//! the name of the place.

use super::charts::decades;
use super::format::{count, number};
use super::learning::named;
use super::stage::{Intent, Stage};
use super::widgets::{fact, remark};
use crate::app::surface_words::{measure, point as point_name};
use crate::app::theme::color32;
use crate::app::{CurvatureHere, StudyWish, Texts};
use crate::landscape::curvature::{CriticalPoint, Density, Evidence, FLAT, STILL};
use bevy_egui::egui::{self, Align2, RichText, Ui, vec2};
use egui_plot::{AxisHints, Line, LineStyle, Plot, PlotPoint, PlotPoints, VLine};

/// Between two looks at how far it is.
const BLINK: std::time::Duration = std::time::Duration::from_millis(100);
/// So many eigenvalues have a bar.
const BARS: usize = 8;

pub(super) fn show(ui: &mut Ui, stage: &mut Stage<'_>) {
    let texts = stage.texts;
    let study = &stage.surface.study;
    let progress = study.curvature_progress;
    ui.horizontal(|ui| {
        if let Some((done, all)) = progress {
            // Nothing else may move meanwhile.
            ui.ctx().request_repaint_after(BLINK);
            let bar = egui::ProgressBar::new(done as f32 / all.max(1) as f32)
                .desired_width((ui.available_width() - 96.0).max(40.0))
                .desired_height(8.0)
                .fill(ui.visuals().hyperlink_color);
            ui.add(bar);
            let button = egui::Button::new(texts.get("curvature.cancel"));
            if named(ui, "curvature/cancel", button).clicked() {
                stage.intents.push(Intent::Study(StudyWish::Cancel));
            }
        } else {
            let button = egui::Button::new(texts.get("curvature.compute"));
            let response = named(ui, "curvature/compute", button);
            if response.on_hover_text(texts.get("curvature.tip")).clicked() {
                stage.intents.push(Intent::Study(StudyWish::Curvature));
            }
        }
    });
    let Some(here) = study.curvature.clone() else {
        remark(ui, texts.get("curvature.none"));
        return;
    };
    let snapshot = &stage.training.snapshot;
    // The panel may be a frame ahead of what says so.
    let is_now = here.weights[..] == snapshot.params[..];
    let point = here.curvature.point();
    if is_now {
        let name = RichText::new(point_name(texts, point)).heading();
        ui.label(name.color(color32(stage.palette.accent)));
    } else {
        let (name, step) = (point_name(texts, point), here.step);
        ui.label(texts.with("curvature.earlier", &[("name", &name), ("step", &step)]));
    }
    remark(ui, &evidence(texts, &here.curvature.evidence, point));
    numbers(ui, stage, &here);
    bars(ui, stage, &here);
    if let Some(density) = &here.curvature.density {
        plot(ui, stage, density, here.curvature.size);
    }
}

/// What the name follows from, in words.
fn evidence(texts: &Texts, evidence: &Evidence, point: CriticalPoint) -> String {
    let small = |v: f64| number(100.0 * v, 2);
    let gain = small(evidence.relative_gain());
    let (still, flat) = (small(STILL), small(FLAT));
    if point == CriticalPoint::Slope {
        return texts.with("evidence.slope", &[("gain", &gain), ("still", &still)]);
    }
    let still = texts.with("evidence.still", &[("gain", &gain), ("still", &still)]);
    let (largest, smallest) = (number(evidence.largest, 3), number(evidence.smallest, 3));
    let bends: [(&str, &dyn std::fmt::Display); 3] = [
        ("largest", &largest),
        ("smallest", &smallest),
        ("flat", &flat),
    ];
    let rest = match point {
        CriticalPoint::Minimum => texts.with("evidence.minimum", &bends),
        CriticalPoint::Maximum => texts.with("evidence.maximum", &bends),
        CriticalPoint::Saddle => texts.with("evidence.saddle", &bends),
        CriticalPoint::Plateau | CriticalPoint::Slope => texts.with("evidence.plateau", &bends),
    };
    format!("{still} {rest}")
}

fn numbers(ui: &mut Ui, stage: &Stage<'_>, here: &CurvatureHere) {
    let texts = stage.texts;
    let curvature = &here.curvature;
    let of = measure(texts, here.measure);
    let n = count(here.samples as u64);
    fact(ui, texts.get("curvature.of"), &format!("{of} ({n})"));
    let rows = count(curvature.size as u64);
    fact(ui, texts.get("curvature.size"), &rows);
    let norm = number(curvature.evidence.gradient_norm, 4);
    fact(ui, texts.get("curvature.gradient"), &norm);
    let sharpness = number(curvature.sharpness(), 4);
    fact(ui, texts.get("curvature.sharpness"), &sharpness);
    let smallest = number(curvature.evidence.smallest, 4);
    fact(ui, texts.get("curvature.smallest"), &smallest);
    if let Some(trace) = curvature.trace {
        let (value, error) = (number(trace.value, 4), number(trace.standard_error, 2));
        fact(
            ui,
            texts.get("curvature.trace"),
            &format!("{value} ± {error}"),
        );
    }
    if !curvature.ends.converged {
        remark(ui, texts.get("curvature.rough"));
    }
}

/// The largest eigenvalues and the smallest as bars, each with its number.
fn bars(ui: &mut Ui, stage: &Stage<'_>, here: &CurvatureHere) {
    let ends = &here.curvature.ends;
    let mut values: Vec<f64> = ends.top.iter().map(|p| p.value).take(BARS).collect();
    let smallest = here.curvature.evidence.smallest;
    if smallest < 0.0 && values.iter().all(|v| *v > smallest) {
        values.truncate(BARS - 1);
        values.push(smallest);
    }
    values.sort_by(|a, b| b.total_cmp(a));
    let most = values.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    if values.is_empty() || most <= 0.0 {
        return;
    }
    ui.weak(stage.texts.get("curvature.eigenvalues"));
    let (line, number_width) = (19.0, 78.0);
    let size = vec2(ui.available_width(), line * values.len() as f32);
    let (rect, response) = ui.allocate_exact_size(size, egui::Sense::hover());
    response.on_hover_text(stage.texts.get("curvature.eigenvalues_tip"));
    let left = rect.left() + number_width;
    let room = rect.right() - left;
    // Zero is where both kinds have room by their size.
    let (low, high) = values
        .iter()
        .fold((0.0_f64, 0.0_f64), |(l, h), v| (l.min(*v), h.max(*v)));
    let x = |v: f64| left + room * ((v - low) / (high - low)) as f32;
    let painter = ui.painter();
    for (k, &value) in values.iter().enumerate() {
        let y = rect.top() + line * (k as f32 + 0.5);
        let color = if value < 0.0 {
            stage.palette.diverging.negative
        } else {
            stage.palette.diverging.positive
        };
        let (a, b) = (x(value.min(0.0)), x(value.max(0.0)));
        let bar = egui::Rect::from_x_y_ranges(a..=b.max(a + 1.5), y - 6.0..=y + 6.0);
        painter.rect_filled(bar, 2.0, color32(color));
        let at = egui::pos2(left - 8.0, y);
        let font = egui::FontId::proportional(13.5);
        let ink = ui.visuals().text_color();
        painter.text(at, Align2::RIGHT_CENTER, number(value, 4), font, ink);
    }
    let zero = ui.visuals().widgets.noninteractive.fg_stroke;
    painter.vline(x(0.0), rect.y_range(), egui::Stroke::new(1.0, zero.color));
}

/// The spectral density, by its logarithm, down to a tenth of a single
/// eigenvalue's height.
fn plot(ui: &mut Ui, stage: &Stage<'_>, density: &Density, size: usize) {
    let texts = stage.texts;
    let single = 1.0 / (size.max(1) as f64 * density.width * std::f64::consts::TAU.sqrt());
    let highest = density.density.iter().copied().fold(0.0_f64, f64::max);
    let floor = (0.1 * single).min(0.1 * highest);
    if !(floor > 0.0 && floor.is_finite()) {
        return;
    }
    ui.weak(texts.get("curvature.density"));
    let points = |errors: f64| -> Vec<PlotPoint> {
        let values = density.density.iter().zip(&density.standard_error);
        let at = density.at.iter().zip(values);
        at.map(|(&x, (&d, &e))| PlotPoint::new(x, (d + errors * e).max(floor).log10()))
            .collect()
    };
    let (mean, above) = (points(0.0), points(2.0));
    let tick = egui::FontId::proportional(11.5);
    let color = color32(stage.palette.training);
    let faint = color32(stage.palette.faint);
    let words = texts.get("curvature.hover").to_owned();
    Plot::new("curvature density")
        .height(150.0)
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .allow_axis_zoom_drag(false)
        .allow_double_click_reset(false)
        .show_background(false)
        .set_margin_fraction(vec2(0.0, 0.06))
        .grid_color(ui.visuals().text_color().gamma_multiply(0.25))
        .include_y(floor.log10())
        .custom_x_axes(vec![
            AxisHints::new_x()
                .label_spacing(egui::Rangef::new(36.0, 60.0))
                .tick_label_font(tick.clone())
                .formatter(|mark, _| number(mark.value, 2)),
        ])
        .custom_y_axes(vec![
            AxisHints::new_y()
                .label_spacing(egui::Rangef::new(14.0, 22.0))
                .tick_label_font(tick)
                .min_thickness(42.0)
                .formatter(|mark, _| number(10f64.powf(mark.value), 1)),
        ])
        .x_grid_spacer(|input| super::charts::even(input, 5.0, 0.0))
        .y_grid_spacer(decades)
        .label_formatter(move |at| match at {
            egui_plot::HoverPosition::NearDataPoint { position, .. } => {
                let (value, d) = (number(position.x, 3), number(10f64.powf(position.y), 2));
                Some(format!("{words}\n{value}: {d}"))
            }
            egui_plot::HoverPosition::Elsewhere { .. } => None,
        })
        .show(ui, |plot| {
            let zero = VLine::new("0", 0.0).color(faint).width(1.0);
            plot.vline(zero.style(LineStyle::dotted_dense()));
            let band = Line::new("+", PlotPoints::Borrowed(&above));
            plot.line(band.color(color.gamma_multiply(0.5)).width(1.0));
            let line = Line::new("density", PlotPoints::Borrowed(&mean));
            plot.line(line.color(color).width(2.0));
        });
    let n = density.probes();
    remark(ui, &texts.with("curvature.probes", &[("n", &n)]));
}
