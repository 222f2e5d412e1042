//! What lies over the scene: the card for a run that went wrong, messages, the
//! list of keys, and the place to drop a file.

use super::format::{number, parameter};
use super::icons::Icon;
use super::keys::SHORTCUTS;
use super::panels::Panels;
use super::stage::Stage;
use super::top::set_rate;
use super::widgets::{control_id, small_icon};
use super::{branch, edit, model, range_test, runs, stopped, sweep, timeline};
use crate::app::Notice;
use crate::app::theme::color32;
use crate::train::{NonFinite, TrainCommand};
use bevy_egui::egui::{
    self, Align, Align2, Area, Frame, Id, Layout, Order, Rect, RichText, Ui, vec2,
};

/// How long, in seconds, good news stays.
const GOOD_NEWS: f64 = 8.0;
/// Most messages at once.
const MOST: usize = 4;

/// A message on the screen.
#[derive(Debug, Clone)]
pub struct Toast {
    notice: Notice,
    since: f64,
}

pub(super) fn push(toasts: &mut Vec<Toast>, notice: Notice, now: f64) {
    // The same thing twice is one message, fresh.
    toasts.retain(|toast| toast.notice != notice);
    toasts.push(Toast { notice, since: now });
    let surplus = toasts.len().saturating_sub(MOST);
    toasts.drain(..surplus);
}

pub(super) fn show(ui: &mut Ui, panels: &mut Panels, stage: &mut Stage<'_>, free: Rect, now: f64) {
    if stage.blocks.foreign().is_none() {
        of_the_run(ui, panels, stage, free);
    }
    runs::show(ui, panels, stage, free);
    model::finder(ui, panels, stage, free);
    model::progress(ui, stage, free);
    toasts(ui, panels, stage, free, now);
    if panels.help {
        help(ui, panels, stage);
    }
    if panels.file_over {
        drop_hint(ui, stage, free);
    }
}

fn of_the_run(ui: &mut Ui, panels: &mut Panels, stage: &mut Stage<'_>, free: Rect) {
    sweep::show(ui, panels, stage, free);
    branch::show(ui, panels, stage, free);
    range_test::show(ui, panels, stage, free);
    edit::show(ui, panels, stage, free);
    divergence(ui, panels, stage, free);
    stopped::show(ui, panels, stage, free);
    timeline::badge(ui, stage, free);
}

pub(super) fn card(
    ui: &Ui,
    name: &str,
    pivot: Align2,
    at: egui::Pos2,
    width: f32,
    add: impl FnOnce(&mut Ui),
) {
    Area::new(Id::new(("gradscape card", name)))
        .order(Order::Foreground)
        .pivot(pivot)
        .fixed_pos(at)
        .constrain_to(ui.ctx().viewport_rect())
        .show(ui.ctx(), |ui| {
            Frame::popup(ui.style())
                .corner_radius(10)
                .inner_margin(14)
                .show(ui, |ui| {
                    ui.set_width(width);
                    add(ui);
                });
        });
}

fn divergence(ui: &Ui, panels: &mut Panels, stage: &mut Stage<'_>, free: Rect) {
    let snapshot = &stage.training.snapshot;
    let Some(divergence) = snapshot.divergence.clone() else {
        return;
    };
    let rate = snapshot.base_learning_rate;
    let width = (free.width() - 60.0).clamp(220.0, 400.0);
    let at = free.center_top() + vec2(0.0, 18.0);
    card(ui, "divergence", Align2::CENTER_TOP, at, width, |ui| {
        let warning = color32(stage.palette.warning);
        ui.label(
            RichText::new(stage.t("diverged.title"))
                .heading()
                .color(warning),
        );
        let what = match divergence.what {
            NonFinite::Forward => "diverged.forward",
            NonFinite::Gradient => "diverged.gradient",
            NonFinite::Update => "diverged.update",
        };
        let layer = divergence.layer + 1;
        let values: [(&str, &dyn std::fmt::Display); 2] =
            [("step", &divergence.step), ("layer", &layer)];
        ui.label(stage.texts.with(what, &values));
        if let Some(place) = divergence.parameter {
            let name = parameter(stage.texts, &stage.training.problem.network, place);
            ui.label(
                RichText::new(stage.texts.with("diverged.parameter", &[("name", &name)])).weak(),
            );
        }
        ui.label(RichText::new(stage.t("diverged.advice")).weak());
        ui.add_space(4.0);
        ui.horizontal_wrapped(|ui| {
            let lower = stage
                .texts
                .with("diverged.lower", &[("rate", &number(rate / 10.0, 2))]);
            let primary = egui::Button::new(lower).fill(ui.visuals().selection.bg_fill);
            if ui.add(primary).clicked() {
                set_rate(ui, stage, panels, rate / 10.0);
                stage.train(TrainCommand::Rewind);
            }
            if ui.button(stage.t("run.rewind")).clicked() {
                stage.train(TrainCommand::Rewind);
            }
            if ui.button(stage.t("run.reset")).clicked() {
                stage.train(TrainCommand::Reset);
            }
        });
    });
}

fn toasts(ui: &Ui, panels: &mut Panels, stage: &Stage<'_>, free: Rect, now: f64) {
    panels
        .toasts
        .retain(|t| t.notice.error || now - t.since < GOOD_NEWS);
    let Some(next) = panels
        .toasts
        .iter()
        .filter(|t| !t.notice.error)
        .map(|t| GOOD_NEWS - (now - t.since))
        .min_by(f64::total_cmp)
        .map_or_else(
            || (!panels.toasts.is_empty()).then_some(f64::INFINITY),
            Some,
        )
    else {
        return;
    };
    if next.is_finite() {
        let wait = std::time::Duration::from_secs_f64(next.max(0.05));
        ui.ctx().request_repaint_after(wait);
    }
    let width = (free.width() - 60.0).clamp(200.0, 460.0);
    let at = free.center_bottom() - vec2(0.0, 16.0);
    let mut closed = None;
    card(ui, "messages", Align2::CENTER_BOTTOM, at, width, |ui| {
        for (k, toast) in panels.toasts.iter().enumerate() {
            ui.horizontal_top(|ui| {
                let color = if toast.notice.error {
                    color32(stage.palette.warning)
                } else {
                    color32(stage.palette.text)
                };
                let text = RichText::new(&toast.notice.message).color(color);
                let room = vec2(width - 34.0, 0.0);
                ui.allocate_ui_with_layout(room, Layout::top_down(Align::Min), |ui| {
                    ui.set_min_width(room.x);
                    ui.add(egui::Label::new(text).wrap().selectable(true));
                });
                let tip = stage.t("toast.close");
                if small_icon(ui, &format!("toast {k}"), Icon::Cross, tip, true).clicked() {
                    closed = Some(k);
                }
            });
        }
    });
    if let Some(k) = closed {
        panels.toasts.remove(k);
    }
}

fn help(ui: &Ui, panels: &mut Panels, stage: &Stage<'_>) {
    let screen = ui.ctx().viewport_rect();
    let modal = egui::Modal::new(control_id("help")).show(ui.ctx(), |ui| {
        ui.set_width((screen.width() - 60.0).clamp(240.0, 1000.0));
        ui.horizontal(|ui| {
            ui.heading(stage.t("keys.title"));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let tip = stage.t("keys.close");
                if small_icon(ui, "help/close", Icon::Cross, tip, true).clicked() {
                    panels.help = false;
                }
            });
        });
        ui.add_space(6.0);
        // As high as the screen allows, not as a window is at first.
        let height = (screen.height() - 140.0).max(120.0);
        egui::ScrollArea::vertical()
            .max_height(height)
            .min_scrolled_height(height)
            .show(ui, |ui| {
                // The whole list at once in a window of 1280 x 720.
                ui.spacing_mut().item_spacing.y = 3.0;
                let columns = ((ui.available_width() / 290.0) as usize).clamp(1, 3);
                let rows = SHORTCUTS.len().div_ceil(columns);
                ui.columns(columns, |parts| {
                    for (ui, chunk) in parts.iter_mut().zip(SHORTCUTS.chunks(rows)) {
                        for shortcut in chunk {
                            key_line(ui, shortcut.label, stage.texts.get(shortcut.text));
                        }
                    }
                });
                ui.add_space(8.0);
                ui.label(RichText::new(stage.t("keys.race_title")).strong());
                for (label, text) in [
                    ("Space", "keys.race_run"),
                    ("S", "keys.race_step"),
                    ("R", "keys.race_reset"),
                ] {
                    key_line(ui, label, stage.texts.get(text));
                }
                ui.add_space(8.0);
                ui.label(RichText::new(stage.t("keys.mouse_title")).strong());
                for (label, text) in [
                    ("keys.mouse_drag", "keys.mouse_orbit"),
                    ("keys.mouse_right", "keys.mouse_pan"),
                    ("keys.mouse_wheel", "keys.mouse_zoom"),
                    ("keys.mouse_click", "keys.mouse_select"),
                    ("keys.mouse_double", "keys.mouse_focus"),
                    ("keys.mouse_surface", "keys.mouse_put"),
                    ("keys.mouse_ball", "keys.mouse_move"),
                ] {
                    key_line(ui, stage.texts.get(label), stage.texts.get(text));
                }
            });
    });
    if modal.should_close() {
        panels.help = false;
    }
}

fn key_line(ui: &mut Ui, key: &str, text: &str) {
    ui.horizontal(|ui| {
        let fill = ui.visuals().widgets.inactive.weak_bg_fill;
        let width = if key.chars().count() > 5 { 108.0 } else { 58.0 };
        ui.allocate_ui_with_layout(
            vec2(width, 24.0),
            Layout::left_to_right(Align::Center),
            |ui| {
                ui.set_min_width(width);
                Frame::new()
                    .fill(fill)
                    .corner_radius(4)
                    .inner_margin(egui::Margin::symmetric(7, 1))
                    .show(ui, |ui| ui.label(key));
            },
        );
        ui.add(egui::Label::new(text).wrap());
    });
}

fn drop_hint(ui: &Ui, stage: &Stage<'_>, free: Rect) {
    let layer = egui::LayerId::new(Order::Foreground, Id::new("gradscape drop"));
    let painter = ui.ctx().layer_painter(layer);
    let rect = free.shrink(16.0);
    let accent = color32(stage.palette.accent);
    painter.rect_filled(
        rect,
        12.0,
        color32(stage.palette.background).gamma_multiply(0.75),
    );
    painter.rect_stroke(rect, 12.0, (2.0, accent), egui::StrokeKind::Inside);
    painter.text(
        rect.center(),
        Align2::CENTER_CENTER,
        stage.t("drop.hint"),
        egui::FontId::proportional(20.0),
        color32(stage.palette.text),
    );
}
