//! What the picture of an error surface shows and what it does not: data, loss,
//! gap between slice and truth, and how much of the path lies in the plane.

use super::format::{count, number, percent};
use super::icons::Icon;
use super::stage::Stage;
use super::top::source_name;
use super::widgets::{fact, remark};
use crate::app::surface_words::{difference, height, measure};
use crate::app::theme::color32;
use crate::landscape::{Directions, Misleads, Over, Quantity, Scope, misleads};
use crate::train::RunState;
use bevy_egui::egui::{self, Frame, RichText, Ui, vec2};

pub(super) fn show(ui: &mut Ui, stage: &mut Stage<'_>) {
    progress(ui, stage);
    if stage.surface.surface.is_none() {
        remark(ui, stage.t("facts.none"));
        return;
    }
    warning(ui, stage);
    shown(ui, stage);
    heights(ui, stage);
    plane(ui, stage);
}

fn progress(ui: &mut Ui, stage: &Stage<'_>) {
    let surface = stage.surface;
    if surface.finding {
        ui.horizontal(|ui| {
            ui.add(egui::Spinner::new().size(14.0));
            ui.weak(stage.t("facts.finding"));
        });
        return;
    }
    // While training runs every surface is soon done: a bar would flicker.
    let running = stage.training.snapshot.state == RunState::Running;
    let all = surface
        .progress
        .filter(|(done, all)| done < all && !running);
    if let Some((done, all)) = all {
        let bar = egui::ProgressBar::new(done as f32 / all.max(1) as f32)
            .desired_height(6.0)
            .fill(ui.visuals().hyperlink_color);
        ui.add(bar);
    }
}

/// A picture that misleads says so, why, and what to do.
fn warning(ui: &mut Ui, stage: &mut Stage<'_>) {
    let texts = stage.texts;
    let shown = stage.surface;
    let surface = shown.surface.as_ref();
    let Some(reason) = surface.and_then(|s| misleads(s, &shown.path)) else {
        return;
    };
    let color = color32(stage.palette.warning);
    let text = match reason {
        Misleads::Share(share) => texts.with("facts.little", &[("share", &percent(share))]),
        Misleads::Gap { gap, share, step } => {
            let gap = difference(stage.surface.is_accuracy(), gap, 2);
            let share = percent(share);
            texts.with(
                "facts.large_gap",
                &[("gap", &gap), ("share", &share), ("step", &step)],
            )
        }
    };
    let facts = stage.surface.facts.as_ref();
    let along_path = facts.is_some_and(|f| f.directions == Directions::Path && !f.stands_in);
    let whole = stage.choices.surface.scope == Scope::Whole;
    Frame::new()
        .stroke(egui::Stroke::new(1.5, color))
        .corner_radius(6)
        .inner_margin(8)
        .show(ui, |ui| {
            ui.horizontal(|ui| {
                let (rect, _) = ui.allocate_exact_size(vec2(20.0, 20.0), egui::Sense::hover());
                Icon::Warning.paint(ui.painter(), rect, 18.0, color);
                let title = RichText::new(texts.get("facts.misleads")).strong();
                ui.label(title.color(color));
            });
            ui.add(egui::Label::new(text).wrap());
            if along_path && whole {
                remark(ui, texts.get("facts.best_plane"));
                return;
            }
            let button = egui::Button::new(texts.get("facts.take_path"));
            let name = "facts/take_path";
            if super::learning::named(ui, name, button).clicked() {
                stage.choices.surface.directions = Directions::Path;
                stage.choices.surface.scope = Scope::Whole;
            }
        });
}

/// What is measured, over what.
fn shown(ui: &mut Ui, stage: &Stage<'_>) {
    let (texts, surface) = (stage.texts, stage.surface);
    let experiment = &stage.training.problem.experiment;
    fact(
        ui,
        texts.get("facts.height"),
        &measure(texts, surface.measure),
    );
    let source = source_name(stage, &experiment.data.source);
    fact(ui, texts.get("facts.data"), &source);
    let part = match surface.measure.over {
        Over::Train => "facts.of_train",
        Over::Validation => "facts.of_validation",
        Over::Batch => "facts.of_batch",
    };
    let problem = &stage.training.problem;
    let all = match surface.measure.over {
        Over::Train => problem.train.len(),
        Over::Validation => problem.validation.len(),
        Over::Batch => surface.samples,
    };
    let n = count(surface.samples as u64);
    let mut said = texts.with(part, &[("n", &n)]);
    if surface.samples < all {
        // It has not the time for more while training runs.
        let all = count(all as u64);
        said = texts.with("facts.some", &[("part", &said), ("all", &all)]);
    }
    fact(ui, texts.get("facts.samples"), &said);
    if surface.measure.quantity == Quantity::Accuracy {
        return;
    }
    let loss = experiment.network.loss.name();
    fact(
        ui,
        texts.get("facts.loss"),
        texts.get(&format!("loss.{loss}")),
    );
    let penalty = experiment.training.regulariser();
    let mut used = Vec::new();
    for (name, factor) in [("L1", penalty.l1), ("L2", penalty.l2)] {
        if factor > 0.0 {
            used.push(format!("{name} {}", number(factor, 2)));
        }
    }
    let said = match (used.is_empty(), surface.measure.penalties) {
        (true, _) => texts.get("facts.no_penalties").to_owned(),
        (false, true) => used.join(", "),
        (false, false) => texts.with("facts.left_out", &[("penalties", &used.join(", "))]),
    };
    fact(ui, texts.get("facts.penalties"), &said);
}

/// The height at the weights, the slice's, and the gaps.
fn heights(ui: &mut Ui, stage: &Stage<'_>) {
    let (texts, surface) = (stage.texts, stage.surface);
    let is_accuracy = surface.is_accuracy();
    ui.separator();
    let Some(point) = surface.newest() else {
        let value = height(is_accuracy, surface.center_loss, 5);
        fact(ui, texts.get("surface_panel.true_loss"), &value);
        return;
    };
    let value = height(is_accuracy, point.true_loss, 5);
    fact(ui, texts.get("surface_panel.true_loss"), &value);
    let value = height(is_accuracy, point.slice_loss, 5);
    fact(ui, texts.get("surface_panel.slice_loss"), &value);
    let gap = difference(is_accuracy, point.gap(), 3);
    fact(ui, texts.get("surface_panel.gap"), &gap);
    if let Some(largest) = surface.path.largest_gap() {
        let gap = difference(is_accuracy, largest.gap(), 3);
        let said = texts.with("facts.at_step", &[("value", &gap), ("step", &largest.step)]);
        fact(ui, texts.get("facts.largest_gap"), &said);
    }
}

/// What the plane holds.
fn plane(ui: &mut Ui, stage: &Stage<'_>) {
    let (texts, surface) = (stage.texts, stage.surface);
    ui.separator();
    if let Some(share) = surface.path.share_in_plane() {
        fact(ui, texts.get("surface_panel.share"), &percent(share));
    }
    let Some(facts) = &surface.facts else { return };
    if let Some([x, y]) = facts.shares {
        let both = format!("{} + {}", percent(x), percent(y));
        fact(ui, texts.get("facts.components"), &both);
    }
    if let Some([x, y]) = facts.eigenvalues {
        let both = format!("{}, {}", number(x, 4), number(y, 4));
        fact(ui, texts.get("facts.eigenvalues"), &both);
    }
    if let Some(norm) = facts.gradient_norm {
        fact(ui, texts.get("facts.gradient_norm"), &number(norm, 4));
    }
    if let Some([a, b, c]) = facts.steps {
        let all = format!("A {a}, B {b}, C {c}");
        fact(ui, texts.get("facts.steps"), &all);
    }
    if facts.scope != Scope::Whole {
        let moves = stage.training.problem.network.layout();
        let n = facts.scope.indices(moves).map_or(0, |i| i.len()) as u64;
        let all = count(moves.trainable() as u64);
        let said = texts.with("facts.moving", &[("n", &count(n)), ("all", &all)]);
        fact(ui, texts.get("facts.scope"), &said);
    }
    if facts.stands_in {
        remark(ui, texts.get("facts.stands_in"));
    }
    let now = surface.newest().map_or(facts.found_at, |p| p.step);
    if facts.directions.need_loss() && now != facts.found_at {
        let step = facts.found_at;
        remark(ui, &texts.with("facts.found_at", &[("step", &step)]));
    }
}
