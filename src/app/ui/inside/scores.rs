//! How right the network is: which class is taken for which, and the scores of each.

use super::super::format::{count, percent};
use super::super::stage::Stage;
use super::super::widgets::remark;
use super::{Inside, roc};
use crate::app::theme::color32;
use crate::insight::scores::{Answers, Confusion, Roc};
use crate::train::{Samples, WatchedPart};
use bevy_egui::egui::{self, Rect, RichText, ScrollArea, Sense, Ui, pos2, vec2};
use std::sync::Arc;

/// What scores are made from: the run's state and the part of the data.
pub(super) type ScoresKey = (usize, u64, WatchedPart);

/// What is kept from frame to frame.
pub(super) struct Scores {
    confusion: Option<Confusion>,
    curves: Vec<(usize, Roc)>,
    /// Of a regression: target and answer of each sample, of the first output.
    pairs: Vec<[f64; 2]>,
}

/// Multiply-adds that a frame may spend on scoring, and the fewest samples, whatever
/// they take.
const SCORING: usize = 40_000_000;
/// See [`SCORING`].
const FEWEST_SCORED: usize = 64;

pub(super) fn show(ui: &mut Ui, inside: &mut Inside, stage: &mut Stage<'_>) {
    let training = stage.training;
    let problem = &training.problem;
    let samples: &Samples = match inside.part {
        WatchedPart::Validation if !problem.validation.is_empty() => &problem.validation,
        _ => &problem.train,
    };
    let key = (
        Arc::as_ptr(problem) as usize,
        training.snapshot.revision,
        inside.part,
    );
    // A frame has to stay a frame.
    let within = SCORING / problem.network.multiply_adds().max(1);
    let scored = samples.len().min(within.max(FEWEST_SCORED));
    if inside
        .scores
        .as_ref()
        .is_none_or(|(known, _)| *known != key)
    {
        let some: Vec<usize> = (0..scored).collect();
        let answers = Answers::of(problem, &training.snapshot.params, &samples.select(&some));
        let classes = answers.shares.first().map_or(0, Vec::len);
        let curves = (0..classes.min(10)).filter_map(|k| Some((k, answers.roc(k)?)));
        let pairs = answers.targets.iter().zip(&answers.values);
        let pairs = pairs.filter_map(|(target, answer)| {
            let first = |values: &[f32]| values.first().copied().map(f64::from);
            Some([first(target)?, first(answer)?])
        });
        let scores = Scores {
            confusion: answers.confusion(),
            curves: curves.collect(),
            pairs: pairs.collect(),
        };
        inside.scores = Some((key, scores));
    }
    let Some((_, scores)) = &inside.scores else {
        return;
    };
    let names = problem.data.task.names();
    if scored < samples.len() {
        let [n, all] = [scored, samples.len()].map(|n| count(n as u64));
        let values: [(&str, &dyn std::fmt::Display); 2] = [("n", &n), ("all", &all)];
        remark(ui, &stage.texts.with("inside.scored", &values));
    }
    let Some(confusion) = &scores.confusion else {
        ScrollArea::horizontal()
            .id_salt("residuals")
            .auto_shrink([false, false])
            .show(ui, |ui| {
                ui.horizontal_top(|ui| roc::residuals(ui, stage, &scores.pairs));
            });
        return;
    };
    ScrollArea::both()
        .id_salt("scores")
        .auto_shrink([false, false])
        .show(ui, |ui| {
            ui.horizontal_top(|ui| {
                matrix(ui, stage, confusion, names);
                ui.add_space(24.0);
                table(ui, stage, confusion, names, &scores.curves);
                ui.add_space(24.0);
                roc::curves(ui, stage, &scores.curves, names);
            });
        });
}

/// The confusion matrix: rows are true classes, columns answers.
fn matrix(ui: &mut Ui, stage: &Stage<'_>, confusion: &Confusion, names: &[String]) {
    let n = confusion.counts.len();
    let cell = ((ui.available_height() - 24.0) / (n + 1) as f32).clamp(18.0, 46.0);
    let label = 78.0;
    let size = vec2(label + cell * n as f32, cell * (n + 1) as f32);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let painter = ui.painter();
    let font = egui::FontId::proportional((0.5 * cell).clamp(9.0, 14.0));
    let text = color32(stage.palette.text);
    let name = |k: usize| names.get(k).map_or("?", String::as_str);
    let corner = rect.min + vec2(label, cell);
    let clip = |name: &str| name.chars().take(9).collect::<String>();
    for (row, counts) in confusion.counts.iter().enumerate() {
        let y = corner.y + cell * row as f32;
        let all: usize = counts.iter().sum();
        let at = pos2(corner.x - 6.0, y + 0.5 * cell);
        let align = egui::Align2::RIGHT_CENTER;
        painter.text(at, align, clip(name(row)), font.clone(), text);
        let at = pos2(corner.x + cell * (row as f32 + 0.5), corner.y - 4.0);
        let head: String = name(row).chars().take(3).collect();
        painter.text(at, egui::Align2::CENTER_BOTTOM, head, font.clone(), text);
        for (column, &many) in counts.iter().enumerate() {
            let share = many as f32 / all.max(1) as f32;
            let x = corner.x + cell * column as f32;
            let place = Rect::from_min_size(pos2(x, y), vec2(cell - 1.0, cell - 1.0));
            let end = match row == column {
                true => stage.palette.training,
                false => stage.palette.warning,
            };
            let fill = stage.palette.panel.blend(end, 0.08 + 0.8 * share.sqrt());
            painter.rect_filled(place, 2.0, color32(fill));
            if many > 0 {
                let at = place.center();
                let said = many.to_string();
                painter.text(at, egui::Align2::CENTER_CENTER, said, font.clone(), text);
            }
        }
    }
    if let Some(at) = response.hover_pos() {
        let (column, row) = ((at.x - corner.x) / cell, (at.y - corner.y) / cell);
        if column >= 0.0 && row >= 0.0 {
            let (row, column) = (row as usize, column as usize);
            let count = confusion.counts.get(row).and_then(|r| r.get(column));
            if let Some(count) = count {
                let (truth, said) = (name(row), name(column));
                let values: [(&str, &dyn std::fmt::Display); 3] =
                    [("n", count), ("truth", &truth), ("said", &said)];
                response.on_hover_text(stage.texts.with("inside.confused", &values));
            }
        }
    }
}

/// The scores of each class.
fn table(
    ui: &mut Ui,
    stage: &Stage<'_>,
    confusion: &Confusion,
    names: &[String],
    curves: &[(usize, Roc)],
) {
    egui::Grid::new("class scores")
        .num_columns(6)
        .spacing([18.0, 4.0])
        .show(ui, |ui| {
            for heading in [
                "inside.class",
                "inside.precision",
                "inside.recall",
                "F1",
                "AUC",
                "n",
            ] {
                let text = match heading.contains('.') {
                    true => stage.texts.get(heading),
                    false => heading,
                };
                ui.label(RichText::new(text).weak());
            }
            ui.end_row();
            for (k, score) in confusion.scores().iter().enumerate() {
                ui.label(names.get(k).map_or("?", String::as_str));
                for share in [score.precision, score.recall, score.f1] {
                    ui.label(percent(share));
                }
                let curve = curves.iter().find(|(class, _)| *class == k);
                ui.label(curve.map_or("–".to_owned(), |(_, roc)| format!("{:.4}", roc.area)));
                ui.label(score.support.to_string());
                ui.end_row();
            }
        });
}
