//! Loss and accuracy over the epochs.

use super::format::number;
use super::stage::Stage;
use crate::app::theme::color32;
use crate::train::HistoryRow;
use bevy_egui::egui::{self, Align, Color32, Layout, RichText, Ui, vec2};
use egui_plot::{
    AxisHints, GridInput, GridMark, HoverPosition, Line, LineStyle, Plot, PlotPoint, PlotPoints,
};

/// Thinned curves, kept while nothing new came.
#[derive(Default)]
pub(super) struct Curves {
    key: Option<(u64, usize, usize, u64, bool)>,
    loss: [Vec<PlotPoint>; 2],
    accuracy: [Vec<PlotPoint>; 2],
}

impl Curves {
    fn refresh(&mut self, stage: &Stage<'_>, pixels: usize) {
        let rows = stage.training.history.rows();
        let log = stage.choices.log_loss;
        let last = rows.last().map_or(0, |r| r.epoch);
        // Where weights are set, the figures of that moment are others.
        let loss = rows.last().map_or(0, |r| r.train_loss.to_bits());
        let key = (
            stage.training.snapshot.generation,
            rows.len(),
            last,
            loss,
            log,
        );
        // The first row tells one run from the next of another problem.
        if self.key == Some(key) && rows.len() > 2 {
            return;
        }
        self.key = Some(key);
        let height = |v: f64| if log { v.log10() } else { v };
        let pick = |value: &dyn Fn(&HistoryRow) -> Option<f64>| {
            let points: Vec<[f64; 2]> = rows
                .iter()
                .filter_map(|row| Some([stage.training.place_of(row) as f64, value(row)?]))
                .filter(|[_, y]| y.is_finite())
                .collect();
            thin(&points, pixels)
                .into_iter()
                .map(|[x, y]| PlotPoint::new(x, y))
                .collect()
        };
        self.loss = [
            pick(&|r| Some(height(r.train_loss))),
            pick(&|r| r.validation_loss.map(height)),
        ];
        self.accuracy = [
            pick(&|r| r.train_accuracy),
            pick(&|r| r.validation_accuracy),
        ];
    }
}

/// At most about two points per pixel: of each pixel's points the lowest and
/// the highest, so that no peak is lost. First and last stay.
pub(super) fn thin(points: &[[f64; 2]], pixels: usize) -> Vec<[f64; 2]> {
    let pixels = pixels.max(1);
    if points.len() <= 2 * pixels + 2 {
        return points.to_vec();
    }
    let (first, last) = (points[0], points[points.len() - 1]);
    let mut thinned = vec![first];
    let inner = &points[1..points.len() - 1];
    for bucket in inner.chunks(inner.len().div_ceil(pixels)) {
        let by_height = |a: &&[f64; 2], b: &&[f64; 2]| a[1].total_cmp(&b[1]);
        let (low, high) = (
            bucket.iter().min_by(by_height),
            bucket.iter().max_by(by_height),
        );
        if let (Some(&low), Some(&high)) = (low, high) {
            if low == high {
                thinned.push(low);
            } else if low[0] < high[0] {
                thinned.extend([low, high]);
            } else {
                thinned.extend([high, low]);
            }
        }
    }
    thinned.push(last);
    thinned
}

pub(super) fn show(ui: &mut Ui, stage: &mut Stage<'_>, curves: &mut Curves) {
    let pixels = (ui.available_width() * ui.pixels_per_point()) as usize;
    curves.refresh(stage, pixels);
    ui.horizontal(|ui| {
        ui.weak(stage.t("curves.loss"));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let log = &mut stage.choices.log_loss;
            ui.checkbox(log, RichText::new(stage.texts.get("curves.log")).small());
        });
    });
    let log = stage.choices.log_loss;
    let value = move |y: f64| if log { 10f64.powf(y) } else { y };
    chart(ui, stage, "loss", &curves.loss, 148.0, log, move |y| {
        number(value(y), 3)
    });
    if !curves.accuracy[0].is_empty() {
        ui.weak(stage.t("curves.accuracy"));
        chart(ui, stage, "accuracy", &curves.accuracy, 112.0, false, |y| {
            format!("{:.0} %", 100.0 * y)
        });
    }
    legend(ui, stage);
}

pub(super) fn legend(ui: &mut Ui, stage: &Stage<'_>) {
    ui.horizontal_wrapped(|ui| {
        for (key, color, dashed) in [
            ("curves.training", stage.palette.training, false),
            ("curves.validation", stage.palette.validation, true),
        ] {
            let (rect, _) = ui.allocate_exact_size(vec2(22.0, 14.0), egui::Sense::hover());
            let color = color32(color);
            let y = rect.center().y;
            if dashed {
                for x in [0.0, 8.0, 16.0] {
                    let range = rect.left() + x..=rect.left() + x + 5.0;
                    ui.painter().hline(range, y, (2.0, color));
                }
            } else {
                ui.painter().hline(rect.x_range(), y, (2.0, color));
            }
            ui.label(RichText::new(stage.texts.get(key)).small());
        }
    });
}

/// A key of a run, so that a chart forgets its range when another run begins.
fn chart(
    ui: &mut Ui,
    stage: &Stage<'_>,
    name: &str,
    lines: &[Vec<PlotPoint>; 2],
    height: f32,
    log: bool,
    value: impl Fn(f64) -> String + Clone + 'static,
) {
    let grid = ui.visuals().text_color().gamma_multiply(0.25);
    let names = ["curves.training", "curves.validation"].map(|key| stage.texts.get(key).to_owned());
    let epoch = stage.t(stage.axis()).to_owned();
    let (axis, hover) = (value.clone(), value);
    let tick = egui::FontId::proportional(11.5);
    let mut plot = Plot::new(("curves", name))
        .height(height)
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .allow_axis_zoom_drag(false)
        .allow_double_click_reset(false)
        .show_background(false)
        .set_margin_fraction(vec2(0.0, 0.06))
        .auto_bounds(true)
        .grid_color(grid)
        .include_x(0.0)
        .custom_x_axes(vec![
            AxisHints::new_x()
                .label_spacing(egui::Rangef::new(36.0, 60.0))
                .tick_label_font(tick.clone())
                .formatter(|mark, _| {
                    if mark.value.fract().abs() < 1e-9 && mark.value >= 0.0 {
                        format!("{}", mark.value)
                    } else {
                        String::new()
                    }
                }),
        ])
        .custom_y_axes(vec![
            AxisHints::new_y()
                .label_spacing(egui::Rangef::new(14.0, 22.0))
                .tick_label_font(tick)
                .min_thickness(42.0)
                .formatter(move |mark, _| axis(mark.value)),
        ])
        .label_formatter(move |at| match at {
            HoverPosition::NearDataPoint {
                plot_name,
                position,
                ..
            } => Some(format!(
                "{plot_name}\n{epoch} {}\n{}",
                position.x.round(),
                hover(position.y)
            )),
            HoverPosition::Elsewhere { .. } => None,
        });
    plot = plot.x_grid_spacer(|input| even(input, 6.0, 1.0));
    plot = if log {
        plot.y_grid_spacer(decades)
    } else {
        plot.y_grid_spacer(|input| even(input, 5.0, 0.0))
    };
    if name == "accuracy" {
        plot = plot.include_y(1.0);
    }
    plot.show(ui, |plot| {
        let styles = [
            (stage.palette.training, LineStyle::Solid),
            (stage.palette.validation, LineStyle::Dashed { length: 7.0 }),
        ];
        for ((points, (color, style)), name) in lines.iter().zip(styles).zip(names) {
            if points.is_empty() {
                continue;
            }
            let color: Color32 = color32(color);
            let points = PlotPoints::Borrowed(points);
            plot.line(Line::new(name, points).color(color).width(2.0).style(style));
        }
    });
}

/// About so many grid lines at 1, 2 or 5 times a power of ten, at least
/// `least` apart.
pub(super) fn even(input: GridInput, lines: f64, least: f64) -> Vec<GridMark> {
    let (low, high) = input.bounds;
    let rough = ((high - low) / lines).max(least);
    if !(rough.is_finite() && rough > 0.0) {
        return Vec::new();
    }
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .map(|f| f * power)
        .into_iter()
        .find(|s| *s >= rough * (1.0 - 1e-9))
        .unwrap_or(10.0 * power);
    let (first, last) = ((low / step).ceil(), (high / step).floor());
    let n = (last - first).clamp(-1.0, 64.0) as i64;
    (0..=n)
        .map(|k| GridMark {
            value: (first + k as f64) * step,
            step_size: step,
        })
        .collect()
}

/// Grid lines of an axis that shows log10: powers of ten, and where the range
/// is short 2 and 5 between them.
pub(super) fn decades(input: GridInput) -> Vec<GridMark> {
    let (low, high) = input.bounds;
    let span = high - low;
    if !(span.is_finite() && span > 0.0) {
        return Vec::new();
    }
    let step = (span / 8.0).ceil().max(1.0);
    let mut marks = Vec::new();
    // Labels are drawn wherever a mark is, even beyond the axis.
    let mut push = |value: f64, step_size: f64| {
        if (low..=high).contains(&value) {
            marks.push(GridMark { value, step_size });
        }
    };
    let mut k = (low / step).floor() * step;
    while k <= high {
        push(k, step);
        if span < 2.5 {
            let between: &[f64] = if span < 0.4 {
                &[1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]
            } else {
                &[2.0, 5.0]
            };
            for factor in between {
                push(k + factor.log10(), if span < 0.4 { 0.08 } else { 0.3 });
            }
        }
        k += step;
    }
    marks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_ends_and_extremes_in_order() {
        let mut points: Vec<[f64; 2]> = (0..10_000).map(|i| [f64::from(i), 0.5]).collect();
        points[5_003][1] = 9.0;
        points[7_777][1] = -9.0;
        let thinned = thin(&points, 100);
        assert!(thinned.len() <= 202, "{}", thinned.len());
        assert_eq!(thinned.first(), points.first());
        assert_eq!(thinned.last(), points.last());
        assert!(thinned.contains(&points[5_003]) && thinned.contains(&points[7_777]));
        assert!(thinned.windows(2).all(|w| w[0][0] < w[1][0]));
        assert_eq!(thin(&points[..50], 100), points[..50]);
    }

    #[test]
    fn an_even_axis_has_round_marks_within_its_bounds() {
        let values = |low, high, lines, least| -> Vec<f64> {
            let input = GridInput {
                bounds: (low, high),
                base_step_size: 1.0,
            };
            even(input, lines, least).iter().map(|m| m.value).collect()
        };
        assert_eq!(values(0.0, 10.0, 6.0, 1.0), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        assert_eq!(values(0.0, 2.5, 6.0, 1.0), [0.0, 1.0, 2.0]);
        assert_eq!(values(-0.3, 1.02, 5.0, 0.0), [0.0, 0.5, 1.0]);
        assert!(values(1.0, 1.0, 5.0, 0.0).is_empty());
    }

    #[test]
    fn a_log_axis_marks_powers_of_ten() {
        let marks = decades(GridInput {
            bounds: (-3.2, 0.4),
            base_step_size: 0.1,
        });
        let values: Vec<f64> = marks.iter().map(|m| m.value).collect();
        assert_eq!(values, [-3.0, -2.0, -1.0, 0.0]);
    }
}
