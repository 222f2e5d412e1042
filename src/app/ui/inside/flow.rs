//! How gradients flow through all layers over time, in one picture: a row a layer, the
//! first at the top, a column a measurement; beside it what each layer is like now.

use super::super::format::{number, percent};
use super::super::stage::Stage;
use super::super::widgets::{remark, segmented};
use crate::app::theme::color32;
use crate::colormap::viridis;
use crate::insight::health::{Health, HealthLog, LayerHealth};
use crate::insight::tiles::name_of;
use bevy_egui::egui::{Align2, FontId, Rect, ScrollArea, Sense, Ui, pos2, vec2};

/// What the picture shows of each layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Flow {
    /// RMS of the gradient of the weights.
    #[default]
    Gradient,
    /// RMS of the error signals.
    Signal,
    /// RMS of the last step over that of the weights.
    Ratio,
    /// The share of units that are 0 for every sample.
    Dead,
    /// The share of activations where the slope is almost 0.
    Saturated,
}

impl Flow {
    const ALL: [Flow; 5] = [
        Flow::Gradient,
        Flow::Signal,
        Flow::Ratio,
        Flow::Dead,
        Flow::Saturated,
    ];

    fn key(self) -> &'static str {
        match self {
            Flow::Gradient => "inside.gradient",
            Flow::Signal => "inside.signal",
            Flow::Ratio => "inside.ratio",
            Flow::Dead => "inside.dead",
            Flow::Saturated => "inside.saturated",
        }
    }

    fn of(self, layer: &LayerHealth) -> Option<f64> {
        match self {
            Flow::Gradient => layer.gradient,
            Flow::Signal => Some(layer.delta),
            Flow::Ratio => layer.update_ratio(),
            Flow::Dead => layer.dead,
            Flow::Saturated => layer.saturated,
        }
    }

    /// Whether it is a share, from 0 to 1; sizes are shown by their logarithm.
    fn is_share(self) -> bool {
        matches!(self, Flow::Dead | Flow::Saturated)
    }

    fn said(self, value: f64) -> String {
        match self.is_share() {
            true => percent(value),
            false => number(value, 3),
        }
    }

    /// Where a value lies on the scale, before that is stretched; none of a size of 0.
    fn level(self, value: f64) -> Option<f64> {
        match self.is_share() {
            true => Some(value),
            false => (value > 0.0).then(|| value.log10()),
        }
    }
}

/// Which of them is shown.
pub(super) fn options(ui: &mut Ui, flow: &mut Flow, stage: &Stage<'_>) {
    let all = Flow::ALL.map(|flow| (flow, None, stage.t(flow.key())));
    segmented(ui, "inside/flow_of", flow, &all);
}

/// The least and the greatest level, a decade apart at least: less than that is not to
/// look like much. Of shares 0 and 1.
fn scale(flow: Flow, records: &[Health], layers: &[usize]) -> [f64; 2] {
    if flow.is_share() {
        return [0.0, 1.0];
    }
    let all = records.iter().flat_map(|health| {
        let of = |&layer: &usize| flow.level(flow.of(health.layers.get(layer)?)?);
        layers.iter().filter_map(of)
    });
    let (low, high) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| {
        (a.min(v), b.max(v))
    });
    if low > high {
        return [-1.0, 0.0];
    }
    let (middle, span) = (0.5 * (low + high), (high - low).max(1.0));
    [middle - 0.5 * span, middle + 0.5 * span]
}

/// Room for the names of layers, for a column of figures, above and below, in points.
const NAMES: f32 = 96.0;
const FIGURE: f32 = 92.0;
const HEAD: f32 = 20.0;

pub(super) fn show(ui: &mut Ui, log: &HealthLog, flow: Flow, stage: &Stage<'_>) {
    let records = log.records();
    let Some(last) = records.last() else {
        remark(ui, stage.t("inside.looking"));
        return;
    };
    // Of shares the layers that can be so, else those with weights.
    let layers: Vec<usize> = match flow.is_share() {
        true => (0..last.layers.len())
            .filter(|&layer| flow.of(&last.layers[layer]).is_some())
            .collect(),
        false => last.weighted().map(|(layer, _)| layer).collect(),
    };
    if layers.is_empty() {
        remark(ui, stage.t("inside.nothing"));
        return;
    }
    ScrollArea::both()
        .id_salt("flow")
        .auto_shrink([false, false])
        .show(ui, |ui| picture(ui, records, flow, &layers, stage));
}

fn picture(ui: &mut Ui, records: &[Health], flow: Flow, layers: &[usize], stage: &Stage<'_>) {
    let Some(last) = records.last() else { return };
    let [low, high] = scale(flow, records, layers);
    let row = ((ui.available_height() - 42.0) / layers.len() as f32).clamp(18.0, 44.0);
    let font = FontId::proportional(13.0);
    let (text, faint) = (color32(stage.palette.text), color32(stage.palette.faint));
    let figures = FIGURE * Flow::ALL.len() as f32;
    let wide = (ui.available_width() - NAMES - figures - 24.0).max(180.0);
    let size = vec2(
        NAMES + wide + 16.0 + figures,
        row * layers.len() as f32 + 40.0,
    );
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let painter = ui.painter();
    let (left, top) = (rect.left() + NAMES, rect.top() + HEAD);
    let cell = wide / records.len() as f32;
    let network = &stage.training.problem.network;
    for (k, &layer) in layers.iter().enumerate() {
        let y = top + row * k as f32;
        let at = pos2(left - 8.0, y + 0.5 * row);
        let name = name_of(network, layer);
        painter.text(at, Align2::RIGHT_CENTER, name, font.clone(), text);
        for (column, health) in records.iter().enumerate() {
            let x = left + cell * column as f32;
            let place = Rect::from_min_size(pos2(x, y), vec2(cell + 0.5, row - 2.0));
            let value = health.layers.get(layer).and_then(|layer| flow.of(layer));
            match value.map(|value| flow.level(value)) {
                Some(Some(level)) => {
                    let share = (level - low) / (high - low);
                    painter.rect_filled(place, 0.0, color32(viridis(share as f32)));
                }
                // A size of 0 is below every logarithm.
                Some(None) => {
                    painter.rect_filled(place, 0.0, color32(viridis(0.0)));
                }
                None => {}
            }
        }
        let x = left + wide + 16.0;
        for (column, of) in Flow::ALL.into_iter().enumerate() {
            let value = last.layers.get(layer).and_then(|layer| of.of(layer));
            let said = value.map_or_else(|| "–".to_owned(), |value| of.said(value));
            let at = pos2(x + FIGURE * (column as f32 + 1.0) - 8.0, y + 0.5 * row);
            let color = if of == flow { text } else { faint };
            painter.text(at, Align2::RIGHT_CENTER, said, font.clone(), color);
        }
    }
    for (column, of) in Flow::ALL.into_iter().enumerate() {
        let x = left + wide + 16.0 + FIGURE * (column as f32 + 1.0) - 8.0;
        let heading = stage.t(of.key()).to_owned();
        let small = FontId::proportional(12.0);
        let at = pos2(x, top - 10.0);
        painter.text(at, Align2::RIGHT_CENTER, heading, small, faint);
    }
    let end = |level: f64| match flow.is_share() {
        true => percent(level),
        false => number(10f64.powf(level), 2),
    };
    let values: [(&str, &dyn std::fmt::Display); 3] = [
        ("low", &end(low)),
        ("high", &end(high)),
        ("when", &when(stage, last)),
    ];
    let said = stage.texts.with("inside.flow_scale", &values);
    let bottom = pos2(left, top + row * layers.len() as f32 + 9.0);
    painter.text(bottom, Align2::LEFT_CENTER, said, font, faint);
    let Some(at) = response.hover_pos() else {
        return;
    };
    let (column, k) = ((at.x - left) / cell, (at.y - top) / row);
    let found = (column >= 0.0 && k >= 0.0)
        .then(|| records.get(column as usize).zip(layers.get(k as usize)))
        .flatten();
    if let Some((health, &layer)) = found {
        let value = health.layers.get(layer).and_then(|layer| flow.of(layer));
        let value = value.map_or_else(|| "–".to_owned(), |value| flow.said(value));
        let values: [(&str, &dyn std::fmt::Display); 4] = [
            ("n", &(layer + 1)),
            ("when", &when(stage, health)),
            ("what", &stage.t(flow.key())),
            ("v", &value),
        ];
        response.on_hover_text(stage.texts.with("inside.flow_cell", &values));
    }
}

/// When it was measured, in words: of a run elsewhere the step, for epochs are not told there.
fn when(stage: &Stage<'_>, health: &Health) -> String {
    match stage.training.elsewhere {
        Some(_) => stage.texts.with("inside.flow_step", &[("n", &health.step)]),
        None => stage
            .texts
            .with("inside.flow_epoch", &[("n", &health.epoch)]),
    }
}
