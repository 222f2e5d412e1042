//! The list of recorded runs and what can be done with those that are chosen.

use super::job::{MOST, MOST_COMPARED, Note, Order};
use super::{RunsPanel, Typing, hand_on};
use crate::app::format::{count, number, percent};
use crate::app::runs::now_ms;
use crate::app::theme::color32;
use crate::app::ui::stage::{Intent, Stage};
use crate::app::ui::widgets::{complaint, control_id, remark};
use crate::run::{Listed, SavedState};
use bevy_egui::egui::{self, Key, RichText, ScrollArea, Sense, TextEdit, Ui, vec2};
use std::path::PathBuf;

/// A run that is open and was not written to for so long was broken off.
const SILENT_MS: i64 = 15_000;
/// Below the list, for what can be done.
const BELOW: f32 = 92.0;

pub(super) fn show(ui: &mut Ui, runs: &mut RunsPanel, stage: &mut Stage<'_>) {
    if runs.catalogue.is_none() {
        remark(ui, stage.t("runs.no_folder"));
        return;
    }
    let height = (ui.available_height() - BELOW).max(80.0);
    ScrollArea::both()
        .id_salt("runs")
        .auto_shrink([false, false])
        .max_height(height)
        .show(ui, |ui| rows(ui, runs, stage));
    ui.separator();
    actions(ui, runs, stage);
    foot(ui, runs, stage);
}

fn rows(ui: &mut Ui, runs: &mut RunsPanel, stage: &mut Stage<'_>) {
    let found: Vec<&Listed> = runs
        .listing
        .runs
        .iter()
        .filter(|run| run.info.mentions(runs.search.trim()))
        .collect();
    if found.is_empty() {
        let key = match (runs.is_busy(), runs.listing.runs.is_empty()) {
            (true, _) => "runs.reading",
            (false, true) => "runs.none",
            (false, false) => "runs.none_such",
        };
        ui.label(stage.t(key));
    } else {
        let mut toggled: Option<PathBuf> = None;
        let mut opened: Option<PathBuf> = None;
        egui::Grid::new("runs grid")
            .striped(true)
            .spacing(vec2(16.0, 6.0))
            .show(ui, |ui| {
                ui.label("");
                for key in [
                    "runs.name",
                    "runs.begun",
                    "runs.data",
                    "runs.epochs",
                    "runs.loss",
                    "runs.accuracy",
                    "runs.state",
                    "runs.size",
                    "runs.tags",
                ] {
                    ui.label(RichText::new(stage.t(key)).weak());
                }
                ui.end_row();
                for (place, run) in found.iter().enumerate() {
                    let mut is_chosen = runs.chosen.contains(&run.path);
                    let check = ui.push_id(control_id(&format!("runs/choose {place}")), |ui| {
                        ui.checkbox(&mut is_chosen, "")
                    });
                    if check.inner.changed() {
                        toggled = Some(run.path.clone());
                    }
                    let (clicked, double) = row(ui, run, stage);
                    if double {
                        opened = Some(run.path.clone());
                    } else if clicked {
                        toggled = Some(run.path.clone());
                    }
                    ui.end_row();
                }
            });
        if let Some(path) = toggled
            && !runs.chosen.remove(&path)
        {
            runs.chosen.insert(path);
        }
        if let Some(path) = opened {
            open(runs, stage, path);
        }
    }
    for broken in &runs.listing.unreadable {
        complaint(ui, &stage.palette, &broken.error);
    }
}

/// A run in its row; whether it was clicked, and clicked twice.
fn row(ui: &mut Ui, run: &Listed, stage: &Stage<'_>) -> (bool, bool) {
    // A branch has its parent's name unless somebody gave it one.
    let shown = match &run.info.parent {
        Some(parent) => {
            let from = stage
                .texts
                .with("runs.from_step", &[("step", &parent.step)]);
            format!("{} {from}", run.info.name)
        }
        None => run.info.name.clone(),
    };
    let name = egui::Label::new(RichText::new(shown).strong())
        .selectable(false)
        .sense(Sense::click());
    let mut response = ui.add(name).on_hover_cursor(egui::CursorIcon::PointingHand);
    let mut tip = run.info.id.clone();
    if !run.info.comment.is_empty() {
        tip += &format!("\n{}", run.info.comment);
    }
    if let Some(parent) = &run.info.parent {
        let values: [(&str, &dyn std::fmt::Display); 2] =
            [("run", &parent.id), ("step", &parent.step)];
        tip += &format!("\n{}", stage.texts.with("runs.branch_of", &values));
    }
    response = response.on_hover_text(tip);
    let last = run.last.as_ref();
    let loss = last.map(|row| row.validation_loss.unwrap_or(row.train_loss));
    let accuracy = last.and_then(|row| row.validation_accuracy.or(row.train_accuracy));
    let dash = || "–".to_owned();
    let source = crate::app::ui::top::source_name(stage, &run.info.data);
    let cells = [
        local_time(run.info.created_ms),
        source,
        last.map_or_else(|| "0".to_owned(), |row| count(row.epoch as u64)),
        loss.filter(|v| v.is_finite())
            .map_or_else(dash, |v| number(v, 4)),
        accuracy.map_or_else(dash, percent),
    ];
    for cell in cells {
        ui.label(cell);
    }
    let (key, warns) = state(run);
    let text = RichText::new(stage.texts.get(key));
    ui.label(match warns {
        true => text.color(color32(stage.palette.warning)),
        false => text,
    });
    ui.label(size(run.bytes));
    ui.label(RichText::new(run.info.tags.join(", ")).color(color32(stage.palette.accent)));
    (response.clicked(), response.double_clicked())
}

/// What became of a run, and whether it is nothing good.
fn state(run: &Listed) -> (&'static str, bool) {
    match run.info.state {
        SavedState::Open if now_ms() - run.info.updated_ms < SILENT_MS => ("runs.recording", false),
        SavedState::Open => ("runs.broken_off", false),
        SavedState::Finished => ("runs.finished", false),
        SavedState::Diverged => ("runs.diverged", true),
        SavedState::Interrupted => ("runs.interrupted", false),
    }
}

fn open(runs: &mut RunsPanel, stage: &mut Stage<'_>, path: PathBuf) {
    runs.open = false;
    stage.intents.push(Intent::OpenRun(path));
}

/// What can be done with the runs that are chosen.
fn actions(ui: &mut Ui, runs: &mut RunsPanel, stage: &mut Stage<'_>) {
    let chosen: Vec<PathBuf> = runs.chosen.iter().cloned().collect();
    let (one, some) = (chosen.len() == 1, !chosen.is_empty());
    let button = |ui: &mut Ui, name: &str, key: &str, enabled: bool| {
        let response = ui.add_enabled(enabled, egui::Button::new(stage.texts.get(key)));
        ui.interact(response.rect, control_id(name), Sense::hover());
        response.clicked()
    };
    if runs.deleting {
        ui.horizontal(|ui| {
            let warning = color32(stage.palette.warning);
            let words = stage
                .texts
                .with("runs.delete_really", &[("n", &chosen.len())]);
            ui.colored_label(warning, words);
            if button(ui, "runs/delete really", "runs.delete", some) {
                runs.order(Order::Delete(chosen.clone()));
                runs.chosen.clear();
                runs.deleting = false;
            }
            if button(ui, "runs/keep", "runs.keep", true) {
                runs.deleting = false;
            }
        });
        return;
    }
    if let Some((what, mut text)) = runs.typing.take() {
        ui.horizontal(|ui| {
            let key = match what {
                Typing::Name => "runs.new_name",
                Typing::Tag => "runs.new_tag",
                Typing::Comment => "runs.new_comment",
            };
            ui.label(stage.texts.get(key));
            let edit = TextEdit::singleline(&mut text).desired_width(260.0);
            let response = ui.push_id(control_id("runs/text"), |ui| ui.add(edit)).inner;
            response.request_focus();
            let named = !text.trim().is_empty() || what == Typing::Comment;
            let entered = ui.input(|input| input.key_pressed(Key::Enter));
            let done = button(ui, "runs/ok", "runs.ok", named) || (entered && named);
            let untag = what == Typing::Tag && button(ui, "runs/untag", "runs.untag", named);
            let escaped = ui.input(|input| input.key_pressed(Key::Escape));
            if done || untag {
                let text = text.trim().to_owned();
                let note = match what {
                    Typing::Name => Note::Rename(text),
                    Typing::Tag if untag => Note::Untag(text),
                    Typing::Tag => Note::Tag(text),
                    Typing::Comment => Note::Comment(text),
                };
                runs.order(Order::Note(chosen.clone(), note));
            } else if !escaped && !button(ui, "runs/cancel", "runs.cancel", true) {
                runs.typing = Some((what, text));
            }
        });
        return;
    }
    if hand_on::line(ui, runs, stage) {
        return;
    }
    let mut wish = None;
    ui.horizontal_wrapped(|ui| {
        if button(ui, "runs/open", "runs.open", one) {
            wish = chosen.first().cloned();
        }
        let fits = (2..=MOST_COMPARED).contains(&chosen.len());
        if button(ui, "runs/compare", "runs.compare", fits) {
            runs.order(Order::Compare(in_order(runs)));
        }
        ui.separator();
        let first = runs
            .listing
            .runs
            .iter()
            .find(|run| Some(&run.path) == chosen.first());
        let info = first.map(|run| (run.info.name.clone(), run.info.comment.clone()));
        let (name, comment) = info.unwrap_or_default();
        if button(ui, "runs/tag", "runs.tag", some) {
            runs.typing = Some((Typing::Tag, String::new()));
        }
        if button(ui, "runs/rename", "runs.rename", one) {
            runs.typing = Some((Typing::Name, name));
        }
        if button(ui, "runs/comment", "runs.comment", one) {
            runs.typing = Some((Typing::Comment, comment));
        }
        ui.separator();
        hand_on::buttons(ui, runs, stage, one);
        ui.separator();
        if button(ui, "runs/delete", "runs.delete", some) {
            runs.deleting = true;
        }
        if some {
            ui.weak(stage.texts.with("runs.chosen", &[("n", &chosen.len())]));
            if button(ui, "runs/none", "runs.choose_none", true) {
                runs.chosen.clear();
            }
        } else {
            ui.weak(stage.t("runs.choose"));
        }
    });
    if let Some(path) = wish {
        open(runs, stage, path);
    }
}

/// The chosen runs, the oldest first, so that the newest lies on top.
fn in_order(runs: &RunsPanel) -> Vec<PathBuf> {
    let listed = runs.listing.runs.iter().rev();
    listed
        .filter(|run| runs.chosen.contains(&run.path))
        .map(|run| run.path.clone())
        .collect()
}

/// Where the runs are, how much they take, and whether the next one is recorded.
fn foot(ui: &mut Ui, runs: &RunsPanel, stage: &mut Stage<'_>) {
    let texts = stage.texts;
    ui.horizontal_wrapped(|ui| {
        let check = ui.push_id(control_id("runs/record"), |ui| {
            ui.checkbox(&mut stage.choices.record, texts.get("runs.record"))
        });
        check.inner.on_hover_text(texts.get("runs.record_tip"));
        ui.separator();
        let folder = runs
            .catalogue
            .as_ref()
            .map(|c| c.dir().display().to_string());
        let values: [(&str, &dyn std::fmt::Display); 3] = [
            ("n", &runs.listing.runs.len()),
            ("size", &size(runs.listing.bytes)),
            ("folder", &folder.unwrap_or_default()),
        ];
        ui.weak(texts.with("runs.where", &values));
        if runs.listing.left_out > 0 {
            ui.weak(texts.with("runs.left_out", &[("n", &MOST)]));
        }
        if let Some(error) = runs.recording.as_ref().and_then(|r| r.error.as_ref()) {
            let words = texts.with("runs.not_recorded", &[("why", error)]);
            ui.colored_label(color32(stage.palette.warning), words);
        }
    });
}

/// A moment in the local time zone.
fn local_time(ms: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(ms).unwrap_or_default();
    let time = time.to_zoned(jiff::tz::TimeZone::system());
    time.strftime("%Y-%m-%d %H:%M").to_string()
}

/// Bytes in the unit that fits.
fn size(bytes: u64) -> String {
    let size = bytes as f64;
    match bytes {
        0..1_000_000 => format!("{:.0} kB", (size / 1e3).ceil()),
        1_000_000..1_000_000_000 => format!("{:.1} MB", size / 1e6),
        _ => format!("{:.2} GB", size / 1e9),
    }
}
