//! Recorded runs as parallel coordinates: an axis for each key in which they differ and
//! for their results. The line under the pointer says whose it is.

use super::RunsPanel;
use crate::app::theme::color32;
use crate::app::ui::stage::Stage;
use crate::figure::{PlacedAxis, Tone, result_color, short_key};
use bevy_egui::egui::{Align2, Color32, FontId, Pos2, Rect, Sense, Shape, Stroke, Ui, pos2, vec2};

/// Room around the axes.
const LEFT: f32 = 96.0;
const RIGHT: f32 = 60.0;
const TOP: f32 = 56.0;
const BOTTOM: f32 = 16.0;
/// So many runs have colours of their own; more are coloured by the last axis.
const NAMED: usize = 12;
/// How near the pointer has to be to a line, in points.
const NEAR: f32 = 10.0;

pub(super) fn show(ui: &mut Ui, runs: &mut RunsPanel, stage: &Stage<'_>) {
    let compared = &runs.compared;
    let placed: Vec<PlacedAxis> = compared.axes.iter().map(|axis| axis.placed()).collect();
    let Some(last) = placed.last() else {
        ui.label(stage.t("runs.no_difference"));
        return;
    };
    let lit = runs.lit.and_then(|k| compared.names.get(k));
    ui.label(lit.map_or_else(|| stage.t("runs.parallel_tip").to_owned(), Clone::clone));
    let (rect, response) = ui.allocate_exact_size(ui.available_size(), Sense::hover());
    let frame = Rect::from_min_max(rect.min + vec2(LEFT, TOP), rect.max - vec2(RIGHT, BOTTOM));
    let painter = ui.painter_at(rect);
    let gaps = (placed.len() - 1).max(1) as f32;
    let x = |axis: usize| frame.left() + frame.width() * axis as f32 / gaps;
    let y = |share: f64| frame.bottom() - frame.height() * share as f32;
    let count = compared.names.len();
    let lines: Vec<Vec<Vec<Pos2>>> = (0..count)
        .map(|run| parts(&placed, run, |axis, share| pos2(x(axis), y(share))))
        .collect();
    runs.lit = response.hover_pos().and_then(|at| nearest(&lines, at));
    let tone = stage.theme.tone;
    let color = |run: usize| match count <= NAMED {
        true => color32(stage.palette.racer(run)),
        false => by_result(last.shares[run], tone, ui.visuals().weak_text_color()),
    };
    let (width, opacity) = match count <= NAMED {
        true => (2.4, 0.95),
        false => (1.4, (40.0 / count as f32).clamp(0.3, 0.85)),
    };
    // The lowest result last, over the others: that is a loss.
    let mut order: Vec<usize> = (0..count).collect();
    let share = |run: usize| last.shares[run].unwrap_or(2.0);
    order.sort_by(|&a, &b| share(b).total_cmp(&share(a)));
    let dim = if runs.lit.is_some() { 0.35 } else { 1.0 };
    let draw = |run: usize, width: f32, color: Color32| {
        for part in &lines[run] {
            painter.add(Shape::line(part.clone(), Stroke::new(width, color)));
        }
    };
    for &run in &order {
        draw(run, width, color(run).gamma_multiply(opacity * dim));
    }
    if let Some(run) = runs.lit {
        draw(run, 8.0, ui.visuals().panel_fill);
        draw(run, 4.0, color(run));
    }
    let text = ui.visuals().text_color();
    for (k, (axis, placed)) in compared.axes.iter().zip(&placed).enumerate() {
        let x = x(k);
        painter.vline(x, frame.y_range(), Stroke::new(1.6, text));
        let raised = if k % 2 == 0 { 14.0 } else { 34.0 };
        let log = if placed.log { stage.t("runs.log") } else { "" };
        let name = title(stage, &axis.name);
        let at = pos2(x, frame.top() - raised);
        let font = FontId::proportional(14.0);
        painter.text(
            at,
            Align2::CENTER_CENTER,
            format!("{name}{log}"),
            font,
            text,
        );
        for (share, label) in &placed.ticks {
            let y = y(*share);
            painter.hline(x - 5.0..=x, y, Stroke::new(1.2, text));
            let label: String = label.chars().take(16).collect();
            let font = FontId::proportional(12.5);
            let galley = painter.layout_no_wrap(label, font, text);
            let at = pos2(x - 9.0 - galley.size().x, y - galley.size().y / 2.0);
            let ground = Rect::from_min_size(at, galley.size()).expand(2.0);
            let fill = ui.visuals().panel_fill.gamma_multiply(0.8);
            painter.rect_filled(ground, 2.0, fill);
            painter.galley(at, galley, text);
        }
    }
}

/// What an axis is called: a result in the language in use, a key by its end.
fn title(stage: &Stage<'_>, name: &str) -> String {
    match name {
        "accuracy" => stage.t("curves.accuracy").to_owned(),
        "best validation loss" => stage.t("runs.best_validation").to_owned(),
        "best training loss" => stage.t("runs.best_training").to_owned(),
        key => short_key(key),
    }
}

/// The line of a run, in as many parts as it has gaps and one more.
fn parts(placed: &[PlacedAxis], run: usize, at: impl Fn(usize, f64) -> Pos2) -> Vec<Vec<Pos2>> {
    let mut parts = vec![Vec::new()];
    for (k, axis) in placed.iter().enumerate() {
        match axis.shares.get(run).copied().flatten() {
            Some(share) => {
                if let Some(part) = parts.last_mut() {
                    part.push(at(k, share));
                }
            }
            None => parts.push(Vec::new()),
        }
    }
    parts.retain(|part| part.len() > 1);
    parts
}

/// The run whose line is nearest to `at`, if one is near.
fn nearest(lines: &[Vec<Vec<Pos2>>], at: Pos2) -> Option<usize> {
    let distance = |parts: &Vec<Vec<Pos2>>| {
        let pieces = parts.iter().flat_map(|part| part.windows(2));
        let distances = pieces.filter_map(|ends| {
            let (a, b) = (ends[0], ends[1]);
            let t = (at.x - a.x) / (b.x - a.x);
            (0.0..=1.0)
                .contains(&t)
                .then(|| (a.y + (b.y - a.y) * t - at.y).abs())
        });
        distances.fold(f32::INFINITY, f32::min)
    };
    let near = lines.iter().map(distance).enumerate();
    let near = near.filter(|(_, distance)| *distance <= NEAR);
    near.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(run, _)| run)
}

fn by_result(share: Option<f64>, tone: Tone, none: Color32) -> Color32 {
    let Some(share) = share else { return none };
    color32(result_color(share, tone))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_between_its_axes_and_broken_where_nothing_is() {
        let axis = |shares: Vec<Option<f64>>| PlacedAxis {
            shares,
            ticks: Vec::new(),
            log: false,
        };
        let placed = [
            axis(vec![Some(0.0), Some(1.0)]),
            axis(vec![Some(0.5), None]),
            axis(vec![Some(1.0), Some(0.0)]),
        ];
        let at = |k: usize, share: f64| pos2(100.0 * k as f32, 100.0 - 100.0 * share as f32);
        let lines: Vec<_> = (0..2).map(|run| parts(&placed, run, at)).collect();
        assert_eq!((lines[0].len(), lines[1].len()), (1, 0));
        assert_eq!(nearest(&lines, pos2(50.0, 75.0)), Some(0));
        assert_eq!(nearest(&lines, pos2(50.0, 30.0)), None);
        assert_eq!(nearest(&lines, pos2(300.0, 0.0)), None);
    }
}
