//! How a layer's numbers are spread.

use super::super::format::{count, number};
use super::super::stage::Stage;
use super::super::widgets::remark;
use super::Inside;
use crate::app::theme::color32;
use crate::insight::distributions::Quantity;
use crate::insight::histogram::Histogram;
use crate::insight::tiles;
use bevy_egui::egui::{self, Rect, ScrollArea, Sense, Stroke, Ui, pos2, vec2};

/// Bins of a histogram.
const BINS: usize = 48;

pub(super) fn show(ui: &mut Ui, inside: &Inside, stage: &Stage<'_>) {
    let training = stage.training;
    let network = &training.problem.network;
    let snapshot = &training.snapshot;
    let layers = 0..network.layers().len();
    let all = match inside.spreads.quantity {
        Quantity::Weights => tiles::tensors(network, &snapshot.params, layers, false),
        Quantity::Biases => tiles::tensors(network, &snapshot.params, layers, true),
        Quantity::Gradients => tiles::tensors(network, &snapshot.gradient, layers, false),
        Quantity::Updates => tiles::tensors(network, &snapshot.update, layers, false),
        // Of the watched sample; over time they are of many.
        Quantity::Activations => {
            let layers = snapshot.probe.a.iter().enumerate();
            let named = layers.map(|(layer, a)| (tiles::name_of(network, layer), a.clone()));
            named.collect()
        }
    };
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
    let top = format!("{name}  ·  {}", count(histogram.total));
    painter.text(rect.min, egui::Align2::LEFT_TOP, top, font.clone(), text);
    let plot = Rect::from_min_max(rect.min + vec2(0.0, 20.0), rect.max - vec2(0.0, 18.0));
    painter.line_segment(
        [plot.left_bottom(), plot.right_bottom()],
        Stroke::new(1.0, faint),
    );
    let most = histogram.counts.iter().copied().max().unwrap_or(1).max(1);
    let height = |many: u64| -> f32 {
        let share = match log {
            true => ((1 + many) as f32).ln() / ((1 + most) as f32).ln(),
            false => many as f32 / most as f32,
        };
        share * plot.height()
    };
    let wide = plot.width() / histogram.counts.len() as f32;
    let color = color32(stage.palette.training);
    for (bin, &many) in histogram.counts.iter().enumerate() {
        if many == 0 {
            continue;
        }
        let x = plot.left() + wide * bin as f32;
        // Whatever is there is to be seen.
        let y = plot.bottom() - height(many).max(1.5);
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
