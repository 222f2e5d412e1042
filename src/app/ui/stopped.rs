//! Why a run ended before its last epoch, in words.

use super::constants::short;
use super::format::number;
use super::icons::Icon;
use super::overlays::card;
use super::panels::Panels;
use super::stage::Stage;
use super::widgets::small_icon;
use crate::app::Texts;
use crate::app::theme::color32;
use crate::optim::SolverStop;
use crate::train::StopReason;
use bevy_egui::egui::{self, Align, Align2, Layout, Rect, RichText, Ui, vec2};

/// The reason as a sentence.
pub(super) fn words(texts: &Texts, reason: &StopReason) -> String {
    let round = |v: f64| short(format!("{v:.1e}").parse().unwrap_or(v));
    match reason {
        StopReason::NoProgress {
            epochs,
            best,
            best_epoch,
        } => texts.with(
            "stopped.no_progress",
            &[
                ("epoch", &(best_epoch + epochs)),
                ("epochs", epochs),
                ("best_epoch", best_epoch),
                ("best", &number(*best, 4)),
            ],
        ),
        StopReason::Solver { method, stop } => {
            let name = texts.get(&format!("optimizer.{method}")).to_owned();
            let name: (&str, &dyn std::fmt::Display) = ("name", &name);
            match stop {
                SolverStop::Converged { largest } => {
                    texts.with("stopped.converged", &[name, ("largest", &round(*largest))])
                }
                SolverStop::LineSearch => texts.with("stopped.line_search", &[name]),
                SolverStop::Damping { mu_max } => {
                    texts.with("stopped.damping", &[name, ("most", &round(*mu_max))])
                }
                SolverStop::Rate { rate } => {
                    texts.with("stopped.rate", &[name, ("rate", &round(*rate))])
                }
                SolverStop::NotSquares => texts.with("stopped.not_squares", &[name]),
            }
        }
        StopReason::Refused(error) => error.to_string(),
    }
}

/// The reason on a card over the scene, until it is closed or the run goes on.
pub(super) fn show(ui: &Ui, panels: &mut Panels, stage: &Stage<'_>, free: Rect) {
    let snapshot = &stage.training.snapshot;
    let Some(reason) = &snapshot.stop else {
        panels.stop_read = None;
        return;
    };
    let this = (snapshot.generation, snapshot.step);
    if panels.stop_read == Some(this) || panels.sweep.open || panels.range.open {
        return;
    }
    let width = (free.width() - 60.0).clamp(220.0, 420.0);
    let at = free.center_top() + vec2(0.0, 18.0);
    card(ui, "stopped", Align2::CENTER_TOP, at, width, |ui| {
        ui.horizontal(|ui| {
            let accent = color32(stage.palette.accent);
            let title = RichText::new(stage.t("stopped.title"));
            ui.label(title.heading().color(accent));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let tip = stage.t("toast.close");
                if small_icon(ui, "stopped/close", Icon::Cross, tip, true).clicked() {
                    panels.stop_read = Some(this);
                }
            });
        });
        ui.add(egui::Label::new(words(stage.texts, reason)).wrap());
    });
}
